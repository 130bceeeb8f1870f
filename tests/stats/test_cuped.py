"""CUPED, against tea-tasting, against analysis of covariance, and for what it must not change."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hookline.stats import Moments, compare_means, cuped, explained

Array = NDArray[np.float64]


def visitors(seed: int, n: int, effect: float = 0.0) -> Array:
    """Outcome and a covariate of correlation .8."""
    rng = np.random.default_rng(seed)
    before = rng.normal(5, 2, n)
    return np.column_stack([before * 0.8 + rng.normal(3, 1.2, n) + effect, before])


ARM, CONTROL = visitors(1, 500, 0.3), visitors(2, 450)


@pytest.mark.parametrize("relative", [False, True])
def test_cuped_is_tea_tastings(relative: bool) -> None:
    aggr = pytest.importorskip("tea_tasting.aggr", reason="needs tea-tasting")
    metrics = pytest.importorskip("tea_tasting.metrics", reason="needs tea-tasting")
    both: list[object] = []
    for rows in (CONTROL, ARM):
        cov = np.cov(rows.T)
        both.append(
            aggr.Aggregates(
                count_=len(rows),
                mean_={"y": rows[:, 0].mean(), "x": rows[:, 1].mean()},
                var_={"y": cov[0, 0], "x": cov[1, 1]},
                cov_={("x", "y"): cov[0, 1]},
            )
        )
    other = metrics.Mean("y", covariate="x").analyze_aggregates(*both)
    found = compare_means(*cuped(Moments.of(ARM), Moments.of(CONTROL)), relative=relative)
    prefix = "rel_" if relative else ""
    assert found.estimate == pytest.approx(getattr(other, f"{prefix}effect_size"), rel=1e-9)
    assert found.low == pytest.approx(getattr(other, f"{prefix}effect_size_ci_lower"), rel=1e-9)
    assert found.high == pytest.approx(getattr(other, f"{prefix}effect_size_ci_upper"), rel=1e-9)


def test_cuped_moments_are_those_of_adjusted_rows() -> None:
    rows = np.concatenate([ARM, CONTROL])
    slope = np.cov(rows.T)[0, 1] / np.cov(rows.T)[1, 1]
    adjusted = ARM[:, 0] - slope * (ARM[:, 1] - rows[:, 1].mean())
    found = cuped(Moments.of(ARM), Moments.of(CONTROL))[0]
    wanted = Moments.of(adjusted[:, None])
    np.testing.assert_allclose(found.mean, wanted.mean, rtol=1e-10)
    np.testing.assert_allclose(found.scatter, wanted.scatter, rtol=1e-10)


def test_cuped_takes_away_the_variance_it_says() -> None:
    arms = Moments.of(ARM), Moments.of(CONTROL)
    plain, sharp = compare_means(*arms), compare_means(*cuped(*arms))
    share = explained(*arms)
    assert share is not None
    assert share == pytest.approx(0.64, abs=0.05)
    assert plain.standard_error is not None
    assert sharp.standard_error is not None
    ratio = (sharp.standard_error / plain.standard_error) ** 2
    assert ratio == pytest.approx(1 - share, abs=0.02)


def test_cuped_is_unbiased() -> None:
    """400 tests with an effect of .3: the mean estimate is off by less than 4 standard errors."""
    found = np.array(
        [
            compare_means(
                *cuped(Moments.of(visitors(s, 60, 0.3)), Moments.of(visitors(s + 10_000, 60)))
            ).estimate
            for s in range(400)
        ],
        dtype=np.float64,
    )
    assert abs(found.mean() - 0.3) < 4 * found.std() / 20


def test_cuped_without_a_covariate_that_varies_changes_nothing() -> None:
    flat = [np.column_stack([rows[:, 0], np.ones(len(rows))]) for rows in (ARM, CONTROL)]
    arms = [Moments.of(rows) for rows in flat]
    adjusted = compare_means(*cuped(*arms))
    assert adjusted.estimate == pytest.approx(compare_means(*arms).estimate, rel=1e-9)
    assert explained(*arms) is None


def test_cuped_wants_two_columns() -> None:
    with pytest.raises(ValueError, match="two columns"):
        cuped(Moments.of([[1.0]]))
