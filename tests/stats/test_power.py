"""Planning, against statsmodels, simulation and the interval it plans for."""

from collections.abc import Sequence
from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.stats import (
    contrast_sd,
    days_more,
    radius,
    sequence_detectable,
    sequence_power,
    sequence_units,
    units_needed,
    z_detectable,
    z_power,
    z_units,
)

effects = st.floats(0.005, 0.5)


@pytest.mark.parametrize("difference", [0.01, 0.1, 0.4])
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_z_power_and_units_are_those_of_statsmodels(difference: float, share: float) -> None:
    power = pytest.importorskip("statsmodels.stats.power", reason="needs statsmodels")
    other, sd = power.NormalIndPower(), 1.7
    spread = contrast_sd((sd**2, sd**2), (share, 1 - share))
    wanted = other.power(difference / sd, nobs1=300 * share, alpha=0.03, ratio=(1 - share) / share)
    assert z_power(difference, spread, 300, 0.03) == pytest.approx(wanted, rel=1e-9)
    units = other.solve_power(difference / sd, alpha=0.03, power=0.9, ratio=(1 - share) / share)
    found = z_units(difference, spread, 0.03, 0.9)
    assert found is not None
    assert found == pytest.approx(np.ceil(units / share), rel=1e-9, abs=1)


@given(effects, st.floats(0.1, 9), st.integers(50, 10**7), st.floats(0.3, 0.99))
def test_z_functions_undo_each_other(difference: float, sd: float, n: int, power: float) -> None:
    least = z_detectable(sd, n, power=power)
    assert z_power(least, sd, n) == pytest.approx(power, rel=1e-9)
    needed = z_units(difference, sd, power=power)
    assert needed is not None
    assert z_power(difference, sd, needed) >= power - 1e-9
    assert z_power(difference, sd, max(needed - 1, 0)) <= power + 1e-9


@given(effects, st.integers(200, 10**6), st.floats(0.5, 0.99))
def test_sequence_units_is_the_first_visitor_with_that_power(
    difference: float, horizon: int, power: float
) -> None:
    needed = sequence_units(difference, 1.0, horizon, power=power)
    assert needed is not None
    assert sequence_power(difference, 1.0, needed, horizon) >= power - 1e-9
    assert sequence_power(difference, 1.0, needed - 1, horizon) <= power + 1e-9
    assert sequence_detectable(1.0, needed, horizon, power=power) <= difference * (1 + 1e-9)


def test_sequence_units_of_one_half_is_units_needed() -> None:
    assert sequence_units(0.05, 1.3, 4_000, power=0.5) == units_needed(0.05, 1.3, 0.05, 4_000)


def test_a_sequence_is_dearer_than_one_look() -> None:
    once, always = z_units(0.05, 1.0), sequence_units(0.05, 1.0, 6_000)
    assert once is not None
    assert always is not None
    assert 1.5 < always / once < 2.2


def test_sequence_power_is_kept_in_simulation_and_is_no_boast() -> None:
    """600 tests stopped at the visitor planned for 80 %: found by then, at some look, ≥ 80 %."""
    rng = np.random.default_rng(3)
    needed = sequence_units(0.15, 1.0, 700)
    assert needed is not None
    looks = np.arange(100, needed + 1)
    limits = np.array([radius(1.0, int(n), 0.05, 700) for n in looks])
    means = rng.normal(0.15, 1.0, (600, needed)).cumsum(axis=1)[:, looks - 1] / looks
    at_end, ever = (means[:, -1] > limits[-1]).mean(), (means > limits).any(axis=1).mean()
    assert at_end == pytest.approx(0.8, abs=4 * sqrt(0.8 * 0.2 / 600))
    assert ever >= at_end


def test_contrast_sd_is_that_of_inverse_probability_scores() -> None:
    rng = np.random.default_rng(4)
    first = rng.random(200_000) < 0.2
    outcome = rng.random(200_000) < np.where(first, 0.3, 0.1)
    score = np.where(first, (outcome - 0.3) / 0.2, -(outcome - 0.1) / 0.8)
    assert contrast_sd((0.21, 0.09), (0.2, 0.8)) == pytest.approx(score.std(), rel=0.01)


def test_nothing_to_find_needs_no_number() -> None:
    assert z_units(0.0, 1.0) is None
    assert sequence_units(0.0, 1.0, 100) is None
    assert sequence_power(0.1, 1.0, 0, 100) == 0
    assert z_detectable(1.0, 0) == sequence_detectable(1.0, 0, 100) == inf


@pytest.mark.parametrize("sd", [0.0, -1.0, np.nan])
def test_plans_without_variance_are_refused(sd: float) -> None:
    with pytest.raises(ValueError, match="sd > 0"):
        z_units(0.1, sd)
    with pytest.raises(ValueError, match="variances"):
        contrast_sd((0.1, 0.1), (0.0, 1.0))
    with pytest.raises(ValueError, match="at least 1/2"):
        sequence_units(0.1, 1.0, 100, power=0.3)


@pytest.mark.parametrize("difference", [np.nan, np.inf, -np.inf])
def test_plans_for_what_is_no_difference_are_refused(difference: float) -> None:
    for plan in (
        lambda: z_units(difference, 1.0),
        lambda: z_power(difference, 1.0, 100),
        lambda: sequence_units(difference, 1.0, 100),
        lambda: sequence_power(difference, 1.0, 100, 100),
        lambda: z_power(0.1, 1.0, -1),
    ):
        with pytest.raises(ValueError, match="finite difference, n ≥ 0"):
            plan()


