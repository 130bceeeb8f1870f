"""What crosses the HTTP API beside the records of `types`: requests and their answers.

The service and the client share these, so they can't drift apart; importing them is cheap.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from hookline.errors import BadInput
from hookline.types import (
    MAX_ID,
    Arm,
    Context,
    Copy,
    CopyStatus,
    Estimate,
    Experiment,
    ExperimentStatus,
    FrontPoint,
    Metric,
    RejectedRow,
    Rule,
    Tally,
    Trait,
    Unit,
)

MAX_TEXT = 500
"""Most characters kept of a referrer or a search query; the rest is cut off."""
MAX_POSITION = 1_000_000
"""Most pages of a visit that are told apart."""


def column_field(pair: str) -> tuple[str, str]:
    """A feed's column and the field of `Product` it is, from `column=field`.

    Raises:
        BadInput: Where the text is none of the kind.
    """
    column, sign, field_name = pair.rpartition("=")
    if not (sign and column and field_name):
        raise BadInput(f"a mapping must be column=field, not {pair!r}")
    return column, field_name


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyOrder:
    """What copy is wanted: `variants` for each channel × audience of one product.

    Attributes:
        brand: Id of the brand kit.
        writer: Registered name; empty for the default.
        creativity: Dial to choose with, from the most promising copies (0) to the most varied (1);
            None for that of the settings, `auto` for what earlier slates and their outcomes make
            worth trying next.
    """

    product_id: str
    channels: list[str]
    audiences: list[str]
    brand: str
    variants: int = 2
    seed: int = 0
    writer: str = ""
    creativity: float | Literal["auto"] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AddLine:
    """A human line; without `parts`, the shop's own words from the feed."""

    product_id: str
    channel: str
    brand: str
    parts: dict[str, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """A human's word on copies."""

    copy_ids: list[str]
    status: CopyStatus
    by: str
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewExperiment:
    """An experiment over approved copies; see `Experiment` for the fields."""

    id: str
    name: str
    product_id: str
    channel: str
    control: str
    copies: list[str]
    audiences: list[str] = field(default_factory=list[str])
    policy: str = "horizon_thompson"
    policy_params: dict[str, float] = field(default_factory=dict[str, float])
    objective: Metric = "clicks"
    holdout: float = 0.1
    uniform: float = 0.1
    seed: int = 0
    click_hours: float = 24.0
    order_hours: float = 72.0
    horizon: int = 10_000
    currency: str = "USD"
    unit: Unit = "visitor"
    rule: Rule = field(default_factory=Rule)

    def experiment(self) -> Experiment:
        """The draft, still without arms."""
        return Experiment(
            id=self.id,
            name=self.name,
            product_id=self.product_id,
            channel_id=self.channel,
            arms=(),
            policy=self.policy,
            policy_params=self.policy_params,
            objective=self.objective,
            holdout=self.holdout,
            uniform=self.uniform,
            seed=self.seed,
            click_hours=self.click_hours,
            order_hours=self.order_hours,
            horizon=self.horizon,
            currency=self.currency,
            unit=self.unit,
            rule=self.rule,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRule:
    """When to ship and when to stop; see `Rule` for the fields."""

    rule: Rule
    by: str = "api"


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A step in an experiment's life."""

    to: ExperimentStatus
    by: str = "api"


@dataclass(frozen=True, kw_only=True, slots=True)
class Retire:
    """Lines to take out of an experiment, and why."""

    lines: list[str]
    by: str = "api"
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ship:
    """The line that everybody is to get; empty for the one that the report says to ship."""

    line: str = ""
    by: str = "api"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCandidate:
    """A policy to try beside an experiment's own; see `Candidate` for the fields.

    Naming the present candidate again changes its share only.
    """

    policy: str
    params: dict[str, float] = field(default_factory=dict[str, float])
    share: float = 0.0
    by: str = "api"


@dataclass(frozen=True, kw_only=True, slots=True)
class By:
    """Who does it, for the audit trail."""

    by: str = "api"


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What a decision is worth under an experiment's policy and under its candidate.

    It rests on decisions that both had a word on beforehand, whose copy was shown, and whose window
    has closed: `n` of the estimates.

    Attributes:
        policy: Registered name of the policy the experiment runs under.
        candidate: Registered name of its candidate's.
        share: Share of the policy's traffic that the candidate decides now.
        former: Whether the candidate is the policy before the last promotion.
        metric: What value is counted in: the experiment's objective.
        policy_value: Value per decision if the policy made all of them.
        candidate_value: Value per decision if the candidate did.
        lift: Relative lift of the candidate over the policy (.1 is +10 %).
    """

    experiment_id: str
    policy: str
    candidate: str
    share: float
    former: bool
    metric: Metric
    policy_value: Estimate
    candidate_value: Estimate
    lift: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Forget:
    """Erase what is remembered of a visitor."""

    visitor_id: str
    by: str = "api"


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgot:
    """What became of it.

    Attributes:
        kept_rows: Rows about the visitor that the log still has: the log is never rewritten.
    """

    visitor_id: str
    kept_rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """Ask which copy a visitor gets; see `Context` for the fields."""

    experiment: str
    visitor_id: str
    traits: dict[str, Trait] = field(default_factory=dict[str, Trait])
    device: str = ""
    visit_id: str = ""
    referrer: str = ""
    query: str = ""
    position: int = 0

    def context(self, at: datetime) -> Context:
        """Who is asking, as the policy sees it.

        Raises:
            BadInput: Where visitor or visit has no usable id: one for all would be one decision.
        """
        if not 0 < len(self.visitor_id) <= MAX_ID:
            raise BadInput(f"visitor_id must have 1 to {MAX_ID} characters")
        if len(self.visit_id) > MAX_ID:
            raise BadInput(f"visit_id must have at most {MAX_ID} characters")
        return Context(
            visitor_id=self.visitor_id,
            at=at,
            traits=self.traits,
            device=self.device,
            visit_id=self.visit_id,
            referrer=self.referrer[:MAX_TEXT],
            query=self.query[:MAX_TEXT],
            position=min(max(self.position, 0), MAX_POSITION),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AskBatch:
    """Ask for many visitors at once, as for a mailing; answered in the same order."""

    asks: list[Ask]


@dataclass(frozen=True, kw_only=True, slots=True)
class EventBatch:
    """Segment's batch call."""

    batch: list[dict[str, object]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What became of a feed.

    Attributes:
        mapping: Column of the feed → field of `Product`, as guessed.
        unmapped: Columns nothing was read from.
        rows: Rows in the feed: products + merged + rejected.
        merged: Rows that became part of another row's product, as variants do.
        rejected: Rows that became nothing, with the reason.
        quarantined: Copy that quotes what the feed no longer says, with the reasons in its note;
            it is shown to nobody until a person approves it again.
    """

    format: str
    rows: int
    products: int
    merged: int
    mapping: Mapping[str, str]
    unmapped: tuple[str, ...]
    rejected: tuple[RejectedRow, ...]
    quarantined: tuple[Copy, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Learned:
    """The snapshot that is served from now on."""

    snapshot: str
    log_seq: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """The answer to a decision request.

    Attributes:
        decision_id: To send back with events; empty where the decision is not counted.
        token: The signed decision, to send back with the impression; empty likewise.
    """

    decision_id: str
    experiment_id: str
    arm: Arm
    reason: str
    propensity: float
    token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """An event that could not be used; it is kept with the reason."""

    message_id: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What became of a batch of events; all of it is on disk.

    Attributes:
        stored: Events new to the log.
        duplicates: Events whose message id the log had.
        restored: Decisions that came back with a token before the log had them.
        set_aside: Events that could not be used.
    """

    stored: int
    duplicates: int
    restored: int
    set_aside: tuple[Refusal, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unused:
    """What came in and did not count.

    Attributes:
        set_aside: Events that could not be used, with the reason.
        ignored: Reason → number of sound events that changed nothing, as an order in another
            currency or a click after its window.
    """

    set_aside: tuple[Refusal, ...]
    ignored: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What came of an order for copy.

    Attributes:
        kept: Copies that wait for approval.
        rejected: Copies that guards objected to, with their verdicts.
        shortfall: A sentence for every brief that got fewer copies than were wanted.
        notes: A sentence for every brief that another writer filled, and why.
        left: Ids of briefs that the writer was not asked for, or not again, for lack of budget.
        writers: Writer's name → what it did and cost.
        front: What other dials would have made of the drafts that passed; empty where nothing
            promised more than another, or nothing was to choose.
        creativity: Dial that the copies were chosen with.
        cost_usd: What all drafts cost, in US dollars.
    """

    kept: tuple[Copy, ...]
    rejected: tuple[Copy, ...]
    shortfall: tuple[str, ...]
    notes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    writers: Mapping[str, Tally] = field(default_factory=dict[str, Tally])
    front: tuple[FrontPoint, ...] = ()
    creativity: float | None = None
    cost_usd: float = 0.0
