"""The house model tuned for several objectives at once, watched, drawn and kept.

    briefs → what the base writes: bounds, and the look that later ones are held against
           → tune_by_rank or tune_by_reward, paid by a Pursuit → progress.svg, and a folder for the
                                                                 house writer
                                                               → stopped.json if the watch ended it

This is what `hookline tune house` does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from shutil import copytree
from typing import Final

import numpy as np

from hookline.diversity import measure
from hookline.errors import BadInput, Refused, WriterFailed
from hookline.guards import GUARDS, Guard, guards_named
from hookline.house.export import set_temperature
from hookline.perceive.encoders import Encoder
from hookline.tune.duals import Mix, Weights
from hookline.tune.house.drawn import Sample, can_write, draw, shuffled, with_likelihoods
from hookline.tune.house.ranked import MODEL, Drawing, model_after, tune_by_rank
from hookline.tune.house.recipes import Progress, Ranking, Rewarding
from hookline.tune.house.rewarded import tune_by_reward
from hookline.tune.objectives import (
    AsAsked,
    CallToAction,
    Conversion,
    FloatArray,
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
from hookline.writers.house import DEFAULT, House
from hookline.writers.house.network import Network

DRAWING: Final = "progress.svg"
GATES: Final = tuple(name for name in GUARDS if name not in {"cta", "sentiment"})
"""Guards whose word is final. Calls and feelings have objectives: as gates, which most single draws
fail, they would be nearly all that is paid."""
CTA: Final = 0.97
"""Least share of copies that call for what was asked."""
DIVERSITY: Final = 1.2
"""Least diversity over the base's."""
SENTIMENT: Final = -0.1
"""Least mean of −|score − target|."""
ROOM: Final = 0.2
"""Nats a piece that copy may be less fluent than the base's."""
_FLOOR: Final = 0.005
"""Share of the base's own copies that are less fluent than a copy must be: broken sentences hardly
move the mean."""
_CAUTION: Final = 0.3
"""κ: what lines of one brief differ by is small beside what the models doubt of all of them."""
_ASCENT: Final = 0.3
"""η: copy can narrow within ten steps, so weights must be there within ten."""
_CAP: Final = 2.0
"""Most that a bound weighs, beside a goal's 1."""
_MEASURED, _SLATE = 64, 8
"""Briefs that a writer is measured on, and copies of each."""
_SLATES: Final = 16
"""Briefs by which the tuned writer's temperature is chosen."""
_TEMPERATURES: Final = (1.1, 1.2, 1.3, 1.4, 1.5)
_LOOK: Final = 48
"""Copies of a look: of a step's 64 some don't fit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pursued:
    """What came of it.

    Attributes:
        folder: The tuned model; beside it `stopped.json` where the watch ended the tuning.
        steps: Steps done, or rounds.
        why: Why the watch ended it; empty where it did not.
        paid: What the copies of each came to.
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
    """All six, conversion first.

    Args:
        model: Foretells conversion; see `reward.split`.
        encoder: Tells what copies are about.
    """
    return [
        Conversion(model=model, caution=_CAUTION),
        MarginalDiversity(encoder=encoder),
        SentimentMatch(),
        CallToAction(),
        AsAsked(),
        Fluency(),
    ]


def usual_mix(base: Measured) -> Weights:
    """Conversion as the goal; the rest at least as asked, or as the base has it.

    Of single draws the base's feelings miss by twice what is asked of copy: the writer hands in the
    nearest of eight. So no more is asked of draws in training than that they miss by no more.
    """
    return Weights(
        goals={"conversion": 1.0},
        bounds={
            "diversity": DIVERSITY * base.means["diversity"],
            "sentiment": min(SENTIMENT, base.means["sentiment"]),
            "cta": CTA,
            "attributes": base.means["attributes"],
            "fluency": base.means["fluency"] - ROOM,
        },
        rate=_ASCENT,
        cap=_CAP,
    )


