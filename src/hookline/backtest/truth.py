"""The click rates that a back-test takes for true.

`observed` takes each line's own clicks over impressions, as LOLA's authors do. Chance is taken for
truth there: the best line of a test looks better than it is, and so does whoever finds it.

`shrunken` takes the posterior mean under the hierarchical model of `stats.shrinkage`, without any
text prior, so that no policy's own belief leaks into the truth it is measured on: each line is
drawn to its test's level, the more the fewer clicks it has. How far lines of a test really differ
is estimated from the whole file.
"""

import numpy as np
from numpy.typing import NDArray

from hookline.backtest.result import Truth
from hookline.past import PastTests
from hookline.stats import expected_clicks, spread

Array = NDArray[np.float64]

NOTES: dict[Truth, str] = {
    "shrunken": (
        "Clicks are simulated from shrunken rates: each line's observed rate, drawn towards its "
        "test's mean by as much as chance explains (empirical Bayes)."
    ),
    "observed": (
        "Clicks are simulated from observed rates, as if they held no chance. That flatters every "
        "policy that learns; `--truth shrunken` doesn't."
    ),
}


def true_rates(tests: PastTests, truth: Truth) -> Array:
    """The rate each line's clicks are drawn from, shape (lines,)."""
    clicks, shown = tests.clicks.astype(np.float64), tests.impressions.astype(np.float64)
    if truth == "observed":
        return clicks / shown
    expected = expected_clicks(clicks, shown, np.zeros_like(clicks), tests.starts)
    pseudo = 1 / max(spread(clicks, expected, tests.starts), 1e-6)
    return expected / shown * (pseudo + clicks) / (pseudo + expected)
