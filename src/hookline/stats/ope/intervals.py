"""Intervals for a policy's value: the bootstrap, for one look, and a sequence, for every look."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import ndtr, stdtrit

from hookline.stats.estimate import ALPHA, MIN_EVENTS, MIN_UNITS
from hookline.stats.ope.weights import Array, effective_sample
from hookline.stats.sequence import radius, tuned_variance

RESAMPLES = 1_000
"""Bootstrap samples an interval is read from."""

SLACK = 0.01
"""How far the weights may average from 1, where they should, beyond five standard errors."""

_CHUNK = 200_000
"""Row numbers drawn at a time: they stay in the processor's cache, and memory stays small."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyValue:
    """What a policy would have earned a decision, with an interval.

    Attributes:
        estimate: Mean reward a decision, None where it can't be computed.
        low: Lower bound, None where there is none.
        high: Upper bound, None where there is none.
        standard_error: Of what the interval is made from, None where there is none.
        effective: Kish's effective sample size (Σ w)² / Σ w², 0 where there are no weights.
        parameter: Switch-DR's threshold or DRos's λ as used; None for the others.
        n: Decisions in the log.
        reason: Why something is None; empty otherwise.
    """

    estimate: float | None
    low: float | None
    high: float | None
    standard_error: float | None = None
    effective: float = 0.0
    parameter: float | None = None
    n: int = 0
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class OneLook:
    """Efron's percentile bootstrap over rows, for one look at a log of fixed size.

    Its tails are made smaller as Student's t is to the normal with as many units as the effective
    sample.

    Source: Efron and Tibshirani (1993); Hesterberg (2015, The American Statistician 69).

    Attributes:
        rng: Draws the samples.
        alpha: Chance that the interval misses, in (0, 1).
        resamples: Number of samples, at least 1.

    Raises:
        ValueError: Where alpha or the number of samples is out of its range.
    """

    rng: np.random.Generator
    alpha: float = ALPHA
    resamples: int = RESAMPLES

    def __post_init__(self) -> None:
        """Refuses a level or number of samples that no interval can be made with."""
        if not (0 < self.alpha < 1 and self.resamples >= 1):
            raise ValueError(
                f"needs alpha in (0, 1), resamples ≥ 1: not {self.alpha}, {self.resamples}"
            )

    def bounds(self, tops: Array, bottoms: Array | None, sample: float) -> tuple[float, float]:
        """Where the mean of the tops, over that of the bottoms if given, may lie.

        Args:
            tops: Shape (n,).
            bottoms: Shape (n,), or None for ones.
            sample: Effective sample size, above 1.
        """
        columns = tops[:, None] if bottoms is None else np.column_stack([tops, bottoms])
        means = _resampled(columns, self.rng, self.resamples)
        values = means[:, 0] if bottoms is None else means[:, 0] / means[:, 1]
        tail = float(ndtr(sqrt(sample / (sample - 1)) * stdtrit(sample - 1, self.alpha / 2)))
        low, high = np.quantile(values, [tail, 1 - tail], method="weibull").tolist()
        return low, high


