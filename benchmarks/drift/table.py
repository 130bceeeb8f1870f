"""The runs of all seeds as a table: means, gains and leads, with paired intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid

from benchmarks.common import Bar
from benchmarks.drift.entries import OURS, STATIC
from benchmarks.drift.play import Run
from benchmarks.drift.world import Array, Setting
from benchmarks.policies import Interval, interval

CTR_GAIN, CVR_GAIN = 0.125, 0.083
"""What is asked of ours over static A/B where tastes move: the headlines of the two papers."""
WITHIN = 0.01
"""How far ours may fall behind the best where nobody can do better than everybody."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One entry in one setting.

    Attributes:
        ctr: Clicks a visit, mean over seeds; likewise `cvr`, `revenue`, `long_run`, `regret`.
        gain: Metric → relative gain over static A/B, paired by seed.
        ours_over_it: Relative lead in clicks of ours over it, paired; None if ours did not play.
        lift: Relative gain in clicks so far over static A/B, by day, mean over seeds.
        seconds: Mean processor time of a run.
    """

    ctr: float
    cvr: float
    revenue: float
    long_run: float
    regret: float
    gain: Mapping[str, Interval]
    ours_over_it: Interval | None
    lift: Sequence[float]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Table:
    """One setting's answer: label → row."""

    setting: str
    seeds: Sequence[int]
    rows: Mapping[str, Row]


def table_of(setting: str, runs: Mapping[str, Mapping[int, Run]]) -> Table:
    """The table of one setting.

    Args:
        setting: Its name.
        runs: Label → seed → run; static A/B among them, all with the same seeds, two at least.
    """
    seeds = sorted(runs[STATIC])
    played = {label: [by_seed[seed] for seed in seeds] for label, by_seed in runs.items()}
    rows = {
        label: _row(of, base=played[STATIC], ours=played.get(OURS)) for label, of in played.items()
    }
    return Table(setting=setting, seeds=seeds, rows=rows)


def _row(runs: Sequence[Run], *, base: Sequence[Run], ours: Sequence[Run] | None) -> Row:
    def ratio(metric: str, above: Sequence[Run], below: Sequence[Run]) -> Interval:
        return interval(_values(above, metric) / _values(below, metric) - 1)

    def mean(metric: str) -> float:
        return float(_values(runs, metric).mean())

    return Row(
        ctr=mean("ctr"),
        cvr=mean("cvr"),
        revenue=mean("revenue"),
        long_run=mean("long_run"),
        regret=mean("regret"),
        gain={name: ratio(name, runs, base) for name in ("ctr", "cvr", "revenue", "long_run")},
        ours_over_it=ratio("ctr", ours, runs) if ours else None,
        lift=(_so_far(runs) / _so_far(base) - 1).mean(axis=0).round(5).tolist(),
        seconds=mean("seconds"),
    )


def _values(runs: Sequence[Run], metric: str) -> Array:
    """One metric of each run, shape (runs,)."""
    return np.array([getattr(run, metric) for run in runs])


def _so_far(runs: Sequence[Run]) -> Array:
    """Expected clicks up to each day, shape (runs, days)."""
    return np.cumsum([run.daily for run in runs], axis=1)


def bars_of(table: Table, setting: Setting) -> list[Bar]:
    """What is asked of ours in this setting; nothing where ours did not play."""
    rows = {label: row for label, row in table.rows.items() if label != OURS}
    leads = {label: row.ours_over_it for label, row in rows.items() if row.ours_over_it}
    if not leads:
        return []
    name = table.setting
    if not setting.parameters.personal:
        worst = min(lead.estimate for lead in leads.values())
        told, target = f"{name}: against the best entry", f">= {-WITHIN}"
        return [Bar(name=told, value=worst, target=target, holds=worst >= -WITHIN)]
    gain = table.rows[OURS].gain
    asked = setting.parameters.drift in {"gradual", "abrupt"}
    bars = [
        _bar(f"{name}: {metric.upper()} over {STATIC}", gain[metric].estimate, least, asked=asked)
        for metric, least in (("ctr", CTR_GAIN), ("cvr", CVR_GAIN))
    ]
    return bars + [
        Bar(
            name=f"{name}: over {label}",
            value=lead.low,
            target="low > 0" if asked else "for information",
            holds=not asked or lead.low > 0,
        )
        for label, lead in leads.items()
    ]


def _bar(name: str, value: float, least: float, *, asked: bool) -> Bar:
    target = f">= {least}" if asked else "for information"
    return Bar(name=name, value=value, target=target, holds=not asked or value >= least)


def show(console: Console, table: Table) -> None:
    """Prints one setting's table; CTR, CVR, regret, gains and leads are in per cent."""
    grid = Grid(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    grid.add_column("entry", no_wrap=True)
    for name in (
        "CTR", "CVR", "money", "long run", "regret", "CTR gain", "CVR gain", "ours ahead", "s",
    ):  # fmt: skip
        grid.add_column(name, justify="right", no_wrap=True)
    for label, row in table.rows.items():
        grid.add_row(
            label,
            f"{100 * row.ctr:.2f}",
            f"{100 * row.cvr:.3f}",
            f"{row.revenue:.3f}",
            f"{row.long_run:.2f}",
            f"{100 * row.regret:.2f}",
            percent(row.gain["ctr"]),
            percent(row.gain["cvr"]),
            percent(row.ours_over_it) if row.ours_over_it and label != OURS else "",
            f"{row.seconds:.0f}",
        )
    grid.title = f"{table.setting}, {len(table.seeds)} seeds; gains over {STATIC}"
    console.print(grid)


def percent(value: Interval) -> str:
    """An estimate in per cent, with the reach of its interval to either side."""
    return f"{100 * value.estimate:+.1f} ±{100 * (value.high - value.estimate):.1f}"
