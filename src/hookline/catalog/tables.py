"""Delimited text → sheet: delimiter and quoting found out, ragged rows rejected."""

import csv
import io
from collections.abc import Collection, Iterator, Sequence, Set
from typing import Literal

from hookline.catalog.mapping import is_known, normalized
from hookline.catalog.sheet import Cell, Record, Sheet
from hookline.errors import BadFeed
from hookline.types import RejectedRow

_DELIMITERS = "\t,;|"
_GOOGLE = {
    "availability", "condition", "google_product_category", "gtin", "identifier_exists",
    "image_link", "item_group_id", "mpn", "product_highlight", "sale_price_effective_date",
}  # fmt: skip


def read_table(text: str, told: Collection[str] = ()) -> Sheet:
    """The rows of a comma-, tab-, semicolon- or bar-separated table with a header row.

    Args:
        text: The table.
        told: Columns that the caller has a meaning for; with any, the header may be unknown.

    Raises:
        BadFeed: Where there is no header that names a product's properties, or no row.
    """
    delimiter = _delimiter(text, frozenset(map(normalized, told)))
    rows = _rows(text, delimiter)
    header = rows[0][1] if rows else []
    if not header or not (told or any(is_known(name) for name in header)):
        raise BadFeed(
            "is not a product feed: its first row names no column such as id, title or price; "
            "give a table with a header row, a Google Merchant XML file, JSON or JSON Lines"
        )
    if len(rows) == 1:
        raise BadFeed("has a header and no rows; export the feed again")
    records: list[Record] = []
    rejected: list[RejectedRow] = []
    for number, cells in rows[1:]:
        if any(cell.strip() for cell in cells[len(header) :]):
            reason = (
                f"has {len(cells)} cells where the header has {len(header)}; "
                "put quotes around texts that hold the separator"
            )
            rejected.append(RejectedRow(row=number, reason=reason))
        else:
            records.append(Record(row=number, cells=_named(header, cells)))
    columns = tuple(dict.fromkeys(name for name in header if name))
    return Sheet(
        format=_format(columns, delimiter),
        columns=columns,
        records=tuple(records),
        rejected=tuple(rejected),
    )


def _delimiter(text: str, told: Set[str]) -> str:
    """The separator under which the first line names most known columns, then most columns."""
    line = next(line for line in text.splitlines() if line.strip())[:10_000]

    def score(delimiter: str) -> tuple[int, int]:
        names = [name.strip(' "') for name in line.split(delimiter)]
        return sum(is_known(name) or normalized(name) in told for name in names), len(names)

    return max(_DELIMITERS, key=score)


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, each with its number.

    Tab-separated feeds often hold bare inch marks, and one at the start of a cell would swallow
    the rows up to the next. They are read without quoting where that leaves fewer ragged rows.
    """
    quoted = list(_parse(text, delimiter, csv.QUOTE_MINIMAL))
    if delimiter != "\t" or '"' not in text:
        return quoted
    bare = list(_parse(text, delimiter, csv.QUOTE_NONE))
    return bare if _ragged(bare) < _ragged(quoted) else quoted


def _parse(text: str, delimiter: str, quoting: Literal[0, 3]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield number, stripped
    except csv.Error:
        raise BadFeed(
            f"has a cell of more than {csv.field_size_limit():,} characters in row {number + 1}; "
            "a quotation mark is probably not closed"
        ) from None


def _ragged(rows: Sequence[tuple[int, list[str]]]) -> int:
    width = len(rows[0][1]) if rows else 0
    return sum(len(cells) != width for _, cells in rows)


def _named(header: Sequence[str], cells: Sequence[str]) -> dict[str, Cell]:
    """Column → cell for the cells that are not blank; a repeated column gives a list."""
    named: dict[str, Cell] = {}
    for name, cell in zip(header, cells, strict=False):
        if not (name and cell):
            continue
        before = named.get(name)
        if before is None:
            named[name] = cell
        else:
            named[name] = [*before, cell] if isinstance(before, list) else [before, cell]
    return named


def _format(columns: Sequence[str], delimiter: str) -> str:
    names = {normalized(column) for column in columns}
    kind = "TSV" if delimiter == "\t" else "CSV"
    if "url_handle" in names and names & {"option1_name", "compare_at_price", "vendor"}:
        return f"Shopify {kind}"
    if "handle" in names and names & {"body_html", "variant_price", "option1_name"}:
        return f"Shopify {kind} (legacy)"
    if "sku" in names and names & {"attribute_set_code", "product_websites"}:
        return f"Magento {kind}"
    return f"Google Merchant {kind}" if len(names & _GOOGLE) >= 3 else kind