def pursue(  # noqa: PLR0913 - keywords, each a choice of its own
    briefs: Sequence[Brief],
    models: tuple[Forecaster, HeldOut],
    out: Path,
    *,
    encoder: Encoder,
    base: Path = DEFAULT,
    recipe: Ranking | Rewarding | None = None,
    mix: Callable[[Measured], Mix] = usual_mix,
    guards: Sequence[Guard] | None = None,
    watched: bool = True,
    device: str = "cpu",
    tell: Callable[[Progress], None] = lambda _: None,
    drawing: Drawing = draw,
) -> Pursued:
    """The base tuned for every objective; killed, the same call goes on where it was.

    Args:
        briefs: What is drawn for; those that the base can't write for are left out.
        models: The one that copies are paid by, and the one that watches.
        out: Folder for the checkpoints, the drawing and the model.
        encoder: Tells what copies are about.
        base: The house model's folder to begin from.
        recipe: How to learn: in a few rounds from the best and worst of much, or step by step.
        mix: What makes one reward of the objectives, told what the base is like.
        guards: What they reject is paid worst of its group; `GATES` unless told.
        watched: Whether the watch may end the tuning.
        device: Where, in torch's words.
        tell: Told how far it is.
        drawing: Draws a round's copies; several tunings of one base may share what it drew.

    Raises:
        BadInput: Where torch or the base is missing, or the base can write for no brief.
        Refused: Where the base writes too little that fits to be measured, or the folder holds
            another tuning.
    """
    recipe = recipe or Ranking()
    network = Network.load(base)
    asked = [brief for brief in briefs if can_write(network, brief)]
    objectives = every_objective(models[0], encoder)
    before = measured(network, asked, objectives, recipe.seed)
    look = base_look(_batches(before.samples), objectives[0], models[1])
    mixed = mix(before)
    fluent = [each.loglik for each in before.samples]
    pursuit = Pursuit(
        objectives=objectives,
        mix=mixed,
        guards=guards_named(GATES) if guards is None else guards,
        guardian=Guardian(held_out=models[1], watch=Watch(base=look)) if watched else None,
        floor=float(np.quantile(fluent, _FLOOR)) if "fluency" in mixed.weights else -inf,
        settles=isinstance(recipe, Ranking),
    )
    out.mkdir(parents=True, exist_ok=True)
    if isinstance(recipe, Ranking):
        steps, made = _by_rank(asked, pursuit, out, base, recipe, device, tell, drawing)
    else:
        steps, made = _by_reward(asked, pursuit, out, network, recipe, device, tell)
    copytree(made, out / MODEL, dirs_exist_ok=True)
    if isinstance(mixed, Weights) and "diversity" in mixed.bounds:
        set_temperature(out / MODEL, varied_at(made, base, asked, encoder, recipe.seed))
    if pursuit.why:
        (out / STOPPED).write_bytes(dumps({"why": pursuit.why, "step": steps}))
    return Pursued(folder=out / MODEL, steps=steps, why=pursuit.why, paid=pursuit.paid)


def _by_rank(
    asked: Sequence[Brief],
    pursuit: Pursuit,
    out: Path,
    base: Path,
    recipe: Ranking,
    device: str,
    tell: Callable[[Progress], None],
    drawing: Drawing,
) -> tuple[int, Path]:
    """Tunes round by round; rounds done, and the folder of the model."""

    def check(network: Network, number: int) -> str:
        _draw_curves(pursuit, out, recipe.rounds)
        some = shuffled(asked, _MEASURED, (recipe.seed, 8, number))
        drawn = draw(network, some, _SLATE, seed=(recipe.seed, 8, number))
        return pursuit.inspect([each for each in drawn if each.fit], number)

    rounds = tune_by_rank(
        asked,
        pursuit.pay,
        out,
        base=base,
        recipe=recipe,
        memory=pursuit,
        device=device,
        tell=tell,
        check=check,
        drawing=drawing,
    )
    return len(rounds), model_after(out, len(rounds))


