"""Outcomes beside what an estimator said of them before they were known.

The decisions are gone through in their order (prequentially: Dawid 1984, "The prequential
approach"). Each is forecast by an estimator that has learned what was mature by then and nothing
else; its outcome is learned once it is mature itself. What the log says of an outcome today is what
is learned: a refund counts from the day the order window closed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hookline.estimator import TARGETS, Estimator, Expected, Later, Pair, Target, rewards, worth
from hookline.types import Arm, Experiment, Outcome

Array = NDArray[np.float64]
Named = Target | Literal["worth"]

BY_CLICK: Final[tuple[Target, ...]] = TARGETS[:3]
"""Targets that make up the money that comes by way of a click."""
BLOCK: Final = 100
"""Decisions that are forecast together, with what was mature before the first of them."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Foretold:
    """Forecasts of one target beside what came, in decision order; every array of shape (n,).

    Attributes:
        rows: Index of each outcome among those given.
        expected: What was forecast.
        sd: How far the estimator said that may be off.
        usual: What the mean of all that was mature by then would have said.
        observed: What came.
        silent: Known outcomes that came before enough was learned to forecast them.
    """

    rows: NDArray[np.int64]
    expected: Array
    sd: Array
    usual: Array
    observed: Array
    silent: int


def foretell(
    experiment: Experiment, outcomes: Sequence[Outcome], estimator: Estimator
) -> dict[Named, Foretold]:
    """Target → forecasts, each made with what was mature before it.

    Beside the estimator's own targets there is `worth`: the money that came by way of a click.

    Args:
        experiment: Its arms and windows count, as they are now.
        outcomes: Its outcomes in log order; those of arms it does not have are left out.
        estimator: One that has learned nothing; it learns all.
    """
    arms = {arm.id: arm for arm in experiment.arms}
    rows = [row for row, each in enumerate(outcomes) if each.decision.arm_id in arms]
    clock = list(accumulate((outcomes[row].decision.context.at for row in rows), max))
    lessons = _lessons(experiment, [outcomes[row] for row in rows], clock)
    long_runs = _long_runs(lessons, estimator)
    columns: dict[Named, _Column] = {target: _Column() for target in (*TARGETS, "worth")}
    taught = 0
    for first in range(0, len(rows), BLOCK):
        while taught < len(lessons) and lessons[taught].at <= clock[first]:
            lesson = lessons[taught]
            estimator.learn(lesson.outcome, arms[lesson.outcome.decision.arm_id], lesson.before)
            taught += 1
        block = {row: outcomes[row] for row in rows[first : first + BLOCK]}
        _forecast(block, arms, long_runs, estimator, columns)
    return {target: column.foretold() for target, column in columns.items()}


class _Lesson(NamedTuple):
    """What became known of an outcome when one of its windows closed."""

    at: datetime
    outcome: Outcome
    before: Outcome | None


def _lessons(
    experiment: Experiment, outcomes: Sequence[Outcome], clock: Sequence[datetime]
) -> list[_Lesson]:
    """All that ever became known, in order of time; the clock is the newest time until then."""
    lessons: list[_Lesson] = []
    for outcome, decided in zip(outcomes, clock, strict=True):
        known = replace(outcome, click_settled=False, order_settled=False)
        closed = [
            (decided + timedelta(hours=hours), name)
            for hours, name, settled in (
                (experiment.click_hours, "click_settled", outcome.click_settled),
                (experiment.order_hours, "order_settled", outcome.order_settled),
            )
            if settled
        ]
        before = None
        for at, name in sorted(closed):
            known = replace(known, **{name: True})
            lessons.append(_Lesson(at, known, before))
            before = known
    return sorted(lessons, key=lambda lesson: lesson.at)


def _long_runs(lessons: Sequence[_Lesson], estimator: Estimator) -> dict[str, float]:
    """Decision id → discounted worth of the later visits, where that is mature."""
    look_ahead = timedelta(days=estimator.look_ahead_days)
    later = Later[str](estimator.metric, estimator.gamma, look_ahead)
    found: dict[str, float] = {}
    for lesson in lessons:
        later.see(lesson.outcome, lesson.outcome.decision.id, lesson.before)
        found |= {decision_id: long_run for decision_id, long_run, _ in later.mature()}
    return found


class _Column:
    """One target's forecasts and outcomes, as they come."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._parts: list[tuple[Array, Array, Array]] = []
        self._observed: list[float] = []
        self._silent = 0

    def add(self, found: Expected | None, usual: float, known: Mapping[int, float]) -> None:
        """Takes in the outcomes known of a block, by row, and what was forecast of them."""
        if found is None:
            self._silent += len(known)
        elif known:
            self._rows += known
            self._parts.append((found.mean, found.sd, np.full(len(known), usual)))
            self._observed += known.values()

    def foretold(self) -> Foretold:
        parts = self._parts or [(np.zeros(0), np.zeros(0), np.zeros(0))]
        expected, sd, usual = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Foretold(
            rows=np.array(self._rows, dtype=np.int64),
            expected=expected,
            sd=sd,
            usual=usual,
            observed=np.array(self._observed, dtype=np.float64),
            silent=self._silent,
        )


def _forecast(
    block: Mapping[int, Outcome],
    arms: Mapping[str, Arm],
    long_runs: Mapping[str, float],
    estimator: Estimator,
    columns: Mapping[Named, _Column],
) -> None:
    """Adds the forecasts of one block to the columns."""
    shown = {row: outcome for row, outcome in block.items() if outcome.exposed}
    if not shown:
        return
    place = {row: index for index, row in enumerate(shown)}
    pairs = [_pair(outcome, arms) for outcome in shown.values()]
    known = _known(shown, long_runs)
    parts = {target: estimator.expected(target, pairs) for target in BY_CLICK}
    usual: dict[Named, float] = {target: estimator.usual(target) for target in TARGETS}
    usual["worth"] = float(np.prod([usual[target] for target in BY_CLICK]))
    found: dict[Named, Expected | None] = {target: parts[target] for target in BY_CLICK}
    found["worth"] = worth(*parts.values())
    for target, said in found.items():
        about = [place[row] for row in known[target]]
        columns[target].add(
            said and Expected(said.mean[about], said.sd[about]), usual[target], known[target]
        )
    if answered := known["long run"]:
        asked = [pairs[place[row]] for row in answered]
        columns["long run"].add(estimator.expected("long run", asked), usual["long run"], answered)


def _known(
    shown: Mapping[int, Outcome], long_runs: Mapping[str, float]
) -> dict[Named, dict[int, float]]:
    """Target → row → what came, of the rows of which that is known."""
    known: dict[Named, dict[int, float]] = {target: {} for target in (*TARGETS, "worth")}
    for row, outcome in shown.items():
        for target, reward in rewards(outcome).items():
            known[target][row] = reward
        if outcome.click_settled and outcome.order_settled:
            known["worth"][row] = outcome.revenue if outcome.clicks else 0.0
        if (long_run := long_runs.get(outcome.decision.id)) is not None:
            known["long run"][row] = long_run
    return known


def _pair(outcome: Outcome, arms: Mapping[str, Arm]) -> Pair:
    decision = outcome.decision
    return decision.context, decision.audience_id, arms[decision.arm_id]
