"""Shoppers who visit, see one copy, and click, order, refund; with a network that misbehaves.

All chance comes from hashes of the world's seed with a shopper, a visit or a message, so the same
shopper who sees the same copy on the same visit does the same in every run, whatever else the run
shows to others. Two copies on one visit share their random numbers, so that a difference between
two policies is never luck of the draw alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import cos, pi
from statistics import median
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput, Unknown, UnregisteredName
from hookline.simulate.chances import chances, delay, geometric, lognormal, pick, scale
from hookline.simulate.parameters import Parameters
from hookline.simulate.records import Happening, Shopper, Visit
from hookline.simulate.tastes import Tastes, levels
from hookline.types import Attributes, EventKind, Money, Product, Trait

Name = TypeVar("Name", str, bool)

_PEAK_HOUR = 20.0
_TURN = 2 * pi / 24
_LISTS = frozenset({"email", "sms", "push"})  # channels with a list to leave


class Shop:
    """A shop and its shoppers.

    Args:
        seed: Seed of everything, at least 0: another seed is another world.
        products: What is sold; orders are worth their price.
        parameters: The world's constants.

    Examples:
        >>> from datetime import UTC
        >>> shop = Shop(seed=7, products=[Product(id="lamp", title="Lamp")])
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> visit = next(shop.visits(9, placements=[("lamp", "email")], start=noon, days=2.0))
        >>> [happening.kind for happening in shop.respond(visit, {"subject": "Light!"}, None)]
        ['impression']
    """

    def __init__(
        self, seed: int, products: Sequence[Product], parameters: Parameters | None = None
    ) -> None:
        self.seed = seed
        self.products = products
        self.parameters = p = parameters or Parameters()
        self._prices = _prices(products, p.fallback_price)
        self._tastes = Tastes(p)
        self._taste_shares = {name: taste.share for name, taste in p.tastes.items()}
        damped = {age: clicks**p.age_damping for age, clicks in p.age_clicks.items()}
        self._age_clicks = _relative(p.ages, damped)
        self._device_clicks = _relative(p.devices, p.device_clicks)
        known = {True: p.returning, False: 1 - p.returning}
        self._returning_clicks = _relative(known, {True: p.returning_clicks, False: 1.0})
        clickers_past = p.past_orders_mean * p.returning * self._returning_clicks[True]
        self._clickers_orders = 1 + p.order_per_past_order * clickers_past

    def visits(
        self, n: int, *, placements: Sequence[tuple[str, str]], start: datetime, days: float
    ) -> Iterator[Visit]:
        """`n` visits in time order, busiest at 20 h UTC.

        Args:
            n: How many.
            placements: Product id and channel id of each place where copy is shown.
            start: UTC time the simulation begins.
            days: How long it lasts.

        Raises:
            BadInput: Where there is no place, no time, or `start` has no time zone.
            Unknown: Where a product is not in the shop, or a channel has no click rate.
        """
        self._check(placements, start, days)
        rng = np.random.default_rng([self.seed, int(start.timestamp()) % 2**32])
        arrivals = self._arrivals(rng.random(n), start, days)
        return self._come(arrivals, placements, start, rng)

    def _come(
        self,
        arrivals: NDArray[np.float64],
        placements: Sequence[tuple[str, str]],
        start: datetime,
        rng: np.random.Generator,
    ) -> Iterator[Visit]:
        """One visit for each arrival, by shoppers drawn with replacement."""
        p, n = self.parameters, len(arrivals)
        whose = rng.integers(max(1, round(n / p.visits_per_shopper)), size=n)
        elsewhere = rng.integers(len(placements), size=n)
        at_own, on_own = rng.random((2, n)) < [[p.place_loyalty], [p.device_loyalty]]
        devices = rng.choice(list(p.devices), size=n, p=list(p.devices.values()))
        been: Counter[tuple[str, int]] = Counter()
        for i, day in enumerate(map(float, arrivals)):
            visitor_id = f"shopper-{self.seed}-{whose[i]}"
            shopper = self.shopper(visitor_id)
            place = int(shopper.place * len(placements) if at_own[i] else elsewhere[i])
            yield Visit(
                visit_id=f"visit-{self.seed}-{int(start.timestamp()):x}-{i}",
                visitor_id=visitor_id,
                at=start + timedelta(milliseconds=round(day * 86_400_000)),
                product_id=placements[place][0],
                channel_id=placements[place][1],
                device=shopper.device if on_own[i] else str(devices[i]),
                traits=shopper.traits,
                day=day,
                earlier=been[visitor_id, place],
            )
            been[visitor_id, place] += 1

    def shopper(self, visitor_id: str) -> Shopper:
        """What is true of a shopper, by the id that visits carry."""
        p = self.parameters
        chance = chances(self.seed, visitor_id)
        taste = pick(self._taste_shares, chance[0])
        age = pick(p.ages, chance[1])
        returning = chance[2] < p.returning
        past = geometric(p.past_orders_mean, chance[3]) if returning else 0
        traits: dict[str, Trait] = {
            "segment": pick(p.tastes[taste].segments, chance[4]),
            "returning": returning,
            "past_orders": float(past),
        }
        if chance[5] >= p.age_missing:
            traits["age_band"] = age
        level = self._age_clicks[age] * self._returning_clicks[returning]
        return Shopper(
            taste=taste,
            clicks=level * lognormal(p.appetite_sd, chance[6]),
            orders=(1 + p.order_per_past_order * past) / self._clickers_orders,
            device=pick(p.devices, chance[7]),
            place=chance[8],
            traits=traits,
        )

    def expected_click(
        self, visit: Visit, parts: Mapping[str, str], attributes: Attributes | None
    ) -> float:
        """The true probability that this visit ends in a click on this copy.

        Args:
            visit: The visit.
            parts: The copy: channel field name → text.
            attributes: The copy's; None for a human line, which is neutral to every taste.
        """
        p = self.parameters
        shopper = self.shopper(visit.visitor_id)
        hour = visit.at.hour + visit.at.minute / 60
        evening = 1 + p.evening_clicks * cos(_TURN * (hour - _PEAK_HOUR))
        rate = (
            p.click_rate[visit.channel_id]
            * shopper.clicks
            * self._device_clicks[visit.device]
            * evening
            / (1 + p.evening_clicks * p.evening_visits / 2)  # its mean over arrivals
            * max(p.fatigue_floor, p.fatigue**visit.earlier)
            * self._quirk(parts)
        )
        if attributes is not None:
            mobile = visit.device == "mobile"
            taste = self._tastes.factor(shopper.taste, attributes, mobile=mobile, day=visit.day)
            rate *= p.machine_level * taste
        return min(rate, 0.95)

    def respond(
        self, visit: Visit, parts: Mapping[str, str], attributes: Attributes | None
    ) -> tuple[Happening, ...]:
        """What the shopper does on seeing the copy, in the order of happening.

        A message that was sent twice stands twice, the second right after the first. Sort by
        `arrives_at` to play the network.

        Args:
            visit: The visit.
            parts: The copy: channel field name → text.
            attributes: The copy's; None for a human line.
        """
        p = self.parameters
        chance = chances(self.seed, visit.visit_id)
        seen = visit.at + timedelta(seconds=1)
        clicked = chance[0] < self.expected_click(visit, parts, attributes)
        done: list[tuple[EventKind, datetime, float]] = [("impression", seen, 0.0)]
        last = seen
        if clicked:
            median_minutes = p.click_minutes[visit.channel_id]
            last += delay(median_minutes, p.click_minutes_log_sd, chance[1])
            done.append(("click", last, 0.0))
        if chance[2] < self._order_chance(visit, attributes, clicked=clicked):
            worth = self._basket(visit.product_id, chance[3])
            last += delay(p.order_minutes, p.order_minutes_log_sd, chance[4])
            done.append(("order", last, worth))
            if chance[5] < p.refund:
                last += delay(p.refund_days * 1440, 0.6, chance[6])
                done.append(("refund", last, worth))
        if visit.channel_id in _LISTS and chance[7] < p.unsubscribe:
            done.append(("unsubscribe", seen + delay(3.0, 1.0, chance[8]), 0.0))
        done.sort(key=lambda one: one[1])
        return tuple(sent for one in done for sent in self._sent(visit, *one))

    def _check(self, placements: Sequence[tuple[str, str]], start: datetime, days: float) -> None:
        if not placements:
            raise BadInput("visits need at least one placement (product id, channel id)")
        if days <= 0:
            raise BadInput(f"days must be more than 0, not {days}")
        if start.tzinfo is None:
            raise BadInput("start needs a time zone; give UTC")
        for product_id, channel_id in placements:
            if product_id not in self._prices:
                raise Unknown(f"the shop sells no product {product_id!r}")
            if channel_id not in self.parameters.click_rate:
                raise UnregisteredName("channel", channel_id, self.parameters.click_rate)

    def _arrivals(
        self, chance: NDArray[np.float64], start: datetime, days: float
    ) -> NDArray[np.float64]:
        """Days since the start, sorted: the inverse of the arrival curve's integral."""
        day = np.linspace(0, days, max(2, round(days * 144)))
        hour = start.hour + start.minute / 60 + 24 * day
        swing = self.parameters.evening_visits / _TURN
        came = 24 * day + swing * np.sin(_TURN * (hour - _PEAK_HOUR))
        came -= came[0]
        return np.asarray(np.interp(np.sort(chance) * came[-1], came, day), dtype=np.float64)

    def _quirk(self, parts: Mapping[str, str]) -> float:
        text = "\n".join(f"{name}: {parts[name]}" for name in sorted(parts))
        return lognormal(self.parameters.quirk_sd, chances(self.seed, f"copy|{text}")[0])

    def _order_chance(self, visit: Visit, attributes: Attributes | None, *, clicked: bool) -> float:
        p = self.parameters
        chance = p.order_after_click if clicked else p.order_without_click
        if clicked and attributes is not None:
            for level in levels(attributes):
                chance *= p.follow_through.get(level, 1.0)
        return min(chance * self.shopper(visit.visitor_id).orders, 0.95)

    def _basket(self, product_id: str, chance: float) -> float:
        price = float(self._prices[product_id].amount)
        return round(price * max(1.0, scale(self.parameters.basket_log_sd, chance)), 2)

    def _sent(
        self, visit: Visit, kind: EventKind, at: datetime, worth: float
    ) -> Iterator[Happening]:
        """The message of one happening, twice where the network sends it twice."""
        p = self.parameters
        message_id = f"{kind}-{visit.visit_id}"
        chance = chances(self.seed, message_id)
        wait = delay(p.late_hours * 60, 1.0, chance[1]) if chance[0] < p.late else timedelta()
        bought = kind in {"order", "refund"}
        again = delay(10.0, 1.0, chance[3])
        for arrives_at in (at + wait, at + wait + again)[: 2 if chance[2] < p.duplicates else 1]:
            yield Happening(
                message_id=message_id,
                kind=kind,
                visitor_id=visit.visitor_id,
                at=at,
                arrives_at=arrives_at,
                order_id=f"order-{visit.visit_id}" if bought else "",
                revenue=worth,
                currency=self._prices[visit.product_id].currency if bought else "",
            )


def _prices(products: Sequence[Product], fallback: float) -> dict[str, Money]:
    """Product id → what it sells for; the shop's median where the feed gives none."""
    known = {product.id: product.sale_price or product.price for product in products}
    amounts = [price.amount for price in known.values() if price]
    currency = next((price.currency for price in known.values() if price), "USD")
    usual = Money(amount=median(amounts or [Decimal(str(fallback))]), currency=currency)
    return {product_id: price or usual for product_id, price in known.items()}


def _relative(shares: Mapping[Name, float], factors: Mapping[Name, float]) -> dict[Name, float]:
    """The factors scaled to a mean of 1 over the shares."""
    mean = sum(share * factors[name] for name, share in shares.items())
    return {name: factors[name] / mean for name in shares}
