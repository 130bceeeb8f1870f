"""Vowpal Wabbit's SquareCB."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np

from benchmarks.peers.base import Peer
from benchmarks.peers.facts import copy_facts
from hookline.policies.base import Array
from hookline.types import Arm, Context, Decision


class SquareCB(Peer):
    """Vowpal Wabbit's contextual bandit: SquareCB over action-dependent features, with crosses.

    It gets the same facts about visitor and copy as ours does, as text, and learns by the logged
    propensity.

    Args:
        gamma_scale: How soon it exploits. 1,000 was the best of 10 (its default), 100, 1,000 and
            10,000 on seeds that `benchmarks.policies` does not use; 1 was of 1 to 3,000 on seeds
            that `benchmarks.drift` does not use, where who always shows the same line wears it out.
    """

    name: ClassVar[str] = "vowpal_wabbit"

    def __init__(self, *, gamma_scale: float = 1000) -> None:
        super().__init__()
        self.gamma_scale = gamma_scale
        workspace: Any = import_module("vowpalwabbit").Workspace
        options = f"--cb_explore_adf --squarecb --gamma_scale {gamma_scale} -q ua --quiet"
        self._model = workspace(options)

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        """Vowpal Wabbit's own distribution over the arms."""
        shares: list[float] = self._model.predict(_example(context, audience_id, arms))
        return np.array(shares)

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """One update with the cost of the arm served."""
        place = next(k for k, arm in enumerate(arms) if arm.id == decision.arm_id)
        label = f"{place}:{-reward}:{decision.propensity}"
        self._model.learn(_example(decision.context, decision.audience_id, arms, place, label))

    def clone(self) -> Self:
        """A policy with the same argument that has learned nothing."""
        return type(self)(gamma_scale=self.gamma_scale)


def _example(
    context: Context, audience_id: str, arms: Sequence[Arm], place: int = -1, label: str = ""
) -> list[str]:
    """Visitor and arms in Vowpal Wabbit's text format; the label stands before its arm."""
    words = [f"audience={audience_id}", f"device={context.device}"]
    for name, value in context.traits.items():
        words.append(f"{name}:{value / 30}" if isinstance(value, float) else f"{name}={value}")
    lines = [f"shared |u {' '.join(words)}"]
    for index, arm in enumerate(arms):
        cost = f"{label} " if index == place else ""
        lines.append(f"{cost}|a id={arm.id} {' '.join(copy_facts(arm))}")
    return lines
