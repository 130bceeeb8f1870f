"""`horizon_thompson` plays what docs/policies.md says it does, and nothing upsets it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import make_arm, make_context
from hookline.errors import BadInput
from hookline.policies import make_policy
from hookline.policies.base import Array
from hookline.policies.horizon_thompson import BOLDNESS, NO_FORECAST, outlook
from hookline.policies.tally import Sums, TallyState
from hookline.types import Arm, Forecast, dumps


def arms_with(forecasts: Sequence[Forecast | None]) -> list[Arm]:
    return [
        replace(make_arm(f"a{number}", control=number == 0), forecast=forecast)
        for number, forecast in enumerate(forecasts)
    ]


def clicked(*counts: tuple[int, int]) -> list[Sums]:
    """The sums of arms with these visitors and clicks."""
    return [(visitors, float(clicks), float(clicks)) for visitors, clicks in counts]


def shares(
    sums: Sequence[Sums], forecasts: Sequence[Forecast | None] | None = None, **params: float
) -> Array:
    """The policy's probabilities after these sums."""
    policy = make_policy("horizon_thompson", params)
    policy.load(dumps(TallyState(arms={f"a{n}": each for n, each in enumerate(sums)})).decode())
    arms = arms_with(forecasts or [None] * len(sums))
    return policy.probabilities(make_context(), "", arms)


def guess(ratio: float, sd: float = 0.22) -> Forecast:
    return Forecast(mean=float(np.log(ratio)), sd=sd)


def stated(
    counts: Sequence[tuple[int, int]],
    forecasts: Sequence[Forecast],
    *,
    horizon: float,
    level: float,
    boldness: float,
    draws: int,
) -> Array:
    """How often each arm wins the draw of docs/policies.md, written out anew."""
    shown, clicks = np.array(counts, dtype=np.float64).T
    worth = np.array([each.sd**-2 for each in forecasts])
    ratio = np.exp([each.mean for each in forecasts])
    at = level
    for _ in range(500):
        weight = worth / (worth + shown * at * ratio)
        at = (6 + (weight * clicks).sum()) / (6 / level + (weight * shown * ratio).sum())
    a, b = worth + clicks, worth / (at * ratio) + shown
    more = (horizon - shown.sum()) / len(counts)
    sd = boldness * np.sqrt(a) / b * np.sqrt(more / (more + b))
    drawn = np.random.default_rng(1).normal(a / b, sd, (draws, len(counts)))
    return np.bincount(drawn.argmax(axis=1), minlength=len(counts)) / draws


PLAIN = [NO_FORECAST] * 4
CASES = [
    ([(0, 0)] * 4, [guess(1.3), guess(1.1), guess(0.9, 0.3), guess(0.8, 0.1)]),
    ([(300, 5), (280, 9), (310, 4), (20, 0)], PLAIN),
    ([(2000, 41), (900, 12), (40, 3), (0, 0)], [guess(0.8), guess(1.2), guess(1.0), guess(1.1)]),
]


@pytest.mark.parametrize(("counts", "forecasts"), CASES)
@pytest.mark.parametrize(("horizon", "boldness"), [(3500.0, 0.7), (50_000.0, 1.0), (1e9, 2.0)])
def test_probabilities_are_those_of_the_stated_draw(
    counts: list[tuple[int, int]], forecasts: list[Forecast], horizon: float, boldness: float
) -> None:
    draws = 200_000
    found = shares(
        clicked(*counts), forecasts, horizon=horizon, level=0.015, boldness=boldness, floor=0.001
    )
    expected = 0.001 + (1 - 4 * 0.001) * stated(
        counts, forecasts, horizon=horizon, level=0.015, boldness=boldness, draws=draws
    )
    chance = 4 * np.sqrt(expected * (1 - expected) / draws)
    assert np.all(np.abs(found - expected) <= chance + 0.002)


def test_outlook_is_the_spread_of_what_a_mean_becomes() -> None:
    """Rates drawn from the belief, clicks from them, beliefs from these: the doc's derivation."""
    rng = np.random.default_rng(2)
    a, b, more = 25.0, 1000.0, 700
    rate = rng.gamma(a, 1 / b, 400_000)
    future = (a + rng.poisson(rate * more)) / (b + more)
    mean, sd = outlook(np.array([a, a]), np.array([b, b]), 2.0 * more)
    assert future.mean() == pytest.approx(mean[0], rel=0.002)
    assert future.std() == pytest.approx(sd[0], rel=0.005)


def test_outlook_ends_at_nothing_left_and_at_todays_doubt() -> None:
    a, b = np.array([[20.0, 30.0]]), np.array([[900.0, 1100.0]])
    assert outlook(a, b, 0.0)[1].tolist() == [[0.0, 0.0]]
    np.testing.assert_allclose(outlook(a, b, 1e15)[1], np.sqrt(a) / b, rtol=1e-9)


