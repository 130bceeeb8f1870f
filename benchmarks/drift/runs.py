"""The settings, and the runs of all entries in them, several at the same time."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from typing import Final

from benchmarks.drift.entries import entries
from benchmarks.drift.play import Run
from benchmarks.drift.world import VISITS_PER_SHOPPER, Setting, World
from hookline.simulate import Parameters

_STEADY: Final = Parameters(
    visits_per_shopper=VISITS_PER_SHOPPER,
    quirk_sd=0.12,
    fashion_sd=0.08,
    taste_strength=2.0,
    taste_span=0.6,
    wear=0.9,
    drift_days=25.0,
)
"""Lines differ for the average shopper by .22, as in real headline tests: by what attributes do to
everybody and by quirks of their own. Types of shoppers differ by .3 in what they like, which is
assumed, as is that each further showing of the same line to the same shopper costs 10 % of its
clicks, half of that after a fortnight. Where tastes move, they and what is in fashion do so within
25 days, so that no change falls on a day of new lines."""
_ALIKE: Final = replace(_STEADY, personal=False, wear=1.0)
"""Neither tastes nor wear: nothing that one knows of a visitor is of any use."""

SETTINGS: Final[Mapping[str, Setting]] = {
    "stationary": Setting(parameters=_STEADY),
    "non-personal": Setting(parameters=_ALIKE),
    "gradual": Setting(parameters=replace(_STEADY, drift="gradual")),
    "abrupt": Setting(parameters=replace(_STEADY, drift="abrupt")),
    "seasonal": Setting(parameters=replace(_STEADY, drift="seasonal")),
}
"""Name → setting."""
QUICK: Final[Mapping[str, Setting]] = {
    name: replace(setting, visits=setting.visits // 4, days=setting.days / 4)
    for name, setting in SETTINGS.items()
}
"""The same, a quarter as long."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run: which setting, in its quick form or not, which world of it, and whose."""

    setting: str
    quick: bool
    seed: int
    label: str


def played(jobs: Sequence[Job], processes: int) -> Iterator[tuple[Job, Run]]:
    """The run of each job, as they end.

    Args:
        jobs: What to run; those of one world one after the other, so that it is built rarely.
        processes: How many at the same time; 1 runs them here and now.
    """
    if processes < 2:
        yield from ((job, _run(job)) for job in jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        asked = {pool.submit(_run, job): job for job in jobs}
        yield from ((asked[done], done.result()) for done in as_completed(asked))


def _run(job: Job) -> Run:
    return entries()[job.label](_world(job.setting, job.seed, quick=job.quick))


@lru_cache(maxsize=1)
def _world(name: str, seed: int, *, quick: bool) -> World:
    """The world, built once for all entries."""
    return World((QUICK if quick else SETTINGS)[name], seed)
