"""The hierarchical model of click rates, against brute force and against known truth."""

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import gammaln

from hookline.stats import centred, expected_clicks, level, posterior, spread
from made_past import draw_past

Array = NDArray[np.float64]


# --- level -------------------------------------------------------------------------------------


def solved_level(
    clicks: Array, shown: Array, score: Array, pseudo: Array, expected: Array, strength: Array
) -> Array:
    """The root of q (1 - L / L0) + Σ κ / (κ + m) · (c - m), by bisection; it falls with L."""
    low, high = np.full_like(expected, -30.0), np.full_like(expected, 5.0)
    for _ in range(60):
        middle = (low + high) / 2
        mean = shown * np.exp(score + middle)
        left = (pseudo / (pseudo + mean) * (clicks - mean)).sum(axis=-1, keepdims=True)
        above = strength * (1 - np.exp(middle) / expected) + left > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.exp((low + high) / 2)


def level_gaps(worth: tuple[float, float], off: float, count: int = 4000) -> Array:
    """Relative error of `level` over tests whose level is up to `off` times the expected or less.

    Lines have 1 to 100,000 impressions, each its own; the level expected is worth 6 clicks.
    """
    rng = np.random.default_rng(5)
    shape = (count, 5)
    pseudo = np.exp(rng.uniform(log(worth[0]), log(worth[1]), (count, 1))) * np.ones(shape)
    expected = 10 ** rng.uniform(-3, -0.5, (count, 1))
    score = rng.normal(0, 0.3, shape)
    true = expected * np.exp(rng.uniform(-log(off), log(off), (count, 1)))
    rate = np.minimum(true * np.exp(score) * rng.gamma(14.0, 1 / 14, shape), 0.9)
    shown = np.floor(10 ** rng.uniform(0, 5, shape))
    clicks = rng.binomial(shown.astype(np.int64), rate).astype(np.float64)
    found = level(clicks, shown, score, pseudo, (expected, 6.0))
    exact = solved_level(clicks, shown, score, pseudo, expected, np.full((count, 1), 6.0))
    return np.abs(found / exact - 1)


@pytest.mark.parametrize(
    ("worth", "off", "median", "worst"),
    [((10, 40), 2, 1e-4, 0.03), ((5, 100), 3, 1e-4, 0.06), ((5, 100), 10, 1e-3, 0.25)],
)
def test_level_nearly_solves_its_equation(
    worth: tuple[float, float], off: float, median: float, worst: float
) -> None:
    gaps = level_gaps(worth, off)
    assert np.median(gaps) < median
    assert gaps.max() < worst


def test_level_is_what_was_expected_before_any_impression() -> None:
    none = np.zeros((2, 3))
    found = level(none, none, none + 0.3, none + 20, (np.array([[0.01], [0.2]]), 6.0))
    np.testing.assert_allclose(found, [[0.01], [0.2]], rtol=1e-12)


def test_level_is_the_pooled_rate_where_lines_are_sure_to_be_alike() -> None:
    clicks, shown = np.array([30.0, 50.0]), np.array([1000.0, 3000.0])
    found = level(clicks, shown, np.zeros(2), np.full(2, 1e12), (0.5, 1e-9))
    np.testing.assert_allclose(found, 80 / 4000, rtol=1e-6)


def test_level_listens_to_many_lines_more_than_to_many_views_of_one() -> None:
    """Three lines of 2 % outweigh one of 8 %, though that has nearly all the impressions."""
    shown = np.array([1e6, 2000, 2000, 2000])
    found = level(
        shown * [0.08, 0.02, 0.02, 0.02], shown, np.zeros(4), np.full(4, 15.0), (0.02, 1.0)
    )
    assert 0.02 < float(found[0]) < 0.045


def test_level_of_one_click_worth_of_evidence_in_closed_form() -> None:
    """With m ≪ κ every weight is 1: (q + c) / (q / L0 + n e^s)."""
    found = level(np.array([1.0]), np.array([50.0]), np.log([2.0]), np.array([1e9]), (0.01, 6.0))
    np.testing.assert_allclose(found, 7 / (600 + 100), rtol=1e-6)