def _by_reward(
    asked: Sequence[Brief],
    pursuit: Pursuit,
    out: Path,
    network: Network,
    recipe: Rewarding,
    device: str,
    tell: Callable[[Progress], None],
) -> tuple[int, Path]:
    """Tunes step by step; steps done, and the folder of the model."""

    def go_on(done: Progress) -> bool:
        tell(done)
        if done.steps % LOOK_EVERY == 0 or done.steps == recipe.steps:
            _draw_curves(pursuit, out, recipe.steps)
        return pursuit.watched(done.steps, done.entropy)

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
    folder = out / "steps" / MODEL
    tuner.export(folder)
    return done.steps, folder


def _draw_curves(pursuit: Pursuit, out: Path, steps: int) -> None:
    drawn = curves(steps_of(pursuit.paid), steps=steps)
    (out / DRAWING).write_text(str(drawn), encoding="utf-8")


def measured(
    network: Network, briefs: Sequence[Brief], objectives: Sequence[Objective], seed: int
) -> Measured:
    """What the network writes for some of these briefs, and what it comes to.

    Raises:
        Refused: Where too little of it fits.
    """
    if not briefs:
        raise BadInput("there is no brief that the house model can write for")
    drawn = draw(network, shuffled(briefs, _MEASURED, (seed, 7)), _SLATE, seed=(seed, 7))
    samples = with_likelihoods(network, drawn)
    if len(samples) < _LOOK:
        raise Refused(
            f"of {len(drawn)} copies that the base drew {len(samples)} fit, {_LOOK} are needed to "
            "measure it; name more products"
        )
    candidates = candidates_of(samples)
    means = {each.name: float(each(candidates).mean()) for each in objectives}
    return Measured(samples=samples, means=means)


def _batches(samples: Sequence[Sample]) -> list[Sequence[Sample]]:
    """As many batches for a look as there are."""
    return [samples[start : start + _LOOK] for start in range(0, len(samples) - _LOOK + 1, _LOOK)]


def varied_at(
    folder: Path, base: Path, briefs: Sequence[Brief], encoder: Encoder, seed: int
) -> float:
    """The lowest temperature at which a tuned writer's slates are as varied as its base's.

    Pay for diversity works on single draws; what is handed in is chosen from many, and what sells
    best comes to the top of all of them. By all four measures of `hookline.diversity` that don't
    count texts; the highest of `_TEMPERATURES` where none is enough.

    Args:
        folder: The tuned model.
        base: Its base.
        briefs: What to write for; a few of them are taken, at random.
        encoder: Tells what copies are about.
        seed: Of these, and of the drafts.
    """
    some = shuffled(briefs, _SLATES, (seed, 9))
    wanted = _variety(House(base), some, encoder, seed)

    def enough(place: int) -> bool:
        writer = House(folder, temperature=_TEMPERATURES[place])
        return bool((_variety(writer, some, encoder, seed) >= wanted).all())

    if enough(0):
        return _TEMPERATURES[0]
    low, high = 1, len(_TEMPERATURES) - 1  # hotter is more varied
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return _TEMPERATURES[low]


def _variety(writer: House, briefs: Sequence[Brief], encoder: Encoder, seed: int) -> FloatArray:
    """Mean measures of a writer's slates, higher for more varied, (4,)."""
    found: list[list[float]] = []
    for brief in briefs:
        try:
            drafts = writer.write(brief, _SLATE, seed)
        except WriterFailed:
            continue
        if len(drafts) == _SLATE:
            texts = [" | ".join(draft.parts.values()) for draft in drafts]
            told = measure(texts, encoder.encode(texts))
            found.append([told.off_diagonal, told.vendi, -told.self_bleu, -told.compression_ratio])
    return np.mean(found, axis=0) if found else np.zeros(4)


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
