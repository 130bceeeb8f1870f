"""Stable-Baselines3's PPO, which wants an environment of its own and no word about delays."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.facts import copy_facts, visitor_facts
from hookline.types import Arm, Context


class Game(Protocol):
    """Visits that ask for copy one after the other."""

    def __len__(self) -> int:
        """How many visits there are."""
        ...

    def ask(self, index: int) -> tuple[Context, str, Sequence[Arm]]:
        """Visitor, audience and arms of a visit."""
        ...

    def serve(self, index: int, arm: Arm) -> bool:
        """Whether the shopper of a visit clicks on this arm."""
        ...


def play_ppo(game: Game, *, seed: int = 0) -> None:
    """Plays all visits once with Stable-Baselines3's PPO, which learns from each click at once.

    That there is no delay favours it. An action is a place on the slate; what is seen of a visit
    are the facts of visitor and of the copy in each place, one-hot. A visit's reward says nothing
    of the next one, so the discount is 0. Learning rate, steps and entropy are the best of six
    settings on two abrupt worlds, seeds 9,000 and 9,001, which `benchmarks.drift` does not use.

    Args:
        game: The visits.
        seed: Of its network and of its choices.
    """
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    package: Any = import_module("stable_baselines3")
    model = package.PPO(
        "MlpPolicy", _environment(game), seed=seed, device="cpu", gamma=0.0, gae_lambda=0.0,
        n_steps=250, batch_size=250, n_epochs=10, learning_rate=1e-3, ent_coef=0.01,
    )  # fmt: skip
    silent: Any = import_module("stable_baselines3.common.logger").Logger
    model.set_logger(silent(folder=None, output_formats=[]))
    model.learn(total_timesteps=len(game))


def _environment(game: Game) -> Any:  # noqa: ANN401 - a class of a package that may not be here
    """The game as a gymnasium environment of one episode."""
    gymnasium: Any = import_module("gymnasium")
    view = _View(game)

    class Visits(gymnasium.Env):
        """One visit a step; PPO plays whole rollouts, so steps past the last visit do nothing."""

        observation_space = gymnasium.spaces.Box(0.0, 1.0, (view.width,), np.float32)
        action_space = gymnasium.spaces.Discrete(view.arms)

        def __init__(self) -> None:
            self._index = 0

        def reset(self, *, seed: int | None = None, options: object = None) -> Any:  # noqa: ANN401
            super().reset(seed=seed, options=options)  # pyright: ignore[reportUnknownMemberType]
            return self._seen(), {}

        def step(self, action: int) -> Any:  # noqa: ANN401
            clicked = False
            if self._index < len(game):
                clicked = game.serve(self._index, game.ask(self._index)[2][int(action)])
                self._index += 1
            return self._seen(), float(clicked), self._index == len(game), False, {}

        def _seen(self) -> NDArray[np.float32]:
            return view.of(min(self._index, len(game) - 1))

    return Visits()


class _View:
    """A visit as one row of 0 and 1: visitor facts, then the facts of each place's copy."""

    def __init__(self, game: Game) -> None:
        self._game = game
        self._visitor: dict[str, int] = {}
        self._copy: dict[str, int] = {}
        for index in range(len(game)):
            context, audience_id, arms = game.ask(index)
            for fact in visitor_facts(context, audience_id):
                self._visitor.setdefault(fact, len(self._visitor))
            for arm in arms:
                for fact in copy_facts(arm):
                    self._copy.setdefault(fact, len(self._copy))
        self.arms = len(game.ask(0)[2])
        self.width = len(self._visitor) + self.arms * len(self._copy)

    def of(self, index: int) -> NDArray[np.float32]:
        """The row of one visit, shape (width,)."""
        context, audience_id, arms = self._game.ask(index)
        row = np.zeros(self.width, dtype=np.float32)
        row[[self._visitor[fact] for fact in visitor_facts(context, audience_id)]] = 1.0
        for place, arm in enumerate(arms):
            first = len(self._visitor) + place * len(self._copy)
            row[[first + self._copy[fact] for fact in copy_facts(arm)]] = 1.0
        return row
