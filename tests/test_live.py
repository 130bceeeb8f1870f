from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from conftest import NOW, make_context, make_experiment
from hookline.errors import HooklineError, Refused, StoreFailed, Unknown, UnregisteredName
from hookline.live import Live
from hookline.store import Store, open_store
from hookline.types import Audience, Copy, Product, dumps
from hookline.wire import Served

HOUR = timedelta(hours=1)
PROPERTY = "decision_id"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path}/live.db")
    made.write(
        documents={
            "product": {"p1": dumps(Product(id="p1", title="Boots"))},
            "audience": {"all": dumps(Audience(id="all", name="All"))},
            "copy": {name: dumps(line(name)) for name in ("control", "a", "b")},
        }
    )
    yield made
    made.close()


def line(name: str) -> Copy:
    return Copy(
        id=name, product_id="p1", channel_id="onsite_banner", parts={"headline": name, "cta": "Go"},
        status="approved", created_at=NOW,
    )  # fmt: skip


def start(live: Live, **changes: object) -> None:
    """A running experiment `boots` over three lines."""
    draft = make_experiment(arms=(), status="draft", started_at=None, **changes)
    live.create_experiment(
        draft, copy_ids=["a", "b"], control_id="control", audience_ids=["all"], at=NOW
    )
    live.move("boots", "review", at=NOW)
    live.move("boots", "running", at=NOW)


@pytest.fixture
def live(store: Store) -> Live:
    made = Live(store)
    start(made)
    return made


def seen(served: Served, name: str = "Promotion Viewed", **changes: object) -> dict[str, object]:
    return {
        "messageId": f"{name} {served.decision_id}",
        "event": name,
        "userId": "v1",
        "timestamp": NOW.isoformat(),
        "properties": {"decision_id": served.decision_id, "decision_token": served.token},
    } | changes


def test_a_visitor_keeps_the_arm_while_the_policy_learns(live: Live) -> None:
    first = {n: live.decide("boots", make_context(f"v{n}")).arm.id for n in range(40)}
    live.learn()
    for n, arm in first.items():
        again = live.decide("boots", make_context(f"v{n}", at=NOW + HOUR))
        assert (again.arm.id, again.reason) == (arm, "sticky")
    live.flush()
    assert sum(row.kind == "decision" for row in live._store.read()) == 40


def test_ingest_counts_what_it_did(live: Live) -> None:
    served = live.decide("boots", make_context())
    batch = [seen(served), seen(served), seen(served, "Promotion Clicked"), {"event": "nonsense"}]
    receipt = live.ingest(batch, at=NOW)
    assert (receipt.stored, receipt.duplicates, receipt.restored) == (2, 1, 0)
    assert "nonsense" in receipt.set_aside[0].reason
    assert live.ingest(batch[:1], at=NOW).duplicates == 1
    assert live.report(at=NOW).totals["duplicates_dropped"] == 2


def test_events_for_unknown_decisions_are_kept_with_the_reason(live: Live) -> None:
    served = live.decide("boots", make_context())
    stray = seen(served, properties={PROPERTY: "no-such"})
    order = {
        "messageId": "o",
        "event": "Order Completed",
        "userId": "stranger",
        "properties": {"order_id": "1", "revenue": 5},
    }
    receipt = live.ingest([stray, order], at=NOW)
    assert receipt.stored == 0
    assert "no decision 'no-such'" in receipt.set_aside[0].reason
    assert "stranger" in receipt.set_aside[1].reason
    assert len(live.unused().set_aside) == 2


def test_a_lost_decision_comes_back_with_its_token(store: Store, live: Live) -> None:
    """The process dies before the decision is written; the shop's event restores it."""
    served = live.decide("boots", make_context())
    reborn = Live(store)
    receipt = reborn.ingest([seen(served)], at=NOW)
    assert (receipt.stored, receipt.restored) == (1, 1)
    assert reborn.explain(served.decision_id).decision.arm_id == served.arm.id


def test_a_forged_token_is_set_aside(store: Store, live: Live) -> None:
    served = live.decide("boots", make_context())
    other = live.decide("boots", make_context("v2"))
    reborn = Live(store)
    swapped = seen(served, properties={PROPERTY: served.decision_id, "decision_token": other.token})
    forged = seen(served, messageId="f", properties={PROPERTY: "x", "decision_token": "a.b"})
    reasons = [item.reason for item in reborn.ingest([swapped, forged], at=NOW).set_aside]
    assert "is known" in reasons[0]
    assert "no decision 'x' is known" in reasons[1]


