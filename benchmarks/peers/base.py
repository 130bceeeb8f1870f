"""What other people's policies have in common here: they decide and learn, and no more."""

from collections.abc import Sequence

from hookline.policies import Policy
from hookline.types import Arm, Decision


class Peer(Policy):
    """A policy that a benchmark runs beside ours. It is never saved, and no outcome changes late.

    Its probabilities are its own: no floor is added.
    """

    def __init__(self) -> None:
        super().__init__(floor=0.0)

    def correct(self, decision: Decision, arms: Sequence[Arm], delta: float) -> None:
        """Not offered: the benchmarks change no outcome once it is settled."""
        del decision, arms, delta
        raise TypeError(f"{self.name} can't correct what it has learned")

    def dump(self) -> str:
        """Not offered."""
        raise TypeError(f"{self.name} keeps no JSON state")

    def load(self, state: str) -> None:
        """Not offered."""
        del state
        raise TypeError(f"{self.name} keeps no JSON state")
