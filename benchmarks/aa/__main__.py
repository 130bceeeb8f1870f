"""How often the report is wrong at any look: false winners, intervals that miss, and their price.

    python -m benchmarks.aa --json out.json --cache DIR    everything, about an hour on 2 free cores
    python -m benchmarks.aa --json out.json --quick        10,000 visitors, 3 to 5 runs of each kind

Blocks of runs are kept in DIR, and a run that was cut short goes on from there; empty it after a
change of the code.

**Identical lines**: 2, 5 or 20 of them, 5 % of visitors click whatever they see (4 and 6 % in two
audiences), 10,000 to 1,000,000 visitors. `hookline.selftest` serves them in batches under every
registered policy with 10 % hold-out and 10 % uniform slice; after each of 60 batches, and some
small ones before, the policy learns and everybody looks. The scores, moments, intervals and rules
are the report's own (a test holds the two against each other). Counted is what is *ever* said:

    winner       a challenger is proven better: the report's verdict
    claim        winner, or an audience's best line or the policy proven better: the bar
    difference   the interval of some challenger's lift leaves out 0, above or below
    z-test       two-sided, 5 % over the number of challengers, from 20 events a side
    GrowthBook   once a day: some line's chance to be best is 95 %, flat prior
    BanditDB     the leader's 95 % interval overlaps no other's

The last three look at raw counts; in them the control counts as a winner, too. Hookline's policies
are not what these rules were made for, so "as GrowthBook runs it" is Thompson sampling with a flat
prior and a floor of 1 % on all of the traffic, learning once a day. What creative attributes are
said to do is not tested here.

**Lines that differ**: five lines with effects between -20 and +30 % on clicks that differ by
audience, a base of 10 %, orders after 27 to 36 % of clicks, log-normal money, 10,000 visitors in
30 days, 30 looks and more. `drift` turns the effects over and swings with the week; in `delay`
clicks settle after a day and orders after three, 5 % come later still and re-score their visitors,
and what is to be covered is what all orders come to. An interval holds if the truth is inside it at
every look: the running average, over the visitors it rests on, of what a visitor brings on average.
Its width at the end is set against the fixed-sample AIPW interval: the same formulas and data with
the usual normal quantile in place of the sequence's radius. Both rest on the least variance of
`stats.floored`. Without it the fixed-sample interval of a seldom drawn line's money is narrower,
and misses the truth at its one look too often; `plain` is the width over that one, told and not
judged.

Only tests of 10,000 visitors are played 1,000 times each, and policies that learn visitor by
visitor are too dear even for that; the tables say how many each had. `ppo` is not played with
1,000,000. Cells of fewer than 1,000 runs have no bar of their own: they are judged together, by
policy, visitors and number of lines, and each of these has 1,000 runs and more.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its matrices are small

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.progress import Progress

from benchmarks.aa.cells import Cell, Values, blocks_of, cells, played
from benchmarks.aa.identical import THEIRS
from benchmarks.aa.table import Row, bars_of, row_of, show
from benchmarks.aa.world import WORLDS
from benchmarks.common import arguments, finish, terminal
from hookline.policies import POLICIES


def main(argv: Sequence[str] | None = None) -> int:
    """Plays all cells, prints their tables and writes them as JSON."""
    args = _parser().parse_args(argv)
    began = time.monotonic()
    chosen = [cell for cell in cells(quick=args.quick) if _wanted(cell, args)]
    blocks = [block for cell in chosen for block in blocks_of(cell, args.seed)]
    cache = _cache_file(args.cache)
    found: dict[Cell, Values] = {cell: {} for cell in chosen}
    console = terminal()
    with Progress(console=console) as progress:
        task = progress.add_task("tests", total=sum(block.count for block in blocks))
        for block, values in played(blocks, args.processes, cache):
            own = found[block.cell]
            for name, each in values.items():
                own.setdefault(name, []).extend(each)
            progress.advance(task, block.count)
    rows = [row_of(cell, values) for cell, values in found.items()]
    show(console, rows)
    result = {
        "quick": args.quick,
        "seconds": time.monotonic() - began,
        "rows": [_as_json(row) for row in rows],
    }
    return finish(console, bars_of(rows), out=args.json, seed=args.seed, result=result)


def _as_json(row: Row) -> dict[str, object]:
    rates = {rule: {**asdict(rate), "estimate": rate.estimate} for rule, rate in row.rates.items()}
    return {**asdict(row), "rates": rates}


def _wanted(cell: Cell, args: argparse.Namespace) -> bool:
    return cell.policy in args.only and (cell.world or "identical") in args.parts


def _cache_file(folder: Path | None) -> Path | None:
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "aa.jsonl"


def _parser() -> argparse.ArgumentParser:
    parser = arguments("benchmarks.aa", "Find out how often the report is wrong at any look.")
    everybody, parts = (*POLICIES, THEIRS), ("identical", *WORLDS)
    parser.add_argument("--only", nargs="+", metavar="POLICY", choices=everybody, default=everybody)
    parser.add_argument("--parts", nargs="+", metavar="PART", choices=parts, default=parts)
    parser.add_argument("--processes", type=int, default=2, help="blocks at the same time (2)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="folder to go on from")
    return parser


if __name__ == "__main__":
    sys.exit(main())
