"""How likely each arm is the best one, by quadrature: no draws, so the same answer every time.

For independent beliefs with distribution functions F_k about the arms' values,

    P(arm k is best) = ∫ ∏_{j≠k} F_j(x) dF_k(x),

which is also the probability with which Thompson sampling plays arm k.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

REACH = 5.5
"""Standard deviations to either side of each mean that the grid covers."""


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
