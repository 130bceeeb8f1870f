"""One way to tune the house model, from a base to a folder."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from benchmarks.tune.worlds import encoder
from hookline.tune.duals import Fixed, Mix
from hookline.tune.house import Ranking, Rewarding, Sample, draw
from hookline.tune.house.pursued import Measured, Pursued, pursue, usual_mix
from hookline.tune.objectives import Forecaster
from hookline.tune.reward import HeldOut
from hookline.types import Brief
from hookline.writers.house import DEFAULT
from hookline.writers.house.network import Network

GOAL: Final = "conversion"
EVERY: Final = (GOAL, "diversity", "sentiment", "cta", "attributes", "fluency")


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is drawn, for about the same time of a processor in all ways.

    Attributes:
        briefs: Briefs that copies are drawn for at a time.
        steps: Steps of `grpo`, which draws less at a time and looks at it twice.
    """

    briefs: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to tune.

    Attributes:
        name: What the table calls it.
        method: How it learns from what it draws.
        rounds: Times that copies are drawn; `grpo` has its steps.
        without: Objective, or `guards`, that is left out.
        alone: Whether conversion is all there is: no other objective, guard or watch.
        dial: λ of the paper's fixed weights; None for weights that find themselves.
    """

    name: str
    method: Literal["dpo", "sft", "kto", "grpo"] = "dpo"
    rounds: int = 1
    without: str = ""
    alone: bool = False
    dial: float | None = None


WAYS: Final = (
    Way(name="multi-objective", rounds=2),
    Way(name="multi-objective, one round"),
    Way(name="conversion alone", rounds=2, alone=True),
    *(Way(name=f"without {name}", without=name) for name in (*EVERY, "guards")),
    *(Way(name=f"fixed, λ {dial:g}", dial=dial) for dial in (0.2, 0.5, 0.8)),
    Way(name="multi-objective, sft", method="sft"),
    Way(name="multi-objective, kto", method="kto"),
    Way(name="multi-objective, grpo", method="grpo"),
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
    recipe = (
        Rewarding(steps=effort.steps, seed=seed)
        if way.method == "grpo"
        else Ranking(rounds=way.rounds, briefs=effort.briefs, method=way.method, seed=seed)
    )
    return pursue(
        asked,
        models,
        out,
        encoder=encoder(),
        base=base,
        recipe=recipe,
        mix=lambda before: _mix(way, before),
        guards=() if way.alone or way.without == "guards" else None,
        watched=not way.alone,
        drawing=_shared,
    )


_DRAWN: dict[object, list[Sample]] = {}


def _shared(
    network: Network, briefs: Sequence[Brief], per_brief: int, *, seed: Sequence[int]
) -> list[Sample]:
    """Draws; what the shipped model drew is kept, since most ways begin with it."""
    if network.build.version != Network.load(DEFAULT).build.version:
        return draw(network, briefs, per_brief, seed=seed)
    key = (tuple(brief.id for brief in briefs), per_brief, tuple(seed))
    if key not in _DRAWN:
        _DRAWN[key] = draw(network, briefs, per_brief, seed=seed)
    return _DRAWN[key]


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
