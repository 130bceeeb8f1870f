"""The phrase banks: per language the sentence shapes, calls and what people do with things.

The texts live beside this file, one TOML file a language; here they become shapes with slots. A
language is added by adding its file and its code in `LANGUAGES`.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec
import regex

from hookline.errors import UnregisteredName
from hookline.types import content_hash
from hookline.writers.phrasebook.lexicon import Family, Lexicon, load_lexicon

LANGUAGES: Final = ("de", "en", "es", "fr", "ja")
"""ISO 639-1 codes of the languages that there is a bank for."""

_SLOT: Final = regex.compile(r"\{(\w+)\}")
_FRENCH_BLANK: Final = regex.compile(r" (?=[?:;!»])|(?<=«) ")
_WORD: Final = regex.compile(r"\p{L}[\p{L}\p{M}'-]*")


@dataclass(frozen=True, slots=True)
class Shape:
    """One sentence with slots.

    Attributes:
        text: As it stands in the bank, slots in braces; a slot with a capital first letter is
            filled with a capital.
        slots: Names of the slots, in lower case, in order.
        pieces: The text between the slots, one more than there are slots.
        capital: Per slot, whether it was written with a capital.
        toned: Whether the sentence itself has the tone that it is listed under.
    """

    text: str
    slots: tuple[str, ...]
    pieces: tuple[str, ...]
    capital: tuple[bool, ...]
    toned: bool = False

    @classmethod
    def parse(cls, text: str, *, toned: bool = False) -> "Shape":
        """The shape that the text describes."""
        parts = _SLOT.split(text)
        marks = tuple(parts[1::2])
        return cls(
            text=text,
            slots=tuple(mark.lower() for mark in marks),
            pieces=tuple(parts[::2]),
            capital=tuple(mark[0].isupper() for mark in marks),
            toned=toned,
        )


Shapes = tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a language sets sentences.

    Attributes:
        stop: What ends a sentence.
        space: What stands between two sentences; nothing in Japanese.
        sms: Whether its letters are in the SMS alphabet, GSM 03.38.
        match: How a noun of a family is found in a title: as a `word`, at the `end` of one, as in
            German compounds, or anywhere `inside`.
        decimal: The decimal mark.
        last: What joins the last two items of a list.
        wide: Whether its letters say, and take up, twice as much as others.
        common: First words that any two sentences of one copy may share.
    """

    stop: str
    space: str
    sms: bool
    match: str
    decimal: str
    last: str
    wide: bool
    common: frozenset[str]


@dataclass(frozen=True, slots=True)
class Bank:
    """One language's bank.

    Attributes:
        language: ISO 639-1 code.
        version: Content hash of the texts.
        grammar: How the language sets sentences.
        families: Family key → its phrases; `general` is always there.
        kin: English family key → the family key of this bank.
        nouns: Noun in lower case → family key; empty for English, which has a `Lexicon`.
        openers: Tone → short sentences to begin a line with.
        closers: Tone → short sentences to end a line with.
        moods: Short sentences that say how it feels, under `any`.
        hooks: Angle → tone or `any` → shapes.
        support: Angle → tone or `any` → shapes.
        proofs: `price`, `spec`, `label`, `brand` and maybe `finish` → shapes.
        tails: The same, for a headline that must carry its proof by itself.
        urgency: Tone or `any` → shapes.
        calls: CTA style → sentences.
        verbs: First word of a call, in small letters → its style, where it is one style's alone.
        buttons: CTA style → button texts.
        soft_buttons: CTA style → button texts that press softly.
        people: Motive, or `any` → noun phrases for who the copy is for.
    """

    language: str
    version: str
    grammar: Grammar
    families: Mapping[str, Family]
    kin: Mapping[str, str]
    nouns: Mapping[str, str]
    openers: Mapping[str, Shapes]
    closers: Mapping[str, Shapes]
    moods: Mapping[str, Shapes]
    hooks: Mapping[str, Mapping[str, Shapes]]
    support: Mapping[str, Mapping[str, Shapes]]
    proofs: Mapping[str, Shapes]
    tails: Mapping[str, Shapes]
    urgency: Mapping[str, Shapes]
    calls: Mapping[str, Shapes]
    verbs: Mapping[str, str]
    buttons: Mapping[str, Shapes]
    soft_buttons: Mapping[str, Shapes]
    people: Mapping[str, tuple[str, ...]]

    def family(self, texts: Sequence[str]) -> str:
        """The key of the family whose noun stands last in the first text that has one.

        Args:
            texts: A title, a category and the like, the most telling first.

        Returns:
            A family key; `general` where no noun is found.

        Examples:
            >>> load_bank("de").family(["Große Schreibtischlampe, schwarz"])
            'home'
            >>> load_bank("ja").family(["電気ケトル"])
            'kitchen'
        """
        for text in texts:
            lower = text.casefold()
            if self.grammar.match == "inside":
                held = [noun for noun in self.nouns if noun in lower]
                if held:
                    return self.nouns[max(held, key=lambda noun: (lower.rfind(noun), len(noun)))]
                continue
            for word in _WORD.findall(lower):
                if key := self._family_of(word):
                    return key
        return "general"

    def _family_of(self, word: str) -> str | None:
        """The key of the family that has the word, in the singular or a plural in s; or None."""
        for form in (word, word.removesuffix("s"), word.removesuffix("es")):
            if form in self.nouns:
                return self.nouns[form]
        if self.grammar.match == "end":
            return next((key for noun, key in self.nouns.items() if word.endswith(noun)), None)
        return None


