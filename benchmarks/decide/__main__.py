"""What a decision and an outcome cost, beside Vowpal Wabbit and MABWiser, all in one process.

    python -m benchmarks.decide --json out.json --plot out.svg    some three minutes
    python -m benchmarks.decide --quick                           under half a minute
    python -m benchmarks.decide --cpu                             on a busy machine

20 arms with attributes and text, visitors with 16 numbers and 16 categories, four audiences; then
2 to 200 arms. Everybody gets the same visitors in the same blocks, taken in turns: learn 256
outcomes, decide 4 times, once for each audience, then decide 256 times on the clock. What those
first 4 take longer than usual belongs to learning. Garbage is collected between blocks only; BLAS
has one thread. p99 is the median of the blocks' own, so that a burst of something else on the
machine does not decide it; `p99 of all` is beside it. `--cpu` counts the time of the thread, not of
the wall.

`hookline` is `actor_critic`; with `episodes`, what the visitor was shown before is read from memory
first, on the clock, and written to it when learning. Vowpal Wabbit's SquareCB crosses visitor and
copy, as ours does; it gets its text ready-made and parses it on the clock, or is given parsed
examples. It is told of no text vector and of no past. MABWiser's LinUCB gets its vectors
ready-made; its arms have no features at all.

The bars are those of Vowpal Wabbit with its text, in the same run: median and p99 of a decision
with memory no longer, an outcome at most half. A decision grows at most linearly from 20 to 200
arms. A snapshot after 20,000 outcomes on 1,000 arms is written, and read, in under .2 s. Ten
million visitors fit in 8 GB: the growth of a process, a visitor, times ten million.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # times are those of one core

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.common import Bar, arguments, finish, terminal
from benchmarks.decide.players import OursWithMemory, VowpalWabbit, installed
from benchmarks.decide.plot import plot
from benchmarks.decide.race import Cost, growth, race
from benchmarks.decide.room import Filled, SnapshotCost, law, memory_growth, snapshot_cost
from hookline.memory import EPISODES

ARMS: Final = 20
SIZES: Final = (2, 5, 10, ARMS, 50, 100, 200)
QUICK_SIZES: Final = (2, ARMS, 100)
TAUGHT: Final = 20
"""Blocks of outcomes that everybody has learned before the clock counts."""
CALM: Final = 0.95
"""Least share of the time that the machine must have worked for this run alone."""
MANY: Final = 10_000_000

Sweep = Mapping[int, Mapping[str, Cost]]
"""Number of arms → label → cost."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs it; 1 where a bar does not hold."""
    args = _parser().parse_args(argv)
    console = terminal()
    if VowpalWabbit not in installed():
        console.print("Vowpal Wabbit is not here, so no bar on speed; `make peers` installs it")
    # No refreshing by a thread of its own: it would take its time from whoever is on the clock.
    with Progress(console=console, auto_refresh=False) as progress:
        sweep, share = _swept(args, progress)
        kept = snapshot_cost(1_000, 2_000 if args.quick else 20_000, args.seed)
        grown = memory_growth(20_000 if args.quick else 1_000_000)
    show(console, sweep, kept, grown)
    if share < CALM and not args.cpu:
        told = f"this run had a core for {share:.0%} of its time, so p99 tells of the others' work"
        console.print(f"{told}: use --cpu, or a quieter machine")
    if args.plot:
        args.plot.write_text(plot(sweep), encoding="utf-8")
        console.print(f"drawn to {args.plot}")
    bars = [*speed_bars(sweep), *snapshot_bars(kept), *memory_bars(grown)]
    result = {
        "quick": args.quick,
        "clock": "thread" if args.cpu else "wall",
        "core_share": share,
        "arms": {
            size: {name: asdict(cost) for name, cost in row.items()} for size, row in sweep.items()
        },
        "snapshot": asdict(kept),
        "memory": [asdict(each) for each in grown],
    }
    return finish(console, bars, out=args.json, seed=args.seed, result=result)


