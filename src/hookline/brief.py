"""Briefs: product × audience × channel × attributes (+ lessons), all a writer may know."""

from collections.abc import Sequence

from hookline.errors import BadInput
from hookline.types import Attributes, Audience, Brand, Brief, Channel, Product, content_hash


def make_brief(
    *,
    product: Product,
    audience: Audience,
    channel: Channel,
    brand: Brand,
    attributes: Attributes,
    lessons: Sequence[str] = (),
    locale: str | None = None,
    sentiment: float | None = None,
) -> Brief:
    """The brief for one cell, with an id that is the content hash of everything in it.

    Args:
        product: What is sold.
        audience: Whom the copy is for.
        channel: Where it is shown.
        brand: How it must sound.
        attributes: The creative attributes asked for.
        lessons: What worked for this audience before, in words; blank ones are dropped.
        locale: BCP 47 tag of the language to write; the brand's own if None.
        sentiment: How it is to feel, from -1 to 1; None where nothing is asked.

    Raises:
        BadInput: Where no copy could answer the brief: a product without a title, a channel
            without fields or with a field that nothing can fill, an empty locale, a sentiment
            that is off the scale.

    Examples:
        >>> from hookline.channels import channel
        >>> parts = {
        ...     "product": Product(id="b1", title="Canvas Tote Bag"),
        ...     "audience": Audience(id="all", name="Everybody"),
        ...     "channel": channel("email"),
        ...     "brand": Brand(id="acme", name="Acme"),
        ... }
        >>> one = make_brief(**parts, attributes=Attributes(tone="warm"))
        >>> one.id == make_brief(**parts, attributes=Attributes(tone="warm")).id
        True
        >>> one.id == make_brief(**parts, attributes=Attributes(tone="bold")).id
        False
    """
    if not product.title.strip():
        raise BadInput(f"product {product.id!r} has no title; give it one in the feed")
    _check_channel(channel)
    language = brand.locale if locale is None else locale
    if not language.strip():
        raise BadInput("the locale is empty; give a language tag such as 'en' or 'en-GB'")
    if sentiment is not None and not -1 <= sentiment <= 1:
        raise BadInput(f"the sentiment must lie from -1 to 1, not {sentiment}")
    asked = () if sentiment is None else (sentiment,)
    kept = tuple(lesson.strip() for lesson in lessons if lesson.strip())
    return Brief(
        id=content_hash(product, audience, channel, brand, attributes, kept, language, *asked),
        product=product,
        audience=audience,
        channel=channel,
        brand=brand,
        attributes=attributes,
        lessons=kept,
        locale=language,
        sentiment=sentiment,
    )


def _check_channel(channel: Channel) -> None:
    """Raises `BadInput` where the channel has no field, or one that nothing can fill."""
    if not channel.fields:
        raise BadInput(f"channel {channel.id!r} has no fields; give it at least one")
    for spot in channel.fields:
        if spot.max_graphemes < max(spot.min_graphemes, 1):
            raise BadInput(
                f"field {spot.name!r} of channel {channel.id!r} wants at least {spot.min_graphemes}"
                f" and at most {spot.max_graphemes} characters; mend its limits"
            )
