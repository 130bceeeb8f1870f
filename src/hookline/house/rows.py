"""Rows to learn from: what was asked for → what was written, with slots in place of facts."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final

import msgspec
import regex

from hookline.writers.house.marks import MARKS, PAD, words_of

_NAMED: Final = regex.compile(rf"(?:[Tt]he (?={MARKS['name']}))?[\ue000-\ue0ef]{PAD}*")
_SENTENCE: Final = regex.compile(r"(?<=[.?!。？！])\s*")
_WORD: Final = regex.compile(
    r"[\ue000-\ue0ef]|\p{Han}+|\p{Hiragana}+|\p{Katakana}+|[\p{L}\p{M}'’-]+"
)


RUN: Final = 8
"""Words of one sentence that a copy may share, in a row, with what it was learned from."""


class Written(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One field's text.

    Attributes:
        conditions: What the field is asked for.
        room: How much it has room for.
        text: Its text, a mark for each slot.
        widths: How much stood in each slot, in order.
        wide: Whether room is counted in columns.
    """

    conditions: tuple[str, ...]
    room: int
    text: str
    widths: tuple[int, ...] = ()
    wide: bool = False


class Row(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One text of one or more fields, and what it answers.

    Attributes:
        source: `copy`, `story` or `catalog`.
        conditions: What the whole text is asked for.
        fields: The texts, in order.
        held_out: Whether it is kept for measuring.
    """

    source: str
    conditions: tuple[str, ...]
    fields: tuple[Written, ...]
    held_out: bool = False


def mask(slot: str, size: int) -> str:
    """A mark for the slot, as long as what is to stand there."""
    return MARKS[slot] + PAD * (size - 1)


def unmasked(text: str) -> tuple[str, tuple[int, ...]]:
    """The text with one character a slot, and how long each slot was.

    Examples:
        >>> text, widths = unmasked(f"See the {mask('name', 7)}, {mask('price', 2)}.")
        >>> text == f"See {MARKS['the_name']}, {MARKS['price']}.", widths
        (True, (11, 2))
    """
    widths: list[int] = []

    def mend(found: regex.Match[str]) -> str:
        whole = found.group()
        widths.append(len(whole))
        return MARKS["the_name"] if whole[0] in "Tt" else whole[0]

    return _NAMED.sub(mend, text), tuple(widths)


def sentences_of(text: str) -> list[tuple[str, ...]]:
    """The text's sentences as words in lower case.

    A slot is a word; in Japanese, a run of one script is.

    Examples:
        >>> sentences_of("Tea? Made for mornings.")
        [('tea',), ('made', 'for', 'mornings')]
    """
    found = (_WORD.findall(sentence.casefold()) for sentence in _SENTENCE.split(text))
    return [tuple(words) for words in found if words]


def copy_words(rows: Iterable[Row]) -> set[str]:
    """The Latin words that copy is made of, in small letters; prose's words are not for copy."""
    texts = (spot.text for row in rows if row.source == "copy" for spot in row.fields)
    return {word for text in texts for word in words_of(text)}


def is_held_out(*keys: object) -> bool:
    """Whether the tenth of all keys that is kept for measuring has this one."""
    return blake2b(repr(keys).encode(), digest_size=2).digest()[0] % 10 == 0


def save_rows(rows: Sequence[Row]) -> bytes:
    """The rows as a file's content."""
    return msgspec.msgpack.encode(rows)


def load_rows(content: bytes) -> list[Row]:
    """The rows of a file's content."""
    return msgspec.msgpack.decode(content, type=list[Row])
