"""Each arm as often as it is likely to be the best one."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from scipy.special import betainc

from hookline.policies.base import FLOOR, Array, within
from hookline.policies.best import chance_of_best, grid_around, normal_chance_of_best
from hookline.policies.tally import Tally, TallyPolicy
from hookline.types import Arm


class Thompson(TallyPolicy):
    """Thompson sampling (Thompson 1933) without the sampling: its probabilities, computed.

    An arm's rate has a Beta prior around the mean of all arms (a normal one for money), updated by
    its own outcomes. The share of an arm is its posterior chance to be best, by quadrature.

    Args:
        spread: How far rates are thought to differ, as a relative standard deviation, 0.01 to 10.
            About .22 for headlines of one article; a wider prior explores more.
        floor: Least probability of every arm.
    """

    name: ClassVar[str] = "thompson"

    def __init__(self, *, spread: float = 0.3, floor: float = FLOOR) -> None:
        super().__init__(floor=floor)
        self.spread = within("spread", spread, 0.01, 10)

    def weigh(self, tally: Tally, arms: Sequence[Arm]) -> Array:
        """The chance of each arm to be the best."""
        del arms
        return self._binary(tally) if tally.binary else self._money(tally)

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(spread=self.spread, floor=self.floor)

    def _binary(self, tally: Tally) -> Array:
        rate = tally.rate
        strength = max(1.0, (1 - rate) / (rate * self.spread**2) - 1)
        won = strength * rate + tally.totals
        lost = strength * (1 - rate) + np.maximum(tally.visitors - tally.totals, 0.0)
        mean = won / (won + lost)
        sd = np.sqrt(mean * (1 - mean) / (won + lost + 1))
        inside = np.clip(grid_around(mean, sd, max(32, 1280 // mean.size)), 0.0, 1.0)
        grid = np.concatenate([np.zeros(1), inside, np.ones(1)])
        below = np.asarray(betainc(won[:, None], lost[:, None], grid), dtype=np.float64)
        return chance_of_best(below)

    def _money(self, tally: Tally) -> Array:
        prior = 1 / (self.spread * tally.rate) ** 2
        precision = prior + tally.visitors / tally.variance
        mean = (prior * tally.rate + tally.totals / tally.variance) / precision
        return normal_chance_of_best(mean, 1 / np.sqrt(precision))
