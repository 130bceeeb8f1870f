"""The records that travel through the loop, in the order in which they are made.

    Product Brand Audience Channel Attributes Brief → Draft → Copy Verdict → Arm Experiment
    → Episode Context Decision → Event Outcome → Snapshot → Report

Every record is a frozen, keyword-only dataclass of JSON-able fields. Ids and UTC times are given
in, never made here. `dumps` and `loads` are the one way to JSON and back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import msgspec

T = TypeVar("T")

MAX_ID = 200
"""Most characters of an id that comes from outside."""

Trait = str | float | bool | list[str]
"""One thing known about a visitor: a category, a number, a flag or a set of categories."""


# --- what is sold, by whom, to whom, where -----------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Money:
    """An amount in one currency.

    Attributes:
        amount: Exact decimal amount in units of the currency, not cents.
        currency: ISO 4217 code, for example `USD`.
    """

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:.2f} {self.currency}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """One product as its feed describes it. Copy may claim what stands here and nothing else.

    Attributes:
        id: The shop's own id (Google Merchant `id`, Shopify handle or SKU).
        title: The product's name, plain text.
        description: Plain text, markup removed.
        brand: Maker or vendor, may be empty.
        category: Path from broad to narrow, joined by " > ".
        price: Regular price, None where the feed has none.
        sale_price: Reduced price, None where there is no sale.
        availability: `in_stock`, `out_of_stock`, `preorder`, `backorder` or empty if unknown.
        link: Address of the product page.
        image_link: Address of the main image.
        group_id: Joins the variants of one product; empty for a product with no variants.
        facts: Named attributes, for example `{"material": "Nylon"}`.
        highlights: Short selling points the feed itself gives.
        locale: BCP 47 tag of the texts.
    """

    id: str
    title: str
    description: str = ""
    brand: str = ""
    category: str = ""
    price: Money | None = None
    sale_price: Money | None = None
    availability: str = ""
    link: str = ""
    image_link: str = ""
    group_id: str = ""
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    highlights: tuple[str, ...] = ()
    locale: str = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedRow:
    """A row of a feed that did not become a product.

    Attributes:
        row: 1-based row (line or item) number in the file, header included for tables.
        reason: What is wrong with it, in words.
    """

    row: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Brand:
    """The brand kit: what copy must sound like and must not say.

    Attributes:
        id: Short name.
        name: The name customers know.
        voice: Words that describe the voice, for example `("warm", "plain")`.
        banned_terms: Words or phrases that never appear, compared without case, whole words; at
            most 25, as Google Ads has it.
        glossary: Wrong spelling → right spelling of terms the brand cares for.
        disclaimers: Trigger word → sentence that must stand in the same copy.
        restrictions: Message restrictions, in words, for writers and human reviewers; at most 40.
            Those that can be checked without judgement are, see docs/guards.md.
        max_exclamations: Most exclamation marks in one copy.
        emoji: Whether emoji may be used.
        min_ease: Least reading ease of copy, 0 to 100 as Flesch counts it; None for no limit.
        locale: BCP 47 tag of the language copy is written in.
    """

    id: str
    name: str
    voice: tuple[str, ...] = ()
    banned_terms: tuple[str, ...] = ()
    glossary: Mapping[str, str] = field(default_factory=dict[str, str])
    disclaimers: Mapping[str, str] = field(default_factory=dict[str, str])
    restrictions: tuple[str, ...] = ()
    max_exclamations: int = 1
    emoji: bool = False
    min_ease: float | None = None
    locale: str = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """A group of visitors that copy is written for.

    Attributes:
        id: Short name.
        name: Name in the report.
        persona: Who they are and what they want, one or two sentences, for writers.
        motives: What moves them, strongest first, for example `("value", "durability")`.
        when: Trait → values; a visitor belongs if every named trait has one of its values. The
            first audience that fits wins; one with an empty `when` takes everybody.
    """

    id: str
    name: str
    persona: str = ""
    motives: tuple[str, ...] = ()
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One text field of a channel.

    Attributes:
        name: Field name, for example `subject`.
        max_graphemes: Most user-perceived characters.
        max_units: Most code units in the channel's own encoding, None where graphemes decide.
        min_graphemes: Fewest user-perceived characters.
        role: What the field is for: `hook`, `support` or `cta`.
    """

    name: str
    max_graphemes: int
    max_units: int | None = None
    min_graphemes: int = 1
    role: Literal["hook", "support", "cta"] = "hook"


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A place where copy is shown, with its limits.

    Attributes:
        id: Registered name.
        name: Name in the report.
        fields: The text fields, in the order in which a reader meets them.
        units: How `max_units` counts: UTF-16 code units, GSM-7 septets (UCS-2 where a character
            is outside GSM-7), or columns with double-width characters as two.
    """

    id: str
    name: str
    fields: tuple[Field, ...]
    units: Literal["utf16", "gsm7", "columns"] = "utf16"


# --- what is to be written ---------------------------------------------------------------------

Angle = Literal[
    "benefit", "feature", "problem", "curiosity", "value", "quality",
    "occasion", "ease", "style", "identity", "howto", "direct",
]  # fmt: skip
"""The idea a line of copy turns on."""
Tone = Literal["plain", "warm", "playful", "bold", "expert", "calm"]
"""How it sounds."""
CtaStyle = Literal["shop", "discover", "choose", "get", "see", "learn", "treat", "none"]
"""The verb family of its call to action."""
Proof = Literal["none", "spec", "price", "brand"]
"""What backs it: nothing, a specification, the price, or the maker's name."""
Urgency = Literal["none", "soft"]
"""Whether it presses: not at all, or softly, without a date or a stock count."""
Length = Literal["short", "full"]
"""Whether it uses about half of the room or most of it."""


