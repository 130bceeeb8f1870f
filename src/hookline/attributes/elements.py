"""What is believed of the effects, as rows for people: one level, one audience, one interval."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from hookline.attributes.effects import STARTS, WIDTH, Belief, Indices, Trial
from hookline.types import ATTRIBUTE_LEVELS, ElementReport, Estimate

NORMAL_WIDTH = 1.96
"""Standard deviations to either side that hold 95 % of a normal distribution."""


def elements(
    belief: Belief,
    trials: Sequence[Trial],
    audience_id: str | None,
    *,
    width: float = NORMAL_WIDTH,
) -> tuple[ElementReport, ...]:
    """The effect of every level, over the average level of its attribute.

    A level that no line has, or every line of its tests, was compared with nothing: its estimate
    is None and says so.

    Args:
        belief: From `believe`.
        trials: What it was formed on.
        audience_id: Whom it is about; None for all visitors together, each counting once.
        width: Half the interval in standard deviations of the belief.
    """
    taste = belief.over(_visitors(trials)) if audience_id is None else belief.of(audience_id)
    means, sds = taste.contrasts()
    having, lacking, visitors = _support(trials, audience_id)
    names = [(name, level) for name, levels in ATTRIBUTE_LEVELS.items() for level in levels]
    rows: list[ElementReport] = []
    for place, (attribute, level) in enumerate(names):
        n, half = int(visitors[place]), width * float(sds[place])
        mean = float(means[place])
        reason = _reason(int(having[place]), int(lacking[place]))
        rows.append(
            ElementReport(
                attribute=attribute,
                level=level,
                audience_id=audience_id,
                lines=int(having[place]),
                others=int(lacking[place]),
                effect=Estimate(estimate=None, low=None, high=None, n=n, reason=reason)
                if reason
                else Estimate(estimate=mean, low=max(mean - half, -1.0), high=mean + half, n=n),
            )
        )
    return tuple(rows)


def _reason(having: int, lacking: int) -> str:
    if not having:
        return "no line that was seen has it"
    return "" if lacking else "every line that was seen has it, so it was compared with nothing"


def _visitors(trials: Sequence[Trial]) -> Mapping[str, float]:
    """Audience id → visitors."""
    seen: Counter[str] = Counter()
    for trial in trials:
        for key, count in zip(trial.audiences, trial.visitors.tolist(), strict=True):
            seen[key] += count
    return seen


def _support(trials: Sequence[Trial], audience_id: str | None) -> tuple[Indices, Indices, Indices]:
    """Lines with each level, lines without it beside these, and visitors of both; (levels,)."""
    having, lacking = np.zeros(WIDTH, dtype=np.int64), np.zeros(WIDTH, dtype=np.int64)
    visitors = np.zeros(WIDTH, dtype=np.int64)
    for trial in trials:
        rows = np.array([audience_id in {None, key} for key in trial.audiences], dtype=np.bool_)
        _, first = np.unique(trial.lines[rows], return_index=True)
        carried = np.bincount((trial.codes[rows][first] + STARTS).ravel(), minlength=WIDTH)
        tested = carried > 0
        having += carried
        lacking += np.where(tested, len(first) - carried, 0)
        visitors += np.where(tested, round(float(trial.visitors[rows].sum())), 0)
    return having, lacking, visitors
