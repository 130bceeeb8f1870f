"""Four forecasts: of what is mature only, put right when it changes, right where truth is known."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import NOW, make_arm
from hookline.errors import BadInput
from hookline.estimator import Estimator, Expected, Later, rewards, worth
from hookline.estimator.level import Hidden
from hookline.types import Arm, Context, Decision, Outcome

ARMS = (make_arm("control", control=True), make_arm("a"))
DAY = timedelta(days=1)
CLICK, ORDER, PRICE = 0.3, 0.4, 50.0


def outcome(
    index: int,
    *,
    visitor: str = "",
    at: datetime | None = None,
    exposed: bool = True,
    clicks: int = 0,
    orders: int = 0,
    revenue: float = 0.0,
    click_settled: bool = True,
    order_settled: bool = True,
    loyal: bool = False,
) -> Outcome:
    """One decision's outcome; the arms take turns."""
    context = Context(
        visitor_id=visitor or f"v{index}",
        at=at or NOW + timedelta(minutes=index),
        traits={"loyal": loyal},
    )
    decision = Decision(
        id=f"d{index}",
        experiment_id="boots",
        arm_id=ARMS[index % 2].id,
        propensity=0.5,
        probabilities={arm.id: 0.5 for arm in ARMS},
        slice="policy",
        reason="policy",
        context=context,
    )
    return Outcome(
        decision=decision,
        exposed=exposed,
        clicks=clicks,
        orders=orders,
        revenue=revenue,
        click_settled=click_settled,
        order_settled=order_settled,
    )


def arm_of(shown: Outcome) -> Arm:
    return ARMS[shown.decision.arm_id == "a"]


def shop(count: int, seed: int = 0, *, loyal: float = 1.0) -> Iterator[Outcome]:
    """Settled outcomes of visitors who click and order at the rates above; loyal ones click more.

    Args:
        count: How many.
        seed: Seed of all chance.
        loyal: How many times as often the loyal half clicks as the other.
    """
    rng = np.random.default_rng(seed)
    for index in range(count):
        is_loyal = bool(rng.random() < 0.5)
        rate = CLICK * (2 * loyal if is_loyal else 2) / (1 + loyal)
        clicked = bool(rng.random() < rate)
        ordered = clicked and bool(rng.random() < ORDER)
        yield outcome(
            index,
            clicks=int(clicked),
            orders=int(ordered),
            revenue=PRICE * float(rng.uniform(0.5, 1.5)) if ordered else 0.0,
            loyal=is_loyal,
        )


def taught(outcomes: Sequence[Outcome], **params: float) -> Estimator:
    estimator = Estimator(**params)  # pyright: ignore[reportArgumentType]
    for each in outcomes:
        estimator.learn(each, arm_of(each))
    return estimator


def asked(*, loyal: bool = False) -> Context:
    return Context(visitor_id="new", at=NOW + 2 * DAY, traits={"loyal": loyal})


def test_nothing_is_said_before_enough_is_known() -> None:
    estimator = taught(list(shop(20)))
    forecasts = Estimator().predict(asked(), "", ARMS)
    assert forecasts.click is forecasts.worth is forecasts.long_run is None
    assert estimator.predict(asked(), "", ARMS).value_given_order is None


def test_heads_find_the_rates_of_the_shop() -> None:
    found = taught(list(shop(3000))).predict(asked(), "", ARMS)
    for head, truth in (
        (found.click, CLICK),
        (found.order_given_click, ORDER),
        (found.value_given_order, PRICE),
        (found.worth, CLICK * ORDER * PRICE),
    ):
        assert head is not None
        assert head.mean == pytest.approx([truth, truth], rel=0.25)
        assert (abs(head.mean - truth) < 3 * head.sd).all()
        assert (head.sd < 0.5 * truth).all()


def test_the_level_of_a_trait_is_found_though_it_decides_nothing() -> None:
    estimator = taught(list(shop(1500, loyal=3.0)))
    loyal = estimator.predict(asked(loyal=True), "", ARMS).click
    other = estimator.predict(asked(loyal=False), "", ARMS).click
    assert loyal is not None
    assert other is not None
    assert 1.8 < loyal.mean[0] / other.mean[0] < 3.5


def test_worth_is_the_product_with_relative_variances_added() -> None:
    parts = [
        Expected(np.array([0.1]), np.array([0.01])),
        Expected(np.array([0.5]), np.array([0.1])),
        Expected(np.array([40.0]), np.array([4.0])),
    ]
    found = worth(*parts)
    assert found is not None
    assert found.mean == pytest.approx([2.0])
    assert found.sd == pytest.approx([2.0 * np.sqrt(0.01 + 0.04 + 0.01)])
    assert worth(parts[0], None) is None


