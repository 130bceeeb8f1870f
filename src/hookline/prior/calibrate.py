"""What old tests say about a new one: how far to trust a prediction, and what rates to expect.

A prediction is worth what it was worth before. From tests whose outcome is known follow a factor on
each prediction (1 trusts it, 0 ignores it), how far true rates still lie from it, and the level.
All effects are within tests: a line is compared with the other lines of its own test only, so that
a good week or a popular story can't pass for good copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hookline.past import PastTests
from hookline.stats import beyond_chance, centred, expected_clicks, spread

Array = NDArray[np.float64]

_DOUBT = 0.5
"""Standard deviation of a factor before any test was seen."""

_TESTS = 30
"""Tests that the spread assumed beforehand is worth."""

_LEAST_SPREAD = 1e-4


@dataclass(frozen=True, kw_only=True, slots=True)
class Belief:
    """What is expected of a test before its first impression.

    Attributes:
        slopes: Factor on each prediction of a line.
        variance: Of the true log ratio around the prediction; its inverse is the number of
            pseudo-clicks a prediction is worth.
        level: Typical click rate of a test; 0 where no test was seen.
        level_slope: How the log of a test's level follows the log of what was predicted for it.
        level_centre: Mean log of what was predicted for tests.
    """

    slopes: tuple[float, ...]
    variance: float
    level: float = 0.0
    level_slope: float = 0.0
    level_centre: float = 0.0

    def forecast(self, predictions: Array) -> Array:
        """Expected log ratio of each line to a typical one of its test.

        Args:
            predictions: Shape (lines, predictions).

        Returns:
            Array of shape (lines,).
        """
        return predictions @ np.array(self.slopes)

    def levels(self, guesses: Array | None, tests: int) -> Array:
        """Expected click rate of each test.

        Args:
            guesses: Log of the rate predicted for each test, shape (tests,); None if nothing was.
            tests: How many.
        """
        if guesses is None:
            return np.full(tests, self.level)
        return self.level * np.exp(self.level_slope * (guesses - self.level_centre))


def calibrate(
    tests: PastTests,
    predictions: Array,
    start: Belief,
    guesses: Array | None = None,
) -> Belief:
    """The belief after these tests.

    The factors come from ridge regression of log ratios within tests, drawn to `start`; each line
    weighs 1 / (v + 1 / expected clicks), for a much-seen line is still only one line.

    Args:
        tests: Tests with a known outcome, at least one.
        predictions: Log ratios predicted for their lines, shape (lines, predictions).
        start: Belief beforehand, one factor a prediction.
        guesses: Log of the rate predicted for each test, shape (tests,); None if nothing was.
    """
    clicks, shown = tests.clicks.astype(np.float64), tests.impressions.astype(np.float64)
    flat = expected_clicks(clicks, shown, np.zeros_like(clicks), tests.starts)
    weights = 1 / (start.variance + 1 / flat)
    ratio = centred(np.log((clicks + 0.5) / (flat + 0.5)), weights, tests.starts)
    design = np.stack([centred(each, weights, tests.starts) for each in predictions.T], axis=1)
    prior = np.array(start.slopes)
    hold = np.eye(prior.size) / _DOUBT**2
    slopes = prior + np.linalg.solve(
        (design.T * weights) @ design + hold,
        (design.T * weights) @ (ratio - design @ prior),
    )
    slopes = np.maximum(slopes, 0.0)  # what pointed the wrong way is ignored, not turned round
    told = expected_clicks(clicks, shown, design @ slopes, tests.starts)
    count = len(tests.test_ids)
    found = (_TESTS * start.variance + count * spread(clicks, told, tests.starts)) / (
        _TESTS + count
    )
    rates = _test_rates(clicks, shown, tests.starts)
    slope, centre = _level_line(rates, guesses)
    fitted = 1.0 if guesses is None else float(np.exp(slope * (guesses - centre)).mean())
    return Belief(
        slopes=tuple(slopes.tolist()),
        variance=max(found, _LEAST_SPREAD),
        level=float(rates.mean()) / fitted,
        level_slope=slope,
        level_centre=centre,
    )


def _test_rates(clicks: Array, shown: Array, starts: NDArray[np.int64]) -> Array:
    return np.add.reduceat(clicks, starts[:-1]) / np.add.reduceat(shown, starts[:-1])


def _level_line(rates: Array, guesses: Array | None) -> tuple[float, float]:
    """Slope of log rate on guess, drawn to 0 by a few tests' worth, and the guesses' mean."""
    if guesses is None:
        return 0.0, 0.0
    centre = float(guesses.mean())
    off = guesses - centre
    logs = np.log(rates)
    return float(off @ (logs - logs.mean()) / (off @ off + 1.0)), centre


def doubt(tests: PastTests, score: Array, apart: Array) -> tuple[float, float]:
    """How far truth lies from a score, as a line: variance = first + second · apart².

    By weighted least squares on squared residuals less what chance explains of them.

    Args:
        tests: Tests that neither score nor `apart` was learned from.
        score: Log ratio forecast for each line, shape (lines,).
        apart: By how much two models differ about the line, within its test; same shape.

    Returns:
        The variance where they agree, above 0, and what a squared unit of `apart` adds, at least 0.
    """
    clicks, shown = tests.clicks.astype(np.float64), tests.impressions.astype(np.float64)
    told = expected_clicks(clicks, shown, score, tests.starts)
    whole = max(spread(clicks, told, tests.starts), _LEAST_SPREAD)
    miss, unit = beyond_chance(clicks, told, tests.starts)
    weights = unit / (1 + whole * told) ** 2
    mean = float(np.average(apart**2, weights=weights))
    off = apart**2 - mean
    scatter = float((weights * off**2).sum())
    more = float((weights * off * miss / unit).sum()) / scatter if scatter > 0 else 0.0
    # at least half of it is common to all lines, whatever few tests seem to say
    more = min(max(more, 0.0), 0.5 * whole / max(mean, 1e-12))
    return whole - more * mean, more


def within(values: Array, starts: NDArray[np.int64]) -> Array:
    """Values less the plain mean of their own test, shape (lines,)."""
    return centred(values, np.ones_like(values), starts)


def together(beliefs: Sequence[Belief]) -> Belief:
    """The mean of several beliefs over the same predictions."""
    return Belief(
        slopes=tuple(np.mean([each.slopes for each in beliefs], axis=0).tolist()),
        variance=float(np.mean([each.variance for each in beliefs])),
        level=float(np.mean([each.level for each in beliefs])),
        level_slope=float(np.mean([each.level_slope for each in beliefs])),
        level_centre=float(np.mean([each.level_centre for each in beliefs])),
    )