@dataclass(frozen=True, kw_only=True, slots=True)
class EveryLook:
    """An asymptotic confidence sequence: it holds at every look, as long as the horizon stays.

    Given the past, each score's mean is what the target policy would have earned on that row, if
    target, propensity and model were fixed before it: so the logging policy may learn as it goes,
    and the sequence covers the running average of those means. A ratio v is kept where the sequence
    for the mean of (top − v · bottom) holds 0, Fieller's way (see `estimate.relative_lift`).

    Source: Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro (2022, "Anytime-valid off-policy
    inference for contextual bandits", arXiv 2210.10768). Theirs is exact for bounded rewards; the
    boundary here is the asymptotic one of `sequence.radius`, whose assumptions apply.

    Attributes:
        horizon: Rows at which the interval is to be tightest, set before the first look.
        alpha: Chance of ever missing, in (0, 1).

    Raises:
        ValueError: Where the horizon is not above 0 and finite, or alpha is out of (0, 1).
    """

    horizon: float
    alpha: float = ALPHA

    def __post_init__(self) -> None:
        """Refuses a horizon or level that no sequence can be tuned to."""
        tuned_variance(self.alpha, self.horizon)

    def bounds(
        self, tops: Array, bottoms: Array | None, _sample: float
    ) -> tuple[float, float] | None:
        """Where the mean of the tops, over that of the bottoms if given, may lie.

        Returns:
            The bounds; None where the bottoms' mean is not yet proven to be above 0.
        """
        width = radius(1.0, len(tops), self.alpha, self.horizon)
        if bottoms is None:
            middle, half = float(tops.mean()), width * float(tops.std(ddof=1))
            return middle - half, middle + half
        (v1, c), (_, v0) = np.cov(tops, bottoms).tolist()
        m1, m0 = float(tops.mean()), float(bottoms.mean())
        lead, cross, last = m0**2 - width**2 * v0, m0 * m1 - width**2 * c, m1**2 - width**2 * v1
        if lead <= 0:
            return None
        spread = sqrt(max(cross**2 - lead * last, 0.0))
        return (cross - spread) / lead, (cross + spread) / lead


Interval = OneLook | EveryLook


def valued(
    rewards: Array, weights: Array, tops: Array, bottoms: Array | None, interval: Interval
) -> PolicyValue:
    """The mean of the tops, over that of the bottoms if given, with its interval; or why not.

    Args:
        rewards: Finite, shape (n,).
        weights: Importance weights, shape (n,), nan where the propensity is unusable.
        tops: What is averaged, shape (n,).
        bottoms: What that is divided by, shape (n,), or None for ones.
        interval: How the bounds are made.
    """
    if reason := _shortfall(rewards, weights):
        return unknown(weights, reason)
    scale = 1.0 if bottoms is None else float(bottoms.mean())
    value = float(tops.mean()) / scale
    rest = tops - value * (1.0 if bottoms is None else bottoms)
    error = float(rest.std(ddof=1)) / scale / sqrt(len(rest))
    if error <= 0:
        return unknown(weights, "every decision was worth the same")
    sample = effective_sample(weights)
    bounds = interval.bounds(tops, bottoms, sample)
    low, high = bounds or (None, None)
    return PolicyValue(
        estimate=value,
        low=low,
        high=high,
        standard_error=error,
        effective=sample,
        n=len(weights),
        reason="" if bounds else "the weights' mean is not yet known well enough to divide by",
    )


def unknown(weights: Array, reason: str) -> PolicyValue:
    """The value that says only why there is none."""
    sample = 0.0 if np.isnan(weights).any() else effective_sample(weights)
    return PolicyValue(
        estimate=None, low=None, high=None, effective=sample, n=len(weights), reason=reason
    )


def _shortfall(rewards: Array, weights: Array) -> str:
    """Why nothing can be said; empty where something can."""
    if lost := int(np.isnan(weights).sum()):
        return f"{lost} of {len(weights)} rows have no propensity above 0 and up to 1"
    if (sample := effective_sample(weights)) < MIN_UNITS:
        return f"needs an effective sample of {MIN_UNITS}, has {sample:.0f}"
    if (events := int(((rewards != 0) & (weights > 0)).sum())) < MIN_EVENTS:
        return f"needs {MIN_EVENTS} events on rows the policy could have made, has {events}"
    mean = float(weights.mean())
    if abs(mean - 1) > SLACK + 5 * float(weights.std()) / sqrt(len(weights)):
        reason = "the log lacks what the policy shows, or its propensities are wrong"
        return f"weights average {mean:.2f}, not 1: {reason}"
    return ""


def _resampled(columns: Array, rng: np.random.Generator, resamples: int) -> Array:
    """Column means of bootstrap samples of the rows: shape (resamples, columns)."""
    n = len(columns)
    means = np.empty((resamples, columns.shape[1]))
    step = max(_CHUNK // n, 1)
    for start in range(0, resamples, step):
        rows = rng.integers(n, size=(min(step, resamples - start), n))
        for index, column in enumerate(columns.T.copy()):
            means[start : start + step, index] = column.take(rows).mean(axis=1)
    return means
