"""The phrase bank: sentence shapes, nouns and what people do with the things they name.

The texts live beside this file as TOML; here they become shapes with slots and a lexicon of nouns.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

import regex

from hookline.types import content_hash

_FILES: Final = ("families.toml", "hooks.toml", "sentences.toml", "calls.toml")
_SLOT: Final = regex.compile(r"\{(\w+)\}")
_HISS: Final = ("s", "x", "z", "ch", "sh")


@dataclass(frozen=True, slots=True)
class Shape:
    """One sentence with slots.

    Attributes:
        text: As it stands in the bank, slots in braces; a slot with a capital first letter is
            filled with a capital.
        slots: Names of the slots, in lower case, in order.
        pieces: The text between the slots, one more than there are slots.
        capital: Per slot, whether it was written with a capital.
    """

    text: str
    slots: tuple[str, ...]
    pieces: tuple[str, ...]
    capital: tuple[bool, ...]

    @classmethod
    def parse(cls, text: str) -> "Shape":
        """The shape that the text describes."""
        parts = _SLOT.split(text)
        marks = tuple(parts[1::2])
        return cls(
            text=text,
            slots=tuple(mark.lower() for mark in marks),
            pieces=tuple(parts[::2]),
            capital=tuple(mark[0].isupper() for mark in marks),
        )


Shapes = tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Noun:
    """What kind of thing a product is.

    Attributes:
        text: The noun as it is to be written, in the number that the product's title uses.
        plural: Its plural; the noun itself where it has none.
        is_plural: Whether `text` is plural.
        countable: Whether it takes "a".
        family: Key of its family in the bank.
    """

    text: str
    plural: str
    is_plural: bool
    countable: bool
    family: str


@dataclass(frozen=True, slots=True)
class Family:
    """What people do with one kind of product.

    Attributes:
        do: Bare verb phrases.
        moment: Noun phrases for when it is used.
        need: Questions that name the need.
    """

    do: tuple[str, ...]
    moment: tuple[str, ...]
    need: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bank:
    """The whole bank.

    Attributes:
        version: Content hash of the texts.
        families: Family key → its phrases; `general` is always there.
        lexicon: Words of a title, in lower case → the noun they are.
        hooks: Angle → tone or `any` → shapes.
        support: Angle → tone or `any` → shapes.
        proofs: `price`, `spec`, `finish` or `brand` → shapes.
        tails: The same, for a headline that must carry its proof by itself.
        urgency: Tone or `any` → shapes.
        calls: CTA style → sentences.
        buttons: CTA style → button texts.
        soft_buttons: CTA style → button texts that press softly.
        people: Motive, or `any` → noun phrases for who the copy is for.
    """

    version: str
    families: Mapping[str, Family]
    lexicon: Mapping[tuple[str, ...], Noun]
    hooks: Mapping[str, Mapping[str, Shapes]]
    support: Mapping[str, Mapping[str, Shapes]]
    proofs: Mapping[str, Shapes]
    tails: Mapping[str, Shapes]
    urgency: Mapping[str, Shapes]
    calls: Mapping[str, Shapes]
    buttons: Mapping[str, Shapes]
    soft_buttons: Mapping[str, Shapes]
    people: Mapping[str, tuple[str, ...]]
    longest: int = field(default=1)
    """Most words in a noun of the lexicon."""

    def find(self, words: Sequence[str]) -> tuple[int, Noun] | None:
        """The last noun among the words and the index just past it, or None.

        Args:
            words: Words of a title, in any case, punctuation around them allowed.
        """
        lower = [word.lower().strip(".,;:!?\"'()") for word in words]
        for end in range(len(lower), 0, -1):
            for start in range(max(0, end - self.longest), end):
                noun = self.lexicon.get(tuple(lower[start:end]))
                if noun is not None:
                    return end, noun
        return None


@cache
def load_bank() -> Bank:
    """The English bank that ships with the package."""
    folder = files("hookline.writers.phrasebook")
    texts = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in _FILES}
    data = {name: tomllib.loads(text) for name, text in texts.items()}
    nouns, calls = data["families.toml"], data["calls.toml"]
    lexicon = dict(_entries(nouns))
    return Bank(
        version=content_hash(texts),
        families={
            key: Family(do=tuple(f["do"]), moment=tuple(f["moment"]), need=tuple(f["need"]))
            for key, f in nouns["families"].items()
        },
        lexicon=lexicon,
        hooks={angle: _shapes(tones) for angle, tones in data["hooks.toml"].items()},
        support={angle: _shapes(tones) for angle, tones in data["sentences.toml"].items()},
        proofs=_shapes(calls["proofs"]),
        tails=_shapes(calls["tails"]),
        urgency=_shapes(calls["urgency"]),
        calls=_shapes(calls["calls"]),
        buttons=_shapes(calls["buttons"]),
        soft_buttons=_shapes(calls["soft_buttons"]),
        people={motive: tuple(lines) for motive, lines in calls["people"].items()},
        longest=max(len(words) for words in lexicon),
    )


def _shapes(lists: Mapping[str, Sequence[str]]) -> dict[str, Shapes]:
    """The lists with each text parsed."""
    return {key: tuple(Shape.parse(text) for text in texts) for key, texts in lists.items()}


def _entries(nouns: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Noun]]:
    """The lexicon's rows: each noun in the singular and, where it has one, the plural."""
    single_form = set(nouns["plural_only"])
    uncountable = set(nouns["uncountable"])
    acronyms = set(nouns["acronyms"])
    for family, body in nouns["families"].items():
        for name in body["nouns"]:
            shown = nouns["alias"].get(name, name)
            shown = " ".join(w.upper() if w in acronyms else w for w in shown.split())
            plural = shown if shown in single_form | uncountable else pluralize(shown, nouns)
            countable = shown not in uncountable
            entry = Noun(
                text=shown,
                plural=plural,
                is_plural=shown in single_form,
                countable=countable,
                family=family,
            )
            yield tuple(name.lower().split()), entry
            many = tuple(pluralize(name, nouns).lower().split())
            if countable and name not in single_form and shown not in single_form:
                yield (
                    many,
                    Noun(text=plural, plural=plural, is_plural=True, countable=True, family=family),
                )


def pluralize(noun: str, nouns: Mapping[str, Any]) -> str:
    """The plural of a singular noun.

    Examples:
        >>> pluralize("lunch box", {"irregular": {}}), pluralize("battery", {"irregular": {}})
        ('lunch boxes', 'batteries')
        >>> pluralize("bread knife", {"irregular": {"knife": "knives"}})
        'bread knives'
    """
    first, _, last = noun.rpartition(" ")
    lead = f"{first} " if first else ""
    if last in nouns["irregular"]:
        return lead + nouns["irregular"][last]
    if last.endswith(_HISS):
        return f"{noun}es"
    if last.endswith("y") and last[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"
