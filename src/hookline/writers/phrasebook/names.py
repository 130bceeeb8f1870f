"""Natural short names out of the titles of real feeds.

A feed's title is written for a search box: brand, model, specifications, colour, pack size. Copy
wants what a shop assistant would say. A name is made of whole words of the title, in their order;
what is left out is left out at its ends, or is a specification or a part number.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Final

import regex

from hookline.types import Product
from hookline.writers.phrasebook.lexicon import Lexicon, Noun

MAX_NAME: Final = 36
"""Longest name, in characters, that still reads as one."""

_LONGEST_MAKER: Final = 20
_QUOTES: Final = str.maketrans(
    {"’": "'", "‘": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": "-"}
)
_MARKS: Final = regex.compile(r"[®™©℠]|\((?:R|TM|C)\)|[\p{So}\p{Cc}\p{Cf}\p{Cs}\p{Co}]+")
_BRACKETS: Final = regex.compile(
    r"\s*(?<!\w)[(\[{][^()\[\]{}]*[)\]}]|[【（〔［][^】）〕］]*[】）〕］]"
)
_SEGMENTS: Final = regex.compile(r"\s+[-|•·:/]+\s+|\s*[;|]\s*|,\s+|:\s+|[、。｜／]|(?<=\w{4})\.\s+")
_VARIANT: Final = regex.compile(r"-(?:XXS|XS|S|M|L|XL|XXL|\d{1,3})(?:-[A-Z]\w+)?$")
_LINKS: Final = frozenset(
    {
        "for",
        "with",
        "w/",
        "featuring",
        "including",
        "includes",
        "compatible",
        "without",
        "in",
        "from",
    }
)
_FOREIGN_LINKS: Final = frozenset(
    {"für", "mit", "ohne", "inkl.", "inklusive", "zum", "zur", "aus"}
    | {"pour", "avec", "sans", "para", "con", "sin"}
)
"""Where a German, French or Spanish title goes on to what the product goes with."""
_WEARERS: Final = frozenset({"men", "women", "kids", "him", "her", "children", "babies"})
_DANGLING: Final = _LINKS | {
    "and",
    "&",
    "of",
    "the",
    "a",
    "an",
    "to",
    "on",
    "by",
    "or",
    "-",
    "+",
    "/",
}
_FOREIGN_DANGLING: Final = (
    _FOREIGN_LINKS
    | {"und", "oder", "von", "der", "die", "das", "den", "dem", "ein", "eine"}
    | {"et", "ou", "de", "du", "des", "d'", "le", "la", "les", "l'", "un", "une", "à", "en", "aux"}
    | {"y", "o", "del", "el", "los", "las", "una", "por"}
)
_UNIT: Final = (
    r"(?:[GMKT]B|[GMk]?Hz|[mckµ]?m|ft|feet|foot|in|inch|inches|\"|''|'|k?W|m?Ah|m?A|k?V|kVA|VA|ml|l|oz|g|kg"
    r"|lbs?|dpi|ppm|pixels|pcs?|pk|pack|sheets|pages|cores?|ports?|U|mAh|Gbit/s|Mbit/s|Mbps|Gbps)"
)
_SPEC: Final = regex.compile(
    rf"[Øø≤<>~]?\d+(?:[.,/x×]\d+)*-?{_UNIT}\.?|\d+(?:[.,]\d+)?[x×]\d.*|[2345]G|LTE|\d+(?:[.,]\d+)?%|\d+/\d+.*"
    r"|\d+[.,]\d+|[$€£]\d.*",
    regex.IGNORECASE,
)
_NUMBER: Final = regex.compile(r"\d+(?:[.,]\d+)?")
_UNIT_WORD: Final = regex.compile(rf"{_UNIT}\.?|x|×|DPI|pc\(s\)", regex.IGNORECASE)
_CODE: Final = regex.compile(r"(?=.*\d)[\w./+#-]{4,}")
_PACK: Final = regex.compile(r"\b\d+[ -]?(?:pcs?\b\.?|pc\(s\))", regex.IGNORECASE)
_UGLY: Final = regex.compile(
    r"[/;:|\"*_#=<>{}()\[\]+,$€£]|(?:^|\s)[^\w\s&](?:\s|$)|\b(\w{3,}?)s?\b.*\b\1s?\b",
    regex.IGNORECASE,
)
_COLORS: Final = frozenset(
    {
        "black",
        "white",
        "silver",
        "gray",
        "grey",
        "blue",
        "red",
        "green",
        "yellow",
        "magenta",
        "cyan",
    }
    | {
        "pink",
        "purple",
        "orange",
        "gold",
        "brown",
        "beige",
        "clear",
        "matte",
        "glossy",
        "light",
        "dark",
    }
)
_TAIL_WORDS: Final = _COLORS | {"original", "box", "bulk", "unlocked", "new", "unmanaged", "photo"}
_CONDITION: Final = regex.compile(
    r"\b(?:refurbished|renewed|used|pre-?owned|open[- ]box|reconditioned)\b", regex.IGNORECASE
)
_MIXED: Final = regex.compile(r"&|,|/|\band\b|accessor", regex.IGNORECASE)
_NO_BRAND: Final = frozenset(
    {
        "",
        "n/a",
        "na",
        "none",
        "generic",
        "unbranded",
        "no brand",
        "unknown",
        "default",
        "various",
        "other",
    }
)


@dataclass(frozen=True, slots=True)
class Name:
    """One way to name the product.

    Attributes:
        text: The name.
        article: Whether "the" goes before it.
    """

    text: str
    article: bool


@dataclass(frozen=True, slots=True)
class Naming:
    """Everything copy may call a product.

    Attributes:
        names: The most telling first, longer before shorter; at least one unless the title has
            neither letter nor digit.
        noun: What kind of thing it is, None where the feed does not tell.
        maker: The maker's name, empty if unknown.
        fresh: False where the title says that the thing is used or refurbished.
    """

    names: tuple[Name, ...]
    noun: Noun | None
    maker: str
    fresh: bool


def short_name(
    names: Sequence[Name],
    limit: int,
    *,
    article: bool = True,
    size: Callable[[str], int] = len,
) -> Name | None:
    """The first of the names that is at most `limit` long, or None.

    Args:
        names: The most telling first.
        limit: Greatest size.
        article: Whether the article counts, where the name takes one.
        size: How a text's size is counted.

    Examples:
        >>> names = (Name("Joust Duffle Bag", article=True), Name("Luma bag", article=True))
        >>> short_name(names, 12).text
        'Luma bag'
        >>> short_name(names, 5) is None
        True
    """
    return next((n for n in names if size(n.text) + 4 * (article and n.article) <= limit), None)


def naming(product: Product, lexicon: Lexicon, shop: str = "") -> Naming:
    """What copy may call the product.

    Args:
        product: The product, as its feed describes it.
        lexicon: The nouns of the title's language.
        shop: The shop's own name: a maker that it starts with is not put before every product.

    Examples:
        >>> from hookline.writers.phrasebook.lexicon import load_lexicon
        >>> title = "AT&T GoPhone - Samsung Galaxy Express 3 4G LTE with 8GB Memory"
        >>> phone = Product(id="1", title=title, brand="AT&T GoPhone", category="Prepaid Phones")
        >>> [name.text for name in naming(phone, load_lexicon()).names]
        ['Samsung Galaxy Express 3', 'AT&T GoPhone prepaid phone']
        >>> title = "Xerox 006R90321 toner cartridge Original Black 6 pc(s)"
        >>> toner = Product(id="2", title=title, brand="Xerox")
        >>> [name.text for name in naming(toner, load_lexicon()).names]
        ['Xerox 006R90321 toner cartridge', 'Xerox toner cartridge']
    """
    maker = clean(product.brand)
    maker = "" if maker.lower() in _NO_BRAND else maker
    words = _title_words(clean(product.title), maker)
    native = bool(lexicon.nouns)
    links, loose = (_LINKS, _DANGLING) if native else (_FOREIGN_LINKS, _FOREIGN_DANGLING)
    head = _before_link(words, links)
    start = min(len(head), len(maker.split()) + 1)
    measure = next((i for i in range(start, len(head)) if _is_spec(head, i)), len(head))
    found = lexicon.find(head[:measure]) or lexicon.find(head)
    end = found[0] if found else measure
    core = [word for i, word in enumerate(head[:end]) if not _is_spec(head, i)] or head
    core = core if found else _without_tail(core, start)
    noun = found[1] if found else _noun_elsewhere(product, words[len(head) :], lexicon)
    prefix = maker if len(maker) <= _LONGEST_MAKER else ""
    own = shop.lower().startswith(maker.lower())
    candidates = _candidates(core, noun, prefix, named=found is not None, own=own)
    condition = _CONDITION.search(product.title)
    if condition:
        word = condition.group().lower()
        candidates = [name for name in candidates if word in name.text.lower()]
    names = _tidy((name for name in candidates if name.text.lower() != maker.lower()), loose)
    return Naming(
        names=names
        or _last_resort(words, noun if condition is None else None, loose)
        or _last_resort(clean(product.title).split(), None, loose),
        noun=noun,
        maker=maker,
        fresh=condition is None,
    )


def clean(text: str) -> str:
    """The text without marks, symbols, control characters and bracketed asides, spaces single.

    Examples:
        >>> clean("Case for Apple® iPhone® 7  (2-pack)")
        'Case for Apple iPhone 7'
    """
    plain = _MARKS.sub(" ", text.translate(_QUOTES))
    plain = _BRACKETS.sub(" ", _PACK.sub(" ", plain))
    plain = _VARIANT.sub("", " ".join(plain.split()))
    words = plain.split()
    if len(words) > 2 and plain.isupper():
        plain = " ".join(w.capitalize() if len(w) > 3 and w.isalpha() else w for w in words)
    return regex.sub(r"\s+([,.;:!?])", r"\1", plain).strip(" -,;:.")


def _before_link(words: Sequence[str], links: Set[str] = _LINKS) -> list[str]:
    """The words before the first preposition; all of them where it would come first."""
    for index, word in enumerate(words):
        follower = words[index + 1].lower() if index + 1 < len(words) else ""
        if index and word.lower() in links and follower not in _WEARERS:
            return list(words[:index])
    return list(words)


def _is_spec(words: Sequence[str], index: int) -> bool:
    """Whether the word is a measure, or part of one."""
    word = words[index]
    if _SPEC.fullmatch(word):
        return True
    after = words[index + 1] if index + 1 < len(words) else ""
    before = words[index - 1] if index else ""
    if _NUMBER.fullmatch(word):
        return bool(_UNIT_WORD.fullmatch(after)) or before.lower() in {"x", "×"}
    return bool(_UNIT_WORD.fullmatch(word)) and bool(_NUMBER.fullmatch(before))


def _title_words(title: str, maker: str) -> list[str]:
    """The words of the part of the title that names the product, past a leading "Maker - "."""
    segments = [part.strip(" -") for part in _SEGMENTS.split(title)]
    segments = [part for part in segments if part]
    if len(segments) > 1 and segments[0].lower() == maker.lower():
        segments = segments[1:]
    return segments[0].split() if segments else []


def _without_tail(words: Sequence[str], least: int) -> list[str]:
    """The words without colours and the like at the end, at least `least` of them."""
    kept = list(words)
    while len(kept) > least and (kept[-1].lower() in _TAIL_WORDS or kept[-1].lower() in _DANGLING):
        kept.pop()
    return kept


def _noun_elsewhere(product: Product, rest: Sequence[str], lexicon: Lexicon) -> Noun | None:
    """The noun from the category, the rest of the title or a short description, or None.

    A category in the plural names the kind, so its noun is taken in the singular. What follows
    "for" in a title is what the product goes with, not what it is.
    """
    leaf = product.category.split(">")[-1]
    sources: list[Sequence[str]] = []
    if not _MIXED.search(leaf):
        sources.append(_before_link(leaf.split()))
    if rest and rest[0].lower() in {"with", "w/"}:
        sources.append(rest)
    if len(product.description) < 80:
        sources.append(_before_link(clean(product.description).split(",")[0].split()))
    found = next((hit for hit in map(lexicon.find, sources) if hit), None)
    return _singular(found[1], lexicon) if found else None


def _singular(noun: Noun, lexicon: Lexicon) -> Noun:
    """The noun in the singular, where it has one."""
    same = (n for n in lexicon.nouns.values() if n.plural == noun.plural and not n.is_plural)
    return next(same, noun) if noun.is_plural else noun


def _candidates(
    core: Sequence[str], noun: Noun | None, maker: str, *, named: bool, own: bool
) -> list[Name]:
    """Every way to name it, the most telling first.

    Args:
        core: The words of the title that name it, measures left out.
        noun: What it is, None if unknown.
        maker: Put in front where the core does not have it; may be empty.
        named: Whether the core ends in the noun.
        own: Whether the maker is the shop, and need not be named with every product.
    """
    texts = [" ".join(core)]
    if noun is not None and not named and _is_bare_code(core, maker):
        texts.insert(0, f"{texts[0]} {noun.text}")
    if named and (bare := _without_codes(core)):
        texts.append(" ".join(bare))
    names: list[Name] = []
    for text in texts:
        has_maker = maker.lower() in text.lower()
        article = named or bool(noun and text.endswith(noun.text)) or bool(_NUMBER.search(text))
        if maker and not has_maker and not own:
            names.append(Name(f"{maker} {text}", article=True))
        if has_maker or own or noun is None or text.lower() != noun.text.lower():
            names.append(Name(text, article))
    names.sort(key=lambda name: -len(name.text))
    return [*names, Name(f"{maker} {noun.text}", article=True)] if noun and maker else names


def _is_bare_code(words: Sequence[str], maker: str) -> bool:
    """Whether the words, past the maker's name, are a mere number or part number."""
    text = " ".join(words)
    rest = text[len(maker) :] if text.lower().startswith(maker.lower()) else text
    return len(rest.split()) == 1 and bool(regex.search(r"\d", rest))