def test_a_difference_too_small_for_any_test_needs_no_number() -> None:
    assert z_units(1e-300, 1.0) is None
    assert sequence_units(1e-9, 1.0, 100) is None


# --- days --------------------------------------------------------------------------------------


def test_days_more_counts_whole_weeks_and_rounds_up() -> None:
    week = [500.0] * 5 + [2_000.0] * 2
    found = days_more(20_000, 10_000, [9_999.0, *week, *week, *week], settling_days=1)
    assert found.estimate == found.low == found.high == np.ceil(10_000 / (6_500 / 7) + 1)


def test_days_more_of_uneven_traffic_has_bounds_around_it() -> None:
    daily = list(np.random.default_rng(0).normal(1_000, 150, 28))
    found = days_more(50_000, 28_000, daily)
    assert found.low is not None
    assert found.high is not None
    assert found.estimate is not None
    assert found.low <= found.estimate <= found.high
    more = days_more(60_000, 28_000, daily).estimate
    assert more is not None
    assert more > found.estimate


def test_days_more_is_none_once_enough_were_seen() -> None:
    assert days_more(100, 100, []).estimate == 0


@pytest.mark.parametrize(
    ("needed", "daily", "reason"),
    [
        (None, [5.0] * 9, "no difference to wait for"),
        (100, [5.0], "two whole days"),
        (100, [5.0, -1.0], "two whole days"),
        (100, [5.0, np.nan], "two whole days"),
        (100, [0.0, 0.0], "more than 365 days"),
        (10**6, [5.0] * 9, "more than 365 days"),
    ],
)
def test_days_more_says_why_it_can_not_tell(
    needed: int | None, daily: Sequence[float], reason: str
) -> None:
    found = days_more(needed, 10, daily)
    assert found.estimate is None
    assert reason in found.reason


def test_days_more_of_traffic_that_can_not_be_told_from_none_has_no_upper_bound() -> None:
    found = days_more(1_000, 10, [1.0, 90.0, 2.0])
    assert found.estimate is not None
    assert found.high is None
    assert "varies too much" in found.reason


# --- days in which outcomes are still open -----------------------------------------------------


def test_days_more_waits_for_the_outcomes_of_those_who_were_enough() -> None:
    """The last of them came now: his week has yet to pass, or less if he came before."""
    found = days_more(14_000, 14_000, [1_000.0] * 14, settling_days=6.5)
    assert (found.low, found.estimate, found.high) == (0, 7, 7)


@pytest.mark.parametrize(("needed", "days"), [(13_000, 6), (10_500, 4), (7_000, 0), (100, 0)])
def test_days_more_counts_the_days_that_outcomes_have_had(needed: int, days: int) -> None:
    found = days_more(needed, 14_000, [1_000.0] * 14, settling_days=7)
    assert (found.low, found.estimate, found.high) == (0, days, days)


def test_days_more_does_not_jump_where_the_last_visitor_comes() -> None:
    before = days_more(14_001, 14_000, [1_000.0] * 14, settling_days=6.5)
    assert before.estimate == days_more(14_000, 14_000, [1_000.0] * 14, settling_days=6.5).estimate


@pytest.mark.parametrize("daily", [[], [5.0], [0.0, 0.0], [np.nan, 5.0]])
def test_days_more_without_known_traffic_waits_a_whole_window(daily: list[float]) -> None:
    found = days_more(90, 100, daily, settling_days=7)
    assert (found.low, found.estimate, found.high) == (0, 7, 7)
    assert days_more(90, 100, daily).estimate == 0


@pytest.mark.parametrize("settling", [np.nan, np.inf, -5.0])
def test_days_more_refuses_what_is_no_window(settling: float) -> None:
    with pytest.raises(ValueError, match="settling_days"):
        days_more(100, 10, [50.0] * 9, settling_days=settling)


def test_days_more_refuses_visitors_below_none() -> None:
    with pytest.raises(ValueError, match="seen"):
        days_more(100, -10, [50.0] * 9)


# --- what is no plan ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variances", "shares"),
    [
        ((1.0, np.nan), (0.5, 0.5)),
        ((np.nan, 1.0), (0.5, 0.5)),
        ((1.0, np.inf), (0.5, 0.5)),
        ((1.0, 1.0), (0.5, np.nan)),
    ],
)
def test_contrast_sd_of_what_is_no_variance_or_share_is_refused(
    variances: tuple[float, float], shares: tuple[float, float]
) -> None:
    with pytest.raises(ValueError, match="variances"):
        contrast_sd(variances, shares)


def test_plans_with_a_number_that_is_none_are_refused() -> None:
    for plan in (
        lambda: z_detectable(1.0, np.nan),
        lambda: sequence_detectable(1.0, np.nan, 100),  # pyright: ignore[reportArgumentType]
        lambda: sequence_power(0.1, 1.0, np.nan, 100),  # pyright: ignore[reportArgumentType]
        lambda: z_power(0.1, inf, 100),
    ):
        with pytest.raises(ValueError, match=r"n ≥ 0|sd > 0"):
            plan()
