"""Off-policy estimators against hand sums, known truth, and logs that allow no answer."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hookline.stats import (
    EveryLook,
    OneLook,
    PolicyValue,
    dr,
    dros,
    effective_sample,
    importance_weights,
    ips,
    marginal_weights,
    model_values,
    off_policy,
    shrunk,
    snips,
    switch_dr,
    switched,
)

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

MEANS = np.array([[0.1, 0.3, 0.2], [0.4, 0.2, 0.3]])
"""Chance of a reward: two kinds of visitor × three arms."""
LOGGING = np.array([[0.6, 0.1, 0.3], [0.2, 0.7, 0.1]])
TARGET = np.array([[0.1, 0.8, 0.1], [0.7, 0.1, 0.2]])
TRUTH = float((MEANS * TARGET).sum(axis=1).mean())


def look(resamples: int = 1_000) -> OneLook:
    return OneLook(rng=np.random.default_rng(7), resamples=resamples)


def log(seed: int, n: int = 2_000) -> tuple[Array, Integers, Array, Array, Integers]:
    """Rewards, arms, propensities, target policy, and the kinds of visitor."""
    draws = np.random.default_rng(seed)
    kinds = draws.integers(2, size=n)
    arms = (draws.random((n, 1)) > LOGGING[kinds].cumsum(axis=1)).sum(axis=1)
    rewards = (draws.random(n) < MEANS[kinds, arms]).astype(np.float64)
    return rewards, arms, LOGGING[kinds, arms], TARGET[kinds], kinds


def pieces(seed: int, off: float = 0.0) -> tuple[Array, Array, Array, Array]:
    """Rewards, weights, and a model's two expectations, the model being wrong by `off`."""
    rewards, arms, propensities, target, kinds = log(seed)
    weights = importance_weights(arms, propensities, target)
    return rewards, weights, *model_values(arms, target, MEANS[kinds] + off)


def point(value: PolicyValue) -> tuple[float, float, float]:
    assert value.estimate is not None
    assert value.low is not None
    assert value.high is not None
    return value.low, value.estimate, value.high


# --- formulas ----------------------------------------------------------------------------------


def test_estimates_are_their_formulas() -> None:
    rewards, arms, propensities, target, kinds = log(0)
    model = MEANS[kinds] * 0.5
    found = off_policy(rewards, arms, propensities, target, model, interval=look())
    ratio, corrected, total = 0.0, 0.0, 0.0
    for reward, arm, chance, wish, guess in zip(
        rewards, arms, propensities, target, model, strict=True
    ):
        weight = wish[arm] / chance
        total += weight
        ratio += weight * reward
        corrected += sum(wish * guess) + weight * (reward - guess[arm])
    assert found["ips"].estimate == pytest.approx(ratio / 2_000)
    assert found["snips"].estimate == pytest.approx(ratio / total)
    assert found["dr"].estimate == pytest.approx(corrected / 2_000)
    assert {value.n for value in found.values()} == {2_000}


def test_dr_without_a_model_is_ips() -> None:
    rewards, weights, *_ = pieces(0)
    nothing = np.zeros_like(rewards)
    assert dr(rewards, weights, nothing, nothing, interval=look()) == ips(
        rewards, weights, interval=look()
    )


@pytest.mark.parametrize("soft", [switch_dr, dros])
def test_soft_estimators_lie_between_dr_and_the_model(soft: Callable[..., PolicyValue]) -> None:
    given = pieces(1, off=0.1)
    assert soft(*given, parameter=math.inf, interval=look()).estimate == pytest.approx(
        dr(*given, interval=look()).estimate
    )
    model = soft(*given, parameter=0.0, interval=look())
    assert model.estimate == pytest.approx(given[3].mean())
    assert model.parameter == 0


@pytest.mark.parametrize("soft", [switch_dr, dros])
def test_soft_estimators_keep_dr_s_interval_stretched_to_the_estimate(
    soft: Callable[..., PolicyValue],
) -> None:
    given = pieces(1, off=0.1)
    low, _, high = point(dr(*given, interval=look()))
    chosen = point(soft(*given, interval=look()))
    assert (chosen[0], chosen[2]) == (low, high)
    blind = point(soft(*given, parameter=0.0, interval=look()))
    assert blind[1] > high
    assert (blind[0], blind[2]) == (low, blind[1])


def test_softened_weights() -> None:
    weights = np.array([0.0, 0.5, 2.0, 40.0])
    assert switched(weights, 2.0).tolist() == [0, 0.5, 2, 0]
    assert shrunk(weights, 4.0) == pytest.approx([0, 2 / 4.25, 1, 160 / 1604])
    assert shrunk(weights, math.inf).tolist() == weights.tolist()
    assert shrunk(weights, 0.0).tolist() == [0, 0, 0, 0]


def test_standard_error_is_what_the_bootstrap_has() -> None:
    for value in off_policy(*log(2)[:4], MEANS[log(2)[4]], interval=look(4_000)).values():
        low, _, high = point(value)
        assert value.standard_error is not None
        assert (high - low) / 2 == pytest.approx(1.96 * value.standard_error, rel=0.06)


