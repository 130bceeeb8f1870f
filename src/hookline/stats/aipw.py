"""Scores that undo adaptive allocation: augmented inverse propensity weighting (AIPW).

A policy shows good arms more often, and to visitors it thinks will like them, so raw averages per
arm are biased. A score per visitor and arm, built from the logged probabilities, is not. Its sample
variance can be far too small, though: `floored` sees to that.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hookline.stats.moments import Moments

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

PRIOR_UNITS = 20.0
"""Weight, in units, with which an arm's running mean is drawn to the wider one it refines."""

_ROUNDING = 1e-6
"""How far logged probabilities may be out of their range, or their sum off 1."""


def scores(
    rewards: Array, arms: Integers, probabilities: Array, strata: Integers | None = None
) -> Array:
    """One unbiased score per unit and arm for what the unit would have given under the arm.

        ψ_i(a) = m_i(a) + 1[A_i = a] · (Y_i − m_i(a)) / p_i(a)

    m is `running_means`, known before unit i. Whatever m is, E[ψ_i(a) | past] is the conditional
    mean of Y_i under a as long as p_i(a) is the probability a was drawn with: the probabilities
    are Hookline's own, so nothing is modelled. A good m only takes variance away.

    Source: Robins, Rotnitzky and Zhao (1994, JASA 89); predictable m under adaptive
    allocation: Hadad, Hirshberg, Zhan, Wager and Athey (2021, PNAS 118, arXiv 1911.02768).

    Args:
        rewards: Shape (n,), in log order.
        arms: Index of the arm served, shape (n,).
        probabilities: Logged marginal probabilities, shape (n, K).
        strata: Index of each unit's stratum, shape (n,); sharpens m, may be left out.

    Returns:
        Shape (n, K); nan where an arm could not be drawn, for there the unit says nothing of it.

    Raises:
        ValueError: Where shapes differ, a reward is not finite, an arm's index is outside the
            columns, a served arm has no probability, or a row holds what are no probabilities: one
            missing or below 0, or a sum above 1.

    Examples:
        >>> even = np.full((2, 2), 0.5)
        >>> scores(np.array([1.0, 0.0]), np.array([0, 1]), even)[0]
        array([2., 0.])
    """
    n, count = probabilities.shape
    if rewards.shape != (n,) or arms.shape != (n,):
        raise ValueError(f"{n} units need {n} rewards and arms, not {len(rewards)}, {len(arms)}")
    means = running_means(rewards, arms, count, strata)
    units = np.arange(n, dtype=np.int64)
    served = probabilities[units, arms]
    if not (served > 0).all():
        raise ValueError("every served arm needs a logged probability above 0")
    if not ((probabilities >= 0).all() and (_across(probabilities) <= 1 + _ROUNDING).all()):
        raise ValueError("logged probabilities must lie from 0 to 1, as must the sum of a unit's")
    means[units, arms] += (rewards - means[units, arms]) / served
    means[probabilities <= 0] = np.nan
    return means


def running_means(
    rewards: Array, arms: Integers, count: int, strata: Integers | None = None
) -> Array:
    """Mean reward per arm of strictly earlier units: a control variate that can't see its unit.

    Few units say little, so each mean is drawn to the next wider one by `PRIOR_UNITS` units:
    arm in stratum → arm → all arms → 0.

    Args:
        rewards: Shape (n,), in log order.
        arms: Index of the arm served, shape (n,).
        count: Number of arms K.
        strata: Index of each unit's stratum, shape (n,), or None for one stratum.

    Returns:
        Shape (n, K).

    Raises:
        ValueError: Where shapes differ, a reward is not finite or an arm's index is outside 0 to K.
    """
    if arms.shape != rewards.shape or (strata is not None and strata.shape != rewards.shape):
        raise ValueError(f"{len(rewards)} rewards need as many arms and, if any, strata")
    if not np.isfinite(rewards).all():
        raise ValueError("rewards must be finite; leave out units whose outcome is not known")
    if len(arms) and not (arms.min() >= 0 and arms.max() < count):
        raise ValueError(f"an arm's index is outside the {count} arms")
    seen = np.arange(len(rewards), dtype=np.float64)
    overall = _earlier(rewards) / (seen + PRIOR_UNITS)
    drawn = arms[:, None] == np.arange(count)
    gains = np.where(drawn, rewards[:, None], 0.0)
    means = _drawn_to(overall[:, None], _earlier(gains), _earlier(drawn))
    if strata is None:
        return means
    for stratum in np.unique(strata):
        own = strata == stratum
        means[own] = _drawn_to(means[own], _earlier(gains[own]), _earlier(drawn[own]))
    return means


