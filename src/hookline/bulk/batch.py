"""A stretch of a log as arrays, and the checks every row goes through."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]

TOLERANCE = 1e-3
"""How far, relatively, logged probabilities may be off 1 or off each other: float32, rounded."""
UNDRAWN, UNSHOWN = "drawn with no logged probability", "never shown"
"""Why rows are left out."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Batch:
    """Decisions in the order of the log, as it has them.

    Attributes:
        first: Number of its first row in the log, from 1.
        arms: Index of the arm served, shape (n,); nan where the log has none.
        propensities: Probability it was drawn with, shape (n,); nan where missing. None if the
            log has a probability for every arm instead.
        probabilities: Of every arm, an arm a row, shape (K, n); nan where missing. None if the
            log has the served arm's alone.
        segments: Index of the segment, shape (n,).
        shown: Whether the copy was shown, shape (n,).
        at: Time, shape (n,); None if the log has none.
        rewards: Metric → value, shape (n,); nan where it is not settled.
    """

    first: int
    arms: Array
    propensities: Array | None
    probabilities: Array | None
    segments: Integers
    shown: Flags
    at: Array | None
    rewards: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.arms)

    @property
    def last(self) -> int:
        """Number of its last row."""
        return self.first + len(self) - 1

    def rows(self, which: slice) -> "Batch":
        """Some of its rows, which follow each other."""
        start = which.indices(len(self))[0]

        def cut(column: Array | None) -> Array | None:
            return None if column is None else column[which]

        return replace(
            self,
            first=self.first + start,
            arms=self.arms[which],
            propensities=cut(self.propensities),
            probabilities=None if self.probabilities is None else self.probabilities[:, which],
            segments=self.segments[which],
            shown=self.shown[which],
            at=cut(self.at),
            rewards={name: column[which] for name, column in self.rewards.items()},
        )

    def cut_at(self, numbers: Sequence[int]) -> Iterator["Batch"]:
        """Its parts, a new one after each of the row numbers that fall in it."""
        inside = [n - self.first + 1 for n in numbers if self.first <= n < self.last]
        for start, stop in zip([0, *inside], [*inside, len(self)], strict=True):
            yield self.rows(slice(start, stop))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Draws:
    """The drawn and shown decisions of a batch, every row sound.

    Attributes:
        arms: Index of the arm served, shape (n,).
        propensities: Probability it was drawn with, in (0, 1], shape (n,).
        probabilities: Of every arm, an arm a row, columns summing to 1, shape (K, n); None where
            unknown.
        segments: Index of the segment, shape (n,).
        rewards: Metric → value, shape (n,); nan where it is not settled.
        left_out: Why the other rows were left out → how many.
    """

    arms: Integers
    propensities: Array
    probabilities: Array | None
    segments: Integers
    rewards: Mapping[str, Array]
    left_out: Mapping[str, int]


def draws(batch: Batch, names: Sequence[str], since: float = -np.inf) -> Draws:
    """The decisions of the batch that estimates may rest on.

    Left out, and counted, are rows that were never shown and rows with no probability at all:
    they were not drawn (`None` is what Hookline's own export writes for its fallback slice).

    Args:
        batch: What was read.
        names: The arms, for messages.
        since: Time of the row before.

    Raises:
        BadInput: Where a row is no evidence; names the first such row.
    """
    _check_time(batch, since)
    _require(batch, np.isfinite(batch.arms), "has no arm")
    arms = batch.arms.astype(np.int64)
    served, table = _probabilities(batch, arms, names)
    drawn = ~np.isnan(served)
    kept = drawn & batch.shown
    for name, column in batch.rewards.items():
        _require(batch, ~kept | ~np.isinf(column), f"has an infinite {name}")
    return Draws(
        arms=arms[kept],
        propensities=served[kept],
        probabilities=None if table is None else table[:, kept],
        segments=batch.segments[kept],
        rewards={name: column[kept] for name, column in batch.rewards.items()},
        left_out={
            UNDRAWN: int((~drawn).sum()),
            UNSHOWN: int((drawn & ~batch.shown).sum()),
        },
    )


def _check_time(batch: Batch, since: float) -> None:
    if batch.at is None:
        return
    _require(batch, np.isfinite(batch.at), "has no time")
    before = np.concatenate([[since], batch.at[:-1]])
    _require(
        batch,
        batch.at >= before,
        "is older than the row before it; sort the log, or have it sorted",
    )


def _probabilities(
    batch: Batch, arms: Integers, names: Sequence[str]
) -> tuple[Array, Array | None]:
    """Served arm's probability, nan on undrawn rows, and every arm's where they are logged."""
    own, table = batch.propensities, batch.probabilities
    if own is not None:
        sound = np.isnan(own) | ((own > 0) & (own <= 1 + TOLERANCE))
        _require(batch, sound, "needs a propensity above 0 and up to 1, or none")
    if table is None:
        return np.full(len(arms), np.nan) if own is None else np.minimum(own, 1.0), None
    missing = np.isnan(table)
    undrawn = np.asarray(missing.all(axis=0))
    if own is not None:
        undrawn = undrawn | np.isnan(own)
    filled = np.where(missing, 0.0, table)
    sums = filled.sum(axis=0)
    _require(batch, undrawn | (filled >= 0).all(axis=0), "has a probability below 0")
    off = np.abs(sums - 1) <= TOLERANCE
    _require(batch, undrawn | off, "has probabilities that do not sum to 1")
    filled /= np.where(undrawn, 1.0, sums)
    served = np.where(undrawn, np.nan, filled[arms, np.arange(len(arms), dtype=np.int64)])
    impossible = served == 0
    if impossible.any():
        arm = names[arms[int(impossible.argmax())]]
        _require(batch, ~impossible, f"was served {arm!r}, whose logged probability is 0")
    if own is not None:
        same = undrawn | (np.abs(served - own) <= TOLERANCE * own)
        _require(batch, same, "has a propensity that is not its arm's probability")
    return served, filled


def _require(batch: Batch, holds: Flags, what: str) -> None:
    """Raises BadInput for the first row for which it does not hold."""
    if not holds.all():
        raise BadInput(f"row {batch.first + int(np.argmin(holds)):,} of the log {what}")
