"""How to tune the house model, and how far a tuning is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import cos, nan, pi
from typing import Final, Literal, Protocol

from hookline.errors import BadInput

Method = Literal["sft", "dpo", "kto", "grpo"]

_LEAST_PACE: Final = 0.05
"""Share of the highest learning rate that a taught model ends with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Teaching:
    """How to learn from given lines: supervised, from pairs, or from what was judged.

    The lines are known beforehand, and how often each is seen, so the rate rises, then falls as a
    cosine does, and the last lines change little.

    Attributes:
        passes: Times each line is seen, above 0.
        batch: Pieces of a batch.
        rate: Highest learning rate.
        warm_up: Steps in which the rate rises.
        beta: How strongly pairs and judgements hold the model to its base, above 0.
        anchor: Weight of the better line's own nats a piece, beside the pair's log-odds; DPO only.
        forget: Share of supervised lines whose conditions are not told, as when the base was
            trained.
        clip: Greatest norm of a gradient.
        seed: Of the order of lines and of what they are not told.
    """

    passes: float = 3.0
    batch: int = 1024
    rate: float = 1e-4
    warm_up: int = 10
    beta: float = 0.1
    anchor: float = 0.0
    forget: float = 0.05
    clip: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses what can't be tuned with."""
        if min(self.passes, self.batch, self.rate, self.beta, self.clip) <= 0:
            raise BadInput("passes, batch, rate, beta and clip must lie above 0")
        if self.anchor < 0 or self.warm_up < 1 or not 0 <= self.forget < 1:
            raise BadInput(
                "anchor lies not below 0, warm_up is 1 or more, forget from 0 to below 1"
            )

    def rate_at(self, step: int, steps: int) -> float:
        """The learning rate of a step, from 0, of so many."""
        rise = min((step + 1) / self.warm_up, 1.0)
        fall = _LEAST_PACE + (1 - _LEAST_PACE) * (1 + cos(pi * step / steps)) / 2
        return self.rate * rise * fall


@dataclass(frozen=True, kw_only=True, slots=True)
class Rewarding:
    """How to learn from scores of what the model draws.

    How far a rate takes the model depends on the scores, on how much they differ within a group,
    and on how far it has come, none of which is known beforehand, so the rate follows the KL
    divergence that an update turns out to have: halved, the rate takes the model a quarter as far.

    Attributes:
        steps: Times that copies are drawn.
        briefs: Briefs that are drawn for at a time.
        per_brief: Copies of each, 2 or more: they compete.
        looks: Updates on the copies of a step, 2 or more: the second sees how far the first went.
        rate: Highest learning rate.
        warm_up: Steps in which the rate rises.
        reach: KL divergence that one update should have, in nats a piece.
        beta: Weight of the KL divergence to the base, in the scale of advantages.
        trust: Greatest change of a piece's likelihood that is rewarded, as a share.
        batch: Pieces that are learned from at once, for memory's sake.
        clip: Greatest norm of a gradient.
        seed: Of the briefs' order and of the draws.
    """

    steps: int = 100
    briefs: int = 8
    per_brief: int = 8
    looks: int = 2
    rate: float = 1e-3
    warm_up: int = 5
    reach: float = 2e-3
    beta: float = 0.02
    trust: float = 0.2
    batch: int = 2048
    clip: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses what can't be tuned with."""
        if min(self.steps, self.briefs, self.batch, self.warm_up) < 1:
            raise BadInput("steps, briefs, batch and warm_up are 1 or more")
        if min(self.per_brief, self.looks) < 2:
            raise BadInput("per_brief and looks are 2 or more")
        if min(self.rate, self.reach, self.trust, self.clip) <= 0 or self.beta < 0:
            raise BadInput("rate, reach, trust and clip must lie above 0, beta not below")

    def rate_at(self, step: int, pace: float) -> float:
        """The learning rate of a step, from 0, at a pace from 0 to 1 that the updates' KL sets."""
        return self.rate * min((step + 1) / self.warm_up, 1.0) * pace


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """How to learn from which of the model's own copies score best, in a few rounds.

    Each round begins where the last one ended: copies are drawn, scored and taught.

    Attributes:
        rounds: Times that copies are drawn.
        briefs: Briefs of a round.
        per_brief: Copies of each, 4 or more: they are ranked.
        share: Share of a brief's copies that are held up as its best, and as many as its worst.
        method: How to learn: the best ones against the worst, or, of `sft`, the best alone.
        teaching: How to learn from a round's copies.
        seed: Of the briefs' order and of the draws.
    """

    rounds: int = 2
    briefs: int = 1000
    per_brief: int = 16
    share: float = 0.25
    method: Literal["sft", "dpo", "kto"] = "dpo"
    teaching: Teaching = field(default_factory=lambda: Teaching(passes=2.0, beta=0.2, anchor=0.5))
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses what can't be tuned with."""
        if min(self.rounds, self.briefs) < 1 or self.per_brief < 4:
            raise BadInput("rounds and briefs are 1 or more, per_brief 4 or more")
        if not 0 < self.share <= 0.5:
            raise BadInput("share lies above 0 and up to .5")


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a tuning is; figures are of the latest step, NaN where it has none.

    Attributes:
        method: How it learns.
        share: Share of the tuning that is done, 0 to 1.
        steps: Steps done.
        seen: Pieces learned from.
        rate: Learning rate.
        loss: What the step made smaller.
        norm: Of the gradient, before it was clipped.
        entropy: Of the next piece, in nats, mean over the lines' pieces.
        kl: Divergence of the next piece from the base's, in nats, likewise; GRPO's is estimated on
            its draws, see `rewarded`.
        right: Share of pairs, or of judgements, that the model orders as told, by weight.
        score: Mean score of the copies that fit.
        fit: Share of copies that fit.
        moved: Divergence that the step's first update had, in nats a piece.
    """

    method: Method
    share: float
    steps: int
    seen: int
    rate: float = nan
    loss: float = nan
    norm: float = nan
    entropy: float = nan
    kl: float = nan
    right: float = nan
    score: float = nan
    fit: float = nan
    moved: float = nan


GoOn = Callable[[Progress], bool]
"""Told how far a tuning is after each step; False stops it there, to go on later."""


class Memory(Protocol):
    """What a score keeps from step to step, such as weights that follow what was reached.

    It is stored with each checkpoint, so that a tuning that was stopped goes on with it.
    """

    def dump(self) -> bytes:
        """All of it."""
        ...

    def load(self, content: bytes) -> None:
        """Takes it back as it was."""
        ...
