"""What the simulation hands out: visits, happenings, and the truth about a shopper."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import NamedTuple

from hookline.types import EventKind, Trait

_EVENT_NAMES: Mapping[EventKind, str] = {
    "impression": "Promotion Viewed",
    "click": "Promotion Clicked",
    "order": "Order Completed",
    "refund": "Order Refunded",
    "unsubscribe": "Unsubscribed",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """A shopper comes to a place where one copy can be shown.

    Attributes:
        at: UTC time.
        traits: What the shop knows: `segment`, `returning`, `past_orders`, sometimes `age_band`.
        day: Days since the simulation began.
        earlier: How often this shopper came to this place before, in this simulation.
    """

    visit_id: str
    visitor_id: str
    at: datetime
    product_id: str
    channel_id: str
    device: str
    traits: Mapping[str, Trait]
    day: float
    earlier: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """One thing a shopper did, and when word of it arrives.

    Attributes:
        message_id: Same for both of a pair that was sent twice.
        at: UTC time it happened.
        arrives_at: UTC time the message reaches the service.
        revenue: Worth of the order, or the amount given back.
    """

    message_id: str
    kind: EventKind
    visitor_id: str
    at: datetime
    arrives_at: datetime
    order_id: str = ""
    revenue: float = 0.0
    currency: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shopper:
    """What is true of one shopper; only `traits` is ever shown to the shop.

    Attributes:
        taste: Latent type, a key of `Parameters.tastes`.
        later_taste: Latent type from day `changes` on.
        changes: Day since the simulation began; infinite for who never changes.
        clicks: Click rate relative to the mean shopper.
        orders: Order probability after a click relative to the mean clicker.
        device: The usual one.
        place: Position of the shopper's own place among all, 0 to 1.
    """

    taste: str
    clicks: float
    orders: float
    device: str
    place: float
    traits: Mapping[str, Trait]
    later_taste: str = ""
    changes: float = inf

    def taste_on(self, day: float) -> str:
        """The latent type on a day since the simulation began."""
        return self.taste if day < self.changes else self.later_taste


class Done(NamedTuple):
    """One thing a shopper did, before word of it is sent."""

    kind: EventKind
    at: datetime
    worth: float = 0.0
    currency: str = ""


def to_segment(happening: Happening, decision_id: str) -> dict[str, object]:
    """The happening as a Segment track call.

    Orders and refunds carry no decision: as in a real shop, they are attributed by visitor.

    Args:
        happening: What happened.
        decision_id: Decision that showed the copy.
    """
    properties: dict[str, object] = {"decision_id": decision_id}
    if happening.kind in {"order", "refund"}:
        properties = {
            "order_id": happening.order_id,
            "revenue": happening.revenue,
            "currency": happening.currency,
        }
    return {
        "messageId": happening.message_id,
        "type": "track",
        "event": _EVENT_NAMES[happening.kind],
        "userId": happening.visitor_id,
        "timestamp": happening.at.isoformat().replace("+00:00", "Z"),
        "properties": properties,
    }
