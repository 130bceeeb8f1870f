"""What earlier tests teach of a prediction: found again where it is known, and no more."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hookline.past import PastTests
from hookline.prior.calibrate import Belief, calibrate, together
from made_past import Array, draw_past, make_past

START = Belief(slopes=(1.0,), variance=0.05)


def column(*scores: Array) -> Array:
    return np.stack(scores, axis=1)


# --- factors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("slope", [0.5, 1.0, 1.4])
def test_the_factor_is_found_again(slope: float) -> None:
    tests, score = draw_past(1, 3000, slope=slope)
    found = calibrate(tests, column(score), START)
    assert found.slopes[0] == pytest.approx(slope, abs=0.06)


def test_noise_is_ignored_beside_a_prediction_that_tells() -> None:
    tests, score = draw_past(2, 3000, slope=0.8)
    noise = np.random.default_rng(3).normal(0, 0.25, score.size)
    found = calibrate(tests, column(score, noise), Belief(slopes=(1.0, 0.5), variance=0.05))
    assert found.slopes == pytest.approx((0.8, 0.0), abs=0.06)


def test_two_accounts_of_the_same_share_the_factor() -> None:
    tests, score = draw_past(4, 2000, slope=1.0)
    found = calibrate(tests, column(score, score), Belief(slopes=(1.0, 0.0), variance=0.05))
    assert sum(found.slopes) == pytest.approx(1.0, abs=0.06)


def test_a_prediction_that_points_the_wrong_way_is_ignored() -> None:
    tests, score = draw_past(5, 500, slope=-1.0)
    assert calibrate(tests, column(score), START).slopes == (0.0,)


def test_few_tests_hardly_move_the_start() -> None:
    """One test of 2 lines says next to nothing; thousands say nearly all."""
    tests, score = draw_past(6, 3000, slope=0.4, lines=[2])
    one = calibrate(tests.take(np.array([0])), column(score[:2]), START)
    some = calibrate(tests.take(np.arange(50)), column(score[:100]), START)
    every = calibrate(tests, column(score), START)
    assert abs(one.slopes[0] - 1) < 0.25
    assert every.slopes[0] < some.slopes[0] < 1
    assert one.variance == pytest.approx(START.variance, rel=0.3)


def test_a_factor_by_hand() -> None:
    """One test of two lines with 40 and 20 clicks of 1,000, predicted ±½; started from 1.

    Flat are 30 and 30, so weights are equal, log ratios ±½ ln(40.5 / 20.5) and the factor is
    (w Σ x y + s / d²) / (w Σ x² + 1 / d²) with w = 1 / (v + 1 / 30) and d = ½.
    """
    tests = make_past([[40, 20]], [[1000, 1000]])
    found = calibrate(tests, np.array([[0.5], [-0.5]]), START)
    weight, y = 1 / (0.05 + 1 / 30), np.log(40.5 / 20.5) / 2
    assert found.slopes[0] == pytest.approx((weight * y + 4.0) / (weight * 0.5 + 4.0))
    assert found.level == pytest.approx(0.03)


def moved(tests: PastTests, factor: NDArray[np.int64]) -> PastTests:
    """Tests with that many times the impressions and the same clicks."""
    return PastTests(
        test_ids=tests.test_ids,
        groups=tests.groups,
        starts=tests.starts,
        texts=tests.texts,
        impressions=tests.impressions * np.repeat(factor, tests.sizes),
        clicks=tests.clicks,
        predicted=None,
    )


def test_only_differences_within_a_test_teach() -> None:
    """Neither a test's level nor what is predicted for all its lines alike changes anything."""
    tests, score = draw_past(7, 300)
    rng = np.random.default_rng(8)
    shift = np.repeat(rng.normal(0, 2, len(tests)), tests.sizes)
    scaled = moved(tests, rng.integers(1, 9, len(tests)))
    found = calibrate(tests, column(score), START)
    again = calibrate(scaled, column(score + shift), START)
    assert again.slopes == pytest.approx(found.slopes)
    assert again.variance == pytest.approx(found.variance)
    assert again.level < found.level


