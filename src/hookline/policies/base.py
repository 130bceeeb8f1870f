"""What a policy is: it writes probabilities, and nothing else chooses.

A subclass turns what it knows into one weight per arm (`propose`). The base class makes them
probabilities and lifts every arm to the floor, and `draw` picks by those very numbers, so the
logged propensity is exact by construction. What is learned lives in one JSON text (`dump`,
`load`); constructor arguments are never changed, so `clone` is always fresh.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import inf
from typing import ClassVar, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.types import Arm, Context, Decision, loads

Array = NDArray[np.float64]
State = TypeVar("State")


FLOOR = 0.005
"""Least probability of an arm unless told otherwise. An experiment's uniform slice already gives
every arm its share of the traffic that the statistics need; this only keeps a policy from saying
never."""


class Policy(ABC):
    """A rule for sharing traffic among arms, learned from settled outcomes.

    Args:
        floor: Least probability of every arm, 0 to 0.5; at most 1 / (2 · arms) is ever applied.

    Raises:
        BadInput: Where an argument lies outside its range.
    """

    name: ClassVar[str]
    """Name in `POLICIES`."""

    def __init__(self, *, floor: float = FLOOR) -> None:
        self.floor = within("floor", floor, 0.0, 0.5)

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

    def forget(self, visitor_id: str) -> None:  # noqa: B027 - most keep nothing of a visitor
        """Erases what is remembered of one visitor; sums over many visitors stay as they are.

        A policy that keeps nothing of a single visitor has nothing to do.
        """

    @abstractmethod
    def dump(self) -> str:
        """All that was learned, as JSON text that `load` restores exactly."""

    @abstractmethod
    def load(self, state: str) -> None:
        """Restores what `dump` gave; the policy then acts exactly as the dumped one did.

        Raises:
            BadInput: Where the text is no state of this policy.
        """

    @abstractmethod
    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""

    def probabilities(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        """One probability per arm, each at least the floor, summing to 1.

        Returns:
            Array of shape (len(arms),).

        Raises:
            BadInput: Where there is no arm.
            FloatingPointError: Where `propose` gave weights that are no weights.
        """
        count = len(arms)
        if count == 0:
            raise BadInput("a policy needs at least one arm to choose from")
        weights = self.propose(context, audience_id, arms)
        total = float(weights.sum())
        if not (0 < total < inf and weights.min() >= 0):
            raise FloatingPointError(f"policy {self.name} proposed {weights.tolist()}")
        if count == 1:
            return np.ones(1)
        floor = min(self.floor, 0.5 / count)
        return floor + weights * ((1 - count * floor) / total)


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


def within(parameter: str, value: float, low: float, high: float) -> float:
    """The value, if it lies in its range.

    Raises:
        BadInput: Naming the parameter; also for NaN.
    """
    if not low <= value <= high:
        raise BadInput(f"{parameter} must lie in {low:g} to {high:g}, not {value:g}")
    return value


def restored(policy: str, state: str, kind: type[State]) -> State:
    """The state that `dump` wrote.

    Args:
        policy: Name of the policy, for the message.
        state: JSON text.
        kind: The policy's state record.

    Raises:
        BadInput: Where the text is no such state.
    """
    try:
        return loads(state, kind)
    except msgspec.DecodeError as error:
        raise BadInput(
            f"this is no state of the policy {policy!r} ({error}); replay the log to rebuild it"
        ) from error
