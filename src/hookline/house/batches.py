"""Rows → arrays of equal length, ready to be learned from or measured on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hookline.house.pieces import Pieces
from hookline.house.rows import Row, Written
from hookline.writers.house.marks import FIELD
from hookline.writers.house.network import room_kind
from hookline.writers.phrasebook.compose import columns

MOST_CONDITIONS: Final = 24
"""Conditions of one text, and of one field; the first of the table stands for none."""
NONE: Final = ""
_CHUNK: Final = 4096
"""Lines that are sorted by length together."""

Ids = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Line:
    """One row in ids.

    Attributes:
        pieces: The fields' pieces, a mark before each and after the last, (length + 1,).
        rooms: Kind of room left behind each piece but the last, (length,).
        conditions: What the text is asked for, (MOST_CONDITIONS,).
        fields: What the field that each next piece belongs to is asked for, (length, 8).
        source: As in its row.
        bytes: Bytes of the text in UTF-8, a slot counting as one.
    """

    pieces: Ids
    rooms: Ids
    conditions: Ids
    fields: Ids
    source: str
    bytes: int


def vocabulary(rows: Iterable[Row]) -> list[str]:
    """Every condition that a row or a field has, `NONE` first."""
    found = {name for row in rows for name in row.conditions}
    found |= {name for row in rows for spot in row.fields for name in spot.conditions}
    return [NONE, *sorted(found)]


def line_of(row: Row, pieces: Pieces, ids: Mapping[str, int], places: int) -> Line | None:
    """The row in ids; None where it is too long or holds a rare character."""
    start = pieces.ids[FIELD]
    text: list[int] = []
    rooms: list[int] = []
    fields: list[list[int]] = []
    for spot in row.fields:
        cut = pieces.cut(spot.text)
        if cut is None:
            return None
        asked = _padded([ids[name] for name in spot.conditions], 8)
        text += [start, *cut]
        rooms += [room_kind(room) for room in _rooms(cut, pieces, spot)]
        fields += [asked] * (len(cut) + 1)
    if len(text) > places:
        return None
    return Line(
        pieces=np.array([*text, start], np.int16),
        rooms=np.array(rooms, np.int16),
        conditions=np.array(_padded([ids[n] for n in row.conditions], MOST_CONDITIONS), np.int16),
        fields=np.array(fields, np.int16),
        source=row.source,
        bytes=sum(len(_one_byte(spot.text).encode()) for spot in row.fields),
    )


def batches(
    lines: Sequence[Line], *, pieces: int, rng: np.random.Generator
) -> Iterator[list[Line]]:
    """Every line once, in batches of about `pieces` pieces and like length, in random order."""
    order: list[int] = rng.permutation(len(lines)).tolist()
    for start in range(0, len(order), _CHUNK):
        chunk = sorted(order[start : start + _CHUNK], key=lambda at: len(lines[at].rooms))
        made: list[list[Line]] = [[]]
        for at in chunk:
            if made[-1] and (len(made[-1]) + 1) * len(lines[at].rooms) > pieces:
                made.append([])
            made[-1].append(lines[at])
        for which in rng.permutation(len(made)):
            yield made[int(which)]


def stacked(lines: Sequence[Line]) -> dict[str, NDArray[np.int64]]:
    """The lines side by side, beyond their ends zeros.

    Returns:
        `pieces`, `rooms` and `next`, (lines, length), the last -1 beyond the end; `conditions`;
        `kinds`, what each kind of field among them is asked for, (kinds, 8); and `fields`, which
        kind each next piece belongs to, (lines, length).
    """
    longest = max(len(line.rooms) for line in lines)
    whole = {
        "pieces": np.zeros((len(lines), longest), np.int64),
        "rooms": np.zeros((len(lines), longest), np.int64),
        "next": np.full((len(lines), longest), -1, np.int64),
        "fields": np.zeros((len(lines), longest, 8), np.int64),
        "conditions": np.stack([line.conditions for line in lines]).astype(np.int64),
    }
    for at, line in enumerate(lines):
        size = len(line.rooms)
        whole["pieces"][at, :size] = line.pieces[:-1]
        whole["next"][at, :size] = line.pieces[1:]
        whole["rooms"][at, :size] = line.rooms
        whole["fields"][at, :size] = line.fields
    kinds, which = np.unique(whole["fields"].reshape(-1, 8), axis=0, return_inverse=True)
    return whole | {"kinds": kinds, "fields": which.reshape(len(lines), longest)}


def _rooms(cut: Sequence[int], pieces: Pieces, spot: Written) -> Iterator[int]:
    """Room left before the first piece and behind each."""
    left, slots = spot.room, iter(spot.widths)
    yield left
    for piece in cut:
        text = pieces.texts[piece]
        left -= columns(text) if spot.wide else len(text)
        if "\ue000" <= text[-1] <= "\ue0ef":
            left -= next(slots) - 1
        yield left


def _padded(ids: list[int], size: int) -> list[int]:
    if len(ids) > size:
        raise ValueError(f"{len(ids)} conditions, room for {size}")
    return ids + [0] * (size - len(ids))


def _one_byte(text: str) -> str:
    """The text with a byte for each slot."""
    return "".join("~" if "\ue000" <= char <= "\ue0ef" else char for char in text)
