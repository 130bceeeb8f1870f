"""Records → products, with a reason for every row that is not one."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from unicodedata import combining, normalize

from hookline.catalog.facts import fact_name, fact_value, highlights, pairs
from hookline.catalog.prices import BadPrice, PriceUnit, in_force, is_currency, parse_money
from hookline.catalog.sheet import Cell, Record, RowNote
from hookline.catalog.text import bullets, clean, plain, words
from hookline.types import Money, Product, RejectedRow, content_hash

_LONGEST_ID = 200
_IN_STOCK = {"in_stock", "instock", "available", "yes", "true", "1", "in_store", "limited"}
_NO_STOCK = {"out_of_stock", "outofstock", "sold_out", "soldout", "no", "false", "0", "unavailable"}
_SOON = {
    "preorder": "preorder", "pre_order": "preorder", "presale": "preorder",
    "backorder": "backorder", "back_order": "backorder", "onbackorder": "backorder",
    "available_for_order": "backorder",
}  # fmt: skip
_NOT_LIVE = {"archived", "disabled", "draft", "inactive", "pending", "private", "trash", "unlisted"}
_NOT_PUBLISHED = {"false", "no", "0", "-1", "2"}  # Magento writes 2, WooCommerce -1 for a draft
_NO_CATEGORY = {"default category", "root catalog", "uncategorized", "n/a"}
# Shelves that products stand on for a while say nothing of what they are.
_SHELVES = {"collections", "promotions"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How to read the records of one feed.

    Attributes:
        mapping: Column → field, best column of a field first.
        currency: ISO code of prices that name none.
        locale: BCP 47 tag of the texts.
        price_unit: What a bare price counts.
        at: The moment that sales with dates are judged at, None if unknown.
    """

    mapping: Mapping[str, str]
    currency: str
    locale: str
    price_unit: PriceUnit
    at: datetime | None

    @property
    def has_id(self) -> bool:
        """Whether the feed has ids of its own."""
        return "id" in self.mapping.values()


class _BadRow(Exception):
    """The row is no product; the message is the reason for the shop owner."""


def products_of(
    records: Sequence[Record], reading: Reading
) -> tuple[list[Product], list[RejectedRow], list[RowNote]]:
    """The products in the records' order, the rejected rows, and what was left out of kept ones."""
    built: list[tuple[int, Product]] = []
    rejected: list[RejectedRow] = []
    notes: list[RowNote] = []
    rank = {column: place for place, column in enumerate(reading.mapping)}
    for record in records:
        try:
            product, remarks = _product(_by_field(record, reading.mapping, rank), reading)
        except _BadRow as wrong:
            rejected.append(RejectedRow(row=record.row, reason=str(wrong)))
        else:
            built.append((record.row, product))
            notes += [RowNote(row=record.row, reason=remark) for remark in remarks]
    if not reading.has_id:
        built = _with_ids(built)
    kept, doubles = _first_of_each(built, by_title=not reading.has_id)
    return kept, rejected + doubles, notes


# --- one row -----------------------------------------------------------------------------------

_Cells = Mapping[str, list[tuple[str, Cell]]]
"""Field → (column, cell) pairs of the row, in the mapping's order."""


def _by_field(record: Record, mapping: Mapping[str, str], rank: Mapping[str, int]) -> _Cells:
    found: dict[str, list[tuple[str, Cell]]] = {}
    for column in sorted(record.cells.keys() & rank.keys(), key=rank.__getitem__):
        found.setdefault(mapping[column], []).append((column, record.cells[column]))
    return found


def _text(cells: _Cells, field: str) -> str:
    """The first text of the field that says something."""
    return next(filter(None, (words(cell) for _, cell in cells.get(field, ()))), "")


def _product(cells: _Cells, reading: Reading) -> tuple[Product, list[str]]:
    """The product and remarks on what was left out of it.

    Raises:
        _BadRow: Where it would be wrong or is not for sale.
    """
    title = _text(cells, "title")
    ident = _ident(cells) if reading.has_id else ""
    if not title:
        raise _BadRow("no title")
    if reading.has_id and not ident:
        raise _BadRow("no id")
    _require_live(cells)
    remarks: list[str] = []
    price, sale_price = _prices(cells, reading, remarks)
    description = next(
        (cell for _, cell in cells.get("description", ()) if isinstance(cell, str) and plain(cell)),
        "",
    )
    points = tuple(p for _, cell in cells.get("highlights", ()) for p in highlights(cell))
    product = Product(
        id=ident,
        title=title,
        description=_without(title, plain(description) or _text(cells, "description")),
        brand=_text(cells, "brand"),
        category=_category(cells),
        price=price,
        sale_price=sale_price,
        availability=_availability(cells, remarks),
        link=_address(cells, "link", remarks),
        image_link=_address(cells, "image_link", remarks),
        group_id=_text(cells, "group_id"),
        facts=_facts(cells),
        highlights=points or bullets(description),
        locale=reading.locale,
    )
    return product, remarks


