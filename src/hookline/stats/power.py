"""How many visitors a test needs, which effect it can find, and for how many days it must go on.

Everything is in terms of one number, the standard deviation of one visitor's part in the
difference of two arms (`contrast_sd`), and of visitors of **both arms together**: the difference's
standard error after n of them is sd / √n.

    `z_…`         for one look, planned beforehand
    `sequence_…`  for the confidence sequence, looked at whenever one likes: dearer, see the docs
"""

from collections.abc import Sequence
from math import ceil, inf, isfinite, sqrt

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from hookline.stats.estimate import ALPHA, unknown
from hookline.stats.sequence import radius, units_needed
from hookline.types import Estimate

POWER = 0.8
"""Chance of finding a true effect that a test is usually planned for."""
MAX_DAYS = 365.0
"""Longest wait that is forecast: no shop stays the same for longer."""
_WEEK = 7
_MOST = 1 << 50


def contrast_sd(variances: tuple[float, float], shares: tuple[float, float]) -> float:
    """The standard deviation of one visitor's part in the difference of two arms: √(v₁/s₁ + v₀/s₀).

    For a rate p the variance is p (1 − p). Shares are probabilities of getting the arm, among all
    visitors that are counted: .5 and .5 for two arms, 1/K of K.

    Assumptions: constant shares; nothing explained by a control variate or covariate, which would
    only make it smaller. Under a policy, an arm's share falls and this grows: plan with the least
    share it is sure to get (floor and uniform slice).

    Args:
        variances: Of one visitor's outcome in the arm and in the control, 0 or more.
        shares: Of the arm and of the control, above 0, together at most 1.

    Raises:
        ValueError: Where an argument is out of its range.

    Examples:
        >>> contrast_sd((0.25, 0.25), (0.5, 0.5))
        1.0
    """
    sound = all(0 <= v < inf for v in variances) and all(s > 0 for s in shares)
    if not (sound and sum(shares) <= 1 + 1e-9):
        raise ValueError(f"needs variances ≥ 0 and shares > 0: not {variances}, {shares}")
    return sqrt(sum(v / s for v, s in zip(variances, shares, strict=True)))


def z_power(difference: float, sd: float, n: float, alpha: float = ALPHA) -> float:
    """The chance that a two-sided z test finds the difference at its one look.

        Φ(δ√n/sd − z) + Φ(−δ√n/sd − z),    z = Φ⁻¹(1 − α/2)

    The second term, a finding with the wrong sign, is counted as in the textbook and other tools;
    it matters only where power is hopeless.

    Args:
        difference: True difference of the arms.
        sd: From `contrast_sd`, above 0.
        n: Visitors of both arms together.
        alpha: Chance of a false finding.

    Raises:
        ValueError: Where an argument is out of its range.

    Examples:
        >>> round(z_power(0.1, 1.0, 785), 3)
        0.8
    """
    _check(sd, alpha)
    _check_asked(difference, n)
    shift, limit = abs(difference) * sqrt(n) / sd, float(ndtri(alpha / 2))
    return float(ndtr(shift + limit) + ndtr(limit - shift))


