"""Raw events → checked `Event`s → the `Ledger` of what has come of every decision.

Events come in the Segment shape; GA4 names are accepted as well. They may be doubled, late and out
of order. The ledger joins them to decisions in log order:

- An event with a decision id belongs to that decision. A click counts if it *happened* within the
  click window, whenever it arrives; one that arrives after the window is late, and re-scores.
- An order without a decision id goes to the visitor's last touch within the order window: the
  latest clicked decision, else the latest one that was shown. So no order counts twice.
- An order that arrives before its impression waits for it, a refund for its order; a refund takes
  back at most what was paid.

Everything is kept in memory, about 2.8 KB a decision; orders and refunds that nothing ever answers
for wait for good.
"""

import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

from hookline.errors import BadInput
from hookline.types import MAX_ID, Decision, Event, EventKind, Experiment, Outcome

EVENT_NAMES: dict[str, EventKind] = {
    "Experiment Viewed": "impression",
    "Promotion Viewed": "impression",
    "view_promotion": "impression",
    "Promotion Clicked": "click",
    "select_promotion": "click",
    "Email Link Clicked": "click",
    "Order Completed": "order",
    "purchase": "order",
    "Order Refunded": "refund",
    "refund": "refund",
    "Unsubscribed": "unsubscribe",
}
"""Segment and GA4 event names, and what they mean here."""

MAX_REVENUE = 1e9
"""More than this in one order is a mistake, not a sale."""
AHEAD = timedelta(hours=1)
"""How far a sender's clock may run ahead."""


def parse_event(raw: Mapping[str, object], now: datetime) -> Event:
    """The event in a Segment `track` call.

    Args:
        raw: The call as decoded JSON.
        now: UTC time of its arrival, used where it carries no `timestamp`.

    Raises:
        BadInput: Saying what is missing or wrong, for the set-aside list.

    Examples:
        >>> now = datetime(2026, 1, 1, tzinfo=UTC)
        >>> raw = {"messageId": "m1", "event": "Unsubscribed", "userId": "u1"}
        >>> parse_event(raw, now).kind
        'unsubscribe'
    """
    name = raw.get("event")
    kind = EVENT_NAMES.get(name) if isinstance(name, str) else None
    if kind is None:
        known = ", ".join(EVENT_NAMES)
        raise BadInput(f"the event name {name!r} is not one that Hookline knows ({known})")
    bag = properties_of(raw)
    at = _time(raw.get("timestamp"), now)
    order_id = _id(bag, "order_id", "orderId", "transaction_id")
    decision_id = _id(bag, "decision_id", "decisionId")
    if kind in {"impression", "click"} and not decision_id:
        raise BadInput(f"an event {name!r} needs `properties.decision_id`, as the decision gave it")
    if kind in {"order", "refund"} and not order_id:
        raise BadInput(
            f"an event {name!r} needs `properties.order_id`, or it can't be counted once"
        )
    return Event(
        message_id=_need(raw, "messageId"),
        kind=kind,
        visitor_id=_id(raw, "userId", "anonymousId") or _need(raw, "userId"),
        at=at,
        decision_id=decision_id,
        order_id=order_id,
        revenue=_money(bag, "revenue", "total", "value") if kind in {"order", "refund"} else 0.0,
        currency=_id(bag, "currency").upper(),
    )


def properties_of(raw: Mapping[str, object]) -> dict[str, object]:
    """The `properties` of a Segment call; empty if it has none.

    Raises:
        BadInput: Where they are not an object.
    """
    try:
        return msgspec.convert(raw.get("properties") or {}, dict[str, object])
    except msgspec.ValidationError:
        raise BadInput("`properties` must be an object") from None


def _id(bag: Mapping[str, object], *names: str) -> str:
    for name in names:
        value = bag.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise BadInput(f"`{name}` must be text, not {value!r:.60}")
        if len(text := str(value)) > MAX_ID:
            raise BadInput(f"`{name}` is longer than {MAX_ID} characters")
        return text
    return ""


def _need(bag: Mapping[str, object], name: str) -> str:
    if not (text := _id(bag, name)):
        raise BadInput(f"`{name}` is missing or empty")
    return text


