"""Statistics that stay right while the policy adapts and the marketer peeks.

    logged outcomes → scores (`aipw`) → addable `moments` → estimates with an interval
    (`estimate`) that holds at every look (`sequence`)
    many tests → how much of what differs between lines is real (`shrinkage`)

Pure functions, one idea a file; a new statistic is one more function and one row here.
"""

from hookline.stats.aipw import policy_shares, running_means, scores, value
from hookline.stats.estimate import ALPHA, mean_estimate, relative_lift, total_estimate, unknown
from hookline.stats.moments import Moments
from hookline.stats.sequence import radius, tuned_variance, units_needed
from hookline.stats.shrinkage import (
    beyond_chance,
    centred,
    expected_clicks,
    level,
    posterior,
    spread,
)

__all__ = [
    "ALPHA",
    "Moments",
    "beyond_chance",
    "centred",
    "expected_clicks",
    "level",
    "mean_estimate",
    "policy_shares",
    "posterior",
    "radius",
    "relative_lift",
    "running_means",
    "scores",
    "spread",
    "total_estimate",
    "tuned_variance",
    "units_needed",
    "unknown",
    "value",
]
