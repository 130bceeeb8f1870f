"""How likely each arm is the best one, by quadrature: no draws, so the same answer every time.

For independent beliefs with distribution functions F_k about the arms' values,

    P(arm k is best) = ∫ ∏_{j≠k} F_j(x) dF_k(x),

which is also the probability with which Thompson sampling plays arm k.
"""

from collections.abc import Sequence
from math import erfc, exp, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

REACH = 5.5
"""Standard deviations to either side of each mean that the grid covers."""
STEPS = 40
"""Most steps of the quick approximation; five are usual, more where doubts differ a lot."""
CLOSE = 1e-5
"""How near to 1 the chances of the quick approximation have to sum before they are scaled to it."""
ROOT_HALF = sqrt(0.5)
ROOT_PI = sqrt(pi)


def chance_of_best(distribution: Array) -> Array:
    """The probability of each arm to have the highest value.

    A Stieltjes sum with the trapezoid rule; its error falls with the square of the grid's step.

    Args:
        distribution: Shape (arms, points): F_k at the points of one rising grid that reaches from
            where every F_k is about 0 to where it is about 1.

    Returns:
        Array of shape (arms,), summing to 1.

    Examples:
        >>> grid = np.linspace(0, 1, 5)
        >>> chance_of_best(np.stack([grid, grid]))
        array([0.5, 0.5])
    """
    ones = np.ones((1, distribution.shape[1]))
    before = np.cumprod(np.concatenate([ones, distribution[:-1]]), axis=0)
    after = np.cumprod(np.concatenate([ones, distribution[:0:-1]]), axis=0)[::-1]
    others = before * after
    chances = (np.diff(distribution) * (others[:, 1:] + others[:, :-1])).sum(axis=1)
    return chances / chances.sum()


def grid_around(mean: Array, sd: Array, points: int) -> Array:
    """A rising grid that is fine wherever one of the arms has its mass.

    Args:
        mean: Shape (arms,).
        sd: Shape (arms,), above 0.
        points: Points for each arm.

    Returns:
        Array of shape (arms · points,).
    """
    steps = np.linspace(-REACH, REACH, points)
    return np.sort((mean[:, None] + sd[:, None] * steps).ravel())


def normal_chance_of_best(mean: Array, sd: Array) -> Array:
    """The probability of each arm to be best, for independent normal beliefs.

    Args:
        mean: Shape (arms,).
        sd: Shape (arms,), above 0.
    """
    points = int(np.clip(320 // mean.size, 16, 64))
    grid = grid_around(mean, sd, points)
    return chance_of_best(ndtr((grid - mean[:, None]) / sd[:, None]))


def quick_chance_of_best(mean: Array, sd: Array) -> Array:
    """About the probability of each arm to be best, for independent normal beliefs, fast.

    The arms' chances to lie above one common value κ, chosen so that they sum to 1. Menet,
    Hübotter, Kassraie and Krause (2025), "LITE: Efficiently Estimating Gaussian Probability of
    Maximality". In total variation .03 to .05 from `normal_chance_of_best` on average and .12 at
    most as long as no arm's sd is three times another's, at a fraction of its time. Plain numbers,
    since arrays of twenty cost more to start than to compute.

    Args:
        mean: Shape (arms,), at least two.
        sd: Shape (arms,), above 0.

    Returns:
        Array of shape (arms,), summing to 1.
    """
    arms = list(zip(mean.tolist(), (ROOT_HALF / sd).tolist(), strict=True))
    edge = _common_edge(arms)
    chances = np.array([erfc((edge - middle) * scale) for middle, scale in arms])
    return chances / chances.sum()


def _common_edge(arms: Sequence[tuple[float, float]]) -> float:
    """The κ above which the arms lie with chances that sum to 1.

    Halley's method on the logarithm of the sum, kept between a value above which two arms lie with
    half a chance each and one above which no arm lies with more than a chance of 1 / arms.

    Args:
        arms: Mean, and √½ / sd, of each.
    """
    reach = sqrt(log(len(arms) / 2))
    low, edge = sorted(middle for middle, _ in arms)[-2:]
    high = max(middle + reach / scale for middle, scale in arms)
    for _ in range(STEPS):
        above = slope = bend = 0.0  # twice the sum; its slope times -√π/2; its curvature times √π/4
        for middle, scale in arms:
            far = (edge - middle) * scale
            density = scale * exp(-far * far)
            above += erfc(far)
            slope += density
            bend += density * scale * far
        if abs(above - 2) < CLOSE:
            break
        low, high = (edge, high) if above > 2 else (low, edge)
        gap, fall = log(0.5 * above), 2 * slope / (ROOT_PI * above)
        edge += 2 * gap * fall / (2 * fall**2 - gap * (4 * bend / (ROOT_PI * above) - fall**2))
        if not low <= edge <= high:
            edge = 0.5 * (low + high)
    return edge
