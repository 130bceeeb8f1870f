"""What fills the slots of a shape: the product's facts, its kind, the audience, and a little luck.

Every slot comes from the brief or from what is true of a whole kind of product. A slot with no
value switches off the shapes that want it, so copy never claims what the feed does not carry.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

import regex

from hookline.types import Brief, Money, Product
from hookline.writers.phrasebook.bank import Bank, Shape
from hookline.writers.phrasebook.lexicon import NO_NOUNS, Family, Lexicon, Noun, load_lexicon
from hookline.writers.phrasebook.names import Name, Naming, clean, naming, short_name

_SYMBOLS: Final = {"USD": "$", "GBP": "£", "EUR": "€", "INR": "₹", "JPY": "¥"}
_WHOLE: Final = frozenset({"JPY", "KRW", "CLP", "VND"})
"""Currencies without a smaller unit."""
_MATERIALS: Final = frozenset({"material", "materials", "fabric"})
_COLORS: Final = frozenset(
    {"color", "colour", "product color", "product colour", "cable color", "cable colour"}
)
_TELLING: Final = regex.compile(
    r"(?:\p{L}+ )*(?:technology|capacity|diagonal|resolution|memory|length|volume|size|ink type|fit"
    r"|finish|pattern|features?|activity|climate|sleeve|neckline|processor|storage|interface|design"
    r"|flavou?r|scent|ingredients|care|dimensions?|power source|colou?rs?|form factor|wattage)",
    regex.IGNORECASE,
)
"""Names of facts that a reader makes sense of."""
_DULL: Final = regex.compile(
    r"gtin|mpn|\bean\b|upc|sku|asin|code|\bid\b|number|packag|pallet|case|carton|temperature|label"
    r"|humidity|certificat|country|origin|tariff|weight|status|condition|gender|age group|availab"
    r"|shipping|tax|price|sale|date|link|url|image|options|recommends|brand|supplier|vendor|compat"
    r"|type|inventory|quantity|tags|collection|handle|template|warehouse|vat|cost|margin|performance",
    regex.IGNORECASE,
)
"""Names of facts that are for the warehouse, or say what stands in the name already."""
_VAGUE: Final = regex.compile(
    r"(?:n/?a|none|other|various|multi\w*|assorted|mixed|unknown|not applicable|default.*|yes|no"
    r"|true|false|-+)",
    regex.IGNORECASE,
)
_CLAIM: Final = regex.compile(
    r"\b(?:best|perfect|ultimate|guarantee\w*|finest|greatest|most|cheap\w*|lowest|free|win\w*|top"
    r"|award\w*|unbeatable|superior|number one|no\.? ?1|cures?|heals?|treats?|clinical\w*"
    r"|medical\w*|limited|hurry|last)\b|#1|[!%]|https?:|www\.|@",
    regex.IGNORECASE,
)
"""Words that make a fact into a claim which copy had better leave alone."""
_FOREIGN: Final = regex.compile(
    r"[\p{L}--\p{Latin}]|[äöüßñçœ]|\b(?:für|mit|ohne|aus|und|pour|avec|sans|de|du|des|la|le|les|para"
    r"|con|sin|el|los|del)\b",
    regex.IGNORECASE | regex.V1,
)
"""What an English title does not have."""
_LONGEST_FACT: Final = 48
_VOWEL: Final = regex.compile(
    r"(?:[aeio]|u(?!s[be]|ni|til|kul)|hour|honest|heir|(?:LCD|LED|SSD|HDD|MP3|HD|AV|AC|RAM)\b)",
    regex.IGNORECASE,
)


Size = Callable[[str], int]
"""How a text's size is counted: in characters, or in columns."""
_DOUBLE_END: Final = regex.compile(r"(?<=[.。?？!！])[.。]|\.(?=[?？])")


@dataclass(frozen=True, slots=True)
class Subject:
    """A brief's product seen with a copywriter's eyes; made once for a brief.

    Attributes:
        naming: What it may be called.
        family: What people do with its kind.
        fixed: Slots that stay the same for the whole brief.
        proofs: What can be quoted as proof, each as (key in `Bank.proofs`, text).
        people: Phrases for whom the copy is for.
    """

    naming: Naming
    family: Family
    fixed: Mapping[str, str]
    proofs: tuple[tuple[str, str], ...]
    people: tuple[str, ...]


