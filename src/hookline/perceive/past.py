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

_DECAY: Final = np.array([0.0, *(-np.log(2) / hours for hours in HALF_LIVES)])
_HAS_LEVEL: Final = np.zeros((len(LEVELS_OF_CELL), NO_LEVEL + 1))
np.put_along_axis(_HAS_LEVEL, LEVELS_OF_CELL, 1.0, axis=1)
_HAS_LEVEL[:, NO_LEVEL] = 0.0
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Recollection:
    """A visitor's past, summed up.

    Attributes:
        likes: Faded sums of scores by attribute level and time-scale, shape (levels + 1, scales);
            the last row is 0, for attributes a copy does not have.
        shown: Faded number of showings by attribute level, shape (levels + 1,).
        same: Arm id → faded number of its showings, and sum of its scores.
        scores: Score of each episode, fading slowly, shape (episodes,).
        worn: How much each showing still wears, shape (episodes,).
    """

    likes: Array
    shown: Array
    same: dict[str, tuple[float, float]]
    scores: Array
    worn: Array


def recollect(past: Sequence[Episode]) -> Recollection | None:
    """The visitor's past, summed up; None where there is none.

    Args:
        past: Earlier copies in any order.
    """
    if not past:
        return None
    hours, arm_ids, cells, scores = zip(*past, strict=True)
    ages = np.array(hours)
    marks = np.array([score or 0.0 for score in scores])
    levels = _HAS_LEVEL[list(cells)]
    worn = np.exp2(ages * (-1 / WORN_HALF_LIFE))
    faded = np.exp(ages[:, None] * _DECAY)
    faded *= marks[:, None]
    same: dict[str, tuple[float, float]] = {}
    for arm_id, wear, score in zip(arm_ids, worn.tolist(), marks.tolist(), strict=True):
        before = same.get(arm_id)
        same[arm_id] = (before[0] + wear, before[1] + score) if before else (wear, score)
    return Recollection(
        likes=levels.T @ faded,
        shown=worn @ levels,
        same=same,
        scores=faded[:, 1],
        worn=worn,
    )


def recalled(recollection: Recollection, arm: ArmFeatures) -> tuple[Places, Array]:
    """Places and values of what the past says for one copy."""
    shown, score = recollection.same.get(arm.id, (0.0, 0.0))
    likes = LIKED * recollection.likes[arm.levels]
    alike = float(recollection.shown[arm.levels[0]])
    rest = [
        LIKED * score, WORN * shown, TIRED * alike,
        KEEN * float(recollection.scores.sum()), TIRED * float(recollection.worn.sum()),
    ]  # fmt: skip
    return _PLACES, np.concatenate([likes.ravel(), rest])


@dataclass(frozen=True, kw_only=True, slots=True)
class Recall:
    """The same for all arms of a test at once, under given weights: what a decision needs.

    Attributes:
        index: Arm id → row.
        has: Whether an arm has an attribute at a level, shape (arms, (levels + 1) · attributes).
        likes: Weight of a score by time-scale and attribute, shape (scales, attributes).
        same: Weights of a score and of a showing of the very copy, and of its angle's.
    """

    index: dict[str, int]
    has: Array
    likes: Array
    same: tuple[float, float, float]

    @classmethod
    def of(cls, arms: Sequence[ArmFeatures], weights: Array) -> Self:
        """What to add to each arm's value under these weights of the whole feature vector."""
        has = np.zeros((len(arms), NO_LEVEL + 1, ATTRIBUTES))
        for row, arm in enumerate(arms):
            has[row, arm.levels, np.arange(ATTRIBUTES)] = 1.0
        return cls(
            index={arm.id: row for row, arm in enumerate(arms)},
            has=has.reshape(len(arms), -1),
            likes=LIKED * weights[_LIKES].T,
            same=(
                LIKED * float(weights[_SAME_SCORE]),
                WORN * float(weights[_SAME_SHOWN]),
                TIRED * float(weights[_ALIKE_SHOWN]),
            ),
        )

    def values(self, recollection: Recollection) -> Array:
        """What the past adds to each arm's value, up to what it adds to all; shape (arms,)."""
        scored, shown, alike = self.same
        by_level = recollection.likes @ self.likes
        by_level[:, 0] += alike * recollection.shown
        total = self.has @ by_level.ravel()
        for arm_id, (showings, score) in recollection.same.items():
            row = self.index.get(arm_id)
            if row is not None:
                total[row] += scored * score + shown * showings
        return total
