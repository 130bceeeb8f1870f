"""The kinds of claim that words can make, and the words that make them in each language.

The words are data: `words/claims.<language>.toml`, patterns by kind. A new claim in words is one
more pattern there; a new kind is one more row in `KINDS` as well. A claim stands if the product's
own text has the same words. Earlier kinds win where two match the same words.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from hookline.words import load, pattern


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of claim.

    Attributes:
        name: Key of its patterns in the word lists.
        code: Second half of the verdict's code.
        lacks: What the feed would need, to end 'The copy says "...", but'.
        proof: What backs it besides the same words: a sale price, or the availability.
        percent: Reduction that backs it; 0 for claims that are about none.
    """

    name: str
    code: str
    lacks: str
    proof: Literal["", "sale", "in_stock", "preorder"] = ""
    percent: int = 0


KINDS: Final = (
    Kind("award", "award", "the feed names no award"),
    Kind("authority", "authority", "the feed names nobody who vouches for it"),
    Kind("rating", "rating", "the feed has no ratings"),
    Kind("popularity", "popularity", "the feed does not say so"),
    Kind("superlative", "superlative", "the feed makes no such claim"),
    Kind("comparison", "comparison", "the feed makes no comparison"),
    Kind("guarantee", "guarantee", "the feed promises no such thing"),
    Kind("shipping", "shipping", "the feed says nothing of shipping"),
    Kind("free_of", "feature", "the feed does not say that it is free of it"),
    Kind("free", "free", "the feed gives nothing away"),
    Kind("date", "date", "the feed gives no such date"),
    Kind("urgency", "urgency", "the feed sets no date or limit"),
    Kind("stock", "stock", "the feed gives no stock count"),
    Kind("in_stock", "stock", "the feed does not say that it is in stock", "in_stock"),
    Kind("preorder", "stock", "the feed does not offer it for pre-order", "preorder"),
    Kind("exclusive", "stock", "the feed does not say so"),
    Kind("half", "discount", "the feed's prices are not 50% apart", percent=50),
    Kind("third", "discount", "the feed's prices are not a third apart", percent=33),
    Kind("quarter", "discount", "the feed's prices are not a quarter apart", percent=25),
    Kind("sale", "sale", "the feed gives no sale price for this product", "sale"),
    Kind("health", "health", "the feed makes no such health claim"),
    Kind("environment", "environment", "the feed makes no such environmental claim"),
    Kind("feature", "feature", "the feed does not say that it is"),
    Kind("material", "material", "the feed names no such material"),
    Kind("origin", "origin", "the feed does not say where it is made"),
)
SIGNS: Final = (
    (KINDS[0], re.compile("[🥇🏆🏅]")),
    (KINDS[2], re.compile("[★⭐🌟]{2,}")),
)
"""Kinds of claim that a sign makes in every language."""


@cache
def claims_in(language: str) -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """Every kind of claim with what finds it in folded text of the language."""
    listed = load("claims", language)["claims"]
    named = (
        (kind, pattern("claims", f"claims.{kind.name}", language))
        for kind in KINDS
        if kind.name in listed
    )
    return (*named, *SIGNS)


def idioms(language: str) -> re.Pattern[str]:
    """Finds words of a claim where they claim nothing, as in "feel free"."""
    return pattern("claims", "idioms.any", language)
