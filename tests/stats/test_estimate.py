import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hookline.stats import Moments, mean_estimate, radius, relative_lift, total_estimate


def pair(seed: int, n: int = 2_000, top: float = 0.3, base: float = 0.2) -> Moments:
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=n)
    noise = rng.normal(size=(2, n))
    return Moments.of(np.column_stack([top + shared + noise[0], base + shared + noise[1]]))


def test_mean_estimate_is_mean_and_radius() -> None:
    moments = Moments.of(np.random.default_rng(0).normal(size=(500, 1)))
    found = mean_estimate(moments, events=500, horizon=1_000, alpha=0.1)
    half = radius(math.sqrt(moments.covariance[0, 0]), 500, 0.1, 1_000)
    assert found.n == 500
    assert found.estimate == pytest.approx(moments.mean[0])
    assert (found.low, found.high) == (
        pytest.approx(moments.mean[0] - half),
        pytest.approx(moments.mean[0] + half),
    )


def test_mean_estimate_stays_within_its_limits() -> None:
    moments = Moments.of(np.random.default_rng(0).normal(size=(500, 1)))
    found = mean_estimate(moments, events=500, horizon=1_000, limits=(0.0, 0.05))
    assert (found.low, found.high) == (0.0, 0.05)


def test_total_estimate_is_n_times_the_mean() -> None:
    moments = Moments.of(np.random.default_rng(0).normal(size=(500, 1)))
    mean = mean_estimate(moments, events=500, horizon=1_000)
    total = total_estimate(moments, events=500, horizon=1_000)
    assert mean.low is not None
    assert total.low == pytest.approx(500 * mean.low)


@given(st.integers(0, 10_000), st.floats(0.01, 0.3))
def test_relative_lift_bounds_are_where_the_sequence_meets_zero(seed: int, alpha: float) -> None:
    moments = pair(seed, base=0.6)
    found = relative_lift(moments, events=99, horizon=2_000, alpha=alpha)
    assume(found.low is not None and found.low > -1)
    for bound in (found.low, found.high):
        assert bound is not None
        weights = np.array([1.0, -(1 + bound)])
        sd = math.sqrt(weights @ moments.covariance @ weights)
        assert abs(weights @ moments.mean) == pytest.approx(radius(sd, 2_000, alpha, 2_000))


@given(st.integers(0, 10_000))
def test_relative_lift_above_zero_means_the_difference_is(seed: int) -> None:
    """The verdict on a ratio never contradicts the one on the difference."""
    moments = pair(seed, top=0.55, base=0.4)
    lift = relative_lift(moments, events=99, horizon=2_000)
    gap = np.array([1.0, -1.0])
    sd = math.sqrt(gap @ moments.covariance @ gap)
    proven = gap @ moments.mean > radius(sd, 2_000, 0.05, 2_000)
    assert lift.low is not None
    assert (lift.low > 0) == proven


def test_relative_lift_with_an_uncertain_control_has_no_bounds() -> None:
    found = relative_lift(pair(1, base=0.02), events=99, horizon=2_000)
    assert found.estimate is not None
    assert (found.low, found.high) == (None, None)
    assert "control" in found.reason


@pytest.mark.parametrize(
    ("moments", "events", "word"),
    [
        (pair(0, n=99), 99, "100 visitors"),
        (pair(0), 19, "20 events"),
        (Moments.of(np.ones((200, 2))), 200, "same"),
        (Moments.of(np.zeros((200, 2))), 200, "zero"),
        (Moments.none(2), 0, "100 visitors"),
    ],
)
def test_relative_lift_that_cant_be_known_says_why(
    moments: Moments, events: int, word: str
) -> None:
    found = relative_lift(moments, events=events, horizon=1_000)
    assert (found.estimate, found.low, found.high) == (None, None, None)
    assert word in found.reason
    assert found.n == moments.n


def test_mean_estimate_without_variance_is_unknown() -> None:
    found = mean_estimate(Moments.of(np.ones((200, 1))), events=200, horizon=1_000)
    assert found.estimate is None
    assert "same" in found.reason


def test_total_estimate_below_least_data_is_unknown() -> None:
    found = total_estimate(Moments.of(np.ones((20, 1))), events=20, horizon=1_000)
    assert (found.estimate, found.n) == (None, 20)
