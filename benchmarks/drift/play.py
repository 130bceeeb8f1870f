"""One contender's ninety days: decide every visit, learn a day late, and be told nothing more."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np

from benchmarks.drift.world import BATCH, REPLACED, Array, World
from hookline.policies import Policy, draw
from hookline.simulate import Showings
from hookline.types import Arm, Attributes, Decision, Episode

GAMMA = 0.99
"""What a shopper's next visit counts of this one, in the long-run value."""


class Remembers(Protocol):
    """A memory of what each shopper was shown and did; `hookline.memory.Memory` is one."""

    def show(self, decision: Decision, arm: Arm) -> None:
        """Keeps that a copy was shown."""
        ...

    def settle(self, decision: Decision, reward: float) -> None:
        """Keeps what came of it."""
        ...

    def recall(self, visitor_id: str, at: datetime) -> tuple[Episode, ...]:
        """What a visitor was shown before, as far as it is known at that time."""
        ...


class Asks(Protocol):
    """Learns which attributes to ask the writer for."""

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """Takes in a settled outcome."""
        ...

    def cells(self, n: int, *, seed: int, taken: Collection[Attributes]) -> Sequence[Attributes]:
        """Cells for `n` new lines, none of them taken."""
        ...


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one contender's choices were truly worth.

    Attributes:
        ctr: Mean chance of a click.
        cvr: Mean chance of an order.
        revenue: Mean expected money of a visit.
        long_run: Mean over shoppers of the discounted money of all their visits.
        regret: Mean chance of a click lost against the best copy of the common slates, unworn.
        daily: Expected clicks of each day.
        seconds: Processor time it took.
    """

    ctr: float
    cvr: float
    revenue: float
    long_run: float
    regret: float
    daily: list[float]
    seconds: float


class Account:
    """Serves copy to the world's shoppers, and keeps how worn each copy is for each of them.

    Attributes:
        worth: Chance of a click, chance of an order and expected money of each visit served so
            far, shape (visits, 3).
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._started = time.process_time()
        self.worth: Array = np.zeros((len(world.visits), 3))
        self._showings = Showings(world.setting.parameters.wear_days)

    def serve(self, index: int, arm: Arm) -> bool:
        """Whether the shopper of a visit clicks on this arm."""
        shop, visit = self.world.shop, self.world.visits[index]
        worn = self._showings.worn(visit.visitor_id, arm.id, visit.day)
        click = self.world.click(visit, arm, worn=worn)
        self._showings.show(visit.visitor_id, arm.id, visit.day)
        self.worth[index] = (
            click,
            shop.expected_order(visit, arm.attributes, click=click),
            shop.expected_revenue(visit, arm.attributes, click=click),
        )
        return bool(self.world.luck[index, 1] < click)

    def run(self) -> Run:
        """The sums, once every visit was served."""
        world = self.world
        clicks, orders, revenue = self.worth.T
        shoppers = len({visit.visitor_id for visit in world.visits})
        return Run(
            ctr=float(clicks.mean()),
            cvr=float(orders.mean()),
            revenue=float(revenue.mean()),
            long_run=float(GAMMA**world.turns @ revenue) / shoppers,
            regret=float((world.best - clicks).mean()),
            daily=np.bincount(world.day, clicks).tolist(),
            seconds=time.process_time() - self._started,
        )


Slates = Sequence[Sequence[Arm]]
"""The arms of each epoch."""


def play(
    world: World,
    *,
    make: Callable[[], Policy],
    memory: Callable[[], Remembers] | None = None,
    slates: Slates | None = None,
) -> Run:
    """What a policy comes to.

    Args:
        world: Where.
        make: Builds the policy.
        memory: Builds the memory that fills `Context.past`; None for no past.
        slates: The arms of each epoch; None for the world's own.
    """
    return _Loop(world, make(), memory() if memory else None, slates or world.slates).run()


def play_asking(
    world: World,
    *,
    make: Callable[[], Policy],
    memory: Callable[[], Remembers] | None = None,
    asks: Callable[[], Asks],
) -> tuple[Run, Slates]:
    """What a policy comes to that says what new lines shall be like, and the arms of each epoch.

    Args:
        world: Where.
        make: Builds the policy.
        memory: As for `play`.
        asks: Builds what asks for new lines.
    """
    loop = _Loop(world, make(), memory() if memory else None, [world.slates[0]], asks())
    return loop.run(), loop.slates


class _Loop:
    """The loop of deciding and learning, with what it has to remember between two visits."""

    def __init__(
        self,
        world: World,
        policy: Policy,
        memory: Remembers | None,
        slates: Slates,
        asks: Asks | None = None,
    ) -> None:
        self.world, self.policy, self.memory, self.asks = world, policy, memory, asks
        self.slates = list(slates)
        self._account = Account(world)
        self._served: list[tuple[Decision, Sequence[Arm], float]] = []
        self._learned = 0

    def run(self) -> Run:
        for index in range(len(self.world.visits)):
            if index % BATCH == 0:
                self._learn(self.world.matured[index // BATCH])
            epoch = self.world.epochs[index]
            while self.asks is not None and epoch >= len(self.slates):
                self.slates.append(self._renewed(self.asks))
            self._decide(index, self.slates[epoch])
        return self._account.run()

    def _learn(self, matured: int) -> None:
        """Hands over the outcomes that have become known, in order."""
        for decision, arms, reward in self._served[self._learned : matured]:
            self.policy.learn(decision, arms, reward)
            if self.memory is not None:
                self.memory.settle(decision, reward)
            if self.asks is not None:
                self.asks.learn(decision, arms, reward)
        self._learned = matured

    def _renewed(self, asks: Asks) -> Sequence[Arm]:
        """The arms of the next epoch."""
        slate = self.slates[-1]
        taken = [arm.attributes for arm in slate if arm.attributes]
        cells = asks.cells(REPLACED, seed=self.world.seed + len(self.slates), taken=taken)
        return self.world.renewed(slate, cells)

    def _decide(self, index: int, arms: Sequence[Arm]) -> None:
        world = self.world
        context, audience_id = world.contexts[index], world.audiences[index]
        if self.memory is not None:
            context = replace(context, past=self.memory.recall(context.visitor_id, context.at))
        shares = self.policy.probabilities(context, audience_id, arms)
        place = draw(shares, float(world.luck[index, 0]))
        decision = Decision(
            id=context.visit_id,
            experiment_id="drift",
            arm_id=arms[place].id,
            propensity=float(shares[place]),
            probabilities={arm.id: p for arm, p in zip(arms, shares.tolist(), strict=True)},
            slice="policy",
            reason="policy",
            context=context,
            audience_id=audience_id,
            policy=self.policy.name,
        )
        if self.memory is not None:
            self.memory.show(decision, arms[place])
        self._served.append((decision, arms, float(self._account.serve(index, arms[place]))))
