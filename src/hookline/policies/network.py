"""A small network that scores the arms of a decision and values the decision as a whole.

Two hidden layers of tanh see one row per arm; the actor turns the upper layer into a logit, the
critic turns its mean over the arms into one value. Weights are one flat vector, so that Adam is a
few lines and a state is three vectors. Everything is numpy, in double precision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.policies.base import Array

Counts = NDArray[np.int64]

WIDTH: Final = 128
"""Length of a row."""
LAYERS: Final = (64, 32)
"""Sizes of the hidden layers."""
VALUE_WEIGHT: Final = 0.5
"""Weight of the critic's squared error beside the actor's loss."""
DECAYS: Final = (0.9, 0.999)
"""Adam's, of the mean and of the mean square of the gradient."""
MAX_LOG_RATIO: Final = 20.0
"""Keeps the ratio finite where a step went far too far."""
HALF: Final = np.dtype("<f2")
"""How rows are kept."""

_DOUBLE: Final = np.dtype("<f8")
_SHAPES: Final = (
    (WIDTH, LAYERS[0]), (LAYERS[0],), LAYERS, (LAYERS[1],), (LAYERS[1],), (LAYERS[1],), (1,),
)  # fmt: skip
_SIZES: Final = [int(np.prod(shape)) for shape in _SHAPES]
_SCALES: Final = (WIDTH**-0.5, 0.0, LAYERS[0] ** -0.5, 0.0, 0.01 * LAYERS[1] ** -0.5, 0.0, 0.0)
"""Standard deviations of the first weights: all arms nearly alike, all values 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkState:
    """A network for keeping. Vectors are little-endian doubles.

    Attributes:
        weights: Its weights, layer by layer.
        means: Adam's running mean of their gradient.
        squares: Adam's running mean of its square.
        steps: Steps made.
    """

    weights: bytes
    means: bytes
    squares: bytes
    steps: int


class Network:
    """The weights and how they move.

    Args:
        seed: Of the first weights.

    Attributes:
        weights: Shape (weights,).
        steps: Steps made.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        drawn = [
            scale * rng.standard_normal(size) for scale, size in zip(_SCALES, _SIZES, strict=True)
        ]
        self.weights: Array = np.concatenate(drawn)
        self.steps = 0
        self._means: Array = np.zeros_like(self.weights)
        self._squares: Array = np.zeros_like(self.weights)

    def step(self, slope: Array, rate: float) -> None:
        """One step downhill (Adam: Kingma and Ba 2015).

        Args:
            slope: Gradient of the loss, shape (weights,).
            rate: About how far a weight moves.
        """
        self.steps += 1
        slow, slower = DECAYS
        self._means = slow * self._means + (1 - slow) * slope
        self._squares = slower * self._squares + (1 - slower) * slope**2
        mean = self._means / (1 - slow**self.steps)
        square = self._squares / (1 - slower**self.steps)
        self.weights = self.weights - rate * mean / (np.sqrt(square) + 1e-8)

    def state(self) -> NetworkState:
        """Weights and moments, for keeping."""
        return NetworkState(
            weights=self.weights.astype(_DOUBLE).tobytes(),
            means=self._means.astype(_DOUBLE).tobytes(),
            squares=self._squares.astype(_DOUBLE).tobytes(),
            steps=self.steps,
        )

    @classmethod
    def of(cls, state: NetworkState) -> Self:
        """The network that has this state.

        Raises:
            BadInput: Where the vectors have other lengths.
        """
        kept = state.weights, state.means, state.squares
        if any(len(vector) != sum(_SIZES) * _DOUBLE.itemsize for vector in kept):
            raise BadInput(
                "these weights are of a network of another size; replay the log to rebuild them"
            )
        network = cls(0)
        network.weights, network._means, network._squares = (
            np.frombuffer(vector, _DOUBLE).astype(np.float64) for vector in kept
        )
        network.steps = state.steps
        return network


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Several decisions, the arms of each below those of the one before.

    Attributes:
        rows: Shape (rows, `WIDTH`).
        starts: First row of each decision, shape (decisions,).
        counts: Number of its arms.
        served: Row of the arm served.
    """

    rows: Array
    starts: Counts
    counts: Counts
    served: Counts

    @classmethod
    def of(cls, rows: Sequence[bytes], served: Sequence[int]) -> Self:
        """The decisions in their order, at least one.

        Args:
            rows: Rows of each decision's arms, in half precision.
            served: Which of its arms was served.
        """
        flat = np.frombuffer(b"".join(rows), HALF).astype(np.float64)
        counts = np.array([arms_in(each) for each in rows], dtype=np.int64)
        starts = np.cumsum(counts) - counts
        places = starts + np.array(served, dtype=np.int64)
        return cls(rows=flat.reshape(-1, WIDTH), starts=starts, counts=counts, served=places)

    def spread(self, values: Array) -> Array:
        """One value per decision, given to each of its rows."""
        return np.repeat(values, self.counts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """What a batch is to teach; each of shape (decisions,).

    Attributes:
        logs: Log probability of the arm served, before the first step.
        weights: Weight in the actor's loss.
        advantages: How much better than expected that arm did.
        values: What the critic is to expect.
        valued: 1 where the critic has that to learn, else 0.
    """

    logs: Array
    weights: Array
    advantages: Array
    values: Array
    valued: Array

    def at(self, order: Sequence[int]) -> "Targets":
        """Those of the named decisions."""
        return Targets(
            logs=self.logs[order],
            weights=self.weights[order],
            advantages=self.advantages[order],
            values=self.values[order],
            valued=self.valued[order],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass:
    """What the network says of a batch.

    Attributes:
        lower: First hidden layer, shape (rows, 64).
        upper: Second hidden layer, shape (rows, 32).
        logs: Log probability of each arm, shape (rows,).
        values: Value of each decision, shape (decisions,).
    """

    lower: Array
    upper: Array
    logs: Array
    values: Array


def arms_in(rows: bytes) -> int:
    """How many arms these kept rows are of."""
    return len(rows) // (WIDTH * HALF.itemsize)


def logits(weights: Array, rows: Array) -> Array:
    """The actor's score of each row, shape (rows,)."""
    _, upper = _hidden(weights, rows)
    return upper @ _layers(weights)[4]


