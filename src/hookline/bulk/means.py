"""The control variate of `stats.running_means`, carried from batch to batch."""

import numpy as np

from hookline.bulk.batch import Array
from hookline.bulk.stretch import Stretch
from hookline.stats.aipw import PRIOR_UNITS


class RunningMeans:
    """Mean reward per arm of strictly earlier decisions, as far as the log has been read.

    What it gives for a log is what `stats.running_means` gives for all of it at once, with segments
    for strata, however the log is cut into batches.

    Args:
        arms: Number of arms K.
        segments: Number of segments; they are its strata.
    """

    def __init__(self, arms: int, segments: int) -> None:
        self._gains = np.zeros((arms, segments))
        self._counts = np.zeros((arms, segments))

    def take(self, rewards: Array, stretch: Stretch) -> Array:
        """The means before each decision, shape (K, n); then it knows these decisions too.

        Args:
            rewards: Shape (n,), in log order.
            stretch: The decisions they came of; in its order the means are returned.
        """
        gains = stretch.drawn * rewards
        seen = self._counts.sum() + np.arange(len(rewards))
        total = self._gains.sum() + np.cumsum(rewards) - rewards
        means = stretch.by_segment(total / (seen + PRIOR_UNITS))
        means = _drawn_to(
            means,
            stretch.before(gains) + self._gains.sum(axis=1, keepdims=True),
            stretch.seen + self._counts.sum(axis=1, keepdims=True),
        )
        means = _drawn_to(
            means,
            stretch.before_in(gains) + _spread(self._gains, stretch),
            stretch.seen_in + _spread(self._counts, stretch),
        )
        shape = self._gains.shape
        cells = stretch.arms * shape[1] + stretch.segments
        size = self._gains.size
        own = stretch.by_segment(rewards)
        self._gains += np.bincount(cells, own, minlength=size).reshape(shape)
        self._counts += np.bincount(cells, minlength=size).reshape(shape)
        return means


def _spread(known: Array, stretch: Stretch) -> Array:
    """What is known of each decision's own segment: shape (K, S) → (K, n), or (K, 1)."""
    return known if known.shape[1] == 1 else known[:, stretch.segments]


def _drawn_to(wider: Array, total: Array, count: Array) -> Array:
    """The mean total / count, drawn to the wider mean by `PRIOR_UNITS` decisions; uses up total."""
    total += PRIOR_UNITS * wider
    total /= count + PRIOR_UNITS
    return total
