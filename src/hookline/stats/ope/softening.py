"""Doubly robust estimates with large weights made smaller, for a steadier point."""

from collections.abc import Callable
from dataclasses import replace
from math import inf

import numpy as np

from hookline.stats.ope.estimators import dr
from hookline.stats.ope.intervals import Interval, PolicyValue
from hookline.stats.ope.weights import Array

Softening = tuple[Callable[[Array, float], Array], list[float]]
"""How a parameter makes large weights smaller, and the parameters to try."""


def switch_dr(
    rewards: Array,
    weights: Array,
    served: Array,
    wanted: Array,
    *,
    interval: Interval,
    parameter: float | None = None,
) -> PolicyValue:
    """`dr` that trusts the model alone where the weight is above a threshold τ.

        mean of  Σ_a π(a | x_i) q(x_i, a) + w_i · 1[w_i ≤ τ] · (Y_i − q(x_i, A_i))

    Biased by what the model gets wrong where it is trusted. τ, standard error and interval are had
    as in `dros`; the candidates are quantiles of the weights, from .5 to 1.

    Source: Wang, Agarwal and Dudík (2017, ICML, arXiv 1612.01205).

    Arguments as for `dr`, and `parameter`: τ, at least 0; None chooses it.

    Raises:
        ValueError: Where shapes differ, a reward is not finite or τ is below 0.
    """
    unbiased = dr(rewards, weights, served, wanted, interval=interval)
    return softened(unbiased, weights, wanted, rewards - served, switching(weights, parameter))


def dros(
    rewards: Array,
    weights: Array,
    served: Array,
    wanted: Array,
    *,
    interval: Interval,
    parameter: float | None = None,
) -> PolicyValue:
    """`dr` with optimistically shrunk weights: large ones count for less, smoothly.

        mean of  Σ_a π(a | x_i) q(x_i, a) + ŵ_i (Y_i − q(x_i, A_i)),    ŵ = λ w / (λ + w²)

    λ = ∞ is `dr`, λ = 0 the model alone. With v the scores' variance and d_i = (w_i − ŵ_i)(Y_i −
    q(x_i, A_i)) what shrinking takes off row i, the bias is estimated by −mean(d), and λ is the
    candidate with the least bound on the mean squared error

        v(λ) / n + mean(d)² + var(d) / n

    The last term raises the bias by its own uncertainty. Without it a model that was fitted on
    the same log looks as if it had no error at all: v does not see the model's. Candidates are ∞
    and 13 λ from 100 down to .0001 of the largest squared weight.

    The standard error and interval are those of `dr`, which is this estimate less its estimated
    bias, stretched to hold the estimate. Shrinking buys a steadier point, not a narrower interval:
    none that is narrower for it covers whatever the model is (Low 1997, Annals of Statistics 25).

    Source: Su, Dimakopoulou, Krishnamurthy and Dudík (2020, ICML, arXiv 1907.09623): the weights,
    and choosing by variance plus a squared bound on the bias. The Open Bandit Pipeline (Saito et
    al. 2020, arXiv 2008.07146) adds Bernstein's inequality to |mean(d)|; here it is var(d) / n.

    Arguments as for `dr`, and `parameter`: λ, at least 0; None chooses it.

    Raises:
        ValueError: Where shapes differ, a reward is not finite or λ is below 0.
    """
    unbiased = dr(rewards, weights, served, wanted, interval=interval)
    return softened(unbiased, weights, wanted, rewards - served, shrinking(weights, parameter))


def switched(weights: Array, threshold: float) -> Array:
    """The weights up to a threshold τ, and 0 for those above it.

    Raises:
        ValueError: Where the threshold is below 0 or nan.

    Examples:
        >>> switched(np.array([0.5, 1.0, 3.0]), 1.0)
        array([0.5, 1. , 0. ])
    """
    if not threshold >= 0:
        raise ValueError(f"the threshold must be 0 or above, not {threshold}")
    return np.where(weights <= threshold, weights, 0.0)


def shrunk(weights: Array, strength: float) -> Array:
    """The optimistically shrunk weights λ w / (λ + w²): w itself for λ = ∞, 0 for λ = 0.

    Raises:
        ValueError: Where λ is below 0 or nan.

    Examples:
        >>> shrunk(np.array([0.0, 1.0, 3.0]), 1.0)
        array([0. , 0.5, 0.3])
    """
    if not strength >= 0:
        raise ValueError(f"λ must be 0 or above, not {strength}")
    if strength == 0:
        return np.zeros_like(weights)
    return weights / (1 + weights**2 / strength)


def switching(weights: Array, parameter: float | None = None) -> Softening:
    """Switch-DR's weights and the thresholds to try: the one given, or quantiles of the weights."""
    if parameter is not None:
        return switched, [parameter]
    shown = weights[weights > 0]
    if not len(shown):
        return switched, []
    return switched, np.unique(np.quantile(shown, np.linspace(0.5, 1, 11)))[::-1].tolist()


def shrinking(weights: Array, parameter: float | None = None) -> Softening:
    """DRos's weights and the λ to try: the one given, or a ladder below and above the weights."""
    if parameter is not None:
        return shrunk, [parameter]
    top = float(weights.max(initial=0.0)) ** 2
    return shrunk, [inf, *(np.geomspace(1e2, 1e-4, 13) * top).tolist()]


def softened(
    unbiased: PolicyValue,
    weights: Array,
    wanted: Array,
    residuals: Array,
    softening: Softening,
) -> PolicyValue:
    """The value under the softened weights with the least bound, in `dr`'s interval; see `dros`."""
    if unbiased.estimate is None:
        return unbiased
    soften, candidates = softening
    n, least, value, parameter = len(weights), inf, 0.0, None
    for candidate in candidates:
        soft = soften(weights, candidate)
        scores, taken = wanted + soft * residuals, (weights - soft) * residuals
        variance = float(scores.var(ddof=1) + taken.var(ddof=1))
        bound = variance / n + float(taken.mean()) ** 2
        if bound < least:
            least, value, parameter = bound, float(scores.mean()), candidate
    low, high = unbiased.low, unbiased.high
    return replace(
        unbiased,
        estimate=value,
        low=None if low is None else min(low, value),
        high=None if high is None else max(high, value),
        parameter=parameter,
    )
