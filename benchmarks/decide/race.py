"""Everybody's times in one run, in blocks taken in turns, so that noise hits all alike."""

import gc
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.decide.players import Call, Player
from benchmarks.decide.world import AUDIENCES, arms_of, visits_of

Clock = Callable[[], int]
"""Nanoseconds since some moment."""

BLOCK: Final = 256
"""Outcomes learned, and decisions made, in one block."""
WARM: Final = 2
"""Blocks of decisions before the clock counts."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a player takes, in microseconds.

    Attributes:
        median: Of a decision.
        p99: 99th percentile of a decision: that of a block, the median over blocks.
        p99_all: The same of all decisions together, so with whatever else the machine did.
        learn: Of an outcome: learning a block, and what the first decisions after it take longer
            than the usual, over the outcomes; mean over blocks, for some gather more than one.
    """

    median: float
    p99: float
    p99_all: float
    learn: float


def race(
    players: Iterable[type[Player]],
    count: int,
    *,
    seed: int,
    rounds: int,
    taught: int,
    clock: Clock,
) -> dict[str, Cost]:
    """Label → what the player takes among so many arms.

    Args:
        players: Who.
        count: Number of arms.
        seed: Of arms and visits.
        rounds: Blocks of each player.
        taught: Blocks of outcomes that each learns before.
        clock: What to time with.
    """
    arms = arms_of(count, seed)
    crowd = [make(arms) for make in players]
    for block in range(taught):
        visits = visits_of(BLOCK, count, (seed, count, 0, block))
        for player in crowd:
            for learn in player.lessons(visits):
                learn()
    decided: dict[str, list[NDArray[np.int64]]] = {player.label: [] for player in crowd}
    learned: dict[str, list[float]] = {player.label: [] for player in crowd}
    with _steady():
        for block in range(WARM + rounds):
            outcomes = visits_of(BLOCK, count, (seed, count, 1, block))
            requests = visits_of(BLOCK + len(AUDIENCES), count, (seed, count, 2, block))
            turn = block % len(crowd)
            for player in crowd[turn:] + crowd[:turn]:
                whole = times(player.lessons(outcomes), clock).sum()
                each = times(player.asks(requests), clock)
                first, rest = each[: len(AUDIENCES)], each[len(AUDIENCES) :]
                if block >= WARM:
                    more = first.sum() - len(AUDIENCES) * float(np.median(rest))
                    decided[player.label].append(rest)
                    learned[player.label].append((whole + max(more, 0.0)) / BLOCK)
            gc.collect()
    return {label: _cost(decided[label], learned[label]) for label in decided}


def times(calls: Iterable[Call], clock: Clock) -> NDArray[np.int64]:
    """How long each call took, in the clock's nanoseconds; making the calls is not counted."""
    taken: list[int] = []
    for call in calls:
        started = clock()
        call()
        taken.append(clock() - started)
    return np.array(taken)


def growth(costs: dict[int, Cost], least: int) -> float:
    """The exponent e of a decision's median time ~ arms^e, by least squares on logarithms.

    Args:
        costs: Number of arms → cost.
        least: Only from so many arms on.
    """
    sizes = [size for size in sorted(costs) if size >= least]
    slope, _ = np.polyfit(np.log(sizes), np.log([costs[size].median for size in sizes]), 1)
    return float(slope)


def _cost(decided: Sequence[NDArray[np.int64]], learned: Sequence[float]) -> Cost:
    every = np.concatenate(decided)
    return Cost(
        median=float(np.median(every)) / 1e3,
        p99=float(np.median([np.quantile(block, 0.99) for block in decided])) / 1e3,
        p99_all=float(np.quantile(every, 0.99)) / 1e3,
        learn=float(np.mean(learned)) / 1e3,
    )


@contextmanager
def _steady() -> Generator[None]:
    """Garbage is collected between blocks only, and what exists already is left alone."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
