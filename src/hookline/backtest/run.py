"""Past tests → what each policy would have earned on them, with intervals.

A policy may know other tests, never the one it plays: what it is told beforehand comes from the
tests of other groups, by turns. Intervals are over groups of tests, since tests of one group may
share lines, and are paired where two policies are compared.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from hookline.backtest.measure import measure_prior, summarise
from hookline.backtest.players import (
    EXTERNAL,
    PLAYERS,
    SHARES,
    STEPS,
    Block,
    External,
    Hint,
    explore_then_commit,
)
from hookline.backtest.result import BacktestResult, Calibration, PolicyResult, Truth
from hookline.backtest.truth import NOTES, true_rates
from hookline.errors import BadInput
from hookline.past import PastTests, Reading
from hookline.prior.calibrate import Belief, calibrate, together, within
from hookline.stats import expected_clicks, spread

Array = NDArray[np.float64]

FOLDS = 5
MOST_VISITORS = 1_000_000
_BLOCK = 2_048
"""Most tests played at once: enough to keep numpy busy, few enough for the processor's cache."""
_DRAWS = 1 << 22
"""About how many numbers a policy may draw at once."""


def backtest(  # noqa: PLR0913 - each is a choice of its own
    reading: Reading,
    score: Array,
    start: Belief,
    *,
    source: str,
    budgets: Sequence[int],
    seeds: int,
    truth: Truth,
    workers: int = 1,
    progress: Callable[[float], None] = lambda _share: None,
) -> BacktestResult:
    """What each policy would have earned on past tests.

    Args:
        reading: The tests, and what was wrong with the file.
        score: The text prior's score of each line, shape (lines,).
        start: What is believed of that score before any of these tests.
        source: Name of the file.
        budgets: Impressions per line, each at least 1.
        seeds: Runs of every policy on every test, at least 1.
        truth: Where simulated clicks come from.
        workers: Processes; 1 stays in this one. More are spawned: a script that asks for them
            needs the usual `if __name__ == "__main__"`.
        progress: Called with the share of the work that is done, 0 to 1.

    Raises:
        BadInput: Where a budget or the number of seeds makes no sense, or there is but one group.
    """
    began = time.monotonic()
    tests = reading.tests
    check(tests, budgets, seeds)
    own, both = _tell(tests, score, start)
    rates = true_rates(tests, truth)
    jobs = list(_jobs(tests, rates, own, both, budgets, seeds))
    return BacktestResult(
        source=source,
        tests=len(tests.test_ids),
        arms=len(tests.texts),
        groups=int(np.unique(tests.groups).size),
        impressions=int(tests.impressions.sum()),
        clicks=int(tests.clicks.sum()),
        skipped=reading.skipped,
        notes=reading.notes,
        truth=truth,
        truth_note=NOTES[truth],
        seeds=seeds,
        calibration=_calibration(tests, own, both),
        prior=measure_prior(tests, score),
        prior_external=None
        if tests.predicted is None
        else measure_prior(tests, np.log(tests.predicted)),
        budgets=_play(jobs, tests, seeds, workers, progress),
        seconds=time.monotonic() - began,
    )


def check(tests: PastTests, budgets: Sequence[int], seeds: int) -> None:
    """Refuses what can't be back-tested, before any work is done.

    Raises:
        BadInput: Where a budget or the number of seeds makes no sense, or there is but one group.
    """
    most = MOST_VISITORS // int(np.diff(tests.starts).max())
    for budget in budgets:
        if not 1 <= budget <= most:
            raise BadInput(f"a budget must be 1 to {most:,} impressions per line, not {budget:,}")
    if not budgets or len(set(budgets)) < len(budgets):
        raise BadInput("name at least one budget, and each only once")
    if not 1 <= seeds <= 1000:
        raise BadInput(f"seeds must be 1 to 1,000, not {seeds:,}")
    if np.unique(tests.groups).size < 2:
        raise BadInput(
            "a back-test needs tests of at least two groups: what is learned from one "
            "is tried on another"
        )


