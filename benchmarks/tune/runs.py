"""One way to tune the house model, from a base to a folder."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.tune.worlds import encoder
from hookline.guards import GUARDS, guards_named
from hookline.house.rows import Row
from hookline.tune.duals import Fixed, Mix
from hookline.tune.house import (
    HouseTuner,
    Judged,
    Preferred,
    Rewarding,
    Sample,
    Teaching,
    Won,
    can_write,
    draw,
    tune_preferences,
    tune_supervised,
)
from hookline.tune.house.pursued import (
    MODEL,
    Measured,
    Pursued,
    every_objective,
    pursue,
    usual_mix,
    with_likelihoods,
)
from hookline.tune.objectives import FloatArray, Forecaster, gates, groups_of
from hookline.tune.pursuit import candidates_of
from hookline.tune.reward import HeldOut
from hookline.types import Brief
from hookline.writers.house import DEFAULT
from hookline.writers.house.network import Network

GOAL: Final = "conversion"
EVERY: Final = (GOAL, "diversity", "sentiment", "cta", "fluency")
_TIE: Final = 0.02
"""Weight of the divergence from the base."""
_BEST: Final = 2
"""Copies of a group that supervised tuning learns from."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is drawn: equal for all ways.

    Attributes:
        steps: Times that copies are drawn.
        briefs: Briefs at a time.
        per_brief: Copies of each.
    """

    steps: int
    briefs: int = 8
    per_brief: int = 8


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to tune.

    Attributes:
        name: What the table calls it.
        method: How it learns; other methods than `grpo` draw once.
        without: Objective, or `guards`, that is left out.
        alone: Whether conversion is all there is: no other objective, guard, watch or tie to the
            base.
        dial: λ of the paper's fixed weights; None for weights that find themselves.
    """

    name: str
    method: str = "grpo"
    without: str = ""
    alone: bool = False
    dial: float | None = None


WAYS: Final = (
    Way(name="multi-objective"),
    *(Way(name=f"without {name}", without=name) for name in (*EVERY, "guards")),
    Way(name="conversion alone", alone=True),
    *(Way(name=f"fixed, λ {dial:g}", dial=dial) for dial in (0.2, 0.5, 0.8)),
    *(Way(name=f"multi-objective, {method}", method=method) for method in ("sft", "dpo", "kto")),
)


def tuned(
    way: Way,
    asked: Sequence[Brief],
    models: tuple[Forecaster, HeldOut],
    out: Path,
    *,
    effort: Effort,
    seed: int,
    base: Path = DEFAULT,
) -> Pursued:
    """The base tuned in this way on these briefs; goes on where it was stopped."""
    if way.method != "grpo":
        return _taught(way, asked, models[0], out, effort=effort, seed=seed, base=base)
    return pursue(
        asked,
        models,
        out,
        encoder=encoder(),
        base=base,
        recipe=Rewarding(
            steps=effort.steps,
            briefs=effort.briefs,
            per_brief=effort.per_brief,
            beta=0.0 if way.alone else _TIE,
            seed=seed,
        ),
        mix=lambda before: _mix(way, before),
        guards=() if way.alone or way.without == "guards" else None,
        watched=not way.alone,
    )


def _mix(way: Way, before: Measured) -> Mix:
    """The usual mix without what is left out; conversion alone; or the paper's weights."""
    if way.alone:
        return Fixed(fixed={GOAL: 1.0})
    if way.dial is not None:
        return Fixed.paper(way.dial)
    usual = usual_mix(before)
    bounds = {name: least for name, least in usual.bounds.items() if name != way.without}
    if way.without != GOAL:
        return replace(usual, bounds=bounds)
    del bounds["diversity"]
    return replace(usual, goals={"diversity": 1.0}, bounds=bounds)


def _taught(
    way: Way,
    asked: Sequence[Brief],
    model: Forecaster,
    out: Path,
    *,
    effort: Effort,
    seed: int,
    base: Path,
) -> Pursued:
    """Draws once, as many copies as the others in all their steps, and teaches from them.

    As many pieces are learned from as in two looks at each copy, like theirs.
    """
    network = Network.load(base)
    known = [brief for brief in asked if can_write(network, brief)]
    chosen = np.random.default_rng(seed).integers(len(known), size=effort.steps * effort.briefs)
    briefs = [known[int(at)] for at in chosen]
    samples = with_likelihoods(network, draw(network, briefs, effort.per_brief, seed=seed))
    ranked = _ranked(samples, _scored(samples, model))
    tuner = _learned(way, ranked, out, whole=2.0 * len(samples), base=base, seed=seed)
    tuner.export(out / MODEL)
    return Pursued(folder=out / MODEL, steps=tuner.steps, why="", paid=())


def _learned(
    way: Way, ranked: Sequence[Sequence[Row]], out: Path, *, whole: float, base: Path, seed: int
) -> HouseTuner:
    """The base taught from groups of rows, best first, `whole` rows in all."""
    if way.method == "sft":
        best = [Won(row=row) for own in ranked for row in own[:_BEST]]
        recipe = Teaching(passes=whole / len(best), seed=seed)
        return tune_supervised(best, out, base=base, recipe=recipe)[0]
    if way.method == "dpo":
        ends = [Preferred(chosen=own[0], rejected=own[-1]) for own in ranked]
        recipe = Teaching(passes=whole / (2 * len(ends)), seed=seed)
        return tune_preferences(ends, out, method="dpo", base=base, recipe=recipe)[0]
    told = [
        Judged(row=row, label=place < len(own) / 2)
        for own in ranked
        for place, row in enumerate(own)
    ]
    recipe = Teaching(passes=whole / len(told), seed=seed)
    return tune_preferences(told, out, method="kto", base=base, recipe=recipe)[0]


def _scored(samples: Sequence[Sample], model: Forecaster) -> FloatArray:
    """One reward each, every objective weighing the same, what guards reject below all."""
    candidates = candidates_of(samples)
    values = {each.name: each(candidates) for each in every_objective(model, encoder())}
    ok = gates(guards_named(GUARDS), candidates)
    return Fixed(fixed=dict.fromkeys(EVERY, 1.0)).combine(values, ok, groups_of(candidates))


def _ranked(samples: Sequence[Sample], scores: FloatArray) -> list[list[Row]]:
    """Each group's rows, best first; groups of one are left out."""
    groups: dict[int, list[tuple[float, Row]]] = {}
    for sample, score in zip(samples, scores.tolist(), strict=True):
        if sample.row is not None:
            groups.setdefault(sample.group, []).append((score, sample.row))
    ordered = (sorted(own, key=lambda pair: -pair[0]) for own in groups.values() if len(own) > 1)
    return [[row for _, row in own] for own in ordered]
