from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from conftest import NOW, make_context, make_experiment
from hookline.errors import (
    BadInput,
    HooklineError,
    Refused,
    StoreFailed,
    Unknown,
    UnregisteredName,
)
from hookline.live import Live
from hookline.store import Store, open_store
from hookline.types import (
    Action,
    Audience,
    Candidate,
    Copy,
    Decision,
    Product,
    Snapshot,
    dumps,
    loads,
)
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


# --- decisions per visit -------------------------------------------------------------------------


def test_a_visit_keeps_its_arm_and_the_next_is_decided_anew(store: Store) -> None:
    live = Live(store)
    start(live, unit="visit")
    first = {n: live.decide("boots", make_context(visit_id=f"s{n}")) for n in range(60)}
    assert len({served.decision_id for served in first.values()}) == 60
    assert len({served.arm.id for served in first.values()}) == 3
    live.learn()
    reborn = Live(store)
    for n, served in first.items():
        again = reborn.decide("boots", make_context(visit_id=f"s{n}", at=NOW + HOUR))
        assert (again.decision_id, again.arm.id, again.reason) == (
            served.decision_id,
            served.arm.id,
            "sticky",
        )
    assert store.counts()["decision"] == 60


def test_events_of_two_visits_go_to_their_own(store: Store) -> None:
    live = Live(store)
    start(live, unit="visit")
    one, two = (live.decide("boots", make_context(visit_id=name)) for name in ("one", "two"))
    live.ingest([seen(one), seen(two), seen(two, "Promotion Clicked")], at=NOW)
    live.learn()
    clicks = {each.decision.id: each.clicks for each in live.latest_outcomes("boots")}
    assert clicks == {one.decision_id: 0, two.decision_id: 1}


def test_the_log_keeps_what_is_known_of_a_visit(live: Live) -> None:
    context = make_context(visit_id="s1", referrer="search", query="warm boots", position=2)
    trace = live.explain(live.decide("boots", context).decision_id)
    assert trace.decision.context == context


# --- candidates ----------------------------------------------------------------------------------


def shop(live: Live, first: int, count: int) -> None:
    """New visitors, every third of whom clicks, some of them late; learned from now and then."""
    for n in range(first, first + count):
        at = NOW + n * HOUR / 10
        served = live.decide("boots", make_context(f"v{n}", at=at))
        stamp = {"userId": f"v{n}", "timestamp": at.isoformat()}
        live.ingest([seen(served, **stamp)], at=at)
        if n % 3 == 0:
            live.ingest([seen(served, "Promotion Clicked", **stamp)], at=at + (n % 2) * 3 * HOUR)
        if n % 20 == 0:
            live.learn()


def decisions(store: Store) -> list[Decision]:
    return [loads(row.body, Decision) for row in store.read() if row.kind == "decision"]


def test_replay_gives_the_live_snapshot_back_through_every_step(store: Store, live: Live) -> None:
    shop(live, 0, 60)
    live.try_candidate("boots", "actor_critic", share=0.3, at=NOW)
    shop(live, 60, 60)
    live.promote("boots", at=NOW)
    shop(live, 120, 60)
    live.forget("v3", at=NOW)
    live.rollback("boots", at=NOW)
    shop(live, 180, 60)
    version = live.learn().version
    done = live.replay()
    assert done.same
    assert set(done.live.states) == {"boots", "boots/candidate"}
    reborn = Live(store)
    assert reborn.experiments() == live.experiments()
    assert reborn.learn().version == version
    verbs = [loads(row.body, Action).verb for row in store.read() if row.kind == "action"]
    assert verbs[-4:] == ["candidate", "promote", "forget", "rollback"]
    who = Counter(each.policy for each in decisions(store))
    assert who == {"thompson": 180, "actor_critic": 60}


def test_the_candidate_serves_its_share_from_the_moment_it_was_named(
    store: Store, live: Live
) -> None:
    shop(live, 0, 40)
    live.try_candidate("boots", "ucb", {"width": 0.5}, 0.5, at=NOW)
    for n in range(400):
        live.decide("boots", make_context(f"w{n}"))
    live.flush()
    made = decisions(store)[40:]
    assert all(each.shadow is not None and each.shadow.share == 0.5 for each in made)
    reasons = Counter(each.reason for each in made)
    assert abs(reasons["candidate"] - 160) < 4 * (400 * 0.4 * 0.6) ** 0.5
    assert abs(reasons["policy"] - 160) < 4 * (400 * 0.4 * 0.6) ** 0.5


