"""Beliefs about two rates, against a closed form, draws and their own symmetry."""

from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln
from scipy.stats import beta

from hookline.stats import believe_rates


def chance_by_sum(a1: int, b1: int, a0: int, b0: int) -> float:
    """P(p₁ > p₀) for whole parameters, as a finite sum (Miller 2014)."""
    return sum(
        exp(betaln(a0 + i, b1 + b0) - betaln(1 + i, b1) - betaln(a0, b0)) / (b1 + i)
        for i in range(a1)
    )


@pytest.mark.parametrize(
    ("successes", "n"),
    [
        ((0, 0), (1, 1)),
        ((3, 1), (10, 12)),
        ((0, 40), (50, 50)),
        ((260, 200), (2_000, 2_000)),
        ((20, 9_000), (100, 100_000)),
        ((10_400, 10_000), (1_000_000, 1_000_000)),
    ],
)
def test_chance_is_the_finite_sum(successes: tuple[int, int], n: tuple[int, int]) -> None:
    (a1, a0), (b1, b0) = (
        (1 + successes[0], 1 + successes[1]),
        (
            1 + n[0] - successes[0],
            1 + n[1] - successes[1],
        ),
    )
    belief = believe_rates(successes, n)
    assert belief.chance == pytest.approx(chance_by_sum(a1, b1, a0, b0), rel=1e-6, abs=1e-9)
    assert belief.estimate == pytest.approx(beta(a1, b1).mean(), rel=1e-12)
    assert belief.low == pytest.approx(beta(a1, b1).ppf(0.025), rel=1e-9)
    assert belief.high == pytest.approx(beta(a1, b1).ppf(0.975), rel=1e-9)


@settings(max_examples=25)
@given(
    st.tuples(st.integers(0, 500), st.integers(0, 500)),
    st.tuples(st.integers(500, 900), st.integers(500, 90_000)),
    st.sampled_from([0.5, 1.0, 7.0]),
)
def test_beliefs_mirror_each_other_and_losses_differ_by_the_means(
    successes: tuple[int, int], n: tuple[int, int], prior: float
) -> None:
    one = believe_rates(successes, n, prior=(prior, prior))
    other = believe_rates((successes[1], successes[0]), (n[1], n[0]), prior=(prior, prior))
    assert one.chance is not None
    assert other.chance is not None
    assert one.loss is not None
    assert one.loss_of_control is not None
    assert one.estimate is not None
    assert other.estimate is not None
    assert one.chance + other.chance == pytest.approx(1, abs=1e-9)
    assert one.loss == pytest.approx(other.loss_of_control, rel=1e-9)
    gap = one.estimate - other.estimate
    assert one.loss_of_control - one.loss == pytest.approx(gap, abs=1e-10)
    assert min(one.loss, one.loss_of_control) >= 0


@pytest.mark.parametrize(("n", "off"), [(1, 1e-12), (100, 1e-12), (10**6, 1e-11), (10**9, 1e-8)])
def test_beliefs_keep_their_digits_however_many_visitors(n: int, off: float) -> None:
    """A rate is above one like it in half of all cases, and surely where it is far above."""
    alike = believe_rates((n // 2, n // 2), (n, n))
    assert alike.chance == pytest.approx(0.5, abs=off)
    far = believe_rates((n, 0), (n, n))
    assert far.chance == pytest.approx(1 - chance_by_sum(1, n + 1, n + 1, 1), abs=off)
    assert far.loss is not None
    assert far.loss >= 0


def test_beliefs_are_those_of_draws() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.beta(24, 78, 400_000), rng.beta(16, 86, 400_000)
    belief = believe_rates((23, 15), (100, 100))
    assert belief.chance == pytest.approx((one > other).mean(), abs=0.003)
    assert belief.loss == pytest.approx(np.maximum(other - one, 0).mean(), rel=0.02)


def test_a_belief_without_visitors_says_why_there_is_none() -> None:
    belief = believe_rates((0, 5), (0, 10))
    assert "no visitor" in belief.reason
    assert (belief.estimate, belief.chance, belief.loss) == (None, None, None)


def test_impossible_beliefs_are_refused() -> None:
    with pytest.raises(ValueError, match="successes"):
        believe_rates((5, 3), (4, 4))
    with pytest.raises(ValueError, match="prior"):
        believe_rates((3, 3), (4, 4), prior=(0.1, 1.0))
    with pytest.raises(ValueError, match="prior"):
        believe_rates((3, 3), (4, 4), prior=(np.inf, 1.0))


@pytest.mark.parametrize("prior", [(0.5, np.nan), (np.nan, 0.5), (1.0, np.inf)])
def test_a_prior_that_is_none_is_refused(prior: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="prior"):
        believe_rates((30, 40), (200, 200), prior=prior)


def test_beliefs_of_infinitely_many_visitors_are_refused() -> None:
    with pytest.raises(ValueError, match="successes"):
        believe_rates((np.inf, 1), (np.inf, 2))  # pyright: ignore[reportArgumentType]
