"""What every feed format is read into: numbered records of named cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from hookline.types import RejectedRow

Cell: TypeAlias = "str | int | Decimal | bool | list[Cell] | dict[str, Cell] | None"
"""One value as the file has it: text in tables, anything in JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowNote:
    """Something left out of, or settled in, a product that was kept.

    Attributes:
        row: 1-based row number, counted as in `RejectedRow`.
        reason: What, and why, in words.
    """

    row: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One row, line or item of a feed.

    Attributes:
        row: 1-based: the row of a table with its header, the line of JSON Lines, or the item.
        cells: Column → value; blank cells are left out.
    """

    row: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A feed before anything is known about the meaning of its columns.

    Attributes:
        format: Name of the format, for the reader.
        columns: Every column, in order of first appearance.
        records: The rows that could be read.
        rejected: The rows that could not.
        notes: What was settled while variants were joined.
        merged: Rows that went into the record of another row as its variants.
    """

    format: str
    columns: tuple[str, ...]
    records: tuple[Record, ...]
    rejected: tuple[RejectedRow, ...] = ()
    notes: tuple[RowNote, ...] = ()
    merged: int = 0