def test_pending_decisions_survive_a_failed_write(
    live: Live, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.decide("boots", make_context())

    def refuse(**_: object) -> None:
        raise StoreFailed

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", refuse)
        with pytest.raises(StoreFailed):
            live.flush()
    live.flush()
    assert store.counts()["decision"] == 1


def test_a_restored_decision_is_restored_again_after_a_failed_write(
    store: Store, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = live.decide("boots", make_context())
    reborn = Live(store)

    def refuse(**_: object) -> None:
        raise StoreFailed

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", refuse)
        with pytest.raises(StoreFailed):
            reborn.ingest([seen(served)], at=NOW)
    assert reborn.ingest([seen(served)], at=NOW).restored == 1
    reborn.learn()
    assert reborn.explain(served.decision_id).outcome is not None


def test_many_threads_give_one_decision_a_visitor_and_lose_no_event(live: Live) -> None:
    def shop(worker: int) -> int:
        stored = 0
        for n in range(60):
            served = live.decide("boots", make_context(f"v{n}"))
            event = seen(served, messageId=f"{worker}-{n}", userId=f"v{n}")
            stored += live.ingest([event], at=NOW).stored
            if n % 20 == worker:
                live.learn()
        return stored

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(shop, range(8))) == 480
    live.learn()
    counts = live._store.counts()
    assert (counts["decision"], counts["event"]) == (60, 480)
    assert live.replay().same


def test_nothing_is_counted_before_the_start_and_after_the_pause(live: Live) -> None:
    live.move("boots", "paused", at=NOW)
    served = live.decide("boots", make_context("late"))
    assert (served.decision_id, served.reason, served.arm.control) == ("", "not_running", True)
    live.flush()
    assert live._store.counts().get("decision", 0) == 0


def test_a_withdrawn_arm_gives_way_to_the_control(live: Live) -> None:
    visitors = [make_context(f"v{n}") for n in range(60)]
    on_a = [v for v in visitors if live.decide("boots", v).arm.id == "a"]
    assert on_a
    live.withdraw(["a"], at=NOW, by="test")
    for visitor in on_a:
        served = live.decide("boots", visitor)
        assert (served.arm.id, served.reason) == ("control", "arm_retired")
    new = {live.decide("boots", make_context(f"w{n}")).arm.id for n in range(60)}
    assert new == {"control", "b"}
    live.learn()
    assert live.replay().same


def test_the_control_of_a_test_cannot_be_withdrawn_before_it_is_over(live: Live) -> None:
    with pytest.raises(Refused, match="control of boots"):
        live.check_withdrawable(["control"])
    live.move("boots", "concluded", at=NOW)
    live.check_withdrawable(["control"])


def test_a_copy_rejected_before_the_start_stops_the_start(store: Store) -> None:
    live = Live(store)
    draft = make_experiment(arms=(), status="draft", started_at=None)
    live.create_experiment(
        draft, copy_ids=["a"], control_id="control", audience_ids=["all"], at=NOW
    )
    live.move("boots", "review", at=NOW)
    store.write(documents={"copy": {"a": dumps(replace(line("a"), status="rejected"))}})
    with pytest.raises(Refused, match="no longer approved"):
        live.move("boots", "running", at=NOW)


def test_tokens_of_a_batch_are_read_before_its_events(store: Store, live: Live) -> None:
    served = live.decide("boots", make_context())
    click = seen(served, "Promotion Clicked", properties={PROPERTY: served.decision_id})
    order = {
        "messageId": "o",
        "event": "Order Completed",
        "userId": "v1",
        "timestamp": NOW.isoformat(),
        "properties": {"order_id": "1", "revenue": 5},
    }
    receipt = Live(store).ingest([click, order, seen(served)], at=NOW)
    assert (receipt.stored, receipt.restored, receipt.set_aside) == (3, 1, ())


def test_a_refund_follows_its_order_whoever_sends_it(live: Live) -> None:
    served = live.decide("boots", make_context())
    order = {
        "messageId": "o",
        "event": "Order Completed",
        "userId": "v1",
        "timestamp": NOW.isoformat(),
        "properties": {"order_id": "1", "revenue": 5},
    }
    refund = order | {"messageId": "r", "event": "Order Refunded", "userId": "back-office"}
    assert live.ingest([seen(served), order, refund], at=NOW).stored == 3
    live.learn()
    assert live.latest_outcomes("boots")[0].refunds == 5.0


def test_duplicates_are_counted_over_a_restart(store: Store, live: Live) -> None:
    served = live.decide("boots", make_context())
    live.ingest([seen(served), seen(served)], at=NOW)
    live.flush()
    assert Live(store).report(at=NOW).totals["duplicates_dropped"] == 1


def test_unused_tells_what_did_not_count(live: Live) -> None:
    served = live.decide("boots", make_context())
    bag = {"order_id": "1", "revenue": 5, "currency": "EUR"}
    order = {
        "messageId": "o",
        "event": "Order Completed",
        "userId": "v1",
        "timestamp": NOW.isoformat(),
        "properties": bag,
    }
    live.ingest([seen(served), order, {"event": "Nope"}], at=NOW)
    live.learn()
    unused = live.unused()
    assert unused.ignored == {"money in EUR, the experiment counts USD": 1}
    assert "Nope" in unused.set_aside[0].reason


def test_replay_gives_the_live_snapshot_back(live: Live) -> None:
    for n in range(120):
        context = make_context(f"v{n}", at=NOW + n * HOUR / 10)
        served = live.decide("boots", context)
        live.ingest(
            [seen(served, userId=f"v{n}")] + [seen(served, "Promotion Clicked")] * (n % 4 == 0),
            at=context.at,
        )
        if n % 25 == 0:
            live.learn()
    live.learn()
    done = live.replay()
    assert done.same
    assert done.rebuilt.states == done.live.states
    assert done.rows > 250


def test_a_restart_serves_what_was_learned(store: Store, live: Live) -> None:
    for n in range(100):
        at = NOW + n * HOUR / 10
        served = live.decide("boots", make_context(f"v{n}", at=at))
        live.ingest([seen(served, userId=f"v{n}")], at=at)
    version = live.learn().version
    reborn = Live(store)
    assert reborn.learn().version == version
    assert reborn.decide("boots", make_context("v3")).reason == "sticky"


def test_explain_shows_the_whole_trace(live: Live) -> None:
    served = live.decide("boots", make_context())
    live.ingest([seen(served), seen(served, "Promotion Clicked")], at=NOW)
    live.learn()
    trace = live.explain(served.decision_id)
    assert [event.kind for event in trace.events] == ["impression", "click"]
    assert trace.outcome is not None
    assert trace.outcome.clicks == 1
    assert trace.product is not None
    with pytest.raises(Unknown, match="'nope'"):
        live.explain("nope")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"product_id": "p9"}, Unknown),
        ({"channel_id": "fax"}, UnregisteredName),
        ({"channel_id": "email"}, Refused),
        ({"policy": "oracle"}, UnregisteredName),
        ({"policy_params": {"nonsense": 1.0}}, HooklineError),
        ({"holdout": 0.9}, HooklineError),
    ],
)
def test_create_experiment_does_nothing_by_halves(
    store: Store, changes: dict[str, object], kind: type[HooklineError]
) -> None:
    live = Live(store)
    with pytest.raises(kind):
        start(live, **changes)
    assert live.experiments() == []
    assert store.read() == []


