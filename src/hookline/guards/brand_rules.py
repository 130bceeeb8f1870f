"""The `brand` guard: does the copy keep to the brand kit?"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import ClassVar

import regex

from hookline.guards.base import Guard
from hookline.guards.quantities import fold
from hookline.types import Brand, Brief, Product, Verdict

_EMOJI = regex.compile(
    r"\p{Emoji_Presentation}|\p{Regional_Indicator}|[0-9#*]\ufe0f?\u20e3"
    r"|[\p{Extended_Pictographic}--[©®™‼⁉〰〽㊗㊙]]",
    regex.V1,
)
_EXCLAMATION = {"!": 1, "！": 1, "¡": 0, "‼": 2, "❗": 1, "❕": 1, "⁉": 1, "﹗": 1}
_CAPITALS = regex.compile(r"(?<![\p{L}\p{N}])\p{Lu}[\p{Lu}'’]+(?![\p{L}\p{N}])")
_CAPITALS_RUN = regex.compile(rf"{_CAPITALS.pattern}(?:[ \-]+{_CAPITALS.pattern})*")
# "DIY" and "USA" are how these words are spelled; "SALE" is loud.
_LONGEST_ACRONYM = 3


class BrandRules(Guard):
    """Banned terms, glossary, disclaimers, exclamation marks, emoji and capitals.

    The kit's `restrictions` are words for writers and human reviewers; no rule here reads them.
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
            faults += self._shouting(part, text, brief)
        return tuple(faults) or self.passed()

    def _copy_faults(self, parts: Mapping[str, str], brand: Brand) -> Iterator[Verdict]:
        """What is wrong with the copy as a whole."""
        texts = [fold(text) for text in parts.values()]
        for trigger, sentence in brand.disclaimers.items():
            pattern = _term(trigger)
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
                if emoji := _EMOJI.search(text):
                    reason = f'The copy has the emoji "{emoji[0]}"; {brand.name} uses none.'
                    yield self.fault("emoji", reason, part)

    def _term_faults(self, part: str, text: str, brand: Brand) -> Iterator[Verdict]:
        folded = fold(text)
        for term in brand.banned_terms:
            if _term(term).search(folded):
                reason = f'The copy says "{term}", which {brand.name} never says.'
                yield self.fault("banned", reason, part)
        for wrong, right in brand.glossary.items():
            if _misspelled(wrong, right, text):
                reason = f'{brand.name} writes "{right}", not "{wrong}".'
                yield self.fault("glossary", reason, part)

    def _shouting(self, part: str, text: str, brief: Brief) -> Iterator[Verdict]:
        known = _own_capitals(*_own_texts(brief.product, brief.brand))
        for run in _CAPITALS_RUN.finditer(text):
            words = _CAPITALS.findall(run[0])
            new = [word for word in words if word not in known]
            if len(new) > 1 or any(len(word) > _LONGEST_ACRONYM for word in new):
                reason = f'"{run[0]}" is all in capitals; write it in small letters.'
                yield self.fault("shouting", reason, part)


@lru_cache(maxsize=4096)
def _term(term: str) -> re.Pattern[str]:
    """Finds the term in folded text: whole words, also with a plural or possessive ending."""
    words = (re.escape(word) for word in fold(term).split())
    return re.compile(rf"(?<![^\W_]){'[ -]+'.join(words)}(?:'s|s'?|es'?)?(?![^\W_])")


def _misspelled(wrong: str, right: str, text: str) -> bool:
    """Whether the wrong spelling stands outside of the right one.

    Case counts where it is the only difference between the two.
    """
    if fold(wrong) == fold(right):
        right_gone = text.replace(right, " ")
        return re.search(rf"(?<!\w){re.escape(wrong)}(?!\w)", right_gone) is not None
    return _term(wrong).search(_term(right).sub(" ", fold(text))) is not None


def _own_texts(product: Product, brand: Brand) -> tuple[str, ...]:
    texts = (product.title, product.description, product.brand, *product.highlights)
    return (*texts, *product.facts.values(), brand.name, *brand.glossary.values())


@lru_cache(maxsize=4096)
def _own_capitals(*texts: str) -> frozenset[str]:
    """The words in capitals that the shop itself writes so."""
    return frozenset(word for text in texts for word in _CAPITALS.findall(text))


def _ended(sentence: str) -> str:
    return sentence if sentence.rstrip('"').endswith((".", "!", "?")) else f"{sentence}."
