"""Copies drawn from the house model, many at once, none longer than its fields.

A piece that is longer than what is left of its field can't be drawn, nor a slot that the product
does not fill, nor the same fact twice. A copy that is cut short by this is given up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hookline.writers.house.marks import FIELD, MARKS
from hookline.writers.house.network import Floats, Ids, Network, room_kind

SHORTLIST: Final = 48
"""Pieces that one is drawn from, at most."""
LEAST_MASS: Final = 0.2
"""Share of its next pieces, by likelihood, that a copy must be free to take at every step."""
CROWDED: Final = 0.6
"""Share of copies that still grow below which finished ones are put aside."""
_NAMES: Final = ("name", "the_name")
_FACTS: Final = ("maker", "price", "spec", "label", "finish")
"""Slots that stand once in a copy; a name may stand once in each field, a noun more often."""

Bools = NDArray[np.bool_]
Reals = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One field of one copy.

    Attributes:
        conditions: What copy and field are asked for.
        room: How much the field has room for.
        least: Least size of its text.
        values: Slot → what stands in it.
    """

    conditions: tuple[str, ...]
    room: int
    least: int
    values: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Luck:
    """How bold draws are.

    Attributes:
        temperature: Divides the logits, above 0.
        top_p: Only the likeliest pieces that together have this probability are drawn.
    """

    temperature: float
    top_p: float


def sample(
    network: Network,
    copies: Sequence[Sequence[Ask]],
    *,
    size: Callable[[str], int],
    luck: Luck,
    rng: np.random.Generator,
) -> list[list[str] | None]:
    """For each copy its texts with slots, one a field; None where it came to nothing.

    Args:
        network: The model.
        copies: What is asked of each copy, all of as many fields.
        size: How the room in a field is counted.
        luck: How bold draws are.
        rng: Where draws come from; the same state gives the same texts.
    """
    board = _Board(network, copies, size)
    memory = network.remember(len(copies))
    while board.alive.any() and memory.length < network.build.places:
        draws = rng.random(len(copies))
        if board.alive.sum() < CROWDED * len(board.rows):
            memory.keep(board.settle())
        logits = network.step(*board.state(), memory)
        board.take(*_drawn(logits, board.blocked(), luck, draws[board.rows]))
    return [texts if done else None for texts, done in zip(board.texts, board.done, strict=True)]


def _drawn(logits: Floats, blocked: Bools, luck: Luck, draws: Reals) -> tuple[Ids, Floats]:
    """One piece for each row, and the share of the likelihood that was free to be taken."""
    logits = logits - logits.max(-1, keepdims=True)
    likely = np.exp(logits)
    free = np.where(blocked, np.float32(0), likely)
    share = free.sum(-1) / likely.sum(-1)
    count = min(SHORTLIST, free.shape[1])
    best = np.argpartition(-free, count - 1, axis=1)[:, :count]
    mass = np.take_along_axis(free, best, 1)
    order = np.argsort(-mass, axis=1, kind="stable")
    best, mass = np.take_along_axis(best, order, 1), np.take_along_axis(mass, order, 1)
    mass = mass.astype(np.float64) ** (1 / luck.temperature)
    mass /= np.maximum(mass.sum(-1, keepdims=True), 1e-300)
    before = np.cumsum(mass, 1) - mass
    mass[before >= luck.top_p] = 0
    reach = np.cumsum(mass, 1)
    chosen = np.minimum((reach <= (draws * reach[:, -1])[:, None]).sum(1), count - 1)
    return best[np.arange(len(best)), chosen], share


