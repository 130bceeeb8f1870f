from datetime import timedelta
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOW, make_context, make_experiment
from hookline.errors import BadInput
from hookline.events import EVENT_NAMES, Ledger, parse_event
from hookline.types import Decision, Event, EventKind

HOUR = timedelta(hours=1)


def raw(**changes: object) -> dict[str, object]:
    plain = {"messageId": "m", "event": "Promotion Clicked", "userId": "v1"}
    return plain | {"properties": {"decision_id": "d"}} | changes


@pytest.mark.parametrize(("name", "kind"), EVENT_NAMES.items())
def test_parse_event_knows_every_name(name: str, kind: EventKind) -> None:
    event = parse_event(
        raw(event=name, properties={"decision_id": "d", "order_id": "o1", "revenue": 5}), NOW
    )
    assert event.kind == kind
    assert event.revenue == (5.0 if kind in {"order", "refund"} else 0.0)


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        (raw(event="Page Loaded"), "Page Loaded"),
        (raw(event=None), "None"),
        (raw(messageId=""), "messageId"),
        (raw(messageId="x" * 201), "messageId"),
        (raw(messageId=True), "messageId"),
        (raw(userId=None), "userId"),
        (raw(properties=[1]), "properties"),
        (raw(properties={}), "decision_id"),
        (raw(timestamp="yesterday"), "timestamp"),
        (raw(timestamp="0001-01-01T00:00:00+23:00"), "calendar"),
        (raw(timestamp="9999-12-31T23:59:59-23:00"), "calendar"),
        (raw(timestamp="2026-01-06T12:00:00Z"), "future"),
        (raw(event="Order Completed"), "order_id"),
        (raw(event="Order Completed", properties={"order_id": "o", "revenue": -1}), "revenue"),
        (raw(event="Order Completed", properties={"order_id": "o", "revenue": nan}), "revenue"),
        (raw(event="Order Completed", properties={"order_id": "o", "revenue": inf}), "revenue"),
        (raw(event="Order Completed", properties={"order_id": "o", "revenue": 1e12}), "revenue"),
        (raw(event="Order Completed", properties={"order_id": "o", "revenue": True}), "revenue"),
        (raw(event="Order Completed", properties={"order_id": "o", "revenue": "a"}), "revenue"),
    ],
)
def test_parse_event_says_what_is_wrong(broken: dict[str, object], word: str) -> None:
    with pytest.raises(BadInput, match=word):
        parse_event(broken, NOW)


def test_parse_event_takes_anonymous_visitors_and_money_as_text() -> None:
    event = parse_event(
        {
            "messageId": 17,
            "event": "purchase",
            "anonymousId": "a1",
            "timestamp": "2026-01-05T13:00:00+02:00",
            "properties": {"transaction_id": "t1", "value": "49.90", "currency": "usd"},
        },
        NOW,
    )
    assert (event.message_id, event.visitor_id, event.order_id) == ("17", "a1", "t1")
    assert (event.revenue, event.currency) == (49.9, "USD")
    assert event.at == NOW - HOUR


