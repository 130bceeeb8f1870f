"""One forecast: a critic that tells copies apart, and the visitor's level on top of it."""

from collections.abc import Sequence
from math import inf
from typing import Final, NamedTuple

import numpy as np

from hookline.critic import Critic
from hookline.estimator.level import Array, Hidden, Level, Pair

FEWEST: Final = 10
"""Outcomes other than 0 that a head has learned before it says anything."""
BATCH: Final = 128
"""Most outcomes that wait until they are learned together; fewer as long as little is known."""


class Expected(NamedTuple):
    """What is expected, and how far it may be off.

    Attributes:
        mean: Shape (n,).
        sd: Standard deviation of the expectation, not of the outcome; shape (n,).
    """

    mean: Array
    sd: Array


class Head:
    """Forecasts one reward that is never below 0.

    Args:
        most: What it is at most: 1 for a chance.
        personal: Whether outcomes of one visitor are apart enough to learn their own level from.
    """

    def __init__(self, *, most: float = inf, personal: bool = True) -> None:
        self.most = most
        self.personal = personal
        self._critic = Critic()
        self._level = Level()
        self._hidden = Hidden()
        self._waiting: list[tuple[Pair, float]] = []
        self._learned = self._successes = 0

    @property
    def speaks(self) -> bool:
        """Whether it has learned enough to say anything."""
        return self._successes >= FEWEST

    @property
    def usual(self) -> float:
        """Mean of all rewards learned; what one would say knowing nothing of visitor and copy."""
        return self._level.usual

    def learn(self, pair: Pair, reward: float) -> None:
        """Takes in one outcome."""
        self._waiting.append((pair, reward))
        self._learned += 1
        self._successes += reward != 0
        self._level.note(reward)
        if len(self._waiting) >= max(16, min(BATCH, self._learned // 10)):
            self._take_in()

    def correct(self, pair: Pair, delta: float) -> None:
        """Takes in that an outcome learned before has changed by `delta`."""
        self._take_in()
        expected, _ = self._critic.expected([pair])
        self._level.correct(pair, expected, delta)
        if self.personal:
            self._hidden.correct(pair[0].visitor_id, delta / self._level.dispersion)
        self._critic.correct(*pair, delta)

    def forget(self, visitor_id: str) -> None:
        """Keeps nothing of one visitor but their part in sums over many."""
        self._take_in()
        self._critic.forget(visitor_id)
        self._hidden.forget(visitor_id)

    def expected(self, pairs: Sequence[Pair]) -> Expected:
        """What each pair will bring.

        Args:
            pairs: At least one.
        """
        means, variances = self._level.expected(pairs, *self._critic.expected(pairs))
        if self.personal:
            own = np.array([self._hidden.factor(context.visitor_id) for context, _, _ in pairs])
            means, variances = means * own[:, 0], variances + own[:, 1]
        means = np.minimum(means, self.most)
        return Expected(means, means * np.sqrt(variances))

    def _take_in(self) -> None:
        """Learns what waits: first what was expected of it, then what it tells of the copies."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        pairs = [pair for pair, _ in waiting]
        rewards = np.array([reward for _, reward in waiting])
        foretold, sd = self._critic.expected(pairs)
        if self._learned > len(waiting):  # a critic that knows nothing foretells the first few
            if self.personal:
                means, _ = self._level.expected(pairs, foretold, sd)
                unit = self._level.dispersion
                for (context, _, arm), mean, reward in zip(pairs, means, rewards, strict=True):
                    self._hidden.learn(context.visitor_id, arm.id, mean / unit, reward / unit)
            self._level.learn(pairs, foretold, rewards)
        for pair, reward in waiting:
            self._critic.learn(*pair, reward)
