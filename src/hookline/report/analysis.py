"""Experiment + outcomes → `ExperimentReport`; the evidence of many → `Report`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor, log10, sqrt

import numpy as np

from hookline.report.elements import ElementEvidence, element_evidence, element_rows, strongest
from hookline.report.evidence import Duel, Evidence, Scored, duel, leader, score, weigh
from hookline.report.split import split
from hookline.report.table import Table, tabulate
from hookline.report.verdict import CHECK_TRAFFIC, WINNER, is_proven, judge, sentence
from hookline.stats import ALPHA, policy_shares, units_needed, unknown
from hookline.types import (
    METRICS,
    AllocationPoint,
    ArmReport,
    AudienceReport,
    ElementReport,
    Estimate,
    Experiment,
    ExperimentReport,
    Metric,
    Outcome,
    Report,
)

WORTHWHILE = 0.02
"""Least relative lift worth changing copy for, where nobody says otherwise: +2 %."""
BUCKETS = 24
"""Most stretches of time that allocation is shown in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Analysis:
    """One experiment's report, and the evidence it adds to the report on all.

    Attributes:
        report: What people read.
        evidence: Metric → addable moments of what the policy was worth.
        elements: What its lines say of creative attributes.
    """

    report: ExperimentReport
    evidence: Mapping[Metric, Evidence]
    elements: ElementEvidence


def analyze(
    experiment: Experiment,
    outcomes: Sequence[Outcome],
    shares: Mapping[str, float],
    *,
    writing_usd: float,
    worthwhile: float = WORTHWHILE,
) -> Analysis:
    """One experiment's answer with the evidence that `combine` pools.

    Counts are of all visitors. Estimates rest on those who were shown a copy that was drawn with
    a logged probability, and whose window for the metric has closed.

    Args:
        experiment: The experiment as it is now.
        outcomes: Its outcomes in log order.
        shares: Arm id → average share the policy would give it now.
        writing_usd: What writing its copy cost.
        worthwhile: Least relative lift worth changing the copy for.
    """
    measured = _measure(experiment, tabulate(experiment, outcomes))
    table, evidence = measured.table, measured.evidence
    arms = _arms(measured, shares)
    lift = {metric: evidence[metric].lift() for metric in METRICS}
    gain = {metric: evidence[metric].total_gain() for metric in METRICS}
    traffic = split(experiment, table)
    verdict, winner, words = (
        (CHECK_TRAFFIC, None, traffic.sentence)
        if traffic.flagged
        else _answer(measured, arms, lift[experiment.objective], worthwhile)
    )
    exploration = evidence["clicks"].total_missed().estimate
    taken_apart = element_evidence(experiment, table, measured.scored)
    report = ExperimentReport(
        id=experiment.id,
        name=experiment.name,
        product_id=experiment.product_id,
        channel_id=experiment.channel_id,
        policy=experiment.policy,
        status=experiment.status,
        objective=experiment.objective,
        currency=experiment.currency,
        visitors=len(outcomes),
        exposures=int(table.exposed.sum()),
        clicks=int(table.total("clicks", table.exposed)),
        orders=int(table.total("orders", table.exposed)),
        revenue=table.total("revenue", table.exposed),
        arms=arms,
        audiences=_audiences(measured),
        allocation=_allocation(measured),
        lift=lift,
        gain=gain,
        cost={"writing_usd": writing_usd, "exploration_clicks": exploration},
        verdict=verdict,
        winner=winner,
        sentence=words,
        split=traffic,
        elements=element_rows([taken_apart]),
    )
    return Analysis(report=report, evidence=evidence, elements=taken_apart)


