"""Outcomes in log order → what every policy has learned → a snapshot.

The learner is a fold over the log: its state after a row depends on the rows up to it and on
nothing else — no clock, no thread, no batch size. That is why `replay` gives the live snapshot
back bit for bit. Time is the log's own: the newest time any row was written.

A candidate is an apprentice first: it is taught every lesson of its experiment so far, in the order
in which they were learned, so it knows what it would know had it been there from the start. From
then on policy and candidate learn side by side, whoever of the two decides.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from hookline.errors import BadInput
from hookline.events import Change, Ledger, Settled
from hookline.experiment import Post, posts
from hookline.memory import EPISODES, Memory
from hookline.policies import Policy, make_policy
from hookline.types import (
    Action,
    Arm,
    Decision,
    Event,
    Experiment,
    LogRow,
    Metric,
    Outcome,
    Snapshot,
    content_hash,
    loads,
)

_START = datetime(1970, 1, 1, tzinfo=UTC)
FORGET = "forget"
"""Verb of the action that erases what is remembered of the visitor who is its subject."""


class Learned(NamedTuple):
    """A settled reward; `arms` are all of the experiment's, as they were then."""

    decision: Decision
    arms: Sequence[Arm]
    reward: float


class Corrected(NamedTuple):
    """The change of a reward that was learned before."""

    decision: Decision
    arms: Sequence[Arm]
    delta: float


class Forgotten(NamedTuple):
    """A visitor of whom nothing is to be remembered."""

    visitor_id: str


Lesson = Learned | Corrected | Forgotten


def teach(policy: Policy, lesson: Lesson) -> None:
    """Has the policy take in one lesson."""
    if isinstance(lesson, Forgotten):
        policy.forget(lesson.visitor_id)
        return
    decision = lesson.decision
    arms = [arm for arm in lesson.arms if arm.id in decision.probabilities]
    if isinstance(lesson, Learned):
        policy.learn(decision, arms, lesson.reward)
    else:
        policy.correct(decision, arms, lesson.delta)


class Learner:
    """Everything learned from the log so far.

    Attributes:
        ledger: Outcome of every decision.
        experiments: Experiment id → the experiment as the log last had it.
        policies: Key of `posts` → policy, as learned: experiments' own and their candidates.
        memory: What every visitor was shown.
        log_seq: Position of the last row taken in.
        now: Newest time of any row.
        late: Number of events that re-scored an outcome whose window had closed.
    """

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.experiments: dict[str, Experiment] = {}
        self.policies: dict[str, Policy] = {}
        self.memory = Memory()
        self.log_seq = 0
        self.now = _START
        self.late = 0
        self._learned: set[str] = set()
        self._forgotten: dict[str, int] = {}
        self._lessons: dict[str, list[Lesson]] = {}

    def take(self, rows: Sequence[LogRow]) -> None:
        """Takes in the next rows of the log, in order.

        Raises:
            BadInput: Where a row comes twice or out of order.
        """
        for row in rows:
            if row.seq <= self.log_seq:
                raise BadInput(f"log row {row.seq} comes after row {self.log_seq}")
            self.now = max(self.now, row.at)
            for outcome, which in self.ledger.settle(self.now):
                self._settled(outcome, which)
            self._step(row)
            self.log_seq = row.seq

    def _step(self, row: LogRow) -> None:
        if row.kind == "decision":
            decision = loads(row.body, Decision)
            if decision.experiment_id in self.experiments:
                self._record(decision)
        elif row.kind == "event":
            for change in self.ledger.apply(loads(row.body, Event)):
                self._changed(change)
        else:
            action = loads(row.body, Action)
            if action.experiment is not None:
                self._define(action.experiment)
            elif action.verb == FORGET:
                self._forget(action.subject)

    def _define(self, experiment: Experiment) -> None:
        """Takes in an experiment as it is from here on; who is new in it learns all it missed."""
        before = self.experiments.get(experiment.id)
        self.experiments[experiment.id] = experiment
        self.ledger.open(experiment)
        self.policies = staffed(
            self.policies,
            before,
            experiment,
            hire=lambda _key, post: self._apprentice(experiment.id, post),
        )

    def _apprentice(self, experiment_id: str, post: Post) -> Policy:
        """A policy that was taught all that its experiment has learned so far."""
        policy = make_policy(*post)
        for lesson in self._lessons.get(experiment_id, ()):
            teach(policy, lesson)
        return policy

    def _settled(self, outcome: Outcome, which: Settled) -> None:
        objective = self._objective(outcome.decision)
        if outcome.exposed and which == ("click" if objective == "clicks" else "order"):
            self._learn(outcome)

    def _changed(self, change: Change) -> None:
        objective = self._objective(change.after.decision)
        self.late += change.late
        if change.after.exposed and not change.before.exposed:
            self._show(change.after.decision)
        if change.after.decision.id in self._learned:
            self._correct(change)
            return
        settled = (
            change.after.click_settled if objective == "clicks" else change.after.order_settled
        )
        if settled and change.after.exposed:
            self._learn(change.after)

    # --- the moments at which something is remembered or forgotten --------------------------------

    def _record(self, decision: Decision) -> None:
        """A decision was made; nothing is known of its outcome yet."""
        visitor_id = decision.context.visitor_id
        if visitor_id not in self.memory:
            self._remind(visitor_id)
        self.ledger.record(decision)

    def _remind(self, visitor_id: str) -> None:
        """Brings back the past of a visitor for whom there was no room left in the memory."""
        outcomes = self.ledger.of_visitor(visitor_id)[self._forgotten.get(visitor_id, 0) :]
        for outcome in [outcome for outcome in outcomes if outcome.exposed][-EPISODES:]:
            self._show(outcome.decision)
            if outcome.decision.id in self._learned:
                reward = outcome.value(self._objective(outcome.decision))
                self.memory.settle(outcome.decision, reward, again=True)

    def _show(self, decision: Decision) -> None:
        """A copy was in fact shown."""
        arms = self.experiments[decision.experiment_id].arms
        arm = next((arm for arm in arms if arm.id == decision.arm_id), None)
        if arm is not None:
            self.memory.show(decision, arm)

    def _objective(self, decision: Decision) -> Metric:
        return self.experiments[decision.experiment_id].objective

    def _learn(self, outcome: Outcome) -> None:
        """The outcome of a decision is settled."""
        decision = outcome.decision
        if decision.slice == "fallback":
            return
        experiment = self.experiments[decision.experiment_id]
        reward = outcome.value(experiment.objective)
        self._learned.add(decision.id)
        self.memory.settle(decision, reward)
        self._teach(experiment, Learned(decision, experiment.arms, reward))

    def _correct(self, change: Change) -> None:
        """An outcome that was learned from has changed."""
        decision = change.after.decision
        experiment = self.experiments[decision.experiment_id]
        delta = change.after.value(experiment.objective) - change.before.value(experiment.objective)
        if delta:
            self.memory.correct(decision, delta)
            self._teach(experiment, Corrected(decision, experiment.arms, delta))

    def _forget(self, visitor_id: str) -> None:
        """What is remembered of one visitor is to go, everywhere."""
        self.memory.forget(visitor_id)
        self._forgotten[visitor_id] = len(self.ledger.of_visitor(visitor_id))
        for experiment in self.experiments.values():
            self._teach(experiment, Forgotten(visitor_id))

    def _teach(self, experiment: Experiment, lesson: Lesson) -> None:
        self._lessons.setdefault(experiment.id, []).append(lesson)
        for key in posts(experiment):
            teach(self.policies[key], lesson)

    def snapshot(self) -> Snapshot:
        """All that was learned, as one versioned record."""
        states = {key: policy.dump() for key, policy in sorted(self.policies.items())}
        return Snapshot(
            version=content_hash(self.log_seq, states),
            log_seq=self.log_seq,
            at=self.now,
            states=states,
        )