def _without(title: str, description: str) -> str:
    """The description, less the title where it begins with it as a heading or is nothing else."""
    if description == title:
        return ""
    rest = description.removeprefix(title)
    headed = (
        rest != description and rest[:1] in {"", ".", " "} and rest[:3].strip(". ")[:1].isupper()
    )
    return rest.lstrip(". ") if headed else description


def _ident(cells: _Cells) -> str:
    """The id as the feed writes it; of several the first."""
    cell = cells["id"][0][1] if "id" in cells else ""
    if isinstance(cell, list) and cell:
        cell = cell[0]
    text = clean(cell) if isinstance(cell, str) else words(cell)
    if len(text) > _LONGEST_ID:
        raise _BadRow(f"its id is longer than {_LONGEST_ID} characters")
    return text


def _require_live(cells: _Cells) -> None:
    status = _text(cells, "status").lower()
    if status in _NOT_LIVE:
        raise _BadRow(f"is {status} in the shop; make it active to import it")
    if _text(cells, "published").lower() in _NOT_PUBLISHED:
        raise _BadRow("is not published in the shop")


def _category(cells: _Cells) -> str:
    """The first path that says something, broad to narrow, joined by " > "."""
    for column, cell in cells.get("category", ()):
        paths = _paths(cell, slashed="categories" in column.lower())
        if any(paths):
            return " > ".join(max(paths, key=len))  # the first of the deepest
    return ""


def _paths(cell: Cell, *, slashed: bool) -> list[list[str]]:
    """Every category path of the cell; a list is one path unless its items are paths."""
    if isinstance(cell, list):
        items = [words(item) for item in cell]
        if not any(re.search(r"\s>\s|\s/\s", item) for item in items):
            return [_path(items)]
    else:
        text = words(cell) if not isinstance(cell, str) else cell
        if "\n" in text:
            return [_path([plain(part) for part in text.split("\n")])]
        text = plain(text)
        # Google's own names hold commas ("Food, Beverages & Tobacco"), so one column is one path.
        items = re.split(r",(?=\S)|,\s+(?=[^,>]+\s>)", text) if slashed else [text]
    split = r"\s*>\s*|\s+/\s+|\s*\|\s*" + (r"|/" if slashed else "")
    return [_path(re.split(split, item)) for item in items]


def _path(names: Sequence[str]) -> list[str]:
    path: list[str] = []
    for name in dict.fromkeys(name.strip() for name in names):
        if path and name.lower() in _SHELVES:
            break
        # Google also writes its categories as numbers, which no shopper reads.
        if name and name.lower() not in _NO_CATEGORY and not name.isdigit():
            path.append(name)
    return path


def _availability(cells: _Cells, remarks: list[str]) -> str:
    """One of the four words of `Product.availability`, or empty."""
    text = _text(cells, "availability").rpartition("/")[2]  # schema.org writes an address
    word = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if word in _IN_STOCK:
        return "in_stock"
    if word in _NO_STOCK:
        return "out_of_stock"
    if word in _SOON:
        return _SOON[word]
    if word:
        remarks.append(f"availability {text[:40]!r} is unknown and was left out")
        return ""
    count = re.fullmatch(r"(-?\d{1,15})(?:\.0*)?", _text(cells, "quantity"))
    return "" if not count else "in_stock" if int(count[1]) > 0 else "out_of_stock"


def _address(cells: _Cells, field: str, remarks: list[str]) -> str:
    """The first web address or path of the field; other schemes never reach a page."""
    for column, cell in cells.get(field, ()):
        first = cell[0] if isinstance(cell, list) and cell else cell
        text = clean(first.replace("&amp;", "&")) if isinstance(first, str) else words(first)
        text = re.split(r",\s*(?=https?://|/)", text)[0]
        if not re.match(r"(?i)https?://|(?![a-z][a-z0-9+.-]*:)", text):
            remarks.append(f"{column} {text[:40]!r} is not a web address and was left out")
        elif text:
            return text.replace(" ", "%20")
    return ""


def _facts(cells: _Cells) -> dict[str, str]:
    """Named facts of the row; the first that gives a name keeps it."""
    found: dict[str, str] = {}
    for column, cell in cells.get("facts", ()):
        name = fact_name(column)
        nested = isinstance(cell, dict | list) or re.search(r"detail|attributes|spec|prop", name)
        for key, value in pairs(cell) if nested else [(name, cell)]:
            key_name, text = fact_name(key), fact_value(value)
            if key_name and text and not _says_little(key_name, value):
                found.setdefault(key_name, text)
    return found


