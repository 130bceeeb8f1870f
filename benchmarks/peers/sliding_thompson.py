"""Thompson sampling that forgets all but the latest outcomes."""

from collections import deque
from collections.abc import Sequence
from typing import ClassVar, Self

from hookline.policies.thompson import Thompson
from hookline.types import Arm, Decision


class SlidingThompson(Thompson):
    """Sliding-window Thompson sampling (Trovò et al. 2020) on top of our `thompson`.

    Args:
        window: Outcomes that are remembered, of all arms together; the best of 2,000, 4,000 and
            8,000 on two abrupt and two gradual worlds, seeds 9,000 and 9,001, which
            `benchmarks.drift` does not use.
    """

    name: ClassVar[str] = "sliding_thompson"

    def __init__(self, *, window: int = 8_000) -> None:
        super().__init__(floor=0.0)
        self.window = window
        self._latest: deque[tuple[str, float]] = deque()

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """Adds an outcome, and drops the oldest one where the window is full."""
        super().learn(decision, arms, reward)
        self._latest.append((decision.arm_id, reward))
        if len(self._latest) > self.window:
            arm_id, old = self._latest.popleft()
            self._add(arm_id, -1, -old, -old * old)

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(window=self.window)
