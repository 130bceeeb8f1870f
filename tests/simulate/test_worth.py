"""Wear, and the true worth of a visit: what is expected is what comes about on average."""

import pickle
from datetime import UTC, datetime
from decimal import Decimal
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.simulate import Parameters, Shop, Showings, Visit
from hookline.simulate.kept import Kept
from hookline.types import Attributes, Money, Product

START = datetime(2026, 3, 2, tzinfo=UTC)
KETTLE = Product(id="kettle", title="Kettle", price=Money(amount=Decimal("30.00"), currency="EUR"))
PARTS = {"subject": "Our kettle is here"}
CURIOUS = Attributes(angle="curiosity")


def visits(shop: Shop, n: int) -> list[Visit]:
    places = [("kettle", "email")]
    return list(shop.visits(n, placements=places, start=START, days=7))


def test_wear_lowers_the_rate_for_each_showing() -> None:
    shop = Shop(5, [KETTLE], Parameters(wear=0.9))
    [visit] = visits(shop, 1)
    fresh = shop.expected_click(visit, PARTS, CURIOUS)
    assert shop.expected_click(visit, PARTS, CURIOUS, worn=1.0) == pytest.approx(0.9 * fresh)
    assert shop.expected_click(visit, PARTS, None, worn=2.5) == pytest.approx(
        0.9**2.5 * shop.expected_click(visit, PARTS, None)
    )


def test_wear_is_off_by_default() -> None:
    shop = Shop(5, [KETTLE])
    [visit] = visits(shop, 1)
    fresh = shop.expected_click(visit, PARTS, CURIOUS)
    assert shop.expected_click(visit, PARTS, CURIOUS, worn=7.0) == fresh


def test_wear_costs_clicks_in_what_shoppers_do() -> None:
    shop = Shop(5, [KETTLE], Parameters(wear=0.5))
    found = visits(shop, 2000)

    def clicks(worn: float) -> int:
        done = (shop.respond(visit, PARTS, CURIOUS, worn=worn) for visit in found)
        return sum(any(h.kind == "click" for h in happenings) for happenings in done)

    expected = sum(shop.expected_click(visit, PARTS, CURIOUS, worn=3.0) for visit in found)
    assert abs(clicks(3.0) - expected) < 4.5 * sqrt(expected)
    assert clicks(3.0) < clicks(0.0) / 4


def test_showings_add_up_and_recover_by_their_half_life() -> None:
    showings = Showings(half_life=14.0)
    assert showings.worn("ann", "red", day=0.0) == 0.0
    showings.show("ann", "red", day=0.0)
    showings.show("ann", "red", day=14.0)
    assert showings.worn("ann", "red", day=14.0) == pytest.approx(1.5)
    assert showings.worn("ann", "red", day=42.0) == pytest.approx(1.5 / 4)
    assert showings.worn("ann", "red", day=900.0) < 1e-15
    assert showings.worn("ann", "blue", day=42.0) == showings.worn("bob", "red", day=42.0) == 0.0


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.floats(0.5, 60))
def test_showings_are_the_sum_of_every_showing_s_decay(days: list[float], half: float) -> None:
    showings = Showings(half_life=half)
    for day in sorted(days):
        showings.show("ann", "red", day)
    expected = sum(0.5 ** ((120 - day) / half) for day in days)
    assert showings.worn("ann", "red", 120) == pytest.approx(expected)


def test_expected_order_and_revenue_are_what_comes_about() -> None:
    shop = Shop(
        5, [KETTLE], Parameters(order_after_click=0.4, order_without_click=0.05, refund=0.3)
    )
    orders, money, expected, worth = 0, [], 0.0, 0.0
    for visit in visits(shop, 12_000):
        click = shop.expected_click(visit, PARTS, CURIOUS)
        expected += shop.expected_order(visit, CURIOUS, click=click)
        worth += shop.expected_revenue(visit, CURIOUS, click=click)
        done = {h.kind: h.revenue for h in shop.respond(visit, PARTS, CURIOUS)}
        orders += "order" in done
        money.append(done.get("order", 0.0) - done.get("refund", 0.0))
    assert abs(orders - expected) < 4.5 * sqrt(expected)
    assert abs(sum(money) - worth) < 4.5 * float(np.std(money)) * sqrt(len(money))


def test_expected_order_follows_the_promise_the_copy_keeps() -> None:
    shop = Shop(5, [KETTLE], Parameters(order_without_click=0.0))
    [visit] = visits(shop, 1)
    neutral = shop.expected_order(visit, None, click=0.2)
    assert shop.expected_order(visit, CURIOUS, click=0.2) == pytest.approx(0.85 * neutral)
    assert shop.expected_order(visit, CURIOUS, click=0.0) == 0.0


def test_shop_sent_to_another_process_is_the_same_shop() -> None:
    shop = Shop(5, [KETTLE])
    found = visits(shop, 20)
    rates = [shop.expected_click(visit, PARTS, CURIOUS) for visit in found]
    again: Shop = pickle.loads(pickle.dumps(shop))
    assert [again.expected_click(visit, PARTS, CURIOUS) for visit in found] == rates


def test_kept_computes_once_and_stays_bounded() -> None:
    asked: list[int] = []

    def double(key: int) -> int:
        asked.append(key)
        return 2 * key

    kept = Kept(double, most=10)
    assert [kept[key] for key in (1, 1, 1)] == [2, 2, 2]
    assert asked == [1]
    for key in range(1000):
        assert kept[key] == 2 * key
        assert len(kept) <= 10
