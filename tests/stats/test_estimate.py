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


def variances(moments: Moments, ratio: float) -> tuple[float, float]:
    """Of a score of m₁ − φ m₀: as seen, and as seen at the estimate, scaled to φ."""
    seen, found = np.array([1.0, -ratio]), moments.mean[0] / moments.mean[1]
    there = np.array([1.0, -found])
    cov = moments.covariance
    return float(seen @ cov @ seen), float(there @ cov @ there) * ratio / float(found)


@given(st.integers(0, 10_000), st.floats(0.01, 0.3), st.floats(0.05, 0.6))
def test_relative_lift_bounds_are_where_the_sequence_meets_zero(
    seed: int, alpha: float, base: float
) -> None:
    moments = pair(seed, base=base)
    found = relative_lift(moments, events=99, horizon=2_000, alpha=alpha)
    assume(found.low is not None and found.low > -1)
    for bound in (found.low, found.high):
        assert bound is not None
        seen, scaled = variances(moments, 1 + bound)
        least = seen if bound == 0 else min(seen, scaled)
        gap = abs(moments.mean[0] - (1 + bound) * moments.mean[1])
        reach = radius(math.sqrt(least), 2_000, alpha, 2_000)
        assert gap <= reach if bound == 0 else gap == pytest.approx(reach)


@given(st.integers(0, 10_000), st.floats(0.05, 0.6), st.floats(0.05, 0.6))
def test_relative_lift_has_the_sign_of_the_difference(seed: int, top: float, base: float) -> None:
    """The verdict on a ratio never contradicts the one on the difference."""
    moments = pair(seed, top=top, base=base)
    lift = relative_lift(moments, events=99, horizon=2_000)
    assume(lift.low is not None and lift.high is not None)
    gap = np.array([1.0, -1.0])
    reach = radius(math.sqrt(gap @ moments.covariance @ gap), 2_000, 0.05, 2_000)
    doubtful = (moments.mean <= radius(1.0, 2_000, 0.05, 2_000) * np.sqrt(2)).all()
    assume(not doubtful)  # as deviations are about √2
    assert lift.low is not None
    assert lift.high is not None
    assert (lift.low > 0) == (gap @ moments.mean > reach)
    assert (lift.high < 0) == (gap @ moments.mean < -reach)


def test_relative_lift_stretches_to_no_difference_where_that_is_kept() -> None:
    scatter = np.diag([1.0, 100.0]) * 1_999
    moments = Moments(n=2_000, mean=np.array([0.4, 1.0]), scatter=scatter)
    seen, scaled = (radius(math.sqrt(v), 2_000, 0.05, 2_000) for v in variances(moments, 1.0))
    assert scaled < 1.0 - 0.4 < seen
    found = relative_lift(moments, events=99, horizon=2_000)
    assert found.high == 0


@given(st.integers(0, 10_000))
def test_relative_lift_turned_round_is_its_reciprocal(seed: int) -> None:
    moments = pair(seed, top=0.3, base=0.4)
    back = Moments(n=moments.n, mean=moments.mean[::-1], scatter=moments.scatter[::-1, ::-1])
    one, other = (relative_lift(each, events=99, horizon=2_000) for each in (moments, back))
    assert one.low is not None
    assert one.high is not None
    assert other.high is not None
    assert other.low is not None
    assert (1 + one.low) * (1 + other.high) == pytest.approx(1)
    assert (1 + one.high) * (1 + other.low) == pytest.approx(1)


def test_relative_lift_with_an_uncertain_control_is_bounded_on_the_log_scale() -> None:
    moments = pair(1, base=0.06)
    assert moments.mean[1] < radius(math.sqrt(moments.covariance[1, 1]), 2_000, 0.05, 2_000)
    found = relative_lift(moments, events=99, horizon=2_000)
    cov, (top, base) = moments.covariance, moments.mean
    spread = math.sqrt(cov[0, 0] / top**2 - 2 * cov[0, 1] / (top * base) + cov[1, 1] / base**2)
    reach = 2 * math.asinh(radius(spread, 2_000, 0.05, 2_000) / 2)
    assert found.high is not None
    assert math.log1p(found.high) == pytest.approx(math.log(top / base) + reach)


def test_relative_lift_below_a_doubtful_control_has_no_bounds() -> None:
    found = relative_lift(pair(1, top=-0.3, base=0.06), events=99, horizon=2_000)
    assert found.estimate == -1
    assert (found.low, found.high) == (None, None)
    assert "control" in found.reason


def test_relative_lift_of_a_loss_is_bounded_by_a_sure_control() -> None:
    found = relative_lift(pair(1, top=-0.3, base=0.6), events=99, horizon=2_000)
    assert (found.estimate, found.low) == (-1, -1)
    assert found.high is not None
    assert found.high < 0


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


def test_numbers_too_large_to_be_squared_give_no_interval() -> None:
    """Revenue of 1e200: the variance is beyond any number, and -inf to inf is no interval."""
    absurd = np.tile([[1e200, 1.0], [0.0, 0.0]], (100, 1))
    moments = Moments.of(absurd) + Moments.of(absurd)
    for found in (
        mean_estimate(moments.column(0), events=99, horizon=1_000),
        total_estimate(moments.column(0), events=99, horizon=1_000),
        relative_lift(moments, events=99, horizon=1_000),
    ):
        assert (found.estimate, found.low, found.high) == (None, None, None)
        assert "too large" in found.reason
