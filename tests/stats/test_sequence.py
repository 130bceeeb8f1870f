import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import lambertw

from hookline.stats import radius, tuned_variance, units_needed

alphas = st.floats(0.001, 0.2)
horizons = st.integers(100, 10_000_000)


@given(alphas, horizons)
def test_tuned_variance_is_the_lambert_solution(alpha: float, horizon: int) -> None:
    exact = (-lambertw(-(alpha**2) / math.e, -1).real - 1) / horizon
    assert tuned_variance(alpha, horizon) == pytest.approx(exact, rel=1e-9)


def test_tuned_variance_makes_the_radius_least_at_the_horizon() -> None:
    def width(log_plan: float) -> float:
        return radius(1.0, 5_000, 0.05, math.exp(log_plan))

    best = minimize_scalar(width, bounds=(math.log(100), math.log(1e6)), method="bounded")
    assert math.exp(best.x) == pytest.approx(5_000, rel=1e-2)


def test_radius_is_the_papers_formula() -> None:
    rho2, t, alpha = tuned_variance(0.05, 900), 400, 0.05
    bound = math.sqrt(
        2 * (t * rho2 + 1) / (t**2 * rho2) * math.log(math.sqrt(t * rho2 + 1) / alpha)
    )
    assert radius(3.0, t, alpha, 900) == pytest.approx(3 * bound)


@given(alphas, horizons, st.integers(1, 10**7))
def test_radius_shrinks_with_units_and_grows_with_care(alpha: float, horizon: int, n: int) -> None:
    here = radius(1.0, n, alpha, horizon)
    assert radius(1.0, 2 * n, alpha, horizon) < here < radius(1.0, n, alpha / 2, horizon)
    assert here > math.sqrt(-2 * math.log(alpha / 2) / n) / 1.5


def test_radius_of_no_units_is_infinite() -> None:
    assert radius(1.0, 0, 0.05, 100) == math.inf


@given(st.floats(1e-3, 1.0), alphas)
def test_units_needed_is_the_first_that_suffices(difference: float, alpha: float) -> None:
    n = units_needed(difference, 1.0, alpha, 1_000)
    assert n is not None
    assert radius(1.0, n, alpha, 1_000) < difference <= radius(1.0, n - 1, alpha, 1_000)


def test_units_needed_without_a_lead_is_unknown() -> None:
    assert units_needed(0.0, 1.0, 0.05, 1_000) is None
    assert units_needed(-0.1, 1.0, 0.05, 1_000) is None
    assert units_needed(1e-12, 1.0, 0.05, 1_000) is None


@pytest.mark.parametrize(
    ("alpha", "horizon"),
    [(0.0, 10), (1.0, 10), (0.05, 0), (np.nan, 10), (0.05, np.inf), (0.05, np.nan)],
)
def test_tuned_variance_out_of_range_is_refused(alpha: float, horizon: float) -> None:
    with pytest.raises(ValueError, match="must"):
        tuned_variance(alpha, horizon)


def test_radius_covers_a_random_walk_at_every_step() -> None:
    """Gaussian walks, every step from the first looked at: the bound is exact there."""
    rng = np.random.default_rng(5)
    runs, n, alpha = 2_000, 1_000, 0.1
    walks = rng.normal(size=(runs, n)).cumsum(axis=1) / np.arange(1, n + 1)
    bounds = np.array([radius(1.0, t, alpha, 100) for t in range(1, n + 1)])
    missed = (np.abs(walks) > bounds).any(axis=1).mean()
    assert missed <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)
    assert missed >= 0.02  # a bound that never misses would be wider than it need be


@pytest.mark.parametrize("difference", [math.nan, math.inf, -math.inf])
def test_units_needed_for_what_is_no_difference_is_refused(difference: float) -> None:
    with pytest.raises(ValueError, match="finite difference"):
        units_needed(difference, 1.0, 0.05, 1_000)


@pytest.mark.parametrize("sd", [math.nan, -1.0, 0.0])
def test_units_needed_without_a_variance_is_refused(sd: float) -> None:
    with pytest.raises(ValueError, match="sd"):
        units_needed(0.1, sd, 0.05, 1_000)


@pytest.mark.parametrize("sd", [math.nan, -1.0])
def test_radius_of_what_is_no_deviation_is_refused(sd: float) -> None:
    with pytest.raises(ValueError, match="sd"):
        radius(sd, 100, 0.05, 1_000)
