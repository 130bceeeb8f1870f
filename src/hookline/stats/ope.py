"""What another policy would have earned, from a log that this one made: off-policy evaluation.

    log (reward, arm, propensity) + target policy's probabilities → importance weights
    → estimators `ips`, `snips`, `dr`, `switch_dr`, `dros` → `PolicyValue`; `off_policy` is all five

Notation: decision i has context x_i, arm A_i, reward Y_i, and A_i was drawn with propensity p_i.
The target policy would have drawn arm a with π(a | x_i), and a reward model, fitted on other
rows, expects q(x_i, a). The weight is w_i = π(A_i | x_i) / p_i.

Every estimator assumes that p_i is what A_i was really drawn with, that every arm the target shows
could have been drawn (p > 0 wherever π > 0), that a decision's reward does not depend on the
others, and that rows are independent: a visitor's many decisions make the interval too narrow.
The interval holds for one look at a log of fixed size. It is not a confidence sequence.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from hookline.stats.estimate import ALPHA, MIN_EVENTS, MIN_UNITS

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Softening = tuple[Callable[[Array, float], Array], list[float]]
"""How a parameter makes large weights smaller, and the parameters to try."""

RESAMPLES = 1_000
"""Bootstrap samples an interval is read from."""

SLACK = 0.01
"""How far the weights may average from 1, where they should, beyond five standard errors."""

_CHUNK = 200_000
"""Row numbers drawn at a time: they stay in the processor's cache, and memory stays small."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyValue:
    """What a policy would have earned a decision, with an interval for one look.

    Attributes:
        estimate: Mean reward a decision, None where it can't be computed.
        low: Lower bound, None where there is none.
        high: Upper bound, None where there is none.
        standard_error: Of what the interval is made from, None where there is none.
        effective: Kish's effective sample size (Σ w)² / Σ w², 0 where there are no weights.
        parameter: Switch-DR's threshold or DRos's λ as used; None for the others.
        n: Decisions in the log.
        reason: Why something is None; empty otherwise.
    """

    estimate: float | None
    low: float | None
    high: float | None
    standard_error: float | None = None
    effective: float = 0.0
    parameter: float | None = None
    n: int = 0
    reason: str = ""


# --- what the estimators are made from ---------------------------------------------------------


def importance_weights(arms: Integers, propensities: Array, target: Array) -> Array:
    """How much likelier the target policy was to draw each served arm: w = π(A | x) / p.

    Args:
        arms: Index of the arm served, shape (n,).
        propensities: Probability with which it was drawn, shape (n,).
        target: Probabilities of the policy to evaluate, shape (n, K), rows summing to 1.

    Returns:
        Shape (n,); nan where the propensity is missing or outside (0, 1].

    Raises:
        ValueError: Where shapes differ or `target` holds no probabilities.

    Examples:
        >>> even = np.full((2, 2), 0.5)
        >>> importance_weights(np.array([0, 1]), np.array([0.25, 0.0]), even)
        array([ 2., nan])
    """
    n = len(target)
    if arms.shape != (n,) or propensities.shape != (n,):
        raise ValueError(f"{n} rows need {n} arms and propensities")
    if not ((target >= 0).all() and np.allclose(target.sum(axis=1), 1, atol=1e-6)):
        raise ValueError("every row of the target policy must be probabilities that sum to 1")
    known = (propensities > 0) & (propensities <= 1)
    wanted = target[np.arange(n), arms]
    return np.divide(wanted, propensities, out=np.full(n, np.nan), where=known)


def model_values(arms: Integers, target: Array, predictions: Array) -> tuple[Array, Array]:
    """What a reward model expects of each decision: as it was, and as the target would have it.

    Args:
        arms: Index of the arm served, shape (n,).
        target: Probabilities of the policy to evaluate, shape (n, K).
        predictions: q(x_i, a) for every arm, shape (n, K). The model must not have seen row i
            (cross-fitting), else the residuals are too small.

    Returns:
        q(x_i, A_i) and Σ_a π(a | x_i) q(x_i, a), both of shape (n,). The mean of the second is
        the "direct method": no better than the model is.

    Raises:
        ValueError: Where shapes differ or a prediction is not finite.
    """
    if predictions.shape != target.shape or arms.shape != target.shape[:1]:
        raise ValueError(f"predictions and target must both have a row for each of {len(arms)}")
    if not np.isfinite(predictions).all():
        raise ValueError("predictions must be finite")
    return predictions[np.arange(len(arms)), arms], (target * predictions).sum(axis=1)