def _money(bag: Mapping[str, object], *names: str) -> float:
    for name in names:
        value = bag.get(name)
        if value is None:
            continue
        try:
            amount = msgspec.convert(value, float, strict=False)
        except msgspec.ValidationError:
            amount = math.nan
        if isinstance(value, bool) or not 0 <= amount <= MAX_REVENUE:
            raise BadInput(f"`{name}` must be an amount of money from 0 up, not {value!r:.60}")
        return amount
    return 0.0


def _time(value: object, now: datetime) -> datetime:
    if value is None:
        return now
    try:
        at = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        raise BadInput(f"`timestamp` must be an ISO 8601 time, not {value!r:.60}") from None
    try:
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        raise BadInput(f"`timestamp` {value!r:.60} lies outside the calendar") from None
    if at > now + AHEAD:
        raise BadInput(f"`timestamp` {at.isoformat()} lies in the future; check the sender's clock")
    return at


class Change(NamedTuple):
    """What one event did to one outcome."""

    before: Outcome
    after: Outcome
    late: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Window:
    click: timedelta
    order: timedelta
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Order:
    decision_id: str
    left: float


def _sooner(outcome: Outcome, at: datetime) -> float:
    """Hours from the decision to its first order, now that another came, placed at that time."""
    hours = max((at - outcome.decision.context.at) / timedelta(hours=1), 0.0)
    return hours if outcome.ordered_after is None else min(outcome.ordered_after, hours)


Settled = Literal["click", "order"]
_SKEW = timedelta(minutes=5)