def _without_codes(words: Sequence[str]) -> list[str]:
    """The words without part numbers; nothing where that would tear a phrase apart."""
    codes = {i for i, word in enumerate(words) if _CODE.fullmatch(word)}
    beside = {words[j].lower() for i in codes for j in (i - 1, i + 1) if 0 <= j < len(words)}
    return [] if beside & _DANGLING else [w for i, w in enumerate(words) if i not in codes]


def _tidy(candidates: Iterable[Name], loose: Set[str]) -> tuple[Name, ...]:
    """The candidates that read well, in their order, without doubles."""
    kept: dict[str, Name] = {}
    for name in candidates:
        text = name.text.strip(" -,&")
        words = text.split()
        if not words or len(text) > MAX_NAME or _UGLY.search(text):
            continue
        if words[-1].lower() in loose or not regex.search(r"\p{L}{2}", text):
            continue
        if text.lower().startswith("the "):
            name = Name(text[4:], article=True)  # noqa: PLW2901 - the same name, its article apart
        kept.setdefault(text.lower(), Name(name.text.strip(" -,&"), name.article))
    return tuple(kept.values())


def _last_resort(words: Sequence[str], noun: Noun | None, loose: Set[str]) -> tuple[Name, ...]:
    """The noun alone, else as many leading words as make a name; nothing if there is no letter."""
    if noun is not None:
        return (Name(noun.text, article=True),)
    kept: list[str] = []
    for index, word in enumerate(words):
        plain = word.strip('/;:|"*_#=<>{}()[]+,')
        if (plain != word and regex.search(r"\d", plain)) or _is_spec(words, index):
            continue
        if plain and len(" ".join([*kept, plain])) <= MAX_NAME:
            kept.append(plain)
        elif kept:
            break
    while kept and kept[-1].lower() in loose:
        kept.pop()
    text = " ".join(kept)
    return (Name(text, article=False),) if regex.search(r"\p{L}|\d", text) else ()
