"""Which column of a feed is which property of a product: guessed from names, or told."""

import re
from collections.abc import Iterable, Mapping

from hookline.errors import BadFeed, BadInput

_ALIASES: dict[str, tuple[str, ...]] = {
    "id": (
        "id", "url_handle", "handle", "sku", "product_id", "item_id", "item_number",
        "article_number", "product_code", "code", "variant_sku", "asin", "gtin", "ean", "upc",
        "isbn", "barcode", "mpn",
    ),
    "title": ("title", "name", "product_name", "product_title", "item_name"),
    "description": (
        "description", "body_html", "product_description", "long_description", "content", "body",
        "short_description", "summary", "subtitle", "meta_description", "seo_description",
    ),
    "brand": ("brand", "brand_name", "manufacturer", "vendor", "maker", "supplier"),
    "category": (
        "product_type", "product_category", "categories", "category", "category_path",
        "category_name", "type", "google_product_category", "department",
    ),
    "price": ("regular_price", "variant_price", "price", "unit_price", "price_usd", "price_eur"),
    "sale_price": ("sale_price", "special_price", "discount_price", "discounted_price"),
    "compare_at_price": (
        "compare_at_price", "variant_compare_at_price", "original_price", "was_price", "old_price",
    ),
    "currency": ("currency", "currency_code", "price_currency"),
    "sale_dates": ("sale_price_effective_date",),
    "sale_from": ("special_price_from_date", "special_from_date", "date_on_sale_from"),
    "sale_to": ("special_price_to_date", "special_to_date", "date_on_sale_to"),
    "availability": ("availability", "stock_status", "is_in_stock", "in_stock", "available"),
    "quantity": (
        "quantity", "qty", "stock", "stock_quantity", "inventory", "inventory_quantity",
        "variant_inventory_qty",
    ),
    "link": ("link", "url", "product_url", "product_link", "permalink", "page_url"),
    "image_link": (
        "image_link", "image_url", "image", "image_src", "product_image_url", "main_image",
        "base_image", "img_high", "picture", "photo", "images", "small_image", "thumbnail",
    ),
    "group_id": ("item_group_id", "group_id", "parent_sku", "parent_id"),
    "highlights": (
        "product_highlight", "product_highlights", "highlights", "highlight", "bullet_points",
        "bullets", "key_features", "selling_points", "features",
    ),
    "facts": (
        "product_detail", "product_details", "additional_attributes", "attributes", "attrs",
        "specs", "specifications", "properties",
    ),
    "status": ("status",),
    "published": ("published", "published_on_online_store", "product_online", "is_active"),
}  # fmt: skip
"""Field → normalized column names that mean it, best first."""

FIELDS = frozenset(_ALIASES)
"""What a column can be mapped to, next to "" which leaves it out."""

# Joining these from several columns would mix what is not the same thing.
_ONE_COLUMN = {"id", "title", "group_id"}

_FACT_WORDS = {
    "activity", "aperture", "battery", "blade", "bluetooth", "bristle", "caffeine",
    "calories", "capacity", "care", "certification", "certifications", "climate", "closure",
    "color", "colors", "colour", "colours", "compatibility", "composition", "condition",
    "connectivity", "connector", "depth", "diameter", "dimension", "dimensions", "display",
    "edition", "energy", "fabric", "fiber", "fill", "filling", "finish", "fit", "flavor",
    "flavour", "frame", "gender", "height", "ingredients", "insulation", "interface", "length",
    "lens", "lining", "material", "materials", "memory", "model", "neckline",
    "odour", "origin", "outsole", "pattern", "pockets", "power", "processor",
    "range", "resolution", "roast", "scent", "screen", "season", "shape", "size", "sizes",
    "sleeve", "sole", "speed", "storage", "strap", "style", "thickness", "upper", "use",
    "varietal", "vintage", "voltage", "volume", "warranty", "waterproof", "wattage", "weave",
    "weight", "wheels", "width", "wireless", "wood",
}  # fmt: skip
_INTERNAL_WORDS = {
    "alt", "config", "cost", "count", "currency", "customs", "date", "discount", "fulfillment",
    "grams", "hs", "id", "image", "inventory", "label", "link", "linked", "margin", "max",
    "min", "number", "options", "package", "pallet", "parent", "policy", "position", "price",
    "qty", "quantity", "rank", "rating", "sales", "seo", "service", "shipping", "sku", "sort",
    "stock", "system", "tags", "tariff", "tax", "title", "tracker", "type", "unit", "url",
    "views", "visibility",
}  # fmt: skip
_PREFIXES = ("attr_", "attribute_", "spec_", "feature_")
FROM_TITLE = "(title)"
"""Stands for a column where ids are made from titles."""

_ABOUT_FACTS = {"attr_keys", "attribute_set", "attribute_set_code"}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER_KINDS = {
    "reviews": {"review", "reviewer", "rating_value", "review_text", "review_title", "stars"},
    "orders": {"order_id", "financial_status", "lineitem_name", "line_item", "order_number"},
    "customers": {"first_name", "last_name", "email", "accepts_marketing", "phone"},
}


