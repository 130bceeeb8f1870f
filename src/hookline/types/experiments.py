"""What is tested, on whom, and every decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from hookline.types.catalog import Audience, Trait
from hookline.types.copies import Attributes


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """What is expected of a line before anybody saw it, relative to its test.

    Attributes:
        mean: Log of its expected rate over that of a typical line of the test.
        sd: How far the true log ratio may lie from it; above 0. Its inverse square is a number of
            pseudo-clicks.
    """

    mean: float
    sd: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One copy in one experiment.

    Attributes:
        id: The copy's id.
        text: The copy in one line.
        parts: Channel field name → text.
        attributes: Creative attributes, None for a human line.
        audience_id: Audience it was written for; empty for all.
        control: Whether it is the human control line. Exactly one arm of an experiment is.
        active: Whether it may still be served.
        held: Whether it is out for as long as its copy is quarantined, and no longer.
        forecast: What was expected of it when the experiment was made; None if nothing.
        embedding: Its text as a vector of up to 64 numbers of about unit length, computed when
            the experiment was made; empty if it was not.
    """

    id: str
    text: str
    parts: Mapping[str, str]
    attributes: Attributes | None = None
    audience_id: str = ""
    control: bool = False
    active: bool = True
    held: bool = False
    forecast: Forecast | None = None
    embedding: tuple[float, ...] = ()


ExperimentStatus = Literal["draft", "review", "running", "paused", "concluded"]
Metric = Literal["clicks", "orders", "revenue"]
METRICS: tuple[Metric, ...] = ("clicks", "orders", "revenue")
"""What is counted per exposed visitor: clicked or not, ordered or not, money net of refunds."""


Unit = Literal["visitor", "visit"]
"""What a decision is made for: a visitor once and for all, or each visit."""


