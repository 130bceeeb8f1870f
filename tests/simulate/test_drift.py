"""Tastes that move, shoppers who change for good, and the world in which nothing does."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.errors import BadInput
from hookline.simulate import Drift, Parameters, Shop, Visit
from hookline.simulate.tastes import Tastes
from hookline.types import Attributes, Product

NAMES = list(Parameters().tastes)
CELLS = [
    Attributes(angle="value", cta="get", proof="price"),
    Attributes(angle="quality", tone="expert", proof="spec", cta="choose"),
    Attributes(angle="curiosity", tone="playful", cta="discover"),
    Attributes(angle="ease", cta="get", length="short"),
    Attributes(angle="occasion", tone="warm", cta="treat"),
]
START = datetime(2026, 3, 2, tzinfo=UTC)
LAMP = Product(id="lamp", title="Lamp")


def of(drift: Drift) -> Tastes:
    return Tastes(Parameters(drift=drift, drift_days=10.0))


STEADY = of("none")


def factors(tastes: Tastes, name: str, day: float) -> list[float]:
    return [tastes.factor(name, cell, mobile=False, day=day) for cell in CELLS]


def moved(name: str, places: int) -> list[float]:
    """What the type so many places on likes where nothing drifts."""
    return factors(STEADY, NAMES[(NAMES.index(name) + places) % len(NAMES)], 0.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("drift", "day", "places"),
    [
        ("none", 0, 0), ("none", 10, 0), ("none", 20, 0),
        ("gradual", 0, 0), ("gradual", 10, 1), ("gradual", 20, 2), ("gradual", 50, 0),
        ("abrupt", 0, 0), ("abrupt", 9.99, 0), ("abrupt", 10, 1), ("abrupt", 19.99, 1),
        ("abrupt", 20, 2), ("abrupt", 50, 0),
        ("seasonal", 0, 0), ("seasonal", 10, 1), ("seasonal", 20, 0), ("seasonal", 30, 1),
    ],
)  # fmt: skip
def test_drift_takes_a_taste_to_a_known_place(
    name: str, drift: Drift, day: float, places: int
) -> None:
    assert factors(of(drift), name, day) == pytest.approx(moved(name, places))


def test_drift_gradual_moves_evenly_and_seasonal_along_a_cosine() -> None:
    def way(drift: Drift, day: float) -> float:
        """Share of the way from the first type to the second, in logs far from the bound."""
        tastes = Tastes(Parameters(drift=drift, drift_days=10.0, taste_span=50.0))
        here, now, there = (
            tastes.factor(name, CELLS[0], mobile=False, day=at)
            for name, at in ((NAMES[0], 0.0), (NAMES[0], day), (NAMES[1], 0.0))
        )
        return (now - here) / (there - here)

    assert way("gradual", 2.5) == pytest.approx(0.25, abs=0.01)
    assert way("gradual", 7.5) == pytest.approx(0.75, abs=0.01)
    assert way("seasonal", 2.5) == pytest.approx((1 - sqrt(0.5)) / 2, abs=0.01)
    assert way("seasonal", 15.0) == pytest.approx(0.5, abs=0.01)


def test_drift_turns_the_best_copy_of_a_type_into_another_type_s() -> None:
    shop = Shop(5, [LAMP], Parameters(quirk_sd=0.0, drift="abrupt", drift_days=10.0))
    visit = visits(shop, 1)[0]

    def best(day: float) -> int:
        rates = [shop.expected_click(replace(visit, day=day), {}, cell) for cell in CELLS]
        return rates.index(max(rates))

    own = NAMES.index(shop.shopper(visit.visitor_id).taste)
    assert [best(day) for day in (0.0, 10.0, 20.0)] == [(own + i) % 5 for i in range(3)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"drift": "wild"}, {"drift_days": 0.0}, {"drift_days": float("nan")}, {"restless": 1.0},
        {"restless": -0.1}, {"wear": 0.0}, {"wear": 1.1}, {"wear_days": -1.0},
    ],
)  # fmt: skip
def test_parameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput, match=next(iter(wrong)).split("_")[0]):
        Parameters(**wrong)  # pyright: ignore[reportArgumentType]


def visits(shop: Shop, n: int) -> list[Visit]:
    places = [("lamp", "email")]
    return list(shop.visits(n, placements=places, start=START, days=60))


def test_restless_share_has_changed_after_one_month_and_two() -> None:
    calm, restless = Shop(5, [LAMP]), Shop(5, [LAMP], Parameters(restless=0.3))
    ids = [f"shopper-5-{i}" for i in range(4000)]
    before = [calm.shopper(visitor_id) for visitor_id in ids]
    after = [restless.shopper(visitor_id) for visitor_id in ids]
    for day, share in ((30.0, 0.3), (60.0, 1 - 0.7**2)):
        pairs = zip(before, after, strict=True)
        changed = sum(one.taste != two.taste_on(day) for one, two in pairs)
        assert abs(changed - 4000 * share) < 4.5 * sqrt(4000 * share * (1 - share))
        assert all(one.taste_on(day) == one.taste for one in before)
    for one, two in zip(before, after, strict=True):
        assert two.taste == one.taste != two.later_taste
        assert two.traits == one.traits
        assert two.clicks == one.clicks


def test_restless_shoppers_go_where_the_shares_say() -> None:
    shop = Shop(5, [LAMP], Parameters(restless=0.5))
    people = [shop.shopper(f"shopper-5-{i}") for i in range(8000)]
    went = Counter(one.later_taste for one in people if one.taste == "bargain")
    total = went.total()
    for name, taste in list(shop.parameters.tastes.items())[1:]:
        share = taste.share / 0.72
        assert abs(went[name] - total * share) < 4.5 * sqrt(total * share * (1 - share))
    assert went["bargain"] == 0


def test_restless_shopper_clicks_by_the_later_taste_from_that_day_on() -> None:
    shop = Shop(5, [LAMP], Parameters(quirk_sd=0.0, restless=0.9))
    visit = visits(shop, 1)[0]
    who = shop.shopper(visit.visitor_id)

    def best(day: float) -> str:
        rates = [shop.expected_click(replace(visit, day=day), {}, cell) for cell in CELLS]
        return NAMES[rates.index(max(rates))]

    assert best(who.changes - 0.01) == who.taste
    assert best(who.changes) == best(who.changes + 900) == who.later_taste


@given(
    drift=st.sampled_from(("none", "gradual", "abrupt", "seasonal")),
    day=st.floats(0, 400),
    place=st.integers(0, 4),
)
def test_drift_of_one_taste_for_all_is_the_same_for_all(
    drift: Drift, day: float, place: int
) -> None:
    tastes = Tastes(Parameters(personal=False, drift=drift))
    found = {
        tastes.factor(name, CELLS[place], mobile=mobile, day=day)
        for name in NAMES
        for mobile in (True, False)
    }
    assert len(found) == 1


def test_stationary_and_not_personal_one_copy_is_best_for_everyone_on_every_day() -> None:
    shop = Shop(5, [LAMP], Parameters(personal=False, drift="none", mobile_length=0.5))
    copies = [({"subject": f"Line {i}"}, cell) for i, cell in enumerate([*CELLS, None])]
    clicked, ordered = Counter[int](), Counter[int]()
    for visit in visits(shop, 600):
        rates = [shop.expected_click(visit, *copy) for copy in copies]
        orders = [
            shop.expected_order(visit, copy[1], click=rate)
            for copy, rate in zip(copies, rates, strict=True)
        ]
        clicked[rates.index(max(rates))] += 1
        ordered[orders.index(max(orders))] += 1
    assert len(clicked) == len(ordered) == 1


def test_stationary_and_personal_the_best_copy_differs() -> None:
    shop = Shop(5, [LAMP], Parameters(quirk_sd=0.0))
    best = Counter[int]()
    for visit in visits(shop, 200):
        rates = [shop.expected_click(visit, {}, cell) for cell in CELLS]
        best[rates.index(max(rates))] += 1
    assert len(best) == len(CELLS)
