"""How to train, what counts as a reward, and how far a training is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final, Literal, Protocol

from hookline.errors import BadInput
from hookline.writers.dialogue import Message

Method = Literal["sft", "dpo", "kto", "grpo"]
Conversation = tuple[Message, ...]
Turns = Sequence[Mapping[str, str]]
"""A conversation as TRL has it: messages with `role` and `content`."""

RATES: Final[Mapping[Method, float]] = {"sft": 2e-5, "dpo": 1e-6, "kto": 1e-6, "grpo": 1e-6}
"""Learning rates for all weights, TRL's own; adapters take ten times as much."""
BETAS: Final[Mapping[Method, float]] = {"sft": 0.0, "dpo": 0.1, "kto": 0.1, "grpo": 0.04}
"""How strongly a model is held near its base."""
PASSES: Final = 3
"""Times each row is seen, on average, where no number of steps is given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How to train. Same recipe, rows, base and machine: same weights, on a processor.

    Attributes:
        method: `sft`, `dpo`, `kto` or `grpo`.
        lora: Trains adapters of rank `rank` on all linear layers; otherwise all weights.
        steps: Of the optimiser; None for three passes over the rows.
        batch: Rows of a step; for `grpo`, answers.
        at_once: Most rows in memory together; `batch` must be a multiple. Of a training that goes
            on, only this and `device` may differ.
        rate: Highest learning rate; None for the method's own (`RATES`).
        warm_up: Share of the steps in which the rate rises; then it falls to a tenth as a cosine.
        patience: Measures on held-out rows, one after another without a better one, after which
            the rate is halved for good.
        beta: Weight of the divergence from the base, 0 or more; None for the method's own.
        rank: Of the adapters.
        generations: `grpo`: answers to one prompt, which are compared with each other.
        room: `grpo`: most tokens of an answer.
        temperature: `grpo`: of the draws.
        normalised: `grpo`: every reward is normalised within the answers to a prompt before the
            rewards are weighted and summed, so that their scales don't matter. False sums them as
            they are, the fixed-weight form.
        tell_every: Steps between progress lines.
        save_every: Steps between checkpoints, and measures on held-out rows.
        seed: Of first adapters, the order of rows, dropout and draws.
        device: `cpu` or `cuda`.
    """

    method: Method
    lora: bool = True
    steps: int | None = None
    batch: int = 16
    at_once: int = 4
    rate: float | None = None
    warm_up: float = 0.1
    patience: int = 3
    beta: float | None = None
    rank: int = 16
    generations: int = 8
    room: int = 256
    temperature: float = 1.0
    normalised: bool = True
    tell_every: int = 10
    save_every: int = 50
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuses what can't be trained with."""
        steps = 1 if self.steps is None else self.steps
        counts = (steps, self.batch, self.at_once, self.patience, self.rank, self.room)
        if min(*counts, self.tell_every, self.save_every) < 1:
            raise BadInput("steps, batch, at_once, patience, rank and room must be at least 1")
        if self.batch % self.at_once:
            raise BadInput(f"batch {self.batch} must be a multiple of at_once {self.at_once}")
        if (self.rate is not None and self.rate <= 0) or self.temperature <= 0:
            raise BadInput("rate and temperature must be above 0")
        if not 0 <= self.warm_up < 1 or (self.beta is not None and self.beta < 0) or self.seed < 0:
            raise BadInput("warm_up lies from 0 to below 1; beta and seed are 0 or more")
        if self.device not in {"cpu", "cuda"}:
            raise BadInput(f"train on cpu or cuda, not on {self.device!r}")
        if self.method == "kto" and self.at_once < 2:
            raise BadInput("kto compares rows with each other: at_once must be at least 2")
        if self.method == "grpo" and (self.generations < 2 or self.batch % self.generations):
            raise BadInput(
                "grpo compares answers to one prompt: generations must be at least 2, and batch "
                f"{self.batch} a multiple of generations {self.generations}"
            )

    @property
    def peak(self) -> float:
        """The highest learning rate."""
        return self.rate if self.rate is not None else RATES[self.method] * (10 if self.lora else 1)

    @property
    def pull(self) -> float:
        """Weight of the divergence from the base."""
        return self.beta if self.beta is not None else BETAS[self.method]

    @property
    def drawn(self) -> int:
        """Rows that a step draws: prompts for `grpo`, each of which is answered several times."""
        return self.batch // self.generations if self.method == "grpo" else self.batch

    def length(self, rows: int) -> int:
        """Steps of the training, for that many rows."""
        return self.steps or ceil(PASSES * rows / self.drawn)


class Score(Protocol):
    """Says how good answers are; a function of its arguments, so that it can be gone on with.

    `hookline.tune.objectives.TextReward` is one.
    """

    def __call__(
        self, prompts: Sequence[Turns], completions: Sequence[Turns], /
    ) -> Sequence[float]:
        """A number for each answer, higher is better.

        Args:
            prompts: As they stand in the rows, word for word.
            completions: One message each, the answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reward:
    """One objective.

    Attributes:
        name: Of its curve, in letters, digits, `_` and `-`.
        score: Says how good answers are.
        weight: In the sum, as long as nothing weighs anew. 0 for one that is watched only.
    """

    name: str
    score: Score
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """What was measured at one step.

    Attributes:
        step: Steps done.
        values: Name → mean since the last time, in TRL's words: `loss`, `reward`, `kl`, `entropy`,
            `rewards/NAME/mean` and so on; with `held_out_` before it, on held-out rows.
    """

    step: int
    values: Mapping[str, float]


Stop = Callable[[Sequence[Progress]], str]
"""Why to stop, "" to go on; given all that was measured so far, the newest last.

It depends on that alone, so that a training which goes on later comes to the same.
"""
Weigh = Callable[[Sequence[Progress]], Mapping[str, float]]
"""Name of a reward → its weight from here on; given all that was measured so far."""


@dataclass(frozen=True, slots=True)
class Objectives:
    """What `grpo` is after.

    Attributes:
        rewards: Each with a name of its own, and at least one.
        weigh: Weighs them anew at every progress line, for example by dual ascent; None keeps
            their weights.
    """

    rewards: Sequence[Reward]
    weigh: Weigh | None = None

    def __post_init__(self) -> None:
        """Refuses rewards that can't be told apart."""
        names = [reward.name for reward in self.rewards]
        if not names or len(set(names)) < len(names):
            raise BadInput("grpo takes at least one reward, and each under a name of its own")


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a training.

    Attributes:
        folder: The tuned model; None where the training was stopped.
        steps: Steps done.
        stopped: Why it was stopped, "" where it was not.
    """

    folder: Path | None
    steps: int
    stopped: str = ""
