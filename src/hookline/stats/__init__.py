"""Statistics that stay right while the policy adapts and the marketer peeks.

    logged outcomes → scores (`aipw`) → addable `moments` → estimates with an interval
    (`estimate`) that holds at every look (`sequence`)
    one policy's log → what another would have earned (`ope`)
    many tests → how much of what differs between lines is real (`shrinkage`)

Pure functions, one idea a file; a new statistic is one more function and one row here.
"""

from hookline.stats.aipw import policy_shares, running_means, scores, value
from hookline.stats.estimate import ALPHA, mean_estimate, relative_lift, total_estimate, unknown
from hookline.stats.moments import Moments
from hookline.stats.ope import (
    PolicyValue,
    dr,
    dros,
    effective_sample,
    importance_weights,
    ips,
    model_values,
    off_policy,
    shrunk,
    snips,
    switch_dr,
    switched,
)
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
    "PolicyValue",
    "beyond_chance",
    "centred",
    "dr",
    "dros",
    "effective_sample",
    "expected_clicks",
    "importance_weights",
    "ips",
    "level",
    "mean_estimate",
    "model_values",
    "off_policy",
    "policy_shares",
    "posterior",
    "radius",
    "relative_lift",
    "running_means",
    "scores",
    "shrunk",
    "snips",
    "spread",
    "switch_dr",
    "switched",
    "total_estimate",
    "tuned_variance",
    "units_needed",
    "unknown",
    "value",
]
