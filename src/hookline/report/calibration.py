"""How right the critic is: forecasts made before their outcomes (`foretold`), compared with them.

Intervals here are of 95 % at this look alone. They take outcomes for independent of one another,
which the long runs of one visitor's showings are not: theirs are too narrow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from math import pi, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text
from scipy.special import betaincinv, xlog1py, xlogy

from hookline.estimator import LOOK_AHEAD_DAYS, Estimator
from hookline.report.foretold import Foretold, foretell
from hookline.stats import ALPHA, unknown
from hookline.stats.estimate import MIN_EVENTS, MIN_UNITS
from hookline.types import Estimate, Experiment, Metric, Outcome, as_json

Array = NDArray[np.float64]

MOST: Final = 20_000
"""Latest decisions of an experiment that are gone through, at half a millisecond or more each."""
MOST_BINS: Final = 10
WIDE: Final = 1.959964
"""Standard errors to either side that hold 95 %."""
CHANCES: Final = frozenset({"click", "order given click"})
"""Targets that either happen or not; the others are amounts."""
SUREST: Final = 1e-4
"""No chance is taken for nearer to 0 or 1 than this where losses are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin:
    """Outcomes with about the same forecast.

    Attributes:
        n: How many.
        predicted: Their mean forecast.
        observed: Their mean.
        low: Lower bound of what such outcomes come to on average.
        high: Upper bound of it.
    """

    n: int
    predicted: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Rightness:
    """How right the forecasts of one target were.

    Attributes:
        target: One of `estimator.TARGETS`, or `worth`: the money that comes by way of a click.
        n: Forecasts whose outcome is known.
        events: Outcomes of these that are not 0.
        silent: Known outcomes that came before enough was learned to forecast them.
        predicted: Mean forecast; None where there is too little, as all that follows.
        observed: Mean outcome.
        sd: How far a forecast may be off, as the critic itself says, on average.
        ratio: Observed over expected: above 1 where more came than was forecast.
        error: Expected calibration error: mean distance between a bin's mean outcome and its mean
            forecast, in the target's units.
        error_by_chance: What a perfect forecast would show of it by chance alone.
        skill: Share saved of the loss of always saying the running mean: above 0 where forecasts
            know more than that. The logarithmic loss for chances, the square for amounts.
        bins: At most ten, of equal counts, from low to high forecasts.
        reason: Why there are no figures; empty where there are.
    """

    target: str
    n: int
    events: int
    silent: int
    predicted: float | None
    observed: float | None
    sd: float | None
    ratio: Estimate
    error: float | None
    error_by_chance: float | None
    skill: Estimate
    bins: tuple[Bin, ...]
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """How right the critic was about one experiment.

    Attributes:
        decisions: Latest decisions that were gone through.
        most: How many there may be.
        long_run_metric: What the long run counts.
        look_ahead_days: Days after a showing in which visits count there.
        targets: Click, order given click, value given order, worth and long run.
    """

    experiment_id: str
    name: str
    currency: str
    decisions: int
    most: int
    long_run_metric: Metric
    look_ahead_days: float
    targets: tuple[Rightness, ...]


def calibrate(
    experiment: Experiment,
    outcomes: Sequence[Outcome],
    *,
    most: int = MOST,
    look_ahead_days: float = LOOK_AHEAD_DAYS,
) -> Calibration:
    """How right forecasts of an experiment's outcomes were, each made before it was known.

    The long run counts clicks where these are the objective, money otherwise.

    Args:
        experiment: The experiment as it is now.
        outcomes: Its outcomes in log order.
        most: Latest of them that are gone through, at least 1.
        look_ahead_days: Days after a showing in which visits count as its long run.
    """
    metric: Metric = "clicks" if experiment.objective == "clicks" else "revenue"
    latest = outcomes[-most:]
    estimator = Estimator(metric=metric, look_ahead_days=look_ahead_days)
    foretold = foretell(experiment, latest, estimator)
    return Calibration(
        experiment_id=experiment.id,
        name=experiment.name,
        currency=experiment.currency,
        decisions=len(latest),
        most=most,
        long_run_metric=metric,
        look_ahead_days=look_ahead_days,
        targets=tuple(
            rightness(target, found, _missing(experiment, target))
            for target, found in foretold.items()
        ),
    )


def calibrate_all(
    experiments: Sequence[Experiment], latest: Callable[[str, int], Sequence[Outcome]]
) -> list[Calibration]:
    """The calibration of each experiment.

    Args:
        experiments: Which.
        latest: Gives an experiment's newest outcomes, newest first, by its id and their number.
    """
    return [calibrate(each, latest(each.id, MOST)[::-1]) for each in experiments]


