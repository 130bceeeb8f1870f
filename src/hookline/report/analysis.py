"""Experiment + outcomes → `ExperimentReport`; the evidence of many → `Report`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from hookline.report.elements import ElementEvidence, element_evidence, element_rows, strongest
from hookline.report.evidence import (
    PER,
    Duel,
    Evidence,
    Scored,
    duel,
    lead,
    leader,
    scaled,
    score,
    weigh,
)
from hookline.report.guardrails import guard_rows
from hookline.report.maturity import maturity
from hookline.report.split import split
from hookline.report.table import Table, tabulate
from hookline.report.verdict import (
    CHECK_TRAFFIC,
    CONCLUDED,
    KEEP_RUNNING,
    PAUSED,
    SHIP,
    SHIPPED,
    TOO_EARLY,
    Judged,
    is_proven,
    judge,
)
from hookline.report.wait import Race, wait
from hookline.report.words import Figures, sentence, shipped_sentence, unit_of
from hookline.stats import policy_shares, unknown
from hookline.types import (
    METRICS,
    AllocationPoint,
    ArmReport,
    AudienceReport,
    ElementReport,
    Estimate,
    Experiment,
    ExperimentReport,
    GuardrailReport,
    Metric,
    Outcome,
    Report,
    Split,
    Wait,
)

BUCKETS = 24
"""Most stretches of time that allocation is shown in."""
_START = datetime(1970, 1, 1, tzinfo=UTC)


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
    now: datetime | None = None,
) -> Analysis:
    """One experiment's answer with the evidence that `combine` pools.

    Counts are of all visitors. Estimates rest on those who were shown a copy that was drawn with
    a logged probability, and whose window for the metric has closed.

    Args:
        experiment: The experiment as it is now.
        outcomes: Its outcomes in log order.
        shares: Arm id → average share the policy would give it now.
        writing_usd: What writing its copy cost.
        now: UTC time up to which the outcomes are known; None takes that of the newest decision.
    """
    measured = _measure(experiment, tabulate(experiment, outcomes))
    table, evidence, risk = measured.table, measured.evidence, experiment.rule.risk
    arms = _arms(measured, shares)
    lift = {metric: evidence[metric].lift(risk) for metric in METRICS}
    gain = {metric: evidence[metric].total_gain(risk) for metric in METRICS}
    extra = {metric: scaled(evidence[metric].beyond(risk), PER) for metric in METRICS}
    worth = _worth(experiment, extra[experiment.objective])
    traffic, guarded = split(experiment, table), guard_rows(experiment, table)
    known = Figures(worth, lift[experiment.objective])
    answer = _answer(measured, arms, known, traffic, guarded)
    newest = max((each.decision.context.at for each in outcomes), default=_START)
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
        verdict=answer.verdict,
        winner=answer.winner,
        sentence=answer.sentence,
        split=traffic,
        elements=element_rows([taken_apart]),
        rule=experiment.rule,
        unit=unit_of(experiment),
        worth=worth,
        extra=extra,
        wait=answer.wait,
        guardrails=guarded,
        maturity=maturity(experiment, table, now or newest),
        shipped=experiment.shipped,
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
        """Bonferroni: the chance of error one challenger may spend, so that all keep the risk."""
        return self.experiment.rule.risk / max(len(self.experiment.arms) - 1, 1)

    def races(self) -> list[Race]:
        """The challengers that may still be served, against the control in the objective."""
        experiment = self.experiment
        return [
            Race(lead(each.moments), self.arm_alpha)
            for arm, each in zip(experiment.arms, self.duels[experiment.objective], strict=True)
            if arm.active and not arm.control
        ]


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
    table, experiment = measured.table, measured.experiment
    horizon, alpha = experiment.horizon, measured.arm_alpha
    reports: list[ArmReport] = []
    for index, arm in enumerate(experiment.arms):
        own = table.exposed & (table.arms == index)
        duels = {metric: measured.duels[metric][index] for metric in METRICS}
        itself = {
            metric: unknown(each.moments.n, "this is the control") for metric, each in duels.items()
        }
        lift = {metric: each.lift(horizon, alpha) for metric, each in duels.items()}
        extra = {metric: scaled(each.beyond(horizon, alpha), PER) for metric, each in duels.items()}
        worth = _worth(experiment, extra[experiment.objective])
        reports.append(
            ArmReport(
                arm=arm,
                exposures=int(own.sum()),
                clicks=int(table.total("clicks", own)),
                orders=int(table.total("orders", own)),
                revenue=table.total("revenue", own),
                share=shares.get(arm.id, 0.0),
                rate={
                    metric: each.rate(horizon, experiment.rule.risk)
                    for metric, each in duels.items()
                },
                lift=itself if arm.control else lift,
                extra=itself if arm.control else extra,
                worth=None if arm.control else worth,
            )
        )
    return tuple(reports)


def _worth(experiment: Experiment, extra: Estimate) -> Estimate:
    """The objective's extra in the unit of the rule."""
    return scaled(extra, experiment.rule.value or 1.0)


class _Answer(NamedTuple):
    """What the report says of an experiment as a whole."""

    verdict: str
    winner: str | None
    sentence: str
    wait: Wait | None = None


def _answer(
    measured: _Measured,
    arms: tuple[ArmReport, ...],
    policy: Figures,
    traffic: Split,
    guarded: Sequence[GuardrailReport],
) -> _Answer:
    """Verdict, winner, sentence, and how long still."""
    experiment = measured.experiment
    if traffic.flagged:
        return _Answer(CHECK_TRAFFIC, None, traffic.sentence)
    if (line := experiment.shipped_arm) is not None:
        shipped = next(arm for arm in arms if arm.arm.id == line.id)
        return _Answer(SHIPPED, None, shipped_sentence(shipped, experiment))
    harmful = {row.arm_id for row in guarded if row.harmful}
    judged = judge(arms, policy.worth, experiment.rule, harmful)
    still = _wait(measured, judged)
    return _Answer(
        verdict=_lasting(judged, experiment),
        winner=judged.arm.arm.id if judged.arm and judged.verdict == SHIP else None,
        sentence=sentence(judged, policy, experiment, still),
        wait=still,
    )


def _lasting(judged: Judged, experiment: Experiment) -> str:
    """The verdict; one that asks for patience gives way where nothing runs that could use it."""
    if judged.verdict in {KEEP_RUNNING, TOO_EARLY}:
        over = {"paused": PAUSED, "concluded": CONCLUDED}
        return over.get(experiment.status, judged.verdict)
    return judged.verdict


def _wait(measured: _Measured, judged: Judged) -> Wait | None:
    """How long until the rule is likely to decide; None where it has, or nothing runs."""
    experiment = measured.experiment
    if judged.verdict != KEEP_RUNNING or experiment.status != "running":
        return None
    rule = experiment.rule
    return wait(
        experiment,
        measured.table,
        measured.races(),
        Race(lead(measured.evidence[experiment.objective].policy), rule.risk),
        bar=rule.worthwhile / PER / (rule.value or 1.0),
    )


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
    chosen = table.drawn & ~table.shipped
    shares = policy_shares(
        table.probabilities[chosen],
        measured.control,
        holdout=experiment.holdout,
        uniform=experiment.uniform,
    )
    if shares is None or not len(shares):
        return ()
    at = table.at[chosen]
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
