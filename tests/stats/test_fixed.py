"""The classic tests, against scipy, statsmodels and tea-tasting, and against bad input."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ttest_ind

from hookline.stats import (
    Comparison,
    Moments,
    compare_means,
    compare_rates,
    compare_ratios,
    compare_revenue,
)

Array = NDArray[np.float64]


def visitors(seed: int, n: int, lift: float = 1.0) -> Array:
    """Money and clicks of visitors, correlated."""
    rng = np.random.default_rng(seed)
    clicks = 1.0 + rng.poisson(2.0, n)
    money: Array = rng.gamma(2.0, 1.0, n) * clicks * lift
    return np.asarray(np.column_stack([money, clicks]), dtype=np.float64)


ARM, CONTROL = visitors(1, 400, 1.1), visitors(2, 350)


def agree(found: Comparison, **wanted: float) -> None:
    for name, value in wanted.items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-9, abs=1e-12), name


# --- other libraries ---------------------------------------------------------------------------


def test_compare_means_is_scipys_welch() -> None:
    other = ttest_ind(ARM[:, 0], CONTROL[:, 0], equal_var=False)
    interval = other.confidence_interval(0.95)
    found = compare_means(Moments.of(ARM), Moments.of(CONTROL))
    agree(found, p_value=float(np.asarray(other)[1]), low=interval.low, high=interval.high)


def test_compare_means_is_statsmodels_welch() -> None:
    weights = pytest.importorskip("statsmodels.stats.weightstats", reason="needs statsmodels")
    other = weights.CompareMeans.from_data(ARM[:, 0], CONTROL[:, 0])
    low, high = other.tconfint_diff(0.1, usevar="unequal")
    found = compare_means(Moments.of(ARM), Moments.of(CONTROL), alpha=0.1)
    agree(found, p_value=other.ttest_ind(usevar="unequal")[1], low=low, high=high)


@pytest.mark.parametrize(("compare", "method"), [("diff", "wald"), ("ratio", "log")])
def test_compare_rates_is_statsmodels(compare: str, method: str) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion", reason="needs statsmodels")
    successes, n = (260, 190), (2_000, 1_800)
    given_ = (successes[0], n[0], successes[1], n[1])
    other = proportion.test_proportions_2indep(*given_, compare=compare, method=method)
    low, high = proportion.confint_proportions_2indep(*given_, compare=compare, method=method)
    relative = compare == "ratio"
    found = compare_rates(successes, n, relative=relative)
    agree(found, p_value=other.pvalue, low=low - relative, high=high - relative)


def tea(rows: Array) -> object:
    aggregates = pytest.importorskip("tea_tasting.aggr", reason="needs tea-tasting").Aggregates
    cov = np.cov(rows.T)
    return aggregates(
        count_=len(rows),
        mean_={"y": rows[:, 0].mean(), "x": rows[:, 1].mean()},
        var_={"y": cov[0, 0], "x": cov[1, 1]},
        cov_={("x", "y"): cov[0, 1]},
    )


@pytest.mark.parametrize("kind", ["mean", "ratio"])
def test_differences_and_lifts_are_those_of_tea_tasting(kind: str) -> None:
    metrics = pytest.importorskip("tea_tasting.metrics", reason="needs tea-tasting")
    metric = metrics.Mean("y") if kind == "mean" else metrics.RatioOfMeans("y", "x")
    ours = compare_means if kind == "mean" else compare_ratios
    other = metric.analyze_aggregates(tea(CONTROL), tea(ARM))
    arms = Moments.of(ARM), Moments.of(CONTROL)
    agree(
        ours(*arms),
        estimate=other.effect_size,
        low=other.effect_size_ci_lower,
        high=other.effect_size_ci_upper,
        p_value=other.pvalue,
    )
    agree(
        ours(*arms, relative=True),
        estimate=other.rel_effect_size,
        low=other.rel_effect_size_ci_lower,
        high=other.rel_effect_size_ci_upper,
    )


# --- what holds of itself ----------------------------------------------------------------------


def test_compare_ratios_with_a_constant_denominator_is_compare_means() -> None:
    ones = [np.column_stack([rows[:, 0], np.full(len(rows), 2.0)]) for rows in (ARM, CONTROL)]
    ratio = compare_ratios(Moments.of(ones[0]), Moments.of(ones[1]), relative=True)
    mean = compare_means(Moments.of(ARM), Moments.of(CONTROL), relative=True)
    agree(ratio, estimate=mean.estimate or 0, low=mean.low or 0, p_value=mean.p_value or 0)


@given(st.integers(20, 900), st.integers(20, 900), st.booleans())
def test_compare_rates_interval_and_p_value_say_the_same(
    hits: int, others: int, relative: bool
) -> None:
    found = compare_rates((hits, others), (1_000, 1_000), relative=relative)
    assert found.p_value is not None
    assert found.low is not None
    assert found.high is not None
    assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)
    back = compare_rates((others, hits), (1_000, 1_000), relative=relative)
    assert back.p_value == pytest.approx(found.p_value)
    assert found.low >= -1


def test_intervals_of_ratios_cover_in_95_of_100_cases() -> None:
    """2,000 tests of 200 visitors an arm; the tolerance is 4 standard errors."""
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(2_000):
        clicks = 1.0 + rng.poisson(2.0, (2, 200))
        money = rng.gamma(2.0, 1.0, (2, 200)) * clicks * [[1.2], [1.0]]
        arms = [Moments.of(np.column_stack(arm)) for arm in zip(money, clicks, strict=True)]
        found = compare_ratios(*arms, relative=True)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.2 <= found.high
    assert abs(covered / 2_000 - 0.95) < 4 * (0.95 * 0.05 / 2_000) ** 0.5


def test_batches_add_up_before_they_are_compared() -> None:
    halves = Moments.of(ARM[:150]) + Moments.of(ARM[150:])
    whole = compare_ratios(Moments.of(ARM), Moments.of(CONTROL))
    agree(compare_ratios(halves, Moments.of(CONTROL)), estimate=whole.estimate or 0)


# --- bad input ---------------------------------------------------------------------------------

SAME = Moments.of([[1.0], [1.0], [1.0]])
MONEY = np.tile([0.0, 20.0, 30.0], 50)


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        (lambda: compare_means(SAME, SAME), "did the same"),
        (lambda: compare_means(Moments.of([[0.1]] * 200), Moments.of([[0.3]] * 90)), "the same"),
        (lambda: compare_means(SAME, Moments.none(1)), "two visitors"),
        (lambda: compare_means(Moments.of(-ARM), Moments.of(CONTROL), relative=True), "above zero"),
        (lambda: compare_ratios(Moments.of(ARM * [1, 0]), Moments.of(CONTROL)), "divide by"),
        (lambda: compare_ratios(Moments.none(2), Moments.of(CONTROL)), "two visitors"),
        (lambda: compare_rates((19, 500), (1_000, 1_000)), "needs 20 events"),
        (lambda: compare_rates((990, 500), (1_000, 1_000)), "needs 20 events"),
        (lambda: compare_rates((0, 0), (0, 0)), "needs 100 visitors"),
        (lambda: compare_revenue(MONEY, np.append(MONEY, -5.0)), "1 visitors have revenue below 0"),
        (lambda: compare_revenue(MONEY, np.append(MONEY, np.nan)), "missing or not finite"),
        (lambda: compare_revenue(MONEY, np.append(MONEY, 1e7)), "decides the answer alone"),
        (lambda: compare_revenue(MONEY * 1e200, MONEY), "an amount of 3e+201 is no money"),
        (lambda: compare_revenue(MONEY, 0 * MONEY), "needs 20 events"),
        (lambda: compare_revenue(MONEY, MONEY[:0]), "needs 100 visitors"),
    ],
)
def test_what_can_not_be_compared_says_why(test: Callable[[], Comparison], reason: str) -> None:
    found = test()
    assert reason in found.reason
    assert (found.estimate, found.low, found.high, found.p_value) == (None,) * 4


def test_compare_revenue_of_sound_money_is_compare_means() -> None:
    means = compare_means(Moments.of(1.1 * MONEY[:, None]), Moments.of(MONEY[:, None]))
    assert compare_revenue(1.1 * MONEY, MONEY) == means


def test_impossible_counts_and_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="successes"):
        compare_rates((5, 3), (4, 4))
    with pytest.raises(ValueError, match="two columns"):
        compare_ratios(SAME, SAME)
    with pytest.raises(ValueError, match="alpha"):
        compare_means(Moments.of(ARM), Moments.of(CONTROL), alpha=1.5)


def test_a_lift_too_uncertain_for_a_number_has_no_upper_bound() -> None:
    arm, control = Moments.of([[0.0], [1_000.0]]), Moments.of([[0.0], [1.0]])
    found = compare_means(arm, control, relative=True, alpha=1e-6)
    assert found.high is None
    assert "upper bound" in found.reason
    assert found.estimate == pytest.approx(999)
    assert found.low == pytest.approx(-1)


def test_numbers_too_large_to_be_squared_are_not_compared() -> None:
    absurd = Moments.of(np.tile([[1e200], [0.0]], (100, 1)))
    found = compare_means(absurd, absurd)
    assert (found.estimate, found.low, found.p_value) == (None, None, None)
    assert "too large" in found.reason


def test_infinitely_many_visitors_are_refused() -> None:
    with pytest.raises(ValueError, match="successes"):
        compare_rates((np.inf, 40), (np.inf, 200))  # pyright: ignore[reportArgumentType]