def effective_sample(weights: Array) -> float:
    """How many equally weighted rows would say as much: (Σ w)² / Σ w², 0 where all are 0.

    Source: Kish (1965), Survey Sampling.

    Examples:
        >>> effective_sample(np.array([1.0, 1.0, 0.0])), effective_sample(np.zeros(2))
        (2.0, 0.0)
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


# --- the estimators ----------------------------------------------------------------------------


def ips(
    rewards: Array,
    weights: Array,
    *,
    rng: np.random.Generator,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
) -> PolicyValue:
    """Inverse propensity scoring: the mean of w_i · Y_i.

    Unbiased under the module's assumptions, and very noisy where weights are large.

    Source: Horvitz and Thompson (1952, JASA 47). Interval: Efron's percentile bootstrap over rows,
    its tails made smaller as Student's t is to the normal with as many units as the effective
    sample (Hesterberg 2015, The American Statistician 69).

    Args:
        rewards: Shape (n,).
        weights: From `importance_weights`, shape (n,).
        rng: Draws the bootstrap samples.
        alpha: Chance that the interval misses.
        resamples: Number of bootstrap samples.

    Raises:
        ValueError: Where shapes differ or a reward is not finite.
    """
    if reason := _shortfall(rewards, weights):
        return _unknown(weights, reason)
    scores = rewards * weights
    means = _resampled(scores[:, None], rng, resamples)[:, 0]
    return _found(float(scores.mean()), scores, means, weights, alpha=alpha)


def snips(
    rewards: Array,
    weights: Array,
    *,
    rng: np.random.Generator,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
) -> PolicyValue:
    """Self-normalised inverse propensity scoring: v = Σ w_i Y_i / Σ w_i.

    Biased by order 1/n, never outside the range of the rewards, and moved by exactly c when c is
    added to each. The standard error is the delta method's, sd(w_i (Y_i − v)) / (√n · mean w).

    Source: Swaminathan and Joachims (2015, NIPS). Arguments as for `ips`.
    """
    if reason := _shortfall(rewards, weights):
        return _unknown(weights, reason)
    value = float((rewards * weights).sum() / weights.sum())
    scores = value + weights * (rewards - value) / weights.mean()
    sums = _resampled(np.column_stack([rewards * weights, weights]), rng, resamples)
    return _found(value, scores, sums[:, 0] / sums[:, 1], weights, alpha=alpha)


def dr(
    rewards: Array,
    weights: Array,
    served: Array,
    wanted: Array,
    *,
    rng: np.random.Generator,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
) -> PolicyValue:
    """Doubly robust: the mean of  Σ_a π(a | x_i) q(x_i, a) + w_i · (Y_i − q(x_i, A_i)).

    Unbiased whatever the model q is, as long as q did not see row i; a good q takes variance away.

    Source: Dudík, Langford and Li (2011, ICML, arXiv 1103.4601).

    Args:
        rewards: Shape (n,).
        weights: From `importance_weights`, shape (n,).
        served: q(x_i, A_i), from `model_values`, shape (n,).
        wanted: Σ_a π(a | x_i) q(x_i, a), from `model_values`, shape (n,).
        rng: Draws the bootstrap samples.
        alpha: Chance that the interval misses.
        resamples: Number of bootstrap samples.

    Raises:
        ValueError: Where shapes differ or a reward is not finite.
    """
    if reason := _shortfall(rewards, weights):
        return _unknown(weights, reason)
    scores = wanted + weights * (rewards - served)
    means = _resampled(scores[:, None], rng, resamples)[:, 0]
    return _found(float(scores.mean()), scores, means, weights, alpha=alpha)


def switch_dr(
    rewards: Array,
    weights: Array,
    served: Array,
    wanted: Array,
    *,
    rng: np.random.Generator,
    parameter: float | None = None,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
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
    unbiased = dr(rewards, weights, served, wanted, rng=rng, alpha=alpha, resamples=resamples)
    return _softened(unbiased, weights, wanted, rewards - served, _switching(weights, parameter))


def dros(
    rewards: Array,
    weights: Array,
    served: Array,
    wanted: Array,
    *,
    rng: np.random.Generator,
    parameter: float | None = None,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
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
    unbiased = dr(rewards, weights, served, wanted, rng=rng, alpha=alpha, resamples=resamples)
    return _softened(unbiased, weights, wanted, rewards - served, _shrinking(weights, parameter))


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


def off_policy(
    rewards: Array,
    arms: Integers,
    propensities: Array,
    target: Array,
    predictions: Array | None = None,
    *,
    rng: np.random.Generator,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
) -> dict[str, PolicyValue]:
    """Estimator's name → what the target policy would have earned a decision.

    The last three share the bootstrap samples.

    Args:
        rewards: Shape (n,).
        arms: Index of the arm served, shape (n,).
        propensities: Probability with which it was drawn, shape (n,).
        target: Probabilities of the policy to evaluate, shape (n, K).
        predictions: Cross-fitted q(x_i, a), shape (n, K). Without them, the estimators that need
            a model say so.
        rng: Draws the bootstrap samples.
        alpha: Chance that an interval misses.
        resamples: Number of bootstrap samples.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> arms = np.arange(4_000) % 2
        >>> rewards = (rng.random(4_000) < np.where(arms == 1, 0.3, 0.1)).astype(float)
        >>> better = np.tile([0.0, 1.0], (4_000, 1))
        >>> found = off_policy(rewards, arms, np.full(4_000, 0.5), better, rng=rng)["snips"]
        >>> f"{found.estimate:.2f} between {found.low:.2f} and {found.high:.2f}"
        '0.29 between 0.27 and 0.31'
    """
    weights = importance_weights(arms, propensities, target)
    found = {
        "ips": ips(rewards, weights, rng=rng, alpha=alpha, resamples=resamples),
        "snips": snips(rewards, weights, rng=rng, alpha=alpha, resamples=resamples),
    }
    if predictions is None:
        lacking = _unknown(weights, "needs a reward model's predictions")
        return found | dict.fromkeys(("dr", "switch_dr", "dros"), lacking)
    served, wanted = model_values(arms, target, predictions)
    unbiased = dr(rewards, weights, served, wanted, rng=rng, alpha=alpha, resamples=resamples)
    rest = rewards - served
    return found | {
        "dr": unbiased,
        "switch_dr": _softened(unbiased, weights, wanted, rest, _switching(weights)),
        "dros": _softened(unbiased, weights, wanted, rest, _shrinking(weights)),
    }


# --- shared steps ------------------------------------------------------------------------------


def _shortfall(rewards: Array, weights: Array) -> str:
    """Why nothing can be said; empty where something can."""
    if rewards.shape != weights.shape or rewards.ndim != 1:
        raise ValueError(f"{len(weights)} weights need as many rewards, not {rewards.shape}")
    if not np.isfinite(rewards).all():
        raise ValueError("rewards must be finite")
    if lost := int(np.isnan(weights).sum()):
        return f"{lost} of {len(weights)} rows have no propensity above 0 and up to 1"
    if (sample := effective_sample(weights)) < MIN_UNITS:
        return f"needs an effective sample of {MIN_UNITS}, has {sample:.0f}"
    if (events := int(((rewards != 0) & (weights > 0)).sum())) < MIN_EVENTS:
        return f"needs {MIN_EVENTS} events on rows the policy could have made, has {events}"
    mean = float(weights.mean())
    if abs(mean - 1) > SLACK + 5 * float(weights.std()) / sqrt(len(weights)):
        reason = "the log lacks what the policy shows, or its propensities are wrong"
        return f"weights average {mean:.2f}, not 1: {reason}"
    return ""


def _unknown(weights: Array, reason: str) -> PolicyValue:
    """The value that says only why there is none."""
    sample = 0.0 if np.isnan(weights).any() else effective_sample(weights)
    return PolicyValue(
        estimate=None, low=None, high=None, effective=sample, n=len(weights), reason=reason
    )


def _resampled(columns: Array, rng: np.random.Generator, resamples: int) -> Array:
    """Column means of bootstrap samples of the rows: shape (resamples, columns)."""
    n = len(columns)
    means = np.empty((resamples, columns.shape[1]))
    step = max(_CHUNK // n, 1)
    for start in range(0, resamples, step):
        rows = rng.integers(n, size=(min(step, resamples - start), n))
        for index, column in enumerate(columns.T.copy()):
            means[start : start + step, index] = column.take(rows).mean(axis=1)
    return means


def _found(
    value: float, scores: Array, means: Array, weights: Array, *, alpha: float
) -> PolicyValue:
    """The value with its percentile interval, or why there is none."""
    error = float(scores.std(ddof=1)) / sqrt(len(scores))
    if error <= 0:
        return _unknown(weights, "every decision was worth the same")
    sample = effective_sample(weights)
    tail = float(ndtr(sqrt(sample / (sample - 1)) * stdtrit(sample - 1, alpha / 2)))
    low, high = np.quantile(means, [tail, 1 - tail], method="weibull").tolist()
    return PolicyValue(
        estimate=value,
        low=low,
        high=high,
        standard_error=error,
        effective=sample,
        n=len(weights),
    )


def _switching(weights: Array, parameter: float | None = None) -> Softening:
    """Switch-DR's weights and the thresholds to try: the one given, or quantiles of the weights."""
    if parameter is not None:
        return switched, [parameter]
    shown = weights[weights > 0]
    if not len(shown):
        return switched, []
    return switched, np.unique(np.quantile(shown, np.linspace(0.5, 1, 11)))[::-1].tolist()


def _shrinking(weights: Array, parameter: float | None = None) -> Softening:
    """DRos's weights and the λ to try: the one given, or a ladder below and above the weights."""
    if parameter is not None:
        return shrunk, [parameter]
    top = float(weights.max(initial=0.0)) ** 2
    return shrunk, [inf, *(np.geomspace(1e2, 1e-4, 13) * top).tolist()]


def _softened(
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
