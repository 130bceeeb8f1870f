"""Outcomes of a line with an audience as sums that add, fade with time and can be put right."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np

from hookline.attributes.design import code_of
from hookline.attributes.effects import LEVEL, Array, Trial
from hookline.types import Attributes

_LEAST_WEIGHT: Final = 1e-9
"""Rows that have faded to less than this share of a visitor are left out."""


class Line(NamedTuple):
    """One line of one test, with one audience; without an id of its own the cell names it."""

    test: str
    id: str
    cell: Attributes
    audience: str


class Sums(NamedTuple):
    """Sums over the outcomes of a line, w being decay / propensity and y reward / expected.

    Attributes:
        at: Seconds since 1970 of the newest outcome, whose decay is 1.
        weight: Σ w.
        squared: Σ w², which makes the effective number of visitors.
        reward: Σ w y.
        square: Σ w y².
        age: Σ w · (seconds from the outcome to `at`).
    """

    at: float
    weight: float = 0.0
    squared: float = 0.0
    reward: float = 0.0
    square: float = 0.0
    age: float = 0.0

    def since(self, moment: float, decay: float) -> "Sums":
        """The same sums relative to a later moment, by when each has faded by `decay`."""
        return Sums(
            at=moment,
            weight=decay * self.weight,
            squared=decay**2 * self.squared,
            reward=decay * self.reward,
            square=decay * self.square,
            age=decay * (self.age + (moment - self.at) * self.weight),
        )

    def plus(self, weight: float, value: float, age: float) -> "Sums":
        """With one more outcome."""
        return Sums(
            at=self.at,
            weight=self.weight + weight,
            squared=self.squared + weight**2,
            reward=self.reward + weight * value,
            square=self.square + weight * value**2,
            age=self.age + weight * age,
        )

    def corrected(self, weight: float, delta: float) -> "Sums":
        """With an outcome put right that was added with this weight.

        The sum of squares changes by δ·|δ|: exact where the reward was or becomes 0 (a late click
        or order, a full refund), near enough for the size of the noise otherwise.
        """
        return Sums(
            at=self.at,
            weight=self.weight,
            squared=self.squared,
            reward=self.reward + weight * delta,
            square=self.square + weight * delta * abs(delta),
            age=self.age,
        )

    @property
    def visitors(self) -> float:
        """Effective number of visitors: as many of weight 1 would say as much."""
        return self.weight**2 / self.squared

    @property
    def mean_age(self) -> float:
        """Seconds from the weighted mean outcome to the newest one."""
        return self.age / self.weight


def trial_of(
    rows: Mapping[Line, Sums], newest: float, decay: Callable[[float], float]
) -> Trial | None:
    """What one test says at the moment `newest`; None where it has brought nothing yet.

    Args:
        rows: The test's lines.
        newest: Seconds since 1970.
        decay: What an outcome counts after so many seconds.
    """
    kept = {
        line: sums
        for line, sums in rows.items()
        if sums.weight * decay(newest - sums.at) > _LEAST_WEIGHT
    }
    if sum(sums.reward for sums in kept.values()) <= 0:
        return None
    places = {line[:3]: place for place, line in enumerate(kept)}
    freshness = [decay(newest - sums.at + sums.mean_age) for sums in kept.values()]
    values, variances = _relative(kept)
    return Trial(
        codes=np.array([code_of(line.cell) for line in kept], dtype=np.int64),
        lines=np.array([places[line[:3]] for line in kept], dtype=np.int64),
        audiences=tuple(line.audience for line in kept),
        values=values,
        variances=variances,
        visitors=np.array([sums.visitors for sums in kept.values()]),
        freshness=np.maximum(freshness, _LEAST_WEIGHT),
    )


def _relative(rows: Mapping[Line, Sums]) -> tuple[Array, Array]:
    """Each row's mean over its audience's level, less 1, and the variance of that.

    The level is drawn to what was expected, 1, which weighs as much as the visitors that would
    tell it to within `LEVEL`. One visitor's variance is the test's: that of a line that brought
    nothing yet would be 0. Rare rewards vary at least as Poisson's do, by their mean.
    """
    weight = np.array([sums.weight for sums in rows.values()])
    reward = np.array([sums.reward for sums in rows.values()])
    square = np.array([sums.square for sums in rows.values()])
    visitors = np.array([sums.visitors for sums in rows.values()])
    mean = reward.sum() / weight.sum()
    one = max(float(square.sum() / weight.sum() - mean**2), float(mean))
    audiences = np.unique([line.audience for line in rows], return_inverse=True)[1]
    seen = np.bincount(audiences, visitors)
    level = np.bincount(audiences, reward) / np.bincount(audiences, weight)
    drawn = (seen * level + one / LEVEL**2) / (seen + one / LEVEL**2)
    return reward / weight / drawn[audiences] - 1, one / visitors / drawn[audiences] ** 2
