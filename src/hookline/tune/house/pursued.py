"""The house model tuned for several objectives at once, watched, drawn and kept.

    briefs → what the base writes: bounds, and the look that later ones are held against
           → tune_by_reward, paid by a Pursuit → progress.svg, and a folder for the house writer
                                               → stopped.json where the watch ended it

This is what `hookline tune house` does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from hookline.errors import Refused
from hookline.guards import GUARDS, Guard, guards_named
from hookline.perceive.encoders import Encoder
from hookline.tune.duals import Mix, Weights
from hookline.tune.house.drawn import Sample, can_write, draw
from hookline.tune.house.reading import likelihood
from hookline.tune.house.recipes import Progress, Rewarding
from hookline.tune.house.rewarded import tune_by_reward
from hookline.tune.objectives import (
    CallToAction,
    Conversion,
    Fluency,
    Forecaster,
    MarginalDiversity,
    Objective,
    SentimentMatch,
)
from hookline.tune.pursuit import LOOK_EVERY, Guardian, Paid, Pursuit, base_look, candidates_of
from hookline.tune.reward import HeldOut
from hookline.tune.train.curves import curves
from hookline.tune.train.recipe import Progress as Step
from hookline.tune.versions import STOPPED
from hookline.tune.watch import Watch
from hookline.types import Brief, dumps
from hookline.writers.house import DEFAULT
from hookline.writers.house.network import Network

MODEL: Final = "model"
"""The tuned model's folder."""
DRAWING: Final = "progress.svg"
CTA: Final = 0.97
"""Least share of copies that call for what was asked."""
SENTIMENT: Final = -0.1
"""Least mean of −|score − target|."""
ROOM: Final = 0.3
"""Nats a piece that copy may be less fluent than the base's."""
_ASCENT: Final = 0.3
"""η: copy can narrow within ten steps, so weights must be there within ten."""
_MEASURED: Final = 4
"""Steps' worth of copies that the base is measured on."""
_LOOKED_AT: Final = 0.75
"""Share of a step's copies that a look is of: some don't fit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pursued:
    """What came of it.

    Attributes:
        folder: The tuned model; beside it `stopped.json` where the watch ended the tuning.
        steps: Steps done.
        why: Why the watch ended it; empty where it did not.
        paid: What each step's copies came to.
    """

    folder: Path
    steps: int
    why: str
    paid: Sequence[Paid]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What the base draws, and how it is judged.

    Attributes:
        samples: Copies that fit, with their likelihoods.
        means: Objective → mean over them.
    """

    samples: Sequence[Sample]
    means: dict[str, float]


def every_objective(model: Forecaster, encoder: Encoder) -> list[Objective]:
    """All five, conversion first.

    Args:
        model: Foretells conversion; see `reward.split`.
        encoder: Tells what copies are about.
    """
    return [
        Conversion(model=model),
        MarginalDiversity(encoder=encoder),
        SentimentMatch(),
        CallToAction(),
        Fluency(),
    ]


def usual_mix(base: Measured) -> Weights:
    """Conversion as the goal; calls and feelings as asked, and diversity as the base has it."""
    return Weights(
        goals={"conversion": 1.0},
        bounds={
            "diversity": base.means["diversity"],
            "sentiment": SENTIMENT,
            "cta": CTA,
            "fluency": base.means["fluency"] - ROOM,
        },
        rate=_ASCENT,
    )


