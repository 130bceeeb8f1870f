"""Whether live copy keeps its channel's limits and claims nothing that its product doesn't carry.

This shares no code with the guards: it counts characters, SMS septets and columns by itself,
demands that every group of digits and every number word of a copy stands in the product's raw text,
is one of its prices or follows from a price and a sale price, and that every word of a short list
of claims (superlatives, guarantees, gifts, discounts, scarcity, health, environment) stands in the
product's raw text too.
"""

import unicodedata
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import regex

from hookline.types import Channel, Product

_GSM_BEYOND_ASCII = set("£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà€")
_DIGITS = regex.compile(r"\d+(?:[.,]\d+)*")
_WORDS: Final = {
    "en": "two three four five six seven eight nine ten eleven twelve",
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce",
}
_TENS: Final = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "vingt trente quarante cinquante soixante",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
}
_HUNDREDS: Final = {
    "en": {"hundred": 100, "thousand": 1000},
    "de": {"hundert": 100, "tausend": 1000},
    "fr": {"cent": 100, "mille": 1000},
    "es": {"cien": 100, "mil": 1000},
}
_SAID_OTHERWISE: Final = {"de": {"acht"}}
"""Number words that are as often another word: `acht` in "gib acht"."""
_CLAIMS: Final = {
    "en": r"best|finest|greatest|cheapest|lowest|fastest|unbeatable|unrivalled|number one|no\.? ?1"
    r"|guarantee\w*|warrant\w*|free|discount\w*|sale|% off|save|limited|last (?:one|few|chance)"
    r"|sold out|only \d+ left|while stocks? last|cures?|heals?|clinical\w*|eco|sustainab\w+"
    r"|recycled|organic|award\w*|certified|proven",
    "de": r"beste[nrsm]?|günstigste\w*|billigste\w*|schnellste\w*|unschlagbar\w*|nummer eins"
    r"|garanti\w*|gratis|kostenlos\w*|rabatt\w*|reduziert\w*|spar\w*|begrenzt\w*|ausverkauft"
    r"|nur noch|solange der vorrat|heilt|klinisch\w*|öko\w*|nachhaltig\w*|recycelt\w*|bio"
    r"|ausgezeichnet\w*|zertifiziert\w*|bewährt\w*",
    "fr": r"meilleure?s?|le moins cher|imbattable\w*|numéro un|garanti\w*|gratuit\w*|offert\w*"
    r"|remise\w*|solde[s]?|promo\w*|économis\w+|limitée?s?"
    r"|derni(?:er|ère)s? (?:pièce|jour|chance)\w*"
    r"|rupture|guéri\w+|clinique\w*|écologique\w*|durable\w*|recyclée?s?|bio|primée?s?|certifiée?s?",
    "es": r"mejor(?:es)?|más barat\w+|imbatible\w*|número uno|garanti\w*|gratis|descuento\w*"
    r"|rebaja\w*|oferta\w*|ahorr\w+|limitad\w+|últim[oa]s? (?:unidad|día|oportunidad)\w*|agotad\w+"
    r"|cura|clínic\w+|ecológic\w+|sostenible\w*|reciclad\w+|premiad\w+|certificad\w+",
    "ja": r"最高|最安|最速|一番|No\.?1|ナンバーワン|保証|無料|割引|セール|半額|限定|残りわずか"
    r"|売り切れ|治|臨床|エコ|サステナブル|再生素材|オーガニック|受賞|認定|実証",
}


def limit_faults(parts: Mapping[str, str], channel: Channel) -> list[str]:
    """How the parts break the channel's limits, one sentence each."""
    faults: list[str] = []
    fields = {spot.name: spot for spot in channel.fields}
    if set(parts) != set(fields):
        faults.append(f"fields {sorted(parts)} instead of {sorted(fields)}")
    for name, text in parts.items():
        spot = fields.get(name)
        if spot is None:
            continue
        length = len(regex.findall(r"\X", text))
        if not spot.min_graphemes <= length <= spot.max_graphemes or not text.strip():
            faults.append(f"{name}: {length} characters")
        if spot.max_units is not None and units_of(text, channel.units) > spot.max_units:
            faults.append(f"{name}: too many {channel.units} units")
    return faults


