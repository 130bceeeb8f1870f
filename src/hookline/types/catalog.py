"""What is sold, by whom, to whom and where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

MAX_ID = 200
"""Most characters of an id that comes from outside."""

Trait = str | float | bool | list[str]
"""One thing known about a visitor: a category, a number, a flag or a set of categories."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Money:
    """An amount in one currency.

    Attributes:
        amount: Exact decimal amount in units of the currency, not cents.
        currency: ISO 4217 code, for example `USD`.
    """

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:.2f} {self.currency}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """One product as its feed describes it. Copy may claim what stands here and nothing else.

    Attributes:
        id: The shop's own id (Google Merchant `id`, Shopify handle or SKU).
        title: The product's name, plain text.
        description: Plain text, markup removed.
        brand: Maker or vendor, may be empty.
        category: Path from broad to narrow, joined by " > ".
        price: Regular price, None where the feed has none.
        sale_price: Reduced price, None where there is no sale.
        availability: `in_stock`, `out_of_stock`, `preorder`, `backorder` or empty if unknown.
        link: Address of the product page.
        image_link: Address of the main image.
        group_id: Joins the variants of one product; empty for a product with no variants.
        facts: Named attributes, for example `{"material": "Nylon"}`.
        highlights: Short selling points the feed itself gives.
        locale: BCP 47 tag of the texts.
    """

    id: str
    title: str
    description: str = ""
    brand: str = ""
    category: str = ""
    price: Money | None = None
    sale_price: Money | None = None
    availability: str = ""
    link: str = ""
    image_link: str = ""
    group_id: str = ""
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    highlights: tuple[str, ...] = ()
    locale: str = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedRow:
    """A row of a feed that did not become a product.

    Attributes:
        row: 1-based row (line or item) number in the file, header included for tables.
        reason: What is wrong with it, in words.
    """

    row: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Brand:
    """The brand kit: what copy must sound like and must not say.

    Attributes:
        id: Short name.
        name: The name customers know.
        voice: Words that describe the voice, for example `("warm", "plain")`.
        banned_terms: Words or phrases that never appear, compared without case, whole words; at
            most 25, as Google Ads has it.
        glossary: Wrong spelling → right spelling of terms the brand cares for.
        disclaimers: Trigger word → sentence that must stand in the same copy.
        restrictions: Message restrictions, in words, for writers and human reviewers; at most 40.
            Those that can be checked without judgement are, see docs/guards.md.
        max_exclamations: Most exclamation marks in one copy.
        emoji: Whether emoji may be used.
        min_ease: Least reading ease of copy, 0 to 100 as Flesch counts it; None for no limit.
        locale: BCP 47 tag of the language copy is written in.
    """

    id: str
    name: str
    voice: tuple[str, ...] = ()
    banned_terms: tuple[str, ...] = ()
    glossary: Mapping[str, str] = field(default_factory=dict[str, str])
    disclaimers: Mapping[str, str] = field(default_factory=dict[str, str])
    restrictions: tuple[str, ...] = ()
    max_exclamations: int = 1
    emoji: bool = False
    min_ease: float | None = None
    locale: str = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """A group of visitors that copy is written for.

    Attributes:
        id: Short name.
        name: Name in the report.
        persona: Who they are and what they want, one or two sentences, for writers.
        motives: What moves them, strongest first, for example `("value", "durability")`.
        when: Trait → values; a visitor belongs if every named trait has one of its values. The
            first audience that fits wins; one with an empty `when` takes everybody.
    """

    id: str
    name: str
    persona: str = ""
    motives: tuple[str, ...] = ()
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One text field of a channel.

    Attributes:
        name: Field name, for example `subject`.
        max_graphemes: Most user-perceived characters.
        max_units: Most code units in the channel's own encoding, None where graphemes decide.
        min_graphemes: Fewest user-perceived characters.
        role: What the field is for: `hook`, `support` or `cta`.
    """

    name: str
    max_graphemes: int
    max_units: int | None = None
    min_graphemes: int = 1
    role: Literal["hook", "support", "cta"] = "hook"


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A place where copy is shown, with its limits.

    Attributes:
        id: Registered name.
        name: Name in the report.
        fields: The text fields, in the order in which a reader meets them.
        units: How `max_units` counts: UTF-16 code units, GSM-7 septets (UCS-2 where a character
            is outside GSM-7), or columns with double-width characters as two.
    """

    id: str
    name: str
    fields: tuple[Field, ...]
    units: Literal["utf16", "gsm7", "columns"] = "utf16"
