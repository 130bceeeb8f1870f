"""Facts that expire: which facts of its product a copy quotes, and which of them hold no longer.

A copy was checked against the feed of the day it was written. When the feed changes, `expired` says
what of it is no longer so: a price that is another one, a sale that is over, a colour that is gone.
Pure functions of two versions of a product; whoever takes in a feed acts on them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from hookline.guards.claims import Claims
from hookline.guards.facts import facts_of
from hookline.types import Attributes, Audience, Brand, Brief, Channel, Product
from hookline.words import fold, language_of

_PLACE: Final = Channel(id="", name="", fields=())
_LEAST_WORD: Final = 3  # letters of a fact whose mention is no coincidence
_PLAIN: Final = ("title", "description", "brand", "availability")


@dataclass(frozen=True, kw_only=True, slots=True)
class Expired:
    """One fact that a copy quotes and that is no longer so.

    Attributes:
        fact: Its name: a field of `Product`, or `facts.<key>`.
        before: What the feed said.
        after: What it says now; empty where it says nothing of it any more.
    """

    fact: str
    before: str
    after: str

    @property
    def reason(self) -> str:
        """The change in one sentence for a marketer."""
        now = f'now has "{self.after}"' if self.after else "no longer has it"
        family, _, key = self.fact.replace("_", " ").partition(".")
        name = key if family == "facts" else family.removesuffix("s") if key else family
        return f'The copy quotes the {name} "{self.before}"; the feed {now}.'


def quoted(
    parts: Mapping[str, str], product: Product, *, brand: Brand, locale: str
) -> dict[str, str]:
    """The facts that the copy rests on: fact → what the feed says of it.

    A fact is quoted where the copy says its value, or where it would have an unfounded claim if
    the feed did not carry that fact.

    Args:
        parts: Channel field name → text.
        product: What the copy is about, as its feed has it.
        brand: The kit that the copy was checked against.
        locale: BCP 47 tag of the copy's language.

    Examples:
        >>> mug = Product(id="1", title="Tin Mug", facts={"Colour": "Blue", "Size": "300 ml"})
        >>> quoted({"text": "Blue mornings"}, mug, brand=Brand(id="a", name="A"), locale="en")
        {'facts.Colour': 'Blue'}
    """
    said = fold(" ; ".join(parts.values()))
    base = _unfounded(parts, product, brand, locale)
    return {
        fact: value
        for fact, value in _facts(product).items()
        if _mentions(said, value)
        or _unfounded(parts, _without(product, fact), brand, locale) - base
    }


def expired(
    parts: Mapping[str, str], before: Product, after: Product, *, brand: Brand, locale: str
) -> tuple[Expired, ...]:
    """What the copy quotes and the product no longer carries; empty where all of it still holds.

    A fact that changed but leaves every word of the copy true does not expire: "on sale" outlives
    a new sale price. A claim that only another feed carried expires under the name `claims`.

    Args:
        parts: Channel field name → text.
        before: The product as it was when the copy was last known to be right.
        after: The product as its feed has it now.
        brand: The kit that the copy was checked against.
        locale: BCP 47 tag of the copy's language.
    """
    old, new = _facts(before), _facts(after)
    changed = {fact: value for fact, value in old.items() if new.get(fact, "") != value}
    if not changed:
        return ()
    broken = _unfounded(parts, after, brand, locale) - _unfounded(parts, before, brand, locale)
    quotes = quoted(parts, before, brand=brand, locale=locale)
    said = fold(" ; ".join(parts.values()))
    carried = facts_of(after, brand.name, language_of(locale))
    found = tuple(
        Expired(fact=fact, before=value, after=new.get(fact, ""))
        for fact, value in changed.items()
        if fact in quotes and (broken or (_mentions(said, value) and not carried.say(fold(value))))
    )
    if broken and not found:
        return (Expired(fact="claims", before="; ".join(sorted(broken)), after=""),)
    return found


def _facts(product: Product) -> dict[str, str]:
    """Fact → value, in words, for all that the product's record says."""
    plain = {name: str(getattr(product, name)) for name in _PLAIN}
    money = {"price": product.price, "sale_price": product.sale_price}
    named = {f"facts.{key}": value for key, value in product.facts.items()}
    lines = {f"highlights.{i}": line for i, line in enumerate(product.highlights, 1)}
    priced = {name: str(amount) for name, amount in money.items() if amount}
    return {key: value for key, value in {**plain, **priced, **named, **lines}.items() if value}


def _without(product: Product, fact: str) -> Product:
    """The product as if its feed did not carry the fact."""
    family, _, key = fact.partition(".")
    if family == "facts":
        return replace(product, facts={k: v for k, v in product.facts.items() if k != key})
    if family == "highlights":
        kept = (line for i, line in enumerate(product.highlights, 1) if str(i) != key)
        return replace(product, highlights=tuple(kept))
    if family == "price":
        return replace(product, price=None)
    if family == "sale_price":
        return replace(product, sale_price=None)
    blank: dict[str, str] = {family: ""}
    return replace(product, **blank)


def _mentions(said: str, value: str) -> bool:
    """Whether the folded text has the value in so many words."""
    words = fold(value)
    if len(words) < _LEAST_WORD:
        return False
    return re.search(rf"(?<![^\W_]){re.escape(words)}(?![^\W_])", said) is not None


def _unfounded(
    parts: Mapping[str, str], product: Product, brand: Brand, locale: str
) -> frozenset[str]:
    """What the copy claims and the product does not carry, as the claims guard quotes it."""
    return frozenset(_faults(parts, product, brand, locale))


def _faults(parts: Mapping[str, str], product: Product, brand: Brand, locale: str) -> Iterator[str]:
    brief = Brief(
        id="",
        product=product,
        audience=Audience(id="", name=""),
        channel=_PLACE,
        brand=brand,
        attributes=Attributes(),
        locale=locale,
    )
    for verdict in Claims().check(parts, brief):
        if not verdict.ok:
            yield verdict.reason.split('"')[1]
