"""Upworthy's tests cut in two: what the first half promises, and what the second one keeps.

Every impression, with its click, goes to one half or the other by a fair coin. From the first the
package with the highest rate is picked; its lead over all others is said plainly and shrunk, and
it is forecast how often a second test of the same size will find it. The second half answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from benchmarks.published.data import HeadlineTest
from hookline.stats import ALPHA, contrast_sd, shrink_family, z_detectable, z_power
from hookline.stats.estimate import MIN_EVENTS
from hookline.types import Estimate

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

Z: Final = -float(ndtri(ALPHA / 2))
BINS: Final = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
RESAMPLES: Final = 2_000


class Lead(NamedTuple):
    """The best package of one test, all relative to the test's click rate in the first half.

    Attributes:
        plain: Its lead over all other packages in the first half.
        shrunk: The same, by `shrink_family`.
        later: Its lead in the second half.
        later_variance: Of the second half's own error.
        plain_holds: Whether the plain interval, widened by that error, holds `later`.
        shrunk_holds: The same of the shrunken one.
        by_plain: Chance that the second half finds it, were the plain lead the truth.
        by_shrunk: The same, were the shrunken lead the truth.
        by_belief: The same, averaged over what the shrinkage leaves open (as if normal).
        found: Whether the second half found it: better, with p at most 5 %.
        detectable: Lead that a whole test of this size finds in 4 of 5 cases.
    """

    plain: float
    shrunk: float
    later: float
    later_variance: float
    plain_holds: bool
    shrunk_holds: bool
    by_plain: float
    by_shrunk: float
    by_belief: float
    found: bool
    detectable: float


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A ratio of two means over tests with its 95 % interval (percentile bootstrap)."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Tests with about the same forecast.

    Attributes:
        low: Least forecast.
        high: Highest.
        tests: How many.
        forecast: Mean chance of finding the lead again, as forecast.
        found: Share in which it was.
    """

    low: float
    high: float
    tests: int
    forecast: float
    found: float


@dataclass(frozen=True, kw_only=True)
class Halves:
    """What came of all tests.

    Attributes:
        tests: Tests of three packages or more with 20 clicks on each in the first half.
        plain: Mean plain lead of the best package.
        shrunk: Mean shrunken lead.
        later: Mean lead in the second half.
        error: Squared error of the shrunken lead over that of the plain one, against the second
            half.
        error_less_noise: The same, the second half's own variance taken off both.
        plain_coverage: Share of plain intervals that hold the second half's lead.
        shrunk_coverage: The same of the shrunken ones.
        found: Share of tests whose lead the second half found.
        by_plain: Mean forecast of it from the plain lead.
        by_shrunk: The same from the shrunken lead.
        by_belief: The same from what the shrinkage leaves open.
        bins: `by_belief` against what was found.
        detectable: Median lead over all others that a whole test finds in 4 of 5 cases.
    """

    tests: int
    plain: float
    shrunk: float
    later: float
    error: Ratio
    error_less_noise: Ratio
    plain_coverage: float
    shrunk_coverage: float
    found: float
    by_plain: float
    by_shrunk: float
    by_belief: float
    bins: tuple[Bin, ...]
    detectable: float


def halves(tests: Sequence[HeadlineTest], *, seed: int) -> Halves:
    """Cuts every test in two and says how promises were kept.

    Args:
        tests: Those whose split is sound.
        seed: Of the coins and the bootstrap.
    """
    leads = [
        lead
        for place, test in enumerate(tests)
        if (lead := lead_of(test, np.random.default_rng([seed, place]))) is not None
    ]
    plain, shrunk, later, noise, *rest = np.array(leads).T
    plain_holds, shrunk_holds, by_plain, by_shrunk, by_belief, found, detectable = rest
    errors = np.column_stack([(shrunk - later) ** 2, (plain - later) ** 2])
    rng = np.random.default_rng([seed, len(tests)])
    return Halves(
        tests=len(leads),
        plain=float(plain.mean()),
        shrunk=float(shrunk.mean()),
        later=float(later.mean()),
        error=ratio(errors, rng),
        error_less_noise=ratio(errors - noise[:, None], rng),
        plain_coverage=float(plain_holds.mean()),
        shrunk_coverage=float(shrunk_holds.mean()),
        found=float(found.mean()),
        by_plain=float(by_plain.mean()),
        by_shrunk=float(by_shrunk.mean()),
        by_belief=float(by_belief.mean()),
        bins=bins(by_belief, found),
        detectable=float(np.median(detectable)),
    )


