"""How long, and in how much memory, ten million logged decisions are analysed.

    python -m benchmarks.rows --json out.json            10,000,000 rows, some 2 minutes
    python -m benchmarks.rows --json out.json --quick    1,000,000 rows

The log is made up, in Parquet, and its truth is known: 5 arms, 3 segments with tastes of their own,
chances of a click per segment and arm, an order after 3 clicks in 10, money per order from a gamma
law. A policy that adapts drew the arms: after every 1/40 of the log it moves its probabilities, by
segment, towards the arms with most clicks so far, none below 4 %; 5 % of the traffic is held out.

A process of its own analyses all of it (`hookline.bulk`: every arm and the policy under clicks,
orders and money, by segment, at each doubling of the log), another its first tenth: time is that of
the whole process, imports included, and memory the most it ever held. Like `hookline` itself, it
keeps BLAS to one thread. What that tenth comes to when all its rows are in memory at once
(`hookline.stats` alone) must be the same.

Bars: all rows in 60 s, memory no more than 1.3 times that for a tenth of the rows, and equal
answers. How many intervals, over all looks, hold the true lift is shown too; all of a metric's do
at once in 95 % of logs.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.common import Bar, arguments, finish, terminal
from hookline.bulk import Question, analyse_log
from hookline.stats import ALPHA, Moments, floored, relative_lift, scores
from hookline.types import Estimate, as_json

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

ARMS = ("control", "bold", "warm", "dry", "sly")
SEGMENTS = ("new", "regular", "lapsed")
SHARES = np.array([0.5, 0.3, 0.2])
CLICK = np.array(
    [
        [0.080, 0.090, 0.080, 0.078, 0.070],
        [0.120, 0.118, 0.132, 0.120, 0.110],
        [0.040, 0.044, 0.041, 0.050, 0.036],
    ]
)
"""Chance of a click by segment and arm."""
ORDER, SHAPE, SCALE = 0.3, 4.0, 12.0
"""Chance of an order after a click; shape and scale of its money."""
PARTS, LEAST, HOLDOUT = 40, 0.04, 0.05
ROWS, QUICK_ROWS = 10_000_000, 1_000_000
METRICS: tuple[str, ...] = ("clicks", "orders", "revenue")
SECONDS, MEMORY, DIFFERENCE = 60.0, 1.3, 1e-9


@dataclass(frozen=True, kw_only=True)
class Run:
    """One process.

    Attributes:
        rows: Rows it read.
        seconds: Its whole life.
        cpu_seconds: What it used of the processor, all threads together.
        megabytes: The most memory it ever held.
        lifts: One entry a look, the last at the end: metric → arm → lift.
    """

    rows: int
    seconds: float
    cpu_seconds: float
    megabytes: float
    lifts: list[dict[str, dict[str, Estimate]]]


def make(folder: Path, rows: int, seed: int, done: Callable[[], None]) -> None:
    """Writes the log in `PARTS` Parquet files, holding one of them in memory at a time."""
    rng = np.random.default_rng(seed)
    duckdb, arrow = import_module("duckdb"), import_module("pyarrow")
    clicks, shown = np.zeros(CLICK.shape), np.full(CLICK.shape, 1.0)
    with duckdb.connect() as connection:
        for part in range(PARTS):
            policy = moved(clicks / shown)
            table, place = decisions(rng, part * (rows // PARTS), rows // PARTS, policy)
            np.add.at(clicks, place, table["clicks"])
            np.add.at(shown, place, 1.0)
            connection.register("part", arrow.table(table))
            connection.sql(f"COPY part TO '{folder}/part-{part:02}.parquet'")
            connection.unregister("part")
            done()


def moved(rates: Array) -> Array:
    """The policy's probabilities by segment and arm, after what it has seen."""
    lead = rates - rates.max(axis=1, keepdims=True)
    weights = np.exp(lead / 0.01)
    shares = weights / weights.sum(axis=1, keepdims=True)
    own = LEAST + (1 - LEAST * len(ARMS)) * shares
    own *= 1 - HOLDOUT
    own[:, 0] += HOLDOUT
    return own


