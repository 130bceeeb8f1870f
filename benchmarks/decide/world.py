"""Visitors with 32 traits, arms with attributes and text, and what came of earlier decisions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args

import numpy as np

from hookline.types import (
    Angle,
    Arm,
    Attributes,
    Context,
    CtaStyle,
    Decision,
    Length,
    Proof,
    Tone,
    Trait,
    Urgency,
)

AT: Final = datetime(2026, 1, 5, tzinfo=UTC)
AUDIENCES: Final = ("savers", "hikers", "gifters", "")
LEVELS: Final = {
    "angle": get_args(Angle),
    "tone": get_args(Tone),
    "cta": get_args(CtaStyle),
    "proof": get_args(Proof),
    "urgency": get_args(Urgency),
    "length": get_args(Length),
}
NUMBERS, CATEGORIES, KINDS = 16, 16, 4
"""Traits that are numbers, traits that are categories, and categories of each of these."""
EMBEDDING: Final = 64
"""Length of the vector that stands for an arm's text."""
RATE: Final = 0.1
"""Chance of a click, the same for all: the work does not depend on it."""
VISITORS: Final = 5_000
"""Visitors that a run draws from, all of them in memory where there is one."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request, and what would come of it.

    Attributes:
        context: Who asks, nothing recalled.
        audience_id: Audience they were sorted into.
        served: Place of the arm that was served, evenly drawn.
        reward: 1 for a click, else 0.
    """

    context: Context
    audience_id: str
    served: int
    reward: float


def arms_of(count: int, seed: int) -> list[Arm]:
    """The control and its challengers, each with attributes, a text and the text's vector."""
    rng = np.random.default_rng([seed, count])
    arms = [Arm(id="control", text="Our backpack.", parts={}, control=True)]
    for index in range(1, count):
        text = f"{index} ways to pack light"
        arm = Arm(id=f"copy{index:04d}", text=text, parts={}, attributes=_attributes(rng))
        arms.append(arm)
    return [replace(arm, embedding=_direction(rng)) for arm in arms]


def visits_of(count: int, arms: int, seed: Sequence[int]) -> list[Visit]:
    """So many requests, drawn with replacement from `VISITORS` visitors, a second apart."""
    rng = np.random.default_rng(seed)
    numbers = np.round(rng.gamma(2.0, 20.0, (count, NUMBERS)), 2)
    kinds = rng.integers(0, KINDS, (count, CATEGORIES))
    who = rng.integers(0, VISITORS, count)
    served = rng.integers(0, arms, count)
    clicked = rng.random(count) < RATE
    return [
        Visit(
            context=Context(
                visitor_id=visitor_id(int(who[row])),
                at=AT + timedelta(seconds=row),
                traits=_traits(numbers[row].tolist(), kinds[row].tolist()),
                device=("mobile", "desktop")[row % 2],
            ),
            audience_id=AUDIENCES[row % len(AUDIENCES)],
            served=int(served[row]),
            reward=float(clicked[row]),
        )
        for row in range(count)
    ]


def visitor_id(number: int) -> str:
    """An id as long as a UUID."""
    return f"visitor-{number:028d}"


def even(arms: Sequence[Arm]) -> dict[str, float]:
    """Logged probabilities of arms that were served evenly."""
    return {arm.id: 1 / len(arms) for arm in arms}


def decision_of(
    visit: Visit, arms: Sequence[Arm], probabilities: dict[str, float], context: Context
) -> Decision:
    """The decision that the visit was served by.

    Args:
        visit: The request.
        arms: Among which arms.
        probabilities: `even` of these.
        context: Its context with what was recalled.
    """
    arm_id = arms[visit.served].id
    return Decision(
        id=f"{context.visitor_id} {context.at:%s}",
        experiment_id="benchmark",
        arm_id=arm_id,
        propensity=probabilities[arm_id],
        probabilities=probabilities,
        slice="uniform",
        reason="uniform",
        context=context,
        audience_id=visit.audience_id,
    )


def _traits(numbers: Sequence[float], kinds: Sequence[int]) -> dict[str, Trait]:
    traits: dict[str, Trait] = {f"number{place}": value for place, value in enumerate(numbers)}
    return traits | {f"kind{place}": f"level{value}" for place, value in enumerate(kinds)}


def _attributes(rng: np.random.Generator) -> Attributes:
    drawn: dict[str, Any] = {
        name: levels[int(rng.integers(len(levels)))] for name, levels in LEVELS.items()
    }
    return Attributes(**drawn)


def _direction(rng: np.random.Generator) -> tuple[float, ...]:
    drawn = rng.standard_normal(EMBEDDING)
    return tuple((drawn / np.linalg.norm(drawn)).tolist())
