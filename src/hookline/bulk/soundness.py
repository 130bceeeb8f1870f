"""Is a metric's column sound enough to be averaged? What is not is refused, with the reason."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from hookline.bulk.batch import Array
from hookline.stats import Moments

Kind = Literal["event", "money", "number"]
"""Happened or not (a count above 0 is once); money, never below 0; any number."""

CENT = 0.01
"""Money this far below 0 is rounding: currency noise of refunds."""
ONE_ALONE = 0.5
"""Most of a metric's scatter that one decision may make up; the intervals are asymptotic, and
assume that none matters much."""


class Soundness:
    """What one metric's values came to, and what is wrong with them.

    Args:
        kind: What they are.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind: Kind = kind
        self._moments = Moments.none(1)
        self._low, self._high = np.inf, -np.inf
        self._negative = 0

    def take(self, values: Array) -> Array:
        """The rewards of settled decisions, shape (n,), once noted."""
        self._low = min(self._low, float(values.min()))
        self._high = max(self._high, float(values.max()))
        if self._kind != "number":
            self._negative += int((values < (-CENT if self._kind == "money" else 0.0)).sum())
        rewards = (values > 0).astype(np.float64) if self._kind == "event" else values
        self._moments += Moments.of(rewards[:, None])
        return rewards

    @property
    def n(self) -> int:
        """Settled decisions."""
        return self._moments.n

    @property
    def total(self) -> float:
        """Sum of the rewards."""
        return float(self._moments.mean[0]) * self.n

    @property
    def limits(self) -> tuple[float, float]:
        """Values the mean can take."""
        return (0.0, 1.0) if self._kind == "event" else (-np.inf, np.inf)

    def trouble(self, currencies: Sequence[str]) -> str:
        """Why nothing can be said of the metric; empty where something can.

        Args:
            currencies: That the log's money is in.
        """
        if self._negative:
            what = "amounts" if self._kind == "money" else "counts"
            return f"{what} below 0: {self._negative:,}, the lowest {self._low:g}"
        if self._kind == "money" and len(currencies) > 1:
            return f"money in {' and '.join(currencies)} does not add"
        if self._kind != "event" and self._is_ruled_by_one():
            return (
                f"one decision alone, of {self._extreme():g}, makes up more than "
                f"{ONE_ALONE:.0%} of all variation; check it"
            )
        return ""

    def _extreme(self) -> float:
        mean = float(self._moments.mean[0])
        return self._high if self._high - mean >= mean - self._low else self._low

    def _is_ruled_by_one(self) -> bool:
        scatter = float(self._moments.scatter[0, 0])
        return self.n > 2 and (self._extreme() - self._moments.mean[0]) ** 2 > ONE_ALONE * scatter
