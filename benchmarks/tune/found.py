"""What comes of one way to tune, each in a process of its own."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import process_time
from typing import Final

from benchmarks.tune import loop
from benchmarks.tune.judged import Judged, judged, written
from benchmarks.tune.runs import Effort, Way, tuned
from benchmarks.tune.worlds import briefs, rewards
from hookline.tune.house.pursued import Pursued
from hookline.tune.objectives import Candidate
from hookline.writers.house import DEFAULT

BASE: Final = Way(name="base")
"""No way at all."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is done.

    Attributes:
        tests: Headline tests that rewards are learned from, at most.
        effort: What each way draws.
        taught: Briefs that writers are tuned on.
        judged: Briefs that they are judged on.
        shop: Size of the closed loop.
        worlds: Shops.
    """

    tests: int
    effort: Effort
    taught: int
    judged: int
    shop: loop.Size
    worlds: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """One way: what came of its tuning, and how its drafts are judged.

    Attributes:
        way: The way.
        tuned: Its tuning.
        judged: Its drafts.
        seconds: Processor time of the tuning, what an earlier run did left out.
    """

    way: Way
    tuned: Pursued
    judged: Judged
    seconds: float


def found_of(way: Way, scale: Scale, out: Path, seed: int) -> Found:
    """What comes of one way to tune; of no way at all, the base."""
    models = rewards(scale.tests, seed)
    started = process_time()
    made = Pursued(folder=DEFAULT, steps=0, why="", paid=())
    if way != BASE:
        asked = briefs(scale.taught, seed, held_out=False)
        folder = out / way.name.replace(" ", "-").replace(",", "")
        made = tuned(way, asked, models, folder, effort=scale.effort, seed=seed)
    seconds = process_time() - started
    tests = briefs(scale.judged, seed + 1, held_out=True)
    drafts = written(made.folder, tests, seed)
    found = judged(drafts, _base(scale.judged, seed), models[1])
    return Found(way=way, tuned=made, judged=found, seconds=seconds)


@cache
def _base(count: int, seed: int) -> list[Candidate]:
    """The base's drafts, the same for all ways."""
    return written(DEFAULT, briefs(count, seed + 1, held_out=True), seed)
