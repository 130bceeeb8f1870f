"""A `BacktestResult` for the terminal and for machines; `page` draws the same for a browser."""

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any, cast

import msgspec
import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hookline.backtest.result import BacktestResult, Interval, PolicyResult
from hookline.backtest.words import (
    counted,
    drawn_from,
    ends,
    leaders,
    left_out,
    lift,
    name_of,
    priors,
    ranked,
    runs,
    share,
    told,
    verdicts,
)

_NAME, _CELL = 28, 27  # the longest name, and “+12.3 % (10.9 to 13.6) *” with a gap


def to_json(result: BacktestResult) -> dict[str, Any]:
    """The record as plain JSON values: budgets keyed by their digits, no NaN and no infinity.

    `prior` and `prior_external` hold tests, top1, chance, uplift, uplift_ci and calibration;
    `budgets` holds budget → policy → clicks, uplift_vs_uniform, ci, oracle_gap_closed, versus.
    What can't be told is null, `prior_external` too where there is none.
    """
    return msgspec.json.decode(msgspec.json.encode(result, enc_hook=_plain), type=dict[str, Any])


def to_text(result: BacktestResult, width: int = 120) -> str:
    """The back-test as plain text: what was used, the prior, the policies, the verdicts.

    Args:
        result: The back-test.
        width: Most columns of a line; where it is short, an interval stands under its figure.
    """
    console = Console(file=StringIO(), width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        for part in _parts(result, width):
            console.print(part if isinstance(part, Table) else Text(part))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _parts(result: BacktestResult, width: int) -> Iterator[str | Table]:
    yield from _used(result)
    yield "\nBefore any traffic: how well a prediction picks"
    yield _prior_table(result, one_line=width >= 90)
    yield "Clicks over equal shares, by impressions per line (* the highest, the oracle aside)"
    yield _uplift_table(result, one_line=width >= _NAME + _CELL * len(result.budgets))
    yield f"Share of the way from equal shares to the oracle ({result.truth} rates)"
    yield _gap_table(result)
    yield from (drawn_from(result), told(result.calibration), f"{runs(result)}\n")
    for budget in sorted(result.budgets):
        yield from (f"→ {sentence}" for sentence in verdicts(result, budget))


def _used(result: BacktestResult) -> list[str]:
    """What the figures rest on, what was left out and why."""
    return [
        f"Back-test of {result.source}",
        *([f"Warning: {result.warning}"] if result.warning else []),
        f"Used: {counted(result.tests, 'test')} with {counted(result.arms, 'line')}; "
        f"{counted(result.clicks, 'click')} on {counted(result.impressions, 'impression')}.",
        *(f"Left out: {reason}" for reason in left_out(result)),
        *(f"Note: {note}" for note in result.notes),
    ]


def _prior_table(result: BacktestResult, *, one_line: bool) -> Table:
    table = _table("finds the best line", "chance", "clicks over equal shares", "tests")
    for name, prior in priors(result):
        gain = _with_interval(prior.uplift, prior.uplift_ci, one_line=one_line)
        cells = (name, share(prior.top1), share(prior.chance), gain, f"{prior.tests:,}")
        table.add_row(*map(Text, cells))
    return table


def _uplift_table(result: BacktestResult, *, one_line: bool) -> Table:
    best = leaders(result)

    def cell(budget: int, name: str, policy: PolicyResult) -> str:
        figures = _with_interval(policy.uplift_vs_uniform, policy.ci, one_line=one_line)
        shown = lift(policy.uplift_vs_uniform) if name == "uniform" else figures
        return shown + (" *" if best.get(budget) == name else "  ")

    return _policy_table(result, cell)


def _gap_table(result: BacktestResult) -> Table:
    def cell(_budget: int, _name: str, policy: PolicyResult) -> str:
        return "–" if policy.oracle_gap_closed is None else share(policy.oracle_gap_closed)

    return _policy_table(result, cell)


def _policy_table(result: BacktestResult, cell: Callable[[int, str, PolicyResult], str]) -> Table:
    """Policies down, budgets across."""
    budgets = sorted(result.budgets)
    table = _table(*(f"{budget:,}" for budget in budgets))
    for name in ranked(result):
        found = {budget: result.budgets[budget].get(name) for budget in budgets}
        cells = (cell(at, name, policy) if policy else "–" for at, policy in found.items())
        table.add_row(Text(name_of(name)), *map(Text, cells))
    return table


def _table(*headings: str) -> Table:
    """An empty table with a column of names before these."""
    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _with_interval(value: float, ci: Interval, *, one_line: bool) -> str:
    return (" " if one_line else "\n").join((lift(value), f"({ends(ci)})"))


def _plain(value: object) -> object:
    """A number of numpy's as one of Python's."""
    if isinstance(value, np.generic):
        return cast("object", value.item())
    raise NotImplementedError
