"""One state for visitor, context, past and copy: what critic and actor see.

Every (visitor, arm) pair is seen by itself, so any number of arms in any order will do. A feature's
size is the prior standard deviation of its effect, in units that the critic sets: what all copies
share comes first, then attributes, then what they mean to one audience, then to one visitor. That
is the hierarchy that lets new copy start from what its attributes earned elsewhere.

`states` gives the whole state, row by row. A decision needs no more than each arm's value under
weights that stay the same for many visitors: `Sight` sums up what does not depend on the visitor
beforehand, so that a visitor costs one product with the portrait and one look at the past.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hookline.perceive.copy import ArmFeatures, arm_features, cell_of
from hookline.perceive.hashing import (
    COMMON,
    CROSS,
    DIMENSION,
    MAIN,
    RECALL,
    TEXT,
    VISITOR,
    Array,
    Hashes,
    Places,
    crossed,
    name_hash,
    placed,
)
from hookline.perceive.past import Recall, recalled
from hookline.perceive.visitor import Portraits, portrait, portraits
from hookline.types import Arm, Context, Episode

__all__ = [
    "COMMON",
    "CROSS",
    "DIMENSION",
    "MAIN",
    "RECALL",
    "TEXT",
    "TRAIT",
    "VERSION",
    "VISITOR",
    "Met",
    "Sight",
    "States",
    "cell_of",
    "copy_states",
    "states",
    "states_of",
]

VERSION: Final = 3
"""Raised whenever a state changes its meaning; what was learned under another one is of no use."""

INTERCEPT: Final = name_hash("intercept")
MATCHED: Final = name_hash("matched")
MISMATCHED: Final = name_hash("mismatched")
CONTROL: Final = name_hash("control")

LEVEL: Final = 1.0
"""Size of what shifts all copies alike: the intercept, the audience."""
ATTRIBUTE: Final = 0.4
"""Size of a creative attribute, of being human, and of being written for this audience."""
STYLE: Final = 0.25
"""Size of a feature of the text's look, times its value."""
EMBEDDED: Final = 0.5
"""Size of the text's embedding, a vector of about unit length."""
IDENTITY: Final = 0.5
"""Size of being this very copy, and of being the control."""
CROSSED: Final = 0.25
"""Size of an attribute, or of the copy itself, for one audience."""
TRAIT: Final = 0.012
"""Size of a feature of the portrait with an attribute of the copy, times its value."""
MAX_ROWS: Final = 4096
"""Features of portraits whose effects a `Sight` keeps at hand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class States:
    """A sparse matrix with one row per arm.

    Attributes:
        rows: Arm of each entry, shape (entries,).
        places: Place in the feature vector of each entry, in 0 to `DIMENSION` - 1.
        values: Value of each entry; entries that share row and place add up.
        count: Number of arms.
    """

    rows: Places
    places: Places
    values: Array
    count: int

    def dense(self, columns: Places, width: int) -> Array:
        """The rows as a full matrix, each place moved to a column.

        Args:
            columns: Column of each entry, shape (entries,), below `width`; an entry whose column
                is negative is left out.
            width: Number of columns.

        Returns:
            Array of shape (count, width).
        """
        kept = columns >= 0
        size = self.count * width
        flat = self.rows[kept] * width + columns[kept]
        cells = np.bincount(flat, self.values[kept], max(size, 1))[:size]
        return np.asarray(cells, dtype=np.float64).reshape(self.count, width)


def states(
    context: Context, audience_id: str, arms: Sequence[Arm], *, identity: bool = True
) -> States:
    """The fused state of one visitor with every arm.

    Args:
        context: Who is asking, with the past.
        audience_id: Audience the visitor was sorted into; may be empty.
        arms: At least one.
        identity: Whether a state tells which very copy it is about, beyond what it is like.
    """
    return states_of([(context, audience_id, arm) for arm in arms], identity=identity)


def states_of(pairs: Sequence[tuple[Context, str, Arm]], *, identity: bool = True) -> States:
    """The fused states of many visitors with one arm each, a row for each pair.

    Args:
        pairs: Who is asking, with the past; their audience; the arm. At least one.
        identity: As for `states`.
    """
    known = {id(arm): arm_features(arm) for _, _, arm in pairs}
    seen = [known[id(arm)] for _, _, arm in pairs]
    audiences = [name_hash(f"audience={audience_id}") for _, audience_id, _ in pairs]
    contexts = [context for context, _, _ in pairs]
    own = [
        _own(audience, arm, identity=identity)
        for audience, arm in zip(audiences, seen, strict=True)
    ]
    past = _pasts([context.past for context in contexts], seen)
    return _joined(_stacked(own), _traits(portraits(contexts), seen), past)


def copy_states(audience_id: str, arms: Sequence[Arm]) -> States:
    """What of the states depends on audience and copy alone, without identity."""
    audience = name_hash(f"audience={audience_id}")
    parts = [_own(audience, arm_features(arm), identity=False) for arm in arms]
    return _stacked(parts)


def _joined(*parts: States) -> States:
    """The entries of all the parts, which have the same rows."""
    return States(
        rows=np.concatenate([part.rows for part in parts]),
        places=np.concatenate([part.places for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        count=parts[0].count,
    )


def _pasts(pasts: Sequence[Sequence[Episode]], arms: Sequence[ArmFeatures]) -> States:
    """The pasts' entries; none in the rows of visitors without a past."""
    there = [row for row, past in enumerate(pasts) if past]
    rows = np.array(there, dtype=np.int64)
    if not there:
        return States(rows=rows, places=rows, values=np.zeros(0), count=len(pasts))
    places, values = recalled([pasts[row] for row in there], [arms[row] for row in there])
    return States(
        rows=np.repeat(rows, places.size),
        places=np.tile(places, rows.size),
        values=values.ravel(),
        count=len(pasts),
    )


