"""Briefs × writer → a slate of guarded copy, with what was rejected and what is missing.

Nothing passes from a writer to a shopper but through here: every draft goes past every guard, and
those that fail are kept with the reasons.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import regex
from rapidfuzz import fuzz

from hookline.brief import make_brief
from hookline.channels import count_graphemes, count_units
from hookline.errors import BadInput, WriterFailed
from hookline.guards import Guard, check_all
from hookline.guards.claims import Claims
from hookline.guards.duplicates import Duplicates
from hookline.types import (
    Attributes,
    Audience,
    Brand,
    Brief,
    Channel,
    Copy,
    Draft,
    Field,
    Product,
    content_hash,
)
from hookline.writers.base import Writer

OVERSAMPLE = 2
"""Drafts asked for per copy still missing, so that there is a choice."""
ROUNDS = 4
"""Most times that a writer is asked for one brief."""

_BUTTON = "Shop now"
# For fields that the product has no words of its own for. They claim nothing.
_PLAIN = ("See it in our shop", "Find the details and pictures on the product page", _BUTTON)
_UNSEEN = regex.compile(r"[\p{C}--[\u200c\u200d]]", regex.V1)
_SENTENCE_END = regex.compile(r"(?<=[.!?])\s+")
_LOOSE_END = regex.compile(
    r"(?:[\s,;:(/&+|–—-]+|\s(?:a|an|and|at|by|for|from|in|of|on|or|the|to|with))+$",
    regex.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Slate:
    """What came of a run.

    Attributes:
        kept: Copies that passed every guard, as drafts for review, in the order of the briefs.
        rejected: Copies that did not, with their verdicts.
        shortfall: A sentence for every brief that got fewer copies than were wanted.
    """

    kept: tuple[Copy, ...]
    rejected: tuple[Copy, ...]
    shortfall: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What came of one brief; `failure` is why the writer gave up, empty if it did not."""

    passing: Sequence[Copy]
    rejected: Sequence[Copy]
    failure: str


def generate(
    briefs: Sequence[Brief],
    writer: Writer,
    guards: Sequence[Guard],
    *,
    per_brief: int,
    seed: int,
    at: datetime,
    others: Sequence[str] = (),
) -> Slate:
    """`per_brief` guarded copies for every brief, as far as the writer gets there.

    Each brief is asked for up to `ROUNDS` times, `OVERSAMPLE` times as many drafts as are still
    missing and with a new seed each time; of those that pass, the ones least like each other are
    kept. A copy also stands beside those kept before for the same product and channel. A draft
    that repeats another word for word is left out without a verdict.

    Args:
        briefs: What to write.
        writer: Who writes.
        guards: Who checks.
        per_brief: Copies wanted for each brief, at least 1.
        seed: The same briefs, writer and seed give the same slate.
        at: UTC time of the run.
        others: Texts of live copy that the new copy stands beside.

    Raises:
        BadInput: Where `per_brief` is below 1.
    """
    if per_brief < 1:
        raise BadInput(f"per_brief must be at least 1, not {per_brief}")
    kept: list[Copy] = []
    rejected: list[Copy] = []
    shortfall: list[str] = []
    beside: dict[tuple[str, str], list[str]] = {}
    seen = {_wording(text) for text in others}
    for brief in briefs:
        siblings = beside.setdefault((brief.product.id, brief.channel.id), [])
        answer = _answer(
            brief,
            writer,
            guards,
            wanted=per_brief,
            seed=seed,
            at=at,
            beside=[*others, *siblings],
            seen=seen | {_wording(text) for text in siblings},
        )
        chosen = _most_different(answer.passing, per_brief)
        kept += chosen
        rejected += answer.rejected
        siblings += (copy.text for copy in chosen)
        if len(chosen) < per_brief:
            shortfall.append(_shortfall(brief, answer, per_brief))
    return Slate(kept=tuple(kept), rejected=tuple(rejected), shortfall=tuple(shortfall))


