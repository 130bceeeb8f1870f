"""A line that was tested → a row with slots, so that the house model can learn from it.

What stands in a line about one product is said of others only where the product's own facts are
left out: each becomes the slot that the house writer would fill with it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import regex

from hookline.house.pieces import Pieces
from hookline.house.rows import Row, Written
from hookline.types import Brief
from hookline.writers.house.asked import (
    LANGUAGES,
    Seen,
    conditions,
    field_conditions,
    language_of,
    name_for,
    room_of,
    see,
    sizer,
    values,
)
from hookline.writers.house.marks import MARKS, capital
from hookline.writers.phrasebook.names import Name

_ORDER: Final = ("the_name", "name", "nouns", "noun", "a_noun", "new_noun")
"""Which slot is taken where several hold the same. English has an article before most names, so
the phrasebook's `the_name` suits those without one; the plural stands wherever a plural stood."""
_OWN_WORD: Final = regex.compile(r"\p{Lu}[\p{L}\p{M}]{3,}")
_DIGIT: Final = regex.compile(r"\p{N}")
_PRIVATE: Final = regex.compile(r"\p{Co}")
"""What marks are made of, and no text that people read."""


def row_of(parts: Mapping[str, str], brief: Brief, pieces: Pieces | None = None) -> Row | None:
    """The line as a row with slots; None where the house model can't say it.

    It can't where the language was not taught or the product can't be named, where a field is
    empty, and where a number or a word of the product's own name stands outside of a slot: it would
    be learned by heart and said of others.

    Args:
        parts: Channel field name → text.
        brief: What the line answers.
        pieces: The model's vocabulary, to give None for a text that it can't spell, too.

    Examples:
        >>> from hookline.channels import channel
        >>> from hookline.types import Attributes, Audience, Brand, Product
        >>> brief = Brief(
        ...     id="b1",
        ...     product=Product(id="p1", title="Harbor Canvas Tote Bag"),
        ...     audience=Audience(id="all", name="Everybody"),
        ...     channel=channel("onsite_banner"),
        ...     brand=Brand(id="acme", name="Acme"),
        ...     attributes=Attributes(),
        ... )
        >>> row = row_of({"headline": "Meet the Harbor Canvas Tote Bag", "cta": "Shop"}, brief)
        >>> row.fields[0].text == f"Meet {MARKS['the_name']}", row.fields[0].widths
        (True, (26,))
        >>> row_of({"headline": "Meet your Harbor", "cta": "Shop"}, brief)
    """
    if language_of(brief.locale) not in LANGUAGES:
        return None
    seen = see(brief)
    if not brief.product.title.strip() or not seen.subject.naming.names:
        return None
    texts = [parts.get(spot.name, "") for spot in brief.channel.fields]
    if not all(texts) or _PRIVATE.search("".join(texts)):
        return None
    proof = _quoted(" ".join(texts), seen.subject.proofs)
    fields = tuple(_written(text, at, brief, seen, proof) for at, text in enumerate(texts))
    own = _own_words(brief, seen)
    if not all(_is_sayable(spot.text, own, pieces) for spot in fields):
        return None
    return Row(source="copy", conditions=tuple(conditions(brief, seen, proof[0])), fields=fields)


def _quoted(text: str, proofs: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The longest of the proofs that the text quotes, else the first; nothing where there is none.

    A writer is asked with a proof at hand whether it then quotes it or not.
    """
    quoted = [proof for proof in proofs if _standing(proof[1]).search(text)]
    return max(quoted, key=lambda proof: len(proof[1]), default=(*proofs, ("", ""))[0])


def _written(text: str, at: int, brief: Brief, seen: Seen, proof: tuple[str, str]) -> Written:
    """The field's text with its slots, as the writer would be asked for it."""
    channel, names = brief.channel, seen.subject.naming.names
    room, size = room_of(channel.fields[at], channel, sms=seen.sms), sizer(channel)
    name = _called(text, names) or name_for(names, room, size)
    held = values(seen.subject, name, proof)
    masked, slots = _masked(text, held, native="it" in seen.subject.fixed)
    return Written(
        conditions=tuple(field_conditions(channel, at, name)),
        room=room,
        text=masked,
        widths=tuple(size(held[slot]) for slot in slots),
        wide=channel.units == "columns",
    )


def _called(text: str, names: Sequence[Name]) -> Name | None:
    """The longest of the names that stands in the text, or None."""
    found = [name for name in names if _standing(name.text).search(text)]
    return max(found, key=lambda name: len(name.text), default=None)


def _masked(text: str, held: Mapping[str, str], *, native: bool) -> tuple[str, list[str]]:
    """The text with a mark for each value, longer ones first, and the slots in order."""
    known = {slot: value for slot, value in held.items() if native or slot != "the_name"}
    order = sorted(known, key=lambda slot: (-len(known[slot]), _rank(slot)))
    for slot in order:
        text = _standing(known[slot]).sub(MARKS[slot], text)
    slots = {mark: slot for slot, mark in MARKS.items()}
    return text, [slots[char] for char in text if char in slots]


def _rank(slot: str) -> int:
    return _ORDER.index(slot) if slot in _ORDER else len(_ORDER)


def _standing(value: str) -> regex.Pattern[str]:
    """A pattern for the value as whole words, as it is or as at a sentence's start."""
    either = "|".join(regex.escape(text) for text in dict.fromkeys((value, capital(value))))
    # Japanese puts no blank between a name in Latin letters and what comes after it
    return regex.compile(rf"(?<![\p{{Latin}}\p{{N}}])(?:{either})(?![\p{{Latin}}\p{{N}}])")


def _own_words(brief: Brief, seen: Seen) -> frozenset[str]:
    """The words with a capital that the product's title and its maker are made of."""
    whole = f"{brief.product.title} {seen.subject.naming.maker}"
    return frozenset(_OWN_WORD.findall(whole))


def _is_sayable(text: str, own: frozenset[str], pieces: Pieces | None) -> bool:
    """Whether a text with slots holds nothing of the product beside them, and can be spelt."""
    if _DIGIT.search(text) or not own.isdisjoint(_OWN_WORD.findall(text)):
        return False
    return pieces is None or pieces.cut(text) is not None
