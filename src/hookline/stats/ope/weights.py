"""How much likelier a policy was to do what the log did, and what a model expects of it."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def importance_weights(arms: Integers, propensities: Array, target: Array) -> Array:
    """How much likelier the target policy was to draw each served arm: w = π(A | x) / p.

    Args:
        arms: Index of the arm served, shape (n,).
        propensities: Probability with which it was drawn, shape (n,).
        target: Probabilities of the policy to evaluate, shape (n, K), rows summing to 1.

    Returns:
        Shape (n,); nan where the propensity is missing or outside (0, 1]; 1 over a number below
        2e-308 has no number, and is taken for 0.

    Raises:
        ValueError: Where shapes differ, an arm is not the target's or `target` holds no
            probabilities.

    Examples:
        >>> even = np.full((2, 2), 0.5)
        >>> importance_weights(np.array([0, 1]), np.array([0.25, 0.0]), even)
        array([ 2., nan])
    """
    n = len(target)
    if arms.shape != (n,) or propensities.shape != (n,):
        raise ValueError(f"{n} rows need {n} arms and propensities")
    check_arms(arms, target.shape[1])
    check_probabilities(target, "the target policy")
    known = (propensities >= np.finfo(np.float64).tiny) & (propensities <= 1)
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
        ValueError: Where shapes differ, an arm is not the target's or a prediction is not finite.
    """
    if predictions.shape != target.shape or arms.shape != target.shape[:1]:
        raise ValueError(f"predictions and target must both have a row for each of {len(arms)}")
    check_arms(arms, target.shape[1])
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
    most = float(weights.max(initial=0.0))
    if not most > 0:
        return 0.0
    parts = weights / most  # so that no square is too large
    return float(parts.sum()) ** 2 / float((parts**2).sum())


def check_arms(arms: Integers, count: int) -> None:
    """Raises ValueError unless every index is that of one of the arms."""
    if len(arms) and not (arms.min() >= 0 and arms.max() < count):
        raise ValueError(f"an arm's index is outside the {count} arms")


def check_probabilities(rows: Array, whose: str) -> None:
    """Raises ValueError unless every row of the table is probabilities that sum to 1."""
    if not ((rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=1e-6)):
        raise ValueError(f"every row of {whose} must be probabilities that sum to 1")


def check_rewards(rewards: Array, weights: Array) -> None:
    """Raises ValueError unless there is one finite reward for each weight."""
    if rewards.shape != weights.shape or rewards.ndim != 1:
        raise ValueError(f"{len(weights)} weights need as many rewards, not {rewards.shape}")
    if not np.isfinite(rewards).all():
        raise ValueError("rewards must be finite")