@pytest.mark.parametrize(
    "sums", [clicked((600, 12), (300, 7), (100, 1)), clicked((0, 0), (9999, 5), (1, 1))]
)
def test_greedy_once_the_horizon_is_reached(sums: list[Sums]) -> None:
    visitors = sum(each[0] for each in sums)
    for horizon in (1.0, float(visitors)):
        found = shares(sums, horizon=horizon, level=0.02, floor=0.01)
        assert sorted(found.tolist()) == pytest.approx([0.01, 0.01, 0.98])


def test_greedy_with_no_boldness_whatever_is_left() -> None:
    found = shares(clicked((300, 9), (300, 8)), horizon=1e9, boldness=0.0)
    assert found.tolist() == pytest.approx([0.999, 0.001])


def test_the_nearer_the_end_the_greedier() -> None:
    sums = clicked((400, 8), (400, 6), (400, 6))
    best = [float(shares(sums, horizon=h, level=0.02)[0]) for h in (1e6, 5000, 2000, 1400, 1205)]
    assert best == sorted(best)
    assert best[-1] > best[0] + 0.3


def test_bolder_is_nearer_to_equal() -> None:
    sums = clicked((400, 11), (400, 6))
    best = [float(shares(sums, boldness=bold, level=0.02)[0]) for bold in (0.2, 0.7, 2.0, 10.0)]
    assert best == sorted(best, reverse=True)
    assert best[-1] < 0.6


@pytest.mark.parametrize("count", [2, 3, 200])
@pytest.mark.parametrize("seen", [(0, 0), (50, 1), (10**6, 15_000)])
@pytest.mark.parametrize("horizon", [1.0, 1e4, 1e9])
def test_equal_arms_get_equal_shares(count: int, seen: tuple[int, int], horizon: float) -> None:
    found = shares(clicked(*[seen] * count), [guess(1.2)] * count, horizon=horizon, level=0.01)
    np.testing.assert_allclose(found, 1 / count, rtol=1e-6)


def test_a_forecast_moves_shares_before_any_visitor() -> None:
    found = shares(clicked((0, 0), (0, 0), (0, 0)), [guess(1.25), guess(1.0), guess(0.8)])
    assert found[0] > 0.55
    assert found[0] > found[1] > found[2]


def test_a_surer_forecast_moves_more() -> None:
    none = clicked((0, 0), (0, 0))
    moved = [
        float(shares(none, [guess(1.2, sd), guess(1.0, sd)], level=0.02)[0])
        for sd in (0.1, 0.3, 1.0)
    ]
    assert moved == sorted(moved, reverse=True)
    assert moved[0] > 0.8
    assert moved[-1] > 0.5


