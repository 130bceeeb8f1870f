"""The reward estimator: what a copy is worth for a visitor, and how sure that is.

A Bayesian linear regression of the relative reward on the fused state x of visitor and copy:

    r / m = 1 + xᵀw + noise,    w ~ N(0, spread² I),    noise ~ N(0, v / m²),

with m the mean and v the variance of the reward of one visitor. The hierarchy of the prior lies in
the sizes of the features (see `perceive`). Relative units let one prior serve clicks and money.

What is kept are sums: Σxxᵀ, Σrx, Σx, n, Σr, Σr². All else follows from them, so an outcome that
changes later is put right exactly, and neither batches nor restarts leave a trace.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.perceive import DIMENSION, VERSION, States

Array = NDArray[np.float64]
Places = NDArray[np.int64]

SPREAD: Final = 0.3
"""Prior standard deviation of the relative effect of a feature of size 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CriticState:
    """The critic's sums.

    Attributes:
        version: Version of the features that `places` refer to.
        visitors: Number of outcomes.
        total: Sum of rewards.
        squares: Sum of squared rewards.
        places: Places in the feature vector seen so far, in order of first sight.
        products: Σxxᵀ over these, row by row from the diagonal on.
        rewarded: Σrx over these.
        sums: Σx over these.
    """

    version: int
    visitors: int
    total: float
    squares: float
    places: tuple[int, ...]
    products: tuple[tuple[float, ...], ...]
    rewarded: tuple[float, ...]
    sums: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """What the critic expects of each arm for one visitor.

    Attributes:
        mean: Expected reward, shape (arms,).
        covariance: Of these expectations, shape (arms, arms).
        level: Mean reward over all visitors, above 0.
    """

    mean: Array
    covariance: Array
    level: float

    @property
    def sd(self) -> Array:
        """Standard deviation of each expectation, shape (arms,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Posterior:
    """Belief about the weights of the places seen, and the level it is relative to."""

    mean: Array
    covariance: Array
    level: float


class Critic:
    """Learns what each copy is worth for whom.

    Args:
        spread: Prior standard deviation of the relative effect of a feature of size 1, above 0.
    """

    def __init__(self, *, spread: float = SPREAD) -> None:
        if not spread > 0:
            raise BadInput(f"spread must lie above 0, not {spread:g}")
        self.spread = spread
        self._visitors = 0
        self._total = 0.0
        self._squares = 0.0
        self._places = np.zeros(0, dtype=np.int64)
        self._columns = np.full(DIMENSION, -1, dtype=np.int64)
        self._products = np.zeros((0, 0))
        self._rewarded = np.zeros(0)
        self._sums = np.zeros(0)
        self._posterior: _Posterior | None = None

    def learn(self, seen: States, reward: float) -> None:
        """Takes in one outcome.

        Args:
            seen: State of the one arm served.
            reward: What it brought.
        """
        columns, values = self._enter(seen)
        self._products[columns[:, None], columns] += values[:, None] * values
        self._rewarded[columns] += reward * values
        self._sums[columns] += values
        self._visitors += 1
        self._total += reward
        self._squares += reward * reward
        self._posterior = None

    def correct(self, seen: States, delta: float) -> None:
        """Takes in that an outcome learned before has changed.

        The sum of squares changes by δ·|δ|: exact where the reward was or becomes 0 (a late click
        or order, a full refund), near enough for the noise level otherwise.

        Args:
            seen: State of the one arm that was served.
            delta: New reward less old reward.
        """
        columns, values = self._enter(seen)
        self._rewarded[columns] += delta * values
        self._total += delta
        self._squares += delta * abs(delta)
        self._posterior = None

    def predict(self, seen: States) -> Prediction:
        """What each arm is worth, and how sure that is.

        Args:
            seen: States of any number of arms.
        """
        posterior = self._believe()
        places, columns = np.unique(seen.places, return_inverse=True)
        design = seen.dense(columns, places.size)
        known = self._columns[places] >= 0
        learned = self._columns[places[known]]
        inside, outside = design[:, known], design[:, ~known] * self.spread
        belief = posterior.covariance[learned[:, None], learned]
        covariance = inside @ belief @ inside.T + outside @ outside.T
        return Prediction(
            mean=posterior.level * (1 + inside @ posterior.mean[learned]),
            covariance=posterior.level**2 * covariance,
            level=posterior.level,
        )

    def state(self) -> CriticState:
        """The sums, for keeping."""
        return CriticState(
            version=VERSION,
            visitors=self._visitors,
            total=self._total,
            squares=self._squares,
            places=tuple(self._places.tolist()),
            products=tuple(tuple(row[index:].tolist()) for index, row in enumerate(self._products)),
            rewarded=tuple(self._rewarded.tolist()),
            sums=tuple(self._sums.tolist()),
        )

    @classmethod
    def of(cls, state: CriticState, *, spread: float = SPREAD) -> Self:
        """The critic that has these sums.

        Raises:
            BadInput: Where they were learned from features of another version, or don't fit.
        """
        if state.version != VERSION:
            raise BadInput(
                f"the critic was learned from features of version {state.version}, this is "
                f"version {VERSION}; replay the log to rebuild it"
            )
        count = len(state.places)
        lengths = [len(row) for row in state.products]
        if lengths != list(range(count, 0, -1)) or not (
            len(state.rewarded) == len(state.sums) == count
            and all(0 <= place < DIMENSION for place in state.places)
        ):
            raise BadInput("the critic's sums don't fit together; replay the log to rebuild it")
        critic = cls(spread=spread)
        critic._restore(state)
        return critic

    def _restore(self, state: CriticState) -> None:
        self._visitors = state.visitors
        self._total = state.total
        self._squares = state.squares
        self._places = np.array(state.places, dtype=np.int64)
        self._columns[self._places] = np.arange(self._places.size)
        upper = np.zeros((self._places.size, self._places.size))
        for index, row in enumerate(state.products):
            upper[index, index:] = row
        self._products = upper + np.triu(upper, 1).T
        self._rewarded = np.array(state.rewarded)
        self._sums = np.array(state.sums)
        self._believe()  # here and now, not in the first request

    def _enter(self, seen: States) -> tuple[Places, Array]:
        """Columns and values of a state; places never seen before get a column."""
        places, inverse = np.unique(seen.places, return_inverse=True)
        new = places[self._columns[places] < 0]
        if new.size:
            known = self._places.size
            self._columns[new] = np.arange(known, known + new.size)
            self._places = np.concatenate([self._places, new])
            self._products = np.pad(self._products, (0, new.size))
            self._rewarded = np.pad(self._rewarded, (0, new.size))
            self._sums = np.pad(self._sums, (0, new.size))
        values = np.asarray(np.bincount(inverse, seen.values), dtype=np.float64)
        return self._columns[places], values

    def _moments(self) -> tuple[float, float]:
        """Mean and variance of the reward, with one success in two visitors added; both above 0."""
        total, squares = max(self._total, 0.0), max(self._squares, 0.0)
        success = squares / total if total > 0 and squares > 0 else 1.0
        mean = (total + success) / (self._visitors + 2)
        moment = (squares + success**2) / (self._visitors + 2)
        return mean, max(moment - mean**2, 1e-6 * moment)

    def _believe(self) -> _Posterior:
        """The posterior that follows from the sums, kept until they change."""
        if self._posterior is None:
            level, variance = self._moments()
            information = level**2 / variance
            prior = np.eye(self._places.size) / self.spread**2
            inverse = np.linalg.inv(prior + information * self._products)
            covariance = (inverse + inverse.T) / 2
            surplus = information * (self._rewarded / level - self._sums)
            self._posterior = _Posterior(
                mean=covariance @ surplus, covariance=covariance, level=level
            )
        return self._posterior