class _Board:
    """Where each copy of a batch stands.

    Attributes:
        texts: Each copy's finished fields.
        done: Whether each copy is finished.
        alive: Whether each copy still grows.
        rows: The copies that the model still reckons with.
    """

    def __init__(
        self, network: Network, copies: Sequence[Sequence[Ask]], size: Callable[[str], int]
    ) -> None:
        count, pieces = len(copies), network.build.pieces
        self._copies, self._pieces = copies, pieces
        self._start = pieces.index(FIELD)
        self._asked = _asked(network, copies)
        self._sizes = _sizes(pieces, size)
        self._slots = _slots(pieces)
        self._order = {at: number for number, at in enumerate(self._slots)}
        self._widths = np.array([[self._width(ask, size) for ask in copy] for copy in copies])
        self._same = _same(tuple(self._slots.values()))
        self._named = np.array([slot in _NAMES for slot in self._slots.values()])
        self.texts: list[list[str]] = [[] for _ in copies]
        self.done = np.zeros(count, np.bool_)
        self.alive = np.ones(count, np.bool_)
        self.rows = np.arange(count)
        self._growing = [""] * count
        self._field = np.zeros(count, np.int64)
        self._last = np.full(count, self._start)
        self._left = np.array([copy[0].room for copy in copies])
        self._least = np.array([[max(ask.least, 1) for ask in copy] for copy in copies])
        self._rooms = np.array([[ask.room for ask in copy] for copy in copies])
        self._used = np.zeros((count, len(self._slots)), np.bool_)

    def state(self) -> tuple[Ids, Ids, Floats]:
        """The latest piece, the kind of room left and what is asked, of each row."""
        rows = self.rows
        rooms = np.array([room_kind(int(room)) for room in self._left[rows]])
        return self._last[rows], rooms, self._asked[rows, self._field[rows]]

    def blocked(self) -> Bools:
        """Which pieces each row can't take, (rows, pieces)."""
        rows, fields = self.rows, self._field[self.rows]
        left = self._left[rows]
        blocked = self._sizes[None, :] > left[:, None]
        widths = self._widths[rows, fields]
        blocked[:, list(self._order)] = (widths > left[:, None]) | self._used[rows]
        blocked[:, self._start] = self._rooms[rows, fields] - left < self._least[rows, fields]
        return blocked

    def take(self, pieces: Ids, shares: Floats) -> None:
        """Adds each row's piece; copies that were not free to go on as they would are given up."""
        for row, piece, share in zip(
            self.rows.tolist(), pieces.tolist(), shares.tolist(), strict=True
        ):
            if not self.alive[row]:
                continue
            self._last[row] = piece
            if share < LEAST_MASS:
                self.alive[row] = False
            elif piece == self._start:
                self._close(row)
            else:
                self._grow(row, piece)

    def settle(self) -> NDArray[np.intp]:
        """Which of the rows still grow; from now on they are the rows."""
        kept = np.flatnonzero(self.alive[self.rows])
        self.rows = self.rows[kept]
        return kept

    def _grow(self, row: int, piece: int) -> None:
        self._growing[row] += self._pieces[piece]
        if piece in self._order:
            at = self._order[piece]
            self._left[row] -= self._widths[row, self._field[row], at]
            self._used[row] |= self._same[at]
        else:
            self._left[row] -= self._sizes[piece]

    def _close(self, row: int) -> None:
        """Ends the row's field, and begins the next one or ends the copy."""
        self.texts[row].append(self._growing[row])
        self._growing[row] = ""
        if len(self.texts[row]) == len(self._copies[row]):
            self.done[row], self.alive[row] = True, False
            return
        self._field[row] += 1
        self._left[row] = self._rooms[row, self._field[row]]
        self._used[row] &= ~self._named  # each field may name the product, no fact comes twice

    def _width(self, ask: Ask, size: Callable[[str], int]) -> list[int]:
        """How much each slot's piece takes of the field; too much where it has no value."""
        return [
            size(ask.values[slot]) + len(self._pieces[at]) - 1 if slot in ask.values else 10_000
            for at, slot in self._slots.items()
        ]


def _asked(network: Network, copies: Sequence[Sequence[Ask]]) -> Floats:
    """What each field of each copy is asked for, as vectors, (copies, fields, width)."""
    ids = {name: at for at, name in enumerate(network.build.conditions)}
    return np.stack(
        [
            network.asked([[ids[n] for n in ask.conditions if n in ids] for ask in copy])
            for copy in copies
        ]
    )


@lru_cache(maxsize=8)
def _sizes(pieces: tuple[str, ...], size: Callable[[str], int]) -> Ids:
    """How much room each piece takes, slots aside; a field's mark takes none."""
    return np.array([0 if text == FIELD else size(text) for text in pieces])


@lru_cache(maxsize=8)
def _slots(pieces: tuple[str, ...]) -> Mapping[int, str]:
    """Pieces that are slots, by their number, with or without a blank before them."""
    slots = {mark: slot for slot, mark in MARKS.items()}
    return {at: slots[text[-1]] for at, text in enumerate(pieces) if text[-1] in slots}


def _same(slots: Sequence[str]) -> Bools:
    """Which slots' pieces say the same as which, (slot pieces, slot pieces)."""
    kinds = np.array(["name" if slot in _NAMES else slot for slot in slots])
    facts = np.array([slot in (*_NAMES, *_FACTS) for slot in slots])
    return (kinds[:, None] == kinds[None, :]) & facts[:, None]
