"""Every arm equally often, whatever happens."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from hookline.policies.base import Array
from hookline.policies.tally import Tally, TallyPolicy
from hookline.types import Arm


class Uniform(TallyPolicy):
    """The classical A/B test: equal shares to the end. It keeps the tally, and ignores it."""

    name: ClassVar[str] = "uniform"

    def weigh(self, tally: Tally, arms: Sequence[Arm]) -> Array:
        """The same weight for every arm."""
        del arms
        return np.ones(tally.visitors.size)

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(floor=self.floor)