def subject(brief: Brief, bank: Bank) -> Subject:
    """The product of the brief, ready to be written about."""
    product = brief.product
    named = naming(product, _lexicon(product, bank), shop=brief.brand.name)
    if brief.attributes.proof != "brand":
        named = _unsigned(named)
    motives = [motive.strip().lower() for motive in brief.audience.motives[:2]]
    people = [line for motive in motives for line in bank.people.get(motive, ())]
    return Subject(
        naming=named,
        family=bank.families[_family(product, named, bank)],
        fixed=dict(_grammar(named)) if bank.language == "en" else {},
        proofs=tuple(_proofs(brief, named, bank)),
        people=tuple(people) or bank.people["any"],
    )


def _unsigned(named: Naming) -> Naming:
    """The naming without the names that the maker stands in, if there are others."""
    maker = named.maker.casefold()
    names = tuple(n for n in named.names if not maker or maker not in n.text.casefold())
    return replace(named, names=names) if names else named


def _lexicon(product: Product, bank: Bank) -> Lexicon:
    """English nouns for English copy and for titles that read as English, none for others."""
    if bank.language == "en":
        return load_lexicon()
    foreign = language_of(product.locale) != "en" or _FOREIGN.search(product.title)
    return NO_NOUNS if foreign else load_lexicon()


def _family(product: Product, named: Naming, bank: Bank) -> str:
    """The key of the product's family in the bank."""
    if named.noun is not None:
        return bank.kin[named.noun.family]
    return bank.family((product.title, product.category)) if bank.nouns else "general"


def language_of(locale: str) -> str:
    """The language of a BCP 47 tag, in lower case.

    Examples:
        >>> language_of("de-AT"), language_of("ja_JP")
        ('de', 'ja')
    """
    return regex.split("[-_]", locale.strip().lower(), maxsplit=1)[0]


def choices(subject: Subject, rng: Random) -> dict[str, list[str]]:
    """The slots that have a choice, each with its phrases in random order."""
    family = subject.family
    lists = {
        "do": family.do, "moment": family.moment, "need": family.need, "people": subject.people
    }  # fmt: skip
    return {slot: rng.sample(phrases, len(phrases)) for slot, phrases in lists.items()}


def fill(
    shape: Shape, slots: Mapping[str, str], names: Sequence[Name], room: int, *, size: Size = len
) -> str | None:
    """The shape with its slots filled, within the room; None where that can't be.

    The name is the most telling one that fits.

    Args:
        shape: The sentence.
        slots: Slot name → text, but for the names.
        names: What the product may be called.
        room: Greatest size.
        size: How a text's size is counted.
    """
    values: list[str | None] = [slots.get(slot) for slot in shape.slots]
    for index, slot in enumerate(shape.slots):
        if slot in {"name", "the_name"}:
            taken = sum(map(size, shape.pieces)) + sum(size(v) for v in values if v is not None)
            name = short_name(names, room - taken, article=slot == "the_name", size=size)
            if name is None:
                return None
            values[index] = f"the {name.text}" if name.article and slot == "the_name" else name.text
    if None in values:
        return None
    parts = [shape.pieces[0]]
    for value, capital, piece in zip(values, shape.capital, shape.pieces[1:], strict=True):
        text = value or ""
        parts += [_capital(text) if capital else text, piece]
    line = _DOUBLE_END.sub("", _capital("".join(parts)))
    return line if size(line) <= room else None


def price_text(money: Money, decimal: str = "", *, ahead: bool = True) -> str:
    """The price as a shop writes it, to the last digit that the feed gives.

    Args:
        money: The price.
        decimal: The decimal mark; a point if empty.
        ahead: Whether the currency's sign goes before the amount.

    Examples:
        >>> from decimal import Decimal
        >>> price_text(Money(amount=Decimal("49.99"), currency="USD"))
        '$49.99'
        >>> price_text(Money(amount=Decimal("1250"), currency="CHF"))
        '1250.00 CHF'
        >>> price_text(Money(amount=Decimal("3980.00"), currency="JPY"))
        '¥3980'
        >>> price_text(Money(amount=Decimal("49.9"), currency="EUR"), ",", ahead=False)
        '49,90 €'
    """
    exponent = money.amount.normalize().as_tuple().exponent
    places = max(0 if money.currency in _WHOLE else 2, -int(exponent))
    amount = f"{money.amount:.{places}f}".replace(".", decimal or ".")
    symbol = _SYMBOLS.get(money.currency)
    return f"{symbol}{amount}" if symbol and ahead else f"{amount} {symbol or money.currency}"