@cache
def load_bank(language: str = "en") -> Bank:
    """The bank of the language.

    Args:
        language: One of `LANGUAGES`.

    Raises:
        UnregisteredName: Where there is no bank for it.
    """
    if language not in LANGUAGES:
        raise UnregisteredName("phrase bank", language, LANGUAGES)
    folder = files("hookline.writers.phrasebook")
    text = folder.joinpath(f"{language}.toml").read_text(encoding="utf-8")
    data = tomllib.loads(_FRENCH_BLANK.sub("\u00a0", text) if language == "fr" else text)
    lexicon = load_lexicon()
    own: Mapping[str, Any] = data.get("families", {})
    return Bank(
        language=language,
        version=content_hash(text, "" if own else lexicon.version),
        grammar=msgspec.convert(data["grammar"], Grammar),
        families=_families(own) or lexicon.families,
        kin=_kin(own, lexicon),
        nouns={noun.casefold(): key for key, body in own.items() for noun in body["nouns"]},
        openers=_shapes(data["openers"], toned=True),
        closers=_shapes(data["closers"], toned=True),
        moods=_shapes(data["moods"]),
        hooks={angle: _shapes(tones, toned=True) for angle, tones in data["hooks"].items()},
        support={angle: _shapes(tones, toned=True) for angle, tones in data["support"].items()},
        proofs=_shapes(data["proofs"]),
        tails=_shapes(data["tails"]),
        urgency=_shapes(data["urgency"]),
        calls=_shapes(data["calls"]),
        verbs=_verbs(data["calls"]) if data["grammar"]["space"] else {},
        buttons=_shapes(data["buttons"]),
        soft_buttons=_shapes(data["soft_buttons"]),
        people={motive: tuple(lines) for motive, lines in data["people"].items()},
    )


def _families(own: Mapping[str, Any]) -> dict[str, Family]:
    """The families of a bank that has its own."""
    return {
        key: Family(do=tuple(body["do"]), moment=tuple(body["moment"]), need=tuple(body["need"]))
        for key, body in own.items()
    }


def _kin(own: Mapping[str, Any], lexicon: Lexicon) -> dict[str, str]:
    """English family key → family key of the bank."""
    if not own:
        return {key: key for key in lexicon.families}
    like = {english: key for key, body in own.items() for english in body["like"]}
    return {key: like.get(key, "general") for key in lexicon.families}


def _verbs(calls: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """First word of a call → its style, without those that several styles begin with."""
    styles: dict[str, set[str]] = {}
    for style, texts in calls.items():
        for text in texts:
            if first := _WORD.match(text):
                styles.setdefault(first[0].lower(), set()).add(style)
    return {word: min(found) for word, found in styles.items() if len(found) == 1}


def _shapes(lists: Mapping[str, Sequence[str]], *, toned: bool = False) -> dict[str, Shapes]:
    """The lists with each text parsed; in lists by tone, those under `any` have none."""
    return {
        key: tuple(Shape.parse(text, toned=toned and key != "any") for text in texts)
        for key, texts in lists.items()
    }
