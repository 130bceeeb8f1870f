"""The control line where no person has written one: the shop's own words, made to fit a channel."""

from collections.abc import Mapping, Sequence
from typing import Final

import regex

from hookline.channels import count_graphemes, count_units
from hookline.guards import check_all
from hookline.guards.claims import Claims
from hookline.guards.duplicates import Duplicates
from hookline.types import Attributes, Audience, Brand, Brief, Channel, Field, Product

_BUTTON: Final = "Shop now"
# For fields that the product has no words of its own for. They claim nothing.
_PLAIN: Final = ("See it in our shop", "Find the details and pictures on the product page", _BUTTON)
_UNSEEN: Final = regex.compile(r"[\p{C}--[\u200c\u200d]]", regex.V1)
_SENTENCE_END: Final = regex.compile(r"(?<=[.!?])\s+")
_LOOSE_END: Final = regex.compile(
    r"(?:[\s,;:(/&+|–—-]+|\s(?:a|an|and|at|by|for|from|in|of|on|or|the|to|with))+$",
    regex.IGNORECASE,
)


def title_control(product: Product, channel: Channel) -> dict[str, str]:
    """The shop's own words for a channel, as control where no person has written a line.

    Hooks take the title, supporting fields the description, calls to action "Shop now"; plain
    sentences fill in where these run out. Every text keeps the field's limits, whatever the
    channel, and claims nothing that the product's text does not carry.

    Returns:
        Channel field name → text.

    Examples:
        >>> from hookline.channels import channel
        >>> mug = Product(id="1", title="Tin Mug", description="A mug for camp. Holds 300 ml.")
        >>> title_control(mug, channel("onsite_banner"))
        {'headline': 'Tin Mug', 'cta': 'Shop now'}
        >>> title_control(mug, channel("email"))["preheader"]
        'A mug for camp. Holds 300 ml. Tin Mug. See it in our shop'
    """
    sentences = _SENTENCE_END.split(product.description)
    names = [product.category.rpartition(" > ")[2], product.brand]
    parts: dict[str, str] = {}
    for spot in channel.fields:
        texts = [*product.highlights, *names, *sentences]
        if spot.role == "support":
            texts = [*sentences, *product.highlights, product.title]
        texts.sort(key=lambda text: not _fits(text, spot, channel))  # whole ones before cut ones
        first = [product.title] if spot.role == "hook" else []
        pieces = [_BUTTON] if spot.role == "cta" else [*first, *texts, *names]
        parts[spot.name] = _own_words([*pieces, *_PLAIN], spot, channel, product, parts)
    return parts


def _own_words(
    pieces: Sequence[str],
    spot: Field,
    channel: Channel,
    product: Product,
    parts: Mapping[str, str],
) -> str:
    """As many pieces as the field's least length needs, the first ones that may stand there."""
    text = ""
    for words in filter(None, (" ".join(_UNSEEN.sub(" ", piece).split()) for piece in pieces)):
        gap = " " if text.endswith((".", "!", "?")) else ". "
        longer = _cut(f"{text}{gap}{words}" if text else words, spot, channel)
        is_new = len(longer) > len(text) and words.casefold() not in text.casefold()
        if is_new and _may_stand({**parts, spot.name: longer}, product):
            text = longer
        if text and count_graphemes(text) >= spot.min_graphemes:
            return text
    return _filled(". ".join(_PLAIN), spot, channel)


def _may_stand(parts: Mapping[str, str], product: Product) -> bool:
    """Whether the parts claim only what the product carries and do not repeat each other."""
    brief = Brief(
        id="",
        product=product,
        audience=Audience(id="", name=""),
        channel=Channel(id="", name="", fields=()),
        brand=Brand(id="", name=""),
        attributes=Attributes(),
        locale=product.locale,
    )
    return all(verdict.ok for verdict in check_all((Claims(), Duplicates()), parts, brief))


def _fits(text: str, spot: Field, channel: Channel) -> bool:
    return count_graphemes(text) <= spot.max_graphemes and (
        spot.max_units is None or count_units(text, channel.units) <= spot.max_units
    )


def _cut(text: str, spot: Field, channel: Channel) -> str:
    """The text, or as many of its words as fit without a loose end; empty if none does."""
    if _fits(text, spot, channel):
        return text
    kept = ""
    for word in text.split(" "):
        longer = f"{kept} {word}".strip()
        if not _fits(longer, spot, channel):
            break
        kept = longer
    if kept.count("(") > kept.count(")"):
        kept = kept[: kept.rindex("(")]
    return _LOOSE_END.sub("", kept)


def _filled(words: str, spot: Field, channel: Channel) -> str:
    """The words over and over, as far as they fit: always long enough, never too long."""
    text = ""
    for char in f"{words}. " * (spot.max_graphemes // len(words) + 1):
        if not _fits(text + char, spot, channel):
            break
        text += char
    return f"{text[:-1]}." if text.endswith(" ") else text
