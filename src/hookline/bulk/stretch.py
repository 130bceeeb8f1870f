"""Decisions of a batch as its metrics share them: ordered by segment, an arm a row.

Within a segment they keep the order of the log, which is what the running means need; and the
decisions of one cell lie side by side, so that moments are taken of plain slices.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hookline.bulk.batch import Array, Flags, Integers

S = TypeVar("S", bound=np.generic)

Rows = slice | Integers


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """Decisions of one segment that could have got the same arms.

    Attributes:
        segment: Index of the segment.
        pattern: Whether an arm could be drawn, a byte an arm.
        rows: Which they are.
        noise: Sums of `stats.noise` for every pair of a cell's columns, shape (K + 2, K + 2).
    """

    segment: int
    pattern: bytes
    rows: Rows
    noise: Array


class Stretch:
    """Decisions that follow each other in the log, ordered by segment.

    Args:
        arms: Index of the arm served, shape (n,), in log order, as the rest.
        segments: Index of the segment, shape (n,).
        propensities: Probability it was drawn with, shape (n,).
        probabilities: Of every arm, shape (K, n); None where only the served arm's is logged.
        shares: The policy's own, shape (K, n); None where the policy had all the traffic.
        available: Which arms could be drawn, shape (K, n).

    Attributes:
        order: Where in the log each stood, shape (n,).
        bounds: Segment → where it starts, and last where the last ends.
    """

    def __init__(
        self,
        *,
        arms: Integers,
        segments: Integers,
        segment_count: int,
        propensities: Array,
        probabilities: Array | None,
        shares: Array | None,
        available: Flags,
    ) -> None:
        self.drawn = (arms == np.arange(len(available))[:, None]).astype(np.float64)
        self._in_order = segment_count == 1
        self.order = (
            np.arange(len(arms), dtype=np.int64)
            if self._in_order
            else np.argsort(segments, kind="stable")
        )
        sizes = np.bincount(segments, minlength=segment_count)
        self.bounds = np.concatenate([[0], np.cumsum(sizes)])
        self.segments = np.repeat(np.arange(segment_count), sizes)
        self.arms, self.propensities = arms[self.order], propensities[self.order]
        self.available = self.by_segment(available)
        self.probabilities = None if probabilities is None else self.by_segment(probabilities)
        self.shares = None if shares is None else self.by_segment(shares)
        self.seen, self.seen_in = self.before(self.drawn), self.before_in(self.drawn)
        self.parts = tuple(self._parts())

    def __len__(self) -> int:
        return len(self.arms)

    def by_segment(self, columns: NDArray[S]) -> NDArray[S]:
        """Columns in log order, shape (…, n), put in order of segment."""
        return columns if self._in_order else np.ascontiguousarray(columns[..., self.order])

    def before(self, columns: Array) -> Array:
        """Sum of all columns strictly before each in the log, given in log order; shape (K, n)."""
        return self.by_segment(_before(columns))

    def before_in(self, columns: Array) -> Array:
        """The same over those of its own segment alone."""
        if self._in_order:
            return _before(columns)
        sums = _before(self.by_segment(columns))
        starts = np.minimum(self.bounds[:-1], len(self) - 1)
        return sums - sums[:, starts][:, self.segments]

    def _parts(self) -> Iterator[Part]:
        for segment, (start, stop) in enumerate(zip(self.bounds, self.bounds[1:], strict=False)):
            if start < stop:
                yield from self._parts_of(segment, int(start), int(stop))

    def _parts_of(self, segment: int, start: int, stop: int) -> Iterator[Part]:
        available = self.available[:, start:stop]
        if (available == available[:, :1]).all():
            yield self._part(segment, slice(start, stop), available[:, 0])
            return
        _, firsts, kinds = np.unique(available, axis=1, return_index=True, return_inverse=True)
        for kind, first in enumerate(firsts.tolist()):
            rows = start + np.flatnonzero(kinds.reshape(-1) == kind)
            yield self._part(segment, rows, available[:, first])

    def _part(self, segment: int, rows: Rows, pattern: Flags) -> Part:
        return Part(
            segment=segment, pattern=pattern.tobytes(), rows=rows, noise=self._noise(rows, pattern)
        )

    def _noise(self, rows: Rows, pattern: Flags) -> Array:
        """Σ Σ_a v(a) w(a) / p(a) for every pair of columns v, w, of rows with the same arms.

        An arm's column has weight 1 on itself, the policy's has π, what was served has p: so an
        arm and what was served give Σ 1, and what was served gives itself Σ Σ_a p(a) = n. Where
        only the served arm's probability is logged, 1[A = a] / p² has the mean 1 / p(a).
        """
        arms, count = self.arms[rows], len(pattern)
        n = float(len(arms))
        table = np.full((count + 2, count + 2), n)
        table[:count, count:] = np.where(pattern, n, 0.0)[:, None]
        if self.probabilities is None:
            inverse = np.bincount(arms, 1 / self.propensities[rows] ** 2, minlength=count)
            inverse[~pattern] = 0.0
        else:
            live = np.flatnonzero(pattern)
            inverse = np.zeros(count)
            inverses = 1 / self.probabilities[live][:, rows]
            inverse[live] = inverses.sum(axis=1)
            if self.shares is not None:
                shares = self.shares[live][:, rows]
                weighted = shares * inverses
                table[live, count] = weighted.sum(axis=1)
                table[count, count] = (weighted * shares).sum()
        table[:count, :count] = np.diag(inverse)
        table[count:, :count] = table[:count, count:].T
        return table


def _before(columns: Array) -> Array:
    """Sum along the last axis of all columns strictly before each."""
    sums = np.empty_like(columns)
    sums[..., 0] = 0.0
    np.cumsum(columns[..., :-1], axis=-1, out=sums[..., 1:])
    return sums