lines_of_tests = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def drawn_lines(rng: np.random.Generator, *shape: int) -> tuple[Array, Array, Array, Array]:
    shown = np.floor(10 ** rng.uniform(0, 4, shape))
    clicks = rng.binomial(shown.astype(np.int64), rng.beta(1, 20, shape)).astype(np.float64)
    return clicks, shown, rng.normal(0, 0.5, shape), np.exp(rng.uniform(0, 6, shape))


@settings(max_examples=25)
@given(lines_of_tests)
def test_level_and_posterior_broadcast_as_a_loop_over_tests(rng: np.random.Generator) -> None:
    clicks, shown, score, pseudo = drawn_lines(rng, 3, 4, 5)
    expected = rng.uniform(0.001, 0.1, (3, 4, 1))
    found = level(clicks, shown, score, pseudo, (expected, 6.0))
    a, b = posterior(clicks, shown, score, pseudo, found)
    assert (found.shape, a.shape, b.shape) == ((3, 4, 1), (3, 4, 5), (3, 4, 5))
    for at in np.ndindex(3, 4):
        alone = level(clicks[at], shown[at], score[at], pseudo[at], (float(expected[at][0]), 6.0))
        np.testing.assert_allclose(found[at], alone, rtol=1e-12)
        both = posterior(clicks[at], shown[at], score[at], pseudo[at], alone)
        np.testing.assert_allclose((a[at], b[at]), both, rtol=1e-12)


@settings(max_examples=25)
@given(lines_of_tests)
def test_level_and_posterior_do_not_mind_the_order_of_lines(rng: np.random.Generator) -> None:
    clicks, shown, score, pseudo = drawn_lines(rng, 6)
    order = rng.permutation(6)
    moved = clicks[order], shown[order], score[order], pseudo[order]
    found = level(clicks, shown, score, pseudo, (0.02, 6.0))
    again = level(moved[0], moved[1], moved[2], moved[3], (0.02, 6.0))
    np.testing.assert_allclose(again, found, rtol=1e-12)
    a, b = posterior(clicks, shown, score, pseudo, found)
    there = posterior(moved[0], moved[1], moved[2], moved[3], again)
    np.testing.assert_allclose(there, (a[order], b[order]), rtol=1e-12)


@settings(max_examples=25)
@given(lines_of_tests, st.floats(1e-3, 1e3))
def test_level_scales_with_rates(rng: np.random.Generator, factor: float) -> None:
    """The same clicks of `factor` times the impressions mean a level that many times lower."""
    clicks, shown, score, pseudo = drawn_lines(rng, 5)
    found = level(clicks, shown, score, pseudo, (0.02, 6.0))
    less = level(clicks, shown * factor, score, pseudo, (0.02 / factor, 6.0))
    np.testing.assert_allclose(less * factor, found, rtol=1e-9)


# --- posterior ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("clicks", "shown"), [(0, 0), (0, 300), (7, 300), (120, 4000)])
def test_posterior_is_that_of_bayes_on_a_grid(clicks: int, shown: int) -> None:
    pseudo, at, score = 12.0, 0.02, 0.3
    rate = np.linspace(1e-7, 0.25, 200_001)
    rho = rate / (at * np.exp(score))
    before = (pseudo - 1) * np.log(rho) - pseudo * rho  # Gamma of mean 1 and variance 1 / κ
    seen = clicks * np.log(shown * rate) - shown * rate - gammaln(clicks + 1) if shown else 0.0
    weight = np.exp(before + seen - (before + seen).max())
    mean = float(np.average(rate, weights=weight))
    sd = float(np.sqrt(np.average((rate - mean) ** 2, weights=weight)))
    a, b = posterior(
        np.array([float(clicks)]),
        np.array([float(shown)]),
        np.array([score]),
        np.array([pseudo]),
        np.array([at]),
    )
    np.testing.assert_allclose(a / b, mean, rtol=1e-5)
    np.testing.assert_allclose(np.sqrt(a) / b, sd, rtol=1e-4)


# --- within tests ------------------------------------------------------------------------------

STARTS = np.array([0, 2, 5])


