"""Slots of the house model: what stands in its texts in place of a product's facts.

A slot is one private-use character, so that a text with slots is a plain string. The model chooses
where a slot stands; what stands in it comes from the product alone.
"""

from collections.abc import Mapping
from typing import Final

import regex

SLOTS: Final = (
    "name", "the_name", "noun", "nouns", "a_noun", "new_noun", "maker", "price", "spec", "label",
    "finish", "number",
)  # fmt: skip
"""What may stand in a text as a slot. `number` is any number of a text that is no copy; no product
fills it, so that none is ever written."""
MARKS: Final[Mapping[str, str]] = {slot: chr(0xE000 + at) for at, slot in enumerate(SLOTS)}
"""Slot → the character that stands for it."""
FIELD: Final = "\ue0f0"
"""Stands before each field's text and after the last one."""
PAD: Final = "\ue0ff"
"""Makes a mark as long as what will stand in its place."""

_WORD: Final = regex.compile(r"\p{Latin}+")
_MARK: Final = regex.compile(r"[\ue000-\ue0ef]")
_SLOT_OF: Final = {mark: slot for slot, mark in MARKS.items()}
_START: Final = regex.compile(r"(?:^|[.?!¿¡][\"'»”]?[ \u00a0]?)[¿¡«]?$")


def fill(text: str, values: Mapping[str, str]) -> str | None:
    """The text with its slots filled, capitals where a sentence begins; None if one has no value.

    Args:
        text: A text with marks.
        values: Slot → what the product has for it.

    Examples:
        >>> fill(f"{MARKS['the_name']}. Yours for {MARKS['price']}.", {"the_name": "the Tin Mug"})
        >>> fill(
        ...     f"{MARKS['the_name']}, for {MARKS['nouns']}.",
        ...     {"the_name": "the cup", "nouns": "tea"},
        ... )
        'The cup, for tea.'
    """
    filled: list[str] = []
    last = 0
    for found in _MARK.finditer(text):
        value = values.get(_SLOT_OF.get(found.group(), ""))
        if value is None:
            return None
        filled += [text[last : found.start()]]
        starts = _START.search("".join(filled)) is not None
        filled += [capital(value) if starts else value]
        last = found.end()
    return "".join([*filled, text[last:]])


def words_of(text: str) -> set[str]:
    """The text's Latin words in small letters, slots left out.

    Examples:
        >>> sorted(words_of(f"Yours today, {MARKS['name']}'s: 今日"))
        ['s', 'today', 'yours']
    """
    return set(_WORD.findall(text.casefold()))


def capital(text: str) -> str:
    """The text with a capital first letter, unless its first word has its own (iPhone)."""
    first = text.split(" ", 1)[0]
    return text if any(char.isupper() for char in first) else text[:1].upper() + text[1:]
