"""Two arms compared at one planned look: the classic tests, for tests that are split by a coin.

    counts or `Moments` of an arm → its level (value and variance of it) → `Comparison`

Every test here assumes that arms were drawn with constant probabilities, that visitors are
independent, and that there is **one look, planned beforehand**. Under a policy that learns, or for
a marketer who looks daily, take `relative_lift`, whose interval holds then too.

Interval and p-value of a comparison come from one pivot, so that they never contradict each
other: the p-value is below alpha exactly where the interval leaves out no difference.
"""

from dataclasses import dataclass
from math import exp, inf, isfinite, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from hookline.stats.estimate import ALPHA, TOO_LARGE, shortfall
from hookline.stats.moments import Moments

Array = NDArray[np.float64]


_MOST_MONEY = 1e100
"""Amounts beyond it can't be squared and summed any more."""
_MOST_LOG = 700.0
"""Logs of ratios beyond it have no number any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """How far one arm lies from another, with an interval for one look.

    Attributes:
        estimate: Difference, or relative lift (.1 is +10 %); None where it can't be computed.
        low: Lower bound, None where there is none.
        high: Upper bound, None where there is none.
        p_value: Two-sided, of no difference; None where there is none.
        standard_error: Of the difference, or of the log of the ratio; None where there is none.
        n: Visitors of both arms.
        reason: Why something is None; empty otherwise.
    """

    estimate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    standard_error: float | None = None
    n: int = 0
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Level:
    """One arm's value, the variance of one visitor's part in it, and the visitors."""

    value: float
    variance: float
    n: int


def compare_rates(
    successes: tuple[int, int],
    n: tuple[int, int],
    *,
    relative: bool = False,
    alpha: float = ALPHA,
) -> Comparison:
    """The z test of two proportions: p₁ − p₀, or p₁ / p₀ − 1 if relative.

        se² = p₁ (1 − p₁) / n₁ + p₀ (1 − p₀) / n₀,    p₁ − p₀ ± z · se
        relative, on the log scale: se² = (1 − p₁) / (n₁ p₁) + (1 − p₀) / (n₀ p₀)

    The variance is not pooled (Wald): a pooled one fits the test of no difference but not the
    interval, and the two could disagree. Ratio: Katz et al. (1978, Biometrics 34).

    Assumptions: those of the module; normal approximation, hence at least 20 successes and as many
    failures on each side.

    Args:
        successes: Visitors who did it, in the arm and in the control.
        n: Visitors, in the arm and in the control.
        relative: Whether the lift is wanted instead of the difference.
        alpha: Chance that the interval misses.

    Raises:
        ValueError: Where successes are not between 0 and n.

    Examples:
        >>> found = compare_rates((260, 200), (2_000, 2_000))
        >>> f"{found.estimate:.3f} ({found.low:.3f} to {found.high:.3f}), p = {found.p_value:.4f}"
        '0.030 (0.010 to 0.050), p = 0.0029'
    """
    if not all(0 <= hits <= units < inf for hits, units in zip(successes, n, strict=True)):
        raise ValueError(f"needs 0 ≤ successes ≤ n, not {successes} of {n}")
    events = min(min(hits, units - hits) for hits, units in zip(successes, n, strict=True))
    if reason := shortfall(min(n), events):
        return _incomparable(sum(n), reason)
    levels = [
        _Level(value=hits / units, variance=hits / units * (1 - hits / units), n=units)
        for hits, units in zip(successes, n, strict=True)
    ]
    return _compare(levels[0], levels[1], student=False, relative=relative, alpha=alpha)


def compare_means(
    treated: Moments, control: Moments, *, relative: bool = False, alpha: float = ALPHA
) -> Comparison:
    """Welch's t test of the first column's means: m₁ − m₀, or m₁ / m₀ − 1 if relative.

        se² = v₁ / n₁ + v₀ / n₀,    m₁ − m₀ ± t · se,    degrees of freedom by Satterthwaite

    The lift by the delta method on the log scale, se² = v₁ / (n₁ m₁²) + v₀ / (n₀ m₀²), so that no
    bound falls below −100 %.

    Assumptions: those of the module; means close to normal. Revenue has a long tail: some hundred
    buyers an arm (Kohavi et al. 2014, KDD, advise 355 · skewness² visitors).

    Source: Welch (1947, Biometrika 34); delta method for lifts: Deng, Knoblich and Lu (2018, KDD,
    arXiv 1803.06336).

    Examples:
        >>> arm, control = Moments.of([[3.0], [4.0], [6.0]]), Moments.of([[1.0], [2.0], [2.0]])
        >>> round(compare_means(arm, control).p_value, 3)
        0.08
    """
    return _compare(_mean(treated), _mean(control), relative=relative, alpha=alpha)


def compare_ratios(
    treated: Moments, control: Moments, *, relative: bool = False, alpha: float = ALPHA
) -> Comparison:
    """The difference or lift of a ratio of two totals, such as revenue per click.

    Columns are numerator y and denominator x of one visitor. With r = m_y / m_x, a visitor's part
    in it has the variance (delta method)

        (v_y − 2 r c_xy + r² v_x) / m_x²

    and the rest is as in `compare_means`. Clicks are not independent, visitors are: so a visitor
    is a row, however often he clicked.

    Assumptions: as for `compare_means`; the denominator's mean is well above its standard error.
    An arm that changes the denominator changes who is averaged over: read both.

    Source: Deng, Knoblich and Lu (2018, KDD, arXiv 1803.06336).

    Examples:
        >>> arm = Moments.of([[9.0, 3.0], [0.0, 1.0], [4.0, 2.0]])
        >>> control = Moments.of([[2.0, 2.0], [1.0, 1.0], [4.0, 3.0]])
        >>> round(compare_ratios(arm, control).estimate, 3)
        1.0
    """
    if any(len(arm.mean) < 2 for arm in (treated, control)):
        raise ValueError("every arm needs moments of two columns: numerator and denominator")
    if treated.n and control.n and not (treated.mean[1] > 0 and control.mean[1] > 0):
        reason = "nothing to divide by: the denominator's mean is not above 0"
        return _incomparable(treated.n + control.n, reason)
    return _compare(_ratio(treated), _ratio(control), relative=relative, alpha=alpha)


def compare_revenue(
    treated: Array, control: Array, *, relative: bool = False, alpha: float = ALPHA
) -> Comparison:
    """`compare_means` of money per visitor, where the money makes sense.

    Refuses amounts that are not finite or below 0 (a refund of an order outside the test), fewer
    than 20 buyers an arm, and an arm where one visitor makes up more than half of the scatter:
    then that order alone, a test order or a typing error perhaps, decides the answer.

    Args:
        treated: Money of each visitor of the arm, 0 for those who bought nothing.
        control: The same of the control.
        relative: Whether the lift is wanted instead of the difference.
        alpha: Chance that the interval misses.

    Examples:
        >>> usual = np.tile([0.0, 0.0, 30.0, 50.0], 25)
        >>> compare_revenue(usual + 5 * (usual > 0), usual).reason
        ''
        >>> compare_revenue(np.append(usual, 1e9), usual).reason
        'one visitor of 1000000000.00 decides the answer alone'
    """
    n = len(treated) + len(control)
    if reason := _absurd(treated) or _absurd(control):
        return _incomparable(n, reason)
    events = min(int((treated > 0).sum()), int((control > 0).sum()))
    if reason := shortfall(min(len(treated), len(control)), events):
        return _incomparable(n, reason)
    arms = Moments.of(treated[:, None]), Moments.of(control[:, None])
    return compare_means(*arms, relative=relative, alpha=alpha)


def _absurd(revenue: Array) -> str:
    """Why the money can't be averaged; empty where it can."""
    if not np.isfinite(revenue).all():
        return "an amount is missing or not finite"
    if below := int((revenue < 0).sum()):
        return f"{below} visitors have revenue below 0: refunds of orders outside the test?"
    if len(revenue) and revenue.max() > _MOST_MONEY:
        return f"an amount of {revenue.max():.0e} is no money"
    scatter = (revenue - revenue.mean()) ** 2 if len(revenue) else revenue
    if scatter.sum() > 0 and scatter.max() > scatter.sum() / 2:
        return f"one visitor of {revenue[int(scatter.argmax())]:.2f} decides the answer alone"
    return ""


