"""The `claims` guard: does the copy claim only what the product's feed carries?"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import ClassVar

from hookline.guards.base import Guard
from hookline.guards.claim_words import Kind, claims_in, idioms
from hookline.guards.facts import (
    Facts,
    facts_of,
    name_with,
    reduction_end,
    role_of,
    words_beside,
)
from hookline.guards.quantities import Quantity, quantities
from hookline.types import Brief, Money, Product, Verdict
from hookline.words import fold, language_of, load, plain

_REACH = 24  # characters; longer than any match of the two patterns above

Fault = tuple[str, str]
"""Second half of a verdict's code, and the reason after "but"."""


class Claims(Guard):
    """No number, price, superlative, promise or feature that the product's own text lacks."""

    name: ClassVar[str] = "claims"

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - a claim is true or not by itself
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        language = language_of(brief.locale)
        facts = facts_of(brief.product, brief.brand.name, language)
        vouched = [fold(sentence) for sentence in brief.brand.disclaimers.values()]
        faults: list[Verdict] = []
        for part, text in parts.items():
            folded = fold(text)
            shown = text if len(text) == len(folded) else folded
            for start, end, (code, but) in _unfounded(
                _claiming(folded, vouched, language), facts, brief.product, language
            ):
                reason = f'The copy says "{shown[start:end].strip()}", but {but}.'
                faults.append(self.fault(code, reason, part))
        return tuple(faults) or self.passed()


def _claiming(folded: str, vouched: Sequence[str], language: str) -> str:
    """The folded text with idioms, and sentences the brand vouches for, dotted out."""
    for sentence in vouched:
        folded = folded.replace(sentence, "." * len(sentence))
    return idioms(language).sub(lambda idiom: "." * len(idiom[0]), folded)


def _unfounded(
    text: str, facts: Facts, product: Product, language: str
) -> Iterator[tuple[int, int, Fault]]:
    """What the product does not carry: start, end and fault."""
    taken: list[tuple[int, int]] = []
    faulty: list[tuple[int, int]] = []
    for kind, words in claims_in(language):
        for match in words.finditer(text):
            start, end = match.span()
            if any(start < b and a < end for a, b in taken):
                continue
            taken.append((start, end))
            if not (facts.say(match[0]) or _proven(kind, product)):
                faulty.append((start, end))
                yield start, end, (kind.code, kind.lacks)
    for quantity in quantities(text, language):
        start, end = quantity.start, quantity.end
        if any(start < b and a < end for a, b in faulty):
            continue
        if fault := _number_fault(quantity, text, facts, product):
            yield start, reduction_end(quantity, text, language), fault


def _proven(claim: Kind, product: Product) -> bool:
    """Whether the feed's prices or availability back the claim."""
    true = _discount(product)
    if claim.percent:
        return true is not None and _rounds_to(true, Decimal(claim.percent))
    if claim.proof == "sale":
        return true is not None
    return bool(claim.proof) and product.availability == claim.proof


# --- numbers -----------------------------------------------------------------------------------


def _number_fault(quantity: Quantity, text: str, facts: Facts, product: Product) -> Fault | None:
    """What is wrong where the product does not carry the quantity; None where it does."""
    role = role_of(quantity, text, facts.language)
    if any((role, value) in facts.offers for value in quantity.values):
        return None
    if role == "price":
        return _price_fault(quantity, text, product, facts.language)
    if role == "saving":
        return _saving_fault(quantity, product)
    if role == "discount":
        return _discount_fault(quantity, product)
    if quantity.kind == "count":
        return _count_fault(quantity, text, facts, product)
    return _measure_fault(quantity, facts)


def _measure_fault(quantity: Quantity, facts: Facts) -> Fault | None:
    if quantity.kind == "code":
        known = quantity.code in facts.codes
        return None if known else ("number", "the feed has no such name or model")
    if any((quantity.kind, value) in facts.measured for value in quantity.values):
        return None
    code = "percent" if quantity.kind == "percent" else "number"
    return code, "the feed carries no such measure for this product"


