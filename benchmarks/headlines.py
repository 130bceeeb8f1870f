"""What the text prior and the test policy are worth on real headline tests.

    python -m benchmarks.headlines ../shared/data/upworthy/headlines.csv.gz --json out.json

The fast prior is fitted anew without the tests it is tried on, so no figure here is of lines it
learned from. The encoder that ships did learn from this archive: of it only speed and size are
measured here; what it picks is measured by `hookline train-prior FILE --base MINILM` on tests held
out, and by `hookline backtest` on a file it never saw.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # speeds are those of one core

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.common import Bar, arguments, finish, terminal
from hookline.backtest import BacktestResult, backtest, measure_prior
from hookline.backtest.result import PolicyResult, PriorResult, Truth
from hookline.past import PastTests, Reading, read_past_tests
from hookline.prior import DEFAULT, Belief, TextPrior
from hookline.prior.ngrams import NgramPrior

FOLDS = 5
BUDGETS = (50, 200, 1000)
TRUTHS: tuple[Truth, ...] = ("observed", "shrunken")
OVER_COMMIT = {"observed": (0.08, 0.05, 0.02), "shrunken": (0.06, 0.04, 0.015)}
"""Least lift over test-20 %-then-ship at the budgets."""


def main() -> int:
    """Runs it; 1 where a bar does not hold."""
    parser = arguments("benchmarks.headlines", __doc__ or "")
    parser.add_argument("file", type=Path, help="past tests")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each policy (5)")
    options = parser.parse_args()
    console = terminal()
    if not options.file.exists():
        console.print(f"{options.file} is absent: nothing measured")
        return 0
    reading = read_past_tests(options.file)
    tests = reading.tests
    if options.quick:
        tests = tests.take(np.arange(min(len(tests), 2000)))
    score = _held_out_scores(tests, console)
    measured = measure_prior(tests, score)
    bars = [_pick_bar(measured), *_speed_bars(tests.texts[:20_000])]
    results = _play(tests, score, options.seeds if not options.quick else 1, console)
    for result in results:
        bars += _policy_bars(result)
        console.print(_table(result))
    rows = {
        result.truth: {
            str(budget): {name: _row(policy) for name, policy in at.items()}
            for budget, at in result.budgets.items()
        }
        for result in results
    }
    return finish(
        console,
        bars,
        out=options.json,
        seed=options.seed,
        result={"tests": len(tests), "held_out_tests": results[0].tests, "budgets": rows},
    )


def _held_out_scores(
    tests: PastTests, console: Console
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The fast prior's score of each line, fitted to the other folds."""
    folds = np.repeat(tests.folds(FOLDS, seed=0), tests.sizes)
    score = np.zeros(len(tests.texts))
    with Progress(console=console) as bar:
        task = bar.add_task("fitting the fast prior", total=FOLDS)
        for fold in range(FOLDS):
            model = NgramPrior.fit(tests.take(np.flatnonzero(tests.folds(FOLDS, seed=0) != fold)))
            rows = np.flatnonzero(folds == fold)
            score[rows] = model.score([tests.texts[row] for row in rows])
            bar.advance(task)
    return score


def _pick_bar(measured: PriorResult) -> Bar:
    return Bar(
        name="fast prior, uplift of its picks on held-out tests",
        value=measured.uplift,
        target=">= 0.11",
        holds=measured.uplift >= 0.11,
    )


def _speed_bars(texts: Sequence[str]) -> list[Bar]:
    began = time.perf_counter()
    whole = TextPrior.load()
    loading = time.perf_counter() - began
    fast = TextPrior.load(fast=True)
    size = sum(path.stat().st_size for path in DEFAULT.iterdir()) / 1e6
    slow_rate, fast_rate = _rate(whole, texts[:1000]), _rate(fast, texts)
    return [
        Bar(
            name="shipped prior, lines/s", value=slow_rate, target=">= 500", holds=slow_rate >= 500
        ),
        Bar(
            name="fast form, lines/s", value=fast_rate, target=">= 20000", holds=fast_rate >= 20_000
        ),
        Bar(name="seconds to load", value=loading, target="< 1", holds=loading < 1),
        Bar(name="megabytes on disk", value=size, target="< 25", holds=size < 25),
    ]


def _rate(prior: TextPrior, texts: Sequence[str]) -> float:
    """Lines a second, the best of three runs over lines the first of which it has not seen."""
    rates: list[float] = []
    for _ in range(3):
        began = time.perf_counter()
        prior.score(texts)
        rates.append(len(texts) / (time.perf_counter() - began))
    return max(rates)


def _play(
    tests: PastTests,
    score: np.ndarray[tuple[int], np.dtype[np.float64]],
    seeds: int,
    console: Console,
) -> list[BacktestResult]:
    """The back-test in both truths, on a part of the tests as large as the issue's."""
    part = np.flatnonzero(tests.folds(FOLDS, seed=0) == 0)
    lines = np.flatnonzero(np.isin(tests.test_of_line, part))
    reading = Reading(tests=tests.take(part), rows=lines.size, skipped={}, examples=(), notes=())
    results: list[BacktestResult] = []
    for truth in TRUTHS:
        with Progress(console=console) as bar:
            task = bar.add_task(f"playing, {truth} rates", total=1.0)
            results.append(
                backtest(
                    reading,
                    score[lines],
                    Belief(slopes=(1.0,), variance=0.05),
                    source="held-out tests",
                    budgets=BUDGETS,
                    seeds=seeds,
                    truth=truth,
                    progress=lambda share, bar=bar, task=task: bar.update(task, completed=share),
                )
            )
    return results


def _policy_bars(result: BacktestResult) -> list[Bar]:
    bars: list[Bar] = []
    for (budget, at), least in zip(result.budgets.items(), OVER_COMMIT[result.truth], strict=True):
        ours = at["hookline"].versus
        behind = ours["lola"].ci[0]
        commit = ours["explore_then_commit"].lift
        where = f"{result.truth}, {budget} a line"
        bars += [
            Bar(
                name=f"over LOLA, lower end ({where})",
                value=behind,
                target=">= -0.003",
                holds=behind >= -0.003,
            ),
            Bar(
                name=f"over test-then-ship ({where})",
                value=commit,
                target=f">= {least}",
                holds=commit >= least,
            ),
        ]
    return bars


def _table(result: BacktestResult) -> Table:
    table = Table(
        "policy", *(f"{budget} a line" for budget in result.budgets), title=f"{result.truth} rates"
    )
    for name in next(iter(result.budgets.values())):
        table.add_row(
            name, *(f"{at[name].uplift_vs_uniform:+.1%}" for at in result.budgets.values())
        )
    return table


def _row(policy: PolicyResult) -> dict[str, object]:
    return {
        "uplift_vs_uniform": policy.uplift_vs_uniform,
        "ci": policy.ci,
        "oracle_gap_closed": policy.oracle_gap_closed,
    }


if __name__ == "__main__":
    sys.exit(main())
