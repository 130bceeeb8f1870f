"""The sample-ratio test carried from batch to batch.

`SplitFold` is `stats.sample_ratio` as a fold, for logs that don't fit in memory; `WeightFold`
stands in for it where the log has the probability of the served arm alone.
"""

from math import exp, inf, log
from typing import TypeVar

import numpy as np

from hookline.bulk.batch import Array, Flags, Integers
from hookline.bulk.result import SplitAnswer
from hookline.stats import RATIO_ALPHA, Moments, mean_estimate
from hookline.stats.ratio import CONCENTRATIONS

T = TypeVar("T", int, float)

_CELLS = 1 << 16
"""Decisions times arms bet on at a time, so that the work stays in the processor's cache."""


class SplitFold:
    """Whether arms were drawn with their logged probabilities: `stats.sample_ratio`, row by row.

    Args:
        names: The arms.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        count = len(names)
        self._names = names
        self._n, self._peak, self._choice = 0, 0.0, False
        self._drawn, self._due = np.zeros(count), np.zeros(count)
        self._wealth = np.full(len(CONCENTRATIONS), -log(len(CONCENTRATIONS)))

    def take(self, arms: Integers, probabilities: Array) -> None:
        """Bets on decisions in log order: arms, shape (n,), and probabilities, shape (K, n)."""
        step = max(_CELLS // len(self._names), 1)
        for start in range(0, len(arms), step):
            self._bet(arms[start : start + step], probabilities[:, start : start + step])
        self._n += len(arms)
        self._choice = self._choice or bool((probabilities < 1).all(axis=0).any())

    def _bet(self, arms: Integers, p: Array) -> None:
        """As `stats.sample_ratio` describes it; p has an arm a row, shape (K, m)."""
        units = np.arange(len(arms), dtype=np.int64)
        served = np.zeros(p.shape)
        served[arms, units] = 1.0
        after, due = np.cumsum(served, axis=1), np.cumsum(p, axis=1)
        seen = after - served + self._drawn[:, None]
        wanted = np.maximum(due - p, 0.0) + self._due[:, None]
        paths = np.empty((len(CONCENTRATIONS), len(arms)))
        for row, weight in enumerate(CONCENTRATIONS):
            trust = weight * p + np.finfo(np.float64).tiny  # 0/0 of an arm not yet drawn is 1
            tilt = (seen + trust) / (wanted + trust)
            growth = np.log(tilt[arms, units] / (p * tilt).sum(axis=0))
            paths[row] = self._wealth[row] + np.cumsum(growth)
        self._wealth = paths[:, -1]
        self._peak = max(self._peak, float(np.logaddexp.reduce(paths, axis=0).max()))
        self._drawn += after[:, -1]
        self._due += due[:, -1]

    def answer(self) -> SplitAnswer:
        """The test on all decisions so far."""
        reason = _no_test(self._n, len(self._names)) or (
            "" if self._choice else "no decision could have gone to more than one arm"
        )
        return SplitAnswer(
            n=self._n,
            p_value=None if reason else exp(-self._peak),
            flagged=None if reason else self._peak >= -log(RATIO_ALPHA),
            observed=_named(self._names, self._drawn.astype(int).tolist()),
            expected=_named(self._names, self._due.tolist()),
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
