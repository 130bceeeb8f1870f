"""A DeepFM-style click model, as recommenders use, that explores now and then."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np

from benchmarks.peers.base import Peer
from benchmarks.peers.facts import copy_facts, visitor_facts
from hookline.policies.base import Array
from hookline.types import Arm, Context, Decision

COLUMNS, FIELDS = 512, 16
"""Most different facts, and most facts of one visitor and copy; fact 0 is "nothing"."""
EMBEDDING, HIDDEN = 8, 32


class DeepFM(Peer):
    """A factorisation machine and a small network on shared embeddings (Guo et al. 2017), in torch.

    It predicts the click from one-hot facts about visitor and copy, the copy's id among them, and
    serves the best arm but for a share `explore` that goes to all alike. Each time it is asked
    after new outcomes came in, it takes a few Adam steps on them and on a sample of the past.

    Args:
        explore: Share of visits that are dealt evenly. With `rate` and `steps` the best of eight
            settings (.05 and .1; .0005 to .01; 2 to 12) on two abrupt worlds, seeds 9,000 and
            9,001, which `benchmarks.drift` does not use.
        rate: Adam's learning rate.
        steps: Adam steps for each batch of outcomes.
        batch: Outcomes in a step.
    """

    name: ClassVar[str] = "deepfm"

    def __init__(
        self, *, explore: float = 0.1, rate: float = 0.0005, steps: int = 8, batch: int = 256
    ) -> None:
        super().__init__()
        self.explore, self.rate, self.steps, self.batch = explore, rate, steps, batch
        self._torch: Any = import_module("torch")
        self._torch.set_num_threads(1)
        self._torch.manual_seed(0)
        self._rng = np.random.default_rng(0)
        self._weights = self._new_weights()
        self._adam = self._torch.optim.Adam(
            list(self._weights.values()), lr=rate, weight_decay=1e-5
        )
        self._columns: dict[str, int] = {}
        self._rows: list[list[int]] = []
        self._rewards: list[float] = []
        self._fitted = 0

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        """Most on the arm with the highest predicted chance of a click."""
        if self._fitted < len(self._rows):
            self._fit()
        rows = [self._row(context, audience_id, arm) for arm in arms]
        with self._torch.inference_mode():
            logits = self._logits(self._torch.tensor(rows)).numpy()
        shares = np.full(len(arms), self.explore / len(arms))
        shares[int(logits.argmax())] += 1 - self.explore
        return shares

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """Keeps the outcome for the next fit."""
        arm = next(arm for arm in arms if arm.id == decision.arm_id)
        self._rows.append(self._row(decision.context, decision.audience_id, arm))
        self._rewards.append(reward)

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(explore=self.explore, rate=self.rate, steps=self.steps, batch=self.batch)

    def _fit(self) -> None:
        """A few steps, each on the outcomes not seen yet and on older ones."""
        fresh = np.arange(self._fitted, len(self._rows))
        for _ in range(self.steps):
            older = self._rng.integers(0, len(self._rows), max(0, self.batch - fresh.size))
            chosen = np.concatenate([fresh, older]).tolist()
            rows = self._torch.tensor([self._rows[one] for one in chosen])
            clicked = self._torch.tensor([self._rewards[one] for one in chosen])
            self._adam.zero_grad()
            loss = self._torch.nn.functional.binary_cross_entropy_with_logits
            loss(self._logits(rows), clicked).backward()
            self._adam.step()
        self._fitted = len(self._rows)

    def _new_weights(self) -> dict[str, Any]:
        """All weights, by name: small and random, the click rate's logit near -2.2."""
        shapes = {
            "bias": (1,), "linear": (COLUMNS, 1), "embedding": (COLUMNS, EMBEDDING),
            "in": (FIELDS * EMBEDDING, HIDDEN), "in_bias": (HIDDEN,), "out": (HIDDEN, 1),
        }  # fmt: skip
        weights = {name: self._torch.randn(shape) * 0.05 for name, shape in shapes.items()}
        weights["bias"].fill_(-2.2)
        return {name: weight.requires_grad_() for name, weight in weights.items()}

    def _logits(self, rows: Any) -> Any:  # noqa: ANN401 - torch's tensors; it may not be here
        """Bias + linear part + pairwise products + network, shape (rows,)."""
        w = self._weights
        present = (rows > 0).unsqueeze(-1)
        seen = w["embedding"][rows] * present
        pairs = (seen.sum(1) ** 2 - (seen**2).sum(1)).sum(1) / 2
        hidden = self._torch.relu(seen.flatten(1) @ w["in"] + w["in_bias"])
        linear = (w["linear"][rows] * present).sum((1, 2))
        return w["bias"] + linear + pairs + (hidden @ w["out"]).squeeze(1)

    def _row(self, context: Context, audience_id: str, arm: Arm) -> list[int]:
        """The columns of the facts, one field after the other, filled up with 0.

        A fact beyond the last column shares one with another.
        """
        facts = [*visitor_facts(context, audience_id), f"id={arm.id}", *copy_facts(arm)][:FIELDS]
        columns = [
            self._columns.setdefault(fact, 1 + len(self._columns) % (COLUMNS - 1)) for fact in facts
        ]
        return columns + [0] * (FIELDS - len(columns))
