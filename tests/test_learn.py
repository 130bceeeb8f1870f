from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOW, make_context, make_experiment
from hookline.candidate import promoted, rolled_back, without_candidate
from hookline.errors import BadInput
from hookline.experiment import decide
from hookline.learn import Learner, policies_of, replayed
from hookline.policies import POLICIES, Policy, make_policy
from hookline.policies.thompson import Thompson
from hookline.types import (
    Action,
    Arm,
    Candidate,
    Decision,
    Event,
    EventKind,
    Experiment,
    LogRow,
    dumps,
)

HOUR = timedelta(hours=1)
RIVAL = "boots/candidate"


def history(experiment: Experiment, visitors: int = 60, lateness: float = 0.0) -> list[LogRow]:
    """A log: every third visitor clicks; a decision a minute; clicks may arrive late."""
    action = Action(verb="running", subject=experiment.id, by="test", experiment=experiment)
    rows = [(NOW, LogRow(kind="action", id="start", at=NOW, body=dumps(action)))]
    policy = make_policy(experiment.policy, {})
    for n in range(visitors):
        at = NOW + n * HOUR / 60
        decision = decide(experiment, make_context(f"v{n}", at=at), policy, "")
        rows.append((at, LogRow(kind="decision", id=decision.id, at=at, body=dumps(decision))))
        rows.append(event_row(decision, "impression", at, at))
        if n % 3 == 0:
            arrives = at + HOUR * (0.1 + 5 * lateness * (n % 2))
            rows.append(event_row(decision, "click", at + HOUR / 20, arrives))
    end = NOW + 48 * HOUR
    rows.append(
        (
            end,
            LogRow(
                kind="action", id="end", at=end, body=dumps(Action(verb="x", subject="", by=""))
            ),
        )
    )
    rows.sort(key=lambda pair: pair[0])
    return [
        LogRow(seq=n + 1, kind=row.kind, id=row.id, at=row.at, body=row.body)
        for n, (_, row) in enumerate(rows)
    ]


def event_row(
    decision: Decision, kind: EventKind, at: datetime, arrives: datetime
) -> tuple[datetime, LogRow]:
    event = Event(
        message_id=f"{kind}-{decision.id}",
        kind=kind,
        visitor_id=decision.context.visitor_id,
        at=at,
        decision_id=decision.id,
    )
    return arrives, LogRow(kind="event", id=event.message_id, at=arrives, body=dumps(event))


def with_actions(rows: list[LogRow], *actions: tuple[float, Action]) -> list[LogRow]:
    """The rows with actions between them, each at an hour of the history, numbered anew."""
    added = [
        LogRow(kind="action", id=f"added{n}", at=NOW + hour * HOUR, body=dumps(action))
        for n, (hour, action) in enumerate(actions)
    ]
    return [
        replace(row, seq=n + 1)
        for n, row in enumerate(sorted([*rows, *added], key=lambda row: row.at))
    ]


def change(experiment: Experiment, verb: str = "change") -> Action:
    return Action(verb=verb, subject=experiment.id, by="test", experiment=experiment)


FORGET = Action(verb="forget", subject="v3", by="test")


def learned(rows: list[LogRow]) -> Learner:
    learner = Learner()
    learner.take(rows)
    return learner


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("cut", [1, 37, 90])
def test_the_snapshot_does_not_depend_on_how_the_log_was_read(policy: str, cut: int) -> None:
    rows = history(make_experiment(policy=policy), lateness=1.0)
    parts = Learner()
    parts.take(rows[:cut])
    parts.snapshot()  # looking must not disturb
    parts.take(rows[cut:])
    assert parts.snapshot() == learned(rows).snapshot()