def lead_of(test: HeadlineTest, rng: np.random.Generator) -> Lead | None:
    """The best package's lead; None where the first half has too little to tell.

    The packages' rates are taken to vary as the test's pooled rate does: a package's own variance
    is low whenever its rate is by luck.
    """
    whole = np.column_stack([test.impressions - test.clicks, test.clicks])
    first = rng.binomial(whole, 0.5)
    if len(whole) < 3 or first[:, 1].min() < MIN_EVENTS:
        return None
    rate = float(first[:, 1].sum() / first.sum())
    shown = first.sum(axis=1)
    early, spread = first[:, 1] / shown / rate, (1 - rate) / rate / shown
    family = shrink_family(early, np.diag(spread))
    best = int(early.argmax())
    told = np.array([effect.estimate for effect in family.effects], dtype=np.float64)
    rest = np.where(np.arange(len(shown)) == best, 0.0, shown) / (shown.sum() - shown[best])
    plain, shrunk = (float(values[best] - rest @ values) for values in (early, told))
    belief = _deviation(family.effects[best]) ** 2 + float(rest**2 @ spread)
    later, sd, n = _second(whole - first, best, rate)
    noise = sd**2 / n
    return Lead(
        plain=plain,
        shrunk=shrunk,
        later=later,
        later_variance=noise,
        plain_holds=abs(later - plain) <= Z * sqrt(spread[best] + rest**2 @ spread + noise),
        shrunk_holds=abs(later - shrunk) <= Z * sqrt(belief + noise),
        by_plain=z_power(plain, sd, n),
        by_shrunk=z_power(shrunk, sd, n),
        by_belief=float(ndtr((shrunk - Z * sqrt(noise)) / sqrt(belief + noise))),
        found=later > Z * sqrt(noise),
        detectable=z_detectable(sd, 2 * n),
    )


def ratio(pairs: Array, rng: np.random.Generator) -> Ratio:
    """The mean of the first column over that of the second, resampling rows, shape (n, 2)."""
    weights = rng.multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)), size=RESAMPLES)
    above, below = (weights @ pairs).T
    low, high = np.quantile(above / below, [ALPHA / 2, 1 - ALPHA / 2])
    top, bottom = pairs.mean(axis=0)
    return Ratio(estimate=float(top / bottom), low=float(low), high=float(high))


def bins(forecast: Array, found: Array) -> tuple[Bin, ...]:
    """Forecasts beside what was found, by the size of the forecast; empty bins are left out."""
    kept = [
        (low, high, (forecast >= low) & (forecast < high if high < 1 else forecast <= 1))
        for low, high in pairwise(BINS)
    ]
    return tuple(
        Bin(
            low=low,
            high=high,
            tests=int(own.sum()),
            forecast=float(forecast[own].mean()),
            found=float(found[own].mean()),
        )
        for low, high, own in kept
        if own.any()
    )


def _second(half: Integers, best: int, rate: float) -> tuple[float, float, int]:
    """The lead of one package over all others, over the given rate, in a half of its own.

    Returns:
        The lead, the standard deviation of one impression's part in it, and the impressions.
    """
    own, others = half[best], half.sum(axis=0) - half[best]
    n, variance = int(half.sum()), (1 - rate) / rate
    lead = (own[1] / own.sum() - others[1] / others.sum()) / rate
    shares = (float(own.sum() / n), float(others.sum() / n))
    return float(lead), contrast_sd((variance, variance), shares), n


def _deviation(effect: Estimate) -> float:
    """The standard deviation a credible interval would have were it normal."""
    assert effect.low is not None
    assert effect.high is not None
    return (effect.high - effect.low) / (2 * Z)
