"""The `language` guard: is the copy in the language it was asked in?

Words and spellings vote for the languages they belong to; the product's own words have no vote.
Lines are short, so a copy fails only where another language clearly wins. What an identifier
trained on longer text does on the same lines is in docs/guards.md.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, ClassVar, Final

import regex

from hookline.guards.base import Guard
from hookline.types import Brief, Verdict
from hookline.words import LANGUAGES, fold, language_of, load, load_file

_NAMES: Final = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian",
    "pt": "Portuguese", "nl": "Dutch", "ja": "Japanese",
}  # fmt: skip
_JAPANESE = regex.compile(r"[\p{Hiragana}\p{Katakana}\p{Han}ー]")
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_LATIN = regex.compile(r"\p{Latin}")
_RUN = regex.compile(r"\p{Latin}+|[\p{Han}\p{Hiragana}\p{Katakana}ー]+|\p{L}+")
_BREAKS = re.compile(r"[。！？.!?|]")
_LETTER = regex.compile(r"\p{L}")
_TOKEN = re.compile(r"[^\W\d_]+")
_PLAIN_WORDS = re.compile(r"[\w ]+?(?:\\w\*|\*)?")
# Languages written in Latin letters that the guard can judge.
_LATIN_WRITTEN: Final = frozenset({"en", "de", "fr", "es", "it", "pt", "nl"})

_LEAD: Final = 0.9
_TIMES, _OVER = 1.5, 0.4
_LISTED, _SHAPE, _MOST_SHAPES = 0.7, 0.25, 4
# Kanji without kana may be a label; more of them than this are Chinese.
_LONGEST_LABEL: Final = 8
_FOREIGN_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Votes:
    """What votes for which language: common words, listed words, and shapes of words."""

    common: Mapping[str, tuple[str, ...]]
    listed: Mapping[str, tuple[str, ...]]
    shapes: Mapping[str, re.Pattern[str]]


class Language(Guard):
    """Words, spelling and letters of the copy are those of the brief's locale."""

    name: ClassVar[str] = "language"

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - a language does not depend on other copy
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        asked = language_of(brief.locale)
        own = _own_words(*_own_texts(brief))
        text = " . ".join(parts.values())
        if fault := _script_fault(text, asked, own):
            return (self.fault("script", fault),)
        seen = other_language(text, asked, own)
        if seen is None:
            return self.passed()
        reason = f"The copy reads as {_NAMES[seen]}; it was asked for in {_named(asked)}."
        return (self.fault("wrong", reason),)


def other_language(text: str, asked: str, own: frozenset[str] = frozenset()) -> str | None:
    """The language other than `asked` that the text is clearly in; None where it may be `asked`.

    Args:
        text: Text in Latin letters.
        asked: Two-letter code.
        own: Folded words that tell nothing: names, and what the product is called.

    Examples:
        >>> other_language("Der Rucksack für jeden Tag", "en")
        'de'
        >>> other_language("The backpack for every day", "en") is None
        True
    """
    if asked not in _LATIN_WRITTEN:
        return None
    words = [word for word in _TOKEN.findall(fold(text)) if word not in own]
    votes = _votes()
    counts = dict.fromkeys(_LATIN_WRITTEN, 0.0)
    for word in words:
        if languages := votes.common.get(word):
            for language in languages:
                counts[language] += 1 / len(languages)
        elif languages := votes.listed.get(word):
            for language in languages:
                counts[language] += _LISTED / len(languages)
    if counts[asked] >= max(counts.values()) > 0:  # the usual case, and quick
        return None
    shown = " ".join(word for word in text.casefold().split() if fold(word) not in own)
    for language, shape in votes.shapes.items():
        counts[language] += _SHAPE * min(len(shape.findall(shown)), _MOST_SHAPES)
    best = max(counts, key=lambda language: (counts[language], language))
    clear = counts[best] - counts[asked] >= _LEAD
    return best if clear and counts[best] >= _TIMES * counts[asked] + _OVER else None


def _script_fault(text: str, asked: str, own: frozenset[str]) -> str:
    """What is wrong with the letters of the text; empty where nothing is."""
    plain = _RUN.sub(lambda run: "" if fold(run[0]) in own else run[0], text)
    letters = len(_LETTER.findall(plain))
    if asked == "ja":
        japanese = len(_JAPANESE.findall(plain))
        if letters and japanese < _FOREIGN_SHARE * letters:
            return "The copy is not written in Japanese."
        runs = [part for part in _BREAKS.split(plain) if not _KANA.search(part)]
        if any(len(_JAPANESE.findall(part)) >= _LONGEST_LABEL for part in runs):
            return "The copy has no kana, so it reads as Chinese; it was asked for in Japanese."
    elif asked in _LATIN_WRITTEN:
        foreign = letters - len(_LATIN.findall(plain))
        if letters and foreign > _FOREIGN_SHARE * letters:
            return f"The copy is not in the letters that {_named(asked)} is written in."
    return ""


def _own_texts(brief: Brief) -> tuple[str, ...]:
    """What the shop calls things: texts whose words belong to no language."""
    product = brief.product
    texts = (product.title, product.brand, product.category, brief.brand.name)
    return (*texts, *product.facts.values(), *product.facts, *product.highlights)


@lru_cache(maxsize=4096)
def _own_words(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in _TOKEN.findall(fold(text)))


@cache
def _votes() -> _Votes:
    lists = dict(load_file("languages"))
    shapes: Mapping[str, str] = lists.pop("shapes")
    common: dict[str, list[str]] = {}
    for language, words in lists.items():
        for word in dict.fromkeys(token for w in words for token in _TOKEN.findall(fold(w))):
            common.setdefault(word, []).append(language)
    listed: dict[str, list[str]] = {}
    for language in LANGUAGES:
        for word in _listed_words(language) if language != "ja" else ():
            listed.setdefault(word, []).append(language)
    return _Votes(
        common={word: tuple(languages) for word, languages in common.items()},
        listed={word: tuple(languages) for word, languages in listed.items()},
        shapes={name: re.compile(shape) for name, shape in shapes.items()},
    )


def _listed_words(language: str) -> set[str]:
    """The plain words of the lists that other readers of copy use."""
    cues, feelings = load("cues", language), load("sentiment", language)
    groups: list[Any] = [*cues["angles"].values(), *cues["tones"].values()]
    groups += [*cues["calls"].values(), *feelings["weights"].values()]
    entries = (entry for group in groups for entry in group if _PLAIN_WORDS.fullmatch(entry))
    return {word for e in entries for word in _TOKEN.findall(fold(e.replace(r"\w*", "")))}


def _named(language: str) -> str:
    return _NAMES.get(language, language)
