"""Quantities as copy and feeds write them, read into values that compare.

Digits of every script, superscripts, circled and full-width digits, number words, fractions,
ranges, units and money all come out as `Quantity`. `words.fold` must go first: it makes the text
comparable. Number words are those of one language, units and money those of all languages.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Literal

from hookline.words import LANGUAGES, fold, load

__all__ = ["Kind", "Quantity", "fold", "quantities"]

# --- the tables --------------------------------------------------------------------------------

# Dimension → (spellings, size in the dimension's base unit). Sizes are exact, so 1 lb is 16 oz and
# 1 TB is 1000 GB, while 17 inches is never 43.2 cm.
_UNITS: dict[str, tuple[tuple[str, str], ...]] = {
    "length": (
        ("mm millimeter millimeters millimetre millimetres milimetro milimetros ミリ", "0.001"),
        (
            "cm centimeter centimeters centimetre centimetres zentimeter centimetro centimetros "
            "センチメートル センチ",
            "0.01",
        ),
        ("m meter meters metre metres metern metro metros メートル", "1"),
        ("km kilometer kilometers kilometre kilometres", "1000"),
        ("\" '' in inch inches zoll pouce pouces pulgada pulgadas インチ", "0.0254"),
        ("' ft foot feet", "0.3048"),
        ("yd yard yards", "0.9144"),
        ("mi mile miles", "1609.344"),
    ),
    "area": (("m2 sqm", "1"), ("ft2 sqft", "0.09290304")),
    "mass": (
        ("mg", "0.001"),
        ("g gram grams gramme grammes gramm gramo gramos グラム", "1"),
        (
            "kg kgs kilo kilos kilogram kilograms kilogramm kilogramme kilogrammes キログラム",
            "1000",
        ),
        ("oz ounce ounces", "28.349523125"),
        ("lb lbs pound pounds", "453.59237"),
    ),
    "volume": (
        ("ml milliliter milliliters millilitre millilitres", "1"),
        ("cl", "10"),
        ("l liter liters litre litres litern litro litros リットル", "1000"),
        ("floz", "29.5735295625"),
        ("pt pint pints", "473.176473"),
        ("qt quart quarts", "946.352946"),
        ("gal gallon gallons", "3785.411784"),
        ("ft3 cuft", "28316.846592"),
    ),
    "time": (
        ("ms", "0.001"),
        ("s sec secs second seconds sekunde sekunden seconde secondes segundo segundos 秒", "1"),
        ("min mins minute minutes minuten minuto minutos 分", "60"),
        ("h hr hrs hour hours stunde stunden std heure heures hora horas 時間", "3600"),
        ("day days tage tagen jour jours dia dias 日間 日", "86400"),
        ("week weeks woche wochen semaine semaines semana semanas 週間", "604800"),
    ),
    "months": (
        ("month months monat monate monaten mois mes meses ヶ月 か月 カ月", "1"),
        ("yr yrs year years jahr jahre jahren annee annees ano anos 年", "12"),
    ),
    "data": (
        ("kb kilobyte kilobytes", "1"),
        ("mb megabyte megabytes", "1000"),
        ("gb gig gigs gigabyte gigabytes", "1000000"),
        ("tb terabyte terabytes", "1000000000"),
    ),
    "bandwidth": (("kbps", "1"), ("mbps", "1000"), ("gbps", "1000000")),
    "frequency": (("hz hertz", "1"), ("khz", "1000"), ("mhz", "1000000"), ("ghz", "1000000000")),
    "power": (
        ("w watt watts vatios ワット", "1"),
        ("kw kilowatt kilowatts", "1000"),
        ("hp horsepower", "745.7"),
    ),
    "energy": (("wh", "1"), ("kwh", "1000")),
    "voltage": (("v volt volts", "1"),),
    "charge": (("mah", "1"), ("ah", "1000")),
    "current": (("ma", "1"), ("a amp amps", "1000")),
    "pixels": (("mp megapixel megapixels", "1"),),
    "density": (("dpi ppi", "1"),),
    "frames": (("fps", "1"),),
    "rotation": (("rpm", "1"),),
    "loudness": (("db decibel decibels", "1"),),
    "light": (("lm lumen lumens", "1"),),
    "brightness": (("nit nits", "1"),),
    "pressure": (("psi", "1"), ("bar", "14.5")),
    "bits": (("bit bits", "1"),),
    "heat": (("btu btus", "1"),),
    "celsius": (("°c", "1"),),
    "degrees": (("° degree degrees", "1"),),
    "fahrenheit": (("°f", "1"),),
    "pack": (("pack packs pk pc pcs piece pieces count ct stk pieza piezas 個入り 枚入り", "1"),),
    "star": (("star stars stern sterne sternen etoile etoiles estrella estrellas", "1"),),
    "times": (("x times mal fois veces 倍", "1"),),
    "percent": (
        ("% percent percentage pct prozent pourcent porciento パーセント", "1"),
        ("割", "10"),
    ),
}
_DOLLARS = "USD CAD AUD NZD SGD HKD MXN"
# Sign or word → the ISO 4217 codes it may stand for. "pounds" is left to weights.
_CURRENCIES: dict[str, str] = {
    "$": _DOLLARS, "dollar": _DOLLARS, "dollars": _DOLLARS, "buck": _DOLLARS, "bucks": _DOLLARS,
    "us$": "USD", "c$": "CAD", "ca$": "CAD", "a$": "AUD", "au$": "AUD", "r$": "BRL",
    "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "quid": "GBP", "¥": "JPY CNY",
    "円": "JPY", "ドル": _DOLLARS, "ユーロ": "EUR", "dolares": _DOLLARS,
    "₹": "INR", "₩": "KRW", "kr": "SEK NOK DKK", "zł": "PLN",
    "aud": "AUD", "brl": "BRL", "cad": "CAD", "chf": "CHF", "cny": "CNY", "czk": "CZK",
    "dkk": "DKK", "eur": "EUR", "gbp": "GBP", "hkd": "HKD", "huf": "HUF", "inr": "INR",
    "jpy": "JPY", "krw": "KRW", "mxn": "MXN", "nok": "NOK", "nzd": "NZD", "pln": "PLN",
    "sek": "SEK", "sgd": "SGD", "usd": "USD", "zar": "ZAR",
}  # fmt: skip
_CENTS = {"cent": f"{_DOLLARS} EUR", "cents": f"{_DOLLARS} EUR", "¢": _DOLLARS}
_UNIT_OF = {
    spelling: (kind, Decimal(size))
    for kind, rows in _UNITS.items()
    for spellings, size in rows
    for spelling in spellings.split()
}
# Units whose letter is a word too ("4 a day"): read only when they touch the digits.
_TOUCHING = frozenset({"a", "s", "x", "'", "''"})
_DENOMINATORS = frozenset({"2", "3", "4", "5", "8", "16", "32", "64"})

# --- the patterns, all for folded text ---------------------------------------------------------

# Kana and kanji stand side by side with digits and mean nothing by it.
_JAPANESE = r"\u3040-\u30ff\u3400-\u9fff"
_LETTER = rf"[^\W\d_{_JAPANESE}]"
_LETTER_OR_DIGIT = rf"[^\W_{_JAPANESE}]"
_JOINED = "|".join(
    sorted(
        (unit for unit in (*_UNIT_OF, *_CURRENCIES) if re.match(f"[{_JAPANESE}]", unit)),
        key=len,
        reverse=True,
    )
)
_SIGNS = "|".join(sorted((re.escape(sign) for sign in _CURRENCIES), key=len, reverse=True))
_GROUPED = r"\d{1,3}(?:[ ']\d{3})+(?:[.,]\d+)?(?!\d)"
_TOKEN = re.compile(
    rf"""
    (?P<sign>(?<![^\s(])-)?
    (?:(?P<money>(?<!{_LETTER})(?:{_SIGNS}))\s?(?P<price>{_GROUPED}|\d+(?:[.,]\d+)*|[.,]\d+)
    | (?P<code>(?<!{_LETTER_OR_DIGIT})(?:{_LETTER}+\d{_LETTER_OR_DIGIT}*
      |(?!\d+x\d)\d+{_LETTER}+\d{_LETTER_OR_DIGIT}*))
    | (?<![\d/.,])(?:(?P<whole>\d+)[ -])?(?P<over>\d+)\s?/\s?(?P<under>\d+)(?![\d/])
    | (?P<number>{_GROUPED}(?=\s?(?:{_SIGNS})(?!{_LETTER}))|\d+(?:[.,]\d+)*|(?<!\d)\.\d+)
    )""",
    re.VERBOSE,
)
_NEXT = re.compile(
    r"([ -]*)(fl\.? ?oz|sq\.? ?ft|cu\.? ?ft|per cent|pour cent|por ciento|°[cf]?|''"
    rf"|'(?![^\W\d_])|[%\"¢€£¥₹₩$]|{_JOINED}|{_LETTER}+[23]?(?!{_LETTER_OR_DIGIT}))"
)
_IN_IS_INCH = re.compile(r"\s*(?:[.,;:)x]|$)")
_PACK_OF = re.compile(r"(?:pack|set|box|case|bundle)s? of $")
_CONNECTOR = re.compile(r"\s*(?:(?P<range>-|to|or|and|/)|x|by)\s*")

Kind = str
"""`count`, `money`, `code`, a dimension of the unit table, or `~` and an unknown unit's letters."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity in a folded text.

    Attributes:
        written: The values its digits can stand for, as written; empty for a code.
        kind: What it counts or measures, see `Kind`.
        size: Size of its unit in the base unit of its kind.
        currencies: ISO 4217 codes it may be in; empty unless money.
        code: The token itself where letters and digits mix, as in `dv7`; empty otherwise.
        start: Where it begins in the folded text, its sign and currency included.
        end: Where it ends, its unit included.
    """

    written: frozenset[Decimal]
    kind: Kind
    start: int
    end: int
    size: Decimal = Decimal(1)
    currencies: frozenset[str] = frozenset()
    code: str = ""

    @property
    def values(self) -> frozenset[Decimal]:
        """The values in the base unit of the kind."""
        return frozenset(value * self.size for value in self.written)


@dataclass(frozen=True, slots=True)
class _Numerals:
    """The number words of a language: what finds them, and what they are worth."""

    words: re.Pattern[str]
    scale_after: re.Pattern[str]
    word: re.Pattern[str]
    ones: Mapping[str, int]
    scales: Mapping[str, int]
    needs_unit: frozenset[str]


@cache
def _numerals(language: str) -> _Numerals:
    lists = load("facts", language)
    ones = {fold(word): value for word, value in lists["numbers"].items()}
    scales = {fold(word): value for word, value in lists["scales"].items()}
    word = "|".join(sorted((*ones, *scales), key=len, reverse=True))
    scale = "|".join(scales)
    if counters := lists.get("counters"):
        words, scale_after = rf"(?!十分|一(?!割|倍))(?:{word})+(?={counters})", rf"({scale})"
    else:
        joins = "".join(rf"| {join} " for join in lists["joins"])
        half = "half an?|" if language == "en" else ""
        more = rf"(?:(?:[ -]{joins})(?:{word}))*"
        words = rf"(?<![^\W_])(?:{half}(?:{word}){more})(?![^\W_])"
        scale_after = rf"[ -]({scale})(?![^\W_])"
    return _Numerals(
        words=re.compile(words),
        scale_after=re.compile(scale_after),
        word=re.compile(word),
        ones=ones,
        scales=scales,
        needs_unit=frozenset(map(fold, lists["needs_unit"])),
    )


def quantities(folded: str, language: str = "en") -> tuple[Quantity, ...]:
    """Every quantity in the folded text, in order; number words are those of the language.

    Examples:
        >>> [(q.kind, *q.written) for q in quantities(fold('17" screen, 8GB, two-pack'))]
        [('length', Decimal('17')), ('data', Decimal('8')), ('pack', Decimal('2'))]
        >>> [(q.kind, *q.written) for q in quantities(fold("1.299,00 € or $1,299"))]
        [('money', Decimal('1299.00')), ('money', Decimal('1299'))]
    """
    numerals = _numerals(language if language in LANGUAGES else "en")
    found = list(_in_digits(folded, numerals))
    taken = {place for quantity in found for place in range(quantity.start, quantity.end)}
    found += (quantity for quantity in _in_words(folded, numerals) if quantity.start not in taken)
    found.sort(key=lambda quantity: quantity.start)
    return tuple(_shared_units(found, folded))


def _in_digits(text: str, numerals: _Numerals) -> Iterator[Quantity]:
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        if token["code"]:
            yield Quantity(frozenset(), "code", start, end, code=token["code"])
        elif token["over"]:
            yield from _fraction(token, text, numerals)
        elif token["money"]:
            currencies = frozenset(_CURRENCIES[token["money"]].split())
            yield Quantity(_readings(token["price"]), "money", start, end, currencies=currencies)
        else:
            number = _number(token["number"], text, (start, end), numerals)
            yield _negative(number) if token["sign"] else number


def _fraction(token: re.Match[str], text: str, numerals: _Numerals) -> Iterator[Quantity]:
    """The fraction as one value, or its parts where it is none ("10/100")."""
    over, under = Decimal(token["over"]), Decimal(token["under"])
    if token["under"] in _DENOMINATORS and over < under:
        value = Decimal(token["whole"] or 0) + over / under
        yield _with_unit(frozenset({value}), text, token.start(), token.end())
        return
    for group in ("whole", "over", "under"):
        if token[group]:
            yield _number(token[group], text, token.span(group), numerals)


def _number(numeral: str, text: str, span: tuple[int, int], numerals: _Numerals) -> Quantity:
    start, end = span
    readings = _readings(numeral)
    if not readings:
        return Quantity(readings, "code", start, end, code=numeral)
    if scale := numerals.scale_after.match(text, end):
        factor = numerals.scales[scale[1]]
        readings, end = frozenset(value * factor for value in readings), scale.end()
    return _with_unit(readings, text, start, end)


def _negative(quantity: Quantity) -> Quantity:
    return replace(quantity, written=frozenset(-value for value in quantity.written))


def _in_words(text: str, numerals: _Numerals) -> Iterator[Quantity]:
    for words in numerals.words.finditer(text):
        value = _spelled(words[0], numerals)
        quantity = _with_unit(frozenset({value}), text, *words.span())
        if quantity.kind.startswith("~"):
            quantity = replace(quantity, kind="count", end=words.end())
        if words[0] not in numerals.needs_unit or quantity.kind != "count":
            yield quantity


def _spelled(words: str, numerals: _Numerals) -> Decimal:
    """The value of number words.

    Examples:
        >>> _spelled("two hundred and fifty five", _numerals("en"))
        Decimal('255')
        >>> _spelled("二十五", _numerals("ja"))
        Decimal('25')
    """
    if words.startswith("half"):
        return Decimal("0.5")
    total = current = 0
    for word in numerals.word.findall(words):
        if scale := numerals.scales.get(word):
            current = max(current, 1) * scale
            if scale not in (12, 100):  # a dozen and a hundred may still be multiplied
                total, current = total + current, 0
        else:
            current += numerals.ones[word]
    return Decimal(total + current)


def _readings(numeral: str) -> frozenset[Decimal]:
    """The values a numeral can stand for; none where it is a version or a list.

    A comma before exactly three digits groups thousands. A point there does in half of the world,
    so both readings count, unless the three are zeros: nobody writes 5.000 for five.

    Examples:
        >>> sorted(_readings("1.299"))
        [Decimal('1.299'), Decimal('1299')]
        >>> _readings("1.299,00") == _readings("1,299.00") == _readings("1299")
        True
        >>> _readings("2.0.1")
        frozenset()
    """
    numeral = numeral.replace("'", "").replace(" ", "")
    points, commas = numeral.count("."), numeral.count(",")
    mark: Literal[".", ","] = "." if numeral.rfind(".") > numeral.rfind(",") else ","
    head, _, tail = numeral.rpartition(mark)
    if not points and not commas:
        return frozenset({Decimal(numeral)})
    if points and commas:
        if numeral.count(mark) > 1:
            return frozenset()
        return frozenset({Decimal(f"{head.replace(',', '').replace('.', '')}.{tail}")})
    groups = numeral.split(mark)
    grouped = 0 < len(groups[0]) <= 3 and groups[0] != "0" and all(len(g) == 3 for g in groups[1:])
    joined, decimal = Decimal("".join(groups)), Decimal(f"{head.replace(mark, '') or 0}.{tail}")
    if grouped and (len(groups) > 2 or mark == "," or tail == "000"):
        return frozenset({joined})
    if len(groups) > 2:
        return frozenset()
    return frozenset({joined, decimal}) if grouped else frozenset({decimal})


def _with_unit(written: frozenset[Decimal], text: str, start: int, end: int) -> Quantity:
    """The quantity with whatever unit, currency or letters follow its digits."""
    bare = Quantity(written, "count", start, end)
    if _PACK_OF.search(text[max(0, start - 12) : start]):
        return replace(bare, kind="pack")
    after = _NEXT.match(text, end)
    if not after:
        return bare
    touching, word = not after[1], re.sub(r"[ .]", "", after[2])
    if currencies := _CENTS.get(word) or _CURRENCIES.get(word):
        size = Decimal("0.01") if word in _CENTS else Decimal(1)
        return Quantity(written, "money", start, after.end(), size, frozenset(currencies.split()))
    unit = _UNIT_OF.get(word)
    if unit and (touching or word not in _TOUCHING) and _is_inch(word, text, after.end()):
        return Quantity(written, unit[0], start, after.end(), unit[1])
    if touching and word[0].isalpha():
        return Quantity(written, f"~{word}", start, after.end())
    return bare


def _is_inch(word: str, text: str, end: int) -> bool:
    """False only for "in" that goes on as a sentence, as in "2 in 1"."""
    return word != "in" or _IN_IS_INCH.match(text, end) is not None


def _shared_units(found: list[Quantity], text: str) -> list[Quantity]:
    """The quantities, where "5 to 10 hours", "20 x 30 cm" and "$20-30" share one unit."""
    for i in reversed(range(len(found) - 1)):
        this, after = found[i], found[i + 1]
        between = _CONNECTOR.fullmatch(text, this.end, after.start)
        if not between or not (between["range"] or after.kind == "length"):
            continue
        if this.kind == "count" and after.kind not in ("count", "code"):
            found[i] = replace(this, kind=after.kind, size=after.size, currencies=after.currencies)
        elif this.kind == "money" and after.kind == "count":
            found[i + 1] = replace(after, kind="money", currencies=this.currencies)
    return found