@given(st.floats(-50, 50), st.integers(0, 100))
def test_snips_moves_with_a_constant_and_stays_within_the_rewards(shift: float, seed: int) -> None:
    rewards, weights, *_ = pieces(seed)
    plain = snips(rewards, weights, interval=look(5))
    moved = snips(rewards + shift, weights, interval=look(5))
    assert moved.estimate == pytest.approx(point(plain)[1] + shift)
    assert 0 <= point(plain)[0] <= point(plain)[2] <= 1


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_effective_sample_is_between_0_and_n(weights: list[float]) -> None:
    found = effective_sample(np.array(weights))
    assert 0 <= found <= len(weights) * (1 + 1e-9)
    assert effective_sample(np.full(len(weights), 3.0)) == pytest.approx(len(weights))


@given(st.permutations(range(3)), st.integers(0, 50))
def test_names_of_arms_do_not_matter(order: list[int], seed: int) -> None:
    rewards, arms, propensities, target, kinds = log(seed, 800)
    model, renamed = MEANS[kinds], np.array(order)
    back = np.argsort(renamed)
    one = off_policy(rewards, arms, propensities, target, model, interval=look(5))
    two = off_policy(
        rewards,
        renamed[arms],
        propensities,
        target[:, back],
        model[:, back],
        interval=look(5),
    )
    for name, value in one.items():
        assert two[name].estimate == pytest.approx(value.estimate)


def test_same_seed_same_answer_and_inputs_unchanged() -> None:
    given = (*log(3)[:4], MEANS[log(3)[4]])
    before = [part.copy() for part in given]
    assert off_policy(*given, interval=look()) == off_policy(*given, interval=look())
    assert all((was == now).all() for was, now in zip(before, given, strict=True))


# --- truth -------------------------------------------------------------------------------------


def test_estimates_are_unbiased_and_intervals_cover() -> None:
    """200 logs: means within 4 standard errors, coverage above its binomial 1 in 10,000 bound."""
    count, names = 200, ("ips", "snips", "dr", "switch_dr", "dros")
    errors, covered = np.zeros((count, 5)), np.zeros((count, 5))
    for seed in range(count):
        rewards, arms, propensities, target, kinds = log(seed)
        model = MEANS[kinds][:, ::-1]  # wrong, but not fitted on these rows
        found = off_policy(rewards, arms, propensities, target, model, interval=look(200))
        for column, name in enumerate(names):
            low, estimate, high = point(found[name])
            errors[seed, column] = estimate - TRUTH
            covered[seed, column] = low <= TRUTH <= high
    noise = errors.std(axis=0, ddof=1) / math.sqrt(count)
    assert (np.abs(errors.mean(axis=0)) < 4 * noise + [0, 0, 0, 0.01, 0.01]).all()
    assert (covered.mean(axis=0) > 0.89).all()
    assert abs(float(log(0)[0].mean()) - TRUTH) > 0.03  # the log's own mean is far off


def heavy(seed: int) -> tuple[Array, Array, Array, Array]:
    """A log with a few weights of 30, and a model that is nearly right."""
    draws = np.random.default_rng(seed)
    n, rare = 4_000, 1 / 150
    arms = (draws.random(n) < rare).astype(np.int64)
    rewards = (draws.random(n) < np.where(arms == 1, 0.5, 0.4)).astype(np.float64)
    propensities = np.where(arms == 1, rare, 1 - rare)
    weights = importance_weights(arms, propensities, np.tile([0.8, 0.2], (n, 1)))
    model = np.tile([0.41, 0.49], (n, 1))
    return rewards, weights, *model_values(arms, np.tile([0.8, 0.2], (n, 1)), model)


def test_softening_pays_where_few_weights_are_huge() -> None:
    truth = 0.8 * 0.4 + 0.2 * 0.5
    runs = [
        [
            point(estimator(*heavy(seed), interval=look(2)))[1] - truth
            for estimator in (dr, switch_dr, dros)
        ]
        for seed in range(60)
    ]
    squares = (np.array(runs) ** 2).mean(axis=0)
    assert squares[2] < 0.8 * squares[0]
    assert squares[1] <= squares[0]


def test_a_bad_model_is_not_trusted() -> None:
    """Shrinking takes little off where it would plainly take the estimate elsewhere."""
    given = pieces(4, off=0.5)
    full, kept = dr(*given, interval=look()), dros(*given, interval=look())
    assert full.standard_error is not None
    assert kept.parameter is not None
    assert abs(point(kept)[1] - point(full)[1]) < full.standard_error
    assert abs(given[3].mean() - TRUTH) > 0.4


# --- no answer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.5, np.nan])
def test_a_row_without_a_propensity_is_no_answer(bad: float) -> None:
    rewards, arms, propensities, target, kinds = log(0)
    propensities[17] = bad
    for value in off_policy(
        rewards, arms, propensities, target, MEANS[kinds], interval=look()
    ).values():
        assert (value.estimate, value.low, value.high) == (None, None, None)
        assert value.reason == "1 of 2000 rows have no propensity above 0 and up to 1"


