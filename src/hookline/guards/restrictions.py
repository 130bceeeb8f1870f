"""Message restrictions of a brand kit, as far as a rule can keep them.

A restriction is a sentence for writers and people. Two kinds of it need no judgement: one that
quotes words ("Do not say “cheap”"), and one that forbids a kind of claim or sign by name ("No
prices", "Never make health claims", "No questions"). All others are for people: `unchecked` lists
them, so that nobody takes silence for approval.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import regex

from hookline.guards.quantities import quantities
from hookline.types import Brand
from hookline.words import compiled, fold, load_file, pattern

EMOJI: Final = regex.compile(
    r"\p{Emoji_Presentation}|\p{Regional_Indicator}|[0-9#*]\ufe0f?\u20e3"
    r"|[\p{Extended_Pictographic}--[©®™‼⁉〰〽㊗㊙]]",
    regex.V1,
)
_QUOTED: Final = re.compile(
    r"[\"“„«「『]([^\"“”„«»「」『』]+)[\"”“»」』]|(?<!\w)['‘]([^'’]+)['’](?!\w)"
)
_SIGNS: Final = {
    "question": re.compile(r"[?？]|¿"),
    "exclamation": re.compile(r"[!！¡‼❗❕⁉]"),
}
# Kinds of restriction whose claims the word lists keep under more than one name.
_CLAIMS: Final = {
    "sale": ("sale", "half", "third", "quarter"),
    "stock": ("stock", "in_stock", "preorder", "exclusive"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What one restriction forbids.

    Attributes:
        words: Words or phrases that it quotes.
        kinds: Kinds of claim or sign that it names, see `words/restrictions.toml`.
    """

    words: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def rule(restriction: str) -> Rule | None:
    """What the restriction forbids; None where that takes judgement.

    Examples:
        >>> rule("Never say “cheap” or “budget”.").words
        ('cheap', 'budget')
        >>> rule("No health claims, no prices.").kinds
        ('price', 'health')
        >>> rule("Respect the reader.") is None
        True
    """
    folded = fold(restriction)
    if not _forbids(folded):
        return None
    words = tuple(one or other for one, other in _QUOTED.findall(restriction))
    plain = fold(_QUOTED.sub(" ", restriction))
    kinds = tuple(kind for kind, named in _kinds().items() if any(n.search(plain) for n in named))
    return Rule(words, () if words else kinds) if words or kinds else None


def unchecked(brand: Brand) -> tuple[str, ...]:
    """The restrictions of the kit that no rule reads, for people to keep."""
    return tuple(text for text in brand.restrictions if rule(text) is None)


def said(kind: str, text: str, language: str) -> str:
    """What the text says of that kind, true or not; empty where it says nothing of it."""
    if kind in _SIGNS:
        found = _SIGNS[kind].search(text)
        return found[0] if found else ""
    if kind == "emoji":
        emoji = EMOJI.search(text)
        return emoji[0] if emoji else ""
    folded = fold(text)
    if kind in {"number", "price"}:
        return next(_quantities(kind, folded, language), "")
    for name in _CLAIMS.get(kind, (kind,)):
        if found := pattern("claims", f"claims.{name}", language).search(folded):
            return found[0]
    return ""


def _quantities(kind: str, folded: str, language: str) -> Iterator[str]:
    for quantity in quantities(folded, language):
        if kind == "number" or quantity.kind == "money":
            yield folded[quantity.start : quantity.end]


def _forbids(folded: str) -> bool:
    """Whether a restriction forbids something outright, without an exception."""
    lists = load_file("restrictions")
    spaced, run_on = compiled(lists["never"], "en"), compiled(lists["never_ja"], "ja")
    excepted = compiled(lists["unless"], "en").search(folded) or "以外" in folded
    return not excepted and bool(spaced.search(folded) or run_on.search(folded))


@cache
def _kinds() -> Mapping[str, tuple[re.Pattern[str], ...]]:
    listed: Mapping[str, list[str]] = load_file("restrictions")["kinds"]
    return {
        kind: (
            compiled([word for word in words if not _japanese(word)], "en"),
            compiled([word for word in words if _japanese(word)], "ja"),
        )
        for kind, words in listed.items()
    }


def _japanese(word: str) -> bool:
    return re.search(r"[\u3040-\u30ff\u3400-\u9fff]", word) is not None
