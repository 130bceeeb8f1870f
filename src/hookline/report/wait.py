"""How long an experiment must go on until its rule is likely to decide."""

from collections.abc import Sequence
from math import floor, log10, sqrt
from typing import NamedTuple

import numpy as np

from hookline.report.table import Array, Table
from hookline.stats import Moments, days_more, units_needed
from hookline.types import Experiment, Wait

FAR = 10
"""Planned visitors times this is further ahead than a forecast is worth."""
_DAY = 86_400


class Race(NamedTuple):
    """One comparison with the control that the rule turns on.

    Attributes:
        lead: Moments of one column, a value per visitor: what it is ahead of the control.
        alpha: Chance of error that its interval may spend.
    """

    lead: Moments
    alpha: float


def wait(
    experiment: Experiment, table: Table, lines: Sequence[Race], policy: Race, *, bar: float
) -> Wait | None:
    """About how many more visitors and days it takes; None where it can't be told.

    If the best line is at or above the bar, until its interval leaves 0 behind; else until every
    line's interval, and that of the policy's choices, lies below the bar. It takes every lead of
    the moment for the true one, which flatters the best of several: a forecast, not a promise.
    Beyond ten times the planned visitors none is given.

    Args:
        experiment: The experiment as it is now.
        table: Its outcomes.
        lines: The challengers that may still be served.
        policy: What the policy's choices are ahead of the control.
        bar: Smallest gain per visitor worth having, in the objective's own unit.
    """
    missing = _missing(experiment.horizon, lines, policy, bar)
    if missing is None:
        return None
    shown = table.drawn & table.exposed
    settled = table.settled[experiment.objective]
    more, seen = missing - int((shown & ~settled).sum()), int(shown.sum())
    hours = experiment.click_hours if experiment.objective == "clicks" else experiment.order_hours
    days = days_more(seen + more, seen, _daily(table.at[shown]), settling_days=hours / 24)
    return Wait(visitors=_rounded(max(more, 0)), days=days)


def _missing(horizon: int, lines: Sequence[Race], policy: Race, bar: float) -> int | None:
    """Settled visitors still needed."""
    leads = [float(race.lead.mean[0]) for race in lines]
    best = max(leads, default=0.0)
    if best > 0 and best >= bar:
        gaps = [(lines[leads.index(best)], best)]
    else:
        below = [*lines, policy] if policy.lead.n else lines
        gaps = [(race, bar - float(race.lead.mean[0])) for race in below]
    most = 0
    for race, gap in gaps:
        sd = sqrt(max(float(race.lead.covariance[0, 0]), 0.0))
        needed = units_needed(gap, sd, race.alpha, horizon) if sd > 0 else None
        if needed is None or needed > FAR * horizon:
            return None
        most = max(most, needed - race.lead.n)
    return most


def _daily(at: Array) -> list[float]:
    """Visitors of each whole day, counted from the first to come to the last."""
    if not len(at):
        return []
    first = float(at.min())
    places = ((at - first) // _DAY).astype(np.int64)
    whole = int(places.max())
    return np.bincount(places[places < whole], minlength=whole).astype(np.float64).tolist()


def _rounded(count: int) -> int:
    """The count rounded up to two digits."""
    step = 10 ** max(floor(log10(count)) - 1, 0) if count else 1
    return -(-count // step) * step