GuardMetric = Literal["unsubscribes", "refunds", "clicks", "orders", "revenue"]
"""What a test may be watched for: visitors who left the list, who gave an order back, who clicked,
who ordered, or money."""
COSTS: tuple[GuardMetric, ...] = ("unsubscribes", "refunds")
"""Guard metrics of which more is worse; of the others, less is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Guardrail:
    """A metric that no line may harm, whatever it does for the objective.

    Attributes:
        metric: What is watched.
        tolerated: Harm per 1,000 visitors that is put up with, at least 0: so many unsubscribes or
            refunds more than the control's, so many clicks, orders or so much money less.
    """

    metric: GuardMetric
    tolerated: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What the marketer decides before the start: when to ship, when to stop.

    All gains are counted per 1,000 visitors: in money where the objective is money or `value` says
    what a click or order is worth, else in clicks or orders.

    Attributes:
        worthwhile: Smallest gain per 1,000 visitors over the control that is worth a change of
            copy, at least 0; 0 takes any.
        value: Money that one click or order is worth, or the share kept of the money where that is
            the objective; above 0. None says nothing: clicks and orders are then counted as such.
        risk: Chance of error of everything the verdict rests on, at all looks together, above 0
            and at most .5.
        guardrails: Metrics that no line may harm; one that is proven to is served no more.
    """

    worthwhile: float = 0.0
    value: float | None = None
    risk: float = 0.05
    guardrails: tuple[Guardrail, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A policy on trial beside the one that an experiment runs under.

    It learns from the whole log of the experiment, also from what happened before it was named.

    Attributes:
        policy: Registered name of the policy.
        params: Its constructor's keyword arguments.
        share: Share of the policy's traffic that it decides: 0 lets it only watch (shadow), up to
            .5 lets it serve (canary).
        former: Whether it is what the experiment ran under before its last promotion, and so what
            a rollback goes back to.
    """

    policy: str
    params: Mapping[str, float] = field(default_factory=dict[str, float])
    share: float = 0.0
    former: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """A test of several copies of one product on one channel.

    Attributes:
        id: Short name.
        arms: The control and its challengers; at least two.
        audiences: Audiences visitors are sorted into, in order of precedence.
        policy: Registered name of the policy.
        policy_params: Its constructor's keyword arguments.
        objective: Metric that the policy learns to raise.
        holdout: Share of visitors who always get the control, 0 to .5.
        uniform: Share of visitors who get every arm equally often, 0 to 1.
        seed: Seed of every draw.
        click_hours: A decision's click is settled this many hours after it.
        order_hours: Its orders are settled this many hours after it.
        horizon: Visitors the test is planned for; tunes intervals and horizon-aware policies.
        currency: ISO 4217 code that revenue is counted in.
        started_at: When it first ran; None before.
        unit: Whether a visitor keeps one copy for good, or is decided for anew on every visit.
        candidate: Another policy that is tried beside the experiment's own; None if none is.
        encoder: Name and version of the encoder that all arms' embeddings come from; empty where
            they have none.
        rule: When to ship, when to stop; fixed once it runs.
        shipped: Arm that everybody gets now, the hold-out excepted while it runs; empty for none.
        stand_in: What is shown instead of the control while that is quarantined, uncounted; None
            while it is not.
    """

    id: str
    name: str
    product_id: str
    channel_id: str
    arms: tuple[Arm, ...]
    audiences: tuple[Audience, ...] = ()
    policy: str = "horizon_thompson"
    policy_params: Mapping[str, float] = field(default_factory=dict[str, float])
    objective: Metric = "clicks"
    holdout: float = 0.1
    uniform: float = 0.1
    seed: int = 0
    click_hours: float = 24.0
    order_hours: float = 72.0
    horizon: int = 10_000
    currency: str = "USD"
    status: ExperimentStatus = "draft"
    started_at: datetime | None = None
    unit: Unit = "visitor"
    candidate: Candidate | None = None
    encoder: str = ""
    rule: Rule = field(default_factory=Rule)
    shipped: str = ""
    stand_in: Arm | None = None

    @property
    def control(self) -> Arm:
        """The human control line."""
        return next(arm for arm in self.arms if arm.control)

    @property
    def safe_arm(self) -> Arm:
        """What everybody gets who is not part of the test: the control, or what stands in."""
        return self.stand_in or self.control

    @property
    def challengers(self) -> tuple[Arm, ...]:
        """The arms that are not the control and may still be served."""
        return tuple(arm for arm in self.arms if arm.active and not arm.control)

    @property
    def shipped_arm(self) -> Arm | None:
        """The arm that everybody is to get; None where none is shipped, or it was taken out."""
        return next((arm for arm in self.challengers if arm.id == self.shipped), None)


class Episode(NamedTuple):
    """A copy that the visitor was shown before, as far as it was known at a later request.

    Attributes:
        hours: Hours between the two, at least 0.
        arm_id: The copy.
        cell: Its creative attributes as one number (`perceive.cell_of`); -1 for a human line.
        surprise: How much better it was received than that copy is by most, as the score
            (reward - usual) · usual / variance; None while not settled.
    """

    hours: float
    arm_id: str
    cell: int
    surprise: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Who is asking, and from where.

    Attributes:
        visitor_id: The shop's stable id of the visitor.
        traits: What is known about the visitor.
        device: For example `mobile`; empty if unknown.
        at: UTC time of the request.
        visit_id: The shop's id of this visit or message; tells two visits of one visitor apart
            where an experiment decides anew on every visit. Empty if unknown.
        referrer: Where the visitor came from, for example `search`; empty if unknown.
        query: What the visitor searched for; empty if nothing.
        position: How many pages of this visit came before; 0 if unknown.
        past: What the visitor was shown before, oldest first; filled in from memory, never by
            the caller.
    """

    visitor_id: str
    at: datetime
    traits: Mapping[str, Trait] = field(default_factory=dict[str, Trait])
    device: str = ""
    visit_id: str = ""
    referrer: str = ""
    query: str = ""
    position: int = 0
    past: tuple[Episode, ...] = ()


Slice = Literal["holdout", "uniform", "policy", "fallback", "shipped"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shadow:
    """What the candidate would have done with one decision, noted before anything came of it.

    Attributes:
        policy: Registered name of the candidate's policy.
        pair: Which two policies stood beside each other, parameters included: a content hash.
        share: Share of the policy's traffic that the candidate decided then.
        probabilities: Arm id → the candidate's own probability; the policy's where it faulted.
    """

    policy: str
    pair: str
    share: float
    probabilities: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Which arm a visitor gets, how likely that was, and why.

    Attributes:
        id: Hash of experiment and visitor, and of the visit where each is decided for anew: asking
            again gives the same decision.
        arm_id: The arm served.
        propensity: Exact probability with which `arm_id` was drawn, all slices taken together.
        probabilities: Arm id → that probability, for every arm that could be drawn; sums to 1.
        slice: Which part of the traffic the visitor fell into; `shipped` for everybody, the
            hold-out too, as long as one arm is shipped.
        reason: Why, as a code: `policy`, `holdout`, `uniform`, `candidate`, `no_policy`,
            `not_running`, `policy_fault`, `candidate_fault`, `shipped`, ...
        audience_id: Audience the visitor was sorted into; empty if none fits.
        policy: Registered name of the policy.
        snapshot: Version of the snapshot the probabilities come from; empty before the first.
        shadow: What the experiment's candidate would have done; None where there was none.
    """

    id: str
    experiment_id: str
    arm_id: str
    propensity: float
    probabilities: Mapping[str, float]
    slice: Slice
    reason: str
    context: Context
    audience_id: str = ""
    policy: str = ""
    snapshot: str = ""
    shadow: Shadow | None = None