def test_the_order_of_tests_does_not_matter() -> None:
    tests, score = draw_past(9, 200)
    order = np.random.default_rng(1).permutation(len(tests))
    parts = np.split(score, tests.starts[1:-1])
    found = calibrate(tests, column(score), START)
    again = calibrate(
        tests.take(order), column(np.concatenate([parts[each] for each in order])), START
    )
    assert again.slopes == pytest.approx(found.slopes)
    assert (again.variance, again.level) == pytest.approx((found.variance, found.level))


# --- what is left ------------------------------------------------------------------------------


@pytest.mark.parametrize("variance", [0.02, 0.15])
def test_the_variance_left_is_found_again(variance: float) -> None:
    tests, score = draw_past(10, 3000, variance=variance, slope=0.7)
    assert calibrate(tests, column(score), START).variance == pytest.approx(variance, rel=0.15)


def test_a_useless_prediction_leaves_all_the_variance() -> None:
    """Log rates vary by .25² more if the score that makes them is not known."""
    tests, score = draw_past(12, 3000, variance=0.03)
    shuffled = np.random.default_rng(0).permutation(score)
    told = calibrate(tests, column(score), START).variance
    untold = calibrate(tests, column(shuffled), START).variance
    assert untold - told == pytest.approx(0.25**2, rel=0.25)


def test_the_variance_is_never_none() -> None:
    tests = make_past([[50, 50]] * 2000, [[1000, 1000]] * 2000)
    found = calibrate(tests, np.zeros((4000, 1)), START)
    assert 0 < found.variance < START.variance


# --- level -------------------------------------------------------------------------------------


def test_the_level_is_the_mean_over_tests_however_big_they_are() -> None:
    tests = make_past([[10, 10], [3, 5]], [[100, 100], [10_000, 10_000]])
    found = calibrate(tests, np.zeros((4, 1)), START)
    assert found.level == pytest.approx((0.1 + 8 / 20_000) / 2)
    assert found.levels(None, 3).tolist() == [found.level] * 3


def test_the_level_follows_guesses_that_tell() -> None:
    tests, score = draw_past(13, 1500, level_sd=0.6)
    logs = np.log(
        np.add.reduceat(tests.clicks, tests.starts[:-1])
        / np.add.reduceat(tests.impressions, tests.starts[:-1])
    )
    guesses = 2 * logs + 5 + np.random.default_rng(2).normal(0, 0.1, logs.size)
    found = calibrate(tests, column(score), START, guesses)
    assert found.level_slope == pytest.approx(0.5, abs=0.03)
    levels = found.levels(guesses, len(tests))
    assert np.corrcoef(np.log(levels), logs)[0, 1] > 0.95
    assert levels.mean() == pytest.approx(np.exp(logs).mean())


def test_the_level_does_not_follow_guesses_at_random() -> None:
    tests, score = draw_past(14, 1500)
    guesses = np.random.default_rng(3).normal(-4, 0.5, len(tests))
    found = calibrate(tests, column(score), START, guesses)
    assert abs(found.level_slope) < 0.05


def test_the_level_of_one_test_follows_no_guess() -> None:
    found = calibrate(make_past([[4, 6]], [[100, 100]]), np.zeros((2, 1)), START, np.array([-3.0]))
    assert (found.level_slope, found.level) == (0.0, pytest.approx(0.05))


# --- beliefs -----------------------------------------------------------------------------------


def test_a_forecast_is_the_sum_of_its_predictions_times_their_factors() -> None:
    belief = Belief(slopes=(0.5, 2.0), variance=0.1)
    assert belief.forecast(np.array([[1.0, 0.0], [0.2, -0.3]])).tolist() == [0.5, -0.5]


def test_together_takes_means() -> None:
    one = Belief(slopes=(1.0, 0.0), variance=0.1, level=0.01, level_slope=1.0, level_centre=-4.0)
    two = Belief(slopes=(0.5, 1.0), variance=0.3, level=0.03, level_slope=0.0, level_centre=-3.0)
    assert together([one, two]) == Belief(
        slopes=(0.75, 0.5), variance=0.2, level=0.02, level_slope=0.5, level_centre=-3.5
    )
