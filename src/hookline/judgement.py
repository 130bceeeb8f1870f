"""A draft, or a line that a person wrote, past every guard → a copy with the verdicts on it.

And later: a copy whose product has changed in its feed → the copy in quarantine, if it quotes that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from hookline.brief import make_brief
from hookline.errors import BadInput
from hookline.guards import Guard, check_all
from hookline.guards.expiry import expired
from hookline.guards.repair import repair
from hookline.recognise import recognise
from hookline.types import (
    Audience,
    Brand,
    Brief,
    Channel,
    Copy,
    Draft,
    Product,
    Verdict,
    content_hash,
)

GUARD: Final = "guard"
"""Who the audit trail names where a rule took a line out: a guard metric, or facts that expired."""
_GONE: Final = "The feed no longer has the product."


def judged(
    draft: Draft, brief: Brief, guards: Sequence[Guard], beside: Sequence[str], at: datetime
) -> Copy:
    """The draft as a copy, with every guard's verdict on it.

    One that fails is repaired where that is safe, and kept so if it then passes every guard; where
    it does not, it stays as it was written.
    """
    parts = _in_field_order(draft.parts, brief.channel)
    verdicts = check_all(guards, parts, brief, beside)
    if not _passes(verdicts) and (mended := repair(parts, brief)) != parts:
        again = check_all(guards, mended, brief, beside)
        if _passes(again):
            parts, verdicts = mended, again
    passes = _passes(verdicts)
    return Copy(
        id=copy_id(brief.channel, brief.product, parts),
        product_id=brief.product.id,
        channel_id=brief.channel.id,
        parts=parts,
        audience_id=brief.audience.id,
        attributes=brief.attributes,
        brief_id=brief.id,
        brand_id=brief.brand.id,
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
    the channel is rejected, since it could not be shown. Nobody asked for its attributes, so it is
    held to those that it is recognised to have.

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
    if not storable(parts):
        raise BadInput("the text holds half a character (a lone surrogate); type it again")
    brief = make_brief(
        product=product,
        audience=audience,
        channel=channel,
        brand=brand,
        attributes=recognise(parts, channel=channel, product=product, locale=brand.locale),
    )
    verdicts = check_all(guards, parts, brief)
    fits = all(verdict.ok for verdict in verdicts if verdict.guard == "limits")
    return Copy(
        id=copy_id(channel, product, parts),
        product_id=product.id,
        channel_id=channel.id,
        parts=_in_field_order(parts, channel),
        audience_id=audience.id,
        brand_id=brand.id,
        verdicts=verdicts,
        status="draft" if fits else "rejected",
        reviewed_by="" if fits else "guards",
        created_at=at,
    )


def quarantined(copy: Copy, before: Product, after: Product | None, brand: Brand) -> Copy | None:
    """The copy in quarantine, with the reasons in its note; None where all it says still holds.

    A copy that is in quarantine already comes back only where there is more to say of it.

    Args:
        copy: A copy that may be shown, or may yet be.
        before: Its product as the feed had it when the copy was last known to be right.
        after: The product as the feed has it now; None where it is no longer there.
        brand: The kit that the copy was checked against.
    """
    if after is None:
        reasons = [] if _GONE in copy.note else [_GONE]
    else:
        found = expired(copy.parts, before, after, brand=brand, locale=brand.locale)
        reasons = [each.reason for each in found]
    if copy.status == "quarantined":
        reasons = [reason for reason in reasons if reason not in copy.note]
    if not reasons:
        return None
    note = " ".join(filter(None, [*reasons, copy.note]))
    return replace(copy, status="quarantined", reviewed_by=GUARD, note=note)


def _passes(verdicts: Sequence[Verdict]) -> bool:
    return all(verdict.ok for verdict in verdicts)


def copy_id(channel: Channel, product: Product, parts: Mapping[str, str]) -> str:
    """The id of a copy: the same words for the same place and product have the same one."""
    return content_hash(channel.id, product.id, parts)


def _in_field_order(parts: Mapping[str, str], channel: Channel) -> dict[str, str]:
    """The parts in the channel's field order, fields it does not know last."""
    known = {field.name: parts[field.name] for field in channel.fields if field.name in parts}
    return known | dict(parts)


def storable(parts: Mapping[str, str]) -> bool:
    """Whether the texts are whole characters, so that they can be written as UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for text in parts.values() for char in text)


def wording_of(text: str) -> frozenset[str]:
    """The texts that a copy is made of, whatever their order."""
    return frozenset(text.split(" | "))
