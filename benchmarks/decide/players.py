"""Who decides and learns: ours with and without memory, Vowpal Wabbit and MABWiser.

A player turns visits into calls, off the clock, so that what is timed is the library's own work:
for Vowpal Wabbit the text is ready, for MABWiser the vector.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.decide.world import (
    AT,
    AUDIENCES,
    CATEGORIES,
    KINDS,
    NUMBERS,
    VISITORS,
    Visit,
    decision_of,
    even,
    visitor_id,
    visits_of,
)
from hookline.memory import EPISODES, Memory
from hookline.policies import make_policy
from hookline.types import Arm, Context, Decision

Call = Callable[[], object]

SQUARECB: Final = "--cb_explore_adf --squarecb -q ua --quiet"
"""Crosses every fact about the visitor with every fact about the copy, as ours does."""


class Player(ABC):
    """Someone who decides among the same arms and learns from the same outcomes."""

    label: ClassVar[str]

    def __init__(self, arms: Sequence[Arm]) -> None:
        self.arms = arms

    @abstractmethod
    def asks(self, visits: Sequence[Visit]) -> Iterable[Call]:
        """One call per visit, which decides it."""

    @abstractmethod
    def lessons(self, visits: Sequence[Visit]) -> Iterable[Call]:
        """Calls that together learn from all these visits."""


class Ours(Player):
    """`actor_critic` for visitors of whom nothing is remembered."""

    label = "hookline"

    def __init__(self, arms: Sequence[Arm]) -> None:
        super().__init__(arms)
        self.policy = make_policy("actor_critic", {})
        self.shares = even(arms)

    def asks(self, visits: Sequence[Visit]) -> list[Call]:
        """The probabilities of all arms."""
        return [
            partial(self.policy.probabilities, visit.context, visit.audience_id, self.arms)
            for visit in visits
        ]

    def lessons(self, visits: Sequence[Visit]) -> list[Call]:
        """One outcome after the other; the policy gathers them as it sees fit."""
        return [
            partial(
                self.policy.learn,
                decision_of(visit, self.arms, self.shares, visit.context),
                self.arms,
                visit.reward,
            )
            for visit in visits
        ]


class OursWithMemory(Ours):
    """The same for visitors who were shown `EPISODES` copies before: the memory is read too."""

    label = f"hookline, {EPISODES} episodes"

    def __init__(self, arms: Sequence[Arm]) -> None:
        super().__init__(arms)
        self.memory = Memory(visitors=VISITORS)
        past = visits_of(VISITORS, len(arms), (0, len(arms)))
        for number in range(VISITORS):
            for turn in range(EPISODES):
                seen = past[(number * EPISODES + turn) % VISITORS]
                at = AT - timedelta(hours=6 * (EPISODES - turn))
                who = replace(seen.context, visitor_id=visitor_id(number), at=at)
                decision = decision_of(seen, arms, self.shares, who)
                self.memory.show(decision, arms[seen.served])
                self.memory.settle(decision, seen.reward)

    def asks(self, visits: Sequence[Visit]) -> list[Call]:
        """What is remembered, then the probabilities of all arms."""
        return [partial(self._decide, visit) for visit in visits]

    def lessons(self, visits: Sequence[Visit]) -> list[Call]:
        """Writes each showing and its outcome to memory, and learns it."""
        return [
            partial(
                self._learn,
                decision_of(visit, self.arms, self.shares, self._recalled(visit.context)),
                self.arms[visit.served],
                visit.reward,
            )
            for visit in visits
        ]

    def _learn(self, decision: Decision, arm: Arm, reward: float) -> None:
        self.memory.show(decision, arm)
        self.memory.settle(decision, reward)
        self.policy.learn(decision, self.arms, reward)

    def _decide(self, visit: Visit) -> object:
        context = self._recalled(visit.context)
        return self.policy.probabilities(context, visit.audience_id, self.arms)

    def _recalled(self, context: Context) -> Context:
        return replace(context, past=self.memory.recall(context.visitor_id, context.at))


class VowpalWabbit(Player):
    """SquareCB over action-dependent features, visitor × copy crossed; it parses its text."""

    label = "vowpal wabbit, text"

    def __init__(self, arms: Sequence[Arm]) -> None:
        super().__init__(arms)
        self.model: Any = import_module("vowpalwabbit").Workspace(SQUARECB)
        self.copies = [_copy_words(arm) for arm in arms]

    def asks(self, visits: Sequence[Visit]) -> Iterable[Call]:
        """Its distribution over the arms."""
        return [partial(self.model.predict, self.text(visit)) for visit in visits]

    def lessons(self, visits: Sequence[Visit]) -> Iterable[Call]:
        """One update after the other."""
        return [partial(self.model.learn, self.text(visit, labelled=True)) for visit in visits]

    def text(self, visit: Visit, *, labelled: bool = False) -> str:
        """Visitor and arms, a line each; the cost stands before the arm that was served."""
        lines = [f"shared |u {_visitor_words(visit)}", *self.copies]
        if labelled:
            label = f"0:{-visit.reward}:{1 / len(self.arms)}"
            lines[visit.served + 1] = f"{label} {lines[visit.served + 1]}"
        return "\n".join(lines)


class VowpalWabbitParsed(VowpalWabbit):
    """The same with the text parsed off the clock."""

    label = "vowpal wabbit, parsed"

    def asks(self, visits: Sequence[Visit]) -> Iterable[Call]:
        """Its distribution over the arms."""
        return self._parsed(self.model.predict, [self.text(visit) for visit in visits])

    def lessons(self, visits: Sequence[Visit]) -> Iterable[Call]:
        """One update after the other."""
        texts = [self.text(visit, labelled=True) for visit in visits]
        return self._parsed(self.model.learn, texts)

    def _parsed(self, call: Callable[[object], object], texts: Sequence[str]) -> Iterator[Call]:
        """Parses just before each call and gives back after it: parsed examples are large."""
        for text in texts:
            example = self.model.parse(text)
            yield partial(call, example)
            self.model.finish_example(example)


class MabWiser(Player):
    """MABWiser's LinUCB on the visitor's traits; its arms have no features."""

    label = "mabwiser, linucb"

    def __init__(self, arms: Sequence[Arm]) -> None:
        super().__init__(arms)
        package: Any = import_module("mabwiser.mab")
        rule = package.LearningPolicy.LinUCB(alpha=0.2)
        self.model: Any = package.MAB([arm.id for arm in arms], rule)
        self.model.fit(
            [arms[0].id], [0.0], np.zeros((1, 1 + len(AUDIENCES) + NUMBERS + CATEGORIES))
        )

    def asks(self, visits: Sequence[Visit]) -> list[Call]:
        """The arm of its choice."""
        return [partial(self.model.predict, _row(visit)[None, :]) for visit in visits]

    def lessons(self, visits: Sequence[Visit]) -> Iterable[Call]:
        """All at once, as it is made for."""
        served = [self.arms[visit.served].id for visit in visits]
        rewards = [visit.reward for visit in visits]
        rows = np.stack([_row(visit) for visit in visits])
        return [partial(self.model.partial_fit, served, rewards, rows)]


PLAYERS: Final[Mapping[type[Player], str]] = {
    Ours: "hookline",
    OursWithMemory: "hookline",
    VowpalWabbit: "vowpalwabbit",
    VowpalWabbitParsed: "vowpalwabbit",
    MabWiser: "mabwiser",
}
"""Player → package that it needs."""


def installed() -> list[type[Player]]:
    """The players whose packages are here."""
    return [player for player, package in PLAYERS.items() if find_spec(package)]


def _visitor_words(visit: Visit) -> str:
    """The visitor in Vowpal Wabbit's format; numbers are brought to an order of 1."""
    words = [f"audience={visit.audience_id}", f"device={visit.context.device}"]
    for name, value in visit.context.traits.items():
        number = isinstance(value, float)
        words.append(f"{name}:{value / 40:.3f}" if number else f"{name}={value}")
    return " ".join(words)


def _copy_words(arm: Arm) -> str:
    facts: dict[str, str] = asdict(arm.attributes) if arm.attributes else {"human": "yes"}
    return " ".join([f"|a id={arm.id}", *(f"{name}={level}" for name, level in facts.items())])


def _row(visit: Visit) -> NDArray[np.float64]:
    """A constant, the audience, the numbers, and each category as a number of order 1."""
    traits = list(visit.context.traits.values())
    numbers = [value / 40 for value in traits if isinstance(value, float)]
    kinds = [int(value[-1]) / KINDS for value in traits if isinstance(value, str)]
    audience = [float(name == visit.audience_id) for name in AUDIENCES]
    return np.array([1.0, *audience, *numbers, *kinds])