def normalized(column: str) -> str:
    """The column's name without case, punctuation and namespace.

    Examples:
        >>> normalized("g:image_link"), normalized("Compare-at price"), normalized("imageUrl")
        ('image_link', 'compare_at_price', 'image_url')
    """
    bare = _CAMEL.sub("_", column.strip().removeprefix("g:"))
    return re.sub(r"[\W_]+", "_", bare.lower()).strip("_")


def is_known(column: str) -> bool:
    """Whether a feed's column of that name would be read."""
    return normalized(column) in _FIELD_OF or is_fact(column)


def is_fact(column: str) -> bool:
    """Whether the column's name says that it describes the product to a shopper.

    Columns of unknown meaning do not become facts: copy may claim every fact, and nobody wants
    to read the shop's purchase price.

    Examples:
        >>> is_fact("Frame material"), is_fact("cost_per_item"), is_fact("Shipping weight")
        (True, False, False)
    """
    name = normalized(column)
    if name in _ABOUT_FACTS:
        return False
    if name.startswith(_PREFIXES) or "_metafields_" in name:
        return True
    words = set(name.split("_"))
    named = words & _FACT_WORDS or "age_group" in name or name.startswith("features_")
    return bool(named) and not words & _INTERNAL_WORDS


def shown(mapping: Mapping[str, str]) -> dict[str, str]:
    """The mapping for a reader: thousands of `attr_…` columns become one line.

    Examples:
        >>> shown({"name": "title", "attr_t_colour": "facts", "attr_n_weight": "facts"})
        {'name': 'title', 'attr_*': 'facts'}
    """
    lines: dict[str, str] = {}
    for column, field in mapping.items():
        prefix = next((p for p in _PREFIXES if field == "facts" and column.startswith(p)), "")
        lines[f"{prefix}*" if prefix else column] = field
    return lines


def choose(columns: Iterable[str], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Column → field for every column that is read, best column of a field first.

    Args:
        columns: The feed's columns.
        given: Column → field that outrank the guess; "" leaves a column out. Columns may be
            written as the feed has them, normalized, or as `shown` writes them.

    Raises:
        BadInput: Where `given` names no field of a product.
        BadFeed: Where `given` names a column the feed lacks, no column is a title, or the columns
            are those of another kind of file.
    """
    columns = list(columns)
    told = _told(columns, given or {})
    settled = set(told.values()) - {"facts", "highlights"}
    chosen = {column: field for column, field in told.items() if field and column != FROM_TITLE}
    free = [column for column in columns if column not in told]
    for field, aliases in _ALIASES.items():
        if field not in settled:
            chosen |= dict.fromkeys(_matches(field, aliases, free), field)
    chosen |= {column: "facts" for column in free if column not in chosen and is_fact(column)}
    if "title" not in settled:
        _require_products(columns, chosen)
    return chosen


def _told(columns: list[str], given: Mapping[str, str]) -> dict[str, str]:
    """The given mapping with columns spelled as the feed spells them."""
    spelled = {normalized(column): column for column in reversed(columns)}
    told: dict[str, str] = {}
    for name, field in given.items():
        if field and field not in FIELDS:
            known = ", ".join(sorted(FIELDS))
            raise BadInput(f"{field!r} is no field of a product; map columns to one of: {known}.")
        if name in columns or (name == FROM_TITLE and field == "id"):
            named = [name]
        elif name.endswith("*"):
            named = [column for column in columns if column.startswith(name[:-1])]
        else:
            named = [spelled[normalized(name)]] if normalized(name) in spelled else []
        if not named:
            raise BadFeed(f"has no column {name!r} to map; it has {_listed(columns)}")
        told |= dict.fromkeys(named, field)
    return told


def _matches(field: str, aliases: Iterable[str], columns: Iterable[str]) -> list[str]:
    """The columns that mean the field, in order of the aliases; one where more would mix."""
    names = [(normalized(column), column) for column in columns]
    found = [column for alias in aliases for name, column in names if name == alias]
    # Google's own namespace outranks RSS's and Atom's elements of the same name.
    found.sort(key=lambda column: not column.startswith("g:"))
    return found[:1] if field in _ONE_COLUMN else found


def _require_products(columns: list[str], chosen: Mapping[str, str]) -> None:
    """Refuses files whose columns are not those of products."""
    if not columns:
        raise BadFeed("holds items with nothing in them; export the feed again")
    names = {normalized(column) for column in columns}
    fields = set(chosen.values())
    for kind, marks in _OTHER_KINDS.items():
        if len(names & marks) >= 2 and not ("price" in fields and "description" in fields):
            raise BadFeed(
                f"looks like a list of {kind}, not of products; its columns are {_listed(columns)}"
            )
    if "title" not in fields:
        raise BadFeed(
            "has no column for the product's title; name one with a mapping such as "
            f"{{{columns[0][:40]!r}: 'title'}}; its columns are {_listed(columns)}"
        )


def _listed(columns: list[str]) -> str:
    more = f" and {len(columns) - 12} more" if len(columns) > 12 else ""
    return ", ".join(repr(column[:40]) for column in columns[:12]) + more


_FIELD_OF = {alias: field for field, aliases in _ALIASES.items() for alias in aliases}