ATTRIBUTE_LEVELS: Mapping[str, tuple[str, ...]] = {
    "angle": get_args(Angle),
    "tone": get_args(Tone),
    "cta": get_args(CtaStyle),
    "proof": get_args(Proof),
    "urgency": get_args(Urgency),
    "length": get_args(Length),
}
"""Creative attribute → its levels, in the order of the fields of `Attributes`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attributes:
    """The creative attributes that a copy is asked to have; they are arm features later."""

    angle: Angle = "benefit"
    tone: Tone = "plain"
    cta: CtaStyle = "shop"
    proof: Proof = "none"
    urgency: Urgency = "none"
    length: Length = "full"


@dataclass(frozen=True, kw_only=True, slots=True)
class Brief:
    """Everything a writer may know: product × audience × channel × attributes, self-contained.

    Attributes:
        id: Content hash of the rest.
        lessons: What worked for this audience before, in words.
        locale: BCP 47 tag of the language to write.
        sentiment: How the copy is to feel, from -1 (bleak) to 1 (delighted), as
            `sentiment.score` counts it; None where nothing is asked.
    """

    id: str
    product: Product
    audience: Audience
    channel: Channel
    brand: Brand
    attributes: Attributes
    lessons: tuple[str, ...] = ()
    locale: str = "en"
    sentiment: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What a writer returns for a brief, before any guard has seen it.

    Attributes:
        parts: Channel field name → text.
        writer: Registered name of the writer that in fact wrote it.
        prompt: Version (content hash) of the prompt or phrase bank used.
        seed: Seed it was written with.
        tokens_in: Prompt tokens, 0 for writers that use none.
        tokens_out: Completion tokens.
        cost_usd: Price of writing it.
        note: Why another writer than the one asked for wrote it, or that it cost nothing since
            its answer had been kept; empty otherwise.
    """

    parts: Mapping[str, str]
    writer: str
    prompt: str
    seed: int
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What one guard says of one copy.

    Attributes:
        guard: Registered name of the guard.
        ok: Whether the copy passes.
        code: Stable machine-readable code, for example `limits.too_long`; `ok` if it passes.
        reason: One sentence that a marketer understands; empty if it passes.
        part: Field the verdict is about; empty if it is about the whole copy.
    """

    guard: str
    ok: bool
    code: str = "ok"
    reason: str = ""
    part: str = ""


CopyStatus = Literal["draft", "approved", "quarantined", "rejected", "retired"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """One piece of copy with where it came from and what was said about it.

    Attributes:
        id: Content hash of channel, product and parts.
        parts: Channel field name → text.
        audience_id: Audience it was written for; empty for all.
        attributes: What was asked for; None for human lines.
        brief_id: Brief it answers; empty for human lines.
        brand_id: Brand kit it was checked against; empty where that was not noted.
        writer: `human` or a registered writer.
        prompt: Version of the prompt or phrase bank.
        creativity: Dial of the slate it was chosen for, 0 to 1; None where it was not chosen.
        status: Where it stands; only approved copy can become an arm. `quarantined` is copy that
            quotes what its product's feed no longer says, until a person decides.
        verdicts: Every guard's last word on it.
        reviewed_by: Who approved, rejected or quarantined it; `guards` where a guard did.
        note: Reviewer's remark, why it was quarantined, or why another writer than the one asked
            for wrote it.
    """

    id: str
    product_id: str
    channel_id: str
    parts: Mapping[str, str]
    audience_id: str = ""
    attributes: Attributes | None = None
    brief_id: str = ""
    brand_id: str = ""
    writer: str = "human"
    prompt: str = ""
    seed: int = 0
    creativity: float | None = None
    cost_usd: float = 0.0
    status: CopyStatus = "draft"
    verdicts: tuple[Verdict, ...] = ()
    created_at: datetime
    reviewed_by: str = ""
    note: str = ""

    @property
    def text(self) -> str:
        """All parts as one line, in field order."""
        return " | ".join(self.parts.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What one writer did in a run, and what it cost.

    Attributes:
        requests: How often it was asked.
        failures: How often it gave up.
        drafts: Drafts it wrote, those that guards rejected included.
        kept: Copies of it in the slate.
        tokens_in: Prompt tokens of these drafts.
        tokens_out: Completion tokens of these drafts.
        cost_usd: Price of these drafts, in US dollars. What a failed request cost is not known
            here; a writer's own cost cap counts it.
    """

    requests: int = 0
    failures: int = 0
    drafts: int = 0
    kept: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontPoint:
    """What slates chosen at one dial come to, on average.

    Attributes:
        creativity: The dial, 0 to 1.
        diversity: `diversity.off_diagonal` of a slate.
        lift: Its mean expected click rate over that of its whole pool (.1 is +10 %).
        efficient: Whether no other dial of the same front gives more of both.
    """

    creativity: float
    diversity: float
    lift: float
    efficient: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """What came of one order for copy, in short: for whoever reviews it.

    Attributes:
        writer: Registered name of the writer that was asked.
        creativity: Dial that the copies were chosen with, 0 to 1.
        kept: Ids of the copies to review.
        rejected: Number of drafts that guards rejected.
        shortfall: A sentence for every brief that got fewer copies than were wanted.
        notes: A sentence for every brief that another writer filled, and why.
        left: Number of briefs that the writer was not asked for, or not again, for lack of budget.
        writers: Writer's name → what it did and cost.
        front: What other dials would have made of the drafts that passed; may be empty.
    """

    at: datetime
    by: str
    product_id: str
    writer: str
    creativity: float
    kept: tuple[str, ...]
    rejected: int = 0
    shortfall: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    left: int = 0
    writers: Mapping[str, Tally] = field(default_factory=dict[str, Tally])
    front: tuple[FrontPoint, ...] = ()

    @property
    def cost_usd(self) -> float:
        """What all drafts cost, in US dollars."""
        return sum(tally.cost_usd for tally in self.writers.values())


