"""The sample-ratio test carried from batch to batch.

`SplitFold` is `stats.sample_ratio` over logs that don't fit in memory, by the `Bets` it carries;
`WeightFold` stands in for it where the log has the probability of the served arm alone.
"""

from math import inf, log
from typing import TypeVar

import numpy as np

from hookline.bulk.batch import Array, Flags, Integers
from hookline.bulk.result import SplitAnswer
from hookline.stats import RATIO_ALPHA, Bets, Moments, mean_estimate

T = TypeVar("T", int, float)


class SplitFold:
    """Whether arms were drawn with their logged probabilities: `stats.sample_ratio`, row by row.

    Args:
        names: The arms.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names, self._choice = names, False
        self._bets = Bets.none(len(names))

    def take(self, arms: Integers, probabilities: Array) -> None:
        """Bets on decisions in log order: arms, shape (n,), and probabilities, shape (K, n)."""
        self._bets, _ = self._bets.after(arms, probabilities)
        self._choice = self._choice or bool((probabilities < 1).all(axis=0).any())

    def answer(self) -> SplitAnswer:
        """The test on all decisions so far."""
        bets = self._bets
        reason = _no_test(bets.n, len(self._names)) or (
            "" if self._choice else "no decision could have gone to more than one arm"
        )
        return SplitAnswer(
            n=bets.n,
            p_value=None if reason else bets.p_value,
            flagged=None if reason else bets.peak >= -log(RATIO_ALPHA),
            observed=_named(self._names, bets.drawn.astype(int).tolist()),
            expected=_named(self._names, bets.due.tolist()),
            reason=reason,
        )


class WeightFold:
    """Whether the inverse propensities of each arm average 1, as they do where the log is right.

    E[1[A_i = a] / p_i(a) | past] = 1 for every arm that could be drawn. An arm is followed from the
    decision after its first on; the confidence sequence of each arm's mean, at `RATIO_ALPHA` over
    the number of arms, must hold 1. A wrong propensity breaks this, and so does an arm that was
    taken out of the test, of which such a log says nothing.

    Args:
        names: The arms.
        horizon: Decisions the test was planned for.
    """

    def __init__(self, names: tuple[str, ...], horizon: float) -> None:
        self._names, self._horizon = names, horizon
        self._n, self._observed = 0, np.zeros(len(names), dtype=np.int64)
        self._moments = [Moments.none(1) for _ in names]

    def take(self, arms: Integers, propensities: Array, available: Flags) -> None:
        """Takes decisions in log order; `available`, shape (K, n), says which arms were known."""
        self._n += len(arms)
        self._observed += np.bincount(arms, minlength=len(self._names))
        for arm, before in enumerate(self._moments):
            weights = np.where(arms == arm, 1 / propensities, 0.0)[available[arm]]
            self._moments[arm] = before + Moments.of(weights[:, None])

    def answer(self) -> SplitAnswer:
        """The check on all decisions so far."""
        reason = _no_test(self._n, len(self._names))
        odd = None if reason else [name for name in self._names if self._is_odd(name)]
        if odd:
            reason = f"inverse propensities do not average 1: {', '.join(odd)}"
        elif odd is not None:
            reason = (
                "only the served arm's propensity is logged; its inverse averages 1, as it must"
            )
        return SplitAnswer(
            n=self._n,
            p_value=None,
            flagged=None if odd is None else bool(odd),
            observed=_named(self._names, self._observed.tolist()),
            expected={},
            reason=reason,
        )

    def _is_odd(self, name: str) -> bool:
        place = self._names.index(name)
        found = mean_estimate(
            self._moments[place],
            events=int(self._observed[place]),
            horizon=self._horizon,
            alpha=RATIO_ALPHA / len(self._names),
        )
        low, high = found.low, found.high
        return not (low if low is not None else -inf) <= 1 <= (high if high is not None else inf)


def _no_test(n: int, arms: int) -> str:
    if n and arms > 1:
        return ""
    return "needs two arms to split between" if n else "nobody was given an arm yet"


def _named(names: tuple[str, ...], values: list[T]) -> dict[str, T]:
    return dict(zip(names, values, strict=True))
