from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOW, make_context, make_experiment
from hookline.errors import BadInput
from hookline.experiment import decide
from hookline.learn import Learner, policies_of
from hookline.policies import POLICIES, make_policy
from hookline.types import Action, Decision, Event, EventKind, Experiment, LogRow, dumps

HOUR = timedelta(hours=1)


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