# --- what the policies are told ------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """Forecasts of every test, made from other groups.

    Attributes:
        beliefs: One a fold.
        score: Shape (lines,).
        pseudo_clicks: Shape (tests,).
        level: Shape (tests,).
    """

    beliefs: tuple[Belief, ...]
    score: Array
    pseudo_clicks: Array
    level: Array


def _tell(tests: PastTests, score: Array, start: Belief) -> tuple[_Told, _Told | None]:
    """Forecasts from the text prior, and from it together with `predicted_ctr`."""
    mine = within(score, tests.starts)[:, None]
    own = _told(tests, mine, start, None)
    if tests.predicted is None:
        return own, None
    logs = np.log(tests.predicted)
    sizes = np.diff(tests.starts)
    guesses = np.add.reduceat(logs, tests.starts[:-1]) / sizes
    theirs = (logs - np.repeat(guesses, sizes))[:, None]
    wider = Belief(slopes=(*start.slopes, 0.0), variance=start.variance)
    return own, _told(tests, np.concatenate([mine, theirs], axis=1), wider, guesses)


def _told(tests: PastTests, predictions: Array, start: Belief, guesses: Array | None) -> _Told:
    folds = _folds(tests)
    score, pseudo, level = np.zeros(len(tests.texts)), np.ones(folds.size), np.ones(folds.size)
    line_folds = np.repeat(folds, np.diff(tests.starts))
    beliefs: list[Belief] = []
    for fold in np.unique(folds):
        here, there = folds == fold, np.flatnonzero(folds != fold)
        belief = calibrate(
            tests.take(there),
            predictions[line_folds != fold],
            start,
            None if guesses is None else guesses[there],
        )
        score[line_folds == fold] = belief.forecast(predictions[line_folds == fold])
        pseudo[here] = 1 / belief.variance
        level[here] = belief.levels(None if guesses is None else guesses[here], int(here.sum()))
        beliefs.append(belief)
    return _Told(beliefs=tuple(beliefs), score=score, pseudo_clicks=pseudo, level=level)


def _folds(tests: PastTests) -> NDArray[np.int64]:
    return tests.folds(min(FOLDS, np.unique(tests.groups).size), seed=0)


def _calibration(tests: PastTests, own: _Told, both: _Told | None) -> Calibration:
    alone = together(own.beliefs)
    clicks, shown = tests.clicks.astype(np.float64), tests.impressions.astype(np.float64)
    flat = expected_clicks(clicks, shown, np.zeros_like(clicks), tests.starts)
    return Calibration(
        level=alone.level,
        spread=float(np.sqrt(spread(clicks, flat, tests.starts))),
        slope=alone.slopes[0],
        external_slope=together(both.beliefs).slopes[1] if both else None,
        pseudo_clicks=1 / alone.variance,
    )


# --- playing -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """Tests of equally many lines that everybody plays at one budget.

    Attributes:
        which: Index of each test, shape (tests,); a test stands there once a seed.
        budget: Impressions per line.
        seed: Of all draws.
        block: What is played; its generator is made anew for each player.
    """

    which: NDArray[np.intp]
    budget: int
    seed: tuple[int, ...]
    block: Block


def _jobs(
    tests: PastTests,
    rates: Array,
    own: _Told,
    both: _Told | None,
    budgets: Sequence[int],
    seeds: int,
) -> Iterator[_Job]:
    sizes = np.diff(tests.starts)
    won, lost = _betas(tests)
    different: list[int] = np.unique(sizes).tolist()
    for lines in different:
        every = np.tile(np.flatnonzero(sizes == lines), seeds)
        most = _DRAWS // (lines * (max(budgets) * lines // STEPS + 1))
        block_size = min(max(most, 16), _BLOCK)
        for part in range(0, every.size, block_size):
            which = every[part : part + block_size]
            rows = np.add.outer(tests.starts[which], np.arange(lines))
            # the order of a file may tell its winners, and ties go to the first
            rows = np.random.default_rng((lines, part)).permuted(rows, axis=1)
            predicted = tests.predicted
            external = (
                External(predicted=predicted[rows], both=_hint(both, which, rows))
                if both and predicted is not None
                else None
            )
            for budget in budgets:
                seed = (lines, part, budget)
                block = Block(
                    rates=rates[rows],
                    visitors=budget * lines,
                    own=_hint(own, which, rows),
                    external=external,
                    beta=(won[which][:, None], lost[which][:, None]),
                    rng=np.random.default_rng(seed),
                )
                yield _Job(which=which, budget=budget, seed=seed, block=block)


def _hint(told: _Told, which: NDArray[np.intp], rows: NDArray[np.int64]) -> Hint:
    return Hint(
        score=told.score[rows],
        pseudo_clicks=told.pseudo_clicks[which][:, None],
        level=told.level[which][:, None],
    )


def _betas(tests: PastTests) -> tuple[Array, Array]:
    """For each test, the Beta distribution of the other folds' rates, less what is chance."""
    folds = _folds(tests)
    line_folds = np.repeat(folds, tests.sizes)
    mean, strength = np.zeros(folds.size), np.zeros(folds.size)
    for fold in np.unique(folds):
        rates = tests.rates[line_folds != fold]
        chance = rates * (1 - rates) / tests.impressions[line_folds != fold]
        middle = float(np.clip(rates.mean(), 1e-9, 1 - 1e-9))
        variance = float(rates.var() - chance.mean())
        mean[folds == fold] = middle
        strength[folds == fold] = max(middle * (1 - middle) / max(variance, 1e-12) - 1, 1.0)
    return mean * strength, (1 - mean) * strength


