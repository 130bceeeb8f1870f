"""Each arm as often as the critic gives it a chance to be the best for this very visitor."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from hookline.critic import Critic, CriticState
from hookline.perceive import Met, Sight
from hookline.policies.base import FLOOR, Array, Policy, restored, within
from hookline.policies.best import quick_chance_of_best
from hookline.types import Arm, Context, Decision, dumps

MOST_OUTLOOKS = 64
"""Pairs of an audience and a set of arms for which the critic's word is kept at hand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActorCriticState:
    """What is learned; the actor follows from the critic and keeps nothing of its own."""

    critic: CriticState


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outlook:
    """What the critic says of some arms to one audience, as the actor needs it.

    Attributes:
        arms: The arms, as the critic sees them.
        mean: Expected reward, shape (arms,).
        doubt: How far it may be off, as far as that can change which arm is best, shape (arms,).
        sight: What visitor and past add.
    """

    arms: Sequence[Arm]
    mean: Array
    doubt: Array
    sight: Sight


class ActorCritic(Policy):
    """A critic that values every copy for this visitor, and an actor that acts on its doubts.

    The critic is a Bayesian regression of the reward on the fused state of visitor, context, past
    and copy, with a memory as long as tastes stand still. The actor plays each arm with its chance
    to be best under the critic's posterior, its standard deviations multiplied by `caution`: the
    policy is improved in closed form at every request instead of by gradient steps towards the same
    place (docs/log.md compares them).

    Args:
        caution: How seriously to take the critic's doubts, 0 to 3: 1 is Thompson sampling, 0 is
            greedy; below 1 exploits sooner, which pays over the horizons of copy tests.
        floor: Least probability of every arm.
        memory: 1 looks at what the visitor was shown before, 0 does not.
        drift: 1 watches how long a memory is worth having, 0 never forgets.
        text: 1 sees what a copy says and was asked to be, 0 only which one it is.
    """

    name: ClassVar[str] = "actor_critic"

    def __init__(
        self,
        *,
        caution: float = 0.2,
        floor: float = FLOOR,
        memory: float = 1,
        drift: float = 1,
        text: float = 1,
    ) -> None:
        super().__init__(floor=floor)
        self.caution = within("caution", caution, 0, 3)
        self.memory = within("memory", memory, 0, 1)
        self.drift = within("drift", drift, 0, 1)
        self.text = within("text", text, 0, 1)
        self._critic = Critic() if drift else Critic(half_lives=(None,), trust=(1.0,))
        self._outlooks: dict[tuple[str, tuple[str, ...]], _Outlook] = {}

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        """The chance of each arm to be the best for this visitor."""
        if len(arms) == 1:
            return np.ones(1)
        key = (audience_id, tuple([arm.id for arm in arms]))
        outlook = self._outlooks.get(key)
        if outlook is None:
            if len(self._outlooks) >= MOST_OUTLOOKS:
                self._outlooks.clear()
            outlook = self._outlooks[key] = self._look(audience_id, self._seen(arms))
        mean = outlook.mean + outlook.sight.values(self._noticed(context))
        return quick_chance_of_best(mean, outlook.doubt)

    def _look(self, audience_id: str, arms: Sequence[Arm], met: Met | None = None) -> _Outlook:
        prediction = self._critic.predict(audience_id, arms, met)
        doubt = np.sqrt(own_variances(prediction.covariance)) * self.caution
        least = 1e-6 * max(prediction.level, float(np.ptp(prediction.mean)))
        return _Outlook(
            arms=arms,
            mean=prediction.mean,
            doubt=np.maximum(doubt, least),
            sight=prediction.sight,
        )

    def _look_again(self) -> None:
        """Renews what was at hand where the critic has changed its mind, before anybody waits."""
        if not self._critic.settled:
            self._outlooks = {
                key: self._look(key[0], outlook.arms, outlook.sight.met)
                for key, outlook in self._outlooks.items()
            }

    def _noticed(self, context: Context) -> Context:
        return replace(context, past=()) if context.past and not self.memory else context

    def _seen(self, arms: Sequence[Arm]) -> Sequence[Arm]:
        if self.text:
            return arms
        return [
            replace(arm, text="", attributes=None, audience_id="", embedding=()) for arm in arms
        ]

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        """Teaches the critic what the arm served brought; nothing if `arms` does not hold it."""
        for arm in self._served(decision, arms):
            context = self._noticed(decision.context)
            self._critic.learn(context, decision.audience_id, arm, reward)
        self._look_again()

    def correct(self, decision: Decision, arms: Sequence[Arm], delta: float) -> None:
        """Teaches the critic that the reward of that arm has changed."""
        for arm in self._served(decision, arms):
            context = self._noticed(decision.context)
            self._critic.correct(context, decision.audience_id, arm, delta)
        self._look_again()

    def forget(self, visitor_id: str) -> None:
        """Has the critic keep nothing of the visitor but their part in its sums."""
        self._critic.forget(visitor_id)
        self._look_again()

    def _served(self, decision: Decision, arms: Sequence[Arm]) -> Sequence[Arm]:
        return self._seen([arm for arm in arms if arm.id == decision.arm_id])

    def dump(self) -> str:
        """The critic's sums as JSON."""
        return dumps(ActorCriticState(critic=self._critic.state())).decode()

    def load(self, state: str) -> None:
        """Takes over dumped sums, and computes the posterior that follows from them."""
        self._critic.restore(restored(self.name, state, ActorCriticState).critic)
        self._outlooks = {}

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(
            caution=self.caution,
            floor=self.floor,
            memory=self.memory,
            drift=self.drift,
            text=self.text,
        )


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
