"""Statistics that stay right while the policy adapts and the marketer peeks.

    logged outcomes → scores (`aipw`) → addable `moments` → estimates with an interval
    (`estimate`) that holds at every look (`sequence`)
    one policy's log → what another would have earned (`ope`)
    many tests → how much of what differs between lines is real (`shrinkage`)
    finished fifty-fifty tests, one planned look → `fixed`, with `cuped`; beliefs: `bayes`
    may the figures be trusted: the split (`ratio`), the number of comparisons (`multiple`), the
    luck of the best (`winners`), orders still to come (`maturity`); is it worth waiting (`power`)

Pure functions, one idea a file; a new statistic is one more function and one row here.
"""

from hookline.stats.aipw import (
    floored,
    noise,
    noise_between,
    policy_shares,
    raised,
    running_means,
    scores,
    value,
)
from hookline.stats.bayes import Belief, believe_rates
from hookline.stats.cuped import cuped, explained
from hookline.stats.estimate import ALPHA, mean_estimate, relative_lift, total_estimate, unknown
from hookline.stats.fixed import (
    Comparison,
    compare_means,
    compare_rates,
    compare_ratios,
    compare_revenue,
)
from hookline.stats.maturity import MatureTotal, MaturityCurve, mature_total, maturity_curve
from hookline.stats.moments import Moments
from hookline.stats.multiple import benjamini_hochberg, e_bh, holm
from hookline.stats.ope import (
    EveryLook,
    OneLook,
    PolicyValue,
    attribute_cells,
    dr,
    dros,
    effective_sample,
    importance_weights,
    ips,
    marginal_weights,
    mips,
    model_values,
    off_policy,
    shrunk,
    snips,
    switch_dr,
    switched,
)
from hookline.stats.power import (
    contrast_sd,
    days_more,
    sequence_detectable,
    sequence_power,
    sequence_units,
    z_detectable,
    z_power,
    z_units,
)
from hookline.stats.ratio import RATIO_ALPHA, Bets, RatioTest, sample_ratio, split_test
from hookline.stats.sequence import radius, tuned_variance, units_needed
from hookline.stats.shrinkage import (
    beyond_chance,
    centred,
    expected_clicks,
    level,
    posterior,
    spread,
)
from hookline.stats.winners import Family, segment_effects, shrink_family

__all__ = [
    "ALPHA",
    "RATIO_ALPHA",
    "Belief",
    "Bets",
    "Comparison",
    "EveryLook",
    "Family",
    "MatureTotal",
    "MaturityCurve",
    "Moments",
    "OneLook",
    "PolicyValue",
    "RatioTest",
    "attribute_cells",
    "believe_rates",
    "benjamini_hochberg",
    "beyond_chance",
    "centred",
    "compare_means",
    "compare_rates",
    "compare_ratios",
    "compare_revenue",
    "contrast_sd",
    "cuped",
    "days_more",
    "dr",
    "dros",
    "e_bh",
    "effective_sample",
    "expected_clicks",
    "explained",
    "floored",
    "holm",
    "importance_weights",
    "ips",
    "level",
    "marginal_weights",
    "mature_total",
    "maturity_curve",
    "mean_estimate",
    "mips",
    "model_values",
    "noise",
    "noise_between",
    "off_policy",
    "policy_shares",
    "posterior",
    "radius",
    "raised",
    "relative_lift",
    "running_means",
    "sample_ratio",
    "scores",
    "segment_effects",
    "sequence_detectable",
    "sequence_power",
    "sequence_units",
    "shrink_family",
    "shrunk",
    "snips",
    "split_test",
    "spread",
    "switch_dr",
    "switched",
    "total_estimate",
    "tuned_variance",
    "units_needed",
    "unknown",
    "value",
    "z_detectable",
    "z_power",
    "z_units",
]
