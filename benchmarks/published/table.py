"""All that was found, as tables and bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.common import Bar
from benchmarks.published.archive import Splits, Winners
from benchmarks.published.effects import Effect, Level
from benchmarks.published.halves import Halves
from benchmarks.published.others import LIKE, Agreement
from benchmarks.published.planned import Forecast
from hookline.selftest import Rate
from hookline.stats import ALPHA, RATIO_ALPHA, Comparison, RatioTest
from hookline.types import Estimate

INSIDE, OUTSIDE = 0.6, 0.01
"""Least share of the broken tests that is to be flagged, and most of the others."""
_ARM: Final = ("", "outcome", "arm")
FEW: Final = 0.01
"""Share of tests without an answer up to which a forecast of power is held to what came out."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Everything that one run found.

    Attributes:
        levels: Means beside what was published.
        effects: Arms against their controls.
        agreements: Our functions beside other libraries'.
        forecasts: Power as forecast, and as it came out.
        single: Name → the split of one experiment.
        splits: The splits of Upworthy's tests, by two rules.
        winners: Who names a winner in Upworthy's tests, real and shuffled.
        halves: What the first half of Upworthy's tests promises, and the second keeps.
    """

    levels: Sequence[Level]
    effects: Sequence[Effect]
    agreements: Sequence[Agreement]
    forecasts: Sequence[Forecast]
    single: Mapping[str, RatioTest]
    splits: Sequence[Splits]
    winners: Sequence[Winners]
    halves: Halves


def show(console: Console, found: Found) -> None:
    """Prints a table for each question."""
    for table in (
        _levels(found.levels),
        _effects(found.effects),
        _saved(found.effects),
        _forecasts(found.forecasts),
        _splits(found),
        _winners(found.winners),
        _halves(found.halves),
        _bins(found.halves),
        _agreements(found.agreements),
    ):
        console.print(table)


def bars_of(found: Found) -> list[Bar]:
    """What is asked, and the rest for information."""
    bars = [
        Bar(
            name=f"{each.mailing}, {each.outcome}, {each.arm}",
            value=round(each.value, 4),
            target=f"= {each.published}",
            holds=each.agrees,
        )
        for each in found.levels
        if each.published
    ]
    everything = max(each.outside.runs for each in found.splits)
    for splits in found.splits:
        inside, outside = splits.inside.estimate, splits.outside.estimate
        own = [
            _at_least(f"flagged inside, {splits.rule}", inside, INSIDE),
            _at_most(f"flagged outside, {splits.rule}", outside, OUTSIDE),
        ]
        whole = splits.outside.runs == everything
        bars += own if whole else [replace(bar, target="a sample", holds=True) for bar in own]
    cookie = found.single["cookie_cats"].p_value
    bars += [
        _at_most("cookie_cats, p of its split", 1.0 if cookie is None else cookie, RATIO_ALPHA),
        *(
            _at_most(f"{each.arrivals} clicks: a difference named, at any look", rate, ALPHA)
            for each in found.winners
            if each.arrivals == "shuffled"
            for rate in [each.always_differs.estimate]
        ),
        _at_most("squared error, shrunken over plain, upper bound", found.halves.error.high, 1.0),
        _at_most("largest gap to another library", max(a.gap for a in found.agreements), LIKE),
    ]
    return bars + _power(found.forecasts)


def _power(forecasts: Sequence[Forecast]) -> list[Bar]:
    """How far what came out strays from the forecast where there were answers."""
    told = [each for each in forecasts if each.refused <= FEW * each.found.runs]
    once = [each.found.estimate - each.power for each in told if each.once]
    always = [each.ever.estimate - each.power for each in told if not each.once]
    return [
        Bar(
            name=f"power, {name}: {end} of found less forecast",
            value=value,
            target="for information",
        )
        for name, gaps in (("one look", once), ("every look", always))
        for end, value in (("least", min(gaps)), ("most", max(gaps)))
    ]


def _at_least(name: str, value: float, least: float) -> Bar:
    return Bar(name=name, value=value, target=f">= {least}", holds=value >= least)


def _at_most(name: str, value: float, most: float) -> Bar:
    return Bar(name=name, value=value, target=f"<= {most}", holds=value <= most)


def _grid(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    """An empty table; columns of numbers stand on the right."""
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1))
    for column in words:
        table.add_column(column)
    for column in numbers:
        table.add_column(column, justify="right")
    return table


def _levels(levels: Sequence[Level]) -> Table:
    table = _grid("what was published", _ARM, ("people", "here", "published"))
    for each in levels:
        mark = each.published if each.agrees else f"[bold red]{each.published}[/]"
        row = (
            each.mailing,
            each.outcome,
            each.arm,
            f"{each.n:,}",
            f"{each.value:.4f}",
            mark or "-",
        )
        table.add_row(*row)
    return table


def _effects(effects: Sequence[Effect]) -> Table:
    title = "lift over the control, %: one look, every look, and the price of looking"
    columns = ("one look", "p (Holm)", "chance", "every look", "wider", "told after")
    table = _grid(title, _ARM, columns)
    for each in effects:
        after = "-" if each.told is None else f"{100 * each.told:.0f} %"
        table.add_row(
            each.mailing,
            each.outcome,
            each.arm,
            _lift(each.lift),
            f"{each.holm:.2g}",
            "-" if each.belief is None else f"{each.belief.chance:.4f}",
            _lift(each.always_lift),
            f"{each.price:.2f}",
            f"{after} ({each.told_runs}/{each.runs})",
        )
    return table


def _lift(found: Comparison | Estimate) -> str:
    if found.estimate is None or found.low is None or found.high is None:
        return found.reason
    return f"{100 * found.estimate:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def _saved(effects: Sequence[Effect]) -> Table:
    title = "CUPED: % off the variance of the difference, and the share it explains"
    table = _grid(title, (*_ARM, "covariate"), ("saved", "explained"))
    for each in effects:
        for name, saved in each.saved.items():
            explained = f"{100 * each.explained[name]:.2f}"
            row = (each.mailing, each.outcome, each.arm, name, f"{100 * saved:.2f}", explained)
            table.add_row(*row)
    return table


def _forecasts(forecasts: Sequence[Forecast]) -> Table:
    title = (
        "tests of the size forecast, people drawn with replacement: how many found the effect, %"
    )
    columns = ("looks", "people", "forecast", "at the end", "ever", "no answer")
    table = _grid(title, _ARM, columns)
    for each in forecasts:
        table.add_row(
            each.mailing,
            each.outcome,
            each.arm,
            "one" if each.once else "every",
            f"{each.n:,}",
            f"{100 * each.power:.1f}",
            f"{100 * each.found.estimate:.1f}",
            f"{100 * each.ever.estimate:.1f}",
            f"{each.refused}/{each.found.runs}",
        )
    return table


def _splits(found: Found) -> Table:
    title = "sample ratio: Upworthy's tests flagged in the broken weeks and outside, %"
    table = _grid(title, ("", "rule"), ("inside", "outside"))
    for each in found.splits:
        table.add_row("Upworthy", each.rule, _share(each.inside), _share(each.outside))
    for name, test in found.single.items():
        counts = " / ".join(f"{units:,}" for units in test.observed)
        said = "flagged" if test.flagged else "sound"
        table.add_row(name, f"split_test, {counts}", f"p = {test.p_value:.4f}", said)
    return table


def _winners(winners: Sequence[Winners]) -> Table:
    title = "Upworthy, outside the broken weeks, a control by lot: % of tests with"
    columns = (
        "tests",
        "looks",
        "winner, one look",
        "winner, every look",
        "after",
        "differs, one look",
        "differs, every look",
        "differs, z-test each look",
    )
    table = _grid(title, ("clicks",), columns)
    for each in winners:
        named = [f"{100 * rate.estimate:.1f}" for rate in (each.once, each.always)]
        rates = (each.once_differs, each.always_differs, each.peeking)
        when = "-" if each.when is None else f"{100 * each.when:.0f} %"
        shares = (f"{100 * rate.estimate:.1f}" for rate in rates)
        table.add_row(
            each.arrivals, f"{each.once.runs:,}", f"{each.looks:.0f}", *named, when, *shares
        )
    return table


def _halves(halves: Halves) -> Table:
    title = f"best package of {halves.tests:,} Upworthy tests, from one half of the impressions"
    columns = ("says, %", "second half, %", "interval holds, %")
    table = _grid(title, ("lead over all others",), columns)
    for name, lead, holds in (
        ("plain", halves.plain, halves.plain_coverage),
        ("shrunken", halves.shrunk, halves.shrunk_coverage),
    ):
        kept = f"{100 * halves.later:+.1f}"
        table.add_row(name, f"{100 * lead:+.1f}", kept, f"{100 * holds:.1f}")
    for name, ratio in (
        ("squared error, shrunken / plain", halves.error),
        ("… less the second half's noise", halves.error_less_noise),
    ):
        table.add_row(name, f"{ratio.estimate:.2f}", f"({ratio.low:.2f} to {ratio.high:.2f})", "")
    return table


def _bins(halves: Halves) -> Table:
    title = "will the second half find the lead: forecast and found, %"
    table = _grid(title, ("forecast from",), ("forecast", "found", "tests"))
    found = f"{100 * halves.found:.1f}"
    for name, forecast in (
        ("the plain lead", halves.by_plain),
        ("the shrunken lead", halves.by_shrunk),
        ("what shrinkage leaves open", halves.by_belief),
    ):
        table.add_row(name, f"{100 * forecast:.1f}", found, f"{halves.tests:,}")
    for each in halves.bins:
        name = f"  there {100 * each.low:.0f} to {100 * each.high:.0f}"
        shares = (f"{100 * each.forecast:.1f}", f"{100 * each.found:.1f}")
        table.add_row(name, *shares, f"{each.tests:,}")
    lead = f"{100 * halves.detectable:+.0f} %"
    table.add_row("lead that a whole test finds in 4 of 5 cases", lead, "", "")
    return table


def _agreements(agreements: Sequence[Agreement]) -> Table:
    words, numbers = ("ours", "theirs"), ("numbers", "largest gap")
    table = _grid("the same from other libraries", words, numbers)
    for each in agreements:
        table.add_row(each.ours, each.theirs, f"{each.compared:,}", f"{each.gap:.1e}")
    return table


def _share(rate: Rate) -> str:
    """A share with its exact interval, in per cent."""
    return f"{100 * rate.estimate:.1f} ({100 * rate.low:.1f} to {100 * rate.high:.1f})"
