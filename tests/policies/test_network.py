"""The network of `ppo`: its gradient is that of the loss it names, and arms are seen one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.errors import BadInput
from hookline.policies.base import Array
from hookline.policies.network import (
    HALF,
    VALUE_WEIGHT,
    WIDTH,
    Batch,
    Network,
    NetworkState,
    Targets,
    forward,
    gradient,
)
from hookline.types import dumps, loads

CLIP, ENTROPY = 0.2, 0.05


def made(counts: list[int], seed: int = 0) -> tuple[Array, Batch]:
    """Weights far from the first ones, and a batch of decisions with so many arms each."""
    rng = np.random.default_rng(seed)
    weights = Network(seed).weights + 0.1 * rng.standard_normal(Network(seed).weights.size)
    kept = [rng.standard_normal((count, WIDTH)).astype(HALF).tobytes() for count in counts]
    return weights, Batch.of(kept, [int(rng.integers(count)) for count in counts])


def targets_near(weights: Array, batch: Batch, seed: int = 0) -> Targets:
    """Targets with ratios inside and outside the clip, gains and losses, valued and not."""
    rng = np.random.default_rng(seed)
    size = batch.counts.size
    return Targets(
        logs=forward(weights, batch).logs[batch.served]
        + rng.choice([-0.4, -0.05, 0.05, 0.4], size),
        weights=rng.uniform(0.5, 2.0, size),
        advantages=rng.standard_normal(size),
        values=rng.standard_normal(size),
        valued=rng.integers(0, 2, size).astype(float),
    )


def loss(weights: Array, batch: Batch, targets: Targets) -> float:
    """The loss as the docstring of `gradient` has it, one decision at a time."""
    now = forward(weights, batch)
    total = 0.0
    for index, (start, count) in enumerate(zip(batch.starts, batch.counts, strict=True)):
        logs = now.logs[start : start + count]
        ratio = np.exp(now.logs[batch.served[index]] - targets.logs[index])
        gain = targets.advantages[index]
        held = min(ratio * gain, np.clip(ratio, 1 - CLIP, 1 + CLIP) * gain)
        entropy = -(np.exp(logs) * logs).sum()
        error = targets.valued[index] * (now.values[index] - targets.values[index])
        total += -targets.weights[index] * held - ENTROPY * entropy + VALUE_WEIGHT * error**2
    return total / batch.counts.size


@pytest.mark.parametrize("seed", range(3))
def test_gradient_is_that_of_the_loss(seed: int) -> None:
    weights, batch = made([1, 4, 2, 7, 3, 5, 2, 6], seed)
    targets = targets_near(weights, batch, seed)
    slope = gradient(weights, batch, targets, clip=CLIP, entropy=ENTROPY)
    rng = np.random.default_rng(seed)
    for _ in range(10):
        way = rng.standard_normal(weights.size)
        way /= np.linalg.norm(way)
        reach = 1e-5
        above, below = (loss(weights + sign * reach * way, batch, targets) for sign in (1, -1))
        assert slope @ way == pytest.approx((above - below) / (2 * reach), rel=1e-5, abs=1e-8)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 99))
def test_forward_sees_each_decision_by_itself(counts: list[int], seed: int) -> None:
    weights, batch = made(counts, seed)
    together = forward(weights, batch)
    for index, (start, count) in enumerate(zip(batch.starts, batch.counts, strict=True)):
        rows = batch.rows[start : start + count].astype(HALF).tobytes()
        alone = forward(weights, Batch.of([rows], [0]))
        assert np.abs(alone.logs - together.logs[start : start + count]).max() < 1e-12
        assert alone.values[0] == pytest.approx(together.values[index], abs=1e-12)
        assert np.exp(alone.logs).sum() == pytest.approx(1, abs=1e-12)


def test_step_goes_downhill() -> None:
    weights, batch = made([5] * 20)
    targets = targets_near(weights, batch)
    network = Network(0)
    network.weights = weights
    before = loss(weights, batch, targets)
    for _ in range(20):
        slope = gradient(network.weights, batch, targets, clip=CLIP, entropy=ENTROPY)
        network.step(slope, 1e-3)
    assert loss(network.weights, batch, targets) < before - 0.1


def test_network_starts_with_all_arms_alike() -> None:
    _, batch = made([20])
    now = forward(Network(0).weights, batch)
    assert np.abs(np.exp(now.logs) * 20 - 1).max() < 0.05
    assert now.values.tolist() == [0.0]


def test_network_state_survives_json_bit_for_bit() -> None:
    weights, batch = made([3, 3])
    network = Network(0)
    slope = gradient(weights, batch, targets_near(weights, batch), clip=CLIP, entropy=ENTROPY)
    network.step(slope, 1e-3)
    again = Network.of(loads(dumps(network.state()), NetworkState))
    for each in (network, again):
        each.step(slope, 1e-3)
    assert again.state() == network.state()
    assert (again.weights == network.weights).all()


def test_network_refuses_weights_of_another_size() -> None:
    state = Network(0).state()
    short = NetworkState(
        weights=state.weights, means=state.means[:-8], squares=state.squares, steps=0
    )
    with pytest.raises(BadInput, match="another size"):
        Network.of(short)