def test_rewards_are_only_what_is_known() -> None:
    bought = outcome(0, clicks=1, orders=1, revenue=9.0)
    assert rewards(bought) == {"click": 1, "order given click": 1, "value given order": 9.0}
    assert rewards(replace(bought, order_settled=False)) == {"click": 1}
    assert rewards(replace(bought, click_settled=False, order_settled=False)) == {}
    assert rewards(replace(bought, exposed=False)) == {}
    assert rewards(outcome(0)) == {"click": 0}
    without_click = outcome(0, orders=1, revenue=9.0)
    assert rewards(without_click) == {"click": 0, "value given order": 9.0}


def test_an_order_that_is_not_known_yet_is_no_no() -> None:
    estimator = Estimator()
    for each in shop(600):
        early = replace(each, order_settled=False)
        estimator.learn(early, arm_of(each))
    assert estimator.expected("click", [(asked(), "", ARMS[0])]) is not None
    assert estimator.expected("order given click", [(asked(), "", ARMS[0])]) is None
    for each in shop(600):
        before = replace(each, order_settled=False)
        estimator.learn(each, arm_of(each), before)
    assert estimator.usual("order given click") == pytest.approx(ORDER, abs=0.1)
    both = taught(list(shop(600)))
    assert estimator.usual("order given click") == both.usual("order given click")
    assert estimator.usual("click") == both.usual("click")


def test_a_refund_and_a_late_click_are_put_right() -> None:
    outcomes = list(shop(600))
    estimator = taught(outcomes)
    once = estimator.predict(asked(), "", ARMS)
    refunded = [each for each in outcomes if each.orders][::2]
    for each in refunded:
        estimator.learn(replace(each, revenue=0.0), arm_of(each), each)
    late = [each for each in outcomes if not each.clicks][::5]
    for each in late:
        estimator.learn(replace(each, clicks=1), arm_of(each), each)
    found = estimator.predict(asked(), "", ARMS)
    assert once.value_given_order is not None
    assert found.value_given_order is not None
    assert estimator.usual("value given order") == pytest.approx(PRICE / 2, rel=0.15)
    assert (found.value_given_order.mean < 0.75 * once.value_given_order.mean).all()
    assert once.click is not None
    assert found.click is not None
    assert (found.click.mean > 1.1 * once.click.mean).all()


def test_what_did_not_change_teaches_nothing() -> None:
    outcomes = list(shop(400))
    estimator, again = taught(outcomes), taught(outcomes)
    for each in outcomes:
        again.learn(each, arm_of(each), each)
    pair = [(asked(), "", ARMS[0])]
    first, second = estimator.expected("click", pair), again.expected("click", pair)
    assert first is not None
    assert second is not None
    assert first.mean == second.mean


def test_forgetting_a_visitor_leaves_no_level_of_their_own() -> None:
    rng = np.random.default_rng(1)
    outcomes = [
        outcome(index, visitor=f"v{index % 40}", clicks=int(rng.random() < chance))
        for index in range(1600)
        for chance in [0.6 if index % 40 < 8 else 0.1]
    ]
    estimator = taught(outcomes)

    def click(visitor: str) -> float:
        context = Context(visitor_id=visitor, at=NOW + 2 * DAY, traits={"loyal": False})
        found = estimator.expected("click", [(context, "", ARMS[0])])
        assert found is not None
        return float(found.mean[0])

    keen, new = click("v0"), click("nobody")
    assert keen > 1.5 * new
    estimator.forget("v0")
    assert click("v0") == pytest.approx(click("nobody"))
    assert click("v1") > 1.5 * new


def test_probabilities_stay_probabilities() -> None:
    sure = [outcome(index, clicks=1, orders=1, revenue=5.0) for index in range(300)]
    found = taught(sure).predict(asked(), "", ARMS)
    assert found.click is not None
    assert found.order_given_click is not None
    for head in (found.click, found.order_given_click):
        assert (head.mean <= 1).all()
        assert (head.mean > 0.8).all()


# --- the long run ------------------------------------------------------------------------------


def answers(outcomes: Sequence[Outcome], days: float, gamma: float = 0.5) -> dict[str, float]:
    """Decision id → long run, as it comes out of seeing the outcomes in turn."""
    later = Later[str]("clicks", gamma, timedelta(days=days))
    found: dict[str, float] = {}
    for each in outcomes:
        later.see(each, each.decision.id)
        found |= {key: value for key, value, _ in later.mature()}
    return found


def test_long_run_counts_later_visits_within_the_look_ahead() -> None:
    came = [
        outcome(index, visitor="v", at=NOW + days * DAY, clicks=clicks)
        for index, (days, clicks) in enumerate([(0, 1), (1, 1), (2, 0), (3, 1), (9, 1)])
    ]
    end = [outcome(9, at=NOW + 20 * DAY)]
    assert answers([*came, *end], 5.0) == {
        "d0": 0.5 + 0.125, "d1": 0.25, "d2": 0.5, "d3": 0.0, "d4": 0.0,
    }  # fmt: skip


