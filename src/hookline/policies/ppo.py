"""PPO as *RL-LLM-ABTest* has it (Feng, Dai, Gao 2025): a neural actor and critic, taught by buffer.

It is here to be compared with. The paper gives the clipped loss, one state per visitor, context and
copy, a critic V and the learning rate; what it leaves open (sizes, clip, entropy, epochs) has the
usual values of Schulman et al. (2017). One scorer turns each arm's state into one logit, so any
number of arms in any order will do. A decision brings one reward, so its return is that reward, and
the paper's discount of .99 has nothing to work on.

The paper does not say where its data come from. Here outcomes settle late, and the hold-out and the
uniform slice are served by no policy, so the logged propensities are not those of the policy that
learns. The ratio to them is therefore taken in two parts (Hilton, Cobbe, Schulman 2022),

    π / logged  =  π / start · start / logged,

with `start` the policy before the first step of a buffer: the first part is clipped to 1 ± `clip`
as ever, the second is a plain weight, at most `MAX_WEIGHT`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Self

import numpy as np

from hookline.errors import BadInput
from hookline.perceive import DIMENSION, TRAIT, VERSION, VISITOR, states
from hookline.perceive.hashing import crossed, placed
from hookline.policies.base import FLOOR, Array, Policy, restored, within
from hookline.policies.network import (
    HALF,
    WIDTH,
    Batch,
    Network,
    NetworkState,
    Targets,
    arms_in,
    forward,
    gradient,
    logits,
)
from hookline.types import Arm, Context, Decision, dumps

MINIBATCH: Final = 256
EPOCHS: Final = 4
MAX_WEIGHT: Final = 2.0
"""Most that one outcome weighs for being likelier now than when it was logged."""
SCALE: Final = 4.0
"""Brings entries of a dense state to an order of 1, as a network wants them: a feature's size is
the prior of a regression, which means nothing to it."""
TRAIT_SCALE: Final = 0.5 / TRAIT
"""The same for the entries of the visitor's portrait."""
LIMIT: Final = 64.0
"""Most that an entry can be, so that the oddest of visitors can't upset the network."""

_COLUMNS, _SIGNS = placed(
    crossed(np.zeros(1, dtype=np.uint64), np.arange(DIMENSION, dtype=np.uint64)), (0, WIDTH)
)
_SCALES = _SIGNS * SCALE
_SCALES[VISITOR[0] : sum(VISITOR)] *= TRAIT_SCALE / SCALE


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """What the next steps will learn from one decision.

    Attributes:
        id: The decision's.
        rows: Dense state of every arm, `WIDTH` little-endian half-precision floats each.
        served: Row of the arm served.
        propensity: Logged probability of that arm, all slices of the traffic taken together.
        reward: What it brought; where `late`, by how much that has changed.
        late: Whether the network has learned from that decision before.
    """

    id: str
    rows: bytes
    served: int
    propensity: float
    reward: float
    late: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PpoState:
    """What is learned.

    Attributes:
        version: Version of the features that states are made of.
        network: The network.
        outcomes: Number of outcomes.
        power: Sum of their squared rewards.
        pending: The buffer.
    """

    version: int
    network: NetworkState
    outcomes: int
    power: float
    pending: tuple[Pending, ...]


