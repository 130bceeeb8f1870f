"""Figures of a back-test and their intervals, by hand and by coverage."""

import numpy as np
import pytest

from hookline.backtest.measure import lift, measure_prior, summarise
from made_past import draw_past, make_past

# --- lift --------------------------------------------------------------------------------------


def test_lift_is_a_ratio_of_sums_with_the_variance_of_a_ratio() -> None:
    """Sums 12 over 10; residuals of the groups ±0.2, ∓0.2: variance 2 · 2 · .04."""
    ours, theirs = np.array([5.0, 7.0]), np.array([4.0, 6.0])
    found = lift(ours, theirs, np.array([0, 1]))
    half = 12.706204736174698 * np.sqrt(2 * 2 * 0.2**2) / 10  # t with one degree of freedom
    assert found.lift == pytest.approx(0.2)
    assert found.ci == pytest.approx((0.2 - half, 0.2 + half))


def test_lift_counts_tests_of_one_group_as_one() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = rng.gamma(9, size=40), rng.gamma(9, size=40)
    paired = lift(ours, theirs, np.repeat(np.arange(20), 2) * 7 + 3)
    added = lift(ours.reshape(20, 2).sum(axis=1), theirs.reshape(20, 2).sum(axis=1), np.arange(20))
    assert paired.lift == pytest.approx(added.lift)
    assert paired.ci == pytest.approx(added.ci)


def test_lift_of_equals_is_none_for_sure() -> None:
    same = np.array([3.0, 1.0, 8.0])
    found = lift(same, same, np.arange(3))
    assert (found.lift, found.ci) == (0.0, (0.0, 0.0))


def test_lift_holds_the_truth_in_95_of_100_samples_of_groups() -> None:
    """Groups of 1 to 6 tests that share their luck; one of the policies is 10 % better."""
    rng = np.random.default_rng(2)
    held = alone = 0
    trials = 800
    for _ in range(trials):
        sizes = rng.integers(1, 7, 80)
        groups = np.repeat(np.arange(80), sizes)
        size = rng.gamma(4, 25, groups.size)
        edge = np.repeat(rng.normal(0.1, 0.15, 80), sizes) + rng.normal(0, 0.1, groups.size)
        ours, theirs = size * (1 + edge), size
        low, high = lift(ours, theirs, groups).ci
        held += low <= 0.1 <= high
        low, high = lift(ours, theirs, np.arange(groups.size)).ci
        alone += low <= 0.1 <= high
    assert 0.92 < held / trials < 0.975
    assert alone / trials < 0.85  # what it would be if tests of a group were taken for independent


# --- summarise ---------------------------------------------------------------------------------


def test_summarise_measures_the_way_from_equal_shares_to_the_best_line() -> None:
    earned = {
        "uniform": np.array([10.0, 20.0]),
        "oracle": np.array([20.0, 30.0]),
        "half": np.array([18.0, 22.0]),
    }
    found = summarise(earned, np.array([0, 1]))
    assert {name: each.oracle_gap_closed for name, each in found.items()} == {
        "uniform": 0.0, "oracle": 1.0, "half": 0.5,
    }  # fmt: skip
    assert found["half"].clicks == 40.0
    assert found["half"].uplift_vs_uniform == pytest.approx(1 / 3)
    assert found["half"].ci == found["half"].versus["uniform"].ci
    assert found["half"].versus["oracle"].lift == pytest.approx(-0.2)
    assert set(found["half"].versus) == {"uniform", "oracle"}


def test_summarise_closes_no_gap_where_there_is_none() -> None:
    same = np.array([1.0, 2.0])
    found = summarise({"uniform": same, "oracle": same}, np.array([0, 1]))
    assert found["oracle"].oracle_gap_closed is None


# --- a prediction alone ------------------------------------------------------------------------

TESTS = make_past([[1, 4], [6, 2, 6]], [[100, 100], [100, 100, 100]])


def test_measure_prior_picks_the_highest_score_of_each_test() -> None:
    """Picks 4 % of (1 + 4) / 2 and 2 % of (6 + 2 + 6) / 3; chance is 1 / 2 and 2 / 3."""
    found = measure_prior(TESTS, np.array([0.0, 1.0, 0.0, 3.0, 2.0]))
    assert (found.tests, found.top1) == (2, 0.5)
    assert found.chance == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found.uplift == pytest.approx(6 / (2.5 + 14 / 3) - 1)


def test_measure_prior_shares_the_pick_among_lines_that_tie() -> None:
    found = measure_prior(TESTS, np.zeros(5))
    assert found.top1 == pytest.approx(found.chance)
    assert found.uplift == pytest.approx(0, abs=1e-12)


def test_measure_prior_is_blind_to_what_is_added_to_all_lines_of_a_test() -> None:
    tests, score = draw_past(5, 200)
    shift = np.repeat(np.random.default_rng(6).normal(0, 5, len(tests)), tests.sizes)
    found, again = measure_prior(tests, score), measure_prior(tests, score + shift)
    assert (again.top1, again.uplift) == (found.top1, found.uplift)
    for one, two in zip(found.calibration, again.calibration, strict=True):
        assert two.predicted == pytest.approx(one.predicted)
        assert two.observed == pytest.approx(one.observed)


def test_measure_prior_knows_the_best_score_and_the_worst() -> None:
    tests, _ = draw_past(7, 200)
    best, worst = measure_prior(tests, tests.rates), measure_prior(tests, -tests.rates)
    assert best.top1 == 1.0
    assert worst.top1 == 0.0
    assert worst.uplift_ci[1] < 0 < best.uplift_ci[0]


def test_measure_prior_calibrates_in_ten_rising_bins() -> None:
    """A score that is right lies on the diagonal; one twice too bold at half of it."""
    tests, score = draw_past(8, 4000, lines=[4], shown=5000)
    for factor in (1.0, 2.0):
        bins = measure_prior(tests, factor * score).calibration
        predicted = np.array([each.predicted for each in bins])
        observed = np.array([each.observed for each in bins])
        inside = [each.ci[0] < each.predicted / factor < each.ci[1] for each in bins]
        assert sum(each.arms for each in bins) == len(tests.texts)
        assert len(bins) == 10
        assert np.all(np.diff(predicted) > 0)
        assert np.polyfit(predicted, observed, 1)[0] == pytest.approx(1 / factor, rel=0.06)
        assert sum(inside) >= 6


def test_measure_prior_leaves_out_bins_of_one_line() -> None:
    assert measure_prior(make_past([[1, 4]], [[100, 100]]), np.arange(2.0)).calibration == ()
