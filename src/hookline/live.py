"""The live loop: experiments, decisions, events, learning and the answer.

Decisions are arithmetic in memory. Each waits there a few milliseconds at most until it is written
with the next batch; its token carries it past a crash. Events are on disk when `ingest` returns.
"""

import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hookline import candidate as rival
from hookline import experiment as trial
from hookline import token
from hookline.errors import BadInput, Refused, Unknown
from hookline.events import parse_event, properties_of
from hookline.explain import Trace
from hookline.headstart import with_head_start
from hookline.judgement import GUARD
from hookline.learn import FORGET, Learner, Replay, policies_of, replayed, staffed
from hookline.perceive.encoders import Encoder
from hookline.policies import Policy, make_policy
from hookline.prior import TextPrior
from hookline.report import Analysis, analyze, combine, harm_note, harms
from hookline.store import Aside, Store, audit_row, every, one
from hookline.trials import Trials
from hookline.types import (
    MAX_ID,
    Action,
    Context,
    Copy,
    Decision,
    Event,
    Experiment,
    ExperimentReport,
    LogRow,
    Outcome,
    Product,
    Report,
    Snapshot,
    content_hash,
    dumps,
    loads,
)
from hookline.wire import Comparison, Forgot, Receipt, Refusal, Served, Unused

SHARE_SAMPLE = 200
"""Visitors over whom the policy's present shares are averaged for the report."""
WATCH_EVERY = timedelta(minutes=15)
"""Time by the log between two looks at an experiment's guard metrics."""
_Asked = tuple[int, Experiment]  # what an answer from memory rests on: how far the log was read


