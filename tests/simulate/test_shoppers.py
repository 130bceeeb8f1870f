"""The simulated shop: same seed same world, rates as in the table, and tastes that differ."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import log, sqrt
from random import Random
from statistics import stdev

import pytest

from hookline.errors import BadInput, Unknown, UnregisteredName
from hookline.simulate import Happening, Parameters, Shop, Visit, to_segment
from hookline.types import Attributes, Money, Product

START = datetime(2026, 3, 2, tzinfo=UTC)
PRODUCTS = [
    Product(id="kettle", title="Kettle", price=Money(amount=Decimal("30.00"), currency="EUR")),
    Product(id="lamp", title="Lamp"),
]
PLACES = [("kettle", "email"), ("lamp", "onsite_banner")]
PLAIN = {"subject": "Our kettle is here"}
EVEN = Parameters(quirk_sd=0.0, fatigue=1.0)
COPIES = {
    "bargain": Attributes(angle="value", cta="get", proof="price"),
    "craft": Attributes(angle="quality", tone="expert", proof="spec", cta="choose"),
    "novelty": Attributes(angle="curiosity", tone="playful", cta="discover"),
    "busy": Attributes(angle="ease", cta="get", length="short"),
    "belonging": Attributes(angle="occasion", tone="warm", cta="treat"),
}
"""For each type of taste, a copy that is made for it."""


def shop(parameters: Parameters | None = None, seed: int = 5) -> Shop:
    return Shop(seed, PRODUCTS, parameters)


def visits(world: Shop, n: int, places: list[tuple[str, str]] | None = None) -> list[Visit]:
    return list(world.visits(n, placements=places or PLACES, start=START, days=7))


def answers(
    world: Shop, n: int, places: list[tuple[str, str]] | None = None
) -> list[tuple[Happening, ...]]:
    return [world.respond(visit, PLAIN, None) for visit in visits(world, n, places)]


def assert_near(count: int, n: int, expected: float, sds: float = 4.5) -> None:
    """The count is within `sds` standard deviations of a binomial's mean."""
    spread = sqrt(n * expected * (1 - expected))
    assert abs(count - n * expected) <= sds * spread, (count, n * expected, spread)


def test_visits_are_the_same_twice_and_differ_by_seed() -> None:
    assert visits(shop(), 300) == visits(shop(), 300)
    assert visits(shop(), 300) != visits(shop(seed=6), 300)


def test_visits_come_in_time_order_within_the_days() -> None:
    times = [visit.at for visit in visits(shop(), 2000)]
    assert all(one <= two for one, two in pairwise(times))
    assert times[0] >= START
    assert times[-1] <= START + timedelta(days=7)


def test_visits_peak_in_the_evening() -> None:
    hours = Counter(visit.at.hour for visit in visits(shop(), 20_000))
    expected = 1 / 24 * (1 + 0.6)
    assert_near(hours[19] + hours[20], 20_000, 2 * expected * 0.99)
    assert min(hours.values()) < 0.5 * max(hours.values())


def test_visits_have_ids_of_their_own_and_count_returns() -> None:
    found = visits(shop(), 3000)
    assert len({visit.visit_id for visit in found}) == 3000
    seen: Counter[tuple[str, str]] = Counter()
    for visit in found:
        assert visit.earlier == seen[visit.visitor_id, visit.product_id]
        seen[visit.visitor_id, visit.product_id] += 1
    assert max(seen.values()) > 1


def test_visits_of_two_periods_share_shoppers_but_no_ids() -> None:
    world = shop()
    later = list(world.visits(200, placements=PLACES, start=START + timedelta(days=7), days=7))
    earlier = visits(world, 200)
    assert not {visit.visit_id for visit in later} & {visit.visit_id for visit in earlier}
    assert {visit.visitor_id for visit in later} & {visit.visitor_id for visit in earlier}


def test_visits_none_is_an_empty_stream() -> None:
    assert visits(shop(), 0) == []


@pytest.mark.parametrize(
    ("places", "days", "start", "error"),
    [
        ([], 1.0, START, BadInput),
        (PLACES, 0.0, START, BadInput),
        (PLACES, 1.0, START.replace(tzinfo=None), BadInput),
        ([("sofa", "email")], 1.0, START, Unknown),
        ([("lamp", "telegram")], 1.0, START, UnregisteredName),
    ],
)
def test_visits_refuses_bad_arguments_at_once(
    places: list[tuple[str, str]], days: float, start: datetime, error: type[Exception]
) -> None:
    with pytest.raises(error):
        shop().visits(10, placements=places, start=start, days=days)


def test_traits_follow_the_table() -> None:
    world = shop()
    ids = [f"shopper-5-{i}" for i in range(8000)]
    people = [world.shopper(visitor_id) for visitor_id in ids]
    tastes = Counter(person.taste for person in people)
    for name, taste in world.parameters.tastes.items():
        assert_near(tastes[name], 8000, taste.share)
        own = [person for person in people if person.taste == name]
        for segment, share in taste.segments.items():
            assert_near(sum(p.traits["segment"] == segment for p in own), len(own), share)
    assert_near(sum("age_band" not in p.traits for p in people), 8000, 0.3)
    assert_near(sum(p.traits["returning"] is True for p in people), 8000, 0.498)
    bought = [p.traits["past_orders"] for p in people if p.traits["returning"]]
    assert min(float(str(past)) for past in bought) == 1.0
    assert all(p.traits["past_orders"] == 0.0 for p in people if not p.traits["returning"])