def _swept(args: argparse.Namespace, progress: Progress) -> tuple[Sweep, float]:
    """Everybody's costs by number of arms, and the share of the time that a core was ours."""
    sizes = QUICK_SIZES if args.quick else SIZES
    players, sweep = installed(), dict[int, Mapping[str, Cost]]()
    wall, thread = time.perf_counter(), time.thread_time()
    task = progress.add_task("decide", total=len(sizes))
    for size in sizes:
        sweep[size] = race(
            players,
            size,
            seed=args.seed,
            rounds=_rounds(size, quick=args.quick),
            taught=TAUGHT if size == ARMS or not args.quick else 4,
            clock=time.thread_time_ns if args.cpu else time.perf_counter_ns,
        )
        progress.update(task, advance=1, refresh=True)
    return sweep, (time.thread_time() - thread) / (time.perf_counter() - wall)


def speed_bars(sweep: Sweep) -> list[Bar]:
    """What is asked of ours beside Vowpal Wabbit, and of its growth."""
    ours = {size: row[OursWithMemory.label] for size, row in sweep.items()}
    exponent = growth(ours, ARMS)
    bars = [Bar(name="exponent over arms", value=exponent, target="<= 1", holds=exponent <= 1)]
    if (theirs := sweep[ARMS].get(VowpalWabbit.label)) is None:
        return bars
    mine = ours[ARMS]
    asked = {
        "decide, median over Vowpal Wabbit's": (mine.median / theirs.median, 1.0),
        "decide, p99 over Vowpal Wabbit's": (mine.p99 / theirs.p99, 1.0),
        "learn, over Vowpal Wabbit's": (mine.learn / theirs.learn, 0.5),
    }
    return bars + [
        Bar(name=name, value=value, target=f"<= {most:g}", holds=value <= most)
        for name, (value, most) in asked.items()
    ]


def snapshot_bars(kept: SnapshotCost) -> list[Bar]:
    """What is asked of a snapshot."""
    told = f"{kept.arms:,} arms, {kept.outcomes:,} outcomes"
    return [
        Bar(name=f"{told}: {verb}, s", value=value, target="< 0.2", holds=value < 0.2)
        for verb, value in (("written", kept.dump), ("read", kept.load))
    ]


def memory_bars(grown: Sequence[Filled]) -> list[Bar]:
    """What is asked of the visitors' memory: the dearest of the fills decides."""
    if not grown:
        return []
    most = max(each.each for each in grown if each.shown == EPISODES) * MANY / 1e9
    visitors = max(each.visitors for each in grown)
    name = f"ten million visitors, GB, from {visitors:,}"
    return [Bar(name=name, value=most, target="<= 8", holds=most <= 8)]


def show(console: Console, sweep: Sweep, kept: SnapshotCost, grown: Sequence[Filled]) -> None:
    """Prints the tables."""
    main_table = Table("µs", "decide, median", "p99", "p99 of all", "learn")
    main_table.title = f"{ARMS} arms, 32 traits"
    for label, cost in sweep[ARMS].items():
        figures = (cost.median, cost.p99, cost.p99_all, cost.learn)
        main_table.add_row(label, *(f"{figure:,.1f}" for figure in figures))
    console.print(main_table)
    by_size = Table("decide, median µs", *(str(size) for size in sweep), "exponent from 20")
    for label in sweep[ARMS]:
        costs = {size: row[label] for size, row in sweep.items()}
        medians = [f"{cost.median:,.1f}" for cost in costs.values()]
        by_size.add_row(label, *medians, f"{growth(costs, ARMS):.2f}")
    console.print(by_size)
    console.print(
        f"snapshot of {kept.arms:,} arms: {kept.kilobytes:,.0f} kB; "
        f"first decision after reading it {kept.first * 1e3:.1f} ms"
    )
    if grown:
        visitor, showing = law(grown)
        console.print(f"memory: {visitor:.0f} bytes a visitor and {showing:.1f} a showing")
        for each in grown:
            told = f"{each.visitors:>9,} visitors with {each.shown:>2} showings"
            console.print(f"  {told}: {each.each:,.0f} bytes each")
    else:
        console.print("this machine does not tell the size of a process: memory not measured")


def _rounds(size: int, *, quick: bool) -> int:
    """Blocks on the clock: most where the bars are."""
    if size == ARMS:
        return 10 if quick else 40
    return 2 if quick else 10


def _parser() -> argparse.ArgumentParser:
    parser = arguments("benchmarks.decide", "Time decisions and learning beside peers.")
    parser.add_argument("--cpu", action="store_true", help="time of the thread, not of the wall")
    parser.add_argument("--plot", type=Path, help="SVG file to draw the times by arms to")
    return parser


if __name__ == "__main__":
    sys.exit(main())
