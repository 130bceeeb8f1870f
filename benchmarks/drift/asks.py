"""Ours asks for new lines: what `AttributePolicy` has learned, one audience after the other."""

from collections.abc import Collection, Sequence
from typing import Final

from hookline.attributes import AttributePolicy
from hookline.types import Arm, Attributes, Audience, Decision

HALF_LIFE_DAYS: Final = 30.0
USUAL: Final = 0.1
"""About what a line brings; only has to be the same for all."""


class Prompts:
    """The attribute policy over the lines of one slate after the other.

    Lines are compared with those that they stood beside, for visitors tire as the weeks go by.
    """

    def __init__(self) -> None:
        self._policy = AttributePolicy(half_life_days=HALF_LIFE_DAYS)
        self._audiences: set[str] = set()

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """Takes in a settled outcome; a human line says nothing about attributes."""
        arm = next(arm for arm in arms if arm.id == decision.arm_id)
        if arm.attributes is None:
            return
        self._audiences.add(decision.audience_id)
        self._policy.learn(
            audience_id=decision.audience_id,
            attributes=arm.attributes,
            reward=reward,
            expected=USUAL,
            at=decision.context.at,
            propensity=decision.propensity,
            test_id=arms[-1].id,
            line_id=arm.id,
        )

    def cells(self, n: int, *, seed: int, taken: Collection[Attributes]) -> Sequence[Attributes]:
        """`n` cells that are not taken, each for the next audience in turn."""
        audiences = sorted(self._audiences) or [""]
        found: list[Attributes] = []
        for turn in range(n):
            name = audiences[turn % len(audiences)]
            audience = Audience(id=name, name=name)
            found += self._policy.propose(audience, 1, seed + turn, [*taken, *found])
        return found