@given(
    st.dictionaries(
        st.sampled_from(["messageId", "event", "userId", "timestamp", "properties"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from([*EVENT_NAMES]),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_parse_event_gives_an_event_or_a_reason(anything: dict[str, object]) -> None:
    reason = ""
    try:
        found = parse_event(anything, NOW).message_id
    except BadInput as error:
        found, reason = "", str(error)
    assert found or reason


# --- the ledger ---------------------------------------------------------------------------------


def ledger(*visitors: str, experiments: int = 1) -> Ledger:
    """A ledger with one decision an hour apart for each visitor and experiment."""
    made = Ledger()
    for e in range(experiments):
        made.open(make_experiment(id=f"e{e}"))
        for visitor in visitors:
            made.record(decision(f"d{e}-{visitor}", visitor, f"e{e}", at=NOW + e * HOUR))
    return made


def decision(key: str, visitor: str, experiment: str, at: object = NOW) -> Decision:
    return Decision(
        id=key,
        experiment_id=experiment,
        arm_id="a",
        propensity=0.5,
        probabilities={"control": 0.5, "a": 0.5},
        slice="policy",
        reason="policy",
        context=make_context(visitor, at=at),
    )


def event(kind: EventKind, at: timedelta = timedelta(), **fields: object) -> Event:
    given_fields: dict[str, object] = {
        "message_id": f"{kind}{at}{fields}",
        "kind": kind,
        "visitor_id": "v1",
        "at": NOW + at,
    }
    return Event(**given_fields | fields)  # pyright: ignore[reportArgumentType]


def test_click_within_its_window_counts_and_shows_exposure() -> None:
    books = ledger("v1")
    (change,) = books.apply(event("click", HOUR, decision_id="d0-v1"))
    assert (change.after.clicks, change.after.exposed, change.late) == (1, True, False)


def test_click_that_happened_after_the_window_is_ignored_with_a_reason() -> None:
    books = ledger("v1")
    assert books.apply(event("click", 2 * HOUR, decision_id="d0-v1")) == ()
    assert books.ignored == {"click outside every window": 1}


def test_click_that_arrives_after_the_window_is_late_and_counts() -> None:
    books = ledger("v1")
    books.settle(NOW + HOUR)
    (change,) = books.apply(event("click", HOUR / 2, decision_id="d0-v1"))
    assert change.late
    assert books.outcomes["d0-v1"].clicks == 1


def test_seeing_the_line_again_changes_nothing_and_is_nothing_to_report() -> None:
    books = ledger("v1")
    assert len(books.apply(event("impression", decision_id="d0-v1"))) == 1
    assert books.apply(event("impression", 99 * HOUR, decision_id="d0-v1")) == ()
    assert books.ignored == {}


def test_settle_closes_windows_in_the_order_of_time() -> None:
    books = ledger("v1", experiments=2)
    closed = [(o.decision.id, which) for o, which in books.settle(NOW + 24 * HOUR)]
    assert closed == [("d0-v1", "click"), ("d1-v1", "click"), ("d0-v1", "order")]


def test_order_goes_to_the_last_clicked_decision_before_the_last_shown_one() -> None:
    books = ledger("v1", experiments=3)
    for e in range(3):
        books.apply(event("impression", e * HOUR, decision_id=f"d{e}-v1"))
    books.apply(event("click", HOUR, decision_id="d1-v1"))
    (change,) = books.apply(event("order", 3 * HOUR, order_id="o1", revenue=30.0))
    assert change.after.decision.id == "d1-v1"
    assert sum(o.orders for o in books.outcomes.values()) == 1


def test_order_of_a_visitor_who_was_shown_nothing_counts_nowhere() -> None:
    books = ledger("v1")
    assert books.apply(event("order", HOUR, order_id="o1", revenue=30.0)) == ()


def test_order_that_arrives_before_its_impression_waits_for_it() -> None:
    books = ledger("v1")
    assert books.apply(event("order", HOUR, order_id="o1", revenue=30.0)) == ()
    changes = books.apply(event("impression", decision_id="d0-v1"))
    assert [change.after.orders for change in changes] == [0, 1]
    assert books.outcomes["d0-v1"].revenue == 30.0


def test_order_counts_once_under_two_message_ids() -> None:
    books = ledger("v1")
    books.apply(event("impression", decision_id="d0-v1"))
    books.apply(event("order", HOUR, order_id="o1", revenue=30.0, message_id="m1"))
    assert books.apply(event("order", HOUR, order_id="o1", revenue=30.0, message_id="m2")) == ()
    assert books.outcomes["d0-v1"].revenue == 30.0


@pytest.mark.parametrize("first", ["order", "refund"])
def test_refund_takes_money_back_whichever_comes_first(first: str) -> None:
    books = ledger("v1")
    books.apply(event("impression", decision_id="d0-v1"))
    pair = [
        event("order", HOUR, order_id="o1", revenue=30.0),
        event("refund", 9 * HOUR, order_id="o1", revenue=12.0),
    ]
    for each in pair if first == "order" else reversed(pair):
        books.apply(each)
    outcome = books.outcomes["d0-v1"]
    assert (outcome.revenue, outcome.refunds, outcome.orders) == (18.0, 12.0, 1)


def test_refunds_never_take_back_more_than_was_paid() -> None:
    books = ledger("v1")
    books.apply(event("impression", decision_id="d0-v1"))
    books.apply(event("order", HOUR, order_id="o1", revenue=30.0))
    for n in range(3):
        books.apply(event("refund", 2 * HOUR, order_id="o1", revenue=20.0, message_id=f"r{n}"))
    assert books.outcomes["d0-v1"].revenue == 0.0
    assert books.outcomes["d0-v1"].refunds == 30.0


def test_money_of_another_currency_is_not_added() -> None:
    books = ledger("v1")
    books.apply(event("impression", decision_id="d0-v1"))
    assert books.apply(event("order", HOUR, order_id="o", revenue=9.0, currency="EUR")) == ()
    assert "money in EUR, the experiment counts USD" in books.ignored


def test_recording_a_decision_twice_changes_nothing() -> None:
    books = ledger("v1")
    books.apply(event("click", decision_id="d0-v1"))
    books.record(decision("d0-v1", "v1", "e0"))
    assert books.outcomes["d0-v1"].clicks == 1


@given(st.permutations(range(5)))
def test_the_outcome_does_not_depend_on_the_order_of_arrival(order: list[int]) -> None:
    books = ledger("v1")
    events = [
        event("impression", decision_id="d0-v1"),
        event("click", HOUR / 2, decision_id="d0-v1"),
        event("order", HOUR, order_id="o1", revenue=30.0),
        event("refund", 5 * HOUR, order_id="o1", revenue=10.0),
        event("unsubscribe", 6 * HOUR, decision_id="d0-v1"),
    ]
    for place in order:
        books.apply(events[place])
    outcome = books.outcomes["d0-v1"]
    assert (outcome.exposed, outcome.clicks, outcome.orders) == (True, 1, 1)
    assert (outcome.revenue, outcome.refunds, outcome.unsubscribed) == (20.0, 10.0, True)


def test_the_first_order_tells_how_long_it_took_whichever_comes_first() -> None:
    book = ledger("v1")
    late, soon = timedelta(hours=5), timedelta(hours=2)
    for key, at in (("later", late), ("sooner", soon)):
        book.apply(event("order", at, decision_id="d0-v1", order_id=key, revenue=1.0))
    (outcome,) = book.outcomes.values()
    assert (outcome.orders, outcome.ordered_after) == (2, 2.0)
