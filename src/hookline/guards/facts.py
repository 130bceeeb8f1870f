"""What a product's own text says, made comparable: what copy is held against."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from itertools import pairwise
from typing import Literal

from hookline.guards.quantities import Quantity, quantities
from hookline.types import Product
from hookline.words import fold, language_of, load, plain

Role = Literal["price", "saving", "discount", "measure"]
"""What a quantity says: what it costs, what is taken off it, or something about the product."""

# "20 off", but not "off-road".
_OFF = r"[ -]*off(?![^\W_])(?![ -](?:road|grid|piste|white|the)(?![^\W_]))"
_WORD_BEFORE = re.compile(r"([^\W\d_]+)[ -]$")
_WORDS_AFTER = re.compile(r"[ -]([^\W\d_]{3,})(?:[ -]([^\W\d_]{3,}))?(?:[ -]([^\W\d_]{3,}))?")
_REACH = 24  # characters; the longest phrase or word looked for before a number
# Words of a feed that copy may put as a number.
_IMPLIED = {
    "single": 1, "both": 2, "couple": 2, "double": 2, "dual": 2, "pair": 2, "twin": 2,
    "triple": 3, "trio": 3, "quad": 4,
}  # fmt: skip
_WORD = re.compile(r"#|[^\W_]+")
_ENDINGS = {
    "en": "ies|es|ed|ing|s|d|y|e",
    "de": "e[mnrs]?|n|s",
    "fr": "e?s|e",
    "es": "[aeo]s?|s",
}
_NEGATIVE_VALUES = frozenset(
    {"no", "false", "none", "0", "n", "n/a", "not available", "-"}
    | {"nein", "nicht vorhanden", "non", "aucun", "ninguno", "いいえ", "なし", "無"}
)
_COUNTS = frozenset({"count", "pack"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a product's text says.

    Attributes:
        text: All of it, folded, less what it denies.
        language: Language whose endings are cut off to make stems.
        words: Its words' stems in order, between blanks.
        joined: Every stem, and every two neighbours as one ("water proof", "waterproof").
        written: Every number as written, units aside.
        counts: Those of them that have no unit.
        measured: Every (kind, value in the base unit).
        offers: Every (role, value) in its title: some products are called "$25 Gift Card".
        codes: Tokens that mix letters and digits, and words with the number after them as one.
        beside: (side, stem) → numbers that it stands beside.
    """

    text: str
    language: str
    words: str
    joined: frozenset[str]
    written: frozenset[Decimal]
    counts: frozenset[Decimal]
    measured: frozenset[tuple[str, Decimal]]
    offers: frozenset[tuple[Role, Decimal]]
    codes: frozenset[str]
    beside: Mapping[tuple[str, str], frozenset[Decimal]]

    def say(self, words: str) -> bool:
        """Whether the product's text has these folded words in this order, endings aside."""
        if self.language == "ja":
            return words in self.text
        stems = _stems(words, self.language)
        in_order = f" {' '.join(stems)} " in self.words
        return bool(stems) and (in_order or "".join(stems) in self.joined)


def facts_of(product: Product, shop: str = "", language: str = "en") -> Facts:
    """What the product's text says, less what it denies ("Waterproof: No", "not washable").

    Args:
        product: The product.
        shop: Name of the shop, whose words and digits copy may use too.
        language: Language of the copy that is held against it.
    """
    attributes = tuple(
        f"{key}: {value}"
        for key, value in product.facts.items()
        if value.strip().casefold() not in _NEGATIVE_VALUES
    )
    texts = (product.title, product.description, product.brand, product.category, shop)
    return _read(language, language_of(product.locale), *texts, *attributes, *product.highlights)


