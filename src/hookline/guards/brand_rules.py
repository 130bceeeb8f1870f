"""The `brand` guard: does the copy keep to the brand kit?"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import ClassVar

import regex

from hookline.guards.base import Guard
from hookline.guards.restrictions import EMOJI, rule, said
from hookline.types import Brand, Brief, Product, Verdict
from hookline.words import fold, language_of, load

_EXCLAMATION = {"!": 1, "！": 1, "¡": 0, "‼": 2, "❗": 1, "❕": 1, "⁉": 1, "﹗": 1}
_CAPITALS = regex.compile(r"(?<![\p{L}\p{N}])\p{Lu}[\p{Lu}'’]+(?![\p{L}\p{N}])")
_CAPITALS_RUN = regex.compile(rf"{_CAPITALS.pattern}(?:[ \-]+{_CAPITALS.pattern})*")
# "DIY" and "USA" are how these words are spelled; "SALE" is loud.
_LONGEST_ACRONYM = 3
_TWO_FORMS = frozenset({"de", "fr", "es"})


class BrandRules(Guard):
    """Terms, glossary, disclaimers, restrictions, form of address, exclamations, emoji, capitals.

    Of the kit's `restrictions` and `voice` it keeps what needs no judgement, see
    `restrictions.rule`; the rest is for writers and human reviewers.
    """

    name: ClassVar[str] = "brand"

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - the kit is about one copy at a time
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        brand = brief.brand
        faults = [*self._copy_faults(parts, brand)]
        for part, text in parts.items():
            faults += self._term_faults(part, text, brand)
            faults += self._restricted(part, text, brief)
            faults += self._shouting(part, text, brief)
        faults += self._address(parts, brief)
        return tuple(faults) or self.passed()

    def _copy_faults(self, parts: Mapping[str, str], brand: Brand) -> Iterator[Verdict]:
        """What is wrong with the copy as a whole."""
        texts = [fold(text) for text in parts.values()]
        for trigger, sentence in brand.disclaimers.items():
            pattern = whole_words(trigger)
            if not any(fold(sentence) in text for text in texts) and any(
                pattern.search(text) for text in texts
            ):
                reason = f'Copy that says "{trigger}" must also say "{sentence}"'
                yield self.fault("disclaimer", _ended(reason))
        marks = sum(_EXCLAMATION.get(char, 0) for text in parts.values() for char in text)
        if marks > brand.max_exclamations:
            reason = (
                f"The copy has {marks} exclamation marks; "
                f"{brand.name} allows {brand.max_exclamations}."
            )
            yield self.fault("exclamations", reason)
        if not brand.emoji:
            for part, text in parts.items():
                if emoji := EMOJI.search(text):
                    reason = f'The copy has the emoji "{emoji[0]}"; {brand.name} uses none.'
                    yield self.fault("emoji", reason, part)

    def _term_faults(self, part: str, text: str, brand: Brand) -> Iterator[Verdict]:
        folded = fold(text)
        for term in brand.banned_terms:
            if whole_words(term).search(folded):
                reason = f'The copy says "{term}", which {brand.name} never says.'
                yield self.fault("banned", reason, part)
        for wrong, right in brand.glossary.items():
            if misspelled(wrong, right, text):
                reason = f'{brand.name} writes "{right}", not "{wrong}".'
                yield self.fault("glossary", reason, part)

    def _restricted(self, part: str, text: str, brief: Brief) -> Iterator[Verdict]:
        """What the kit's restrictions forbid, whether it is true or not."""
        folded, language = fold(text), language_of(brief.locale)
        for restriction in brief.brand.restrictions:
            kept = rule(restriction)
            if kept is None:
                continue
            found = next((word for word in kept.words if whole_words(word).search(folded)), "")
            for kind in kept.kinds:
                found = found or said(kind, text, language)
            if found:
                reason = f'The copy says "{found}"; {brief.brand.name} has the rule: {restriction}'
                yield self.fault("restriction", _ended(reason), part)

    def _address(self, parts: Mapping[str, str], brief: Brief) -> Iterator[Verdict]:
        """Whether the reader is addressed as the voice has it, and the same way throughout."""
        text = " . ".join(parts.values())
        polite, familiar = _addresses(language_of(brief.locale))
        says_polite, says_familiar = polite.search(text), familiar.search(text)
        voice = {fold(word) for word in brief.brand.voice}
        if says_polite and says_familiar:
            said_both = f'"{says_polite[0]}" and "{says_familiar[0]}"'
            yield self.fault("address", f"The copy says {said_both}; address the reader one way.")
        elif says_familiar and "formal" in voice:
            reason = (
                f'The copy says "{says_familiar[0]}"; the voice of {brief.brand.name} is formal.'
            )
            yield self.fault("address", reason)
        elif says_polite and "informal" in voice:
            reason = (
                f'The copy says "{says_polite[0]}"; the voice of {brief.brand.name} is informal.'
            )
            yield self.fault("address", reason)

    def _shouting(self, part: str, text: str, brief: Brief) -> Iterator[Verdict]:
        known = _own_capitals(*_own_texts(brief.product, brief.brand))
        for run in _CAPITALS_RUN.finditer(text):
            words = _CAPITALS.findall(run[0])
            new = [word for word in words if word not in known]
            if len(new) > 1 or any(len(word) > _LONGEST_ACRONYM for word in new):
                reason = f'"{run[0]}" is all in capitals; write it in small letters.'
                yield self.fault("shouting", reason, part)


@lru_cache(maxsize=4096)
def whole_words(words: str) -> re.Pattern[str]:
    """Finds the term in folded text: whole words, also with a plural or possessive ending."""
    escaped = (re.escape(word) for word in fold(words).split())
    return re.compile(rf"(?<![^\W_]){'[ -]+'.join(escaped)}(?:'s|s'?|es'?)?(?![^\W_])")


@cache
def _addresses(language: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Finds polite and familiar address; nothing in languages that have one form only."""
    polite = familiar = "(?!)"
    if language in _TWO_FORMS:
        forms = load("address", language)
        polite, familiar = "|".join(forms["polite"]), "|".join(forms["familiar"])
    return re.compile(rf"(?<!\w)(?:{polite})(?!\w)"), re.compile(
        rf"(?<!\w)(?:{familiar})(?!\w)", re.IGNORECASE
    )


def misspelled(wrong: str, right: str, text: str) -> bool:
    """Whether the wrong spelling stands outside of the right one.

    Case counts where it is the only difference between the two.
    """
    if fold(wrong) == fold(right):
        right_gone = text.replace(right, " ")
        return re.search(rf"(?<!\w){re.escape(wrong)}(?!\w)", right_gone) is not None
    return whole_words(wrong).search(whole_words(right).sub(" ", fold(text))) is not None


def _own_texts(product: Product, brand: Brand) -> tuple[str, ...]:
    texts = (product.title, product.description, product.brand, *product.highlights)
    return (*texts, *product.facts.values(), brand.name, *brand.glossary.values())


@lru_cache(maxsize=4096)
def _own_capitals(*texts: str) -> frozenset[str]:
    """The words in capitals that the shop itself writes so."""
    return frozenset(word for text in texts for word in _CAPITALS.findall(text))


def _ended(sentence: str) -> str:
    return sentence if sentence.rstrip('"').endswith((".", "!", "?")) else f"{sentence}."
