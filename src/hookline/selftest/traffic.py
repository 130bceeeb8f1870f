"""Simulated visitors, served in batches as a running experiment serves them between snapshots.

Between two snapshots a policy's state stands still, so all visitors who look alike to it get lines
with the same probabilities: these are asked for once a batch and audience, through the very
`experiment.decide` that serves real visitors, and lines are drawn by them. In between the policy
learns what every single visitor of the batch did.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hookline.errors import Refused
from hookline.experiment import audience_of, decide
from hookline.policies import Policy, make_policy, parameters_of
from hookline.policies.tally import Sums, TallyPolicy, TallyState
from hookline.types import (
    ATTRIBUTE_LEVELS,
    Arm,
    Attributes,
    Audience,
    Context,
    Decision,
    Experiment,
    Trait,
    dumps,
)

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

START: Final = datetime(2026, 1, 5, tzinfo=UTC)
"""When simulated tests begin."""


def example(policy: str, arms: int, *, horizon: int, holdout: float, uniform: float) -> Experiment:
    """An experiment over made-up lines, for who has none yet: two audiences, one of them the rest.

    Args:
        policy: Registered name of the policy; it is told the horizon, if it asks for one.
        arms: Lines, the control among them, at least 2.
        horizon: Visitors planned for.
        holdout: Share of visitors who always get the control.
        uniform: Share of visitors who get every line equally often.

    Raises:
        UnregisteredName: Where no policy has that name.
    """
    lines = Experiment(
        id="self-test",
        name="Self-test",
        product_id="product",
        channel_id="onsite_banner",
        arms=tuple(_line(place) for place in range(arms)),
        audiences=(
            Audience(id="regulars", name="Regulars", when={"segment": ("regular",)}),
            Audience(id="others", name="Everybody else"),
        ),
        holdout=holdout,
        uniform=uniform,
        horizon=horizon,
    )
    return under(policy, lines)


def under(policy: str, experiment: Experiment) -> Experiment:
    """The experiment under another policy as it comes, told the horizon if it asks for one.

    Raises:
        UnregisteredName: Where no policy has that name.
    """
    knows_end = "horizon" in parameters_of(policy)
    params = {"horizon": float(experiment.horizon)} if knows_end else {}
    return replace(experiment, policy=policy, policy_params=params)


def _line(place: int) -> Arm:
    """A line of the example: the first is the control, others take angles and tones in turn."""
    text = f"Line number {place}"
    levels = {name: ATTRIBUTE_LEVELS[name] for name in ("angle", "tone")}
    asked = {name: each[place % len(each)] for name, each in levels.items()}
    attributes = Attributes(**asked)  # pyright: ignore[reportArgumentType] - from the table
    return Arm(
        id=f"line-{place}",
        text=text,
        parts={"headline": text},
        attributes=attributes if place else None,
        control=not place,
    )


def edges_of(visitors: int, looks: int, first: int) -> list[int]:
    """Visitors so far at every look: evenly spaced, and halving down to `first` before these.

    So a long test, too, is looked at when it is young and its intervals are least reliable.

    Examples:
        >>> edges_of(1_600, 2, 100)
        [100, 200, 400, 800, 1600]
    """
    even = [round(visitors * look / looks) for look in range(1, looks + 1)]
    early = [even[0] // 2]
    while early[-1] >= first:
        early.append(early[-1] // 2)
    return sorted({edge for edge in (*early[:-1], *even) if edge})


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Batch:
    """Visitors who were served by one state of the policy.

    Attributes:
        audiences: Index of each visitor's audience, shape (n,).
        arms: Index of the line served, shape (n,).
        marginal: Logged probabilities, all slices taken together, shape (audiences, K).
        decisions: A decision of each audience as `decide` made it.
    """

    audiences: Integers
    arms: Integers
    marginal: Array
    decisions: Sequence[Decision]

    @property
    def probabilities(self) -> Array:
        """Logged probabilities of each visitor, shape (n, K)."""
        return self.marginal[self.audiences]


class Traffic:
    """Visitors of one experiment, and the policy that serves them and learns.

    Withdrawn lines and a candidate are left out: what is played is the experiment under its own
    policy. Visitors are told apart by their audience alone; all audiences are equally large.

    Args:
        experiment: Whose lines, policy, audiences and split of the traffic are played.
        rng: Of visitors and draws.

    Raises:
        UnregisteredName: Where the policy is not registered.
        BadInput: Where a parameter of the policy is outside its range.
    """

    def __init__(self, experiment: Experiment, rng: np.random.Generator) -> None:
        arms = tuple(arm for arm in experiment.arms if arm.active)
        self.experiment = replace(experiment, arms=arms, status="running", candidate=None)
        self.contexts = _visitors(self.experiment)
        self._rng = rng
        self._policy = make_policy(experiment.policy, experiment.policy_params)
        self._sums = np.zeros((len(arms), 3))

    @property
    def audiences(self) -> int:
        """Number of audiences that visitors come from."""
        return len(self.contexts)

    def serve(self, visitors: int, at: datetime) -> Batch:
        """The next visitors, each with a line drawn by the policy as it is now.

        Raises:
            Refused: Where some line has no chance at all, so that nothing is learned of it.
        """
        decisions = [
            decide(self.experiment, replace(context, at=at), self._policy, "self-test")
            for context in self.contexts
        ]
        marginal = np.array([list(decision.probabilities.values()) for decision in decisions])
        if not (marginal > 0).all():
            raise Refused(
                "a line has no chance of being shown; give the experiment a uniform slice, or "
                "its policy a floor"
            )
        audiences = self._rng.integers(self.audiences, size=visitors)
        places = self._rng.random(visitors)
        arms = np.empty(visitors, dtype=np.int64)
        for audience, edges in enumerate(np.cumsum(marginal, axis=1)):
            own = audiences == audience
            arms[own] = np.searchsorted(edges[:-1], places[own], side="right")
        return Batch(audiences=audiences, arms=arms, marginal=marginal, decisions=decisions)

    def learn(self, batch: Batch, rewards: Array) -> None:
        """Teaches the policy what each visitor of the batch brought.

        A policy that keeps sums by arm is given the sums: the same state as after visitor by
        visitor (a test compares them), at a fraction of the time.

        Args:
            batch: Whom.
            rewards: Of the experiment's objective, shape (n,).
        """
        policy = self._policy
        if isinstance(policy, TallyPolicy) and _keeps_sums(policy):
            self._sums += _sums_by_arm(batch.arms, rewards, len(self._sums))
            policy.load(_state(self.experiment.arms, self._sums))
            return
        places: list[int] = (batch.audiences * len(self._sums) + batch.arms).tolist()
        served = [
            _served(decision, arm) for decision in batch.decisions for arm in self.experiment.arms
        ]
        for place, reward in zip(places, rewards.tolist(), strict=True):
            policy.learn(served[place], self.experiment.arms, reward)


def _visitors(experiment: Experiment) -> list[Context]:
    """One visitor of every audience that somebody can be sorted into, in order of precedence."""
    found = dict[str, Context]()
    nobody = Audience(id="", name="")
    for audience in (*experiment.audiences, nobody):
        traits: dict[str, Trait] = {
            trait: values[0] for trait, values in audience.when.items() if values
        }
        context = Context(visitor_id="visitor", at=START, traits=traits)
        found.setdefault(audience_of(context, experiment.audiences), context)
    order = [*(audience.id for audience in experiment.audiences), ""]
    return [found[name] for name in order if name in found]


def _keeps_sums(policy: Policy) -> bool:
    """Whether learning is adding to the sums of the arm served, and nothing else."""
    return type(policy).learn is TallyPolicy.learn and type(policy).load is TallyPolicy.load


def _sums_by_arm(arms: Integers, rewards: Array, count: int) -> Array:
    """Visitors, rewards and squared rewards of each arm, shape (K, 3)."""
    each = (np.ones_like(rewards), rewards, rewards**2)
    columns = [np.bincount(arms, weights=weights, minlength=count) for weights in each]
    return np.column_stack(columns).astype(np.float64)


def _state(arms: Sequence[Arm], sums: Array) -> str:
    """The state of a policy that has learned these sums."""
    known: dict[str, Sums] = {
        arm.id: (int(visitors), total, squares)
        for arm, (visitors, total, squares) in zip(arms, sums.tolist(), strict=True)
        if visitors
    }
    return dumps(TallyState(arms=known)).decode()


def _served(decision: Decision, arm: Arm) -> Decision:
    """The decision, had this arm been drawn."""
    return replace(decision, arm_id=arm.id, propensity=decision.probabilities[arm.id])
