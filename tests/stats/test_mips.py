"""Off-policy value by attributes: against sums over all arms, `ips`, and what it can't answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hookline.stats import (
    EveryLook,
    OneLook,
    attribute_cells,
    effective_sample,
    importance_weights,
    ips,
    marginal_weights,
    mips,
    off_policy,
)

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
COUNT = 6


def look() -> OneLook:
    return OneLook(rng=np.random.default_rng(3), resamples=200)


def made(seed: int, n: int = 3_000) -> tuple[Array, Integers, Array, Array]:
    """Rewards that depend on the arm's parity alone, arms, logged and target probabilities."""
    rng = np.random.default_rng(seed)
    logged, target = rng.dirichlet(np.ones(COUNT), n), rng.dirichlet(np.full(COUNT, 0.5), n)
    logged = 0.7 * logged + 0.3 / COUNT
    arms = (rng.random((n, 1)) > logged.cumsum(axis=1)).sum(axis=1)
    return (rng.random(n) < 0.2 + 0.3 * (arms % 2)).astype(float), arms, logged, target


PARITY = np.arange(COUNT) % 2


def test_cells_are_numbered_as_they_appear() -> None:
    levels = [("price", "calm"), ("proof", "calm"), ("price", "calm"), ("price", "urgent")]
    assert attribute_cells(levels).tolist() == [0, 1, 0, 2]
    assert attribute_cells(level[:1] for level in levels).tolist() == [0, 1, 0, 0]


def test_weights_are_ratios_of_a_cell_s_probability() -> None:
    _, arms, logged, target = made(0, n=50)
    found = marginal_weights(arms, logged, target, PARITY)
    for row, arm in enumerate(arms):
        mates = [other for other in range(COUNT) if other % 2 == arm % 2]
        wanted = sum(target[row, mates]) / sum(logged[row, mates])
        assert found[row] == pytest.approx(wanted)


@given(st.integers(0, 200), st.lists(st.integers(0, 3), min_size=COUNT, max_size=COUNT))
def test_mean_over_all_arms_is_the_value_where_arms_have_no_effect_of_their_own(
    seed: int, levels: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    cells = attribute_cells(levels)
    worth = rng.normal(size=COUNT)[cells]
    logged, target = rng.dirichlet(np.ones(COUNT), 2)
    arms = np.arange(COUNT)
    drawn, wanted = np.tile(logged, (COUNT, 1)), np.tile(target, (COUNT, 1))
    weights = marginal_weights(arms, drawn, wanted, cells)
    assert (logged * weights * worth).sum() == pytest.approx((target * worth).sum())
    assert (logged * weights).sum() == pytest.approx(1)
    single = importance_weights(arms, logged, wanted)
    assert (logged * weights**2).sum() <= (logged * single**2).sum() * (1 + 1e-9)


def test_a_cell_for_every_arm_is_ips() -> None:
    rewards, arms, logged, target = made(1)
    weights = importance_weights(arms, logged[np.arange(len(arms)), arms], target)
    single = mips(rewards, arms, logged, target, np.arange(COUNT), interval=look())
    plain = ips(rewards, weights, interval=look())
    assert single.estimate == pytest.approx(plain.estimate)
    assert (single.low, single.high) == pytest.approx((plain.low, plain.high))


def test_finds_the_value_with_a_larger_effective_sample() -> None:
    rewards, arms, logged, target = made(2)
    truth = float((target * (0.2 + 0.3 * PARITY)).sum(axis=1).mean())
    found = mips(rewards, arms, logged, target, PARITY, interval=look())
    weights = importance_weights(arms, logged[np.arange(len(arms)), arms], target)
    assert found.effective > 1.5 * effective_sample(weights)
    assert found.estimate is not None
    assert found.standard_error is not None
    assert abs(found.estimate - truth) < 4 * found.standard_error


def test_an_arm_the_log_never_showed_is_valued_by_its_attributes() -> None:
    rng = np.random.default_rng(5)
    n = 4_000
    logged = np.tile([0.5, 0.5, 0.0], (n, 1))
    target = np.tile([0.0, 0.0, 1.0], (n, 1))
    arms = rng.integers(2, size=n)
    rewards = (rng.random(n) < np.where(arms == 1, 0.4, 0.1)).astype(float)
    weights = importance_weights(arms, np.full(n, 0.5), target)
    assert ips(rewards, weights, interval=look()).estimate is None
    found = mips(rewards, arms, logged, target, np.array([0, 1, 1]), interval=look())
    assert found.estimate == pytest.approx(0.4, abs=0.04)


def test_attributes_the_log_never_could_show_are_refused() -> None:
    rewards, arms, _, target = made(3)
    arms = arms - arms % 2
    logged = np.tile(np.where(PARITY == 0, 1 / 3, 0.0), (len(arms), 1))
    found = mips(rewards, arms, logged, target, PARITY, interval=look())
    assert found.estimate is None
    assert found.reason == ("on 3000 of 3000 rows the policy shows attributes the log never could")


def test_one_cell_for_all_is_refused() -> None:
    rewards, arms, logged, target = made(4)
    found = mips(rewards, arms, logged, target, np.zeros(COUNT, dtype=np.int64), interval=look())
    assert found.estimate is None
    assert "tell no policy apart" in found.reason


def test_a_served_arm_that_could_not_be_drawn_is_refused() -> None:
    rewards, arms, logged, target = made(5)
    logged[0] = np.eye(COUNT)[(arms[0] + 2) % COUNT]
    target[0] = logged[0]
    found = mips(rewards, arms, logged, target, PARITY, interval=look())
    assert found.reason == "1 of 3000 rows have no propensity above 0 and up to 1"


def test_off_policy_adds_it_where_cells_are_known() -> None:
    rewards, arms, logged, target = made(6)
    chances = logged[np.arange(len(arms)), arms]
    every = EveryLook(horizon=3_000)
    found = off_policy(rewards, arms, chances, target, interval=every, logged=logged, cells=PARITY)
    assert found["mips"] == mips(rewards, arms, logged, target, PARITY, interval=every)
    assert "mips" not in off_policy(rewards, arms, chances, target, interval=every, logged=logged)


def test_wrong_shapes_and_rows_are_errors() -> None:
    rewards, arms, logged, target = made(7)
    with pytest.raises(ValueError, match="as many logged rows, arms and cells"):
        mips(rewards, arms, logged[:, :2], target, PARITY, interval=look())
    with pytest.raises(ValueError, match="every row of the log must be probabilities"):
        mips(rewards, arms, logged * 2, target, PARITY, interval=look())
    with pytest.raises(ValueError, match="rewards must be finite"):
        mips(rewards + np.inf, arms, logged, target, PARITY, interval=look())
