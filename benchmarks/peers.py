"""Other people's policies behind our interface, so that a benchmark can run them in the same run.

`make peers` installs what they need; without it `installed` is empty and benchmarks go on alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from hookline.policies import Policy
from hookline.types import Arm, Context, Decision

SQUARECB = "--cb_explore_adf --squarecb --gamma_scale 1000 -q ua --quiet"


class SquareCB(Policy):
    """Vowpal Wabbit's contextual bandit: SquareCB over action-dependent features, with crosses.

    It gets the same facts about visitor and copy as ours does, as text, and learns by the logged
    propensity. Its probabilities are its own; no floor is added. `gamma_scale` was the best of 10
    (its default), 100, 1,000 and 10,000 on seeds that the benchmark does not use.
    """

    name: ClassVar[str] = "vowpal_wabbit"

    def __init__(self) -> None:
        super().__init__(floor=0.0)
        workspace: Any = import_module("vowpalwabbit").Workspace
        self._model = workspace(SQUARECB)

    def propose(
        self, context: Context, audience_id: str, arms: Sequence[Arm]
    ) -> NDArray[np.float64]:
        """Vowpal Wabbit's own distribution over the arms."""
        shares: list[float] = self._model.predict(_example(context, audience_id, arms))
        return np.array(shares)

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """One update with the cost of the arm served."""
        place = next(k for k, arm in enumerate(arms) if arm.id == decision.arm_id)
        label = f"{place}:{-reward}:{decision.propensity}"
        self._model.learn(_example(decision.context, decision.audience_id, arms, place, label))

    def correct(self, decision: Decision, arms: Sequence[Arm], delta: float) -> None:
        """Vowpal Wabbit can't take a late change of an outcome; the benchmark makes none."""
        del decision, arms, delta
        raise TypeError("vowpal_wabbit can't correct what it has learned")

    def dump(self) -> str:
        """Not offered: its state is a binary file."""
        raise TypeError("vowpal_wabbit keeps no JSON state")

    def load(self, state: str) -> None:
        """Not offered: its state is a binary file."""
        del state
        raise TypeError("vowpal_wabbit keeps no JSON state")

    def clone(self) -> Self:
        """A new one that has learned nothing."""
        return type(self)()


def _example(
    context: Context, audience_id: str, arms: Sequence[Arm], place: int = -1, label: str = ""
) -> list[str]:
    """Visitor and arms in Vowpal Wabbit's text format; the label stands before its arm."""
    words = [f"audience={audience_id}", f"device={context.device}"]
    for name, value in context.traits.items():
        words.append(f"{name}:{value / 30}" if isinstance(value, float) else f"{name}={value}")
    lines = [f"shared |u {' '.join(words)}"]
    for index, arm in enumerate(arms):
        facts = asdict(arm.attributes) if arm.attributes else {"control": "yes"}
        told = " ".join(f"{name}={value}" for name, value in facts.items())
        cost = f"{label} " if index == place else ""
        lines.append(f"{cost}|a id={arm.id} {told}")
    return lines


PEERS: dict[str, tuple[str, Callable[[], Policy]]] = {
    "vowpal_wabbit, squarecb": ("vowpalwabbit", SquareCB),
}
"""Label → package it needs, and what builds the policy."""


def installed() -> dict[str, Callable[[], Policy]]:
    """The peers whose packages are here."""
    return {label: make for label, (package, make) in PEERS.items() if find_spec(package)}