def combine(
    analyses: Sequence[Analysis], *, at: datetime, totals: Mapping[str, int | float] | None = None
) -> Report:
    """All experiments together: lift pooled by visitor, gain summed.

    Evidence adds, so this costs nothing however many visitors there were. Money of different
    currencies does not add: then revenue has no pooled estimate, and no total.

    Args:
        analyses: From `analyze`.
        at: UTC time of the report.
        totals: Further counters by name; they stand beside the sums made here.
    """
    reports = tuple(analysis.report for analysis in analyses)
    currencies = sorted({report.currency for report in reports})
    pooled = {
        metric: _pool([analysis.evidence[metric] for analysis in analyses], metric, currencies)
        for metric in METRICS
    }
    sums: dict[str, int | float] = {
        "experiments": len(reports),
        "visitors": sum(report.visitors for report in reports),
        "exposures": sum(report.exposures for report in reports),
        "clicks": sum(report.clicks for report in reports),
        "orders": sum(report.orders for report in reports),
    }
    if len(currencies) == 1:
        sums["revenue"] = sum(report.revenue for report in reports)
    return Report(
        at=at,
        experiments=reports,
        lift={metric: lift for metric, (lift, _) in pooled.items()},
        gain={metric: gain for metric, (_, gain) in pooled.items()},
        totals=sums | dict(totals or {}),
        elements=_by_channel([analysis.elements for analysis in analyses]),
    )


def _by_channel(found: Sequence[ElementEvidence]) -> dict[str, tuple[ElementReport, ...]]:
    """Channel id → its elements, over the experiments with the objective most of them have."""
    channels: dict[str, tuple[ElementReport, ...]] = {}
    for channel in dict.fromkeys(each.channel_id for each in found):
        own = [each for each in found if each.channel_id == channel]
        objective, _ = Counter(each.objective for each in own).most_common(1)[0]
        rows = element_rows([each for each in own if each.objective == objective])
        if strongest(rows):
            channels[channel] = rows
    return channels


def _pool(
    parts: Sequence[Evidence], metric: Metric, currencies: Sequence[str]
) -> tuple[Estimate, Estimate]:
    """Lift and gain of several experiments taken as one."""
    if not parts:
        missing = unknown(0, "there is no experiment")
        return missing, missing
    if metric == "revenue" and len(currencies) > 1:
        missing = unknown(0, f"money in {' and '.join(currencies)} does not add")
        return missing, missing
    pooled = sum(parts[1:], parts[0])
    return pooled.lift(), pooled.total_gain()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Measured:
    """What the arms' and the policy's figures are read from, computed once.

    Attributes:
        control: Index of the control among the arms.
        scored: Scores of the objective.
        duels: Metric → every arm against the control, in the experiment's order.
        evidence: Metric → what the policy was worth.
    """

    experiment: Experiment
    table: Table
    control: int
    scored: Scored
    duels: Mapping[Metric, tuple[Duel, ...]]
    evidence: Mapping[Metric, Evidence]

    @property
    def arm_alpha(self) -> float:
        """Bonferroni: the chance of error one challenger may spend, so that all keep `ALPHA`."""
        return ALPHA / max(len(self.experiment.arms) - 1, 1)


def _measure(experiment: Experiment, table: Table) -> _Measured:
    control = experiment.arms.index(experiment.control)
    scored: dict[Metric, Scored] = {metric: score(table, metric) for metric in METRICS}
    return _Measured(
        experiment=experiment,
        table=table,
        control=control,
        scored=scored[experiment.objective],
        duels={
            metric: tuple(duel(scored[metric], arm, control) for arm in range(len(experiment.arms)))
            for metric in METRICS
        },
        evidence={metric: weigh(experiment, scored[metric], control) for metric in METRICS},
    )


def _arms(measured: _Measured, shares: Mapping[str, float]) -> tuple[ArmReport, ...]:
    table, horizon = measured.table, measured.experiment.horizon
    reports: list[ArmReport] = []
    for index, arm in enumerate(measured.experiment.arms):
        own = table.exposed & (table.arms == index)
        duels = {metric: measured.duels[metric][index] for metric in METRICS}
        lift: dict[str, Estimate] = {
            metric: unknown(duels[metric].moments.n, "this is the control")
            if arm.control
            else duels[metric].lift(horizon, measured.arm_alpha)
            for metric in METRICS
        }
        reports.append(
            ArmReport(
                arm=arm,
                exposures=int(own.sum()),
                clicks=int(table.total("clicks", own)),
                orders=int(table.total("orders", own)),
                revenue=table.total("revenue", own),
                share=shares.get(arm.id, 0.0),
                rate={metric: duels[metric].rate(horizon) for metric in METRICS},
                lift=lift,
            )
        )
    return tuple(reports)