def test_long_run_is_open_until_the_look_ahead_has_passed() -> None:
    first = outcome(0, visitor="v")
    assert answers([first, outcome(1, at=NOW + 5 * DAY)], 5.0) == {}
    assert answers([first, outcome(1, at=NOW + 5.1 * DAY)], 5.0) == {"d0": 0.0}


def test_long_run_takes_a_change_that_comes_in_time_and_no_unseen_copy() -> None:
    later = Later[str]("clicks", 0.5, 5 * DAY)
    first, second = outcome(0, visitor="v"), outcome(1, visitor="v")
    unseen = outcome(2, visitor="v", exposed=False)
    for each in (first, second, unseen):
        later.see(each, each.decision.id)
    later.see(replace(second, clicks=1), "d1", second)
    later.see(replace(unseen, exposed=True, clicks=1), "d2", unseen)
    later.see(outcome(3, at=NOW + 9 * DAY), "d3")
    assert {key: (value, visits) for key, value, visits in later.mature()} == {
        "d0": (0.5 + 0.25, 2), "d1": (0.5, 1), "d2": (0.0, 0),
    }  # fmt: skip


def test_long_run_of_a_forgotten_visitor_has_no_answer() -> None:
    later = Later[str]("clicks", 0.5, 5 * DAY)
    for index in range(4):
        each = outcome(index, visitor="vw"[index % 2])
        later.see(each, each.decision.id)
    later.forget("v")
    later.see(outcome(9, at=NOW + 9 * DAY), "d9")
    assert [key for key, _, _ in later.mature()] == ["d1", "d3"]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0.01, 3.0), st.booleans()), max_size=40),
    st.floats(0.5, 6.0),
)
def test_long_run_is_what_counting_by_hand_gives(
    steps: list[tuple[int, float, bool]], days: float
) -> None:
    times = np.cumsum([gap for _, gap, _ in steps])
    came = [
        outcome(index, visitor=f"v{who}", at=NOW + float(time) * DAY, clicks=int(clicked))
        for index, ((who, _, clicked), time) in enumerate(zip(steps, times, strict=True))
    ]
    wanted: dict[str, float] = {}
    for place, each in enumerate(came):
        at, visitor = each.decision.context.at, each.decision.context.visitor_id
        after = [
            other
            for other in came[place + 1 :]
            if other.decision.context.visitor_id == visitor
            and other.decision.context.at <= at + days * DAY
        ]
        if came[-1].decision.context.at > at + days * DAY:
            wanted[each.decision.id] = sum(0.5**k * x.clicks for k, x in enumerate(after, 1))
    assert answers(came, days) == pytest.approx(wanted)


def test_long_run_head_learns_how_often_visitors_return() -> None:
    rng = np.random.default_rng(2)
    came = [
        outcome(index, visitor=f"v{rng.integers(60)}", at=NOW + index * DAY / 40,
                clicks=int(rng.random() < 0.3))
        for index in range(1600)
    ]  # fmt: skip
    estimator = Estimator(metric="clicks", gamma=1.0, look_ahead_days=6.0)
    for each in came:
        estimator.learn(each, arm_of(each))
    found = estimator.predict(asked(), "", ARMS).long_run
    assert found is not None
    assert found.mean == pytest.approx([6 * 40 / 60 * 0.3] * 2, rel=0.3)


@pytest.mark.parametrize(
    "params", [{"gamma": 0.0}, {"gamma": 1.1}, {"look_ahead_days": 0.0}, {"gamma": np.nan}]
)
def test_odd_parameters_are_refused(params: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Estimator(**params)  # pyright: ignore[reportArgumentType]


# --- what is hidden in visitors ----------------------------------------------------------------


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_hidden_finds_how_much_visitors_differ(spread: float) -> None:
    rng = np.random.default_rng(3)
    hidden = Hidden()
    levels = rng.gamma(1 / spread**2, spread**2, 400) if spread else np.ones(400)
    for _ in range(30):
        for visitor, level in enumerate(levels.tolist()):
            hidden.learn(f"v{visitor}", "a", 0.2, float(rng.random() < 0.2 * level))
    _, left = hidden.factor("nobody")
    assert left == pytest.approx(spread**2, abs=0.08)
    found = np.array([hidden.factor(f"v{visitor}")[0] for visitor in range(400)])
    if spread:
        assert np.corrcoef(found, levels)[0, 1] > 0.6
    else:
        assert found.std() < 0.15


def test_hidden_factors_shrink_with_little_evidence() -> None:
    hidden = Hidden()
    hidden.learn("v", "a", 0.1, 1.0)
    factors = [hidden.factor("v")]
    for _ in range(50):
        hidden.learn("v", "a", 0.1, 0.0)
        factors.append(hidden.factor("v"))
    assert 1 < factors[0][0] < 1.2
    assert all(after[0] < before[0] for before, after in pairwise(factors))
    hidden.forget("v")
    assert hidden.factor("v")[0] == 1.0