def test_too_small_an_effective_sample_is_no_answer() -> None:
    rewards, _, served, wanted = pieces(0)
    weights = np.zeros_like(rewards)
    weights[:90] = 2_000 / 90
    found = dros(rewards, weights, served, wanted, interval=look())
    assert found.estimate is None
    assert found.reason == "needs an effective sample of 100, has 90"
    assert found.effective == pytest.approx(90)


def test_too_few_events_are_no_answer() -> None:
    rewards, weights, *_ = pieces(0)
    few = np.where(np.cumsum(rewards) <= 19, rewards, 0.0)
    assert snips(few, weights, interval=look()).reason.startswith("needs 20 events on rows")
    assert snips(few, weights, interval=look()).reason.endswith("has 19")


def test_a_policy_the_log_could_not_have_made_is_no_answer() -> None:
    """Arm 2 is never shown, so its share of the target policy is nowhere in the log."""
    draws = np.random.default_rng(0)
    arms = draws.integers(2, size=3_000)
    target = np.tile([0.3, 0.3, 0.4], (3_000, 1))
    rewards = (draws.random(3_000) < 0.4).astype(np.float64)
    found = off_policy(rewards, arms, np.full(3_000, 0.5), target, interval=look())["ips"]
    assert found.estimate is None
    assert "weights average 0.60, not 1: the log lacks" in found.reason


def test_no_rows_and_no_variance_are_no_answer() -> None:
    none = np.zeros(0)
    assert ips(none, none, interval=look()).reason == "needs an effective sample of 100, has 0"
    ones = np.ones(500)
    assert ips(ones, ones, interval=look()).reason == "every decision was worth the same"
    assert dros(ones, ones, ones, ones, interval=look()).estimate is None


def test_without_a_model_its_estimators_say_so() -> None:
    found = off_policy(*log(0)[:4], interval=look())
    assert found["ips"].estimate is not None
    for name in ("dr", "switch_dr", "dros"):
        assert found[name].reason == "needs a reward model's predictions"


def test_wrong_arguments_are_errors() -> None:
    rewards, weights, served, wanted = pieces(0)
    _, arms, propensities, target, kinds = log(0)
    with pytest.raises(ValueError, match="weights need as many rewards"):
        ips(rewards[1:], weights, interval=look())
    with pytest.raises(ValueError, match="rewards must be finite"):
        ips(np.where(rewards > 0, np.inf, 0.0), weights, interval=look())
    with pytest.raises(ValueError, match="need 2000 arms"):
        importance_weights(arms[1:], propensities, target)
    with pytest.raises(ValueError, match="sum to 1"):
        importance_weights(arms, propensities, target * 2)
    with pytest.raises(ValueError, match="must both have"):
        model_values(arms, target, MEANS[kinds][:, :2])
    with pytest.raises(ValueError, match="predictions must be finite"):
        model_values(arms, target, np.full_like(target, np.nan))
    with pytest.raises(ValueError, match="λ must be 0 or above"):
        dros(rewards, weights, served, wanted, parameter=-1.0, interval=look())
    with pytest.raises(ValueError, match="threshold must be 0 or above"):
        switch_dr(rewards, weights, served, wanted, parameter=math.nan, interval=look())


@pytest.mark.parametrize("arm", [-1, 2])
def test_an_arm_the_target_does_not_know_is_an_error(arm: int) -> None:
    """A negative index would have read the last arm's weight."""
    even, arms = np.full((2, 2), 0.5), np.array([0, arm])
    for weigh in (
        lambda: importance_weights(arms, np.full(2, 0.5), even),
        lambda: marginal_weights(arms, even, even, np.array([0, 1])),
        lambda: model_values(arms, even, even),
    ):
        with pytest.raises(ValueError, match="outside"):
            weigh()


def test_a_propensity_next_to_nothing_leaves_no_effective_sample() -> None:
    even, propensities = np.full((400, 2), 0.5), np.full(400, 0.5)
    arms, rewards = np.arange(400) % 2, np.arange(400) % 4 / 3
    for tiny, reason in ((1e-200, "effective sample of 100, has 1"), (5e-324, "1 of 400 rows")):
        propensities[7] = tiny
        found = off_policy(rewards, arms, propensities, even, interval=EveryLook(horizon=400))
        assert found["ips"].estimate is None
        assert reason in found["ips"].reason


def test_intervals_that_can_not_be_made_are_errors_at_once() -> None:
    rng = np.random.default_rng(0)
    for make in (
        lambda: OneLook(rng=rng, alpha=np.nan),
        lambda: OneLook(rng=rng, alpha=0.0),
        lambda: OneLook(rng=rng, resamples=0),
        lambda: EveryLook(horizon=0),
        lambda: EveryLook(horizon=np.inf),
        lambda: EveryLook(horizon=100, alpha=1.0),
    ):
        with pytest.raises(ValueError, match=r"alpha|horizon"):
            make()