def _stacked(parts: Sequence[tuple[Places, Array]]) -> States:
    return States(
        rows=np.repeat(np.arange(len(parts)), [len(places) for places, _ in parts]),
        places=np.concatenate([places for places, _ in parts]),
        values=np.concatenate([values for _, values in parts]),
        count=len(parts),
    )


@lru_cache(maxsize=16_384)
def _own(audience: int, arm: ArmFeatures, *, identity: bool) -> tuple[Places, Array]:
    """Places and values of what depends on audience and arm alone."""
    common = placed(np.array([INTERCEPT, audience], dtype=np.uint64), COMMON)
    sizes: dict[int, float] = {}
    if arm.audience:
        sizes[MATCHED if arm.audience == audience else MISMATCHED] = ATTRIBUTE
    if arm.control:
        sizes[CONTROL] = IDENTITY
    copy = arm.attributes
    if identity:
        sizes[arm.identity] = IDENTITY
        copy = np.append(copy, np.uint64(arm.identity))
    single = np.array(list(sizes), dtype=np.uint64)
    main = placed(np.concatenate([single, arm.attributes, arm.style]), MAIN)
    cross = placed(crossed(np.array([audience], dtype=np.uint64), copy), CROSS)
    values = [
        np.full(2, LEVEL),
        np.array(list(sizes.values())),
        np.full(arm.attributes.size, ATTRIBUTE),
        STYLE * arm.style_values,
        np.full(copy.size, CROSSED),
    ]
    text = TEXT[0] + np.arange(arm.embedding.size)
    places = np.concatenate([common[0], main[0], cross[0], text])
    signed = np.concatenate([common[1], main[1], cross[1]]) * np.concatenate(values)
    return places, np.concatenate([signed, EMBEDDED * arm.embedding])


