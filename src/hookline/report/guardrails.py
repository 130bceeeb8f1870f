"""Does a line do harm? Every challenger against the control on every guard metric of the rule.

Harm is estimated from the very scores the rest of the report rests on (`stats.scores`), and its
confidence sequence may be looked at as often as one likes. A line is harmful only where the whole
interval lies above what is tolerated: a dip that is not proven stops nothing.
"""

from collections.abc import Sequence

from hookline.report.evidence import PER, Duel, duel, lead, scaled, score
from hookline.report.split import split
from hookline.report.table import Table, tabulate
from hookline.stats import mean_estimate
from hookline.types import (
    COSTS,
    Estimate,
    Experiment,
    Guardrail,
    GuardrailReport,
    Outcome,
)


def guard_rows(experiment: Experiment, table: Table) -> tuple[GuardrailReport, ...]:
    """What every challenger does to every guard metric, metric by metric, retired lines too.

    All of an experiment's guard intervals hold together at the rule's risk (Bonferroni over
    challengers × metrics): a family of its own beside that of the verdict.
    """
    control = experiment.arms.index(experiment.control)
    rails = experiment.rule.guardrails
    alpha = experiment.rule.risk / max((len(experiment.arms) - 1) * len(rails), 1)
    rows: list[GuardrailReport] = []
    for rail in rails:
        scored = score(table, rail.metric)
        for place, arm in enumerate(experiment.arms):
            if arm.control:
                continue
            own = table.exposed & (table.arms == place)
            harm = harm_of(rail, duel(scored, place, control), experiment.horizon, alpha)
            rows.append(
                GuardrailReport(
                    metric=rail.metric,
                    tolerated=rail.tolerated,
                    arm_id=arm.id,
                    text=arm.text,
                    exposures=int(own.sum()),
                    events=int((table.rewards[rail.metric][own] != 0).sum()),
                    harm=harm,
                    harmful=harm.low is not None and harm.low > rail.tolerated,
                )
            )
    return tuple(rows)


def harms(experiment: Experiment, outcomes: Sequence[Outcome]) -> tuple[GuardrailReport, ...]:
    """The lines still served that are proven harmful, with the metric they harm.

    None where lines were not seen as often as they were drawn (`split`): what such figures prove
    is not known, and a person has to look.

    Args:
        experiment: The experiment as it is now.
        outcomes: Its outcomes in log order.
    """
    if not experiment.rule.guardrails:
        return ()
    table = tabulate(experiment, outcomes)
    served = {arm.id for arm in experiment.challengers}
    found = [row for row in guard_rows(experiment, table) if row.harmful and row.arm_id in served]
    return tuple(found) if found and not split(experiment, table).flagged else ()


def harm_of(rail: Guardrail, pair: Duel, horizon: float, alpha: float) -> Estimate:
    """How much worse than the control's the line's metric is, per 1,000 visitors.

    Twenty events on *either* side are enough, not on both: where a line does harm the other side
    is the one with few, and `floored` keeps its score from looking surer than it is.
    """
    found = mean_estimate(lead(pair.moments), events=max(pair.events), horizon=horizon, alpha=alpha)
    return scaled(found, PER) if rail.metric in COSTS else _turned(scaled(found, PER))


def _turned(gain: Estimate) -> Estimate:
    """A gain as a harm."""

    def less(value: float | None) -> float | None:
        return None if value is None else -value

    return Estimate(
        estimate=less(gain.estimate),
        low=less(gain.high),
        high=less(gain.low),
        n=gain.n,
        reason=gain.reason,
    )
