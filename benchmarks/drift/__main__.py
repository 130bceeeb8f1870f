"""Who serves the best copy while tastes move: ours, ours less one part, and what people use.

    python -m benchmarks.drift --json out.json --plot out.svg    all settings, 10 seeds
    python -m benchmarks.drift --quick                           a quarter of the visits, 2 seeds
    python -m benchmarks.drift --settings abrupt --only ours linucb

The world is `hookline.simulate.Shop`, whose law is no policy's own: hidden types of shoppers with
tastes over creative attributes, of which the visible segment tells a part; copy with quirks of its
own that wears out on whoever sees it often; see `benchmarks.drift.world` for the visits, the arms
and the new lines every fifteen days. `stationary` keeps all tastes, `non-personal` gives everybody
the same ones, and in `gradual`, `abrupt` and `seasonal` they move.

The protocol is the same for all. Every visit is decided anew. A click is known 24 hours after its
visit and is learned in batches, every 100 visits. Clicks are what is learned from; orders and money
are what comes of them. One uniform number a visit picks the arm, another decides the click, and all
entries share both, and what a line is worth beyond its attributes belongs to its turn, whoever
asked for it: differences are paired by seed. What is compared are the true chances of the
copy served, at the wear that the entry's own earlier choices brought, not the clicks these
happened to bring: the same expectation, less noise. Orders and money likewise. `long run` is the
mean over shoppers of the money of all their visits, the k-th of them times 0.99^k. `regret` is the
chance of a click lost against the best copy of the common slates at its first showing: wear counts
as regret too, and who asks for better lines than those slates have is credited with it.

Everybody sees the same facts about visitor and copy. Ours also keeps a memory of each shopper and
says what new lines shall be like; "ours with static prompts" gets the same lines as all others.
Stable-Baselines3's PPO learns each click at once, which favours it. The other peers were
tuned on seeds that are not used here. They run once `make peers` has installed them.

The bars, with 95 % t intervals over seeds: where tastes move gradually or abruptly, ours gains at
least 12.5 % clicks and 8.3 % orders over static A/B (the headlines of the two papers), and its lead
over every other entry is above 0; where nobody can be told from anybody, it comes within 1 % of the
best. The other settings are for information.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.progress import Progress

from benchmarks.common import arguments, finish, terminal
from benchmarks.drift.entries import STATIC, entries
from benchmarks.drift.play import Run
from benchmarks.drift.plot import plot
from benchmarks.drift.runs import QUICK, SETTINGS, Job, played
from benchmarks.drift.table import Table, bars_of, show, table_of

FIRST_SEED: Final = 100
"""Lower seeds and those from 9,000 on are for tuning."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the settings, prints their tables and writes them as JSON and as a plot."""
    args = _parser().parse_args(argv)
    table = QUICK if args.quick else SETTINGS
    settings = {name: table[name] for name in args.settings}
    first = FIRST_SEED + args.seed
    seeds = range(first, first + (args.seeds or (2 if args.quick else 10)))
    everybody = list(entries())
    labels = [label for label in everybody if label in {STATIC, *(args.only or everybody)}]
    console, tables = terminal(), list[Table]()
    jobs = [
        Job(setting=name, quick=args.quick, seed=seed, label=label)
        for name in settings
        for seed in seeds
        for label in labels
    ]
    runs: dict[str, dict[str, dict[int, Run]]] = {
        name: {label: {} for label in labels} for name in settings
    }
    with Progress(console=console) as progress:
        task = progress.add_task("drift", total=len(jobs))
        for job, run in played(jobs, args.processes):
            own = runs[job.setting]
            own[job.label][job.seed] = run
            progress.advance(task)
            if all(len(by_seed) == len(seeds) for by_seed in own.values()):
                tables.append(table_of(job.setting, own))
                show(console, tables[-1])
    if args.plot:
        args.plot.write_text(plot(tables), encoding="utf-8")
        console.print(f"drawn to {args.plot}")
    checked = [bar for table in tables for bar in bars_of(table, settings[table.setting])]
    result = {"quick": args.quick, "tables": [asdict(table) for table in tables]}
    return finish(console, checked, out=args.json, seed=args.seed, result=result)


def _parser() -> argparse.ArgumentParser:
    parser = arguments("benchmarks.drift", "Compare policies while tastes move.")
    parser.add_argument(
        "--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS), help="which ones"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="LABEL", choices=list(entries()),
        help=f"entries to run beside {STATIC}",
    )  # fmt: skip
    parser.add_argument("--seeds", type=_two_or_more, help="how many seeds (10, or 2 if quick)")
    parser.add_argument("--processes", type=int, default=2, help="runs at the same time (2)")
    parser.add_argument("--plot", type=Path, help="SVG file to draw the gains by day to")
    return parser


def _two_or_more(text: str) -> int:
    if (number := int(text)) < 2:
        raise argparse.ArgumentTypeError("an interval needs at least 2 seeds")
    return number


if __name__ == "__main__":
    sys.exit(main())
