"""The runs of all cells as tables and bars."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid

from benchmarks.aa.cells import Cell, Values
from benchmarks.aa.coverage import KINDS
from benchmarks.aa.identical import RULES, THEIRS
from benchmarks.common import Bar
from hookline.selftest import Rate, rate_of
from hookline.types import METRICS

FALSE, BOUND, ENOUGH = 0.05, 0.065, 1_000
"""Most false claims, most that their upper bound may be, and from how many runs on."""
SOME: Final = 100
"""Runs from which on a cell's coverage says something by itself."""
COVERAGE: Final = 0.94
WIDTH: Final = 1.8


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell's answer.

    Attributes:
        cell: What was played.
        rates: Rule → how often it ever named a difference; empty where lines differ.
        coverage: `kind, metric` → share of intervals that held the truth at every look; `told` →
            those with two bounds at the end; `width` → median width over the fixed-sample one's;
            `plain` → that over the fixed-sample one's without a least variance.
    """

    cell: Cell
    rates: Mapping[str, Rate]
    coverage: Mapping[str, float]
    told: Mapping[str, float]
    width: Mapping[str, float]
    plain: Mapping[str, float]


def row_of(cell: Cell, values: Values) -> Row:
    """The answer of a cell from the values of all its runs."""
    if not cell.world:
        rates = {rule: rate_of(int(sum(values[rule])), len(values[rule])) for rule in RULES}
        return Row(cell=cell, rates=rates, coverage={}, told={}, width={}, plain={})
    names = [f"{kind}, {metric}" for kind in KINDS for metric in METRICS]
    return Row(
        cell=cell,
        rates={},
        coverage={name: 1 - float(np.mean(values[f"{name}, missed"])) for name in names},
        told={name: float(np.mean(values[f"{name}, told"])) for name in names},
        width=_medians(values, names, "width"),
        plain=_medians(values, names, "plain"),
    )


def _medians(values: Values, names: Sequence[str], what: str) -> dict[str, float]:
    """Name → median of the runs that have the value; names that none has are left out."""
    each = {name: np.array(values[f"{name}, {what}"]) for name in names}
    known = {name: found[~np.isnan(found)] for name, found in each.items()}
    return {name: float(np.median(found)) for name, found in known.items() if found.size}


def show(console: Console, rows: Sequence[Row]) -> None:
    """Prints the rows of identical lines and those of lines that differ."""
    alike = Grid(box=SIMPLE_HEAD, padding=(0, 0))
    for name in ("served by", "lines", "visitors", "runs", *RULES):
        alike.add_column(name, justify="right", overflow="fold")
    for row in sorted((row for row in rows if row.rates), key=lambda row: row.cell.visitors):
        cell = row.cell
        shares = (f"{100 * row.rates[rule].estimate:.1f}" for rule in RULES)
        runs = f"{row.rates['winner'].runs:,}"
        alike.add_row(cell.policy, str(cell.arms), f"{cell.visitors:,}", runs, *shares)
    alike.title = "identical lines: % of tests in which a difference was ever named"
    differ = Grid("policy", "world", "runs", *KINDS, "widest", "plain", box=SIMPLE_HEAD)
    for row in rows:
        if row.coverage:
            least = (f"{100 * min(_of(kind, row.coverage)):.1f}" for kind in KINDS)
            widest = (f"{max(each.values()):.2f}" for each in (row.width, row.plain))
            differ.add_row(row.cell.policy, row.cell.world, f"{row.cell.runs:,}", *least, *widest)
    differ.title = "lines that differ: % of runs with the truth inside at all looks, worst metric"
    console.print(alike)
    console.print(differ)


def bars_of(rows: Sequence[Row]) -> list[Bar]:
    """What is asked; cells of fewer than 1,000 runs are judged together with others."""
    alike = [row for row in rows if row.rates and row.cell.policy != THEIRS]
    bars = [_false(_name(row.cell), [row]) for row in alike if row.cell.runs >= ENOUGH]
    for key, words in _POOLS:
        for member in dict.fromkeys(map(key, alike)):
            own = [row for row in alike if key(row) == member]
            if len(own) > 1 and sum(row.cell.runs for row in own) >= ENOUGH:
                bars.append(_false(f"{words} {member}, pooled", own))
    if alike:
        bars.append(_false("all together", alike))
    differ = [row for row in rows if row.coverage]
    bars += [_coverage(row) for row in differ if row.cell.runs >= SOME]
    return bars + (_pooled(differ) + _widths(differ) if differ else [])


_POOLS: Final[Sequence[tuple[Callable[[Row], str], str]]] = (
    (lambda row: row.cell.policy, "under"),
    (lambda row: f"{row.cell.visitors:,}", "visitors:"),
    (lambda row: str(row.cell.arms), "lines:"),
)


def _false(name: str, rows: Sequence[Row]) -> Bar:
    """Any line, in all or one audience, or the policy called better, where all are the same."""
    found = [row.rates["claim"] for row in rows]
    rate = rate_of(sum(each.hits for each in found), sum(each.runs for each in found))
    return Bar(
        name=f"false claim ever, {name} ({rate.runs:,} runs)",
        value=rate.estimate,
        target=f"<= {FALSE}, upper bound {rate.high:.3f} <= {BOUND}"
        if rate.runs >= ENOUGH
        else f"<= {FALSE}, of too few runs for a bound",
        holds=rate.estimate <= FALSE and (rate.high <= BOUND or rate.runs < ENOUGH),
    )


def _coverage(row: Row) -> Bar:
    """The worst of all intervals under one policy in one world."""
    name = min(row.coverage, key=lambda each: row.coverage[each])
    least = row.coverage[name]
    return Bar(
        name=f"coverage at all looks, {row.cell.policy}, {row.cell.world}: {name}",
        value=least,
        target=f">= {COVERAGE}",
        holds=least >= COVERAGE,
    )


def _pooled(rows: Sequence[Row]) -> list[Bar]:
    """The worst metric of each kind of interval, all policies and worlds together."""
    runs = sum(row.cell.runs for row in rows)
    bars: list[Bar] = []
    for kind in KINDS:
        names = [f"{kind}, {metric}" for metric in METRICS]
        shares = [sum(row.coverage[name] * row.cell.runs for row in rows) / runs for name in names]
        least, name = min(zip(shares, names, strict=True))
        text = f"coverage at all looks, all together: {name}"
        bars.append(Bar(name=text, value=least, target=f">= {COVERAGE}", holds=least >= COVERAGE))
    return bars


def _widths(rows: Sequence[Row]) -> list[Bar]:
    """The widest of each kind of interval, over policies, worlds and metrics."""
    bars: list[Bar] = []
    for kind in KINDS:
        found = [
            (width, f"{row.cell.policy}, {row.cell.world}: {name}")
            for row in rows
            for name, width in row.width.items()
            if name.startswith(f"{kind}, ")
        ]
        if found:
            widest, name = max(found)
            text = f"median width over fixed-n, {name}"
            bars.append(Bar(name=text, value=widest, target=f"<= {WIDTH}", holds=widest <= WIDTH))
    return bars


def _of(kind: str, values: Mapping[str, float]) -> list[float]:
    return [value for name, value in values.items() if name.startswith(f"{kind}, ")]


def _name(cell: Cell) -> str:
    return f"{cell.policy}, {cell.arms} lines, {cell.visitors:,} visitors"
