"""What a writer in training is paid for at every step, and who watches it.

a step's copies → objectives, guards → Mix → a reward each
                → every few steps a look → Watch → why to stop

A writer that learns step by step moves the weights of its objectives step by step, too; one that
draws much at once has them `settled` on that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, nan
from typing import Final, Protocol

import msgspec
import numpy as np

from hookline.guards import Guard
from hookline.tune.duals import Mix
from hookline.tune.objectives import (
    Candidate,
    FloatArray,
    Objective,
    Reading,
    gates,
    groups_of,
)
from hookline.tune.reward import HeldOut
from hookline.tune.watch import Look, Watch, look, mean_look
from hookline.types import Brief

LOOK_EVERY: Final = 5
"""Steps from one look to the next."""


class Drawn(Protocol):
    """One drawn copy, such as `tune.house.Sample`."""

    @property
    def brief(self) -> Brief:
        """What it answers."""
        ...

    @property
    def parts(self) -> Mapping[str, str]:
        """Channel field name → text."""
        ...

    @property
    def group(self) -> int:
        """Which of the step's briefs it answers."""
        ...

    @property
    def loglik(self) -> float:
        """Nats a piece under the base."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Paid:
    """What a step's copies came to.

    Attributes:
        values: Objective → mean over the copies that guards pass.
        weights: Objective → what it weighed.
        passed: Share of copies that guards pass and that are fluent enough.
        reward: Mean reward of all.
    """

    values: Mapping[str, float]
    weights: Mapping[str, float]
    passed: float
    reward: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Guardian:
    """Who watches: a reward model that nothing is paid by, and how far training may go.

    Attributes:
        held_out: The model.
        watch: The limits, and what the base writer is like; looks are of as many copies as its own.
        proxy: Objective that the held-out model checks.
    """

    held_out: HeldOut
    watch: Watch
    proxy: str = "conversion"


@dataclass(kw_only=True, slots=True)
class Pursuit:
    """Pays every step's copies, and remembers what they came to.

    `pay` is the score, this object the memory; `watched` is to be asked after each step, or
    `inspect` to be shown what a writer draws after much at once.

    Attributes:
        objectives: What copies are read for; others than those that `mix` weighs are only told.
        mix: Makes one reward of them; it is replaced by the next one after every step.
        guards: What they reject lies below all of its group.
        guardian: Who watches; None for nobody.
        floor: Least `loglik` of a copy; below, it is as bad as one that guards reject.
        settles: Whether each batch is large enough to find the weights on it alone.
        paid: What every step came to.
        looks: Every look so far.
        why: Why training must stop; empty while it may go on.
    """

    objectives: Sequence[Objective]
    mix: Mix
    guards: Sequence[Guard]
    guardian: Guardian | None = None
    floor: float = -inf
    settles: bool = False
    paid: list[Paid] = field(default_factory=list[Paid])
    looks: list[Look] = field(default_factory=list[Look])
    why: str = ""
    _latest: tuple[list[Candidate], FloatArray] | None = None

    def pay(self, drawn: Sequence[Drawn]) -> FloatArray:
        """A reward for each copy, shape (copies,); the mix has learned from them then."""
        candidates = candidates_of(drawn)
        if not candidates:
            return np.zeros(0)
        groups = groups_of(candidates)
        values = {each.name: each(candidates) for each in self.objectives}
        ok = gates(self.guards, candidates)
        ok &= np.array([not each.loglik < self.floor for each in candidates])
        if self.settles:
            self.mix = self.mix.settled(values, ok, groups)
        rewards = self.mix.combine(values, ok, groups)
        told = {name: float(each[ok].mean()) if ok.any() else nan for name, each in values.items()}
        self.paid.append(
            Paid(
                values=told,
                weights=dict(self.mix.weights),
                passed=float(ok.mean()),
                reward=float(rewards.mean()),
            )
        )
        if not self.settles:
            self.mix = self.mix.update(values, ok, groups)
        if self.guardian is not None:
            self._latest = candidates, values[self.guardian.proxy]
        return rewards

    def watched(self, step: int, entropy: float) -> bool:
        """Whether training may go on after this step.

        Args:
            step: Steps done.
            entropy: Of a drawn piece, nats.
        """
        if self.guardian is None or self._latest is None or step % LOOK_EVERY:
            return not self.why
        candidates, proxy = self._latest
        wanted = self.guardian.watch.base.texts
        if len(candidates) >= wanted:
            self._look(candidates[:wanted], proxy[:wanted], step, entropy)
        return not self.why

    def inspect(self, drawn: Sequence[Drawn], step: int) -> str:
        """Why training must stop, from what the writer draws now; empty while it may go on.

        Args:
            drawn: As many batches of copies as looks are wanted, each as large as the base's; what
                is left over is not looked at.
            step: Steps done.
        """
        if self.guardian is None:
            return ""
        wanted = self.guardian.watch.base.texts
        objective = next(each for each in self.objectives if each.name == self.guardian.proxy)
        candidates = candidates_of(drawn)
        for start in range(0, len(candidates) - wanted + 1, wanted):
            batch = candidates[start : start + wanted]
            self._look(batch, objective(batch), step, nan)
        return self.why

    def _look(
        self, candidates: Sequence[Candidate], proxy: FloatArray, step: int, entropy: float
    ) -> None:
        """One look at a batch, and what the watch says to it."""
        if self.guardian is None:
            return
        self.looks.append(
            look(
                candidates,
                step=step,
                proxy=Reading.of(proxy, groups_of(candidates)),
                held_out=self.guardian.held_out.reading(candidates),
                entropy=entropy,
            )
        )
        self.why = self.guardian.watch.reason(self.looks)

    def dump(self) -> bytes:
        """All that it remembers; in MessagePack, since JSON has no NaN."""
        kept = _Kept(mix=self.mix, paid=self.paid, looks=self.looks, why=self.why)
        return msgspec.msgpack.encode(kept)

    def load(self, content: bytes) -> None:
        """Takes it back as it was."""
        kept = msgspec.msgpack.decode(content, type=_Kept)
        self.mix = msgspec.convert(kept.mix, type(self.mix))
        self.paid, self.looks, self.why = kept.paid, kept.looks, kept.why


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """What `Pursuit` remembers."""

    mix: object
    paid: list[Paid]
    looks: list[Look]
    why: str


def candidates_of(drawn: Sequence[Drawn]) -> list[Candidate]:
    """Drawn copies as objectives read them."""
    return [
        Candidate(brief=each.brief, parts=each.parts, group=each.group, loglik=each.loglik)
        for each in drawn
    ]


def base_look(
    batches: Sequence[Sequence[Drawn]],
    objective: Objective,
    held_out: HeldOut,
    *,
    entropy: float = nan,
) -> Look:
    """What the base writer's copy is like, the mean of several batches; looks are held against it.

    Args:
        batches: Of its copies, each as many as later looks are to have.
        objective: The one that the held-out model checks.
        held_out: That model.
        entropy: Of a drawn piece, nats.
    """
    looks: list[Look] = []
    for drawn in batches:
        candidates = candidates_of(drawn)
        looks.append(
            look(
                candidates,
                step=0,
                proxy=Reading.of(objective(candidates), groups_of(candidates)),
                held_out=held_out.reading(candidates),
                entropy=entropy,
            )
        )
    return mean_look(looks)