def _says_little(name: str, value: Cell) -> bool:
    """Whether the value could only mislead.

    A 0 or 1 in a table is a count or a switch, nobody knows. "condition: new" is what shoppers
    expect anyway, and would bear out a claim of novelty.
    """
    return value in ("0", "1") or (name == "condition" and str(value).lower() == "new")


# --- prices ------------------------------------------------------------------------------------


def _prices(
    cells: _Cells, reading: Reading, remarks: list[str]
) -> tuple[Money | None, Money | None]:
    """Regular and reduced price.

    A bad regular price rejects the row, as the product would be sold under a wrong one; a bad
    reduced price is left out, as the regular one still stands.
    """
    currency = _text(cells, "currency").upper() or reading.currency
    if not is_currency(currency):
        raise _BadRow(f"currency {currency[:20]!r} is not an ISO 4217 code such as USD")
    price = _money(cells, "price", currency, reading)
    if price and price.amount == 0:
        remarks.append("price 0 was left out")
        price = None
    sale = _optional(cells, "sale_price", currency, reading, remarks)
    before = _optional(cells, "compare_at_price", currency, reading, remarks)
    if sale and not in_force(_sale_window(cells), reading.at):
        remarks.append("a sale price with dates was left out, as it is not known to be in force")
        sale = None
    if price and before and before.currency == price.currency and before.amount > price.amount:
        price, sale = before, sale or price
    if sale and price is None:
        return sale, None
    if sale and price and (sale.currency != price.currency or sale.amount >= price.amount):
        remarks.append(f"sale price {sale} is not below the price {price} and was left out")
        sale = None
    return price, sale


def _money(cells: _Cells, field: str, currency: str, reading: Reading) -> Money | None:
    for column, cell in cells.get(field, ()):
        try:
            return parse_money(cell, currency=currency, unit=reading.price_unit)
        except BadPrice as wrong:
            raise _BadRow(f"bad {column}: {wrong}") from None
    return None


def _optional(
    cells: _Cells, field: str, currency: str, reading: Reading, remarks: list[str]
) -> Money | None:
    try:
        money = _money(cells, field, currency, reading)
    except _BadRow as wrong:
        remarks.append(f"{wrong}; it was left out")
        return None
    return money if money and money.amount > 0 else None


def _sale_window(cells: _Cells) -> tuple[str, str]:
    first, _, last = _text(cells, "sale_dates").partition("/")
    return first or _text(cells, "sale_from"), last or _text(cells, "sale_to")


# --- ids ---------------------------------------------------------------------------------------


def _slug(title: str) -> str:
    """The title in lower-case ASCII with hyphens, at most 80 characters."""
    plain_title = re.sub("[®™©℠]", "", title)  # decomposing would spell them out
    bare = "".join(char for char in normalize("NFKD", plain_title) if not combining(char))
    slug = re.sub(r"[^a-z0-9]+", "-", bare.lower().encode("ascii", "ignore").decode()).strip("-")
    return slug[:80].rstrip("-") or content_hash(title, size=6)


def _with_ids(built: Sequence[tuple[int, Product]]) -> list[tuple[int, Product]]:
    """The products with an id from their title.

    Where titles repeat, each gets a hash of what tells them apart, price aside: a product keeps
    its id when its price or its place in the feed changes.
    """
    slugs = [_slug(product.title) for _, product in built]
    counts = Counter(slugs)
    return [
        (row, replace(product, id=slug if counts[slug] == 1 else f"{slug}-{_mark(product)}"))
        for slug, (row, product) in zip(slugs, built, strict=True)
    ]


def _mark(product: Product) -> str:
    told = (product.title, product.brand, product.category, product.description)
    return content_hash(*told, product.link, product.image_link, size=3)


def _first_of_each(
    built: Sequence[tuple[int, Product]], *, by_title: bool
) -> tuple[list[Product], list[RejectedRow]]:
    """The first product of every id, and the rows that repeat one."""
    rows: dict[str, int] = {}
    kept: list[Product] = []
    doubles: list[RejectedRow] = []
    for row, product in built:
        first = rows.setdefault(product.id, row)
        if first == row:
            kept.append(product)
            continue
        same = "same title, text and picture" if by_title else f"id {product.id!r} is used there"
        doubles.append(RejectedRow(row=row, reason=f"duplicate of row {first}: {same}"))
    return kept, doubles