class Live(Trials):
    """The running experiments of one Hookline.

    Args:
        store: Where everything is kept; its log is folded before the first decision.
        secret: Key that signs decision tokens; empty keeps one in the store.
        prior: Gives the text prior that new experiments' lines are forecast by, when the first one
            needs it; None forecasts nothing.
        encoder: Gives the encoder of their embeddings, likewise; None leaves them without.
    """

    def __init__(
        self,
        store: Store,
        *,
        secret: bytes = b"",
        prior: Callable[[], TextPrior] | None = None,
        encoder: Callable[[], Encoder] | None = None,
    ) -> None:
        super().__init__(store, prior, encoder)
        self._secret = secret or _kept_secret(store)
        self._deciding = threading.Lock()
        self._logging = threading.Lock()
        self._learning = threading.Lock()
        self._pending: deque[LogRow] = deque()
        self._recent: dict[str, Decision] = {}
        self._recent_visitors: set[str] = set()
        self._duplicates = self._kept_duplicates = int(store.get("meta", "duplicates") or 0)
        self._learner = Learner()
        self._analyses: dict[str, tuple[_Asked, Analysis]] = {}
        self._comparisons: dict[str, tuple[_Asked, Comparison]] = {}
        self._watched: dict[str, datetime] = {}
        self._serving: tuple[str, dict[str, Policy]] = ("", {})  # snapshot version, policies
        self._catch_up()

    def _keep(self, experiment: Experiment, action: Action, at: datetime) -> None:
        with self._logging:
            self._append([])
            self._store.write(
                documents={"experiment": {experiment.id: dumps(experiment)}},
                log=[audit_row(action, at)],
            )
        version, policies = self._serving
        before = self._experiments.get(experiment.id)
        policies = staffed(policies, before, experiment, hire=_newcomer)
        with self._deciding:  # so that no decision pairs the old experiment with new policies
            self._experiments[experiment.id] = experiment
            self._serving = (version, policies)

    def _winner(self, experiment_id: str) -> str:
        found = self.experiment_report(experiment_id)
        if found.winner is None:
            raise Refused(
                f"no line of experiment {experiment_id} is to be shipped by its rule: the verdict "
                f"is {found.verdict!r}; name the line to ship one all the same"
            )
        return found.winner

    def _with_head_start(
        self, experiment: Experiment, earlier: Sequence[Experiment], prior: TextPrior | None
    ) -> Experiment:
        with self._learning:
            return with_head_start(experiment, earlier, self._learner.ledger, prior)

    def decide(self, experiment_id: str, context: Context) -> Served:
        """The copy this visitor gets. Arithmetic only: no disk, no network, no language model.

        Raises:
            Unknown: Where there is no such experiment.
        """
        with self._deciding:
            experiment = self.experiment(experiment_id)
            if experiment.status != "running":
                return _uncounted(experiment)
            known = self._decision(trial.decision_id(experiment, context))
            if known is not None:
                return self._serve(experiment, known, "sticky")
            snapshot, policies = self._serving
            decision = trial.decide(
                experiment,
                self._with_past(context),
                policies.get(experiment_id),
                snapshot,
                policies.get(trial.candidate_key(experiment_id)),
            )
            self._remember(decision)
            self._pending.append(_decision_row(decision, context.at))
        return self._serve(experiment, decision, decision.reason)

    def _with_past(self, context: Context) -> Context:
        """The context as policies see it, with what the visitor was shown before."""
        past = self._learner.memory.recall(context.visitor_id, context.at)
        return replace(context, past=past) if past or context.past else context

    def _remember(self, decision: Decision) -> None:
        self._recent[decision.id] = decision
        self._recent_visitors.add(decision.context.visitor_id)

    def _serve(self, experiment: Experiment, decision: Decision, reason: str) -> Served:
        line = experiment.shipped_arm
        if line is not None and not (
            decision.arm_id == line.id or trial.is_held_out(experiment, decision.id)
        ):
            return _uncounted(experiment)  # decided before the line was shipped
        arm = next(
            (arm for arm in experiment.arms if arm.id == decision.arm_id and arm.active), None
        )
        return Served(
            decision_id=decision.id,
            experiment_id=experiment.id,
            arm=arm or experiment.safe_arm,
            reason=reason if arm else "arm_retired",
            propensity=decision.propensity,
            token=token.sign(decision, self._secret),
        )

    def _decision(self, key: str) -> Decision | None:
        known = self._recent.get(key)
        if known is not None:
            return known
        outcome = self._learner.ledger.outcomes.get(key)
        return outcome.decision if outcome else None

    def flush(self) -> None:
        """Writes the decisions that wait in memory to the log."""
        with self._logging:
            self._append([])

    def ingest(self, raws: Sequence[Mapping[str, object]], *, at: datetime) -> Receipt:
        """Takes in a batch of events; when it returns, all of it is on disk.

        Raises:
            StoreFailed: Where not all of it was stored; send the batch again.
        """
        lost = self._lost_decisions(raws)
        events: list[LogRow] = []
        aside: list[Aside] = []
        for raw in raws:
            try:
                event = parse_event(raw, at)
                self._check_known(event, lost)
            except BadInput as error:
                aside.append(_aside(raw, at, str(error)))
            else:
                events.append(_event_row(event, at))
        with self._logging:
            found = [_decision_row(decision, at) for decision in lost.values()]
            seqs = self._append([*found, *events])[len(found) :]
            self._store.set_aside(aside)
            doubled = sum(seq is None for seq in seqs)
            self._duplicates += doubled
        for decision in lost.values():
            self._remember(decision)
        return Receipt(
            stored=len(seqs) - doubled,
            duplicates=doubled,
            restored=len(lost),
            set_aside=tuple(Refusal(message_id=item.id, reason=item.reason) for item in aside),
        )

    def _lost_decisions(self, raws: Sequence[Mapping[str, object]]) -> dict[str, Decision]:
        """Decisions that the batch's tokens carry and the log lacks, by id."""
        lost: dict[str, Decision] = {}
        for raw in raws:
            try:
                bag = properties_of(raw)
                signed = bag.get("decision_token")
                if not signed or self._decision(str(bag.get("decision_id"))) is not None:
                    continue  # nearly always: the token is for the rare crash
                decision = token.verify(str(signed), self._secret)
            except BadInput:
                continue
            if decision.experiment_id in self._experiments and self._decision(decision.id) is None:
                lost[decision.id] = decision
        return lost

    def _check_known(self, event: Event, lost: Mapping[str, Decision]) -> None:
        """Refuses an event that no decision can answer for."""
        if event.kind == "refund":  # follows its order, whoever sends it
            return
        if event.decision_id:
            if event.decision_id not in lost and self._decision(event.decision_id) is None:
                raise BadInput(
                    f"no decision {event.decision_id!r} is known; send the decision_id that the "
                    "decision answered, and its token as `properties.decision_token`"
                )
            return
        visitor = event.visitor_id
        known = self._knows(visitor)
        if not known and all(each.context.visitor_id != visitor for each in lost.values()):
            raise BadInput(f"no decision was ever made for visitor {visitor!r}")

    def _knows(self, visitor_id: str) -> bool:
        return visitor_id in self._recent_visitors or self._learner.ledger.knows(visitor_id)

    def forget(self, visitor_id: str, *, at: datetime, by: str = "api") -> Forgot:
        """Erases what policies remember of one visitor; the log keeps its rows, and this one.

        The visitor keeps the copies that were decided. Whatever comes of them from now on, and of
        later visits, is learned from as ever.

        Raises:
            Unknown: Where no decision was ever made for the visitor.
        """
        if not self._knows(visitor_id):
            raise Unknown(f"no decision was ever made for visitor {visitor_id!r}")
        with self._logging:
            self._append([audit_row(Action(verb=FORGET, subject=visitor_id, by=by), at)])
        self._catch_up()
        return Forgot(visitor_id=visitor_id, kept_rows=len(self._store.of_visitor(visitor_id)))

    def _append(self, rows: Sequence[LogRow]) -> tuple[int | None, ...]:
        """Writes pending decisions and then the rows; the caller holds the logging lock."""
        waiting = [self._pending.popleft() for _ in range(len(self._pending))]
        doubled = self._duplicates
        meta = {} if doubled == self._kept_duplicates else {"duplicates": str(doubled).encode()}
        if not waiting and not rows and not meta:
            return ()
        try:
            seqs = self._store.write(documents={"meta": meta}, log=[*waiting, *rows])
        except BaseException:
            self._pending.extendleft(reversed(waiting))
            raise
        self._kept_duplicates = doubled
        return seqs[len(waiting) :]

    def learn(self) -> Snapshot:
        """Takes in what is new in the log, serves from it and keeps the snapshot.

        Then it looks at the guard metrics: a line that is proven to do harm is taken out.
        """
        self.flush()
        snapshot = self._catch_up()
        self._store.save_snapshot(snapshot)
        for experiment in self.experiments():
            if experiment.status == "running" and experiment.rule.guardrails:
                self._watch(experiment)
        return snapshot

    def _watch(self, experiment: Experiment) -> None:
        """Takes out the lines that a guard metric proves to do harm, as a person would."""
        with self._learning:
            now = self._learner.now
            if now < self._watched.get(experiment.id, now - WATCH_EVERY) + WATCH_EVERY:
                return
            self._watched[experiment.id] = now
            found = harms(experiment, self._learner.ledger.of_experiment(experiment.id))
        if found:
            lines = list(dict.fromkeys(row.arm_id for row in found))
            note = "; ".join(map(harm_note, found))
            self.retire(experiment.id, lines, at=now, by=GUARD, note=note)

    def _catch_up(self) -> Snapshot:
        """Folds what is new in the log and serves from it; stores nothing."""
        with self._learning:
            while rows := self._store.read(self._learner.log_seq):
                self._learner.take(rows)
            snapshot = self._learner.snapshot()
            if snapshot.version != self._serving[0]:
                learned = dict(self._learner.experiments)
                policies = policies_of(snapshot, list(learned.values()))
                with self._changing:  # so that no experiment starts or changes unseen meanwhile
                    for each in self.experiments():  # the log may not have been read that far
                        policies = staffed(policies, learned.get(each.id), each, hire=_newcomer)
                    self._serving = (snapshot.version, policies)
            self._forget_recent()
        return snapshot

    def _forget_recent(self) -> None:
        """Drops decisions from the short list that the ledger has by now; others go on adding."""
        for key in list(self._recent):
            if key in self._learner.ledger.outcomes:
                decision = self._recent.pop(key)
                self._recent_visitors.discard(decision.context.visitor_id)

    def replay(self) -> Replay:
        """The last saved snapshot, rebuilt from the log by a learner that knows nothing.

        Raises:
            Refused: Where nothing was ever learned.
        """
        live = self._store.latest_snapshot()
        if live is None:
            raise Refused("there is no snapshot to compare with; nothing was learned yet")
        return replayed(live, self._store.read)

    def report(self, *, at: datetime) -> Report:
        """What every experiment has come to."""
        with self._learning:
            reports = [self._analyze(experiment) for experiment in self.experiments()]
            late, ignored = self._learner.late, sum(self._learner.ledger.ignored.values())
        copies = every(self._store, "copy", Copy)
        machine = [copy for copy in copies if copy.writer != "human"]
        rejected = sum(copy.reviewed_by == "guards" for copy in machine)
        counts = self._store.counts()
        totals = {
            "decisions": counts.get("decision", 0),
            "events_stored": counts.get("event", 0),
            "events_set_aside": counts["set_aside"],
            "events_ignored": ignored,
            "duplicates_dropped": self._duplicates,
            "late_rescored": late,
            "copies_written": len(machine),
            "copies_rejected": rejected,
            "writing_usd": sum(copy.cost_usd for copy in copies),
        }
        return combine(reports, at=at, totals=totals)

    def experiment_report(self, experiment_id: str) -> ExperimentReport:
        """What one experiment has come to.

        Raises:
            Unknown: Where there is no such experiment.
        """
        experiment = self.experiment(experiment_id)
        with self._learning:
            return self._analyze(experiment).report

    def compare_candidate(self, experiment_id: str) -> Comparison:
        """What the experiment's policy and its candidate would each have earned.

        Raises:
            Unknown: Where there is no such experiment.
            Refused: Where it has no candidate.
        """
        experiment = self.experiment(experiment_id)
        with self._learning:
            asked = (self._learner.log_seq, experiment)
            known = self._comparisons.get(experiment_id)
            if known is None or known[0] != asked:
                outcomes = self._learner.ledger.of_experiment(experiment_id)
                known = (asked, rival.compare(experiment, outcomes))
                self._comparisons[experiment_id] = known
        return known[1]

    def explain(self, decision_id: str) -> Trace:
        """The whole trace of one decision.

        Raises:
            Unknown: Where there is none by that id.
        """
        self.flush()
        row = self._store.find("decision", decision_id)
        if row is None:
            raise Unknown(
                f"no decision {decision_id!r} in the log; ids come with every decision, "
                "and the experiment's page lists the latest"
            )
        decision = loads(row.body, Decision)
        experiment = self.experiment(decision.experiment_id)
        product = self._store.get("product", experiment.product_id)
        rows = self._store.of_visitor(decision.context.visitor_id)
        events = [loads(row.body, Event) for row in rows if row.kind == "event"]
        return Trace(
            decision=decision,
            experiment=experiment,
            arm=next(arm for arm in experiment.arms if arm.id == decision.arm_id),
            copy_record=one(self._store, "copy", decision.arm_id, Copy),
            product=loads(product, Product) if product else None,
            outcome=self._learner.ledger.outcomes.get(decision_id),
            events=[event for event in events if event.decision_id in {"", decision_id}],
        )

    def latest_outcomes(self, experiment_id: str, limit: int = 20) -> list[Outcome]:
        """The newest outcomes of an experiment, newest first."""
        with self._learning:
            return self._learner.ledger.of_experiment(experiment_id)[: -limit - 1 : -1]

    def unused(self, limit: int = 100) -> Unused:
        """What came in and did not count, and why; set-aside events newest first."""
        items = self._store.set_aside_items(limit)
        with self._learning:
            ignored = dict(self._learner.ledger.ignored)
        return Unused(
            set_aside=tuple(Refusal(message_id=item.id, reason=item.reason) for item in items),
            ignored=ignored,
        )

    def _analyze(self, experiment: Experiment) -> Analysis:
        """The experiment's analysis, made anew only where log or experiment have moved on."""
        asked = (self._learner.log_seq, experiment)
        known = self._analyses.get(experiment.id)
        if known is None or known[0] != asked:
            known = self._analyses[experiment.id] = (asked, self._analyzed(experiment))
        return known[1]

    def _analyzed(self, experiment: Experiment) -> Analysis:
        outcomes = self._learner.ledger.of_experiment(experiment.id)
        written = (one(self._store, "copy", arm.id, Copy).cost_usd for arm in experiment.arms)
        shares = self._shares(experiment, outcomes[-SHARE_SAMPLE:])
        now = self._learner.now
        return analyze(experiment, outcomes, shares, writing_usd=sum(written), now=now)

    def _shares(self, experiment: Experiment, recent: Sequence[Outcome]) -> dict[str, float]:
        """Arm id → the share of the policy's traffic it would get now, over the latest visitors."""
        policies = self._serving[1]
        policy = policies.get(experiment.id)
        watching = policies.get(trial.candidate_key(experiment.id))
        arms = [arm for arm in experiment.arms if arm.active]
        if policy is None or not recent:
            return {}
        rows = [
            trial.split_of(
                experiment,
                policy,
                watching,
                context=outcome.decision.context,
                audience=outcome.decision.audience_id,
                arms=arms,
            ).mixture
            for outcome in recent
        ]
        return {
            arm.id: float(sum(row[k] for row in rows)) / len(rows) for k, arm in enumerate(arms)
        }