def staffed(
    policies: Mapping[str, Policy],
    before: Experiment | None,
    after: Experiment,
    *,
    hire: Callable[[str, Post], Policy | None],
) -> dict[str, Policy]:
    """The policies after an experiment has changed; who stays keeps all they have learned.

    A promotion or a rollback only changes who holds which post.

    Args:
        policies: Key of `posts` → policy, for this experiment and any others.
        before: The experiment that `policies` fit; None for a new one.
        after: The experiment as it is now.
        hire: Makes the policy of a key for a post that nobody held; None leaves it empty.
    """
    old = posts(before) if before is not None else {}
    kept = {key: policy for key, policy in policies.items() if key not in old}
    for key, post in posts(after).items():
        held = (policies.get(other) for other, had in old.items() if had == post)
        policy = next(held, None) or hire(key, post)
        if policy is not None:
            kept[key] = policy
    return kept


def policies_of(snapshot: Snapshot, experiments: Sequence[Experiment]) -> dict[str, Policy]:
    """Serving copies of the snapshot's policies, by key of `posts`.

    Args:
        snapshot: What was learned.
        experiments: The experiments as they were when it was taken; a policy that it does not
            know has learned nothing.
    """
    policies: dict[str, Policy] = {}
    for experiment in experiments:
        for key, post in posts(experiment).items():
            policy = make_policy(*post)
            if (state := snapshot.states.get(key)) is not None:
                policy.load(state)
            policies[key] = policy
    return policies


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """A snapshot rebuilt from the log, beside the one that was saved.

    Attributes:
        same: Whether they are equal bit for bit.
    """

    rows: int
    live: Snapshot
    rebuilt: Snapshot
    same: bool


def replayed(live: Snapshot, read: Callable[[int], Sequence[LogRow]]) -> Replay:
    """The snapshot beside one rebuilt from the log by a learner that knows nothing.

    Args:
        live: The snapshot that was saved.
        read: Gives the next log rows above a position; none at the end.
    """
    learner = Learner()
    while rows := [row for row in read(learner.log_seq) if row.seq <= live.log_seq]:
        learner.take(rows)
    rebuilt = learner.snapshot()
    return Replay(rows=learner.log_seq, live=live, rebuilt=rebuilt, same=rebuilt == live)
