"""A brief → what the house model is asked for, and what its slots hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hookline.types import ATTRIBUTE_LEVELS, Brief, Channel, Field
from hookline.writers.house.marks import SLOTS
from hookline.writers.house.sampler import Ask
from hookline.writers.phrasebook.bank import LANGUAGES, Bank, load_bank
from hookline.writers.phrasebook.compose import columns
from hookline.writers.phrasebook.names import Name, short_name
from hookline.writers.phrasebook.slots import Subject, language_of, subject

NAME_SHARE: Final = 0.6
"""Most of a field that the product's name may take up."""
_ROOMS: Final = (20, 30, 40, 60, 100)
"""Sizes of field that are told apart, in characters: up to each of these, and beyond."""
_UCS2: Final = 70 / 160
"""Share of an SMS that is left once a letter is outside of its alphabet."""

__all__ = ["LANGUAGES", "Seen", "asks", "language_of", "see", "sizer"]


@dataclass(frozen=True, slots=True)
class Seen:
    """The product of a brief as the model sees it.

    Attributes:
        subject: The product with a copywriter's eyes.
        language: ISO 639-1 code of the language to write.
        family: What kind of thing it is, as a key of the language's bank.
        sms: Whether the language's letters are in the SMS alphabet.
    """

    subject: Subject
    language: str
    family: str
    sms: bool


def see(brief: Brief, bank: Bank | None = None) -> Seen:
    """The product of the brief, seen in the brief's language, one of `LANGUAGES`."""
    bank = bank or load_bank(language_of(brief.locale))
    seen = subject(brief, bank)
    family = next(key for key, family in bank.families.items() if family == seen.family)
    return Seen(seen, bank.language, family, bank.grammar.sms)


def asks(brief: Brief, seen: Seen, proof: tuple[str, str]) -> list[Ask]:
    """What one copy is asked for, field by field.

    Args:
        brief: The brief.
        seen: Its product.
        proof: What it may quote as proof, one of the subject's `proofs`; ("", "") for nothing.
    """
    channel = brief.channel
    whole = conditions(brief, seen, proof[0])
    fields: list[Ask] = []
    for at, spot in enumerate(channel.fields):
        room = room_of(spot, channel, sms=seen.sms)
        name = name_for(seen.subject.naming.names, room, sizer(channel))
        fields.append(
            Ask(
                conditions=(*whole, *field_conditions(channel, at, name)),
                room=room,
                least=spot.min_graphemes,
                values=values(seen.subject, name, proof),
            )
        )
    return fields


def conditions(brief: Brief, seen: Seen, proof: str) -> list[str]:
    """What the whole copy is asked for.

    Args:
        brief: The brief.
        seen: Its product.
        proof: Kind of proof at hand: "" or a key of the phrasebook's `proofs`.
    """
    fixed = seen.subject.fixed
    felt = [] if brief.sentiment is None else [feeling(brief.sentiment)]
    asked = [f"{name} {getattr(brief.attributes, name)}" for name in ATTRIBUTE_LEVELS]
    motives = [motive.strip().lower() for motive in brief.audience.motives[:2]]
    return [
        *asked,
        *felt,
        "text copy",
        f"locale {seen.language}",
        f"has {proof or 'nothing'}",
        f"family {seen.family}",
        f"number {fixed.get('it', '')}",
        *(f"slot {slot}" for slot in SLOTS if slot in fixed),
        *(f"motive {motive}" for motive in motives),
        f"button {any(spot.role == 'cta' for spot in brief.channel.fields)}",
    ]


def feeling(sentiment: float) -> str:
    """The condition that a copy feels about so, from -1 (bleak) to 1 (delighted).

    Examples:
        >>> feeling(0.2), feeling(-0.9)
        ('feeling 0.25', 'feeling -1.0')
    """
    return f"feeling {round(4 * sentiment) / 4 + 0.0}"


def field_conditions(channel: Channel, at: int, name: Name | None) -> list[str]:
    """What one field is asked for.

    Args:
        channel: The channel.
        at: Which of its fields.
        name: What the product is called in it, None where no name fits.
    """
    spot = channel.fields[at]
    size = next((room for room in _ROOMS if spot.max_graphemes <= room), "more")
    texts = [i for i, field in enumerate(channel.fields) if field.role == "support"]
    return [
        f"role {spot.role}",
        f"size {size}",
        f"place {at}",
        f"last {not texts or at == texts[-1]}",
        f"alone {spot.name[-1:].isdigit()}",
        f"least {spot.min_graphemes > 20}",
        f"name {0 if name is None else 1 + min(sizer(channel)(name.text), 40) // 4}",
    ]


def sizer(channel: Channel) -> Callable[[str], int]:
    """How the channel counts a text: in columns, or in characters."""
    return columns if channel.units == "columns" else len


def room_of(spot: Field, channel: Channel, *, sms: bool) -> int:
    """How much the field has room for, in what `sizer` counts.

    Args:
        spot: The field.
        channel: Its channel.
        sms: Whether the language's letters are in the SMS alphabet.
    """
    room = spot.max_graphemes
    if spot.max_units is None:
        return room
    if channel.units == "gsm7" and not sms:
        return min(room, int(spot.max_units * _UCS2))
    return min(room, spot.max_units)


def name_for(names: Sequence[Name], room: int, size: Callable[[str], int]) -> Name | None:
    """The most telling name that leaves space for words around it, or None."""
    return short_name(names, int(room * NAME_SHARE), size=size)


def values(seen: Subject, name: Name | None, proof: tuple[str, str]) -> Mapping[str, str]:
    """Slot → what stands in it.

    Args:
        seen: The product.
        name: What it is called, None to leave its name out.
        proof: What can be quoted as proof, as (key in `Bank.proofs`, text); ("", "") for nothing.
    """
    held = {slot: text for slot, text in seen.fixed.items() if slot in SLOTS}
    if name is not None:
        held |= {"name": name.text, "the_name": f"the {name.text}" if name.article else name.text}
    kind, text = proof
    if kind:
        held["maker" if kind == "brand" else kind] = text
    return held
