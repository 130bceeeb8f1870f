"""Which creative attributes a text has, from the words people use for them.

What a writer was asked for and what it wrote are two things; this reads the second. The cues are
data, `words/cues.<language>.toml`, drawn from how people write and not from any writer's phrases.
They are lexical: an angle or a tone that is carried by rhythm or context alone goes unseen, and
lines of a few words often fit several.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final, cast

from hookline.channels import count_units
from hookline.types import (
    ATTRIBUTE_LEVELS,
    Angle,
    Attributes,
    Brief,
    Channel,
    CtaStyle,
    Field,
    Length,
    Product,
    Proof,
    Tone,
    Urgency,
)
from hookline.words import LANGUAGES, compiled, fold, language_of, load, pattern, plain

FULL_FROM: Final = 0.62
"""Share of its room from which a text is `full`."""

_SENTENCE: Final = re.compile(r"[^.!?|。！？;:]+")
_PRICE: Final = re.compile(
    r"[$€£¥]\s?\d|\d\s?(?:[$€£¥円]|(?:usd|eur|gbp|jpy|chf|euros?|dollars?|dolares|ドル)(?![^\W_]))"
    r"|(?:usd|eur|gbp|jpy|chf)\s?\d"
)
_MEASURE: Final = re.compile(r"\d+(?:[.,]\d+)?\s?[^\W\d_°%\"]|\d+\s?[%\"°]")
_TOKEN: Final = re.compile(r"[^\W_]+")
_NUMBER: Final = re.compile(r"\d")
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_PROOFS: Final[tuple[Proof, ...]] = ("price", "spec", "brand")
_HOOK: Final = 1.5  # a cue in a headline weighs that of one in the text below it and half more
_TAIL: Final = 9  # characters in which a Japanese sentence says what to do
_LEAST_FACT: Final = 3  # letters of a fact that are no coincidence
_WEIGHTS: Final = {"plain": 0.8, "direct": 0.65}  # what is there when nothing else is
_FAINT: Final = 0.35
_PLAIN: Final = 0.6  # weight of cues from which a copy is more than plain


def calls(text: str, locale: str = "en", *, button: bool = True) -> frozenset[CtaStyle]:
    """The styles of call to action that the text may be; empty where it calls for nothing.

    Args:
        text: A button, or running text.
        locale: BCP 47 tag of its language.
        button: Whether the text is a button; in running text only what a sentence begins with
            (in Japanese: ends with) is a call.

    Examples:
        >>> sorted(calls("Shop now")), sorted(calls("Jetzt entdecken", "de"))
        (['shop'], ['discover'])
        >>> sorted(calls("A bag to see the world with", button=False))
        []
    """
    return _calls(fold(text), _known(locale), button)


@lru_cache(maxsize=16_384)
def _calls(folded: str, language: str, button: bool) -> frozenset[CtaStyle]:  # noqa: FBT001 - cached
    styles: set[CtaStyle] = set()
    for sentence in _SENTENCE.findall(folded):
        bare = _lead(language).sub("", sentence.strip())
        for style, words in _call_patterns(language):
            if style == "none" and (styles or not button):
                continue
            place = words.search(bare) if language == "ja" else words.match(bare)
            if place and (button or language != "ja" or place.end() > len(bare) - _TAIL):
                styles.add(style)
    return frozenset(styles)


@cache
def _lead(language: str) -> re.Pattern[str]:
    """Finds what may stand before a call."""
    words = plain(load("cues", language)["leads"])
    return re.compile(rf"^(?:[\s\-*\"'(]|(?:{words})(?![^\W_])[ ,-]*)+")


@cache
def _call_patterns(language: str) -> tuple[tuple[CtaStyle, re.Pattern[str]], ...]:
    listed = cast("Mapping[CtaStyle, Sequence[str]]", load("cues", language)["calls"])
    return tuple((style, compiled(words, language)) for style, words in listed.items())


def call_styles(
    parts: Mapping[str, str], channel: Channel, locale: str = "en"
) -> frozenset[CtaStyle]:
    """The styles of the copy's calls: its button's where it has one, else those of any field."""
    buttons = [field.name for field in channel.fields if field.role == "cta"]
    if buttons:
        texts = [(parts[name], True) for name in buttons if name in parts]
    else:
        texts = [(text, False) for text in parts.values()]
    return frozenset[CtaStyle]().union(*(calls(t, locale, button=b) for t, b in texts))


def recognise(
    parts: Mapping[str, str], *, channel: Channel, product: Product, locale: str = "en"
) -> Attributes:
    """The creative attributes that the copy seems to have.

    Args:
        parts: Channel field name → text.
        channel: Where it is shown; says what room there was and which field is the button.
        product: What it is about; its name is no cue, its facts, price and maker are proof.
        locale: BCP 47 tag of the copy's language.

    Examples:
        >>> from hookline.channels import channel
        >>> mug = Product(id="1", title="Tin Mug", brand="Camp Co")
        >>> parts = {"headline": "How to pick a mug for slow, quiet mornings", "cta": "Learn more"}
        >>> seen = recognise(parts, channel=channel("onsite_banner"), product=mug)
        >>> seen.angle, seen.tone, seen.cta
        ('howto', 'calm', 'learn')
    """
    seen = _Reading.of(parts, channel, product, locale)
    styles = call_styles(parts, channel, locale) - {"none"}
    return Attributes(
        angle=cast("Angle", _strongest(seen.angles, "direct")),
        tone=cast("Tone", _strongest(seen.tones, "plain")),
        cta=cast("CtaStyle", min(styles, key=ATTRIBUTE_LEVELS["cta"].index, default="none")),
        proof=cast("Proof", next((each for each in _PROOFS if each in seen.proofs), "none")),
        urgency=seen.urgency,
        length=_length(parts, channel),
    )


def as_asked(parts: Mapping[str, str], brief: Brief) -> dict[str, bool]:
    """Attribute → whether the copy is recognised to have the level that the brief asks for.

    A call or a proof counts if the one asked for is among those there; an angle or a tone if no
    other has more cues. A maker who stands in the product's own name may be meant as proof or not,
    so that counts as either.
    """
    seen = _Reading.of(parts, brief.channel, brief.product, brief.locale)
    asked = brief.attributes
    styles = call_styles(parts, brief.channel, brief.locale)
    return {
        "angle": _leads(seen.angles, asked.angle, "direct"),
        "tone": _leads(seen.tones, asked.tone, "plain"),
        "cta": asked.cta in styles or (asked.cta == "none" and not styles),
        "proof": (
            asked.proof in seen.proofs
            or (asked.proof == "none" and not seen.proofs)
            or (asked.proof == "brand" and _signed(parts, brief.product))
        ),
        "urgency": asked.urgency == seen.urgency,
        "length": asked.length == _length(parts, brief.channel),
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """What a reader's eye picks out of one copy.

    Attributes:
        angles: Angle → weight of its cues.
        tones: Tone → weight of its cues.
        proofs: What backs the copy outside of the product's name.
        urgency: Whether it presses.
    """

    angles: Mapping[str, float]
    tones: Mapping[str, float]
    proofs: frozenset[Proof]
    urgency: Urgency

    @classmethod
    def of(
        cls, parts: Mapping[str, str], channel: Channel, product: Product, locale: str
    ) -> "_Reading":
        """The reading of these parts."""
        language = _known(locale)
        buttons = {field.name for field in channel.fields if field.role == "cta"}
        hooks = {field.name for field in channel.fields if field.role == "hook"}
        nameless = {name: _nameless(fold(text), product) for name, text in parts.items()}
        text = " . ".join(text for name, text in nameless.items() if name not in buttons)
        fields = [
            (_quoteless(text, product), _HOOK if name in hooks else 1.0)
            for name, text in nameless.items()
            if name not in buttons
        ]
        pressing = " . ".join(nameless[name] for name in buttons if name in nameless)
        urgent = pattern("cues", "urgency.any", language).search(text) or (
            pattern("cues", "urgency.button", language).search(pressing)
        )
        return cls(
            angles=_weighed("angles", fields, language),
            tones=_toned(_weighed("tones", fields, language)),
            proofs=_proofs(text, product),
            urgency="soft" if urgent else "none",
        )


def _weighed(group: str, fields: Sequence[tuple[str, float]], language: str) -> dict[str, float]:
    """Level → weight of its cues in the fields, each cue once, where it weighs most.

    A cue that several levels share is divided among them, and a faint one, which is common in copy
    of any kind, counts little.
    """
    weights: dict[str, float] = {}
    for level in load("cues", language)[group]:
        found: dict[str, float] = {}
        cues = pattern("cues", f"{group}.{level}", language)
        for text, weight in fields:
            for cue in cues.findall(text):
                found[cue] = max(found.get(cue, 0.0), weight * _worth(group, cue, language))
        weights[level] = sum(found.values()) * _WEIGHTS.get(level, 1.0)
    return weights


@lru_cache(maxsize=16_384)
def _worth(group: str, cue: str, language: str) -> float:
    """What a cue weighs: less where it is faint or stands for several levels of the group."""
    levels = [level for level in load("cues", language)[group] if level not in _WEIGHTS]
    shared = sum(
        bool(pattern("cues", f"{group}.{level}", language).search(cue)) for level in levels
    )
    faint = pattern("cues", f"faint.{group}", language).fullmatch(cue)
    return (_FAINT if faint else 1.0) / max(shared, 1)


def _toned(weights: dict[str, float]) -> dict[str, float]:
    """The weights of tones; plain is what a copy is with hardly a cue of another."""
    return weights | {"plain": weights["plain"] + _PLAIN}


def _strongest(weights: Mapping[str, float], fallback: str) -> str:
    """The level with the most cues; the fallback where there is none."""
    best = max(weights, key=lambda level: weights[level])
    return best if weights[best] else fallback


def _leads(weights: Mapping[str, float], level: str, fallback: str) -> bool:
    """Whether no other level has more cues."""
    most = max(weights.values())
    return weights[level] >= most if most else level == fallback


def _nameless(folded: str, product: Product) -> str:
    """The text without what stands in the product's title: two words in a row, or a number."""
    title = fold(product.title)
    if not folded.isascii() and _UNSPACED.search(folded):
        for word in sorted(set(title.split()), key=len, reverse=True):
            folded = folded.replace(word, " ") if len(word) > 1 else folded
        return folded
    names = _TOKEN.findall(title)
    pairs = set(pairwise(names))
    marked = {name for name in names if _NUMBER.search(name)}
    whole = len(names) == 1
    tokens = list(_TOKEN.finditer(folded))
    words = [token[0] for token in tokens]
    named = {
        place for place, word in enumerate(words) if word in marked or (whole and word == title)
    }
    for place, pair in enumerate(pairwise(words)):
        if pair in pairs:
            named |= {place, place + 1}
    letters = list(folded)
    for place in named:
        start, end = tokens[place].span()
        letters[start:end] = " " * (end - start)
    return "".join(letters)


