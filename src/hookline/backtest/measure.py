"""Figures with intervals over groups of tests."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from hookline.backtest.result import (
    CalibrationBin,
    Comparison,
    Interval,
    PolicyResult,
    PriorResult,
)
from hookline.past import PastTests
from hookline.stats import centred, expected_clicks

Array = NDArray[np.float64]

_Z = 1.959963984540054
"""Standard normal quantile at 97.5 %."""

_BINS = 10


def lift(ours: Array, theirs: Array, groups: NDArray[np.int64]) -> Comparison:
    """How much more one has than the other, relative, paired over tests.

    A ratio of sums; its interval takes groups as the units drawn (Cochran 1977, section 6.4), so
    that tests of one story count as one, and t for the quantile, for groups may be few.

    Args:
        ours: Shape (tests,).
        theirs: Same shape, of positive sum.
        groups: Number of each test's group, shape (tests,).
    """
    index = np.unique(groups, return_inverse=True)[1]
    mine, other = np.bincount(index, ours), np.bincount(index, theirs)
    ratio = mine.sum() / other.sum()
    count = mine.size
    scatter = float(((mine - ratio * other) ** 2).sum()) * count / max(count - 1, 1)
    half = stdtrit(max(count - 1, 1), 0.975) * np.sqrt(scatter) / other.sum()
    return Comparison(lift=float(ratio - 1), ci=(float(ratio - 1 - half), float(ratio - 1 + half)))


def summarise(earned: Mapping[str, Array], groups: NDArray[np.int64]) -> dict[str, PolicyResult]:
    """What each policy earned, against equal shares, the best possible and each other.

    Args:
        earned: Policy → expected clicks of each test, shape (tests,); `uniform` and `oracle` among
            them.
        groups: Number of each test's group, shape (tests,).
    """
    floor, ceiling = earned["uniform"], earned["oracle"]
    room = float(ceiling.sum() - floor.sum())
    results: dict[str, PolicyResult] = {}
    for name, clicks in earned.items():
        uplift = lift(clicks, floor, groups)
        results[name] = PolicyResult(
            clicks=float(clicks.sum()),
            uplift_vs_uniform=uplift.lift,
            ci=uplift.ci,
            oracle_gap_closed=float(clicks.sum() - floor.sum()) / room if room > 0 else None,
            versus={
                other: lift(clicks, theirs, groups)
                for other, theirs in earned.items()
                if other != name
            },
        )
    return results


def measure_prior(tests: PastTests, score: Array) -> PriorResult:
    """How well a score picks each test's winner; lines that tie share the pick.

    Args:
        tests: The tests.
        score: Shape (lines,); only differences within a test matter.
    """
    rates = tests.clicks / tests.impressions
    heads, sizes = tests.starts[:-1], np.diff(tests.starts)
    picked = score == np.repeat(np.maximum.reduceat(score, heads), sizes)
    share = picked / np.repeat(np.add.reduceat(picked.astype(np.float64), heads), sizes)
    best = np.maximum.reduceat(rates, heads)
    winners = rates == np.repeat(best, sizes)
    mean = np.add.reduceat(rates, heads) / sizes
    uplift = lift(np.add.reduceat(share * rates, heads), mean, tests.groups)
    return PriorResult(
        tests=sizes.size,
        top1=float((share * winners).sum() / sizes.size),
        chance=float((np.add.reduceat(winners.astype(np.float64), heads) / sizes).mean()),
        uplift=uplift.lift,
        uplift_ci=uplift.ci,
        calibration=_calibration(tests, score),
    )


def _calibration(tests: PastTests, score: Array) -> tuple[CalibrationBin, ...]:
    clicks, shown = tests.clicks.astype(np.float64), tests.impressions.astype(np.float64)
    flat = expected_clicks(clicks, shown, np.zeros_like(clicks), tests.starts)
    weights = 1 / (0.05 + 1 / flat)
    told = centred(score, weights, tests.starts)
    found = centred(np.log((clicks + 0.5) / (flat + 0.5)), weights, tests.starts)
    chunks = np.array_split(np.argsort(told, kind="stable"), _BINS)
    return tuple(_bin(told[rows], found[rows], weights[rows]) for rows in chunks if rows.size > 1)


def _bin(told: Array, found: Array, weights: Array) -> CalibrationBin:
    mean = float(np.average(found, weights=weights))
    scatter = float((weights**2 * (found - mean) ** 2).sum())
    half = _Z * np.sqrt(scatter) / float(weights.sum())
    ends: Interval = (mean - half, mean + half)
    return CalibrationBin(
        predicted=float(np.average(told, weights=weights)),
        observed=mean,
        ci=ends,
        arms=told.size,
    )
