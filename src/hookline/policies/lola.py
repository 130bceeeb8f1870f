"""LOLA: a language model's guess as if it were traffic already seen, and optimism about both."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from hookline.policies.base import FLOOR, Array, within
from hookline.policies.tally import Tally, TallyPolicy
from hookline.types import Arm


class Lola(TallyPolicy):
    """LLM-2UCBs (Ye, Yoganarasimhan, Zheng, Marketing Science 2025), as published.

    After t visitors, all traffic goes to the arm with the highest

        min { m̂ + z √(ln(t + 2) / n),  (N p + n m̂) / (N + n) + z √(ln(t + 2) / (N + n)) }

    with m̂ its mean of n visitors, and p the guess, worth N visitors. An arm nobody saw has only the
    second. The paper's policy is deterministic; the floor is ours.

    Args:
        level: Click rate of a typical line; an arm's guess is this times its forecast ratio.
        width: z; .08 is the paper's.
        auxiliary: N, the visitors that a guess is worth, 1 to 1 billion; 1,000 is the paper's.
        floor: Least probability of every arm.
    """

    name: ClassVar[str] = "lola"

    def __init__(
        self,
        *,
        level: float = 0.015,
        width: float = 0.08,
        auxiliary: float = 1000,
        floor: float = FLOOR,
    ) -> None:
        super().__init__(floor=floor)
        self.level = within("level", level, 1e-9, 1e9)
        self.width = within("width", width, 0, 10)
        self.auxiliary = within("auxiliary", auxiliary, 1, 1e9)

    def weigh(self, tally: Tally, arms: Sequence[Arm]) -> Array:
        """1 for the arms with the highest index, 0 for the others."""
        means = [arm.forecast.mean if arm.forecast else 0.0 for arm in arms]
        index = lola_index(
            tally.totals / tally.unit,
            tally.visitors,
            self.level * np.exp(np.array(means)),
            width=self.width,
            auxiliary=self.auxiliary,
        )
        return (index >= index.max()).astype(np.float64)

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(
            level=self.level, width=self.width, auxiliary=self.auxiliary, floor=self.floor
        )


def lola_index(
    clicks: Array, shown: Array, guess: Array, *, width: float = 0.08, auxiliary: float = 1000
) -> Array:
    """The index of each arm; the highest is played.

    Args:
        clicks: Clicks so far, shape (..., arms).
        shown: Visitors so far, same shape.
        guess: Guessed click rates, same shape.
        width: z of the paper.
        auxiliary: Visitors that a guess is worth, at least 1.

    Examples:
        >>> none = np.zeros(2)
        >>> lola_index(none, none, np.array([0.01, 0.02]), width=0.0).tolist()
        [0.01, 0.02]
    """
    bonus = width * np.sqrt(np.log(shown.sum(axis=-1, keepdims=True) + 2))
    both = shown + auxiliary
    index = (clicks + auxiliary * guess + bonus * np.sqrt(both)) / both
    own = np.full_like(index, np.inf)
    np.divide(clicks + bonus * np.sqrt(shown), shown, out=own, where=shown > 0)
    return np.minimum(own, index)
