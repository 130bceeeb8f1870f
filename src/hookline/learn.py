"""Outcomes in log order → what every policy has learned → a snapshot.

The learner is a fold over the log: its state after a row depends on the rows up to it and on
nothing else — no clock, no thread, no batch size. That is why `replay` gives the live snapshot
back bit for bit. Time is the log's own: the newest time any row was written.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from hookline.errors import BadInput
from hookline.events import Change, Ledger, Settled
from hookline.policies import Policy, make_policy
from hookline.types import (
    Action,
    Arm,
    Decision,
    Event,
    Experiment,
    LogRow,
    Outcome,
    Snapshot,
    content_hash,
    loads,
)

_START = datetime(1970, 1, 1, tzinfo=UTC)


class Learner:
    """Everything learned from the log so far.

    Attributes:
        ledger: Outcome of every decision.
        experiments: Experiment id → the experiment as the log last had it.
        policies: Experiment id → its policy, as learned.
        log_seq: Position of the last row taken in.
        now: Newest time of any row.
        late: Number of events that re-scored an outcome whose window had closed.
    """

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.experiments: dict[str, Experiment] = {}
        self.policies: dict[str, Policy] = {}
        self.log_seq = 0
        self.now = _START
        self.late = 0
        self._learned: set[str] = set()

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
                self.ledger.record(decision)
        elif row.kind == "event":
            for change in self.ledger.apply(loads(row.body, Event)):
                self._changed(change)
        elif (experiment := loads(row.body, Action).experiment) is not None:
            self._defined(experiment)

    def _defined(self, experiment: Experiment) -> None:
        self.experiments[experiment.id] = experiment
        self.ledger.open(experiment)
        if experiment.id not in self.policies:
            self.policies[experiment.id] = make_policy(experiment.policy, experiment.policy_params)

    def _settled(self, outcome: Outcome, which: Settled) -> None:
        objective = self.experiments[outcome.decision.experiment_id].objective
        if outcome.exposed and which == ("click" if objective == "clicks" else "order"):
            self._learn(outcome)

    def _changed(self, change: Change) -> None:
        decision = change.after.decision
        objective = self.experiments[decision.experiment_id].objective
        self.late += change.late
        if decision.id in self._learned:
            delta = change.after.value(objective) - change.before.value(objective)
            if delta:
                self.policies[decision.experiment_id].correct(decision, self._arms(decision), delta)
            return
        settled = (
            change.after.click_settled if objective == "clicks" else change.after.order_settled
        )
        if settled and change.after.exposed:
            self._learn(change.after)

    def _learn(self, outcome: Outcome) -> None:
        decision = outcome.decision
        if decision.slice == "fallback":
            return
        reward = outcome.value(self.experiments[decision.experiment_id].objective)
        self._learned.add(decision.id)
        self.policies[decision.experiment_id].learn(decision, self._arms(decision), reward)

    def _arms(self, decision: Decision) -> Sequence[Arm]:
        arms = self.experiments[decision.experiment_id].arms
        return [arm for arm in arms if arm.id in decision.probabilities]

    def snapshot(self) -> Snapshot:
        """All that was learned, as one versioned record."""
        states = {key: policy.dump() for key, policy in sorted(self.policies.items())}
        return Snapshot(
            version=content_hash(self.log_seq, states),
            log_seq=self.log_seq,
            at=self.now,
            states=states,
        )


def policies_of(snapshot: Snapshot, experiments: Sequence[Experiment]) -> dict[str, Policy]:
    """Serving copies of the snapshot's policies, by experiment id."""
    policies: dict[str, Policy] = {}
    for experiment in experiments:
        policy = make_policy(experiment.policy, experiment.policy_params)
        if (state := snapshot.states.get(experiment.id)) is not None:
            policy.load(state)
        policies[experiment.id] = policy
    return policies