# --- what is tested ----------------------------------------------------------------------------


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


# --- what came of it ---------------------------------------------------------------------------

EventKind = Literal["impression", "click", "order", "refund", "unsubscribe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something a visitor did, in the Segment shape, checked.

    Attributes:
        message_id: The sender's unique id; a second event with the same one is dropped.
        kind: What happened, from the Segment or GA4 event name.
        visitor_id: `userId`, or `anonymousId` where there is none.
        at: UTC time it happened.
        decision_id: Decision it belongs to; empty if it must be found by visitor.
        order_id: For orders and refunds.
        revenue: For orders and refunds; amount in `currency`, never negative.
    """

    message_id: str
    kind: EventKind
    visitor_id: str
    at: datetime
    decision_id: str = ""
    order_id: str = ""
    revenue: float = 0.0
    currency: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What has come of one decision so far.

    Attributes:
        exposed: Whether the copy was in fact shown.
        clicks: Number of clicks.
        orders: Number of orders.
        revenue: Money of these orders less refunds; can fall below 0 only by currency noise.
        refunds: Money given back.
        ordered_after: Hours from the decision to the first order, at least 0; None without one.
        click_settled: Whether the click window has closed.
        order_settled: Whether the order window has closed.
    """

    decision: Decision
    exposed: bool = False
    clicks: int = 0
    orders: int = 0
    revenue: float = 0.0
    refunds: float = 0.0
    unsubscribed: bool = False
    ordered_after: float | None = None
    click_settled: bool = False
    order_settled: bool = False

    def value(self, metric: Metric) -> float:
        """The outcome under one metric: clicked 0/1, ordered 0/1, or money."""
        if metric == "clicks":
            return float(self.clicks > 0)
        if metric == "orders":
            return float(self.orders > 0)
        return self.revenue


LogKind = Literal["action", "decision", "event"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LogRow:
    """One line of the log, which is the truth.

    Attributes:
        seq: Position, from 1, without gaps in meaning but maybe in number; 0 before it is stored.
        kind: `action` (somebody changed something), `decision` or `event`.
        id: Unique within its kind: a decision id, a message id, an action id.
        at: UTC time the row was made.
        visitor_id: Whom it is about; empty for actions.
        body: The record as JSON bytes: `Action`, `Decision` or `Event`.
    """

    seq: int = 0
    kind: LogKind
    id: str
    at: datetime
    visitor_id: str = ""
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """Somebody or something changed the state: the audit trail.

    Attributes:
        verb: For example `import`, `approved`, `running`.
        subject: Id of what was changed.
        by: Who did it.
        note: Why, or with what result.
        experiment: The experiment as it is after the change, where the change is about one.
    """

    verb: str
    subject: str
    by: str
    note: str = ""
    experiment: Experiment | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """All that was learned from the log up to one row.

    Attributes:
        version: Content hash of `log_seq` and `states`.
        log_seq: Last log row it has learned from.
        at: Newest time of any row up to that one.
        states: Experiment id → its policy's state as JSON text; `<experiment id>/candidate` → that
            of its candidate.
    """

    version: str
    log_seq: int
    at: datetime
    states: Mapping[str, str]


# --- what it was worth -------------------------------------------------------------------------


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


# --- JSON --------------------------------------------------------------------------------------


def dumps(record: object) -> bytes:
    """The record as compact JSON, fields and keys in their own order.

    Examples:
        >>> dumps(Money(amount=Decimal("9.50"), currency="USD"))
        b'{"amount":"9.50","currency":"USD"}'
    """
    return msgspec.json.encode(record)


def loads(data: bytes | str, kind: type[T]) -> T:
    """The record of type `kind` that `data` holds.

    Raises:
        msgspec.ValidationError: Where the data does not fit the record.
    """
    return msgspec.json.decode(data, type=kind)


def as_json(record: object) -> Any:  # noqa: ANN401 - any JSON value, for json.dump and pydantic
    """The record as plain dicts, lists, strings and numbers."""
    return msgspec.to_builtins(record)


def content_hash(*parts: object, size: int = 10) -> str:
    """A short stable hex id of the parts' JSON with sorted keys: the same parts, the same id.

    Args:
        parts: JSON-able values.
        size: Bytes of hash; the id has twice as many characters.

    Examples:
        >>> content_hash("a", 1) == content_hash("a", 1)
        True
        >>> len(content_hash("a"))
        20
    """
    data = msgspec.json.encode(parts, order="sorted")
    return blake2b(data, digest_size=size).hexdigest()
