"""Rows as a house model reads them, and how likely it finds them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hookline.house.batches import Line, line_of, stacked
from hookline.house.pieces import Pieces
from hookline.house.rows import Row
from hookline.writers.house.network import Build, Network

Reals = NDArray[np.float64]

_BATCH: Final = 128
"""Lines that are read at once."""


class Reader:
    """Makes lines of rows, in the vocabulary of one model.

    Args:
        build: The model's sizes and vocabularies.

    Attributes:
        pieces: What texts are made of.
    """

    def __init__(self, build: Build) -> None:
        self.pieces = Pieces(build.pieces)
        self._ids = {name: at for at, name in enumerate(build.conditions)}
        self._places = build.places

    def line(self, row: Row) -> Line | None:
        """The row in ids; None where it is too long or can't be spelt.

        What the model was never taught to be asked for is left out, as the writer does.
        """
        fields = tuple(
            replace(spot, conditions=self._known(spot.conditions)) for spot in row.fields
        )
        known = replace(row, conditions=self._known(row.conditions), fields=fields)
        return line_of(known, self.pieces, self._ids, self._places)

    def _known(self, conditions: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in conditions if name in self._ids)


def likelihood(network: Network, rows: Sequence[Row]) -> Reals:
    """How likely the model finds each row, in nats a piece, up to 0; NaN for one it can't read.

    Args:
        network: The model.
        rows: As `row_of` or `draw` make them.
    """
    reader = Reader(network.build)
    lines = {at: line for at, row in enumerate(rows) if (line := reader.line(row)) is not None}
    order = sorted(lines, key=lambda at: len(lines[at].rooms))
    found = np.full(len(rows), np.nan)
    for start in range(0, len(order), _BATCH):
        lot = order[start : start + _BATCH]
        found[lot] = _of_lines(network, [lines[at] for at in lot])
    return found


def _of_lines(network: Network, lines: Sequence[Line]) -> Reals:
    """Log-likelihood of each line, in nats a piece."""
    batch = stacked(lines)
    memory = network.remember(len(lines))
    table = network.asked([[at] for at in range(len(network.build.conditions))])
    whole, kinds = table[batch["conditions"]].sum(1), table[batch["kinds"]].sum(1)
    nats = np.zeros(len(lines))
    for at in range(batch["pieces"].shape[1]):
        asked = whole + kinds[batch["fields"][:, at]]
        logits = network.step(batch["pieces"][:, at], batch["rooms"][:, at], asked, memory)
        told = np.flatnonzero(batch["next"][:, at] >= 0)
        logits = logits[told] - logits[told].max(-1, keepdims=True)
        chosen = logits[np.arange(len(told)), batch["next"][told, at]]
        nats[told] += chosen - np.log(np.exp(logits).sum(-1))
    return nats / np.array([len(line.rooms) for line in lines])
