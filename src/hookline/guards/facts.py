"""What a product's own text says, made comparable: what copy is held against."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from hookline.guards.quantities import Quantity, fold, quantities
from hookline.types import Product

Role = Literal["price", "saving", "discount", "measure"]
"""What a quantity says: what it costs, what is taken off it, or something about the product."""

# What stands around an amount tells whether it is a price or a reduction.
_SAVE_BEFORE = re.compile(
    r"(?:saves?|saving|savings of|discount of|reduced by|minus)"
    r"(?: up to| over| an? extra| another| an additional)? ?$"
)
_OFF_AFTER = re.compile(r"[ -]*off(?![^\W_])(?![ -](?:road|grid|piste|white|the)(?![^\W_]))")
_SAVE_AFTER = re.compile(
    rf"{_OFF_AFTER.pattern}|[ -]*(?:discount|savings?|saved|cheaper|reduction|rebate|cash ?back|"
    r"voucher|coupon|markdown|less(?! ?[^\W\d_]))(?![^\W_])"
)
_WORD_BEFORE = re.compile(r"([^\W\d_]+)[ -]$")
_WORDS_AFTER = re.compile(r"[ -]([^\W\d_]{3,})(?:[ -]([^\W\d_]{3,}))?(?:[ -]([^\W\d_]{3,}))?")
_REACH = 24  # characters; the longest phrase or word looked for before a number
_SMALL_WORDS = re.compile(
    "a|all|an|and|are|at|but|by|can|d|down|each|for|from|h|has|have|in|into|is|it|its|just|l|more|"
    "not|now|of|off|on|only|or|our|out|over|per|plus|than|that|the|their|them|then|this|to|today|"
    "too|under|up|w|was|will|with|x|you|your"
)
# Words of a feed that copy may put as a number.
_IMPLIED = {
    "single": 1, "both": 2, "couple": 2, "double": 2, "dual": 2, "pair": 2, "twin": 2,
    "triple": 3, "trio": 3, "quad": 4,
}  # fmt: skip
_WORD = re.compile(r"#|[^\W_]+")
_SUFFIX = re.compile(r"(?<=..)(?:ies|es|ed|ing|s|d|y|e)$")
_NEGATED = re.compile(
    r"(?<![^\W_])(?:not|isn't|aren't|doesn't|don't|never|without)(?: [^\W_]+){1,2}"
)
_NEGATIVE_VALUES = frozenset({"no", "false", "none", "0", "n", "n/a", "not available", "-"})
_COUNTS = frozenset({"count", "pack"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a product's text says.

    Attributes:
        words: Its words' stems in order, between blanks.
        joined: Every stem, and every two neighbours as one ("water proof", "waterproof").
        written: Every number as written, units aside.
        counts: Those of them that have no unit.
        measured: Every (kind, value in the base unit).
        offers: Every (role, value) in its title: some products are called "$25 Gift Card".
        codes: Tokens that mix letters and digits, and words with the number after them as one.
        beside: (side, stem) → numbers that it stands beside.
    """

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
        stems = _stems(words)
        in_order = f" {' '.join(stems)} " in self.words
        return bool(stems) and (in_order or "".join(stems) in self.joined)


def facts_of(product: Product, shop: str = "") -> Facts:
    """What the product's text says, less what it denies ("Waterproof: No", "not washable").

    Args:
        product: The product.
        shop: Name of the shop, whose words and digits copy may use too.
    """
    attributes = tuple(
        f"{key}: {value}"
        for key, value in product.facts.items()
        if value.strip().casefold() not in _NEGATIVE_VALUES
    )
    texts = (product.title, product.description, product.brand, product.category, shop)
    return _read(*texts, *attributes, *product.highlights)


@lru_cache(maxsize=4096)
def _read(title: str, *others: str) -> Facts:
    text = " ; ".join(map(fold, (title, *others)))
    title = fold(title)
    stems = _stems(_NEGATED.sub(" ; ", text))
    found = quantities(text)
    measures = [quantity for quantity in found if quantity.kind != "money"]
    implied = frozenset(Decimal(_IMPLIED[w]) for w in _WORD.findall(text) if w in _IMPLIED)
    beside: dict[tuple[str, str], frozenset[Decimal]] = {}
    for quantity in found:
        if quantity.kind == "count":
            for word in words_beside(quantity, text):
                beside[word] = beside.get(word, frozenset()) | quantity.written
    return Facts(
        words=f" {' '.join(stems)} ",
        joined=frozenset(stems) | {one + two for one, two in pairwise(stems)},
        written=implied.union(value for q in measures for value in q.written),
        counts=implied.union(value for q in measures if q.kind in _COUNTS for value in q.written),
        measured=frozenset((q.kind, value) for q in measures for value in q.values),
        offers=frozenset((role_of(q, title), v) for q in quantities(title) for v in q.values),
        codes=frozenset(code for q in found if (code := q.code or name_with(q, text))),
        beside=beside,
    )


def role_of(quantity: Quantity, text: str) -> Role:
    """What the quantity says, by its unit and by the words around it in the folded text."""
    saves = _SAVE_BEFORE.search(text[max(0, quantity.start - _REACH) : quantity.start])
    if quantity.kind == "count":
        # "Save 20" is about money, "saves 3 steps" is not.
        counted = any(side == "after" for side, _ in words_beside(quantity, text))
        lowers = (saves and not counted) or _OFF_AFTER.match(text, quantity.end)
        return "saving" if lowers else "measure"
    if quantity.kind not in ("money", "percent"):
        return "measure"
    if saves or _SAVE_AFTER.match(text, quantity.end) or text[quantity.start] == "-":
        return "saving" if quantity.kind == "money" else "discount"
    return "price" if quantity.kind == "money" else "measure"


def reduction_end(quantity: Quantity, text: str) -> int:
    """Where "off" or a word like it ends after the quantity; its own end where there is none."""
    after = _SAVE_AFTER.match(text, quantity.end)
    return after.end() if after else quantity.end


def words_beside(quantity: Quantity, text: str) -> Iterator[tuple[str, str]]:
    """The word before the quantity and the three after it, as (side, stem); no small words."""
    before = _WORD_BEFORE.search(text[max(0, quantity.start - _REACH) : quantity.start])
    after = _WORDS_AFTER.match(text, quantity.end)
    for side, match in (("before", before), ("after", after)):
        for word in match.groups() if match else ():
            if word and not _SMALL_WORDS.fullmatch(word):
                yield side, _stem(word)


def name_with(quantity: Quantity, text: str) -> str:
    """The word before the number joined to it, as in "iphone12"; empty where there is none."""
    before = _WORD_BEFORE.search(text[max(0, quantity.start - _REACH) : quantity.start])
    digits = text[quantity.start : quantity.end]
    return before[1] + digits if before and digits.isdecimal() else ""


def _stems(text: str) -> list[str]:
    return [_stem(word) for word in _WORD.findall(text)]


def _stem(word: str) -> str:
    return _SUFFIX.sub("", word) if len(word) > 3 else word