def test_a_forecast_fades_as_visitors_come() -> None:
    """The more equal evidence on both arms, the nearer to equal shares."""
    forecasts = [guess(1.3), guess(1.0)]
    first = [
        float(shares(clicked((n, n // 50), (n, n // 50)), forecasts, horizon=1e9, level=0.02)[0])
        for n in (0, 1000, 10_000, 100_000, 1_000_000)
    ]
    assert first == sorted(first, reverse=True)
    assert first[0] > 0.7
    assert first[-1] < 0.55


def test_data_overrule_a_wrong_forecast() -> None:
    found = shares(clicked((5000, 75), (5000, 125)), [guess(1.3), guess(1.0)], level=0.02)
    assert found[1] > 0.95


def test_arms_seen_teach_the_level_of_one_unseen() -> None:
    """Nine do badly, so the tenth is not thought to be as good as lines of earlier tests were."""
    sums = clicked(*[(2000, 10)] * 9, (0, 0))
    stubborn = shares(sums, level=0.02, level_clicks=1e6, horizon=1e6)
    found = shares(sums, level=0.02, horizon=1e6)
    assert stubborn[-1] > 0.9
    assert found[-1] < 0.4


@pytest.mark.parametrize("factor", [49.9, 1e-6, 1e6])
@pytest.mark.parametrize("given_level", [0.0, 1.3])
def test_money_has_no_scale(factor: float, given_level: float) -> None:
    """Rewards and level in cents, dollars or pounds: the shares stay."""
    sums = [(1000, 1200.0, 75_000.0), (900, 1900.0, 120_000.0), (500, 0.0, 0.0)]
    scaled = [(n, total * factor, squares * factor**2) for n, total, squares in sums]
    found = shares(sums, level=given_level)
    again = shares(scaled, level=given_level * factor)
    np.testing.assert_allclose(again, found, rtol=1e-6)
    assert found[1] > 2 * found[0]


def test_one_price_for_all_orders_is_as_counting_orders() -> None:
    """Nearly: a visitor's reward is Bernoulli then, with variance a rate's share below Poisson."""
    orders = clicked((1000, 20), (900, 28), (500, 8))
    paid = [(n, total * 49.9, squares * 49.9**2) for n, total, squares in orders]
    np.testing.assert_allclose(shares(paid), shares(orders), atol=0.01)


def test_the_level_has_no_scale() -> None:
    """A hundred times the visitors at a hundredth of the rates, known beforehand: the same test."""
    rare = shares(clicked((30_000, 9), (20_000, 11)), horizon=1e6, level=0.0004)
    often = shares(clicked((300, 9), (200, 11)), horizon=1e4, level=0.04)
    np.testing.assert_allclose(rare, often, rtol=1e-6)


def test_barren_visitors_of_a_new_money_test_say_little() -> None:
    assert shares([(10, 0.0, 0.0), (0, 0.0, 0.0)])[0] > 0.3


def test_two_hundred_arms() -> None:
    rng = np.random.default_rng(3)
    counts = [(n, int(rng.binomial(n, 0.015))) for n in rng.integers(0, 400, 200).tolist()]
    forecasts = [guess(ratio) for ratio in np.exp(rng.normal(0, 0.2, 200)).tolist()]
    found = shares(clicked(*counts), forecasts, horizon=1e5, level=0.015, floor=0.0)
    expected = stated(counts, forecasts, horizon=1e5, level=0.015, boldness=BOLDNESS, draws=40_000)
    assert found.sum() == pytest.approx(1)
    assert np.abs(found - expected).max() < 0.008
    assert 0.02 < expected.max() < 0.9  # or the comparison would say nothing


a_forecast = st.builds(Forecast, mean=st.floats(-5, 5), sd=st.floats(0.01, 3))
counted = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(
    lambda pair: (max(pair), min(pair))
)


@settings(max_examples=80)
@given(
    st.tuples(counted, counted),
    st.tuples(a_forecast, a_forecast),
    st.floats(1, 1e9),
    st.one_of(st.just(0.0), st.floats(1e-6, 1e3)),
    st.floats(0.01, 1e6),
    st.floats(0, 10),
)
def test_no_counts_upset_it(
    counts: tuple[tuple[int, int], tuple[int, int]],
    forecasts: tuple[Forecast, Forecast],
    horizon: float,
    level: float,
    level_clicks: float,
    boldness: float,
) -> None:
    found = shares(
        clicked(*counts), forecasts, horizon=horizon, level=level, level_clicks=level_clicks,
        boldness=boldness,
    )  # fmt: skip
    assert found.sum() == pytest.approx(1)
    assert found.min() >= 0.001


@pytest.mark.parametrize(
    "sums",
    [
        clicked((10**6, 0), (10**6, 0)),
        clicked((10**6, 10**6), (10**6, 10**6)),
        clicked((10**6, 10**6), (0, 0)),
        [(3, -5.0, -25.0), (3, 1.0, 1.0)],  # refunds beyond what was ever earned
        [(3, -5.0, -25.0), (0, -1.0, -1.0)],
        [(10, 50.0, 250.0), (10, -50.0, 250.0)],
        [(1, 1e9, 1e18), (0, 0.0, 0.0)],
        [(100, 1e-9, 1e-18), (1, 0.0, 0.0)],
        [(0, 0.0, 0.0), (0, 0.0, 0.0)],
    ],
)
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"level": 0.01},
        {"level": 3.0, "level_clicks": 0.01, "horizon": 1.0},
        {"level": 1e9, "level_clicks": 1e6, "horizon": 1e9, "boldness": 10.0},
    ],
)
def test_extremes_do_not_upset_it(sums: list[Sums], params: Mapping[str, float]) -> None:
    for forecasts in (None, [Forecast(mean=5.0, sd=0.01), Forecast(mean=-5.0, sd=3.0)]):
        found = shares(sums, forecasts, **params)
        assert found.sum() == pytest.approx(1)
        assert found.min() >= 0.001


def test_a_correction_below_nothing_counts_as_nothing() -> None:
    below = shares([(100, -2.0, -4.0), (100, 2.0, 2.0), (100, 1.0, 1.0)], level=0.01)
    assert below[0] < below[2] < below[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("horizon", 0.5), ("horizon", float("nan")), ("level", -1e-9), ("level_clicks", 0.0),
        ("level_clicks", 1e7), ("boldness", -0.1), ("boldness", 11.0), ("floor", 0.6),
    ],
)  # fmt: skip
def test_a_parameter_out_of_range_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(BadInput, match=f"{name} must lie in"):
        make_policy("horizon_thompson", {name: value})


def test_a_clone_keeps_every_argument() -> None:
    given_ = {"horizon": 77.0, "level": 0.3, "level_clicks": 2.0, "boldness": 1.5, "floor": 0.03}
    clone = make_policy("horizon_thompson", given_).clone()
    assert {name: getattr(clone, name) for name in given_} == given_


def test_visitors_of_a_withdrawn_arm_count_towards_the_horizon() -> None:
    open_ = clicked((1000, 20), (1000, 16))
    policy = make_policy("horizon_thompson", {"horizon": 10_000})
    sums = {"a0": open_[0], "a1": open_[1], "gone": (7990, 100.0, 100.0)}
    policy.load(dumps(TallyState(arms=sums)).decode())
    late = policy.probabilities(make_context(), "", arms_with([None, None]))
    assert late[1] < 0.01 < shares(open_, horizon=10_000)[1]