def policy_shares(
    probabilities: Array, control: int, *, holdout: float, uniform: float
) -> Array | None:
    """The policy's own probabilities π, recovered from the logged marginal ones.

    Inverts p(a) = h·1[a = control] + u/K + (1 − h − u)·π(a), K being the arms that could be drawn.

    Args:
        probabilities: Logged marginal probabilities, shape (n, K).
        control: Index of the control.
        holdout: Share h of visitors who always get the control.
        uniform: Share u of visitors who get every arm equally often.

    Returns:
        Shape (n, K), rows summing to 1; None where no share is left to the policy, or a row
        can't have come from these shares.

    Raises:
        ValueError: Where a share is below 0 or missing.

    Examples:
        >>> policy_shares(np.array([[0.19, 0.81]]), 0, holdout=0.1, uniform=0.1)
        array([[0.05, 0.95]])
    """
    if not (holdout >= 0 and uniform >= 0):
        raise ValueError(f"hold-out and uniform slice must be 0 or more: not {holdout}, {uniform}")
    rest = 1 - holdout - uniform
    if rest <= 1e-9:
        return None
    drawn = probabilities > 0
    count = np.maximum(_across(drawn), 1.0)
    shares = (probabilities - uniform * drawn / count[:, None]) / rest
    shares[:, control] -= holdout / rest
    off = np.abs(_across(shares) - 1)
    sound = (shares >= -_ROUNDING).all() and (off <= _ROUNDING).all()  # a missing one is neither
    return shares.clip(0.0, 1.0) if sound else None


def value(scores: Array, weights: Array) -> Array:
    """The score, per unit, of drawing arms with the given probabilities: Σ_a w_i(a) ψ_i(a).

    Args:
        scores: From `scores`, shape (n, K).
        weights: Probabilities, shape (n, K).

    Returns:
        Shape (n,); nan where a weight falls on an arm that could not be drawn, or is missing.
    """
    return _across(np.where(weights != 0, scores * weights, 0.0))


def noise(first: Array, second: Array, probabilities: Array) -> Array:
    """How much of the outcome's variance the draw alone puts into two scores: Σ_a v(a) w(a) / p(a).

    For one score, `first` is `second`: then it is how many times the variance of an outcome that
    of the score is, were outcomes equally noisy under all arms and their means known.

    Args:
        first: Weights v of the one score, shape (n, K): 1 for an arm alone, a policy's
            probabilities for its value, their difference for a difference.
        second: Weights w of the other.
        probabilities: Logged marginal probabilities, shape (n, K); arms at 0 count nothing.

    Returns:
        Shape (n,). Sums of it are what `floored` needs, and add.

    Examples:
        >>> noise(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]), np.array([[0.95, 0.05]]))
        array([20.])
    """
    product = first * second
    drawn = probabilities > 0
    return _across(np.divide(product, probabilities, out=np.zeros(product.shape), where=drawn))