def _answer(
    measured: _Measured, arms: tuple[ArmReport, ...], policy: Estimate, worthwhile: float
) -> tuple[str, str | None, str]:
    """Verdict, winner and sentence."""
    experiment = measured.experiment
    verdict, arm = judge(arms, policy, experiment.objective, worthwhile)
    words = sentence(
        verdict,
        arm,
        policy,
        objective=experiment.objective,
        status=experiment.status,
        worthwhile=worthwhile,
        visitors_more=_visitors_more(measured, arms.index(arm)) if arm else None,
    )
    return verdict, arm.arm.id if arm and verdict == WINNER else None, words


def _visitors_more(measured: _Measured, arm: int) -> int | None:
    """Forecast of visitors still needed to prove the arm better, to two digits.

    It takes the lead of the moment for the true one, which flatters the leader of several; so it
    is None where there is no lead, or where more than ten times the planned visitors are needed.
    """
    moments = measured.duels[measured.experiment.objective][arm].moments
    contrast = np.array([1.0, -1.0])
    lead, variance = float(contrast @ moments.mean), contrast @ moments.covariance @ contrast
    horizon = measured.experiment.horizon
    needed = units_needed(lead, sqrt(max(variance, 0.0)), measured.arm_alpha, horizon)
    if needed is None or not moments.n < needed <= 10 * horizon:
        return None
    more = needed - moments.n
    step = 10 ** max(floor(log10(more)) - 1, 0)
    return -(-more // step) * step


def _audiences(measured: _Measured) -> tuple[AudienceReport, ...]:
    experiment, table = measured.experiment, measured.table
    names = [(audience.id, audience.name) for audience in experiment.audiences]
    if names and (table.audiences == len(names)).any():
        names.append(("", "Everyone else"))
    alpha = measured.arm_alpha / max(len(names), 1)
    return tuple(
        _audience(measured, index, key, name, alpha) for index, (key, name) in enumerate(names)
    )


def _audience(measured: _Measured, index: int, key: str, name: str, alpha: float) -> AudienceReport:
    """The arm with the highest rate in one audience, if any challenger has been seen enough."""
    experiment, table = measured.experiment, measured.table
    among = measured.scored.audiences == index
    duels = {
        place: duel(measured.scored, place, measured.control, among)
        for place, arm in enumerate(experiment.arms)
        if arm.active
    }
    best = leader(duels, measured.control, experiment.horizon)
    if best is None:
        lift = unknown(int(among.sum()), "no challenger was seen often enough in this audience")
    elif best == measured.control:
        lift = unknown(int(among.sum()), "the control does best here")
    else:
        lift = duels[best].lift(experiment.horizon, alpha)
    return AudienceReport(
        audience_id=key,
        name=name,
        exposures=int((table.exposed & (table.audiences == index)).sum()),
        best_arm_id="" if best is None else experiment.arms[best].id,
        best_text="" if best is None else experiment.arms[best].text,
        proven=is_proven(lift),
        lift=lift,
    )


def _allocation(measured: _Measured) -> tuple[AllocationPoint, ...]:
    """The policy's own average shares over stretches of time with equally many decisions each."""
    experiment, table = measured.experiment, measured.table
    shares = policy_shares(
        table.probabilities[table.drawn],
        measured.control,
        holdout=experiment.holdout,
        uniform=experiment.uniform,
    )
    if shares is None or not len(shares):
        return ()
    at = table.at[table.drawn]
    order = np.argsort(at, kind="stable")
    stretches = np.array_split(order, max(min(BUCKETS, len(order) // 10), 1))
    return tuple(
        AllocationPoint(
            at=datetime.fromtimestamp(float(at[rows[0]]), UTC),
            visitors=len(rows),
            shares={
                arm.id: share
                for arm, share in zip(
                    experiment.arms, shares[rows].mean(axis=0).tolist(), strict=True
                )
            },
        )
        for rows in stretches
    )