def _play_job(job: _Job) -> dict[str, Array]:
    """Policy → expected clicks of each of the job's tests."""
    players = {**PLAYERS, **(EXTERNAL if job.block.external else {})}
    earned: dict[str, Array] = {}
    for number, (name, player) in enumerate(players.items()):
        rng = np.random.default_rng((*job.seed, number))
        earned[name] = player(replace(job.block, rng=rng))
    for number, share in enumerate(SHARES):
        rng = np.random.default_rng((*job.seed, len(players) + number))
        earned[_tuned(share)] = explore_then_commit(replace(job.block, rng=rng), share)
    return earned


def _play(
    jobs: Sequence[_Job],
    tests: PastTests,
    seeds: int,
    workers: int,
    progress: Callable[[float], None],
) -> dict[int, dict[str, PolicyResult]]:
    totals: dict[int, dict[str, Array]] = {}
    work = float(sum(job.block.rates.size * job.budget for job in jobs))
    done = 0.0
    for job, earned in _played(jobs, workers):
        at = totals.setdefault(job.budget, {})
        for name, clicks in earned.items():
            sums = at.setdefault(name, np.zeros(len(tests.test_ids)))
            sums += np.bincount(job.which, clicks / seeds, minlength=sums.size)
        done += job.block.rates.size * job.budget
        progress(done / work)
    return {
        budget: summarise(_with_tuned(at), tests.groups) for budget, at in sorted(totals.items())
    }


def _played(jobs: Sequence[_Job], workers: int) -> Iterator[tuple[_Job, dict[str, Array]]]:
    """Every job with its earnings, the longest first: the same order however many work."""
    waiting = sorted(jobs, key=lambda job: -job.block.rates.size * job.block.visitors)
    if workers == 1 or len(jobs) == 1:
        yield from ((job, _play_job(job)) for job in waiting)
        return
    # Spawned, not forked: a runtime for the text prior may have threads of its own by now.
    # They end at Ctrl-C at once, instead of going through what is queued.
    context, ending = get_context("spawn"), (signal.SIGINT, signal.SIG_DFL)
    with ProcessPoolExecutor(workers, context, signal.signal, ending) as pool:
        yield from zip(waiting, pool.map(_play_job, waiting), strict=True)


def _tuned(share: float) -> str:
    return f"explore_then_commit {share:.0%}"


def _with_tuned(earned: dict[str, Array]) -> dict[str, Array]:
    """The earnings, with only the best of the tuned shares: as good as it gets, with hindsight."""
    tried = [earned["explore_then_commit"], *(earned[_tuned(share)] for share in SHARES)]
    tuned = max(tried, key=lambda clicks: clicks.sum())
    names = [name for name in earned if not name.startswith("explore_then_commit ")]
    return {name: earned[name] for name in names} | {"explore_then_commit_tuned": tuned}