def _newcomer(key: str, post: trial.Post) -> Policy | None:
    """A policy with nothing learned; none for a candidate, who serves only once it has learned."""
    return None if trial.is_candidate(key) else make_policy(*post)


def _uncounted(experiment: Experiment) -> Served:
    """What those get who are not part of the test: the shipped line, else what is safe."""
    line = None if experiment.status == "paused" else experiment.shipped_arm
    return Served(
        decision_id="",
        experiment_id=experiment.id,
        arm=line or experiment.safe_arm,
        reason="shipped" if line else "not_running",
        propensity=1.0,
        token="",
    )


def _decision_row(decision: Decision, at: datetime) -> LogRow:
    return LogRow(
        kind="decision",
        id=decision.id,
        at=at,
        visitor_id=decision.context.visitor_id,
        body=dumps(decision),
    )


def _event_row(event: Event, at: datetime) -> LogRow:
    return LogRow(
        kind="event", id=event.message_id, at=at, visitor_id=event.visitor_id, body=dumps(event)
    )


def _aside(raw: Mapping[str, object], at: datetime, reason: str) -> Aside:
    name = raw.get("messageId")
    key = name if isinstance(name, str) and 0 < len(name) <= MAX_ID else content_hash(raw)
    return Aside(id=key, at=at, reason=reason, body=dumps(raw))


def _kept_secret(store: Store) -> bytes:
    kept = store.get("meta", "secret")
    if kept is None:
        kept = secrets.token_hex(32).encode()
        store.write(documents={"meta": {"secret": kept}})
    return kept