def _mean(moments: Moments) -> _Level:
    """The first column's mean."""
    return _Level(
        value=float(moments.mean[0]), variance=float(moments.covariance[0, 0]), n=moments.n
    )


def _ratio(moments: Moments) -> _Level:
    """The first column's mean over the second's, its variance by the delta method."""
    (y, x), ((vy, c), (_, vx)) = moments.mean.tolist(), moments.covariance.tolist()
    ratio = y / x if x else 0.0
    variance = (vy - 2 * ratio * c + ratio**2 * vx) / x**2 if x else 0.0
    return _Level(value=ratio, variance=max(variance, 0.0), n=moments.n)


def _compare(
    arm: _Level, control: _Level, *, student: bool = True, relative: bool, alpha: float
) -> Comparison:
    """Difference or lift of two levels with the interval and p-value of one pivot."""
    n = arm.n + control.n
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, not {alpha}")
    if min(arm.n, control.n) < 2:
        return _incomparable(n, "needs two visitors in each arm")
    if relative and not (arm.value > 0 and control.value > 0):
        return _incomparable(n, "a lift needs values above zero in both arms")
    parts = [
        level.variance / level.n / (level.value**2 if relative else 1.0) for level in (arm, control)
    ]
    if not isfinite(sum(parts)):
        return _incomparable(n, TOO_LARGE)
    if not sum(parts) > 0:
        return _incomparable(n, "every visitor of an arm did the same")
    se = sqrt(sum(parts))
    freedom = _freedom(parts, (arm.n, control.n)) if student else inf
    middle = log(arm.value / control.value) if relative else arm.value - control.value
    reach = se * (-float(ndtri(alpha / 2)) if freedom == inf else _quantile(freedom, alpha))
    found, low, high = middle, middle - reach, middle + reach
    if relative:
        found, low = exp(found) - 1, exp(low) - 1
        high = exp(high) - 1 if high < _MOST_LOG else None
    tail = ndtr(-abs(middle) / se) if freedom == inf else stdtr(freedom, -abs(middle) / se)
    return Comparison(
        estimate=found,
        low=low,
        high=high,
        p_value=2 * float(tail),
        standard_error=se,
        n=n,
        reason="" if high is not None else "the values are too uncertain for an upper bound",
    )


def _freedom(parts: list[float], n: tuple[int, int]) -> float:
    """Satterthwaite's degrees of freedom of a sum of variances of means."""
    return sum(parts) ** 2 / sum(
        part**2 / (units - 1) for part, units in zip(parts, n, strict=True)
    )


def _quantile(freedom: float, alpha: float) -> float:
    """Student's two-sided critical value."""
    return -float(stdtrit(freedom, alpha / 2))


def _incomparable(n: int, reason: str) -> Comparison:
    """The comparison that says only why there is none."""
    return Comparison(estimate=None, low=None, high=None, p_value=None, n=n, reason=reason)