class Ppo(Policy):
    """Proximal policy optimisation: gradient steps on an actor and a critic, a buffer at a time.

    Rewards are counted in units of their root mean square so far, so that clicks and money ask for
    the same learning rate. A change of an outcome that waits in the buffer is put right there; one
    of an outcome already used joins the buffer with the change as its advantage.

    Args:
        learning_rate: Adam's, 1e-6 to .1; .0003 is the paper's.
        clip: How far from 1 the ratio to the policy before a buffer can still pay, .01 to 1.
        entropy: Weight of the bonus for entropy, 0 to 1.
        buffer: Outcomes that are gathered before the network learns, 1 to 100,000.
        seed: Of the first weights and of the order in a buffer, a whole number from 0 to 1e9.
        floor: Least probability of every arm.
    """

    name: ClassVar[str] = "ppo"

    def __init__(
        self,
        *,
        learning_rate: float = 3e-4,
        clip: float = 0.2,
        entropy: float = 0.01,
        buffer: float = 256,
        seed: float = 0,
        floor: float = FLOOR,
    ) -> None:
        super().__init__(floor=floor)
        self.learning_rate = within("learning_rate", learning_rate, 1e-6, 0.1)
        self.clip = within("clip", clip, 0.01, 1)
        self.entropy = within("entropy", entropy, 0, 1)
        self.buffer = within("buffer", buffer, 1, 100_000)
        self.seed = within("seed", seed, 0, 1e9)
        self._network = Network(int(seed))
        self._outcomes = 0
        self._power = 0.0
        self._pending: list[Pending] = []

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        """The softmax of the actor's logits, up to its sum."""
        scores = logits(self._network.weights, dense_states(context, audience_id, arms))
        return np.exp(scores - scores.max())

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """Puts the outcome into the buffer, and learns from the buffer once it is full."""
        if (pending := _pending(decision, arms, reward)) is not None:
            self._outcomes += 1
            self._power += reward * reward
            self._pending.append(pending)
            self._learn_if_full()

    def correct(self, decision: Decision, arms: Sequence[Arm], delta: float) -> None:
        """Puts the outcome right in the buffer; or the change into it, where it was used before."""
        for index in reversed(range(len(self._pending))):
            known = self._pending[index]
            if known.id == decision.id:
                self._pending[index] = changed = replace(known, reward=known.reward + delta)
                if changed.late and changed.reward == 0:
                    del self._pending[index]
                return
        if (pending := _pending(decision, arms, delta)) is not None:
            self._pending.append(replace(pending, late=True))
            self._learn_if_full()

    def dump(self) -> str:
        """Weights, Adam's moments and the buffer as JSON."""
        state = PpoState(
            version=VERSION,
            network=self._network.state(),
            outcomes=self._outcomes,
            power=self._power,
            pending=tuple(self._pending),
        )
        return dumps(state).decode()

    def load(self, state: str) -> None:
        """Takes over dumped weights, moments and buffer."""
        found = restored(self.name, state, PpoState)
        if found.version != VERSION:
            raise BadInput(
                f"the network was taught with features of version {found.version}, this is "
                f"version {VERSION}; replay the log to rebuild it"
            )
        if not all(0 <= each.served < arms_in(each.rows) for each in found.pending):
            raise BadInput("the buffer names arms that it lacks; replay the log to rebuild it")
        self._network = Network.of(found.network)
        self._outcomes = found.outcomes
        self._power = found.power
        self._pending = list(found.pending)

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(
            learning_rate=self.learning_rate,
            clip=self.clip,
            entropy=self.entropy,
            buffer=self.buffer,
            seed=self.seed,
            floor=self.floor,
        )

    def _learn_if_full(self) -> None:
        """Some epochs over the buffer, once it holds enough outcomes, or as many late changes."""
        late = sum(each.late for each in self._pending)
        if max(late, len(self._pending) - late) < self.buffer:
            return
        pending, self._pending = self._pending, []
        network = self._network
        targets = _targets(network.weights, pending, self._unit())
        rng = np.random.default_rng([int(self.seed), network.steps])
        for _ in range(EPOCHS):
            order: list[int] = rng.permutation(len(pending)).tolist()
            for start in range(0, len(order), MINIBATCH):
                part = order[start : start + MINIBATCH]
                batch = _batch([pending[index] for index in part])
                taught = targets.at(part)
                slope = gradient(
                    network.weights, batch, taught, clip=self.clip, entropy=self.entropy
                )
                network.step(slope, self.learning_rate)

    def _unit(self) -> float:
        """Root mean square of the rewards so far; 1 while they are all 0."""
        return (self._power / max(1, self._outcomes)) ** 0.5 or 1.0


def dense_states(context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
    """The fused state of the visitor with each arm, shape (arms, `WIDTH`)."""
    seen = states(context, audience_id, arms)
    cells = seen.rows * WIDTH + _COLUMNS[seen.places]
    values = seen.values * _SCALES[seen.places]
    rows = np.asarray(np.bincount(cells, values, seen.count * WIDTH), dtype=np.float64)
    return np.clip(rows, -LIMIT, LIMIT).reshape(seen.count, WIDTH)


def _pending(decision: Decision, arms: Sequence[Arm], reward: float) -> Pending | None:
    """What the decision will teach; None where `arms` does not hold the arm served."""
    served = next((row for row, arm in enumerate(arms) if arm.id == decision.arm_id), None)
    if served is None:
        return None
    rows = dense_states(decision.context, decision.audience_id, arms)
    return Pending(
        id=decision.id,
        rows=rows.astype(HALF).tobytes(),
        served=served,
        propensity=decision.probabilities.get(decision.arm_id, decision.propensity),
        reward=reward,
    )


def _batch(pending: Sequence[Pending]) -> Batch:
    return Batch.of([each.rows for each in pending], [each.served for each in pending])


def _targets(weights: Array, pending: Sequence[Pending], unit: float) -> Targets:
    """What the buffer is to teach, seen from the policy with these weights.

    Args:
        weights: The network's, before the first step.
        pending: The buffer, not empty.
        unit: Reward that counts as 1.
    """
    batch = _batch(pending)
    now = forward(weights, batch)
    logs = now.logs[batch.served]
    logged = np.array([each.propensity for each in pending])
    values = np.array([each.reward for each in pending]) / unit
    valued = np.array([float(not each.late) for each in pending])
    return Targets(
        logs=logs,
        weights=np.minimum(np.exp(logs) / np.maximum(logged, 1e-9), MAX_WEIGHT),
        advantages=values - valued * now.values,
        values=values,
        valued=valued,
    )