def decisions(
    rng: np.random.Generator, first: int, count: int, policy: Array
) -> tuple[dict[str, NDArray[np.generic]], tuple[Integers, Integers]]:
    """Decisions with what came of them, a column a name; and each one's segment and arm."""
    segments = rng.choice(len(SEGMENTS), size=count, p=SHARES)
    odds = policy[segments]
    arms = (rng.random(count)[:, None] > np.cumsum(odds, axis=1)).sum(axis=1)
    arms = np.minimum(arms, len(ARMS) - 1)
    clicked = rng.random(count) < CLICK[segments, arms]
    ordered = clicked & (rng.random(count) < ORDER)
    money = np.where(ordered, np.round(rng.gamma(SHAPE, SCALE, size=count), 2), 0.0)
    columns: dict[str, NDArray[np.generic]] = {
        "at": 1_700_000_000.0 + first + np.arange(count),
        "arm": np.array(ARMS)[arms],
        "segment": np.array(SEGMENTS)[segments],
        **{f"p_{name}": odds[:, place] for place, name in enumerate(ARMS)},
        "clicks": clicked.astype(np.int8),
        "orders": ordered.astype(np.int8),
        "revenue": money,
    }
    return columns, (segments, arms)


def true_lift(arm: str) -> float:
    """The same under every metric: orders and money follow clicks."""
    rates = SHARES @ CLICK
    return float(rates[ARMS.index(arm)] / rates[0] - 1)


# --- the two ways, each in a process of its own ------------------------------------------------


def stream(paths: list[str], horizon: int) -> list[dict[str, dict[str, Estimate]]]:
    """Lifts at every look, by `hookline.bulk`."""
    found = analyse_log(paths, Question(horizon=horizon, holdout=HOLDOUT))
    return [{name: dict(look.lift[name]) for name in METRICS} for look in found.looks]


def at_once(paths: list[str], horizon: int) -> list[dict[str, dict[str, Estimate]]]:
    """Lifts at the end, with all rows in memory."""
    files = ", ".join(f"'{path}'" for path in paths)
    table = import_module("duckdb").sql(f"FROM read_parquet([{files}])").fetchnumpy()
    odds = np.column_stack([table[f"p_{name}"] for name in ARMS])
    arms, strata = indices(table["arm"], ARMS), indices(table["segment"], SEGMENTS)
    found = dict[str, dict[str, Estimate]]()
    for name in METRICS:
        rewards = table[name].astype(np.float64)
        psi = scores(rewards, arms, odds, strata)
        noise, every = (1 / odds).sum(axis=0), Moments.of(rewards[:, None])
        events = np.bincount(arms[rewards != 0], minlength=len(ARMS))
        found[name] = {
            arm: relative_lift(
                floored(Moments.of(psi[:, [place, 0]]), np.diag(noise[[place, 0]]), every),
                events=int(min(events[place], events[0])),
                horizon=horizon,
                alpha=ALPHA / (len(ARMS) - 1),
            )
            for place, arm in enumerate(ARMS)
            if place
        }
    return [found]


WAYS = {"stream": stream, "at_once": at_once}


def indices(names: NDArray[np.object_], known: tuple[str, ...]) -> Integers:
    """Where each name stands among the known ones."""
    places = np.full(len(names), -1, dtype=np.int64)
    for place, name in enumerate(known):
        places[names == name] = place
    return places


def peak() -> float:
    """Most memory this process ever held, in megabytes.

    Linux hands a parent's `ru_maxrss` down to the child; its own high-water mark it does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return float(lines["VmHWM"].split()[0]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def child(way: str, paths: list[str], horizon: int) -> None:
    """Prints what one way finds, and the memory it took, as JSON."""
    print(json.dumps({"lifts": as_json(WAYS[way](paths, horizon)), "megabytes": peak()}))


def measured(way: str, paths: list[str], rows: int, horizon: int) -> Run:
    """One way, run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.rows", "--way", way, str(horizon), *paths]
    start, before = time.perf_counter(), used()
    one_thread = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = run(command, capture_output=True, text=True, check=True, env=one_thread)
    seconds, cpu_seconds = time.perf_counter() - start, used() - before
    said = json.loads(done.stdout)
    lifts = [
        {name: {arm: Estimate(**each) for arm, each in of.items()} for name, of in look.items()}
        for look in said["lifts"]
    ]
    return Run(
        rows=rows,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        megabytes=said["megabytes"],
        lifts=lifts,
    )