def noise_between(weights: Sequence[Array], probabilities: Array) -> Array:
    """Sums of `noise` over units for every pair of scores, shape (d, d): what `floored` takes.

    Args:
        weights: Of each of the d scores, shape (n, K).
        probabilities: Logged marginal probabilities, shape (n, K).

    Examples:
        >>> arm, other = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
        >>> noise_between([arm, other], np.array([[0.8, 0.2]])).tolist()
        [[5.0, 0.0], [0.0, 1.25]]
    """
    return np.array(
        [[noise(one, other, probabilities).sum() for other in weights] for one in weights]
    )


def floored(moments: Moments, noise: Array, rewards: Moments) -> Moments:
    """The moments of scores, with no contrast of them varying less than chance alone explains.

    A rarely drawn arm with rare events has few events, each of which is a huge score. As long as
    one fewer than usual has come, the mean of its scores and their sample variance are *both* too
    low: the interval is narrow just where it is wrong, and misses a truth above it. What the draw
    does to the scores is known beforehand, though. Were the outcome's variance σ² the same under
    every arm and its mean known, scores Σ_a w(a) ψ(a) with weights v and w would have, given the
    past, the covariance

        σ² · Σ_a v(a) w(a) / p(a).

    σ² is estimated by the pooled variance of all rewards, of which there are many more. With S the
    scatter of the scores and F that floor summed over units, what is returned is S + (F − S)₊, the
    part of F − S with positive eigenvalues: every contrast c then has at least c'Sc and c'Fc, the
    variance of Fieller's m₁ − φ m₀ at every φ included, and where c'Fc is nowhere above c'Sc
    nothing changes at all.

    Assumption: outcomes are about as noisy under a rarely drawn arm as under the others. Of an
    arm whose outcome varies more, the floor is too low, and its own scores still have to tell; of
    one that varies less, it is too high and the interval too wide, which is safe. Variance that
    the running means take away is not credited either.

    Args:
        moments: Of d columns of scores.
        noise: Of `noise_between` for the columns, over the same units, shape (d, d).
        rewards: Of one column: the rewards of the same units.

    Examples:
        >>> silent = Moments.of(np.full((50, 1), 0.1))
        >>> paid = Moments.of(np.arange(50.0)[:, None] % 10 == 0)
        >>> floored(silent, np.array([[50 / 0.05]]), paid).scatter.round(6) / 50
        array([[1.8]])
    """
    floor = noise * (rewards.scatter[0, 0] / max(rewards.n, 1))
    return Moments(n=moments.n, mean=moments.mean, scatter=raised(moments.scatter, floor))


def raised(scatter: Array, floor: Array) -> Array:
    """The scatter S, raised to the floor F wherever it lies below: S + (F − S)₊, as in `floored`.

    Args:
        scatter: Symmetric matrices, shape (..., d, d).
        floor: Likewise. Where one of the two is not finite, neither is the result.
    """
    with np.errstate(invalid="ignore"):
        gap = floor - scatter
    if not np.isfinite(gap).all():
        known = np.isfinite(gap).all(axis=(-2, -1), keepdims=True)
        return np.where(
            known, raised(np.where(known, scatter, 0.0), np.where(known, floor, 0.0)), np.inf
        )
    missing, directions = np.linalg.eigh(gap)
    if (missing <= 0).all():
        return scatter
    lift = directions * missing.clip(min=0.0)[..., None, :]
    return scatter + lift @ np.swapaxes(directions, -1, -2)


def _earlier(rows: Array | NDArray[np.bool_]) -> Array:
    """Sum, down the first axis, of all rows strictly before each."""
    sums = np.zeros(rows.shape, dtype=np.float64)
    np.cumsum(rows[:-1], axis=0, dtype=np.float64, out=sums[1:])
    return sums


def _drawn_to(wider: Array, total: Array, count: Array) -> Array:
    """The mean total / count, drawn to the wider mean by `PRIOR_UNITS` units."""
    return (total + PRIOR_UNITS * wider) / (count + PRIOR_UNITS)


def _across(rows: Array | NDArray[np.bool_]) -> Array:
    """The sum of each row; a product with ones is several times faster than a sum of few."""
    return rows @ np.ones(rows.shape[1])