def human_copy(
    *,
    product: Product,
    channel: Channel,
    brand: Brand,
    audience: Audience,
    parts: Mapping[str, str],
    guards: Sequence[Guard],
    at: datetime,
) -> Copy:
    """A line that a person wrote, checked.

    It stays a draft whatever the guards say of its content: people decide that. What does not fit
    the channel is rejected, since it could not be shown.

    Args:
        product: What it is about.
        channel: Where it is to be shown.
        brand: The brand kit it is checked against.
        audience: Whom it is for.
        parts: Channel field name → text.
        guards: Who checks.
        at: UTC time.

    Raises:
        BadInput: Where the text holds half characters that no file could store.
    """
    if not _storable(parts):
        raise BadInput("the text holds half a character (a lone surrogate); type it again")
    brief = make_brief(
        product=product,
        audience=audience,
        channel=channel,
        brand=brand,
        attributes=Attributes(),
    )
    verdicts = check_all(guards, parts, brief)
    fits = all(verdict.ok for verdict in verdicts if verdict.guard == "limits")
    return Copy(
        id=_copy_id(brief, parts),
        product_id=product.id,
        channel_id=channel.id,
        parts=_in_field_order(parts, channel),
        audience_id=audience.id,
        verdicts=verdicts,
        status="draft" if fits else "rejected",
        reviewed_by="" if fits else "guards",
        created_at=at,
    )


# --- one brief ---------------------------------------------------------------------------------


def _answer(
    brief: Brief,
    writer: Writer,
    guards: Sequence[Guard],
    *,
    wanted: int,
    seed: int,
    at: datetime,
    beside: Sequence[str],
    seen: set[frozenset[str]],
) -> _Answer:
    """What the writer's drafts for one brief came to."""
    passing: list[Copy] = []
    rejected: list[Copy] = []
    for turn in range(ROUNDS):
        missing = wanted - len(passing)
        if missing < 1:
            break
        draft_seed = int(content_hash(seed, brief.id, turn, size=4), 16)
        try:
            drafts = writer.write(brief, missing * OVERSAMPLE, draft_seed)
        except WriterFailed as failure:
            return _Answer(passing=passing, rejected=rejected, failure=str(failure))
        for draft in drafts:
            wording = frozenset(draft.parts.values())
            if wording in seen or not _storable(draft.parts):
                continue
            seen.add(wording)
            copy = _judged(draft, brief, guards, [*beside, *(other.text for other in passing)], at)
            (passing if copy.status == "draft" else rejected).append(copy)
    return _Answer(passing=passing, rejected=rejected, failure="")


def _judged(
    draft: Draft, brief: Brief, guards: Sequence[Guard], beside: Sequence[str], at: datetime
) -> Copy:
    """The draft as a copy, with every guard's verdict on it."""
    parts = _in_field_order(draft.parts, brief.channel)
    verdicts = check_all(guards, parts, brief, beside)
    passes = all(verdict.ok for verdict in verdicts)
    return Copy(
        id=_copy_id(brief, parts),
        product_id=brief.product.id,
        channel_id=brief.channel.id,
        parts=parts,
        audience_id=brief.audience.id,
        attributes=brief.attributes,
        brief_id=brief.id,
        writer=draft.writer,
        prompt=draft.prompt,
        seed=draft.seed,
        cost_usd=draft.cost_usd,
        status="draft" if passes else "rejected",
        verdicts=verdicts,
        created_at=at,
        reviewed_by="" if passes else "guards",
        note=draft.note,
    )


def _most_different(copies: Sequence[Copy], count: int) -> list[Copy]:
    """The first copy, then each time the one least like those chosen; at most `count`."""
    chosen, left = list(copies[:1]), list(copies[1:])
    while left and len(chosen) < count:
        nearest = [max(fuzz.token_sort_ratio(c.text, d.text) for d in chosen) for c in left]
        chosen.append(left.pop(nearest.index(min(nearest))))
    return chosen


def _shortfall(brief: Brief, answer: _Answer, wanted: int) -> str:
    """What is missing for a brief and why, in words."""
    place = f"{brief.product.title} on {brief.channel.name} for {brief.audience.name}"
    got = f"{place}: {len(answer.passing)} of {wanted} copies."
    if answer.failure:
        return f"{got} The writer failed: {answer.failure}"
    faults = Counter(v.code for copy in answer.rejected for v in copy.verdicts if not v.ok)
    if not faults:
        return f"{got} The writer had nothing new to say."
    code, _ = faults.most_common(1)[0]
    return f"{got} {len(answer.rejected)} drafts were rejected, most often for {code}."


def _copy_id(brief: Brief, parts: Mapping[str, str]) -> str:
    return content_hash(brief.channel.id, brief.product.id, parts)


