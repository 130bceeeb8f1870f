"""The answer as text for a terminal."""

from collections.abc import Iterable
from io import StringIO

from rich.console import Console
from rich.table import Table

from hookline.bulk.result import LogAnswer, MetricAnswer
from hookline.types import Estimate

MOST_LISTED = 20
"""Most segments whose lifts are printed; JSON has them all."""


def to_text(answer: LogAnswer, *, width: int = 110) -> str:
    """What is printed of an answer: the split, each metric's arms and policy, segments, looks."""
    console = Console(width=width, record=True, file=StringIO(), color_system=None)
    _say(console, f"{answer.rows:,} rows, {answer.split.n:,} decisions drawn and shown.")
    for reason, rows in answer.left_out.items():
        _say(console, f"Left out: {rows:,} × {reason}")
    _say(console, _split(answer))
    for name, metric in answer.metrics.items():
        console.print()
        _metric(console, answer, name, metric)
    return console.export_text().rstrip()


def _say(console: Console, text: str) -> None:
    """A line as it is, however long: a table may break, a sentence need not."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _split(answer: LogAnswer) -> str:
    found = answer.split
    if found.flagged is None:
        return f"Decisions per arm can't be checked: {found.reason}."
    chance = "" if found.p_value is None else f" (p = {found.p_value:.2g} at every look)"
    if found.flagged:
        why = f" {found.reason}." if found.reason else ""
        return f"CHECK THE TRAFFIC: decisions per arm are not as drawn{chance}.{why}"
    return f"Decisions per arm are as drawn{chance}."


def _metric(console: Console, answer: LogAnswer, name: str, metric: MetricAnswer) -> None:
    total = "" if metric.total is None else f", {metric.total:,.2f} in all"
    title = f"{name}: {metric.n:,} decisions{total}"
    if metric.reason:
        _say(console, f"{title}. No answer: {metric.reason}.")
        return
    table = Table("arm", "decisions", "a decision", "from", "to", "lift", "from", "to", "")
    table.title, table.title_justify = title, "left"
    reasons = dict[str, None]()
    for arm, found in metric.arms.items():
        table.add_row(
            arm,
            f"{answer.decisions[arm]:,}",
            *_numbers(found.value, "{:.5g}"),
            *_numbers(found.lift, "{:+.2%}"),
            "control" if arm == answer.control else _standing(found.lift),
        )
        if arm != answer.control:
            reasons |= _reasons((found.value, found.lift))
    policy = metric.policy
    table.add_section()
    shares = (("the policy", policy.lift), ("the policy, over an even split", policy.over_uniform))
    for (label, lift), value in zip(shares, (policy.value, None), strict=True):
        table.add_row(
            label,
            "",
            *(_numbers(value, "{:.5g}") if value else ("", "", "")),
            *_numbers(lift, "{:+.2%}"),
            _standing(lift),
        )
    console.print(table)
    low, middle, high = (
        "–" if n is None else f"{n:+,.1f}"
        for n in (policy.gain.low, policy.gain.estimate, policy.gain.high)
    )
    _say(console, f"Beyond the control for all: {middle} ({low} to {high}).")
    for reason in reasons | _reasons((policy.lift, policy.gain)):
        _say(console, f"– {reason}")
    _segments(console, metric)


def _segments(console: Console, metric: MetricAnswer) -> None:
    if not metric.segments:
        return
    table = Table("segment", "best arm", "lift", "from", "to", "")
    for segment, lifts in list(metric.segments.items())[:MOST_LISTED]:
        told = {arm: lift.estimate for arm, lift in lifts.items() if lift.estimate is not None}
        best = max(told, key=lambda arm: told[arm]) if told else ""
        if best:
            lift = lifts[best]
            table.add_row(segment, best, *_numbers(lift, "{:+.2%}"), _standing(lift))
        else:
            table.add_row(segment or "none", "–", "", "", "", "")
    console.print(table)
    if len(metric.segments) > MOST_LISTED:
        _say(console, f"… and {len(metric.segments) - MOST_LISTED} more segments; --json has them")


def _numbers(found: Estimate, form: str) -> tuple[str, str, str]:
    values = (found.estimate, found.low, found.high)
    low_first = ["–" if n is None else form.format(n) for n in values]
    return low_first[0], low_first[1], low_first[2]


def _standing(lift: Estimate) -> str:
    """Whether the interval leaves 0 out."""
    if lift.low is not None and lift.low > 0:
        return "better"
    return "worse" if lift.high is not None and lift.high < 0 else ""


def _reasons(found: Iterable[Estimate]) -> dict[str, None]:
    return {each.reason: None for each in found if each.reason}
