"""What each creative attribute is worth to whom: a hierarchical Bayesian regression over lines.

Line l of a test, shown to audience g, brings, relative to the test's usual line,

    y_gl = Σ_k (w_k + d_gk) x_lk + t + t_g + q_l + q_gl + noise,

x being 1 for the six levels that line l has. Effects w are shared, deviations d belong to one
audience, t is how far the test's level was misjudged, and **q is the line's own luck**: what it has
beyond its attributes. All are normal around 0. Luck is larger than the effect of most levels, so
ten thousand visitors on seven lines teach little of levels: what counts are lines. But a line's
luck is mostly the same with all audiences, so what sets audiences apart is learned faster.

Given the sizes of w and d all of it is linear and normal: a test adds Xᵀ V⁻¹ X and Xᵀ V⁻¹ y, where
V is what luck, level and noise leave. The sizes are not known; the posterior is the average over a
short list of them, each weighing as much as its marginal likelihood (Gelman et al. 2013, "Bayesian
Data Analysis", chapters 5 and 7).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product as combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hookline.attributes.design import all_cells
from hookline.types import ATTRIBUTE_LEVELS

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

LUCK: Final = 0.2
"""Standard deviation of a line's own luck. Lines of one test differ by .22 in Upworthy's tests
(docs/simulate.md); their attributes explain a little of that."""
OWN_LUCK: Final = 0.06
"""That of its luck with one audience alone. Assumed."""
LEVEL: Final = 1.0
"""That of a test's level around what was expected: wide, so that only contrasts within it count."""
OWN_LEVEL: Final = 0.5
"""That of one audience's level in one test. Assumed, wide for the same reason."""
SIZES: Final = tuple(combinations((0.01, 0.03, 0.08, 0.2), repeat=2))
"""Standard deviations that shared effects and deviations may have; all as likely beforehand."""

COUNTS: Final = tuple(len(levels) for levels in ATTRIBUTE_LEVELS.values())
WIDTH: Final = sum(COUNTS)
"""Number of levels of all attributes together."""
STARTS: Final = np.cumsum([0, *COUNTS[:-1]])
"""Where each attribute's levels begin among them, shape (attributes,)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trial:
    """What one test says of its lines: a row for each line × audience that has seen it.

    Attributes:
        codes: Level indices of the row's line, shape (rows, attributes).
        lines: Index of the line, shape (rows,).
        audiences: Audience id of each row.
        values: Reward over that of the test's usual line, less 1; shape (rows,).
        variances: Of the values, given the lines; above 0, shape (rows,).
        visitors: Visitors the values rest on, shape (rows,).
        freshness: What the row counts today, 1 in full, shape (rows,).
    """

    codes: Indices
    lines: Indices
    audiences: tuple[str, ...]
    values: Array
    variances: Array
    visitors: Array
    freshness: Array


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Taste:
    """What is believed of an audience: the effect of every level, in units of the usual reward.

    Attributes:
        mean: Shape (levels,), in the order of `ATTRIBUTE_LEVELS`.
        covariance: Shape (levels, levels).
    """

    mean: Array
    covariance: Array

    def contrasts(self) -> tuple[Array, Array]:
        """Mean and sd of each level's effect over the mean of its attribute's levels."""
        centre = _centring()
        variance = np.einsum("ij,jk,ik->i", centre, self.covariance, centre)
        return centre @ self.mean, np.sqrt(np.maximum(variance, 0.0))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Belief:
    """What is believed of all audiences.

    Attributes:
        audiences: Ids of those that were seen.
        mean: Shared effects, then the deviations of each audience and, last, of one never seen;
            shape (levels · (audiences + 2),).
        covariance: Of these.
    """

    audiences: tuple[str, ...]
    mean: Array
    covariance: Array

    def of(self, audience_id: str) -> Taste:
        """The taste of one audience, seen or not."""
        if audience_id not in self.audiences:
            return self._mixed(np.eye(len(self.audiences) + 1)[-1])
        return self.over({audience_id: 1.0})

    def over(self, weights: Mapping[str, float]) -> Taste:
        """The mean taste of several audiences, weighing as given; of none, a stranger's."""
        total = sum(weights.values())
        shares = [weights.get(key, 0.0) for key in self.audiences]
        return self._mixed(np.array([*shares, 0.0]) / total) if total > 0 else self.of("")

    def _mixed(self, shares: Array) -> Taste:
        mix = np.kron(np.concatenate([[1.0], shares]), np.eye(WIDTH))
        return Taste(mean=mix @ self.mean, covariance=mix @ self.covariance @ mix.T)