def forward(weights: Array, batch: Batch) -> Pass:
    """What the network says of these decisions."""
    *_, actor, critic, offset = _layers(weights)
    lower, upper = _hidden(weights, batch.rows)
    scores = upper @ actor
    shifted = scores - batch.spread(np.maximum.reduceat(scores, batch.starts))
    totals = np.log(np.add.reduceat(np.exp(shifted), batch.starts))
    worth = np.add.reduceat(upper @ critic, batch.starts) / batch.counts
    return Pass(
        lower=lower, upper=upper, logs=shifted - batch.spread(totals), values=worth + offset
    )


def gradient(
    weights: Array, batch: Batch, targets: Targets, *, clip: float, entropy: float
) -> Array:
    """The gradient of PPO's loss, shape (weights,).

    With ρ the ratio of the policy to that before the first step, Â the advantage, w the weight, H
    the entropy, V - R the critic's error where it has one and c = `VALUE_WEIGHT`, the loss is the
    mean over decisions of

        -w min(ρ Â, clip(ρ, 1 - ε, 1 + ε) Â) - β H + c (V - R)².

    Args:
        weights: Shape (weights,).
        batch: The decisions.
        targets: What they are to teach.
        clip: ε.
        entropy: β.
    """
    count = batch.counts.size
    now = forward(weights, batch)
    shares = np.exp(now.logs)
    ratio = np.exp(np.minimum(now.logs[batch.served] - targets.logs, MAX_LOG_RATIO))
    gains = targets.advantages
    pays = np.where(gains >= 0, ratio <= 1 + clip, ratio >= 1 - clip)
    pull = -targets.weights * ratio * gains * pays / count
    disorder = -np.add.reduceat(shares * now.logs, batch.starts)
    slopes = shares * (entropy / count * (now.logs + batch.spread(disorder)) - batch.spread(pull))
    slopes[batch.served] += pull
    error = 2 * VALUE_WEIGHT * targets.valued * (now.values - targets.values) / count
    return _backward(weights, batch, now, slopes, error)


def _backward(weights: Array, batch: Batch, now: Pass, scores: Array, values: Array) -> Array:
    """The gradient in the weights from those in scores and values."""
    _, _, second, _, actor, critic, _ = _layers(weights)
    worth = batch.spread(values / batch.counts)
    upper = (scores[:, None] * actor + worth[:, None] * critic) * (1 - now.upper**2)
    lower = (upper @ second.T) * (1 - now.lower**2)
    parts = (
        batch.rows.T @ lower,
        lower.sum(axis=0),
        now.lower.T @ upper,
        upper.sum(axis=0),
        scores @ now.upper,
        worth @ now.upper,
        values.sum(),
    )
    return np.concatenate([np.ravel(part) for part in parts])


def _hidden(weights: Array, rows: Array) -> tuple[Array, Array]:
    first, first_offset, second, second_offset, *_ = _layers(weights)
    lower = np.tanh(rows @ first + first_offset)
    return lower, np.tanh(lower @ second + second_offset)


def _layers(weights: Array) -> list[Array]:
    """The weights as the matrices and vectors they stand for."""
    ends = np.cumsum(_SIZES)
    return [
        part.reshape(shape)
        for part, shape in zip(np.split(weights, ends[:-1]), _SHAPES, strict=True)
    ]
