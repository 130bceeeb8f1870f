"""What is kept: a snapshot of 1,000 arms in time, and the visitors' memory in bytes."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.decide.players import Ours
from benchmarks.decide.world import (
    AT,
    AUDIENCES,
    Visit,
    arms_of,
    decision_of,
    even,
    visitor_id,
    visits_of,
)
from hookline.memory import EPISODES, Memory
from hookline.types import Context

REPEATS: Final = 7
STATM: Final = Path("/proc/self/statm")


@dataclass(frozen=True, kw_only=True)
class SnapshotCost:
    """Of a policy taught with outcomes over so many arms.

    Attributes:
        dump: Seconds to write it, the median.
        load: Seconds to read it, likewise.
        first: Seconds of the first decision after that among 20 of its arms, likewise.
        kilobytes: Size of the text.
    """

    arms: int
    outcomes: int
    dump: float
    load: float
    first: float
    kilobytes: float


@dataclass(frozen=True, kw_only=True)
class Filled:
    """Bytes that the process has grown by, for so many visitors with so many showings each."""

    visitors: int
    shown: int
    grown: int

    @property
    def each(self) -> float:
        """Bytes a visitor."""
        return self.grown / self.visitors


def snapshot_cost(arms: int, outcomes: int, seed: int) -> SnapshotCost:
    """What it takes to write and read all that was learned."""
    player = Ours(arms_of(arms, seed))
    for learn in player.lessons(visits_of(outcomes, arms, (seed, arms))):
        learn()
    policy, other = player.policy, player.policy.clone()
    asked = visits_of(1, arms, (seed, arms, 1))[0]
    few = player.arms[:20]
    text = policy.dump()
    dumps, loads, firsts = list[float](), list[float](), list[float]()
    for _ in range(REPEATS):
        dumps.append(_seconds(policy.dump))
        loads.append(_seconds(lambda: other.load(text)))
        firsts.append(_seconds(lambda: other.probabilities(asked.context, asked.audience_id, few)))
    return SnapshotCost(
        arms=arms,
        outcomes=outcomes,
        dump=float(np.median(dumps)),
        load=float(np.median(loads)),
        first=float(np.median(firsts)),
        kilobytes=len(text) / 1e3,
    )


def memory_growth(visitors: int) -> list[Filled]:
    """How a memory grows up to so many visitors, with one showing each and with all that are kept.

    Each fill has a process of its own, so that nothing freed before is used again. Empty where the
    machine does not tell how large a process is.
    """
    if not STATM.exists():
        return []
    found: list[Filled] = []
    for shown in (1, EPISODES):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found += pool.submit(fill, visitors, shown).result()
    return found


def fill(visitors: int, shown: int) -> list[Filled]:
    """The growth of this very process at a quarter, half and all of the visitors."""
    arms = arms_of(20, 0)
    shares = even(arms)
    memory = Memory(visitors=visitors)
    found: list[Filled] = []
    marks = {visitors // 4, visitors // 2, visitors}
    before = resident()
    for number in range(visitors):
        place = number % len(arms)
        context = Context(visitor_id=visitor_id(number), at=AT)
        visit = Visit(context=context, audience_id=AUDIENCES[0], served=place, reward=0.0)
        decision = decision_of(visit, arms, shares, context)
        for _ in range(shown):
            memory.show(decision, arms[place])
        if number + 1 in marks:
            found.append(Filled(visitors=number + 1, shown=shown, grown=resident() - before))
    return found


def law(found: Sequence[Filled]) -> tuple[float, float]:
    """Bytes a visitor and bytes a showing, from the largest fills with few and with many."""
    most = max(each.visitors for each in found)
    few, many = sorted((each for each in found if each.visitors == most), key=lambda one: one.shown)
    showing = (many.each - few.each) / (many.shown - few.shown)
    return few.each - showing * few.shown, showing


def resident() -> int:
    """Bytes of memory that this process has in use."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