@pytest.mark.parametrize("policy", POLICIES)
def test_late_clicks_teach_the_same_as_punctual_ones(policy: str) -> None:
    """All late events in: the policy then shares traffic as if they had come in time."""
    experiment = make_experiment(policy=policy)
    on_time, late = learned(history(experiment)), learned(history(experiment, lateness=1.0))
    assert on_time.late == 0
    assert late.late == 10
    shares = [
        learner.policies["boots"].probabilities(make_context(), "rest", experiment.arms)
        for learner in (on_time, late)
    ]
    # sums commute to rounding; the actor-critic's steps depend on order, and stay close
    assert shares[0] == pytest.approx(shares[1], abs=0.1 if policy == "actor_critic" else 1e-6)


def test_nothing_is_learned_before_the_window_closes() -> None:
    rows = history(make_experiment())
    early = learned([row for row in rows if row.at < NOW + HOUR])
    fresh = make_policy("thompson", {})
    assert early.policies["boots"].dump() == fresh.dump()


def test_decisions_never_shown_are_not_learned_from() -> None:
    experiment = make_experiment()
    rows = [row for row in history(experiment) if row.kind != "event"]
    assert learned(rows).policies["boots"].dump() == make_policy("thompson", {}).dump()


def test_policies_of_serves_what_was_learned() -> None:
    experiment = make_experiment()
    learner = learned(history(experiment))
    (served,) = policies_of(learner.snapshot(), [experiment]).values()
    assert served.dump() == learner.policies["boots"].dump()
    assert served is not learner.policies["boots"]


def test_take_refuses_rows_out_of_order() -> None:
    rows = history(make_experiment())
    learner = learned(rows[:5])
    with pytest.raises(BadInput, match="row 3 comes after row 5"):
        learner.take(rows[2:3])


@given(st.lists(st.sampled_from(["decision", "event"]), max_size=3))
def test_rows_about_unknown_experiments_are_passed_over(kinds: list[str]) -> None:
    decision = decide(make_experiment(id="gone"), make_context(), make_policy("uniform", {}), "")
    bodies = {
        "decision": decision,
        "event": Event(message_id="m", kind="click", visitor_id="v", at=NOW),
    }
    rows = [
        LogRow(seq=n + 1, kind=kind, id=str(n), at=NOW, body=dumps(bodies[kind]))  # pyright: ignore[reportArgumentType]
        for n, kind in enumerate(kinds)
    ]
    assert learned(rows).log_seq == len(kinds)


# --- candidates ----------------------------------------------------------------------------------


def other_than(policy: str) -> str:
    return "ucb" if policy == "thompson" else "thompson"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("hour", [0.5, 1.7, 3.0])
def test_an_apprentice_knows_what_it_would_know_had_it_been_there_from_the_start(
    policy: str, hour: float
) -> None:
    """To the last bit, with late clicks that were corrected before it came."""
    alone = make_experiment(policy=other_than(policy))
    both = replace(alone, candidate=Candidate(policy=policy))
    late = learned(with_actions(history(alone, lateness=1.0), (hour, change(both))))
    early = learned(history(both, lateness=1.0))
    assert late.late
    assert late.policies[RIVAL].dump() != make_policy(policy, {}).dump() or policy == "uniform"
    assert late.policies[RIVAL].dump() == early.policies[RIVAL].dump()
    assert late.snapshot().states == early.snapshot().states


def test_policy_and_candidate_learn_from_each_others_decisions() -> None:
    both = make_experiment(candidate=Candidate(policy="ucb"))
    learner = learned(history(both))
    tallies = [learner.policies[key].dump() for key in ("boots", RIVAL)]
    assert tallies[0] == tallies[1] != make_policy("ucb", {}).dump()


def test_a_promotion_moves_no_knowledge_and_a_rollback_finds_it_warm() -> None:
    """Whoever holds which post, each policy ends up with the state it would have had anyway."""
    before = make_experiment(policy="actor_critic", candidate=Candidate(policy="lola"))
    after = promoted(before)
    rows = history(before, lateness=1.0)
    plain = learned(rows).snapshot().states
    swapped = learned(with_actions(rows, (1.3, change(after)))).snapshot().states
    assert (swapped["boots"], swapped[RIVAL]) == (plain[RIVAL], plain["boots"])
    back = rolled_back(after)
    both = with_actions(rows, (1.3, change(after)), (1.6, change(back)))
    assert learned(both).snapshot().states == plain


