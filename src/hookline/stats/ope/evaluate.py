"""Every estimator of a policy's value beside the others, on one log."""

from hookline.stats.ope.estimators import dr, ips, snips
from hookline.stats.ope.intervals import Interval, PolicyValue, unknown
from hookline.stats.ope.mips import mips
from hookline.stats.ope.softening import shrinking, softened, switching
from hookline.stats.ope.weights import Array, Integers, importance_weights, model_values


def off_policy(
    rewards: Array,
    arms: Integers,
    propensities: Array,
    target: Array,
    predictions: Array | None = None,
    *,
    interval: Interval,
    logged: Array | None = None,
    cells: Integers | None = None,
) -> dict[str, PolicyValue]:
    """Estimator's name → what the target policy would have earned a decision.

    `dr`, `switch_dr` and `dros` share one interval.

    Args:
        rewards: Shape (n,); in log order for a sequence.
        arms: Index of the arm served, shape (n,).
        propensities: Probability with which it was drawn, shape (n,).
        target: Probabilities of the policy to evaluate, shape (n, K).
        predictions: q(x_i, a), shape (n, K): cross-fitted, or for a sequence made from earlier
            rows alone (`running_means`). Without them, the estimators that need a model say so.
        interval: How the bounds are made: `OneLook` or `EveryLook`.
        logged: Probability with which each arm could have been drawn, shape (n, K). With `cells`
            it adds `mips`.
        cells: Attribute cell of each arm, shape (K,).

    Raises:
        ValueError: Where shapes differ or a reward is not finite.

    Examples:
        >>> import numpy as np
        >>> from hookline.stats import OneLook
        >>> rng = np.random.default_rng(0)
        >>> arms = np.arange(4_000) % 2
        >>> rewards = (rng.random(4_000) < np.where(arms == 1, 0.3, 0.1)).astype(float)
        >>> better = np.tile([0.0, 1.0], (4_000, 1))
        >>> found = off_policy(
        ...     rewards, arms, np.full(4_000, 0.5), better, interval=OneLook(rng=rng)
        ... )
        >>> f"{found['snips'].low:.2f} < {found['snips'].estimate:.2f} < {found['snips'].high:.2f}"
        '0.27 < 0.29 < 0.31'
    """
    weights = importance_weights(arms, propensities, target)
    found = {
        "ips": ips(rewards, weights, interval=interval),
        "snips": snips(rewards, weights, interval=interval),
        **_with_model(rewards, arms, weights, target, predictions, interval),
    }
    if logged is None or cells is None:
        return found
    return found | {"mips": mips(rewards, arms, logged, target, cells, interval=interval)}


def _with_model(
    rewards: Array,
    arms: Integers,
    weights: Array,
    target: Array,
    predictions: Array | None,
    interval: Interval,
) -> dict[str, PolicyValue]:
    """The estimators that need a reward model, or that they lack it."""
    if predictions is None:
        lacking = unknown(weights, "needs a reward model's predictions")
        return dict.fromkeys(("dr", "switch_dr", "dros"), lacking)
    served, wanted = model_values(arms, target, predictions)
    unbiased = dr(rewards, weights, served, wanted, interval=interval)
    rest = rewards - served
    return {
        "dr": unbiased,
        "switch_dr": softened(unbiased, weights, wanted, rest, switching(weights)),
        "dros": softened(unbiased, weights, wanted, rest, shrinking(weights)),
    }
