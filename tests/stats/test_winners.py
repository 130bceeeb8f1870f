"""Shrinkage of families, against brute force, and against the bias and coverage it promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hookline.stats import Family, Moments, segment_effects, shrink_family

Array = NDArray[np.float64]


def values(family: Family) -> Array:
    return np.array([effect.estimate for effect in family.effects], dtype=np.float64)


def brute(y: Array, covariance: Array) -> tuple[Array, float]:
    """Posterior means and mean τ on a fine grid of τ, with plain matrix algebra."""
    count, ones = len(y), np.ones(len(y))
    shared = (covariance.sum() - np.trace(covariance)) / (count * (count - 1))
    scale = np.mean(np.diag(covariance) - shared)
    total, means, spread = 0.0, np.zeros(count), 0.0
    for tau in np.exp(np.linspace(-9, 9, 3_000)):
        whole = covariance + tau**2 * np.eye(count)
        inverse = np.linalg.inv(whole)
        known = ones @ inverse @ ones
        rest = y - (ones @ inverse @ y) / known
        likelihood = np.exp(-rest @ inverse @ rest / 2) / np.sqrt(np.linalg.det(whole) * known)
        prior = tau**2 * (scale + tau**2) ** -1.5  # dτ² = 2 τ² d ln τ
        weight = likelihood * prior
        total += weight
        means += weight * (y - rest + tau**2 * inverse @ rest)
        spread += weight * tau
    return means / total, spread / total


@pytest.mark.parametrize("shared", [0.0, 0.4])
def test_shrink_family_is_the_posterior_of_brute_force(shared: float) -> None:
    y = np.array([0.3, 1.9, -0.4, 0.8])
    covariance = np.diag([0.2, 0.5, 0.1, 0.9]) + shared
    means, _ = brute(y, covariance)
    np.testing.assert_allclose(values(shrink_family(y, covariance)), means, atol=2e-4)


def test_shrink_family_takes_the_luck_off_the_best_of_many() -> None:
    """600 families of 8 lifts that share a control's error, at three spreads of true effects.

    The plain best is too high by .4 to 1 standard errors; shrunken it is off by less than a third
    of that, either way.
    """
    rng = np.random.default_rng(2)
    covariance = 0.7 * np.eye(8) + 0.3
    for spread in (0.5, 1.0, 2.0):
        plain, shrunk = np.empty(200), np.empty(200)
        for run in range(200):
            true = rng.normal(0.1, spread, 8)
            y = true + rng.multivariate_normal(np.zeros(8), covariance)
            best = int(y.argmax())
            plain[run] = y[best] - true[best]
            shrunk[run] = values(shrink_family(y, covariance))[best] - true[best]
        assert plain.mean() > 3 * plain.std() / 200**0.5
        assert abs(shrunk.mean()) < 0.3 * plain.mean() + 4 * shrunk.std() / 200**0.5


def test_shrink_family_covers_the_winner_too() -> None:
    """Families drawn from the model: no bias and 95 % coverage of the best of 6, within 4 se."""
    rng = np.random.default_rng(4)
    runs, errors = 400, np.diag([0.5, 1.0, 1.0, 1.5, 2.0, 1.0])
    scale = 1 / np.mean(1 / np.diag(errors))
    off, covered = np.empty(runs), 0
    for run in range(runs):
        shrinkage = rng.random() ** 2  # density ½ B^-½
        true = rng.normal(0, np.sqrt(scale * (1 - shrinkage) / shrinkage), 6)
        y = true + rng.normal(size=6) * np.sqrt(np.diag(errors))
        best = int(y.argmax())
        effect = shrink_family(y, errors).effects[best]
        assert effect.low is not None
        assert effect.high is not None
        assert effect.estimate is not None
        off[run] = effect.estimate - true[best]
        covered += effect.low <= true[best] <= effect.high
    assert abs(off.mean()) < 4 * off.std() / runs**0.5
    assert abs(covered / runs - 0.95) < 4 * (0.95 * 0.05 / runs) ** 0.5


@settings(max_examples=40)
@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=8),
    st.floats(-100, 100),
    st.floats(0.01, 100),
)
def test_shrink_family_moves_and_scales_with_its_effects(
    effects: list[float], shift: float, factor: float
) -> None:
    y, errors = np.array(effects), np.diag(np.linspace(0.5, 2, len(effects)))
    plain = shrink_family(y, errors)
    moved = shrink_family(factor * (y + shift), factor**2 * errors)
    np.testing.assert_allclose(
        values(moved), factor * (values(plain) + shift), atol=1e-8 * factor * 100
    )
    assert plain.centre is not None
    assert y.min() - 1e-9 <= plain.centre <= y.max() + 1e-9


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8))
@settings(max_examples=40)
def test_shrink_family_draws_together_and_keeps_the_order(effects: list[float]) -> None:
    y = np.array(effects)
    family = shrink_family(y, np.eye(len(y)))
    found = values(family)
    assert np.ptp(found) <= np.ptp(y) + 1e-9
    assert (np.diff(found[np.argsort(y)]) >= -1e-9).all()
    for effect in family.effects:
        assert effect.low is not None
        assert effect.high is not None
        assert effect.estimate is not None
        assert effect.low < effect.estimate < effect.high


def test_shrink_family_leaves_large_differences_and_removes_small_ones() -> None:
    errors = 0.01 * np.eye(6)
    far, near = np.array([0.0, 9, 20, 31, 44, 50]), 0.01 * np.arange(6.0)
    np.testing.assert_allclose(values(shrink_family(far, errors)), far, atol=0.01)
    assert np.ptp(values(shrink_family(near, errors))) < 0.4 * np.ptp(near)


def test_shrink_family_about_a_known_centre_takes_one_effect() -> None:
    family = shrink_family([0.3], np.array([[0.04]]), centre=0.0, n=[500])
    (effect,) = family.effects
    assert effect.estimate is not None
    assert 0 < effect.estimate < 0.3
    assert effect.n == 500
    assert family.centre == pytest.approx(0)


def test_shrink_family_without_a_finite_centre_says_so() -> None:
    family = shrink_family([0.1, 0.2], np.eye(2), centre=np.nan)
    assert "missing" in family.reason
    assert family.effects[0].estimate is None


def test_an_effect_known_well_does_not_say_how_far_others_differ() -> None:
    """300 families, one effect known 20 times as well as seven others that scatter by 1.

    With the scale of the well-known one the others' 95 % intervals held in 82 %.
    """
    rng = np.random.default_rng(8)
    sds = np.array([0.05, *[1.0] * 7])
    held = 0
    for _ in range(300):
        true = rng.normal(0, 1, 8)
        family = shrink_family(true + rng.normal(0, sds), np.diag(sds**2))
        last = family.effects[-1]
        assert last.low is not None
        assert last.high is not None
        held += last.low <= true[-1] <= last.high
    assert held >= 300 * 0.95 - 3 * (300 * 0.95 * 0.05) ** 0.5


@pytest.mark.parametrize(
    ("effects", "covariance", "reason"),
    [
        ([0.1], np.eye(1), "needs two effects"),
        ([], np.zeros((0, 0)), "needs two effects"),
        ([0.1, np.nan], np.eye(2), "missing"),
        ([0.1, 0.2], np.diag([1.0, np.inf]), "missing"),
        ([0.1, 0.2], np.diag([1.0, 0.0]), "without variance"),
        ([0.1, 0.2], np.array([[1.0, 0.5], [0.1, 1.0]]), "not that of anything"),
        ([0.1, 0.2], np.array([[1.0, 0.5], [0.1, 1.0]]) * 1e-12, "not that of anything"),
        ([1e200, 0.2], np.eye(2), "too large"),
    ],
)
def test_shrink_family_says_why_it_can_not(
    effects: list[float], covariance: Array, reason: str
) -> None:
    family = shrink_family(effects, covariance)
    assert reason in family.reason
    assert (family.centre, family.spread) == (None, None)
    assert all(effect.estimate is None and effect.reason for effect in family.effects)


# --- segments ----------------------------------------------------------------------------------


def segment(seed: int, n: int, gap: float) -> Moments:
    rates = np.array([0.1 + gap, 0.1])
    return Moments.of((np.random.default_rng(seed).random((n, 2)) < rates).astype(np.float64))


def test_segment_effects_draw_small_segments_to_the_others() -> None:
    segments = {name: segment(i, 8_000, 0.03) for i, name in enumerate("abcd")}
    small = segment(9, 150, 0.2)
    found = segment_effects(segments | {"small": small})
    plain = float(small.mean[0] - small.mean[1])
    estimate = found["small"].estimate
    assert estimate is not None
    assert plain > 0.14
    assert 0.02 < estimate < plain - 0.05
    for name, moments in segments.items():
        alone = float(moments.mean[0] - moments.mean[1])
        assert found[name].estimate == pytest.approx(alone, abs=0.01)
        assert found[name].n == 8_000


def test_segment_effects_say_which_segments_say_nothing() -> None:
    dull = Moments.of(np.ones((300, 2)))
    found = segment_effects(
        {"a": segment(0, 900, 0), "b": segment(1, 900, 0), "tiny": segment(2, 9, 0), "dull": dull}
    )
    assert found["a"].estimate is not None
    assert found["tiny"].reason == "needs 100 visitors, has 9"
    assert found["dull"].reason == "all did the same"
    assert found["tiny"].estimate is found["dull"].estimate is None


def test_segment_effects_need_two_segments() -> None:
    found = segment_effects({"only": segment(0, 900, 0.1)})
    assert found["only"].estimate is None
    assert "two effects" in found["only"].reason
    assert segment_effects({}) == {}


def test_a_segment_of_numbers_too_large_to_be_squared_leaves_the_others_alone() -> None:
    rng = np.random.default_rng(1)
    sound = {name: Moments.of(rng.random((500, 2))) for name in ("a", "b")}
    absurd = Moments.of(np.tile([[1e200, 0.0], [0.0, 0.0]], (100, 1)))
    found = segment_effects({**sound, "c": absurd})
    assert {name: found[name] for name in sound} == segment_effects(sound)
    assert (found["c"].estimate, "too large" in found["c"].reason) == (None, True)
