"""JSON and JSON Lines → sheet."""

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NoReturn

from hookline.catalog.sheet import Cell, Record, Sheet
from hookline.errors import BadFeed
from hookline.types import RejectedRow

_LISTS = ("products", "items", "data", "results", "entries", "records")
_NO_OBJECT = 'is not an object like {"id": …, "title": …}'


def read_json(text: str) -> Sheet:
    """The products of a JSON array, of an object that holds one, or of JSON Lines.

    Raises:
        BadFeed: Where the JSON is broken, with the line number, or holds no list of products.
    """
    lines = text.split("\n") if text.lstrip().startswith("{") else []
    filled = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if len(filled) > 1 and _is_object(filled[0][1]):
        return _sheet("JSON Lines", [(number, _parse(line, number)) for number, line in filled])
    items = _products(_parse(text, 1))
    return _sheet("JSON", list(enumerate(items, start=1)))


def _is_object(line: str) -> bool:
    try:
        return isinstance(_parse(line, 1), dict)
    except BadFeed:
        return False


def _parse(text: str, line: int) -> Cell:
    """The value of one JSON text, whose first line has the given number in the file."""
    try:
        return json.loads(text, parse_float=_decimal, parse_constant=_no_number)
    except json.JSONDecodeError as wrong:
        where = line + wrong.lineno - 1
        raise BadFeed(f"is broken JSON in line {where} ({wrong.msg}); export it again") from None
    except RecursionError:
        raise BadFeed("is JSON nested too deeply; give a list of flat products") from None
    except (ValueError, ArithmeticError):
        raise BadFeed(f"holds a number that cannot be, after line {line}; correct it") from None


def _decimal(digits: str) -> Decimal:
    return Decimal(digits)


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _products(value: Cell) -> Sequence[Cell]:
    """The list of products in the value, at most two objects deep."""
    if isinstance(value, list):
        return value
    found = _list_in(value) if isinstance(value, dict) else None
    if found is None:
        raise BadFeed('holds no products; give a list, or an object like {"products": […]}')
    return found


def _list_in(value: dict[str, Cell], depth: int = 2) -> Sequence[Cell] | None:
    named = [value[name] for name in _LISTS if name in value]
    for candidate in named:
        if isinstance(candidate, list):
            return candidate
        if isinstance(candidate, dict) and depth:
            return _list_in(candidate, depth - 1)
    # One product by itself, as JSON Lines of one line are.
    return [value] if {"title", "name"} & {key.lower() for key in value} else None


def _sheet(kind: str, items: Iterable[tuple[int, Cell]]) -> Sheet:
    records: list[Record] = []
    rejected: list[RejectedRow] = []
    for number, item in items:
        if isinstance(item, dict):
            cells = {name: cell for name, cell in item.items() if cell not in (None, "", [], {})}
            records.append(Record(row=number, cells=cells))
        else:
            rejected.append(RejectedRow(row=number, reason=_NO_OBJECT))
    if not records:
        raise BadFeed("holds no products; export the feed again")
    columns = dict.fromkeys(name for record in records for name in record.cells)
    return Sheet(
        format=kind, columns=tuple(columns), records=tuple(records), rejected=tuple(rejected)
    )
