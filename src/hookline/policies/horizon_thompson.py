"""Thompson sampling that knows how much there is left to learn, and how much it knew before."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from hookline.policies.base import Array, within
from hookline.policies.best import normal_chance_of_best
from hookline.policies.tally import Tally, TallyPolicy
from hookline.stats import level, posterior
from hookline.types import Arm, Forecast

NO_FORECAST = Forecast(mean=0.0, sd=0.26)
"""A line of which nothing is known: true rates differ by about 26 % within headline tests."""

BOLDNESS = 0.7
"""Factor on the spread of draws. 1 would be the belief itself; tuned on development tests."""


class HorizonThompson(TallyPolicy):
    """Each arm as often as it could turn out best with its fair share of the traffic left.

    An arm's belief starts from its forecast and from the level of earlier tests (`stats.shrinkage`)
    and is a mean with a standard deviation, after as many visitors b as belief and data are worth.
    With m more visitors its mean would move by a normal with the standard deviation

        sd · √(m / (m + b)),    m = (horizon - settled visitors) / arms,

    and that is what the arms are drawn from. Early in a long test this is Thompson sampling; in a
    short one, or towards the end, there is little to learn and it plays what looks best.
    docs/policies.md derives it.

    Args:
        horizon: Visitors of the whole test, 1 to 1 billion.
        level: Reward per visitor that earlier tests had; 0 where there were none.
        level_clicks: Clicks that this level is worth, 0.01 to 1 million.
        boldness: Factor on the spread of draws, 0 to 10; 0 is greedy.
        floor: Least probability of every arm. Lower than elsewhere, since this policy's own draws
            spread as long as anything is open, and a short test can't afford more.
    """

    name: ClassVar[str] = "horizon_thompson"

    def __init__(
        self,
        *,
        horizon: float = 10_000,
        level: float = 0.0,
        level_clicks: float = 6.0,
        boldness: float = BOLDNESS,
        floor: float = 0.001,
    ) -> None:
        super().__init__(floor=floor)
        self.horizon = within("horizon", horizon, 1, 1e9)
        self.level = within("level", level, 0, 1e9)
        self.level_clicks = within("level_clicks", level_clicks, 0.01, 1e6)
        self.boldness = within("boldness", boldness, 0, 10)

    def weigh(self, tally: Tally, arms: Sequence[Arm]) -> Array:
        """The chance of each arm to turn out best, by quadrature."""
        forecasts = [arm.forecast or NO_FORECAST for arm in arms]
        score = np.array([forecast.mean for forecast in forecasts])
        pseudo = np.array([forecast.sd for forecast in forecasts]) ** -2.0
        clicks = tally.totals / tally.unit
        prior = (
            (self.level / tally.unit, self.level_clicks)
            if self.level
            else (tally.rate / tally.unit, 1.0)
        )
        mean, sd = outlook(
            *posterior(
                clicks,
                tally.visitors,
                score,
                pseudo,
                level(clicks, tally.visitors, score, pseudo, prior),
            ),
            max(self.horizon - tally.seen, 0.0),
        )
        if self.boldness == 0 or not sd.any():
            return (mean >= mean.max()).astype(np.float64)
        return normal_chance_of_best(mean, np.maximum(self.boldness * sd, 1e-9 * mean))

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(
            horizon=self.horizon,
            level=self.level,
            level_clicks=self.level_clicks,
            boldness=self.boldness,
            floor=self.floor,
        )


def outlook(a: Array, b: Array, left: float | Array) -> tuple[Array, Array]:
    """Each arm's mean, and the standard deviation of what it may become.

    Args:
        a: Shape of the arms' Gamma beliefs, shape (..., arms).
        b: Their rate, in visitors, same shape.
        left: Visitors left of the whole test, at least 0; shape (..., 1) or a number.

    Examples:
        >>> mean, sd = outlook(np.full(2, 25.0), np.full(2, 1000.0), 2000)
        >>> mean.tolist(), sd.round(5).tolist()
        ([0.025, 0.025], [0.00354, 0.00354])
    """
    share = left / a.shape[-1]
    return a / b, np.sqrt(a * (share / (share + b))) / b