def _quoteless(folded: str, product: Product) -> str:
    """The text without the facts that it quotes word for word."""
    for fact in _facts(product):
        folded = folded.replace(fact, " ")
    return folded


def _proofs(nameless: str, product: Product) -> frozenset[Proof]:
    """What backs the text outside of the product's name."""
    found: set[Proof] = set()
    if _PRICE.search(nameless):
        found.add("price")
    if _MEASURE.search(_PRICE.sub(" ", nameless)) or any(map(_in(nameless), _facts(product))):
        found.add("spec")
    maker = fold(product.brand)
    if maker and _in(nameless)(maker):
        found.add("brand")
    return frozenset(found)


def _signed(parts: Mapping[str, str], product: Product) -> bool:
    """Whether the maker is named anywhere, be it in the product's name."""
    maker = fold(product.brand)
    return bool(maker) and any(_in(fold(text))(maker) for text in parts.values())


def _facts(product: Product) -> list[str]:
    """What the product's facts say, folded, but for what its name says or is no fact by itself."""
    title, maker = fold(product.title), fold(product.brand)
    facts = (fold(fact) for fact in (*product.highlights, *product.facts.values()))
    return [
        fact for fact in facts if len(fact) >= _LEAST_FACT and fact not in title and fact != maker
    ]


def _in(folded: str) -> Callable[[str], bool]:
    """A test whether a phrase stands in the text as whole words."""
    padded = f" {' '.join(_TOKEN.findall(folded))} "

    def stands(phrase: str) -> bool:
        if _UNSPACED.search(phrase):
            return phrase in folded
        return f" {' '.join(_TOKEN.findall(phrase))} " in padded

    return stands


def _length(parts: Mapping[str, str], channel: Channel) -> Length:
    """Whether the fields that are no buttons are nearer to half full or to full.

    A wide letter takes the room of two narrow ones, since it says as much.
    """
    filled = [
        min(1.0, _share(parts[field.name], field, channel))
        for field in channel.fields
        if field.role != "cta" and field.name in parts and field.max_graphemes
    ]
    return "full" if filled and sum(filled) / len(filled) >= FULL_FROM else "short"


def _share(text: str, field: Field, channel: Channel) -> float:
    """How much of the field's room the text takes."""
    share = count_units(text, "columns") / field.max_graphemes
    if field.max_units is None:
        return share
    return max(share, count_units(text, channel.units) / field.max_units)


def _known(locale: str) -> str:
    language = language_of(locale)
    return language if language in LANGUAGES else "en"
