"""How many orders are still to come from the visitors so far."""

from datetime import datetime

import numpy as np

from hookline.report.table import Table
from hookline.stats import mature_total, maturity_curve, unknown
from hookline.types import Estimate, Experiment, Maturity


def maturity(experiment: Experiment, table: Table, now: datetime) -> Maturity:
    """The orders that visitors whose window is open have yet to place.

    An order counts from its decision, a visitor who ordered once.

    Args:
        experiment: Its order window counts, as it is now.
        table: Its outcomes.
        now: UTC time up to which the outcomes are known.

    Source: `stats.maturity`.
    """
    seen = table.exposed
    still = int((seen & ~table.settled["orders"]).sum())
    ages = ((now.timestamp() - table.at[seen]) / 3600).clip(min=0.0)
    delays = table.ordered_after[seen]
    ordered = ~np.isnan(delays)
    # a sender's clock may run ahead of ours
    came = np.minimum(delays[ordered], ages[ordered])
    curve = maturity_curve(came, ages[ordered], experiment.order_hours)
    total = mature_total(int(ordered.sum()), ages, curve)
    if not still:
        to_come = Estimate(estimate=0.0, low=0.0, high=0.0, n=total.n)
    elif total.estimate is None or total.low is None or total.high is None:
        to_come = unknown(total.n, total.reason)
    else:
        so_far = float(ordered.sum())
        to_come = Estimate(
            estimate=total.estimate - so_far,
            low=total.low - so_far,
            high=total.high - so_far,
            n=total.n,
        )
    return Maturity(open=still, to_come=to_come, sentence=_sentence(still, to_come))


def _sentence(still: int, to_come: Estimate) -> str:
    """How much is still open, in words for a marketer."""
    if not to_come.n:
        return "Nobody has seen a line yet, so no orders are to come."
    if not still:
        return "Every order window has closed: no orders are still to come."
    whose = f"{still:,} of {to_come.n:,} visitors can still order"
    if to_come.estimate is None or to_come.low is None or to_come.high is None:
        return f"{whose}; how many will can't be told yet: {to_come.reason}."
    return (
        f"{whose}: about {to_come.estimate:,.0f} will (between {to_come.low:,.0f} and "
        f"{to_come.high:,.0f}). Lifts in orders and money wait for them."
    )