def _traits(visitors: Portraits, arms: Sequence[ArmFeatures]) -> States:
    """The portraits' entries, crossed with the attributes of each one's copy."""
    rows = np.repeat(np.arange(len(arms)), visitors.sizes)
    copies, filled = _attributes(arms)
    places, signs = placed(crossed(visitors.hashes[:, None], copies[rows]), VISITOR)
    there = filled[rows]
    return States(
        rows=np.broadcast_to(rows[:, None], there.shape)[there],
        places=places[there],
        values=(signs * (TRAIT * visitors.values)[:, None])[there],
        count=len(arms),
    )


def _attributes(arms: Sequence[ArmFeatures]) -> tuple[Hashes, NDArray[np.bool_]]:
    """Hashes of the arms' attributes, and which there are, both of shape (arms, most)."""
    copies = np.zeros((len(arms), max(arm.attributes.size for arm in arms)), dtype=np.uint64)
    filled = np.zeros(copies.shape, dtype=np.bool_)
    for row, arm in enumerate(arms):
        copies[row, : arm.attributes.size] = arm.attributes
        filled[row, : arm.attributes.size] = True
    return copies, filled


@dataclass(frozen=True, kw_only=True, slots=True)
class Met:
    """Features of portraits that were met so far, crossed with a test's arms.

    Never changed, only replaced by a larger one, so that whoever reads it needs no lock.

    Attributes:
        rows: Hash of each feature → its row.
        places: Places of its crosses, shape (features, arms, attributes).
        sizes: Their values at a feature of 1, likewise.
    """

    rows: dict[int, int]
    places: Places
    sizes: Array


class Sight:
    """The arms of a test as one audience sees them, under given weights.

    Args:
        audience_id: The audience.
        arms: At least one.
        weights: Weight of every place of the feature vector, shape (DIMENSION,).
        met: What a sight of the same arms under other weights has met, to have it at hand.
    """

    def __init__(
        self, audience_id: str, arms: Sequence[Arm], weights: Array, met: Met | None = None
    ) -> None:
        seen = [arm_features(arm) for arm in arms]
        self._weights = weights
        self._audience = audience_id
        self._recall = Recall.of(seen, weights)
        self._copies, self._filled = _attributes(seen)
        known = met or self._nothing()
        self._ready = (known, self._means(known.places, known.sizes))

    @property
    def met(self) -> Met:
        """What it has met so far."""
        return self._ready[0]

    def _nothing(self) -> Met:
        shape = (0, *self._copies.shape)
        return Met(rows={}, places=np.zeros(shape, dtype=np.int64), sizes=np.zeros(shape))

    def values(self, context: Context) -> Array:
        """What visitor and past add to each arm's value; shape (arms,).

        What they add to all arms alike is left out: it decides nothing.
        """
        visitor = portrait(context)
        met, effects = self._ready
        try:
            rows = [met.rows[name] for name in visitor.hashes]
        except KeyError:
            met, effects = self._ready = self._meeting(visitor.hashes)
            rows = [met.rows[name] for name in visitor.hashes]
        total = visitor.values @ effects.take(rows, 0)
        return total + self._recall.values(context.past) if context.past else total

    def _meeting(self, names: Sequence[int]) -> tuple[Met, Array]:
        """What is known once these features of a portrait were met, and what each does."""
        met, effects = self._ready
        if len(met.rows) > MAX_ROWS:
            met, effects = self._nothing(), effects[:0]
        new = [name for name in dict.fromkeys(names) if name not in met.rows]
        hashed = np.array(new, dtype=np.uint64)
        places, signs = placed(crossed(hashed[:, None, None], self._copies), VISITOR)
        sizes = TRAIT * signs * self._filled
        larger = Met(
            rows=met.rows | {name: len(met.rows) + row for row, name in enumerate(new)},
            places=np.concatenate([met.places, places]),
            sizes=np.concatenate([met.sizes, sizes]),
        )
        return larger, np.concatenate([effects, self._means(places, sizes)])

    def _means(self, places: Places, sizes: Array) -> Array:
        """Effects of features of portraits on each arm, shape (features, arms)."""
        return np.einsum("fka,fka->fk", self._weights[places], sizes)