def test_a_change_of_share_teaches_nothing_twice() -> None:
    watching = make_experiment(candidate=Candidate(policy="ucb"))
    serving = replace(watching, candidate=Candidate(policy="ucb", share=0.2))
    rows = history(watching)
    changed = learned(with_actions(rows, (1.3, change(serving)), (1.5, change(watching))))
    assert changed.snapshot().states == learned(rows).snapshot().states


def test_a_dropped_candidate_leaves_nothing_behind() -> None:
    both = make_experiment(candidate=Candidate(policy="ucb"))
    rows = history(both)
    without = learned(with_actions(rows, (1.3, change(without_candidate(both)))))
    assert set(without.snapshot().states) == {"boots"}
    assert without.snapshot().states["boots"] == learned(rows).snapshot().states["boots"]


@pytest.mark.parametrize("cut", [1, 60, 100, 140])
def test_a_log_with_every_step_gives_the_same_snapshot_however_it_is_read(cut: int) -> None:
    alone = make_experiment()
    both = replace(alone, candidate=Candidate(policy="actor_critic", share=0.1))
    rows = with_actions(
        history(alone, lateness=1.0),
        (0.9, change(both, "candidate")),
        (1.2, change(promoted(both), "promote")),
        (1.4, FORGET),
        (1.8, change(rolled_back(promoted(both)), "rollback")),
    )
    parts = Learner()
    parts.take(rows[:cut])
    parts.snapshot()
    parts.take(rows[cut:])
    whole = learned(rows).snapshot()
    assert parts.snapshot() == whole
    assert replayed(whole, lambda seq: rows[seq : seq + 7]).same


def test_policies_of_serves_candidates_too() -> None:
    both = make_experiment(candidate=Candidate(policy="actor_critic"))
    learner = learned(history(both))
    served = policies_of(learner.snapshot(), [both])
    assert {key: policy.dump() for key, policy in served.items()} == learner.snapshot().states


# --- forgetting ----------------------------------------------------------------------------------


class Remembering(Thompson):
    """A policy that notes whom it learned from, and forgets them when told."""

    def __init__(self) -> None:
        super().__init__()
        self.visitors: list[str] = []

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        super().learn(decision, arms, reward)
        self.visitors.append(decision.context.visitor_id)

    def forget(self, visitor_id: str) -> None:
        self.visitors = [each for each in self.visitors if each != visitor_id]


@pytest.fixture
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(name: str, params: dict[str, float]) -> Policy:
        return Remembering()

    monkeypatch.setattr("hookline.learn.make_policy", make)


@pytest.mark.usefixtures("remembering")
@pytest.mark.parametrize("named", [0.0, 40.0, 45.0])
def test_every_policy_forgets_a_visitor_and_so_does_a_later_apprentice(named: float) -> None:
    alone = make_experiment()
    both = replace(alone, candidate=Candidate(policy="ucb"))
    actions = (named, change(both)), (42.0, FORGET)
    learner = learned(with_actions(history(alone, visitors=8), *actions))
    others = [f"v{n}" for n in range(8) if n != 3]
    for key in ("boots", RIVAL):
        policy = learner.policies[key]
        assert isinstance(policy, Remembering)
        assert policy.visitors == others


@pytest.mark.usefixtures("remembering")
def test_what_a_forgotten_visitor_does_later_is_learned_as_ever() -> None:
    rows = with_actions(history(make_experiment(), visitors=8), (0.5, FORGET))
    policy = learned(rows).policies["boots"]
    assert isinstance(policy, Remembering)
    assert policy.visitors == [f"v{n}" for n in range(8)]
