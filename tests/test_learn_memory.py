"""Where learner and live loop meet the memory: what was shown, what came of it, who came back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from conftest import NOW, make_arm, make_context, make_experiment
from hookline.experiment import decide
from hookline.learn import Learner, replayed
from hookline.live import Live
from hookline.memory import EPISODES, Memory
from hookline.policies import make_policy
from hookline.store import Store, open_store
from hookline.types import (
    Action,
    Audience,
    Candidate,
    Copy,
    Decision,
    Event,
    EventKind,
    Experiment,
    LogRow,
    Product,
    dumps,
    loads,
)

HOUR = timedelta(hours=1)
FORGET = Action(verb="forget", subject="v0", by="test")


class Shop:
    """A log that a learner reads as it is written.

    Args:
        experiment: What runs.
        visitors: How many the learner's memory has room for.
    """

    def __init__(self, experiment: Experiment, visitors: int = 1000) -> None:
        self.experiment = experiment
        self.learner = Learner()
        self.learner.memory = Memory(visitors=visitors)
        self.rows: list[LogRow] = []
        self.policy = make_policy("uniform", {})
        self.act(Action(verb="running", subject="", by="test", experiment=experiment))

    def act(self, action: Action, hours: float = 0.0) -> None:
        self._write("action", f"action {len(self.rows)}", dumps(action), hours)

    def visit(self, visitor: str, hours: float) -> Decision:
        """A decision with what the memory recalls, as the live loop makes it."""
        at = NOW + hours * HOUR
        past = self.learner.memory.recall(visitor, at)
        context = replace(make_context(visitor, at=at), past=past)
        decision = decide(self.experiment, context, self.policy, "")
        self._write("decision", decision.id, dumps(decision), hours)
        return decision

    def event(self, decision: Decision, kind: EventKind, hours: float) -> None:
        event = Event(
            message_id=f"{kind} {decision.id}",
            kind=kind,
            visitor_id=decision.context.visitor_id,
            at=decision.context.at,
            decision_id=decision.id,
        )
        self._write("event", event.message_id, dumps(event), hours)

    def shown(self, visitor: str, hours: float) -> Decision:
        decision = self.visit(visitor, hours)
        self.event(decision, "impression", hours)
        return decision

    def past(self, visitor: str, hours: float = 100.0) -> list[tuple[float, str, int, str]]:
        """The visitor's episodes: time in hours, copy, cell, and in a word what came of it."""
        return [
            (
                round(hours - each.hours, 6),
                each.arm_id,
                each.cell,
                "open" if each.surprise is None else "liked" if each.surprise > 0 else "passed by",
            )
            for each in self.learner.memory.recall(visitor, NOW + hours * HOUR)
        ]

    def words(self, visitor: str) -> list[str]:
        return [word for *_, word in self.past(visitor)]

    def _write(self, kind: str, name: str, body: bytes, hours: float) -> None:
        at = NOW + hours * HOUR
        row = LogRow(seq=len(self.rows) + 1, kind=kind, id=name, at=at, body=body)  # pyright: ignore[reportArgumentType]
        self.rows.append(row)
        self.learner.take([row])


@pytest.fixture
def shop() -> Shop:
    return Shop(make_experiment(unit="visit", policy="actor_critic"))


def test_a_copy_is_remembered_once_it_was_in_fact_shown(shop: Shop) -> None:
    decision = shop.visit("v0", 0.0)
    assert shop.past("v0") == []
    shop.event(decision, "impression", 0.1)
    shop.event(decision, "impression", 0.2)
    ((hours, arm, _, word),) = shop.past("v0")
    assert (hours, arm, word) == (0.0, decision.arm_id, "open")


def test_a_click_shows_and_its_window_settles(shop: Shop) -> None:
    liked, passed = shop.visit("v0", 0.0), shop.shown("v1", 0.1)
    shop.event(liked, "click", 0.2)
    assert shop.words("v0") == shop.words("v1") == ["open"]
    shop.visit("v2", 5.0)
    assert (shop.words("v0"), shop.words("v1")) == (["liked"], ["passed by"])
    before = shop.learner.memory.recall("v1", NOW)[0].surprise
    shop.event(passed, "click", 6.0)
    after = shop.learner.memory.recall("v1", NOW)[0].surprise
    assert before is not None
    assert after is not None
    assert after > before + 1
    assert shop.learner.late == 1


