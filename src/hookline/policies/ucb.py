"""All on the arm whose value could still be the highest."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from scipy.special import rel_entr

from hookline.policies.base import FLOOR, Array, within
from hookline.policies.tally import Tally, TallyPolicy
from hookline.types import Arm

HALVINGS = 50


class Ucb(TallyPolicy):
    """KL-UCB (Garivier, Cappé 2011): optimism, as far as the data still allows it.

    The index of an arm with mean m̂ after n of t visitors is the largest q with
    n · kl(m̂, q) ≤ width · ln t; kl is that of the Bernoulli law for 0/1 rewards, and of the normal
    law with the pooled variance for money. Arms never seen come first; ties are shared.

    Args:
        width: Multiplies the exploration term, 0 to 10; 1 is the paper's, 0 is greedy.
        floor: Least probability of every arm.
    """

    name: ClassVar[str] = "ucb"

    def __init__(self, *, width: float = 1.0, floor: float = FLOOR) -> None:
        super().__init__(floor=floor)
        self.width = within("width", width, 0, 10)

    def weigh(self, tally: Tally, arms: Sequence[Arm]) -> Array:
        """1 for the arms with the highest index, 0 for the others."""
        del arms
        unseen = tally.visitors == 0
        if unseen.any():
            return unseen.astype(np.float64)
        means = tally.totals / tally.visitors
        budget = self.width * np.log(max(tally.visitors.sum(), 1.0)) / tally.visitors
        if tally.binary:
            index = bernoulli_bound(np.minimum(means, 1.0), budget)
        else:
            index = means + np.sqrt(2 * tally.variance * budget)
        return (index >= index.max()).astype(np.float64)

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(width=self.width, floor=self.floor)


def bernoulli_bound(means: Array, budget: Array) -> Array:
    """The largest q with kl(mean, q) ≤ budget for each arm, by bisection.

    Args:
        means: Shape (arms,), in 0 to 1.
        budget: Shape (arms,), in nats.
    """
    low, high = means.copy(), np.ones_like(means)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        divergence = rel_entr(means, middle) + rel_entr(1 - means, 1 - middle)
        inside = divergence <= budget
        low = np.where(inside, middle, low)
        high = np.where(inside, high, middle)
    return low
