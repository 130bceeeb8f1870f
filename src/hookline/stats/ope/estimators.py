"""The estimators that are a mean of one score a row, or a ratio of two such means."""

from hookline.stats.ope.intervals import Interval, PolicyValue, valued
from hookline.stats.ope.weights import Array, check_rewards


def ips(rewards: Array, weights: Array, *, interval: Interval) -> PolicyValue:
    """Inverse propensity scoring: the mean of w_i · Y_i.

    Unbiased under the module's assumptions, and very noisy where weights are large.

    Source: Horvitz and Thompson (1952, JASA 47).

    Args:
        rewards: Shape (n,).
        weights: From `importance_weights`, shape (n,).
        interval: How the bounds are made.

    Raises:
        ValueError: Where shapes differ or a reward is not finite.
    """
    check_rewards(rewards, weights)
    return valued(rewards, weights, rewards * weights, None, interval)


def snips(rewards: Array, weights: Array, *, interval: Interval) -> PolicyValue:
    """Self-normalised inverse propensity scoring: v = Σ w_i Y_i / Σ w_i.

    Biased by order 1/n, never outside the range of the rewards, and moved by exactly c when c is
    added to each. The standard error is the delta method's, sd(w_i (Y_i − v)) / (√n · mean w).

    Source: Swaminathan and Joachims (2015, NIPS). Arguments as for `ips`.
    """
    check_rewards(rewards, weights)
    return valued(rewards, weights, rewards * weights, weights, interval)


def dr(
    rewards: Array,
    weights: Array,
    served: Array,
    wanted: Array,
    *,
    interval: Interval,
) -> PolicyValue:
    """Doubly robust: the mean of  Σ_a π(a | x_i) q(x_i, a) + w_i · (Y_i − q(x_i, A_i)).

    Unbiased whatever the model q is, as long as q did not see row i; a good q takes variance away.

    Source: Dudík, Langford and Li (2011, ICML, arXiv 1103.4601).

    Args:
        rewards: Shape (n,).
        weights: From `importance_weights`, shape (n,).
        served: q(x_i, A_i), from `model_values`, shape (n,).
        wanted: Σ_a π(a | x_i) q(x_i, a), from `model_values`, shape (n,).
        interval: How the bounds are made.

    Raises:
        ValueError: Where shapes differ or a reward is not finite.
    """
    check_rewards(rewards, weights)
    scores = wanted + weights * (rewards - served)
    return valued(rewards, weights, scores, None, interval)
