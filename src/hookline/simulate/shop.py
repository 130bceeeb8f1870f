"""A shop whose shoppers visit, see one copy, and click, order, refund.

All chance comes from hashes of the world's seed with a shopper, a visit or a message, so the same
shopper who sees the same copy on the same visit does the same in every run, whatever else the run
shows to others. Two copies on one visit share their random numbers, so that a difference between
two policies is never luck of the draw alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import exp, prod, sqrt
from statistics import median

from scipy.special import ndtr

from hookline.errors import BadInput, Unknown, UnregisteredName
from hookline.simulate.chances import chances, delay, lognormal, scale
from hookline.simulate.kept import Kept
from hookline.simulate.network import sent
from hookline.simulate.parameters import Parameters
from hookline.simulate.records import Done, Happening, Shopper, Visit
from hookline.simulate.shoppers import Shoppers, relative
from hookline.simulate.tastes import Tastes, levels
from hookline.simulate.visits import come, evening
from hookline.types import Attributes, Money, Product

_LISTS = frozenset({"email", "sms", "push"})  # channels with a list to leave
_COPIES = 20_000  # copies and attribute cells kept
_WORD = re.compile(r"[^\W\d_]+")
_MOST = 0.95  # no click and no order is surer than this


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
        self._shoppers = Shoppers(seed, p)
        self._tastes = Tastes(p, seed)
        self._quirks = Kept(self._quirk, _COPIES)
        self._kept_promises = Kept(self._follow_through, _COPIES)
        self._device_clicks = relative(p.devices, p.device_clicks)
        self._mean_evening = 1 + p.evening_clicks * p.evening_visits / 2  # over arrivals
        self._mean_basket = 0.5 + exp(p.basket_log_sd**2 / 2) * float(ndtr(p.basket_log_sd))

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
        return come(
            n,
            seed=self.seed,
            placements=placements,
            start=start,
            days=days,
            shoppers=self._shoppers,
            parameters=self.parameters,
        )

    def shopper(self, visitor_id: str) -> Shopper:
        """What is true of a shopper, by the id that visits carry."""
        return self._shoppers[visitor_id]

    def expected_click(
        self,
        visit: Visit,
        parts: Mapping[str, str],
        attributes: Attributes | None,
        *,
        worn: float = 0.0,
    ) -> float:
        """The true probability that this visit ends in a click on this copy.

        Args:
            visit: The visit.
            parts: The copy: channel field name → text.
            attributes: The copy's; None for a human line, which is neutral to every taste.
            worn: How often this shopper was shown this very copy before, older showings counting
                less; `Showings` keeps it.
        """
        p = self.parameters
        shopper = self._shoppers[visit.visitor_id]
        rate = (
            p.click_rate[visit.channel_id]
            * shopper.clicks
            * self._device_clicks[visit.device]
            * (1 + p.evening_clicks * evening(visit.at))
            / self._mean_evening
            * max(p.fatigue_floor, p.fatigue**visit.earlier)
            * self._quirks[tuple(parts.items())]
        )
        if attributes is not None:
            taste = shopper.taste_on(visit.day)
            mobile = visit.device == "mobile"
            factor = self._tastes.factor(taste, attributes, mobile=mobile, day=visit.day)
            rate *= p.machine_level * factor
        if worn:
            rate *= p.wear**worn
        return min(rate, _MOST)

    def expected_order(self, visit: Visit, attributes: Attributes | None, *, click: float) -> float:
        """The true probability that this visit ends in an order.

        Args:
            visit: The visit.
            attributes: The copy's; None for a human line.
            click: The probability of a click on the copy, as `expected_click` gives it.
        """
        after = self._order_chance(visit, attributes, clicked=True)
        without = self._order_chance(visit, attributes, clicked=False)
        return click * after + (1 - click) * without

    def expected_revenue(
        self, visit: Visit, attributes: Attributes | None, *, click: float
    ) -> float:
        """The expected money of this visit net of refunds, in the product's currency.

        Args:
            visit: The visit.
            attributes: The copy's; None for a human line.
            click: The probability of a click on the copy, as `expected_click` gives it.
        """
        price = float(self._prices[visit.product_id].amount)
        order = self.expected_order(visit, attributes, click=click)
        return order * price * self._mean_basket * (1 - self.parameters.refund)

    def respond(
        self,
        visit: Visit,
        parts: Mapping[str, str],
        attributes: Attributes | None,
        *,
        worn: float = 0.0,
    ) -> tuple[Happening, ...]:
        """What the shopper does on seeing the copy, in the order of happening.

        A message that was sent twice stands twice, the second right after the first. Sort by
        `arrives_at` to play the network.

        Args:
            visit: The visit.
            parts: The copy: channel field name → text.
            attributes: The copy's; None for a human line.
            worn: As for `expected_click`.
        """
        p = self.parameters
        chance = chances(self.seed, visit.visit_id)
        seen = visit.at + timedelta(seconds=1)
        clicked = chance[0] < self.expected_click(visit, parts, attributes, worn=worn)
        done = [Done("impression", seen)]
        last = seen
        if clicked:
            median_minutes = p.click_minutes[visit.channel_id]
            last += delay(median_minutes, p.click_minutes_log_sd, chance[1])
            done.append(Done("click", last))
        if chance[2] < self._order_chance(visit, attributes, clicked=clicked):
            price = self._prices[visit.product_id]
            worth = _basket(price, scale(p.basket_log_sd, chance[3]))
            last += delay(p.order_minutes, p.order_minutes_log_sd, chance[4])
            done.append(Done("order", last, worth, price.currency))
            if chance[5] < p.refund:
                last += delay(p.refund_days * 1440, 0.6, chance[6])
                done.append(Done("refund", last, worth, price.currency))
        if visit.channel_id in _LISTS and chance[7] < p.unsubscribe:
            done.append(Done("unsubscribe", seen + delay(3.0, 1.0, chance[8])))
        done.sort(key=lambda one: one.at)
        return tuple(m for one in done for m in sent(one, visit, seed=self.seed, parameters=p))

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

    def _quirk(self, parts: tuple[tuple[str, str], ...]) -> float:
        """What a copy is worth beyond its attributes, mean 1: its own luck, and its words' part.

        Every word has a worth of its own in this shop. Those of a copy's n different words are
        added up and divided by √n, so that long copies differ no more than short ones.
        """
        p = self.parameters
        text = "\n".join(f"{name}: {words}" for name, words in sorted(parts))
        chance = chances(self.seed, f"copy|{text}")[0]
        told = " ".join(words for _, words in parts).casefold()
        words = sorted(set(_WORD.findall(told))) if p.wording else []
        if not words:
            return lognormal(p.quirk_sd, chance)
        luck = scale(p.quirk_sd * sqrt(1 - p.wording), chance)
        spread = p.quirk_sd * sqrt(p.wording / len(words))
        worth = prod(scale(spread, chances(self.seed, f"word|{word}")[0]) for word in words)
        return luck * worth * exp(-(p.quirk_sd**2) / 2)

    def _follow_through(self, attributes: Attributes) -> float:
        return prod(self.parameters.follow_through.get(level, 1.0) for level in levels(attributes))

    def _order_chance(self, visit: Visit, attributes: Attributes | None, *, clicked: bool) -> float:
        p = self.parameters
        chance = p.order_after_click if clicked else p.order_without_click
        if clicked and attributes is not None:
            chance *= self._kept_promises[attributes]
        return min(chance * self._shoppers[visit.visitor_id].orders, _MOST)


def _basket(price: Money, times: float) -> float:
    return round(float(price.amount) * max(1.0, times), 2)


def _prices(products: Sequence[Product], fallback: float) -> dict[str, Money]:
    """Product id → what it sells for; the shop's median where the feed gives none."""
    known = {product.id: product.sale_price or product.price for product in products}
    amounts = [price.amount for price in known.values() if price]
    currency = next((price.currency for price in known.values() if price), "USD")
    usual = Money(amount=median(amounts or [Decimal(str(fallback))]), currency=currency)
    return {product_id: price or usual for product_id, price in known.items()}
