"""What it was worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hookline.types.experiments import Arm, ExperimentStatus, GuardMetric, Metric, Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A number with an interval that holds at every look.

    Attributes:
        estimate: Point estimate, None where it can't be computed.
        low: Lower bound, None where there is none.
        high: Upper bound, None where there is none.
        n: Visitors it rests on.
        reason: Why something is None; empty otherwise.
    """

    estimate: float | None
    low: float | None
    high: float | None
    n: int = 0
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmReport:
    """How one arm did.

    Attributes:
        exposures: Visitors who saw it.
        clicks: Visitors of these who clicked.
        orders: Visitors of these who ordered.
        revenue: Money net of refunds.
        share: Share of the policy slice's traffic it would get now, 0 to 1.
        rate: Metric → value per visitor, corrected for adaptive allocation.
        lift: Metric → relative lift over the control (.1 is +10 %).
        extra: Metric → what it brings beyond the control, per 1,000 visitors.
        worth: The objective's extra in the unit of the rule, see `ExperimentReport.unit`; None for
            the control.
    """

    arm: Arm
    exposures: int
    clicks: int
    orders: int
    revenue: float
    share: float
    rate: Mapping[str, Estimate]
    lift: Mapping[str, Estimate]
    extra: Mapping[str, Estimate] = field(default_factory=dict[str, Estimate])
    worth: Estimate | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AudienceReport:
    """What works for one audience.

    Attributes:
        best_arm_id: Arm with the highest estimated rate of the objective; empty if unknown.
        proven: Whether its lift over the control is above 0 at every look.
        lift: That arm's relative lift of the objective over the control, in this audience.
    """

    audience_id: str
    name: str
    exposures: int
    best_arm_id: str
    best_text: str
    proven: bool
    lift: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementReport:
    """What one creative attribute does, at one level, for one audience or for all.

    Attributes:
        attribute: For example `angle`.
        level: For example `value`.
        audience_id: Whom it is about; None for all visitors together.
        lines: Lines with this level that the estimate rests on.
        others: Lines without it, in the same tests.
        effect: Relative effect on the objective over the attribute's average level, shrunk and
            with a line's own luck allowed for (.1 is +10 %).
    """

    attribute: str
    level: str
    audience_id: str | None
    lines: int
    others: int
    effect: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class AllocationPoint:
    """Shares of traffic over one stretch of time: arm id → share, summing to 1."""

    at: datetime
    visitors: int
    shares: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Whether lines were seen as often as they were drawn; if not, nothing else can be trusted.

    Attributes:
        visitors: Visitors who were shown a line that was drawn for them.
        p_value: Chance of a split as odd as this at any look if all is well; None if unknown.
        flagged: Whether the split is wrong; None where it can't be told.
        seen: Arm id → how many of them saw it.
        expected: Arm id → how many should have by the logged probabilities; empty if unknown.
        sentence: The answer in words for a marketer.
        reason: Why it can't be told; empty otherwise.
    """

    visitors: int
    p_value: float | None
    flagged: bool | None
    seen: Mapping[str, int]
    expected: Mapping[str, float]
    sentence: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuardrailReport:
    """What one line does to one guard metric.

    Attributes:
        exposures: Visitors who saw the line.
        events: Visitors of these who unsubscribed, gave back, clicked or ordered; for money, whose
            orders came to anything.
        harm: How much worse than the control's, per 1,000 visitors; above 0 is worse.
        harmful: Whether that is proven to be more than is tolerated.
    """

    metric: GuardMetric
    tolerated: float
    arm_id: str
    text: str
    exposures: int
    events: int
    harm: Estimate
    harmful: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Maturity:
    """How many orders are still to come from the visitors so far.

    Attributes:
        open: Visitors who saw a line and whose order window is still open.
        to_come: Visitors of these who will still order, with an interval for this look.
        sentence: The same in words for a marketer.
    """

    open: int
    to_come: Estimate
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """How long an experiment must go on, if its lines stay where they are.

    Attributes:
        visitors: Visitors still needed; 0 where only windows must close.
        days: Days that takes at the traffic so far.
    """

    visitors: int
    days: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class ExperimentReport:
    """One experiment's answer.

    Attributes:
        verdict: `ship`, `stop`, `keep running` or `too early`; `paused` or `concluded` in place of
            the last two where it no longer runs; `shipped` once a line is; and `check the traffic`
            in place of any, where the split is flagged.
        sentence: The answer and the reason for it in words for a marketer.
        split: Whether lines were seen as often as they were drawn.
        winner: Arm id of the line to ship; None while there is none.
        rule: When to ship, when to stop.
        unit: What `worth` is counted in: the currency, or `clicks` or `orders`.
        worth: What Hookline's choices bring beyond the control for all, per 1,000 visitors; None
            where nothing was computed.
        extra: Metric → the same in clicks, orders and money as they were counted.
        wait: How long until the rule is likely to decide; None where it can't be told, or need not.
        guardrails: What every line does to every guard metric of the rule.
        maturity: How many orders are still to come.
        shipped: Arm id of the line that was shipped; empty while none is.
        lift: Metric → relative lift of Hookline's choices over the control for all.
        gain: Metric → what that was worth so far: extra clicks, orders, money over the visitors
            who were not held out.
        cost: `writing_usd`, what the lines in this test cost to write, and `exploration_clicks`,
            clicks not had because some visitors were held out or given a random arm; None where
            unknown.
        elements: What each creative attribute does for whom: for all visitors every level, for
            single audiences those that can be told.
    """

    id: str
    name: str
    product_id: str
    channel_id: str
    policy: str
    status: ExperimentStatus
    objective: Metric
    currency: str
    visitors: int
    exposures: int
    clicks: int
    orders: int
    revenue: float
    arms: tuple[ArmReport, ...]
    audiences: tuple[AudienceReport, ...]
    allocation: tuple[AllocationPoint, ...]
    lift: Mapping[str, Estimate]
    gain: Mapping[str, Estimate]
    cost: Mapping[str, float | None]
    verdict: str
    winner: str | None
    sentence: str
    split: Split
    elements: tuple[ElementReport, ...] = ()
    rule: Rule = field(default_factory=Rule)
    unit: str = ""
    worth: Estimate | None = None
    extra: Mapping[str, Estimate] = field(default_factory=dict[str, Estimate])
    wait: Wait | None = None
    guardrails: tuple[GuardrailReport, ...] = ()
    maturity: Maturity | None = None
    shipped: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All experiments, and what they come to together.

    Attributes:
        lift: Metric → relative lift over the control, all experiments pooled by visitor.
        gain: Metric → extra clicks, orders and money, summed.
        totals: Counters by name.
        elements: Channel id → what each creative attribute does, over all its experiments with
            the same objective; the objective most of them have.
    """

    at: datetime
    experiments: tuple[ExperimentReport, ...]
    lift: Mapping[str, Estimate]
    gain: Mapping[str, Estimate]
    totals: Mapping[str, int | float]
    elements: Mapping[str, tuple[ElementReport, ...]] = field(
        default_factory=dict[str, tuple[ElementReport, ...]]
    )
