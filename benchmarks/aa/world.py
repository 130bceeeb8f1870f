"""Lines that differ, for two audiences: steadily, moving, or with orders that come late."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from hookline.selftest.trials import Array
from hookline.types import METRICS, Metric

ARMS: Final = 5
CLICK: Final = 0.1
EFFECTS: Final = np.array([[0.0, 0.25, -0.2, 0.1, 0.0], [0.0, -0.1, 0.2, 0.1, 0.3]])
"""Relative effect of each line on clicks for either audience."""
ORDER: Final = 0.3 * np.array([1.0, 0.9, 1.2, 1.0, 1.0])
"""Chance that a click on the line ends in an order."""
AMOUNT: Final = (3.0, 0.8)
"""Mean and standard deviation of the logarithm of an order's amount."""
LIFTS: Final = np.array([0.85, 1.15])
"""Factor on the clicks of either audience."""
SEASON: Final = 0.3
ORDER_DAYS: Final = 1.0
"""Mean days from a click to its order, where orders come late."""


@dataclass(frozen=True, kw_only=True)
class World:
    """A law of clicks, orders and money.

    Attributes:
        drift: Effects wander from line to line, one audience's turn over on day 15, and all rates
            swing by 30 % with the week.
        delayed: Orders come a day after the click on average, exponentially: 5 % after their window
            has closed. Without it outcomes are known at once.
    """

    drift: bool = False
    delayed: bool = False

    def clicks(self, day: float) -> Array:
        """Chance of a click on that day, shape (audiences, lines)."""
        effects = EFFECTS
        if self.drift:
            share = day / 30
            effects = (1 - share) * EFFECTS + share * EFFECTS[:, [1, 0, 3, 4, 2]]
            if day >= 15:
                effects = np.stack([effects[0], -effects[1]])
        season = 1 + SEASON * np.sin(2 * np.pi * day / 7) * self.drift
        return CLICK * season * LIFTS[:, None] * (1 + effects)

    def means(self, day: float) -> Mapping[Metric, Array]:
        """Metric → what a visitor brings on average in the end, shape (audiences, lines)."""
        clicks = self.clicks(day)
        middle, spread = AMOUNT
        orders = clicks * ORDER
        money = orders * np.exp(middle + spread**2 / 2)
        return dict(zip(METRICS, (clicks, orders, money), strict=True))


WORLDS: Final[Mapping[str, World]] = {
    "effects": World(),
    "drift": World(drift=True),
    "delay": World(delayed=True),
}
"""Name → world."""
