"""What is to be written, and what was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from hookline.types.catalog import Audience, Brand, Channel, Product

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
