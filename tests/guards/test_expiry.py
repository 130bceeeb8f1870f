"""Facts that expire: what a copy quotes, and what of it a new feed takes back."""

from dataclasses import replace
from decimal import Decimal

import pytest

from hookline.guards.expiry import Expired, expired, quoted
from hookline.types import Brand, Money, Product

ACME = Brand(id="acme", name="Acme")


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


BAG = Product(
    id="bag",
    title="Joust Backpack",
    description="Two pockets.",
    brand="Joust",
    price=usd("60"),
    sale_price=usd("45"),
    availability="in_stock",
    facts={"Material": "Nylon", "Colour": "Blue", "Volume": "29 L"},
    highlights=("Padded sleeve",),
)


def quotes(text: str, product: Product = BAG) -> set[str]:
    return set(quoted({"headline": text}, product, brand=ACME, locale="en"))


def gone(text: str, after: Product, before: Product = BAG) -> list[str]:
    changes = expired({"headline": text}, before, after, brand=ACME, locale="en")
    return [change.fact for change in changes]


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("Pack light", set[str]()),
        ("The Joust, in blue", {"brand", "facts.Colour"}),
        ("Holds 29 litres", {"facts.Volume"}),
        ("Tough nylon", {"facts.Material"}),
        ("Yours for $45", {"sale_price"}),
        ("Was $60", {"price", "sale_price"}),
        ("25% off", {"price", "sale_price"}),
        ("In stock now", {"availability"}),
        ("Two pockets", {"description"}),
        ("With a padded sleeve", {"highlights.1"}),
    ],
)
def test_quoted_names_what_the_copy_rests_on(text: str, facts: set[str]) -> None:
    assert quotes(text) == facts


@pytest.mark.parametrize(
    ("text", "after", "facts"),
    [
        ("Yours for $45", replace(BAG, sale_price=usd("50")), ["sale_price"]),
        ("25% off", replace(BAG, sale_price=None), ["sale_price"]),
        ("On sale", replace(BAG, sale_price=None), ["sale_price"]),
        ("In stock now", replace(BAG, availability="out_of_stock"), ["availability"]),
        ("A blue bag", replace(BAG, facts={**BAG.facts, "Colour": "Red"}), ["facts.Colour"]),
        ("Tough nylon", replace(BAG, facts={"Colour": "Blue"}), ["facts.Material"]),
        ("Two pockets", replace(BAG, description="Three pockets."), ["description"]),
        ("With a padded sleeve", replace(BAG, highlights=()), ["highlights.1"]),
    ],
)
def test_expired_finds_the_quoted_fact_that_changed(
    text: str, after: Product, facts: list[str]
) -> None:
    assert gone(text, after) == facts


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("Pack light", replace(BAG, price=usd("99"), sale_price=None, description="New.")),
        ("On sale", replace(BAG, sale_price=usd("40"))),
        ("A blue bag", replace(BAG, price=usd("70"))),
        ("A blue bag", replace(BAG, facts={**BAG.facts, "Colour": "Blue, Red"})),
        ("Tough nylon", replace(BAG, facts={"Fabric": "Nylon"})),
        ("Yours for $45", BAG),
    ],
)
def test_expired_leaves_copy_alone_that_is_still_true(text: str, after: Product) -> None:
    assert gone(text, after) == []


def test_expired_works_in_other_languages() -> None:
    old = Product(id="r", title="Rucksack", facts={"Material": "Leder"}, locale="de")
    new = replace(old, facts={"Material": "Nylon"})
    changes = expired({"text": "Feines Leder"}, old, new, brand=ACME, locale="de")
    assert changes == (Expired(fact="facts.Material", before="Leder", after="Nylon"),)


def test_expired_reason_speaks_to_a_marketer() -> None:
    after = replace(BAG, sale_price=usd("50"))
    (change,) = expired({"headline": "Now $45"}, BAG, after, brand=ACME, locale="en")
    assert change.reason == (
        'The copy quotes the sale price "45.00 USD"; the feed now has "50.00 USD".'
    )
    assert "the highlight " in Expired(fact="highlights.2", before="Dry in rain", after="").reason
    assert "the Size " in Expired(fact="facts.Size", before="300 ml", after="350 ml").reason
    assert Expired(fact="brand", before="Joust", after="").reason.endswith("no longer has it.")
