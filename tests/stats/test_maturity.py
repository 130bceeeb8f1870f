"""Maturity of delayed orders: definitions, bounds, and truth in simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hookline.stats import MatureTotal, MaturityCurve, mature_total, maturity_curve

Array = NDArray[np.float64]
WINDOW = 7.0


def shop(
    seed: int, days: float, n: int = 4_000, rate: float = 0.08
) -> tuple[Array, Array, Array, int]:
    """Delays and ages of the orders seen so far, all ages, and all orders there will be."""
    rng = np.random.default_rng(seed)
    ages = rng.uniform(0, days, n)
    delays = -3 * np.log1p(-rng.random(n) * -np.expm1(-WINDOW / 3))
    ordered = rng.random(n) < rate
    seen = ordered & (delays <= ages)
    return delays[seen], ages[seen], ages, int(ordered.sum())


def settled(delays: list[float]) -> MaturityCurve:
    return maturity_curve(np.array(delays), np.full(len(delays), 30.0), WINDOW)


@given(st.lists(st.floats(0, WINDOW), min_size=20, max_size=60), st.floats(0, 10))
def test_curve_of_settled_orders_is_their_plain_share(delays: list[float], age: float) -> None:
    found = settled(delays).at(np.array([age]))
    assert found[0] == pytest.approx(np.mean(np.array(delays) <= age))


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(8, 20))
def test_curve_is_bounded_monotone_and_ends_at_one(seed: int, days: float) -> None:
    delays, ages, _, _ = shop(seed, days)
    curve = maturity_curve(delays, ages, WINDOW)
    if curve.reason:
        return
    share = curve.at(np.linspace(0, 2 * WINDOW, 300))
    assert (np.diff(share) >= -1e-12).all()
    assert share[0] >= 0
    assert share[-1] == share[150] == 1
    assert (curve.scatter >= 0).all()


def test_curve_undoes_the_haste_of_orders_seen_so_far() -> None:
    """Averaged over 60 tests of 9 days it is the true curve; the naive share is far too high."""
    at = np.array([0.5, 1.0, 2.0, 4.0, 6.0])
    true = np.expm1(-at / 3) / np.expm1(-WINDOW / 3)
    found, naive = [], []
    for seed in range(60):
        delays, ages, _, _ = shop(seed, 9.0)
        found.append(maturity_curve(delays, ages, WINDOW).at(at))
        naive.append([np.mean(delays <= age) for age in at])
    np.testing.assert_allclose(np.mean(found, axis=0), true, atol=0.02)
    assert (np.mean(naive, axis=0)[1:4] > true[1:4] + 0.08).all()


@pytest.mark.parametrize("days", [9.0, 14.0, 30.0])
def test_mature_total_is_right_on_average_and_its_interval_covers(days: float) -> None:
    """300 tests each: bias below 4 standard errors, coverage at least 95 % less 4 of them."""
    off, covered = np.empty(300), 0
    for seed in range(300):
        delays, ages, everybody, truth = shop(seed, days)
        total = mature_total(len(delays), everybody, maturity_curve(delays, ages, WINDOW))
        assert total.estimate is not None
        assert total.low is not None
        assert total.high is not None
        off[seed] = total.estimate / truth - 1
        covered += total.low <= truth <= total.high
    assert abs(off.mean()) < 4 * off.std() / 300**0.5 + 0.002
    assert covered / 300 >= 0.95 - 4 * (0.95 * 0.05 / 300) ** 0.5


def test_mature_total_of_settled_visitors_is_what_was_counted() -> None:
    total = mature_total(77, np.full(500, 8.0), settled([1.0, 2.0, 3.0, 7.0] * 6))
    assert (total.estimate, total.low, total.high, total.standard_error) == (77, 77, 77, 0)
    assert total.matured == 1


@settings(max_examples=40)
@given(st.lists(st.floats(0, 12), min_size=100, max_size=200), st.integers(20, 90))
def test_mature_total_never_falls_below_what_was_counted(ages: list[float], orders: int) -> None:
    total = mature_total(orders, np.array(ages), settled([0.5, 1.0, 2.0, 5.0] * 6))
    if total.estimate is None:
        assert "had time to arrive" in total.reason or "who could have one" in total.reason
        return
    assert total.low is not None
    assert total.high is not None
    assert total.matured is not None
    assert orders <= total.low <= total.estimate <= total.high
    assert total.estimate == pytest.approx(orders / total.matured)


def test_orders_after_the_window_and_visitors_without_orders_play_no_part() -> None:
    delays = np.array([1.0, 2.0, 3.0, 4.0] * 6)
    plain = maturity_curve(delays, np.full(24, 30.0), WINDOW)
    late = maturity_curve(np.append(delays, [9.0, 25.0]), np.full(26, 30.0), WINDOW)
    np.testing.assert_array_equal(plain.share, late.share)
    assert late.n == 24


# --- bad input ---------------------------------------------------------------------------------

GOOD = np.array([1.0, 2.0, 3.0, 4.0] * 6)
OLD = np.full(24, 30.0)


@pytest.mark.parametrize(
    ("delays", "ages", "reason"),
    [
        (GOOD - 2, OLD, "time goes backwards"),
        (GOOD, OLD - 28, "time goes backwards"),
        (GOOD * np.nan, OLD, "a time is missing"),
        (GOOD, np.full(24, 5.0), "needs 20 orders whose window has closed, has 0"),
        (GOOD[:0], OLD[:0], "needs 20 orders"),
    ],
)
def test_maturity_curve_says_why_there_is_none(delays: Array, ages: Array, reason: str) -> None:
    curve = maturity_curve(delays, ages, WINDOW)
    assert reason in curve.reason
    total = mature_total(50, OLD, curve)
    assert (total.estimate, total.low, total.high) == (None, None, None)
    assert total.reason == curve.reason
    with pytest.raises(ValueError, match="no maturity curve"):
        curve.at(OLD)


@pytest.mark.parametrize(
    ("orders", "ages", "reason"),
    [
        (3, np.full(500, 8.0), "needs 20 events"),
        (30, np.full(50, 8.0), "needs 100 visitors"),
        (30, np.full(500, 0.2), "only 0% of the orders had time to arrive"),
        (30, np.full(500, -1.0), "time goes backwards"),
    ],
)
def test_mature_total_says_why_it_can_not_tell(orders: int, ages: Array, reason: str) -> None:
    total: MatureTotal = mature_total(orders, ages, maturity_curve(GOOD, OLD, WINDOW))
    assert reason in total.reason
    assert total.estimate is None


def test_what_is_no_input_is_refused() -> None:
    with pytest.raises(ValueError, match="don't fit"):
        maturity_curve(GOOD, OLD[:3], WINDOW)
    with pytest.raises(ValueError, match="don't fit"):
        maturity_curve(GOOD, OLD, 0.0)
    with pytest.raises(ValueError, match="orders"):
        mature_total(-1, OLD, maturity_curve(GOOD, OLD, WINDOW))
    with pytest.raises(ValueError, match="alpha"):
        mature_total(30, OLD, maturity_curve(GOOD, OLD, WINDOW), alpha=0.0)


@pytest.mark.parametrize("orders", [np.nan, np.inf, 30.5])
def test_orders_that_are_no_count_are_refused(orders: float) -> None:
    with pytest.raises(ValueError, match="orders"):
        mature_total(orders, np.full(500, 8.0), settled([1.0, 2.0] * 12))  # pyright: ignore[reportArgumentType]


def test_ages_that_are_no_list_are_refused() -> None:
    with pytest.raises(ValueError, match="ages"):
        mature_total(30, np.full((50, 2), 8.0), settled([1.0, 2.0] * 12))


def test_more_orders_than_visitors_old_enough_for_one_are_contradictory() -> None:
    """Nobody orders within a day, so 300 orders can't be those of 100 old visitors: it said 1,500.

    With 100 orders or fewer all is well.
    """
    curve, ages = settled([1.0, 2.0] * 12), np.repeat([9.0, 0.2], [100, 400])
    total = mature_total(300, ages, curve)
    assert total.estimate is total.low is total.high is None
    assert "300 orders of 100 visitors who could have one" in total.reason
    assert mature_total(100, ages, curve).estimate == 500


@pytest.mark.parametrize("age", [-0.1, np.nan])
def test_nothing_is_said_of_an_age_that_is_none(age: float) -> None:
    with pytest.raises(ValueError, match="ages must be"):
        settled([1.0, 2.0] * 12).at(np.array([1.0, age]))


@pytest.mark.parametrize(
    ("delays", "share", "scatter"),
    [
        ([-1.0, 2.0], [0.5, 1.0], [0.0, 0.0]),
        ([1.0, 8.0], [0.5, 1.0], [0.0, 0.0]),
        ([2.0, 1.0], [0.5, 1.0], [0.0, 0.0]),
        ([1.0, np.nan], [0.5, 1.0], [0.0, 0.0]),
        ([1.0, 2.0], [1.5, 1.0], [0.0, 0.0]),
        ([1.0, 2.0], [-0.1, 1.0], [0.0, 0.0]),
        ([1.0, 2.0], [0.5, 0.9], [0.0, 0.0]),
        ([1.0, 2.0], [1.0], [0.0, 0.0]),
        ([1.0, 2.0], [0.5, 1.0], [-0.1, 0.0]),
        ([1.0, 2.0], [0.5, 1.0], [np.nan, 0.0]),
        ([], [], []),
    ],
)
def test_a_curve_that_contradicts_itself_is_refused(
    delays: list[float], share: list[float], scatter: list[float]
) -> None:
    """Delays before the showing, after the window, out of order; shares that fall or don't end."""
    sound = made_curve([1.0, 2.0], [0.5, 1.0], [0.1, 0.0])
    assert sound.at(np.array([1.5])).tolist() == [0.5]
    with pytest.raises(ValueError, match="a maturity curve"):
        made_curve(delays, share, scatter)


def made_curve(delays: list[float], share: list[float], scatter: list[float]) -> MaturityCurve:
    return MaturityCurve(
        delays=np.array(delays), share=np.array(share), scatter=np.array(scatter), window=WINDOW
    )
