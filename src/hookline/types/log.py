"""What came of it: events, outcomes, the log and what was learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hookline.types.experiments import Decision, Experiment, Metric

EventKind = Literal["impression", "click", "order", "refund", "unsubscribe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something a visitor did, in the Segment shape, checked.

    Attributes:
        message_id: The sender's unique id; a second event with the same one is dropped.
        kind: What happened, from the Segment or GA4 event name.
        visitor_id: `userId`, or `anonymousId` where there is none.
        at: UTC time it happened.
        decision_id: Decision it belongs to; empty if it must be found by visitor.
        order_id: For orders and refunds.
        revenue: For orders and refunds; amount in `currency`, never negative.
    """

    message_id: str
    kind: EventKind
    visitor_id: str
    at: datetime
    decision_id: str = ""
    order_id: str = ""
    revenue: float = 0.0
    currency: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What has come of one decision so far.

    Attributes:
        exposed: Whether the copy was in fact shown.
        clicks: Number of clicks.
        orders: Number of orders.
        revenue: Money of these orders less refunds; can fall below 0 only by currency noise.
        refunds: Money given back.
        ordered_after: Hours from the decision to the first order, at least 0; None without one.
        click_settled: Whether the click window has closed.
        order_settled: Whether the order window has closed.
    """

    decision: Decision
    exposed: bool = False
    clicks: int = 0
    orders: int = 0
    revenue: float = 0.0
    refunds: float = 0.0
    unsubscribed: bool = False
    ordered_after: float | None = None
    click_settled: bool = False
    order_settled: bool = False

    def value(self, metric: Metric) -> float:
        """The outcome under one metric: clicked 0/1, ordered 0/1, or money."""
        if metric == "clicks":
            return float(self.clicks > 0)
        if metric == "orders":
            return float(self.orders > 0)
        return self.revenue


LogKind = Literal["action", "decision", "event"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LogRow:
    """One line of the log, which is the truth.

    Attributes:
        seq: Position, from 1, without gaps in meaning but maybe in number; 0 before it is stored.
        kind: `action` (somebody changed something), `decision` or `event`.
        id: Unique within its kind: a decision id, a message id, an action id.
        at: UTC time the row was made.
        visitor_id: Whom it is about; empty for actions.
        body: The record as JSON bytes: `Action`, `Decision` or `Event`.
    """

    seq: int = 0
    kind: LogKind
    id: str
    at: datetime
    visitor_id: str = ""
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """Somebody or something changed the state: the audit trail.

    Attributes:
        verb: For example `import`, `approved`, `running`.
        subject: Id of what was changed.
        by: Who did it.
        note: Why, or with what result.
        experiment: The experiment as it is after the change, where the change is about one.
    """

    verb: str
    subject: str
    by: str
    note: str = ""
    experiment: Experiment | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """All that was learned from the log up to one row.

    Attributes:
        version: Content hash of `log_seq` and `states`.
        log_seq: Last log row it has learned from.
        at: Newest time of any row up to that one.
        states: Experiment id → its policy's state as JSON text; `<experiment id>/candidate` → that
            of its candidate.
    """

    version: str
    log_seq: int
    at: datetime
    states: Mapping[str, str]