def z_detectable(sd: float, n: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """The smallest difference that a z test of n visitors finds with the given power.

    Solves `z_power` = power by bisection. Infinite without visitors.

    Raises:
        ValueError: Where an argument is out of its range.

    Examples:
        >>> round(z_detectable(1.0, 785), 4)
        0.1
    """
    _check(sd, alpha, power)
    _check_asked(0.0, n)
    if n == 0:
        return inf
    low, high = 0.0, 1.0
    while z_power(high, 1.0, 1, alpha) < power:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if z_power(middle, 1.0, 1, alpha) < power else (low, middle)
    return high * sd / sqrt(n)


def z_units(difference: float, sd: float, alpha: float = ALPHA, power: float = POWER) -> int | None:
    """Visitors of both arms that a z test needs to find the difference with the given power.

    None where there is no difference to find, or no end. It knows nothing of the least data that
    `compare_rates` asks for: 20 events an arm, so 4,000 visitors of it at half a per cent.

    Raises:
        ValueError: Where an argument is out of its range.

    Examples:
        Three per cent against 3.3 %, half of the visitors each:

        >>> sd = contrast_sd((0.033 * 0.967, 0.03 * 0.97), (0.5, 0.5))
        >>> z_units(0.003, sd)
        106415
    """
    _check(sd, alpha, power)
    _check_asked(difference)
    if difference == 0:
        return None
    root = z_detectable(sd, 1.0, alpha, power) / abs(difference)
    return ceil(root * root) if root * root < _MOST else None


def sequence_power(
    difference: float, sd: float, n: int, horizon: float, alpha: float = ALPHA
) -> float:
    """About the chance that the confidence sequence leaves 0 out at a look after n visitors.

        Φ((|δ| − radius) · √n / sd)

    A forecast, not a bound. It takes the sample mean for normal and the variance for known, while
    the report's interval rests on a variance that is estimated and `floored`, which is wider for
    rare events. Where it said 80 % on Hillstrom's and Karlan and List's people, the sequence had
    left 0 out after n in 72 to 82 % of 300 tests each, 76 % on average
    (`python -m benchmarks.published`). Looks before n add to that, 4 points there, and are not
    counted.

    Args:
        difference: True difference of the arms.
        sd: From `contrast_sd`, above 0.
        n: Visitors of both arms together.
        horizon: Visitors the sequence is tuned to.
        alpha: Chance of ever missing.

    Raises:
        ValueError: Where an argument is out of its range.

    Examples:
        >>> round(sequence_power(0.1, 1.0, 1_503, 1_503), 3)
        0.8
    """
    _check(sd, alpha)
    _check_asked(difference, n)
    if n < 1:
        return 0.0
    return float(ndtr((abs(difference) - radius(sd, n, alpha, horizon)) * sqrt(n) / sd))


def sequence_detectable(
    sd: float, n: int, horizon: float, alpha: float = ALPHA, power: float = POWER
) -> float:
    """The smallest difference that the sequence finds after n visitors with about the given power.

    radius + Φ⁻¹(power) · sd / √n; infinite without visitors. As near as `sequence_power` is.

    Raises:
        ValueError: Where an argument is out of its range.

    Examples:
        >>> round(sequence_detectable(1.0, 1_503, 1_503), 3)
        0.1
    """
    _check(sd, alpha, power)
    _check_asked(0.0, n)
    return radius(sd, n, alpha, horizon) + float(ndtri(power)) * sd / sqrt(n) if n > 0 else inf


def sequence_units(
    difference: float, sd: float, horizon: float, alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """Visitors after whom the sequence finds the difference with about the given power.

    `units_needed` is where the radius falls below the difference: there the chance is only one
    half, for the estimate falls short of the truth as often as not. This goes on to where
    `sequence_power` reaches the power, and is as near as that. None where there is no difference,
    or no end.

    Args:
        difference: True difference of the arms. The lead of the best arm so far is flattered by
            luck: shrink it first (`shrink_family`), or take the smallest lift worth having.
        sd: From `contrast_sd`, above 0.
        horizon: Visitors the sequence is tuned to.
        alpha: Chance of ever missing.
        power: At least 1/2.

    Raises:
        ValueError: Where an argument is out of its range.

    Examples:
        >>> units_needed(0.1, 1.0, 0.05, 1_500), sequence_units(0.1, 1.0, 1_500)
        (933, 1503)
    """
    _check(sd, alpha, power)
    _check_asked(difference)
    if power < 0.5:
        raise ValueError(f"power must be at least 1/2, not {power}")
    low = units_needed(abs(difference), sd, alpha, horizon)
    if low is None:
        return None
    low, high = low - 1, low
    while sequence_detectable(sd, high, horizon, alpha, power) > abs(difference):
        low, high = high, high * 2
        if high > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        short = sequence_detectable(sd, middle, horizon, alpha, power) > abs(difference)
        low, high = (middle, high) if short else (low, middle)
    return high


def days_more(
    needed: int | None, seen: int, daily: Sequence[float], *, settling_days: float = 0.0
) -> Estimate:
    """About how many more days the test must run: visitors missing over visitors per day.

        (needed − seen) / mean of daily + settling_days,    at least 0

    The mean is over the last whole weeks, all days if there is no week yet: Mondays differ from
    Sundays. The bounds come from the mean's own 95 % interval (Student's t over weeks, over days
    where there are fewer than three weeks), outcomes counted only once their window has closed.
    Where enough were seen the first part is below 0: the last of those needed came so long ago, and
    what is left is until that visitor's window has closed.

    Assumptions: traffic goes on as it was; `needed` is right. It is not where it was made from the
    lead of the best of several arms, which flatters (see `sequence_units`).

    Args:
        needed: Visitors needed, from `sequence_units` or `z_units`; None if there is no number.
        seen: Visitors so far.
        daily: Visitors of each day so far, in order, whole days only.
        settling_days: Days until a visitor's outcome counts.

    Returns:
        Days; `high` is None where the traffic can't be told from none. Where enough were seen, 0
        only once their outcomes are known by that traffic, `settling_days` where it isn't known;
        that is the latest, so `high`, too, and `low` is 0.

    Raises:
        ValueError: Where `seen` or `settling_days` is below 0, or not finite.

    Examples:
        >>> days_more(30_000, 14_000, [1_000.0] * 14, settling_days=2).estimate
        18.0
    """
    if not (0 <= seen < inf and 0 <= settling_days < inf):
        raise ValueError(f"needs seen, settling_days ≥ 0: not {seen}, {settling_days}")
    traffic = np.asarray(daily, dtype=np.float64)
    n = len(traffic)
    if needed is None:
        return unknown(n, "there is no difference to wait for")
    told = n >= 2 and bool(np.isfinite(traffic).all() and traffic.min() >= 0)
    recent = traffic[-(n // _WEEK) * _WEEK :] if n >= _WEEK else traffic
    blocks = recent.reshape(-1, _WEEK).mean(axis=1) if n >= 3 * _WEEK else recent
    mean, missing = float(blocks.mean()) if told else 0.0, needed - seen
    if missing <= 0:
        since = -missing / mean if mean > 0 else 0.0
        latest = float(ceil(max(settling_days - since, 0.0)))
        return Estimate(estimate=latest, low=0.0, high=latest, n=n)
    if not told:
        return unknown(n, "needs two whole days of traffic, none of them below 0")
    if mean <= 0 or missing / mean + settling_days > MAX_DAYS:
        return unknown(n, f"more than {MAX_DAYS:.0f} days at this traffic")
    reach = float(blocks.std(ddof=1)) / sqrt(len(blocks)) * -float(stdtrit(len(blocks) - 1, 0.025))
    return Estimate(
        estimate=float(ceil(missing / mean + settling_days)),
        low=float(ceil(missing / (mean + reach) + settling_days)),
        high=float(ceil(missing / (mean - reach) + settling_days)) if mean > reach else None,
        n=n,
        reason="" if mean > reach else "traffic varies too much for an upper bound",
    )


def _check(sd: float, alpha: float, power: float = POWER) -> None:
    if not (0 < sd < inf and 0 < alpha < 1 and alpha < power < 1):
        raise ValueError(
            f"needs sd > 0, 0 < alpha < power < 1: not sd {sd}, alpha {alpha}, power {power}"
        )


def _check_asked(difference: float, n: float = 0) -> None:
    if not (isfinite(difference) and n >= 0):
        raise ValueError(f"needs a finite difference, n ≥ 0: not difference {difference}, n {n}")
