"""A `Report` for the terminal and for machines. Pages are drawn elsewhere, from the same record."""

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hookline.report.elements import element_note, strongest
from hookline.report.words import amount, amounts, between, harm_name, percent
from hookline.types import (
    METRICS,
    ArmReport,
    ElementReport,
    Estimate,
    ExperimentReport,
    Metric,
    Report,
    as_json,
)


def to_text(report: Report, width: int = 120, *, arms: bool = True) -> str:
    """The report as plain text.

    Args:
        report: From `combine`.
        width: Most columns of a line; below 100 the last column is cut.
        arms: Whether every experiment has tables of its arms and of their elements and its
            sentences, or one row.
    """
    console = Console(file=StringIO(), width=width, color_system=None, highlight=False)
    names = {each.audience_id: each.name for test in report.experiments for each in test.audiences}
    with console.capture() as capture:
        if arms:
            for experiment in report.experiments:
                console.print(_table(experiment))
                console.print(Text(_words(experiment)))
                if strongest(experiment.elements):
                    console.print(_elements(experiment.elements, "These lines", names))
        else:
            console.print(_overview(report))
        for channel, rows in report.elements.items():
            console.print(_elements(rows, f"All lines on {channel}", names))
        console.print(_totals(report))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain JSON values; every arm's fields lie flat beside its counts.

    `experiments` hold arms, lift, gain, cost, audiences, allocation, split and elements; `lift`,
    `gain` and `totals` are of all experiments, `elements` of all on one channel. An estimate is
    `estimate`, `low`, `high`, `n`, `reason`.
    """
    plain: dict[str, Any] = as_json(report)
    for experiment in plain["experiments"]:
        for arm in experiment["arms"]:
            arm.update(arm.pop("arm"))
    return plain


def _words(experiment: ExperimentReport) -> str:
    """The answer, whether it can be trusted, harm done and orders to come."""
    trust = "" if experiment.split.flagged else f"{experiment.split.sentence}\n"
    return f"{experiment.verdict.capitalize()}: {experiment.sentence}\n{trust}{_checks(experiment)}"


def _checks(experiment: ExperimentReport) -> str:
    """Harm that is proven, and orders still to come, a line each; none where there are neither."""
    lines = [
        f"Harm: “{row.text}” brings {amount(row.harm, harm_name(row.metric))} per 1,000 visitors "
        f"({amounts(row.harm)})."
        for row in experiment.guardrails
        if row.harmful
    ]
    if experiment.guardrails and not lines:
        watched = ", ".join(rail.metric for rail in experiment.rule.guardrails)
        lines.append(f"No harm is proven in {watched}.")
    if experiment.maturity is not None and experiment.maturity.open:
        lines.append(experiment.maturity.sentence)
    return "".join(f"{line}\n" for line in lines)


def _overview(report: Report) -> Table:
    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("experiment", overflow="ellipsis", no_wrap=True, max_width=42)
    table.add_column("visitors", justify="right", no_wrap=True)
    table.add_column("lift of Hookline's choices", no_wrap=True, min_width=34)
    table.add_column("answer", overflow="ellipsis", no_wrap=True)
    for each in report.experiments:
        line = each.winner or each.shipped
        winner = next((arm.arm.text for arm in each.arms if arm.arm.id == line), "")
        answer = f"{each.verdict}: {winner}" if winner else each.verdict
        lift = _lift(each.lift[each.objective])
        table.add_row(*map(Text, (each.name, f"{each.visitors:,}", lift, answer)))
    return table


def _table(experiment: ExperimentReport) -> Table:
    objective = experiment.objective
    title = Text(f"{experiment.name} · {experiment.policy} · {experiment.status}")
    table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False)
    table.add_column("copy", no_wrap=True, overflow="ellipsis", max_width=28)
    for name, width in {"seen": 7, "clicks": 6, "orders": 6, "share": 5, "rate": 7}.items():
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    table.add_column("gain", justify="right", no_wrap=True, min_width=7)
    table.add_column(f"lift in {objective}", no_wrap=True, overflow="ellipsis", min_width=38)
    for arm in experiment.arms:
        table.add_row(*(Text(cell) for cell in _cells(arm, objective)))
    gained = f"gain: {experiment.unit} per 1,000 visitors beyond the control"
    table.caption, table.caption_justify = Text(gained), "left"
    return table


def _cells(arm: ArmReport, objective: Metric) -> tuple[str, ...]:
    rate = arm.rate[objective].estimate
    return (
        f"{'control: ' if arm.arm.control else ''}{arm.arm.text}",
        f"{arm.exposures:,}",
        f"{arm.clicks:,}",
        f"{arm.orders:,}",
        f"{arm.share:.0%}",
        "–" if rate is None else f"{rate:.4f}",
        amount(arm.worth, "").strip() if arm.worth else "",
        "" if arm.arm.control else _lift(arm.lift[objective]),
    )


def _elements(rows: Sequence[ElementReport], about: str, names: Mapping[str, str]) -> Table:
    """The strongest elements with their intervals, or what is missing to tell them."""
    shown = strongest(rows)
    caption = f"{element_note(shown)}\n"
    title = f"{about}: which element works for whom"
    table = Table(
        title=title, title_justify="left", caption=caption, caption_justify="left",
        box=SIMPLE, pad_edge=False,
    )  # fmt: skip
    for name in ("element", "for", "effect", "lines"):
        table.add_column(name, no_wrap=True, justify="right" if name == "lines" else "left")
    for row in shown:
        whom = "all" if row.audience_id is None else names.get(row.audience_id, row.audience_id)
        lines = f"{row.lines} of {row.lines + row.others}"
        table.add_row(*map(Text, (f"{row.attribute}: {row.level}", whom, _lift(row.effect), lines)))
    return table


def _totals(report: Report) -> Table:
    table = Table(
        title="All experiments together", title_justify="left", box=SIMPLE, pad_edge=False
    )
    for name in ("", "lift over control", "gained so far", "counted"):
        table.add_column(name, justify="left" if name else "right")
    totals = {name: f"{count:,.10g}" for name, count in report.totals.items()}
    for metric in METRICS:
        lift, gain = _lift(report.lift[metric]), _gain(report.gain[metric])
        table.add_row(metric, Text(lift), Text(gain), totals.pop(metric, ""))
    for name, count in totals.items():
        table.add_row(Text(name.replace("_", " ")), "", "", count)
    return table


def _lift(lift: Estimate) -> str:
    """A lift with its interval, or why there is none."""
    return lift.reason if lift.estimate is None else f"{percent(lift.estimate)} ({between(lift)})"


def _gain(gain: Estimate) -> str:
    """A total with its interval, or why there is none."""
    if gain.estimate is None or gain.low is None or gain.high is None:
        return gain.reason
    return f"{gain.estimate:+,.0f} (between {gain.low:+,.0f} and {gain.high:+,.0f})"
