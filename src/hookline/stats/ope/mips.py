"""Off-policy value by creative attributes: MIPS, for tests with many lines.

With many arms each is drawn seldom and weights π(a) / p(a) are huge. Lines share attributes, though
(angle, tone, call to action), and those are drawn often. If what a line is worth depends on its
attributes alone, weights on them are enough, and far smaller.

Source: Saito and Joachims (2022, ICML, "Off-Policy Evaluation for Large Action Spaces via
Embeddings", arXiv 2202.06317), with p(e | x, a) known: a line's attributes are what they are.
"""

from collections.abc import Hashable, Iterable

import numpy as np

from hookline.stats.ope.intervals import Interval, PolicyValue, unknown, valued
from hookline.stats.ope.weights import (
    Array,
    Integers,
    check_arms,
    check_probabilities,
    check_rewards,
)


def attribute_cells(levels: Iterable[Hashable]) -> Integers:
    """The cell of each arm: arms with equal attributes share one, numbered as they first appear.

    Args:
        levels: Each arm's levels of the attributes that are to count, for example
            `(copy.attributes.angle, copy.attributes.tone)`. Fewer attributes make larger cells:
            less variance, and more that the assumption of `mips` must bear.

    Examples:
        >>> attribute_cells([("price", "calm"), ("price", "urgent"), ("price", "calm")])
        array([0, 1, 0])
    """
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(level, len(seen)) for level in levels], dtype=np.int64)


def marginal_weights(arms: Integers, logged: Array, target: Array, cells: Integers) -> Array:
    """How much likelier the target policy was to show the served line's attributes.

        w_i = Σ_{a in cell of A_i} π(a | x_i) / Σ_{a in cell of A_i} p(a | x_i)

    Args:
        arms: Index of the arm served, shape (n,).
        logged: Probability with which each arm could have been drawn, shape (n, K).
        target: Probabilities of the policy to evaluate, shape (n, K).
        cells: Attribute cell of each arm, from `attribute_cells`, shape (K,).

    Returns:
        Shape (n,); nan where the log says that the served arm could not be drawn.

    Raises:
        ValueError: Where shapes differ, an arm is not among the K, or a row of `logged` or `target`
            is no probabilities.

    Examples:
        >>> logged, target = np.array([[0.5, 0.1, 0.4]]), np.array([[0.0, 0.9, 0.1]])
        >>> marginal_weights(np.array([1]), logged, target, np.array([0, 0, 1]))
        array([1.5])
    """
    n, count = len(target), target.shape[1]
    if logged.shape != (n, count) or arms.shape != (n,) or cells.shape != (count,):
        raise ValueError(f"{n} rows of {count} arms need as many logged rows, arms and cells")
    check_arms(arms, count)
    check_probabilities(logged, "the log")
    check_probabilities(target, "the target policy")
    rows: Integers = np.arange(n, dtype=np.int64)
    held = cells[arms]
    drawn, wanted = _by_cell(logged, cells)[rows, held], _by_cell(target, cells)[rows, held]
    known = logged[rows, arms] > 0
    return np.divide(wanted, drawn, out=np.full(n, np.nan), where=known)


def mips(
    rewards: Array,
    arms: Integers,
    logged: Array,
    target: Array,
    cells: Integers,
    *,
    interval: Interval,
) -> PolicyValue:
    """Marginalised inverse propensity scoring: `ips` with `marginal_weights`.

    Unbiased if lines in the same cell are worth the same to the same visitor (*no direct effect* of
    a line beyond its attributes), and if every cell the target shows could have been drawn. Single
    arms need no support. Where lines of a cell differ in worth, the bias is that difference times
    the shift of the target within the cell; nothing in the log's weights gives it away. With a cell
    for every arm it is `ips`, and its weights are never more spread than those.

    Args:
        rewards: Shape (n,).
        arms: Index of the arm served, shape (n,).
        logged: Probability with which each arm could have been drawn, shape (n, K):
            `Decision.probabilities`.
        target: Probabilities of the policy to evaluate, shape (n, K).
        cells: Attribute cell of each arm, from `attribute_cells`, shape (K,).
        interval: How the bounds are made.

    Raises:
        ValueError: As in `marginal_weights`, or where a reward is not finite.

    Examples:
        >>> from hookline.stats import OneLook
        >>> rng = np.random.default_rng(0)
        >>> logged, target = np.full((4_000, 4), 0.25), np.tile([0.0, 0.0, 0.0, 1.0], (4_000, 1))
        >>> arms, cells = rng.integers(4, size=4_000), np.array([0, 0, 1, 1])
        >>> rewards = (rng.random(4_000) < np.where(arms < 2, 0.1, 0.3)).astype(float)
        >>> found = mips(rewards, arms, logged, target, cells, interval=OneLook(rng=rng))
        >>> f"{found.estimate:.2f} from {found.effective:.0f} effective rows"
        '0.30 from 2029 effective rows'
    """
    weights = marginal_weights(arms, logged, target, cells)
    check_rewards(rewards, weights)
    if len(np.unique(cells)) == 1:
        return unknown(weights, "all arms have the same attributes, so these tell no policy apart")
    beyond = (_by_cell(target, cells) > 0) & (_by_cell(logged, cells) <= 0)
    if lost := int(beyond.any(axis=1).sum()):
        reason = f"on {lost} of {len(arms)} rows the policy shows attributes the log never could"
        return unknown(weights, reason)
    return valued(rewards, weights, rewards * weights, None, interval)


def _by_cell(probabilities: Array, cells: Integers) -> Array:
    """Probability of each cell, shape (n, cells)."""
    members: Array = np.eye(int(cells.max(initial=0)) + 1)[cells]
    return probabilities @ members
