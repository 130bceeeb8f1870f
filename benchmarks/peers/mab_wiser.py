"""MABWiser's contextual LinUCB."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.base import Peer
from benchmarks.peers.facts import visitor_facts
from hookline.policies.base import Array
from hookline.types import Arm, Context, Decision

WIDTH = 32
"""Most visitor facts that can be told apart; the benchmarks have some twenty."""


class MabWiser(Peer):
    """MABWiser's LinUCB: one regression per arm on the facts about the visitor.

    Arms join and leave as the slate changes. It is fitted on what has been learned whenever it is
    next asked; until it has seen an outcome, all arms are served alike. MABWiser's arms have no
    features, so new copy starts from nothing.

    Args:
        alpha: How much of a doubt counts as promise; the best of .01, .1, .3 and 1 on gradual and
            abrupt worlds, seeds 9,000 and 9,001, which `benchmarks.drift` does not use.
        ridge: Weight of the prior.
    """

    name: ClassVar[str] = "mabwiser"

    def __init__(self, *, alpha: float = 0.3, ridge: float = 10.0) -> None:
        super().__init__()
        self.alpha, self.ridge = alpha, ridge
        self._columns: dict[str, int] = {}
        self._model: Any = None
        self._waiting: list[tuple[str, float, NDArray[np.float64]]] = []

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        """1 for MABWiser's choice."""
        ids = [arm.id for arm in arms]
        self._fit(ids)
        if self._model is None:
            return np.ones(len(arms))
        chosen = self._model.predict(self._row(context, audience_id)[None, :])
        return np.array([float(arm == chosen) for arm in ids])

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """Keeps the outcome for the next fit."""
        del arms
        row = self._row(decision.context, decision.audience_id)
        self._waiting.append((decision.arm_id, reward, row))

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(alpha=self.alpha, ridge=self.ridge)

    def _fit(self, ids: Sequence[str]) -> None:
        """Brings the model up to date with the slate and with what has been learned."""
        if self._model is None and self._waiting:
            package: Any = import_module("mabwiser.mab")
            rule = package.LearningPolicy.LinUCB(alpha=self.alpha, l2_lambda=self.ridge)
            self._model = package.MAB(list(ids), rule)
            self._model.fit([ids[0]], [0.0], np.zeros((1, WIDTH)))
        if self._model is None:
            return
        for arm in set(ids) - set(self._model.arms):
            self._model.add_arm(arm)
        for arm in set(self._model.arms) - set(ids):
            self._model.remove_arm(arm)
        known = [one for one in self._waiting if one[0] in ids]
        if known:
            served, rewards, rows = zip(*known, strict=True)
            self._model.partial_fit(list(served), list(rewards), np.stack(rows))
        self._waiting = []

    def _row(self, context: Context, audience_id: str) -> NDArray[np.float64]:
        """The visitor's facts and a constant, as 0 and 1."""
        row = np.zeros(WIDTH)
        row[0] = 1.0
        for fact in visitor_facts(context, audience_id):
            row[self._columns.setdefault(fact, 1 + len(self._columns) % (WIDTH - 1))] = 1.0
        return row