def _capital(text: str) -> str:
    """The text with a capital first letter, unless its first word has its own (iPhone).

    Examples:
        >>> _capital("¿qué falta?"), _capital("iPhone 7")
        ('¿Qué falta?', 'iPhone 7')
    """
    first = text.split(" ", 1)[0]
    if not first[:1].islower() and first[:1] != "¿":
        return text
    if any(char.isupper() for char in first):
        return text
    place = 1 if first[:1] == "¿" else 0
    return text[:place] + text[place : place + 1].upper() + text[place + 1 :]


def _grammar(named: Naming) -> Iterator[tuple[str, str]]:
    """Slots for the noun, and for words that agree with the name."""
    noun = named.noun
    plural = bool(noun and noun.is_plural and named.names and named.names[0].text.endswith("s"))
    yield "it", "them" if plural else "it"
    yield "its", "their" if plural else "its"
    yield "is", "are" if plural else "is"
    yield "s", "" if plural else "s"
    if noun is None:
        return
    yield "noun", noun.text
    yield "nouns", noun.plural
    yield "a_noun", _with_article(noun)
    if noun.countable and named.fresh:
        yield "new_noun", noun.text if noun.is_plural else f"a new {noun.text}"


def _with_article(noun: Noun) -> str:
    """The noun with "a" or "an" where it takes one."""
    if noun.is_plural or not noun.countable:
        return noun.text
    return f"{'an' if _VOWEL.match(noun.text) else 'a'} {noun.text}"


def _proofs(brief: Brief, named: Naming, bank: Bank) -> Iterator[tuple[str, str]]:
    """What the brief's kind of proof can quote of this product; nothing where it has none."""
    product = brief.product
    match brief.attributes.proof:
        case "price":
            money = product.sale_price or product.price
            if money is not None and money.amount > 0:
                decimal = bank.grammar.decimal
                yield "price", price_text(money, decimal, ahead=decimal == ".")
        case "brand":
            maker = named.maker or clean(brief.brand.name)
            if maker and "!" not in maker:
                yield "brand", maker
        case "spec":
            yield from _specs(product, bank)
        case "none":
            return


def _specs(product: Product, bank: Bank) -> Iterator[tuple[str, str]]:
    """Selling points, finishes and telling facts; where there are none, any readable fact."""
    telling: list[tuple[str, str]] = []
    other: list[tuple[str, str]] = []
    for highlight in product.highlights:
        text = clean(highlight)
        if _tellable(text) and len(text) > 3:
            telling.append(("spec", text))
    for name, value in product.facts.items():
        key = name.replace("_", " ").strip().lower()
        text = _listed(value, bank.grammar.last)
        label = f"{_capital(key)}: {text}"
        if not _tellable(text) or not regex.search(r"\p{L}{2}", text) or len(label) > _LONGEST_FACT:
            continue
        if key in _MATERIALS | _COLORS and regex.fullmatch(r"[\p{L} ,&'-]{3,32}", text):
            finish = "finish" in bank.proofs
            telling.append(("finish", text.lower()) if finish else ("spec", text))
        elif len(key.split()) <= 3 and _TELLING.fullmatch(key):
            telling.append(("label", label))
        elif not _DULL.search(key) and regex.fullmatch(r"\p{L}{3,}(?: \p{L}{3,})?", key):
            other.append(("label", label))
    yield from telling or other


def _listed(value: str, last: str = " and ") -> str:
    """A fact's value as running text: "Nylon|Mesh" becomes "Nylon and Mesh".

    Examples:
        >>> _listed("Canvas|Cotton|Mesh")
        'Canvas, Cotton and Mesh'
    """
    items = [clean(item) for item in regex.split(r"[|\n;]|(?<=\p{L}{3})[/,](?=\p{L}{3})", value)]
    items = [item for item in items if item]
    return last.join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def _tellable(text: str) -> bool:
    """Whether a fact is short, says something, and makes no claim of the kind copy must not."""
    return 0 < len(text) <= _LONGEST_FACT and not _VAGUE.fullmatch(text) and not _CLAIM.search(text)
