"""From moments of scores to estimates with an interval that holds at every look.

What can't be computed is None, with the reason in words.
"""

from math import asinh, exp, inf, isfinite, isinf, sqrt

from hookline.stats.moments import Moments
from hookline.stats.sequence import radius
from hookline.types import Estimate

ALPHA = 0.05
"""Chance of ever missing that a report allows itself."""
MIN_UNITS = 100
"""Fewest visitors an interval is given for."""
MIN_EVENTS = 20
"""Fewest events (clicks, orders, purchases) on either side of a comparison; with fewer, the
variance of a rare event is itself too uncertain (see docs/statistics.md)."""
TOO_LARGE = "numbers are too large to be squared and summed"
"""Why there is no interval where the moments are not finite."""


def mean_estimate(
    moments: Moments,
    *,
    events: int,
    horizon: float,
    alpha: float = ALPHA,
    limits: tuple[float, float] = (-inf, inf),
) -> Estimate:
    """The mean of one column of scores, with its confidence sequence at this look.

    Args:
        moments: Of one column.
        events: Non-zero rewards the scores rest on, for the least-data rule.
        horizon: Visitors the test is planned for.
        alpha: Chance of ever missing.
        limits: Values the mean can take; estimate and bounds are cut to them.

    Examples:
        >>> clicks = Moments.of([[1.0], *[[0.0]] * 9] * 100)
        >>> found = mean_estimate(clicks, events=100, horizon=1_000)
        >>> f"{found.low:.3f} < {found.estimate:.3f} < {found.high:.3f}"
        '0.071 < 0.100 < 0.129'
    """
    if reason := shortfall(moments.n, events):
        return unknown(moments.n, reason)
    mean, variance = float(moments.mean[0]), float(moments.covariance[0, 0])
    if not (isfinite(mean) and isfinite(variance)):
        return unknown(moments.n, TOO_LARGE)
    if variance <= 0:
        return unknown(moments.n, "every visitor did the same")
    width = radius(sqrt(variance), moments.n, alpha, horizon)
    least, most = limits
    low, middle, high = (min(max(v, least), most) for v in (mean - width, mean, mean + width))
    return Estimate(estimate=middle, low=low, high=high, n=moments.n)


def total_estimate(
    moments: Moments, *, events: int, horizon: float, alpha: float = ALPHA
) -> Estimate:
    """The sum over all units of one column of scores, with its confidence sequence.

    The sum of n conditional means is n times their running average, which `mean_estimate` covers.
    """
    mean = mean_estimate(moments, events=events, horizon=horizon, alpha=alpha)
    if mean.estimate is None or mean.low is None or mean.high is None:
        return mean
    n = moments.n
    return Estimate(estimate=n * mean.estimate, low=n * mean.low, high=n * mean.high, n=n)


