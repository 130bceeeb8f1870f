"""Each arm as often as the critic gives it a chance to be the best for this very visitor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from hookline.critic import Critic, CriticState
from hookline.perceive import States, states
from hookline.policies.base import FLOOR, Array, Policy, restored, within
from hookline.policies.best import normal_chance_of_best
from hookline.types import Arm, Context, Decision, dumps


@dataclass(frozen=True, kw_only=True, slots=True)
class ActorCriticState:
    """What is learned; the actor follows from the critic and keeps nothing of its own."""

    critic: CriticState


class ActorCritic(Policy):
    """A critic that values every copy for this visitor, and an actor that acts on its doubts.

    The critic is a Bayesian regression of the reward on the fused state of visitor, context and
    copy. The actor plays each arm with its chance to be best under the critic's joint posterior,
    its standard deviations multiplied by `caution`: the policy is improved in closed form at every
    request instead of by gradient steps towards the same place (docs/log.md compares them).

    Args:
        caution: How seriously to take the critic's doubts, 0 to 3: 1 is Thompson sampling, 0 is
            greedy; below 1 exploits sooner, which pays over the horizons of copy tests.
        floor: Least probability of every arm.
    """

    name: ClassVar[str] = "actor_critic"

    def __init__(self, *, caution: float = 0.4, floor: float = FLOOR) -> None:
        super().__init__(floor=floor)
        self.caution = within("caution", caution, 0, 3)
        self._critic = Critic()

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        """The chance of each arm to be the best for this visitor."""
        if len(arms) == 1:
            return np.ones(1)
        prediction = self._critic.predict(states(context, audience_id, arms))
        doubt = np.sqrt(own_variances(prediction.covariance)) * self.caution
        least = 1e-6 * max(prediction.level, float(np.ptp(prediction.mean)))
        return normal_chance_of_best(prediction.mean, np.maximum(doubt, least))

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """Teaches the critic what the arm served brought; nothing if `arms` does not hold it."""
        if (seen := _served(decision, arms)) is not None:
            self._critic.learn(seen, reward)

    def correct(self, decision: Decision, arms: Sequence[Arm], delta: float) -> None:
        """Teaches the critic that the reward of that arm has changed."""
        if (seen := _served(decision, arms)) is not None:
            self._critic.correct(seen, delta)

    def dump(self) -> str:
        """The critic's sums as JSON."""
        return dumps(ActorCriticState(critic=self._critic.state())).decode()

    def load(self, state: str) -> None:
        """Takes over dumped sums, and computes the posterior that follows from them."""
        self._critic = Critic.of(restored(self.name, state, ActorCriticState).critic)

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(caution=self.caution, floor=self.floor)


def own_variances(covariance: Array) -> Array:
    """The variances of independent arms whose contrasts vary as those of the given ones.

    What all arms share (the visitor's own level) does not decide which is best, so it is taken
    out: the diagonal of the doubly centred covariance C is matched to that of independent arms,
    C_kk = d_k (1 - 2/K) + Σd / K².

    Args:
        covariance: Shape (arms, arms), at least two arms.

    Returns:
        Array of shape (arms,), never negative.
    """
    count = len(covariance)
    centred = covariance - covariance.mean(axis=0)
    contrasts = np.diag(centred) - centred.mean(axis=1)
    total = contrasts.sum() / (1 - 1 / count)
    if count == 2:
        return np.full(2, max(total, 0.0) / 2)
    own = (contrasts - total / count**2) / (1 - 2 / count)
    return np.maximum(own, 1e-3 * max(total, 0.0) / count)


def _served(decision: Decision, arms: Sequence[Arm]) -> States | None:
    arm = next((arm for arm in arms if arm.id == decision.arm_id), None)
    return None if arm is None else states(decision.context, decision.audience_id, [arm])
