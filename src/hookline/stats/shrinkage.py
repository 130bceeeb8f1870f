"""How much of what differs is real: a hierarchical model of the click rates of one test.

Line k of a test has the rate

    λ_k = L · exp(s_k) · ρ_k,    ρ_k ~ Gamma(mean 1, variance v_k),    clicks_k ~ Poisson(n_k λ_k)

with L the test's own level, s_k what is known of the line beforehand (0 if nothing) and v_k how far
that may be wrong. Gamma and Poisson are conjugate: 1 / v_k is a number of pseudo-clicks, which
weigh as much as that many real ones and fade as real ones come (Gelman et al. 2013, section 2.6).

All functions broadcast over leading dimensions: the last one is the lines of a test, the ones
before it are tests, runs or anything else.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ROUNDS = 3
"""Fixed-point steps for the level. It converges by a factor of about 5 each, from a start that is
right already where little was seen."""


def level(
    clicks: Array,
    shown: Array,
    score: Array,
    pseudo_clicks: Array,
    prior: tuple[Array | float, float],
) -> Array:
    """The test's level L: its click rate for a line of score 0.

    A line's count has mean m = n·L·eˢ and variance m + m²/κ under the model, so that it says
    κ / (κ + m) of a click about L for every click: a line seen a lot tells mostly of itself.

    Args:
        clicks: Clicks so far, shape (..., lines).
        shown: Impressions so far, same shape.
        score: Log ratio expected beforehand, same shape.
        pseudo_clicks: κ, what the expectation is worth, same shape; above 0.
        prior: Level expected before any impression, a number or of shape (..., 1), and how many
            clicks that is worth.

    Returns:
        Array of shape (..., 1), above 0.
    """
    expected, strength = prior
    relative = np.exp(score)
    reached = shown * relative
    found = np.full((*clicks.shape[:-1], 1), expected)
    for _ in range(_ROUNDS):
        weight = pseudo_clicks / (pseudo_clicks + reached * found)
        seen = strength + (weight * clicks).sum(axis=-1, keepdims=True)
        found = seen / (strength / expected + (weight * reached).sum(axis=-1, keepdims=True))
    return found


def posterior(
    clicks: Array, shown: Array, score: Array, pseudo_clicks: Array, at: Array
) -> tuple[Array, Array]:
    """What is believed of each line's rate: a Gamma distribution's shape a and rate b.

    Its mean is a / b, its standard deviation √a / b; b counts impressions, pseudo ones included.

    Args:
        clicks: Clicks so far, shape (..., lines).
        shown: Impressions so far, same shape.
        score: Log ratio expected beforehand, same shape.
        pseudo_clicks: κ, same shape; above 0.
        at: The test's level, shape (..., 1).

    Examples:
        >>> none = np.zeros(2)
        >>> a, b = posterior(none, none, np.log([1.0, 2.0]), np.full(2, 20.0), np.array([0.01]))
        >>> (a / b).round(3).tolist()
        [0.01, 0.02]
    """
    return pseudo_clicks + clicks, pseudo_clicks / (at * np.exp(score)) + shown


def centred(values: Array, weights: Array, starts: NDArray[np.int64]) -> Array:
    """Values less the weighted mean of their own test.

    Args:
        values: One per line of many tests, shape (lines,); lines of a test side by side.
        weights: Above 0, same shape.
        starts: Index of each test's first line, then the number of lines: (tests + 1,).
    """
    mean = np.add.reduceat(values * weights, starts[:-1]) / np.add.reduceat(weights, starts[:-1])
    return values - np.repeat(mean, np.diff(starts))


def expected_clicks(clicks: Array, shown: Array, score: Array, starts: NDArray[np.int64]) -> Array:
    """Clicks each line would have if its score said all, given its test's total.

    Args:
        clicks: Shape (lines,).
        shown: Impressions, same shape; above 0.
        score: Log ratio expected beforehand, same shape.
        starts: As for `centred`.
    """
    share = shown * np.exp(score)
    rate = np.add.reduceat(clicks, starts[:-1]) / np.add.reduceat(share, starts[:-1])
    return share * np.repeat(rate, np.diff(starts))


def beyond_chance(clicks: Array, expected: Array, starts: NDArray[np.int64]) -> tuple[Array, Array]:
    """Each line's squared miss less what chance explains, and what a relative variance of 1 adds.

    Expected clicks m sum to the clicks of the test. With p a line's part of that sum, and Σ over
    the test, (c - m)² has about the mean

        m (1 - p) + v m² (1 - 2p + Σp²),

    so the first over the second is on average the variance v. A test without a click says nothing:
    both are 0 for its lines.

    Args:
        clicks: Shape (lines,).
        expected: Of `expected_clicks`, same shape; 0 in a test without a click, else above 0.
        starts: As for `centred`.

    Returns:
        Two arrays of shape (lines,).
    """
    sizes, heads = np.diff(starts), starts[:-1]
    total = np.repeat(np.add.reduceat(expected, heads), sizes)
    part = np.divide(expected, total, out=np.zeros(len(expected)), where=total > 0)
    free = 1 - 2 * part + np.repeat(np.add.reduceat(part**2, heads), sizes)
    return (clicks - expected) ** 2 - expected * (1 - part), expected**2 * free


def spread(clicks: Array, expected: Array, starts: NDArray[np.int64]) -> float:
    """Relative variance of true rates around what was expected of them, within tests.

    By the moments of `beyond_chance`; lines weigh as much as they say.

    Args:
        clicks: Shape (lines,).
        expected: Of `expected_clicks`, same shape.
        starts: As for `centred`.

    Returns:
        The variance v, at least 0.

    Raises:
        ValueError: Where no test of two lines or more has a click: nothing tells the variance.
    """
    miss, unit = beyond_chance(clicks, expected, starts)
    weight = 1 / (1 + 0.05 * expected) ** 2
    told = float((weight * unit).sum())
    if not told > 0:
        raise ValueError("the spread of lines needs a test that has two lines and a click")
    return max(float((weight * miss).sum()) / told, 0.0)