def _count_fault(quantity: Quantity, text: str, facts: Facts, product: Product) -> Fault | None:
    if name_with(quantity, text) in facts.codes:
        return None
    beside = tuple(words_beside(quantity, text, facts.language))
    if any(side == "after" for side, _ in beside):
        known = facts.counts  # "10 reasons" is not backed by 10 hours
    else:
        amounts = (money.amount for money in (product.price, product.sale_price) if money)
        known = facts.written.union(amounts)
    if not quantity.written & known:
        return "number", "the feed carries no such number for this product"
    numbers = [facts.beside[word] for word in beside if word in facts.beside]
    if numbers and not any(quantity.written & known for known in numbers):
        return "number", f"the feed has another number for it ({_listed(numbers[0])})"
    return None


def _listed(values: frozenset[Decimal]) -> str:
    return ", ".join(f"{value.normalize():f}" for value in sorted(values)[:3])


# --- prices ------------------------------------------------------------------------------------


def _price_fault(quantity: Quantity, text: str, product: Product, language: str) -> Fault | None:
    price, sale = product.price, product.sale_price
    before = text[max(0, quantity.start - _REACH) : quantity.start]
    if price is None and sale is None:
        return "price", "the feed gives no price for this product"
    was, now = _times(language)
    if was.search(before):
        if _discount(product) is None:
            return "price", "the feed gives no sale price, so there is no earlier price"
        allowed = [price]
    elif now.search(before):
        allowed = [sale or price]
    else:
        allowed = [price, sale]
    known = [money for money in allowed if money]
    if any(_is(quantity, money) for money in known):
        return None
    return "price", f"the feed's price is {' or '.join(map(str, known))}"


@cache
def _times(language: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What stands before an earlier price, and before the price of today."""
    lists = load("facts", language)
    only = "(?: (?:only|just|at|for|nur|nur noch|ab|fur|seulement|a|pour|solo|por|desde))*"
    return (
        re.compile(rf"(?:{plain(lists['was_before'])}):? ?$"),
        re.compile(rf"(?:{plain(lists['now_before'])}){only}:? ?$"),
    )


def _saving_fault(quantity: Quantity, product: Product) -> Fault | None:
    if _discount(product) is None or not product.price or not product.sale_price:
        return "saving", "the feed gives no sale price for this product"
    saved = Money(
        amount=product.price.amount - product.sale_price.amount, currency=product.price.currency
    )
    return None if _is(quantity, saved) else ("saving", f"the feed's prices differ by {saved}")


def _discount_fault(quantity: Quantity, product: Product) -> Fault | None:
    true = _discount(product)
    if true is None:
        return "discount", "the feed gives no sale price for this product"
    if any(_rounds_to(true, abs(value)) for value in quantity.values):
        return None
    return "discount", f"the feed's prices come to {_rounded(true, Decimal(1))}% off"


def _discount(product: Product) -> Decimal | None:
    """The reduction in percent of the regular price; None where there is no sale."""
    price, sale = product.price, product.sale_price
    if not price or not sale or price.currency != sale.currency:
        return None
    return 100 * (1 - sale.amount / price.amount) if 0 < sale.amount < price.amount else None


def _rounds_to(true: Decimal, said: Decimal) -> bool:
    """Whether `said` is the true percentage rounded to as many digits as it has."""
    exponent = said.as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return digits <= 4 and _rounded(true, Decimal(1).scaleb(-digits)) == said


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    return value.quantize(step, ROUND_HALF_UP)


def _is(quantity: Quantity, money: Money) -> bool:
    """Whether the quantity is that amount, in its currency if it names one."""
    same = any(abs(value) == money.amount for value in quantity.values)
    return same and (not quantity.currencies or money.currency in quantity.currencies)
