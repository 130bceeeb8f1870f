"""What policies that look at nothing but past rewards per arm have in common.

They keep three sums per arm: visitors, rewards, squared rewards. Sums are exact for clicks, take a
correction exactly, and know nothing of the order in which outcomes settled.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from hookline.policies.base import FLOOR, Array, Policy, restored
from hookline.types import Arm, Context, Decision, dumps

Sums = tuple[int, float, float]
"""Visitors, sum of rewards, sum of squared rewards."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TallyState:
    """What is learned: arm id → its sums."""

    arms: Mapping[str, Sums]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """The sums of the arms at hand, and of all arms ever seen.

    Attributes:
        visitors: Visitors of each arm, shape (arms,).
        totals: Sum of rewards of each arm, shape (arms,).
        rate: Mean reward of all visitors, with one success in two visitors added.
        variance: Variance of the reward of one visitor, likewise; above 0.
        binary: Whether every reward so far was 0 or 1.
        seen: Visitors of all arms ever seen.
    """

    visitors: Array
    totals: Array
    rate: float
    variance: float
    binary: bool
    seen: float

    @property
    def unit(self) -> float:
        """Variance over mean of the reward: how much one event brings. 1 for clicks."""
        return 1.0 if self.binary else self.variance / self.rate

    @classmethod
    def of(cls, sums: Mapping[str, Sums], arm_ids: Sequence[str]) -> Self:
        """The tally of the named arms; one never seen counts as 0."""
        chosen = np.array([sums.get(arm, (0, 0.0, 0.0)) for arm in arm_ids], dtype=np.float64)
        every = np.array([(0, 0.0, 0.0), *sums.values()], dtype=np.float64).sum(axis=0)
        visitors, total, squares = every.tolist()
        binary = abs(total - squares) <= 1e-9 * max(1.0, squares) and total <= visitors
        success = 1.0 if binary or min(total, squares) <= 0 else squares / total
        rate = (max(total, 0.0) + success) / (visitors + 2)
        moment = (max(squares, 0.0) + success**2) / (visitors + 2)
        return cls(
            visitors=chosen[:, 0],
            totals=np.maximum(chosen[:, 1], 0.0),
            rate=rate,
            variance=max(moment - rate**2, 1e-12 * moment),
            binary=binary,
            seen=visitors,
        )


class TallyPolicy(Policy):
    """A policy whose weights are a function of the tally; they are kept until it changes."""

    def __init__(self, *, floor: float = FLOOR) -> None:
        super().__init__(floor=floor)
        self._sums: dict[str, Sums] = {}
        self._weights: dict[tuple[str, ...], Array] = {}

    @abstractmethod
    def weigh(self, tally: Tally, arms: Sequence[Arm]) -> Array:
        """One non-negative weight per arm, shape (arms,).

        Args:
            tally: What is known of these arms' rewards.
            arms: The arms, in the tally's order.
        """

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        """The weights of `weigh`, the same for every visitor."""
        del context, audience_id  # these policies treat all visitors alike
        key = tuple(arm.id for arm in arms)
        weights = self._weights.get(key)
        if weights is None:
            weights = self.weigh(Tally.of(self._sums, key), arms)
            weights.flags.writeable = False
            self._weights[key] = weights
        return weights

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """Adds one visitor to the sums of the arm served."""
        del arms
        self._add(decision.arm_id, 1, reward, reward * reward)

    def correct(self, decision: Decision, arms: Sequence[Arm], delta: float) -> None:
        """Adds the change to the sums of the arm served.

        The square changes by δ·|δ|: exact where the reward was or becomes 0 (a late click or
        order, a full refund), near enough for a variance otherwise.
        """
        del arms
        self._add(decision.arm_id, 0, delta, delta * abs(delta))

    def dump(self) -> str:
        """The sums as JSON, arms in order of id."""
        return dumps(TallyState(arms=self._sums)).decode()

    def load(self, state: str) -> None:
        """Takes over dumped sums."""
        self._sums = dict(restored(self.name, state, TallyState).arms)
        self._weights = {}

    def _add(self, arm_id: str, visitors: int, reward: float, square: float) -> None:
        have = self._sums.get(arm_id, (0, 0.0, 0.0))
        self._sums[arm_id] = (have[0] + visitors, have[1] + reward, have[2] + square)
        self._weights = {}
