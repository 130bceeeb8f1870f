"""Off-policy intervals that hold at every look, on logs of a policy that learns as it goes."""

from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from hookline.stats import (
    EveryLook,
    PolicyValue,
    dr,
    importance_weights,
    ips,
    model_values,
    off_policy,
    radius,
    running_means,
    snips,
)

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
MEANS = np.array([0.3, 0.5, 0.4])
TARGET = np.array([0.2, 0.3, 0.5])
TRUTH = float(MEANS @ TARGET)
LOOKS = (300, 420, 590, 830, 1_160, 1_620)


def adaptive(runs: int, n: int, seed: int) -> tuple[Array, Integers, Array]:
    """Rewards, arms, propensities, shape (runs, n): most traffic to the arm ahead so far."""
    rng = np.random.default_rng(seed)
    sums, counts = np.ones((runs, 3)), np.full((runs, 3), 2.0)
    each = np.arange(runs)
    rewards, chances = np.empty((runs, n)), np.empty((runs, n))
    arms = np.empty((runs, n), dtype=np.int64)
    for step in range(n):
        shares = 0.2 + 0.4 * np.eye(3)[np.argmax(sums / counts, axis=1)]
        arm = (rng.random((runs, 1)) > shares.cumsum(axis=1)).sum(axis=1).clip(max=2)
        reward = (rng.random(runs) < MEANS[arm]).astype(float)
        sums[each, arm] += reward
        counts[each, arm] += 1
        rewards[:, step], arms[:, step], chances[:, step] = reward, arm, shares[each, arm]
    return rewards, arms, chances


def misses(value: PolicyValue) -> bool:
    assert value.low is not None
    assert value.high is not None
    return not value.low <= TRUTH <= value.high


def test_intervals_hold_at_all_looks_at_once_under_adaptive_logging() -> None:
    runs, every = 200, EveryLook(horizon=2_000)
    ever = {"ips": 0, "snips": 0, "dr": 0, "fixed": 0}
    for rewards, arms, chances in zip(*adaptive(runs, max(LOOKS), seed=11), strict=True):
        target = np.tile(TARGET, (len(arms), 1))
        weights = importance_weights(arms, chances, target)
        served, wanted = model_values(arms, target, running_means(rewards, arms, 3))
        missed = dict.fromkeys(ever, False)
        for n in LOOKS:
            found = ips(rewards[:n], weights[:n], interval=every)
            assert found.estimate is not None
            assert found.standard_error is not None
            missed["ips"] |= misses(found)
            missed["fixed"] |= abs(found.estimate - TRUTH) > 1.96 * found.standard_error
            missed["snips"] |= misses(snips(rewards[:n], weights[:n], interval=every))
            columns = (rewards[:n], weights[:n], served[:n], wanted[:n])
            missed["dr"] |= misses(dr(*columns, interval=every))
        for name, once in missed.items():
            ever[name] += once
    bound = runs * 0.05 + 3 * sqrt(runs * 0.05 * 0.95)
    assert max(ever["ips"], ever["snips"], ever["dr"]) <= bound
    assert ever["fixed"] > bound


def test_bounds_are_the_radius_of_the_scores() -> None:
    rewards, arms, chances = (rows[0] for rows in adaptive(1, 1_000, seed=1))
    weights = importance_weights(arms, chances, np.tile(TARGET, (1_000, 1)))
    found = ips(rewards, weights, interval=EveryLook(horizon=500, alpha=0.1))
    width = radius(float((rewards * weights).std(ddof=1)), 1_000, 0.1, 500)
    assert found.estimate is not None
    assert found.low == pytest.approx(found.estimate - width)
    assert found.high == pytest.approx(found.estimate + width)


def test_snips_keeps_the_ratios_whose_residual_may_average_zero() -> None:
    rewards, arms, chances = (rows[0] for rows in adaptive(1, 1_500, seed=2))
    weights = importance_weights(arms, chances, np.tile(TARGET, (1_500, 1)))
    found = snips(rewards - 0.6, weights, interval=EveryLook(horizon=1_500))
    assert found.low is not None
    assert found.estimate is not None
    assert found.high is not None
    assert found.low < found.estimate < found.high
    for edge in (found.low, found.high):
        rest = weights * (rewards - 0.6 - edge)
        width = radius(float(rest.std(ddof=1)), 1_500, 0.05, 1_500)
        assert abs(rest.mean()) == pytest.approx(width, rel=1e-6)


def test_snips_has_no_bounds_while_the_weights_mean_is_unproven() -> None:
    rewards, arms, chances = (rows[0] for rows in adaptive(1, 300, seed=3))
    weights = importance_weights(arms, chances, np.tile(TARGET, (300, 1)))
    found = snips(rewards, weights, interval=EveryLook(horizon=10**8))
    assert found.estimate is not None
    assert (found.low, found.high) == (None, None)
    assert found.reason == "the weights' mean is not yet known well enough to divide by"


def test_all_estimators_take_it_and_softened_ones_hold_their_estimate() -> None:
    rewards, arms, chances = (rows[0] for rows in adaptive(1, 2_000, seed=4))
    found = off_policy(
        rewards,
        arms,
        chances,
        np.tile(TARGET, (2_000, 1)),
        running_means(rewards, arms, 3),
        interval=EveryLook(horizon=2_000),
    )
    for value in found.values():
        assert value.low is not None
        assert value.estimate is not None
        assert value.high is not None
        assert value.low <= value.estimate <= value.high
    assert found["dros"].low == found["dr"].low
