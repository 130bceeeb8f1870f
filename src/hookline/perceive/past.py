"""What a visitor's past says for a copy: how its like was received, and how often it was shown.

Every earlier copy that is settled has a score, the gradient of its outcome's likelihood in the
relative effect: (reward - expected) · expected / variance, about 1 for a click and about minus the
usual rate for none. For each creative attribute of a copy, the scores of the episodes with the same
level are summed, each fading with its age on several time-scales. That is attention over the past
with similarity as its weight, linear, so that the critic can learn from outcomes how much to trust
which attribute and which time-scale. Episodes that are not settled count as shown and no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, Self

import numpy as np

from hookline.perceive.copy import LEVELS_OF_CELL, NO_LEVEL, ArmFeatures
from hookline.perceive.hashing import RECALL, Array, Places
from hookline.types import Episode

HALF_LIVES: Final = (240.0, 48.0)
"""Hours after which an episode counts half; the first time-scale, before these, never fades."""
SCALES: Final = 1 + len(HALF_LIVES)
ATTRIBUTES: Final = LEVELS_OF_CELL.shape[1]
WORN_HALF_LIFE: Final = 120.0
"""Hours after which a showing wears a copy half as much."""

_RATES: Final = -np.log(2) / np.array([np.inf, *HALF_LIVES, WORN_HALF_LIFE])
_PLACES: Final = np.asarray(range(RECALL[0], RECALL[0] + ATTRIBUTES * SCALES + 5), dtype=np.int64)
_LIKES: Final = _PLACES[:-5].reshape(ATTRIBUTES, SCALES)
_SAME_SCORE, _SAME_SHOWN, _ALIKE_SHOWN = _PLACES[-5:-2].tolist()
LIKED: Final = 0.03
"""Size of one score among the episodes that share an attribute level with the copy."""
KEEN: Final = 0.2
"""Size of one score of any episode: the visitor's own keenness, whatever the copy."""
WORN: Final = 0.5
"""Size of one earlier showing of this very copy."""
TIRED: Final = 0.05
"""Size of one earlier showing of the same angle, or of anything."""


def recalled(
    pasts: Sequence[Sequence[Episode]], arms: Sequence[ArmFeatures]
) -> tuple[Places, Array]:
    """What each past says for the copy beside it: places and values, for the pasts in order.

    Args:
        pasts: Earlier copies, in any order; at least one in each, and at least one past.
        arms: A copy for each of them.

    Returns:
        Places of shape (values,), and values of shape (pasts, values).
    """
    lengths = np.array([len(past) for past in pasts])
    owner = np.repeat(np.arange(len(pasts)), lengths)
    hours, arm_ids, cells, scores = zip(*chain.from_iterable(pasts), strict=True)
    ages = np.array(hours)
    marks = np.array([score or 0.0 for score in scores])
    faded = np.exp(ages[:, None] * _RATES)
    worn = faded[:, SCALES]
    scored = faded[:, :SCALES] * marks[:, None]
    own_levels = np.stack([arm.levels for arm in arms])[owner]
    alike = (own_levels == LEVELS_OF_CELL[list(cells)]) & (own_levels != NO_LEVEL)
    shown = [arms[row].id for row in owner.tolist()]
    same = np.array([one == other for one, other in zip(arm_ids, shown, strict=True)])
    said = np.empty((len(ages), _PLACES.size))
    said[:, : _LIKES.size] = (LIKED * alike[:, :, None] * scored[:, None]).reshape(len(ages), -1)
    said[:, _LIKES.size :] = np.stack(
        [LIKED * same * marks, WORN * same * worn, TIRED * alike[:, 0] * worn, KEEN * scored[:, 1],
         TIRED * worn],
        axis=1,
    )  # fmt: skip
    return _PLACES, np.add.reduceat(said, np.cumsum(lengths) - lengths)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recall:
    """The same for all arms of a test at once, under given weights: what a decision needs.

    Attributes:
        index: Arm id → row.
        has: Whether an arm has a level, shape (arms, levels + 1); never the last, `NO_LEVEL`.
        likes: Weight of a score by time-scale and attribute, and below these that of a showing
            of the angle, shape (scales + 1, attributes).
        same: Weights of a score and of a showing of the very copy.
    """

    index: dict[str, int]
    has: Array
    likes: Array
    same: tuple[float, float]

    @classmethod
    def of(cls, arms: Sequence[ArmFeatures], weights: Array) -> Self:
        """What to add to each arm's value under these weights of the whole feature vector."""
        has = np.zeros((len(arms), NO_LEVEL + 1))
        for row, arm in enumerate(arms):
            has[row, arm.levels] = 1.0
        has[:, NO_LEVEL] = 0.0
        likes = np.zeros((SCALES + 1, ATTRIBUTES))
        likes[:SCALES] = LIKED * weights[_LIKES].T
        likes[SCALES, 0] = TIRED * weights[_ALIKE_SHOWN]
        return cls(
            index={arm.id: row for row, arm in enumerate(arms)},
            has=has,
            likes=likes,
            same=(LIKED * float(weights[_SAME_SCORE]), WORN * float(weights[_SAME_SHOWN])),
        )

    def values(self, past: Sequence[Episode]) -> Array:
        """What the past adds to each arm's value, up to what it adds to all; shape (arms,).

        Args:
            past: Earlier copies in any order; at least one.
        """
        hours, arm_ids, cells, scores = zip(*past, strict=True)
        ages, marks = np.array([hours, [score or 0.0 for score in scores]])
        faded = np.exp(ages[:, None] * _RATES)
        faded[:, :SCALES] *= marks[:, None]
        of_level = (faded @ self.likes).ravel()
        by_level = np.bincount(LEVELS_OF_CELL.take(cells, 0).ravel(), of_level, NO_LEVEL + 1)
        total = self.has @ by_level
        scored, shown = self.same
        of_copy = (scored * marks + shown * faded[:, SCALES]).tolist()
        index = self.index
        for arm_id, value in zip(arm_ids, of_copy, strict=True):
            if arm_id in index:
                total[index[arm_id]] += value
        return np.asarray(total, dtype=np.float64)