def test_a_rollback_changes_the_very_next_decision(store: Store, live: Live) -> None:
    shop(live, 0, 40)
    live.learn()
    probe = make_context("probe")
    twin = Live(store)
    before = twin.explain(twin.decide("boots", probe).decision_id).decision
    live.try_candidate("boots", "ucb", share=0.5, at=NOW)
    live.promote("boots", at=NOW)
    promoted = live.decide("boots", make_context("p"))
    live.rollback("boots", at=NOW)
    after = live.explain(live.decide("boots", make_context("q")).decision_id).decision
    assert live.explain(promoted.decision_id).decision.policy == "ucb"
    assert after.policy == before.policy == "thompson"
    assert after.probabilities == before.probabilities
    assert after.shadow is not None
    assert (after.shadow.policy, after.shadow.share) == ("ucb", 0.0)


def test_a_rollback_during_a_canary_leaves_the_candidate_watching(live: Live) -> None:
    live.try_candidate("boots", "ucb", share=0.5, at=NOW)
    rolled = live.rollback("boots", at=NOW)
    assert rolled.candidate == Candidate(policy="ucb", share=0.0)
    reasons = {live.decide("boots", make_context(f"v{n}")).reason for n in range(200)}
    assert reasons == {"policy", "uniform", "holdout"}


def test_a_candidate_takes_over_what_the_policy_would(store: Store) -> None:
    live = Live(store)
    start(live)
    tried = live.try_candidate("boots", "horizon_thompson", {"floor": 0.01}, at=NOW)
    assert tried.candidate is not None
    assert tried.candidate.params == {"floor": 0.01, "horizon": 10_000.0}
    raised = live.try_candidate("boots", "horizon_thompson", share=0.2, at=NOW)
    assert raised.candidate == replace(tried.candidate, share=0.2)


def test_compare_candidate_goes_by_what_was_noted_beforehand(live: Live) -> None:
    shop(live, 0, 20)
    live.try_candidate("boots", "ucb", at=NOW)
    shop(live, 20, 200)
    live.ingest([{"event": "nothing"}], at=NOW + 400 * HOUR)
    live.learn()
    found = live.compare_candidate("boots")
    assert (found.policy, found.candidate, found.share) == ("thompson", "ucb", 0.0)
    assert found.lift.n == 200
    assert found.candidate_value.estimate is not None
    assert 0.1 < found.candidate_value.estimate < 0.6
    assert live.compare_candidate("boots") is found, "nothing new, nothing computed"
    live.drop_candidate("boots", at=NOW)
    with pytest.raises(Refused, match="no candidate to compare"):
        live.compare_candidate("boots")


@pytest.mark.parametrize(
    ("arguments", "kind", "word"),
    [
        (("boots", "tompson"), UnregisteredName, "did you mean 'thompson'"),
        (("boots", "ucb", {"nonsense": 1.0}), BadInput, "no parameter 'nonsense'"),
        (("boots", "ucb", {"width": 99.0}), BadInput, "width"),
        (("boots", "ucb", {}, 0.51), BadInput, "share"),
        (("boots", "ucb", {}, float("nan")), BadInput, "share"),
        (("boots", "thompson"), Refused, "runs under thompson"),
        (("shoes", "ucb"), Unknown, "no experiment 'shoes'"),
    ],
)
def test_a_candidate_that_makes_no_sense_changes_nothing(
    store: Store,
    live: Live,
    arguments: tuple[object, ...],
    kind: type[HooklineError],
    word: str,
) -> None:
    rows = len(store.read())
    with pytest.raises(kind, match=word):
        live.try_candidate(*arguments, at=NOW)  # pyright: ignore[reportArgumentType]
    assert live.experiment("boots").candidate is None
    assert len(store.read()) == rows