def test_respond_depends_on_seed_visit_and_copy_alone() -> None:
    one, other = shop(), shop()
    found = visits(one, 400)
    forward = [one.respond(visit, PLAIN, None) for visit in found]
    backward = [other.respond(visit, dict(PLAIN), None) for visit in reversed(found)]
    assert forward == backward[::-1]


def test_respond_with_a_better_copy_never_loses_a_click() -> None:
    world = shop(Parameters(quirk_sd=0.0))
    gained = 0
    for visit in visits(world, 3000):
        clicks: dict[float, bool] = {}
        for name in ("bargain", "craft"):
            rate = world.expected_click(visit, PLAIN, COPIES[name])
            kinds = {h.kind for h in world.respond(visit, PLAIN, COPIES[name])}
            clicks[rate] = "click" in kinds
        assert clicks[max(clicks)] >= clicks[min(clicks)]
        gained += clicks[max(clicks)] > clicks[min(clicks)]
    assert gained > 20


@pytest.mark.parametrize(("channel", "rate"), [("email", 0.167), ("onsite_banner", 0.106)])
def test_click_rate_of_a_neutral_line_is_the_table_s(channel: str, rate: float) -> None:
    found = answers(shop(EVEN), 20_000, [("lamp", channel)])
    clicks = sum(any(h.kind == "click" for h in happenings) for happenings in found)
    # shoppers come more than once, so clicks vary a little more than a binomial
    assert_near(clicks, 20_000, rate, sds=5.5)


def test_clicks_come_as_often_as_expected_click_says() -> None:
    world = shop()
    found = visits(world, 10_000)
    expected = sum(world.expected_click(visit, PLAIN, COPIES["busy"]) for visit in found)
    clicks = sum(
        any(h.kind == "click" for h in world.respond(visit, PLAIN, COPIES["busy"]))
        for visit in found
    )
    assert_near(clicks, 10_000, expected / 10_000)


def test_orders_refunds_and_baskets_follow_the_table() -> None:
    world = shop(Parameters(order_without_click=0.0, refund=0.5, quirk_sd=0.0, fatigue=1.0))
    found = answers(world, 30_000, [("kettle", "email")])
    kinds = [{h.kind for h in happenings} for happenings in found]
    clicks = sum("click" in each for each in kinds)
    orders = sum("order" in each for each in kinds)
    assert_near(orders, clicks, 0.0637)
    assert_near(sum("refund" in each for each in kinds), orders, 0.5)
    worth = [h.revenue for each in found for h in each if h.kind == "order"]
    assert min(worth) == 30.0
    assert_near(sum(amount == 30.0 for amount in worth), len(worth), 0.5)


def test_happenings_of_one_visit_hang_together() -> None:
    world = shop(Parameters(refund=1.0, order_after_click=0.5, unsubscribe=0.1))
    seen: Counter[str] = Counter()
    for visit, happenings in zip(visits(world, 3000), answers(world, 3000), strict=True):
        by_kind = {h.kind: h for h in happenings}
        seen.update(list(by_kind))
        assert all(one.at <= two.at for one, two in pairwise(happenings))
        assert happenings[0].kind == "impression"
        assert happenings[0].at > visit.at
        assert all(h.arrives_at >= h.at and h.visitor_id == visit.visitor_id for h in happenings)
        if "refund" in by_kind:
            order, refund = by_kind["order"], by_kind["refund"]
            assert (order.order_id, order.revenue) == (refund.order_id, refund.revenue)
            assert refund.at - order.at > timedelta(hours=6)
            assert order.currency == "EUR"
        if visit.channel_id == "onsite_banner":
            assert "unsubscribe" not in by_kind
    assert set(seen) == {"impression", "click", "order", "refund", "unsubscribe"}


def test_disturbances_come_in_their_shares() -> None:
    found = answers(shop(), 20_000)
    first = {h.message_id: h for each in found for h in reversed(each)}
    sent = [h for each in found for h in each]
    late = sum(h.arrives_at > h.at for h in first.values())
    assert_near(late, len(first), 0.04)
    assert_near(len(sent) - len(first), len(first), 0.03)
    waits = sorted(h.arrives_at - h.at for h in first.values() if h.arrives_at > h.at)
    assert timedelta(hours=7) < waits[len(waits) // 2] < timedelta(hours=9)


def test_duplicates_are_the_same_message_again() -> None:
    twins = 0
    for happenings in answers(shop(Parameters(duplicates=0.5)), 500):
        for one, two in pairwise(happenings):
            if one.message_id == two.message_id:
                twins += 1
                assert (one.kind, one.at, one.revenue) == (two.kind, two.at, two.revenue)
                assert one.arrives_at < two.arrives_at
    assert twins > 100


def best_by(world: Shop, found: list[Visit], key: str) -> dict[str, str]:
    """Group of shoppers → the name of the copy with most expected clicks among them."""
    totals: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(COPIES, 0.0))
    for visit in found:
        shopper = world.shopper(visit.visitor_id)
        group = shopper.taste if key == "taste" else str(visit.traits["segment"])
        for name, attributes in COPIES.items():
            totals[group][name] += world.expected_click(visit, PLAIN, attributes)
    return {group: max(rates, key=lambda name: rates[name]) for group, rates in totals.items()}


