"""What a policy is: it writes probabilities, and nothing else chooses.

A subclass turns what it knows into one probability per arm (`propose`). The base class lifts every
arm to the floor, and `draw` picks by those very numbers, so the logged propensity is exact by
construction. What is learned lives in one JSON text (`dump`, `load`); constructor arguments are
never changed, so `clone` is always fresh.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from hookline.types import Arm, Context, Decision

Array = NDArray[np.float64]


class Policy(ABC):
    """A rule for sharing traffic among arms, learned from settled outcomes.

    Args:
        floor: Least probability of every arm; at most 1 / (2 · arms) is ever applied.
    """

    name: ClassVar[str]
    """Name in `POLICIES`."""

    def __init__(self, *, floor: float = 0.02) -> None:
        if not 0 <= floor <= 0.5:
            raise ValueError(f"floor must lie in 0 to 0.5, not {floor}")
        self.floor = floor

    @abstractmethod
    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        """One non-negative weight per arm, of any positive sum, from the current state alone.

        The order of `arms` is not to matter: a permutation of arms permutes the result.

        Args:
            context: Who is asking.
            audience_id: Audience the visitor was sorted into; may be empty.
            arms: The active arms, at least one, the control among them.

        Returns:
            Array of shape (len(arms),).
        """

    @abstractmethod
    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """Takes in the settled reward of one decision.

        Args:
            decision: What was decided, with context and logged probabilities.
            arms: The arms that decision was made among.
            reward: The objective's value: 0/1, or money.
        """

    @abstractmethod
    def correct(self, decision: Decision, arms: Sequence[Arm], delta: float) -> None:
        """Takes in that the reward of a decision already learned has changed by `delta`."""

    @abstractmethod
    def dump(self) -> str:
        """All that was learned, as JSON text that `load` restores exactly."""

    @abstractmethod
    def load(self, state: str) -> None:
        """Restores what `dump` gave; the policy then acts exactly as the dumped one did."""

    @abstractmethod
    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""

    def probabilities(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        """One probability per arm, each at least the floor, summing to 1.

        Returns:
            Array of shape (len(arms),).
        """
        weights = self.propose(context, audience_id, arms)
        count = len(arms)
        floor = min(self.floor, 0.5 / count)
        total = weights.sum()
        if not (np.isfinite(total) and total > 0 and weights.min() >= 0):
            raise FloatingPointError(f"policy {self.name} proposed {weights.tolist()}")
        return floor + (1 - count * floor) * (weights / total)


def draw(probabilities: Array, uniform: float) -> int:
    """The index that a uniform number in 0 to 1 falls on.

    Args:
        probabilities: Shape (arms,), summing to 1.
        uniform: In [0, 1).

    Examples:
        >>> draw(np.array([0.2, 0.5, 0.3]), 0.65)
        1
    """
    edges = np.cumsum(probabilities)
    above = np.flatnonzero(edges > uniform * edges[-1])
    return int(above[0]) if above.size else len(edges) - 1