def units_of(text: str, units: str) -> int:
    """The text's length in septets (of 160, UCS-2 scaled from 70), columns or code units."""
    if units == "columns":
        return sum(1 + (unicodedata.east_asian_width(char) in {"W", "F"}) for char in text)
    code_units = sum(1 + (ord(char) > 0xFFFF) for char in text)
    if units == "utf16":
        return code_units
    if all(char in _GSM_BEYOND_ASCII or (char.isascii() and char != "`") for char in text):
        return len(text) + sum(char in "^{}\\[~]|€" for char in text)
    return 160 if code_units == 70 else code_units * 160 // 70 + 1


def numbers_of(text: str, language: str = "en") -> list[tuple[str, set[Decimal]]]:
    """Every number of the text with the values it may stand for."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    found = [(group, _values(group)) for group in _DIGITS.findall(plain)]
    known = _number_words(language)
    words = (word for word in regex.findall(r"\p{L}+", plain) if word in known)
    return found + [(word, {Decimal(known[word])}) for word in words]


def _number_words(language: str) -> dict[str, int]:
    """Number word in small letters → its value; none where digits are the rule."""
    if language not in _WORDS:
        return {}
    small = {word: n for n, word in enumerate(_WORDS[language].split(), start=2)}
    tens = {word: 10 * n for n, word in enumerate(_TENS[language].split(), start=2)}
    words = {word.casefold(): n for word, n in (small | tens | _HUNDREDS[language]).items()}
    return {w: n for w, n in words.items() if w not in _SAID_OTHERWISE.get(language, set())}


def _values(group: str) -> set[Decimal]:
    """A group of digits read with its marks as thousands, and with its last mark as decimal."""
    digits = "".join(str(unicodedata.decimal(char)) if char.isdigit() else char for char in group)
    values = {Decimal(digits.replace(",", "").replace(".", ""))}
    mark = max(digits.rfind("."), digits.rfind(","))
    if mark > 0:
        head = digits[:mark].replace(",", "").replace(".", "")
        values = {Decimal(f"{head}.{digits[mark + 1 :]}")} | (
            values if len(digits) - mark == 4 else set[Decimal]()
        )
    return values


def raw_text(product: Product) -> str:
    """All that the product's feed says of it in words."""
    facts = [text for pair in product.facts.items() for text in pair]
    texts = [product.title, product.description, product.brand, product.category]
    return "\n".join([*texts, *facts, *product.highlights])


def carried_by(product: Product, language: str = "en") -> set[Decimal]:
    """Every value that the product's raw text and prices hold or imply."""
    raw = raw_text(product)
    values = {value for _, readings in numbers_of(raw, language) for value in readings}
    values |= {value for _, readings in numbers_of(raw) for value in readings}
    price, sale = product.price, product.sale_price
    values |= {money.amount for money in (price, sale) if money}
    if price and sale and 0 < sale.amount < price.amount:
        percent = 100 * (price.amount - sale.amount) / price.amount
        values |= {price.amount - sale.amount, percent.quantize(Decimal(1), ROUND_HALF_UP)}
    return values


def ungrounded(parts: Mapping[str, str], product: Product, language: str = "en") -> list[str]:
    """The numbers and claims of the copy that the product does not carry, as written.

    Args:
        parts: Channel field name → text.
        product: What it is about.
        language: Two-letter code of the copy's language.
    """
    carried = carried_by(product, language)
    raw = unicodedata.normalize("NFKC", raw_text(product)).casefold()
    found: list[str] = []
    for text in parts.values():
        numbers = numbers_of(text, language)
        found += [written for written, values in numbers if not values & carried]
        found += [claim for claim in claims_of(text, language) if claim not in raw]
    return found


def claims_of(text: str, language: str) -> list[str]:
    """The words of the text that are on the list of claims, in small letters."""
    listed = _CLAIMS.get(language)
    if listed is None:
        return []
    bounded = listed if language == "ja" else rf"(?<![\p{{L}}\p{{N}}])(?:{listed})(?!\p{{L}})"
    plain = unicodedata.normalize("NFKC", text).casefold()
    return regex.findall(bounded.replace("No", "no"), plain)
