"""The asymptotic confidence sequence: an interval that may be looked at after every visitor.

Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and
asymptotic confidence sequences" (arXiv 2103.06476; Annals of Statistics 52, 2024).
"""

from functools import lru_cache
from math import inf, isfinite, log, log1p, sqrt


@lru_cache(maxsize=1024)
def tuned_variance(alpha: float, horizon: float) -> float:
    """The mixture variance ρ² that makes the sequence tightest after `horizon` units.

    Setting the derivative of the squared radius to zero gives, with x = horizon · ρ² + 1, the
    equation x = 1 − 2 ln α + ln x. Its right side contracts by 1/x < 1/3 a step at any usual
    alpha, so repeating it converges (to the lower branch of Lambert's W: x = −W₋₁(−α²/e)).

    Args:
        alpha: Chance of ever missing, in (0, 1).
        horizon: Units at which the interval is to be tightest, above 0 and finite.

    Raises:
        ValueError: Where an argument is out of its range.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, not {alpha}")
    if not 0 < horizon < inf:
        raise ValueError(f"horizon must be above 0 and finite, not {horizon}")
    start = x = 1 - 2 * log(alpha)
    for _ in range(60):
        x = start + log(x)
    return (x - 1) / horizon


def radius(sd: float, n: int, alpha: float, horizon: float) -> float:
    """Half the width of a (1 − alpha) asymptotic confidence sequence for a mean, after n units.

    In words: mean ± radius covers the true mean at all n at once, save with probability alpha,
    so looking daily, or stopping because of what one sees, costs nothing more.

        radius = sd · √( 2 (nρ² + 1) / (n² ρ²) · ln( √(nρ² + 1) / α ) )

    with ρ² from `tuned_variance`. This is Theorem 2.2; ρ is in units of 1/sd. Adaptive data have
    no fixed mean: there the same formula is the martingale form (Proposition 2.5, under a
    Lindeberg condition) and covers the running average of the conditional means.

    Assumptions: each unit's score is, given the past, unbiased; scores have more than two
    moments (logged propensities are bounded away from zero); the average conditional variance
    settles, and `sd` estimates its root. It holds as the number of units at the *first* look
    grows; before some hundred units it promises nothing (see `estimate.MIN_UNITS`).

    Args:
        sd: Standard deviation of one unit's score, at least 0.
        n: Units seen.
        alpha: Chance of ever missing, in (0, 1).
        horizon: Units at which the interval is to be tightest.

    Returns:
        The radius in the units of `sd`; infinite where n is below 1.

    Raises:
        ValueError: Where an argument is out of its range.

    Examples:
        The price of peeking: 1.55 times the fixed-sample interval at the horizon.

        >>> round(radius(1.0, 10_000, 0.05, 10_000) / (1.96 / 100), 2)
        1.55
    """
    if not sd >= 0:
        raise ValueError(f"sd must be 0 or more, not {sd}")
    if not n >= 1:
        return inf
    grown = n * tuned_variance(alpha, horizon)
    log_ratio = log1p(grown) / 2 - log(alpha)
    return sd * sqrt(2 * (grown + 1) / (n * grown) * log_ratio)


def units_needed(difference: float, sd: float, alpha: float, horizon: float) -> int | None:
    """Fewest units at which the radius falls below the difference; None where it never will.

    A forecast, not a promise: it takes the difference and sd for the true ones.

    Args:
        difference: Lead to be told from 0; 0 and below never is.
        sd: Standard deviation of one unit's score, above 0.
        alpha: Chance of ever missing, in (0, 1).
        horizon: Units at which the interval is to be tightest.

    Raises:
        ValueError: Where an argument is out of its range, or the difference is not finite.

    Examples:
        >>> units_needed(0.1, 1.0, 0.05, 1_000)
        922
    """
    if not (isfinite(difference) and sd > 0):
        raise ValueError(f"needs a finite difference, sd > 0: not {difference}, {sd}")
    if difference <= 0:
        return None
    high = 1
    while radius(sd, high, alpha, horizon) >= difference:
        high *= 2
        if high > 1 << 50:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if radius(sd, middle, alpha, horizon) >= difference:
            low = middle
        else:
            high = middle
    return high
