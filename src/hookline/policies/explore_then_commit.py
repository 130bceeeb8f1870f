"""Equal shares until every arm has been seen often enough, then all on the best."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from hookline.policies.base import FLOOR, Array, within
from hookline.policies.tally import Tally, TallyPolicy
from hookline.types import Arm


class ExploreThenCommit(TallyPolicy):
    """What a team does by hand: run the test, read the table, ship the winner.

    Args:
        explore: Settled visitors that every arm gets first, 1 to 10 million. An arm that joins
            later gets them too, before the next commitment.
        floor: Least probability of every arm.
    """

    name: ClassVar[str] = "explore_then_commit"

    def __init__(self, *, explore: float = 300, floor: float = FLOOR) -> None:
        super().__init__(floor=floor)
        self.explore = within("explore", explore, 1, 1e7)

    def weigh(self, tally: Tally, arms: Sequence[Arm]) -> Array:
        """Equal weights while exploring; then 1 for the arm with the highest mean, ties shared."""
        del arms
        if tally.visitors.min() < self.explore:
            return np.ones(tally.visitors.size)
        means = tally.totals / tally.visitors
        return (means >= means.max()).astype(np.float64)

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(explore=self.explore, floor=self.floor)