def rightness(target: str, foretold: Foretold, missing: str = "") -> Rightness:
    """How right the forecasts of one target were.

    Args:
        target: Its name.
        foretold: Forecasts and outcomes.
        missing: Why there may be no outcome at all.
    """
    expected, observed = foretold.expected, foretold.observed
    n, events = observed.size, int(np.count_nonzero(observed))
    reason = _shortfall(n, events, foretold.silent, missing)
    if reason:
        nothing = unknown(n, reason)
        return Rightness(
            target=target, n=n, events=events, silent=foretold.silent, predicted=None,
            observed=None, sd=None, ratio=nothing, error=None, error_by_chance=None,
            skill=nothing, bins=(), reason=reason,
        )  # fmt: skip
    chances = target in CHANCES
    bins = _bins(expected, observed, min(MOST_BINS, events // MIN_EVENTS), chances=chances)
    weights = np.array([each.n for each in bins]) / n
    gaps = np.array([abs(each.observed - each.predicted) for each in bins])
    widths = np.array([each.high - each.low for each in bins]) / (2 * WIDE)
    losses = [_losses(said, observed, chances=chances) for said in (expected, foretold.usual)]
    return Rightness(
        target=target,
        n=n,
        events=events,
        silent=foretold.silent,
        predicted=float(expected.mean()),
        observed=float(observed.mean()),
        sd=float(foretold.sd.mean()),
        ratio=_ratio(observed, expected),
        error=float(weights @ gaps),
        error_by_chance=float(weights @ widths) * sqrt(2 / pi),
        skill=_ratio(losses[1] - losses[0], losses[1]),
        bins=bins,
        reason="",
    )


def _missing(experiment: Experiment, target: str) -> str:
    if target != "long run":
        return ""
    if experiment.unit == "visitor":
        return "each visitor is decided for once: there are no later visits to the test"
    return "no showing is so old that its later visits are known"


def _shortfall(n: int, events: int, silent: int, missing: str) -> str:
    """Why there is too little to judge by; empty where there is enough."""
    if missing and not n + silent:
        return missing
    if n < MIN_UNITS and events < MIN_UNITS:
        return f"needs {MIN_UNITS} forecasts whose outcome is known, has {n}"
    if events < MIN_EVENTS:
        return f"needs {MIN_EVENTS} outcomes that are not 0, has {events}"
    return ""


def _bins(expected: Array, observed: Array, count: int, *, chances: bool) -> tuple[Bin, ...]:
    """Outcomes in bins of equal counts, by forecast."""
    made: list[Bin] = []
    for rows in np.array_split(np.argsort(expected, kind="stable"), count):
        mean, n = float(observed[rows].mean()), len(rows)
        if chances:
            low, high = _binomial(mean * n, n)
        else:
            width = WIDE * float(observed[rows].std(ddof=1)) / sqrt(n)
            low, high = mean - width, mean + width
        predicted = float(expected[rows].mean())
        made.append(Bin(n=n, predicted=predicted, observed=mean, low=low, high=high))
    return tuple(made)


def _binomial(events: float, n: int) -> tuple[float, float]:
    """The chances that this many events are not too odd for (Clopper and Pearson 1934)."""
    low = float(betaincinv(events, n - events + 1, ALPHA / 2)) if events else 0.0
    high = float(betaincinv(events + 1, n - events, 1 - ALPHA / 2)) if events < n else 1.0
    return low, high


def _losses(said: Array, observed: Array, *, chances: bool) -> Array:
    if not chances:
        return np.asarray((said - observed) ** 2, dtype=np.float64)
    sure = np.clip(said, SUREST, 1 - SUREST)
    return np.asarray(-xlogy(observed, sure) - xlog1py(1 - observed, -sure), dtype=np.float64)


def _ratio(above: Array, below: Array) -> Estimate:
    """The ratio of two sums over the same outcomes, with its standard error to either side."""
    ratio = float(above.sum() / below.sum())
    width = WIDE * sqrt(float(((above - ratio * below) ** 2).sum())) / abs(float(below.sum()))
    return Estimate(estimate=ratio, low=ratio - width, high=ratio + width, n=above.size)


# --- as text and JSON ----------------------------------------------------------------------------


def to_text(found: Sequence[Calibration], width: int = 120) -> str:
    """Calibrations as tables for a terminal.

    Args:
        found: One for each experiment.
        width: Most columns of a line.
    """
    console = Console(file=StringIO(), width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        for each in found:
            console.print(_table(each))
            for target in each.targets:
                if target.reason:
                    console.print(Text(f"{target.target}: {target.reason}"))
                else:
                    console.print(_curve(target))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def to_json(found: Sequence[Calibration]) -> list[dict[str, Any]]:
    """Calibrations as plain JSON values."""
    return as_json(found)


def _table(found: Calibration) -> Table:
    title = (
        f"{found.name}: {found.decisions:,} latest decisions (at most {found.most:,}), each "
        f"forecast before its outcome was known; long run: {found.long_run_metric} of later visits "
        f"within {found.look_ahead_days:g} days"
    )
    table = Table(title=Text(title), title_justify="left", box=SIMPLE, pad_edge=False)
    for name in ("forecast of", "known", "predicted", "observed", "observed / predicted"):
        table.add_column(name, justify="left" if name == "forecast of" else "right")
    table.add_column("error (by chance)", justify="right")
    table.add_column("saved of the running mean's loss", justify="right")
    for each in found.targets:
        table.add_row(*map(Text, _cells(each)))
    return table


def _cells(each: Rightness) -> tuple[str, ...]:
    if each.reason:
        return (each.target, f"{each.n:,}", "", "", "", "", "")
    return (
        each.target,
        f"{each.n:,}",
        f"{each.predicted:.4g}",
        f"{each.observed:.4g}",
        _spelled(each.ratio, ".2f"),
        f"{each.error:.2g} ({each.error_by_chance:.2g})",
        _spelled(each.skill, "+.1%"),
    )


def _spelled(found: Estimate, form: str) -> str:
    return f"{found.estimate:{form}} ({found.low:{form}} to {found.high:{form}})"


def _curve(each: Rightness) -> Table:
    title = Text(f"{each.target}, by forecast")
    table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False)
    for name in ("known", "predicted", "observed", "between"):
        table.add_column(name, justify="right")
    for bin_ in each.bins:
        between = f"{bin_.low:.3g} to {bin_.high:.3g}"
        cells = (f"{bin_.n:,}", f"{bin_.predicted:.3g}", f"{bin_.observed:.3g}", between)
        table.add_row(*map(Text, cells))
    return table
