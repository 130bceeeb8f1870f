"""The `readability` guard: is the copy as easy to read as the brand wants it?"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import ClassVar, Final

import regex

from hookline.guards.base import Guard
from hookline.types import Brief, Verdict
from hookline.words import fold, language_of

# Language → (base, points per word of a sentence, points per syllable of a word).
_FORMULAS: Final = {
    "en": (206.835, 1.015, 84.6),  # Flesch 1948
    "de": (180.0, 1.0, 58.5),  # Amstad 1978
    "fr": (207.0, 1.015, 73.6),  # Kandel & Moles 1958
    "es": (206.84, 1.02, 60.0),  # Fernández Huerta 1959
}
_SENTENCES: Final = re.compile(r"[.!?;:|]+(?:\s|$)|[。！？|]")
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_VOWELS: Final = re.compile(r"[aeiouy]+")
# Vowels that are written and not spoken.
_SILENT: Final = {
    "en": re.compile(r"(?<=[^aeiouy])(?:es|ed|e)$(?<!les)(?<!le)(?<!ted)(?<!ded)"),
    "fr": re.compile(r"(?<=[^aeiouy])(?:es|e|ent)$"),
}
_KANJI: Final = regex.compile(r"\p{Han}")
_JAPANESE_LETTER: Final = regex.compile(r"[\p{L}ー]")
_FEWEST_WORDS: Final = 5


class Readability(Guard):
    """The reading ease of the whole copy is at least the brand's, where it sets one.

    Copy of fewer than five words passes: no formula tells anything about it.
    """

    name: ClassVar[str] = "readability"

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - an ease does not depend on other copy
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        least = brief.brand.min_ease
        found = None if least is None else ease(" | ".join(parts.values()), brief.locale)
        if least is None or found is None or found >= least:
            return self.passed()
        reason = (
            f"The copy's reading ease is {found:.0f}; {brief.brand.name} wants {least:.0f} or "
            "more. Use shorter words and sentences."
        )
        return (self.fault("hard", reason),)


@lru_cache(maxsize=8192)
def ease(text: str, locale: str = "en") -> float | None:
    """Reading ease from 0 (hard) to 100 (easy); None where too few words say nothing.

    Flesch's formula with the weights that each language has its own study for, and syllables
    counted as runs of vowels. Japanese has no such formula for single lines: there it is 100 less
    the characters of the longest sentence, and half a point for each percent of kanji above 40.

    Args:
        text: Copy; fields joined by " | " are sentences of their own.
        locale: BCP 47 tag of its language; a language without a study is read as English.

    Examples:
        >>> ease("A bag for the long way home") > ease(
        ...     "Organisational compartmentalisation for it all"
        ... )
        True
        >>> ease("Shop now") is None
        True
    """
    language = language_of(locale)
    if language == "ja":
        return _ease_in_japanese(text)
    folded = fold(text)
    words: list[str] = _WORD.findall(folded)
    if len(words) < _FEWEST_WORDS:
        return None
    sentences = sum(1 for part in _SENTENCES.split(folded) if _WORD.search(part))
    base, per_word, per_syllable = _FORMULAS.get(language, _FORMULAS["en"])
    syllables = sum(_syllables(word, language) for word in words) / len(words)
    found = base - per_word * len(words) / max(sentences, 1) - per_syllable * syllables
    return min(max(found, 0.0), 100.0)


def _syllables(word: str, language: str) -> int:
    silent = _SILENT.get(language)
    spoken = silent.sub("", word) if silent and len(word) > 3 else word
    return max(1, len(_VOWELS.findall(spoken)))


def _ease_in_japanese(text: str) -> float | None:
    sentences = [part for part in _SENTENCES.split(text) if _JAPANESE_LETTER.search(part)]
    letters = sum(len(_JAPANESE_LETTER.findall(part)) for part in sentences)
    if letters < 2 * _FEWEST_WORDS:
        return None
    kanji = 100 * len(_KANJI.findall(text)) / letters
    longest = max(len(_JAPANESE_LETTER.findall(part)) for part in sentences)
    return min(max(100 - longest - max(0.0, kanji - 40) / 2, 0.0), 100.0)
