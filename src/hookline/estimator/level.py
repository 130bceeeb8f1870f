"""A visitor's level: what the critic leaves out because it is the same for all copies.

The critic is made to tell copies apart. How keen this visitor is on anything decides nothing there,
so its prior for that is narrow. A forecast that is to be right by itself needs it:

    μ = q · exp(u · θ),    u = (1, log(q / usual), log(1 + showings), portrait),

q being the critic's expectation. θ is learned as in a Poisson regression with the dispersion
φ = variance / mean, batch by batch: the posterior of one batch is the prior of the next (Laplace),
and what was learned counts half after `HALF_LIFE` days. What then is left of single visitors
(`Hidden`) is measured from pairs of their own outcomes, and shrunk as in a gamma-Poisson model.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from hookline.perceive import COMMON
from hookline.perceive.hashing import placed
from hookline.perceive.visitor import portraits
from hookline.types import Arm, Context

Array = NDArray[np.float64]
Pair = tuple[Context, str, Arm]
"""Who is asking, with the past; their audience; the arm."""

PRIOR_SD: Final = np.array([1.0, 0.3, 0.1, *[0.1] * COMMON[1]])
"""Prior standard deviation of θ: level, slope, showings, and each feature of the portrait."""
SLOPE: Final = -0.5
"""Prior mean of the slope; that of all else is 0. The critic tells copies apart with less caution
than a forecast needs, so its contrasts are believed by half until outcomes say otherwise."""
HALF_LIFE: Final = 20.0
"""Days after which what was learned counts half."""
PSEUDO: Final = 10.0
"""Outcomes' worth of trust that the first guess of the dispersion has."""
FLOOR: Final = 0.1
"""The critic's expectation is taken for at least this share of the usual reward."""
_STEPS: Final = 3
_MOST: Final = 5.0
_TINY: Final = 1e-9


class Level:
    """The visitor's level over what the critic expects.

    Attributes:
        dispersion: Variance of a reward over its mean.
        usual: Mean reward so far; above 0.
    """

    def __init__(self) -> None:
        self.dispersion = self.usual = 1.0
        self._theta: Array = np.zeros(PRIOR_SD.size)
        self._theta[1] = SLOPE
        self._precision = np.diag(1 / PRIOR_SD**2)
        self._factor = np.diag(1 / PRIOR_SD)
        self._newest: datetime | None = None
        self._count = self._learned = 0
        self._total = self._squares = self._excess = 0.0

    def note(self, reward: float) -> None:
        """Counts an outcome that will be learned with its batch."""
        self._count += 1
        self._retotal(reward)

    def expected(self, pairs: Sequence[Pair], expected: Array, sd: Array) -> tuple[Array, Array]:
        """The critic's expectations put right, and their relative variances, shape (pairs,).

        Args:
            pairs: What they are of.
            expected: The critic's expectations.
            sd: Their standard deviations.
        """
        expected = self._floored(expected)
        design = self._design(pairs, expected)
        half = np.asarray(solve_triangular(self._factor, design.T, lower=True), dtype=np.float64)
        variance = (half**2).sum(axis=0) + ((1 + self._theta[1]) * sd / expected) ** 2
        return self._means(design, expected, self._theta), variance

    def learn(self, pairs: Sequence[Pair], expected: Array, rewards: Array) -> None:
        """Takes in a batch of outcomes.

        Args:
            pairs: What they are of, each noted before.
            expected: What the critic expected of each before it was told.
            rewards: What they brought.
        """
        expected = self._floored(expected)
        design = self._design(pairs, expected)
        self._fade(max(context.at for context, _, _ in pairs))
        means = self._means(design, expected, self._theta)
        self._excess += float(((rewards - means) ** 2 / means).sum())
        self._learned += rewards.size
        self._measure()
        before = theta = self._theta
        wanted = self._precision
        for _ in range(_STEPS):
            means = self._means(design, expected, theta)
            slope = design.T @ (rewards - means) / self.dispersion
            slope -= self._precision @ (theta - before)
            wanted = self._precision + design.T @ (means[:, None] * design) / self.dispersion
            theta = theta + np.asarray(np.linalg.solve(wanted, slope), dtype=np.float64)
        self._theta, self._precision = theta, wanted
        self._factor = np.asarray(np.linalg.cholesky(wanted), dtype=np.float64)

    def correct(self, pair: Pair, expected: Array, delta: float) -> None:
        """Takes in that an outcome has changed: one more step, near enough for single outcomes."""
        self._retotal(delta)
        design = self._design([pair], self._floored(expected))[0]
        slope = design * (delta / self.dispersion)
        self._theta = self._theta + np.asarray(
            np.linalg.solve(self._precision, slope), dtype=np.float64
        )

    def _retotal(self, delta: float) -> None:
        """Usual reward and dispersion; the first guess of this is that of rare equal rewards."""
        self._total = max(self._total + delta, 0.0)
        self._squares = max(self._squares + delta * abs(delta), 0.0)
        self._measure()

    def _measure(self) -> None:
        success = self._squares / self._total if self._total > 0 and self._squares > 0 else 1.0
        self.usual = (self._total + _TINY * success) / self._count
        self.dispersion = (self._excess + PSEUDO * success) / (self._learned + PSEUDO)

    def _fade(self, newest: datetime) -> None:
        if self._newest is not None and newest > self._newest:
            kept = 0.5 ** ((newest - self._newest) / timedelta(days=HALF_LIFE))
            self._precision = kept * self._precision + np.diag((1 - kept) / PRIOR_SD**2)
        self._newest = max(newest, self._newest or newest)

    def _floored(self, expected: Array) -> Array:
        return np.maximum(expected, FLOOR * self.usual)

    def _means(self, design: Array, expected: Array, theta: Array) -> Array:
        return expected * np.exp(np.clip(design @ theta, -_MOST, _MOST))

    def _design(self, pairs: Sequence[Pair], expected: Array) -> Array:
        """The features u of each pair, shape (pairs, features)."""
        seen = portraits([context for context, _, _ in pairs])
        rows = np.repeat(np.arange(len(pairs)), seen.sizes)
        places, signs = placed(seen.hashes, COMMON)
        design = np.zeros((len(pairs), PRIOR_SD.size))
        design[:, 0] = 1.0
        design[:, 1] = np.log(expected / self.usual)
        design[:, 2] = [np.log1p(len(context.past)) for context, _, _ in pairs]
        np.add.at(design, (rows, places - COMMON[0] + 3), signs * seen.values)
        return design


