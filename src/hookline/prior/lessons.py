"""Past tests → what a line teaches, and the order in which lines are learned.

What is learned of a line is the log of its click rate over its test's, centred within the test: a
test's topic, page and week teach nothing. A line counts by the inverse of its variance: what no
model of the text can tell, and what its clicks leave open.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.past import PastTests
from hookline.perceive.encoders.wordpiece import WordPiece

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

BUCKET: Final = 1200
"""Tests that are sorted by length together: enough for even batches, not so many as to make every
epoch cut them alike."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Lines:
    """The lines of all tests as the trainer sees them.

    Attributes:
        ids: Token ids of each line.
        targets: Log of each line's click rate over its test's, less the test's weighted mean.
        weights: What each line counts.
        tests: Rows of each test.
        fingerprint: Tells these lines from all others.
    """

    ids: tuple[list[int], ...]
    targets: Array
    weights: Array
    tests: tuple[Rows, ...]
    fingerprint: str

    @classmethod
    def of(cls, past: PastTests, reader: WordPiece, residual_variance: float) -> Self:
        """The lines of those tests that have a click.

        A line's log ratio is log((clicks + ½) / (impressions · test rate + ½)); its variance is
        about 1 / (impressions · test rate).

        Raises:
            BadInput: Where no test has a click.
        """
        rows: list[Rows] = [
            np.arange(start, end, dtype=np.int64)
            for start, end in pairwise(past.starts.tolist())
            if past.clicks[start:end].any()
        ]
        if not rows:
            raise BadInput("no test has a click: there is nothing to learn from")
        targets, weights = np.zeros(len(past.texts)), np.zeros(len(past.texts))
        for own in rows:
            clicks, shown = past.clicks[own], past.impressions[own]
            told = shown * (clicks.sum() / shown.sum())
            ratios = np.log((clicks + 0.5) / (told + 0.5))
            weights[own] = 1 / (residual_variance + 1 / told)
            targets[own] = ratios - np.average(ratios, weights=weights[own])
        ids = tuple(reader.ids(text) for text in past.texts)
        content = repr(ids).encode() + targets.tobytes() + weights.tobytes()
        return cls(
            ids=ids,
            targets=targets,
            weights=weights,
            tests=tuple(rows),
            fingerprint=blake2b(content, digest_size=16).hexdigest(),
        )


def schedule(lines: Lines, *, epochs: float, batch: int, seed: int) -> list[list[Rows]]:
    """The tests of each batch, in the order of training.

    Args:
        lines: What there is to learn.
        epochs: Times each test is seen, above 0.
        batch: Lines of a batch, or a few more: tests are not cut.
        seed: Of the order.
    """
    batches = _epoch(lines, batch, [seed, 0])
    steps = max(1, round(epochs * len(batches)))
    for epoch in range(1, math.ceil(epochs) + 1):
        batches += _epoch(lines, batch, [seed, epoch])
    return batches[:steps]


def _epoch(lines: Lines, batch: int, seed: list[int]) -> list[list[Rows]]:
    """All tests once, in batches of similar length, in random order."""
    rng = np.random.default_rng(seed)
    tokens = np.array([len(ids) for ids in lines.ids])
    lengths = np.array([tokens[rows].mean() for rows in lines.tests])
    order: Rows = rng.permutation(len(lines.tests))
    batches: list[list[Rows]] = []
    for start in range(0, order.size, BUCKET):
        bucket = order[start : start + BUCKET]
        blurred = lengths[bucket] + rng.normal(0, 0.5, bucket.size)
        ordered: list[int] = bucket[np.argsort(blurred)].tolist()
        batches += _cut([lines.tests[test] for test in ordered], batch)
    return [batches[index] for index in rng.permutation(len(batches))]


def _cut(tests: Sequence[Rows], batch: int) -> list[list[Rows]]:
    """These tests, in their order, in batches that end once they are full."""
    batches: list[list[Rows]] = [[]]
    for rows in tests:
        if sum(own.size for own in batches[-1]) >= batch:
            batches.append([])
        batches[-1].append(rows)
    return batches
