from dataclasses import replace

import pytest

from hookline.brief import make_brief
from hookline.channels import channel
from hookline.errors import BadInput
from hookline.types import Attributes, Audience, Brand, Brief, Channel, Field, Product, content_hash

PARTS = {
    "product": Product(id="b1", title="Canvas Tote Bag"),
    "audience": Audience(id="all", name="Everybody"),
    "channel": channel("email"),
    "brand": Brand(id="acme", name="Acme", locale="en-GB"),
    "attributes": Attributes(),
}


def brief(**changes: object) -> Brief:
    return make_brief(**{**PARTS, **changes})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "change",
    [
        {"product": Product(id="b1", title="Canvas Tote Bag", description="Big.")},
        {"audience": Audience(id="all", name="Everybody", motives=("value",))},
        {"channel": channel("sms")},
        {"brand": Brand(id="acme", name="Acme", banned_terms=("cheap",), locale="en-GB")},
        {"attributes": Attributes(tone="bold")},
        {"lessons": ("Short subjects won.",)},
        {"locale": "en-US"},
    ],
)
def test_id_changes_with_each_part(change: dict[str, object]) -> None:
    assert brief(**change).id != brief().id


def test_id_is_the_hash_of_the_rest() -> None:
    made = brief(lessons=("Short subjects won.",))
    rest = (made.product, made.audience, made.channel, made.brand, made.attributes)
    assert made.id == content_hash(*rest, made.lessons, made.locale)


def test_locale_is_the_brands_unless_given() -> None:
    assert brief().locale == "en-GB"
    assert brief(locale="de").locale == "de"


def test_blank_lessons_are_dropped() -> None:
    assert brief(lessons=(" ", " Say the price. ")).lessons == ("Say the price.",)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"product": Product(id="b1", title=" ")}, "title"),
        ({"channel": Channel(id="x", name="X", fields=())}, "no fields"),
        (
            {
                "channel": Channel(
                    id="x",
                    name="X",
                    fields=(Field(name="a", max_graphemes=9, min_graphemes=10),),
                )
            },
            "'a'",
        ),
        ({"channel": replace(channel("sms"), fields=(Field(name="a", max_graphemes=0),))}, "'a'"),
        ({"locale": " "}, "locale"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_reason(
    change: dict[str, object], word: str
) -> None:
    with pytest.raises(BadInput, match=word):
        brief(**change)
