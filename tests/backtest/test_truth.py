"""The rates that count for true: observed ones as they are, shrunken ones nearer to the truth."""

import numpy as np
import pytest

from hookline.backtest.truth import NOTES, true_rates
from made_past import by_test, draw_past, make_past


def test_observed_rates_are_taken_as_they_are() -> None:
    tests = make_past([[1, 4], [0, 5, 5]], [[100, 100], [10, 10, 5]])
    assert true_rates(tests, "observed").tolist() == [0.01, 0.04, 0.0, 0.5, 1.0]


def test_shrunken_rates_lie_between_observed_and_the_tests_mean() -> None:
    tests, _ = draw_past(1, 300)
    shrunken, observed = true_rates(tests, "shrunken"), tests.rates
    heads = tests.starts[:-1]
    pooled = np.add.reduceat(tests.clicks, heads) / np.add.reduceat(tests.impressions, heads)
    mean = np.repeat(pooled, tests.sizes)
    low, high = np.minimum(observed, mean), np.maximum(observed, mean)
    assert np.all((low - 1e-12 <= shrunken) & (shrunken <= high + 1e-12))


def test_shrunken_rates_are_shrunk_more_where_less_was_seen() -> None:
    """Ten tests, alike but for their traffic: twice the rate in line one than in line two."""
    views = [100 * 2**size for size in range(10)]
    tests = make_past([[n // 10, n // 20] for n in views], [[n, n] for n in views])
    rates = true_rates(tests, "shrunken").reshape(-1, 2)
    ratios = rates[:, 0] / rates[:, 1]
    assert np.all(np.diff(ratios) > 0)
    assert 1 < ratios[0] < 1.7
    assert 1.9 < ratios[-1] < 2


def test_shrunken_rates_are_nearer_to_the_truth_than_observed_ones() -> None:
    """Two halves of the same impressions: the one tells how well the other's rates were meant."""
    tests, _ = draw_past(2, 2000, shown=1000, unequal=0.1)
    rng = np.random.default_rng(3)
    first = rng.binomial(tests.clicks, 0.5)
    shown = tests.impressions // 2
    kept = np.add.reduceat(first, tests.starts[:-1]) > 0
    half = make_past(by_test(first, tests.sizes), by_test(shown, tests.sizes))
    half = half.take(np.flatnonzero(kept))
    other = ((tests.clicks - first) / shown)[np.repeat(kept, tests.sizes)]
    errors = {truth: float(np.square(true_rates(half, truth) - other).mean()) for truth in NOTES}
    assert errors["shrunken"] < 0.9 * errors["observed"]


def test_shrunken_rates_of_a_file_of_chance_are_the_tests_means() -> None:
    tests, _ = draw_past(4, 2000, slope=0.0, variance=0.0, unequal=0.0)
    rates = true_rates(tests, "shrunken")
    spread = np.maximum.reduceat(rates, tests.starts[:-1]) / np.minimum.reduceat(
        rates, tests.starts[:-1]
    )
    assert spread.max() < 1.1


@pytest.mark.parametrize("shown", [[1, 1, 1], [5, 1000, 7]])
def test_shrunken_rates_stay_rates(shown: list[int]) -> None:
    """Even where every impression was clicked, or none on a line."""
    for clicks in (shown, [0, shown[1], 0], [1, 0, 0]):
        rates = true_rates(make_past([clicks, [1, 2, 3]], [shown, [9, 9, 9]]), "shrunken")
        assert np.all((rates > 0) & (rates <= 1))
