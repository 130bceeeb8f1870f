"""Who takes part: ours, ours with one part taken out, and what people use instead."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib.util import find_spec
from typing import Final

from benchmarks.drift.asks import Prompts
from benchmarks.drift.play import Account, Run, Slates, play, play_asking
from benchmarks.drift.world import World
from benchmarks.peers import DRIFT_PEERS, installed
from benchmarks.peers.stable_ppo import play_ppo
from hookline.memory import Memory
from hookline.policies import POLICIES, make_policy
from hookline.types import Arm, Context

Play = Callable[[World], Run]
"""Plays a world from the first visit to the last."""

OURS: Final = "ours"
STATIC: Final = "static A/B"


@dataclass(frozen=True, kw_only=True)
class Ours:
    """One form of ours.

    Attributes:
        params: Parameters of `actor_critic` that differ from its defaults.
        remembers: Whether it is told each shopper's past.
        asks: Whether it says what new lines shall be like.
    """

    params: Mapping[str, float] = field(default_factory=dict[str, float])
    remembers: bool = True
    asks: bool = True


FORMS: Final[Mapping[str, Ours]] = {
    OURS: Ours(),
    "ours without memory": Ours(params={"memory": 0}, remembers=False),
    "ours without drift detector": Ours(params={"drift": 0}),
    "ours without text features": Ours(params={"text": 0}),
    "ours with static prompts": Ours(asks=False),
}
"""Ours whole, then with one part taken out."""

REGISTERED: Final[Mapping[str, tuple[str, Mapping[str, float]]]] = {
    STATIC: ("uniform", {}),
    "explore-then-commit": ("explore_then_commit", {"explore": 50}),
    "thompson": ("thompson", {}),
    "ppo, as in the paper": ("ppo", {}),
}
"""Label → registered policy and its parameters; `explore` was the best of 50, 100 and 300 on worlds
that the benchmark does not use."""


def entries() -> dict[str, Play]:
    """Label → what plays it: ours first, then everybody whose package is here."""
    found: dict[str, Play] = {label: _ours(form) for label, form in FORMS.items()}
    for label, (name, params) in REGISTERED.items():
        if name in POLICIES:
            found[label] = partial(play, make=partial(make_policy, name, params))
    for label, make in installed(DRIFT_PEERS).items():
        found[label] = partial(play, make=make)
    if find_spec("stable_baselines3"):
        found["stable-baselines3, ppo"] = _stable_ppo
    return found


def _ours(form: Ours) -> Play:
    def of(world: World) -> Run:
        run, slates = _whole(world)
        if form == FORMS[OURS]:
            return run
        make = partial(make_policy, "actor_critic", form.params)
        memory = Memory if form.remembers else None
        return play(world, make=make, memory=memory, slates=slates if form.asks else None)

    return of


@lru_cache(maxsize=1)
def _whole(world: World) -> tuple[Run, Slates]:
    """Ours in this world, and the lines that it asked for.

    Ours less one part gets the same lines, so that the part alone makes the difference.
    """
    make = partial(make_policy, "actor_critic", FORMS[OURS].params)
    return play_asking(world, make=make, memory=Memory, asks=Prompts)


def _stable_ppo(world: World) -> Run:
    """Stable-Baselines3's PPO in a loop of its own; clicks reach it at once."""
    game = _Game(world)
    play_ppo(game, seed=world.seed)
    return game.account.run()


class _Game:
    """The world with its own slates, one visit after the other."""

    def __init__(self, world: World) -> None:
        self.account = Account(world)
        self._world = world

    def __len__(self) -> int:
        return len(self._world.visits)

    def ask(self, index: int) -> tuple[Context, str, Sequence[Arm]]:
        """Visitor, audience and arms of a visit."""
        world = self._world
        return world.contexts[index], world.audiences[index], world.slates[world.epochs[index]]

    def serve(self, index: int, arm: Arm) -> bool:
        """Whether the shopper of a visit clicks on this arm."""
        return self.account.serve(index, arm)