def test_best_copy_differs_by_taste_where_tastes_are_personal() -> None:
    world = shop(EVEN)
    found = visits(world, 600)
    assert best_by(world, found, "taste") == {name: name for name in COPIES}
    assert best_by(world, found, "segment") == {
        "saver": "bargain", "connoisseur": "craft", "explorer": "novelty"
    }  # fmt: skip


def test_no_choice_by_person_can_win_where_tastes_are_not_personal() -> None:
    world = shop(Parameters(personal=False))
    rates = [
        [
            world.expected_click(visit, {"subject": name}, attributes)
            for name, attributes in COPIES.items()
        ]
        for visit in visits(world, 400)
    ]
    first = rates[0]
    for row in rates:
        assert [rate / row[0] for rate in row] == pytest.approx([r / first[0] for r in first])


def test_copy_made_for_a_taste_gains_no_more_than_the_span() -> None:
    world = shop(EVEN)
    for visit in visits(world, 300):
        neutral = world.expected_click(visit, PLAIN, None) * EVEN.machine_level
        for attributes in COPIES.values():
            factor = world.expected_click(visit, PLAIN, attributes) / neutral
            assert 1 - EVEN.taste_span < factor < 1 + EVEN.taste_span
        fitting = COPIES[world.shopper(visit.visitor_id).taste]
        assert world.expected_click(visit, PLAIN, fitting) > 1.15 * neutral


@pytest.mark.parametrize("wording", [0.0, 0.5, 1.0])
def test_quirks_lie_as_far_apart_whatever_part_of_them_words_carry(wording: float) -> None:
    world = shop(Parameters(wording=wording))
    [visit] = visits(world, 1)
    words = [f"{'abcdefghij'[n // 10]}{'klmnopqrst'[n % 10]}" for n in range(100)]
    rng = Random(3)
    rates = [
        log(world.expected_click(visit, {"subject": " ".join(rng.sample(words, 8))}, None))
        for _ in range(1500)
    ]
    assert 0.19 < stdev(rates) < 0.25


def test_wording_gives_lines_of_the_same_words_the_same_worth() -> None:
    lines = ({"subject": "Tea at dawn"}, {"subject": "At dawn, tea!"})
    for wording, same in ((1.0, True), (0.5, False)):
        world = shop(Parameters(wording=wording))
        [visit] = visits(world, 1)
        one, other = (world.expected_click(visit, line, None) for line in lines)
        assert (one == pytest.approx(other, rel=1e-9)) == same


def test_quirk_belongs_to_the_text_and_the_seed() -> None:
    visit = visits(shop(), 1)[0]
    two_parts = {"subject": "Tea?", "preheader": "Now."}
    turned = dict(reversed(two_parts.items()))
    rate = shop().expected_click(visit, two_parts, None)
    assert shop().expected_click(visit, turned, None) == rate
    assert shop().expected_click(visit, PLAIN, None) != rate
    assert Shop(6, PRODUCTS).expected_click(visit, two_parts, None) != rate


def test_fatigue_lowers_the_rate_of_returns_to_one_place() -> None:
    world = shop()
    visit = next(v for v in visits(world, 2000) if v.earlier == 2)
    fresh = replace(visit, earlier=0)
    tired = world.expected_click(visit, PLAIN, None)
    assert tired / world.expected_click(fresh, PLAIN, None) == pytest.approx(0.93**2)


def test_price_is_the_shop_s_median_where_a_product_has_none() -> None:
    world = shop(Parameters(order_without_click=1.0, basket_log_sd=0.0))
    orders = [h for each in answers(world, 50, [("lamp", "email")]) for h in each if h.order_id]
    assert {(h.revenue, h.currency) for h in orders} == {(30.0, "EUR")}


def test_to_segment_gives_decisions_to_views_and_money_to_orders() -> None:
    at = datetime(2026, 3, 2, 10, 0, 0, 250_000, tzinfo=UTC)
    view = Happening(message_id="m1", kind="click", visitor_id="v1", at=at, arrives_at=at)
    assert to_segment(view, "d1") == {
        "messageId": "m1",
        "type": "track",
        "event": "Promotion Clicked",
        "userId": "v1",
        "timestamp": "2026-03-02T10:00:00.250000Z",
        "properties": {"decision_id": "d1"},
    }
    order = Happening(
        message_id="m2", kind="order", visitor_id="v1", at=at, arrives_at=at, order_id="o1",
        revenue=42.5, currency="EUR",
    )  # fmt: skip
    assert to_segment(order, "d1")["properties"] == {
        "order_id": "o1",
        "revenue": 42.5,
        "currency": "EUR",
    }