def test_a_first_sight_after_the_window_is_shown_and_settled_at_once(shop: Shop) -> None:
    decision = shop.visit("v0", 0.0)
    shop.visit("v1", 5.0)
    shop.event(decision, "click", 6.0)
    assert shop.words("v0") == ["liked"]


def test_a_fallback_is_remembered_as_shown_and_never_settled(shop: Shop) -> None:
    decision = decide(shop.experiment, make_context("v0"), None, "")
    shop._write("decision", decision.id, dumps(decision), 0.0)
    shop.event(decision, "impression", 0.0)
    shop.visit("v1", 5.0)
    assert decision.slice == "fallback"
    assert shop.words("v0") == ["open"]


def test_a_copy_that_is_no_more_in_the_test_is_not_remembered(shop: Shop) -> None:
    decisions = [shop.visit(f"v{number}", 0.0) for number in range(12)]
    kept = (make_arm("control", control=True), make_arm("a"))
    fewer = replace(shop.experiment, arms=kept)
    shop.act(Action(verb="change", subject="boots", by="test", experiment=fewer))
    assert {decision.arm_id for decision in decisions} == {"control", "a", "b"}
    for decision in decisions:
        shop.event(decision, "impression", 0.1)
        remembered = decision.context.visitor_id in shop.learner.memory
        assert remembered == (decision.arm_id != "b")


def test_who_was_dropped_comes_back_from_the_log_with_the_next_decision() -> None:
    experiment = make_experiment(unit="visit")
    wide, tiny = Shop(experiment), Shop(experiment, visitors=1)
    for shop in (wide, tiny):
        for number in range(EPISODES + 2):
            decision = shop.shown("v0", 10.0 * number)
            if number % 3 == 0:
                shop.event(decision, "click", 10.0 * number + 0.5)
            shop.visit("v0", 10.0 * number + 0.7)  # never shown, so nothing to remember
        shop.shown("v1", 300.0)
    assert "v0" not in tiny.learner.memory
    for shop in (wide, tiny):
        shop.visit("v0", 301.0)
    assert tiny.past("v0", 301.0) == wide.past("v0", 301.0)
    assert len(tiny.past("v0")) == EPISODES
    assert {"liked", "passed by"} == set(tiny.words("v0"))
    assert "v1" not in tiny.learner.memory


def test_forget_erases_what_is_remembered_and_it_stays_erased(shop: Shop) -> None:
    for hours in (0.0, 10.0):
        shop.shown("v0", hours)
        shop.shown("v1", hours)
    shop.act(FORGET, 11.0)
    assert "v0" not in shop.learner.memory
    assert shop.visit("v0", 20.0).context.past == ()
    assert shop.past("v0") == []
    shop.shown("v0", 30.0)
    shop.visit("v0", 40.0)
    assert [hours for hours, *_ in shop.past("v0")] == [30.0]
    assert [hours for hours, *_ in shop.past("v1")] == [0.0, 10.0]


def test_who_was_forgotten_and_then_dropped_comes_back_with_what_came_later_only() -> None:
    shop = Shop(make_experiment(unit="visit"), visitors=1)
    shop.shown("v0", 0.0)
    shop.act(FORGET, 5.0)
    shop.shown("v0", 10.0)
    shop.shown("v1", 20.0)
    shop.visit("v0", 30.0)
    assert [hours for hours, *_ in shop.past("v0")] == [10.0]