def pursue(  # noqa: PLR0913 - keywords, each a choice of its own
    briefs: Sequence[Brief],
    models: tuple[Forecaster, HeldOut],
    out: Path,
    *,
    encoder: Encoder,
    base: Path = DEFAULT,
    recipe: Rewarding | None = None,
    mix: Callable[[Measured], Mix] = usual_mix,
    guards: Sequence[Guard] | None = None,
    watched: bool = True,
    device: str = "cpu",
    tell: Callable[[Progress], None] = lambda _: None,
) -> Pursued:
    """The base tuned for every objective; killed, the same call goes on where it was.

    Args:
        briefs: What is drawn for; those that the base can't write for are left out.
        models: The one that copies are paid by, and the one that watches.
        out: Folder for the checkpoint, the drawing and the model.
        encoder: Tells what copies are about.
        base: The house model's folder to begin from.
        recipe: How much is drawn, and how far a step goes.
        mix: What makes one reward of the objectives, told what the base is like.
        guards: What they reject is paid worst of its group; all of Hookline's unless told.
        watched: Whether the watch may end the tuning.
        device: Where, in torch's words.
        tell: Told how far it is after each step.

    Raises:
        BadInput: Where torch or the base is missing, or the base can write for no brief.
        Refused: Where the base writes too little that fits to be measured, or the folder holds
            another tuning.
    """
    recipe = recipe or Rewarding()
    network = Network.load(base)
    asked = [brief for brief in briefs if can_write(network, brief)]
    objectives = every_objective(models[0], encoder)
    before = measured(network, asked, objectives, recipe)
    wanted = int(_LOOKED_AT * recipe.briefs * recipe.per_brief)
    look = base_look(before.samples[:wanted], objectives[0], models[1])
    pursuit = Pursuit(
        objectives=objectives,
        mix=mix(before),
        guards=guards_named(GUARDS) if guards is None else guards,
        guardian=Guardian(held_out=models[1], watch=Watch(base=look)) if watched else None,
    )

    def go_on(done: Progress) -> bool:
        tell(done)
        if done.steps % LOOK_EVERY == 0 or done.steps == recipe.steps:
            drawn = curves(steps_of(pursuit.paid), steps=recipe.steps)
            (out / DRAWING).write_text(str(drawn), encoding="utf-8")
        return pursuit.watched(done.steps, done.entropy)

    out.mkdir(parents=True, exist_ok=True)
    tuner, done = tune_by_reward(
        asked,
        pursuit.pay,
        out,
        base=network,
        recipe=recipe,
        memory=pursuit,
        device=device,
        go_on=go_on,
    )
    if pursuit.why:
        (out / STOPPED).write_bytes(dumps({"why": pursuit.why, "step": done.steps}))
    tuner.export(out / MODEL)
    return Pursued(folder=out / MODEL, steps=done.steps, why=pursuit.why, paid=pursuit.paid)


def measured(
    network: Network, briefs: Sequence[Brief], objectives: Sequence[Objective], recipe: Rewarding
) -> Measured:
    """What the network writes for these briefs, a few steps' worth, and what it comes to.

    Raises:
        Refused: Where too little of it fits.
    """
    drawn = draw(
        network, briefs[: _MEASURED * recipe.briefs], recipe.per_brief, seed=(recipe.seed, 7)
    )
    samples = with_likelihoods(network, drawn)
    wanted = recipe.briefs * recipe.per_brief
    if len(samples) < wanted:
        raise Refused(
            f"of {len(drawn)} copies that the base drew {len(samples)} fit, {wanted} are needed to "
            "measure it; name more products"
        )
    candidates = candidates_of(samples)
    means = {each.name: float(each(candidates).mean()) for each in objectives}
    return Measured(samples=samples, means=means)


def with_likelihoods(network: Network, drawn: Sequence[Sample]) -> list[Sample]:
    """The copies that fit, with how likely the network is to write them."""
    rows = [(each, each.row) for each in drawn if each.fit and each.row is not None]
    found = likelihood(network, [row for _, row in rows])
    return [
        replace(each, loglik=float(nats))
        for (each, _), nats in zip(rows, found, strict=True)
        if np.isfinite(nats)
    ]


def steps_of(paid: Sequence[Paid]) -> list[Step]:
    """What each step came to, as `curves` draws it."""
    return [
        Step(
            number,
            {"reward": each.reward}
            | {f"rewards/{name}/mean": value for name, value in each.values.items()}
            | {f"weights/{name}": value for name, value in each.weights.items()},
        )
        for number, each in enumerate(paid, start=1)
    ]