class Hidden:
    """What is special about single visitors beyond all that is seen of them.

    If their true levels vary with relative variance τ², two outcomes of one visitor have the mean
    product τ² μ₁μ₂ of their gaps; so τ² is a mean over such pairs, and needs no model of the noise.
    The same over pairs in which the visitor was shown the very same copy says how much of a visitor
    there is to know in all; only doubt is made of that. Everything counts in pseudo-events: money
    over its dispersion.
    """

    START: Final = 0.04
    """First guess of τ²."""
    TRUST: Final = 20.0
    """What that guess weighs: pseudo-events, squared."""

    def __init__(self) -> None:
        self._sums: dict[str, dict[str, tuple[float, float]]] = {}
        self._everything = (self.START * self.TRUST, self.TRUST)
        self._same_copy = (self.START * self.TRUST, self.TRUST)

    def learn(self, visitor_id: str, arm_id: str, expected: float, seen: float) -> None:
        """Takes in one outcome, both in pseudo-events."""
        sums = self._sums.setdefault(visitor_id, {})
        self._everything = _paired(self._everything, sums.get(""), expected, seen)
        self._same_copy = _paired(self._same_copy, sums.get(arm_id), expected, seen)
        for key in ("", arm_id):
            before = sums.get(key, (0.0, 0.0))
            sums[key] = before[0] + expected, before[1] + seen

    def correct(self, visitor_id: str, delta: float) -> None:
        """Takes in that an outcome of a visitor has changed."""
        if sums := self._sums.get(visitor_id):
            expected, seen = sums.get("", (0.0, 0.0))
            sums[""] = expected, seen + delta

    def forget(self, visitor_id: str) -> None:
        """Erases one visitor; the two variances stay, which are sums over all."""
        self._sums.pop(visitor_id, None)

    def factor(self, visitor_id: str) -> tuple[float, float]:
        """A visitor's own level over the expected one, and the relative variance left in it."""
        hidden = max(self._everything[0] / self._everything[1], 1e-6)
        by_copy = max(self._same_copy[0] / self._same_copy[1] - hidden, 0.0)
        expected, seen = self._sums.get(visitor_id, {}).get("", (0.0, 0.0))
        known = 1 / (1 + hidden * expected)
        return max((1 + hidden * seen) * known, 0.0), hidden * known + by_copy


def _paired(
    sums: tuple[float, float], before: tuple[float, float] | None, expected: float, seen: float
) -> tuple[float, float]:
    """The sums over pairs with one outcome more, after all of its own before it."""
    if before is None:
        return sums
    gap = (seen - expected) * (before[1] - before[0])
    return sums[0] + gap, sums[1] + expected * before[0]
