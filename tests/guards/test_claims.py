"""The claims guard: planted violations are found, sound lines pass."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.channels import CHANNELS
from hookline.guards.claims import Claims
from hookline.types import Attributes, Audience, Brand, Brief, Money, Product


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


BAG = Product(
    id="24-MB01",
    title='Joust 17" Laptop Backpack',
    description=(
        "Two zippered pockets and one padded sleeve. Holds 29 L and weighs 1.2 kg. "
        "Straps adjust in seconds. Not machine washable. Fits iPhone 12 and the dv7-1211ea."
    ),
    brand="Joust",
    category="Bags > Backpacks",
    price=usd("60.00"),
    facts={"Material": "Nylon", "Waterproof": "No", "USB": "USB-C 3.0", "Pack": "Set of 4 labels"},
    highlights=("Lightweight frame", "Recycled lining", "5-10 hours of lamp light"),
    availability="in_stock",
)
SALE = replace(BAG, id="24-MB02", sale_price=usd("45.00"))
LAPTOP = Product(
    id="103",
    title="The Best Little 4K Laptop, 8GB RAM, 1,299 g",
    description="Award-winning design. Free from solvents, dishwasher safe lid, 2-year warranty.",
    price=Money(amount=Decimal("1299.00"), currency="EUR"),
)
PRICELESS = Product(id="104", title="Plain Mug", description="A mug for tea.")


def faults(text: str, product: Product = BAG, brand: Brand | None = None) -> set[str]:
    brief = Brief(
        id="b",
        product=product,
        audience=Audience(id="all", name="Everybody"),
        channel=CHANNELS["onsite_banner"],
        brand=brand or Brand(id="acme", name="Acme"),
        attributes=Attributes(),
    )
    verdicts = Claims().check({"headline": text}, brief)
    assert all(verdict.guard == "claims" for verdict in verdicts)
    assert all(bool(verdict.reason) != verdict.ok for verdict in verdicts)
    return {verdict.code.removeprefix("claims.") for verdict in verdicts if not verdict.ok}


PLANTED = [
    # prices
    ("price", "Yours for $49.99"),
    ("price", "Only $60.50 today"),
    ("price", "Now just €60"),
    ("price", "60 pounds? No, £60"),
    ("price", "Was $80, now $60"),
    ("price", "From USD 59"),
    ("price", "A backpack for 59 dollars"),
    ("price", "Just 99 cents a day"),
    ("price", "Yours for ＄４９"),
    ("price", "Yours for $6⁰"),
    ("price", "Regular price $60, for less"),
    # discounts and savings without a sale
    ("discount", "50% off"),
    ("discount", "Save 20 percent"),
    ("discount", "Twenty percent off"),
    ("discount", "５０％ off"),
    ("discount", "5\u200b0% off"),
    ("discount", "٥٠٪ off"),
    ("discount", "Save up to 30%"),
    ("discount", "-25% on backpacks"),
    ("discount", "5️⃣0️⃣% off"),
    ("saving", "Save $20"),
    ("saving", "$15 off your bag"),
    ("saving", "Save 20 on this bag"),
    ("saving", "20 off"),
    ("saving", "$15 less"),
    ("discount", "10-20% off"),
    ("discount", "A third off"),
    ("discount", "Half price"),
    ("discount", "½ price this week"),
    ("sale", "Now on sale"),
    ("sale", "Our summer clearance"),
    ("sale", "A deal for travellers"),
    ("sale", "Use your promo code"),
    ("sale", "Cheap and cheerful"),
    ("percent", "100% cotton feel"),
    ("percent", "110% ready"),
    # numbers and measures
    ("number", "A 15-inch laptop bag"),
    ("number", "Room for 30 L"),
    ("number", "Carries twenty books"),
    ("number", "A two-pack"),
    ("number", "Holds 17 kg"),
    ("number", "Weighs 2.1 kg"),
    ("number", "Three zippered pockets"),
    ("number", "29 pockets"),
    ("number", "Fits iPhone 29"),
    ("number", "Made for the dv8"),
    ("number", "Made for model 1200XL"),
    ("number", "10 reasons to pack"),
    ("number", "⑦ ways to wear it"),
    ("number", "1/4 of the weight"),
    ("number", "5 to 12 hours of light"),
    ("number", "USB-C 4.0"),
    ("number", "A dozen pockets"),
    ("number", "Charges in 2 hours"),
    ("number", "💯 ready"),
    ("number", "Firmware 2.0.1 inside"),
    ("number", "5,000 happy trips"),
    ("number", "Text 12345 to order"),
    # superlatives and comparisons
    ("superlative", "The best backpack"),
    ("superlative", "Our lightest pack"),
    ("superlative", "The most comfortable straps"),
    ("superlative", "The ULTIMATE carry"),
    ("superlative", "World-class comfort"),
    ("superlative", "Second to none"),
    ("superlative", "The only bag you need"),
    ("superlative", "Our cheapest backpack"),
    ("superlative", "The fínest straps"),
    ("comparison", "Better than any backpack"),
    ("comparison", "Lighter than the rest"),
    ("comparison", "More room than others"),
    ("comparison", "Twice the room"),
    ("comparison", "3x faster packing"),
    ("comparison", "Unlike other bags"),
    ("comparison", "Outlasts the competition"),
    # promises
    ("guarantee", "Satisfaction guaranteed"),
    ("guarantee", "With a lifetime warranty"),
    ("guarantee", "Your money back"),
    ("guarantee", "Easy returns"),
    ("guarantee", "Try it risk-free"),
    ("guarantee", "Lasts a lifetime"),
    ("shipping", "Free shipping"),
    ("shipping", "Next-day delivery"),
    ("shipping", "Delivered to your door"),
    ("shipping", "Get it tomorrow"),
    ("shipping", "Arrives by Friday"),
    ("free", "A free pouch with every bag"),
    ("free", "Buy one get one"),
    ("free", "The pouch is on us"),
    # urgency and stock
    ("stock", "Only 3 left"),
    ("stock", "Just a few left"),
    ("stock", "Selling fast"),
    ("stock", "While it is in demand"),
    ("stock", "Back in stock"),
    ("stock", "Limited edition"),
    ("stock", "Pre-order yours"),
    ("urgency", "Ends tonight"),
    ("urgency", "Last chance to pack"),
    ("urgency", "Today only"),
    ("urgency", "While supplies last"),
    ("urgency", "Hurry, pack now"),
    ("urgency", "For a limited time"),
    # ratings, popularity, awards, authorities
    ("rating", "A 5-star backpack"),
    ("rating", "★★★★★ backpack"),
    ("rating", "Top-rated by travellers"),
    ("rating", "Read the reviews"),
    ("rating", "4.9 out of 5"),
    ("rating", "Scores 10/10"),
    ("number", "Here for you 24/7"),
    ("number", "Since 1895"),
    ("superlative", "The world's first of its kind"),
    ("popularity", "Loved by thousands"),
    ("popularity", "Our bestseller"),
    ("popularity", "Customers love it"),
    ("popularity", "Join the thousands"),
    ("popularity", "A customer favourite"),
    ("award", "Award-winning design"),
    ("award", "The #1 backpack"),
    ("award", "Number one in bags"),
    ("award", "Voted bag of the year"),
    ("authority", "Doctor-recommended straps"),
    ("authority", "Clinically tested"),
    ("authority", "Certified for cabins"),
    # health and environment
    ("health", "Cures back pain"),
    ("health", "Relieves tired shoulders"),
    ("health", "Ergonomic straps"),
    ("health", "Improves posture"),
    ("environment", "An eco-friendly bag"),
    ("environment", "Sustainable style"),
    ("environment", "Organic straps"),
    ("environment", "Kind to the planet"),
    ("environment", "Carbon neutral"),
    # features, materials, origin
    ("feature", "Waterproof through and through"),
    ("feature", "A water-resistant shell"),
    ("feature", "Machine washable"),
    ("feature", "BPA-free"),
    ("feature", "Wireless"),
    ("material", "Leather straps"),
    ("material", "Soft cotton inside"),
    ("origin", "Made in Italy"),
]


@pytest.mark.parametrize(("code", "text"), PLANTED, ids=[text for _, text in PLANTED])
def test_claims_planted_violation_is_found(code: str, text: str) -> None:
    assert code in faults(text)


ON_SALE = [
    ("discount", "30% off"),
    ("discount", "Save 24%"),
    ("discount", "Half price"),
    ("discount", "One third off"),
    ("saving", "Save $20"),
    ("saving", "Save €15"),
    ("price", "Now $60"),
    ("price", "Was $45"),
    ("price", "Down from $99"),
]


@pytest.mark.parametrize(("code", "text"), ON_SALE, ids=[text for _, text in ON_SALE])
def test_claims_wrong_reduction_of_a_sale_is_found(code: str, text: str) -> None:
    assert code in faults(text, SALE)


def test_claims_price_where_the_feed_has_none_is_found() -> None:
    assert faults("Yours for $5", PRICELESS) == {"price"}


SOUND = [
    # plain copy
    "Pack light, go far",
    "Meet the Joust backpack",
    "Your next trip starts here",
    "Carry what you need and leave the rest",
    "Made for days that run long",
    "A bag that keeps up with you",
    "Straps that adjust in seconds",
    "Pockets where you want them",
    "Everything in its place",
    "Shop now",
    "Treat yourself today",
    "Don't miss out",
    "Ready when you are",
    "What are you waiting for?",
    # facts of the product, however written
    'The 17" backpack',
    "The 17-inch backpack",
    "A 17 inch laptop fits",
    "Holds 29 litres",
    "Holds 29L",
    "Weighs 1.2 kg",
    "Weighs 1200 g",
    "Two zippered pockets",
    "2 pockets, one sleeve",
    "Room for 29 L of gear",
    "Fits iPhone 12",
    "Fits iPhone12",
    "Fits the dv7-1211ea",
    "USB-C 3.0 on board",
    "A set of four labels",
    "A 4-pack of labels",
    "5 to 10 hours of lamp light",
    "5–10 hours of light",
    "Ten hours of lamp light",
    "For $60",
    "For $60.00",
    "Yours for 60 USD",
    "Yours for sixty dollars",
    "Yours for US$60",
    "６０ USD",
    "A lightweight frame",
    "Recycled lining inside",
    "Tough nylon",
    "In stock now",
    # idioms that claim nothing
    "Just for you two",
    "The one for your commute",
    "One less worry on Monday",
    "Packing as second nature",
    "Feel free to wander",
    "Free your hands",
    "Hands-free and easy-going",
    "Free up your weekend",
    "Make the most of your day",
    "Look your best on Monday",
    "Your best friend on the road",
    "At least you packed well",
    "More than a backpack",
    "Easier than you think",
    "Your latest adventure",
    "No deal breakers here",
    "In no hurry? Good",
    "Think twice, pack once",
    "High five, you packed it",
    "A guest, a quest, a forest",
    "For interest, and for rest",
    "Honest straps for the west",
    "You can count on us",
    "Foolproof packing",
    "Hassle-free mornings",
    "Last but not least, pockets",
    "Better mornings, lighter shoulders",
    "Whatever the weather",
    "A first look at Joust",
    "Save time on Monday",
    "Be ready at half past",
    "See the world's colours",
    "Save the date",
    "Two zippered pockets, off-road",
]


@pytest.mark.parametrize("text", SOUND)
def test_claims_sound_line_passes(text: str) -> None:
    assert faults(text) == set()


SOUND_ON_SALE = [
    "25% off",
    "Save 25 percent",
    "Twenty-five percent off",
    "A quarter off",
    "Save $15",
    "$15 off",
    "Fifteen dollars off",
    "Now $45",
    "Was $60, now $45",
    "$45 instead of $60",
    "On sale",
    "A deal for travellers",
]


@pytest.mark.parametrize("text", SOUND_ON_SALE)
def test_claims_true_reduction_passes(text: str) -> None:
    assert faults(text, SALE) == set()


SOUND_FROM_OWN_TEXT = [
    "The best little laptop",
    "Award-winning design",
    "With a 2-year warranty",
    "Free from solvents",
    "Dishwasher-safe lid",
    "A 4K screen",
    "8 GB of RAM",
    "Eight gigabytes",
    "Just 1299 g",
    "Just 1,299 g",
    "1.299,00 €",
    "€1,299",
    "EUR 1299.00",
]


@pytest.mark.parametrize("text", SOUND_FROM_OWN_TEXT)
def test_claims_of_the_products_own_text_pass(text: str) -> None:
    assert faults(text, LAPTOP) == set()


@pytest.mark.parametrize(
    ("price", "sale", "text", "holds"),
    [
        ("49.99", "24.99", "50% off", True),
        ("49.99", "25.20", "50% off", True),
        ("49.99", "25.50", "50% off", False),
        ("29.99", "19.99", "33% off", True),
        ("29.99", "19.99", "33.3% off", True),
        ("29.99", "19.99", "33.4% off", False),
        ("29.99", "19.99", "34% off", False),
        ("29.99", "19.99", "Save $10", True),
        ("29.99", "19.50", "Save $10", False),
        ("29.99", "39.99", "25% off", False),
    ],
)
def test_claims_discount_holds_within_rounding(
    price: str, sale: str, text: str, holds: bool
) -> None:
    product = replace(PRICELESS, price=usd(price), sale_price=usd(sale))
    assert (faults(text, product) == set()) is holds


def test_claims_reason_speaks_to_a_marketer() -> None:
    brief = Brief(
        id="b",
        product=BAG,
        audience=Audience(id="all", name="Everybody"),
        channel=CHANNELS["onsite_banner"],
        brand=Brand(id="acme", name="Acme"),
        attributes=Attributes(),
    )
    (verdict,) = Claims().check({"headline": "Now 50% off", "cta": "Shop now"}, brief)
    assert verdict.part == "headline"
    assert verdict.reason == (
        'The copy says "50% off", but the feed gives no sale price for this product.'
    )


def test_claims_disclaimer_of_the_brand_is_vouched_for() -> None:
    sentence = "18+ only. Ends on 31 May."
    brand = Brand(id="acme", name="Acme", disclaimers={"prize": sentence})
    assert faults(f"A prize for you. {sentence}", brand=brand) == set()
    assert faults(f"A prize for you. {sentence}") != set()


def test_claims_shop_name_may_hold_a_number() -> None:
    assert faults("Only at Studio 54", brand=Brand(id="s", name="Studio 54")) == set()
    assert faults("Only at Studio 54") == {"number"}


def test_claims_title_may_carry_an_amount() -> None:
    card = Product(id="c", title="$25 Gift Card, 10% off next time", price=usd("25.00"))
    assert faults("A $25 gift card", card) == set()
    assert faults("The 10% off card", card) == set()
    assert faults("A $30 gift card", card) == {"price"}


def test_claims_description_does_not_vouch_for_a_price() -> None:
    product = replace(PRICELESS, description="It was $99 last year.", price=usd("50.00"))
    assert faults("Worth $99", product) == {"price"}


@pytest.mark.parametrize("availability", ["", "out_of_stock", "preorder"])
def test_claims_in_stock_needs_the_feed_to_say_so(availability: str) -> None:
    assert "stock" in faults("In stock", replace(BAG, availability=availability))


def test_claims_preorder_needs_the_feed_to_say_so() -> None:
    assert faults("Pre-order yours", replace(BAG, availability="preorder")) == set()


def test_claims_words_after_a_number_are_no_reduction_by_themselves() -> None:
    text = "Holds 10 credit cards, saves 3 steps and has 50% less weight. 4 off-road wheels."
    wallet = Product(id="w", title="Wallet", description=text)
    for line in (
        "Room for 10 credit cards",
        "Saves 3 steps",
        "50% less weight",
        "4 off-road wheels",
    ):
        assert faults(line, wallet) == set()


def test_claims_mixed_currencies_are_no_sale() -> None:
    euros = Money(amount=Decimal("45"), currency="EUR")
    assert faults("25% off", replace(BAG, sale_price=euros)) == {"discount"}


@given(st.text(max_size=80), st.text(max_size=80))
def test_claims_any_text_gets_the_same_verdict_twice(text: str, description: str) -> None:
    product = replace(BAG, description=description)
    assert faults(text, product) == faults(text, product)


@given(st.text(alphabet="0123456789.,/-$€%x½²① '\"kmingoff", max_size=40))
def test_claims_any_digits_get_a_verdict(text: str) -> None:
    faults(text, replace(BAG, title=f"Bag {text}"))


@given(st.integers(min_value=0, max_value=10**9))
def test_claims_number_is_grounded_exactly_by_itself(number: int) -> None:
    product = Product(id="n", title=f"Bag with {number} rivets")
    assert faults(f"{number} rivets", product) == set()
    assert faults(f"{number:,} rivets", product) == set()
    assert faults(f"{number + 1} rivets", product) == {"number"}
