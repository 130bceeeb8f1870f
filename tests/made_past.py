"""Past tests made by hand, and drawn from the model that the statistics assume."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hookline.past import PastTests

Array = NDArray[np.float64]


def make_past(
    clicks: Sequence[Sequence[int]],
    impressions: Sequence[Sequence[int]],
    *,
    groups: Sequence[int] | None = None,
    predicted: Sequence[float] | None = None,
) -> PastTests:
    """Tests with these clicks and impressions, each a group of its own unless told otherwise."""
    sizes = [len(test) for test in clicks]
    return PastTests(
        test_ids=tuple(f"t{number}" for number in range(len(sizes))),
        groups=np.arange(len(sizes)) if groups is None else np.array(groups),
        starts=np.cumsum([0, *sizes]),
        texts=tuple(f"line {number}" for number in range(sum(sizes))),
        impressions=np.array([each for test in impressions for each in test]),
        clicks=np.array([each for test in clicks for each in test]),
        predicted=None if predicted is None else np.array(predicted),
    )


def draw_past(
    seed: int,
    count: int,
    *,
    lines: Sequence[int] = (2, 3, 5),
    slope: float = 1.0,
    variance: float = 0.05,
    shown: float = 2000,
    unequal: float = 0.3,
    level: float = 0.02,
    level_sd: float = 0.4,
    predict: bool = False,
) -> tuple[PastTests, Array]:
    """Tests drawn from the model of `stats.shrinkage`, two a group, and a score of each line.

    Args:
        seed: Of all draws.
        count: Tests before those without a click are left out.
        lines: Numbers of lines, taken in turn.
        slope: Factor on the score in the true log ratio.
        variance: Of true rates around that.
        shown: Typical impressions of a line.
        unequal: Standard deviation of the log of a line's impressions.
        level: Click rate of a typical test.
        level_sd: Standard deviation of the log of tests' click rates.
        predict: Whether there is a `predicted_ctr`: true rates with a noise of their own.
    """
    rng = np.random.default_rng(seed)
    sizes = np.resize(np.array(lines), count)
    score = rng.normal(0, 0.25, sizes.sum())
    rate = np.repeat(level * np.exp(rng.normal(0, level_sd, count)), sizes) * np.exp(slope * score)
    if variance:
        rate *= rng.gamma(1 / variance, variance, rate.size)
    impressions = np.maximum(shown * np.exp(rng.normal(0, unequal, rate.size)), 1).round()
    clicks = rng.binomial(impressions.astype(np.int64), np.minimum(rate, 1))
    guess = rate * np.exp(rng.normal(0, 0.2, rate.size))
    kept = np.add.reduceat(clicks, np.cumsum(sizes) - sizes) > 0
    rows = np.repeat(kept, sizes)
    tests = make_past(
        by_test(clicks[rows], sizes[kept]),
        by_test(impressions[rows].astype(np.int64), sizes[kept]),
        groups=(np.flatnonzero(kept) // 2).tolist(),
        predicted=guess[rows].tolist() if predict else None,
    )
    return tests, score[rows]


def by_test(values: NDArray[np.int64], sizes: NDArray[np.int64]) -> list[list[int]]:
    """The values of each test's lines."""
    return [part.tolist() for part in np.split(values, np.cumsum(sizes)[:-1])]