def _in_field_order(parts: Mapping[str, str], channel: Channel) -> dict[str, str]:
    """The parts in the channel's field order, fields it does not know last."""
    known = {field.name: parts[field.name] for field in channel.fields if field.name in parts}
    return known | dict(parts)


def _storable(parts: Mapping[str, str]) -> bool:
    """Whether the texts are whole characters, so that they can be written as UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for text in parts.values() for char in text)


def _wording(text: str) -> frozenset[str]:
    """The texts that a copy is made of, whatever their order."""
    return frozenset(text.split(" | "))


# --- the shop's own words ----------------------------------------------------------------------


def title_control(product: Product, channel: Channel) -> dict[str, str]:
    """The shop's own words for a channel, as control where no person has written a line.

    Hooks take the title, supporting fields the description, calls to action "Shop now"; plain
    sentences fill in where these run out. Every text keeps the field's limits, whatever the
    channel, and claims nothing that the product's text does not carry.

    Returns:
        Channel field name → text.

    Examples:
        >>> from hookline.channels import channel
        >>> mug = Product(id="1", title="Tin Mug", description="A mug for camp. Holds 300 ml.")
        >>> title_control(mug, channel("onsite_banner"))
        {'headline': 'Tin Mug', 'cta': 'Shop now'}
        >>> title_control(mug, channel("email"))["preheader"]
        'A mug for camp. Holds 300 ml. Tin Mug. See it in our shop'
    """
    sentences = _SENTENCE_END.split(product.description)
    names = [product.category.rpartition(" > ")[2], product.brand]
    parts: dict[str, str] = {}
    for spot in channel.fields:
        texts = [*product.highlights, *names, *sentences]
        if spot.role == "support":
            texts = [*sentences, *product.highlights, product.title]
        texts.sort(key=lambda text: not _fits(text, spot, channel))  # whole ones before cut ones
        first = [product.title] if spot.role == "hook" else []
        pieces = [_BUTTON] if spot.role == "cta" else [*first, *texts, *names]
        parts[spot.name] = _own_words([*pieces, *_PLAIN], spot, channel, product, parts)
    return parts


def _own_words(
    pieces: Sequence[str],
    spot: Field,
    channel: Channel,
    product: Product,
    parts: Mapping[str, str],
) -> str:
    """As many pieces as the field's least length needs, the first ones that may stand there."""
    text = ""
    for words in filter(None, (" ".join(_UNSEEN.sub(" ", piece).split()) for piece in pieces)):
        gap = " " if text.endswith((".", "!", "?")) else ". "
        longer = _cut(f"{text}{gap}{words}" if text else words, spot, channel)
        is_new = len(longer) > len(text) and words.casefold() not in text.casefold()
        if is_new and _may_stand({**parts, spot.name: longer}, product):
            text = longer
        if text and count_graphemes(text) >= spot.min_graphemes:
            return text
    return _filled(". ".join(_PLAIN), spot, channel)


def _may_stand(parts: Mapping[str, str], product: Product) -> bool:
    """Whether the parts claim only what the product carries and do not repeat each other."""
    brief = Brief(
        id="",
        product=product,
        audience=Audience(id="", name=""),
        channel=Channel(id="", name="", fields=()),
        brand=Brand(id="", name=""),
        attributes=Attributes(),
    )
    return all(verdict.ok for verdict in check_all((Claims(), Duplicates()), parts, brief))


def _fits(text: str, spot: Field, channel: Channel) -> bool:
    return count_graphemes(text) <= spot.max_graphemes and (
        spot.max_units is None or count_units(text, channel.units) <= spot.max_units
    )


def _cut(text: str, spot: Field, channel: Channel) -> str:
    """The text, or as many of its words as fit without a loose end; empty if none does."""
    if _fits(text, spot, channel):
        return text
    kept = ""
    for word in text.split(" "):
        longer = f"{kept} {word}".strip()
        if not _fits(longer, spot, channel):
            break
        kept = longer
    if kept.count("(") > kept.count(")"):
        kept = kept[: kept.rindex("(")]
    return _LOOSE_END.sub("", kept)


def _filled(words: str, spot: Field, channel: Channel) -> str:
    """The words over and over, as far as they fit: always long enough, never too long."""
    text = ""
    for char in f"{words}. " * (spot.max_graphemes // len(words) + 1):
        if not _fits(text + char, spot, channel):
            break
        text += char
    return f"{text[:-1]}." if text.endswith(" ") else text
