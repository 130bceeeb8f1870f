"""One state for visitor, context and copy: what critic and actor see.

Every (visitor, arm) pair is seen by itself, so any number of arms in any order will do. A feature's
size is the prior standard deviation of its effect, in units that the critic sets: what all copies
share comes first, then attributes and the copy itself, then what either means to one audience. That
is the hierarchy that lets new copy start from what its attributes earned elsewhere. All values are
multiples of 1/128, so that their sums are exact in binary and do not depend on order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from hookline.perceive.copy import ArmFeatures, arm_features
from hookline.perceive.hashing import (
    CROSS,
    DIMENSION,
    MAIN,
    VISITOR,
    Array,
    Places,
    crossed,
    name_hash,
    placed,
)
from hookline.perceive.visitor import VisitorFeatures, visitor_features
from hookline.types import Arm, Context

__all__ = ["CROSS", "DIMENSION", "MAIN", "VERSION", "VISITOR", "States", "states"]

VERSION: Final = 1
"""Raised whenever a state changes its meaning; what was learned under another one is of no use."""

INTERCEPT: Final = name_hash("intercept")
MATCHED: Final = name_hash("matched")
MISMATCHED: Final = name_hash("mismatched")
CONTROL: Final = name_hash("control")

LEVEL: Final = 1.0
"""Size of what shifts all copies alike: the intercept, the audience."""
ATTRIBUTE: Final = 0.5
"""Size of a creative attribute, of being human, and of being written for this audience."""
STYLE: Final = 0.25
"""Size of a feature of the text's look, times its value."""
IDENTITY: Final = 0.5
"""Size of being this very copy, and of being the control."""
CROSSED: Final = 0.25
"""Size of an attribute, or of the copy itself, for one audience."""
TRAIT: Final = 0.125
"""Size of device and traits, alone and with an attribute, times their value."""


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
            columns: Column of each entry, shape (entries,), in 0 to `width` - 1.
            width: Number of columns.

        Returns:
            Array of shape (count, width).
        """
        flat = self.rows * width + columns
        cells = np.asarray(np.bincount(flat, self.values, self.count * width), dtype=np.float64)
        return cells.reshape(self.count, width)


def states(context: Context, audience_id: str, arms: Sequence[Arm]) -> States:
    """The fused state of one visitor with every arm.

    Args:
        context: Who is asking.
        audience_id: Audience the visitor was sorted into; may be empty.
        arms: At least one.
    """
    visitor = visitor_features(context, audience_id)
    seen = [arm_features(arm) for arm in arms]
    own = [_own(visitor.audience, arm) for arm in seen]
    rows = np.repeat(np.arange(len(seen)), [len(places) for places, _ in own])
    places = [places for places, _ in own]
    values = [values for _, values in own]
    if visitor.hashes.size:
        trait_rows, trait_places, trait_values = _traits(visitor, seen)
        rows = np.concatenate([rows, trait_rows])
        places.append(trait_places)
        values.append(trait_values)
    return States(
        rows=rows, places=np.concatenate(places), values=np.concatenate(values), count=len(seen)
    )


@lru_cache(maxsize=16_384)
def _own(audience: int, arm: ArmFeatures) -> tuple[Places, Array]:
    """Places and values of what depends on audience and arm alone."""
    sizes = {INTERCEPT: LEVEL, audience: LEVEL, arm.identity: IDENTITY}
    if arm.audience:
        sizes[MATCHED if arm.audience == audience else MISMATCHED] = ATTRIBUTE
    if arm.control:
        sizes[CONTROL] = IDENTITY
    single = np.array(list(sizes), dtype=np.uint64)
    identity = np.array([arm.identity], dtype=np.uint64)
    copy = np.concatenate([arm.attributes, identity])
    main = placed(np.concatenate([single, arm.attributes, arm.style]), MAIN)
    cross = placed(crossed(np.array([audience], dtype=np.uint64), copy), CROSS)
    values = [
        np.array(list(sizes.values())),
        np.full(arm.attributes.size, ATTRIBUTE),
        STYLE * arm.style_values,
        np.full(copy.size, CROSSED),
    ]
    signs = np.concatenate([main[1], cross[1]])
    return np.concatenate([main[0], cross[0]]), signs * np.concatenate(values)


def _traits(visitor: VisitorFeatures, arms: Sequence[ArmFeatures]) -> tuple[Places, Places, Array]:
    """Rows, places and values of device and traits: alone, and crossed with each copy."""
    alone = np.zeros(1, dtype=np.uint64)
    copies = [np.concatenate([alone, arm.attributes]) for arm in arms]
    flat = np.concatenate(copies)
    rows = np.repeat(np.arange(len(arms)), [copy.size for copy in copies])
    places, signs = placed(crossed(visitor.hashes[:, None], flat[None, :]), VISITOR)
    values = signs * visitor.values[:, None] * TRAIT
    return np.tile(rows, visitor.hashes.size), places.ravel(), values.ravel()
