"""Rows of variants → one record a product, for the shops that export a row per variant."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hookline.catalog.mapping import normalized
from hookline.catalog.sheet import Cell, Record, RowNote, Sheet

_HIDDEN = "not visible individually"
_PRICES = ("price", "variant_price")
_STOCK = ("inventory_quantity", "variant_inventory_qty")


def joined(sheet: Sheet) -> Sheet:
    """The sheet with the variants of Shopify and Magento exports joined to their products."""
    if sheet.format.startswith("Shopify"):
        return _join_shopify(sheet)
    if sheet.format.startswith("Magento"):
        return _join_magento(sheet)
    return sheet


def _join_shopify(sheet: Sheet) -> Sheet:
    """One record a handle: the first row's cells, and every value of every option."""
    names = {normalized(column): column for column in reversed(sheet.columns)}
    handle = names.get("url_handle") or names["handle"]
    groups: dict[str, list[Record]] = {}
    title = names.get("title", "")
    for record in sheet.records:
        key = str(record.cells.get(handle, ""))
        own = record.cells.get(title)
        # A row without a handle, or with a title of its own under a handle that is taken, is no
        # variant: it stays alone, to be rejected under its own number.
        if not key or (key in groups and own and own != groups[key][0].cells.get(title)):
            key = f"{key}\n{record.row}"
        groups.setdefault(key, []).append(record)
    records = [_product(rows, names) for rows in groups.values()]
    notes = [note for rows in groups.values() for note in _price_note(rows, names)]
    options = [names[name] for name in names if re.match(r"option\d_", name)]
    columns = [column for column in sheet.columns if column not in options]
    return replace(
        sheet,
        columns=(*columns, *(["attributes"] if options else [])),
        records=tuple(records),
        notes=tuple(notes),
        merged=len(sheet.records) - len(records),
    )


def _product(rows: Sequence[Record], names: Mapping[str, str]) -> Record:
    """The first row with the first price, the stock of all rows, and their options."""
    cells = dict(rows[0].cells)
    for column in (names[name] for name in _PRICES if name in names):
        priced = [row.cells[column] for row in rows if column in row.cells]
        if priced:
            cells[column] = priced[0]
    stock = next((names[name] for name in _STOCK if name in names), "")
    counts = [str(row.cells[stock]) for row in rows if stock in row.cells]
    if counts and all(re.fullmatch(r"-?\d+", count) for count in counts):
        cells[stock] = sum(max(0, int(count)) for count in counts)
    options = _options(rows, names)
    if options:
        cells["attributes"] = options
    return replace(rows[0], cells=cells)


def _options(rows: Sequence[Record], names: Mapping[str, str]) -> dict[str, Cell]:
    """Option name → its values in the order of the rows."""
    found: dict[str, Cell] = {}
    for number in "123":
        name = rows[0].cells.get(names.get(f"option{number}_name", ""))
        column = names.get(f"option{number}_value", "")
        values = dict.fromkeys(str(row.cells[column]) for row in rows if column in row.cells)
        # Shopify gives a product without variants one called "Default Title".
        if isinstance(name, str) and values and set(values) != {"Default Title"}:
            found[name] = list(values)
    return found


def _price_note(rows: Sequence[Record], names: Mapping[str, str]) -> Iterable[RowNote]:
    """A note where variants cost differently, as the product has room for one price."""
    columns = [names[name] for name in _PRICES if name in names]
    prices = dict.fromkeys(str(row.cells[c]) for c in columns for row in rows if c in row.cells)
    if len(prices) > 1:
        first = next(iter(prices))
        yield RowNote(
            row=rows[0].row, reason=f"its variants cost differently; the first one's {first} counts"
        )


def _join_magento(sheet: Sheet) -> Sheet:
    """One record a product page: a configurable product takes in the variants it lists."""
    lists = {
        record.row: _variations(str(record.cells.get("configurable_variations", "")))
        for record in sheet.records
    }
    listed = {sku for variants in lists.values() for sku, _ in variants}
    by_sku = {str(record.cells.get("sku", "")): record for record in sheet.records}
    records: list[Record] = []
    for record in sheet.records:
        hidden = str(record.cells.get("visibility", "")).lower() == _HIDDEN
        if not (hidden and record.cells.get("sku") in listed):
            variants = lists[record.row]
            sold = by_sku.get(variants[0][0]) if variants else None
            records.append(_with_options(_priced_as(sold, record), variants))
    internal = {"product_type", "visibility", "configurable_variations"}
    return replace(
        sheet,
        columns=(*(c for c in sheet.columns if c not in internal), "attributes"),
        records=tuple(records),
        merged=len(sheet.records) - len(records),
    )


def _variations(text: str) -> list[tuple[str, dict[str, str]]]:
    """(sku, option → value) of each variant in `sku=A,size=S|sku=B,size=M`."""
    found: list[tuple[str, dict[str, str]]] = []
    for variant in filter(None, text.split("|")):
        parts = (part.partition("=") for part in variant.split(","))
        options = {name.strip(): value.strip() for name, _, value in parts if value.strip()}
        found.append((options.pop("sku", ""), options))
    return found


def _priced_as(variant: Record | None, record: Record) -> Record:
    """The record with the variant's price where it has none of its own."""
    if variant is None or record.cells.get("price"):
        return record
    prices = {n: variant.cells[n] for n in ("price", "special_price") if n in variant.cells}
    return replace(record, cells={**record.cells, **prices})


def _with_options(record: Record, variants: Iterable[tuple[str, dict[str, str]]]) -> Record:
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for _, options in variants:
        for name, value in options.items():
            values[name][value] = None
    if not values:
        return record
    attributes: dict[str, Cell] = {name: list(options) for name, options in values.items()}
    return replace(record, cells={**record.cells, "attributes": attributes})