def test_forget_leaves_no_visitor_in_the_state_of_the_policy(shop: Shop) -> None:
    for hours in (0.0, 10.0):
        shop.shown("v0", hours)
    shop.visit("v1", 20.0)
    assert '"v0"' in shop.learner.policies["boots"].dump()
    shop.act(FORGET, 21.0)
    assert '"v0"' not in shop.learner.policies["boots"].dump()


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_a_log_of_visits_gives_the_same_snapshot_however_it_is_read(chunk: int) -> None:
    both = Candidate(policy="actor_critic", params={"caution": 1.0})
    shop = Shop(make_experiment(unit="visit", policy="actor_critic", candidate=both), visitors=3)
    for number in range(120):
        decision = shop.shown(f"v{number // 3 % 7}", 0.9 * number)
        if number % 4 == 0:
            shop.event(decision, "click", 0.9 * number + 5 * (number % 8 == 0))
        if number == 60:
            shop.act(FORGET, 0.9 * number)
    pasts = [len(each.decision.context.past) for each in shop.learner.ledger.outcomes.values()]
    assert max(pasts) > 3
    whole = shop.learner.snapshot()
    assert replayed(whole, lambda seq: shop.rows[seq : seq + chunk]).same


# --- live ----------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path}/live.db")
    lines = {
        name: Copy(
            id=name,
            product_id="p1",
            channel_id="onsite_banner",
            parts={"headline": name, "cta": "Go"},
            status="approved",
            created_at=NOW,
        )
        for name in ("control", "a", "b")
    }
    made.write(
        documents={
            "product": {"p1": dumps(Product(id="p1", title="Boots"))},
            "audience": {"all": dumps(Audience(id="all", name="All"))},
            "copy": {name: dumps(copy) for name, copy in lines.items()},
        }
    )
    yield made
    made.close()


@pytest.fixture
def live(store: Store) -> Live:
    made = Live(store)
    draft = make_experiment(
        arms=(), status="draft", started_at=None, unit="visit", policy="actor_critic"
    )
    made.create_experiment(
        draft, copy_ids=["a", "b"], control_id="control", audience_ids=["all"], at=NOW
    )
    made.move("boots", "review", at=NOW)
    made.move("boots", "running", at=NOW)
    return made


def visit(live: Live, visitor: str, hours: float, *, clicks: bool = False) -> str:
    """One visit and what came of it; the decision's id."""
    at = NOW + hours * HOUR
    served = live.decide("boots", make_context(visitor, at=at))
    for name in ("Promotion Viewed", "Promotion Clicked")[: 1 + clicks]:
        event = {
            "messageId": f"{name} {served.decision_id}",
            "event": name,
            "userId": visitor,
            "timestamp": at.isoformat(),
            "properties": {"decision_id": served.decision_id},
        }
        live.ingest([event], at=at)
    return served.decision_id


def decisions(store: Store) -> list[Decision]:
    return [loads(row.body, Decision) for row in store.read() if row.kind == "decision"]


@pytest.mark.parametrize("room", [1000, 2])
def test_live_decisions_are_logged_with_the_past_and_replay_bit_for_bit(
    store: Store, live: Live, room: int
) -> None:
    """Also where the log is replayed by a learner with more room than the one that served."""
    live._learner.memory = Memory(visitors=room)
    for number in range(60):
        visit(live, f"v{number % 5}", 2.0 * number, clicks=number % 3 == 0)
        if number % 6 == 5:
            live.learn()
    live.learn()
    pasts = [decision.context.past for decision in decisions(store)]
    assert not any(pasts[:5])
    if room > 5:
        assert all(pasts[-5:])
    assert {each.surprise is None for past in pasts for each in past} == {True, False}
    assert live.replay().same
    assert Live(store).learn().states == live.learn().states


def test_live_takes_the_past_from_its_memory_and_never_from_the_caller(
    store: Store, live: Live
) -> None:
    first = visit(live, "v0", 0.0)
    live.learn()
    made_up = live._learner.memory.recall("v0", NOW)
    live.decide("boots", replace(make_context("stranger", at=NOW + HOUR), past=made_up))
    live.decide("boots", replace(make_context("v0", at=NOW + HOUR), past=made_up * 3))
    live.flush()
    stranger, known = decisions(store)[-2:]
    assert stranger.context.past == ()
    assert [each.hours for each in known.context.past] == [1.0]
    assert first


def test_live_forgets_at_once(live: Live, store: Store) -> None:
    visit(live, "v0", 0.0)
    live.learn()
    visit(live, "v0", 2.0)
    live.forget("v0", at=NOW + 3 * HOUR)
    visit(live, "v0", 4.0)
    assert [len(each.context.past) for each in decisions(store)] == [0, 1, 0]
    live.learn()
    assert live.replay().same
