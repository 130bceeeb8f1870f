"""Which element works for whom: lines' corrected rates, taken apart by creative attribute.

Every line's value comes from the very scores the rest of the report rests on (`stats.scores`), so
a policy that moves traffic does not bias it. Which element made a line good no test of a few lines
can prove: an element comes only in the lines that carry it, and a line has luck of its own. So the
values go through the regression of `hookline.attributes`, which allows for luck and shrinks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from hookline.attributes import Trial, believe, code_of, elements
from hookline.report.evidence import Scored
from hookline.report.table import Array, Flags, Table
from hookline.stats import ALPHA, radius
from hookline.stats.estimate import MIN_EVENTS, MIN_UNITS
from hookline.types import ATTRIBUTE_LEVELS, Attributes, ElementReport, Experiment, Metric

SHOWN = 6
"""Most elements shown where nobody asks for all."""
CAUTION = "An element is seen only in the lines that have it; the ranges allow for their own luck."
"""What nobody may forget who reads of elements."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementEvidence:
    """What one experiment says of elements; that of several is judged together.

    Attributes:
        channel_id: Where its lines were shown.
        objective: Metric that the values are in.
        trial: Its lines' values; None where there are too few to compare.
        visitors: Settled visitors.
        horizon: Visitors planned for.
    """

    channel_id: str
    objective: Metric
    trial: Trial | None
    visitors: int
    horizon: int


def element_evidence(experiment: Experiment, table: Table, scored: Scored) -> ElementEvidence:
    """The values of the experiment's lines, audience by audience, in its objective.

    A value is the mean AIPW score of a line over that of the audience's average line, less 1. An
    audience counts from 100 visitors and 20 events on such lines. Human lines have no elements and
    are left out.

    Args:
        experiment: The experiment.
        table: Its outcomes.
        scored: Scores of its objective.
    """
    rewards = table.rewards[experiment.objective][table.analysed(experiment.objective)]
    names = [*(audience.id for audience in experiment.audiences), ""]
    parts = [
        part
        for index, name in enumerate(names)
        if (part := _part(experiment, scored, rewards, scored.audiences == index, name)) is not None
    ]
    return ElementEvidence(
        channel_id=experiment.channel_id,
        objective=experiment.objective,
        trial=_joined(parts) if parts else None,
        visitors=len(rewards),
        horizon=experiment.horizon,
    )


def element_rows(evidence: Sequence[ElementEvidence]) -> tuple[ElementReport, ...]:
    """Every level for all visitors, then for each audience those that can be told.

    The intervals are 95 % credible ones, widened by as much as peeking widens the intervals of
    this report (`stats.radius` over the fixed-sample one).
    """
    trials = [each.trial for each in evidence if each.trial is not None]
    if not trials:
        return ()
    n = sum(each.visitors for each in evidence)
    width = radius(1.0, n, ALPHA, sum(each.horizon for each in evidence)) * sqrt(n)
    belief = believe(trials)
    rows = list(elements(belief, trials, None, width=width))
    for audience in belief.audiences if len(belief.audiences) > 1 else ():
        told = elements(belief, trials, audience, width=width)
        rows += [row for row in told if row.effect.estimate is not None]
    return tuple(rows)


def strongest(rows: Sequence[ElementReport], most: int = SHOWN) -> list[ElementReport]:
    """The elements to show first: those proven, then the largest effects; each level once.

    Of a level's rows the one that is furthest from 0 stands for it, and of two levels that are
    each other's mirror image the one that does good.
    """

    def rank(row: ElementReport) -> tuple[bool, float, float]:
        effect = row.effect.estimate or 0.0
        return is_told(row), round(abs(effect), 9), effect

    best: dict[str, ElementReport] = {}
    for row in rows:
        mirrored = len(ATTRIBUTE_LEVELS[row.attribute]) == 2
        key = row.attribute if mirrored else f"{row.attribute}: {row.level}"
        known = best.setdefault(key, row)
        if rank(row) > rank(known):
            best[key] = row
    known_ones = (row for row in best.values() if row.effect.estimate is not None)
    return sorted(known_ones, key=rank, reverse=True)[:most]


def is_told(row: ElementReport) -> bool:
    """Whether the whole interval lies on one side of 0."""
    low, high = row.effect.low, row.effect.high
    return low is not None and high is not None and (low > 0 or high < 0)


def element_note(shown: Sequence[ElementReport]) -> str:
    """What must be said beside the rows, in words for a marketer."""
    told = sum(map(is_told, shown))
    proven = {0: "None of these is proven yet.", len(shown): "All of these are proven."}.get(
        told, f"The first {told} {'is' if told == 1 else 'are'} proven, the others are not yet."
    )
    return f"{proven} {CAUTION}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Part:
    """The lines of one audience: arm indices, values, variances, visitors."""

    audience: str
    arms: list[int]
    codes: list[list[int]]
    values: Array
    variances: Array
    visitors: Array


def _part(
    experiment: Experiment, scored: Scored, rewards: Array, among: Flags, audience: str
) -> _Part | None:
    """The lines as one audience took them; None where too little is known of two of them."""
    written = [place for place, arm in enumerate(experiment.arms) if arm.attributes is not None]
    psi = scored.psi[among][:, written]
    drawn = ~np.isnan(psi)
    own = among & np.isin(scored.arms, written)
    if own.sum() < MIN_UNITS or (scored.events & own).sum() < MIN_EVENTS:
        return None
    seen = drawn.sum(axis=0)
    known = seen >= MIN_UNITS
    written = [place for place, enough in zip(written, known.tolist(), strict=True) if enough]
    psi, drawn, seen = psi[:, known], drawn[:, known], seen[known]
    level = float(np.nanmean(psi)) if len(written) > 1 else 0.0
    if level <= 0:
        return None
    mean = np.where(drawn, psi, 0.0).sum(axis=0) / seen
    variance = np.where(drawn, (psi - mean) ** 2, 0.0).sum(axis=0) / seen
    chance = np.where(drawn, scored.probabilities[among][:, written], 1.0)
    # a line without an event has scores that hardly vary: never less than chance alone explains
    least = float(rewards[own].var()) * np.where(drawn, 1 / chance, 0.0).sum(axis=0) / seen
    return _Part(
        audience=audience,
        arms=written,
        codes=[code_of(attributes) for attributes in _attributes(experiment, written)],
        values=mean / level - 1,
        variances=np.maximum(variance, least) / seen / level**2,
        visitors=np.bincount(scored.arms[among], minlength=len(experiment.arms))[written].astype(
            np.float64
        ),
    )


def _attributes(experiment: Experiment, arms: Sequence[int]) -> list[Attributes]:
    """The creative attributes of the arms that have some."""
    found = (experiment.arms[place].attributes for place in arms)
    return [attributes for attributes in found if attributes is not None]


def _joined(parts: Sequence[_Part]) -> Trial:
    """All audiences of one experiment."""
    return Trial(
        codes=np.concatenate([np.array(part.codes, dtype=np.int64) for part in parts]),
        lines=np.concatenate([np.array(part.arms, dtype=np.int64) for part in parts]),
        audiences=tuple(part.audience for part in parts for _ in part.arms),
        values=np.concatenate([part.values for part in parts]),
        variances=np.concatenate([part.variances for part in parts]),
        visitors=np.concatenate([part.visitors for part in parts]),
        freshness=np.ones(sum(len(part.arms) for part in parts)),
    )