def test_without_a_candidate_there_is_nothing_to_promote_or_take_back(live: Live) -> None:
    for step in (live.promote, live.rollback, live.drop_candidate):
        with pytest.raises(Refused, match="no candidate"):
            step("boots", at=NOW)
    live.try_candidate("boots", "ucb", at=NOW)
    live.move("boots", "concluded", at=NOW)
    for step in (live.promote, live.rollback, live.drop_candidate):
        with pytest.raises(Refused, match="concluded"):
            step("boots", at=NOW)


def test_steps_taken_while_others_decide_and_learn_keep_the_log_true(
    store: Store, live: Live
) -> None:
    """Each decision's shadow names the pair that its probabilities come from."""
    shop(live, 0, 60)
    live.learn()

    def visit(worker: int) -> None:
        for n in range(150):
            live.decide("boots", make_context(f"{worker}-{n}"))
            if n % 30 == worker:
                live.learn()

    def steer() -> None:
        for _ in range(6):
            live.try_candidate("boots", "uniform", share=0.5, at=NOW)
            live.promote("boots", at=NOW)
            live.rollback("boots", at=NOW)
            live.drop_candidate("boots", at=NOW)

    with ThreadPoolExecutor(5) as pool:
        done = [pool.submit(visit, worker) for worker in range(4)] + [pool.submit(steer)]
        for each in done:
            each.result()
    live.learn()
    assert live.replay().same
    for each in decisions(store):
        even = [pytest.approx(1 / 3)] * 3
        if each.policy == "uniform":
            assert each.shadow is not None
            assert (each.shadow.policy, each.shadow.share) == ("thompson", 0.0)
            assert list(each.shadow.probabilities.values()) != even
        elif each.shadow is not None:
            assert list(each.shadow.probabilities.values()) == even


def is_consistent(decision: Decision) -> bool:
    """Whether the policy `uniform` is where the decision says it is, and `thompson` is not."""
    assert decision.shadow is not None
    even = decision.shadow.probabilities["a"] == pytest.approx(1 / 3)
    return even == (decision.shadow.policy == "uniform")


def promoted_to_uniform(live: Live) -> None:
    shop(live, 0, 60)
    live.learn()
    live.try_candidate("boots", "uniform", at=NOW)
    live.promote("boots", at=NOW)


def test_a_rollback_while_a_snapshot_is_taken_is_served_all_the_same(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted_to_uniform(live)
    taken = live._learner.snapshot
    live.decide("boots", make_context("new"))

    def slow() -> Snapshot:
        snapshot = taken()
        live.rollback("boots", at=NOW)
        return snapshot

    with monkeypatch.context() as patch:
        patch.setattr(live._learner, "snapshot", slow)
        live.learn()
    decision = live.explain(live.decide("boots", make_context("after")).decision_id).decision
    assert decision.policy == "thompson"
    assert is_consistent(decision)


def test_a_rollback_waits_for_the_decision_that_is_being_made(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted_to_uniform(live)
    known = live._decision
    rollback = Thread(target=lambda: live.rollback("boots", at=NOW))

    def slow(key: str) -> Decision | None:
        if not rollback.ident:
            rollback.start()
            rollback.join(timeout=0.3)
        return known(key)

    with monkeypatch.context() as patch:
        patch.setattr(live, "_decision", slow)
        served = live.decide("boots", make_context("during"))
    rollback.join()
    decision = live.explain(served.decision_id).decision
    assert decision.policy == "uniform"
    assert is_consistent(decision)
    assert live.experiment("boots").policy == "thompson"


# --- forgetting ----------------------------------------------------------------------------------


def test_forget_is_in_the_log_which_keeps_its_rows(store: Store, live: Live) -> None:
    served = live.decide("boots", make_context())
    live.ingest([seen(served)], at=NOW)
    done = live.forget("v1", at=NOW, by="privacy desk")
    assert done.kept_rows == 2
    action = loads(store.read()[-1].body, Action)
    assert (action.verb, action.subject, action.by) == ("forget", "v1", "privacy desk")
    assert live.decide("boots", make_context()).reason == "sticky"
    live.learn()
    assert live.replay().same


def test_forget_says_when_it_does_not_know_the_visitor(store: Store, live: Live) -> None:
    rows = len(store.read())
    with pytest.raises(Unknown, match="'stranger'"):
        live.forget("stranger", at=NOW)
    assert len(store.read()) == rows