def test_create_experiment_needs_approved_copy_and_a_free_name(store: Store, live: Live) -> None:
    with pytest.raises(Refused, match="exists"):
        start(live)
    store.write(documents={"copy": {"a": dumps(replace(line("a"), status="draft"))}})
    with pytest.raises(Refused, match="draft, not approved"):
        start(Live(store), id="other")


def test_the_report_goes_on_when_an_arm_is_withdrawn_in_flight(live: Live) -> None:
    """What was seen before still counts, and the policy's lift keeps an estimate."""
    for n in range(1_200):
        at = NOW + n * HOUR / 20
        if n == 600:
            live.withdraw(["b"], at=at, by="test")
        served = live.decide("boots", make_context(f"v{n}", at=at))
        click = n % 3 == 0 or (n % 2 == 0 and served.arm.id == "a")
        events = [seen(served, userId=f"v{n}", timestamp=at.isoformat())]
        events += [seen(served, "Promotion Clicked", timestamp=at.isoformat())] * click
        live.ingest(events, at=at)
        if n % 100 == 0:
            live.learn()
    live.learn()
    report = live.experiment_report("boots")
    exposures = {each.arm.id: each.exposures for each in report.arms}
    assert sum(exposures.values()) == 1_200
    assert 0 < exposures["b"] < 600
    assert report.lift["clicks"].estimate is not None
    assert report.winner != "b"
    assert live.replay().same