def used() -> float:
    """Seconds of processor time that this process's children have used."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


# --- what they come to -------------------------------------------------------------------------


def difference(one: Mapping[str, Mapping[str, Estimate]], other: Run) -> float:
    """Largest difference between any two lifts or bounds; infinite where one has none."""
    gaps = [0.0]
    for name in METRICS:
        for arm in ARMS[1:]:
            first, second = one[name][arm], other.lifts[-1][name][arm]
            for a, b in (
                (first.estimate, second.estimate),
                (first.low, second.low),
                (first.high, second.high),
            ):
                gaps.append(np.inf if a is None or b is None else abs(a - b))
    return max(gaps)


def coverage(whole: Run) -> tuple[int, int]:
    """How many intervals over all looks hold the true lift, and of how many."""
    held = [
        lift.low <= true_lift(arm) <= lift.high
        for look in whole.lifts
        for of in look.values()
        for arm, lift in of.items()
        if lift.low is not None and lift.high is not None
    ]
    return sum(held), len(held)


def bars_of(whole: Run, tenth: Run, memory: Run) -> list[Bar]:
    """The figures that were asked for."""
    grown = whole.megabytes / tenth.megabytes
    gap = difference(tenth.lifts[-1], memory)
    held, of = coverage(whole)
    return [
        Bar(
            name=f"seconds for {whole.rows:,} rows",
            value=whole.seconds,
            target=f"< {SECONDS:g}",
            holds=whole.seconds < SECONDS,
        ),
        Bar(
            name=f"peak memory, over that of {tenth.rows:,} rows",
            value=grown,
            target=f"<= {MEMORY}",
            holds=grown <= MEMORY,
        ),
        Bar(
            name=f"largest difference from all {tenth.rows:,} rows at once",
            value=gap,
            target=f"<= {DIFFERENCE:g}",
            holds=gap <= DIFFERENCE,
        ),
        Bar(
            name=f"intervals that hold the truth, of {of} over {len(whole.lifts)} looks",
            value=held / max(of, 1),
            target=">= 0.95",
            holds=bool(of) and held / of >= 0.95,
        ),
    ]


def show(console: Console, runs: Mapping[str, Run], whole: Run) -> None:
    """Prints what each process took, and the lifts beside the truth."""
    table = Table("process", "rows", "seconds", "of CPU", "rows a second", "peak MB")
    for name, each in runs.items():
        speed = f"{each.rows / each.seconds:,.0f}"
        seconds, cpu = f"{each.seconds:.1f}", f"{each.cpu_seconds:.1f}"
        table.add_row(name, f"{each.rows:,}", seconds, cpu, speed, f"{each.megabytes:,.0f}")
    console.print(table)
    lifts = Table("arm", "true lift", *METRICS)
    for arm in ARMS[1:]:
        found = [whole.lifts[-1][name][arm] for name in METRICS]
        lifts.add_row(arm, f"{true_lift(arm):+.2%}", *map(_interval, found))
    console.print(lifts)


def _interval(lift: Estimate) -> str:
    if lift.estimate is None or lift.low is None or lift.high is None:
        return lift.reason
    return f"{lift.estimate:+.2%} ({lift.low:+.2%} to {lift.high:+.2%})"


def main() -> int:
    """Makes the log, analyses it and writes the result as JSON."""
    if sys.argv[1:2] == ["--way"]:
        child(sys.argv[2], sys.argv[4:], int(sys.argv[3]))
        return 0
    args = arguments("benchmarks.rows", "Analyse a log of ten million rows.").parse_args()
    rows, console = QUICK_ROWS if args.quick else ROWS, terminal()
    with TemporaryDirectory() as name, Progress(console=console) as bars:
        folder = Path(name)
        task = bars.add_task("making the log", total=PARTS)
        make(folder, rows, args.seed, lambda: bars.advance(task))
        paths = [str(path) for path in sorted(folder.iterdir())]
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        few = paths[: PARTS // 10]
        task = bars.add_task("analysing it", total=3)
        runs = dict[str, Run]()
        for label, way, files, count in (
            ("streamed, a tenth", "stream", few, rows // 10),
            ("at once, a tenth", "at_once", few, rows // 10),
            ("streamed, all", "stream", paths, rows),
        ):
            runs[label] = measured(way, files, count, rows)
            bars.advance(task)
    tenth, memory, whole = runs.values()
    show(console, runs, whole)
    result = {
        "quick": args.quick,
        "parquet_megabytes": size,
        "runs": {label: as_json(asdict(each)) for label, each in runs.items()},
        "truth": {arm: true_lift(arm) for arm in ARMS[1:]},
    }
    checked = bars_of(whole, tenth, memory)
    return finish(console, checked, out=args.json, seed=args.seed, result=result)


if __name__ == "__main__":
    sys.exit(main())
