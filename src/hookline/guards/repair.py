"""Mending copy where that is safe: what can be put right without writing anew.

Only what changes no claim and needs no taste: blanks, signs and quotation marks that should not be
there, a glossary term, a disclaimer that is missing, a text that is a little too long. Whatever
comes out goes past every guard again, so a repair can save a copy and never let one through.
"""

import re
from collections.abc import Mapping
from typing import Final

import regex

from hookline.channels import count_graphemes, count_units
from hookline.guards.brand_rules import misspelled, whole_words
from hookline.guards.restrictions import EMOJI
from hookline.types import Brand, Brief, Channel, Field
from hookline.words import fold, language_of, load

_BLANKS: Final = re.compile(r"\s+")
_UNSEEN: Final = regex.compile(
    r"[[\p{Cc}]--[\n\r\t\v\f\x1c-\x1e\x85]]"
    r"|[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]",
    regex.V1,
)
_QUOTED: Final = re.compile(r"^[\"“„«「](?P<text>[^\"“”„«»「」]+)[\"”“»」]$")
_CLAUSE_END: Final = re.compile(r"(?<=[.!?;:,。！？、…])\s*|\s+[–—-]\s+")
_TRAILING: Final = " \t,;:–—-、(&+|/"
_LEAST_KEPT: Final = 0.7
"""Share of a text that a cut within a sentence must leave: less would be another text."""


def repair(parts: Mapping[str, str], brief: Brief) -> dict[str, str]:
    """The parts with what can safely be mended mended; the same where nothing can or need be.

    Pure, and repairing twice changes nothing more. Check the result: not everything can be mended.

    Args:
        parts: Channel field name → text.
        brief: What was asked for.

    Examples:
        >>> from hookline.brief import make_brief
        >>> from hookline.channels import channel
        >>> from hookline.types import Attributes, Audience, Product
        >>> brief = make_brief(
        ...     product=Product(id="1", title="Tin Mug"),
        ...     audience=Audience(id="", name="Everybody"),
        ...     channel=channel("onsite_banner"),
        ...     brand=Brand(id="acme", name="Acme", glossary={"tea pot": "teapot"}),
        ...     attributes=Attributes(),
        ... )
        >>> repair({"headline": '"A  tea pot for two"', "cta": "Shop now"}, brief)
        {'headline': 'A teapot for two', 'cta': 'Shop now'}
    """
    brand, channel = brief.brand, brief.channel
    fields = {field.name: field for field in channel.fields}
    mended = {name: _tidy(text, brand) for name, text in parts.items()}
    mended = _fewer_exclamations(mended, brand.max_exclamations)
    mended = _with_disclaimers(mended, brief)
    return {
        name: _shortened(text, fields[name], brief) if name in fields else text
        for name, text in mended.items()
    }


def _tidy(text: str, brand: Brand) -> str:
    """The text on one line, unquoted, with the glossary's spellings and no emoji if none go."""
    plain = _UNSEEN.sub("", text)
    if not brand.emoji and EMOJI.search(plain):
        plain = EMOJI.sub("", plain).replace("\ufe0f", "")
    plain = _BLANKS.sub(" ", plain).strip()
    if quoted := _QUOTED.match(plain):
        plain = quoted["text"].strip()
    for wrong, right in brand.glossary.items():
        if misspelled(wrong, right, plain):
            plain = _respelled(wrong, right, plain)
    return plain


def _respelled(wrong: str, right: str, text: str) -> str:
    """The text with every wrong spelling replaced where it is written as the glossary has it."""
    words = r"[ -]+".join(map(re.escape, wrong.split()))
    flags = re.NOFLAG if fold(wrong) == fold(right) else re.IGNORECASE
    at_start = right[:1].upper() + right[1:]
    found = re.compile(rf"(?<!\w){words}(?!\w)", flags)
    return found.sub(lambda place: at_start if place.start() == 0 else right, text)


def _fewer_exclamations(parts: Mapping[str, str], most: int) -> dict[str, str]:
    """The parts with a full stop for each exclamation mark beyond the most allowed."""
    left, mended = most, dict[str, str]()
    for name, text in parts.items():
        chars: list[str] = []
        for char in re.sub(r"[!！]{2,}", lambda run: run[0][0], text):
            if char in "!！":
                left -= 1
                stop = "。" if char == "！" else "."
                chars.append(char if left >= 0 else stop)
            else:
                chars.append(char)
        mended[name] = "".join(chars)
    return mended


def _with_disclaimers(parts: Mapping[str, str], brief: Brief) -> dict[str, str]:
    """The parts with the sentences that their words call for, where a field has room for them."""
    mended = dict(parts)
    for trigger, sentence in brief.brand.disclaimers.items():
        texts = [fold(text) for text in mended.values()]
        said = any(fold(sentence) in text for text in texts)
        if said or not any(whole_words(trigger).search(text) for text in texts):
            continue
        for field in reversed(brief.channel.fields):
            if field.role == "cta" or field.name not in mended:
                continue
            text = mended[field.name].rstrip()
            gap = " " if text.endswith((".", "!", "?", "。")) else ". "
            longer = f"{text}{gap}{sentence}"
            if fits(longer, field, brief.channel):
                mended[field.name] = longer
                break
    return mended


def _shortened(text: str, field: Field, brief: Brief) -> str:
    """The text, or its first clauses or words that fit; itself where that loses too much."""
    if fits(text, field, brief.channel) or field.role == "cta":
        return text
    kept = _first(_CLAUSE_END, text, field, brief.channel)
    if count_graphemes(kept) < _LEAST_KEPT * field.max_graphemes:
        words = _first(re.compile(r"(?=\s)"), text, field, brief.channel)
        bare = _without_loose_end(words, language_of(brief.locale))
        kept = bare if len(bare) >= _LEAST_KEPT * len(text) else kept
    disclaimers = map(fold, brief.brand.disclaimers.values())
    loses_one = any(said in fold(text) and said not in fold(kept) for said in disclaimers)
    least = max(field.min_graphemes, _LEAST_KEPT / 2 * field.max_graphemes)
    return text if loses_one or count_graphemes(kept) < least else kept


def _first(ends: re.Pattern[str], text: str, field: Field, channel: Channel) -> str:
    """As much of the text, up to one of the ends, as fits."""
    kept = ""
    for end in ends.finditer(text):
        start = text[: end.start()].rstrip(_TRAILING)
        if not fits(start, field, channel):
            break
        kept = start
    return kept


def _without_loose_end(text: str, language: str) -> str:
    """The text without small words at its end ("for the", "und mit")."""
    small = frozenset(map(fold, load("facts", language)["small"]))
    words = text.split(" ")
    while words and fold(words[-1].strip(_TRAILING)) in small | {""}:
        words.pop()
    return " ".join(words).rstrip(_TRAILING)


def fits(text: str, field: Field, channel: Channel) -> bool:
    """Whether the text is no longer than its field allows."""
    return count_graphemes(text) <= field.max_graphemes and (
        field.max_units is None or count_units(text, channel.units) <= field.max_units
    )
