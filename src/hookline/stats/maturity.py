"""Orders that are still to come: an open window weighed by how much of it has passed.

    orders' delays, and how long their visitors were watched → `MaturityCurve`
    → how many orders there will be once all windows have closed (`mature_total`)

Orders come days after the copy was shown. Leaving out all open windows wastes the newest visitors;
counting them as if nothing more would come makes every growing test look worse than it is.
"""

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from hookline.stats.estimate import ALPHA, MIN_EVENTS, shortfall

Array = NDArray[np.float64]

LEAST_MATURED = 0.1
"""Least share of the orders that must have had time to arrive; below it the rest is a guess."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MaturityCurve:
    """Which share of orders arrives by which age.

    Attributes:
        delays: Distinct delays at which orders arrived, rising, shape (m,).
        share: Share of a window's orders that has arrived by each, rising to 1, shape (m,).
        scatter: Variance of the log of each step of `share`, shape (m,).
        window: Age at which a window closes, in the unit of the delays.
        n: Orders it rests on.
        reason: Why there is no curve; empty otherwise.

    Raises:
        ValueError: Where it contradicts itself: delays below 0, beyond the window or out of order,
            shares that fall or don't end at 1, variances below 0.
    """

    delays: Array
    share: Array
    scatter: Array
    window: float
    n: int = 0
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuses a curve that contradicts itself."""
        if self.reason:
            return
        fits = self.delays.ndim == 1 and self.delays.shape == self.share.shape == self.scatter.shape
        if not (
            fits and len(self.delays) and 0 <= self.delays[0] <= self.delays[-1] <= self.window
        ):
            raise ValueError(
                "a maturity curve needs delays from 0 to its window, and as many steps"
            )
        if not ((np.diff(self.delays) > 0).all() and (np.diff(self.share) >= 0).all()):
            raise ValueError("delays and shares of a maturity curve must rise")
        if not (self.share[0] >= 0 and self.share[-1] == 1 and (self.scatter >= 0).all()):
            raise ValueError("a maturity curve goes from 0 to 1, its variances are 0 or more")

    def at(self, ages: Array) -> Array:
        """The share of orders that has arrived by each age: 0 to 1, never falling with age.

        Args:
            ages: 0 or more, any shape.

        Raises:
            ValueError: Where there is no curve, or an age is below 0 or missing.
        """
        if self.reason:
            raise ValueError(f"there is no maturity curve: {self.reason}")
        if not (ages >= 0).all():
            raise ValueError("ages must be 0 or more")
        steps = np.searchsorted(self.delays, ages, side="right")
        return np.concatenate([[0.0], self.share])[steps]


@dataclass(frozen=True, kw_only=True, slots=True)
class MatureTotal:
    """Orders there will be once every window has closed.

    Attributes:
        estimate: Orders so far and those still expected; None where it can't be computed.
        low: Lower bound, never below the orders so far.
        high: Upper bound.
        standard_error: Of the estimate as a forecast, chance of the orders to come included.
        matured: Share of the orders that should have arrived by now, 0 to 1.
        n: Visitors.
        reason: Why something is None; empty otherwise.
    """

    estimate: float | None
    low: float | None
    high: float | None
    standard_error: float | None = None
    matured: float | None = None
    n: int = 0
    reason: str = ""


def maturity_curve(delays: Array, ages: Array, window: float) -> MaturityCurve:
    """The share of orders that arrives by each age, from orders seen so far.

    An order of a young visitor is seen only because it came fast: delays are truncated at the
    visitor's age. With d₁ < … < d_m the distinct delays, n_j orders at d_j, and N_j orders with
    delay ≤ d_j ≤ age,

        share(x) = Π_{d_j > x} (1 − n_j / N_j)

    the nonparametric maximum likelihood estimate: Kaplan-Meier run backwards in time. Where all
    windows have closed it is the plain share of orders with delay ≤ x.

    Assumptions: the delay of an order depends neither on when its visitor came nor on the arm. If
    one arm's orders come later (a "pay next month" line), give each arm its own curve. Visitors
    who never order play no part. Needs 20 orders whose window has closed: nothing younger tells
    what happens at the end of a window.

    Source: Lagakos, Barraj and De Gruttola (1988, Biometrika 75); Kalbfleisch and Lawless (1989,
    JASA 84).

    Args:
        delays: From showing to order, one an order, shape (n,); those beyond the window are
            left out.
        ages: From showing to now, of the same orders, shape (n,).
        window: Age at which a window closes, above 0, in the same unit.

    Returns:
        The curve; it says why where there is none, for example because time goes backwards.

    Raises:
        ValueError: Where shapes differ or the window is not above 0.

    Examples:
        >>> curve = maturity_curve(np.arange(40) % 4 + 1.0, np.full(40, 9.0), 7.0)
        >>> curve.at(np.array([0.0, 1.0, 2.5, 7.0])).round(2).tolist()
        [0.0, 0.25, 0.5, 1.0]
    """
    if delays.shape != ages.shape or delays.ndim != 1 or not window > 0:
        raise ValueError(f"{delays.shape} delays, {ages.shape} ages, window {window} don't fit")
    if not (np.isfinite(delays).all() and np.isfinite(ages).all()):
        return _no_curve(window, "a time is missing")
    if (delays < 0).any() or (delays > ages).any():
        return _no_curve(window, "time goes backwards: an order before its copy, or after now")
    inside = delays <= window
    came, seen = delays[inside], np.minimum(ages[inside], window)
    if (closed := int((seen >= window).sum())) < MIN_EVENTS:
        return _no_curve(window, f"needs {MIN_EVENTS} orders whose window has closed, has {closed}")
    steps, counts = np.unique(came, return_counts=True)
    at_risk = np.cumsum(counts) - np.searchsorted(np.sort(seen), steps, side="left")
    kept = 1 - counts / at_risk
    share = np.append(np.cumprod(kept[:0:-1])[::-1], 1.0)
    left = at_risk - counts
    scatter = np.divide(counts, at_risk * left, out=np.zeros(len(steps)), where=left > 0)
    return MaturityCurve(delays=steps, share=share, scatter=scatter, window=window, n=len(came))