def test_centred_takes_each_tests_own_weighted_mean() -> None:
    values, weights = np.array([1.0, 4.0, 0.0, 3.0, 9.0]), np.array([2.0, 1.0, 1.0, 1.0, 2.0])
    assert centred(values, weights, STARTS).tolist() == [-1.0, 2.0, -5.25, -2.25, 3.75]


def test_expected_clicks_share_out_each_tests_total() -> None:
    clicks, shown = np.array([9.0, 3.0, 5.0, 0.0, 1.0]), np.array([100.0, 200, 10, 20, 30])
    flat = expected_clicks(clicks, shown, np.zeros(5), STARTS)
    assert flat.tolist() == [4.0, 8.0, 1.0, 2.0, 3.0]
    told = expected_clicks(clicks, shown, np.log([2.0, 1, 3, 3, 1]), STARTS)
    np.testing.assert_allclose(told, [6, 6, 1.5, 3, 1.5])


# --- spread ------------------------------------------------------------------------------------


def found_spread(**changes: object) -> float:
    tests, score = draw_past(11, 12_000, shown=1500, **changes)  # pyright: ignore[reportArgumentType]
    clicks, shown = tests.clicks.astype(np.float64), tests.impressions.astype(np.float64)
    return spread(clicks, expected_clicks(clicks, shown, score, tests.starts), tests.starts)


@pytest.mark.parametrize("lines", [2, 3, 6])
@pytest.mark.parametrize("unequal", [0.05, 1.0])
def test_spread_is_that_of_the_true_rates(lines: int, unequal: float) -> None:
    """Whatever the number of lines, and where some lines were shown ten times as often as others.

    About 30 clicks a line, 12,000 tests: the standard error is below 2 %.
    """
    found = found_spread(lines=[lines], unequal=unequal, variance=0.07)
    assert found == pytest.approx(0.07, rel=0.1)


@pytest.mark.parametrize("lines", [2, 6])
def test_spread_sees_none_where_all_is_chance(lines: int) -> None:
    assert found_spread(lines=[lines], unequal=1.0, variance=0.0) < 0.003


def test_spread_is_not_led_astray_by_lines_hardly_seen() -> None:
    """As an adaptive test leaves them: one line starved in every test."""
    tests, score = draw_past(3, 4000, lines=[3], shown=3000, unequal=0.1, variance=0.05)
    shown, clicks = tests.impressions.astype(np.float64), tests.clicks.astype(np.float64)
    rng = np.random.default_rng(4)
    clicks[::3] = rng.binomial(clicks[::3].astype(np.int64), 0.01)  # 1 % of its visitors kept
    shown[::3] *= 0.01
    found = spread(clicks, expected_clicks(clicks, shown, score, tests.starts), tests.starts)
    assert found == pytest.approx(0.05, rel=0.12)


def test_spread_of_two_lines_by_hand() -> None:
    """m = 10 and p = ½ for both: ((5² - 5) + (5² - 5)) / (2 · 10² · ½)."""
    clicks, expected = np.array([15.0, 5.0]), np.array([10.0, 10.0])
    assert spread(clicks, expected, np.array([0, 2])) == pytest.approx(40 / 100)


def test_spread_is_none_where_lines_are_closer_than_chance() -> None:
    same = np.array([10.0, 10.0, 3.0, 3.0])
    assert spread(same, same, np.array([0, 2, 4])) == 0.0


def test_spread_leaves_out_tests_without_a_click() -> None:
    """They say nothing of how lines differ: the answer is that of the others."""
    clicks, expected = np.array([15.0, 5.0]), np.array([10.0, 10.0])
    with_silent = np.append(clicks, np.zeros(3)), np.append(expected, np.zeros(3))
    assert spread(*with_silent, np.array([0, 2, 5])) == spread(clicks, expected, np.array([0, 2]))


@pytest.mark.parametrize("clicks", [[0.0, 0.0], [15.0]])
def test_spread_is_refused_where_no_test_can_tell(clicks: list[float]) -> None:
    """No clicks at all, or only tests of one line."""
    told = np.array(clicks)
    with pytest.raises(ValueError, match="two lines and a click"):
        spread(told, told, np.array([0, len(told)]))
