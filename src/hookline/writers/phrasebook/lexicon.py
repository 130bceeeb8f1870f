"""The nouns that English titles name things by, and the families of things they belong to.

They live beside this file as `nouns.toml`. Titles in other languages are shortened without them.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from hookline.types import content_hash

_HISS: Final = ("s", "x", "z", "ch", "sh")


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
class Lexicon:
    """What things may be called.

    Attributes:
        version: Content hash of the texts.
        families: Family key → its English phrases; `general` is always there.
        nouns: Words of a title, in lower case → the noun they are; empty where titles are in a
            language whose nouns are not listed.
        longest: Most words in a noun.
    """

    version: str
    families: Mapping[str, Family]
    nouns: Mapping[tuple[str, ...], Noun]
    longest: int

    def find(self, words: Sequence[str]) -> tuple[int, Noun] | None:
        """The last noun among the words and the index just past it, or None.

        Args:
            words: Words of a title, in any case, punctuation around them allowed.
        """
        lower = [word.lower().strip(".,;:!?\"'()") for word in words]
        for end in range(len(lower), 0, -1):
            for start in range(max(0, end - self.longest), end):
                noun = self.nouns.get(tuple(lower[start:end]))
                if noun is not None:
                    return end, noun
        return None


@cache
def load_lexicon() -> Lexicon:
    """The English nouns that ship with the package."""
    text = files("hookline.writers.phrasebook").joinpath("nouns.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    nouns = dict(_entries(data))
    return Lexicon(
        version=content_hash(text),
        families={
            key: Family(do=tuple(f["do"]), moment=tuple(f["moment"]), need=tuple(f["need"]))
            for key, f in data["families"].items()
        },
        nouns=nouns,
        longest=max(len(words) for words in nouns),
    )


NO_NOUNS: Final = Lexicon(version="", families={}, nouns={}, longest=1)
"""For titles whose language has no list."""


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
