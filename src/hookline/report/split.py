"""May the rest be trusted: were the lines seen as often as they were drawn?"""

import numpy as np

from hookline.report.table import Table
from hookline.report.words import shorten
from hookline.stats import RatioTest, sample_ratio
from hookline.types import Experiment, Split


def split(experiment: Experiment, table: Table) -> Split:
    """Whether the visitors who saw each line are those it was drawn for.

    Tested are the decisions that were drawn and *shown*, in log order, against their logged
    probabilities, so a line that gets lost on its way, or whose impressions do, is found out; one
    that is lost as often as every other is not, and does no harm. It holds at every look as long
    as an impression is known before the next look; those that come later change the order.

    Source: `stats.sample_ratio`.
    """
    rows = table.drawn & table.exposed
    found = sample_ratio(table.arms[rows], table.probabilities[rows])
    ids = [arm.id for arm in experiment.arms]
    return Split(
        visitors=found.n,
        p_value=found.p_value,
        flagged=found.flagged,
        seen=dict(zip(ids, found.observed, strict=True)),
        expected=dict(zip(ids, found.expected, strict=False)),
        sentence=_sentence(experiment, found),
        reason=found.reason,
    )


def _sentence(experiment: Experiment, found: RatioTest) -> str:
    """What the test came to, in words for a marketer."""
    if found.p_value is None:
        return f"Visitors per line can't be checked: {found.reason}."
    chance = f"p = {found.p_value:.2g}" if found.p_value >= 0.0001 else "p < 0.0001"
    if not found.flagged:
        return f"Visitors per line are as drawn ({chance})."
    due = np.array(found.expected)
    odd = int((np.abs(np.array(found.observed) - due) / np.sqrt(due.clip(min=1.0))).argmax())
    line = shorten(experiment.arms[odd].text, 60)
    return (
        f"Visitors per line are not as drawn ({chance}). “{line}” was seen by "
        f"{found.observed[odd]:,} where {found.expected[odd]:,.0f} were due. Until it is known "
        f"why, no figure here can be trusted."
    )