@lru_cache(maxsize=4096)
def _read(language: str, feed_language: str, title: str, *others: str) -> Facts:
    text = " ; ".join(map(fold, (title, *others)))
    title = fold(title)
    said = _negated(feed_language).sub(" ; ", text)
    stems = _stems(said, language)
    found = quantities(text, feed_language)
    measures = [quantity for quantity in found if quantity.kind != "money"]
    implied = frozenset(Decimal(_IMPLIED[w]) for w in _WORD.findall(text) if w in _IMPLIED)
    beside: dict[tuple[str, str], frozenset[Decimal]] = {}
    for quantity in found:
        if quantity.kind == "count":
            for word in words_beside(quantity, text, language):
                beside[word] = beside.get(word, frozenset()) | quantity.written
    offers = quantities(title, feed_language)
    return Facts(
        text=said,
        language=language,
        words=f" {' '.join(stems)} ",
        joined=frozenset(stems) | {one + two for one, two in pairwise(stems)},
        written=implied.union(value for q in measures for value in q.written),
        counts=implied.union(value for q in measures if q.kind in _COUNTS for value in q.written),
        measured=frozenset((q.kind, value) for q in measures for value in q.values),
        offers=frozenset((role_of(q, title, feed_language), v) for q in offers for v in q.values),
        codes=frozenset(code for q in found if (code := q.code or name_with(q, text))),
        beside=beside,
    )


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What stands around an amount and tells whether it is a price or a reduction."""

    save_before: re.Pattern[str]
    off_after: re.Pattern[str]
    save_after: re.Pattern[str]


@cache
def _surroundings(language: str) -> _Surroundings:
    lists = load("facts", language)
    last = "" if language == "ja" else r"(?![^\W_])"
    more = (
        "(?: up to| over| an? extra| another| an additional| bis zu| jusqu'a| hasta(?: un)?| un)?"
    )
    return _Surroundings(
        save_before=re.compile(rf"(?:{plain(lists['save_before'])}){more} ?$"),
        off_after=re.compile(_OFF),
        save_after=re.compile(rf"{_OFF}|[ -]*(?:{plain(lists['off_after'])}){last}"),
    )


@cache
def _small_words(language: str) -> frozenset[str]:
    """Words that say nothing about a number beside them."""
    return frozenset(map(fold, load("facts", language)["small"]))


@cache
def _negated(language: str) -> re.Pattern[str]:
    """Finds what a text denies, with the one or two words that it denies."""
    if language == "ja":
        return re.compile(r"非\w+|\w+?(?:では|じゃ)(?:ありません|ない)|\w+?(?:できません|不可)")
    words = "|".join(map(fold, load("facts", language)["negated"]))
    return re.compile(rf"(?<![^\W_])(?:{words})(?: [^\W_]+){{1,2}}")


def role_of(quantity: Quantity, text: str, language: str = "en") -> Role:
    """What the quantity says, by its unit and by the words around it in the folded text."""
    around = _surroundings(language)
    saves = around.save_before.search(text[max(0, quantity.start - _REACH) : quantity.start])
    if quantity.kind == "count":
        # "Save 20" is about money, "saves 3 steps" is not.
        counted = any(side == "after" for side, _ in words_beside(quantity, text, language))
        lowers = (saves and not counted) or around.off_after.match(text, quantity.end)
        return "saving" if lowers else "measure"
    if quantity.kind not in ("money", "percent"):
        return "measure"
    after = around.save_after.match(text, quantity.end)
    if saves or after or text[quantity.start] == "-":
        return "saving" if quantity.kind == "money" else "discount"
    return "price" if quantity.kind == "money" else "measure"


def reduction_end(quantity: Quantity, text: str, language: str = "en") -> int:
    """Where "off" or a word like it ends after the quantity; its own end where there is none."""
    after = _surroundings(language).save_after.match(text, quantity.end)
    return after.end() if after else quantity.end


def words_beside(quantity: Quantity, text: str, language: str = "en") -> Iterator[tuple[str, str]]:
    """The word before the quantity and the three after it, as (side, stem); no small words."""
    small = _small_words(language)
    before = _WORD_BEFORE.search(text[max(0, quantity.start - _REACH) : quantity.start])
    after = _WORDS_AFTER.match(text, quantity.end)
    for side, match in (("before", before), ("after", after)):
        for word in match.groups() if match else ():
            if word and word not in small:
                yield side, _stem(word, language)


def name_with(quantity: Quantity, text: str) -> str:
    """The word before the number joined to it, as in "iphone12"; empty where there is none."""
    before = _WORD_BEFORE.search(text[max(0, quantity.start - _REACH) : quantity.start])
    digits = text[quantity.start : quantity.end]
    return before[1] + digits if before and digits.isdecimal() else ""


def _stems(text: str, language: str) -> list[str]:
    return [_stem(word, language) for word in _WORD.findall(text)]


def _stem(word: str, language: str) -> str:
    return _suffix(language).sub("", word) if len(word) > 3 else word


@cache
def _suffix(language: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=..)(?:{_ENDINGS.get(language, _ENDINGS['en'])})$")