def believe(trials: Sequence[Trial]) -> Belief:
    """The posterior over all effects; without trials the prior."""
    audiences = tuple(sorted({key for trial in trials for key in trial.audiences}))
    width = WIDTH * (len(audiences) + 2)
    information, surplus = np.zeros((width, width)), np.zeros(width)
    for trial in trials:
        _add_evidence(trial, audiences, information, surplus)
    fits = [_fitted(information, surplus, *sizes) for sizes in SIZES]
    likelihoods = np.array([fit.likelihood for fit in fits])
    weights = np.exp(likelihoods - likelihoods.max())
    weights /= weights.sum()
    means = np.array([fit.mean for fit in fits])
    mean = weights @ means
    covariance = np.zeros((width, width))
    for weight, fit in zip(weights.tolist(), fits, strict=True):
        covariance += weight * (fit.covariance + np.outer(fit.mean - mean, fit.mean - mean))
    return Belief(audiences=audiences, mean=mean, covariance=covariance)


def _add_evidence(
    trial: Trial, audiences: tuple[str, ...], information: Array, surplus: Array
) -> None:
    """Adds Xᵀ V⁻¹ X and Xᵀ V⁻¹ y of one test."""
    places = np.array([audiences.index(key) for key in trial.audiences], dtype=np.int64)
    rows, levels = np.arange(len(places))[:, None], trial.codes + STARTS
    design = np.zeros((len(places), len(surplus)))
    design[rows, levels] = 1.0
    design[rows, levels + WIDTH * (1 + places[:, None])] = 1.0
    same_line = trial.lines[:, None] == trial.lines
    same_audience = places[:, None] == places
    left: Array = LUCK**2 * same_line + OWN_LUCK**2 * (same_line & same_audience)
    left = left + LEVEL**2 + OWN_LEVEL**2 * same_audience + np.diag(trial.variances)
    left /= np.sqrt(trial.freshness[:, None] * trial.freshness)
    weighed = np.linalg.solve(left, design)
    information += design.T @ weighed
    surplus += trial.values @ weighed


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Fit:
    """The posterior under given sizes, and the log marginal likelihood up to a constant."""

    mean: Array
    covariance: Array
    likelihood: float


def _fitted(information: Array, surplus: Array, shared: float, own: float) -> _Fit:
    prior = np.full(len(surplus), own)
    prior[:WIDTH] = shared
    scaled = prior[:, None] * information * prior + np.eye(len(prior))
    inverse = np.linalg.inv(scaled)
    covariance = prior[:, None] * (inverse + inverse.T) / 2 * prior
    mean = covariance @ surplus
    return _Fit(
        mean=mean,
        covariance=covariance,
        likelihood=float(surplus @ mean - np.linalg.slogdet(scaled)[1]) / 2,
    )


@cache
def one_hot() -> Array:
    """Every cell's levels as 0 and 1, shape (cells, levels); read-only."""
    cells = all_cells()
    hot = np.zeros((len(cells), WIDTH))
    hot[np.arange(len(cells))[:, None], cells + STARTS] = 1.0
    hot.flags.writeable = False
    return hot


@cache
def _centring() -> Array:
    """Takes from each level its attribute's mean, shape (levels, levels); read-only."""
    matrix = np.eye(WIDTH)
    for start, count in zip(STARTS.tolist(), COUNTS, strict=True):
        matrix[start : start + count, start : start + count] -= 1 / count
    matrix.flags.writeable = False
    return matrix