class Ledger:
    """What has come of every decision, kept up to date event by event.

    Attributes:
        outcomes: Decision id → outcome so far, in log order.
        ignored: Reason → number of events that were sound but changed nothing.
    """

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.ignored: dict[str, int] = {}
        self._windows: dict[str, _Window] = {}
        self._of_visitor: dict[str, list[str]] = {}
        self._orders: dict[str, _Order] = {}
        self._of_experiment: dict[str, list[str]] = {}
        self._early_refunds: dict[str, list[Event]] = {}
        self._early_orders: dict[str, list[Event]] = {}
        self._due: list[tuple[datetime, int, str, Settled]] = []

    def open(self, experiment: Experiment) -> None:
        """Takes in an experiment's windows, before its first decision or when they change."""
        self._windows[experiment.id] = _Window(
            click=timedelta(hours=experiment.click_hours),
            order=timedelta(hours=experiment.order_hours),
            currency=experiment.currency,
        )

    def record(self, decision: Decision) -> None:
        """Opens the outcome of a decision."""
        if decision.id in self.outcomes:
            return
        window = self._windows[decision.experiment_id]
        place = len(self.outcomes)
        self.outcomes[decision.id] = Outcome(decision=decision)
        self._of_visitor.setdefault(decision.context.visitor_id, []).append(decision.id)
        self._of_experiment.setdefault(decision.experiment_id, []).append(decision.id)
        at = decision.context.at
        heapq.heappush(self._due, (at + window.click, place, decision.id, "click"))
        heapq.heappush(self._due, (at + window.order, place, decision.id, "order"))

    def of_experiment(self, experiment_id: str) -> list[Outcome]:
        """The outcomes of one experiment, in log order."""
        return [self.outcomes[key] for key in self._of_experiment.get(experiment_id, ())]

    def of_visitor(self, visitor_id: str) -> list[Outcome]:
        """The outcomes of one visitor, in log order."""
        return [self.outcomes[key] for key in self._of_visitor.get(visitor_id, ())]

    def knows(self, visitor_id: str) -> bool:
        """Whether any decision was made for the visitor."""
        return visitor_id in self._of_visitor

    def settle(self, now: datetime) -> list[tuple[Outcome, Settled]]:
        """Closes the windows that have run out by `now`, in the order in which they did."""
        closed: list[tuple[Outcome, Settled]] = []
        while self._due and self._due[0][0] <= now:
            _, _, key, which = heapq.heappop(self._due)
            outcome = self.outcomes[key]
            if which == "click":
                outcome = replace(outcome, click_settled=True)
            else:
                outcome = replace(outcome, order_settled=True)
            self.outcomes[key] = outcome
            closed.append((outcome, which))
        return closed

    def apply(self, event: Event) -> tuple[Change, ...]:
        """Joins one event to its decision; empty if it changes nothing, with the reason counted."""
        if event.kind == "refund" and event.order_id not in self._orders:
            self._early_refunds.setdefault(event.order_id, []).append(event)
            return self._ignore("refund waits for its order")
        if event.kind == "impression" and self._shown(event.decision_id):
            return ()
        outcome = self._target(event)
        if outcome is None:
            if event.kind == "order" and not event.decision_id:
                self._early_orders.setdefault(event.visitor_id, []).append(event)
            return self._ignore(f"{event.kind} outside every window")
        change = self._change(outcome, event)
        if change is None:
            return ()
        self.outcomes[change.after.decision.id] = change.after
        return (change, *(each for waiting in self._freed(change, event) for each in waiting))

    def _freed(self, change: Change, event: Event) -> Iterator[tuple[Change, ...]]:
        """What events do that came too early and have waited for this one."""
        visitor = change.after.decision.context.visitor_id
        waiting = self._early_refunds.pop(event.order_id, []) if event.kind == "order" else []
        if change.after.exposed and not change.before.exposed:
            waiting = [*waiting, *self._early_orders.pop(visitor, [])]
        return map(self.apply, waiting)

    def _shown(self, decision_id: str) -> bool:
        outcome = self.outcomes.get(decision_id)
        return outcome is not None and outcome.exposed

    def _target(self, event: Event) -> Outcome | None:
        if event.kind == "refund":
            return self.outcomes[self._orders[event.order_id].decision_id]
        if event.decision_id:
            outcome = self.outcomes.get(event.decision_id)
            return outcome if outcome and self._in_time(outcome, event) else None
        touched = [
            outcome
            for outcome in self.of_visitor(event.visitor_id)
            if outcome.exposed and self._in_time(outcome, event)
        ]
        clicked = [outcome for outcome in touched if outcome.clicks]
        return max(
            clicked or touched, key=lambda outcome: outcome.decision.context.at, default=None
        )

    def _in_time(self, outcome: Outcome, event: Event) -> bool:
        window = self._windows[outcome.decision.experiment_id]
        length = window.order if event.kind in {"order", "unsubscribe"} else window.click
        start = outcome.decision.context.at
        return start - _SKEW <= event.at <= start + length

    def _change(self, outcome: Outcome, event: Event) -> Change | None:
        if event.kind == "impression":
            after, late = replace(outcome, exposed=True), outcome.click_settled
        elif event.kind == "click":
            after = replace(outcome, exposed=True, clicks=outcome.clicks + 1)
            late = outcome.click_settled
        elif event.kind == "unsubscribe":
            after, late = replace(outcome, unsubscribed=True), outcome.order_settled
        else:
            return self._money_change(outcome, event)
        return Change(outcome, after, late)

    def _money_change(self, outcome: Outcome, event: Event) -> Change | None:
        currency = self._windows[outcome.decision.experiment_id].currency
        if event.currency and event.currency != currency:
            self._ignore(f"money in {event.currency}, the experiment counts {currency}")
            return None
        if event.kind == "order":
            if event.order_id in self._orders:
                self._ignore("order counted before under another message id")
                return None
            self._orders[event.order_id] = _Order(
                decision_id=outcome.decision.id, left=event.revenue
            )
            after = replace(
                outcome,
                exposed=True,
                orders=outcome.orders + 1,
                revenue=outcome.revenue + event.revenue,
                ordered_after=_sooner(outcome, event.at),
            )
        else:
            order = self._orders[event.order_id]
            back = min(event.revenue or order.left, order.left)
            self._orders[event.order_id] = replace(order, left=order.left - back)
            after = replace(outcome, revenue=outcome.revenue - back, refunds=outcome.refunds + back)
        return Change(outcome, after, outcome.order_settled)

    def _ignore(self, reason: str) -> tuple[Change, ...]:
        self.ignored[reason] = self.ignored.get(reason, 0) + 1
        return ()
