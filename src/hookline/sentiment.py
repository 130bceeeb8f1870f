"""How a text feels, as a number: words and their weights, negation, emphasis and relief.

score = s / √(s² + 1), with s the sum of the words' weights

so that one mild word says about .24, two .45, one clear word .57, one strong word .71, and no
number of words more than 1: every target up to .75 lies within `BAND` of what a few words can say.
The form is VADER's (Hutto & Gilbert 2014, ICWSM); the lexicons are our own, for copy: a shop's
"waterproof", "free" or "killer look" are no feelings, nor is a set call to action ("treat
yourself"), and a trouble that is named to say that it is over ("no fuss", "goodbye to stress")
counts half as much for the copy as it would count against it. It reads words, not meaning: irony
and what lies between the lines are lost.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from math import sqrt
from typing import Final

from hookline.words import LANGUAGES, fold, language_of, load

BAND: Final = 0.15
"""How far a score may lie from the target it was asked to have."""

_STEPS: Final = {3: 1.0, 2: 0.7, 1: 0.25, -1: -0.25, -2: -0.7, -3: -1.0}
_RELIEF: Final = -0.5
_NEGATED: Final = -0.6
_BOOST, _DAMP = 1.3, 0.6
_REACH: Final = 3  # words before a feeling that may turn it round
_REACH_JAPANESE: Final = 5  # characters after one
_EXCLAMATION: Final = 0.1
_TOKEN: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|[.!?;:,|]")
_STOPS: Final = frozenset(".!?;:|")
_LEAST_STEM: Final = 2


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """The words of one language: whole ones, stems, and what changes the weight of a neighbour."""

    words: Mapping[str, float]
    stems: Mapping[str, float]
    negations: frozenset[str]
    boosters: frozenset[str]
    dampers: frozenset[str]
    reliefs: frozenset[str]
    relief_stems: tuple[str, ...]
    neutral: re.Pattern[str]
    any_word: re.Pattern[str]


def score(text: str, locale: str = "en") -> float:
    """How the text feels, from -1 (bleak) over 0 (even) to 1 (delighted).

    Args:
        text: Copy; several fields joined by " | ".
        locale: BCP 47 tag of its language; one without a lexicon is read as English.

    Examples:
        >>> score("A lovely bag for happy mornings") > score("A good bag") > score("A bag") == 0
        True
        >>> score("A dull bag") < 0 < score("No fuss, no stress")
        True
        >>> score("Waterproof. Free returns. A killer look") < 0.4
        True
    """
    language = language_of(locale)
    return _score(fold(text), language if language in LANGUAGES else "en")


def missed_by(text: str, locale: str, target: float | None) -> float:
    """How far the text's score lies from the one asked for, 0 to 2; 0 where none is.

    Args:
        text: As for `score`, likewise locale.
        locale: BCP 47 tag of its language.
        target: Score asked for, -1 to 1.
    """
    return 0.0 if target is None else abs(score(text, locale) - target)


@lru_cache(maxsize=8192)
def _score(folded: str, language: str) -> float:
    lexicon = _lexicon(language)
    plain = lexicon.neutral.sub(" ", folded)
    found = _japanese(plain, lexicon) if language == "ja" else _weights(plain, lexicon)
    total = sum(found)
    if total:
        total += (1 if total > 0 else -1) * _EXCLAMATION * min(folded.count("!"), 2)
    return total / sqrt(total * total + 1)


def _weights(folded: str, lexicon: _Lexicon) -> Iterator[float]:
    """The weight of every word that feels, changed by the words before it in its sentence."""
    tokens: list[str] = _TOKEN.findall(folded)
    for place, token in enumerate(tokens):
        weight = _weight(token, lexicon)
        if not weight:
            continue
        before = _before(tokens, place)
        around = [*before, *tokens[place + 1 : place + 2]]
        if weight < 0 and any(_relieves(word, lexicon) for word in around):
            yield weight * _RELIEF
            continue
        if any(word in lexicon.negations for word in before):
            weight *= _RELIEF if weight < 0 else _NEGATED
        if before and before[0] in lexicon.boosters:
            weight *= _BOOST
        elif before and before[0] in lexicon.dampers:
            weight *= _DAMP
        yield weight


def _before(tokens: list[str], place: int) -> list[str]:
    """The words that may change the one in this place, nearest first."""
    words: list[str] = []
    for word in reversed(tokens[:place]):
        if word in _STOPS or len(words) == _REACH:
            break
        if word != ",":
            words.append(word)
    return words


def _weight(token: str, lexicon: _Lexicon) -> float:
    if token in lexicon.words:
        return lexicon.words[token]
    for size in range(len(token), _LEAST_STEM, -1):
        if token[:size] in lexicon.stems:
            return lexicon.stems[token[:size]]
    return 0.0


def _relieves(word: str, lexicon: _Lexicon) -> bool:
    return word in lexicon.reliefs or word.startswith(lexicon.relief_stems)


def _japanese(folded: str, lexicon: _Lexicon) -> Iterator[float]:
    """The weights where words run together and negation follows the word."""
    for word in lexicon.any_word.finditer(folded):
        weight = lexicon.words[word[0]]
        after = re.split(r"[。、!?|\s]", folded[word.end() :], maxsplit=1)[0][:_REACH_JAPANESE]
        before = folded[max(0, word.start() - _REACH_JAPANESE) : word.start()]
        around = folded[max(0, word.start() - 12) : word.end() + 12]
        if weight < 0 and any(relief in around for relief in lexicon.reliefs):
            weight *= _RELIEF
        elif any(negation in after for negation in lexicon.negations):
            weight *= _RELIEF if weight < 0 else _NEGATED
        if any(before.endswith(booster) for booster in lexicon.boosters):
            weight *= _BOOST
        elif any(before.endswith(damper) for damper in lexicon.dampers):
            weight *= _DAMP
        yield weight


@cache
def _lexicon(language: str) -> _Lexicon:
    lists = load("sentiment", language)
    weights = {
        fold(word): _STEPS[int(step)] for step, ws in lists["weights"].items() for word in ws
    }
    words = {word: weight for word, weight in weights.items() if not word.endswith("*")}
    stems = {word[:-1]: weight for word, weight in weights.items() if word.endswith("*")}
    reliefs = [fold(word) for word in lists["reliefs"]]
    neutral = "|".join(re.escape(fold(phrase)) for phrase in lists["neutral"])
    return _Lexicon(
        words=words,
        stems=stems,
        negations=frozenset(map(fold, lists["negations"])),
        boosters=frozenset(map(fold, lists["boosters"])),
        dampers=frozenset(map(fold, lists["dampers"])),
        reliefs=frozenset(word for word in reliefs if not word.endswith("*")),
        relief_stems=tuple(word[:-1] for word in reliefs if word.endswith("*")),
        neutral=re.compile(neutral if language == "ja" else rf"(?<![^\W_])(?:{neutral})(?![^\W_])"),
        any_word=re.compile("|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))),
    )
