"""LinUCB and discounted linear Thompson sampling, over visitor × copy crosses.

Their defaults were tuned on ten worlds, gradual and abrupt, of seeds from 9,000 to 9,004, which
`benchmarks.drift` does not use: LinUCB's `width` over .2 to 2, the other's over .05 to .2 and its
`fade` over .9995 to .9999; `ridge` over 3 and 10, on an earlier form of the world.
"""

from abc import abstractmethod
from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np

from benchmarks.peers.base import Peer
from benchmarks.peers.facts import Columns, visitor_facts
from hookline.policies.base import Array
from hookline.types import Arm, Context, Decision

DRAWS = 256
"""Draws of the posterior that a Thompson share is counted from."""


class Linear(Peer):
    """A ridge regression of the reward on `Columns`, whose past fades.

    Args:
        width: Standard deviations of a belief that are acted on.
        ridge: Weight of the prior that all coefficients are 0, in outcomes.
        fade: What an outcome counts once the next is in; 1 for ever.
    """

    def __init__(self, *, width: float, ridge: float, fade: float) -> None:
        super().__init__()
        self.width, self.ridge, self.fade = width, ridge, fade
        self._columns = Columns()
        self._products = np.zeros((0, 0))
        self._rewarded = np.zeros(0)
        self._belief: tuple[Array, Array] | None = None

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(width=self.width, ridge=self.ridge, fade=self.fade)

    @abstractmethod
    def choose(self, mean: Array, covariance: Array) -> Array:
        """Weights of the arms, given what is believed of their rewards.

        Args:
            mean: Shape (arms,).
            covariance: Shape (arms, arms), for noise of variance 1.
        """

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        """What `choose` says."""
        rows = self._columns.matrix(visitor_facts(context, audience_id), arms)
        mean, inverse = self._believe()
        return self.choose(rows @ mean, rows @ inverse @ rows.T)

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """Fades what is known and adds one outcome."""
        arm = next(arm for arm in arms if arm.id == decision.arm_id)
        row = self._columns.row(visitor_facts(decision.context, decision.audience_id), arm)
        self._grow()
        if self.fade < 1:
            self._products *= self.fade
            self._rewarded *= self.fade
        self._products[np.ix_(row, row)] += 1.0
        self._rewarded[row] += reward
        self._belief = None

    def _believe(self) -> tuple[Array, Array]:
        """Mean and covariance of the coefficients, kept until something new is learned."""
        self._grow()
        belief = self._belief
        if belief is None:
            inverse = _inverse(self._products + self.ridge * np.eye(self._columns.width))
            belief = self._belief = (inverse @ self._rewarded, inverse)
        return belief

    def _grow(self) -> None:
        more = self._columns.width - self._rewarded.size
        if more:
            self._products = np.pad(self._products, (0, more))
            self._rewarded = np.pad(self._rewarded, (0, more))
            self._belief = None


class LinUcb(Linear):
    """LinUCB (Li et al. 2010) on one regression that all arms share, as its hybrid form.

    Serves the arm with the highest mean + `width` standard deviations, ties shared.
    """

    name: ClassVar[str] = "linucb"

    def __init__(self, *, width: float = 0.35, ridge: float = 10.0, fade: float = 1.0) -> None:
        super().__init__(width=width, ridge=ridge, fade=fade)

    def choose(self, mean: Array, covariance: Array) -> Array:
        """1 for the highest bound."""
        bound = mean + self.width * np.sqrt(np.diag(covariance))
        return (bound >= bound.max() - 1e-12).astype(np.float64)


class DiscountedLinTS(Linear):
    """Discounted linear Thompson sampling (Kim and Tewari 2020): old outcomes fade.

    An arm's probability is its share of `DRAWS` joint posterior draws in which it is the best.
    """

    name: ClassVar[str] = "discounted_lints"

    def __init__(self, *, width: float = 0.1, ridge: float = 10.0, fade: float = 0.9998) -> None:
        super().__init__(width=width, ridge=ridge, fade=fade)
        self._normal = np.random.default_rng(0).standard_normal((DRAWS, 64))

    def choose(self, mean: Array, covariance: Array) -> Array:
        """How often each arm is the best of a draw."""
        jitter = 1e-12 * np.eye(mean.size)
        root = np.linalg.cholesky(covariance + jitter)
        drawn = mean + self.width * self._normal[:, : mean.size] @ root.T
        return np.bincount(drawn.argmax(axis=1), minlength=mean.size).astype(np.float64)


def _inverse(matrix: Array) -> Array:
    """The inverse of a symmetric positive matrix, in a third of the work of a general one."""
    lapack: Any = import_module("scipy.linalg.lapack")  # has no types
    upper: Array = np.triu(lapack.dpotri(lapack.dpotrf(matrix)[0])[0])
    return upper + np.triu(upper, 1).T
