"""Many A/A tests, and how often something was claimed at any look."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from hookline.errors import BadInput
from hookline.selftest.standing import Claims, Standing, columns_of, significant
from hookline.selftest.traffic import START, Batch, Traffic, edges_of
from hookline.stats.estimate import MIN_UNITS
from hookline.types import Experiment

Array = NDArray[np.float64]

DAYS = 30
"""How long a simulated test runs; policies that forget take note."""
LOOKS = 60
"""Looks at evenly many visitors: twice a day. More come on the first day."""
SPREAD = 0.2
"""How far audiences' rates lie from the mean, relative: lines are identical, visitors are not."""
CHUNK = 20_000
"""About how many visitors are scored at once; the guesses that scores rest on start anew in each,
which costs a little variance and no truth."""
MONEY = (3.0, 0.8)
"""Mean and standard deviation of the logarithm of an order's amount."""
MOST_RUNS = 100_000
MOST_VISITORS = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One kind of A/A test.

    Attributes:
        experiment: Whose lines, policy, audiences, split and objective are played.
        visitors: Visitors of the whole test.
        rate: Clicks or orders a visitor, the same for every line, above 0 and below .8.
        looks: Looks at evenly many visitors; the policy learns as often.

    Raises:
        BadInput: Where a number makes no sense.
    """

    experiment: Experiment
    visitors: int
    rate: float = 0.05
    looks: int = LOOKS

    def __post_init__(self) -> None:
        if not MIN_UNITS <= self.visitors <= MOST_VISITORS:
            raise BadInput(
                f"an A/A test takes {MIN_UNITS} to {MOST_VISITORS:,} visitors, "
                f"not {self.visitors:,}"
            )
        if not 0 < self.rate < 0.8:
            raise BadInput(f"the rate must lie between 0 and 0.8, not {self.rate}")
        if not 1 <= self.looks <= self.visitors // 10:
            raise BadInput(f"{self.visitors} visitors can't be looked at {self.looks} times")

    @property
    def edges(self) -> list[int]:
        """Visitors so far at every look."""
        return edges_of(self.visitors, self.looks, MIN_UNITS)


class Look(NamedTuple):
    """One look at a test.

    Attributes:
        sums: Visitors, rewards, squared rewards and events of each line, shape (K, 4).
        claims: What the report claims.
        significant: Whether a z-test of the raw means is significant for some challenger.
    """

    sums: Array
    claims: Claims
    significant: bool

    @property
    def visitors(self) -> int:
        """Visitors so far."""
        return int(self.sums[:, 0].sum())


def play(trial: Trial, seed: Sequence[int]) -> Iterator[Look]:
    """Every look at one A/A test, in order; the same seed gives the same ones.

    Raises:
        Refused: Where some line has no chance of being shown.
    """
    rng = np.random.default_rng(seed)
    traffic = Traffic(trial.experiment, rng)
    experiment = traffic.experiment
    standing = Standing.none(experiment, experiment.objective, traffic.audiences)
    sums = np.zeros((len(experiment.arms), 4))
    for chunk in _chunks(trial, traffic, rng):
        for (batch, rewards), columns in zip(chunk, _scored(experiment, chunk), strict=True):
            standing = standing.after(columns, rewards, batch.arms, batch.audiences)
            sums = sums + _sums(batch, rewards, len(sums))
            yield Look(sums, standing.claims(), significant(sums, standing.control))


def _chunks(
    trial: Trial, traffic: Traffic, rng: np.random.Generator
) -> Iterator[list[tuple[Batch, Array]]]:
    """The batches of a test with their rewards, as many at a time as are scored together."""
    rates = trial.rate * np.linspace(1 - SPREAD, 1 + SPREAD, traffic.audiences)
    chunk: list[tuple[Batch, Array]] = []
    for start, end in pairwise((0, *trial.edges)):
        batch = traffic.serve(end - start, START + timedelta(days=DAYS * start / trial.visitors))
        rewards = (rng.random(end - start) < rates[batch.audiences]).astype(np.float64)
        if trial.experiment.objective == "revenue":
            rewards *= rng.lognormal(*MONEY, end - start)
        traffic.learn(batch, rewards)
        chunk.append((batch, rewards))
        if end == trial.visitors or sum(len(earned) for _, earned in chunk) >= CHUNK:
            yield chunk
            chunk = []


def _scored(experiment: Experiment, batches: Sequence[tuple[Batch, Array]]) -> list[Array]:
    """The columns of scores of each batch."""
    columns = columns_of(
        experiment,
        np.concatenate([earned for _, earned in batches]),
        np.concatenate([batch.arms for batch, _ in batches]),
        np.concatenate([batch.probabilities for batch, _ in batches]),
        np.concatenate([batch.audiences for batch, _ in batches]),
    )
    return np.split(columns, np.cumsum([len(earned) for _, earned in batches])[:-1])


def _sums(batch: Batch, rewards: Array, count: int) -> Array:
    """Visitors, rewards, squared rewards and events of each line, shape (K, 4)."""
    each = (np.ones_like(rewards), rewards, rewards**2, rewards != 0)
    columns = [np.bincount(batch.arms, weights=weights, minlength=count) for weights in each]
    return np.column_stack(columns).astype(np.float64)


# --- many of them --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """How often something happened, with its exact 95 % interval (Clopper and Pearson 1934)."""

    hits: int
    runs: int
    low: float
    high: float

    @property
    def estimate(self) -> float:
        """Share of the runs, 0 to 1."""
        return self.hits / self.runs


def rate_of(hits: int, runs: int, alpha: float = 0.05) -> Rate:
    """The rate of `hits` in `runs`, at least one run.

    Examples:
        >>> found = rate_of(50, 1_000)
        >>> f"{found.estimate:.3f} ({found.low:.4f} to {found.high:.4f})"
        '0.050 (0.0373 to 0.0654)'
    """
    low = float(betaincinv(hits, runs - hits + 1, alpha / 2)) if hits else 0.0
    high = float(betaincinv(hits + 1, runs - hits, 1 - alpha / 2)) if hits < runs else 1.0
    return Rate(hits=hits, runs=runs, low=low, high=high)


@dataclass(frozen=True, kw_only=True, slots=True)
class SelfTest:
    """What many A/A tests came to: how often each was ever claimed, at any of the looks.

    Attributes:
        trial: What was played.
        winner: The report named a winner.
        claim: The report claimed anything: a winner, a difference, an audience's best line, or
            that the policy is better.
        significant: A z-test of the raw means was significant for some challenger.
    """

    trial: Trial
    winner: Rate
    claim: Rate
    significant: Rate


def self_test(
    trial: Trial,
    runs: int,
    *,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int], None] = lambda _runs: None,
) -> SelfTest:
    """How often a difference is named in A/A tests of this kind.

    Args:
        trial: What to play.
        runs: How often, 1 to 100,000.
        seed: Of every draw.
        workers: Processes; 1 stays in this one. More are spawned: a script that asks for them
            needs the usual `if __name__ == "__main__"`.
        progress: Called with the number of runs that are done.

    Raises:
        BadInput: Where the number of runs makes no sense.
        Refused: Where some line has no chance of being shown.
    """
    if not 1 <= runs <= MOST_RUNS:
        raise BadInput(f"an A/A test is run 1 to {MOST_RUNS:,} times, not {runs:,}")
    found: list[tuple[bool, bool, bool]] = []
    for ever in _played(partial(_ever, trial, seed), runs, workers):
        found.append(ever)
        progress(len(found))
    winner, claim, z = (rate_of(sum(hits), runs) for hits in zip(*found, strict=True))
    return SelfTest(trial=trial, winner=winner, claim=claim, significant=z)


def _ever(trial: Trial, seed: int, run: int) -> tuple[bool, bool, bool]:
    """Whether one test ever had a winner, any claim of the report, and a significant z-test."""
    ever = np.zeros(3, dtype=np.bool_)
    for look in play(trial, (seed, run)):
        ever |= (look.claims.winner, any(look.claims), look.significant)
    winner, claim, z = ever.tolist()
    return winner, claim, z


def _played(
    ever: Callable[[int], tuple[bool, bool, bool]], runs: int, workers: int
) -> Iterator[tuple[bool, bool, bool]]:
    if workers < 2 or runs < 2:
        yield from map(ever, range(runs))
        return
    # They end at Ctrl-C at once, instead of going through what is queued.
    context, ending = get_context("spawn"), (signal.SIGINT, signal.SIG_DFL)
    with ProcessPoolExecutor(workers, context, signal.signal, ending) as pool:
        yield from pool.map(ever, range(runs), chunksize=-(-runs // (10 * workers)))