def mature_total(
    orders: int, ages: Array, curve: MaturityCurve, *, alpha: float = ALPHA
) -> MatureTotal:
    """How many orders these visitors will have placed once every window has closed.

    A visitor of age x is worth share(x) of a settled one, so n visitors are worth w = Σ share(x_i)
    and each settled one brings O / w orders:

        T = O · n / w

        se² = O ρ (1 + ρ) + (O n / w²)² · var(w),    ρ = n / w − 1

    The first term is the chance of the orders to come and the rate's own error (Poisson); the
    second what the curve does not know (Greenwood's variance, delta method). Both vanish when all
    windows have closed. O / w is the rate per visitor.

    Assumptions: those of the curve; visitors of every age order at the same rate in the end, so a
    sale that began yesterday breaks it; at most one order a visitor, or as few as makes Poisson
    fair, and never more than there are visitors old enough for one. Money: multiply by the mean
    order only if late orders are as large as early ones.

    Source: weighing by the share that had time to arrive: Chapelle (2014, KDD, "Modeling delayed
    feedback in display advertising"); Lawless (1994, Canadian Journal of Statistics 22).

    Args:
        orders: Orders so far, inside their windows.
        ages: From showing to now, of **all** visitors, those without an order too, shape (n,).
        curve: From `maturity_curve`.
        alpha: Chance that the interval misses; for one look.

    Returns:
        The total; it says why where there is none, for example because more orders are counted
        than visitors are old enough to have placed one.

    Raises:
        ValueError: Where orders are no whole number from 0 on, ages no list, or alpha is out of
            (0, 1).

    Examples:
        >>> curve = maturity_curve(np.arange(40) % 4 + 1.0, np.full(40, 9.0), 7.0)
        >>> total = mature_total(90, np.repeat([9.0, 2.0], 500), curve)
        >>> f"{total.estimate:.0f} ({total.low:.0f} to {total.high:.0f}), {total.matured:.0%} in"
        '120 (102 to 138), 75% in'
    """
    n = len(ages)
    if ages.ndim != 1:
        raise ValueError(f"ages must have the shape (n,), not {ages.shape}")
    if not (0 <= orders < inf and orders == int(orders) and 0 < alpha < 1):
        raise ValueError(f"needs whole orders ≥ 0, alpha in (0, 1): not {orders}, {alpha}")
    if reason := curve.reason or shortfall(n, orders):
        return _no_total(n, reason)
    if not (np.isfinite(ages).all() and (ages >= 0).all()):
        return _no_total(n, "time goes backwards: a visitor's age is missing or below 0")
    shares = curve.at(ages)
    worth = float(shares.sum())
    if worth < LEAST_MATURED * n:
        return _no_total(n, f"only {worth / n:.0%} of the orders had time to arrive")
    if orders > (able := int((shares > 0).sum())):
        return _no_total(n, f"{orders} orders of {able} visitors who could have one by their age")
    rest = n / worth - 1
    error = sqrt(
        orders * rest * (1 + rest) + (orders * n / worth**2) ** 2 * _variance(ages, shares, curve)
    )
    total, reach = orders * (1 + rest), -float(ndtri(alpha / 2)) * error
    return MatureTotal(
        estimate=total,
        low=max(total - reach, float(orders)),
        high=total + reach,
        standard_error=error,
        matured=worth / n,
        n=n,
    )


def _variance(ages: Array, shares: Array, curve: MaturityCurve) -> float:
    """The variance of Σ share(x_i): every step of the curve moves all visitors younger than it."""
    order = np.argsort(ages)
    below = np.concatenate([[0.0], np.cumsum(shares[order])])
    moved = below[np.searchsorted(ages[order], curve.delays, side="left")]
    return float((moved**2 * curve.scatter).sum())


def _no_curve(window: float, reason: str) -> MaturityCurve:
    none = np.zeros(0)
    return MaturityCurve(delays=none, share=none, scatter=none, window=window, reason=reason)


def _no_total(n: int, reason: str) -> MatureTotal:
    return MatureTotal(estimate=None, low=None, high=None, n=n, reason=reason)
