"""What a long log comes to: addable moments per segment and per set of arms one could draw.

Every figure is a contrast of the same columns, so one matrix of moments holds them all:

    ψ(1) … ψ(K), the policy's value, the value of what was served

`stats.floored` needs, beside the scatter, what the draw alone would put into each pair of columns;
that is a matrix of the same shape, and adds too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hookline.bulk.batch import Array, Flags, Integers
from hookline.bulk.stretch import Stretch
from hookline.stats import Moments, floored


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cell:
    """Decisions that could have got the same arms; two cells add to that of their union.

    Attributes:
        columns: Moments of the K + 2 columns; a column of an arm that could not be drawn is 0.
        noise: Sums of `stats.noise` for every pair of columns, shape (K + 2, K + 2).
        rewards: Moments of one column: the rewards.
        events: Rewards other than 0 per served arm, shape (K,).
    """

    columns: Moments
    noise: Array
    rewards: Moments
    events: Integers

    def __add__(self, other: "Cell") -> "Cell":
        return Cell(
            columns=self.columns + other.columns,
            noise=self.noise + other.noise,
            rewards=self.rewards + other.rewards,
            events=self.events + other.events,
        )

    def contrast(self, weights: Array) -> "Cell":
        """The cell of weighted sums of its columns; weights have shape (d, K + 2)."""
        moments = self.columns
        return Cell(
            columns=Moments(
                n=moments.n,
                mean=weights @ moments.mean,
                scatter=weights @ moments.scatter @ weights.T,
            ),
            noise=weights @ self.noise @ weights.T,
            rewards=self.rewards,
            events=self.events,
        )

    @property
    def moments(self) -> Moments:
        """Moments of the columns, no contrast of them varying less than chance alone explains."""
        return floored(self.columns, self.noise, self.rewards)


class Cells:
    """One metric's cells by segment and by set of arms.

    Args:
        arms: Number of arms K.
    """

    def __init__(self, arms: int) -> None:
        self._arms = arms
        self._cells = dict[tuple[int, bytes], Cell]()

    def take(self, columns: Array, rewards: Array, stretch: Stretch) -> None:
        """Adds decisions, in the order of their stretch.

        Args:
            columns: Scores, 0 where an arm could not be drawn, shape (K + 2, n).
            rewards: Shape (n,).
            stretch: The decisions.
        """
        for part in stretch.parts:
            own, arms = rewards[part.rows], stretch.arms[part.rows]
            cell = Cell(
                columns=Moments.of(columns[:, part.rows].T),
                noise=part.noise,
                rewards=Moments.of(own[:, None]),
                events=np.bincount(arms[own != 0], minlength=self._arms).astype(np.int64),
            )
            key = (part.segment, part.pattern)
            known = self._cells.get(key)
            self._cells[key] = cell if known is None else known + cell

    def pool(
        self, weigh: Callable[[Flags], Array | None], segment: int | None = None
    ) -> Cell | None:
        """The contrast over all cells that have it, of one segment if one is named.

        Args:
            weigh: Arms that could be drawn, shape (K,) → weights of the columns, shape (d, K + 2);
                None where these decisions say nothing of it.
            segment: Index of the segment.

        Returns:
            None where no decision says anything of it.
        """
        pooled: Cell | None = None
        for (own, pattern), cell in self._cells.items():
            if segment is not None and own != segment:
                continue
            weights = weigh(np.frombuffer(pattern, dtype=np.bool_))
            if weights is not None:
                part = cell.contrast(weights)
                pooled = part if pooled is None else pooled + part
        return pooled