def relative_lift(
    moments: Moments, *, events: int, horizon: float, alpha: float = ALPHA
) -> Estimate:
    """How far the first column's mean lies above the second's, relative: μ₁ / μ₀ − 1.

    A ratio φ is kept where the confidence sequence for μ₁ − φ μ₀ holds 0:

        (m₁ − φ m₀)² ≤ r² · min{ V(φ), V(φ̂) · φ / φ̂ },    V(φ) = v₁ − 2 φ c + φ² v₀

    r being `radius` of a unit-variance score, v, c the sample variances and covariance, φ̂ = m₁/m₀.
    The variance of a score of m₁ − φ m₀ is estimated in two ways, both consistent at the true φ.
    V(φ) takes v₁ and v₀ as they are: Fieller's set. It has no end once r² v₀ reaches m₀². The
    other knows that the variance of a count, and of what rare events bring, goes with its mean: by
    as much as φ is less than φ̂, m₁ was lucky and v₁ too high, or m₀ unlucky and v₀ too low. Its
    set is bounded wherever both means are above 0, and the same on a log scale:

        |ln φ − ln φ̂| ≤ 2 arsinh(r s / 2),    s² = v₁/m₁² − 2c/(m₁m₀) + v₀/m₀²

    The true ratio is dropped at some look only if one sequence, that of the true φ, ever misses:
    so the set holds at every look too. φ = 1 is judged by V(1) alone, and the bounds stretch to it
    where it is kept: the lift lies above 0, or below, only where the plain difference does, and
    always there if the mean of either is proven to be above 0. Where m₁ is not above 0 there is
    no log scale and Fieller's set is left; that one has no end if m₀ itself is not proven to be
    above 0, and bounds are None.

    Assumptions: those of `radius`; both variances are consistent, so the lesser is. With few
    events it is the more hopeful of two: 20 of them (`MIN_EVENTS`) and `floored` are what keeps it
    honest, and `benchmarks.aa` is where that is measured.

    Source: Fieller (1954, JRSS B 16), with the confidence sequence in place of Student's t; the
    inverse hyperbolic sine: Newcombe (2001, The American Statistician 55).

    Args:
        moments: Of two columns: numerator and denominator scores of the same units.
        events: Non-zero rewards on the poorer side, for the least-data rule.
        horizon: Visitors the test is planned for.
        alpha: Chance of ever missing.

    Returns:
        The lift; .1 is +10 %. Estimate and bounds are never below -1.
    """
    n = moments.n
    if reason := shortfall(n, events):
        return unknown(n, reason)
    (m1, m0), ((v1, c), (_, v0)) = moments.mean.tolist(), moments.covariance.tolist()
    if not all(isfinite(value) for value in (m1, m0, v1, c, v0)):
        return unknown(n, TOO_LARGE)
    if m0 <= 0:
        return unknown(n, "the control's value is not above zero")
    if v0 <= 0 or v1 <= 0:
        return unknown(n, "every visitor did the same")
    reach, ratio = radius(1.0, n, alpha, horizon), m1 / m0
    low, high = _fieller((m1, m0), (v1, c, v0), reach**2)
    if ratio > 0:
        spread = sqrt(max(v1 / m1**2 - 2 * c / (m1 * m0) + v0 / m0**2, 0.0))
        factor = exp(2 * asinh(reach * spread / 2))
        low, high = max(low, ratio / factor), min(high, ratio * factor)
        if (m1 - m0) ** 2 <= reach**2 * (v1 - 2 * c + v0):
            low, high = min(low, 1.0), max(high, 1.0)
    lift = max(ratio - 1, -1.0)
    if isinf(high):
        reason = "the control's value is not yet known well enough to divide by"
        return Estimate(estimate=lift, low=None, high=None, n=n, reason=reason)
    return Estimate(estimate=lift, low=max(low - 1, -1.0), high=max(high - 1, -1.0), n=n)


def _fieller(
    means: tuple[float, float], variances: tuple[float, float, float], square: float
) -> tuple[float, float]:
    """From which φ ≥ 0 to which (m₁ − φ m₀)² ≤ r² (v₁ − 2 φ c + φ² v₀); the end may be infinite.

    Args:
        means: m₁ and m₀, the latter above 0.
        variances: v₁, c and v₀.
        square: r².
    """
    (m1, m0), (v1, c, v0) = means, variances
    lead, half, last = m0**2 - square * v0, m0 * m1 - square * c, m1**2 - square * v1
    root = sqrt(max(half**2 - lead * last, 0.0))
    low = last / (half + root) if m1 > 0 and last > 0 else 0.0
    return low, (half + root) / lead if lead > 0 else inf


def shortfall(n: int, events: int) -> str:
    """Why there is too little data for an interval; empty where there is enough."""
    if n < MIN_UNITS:
        return f"needs {MIN_UNITS} visitors whose outcome is settled, has {n}"
    if events < MIN_EVENTS:
        return f"needs {MIN_EVENTS} events on each side, has {events}"
    return ""


def unknown(n: int, reason: str) -> Estimate:
    """The estimate that says only why there is none."""
    return Estimate(estimate=None, low=None, high=None, n=n, reason=reason)
