"""The recogniser of attributes: calls by style, proof, urgency, length, angle and tone."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.brief import make_brief
from hookline.channels import CHANNELS
from hookline.recognise import as_asked, call_styles, calls, recognise
from hookline.types import (
    ATTRIBUTE_LEVELS,
    Attributes,
    Audience,
    Brand,
    Money,
    Product,
)

MUG = Product(
    id="mug",
    title="Tin Mug",
    brand="Larkmoor",
    price=Money(amount=Decimal(9), currency="USD"),
    facts={"Material": "Enamelled steel"},
    highlights=("Safe over an open flame",),
)
BANNER = CHANNELS["onsite_banner"]


def seen(headline: str, cta: str = "Shop now", locale: str = "en") -> Attributes:
    parts = {"headline": headline, "cta": cta}
    return recognise(parts, channel=BANNER, product=MUG, locale=locale)


@pytest.mark.parametrize(
    ("text", "locale", "style"),
    [
        ("Shop now", "en", "shop"), ("Go on, treat yourself", "en", "treat"),
        ("Zum Shop", "de", "shop"), ("Jetzt ansehen", "de", "see"),
        ("À voir ici", "fr", "see"), ("J'achète", "fr", "shop"),
        ("Te toca elegir", "es", "choose"), ("Regálate un té", "es", "treat"),
        ("今すぐ購入", "ja", "shop"), ("もっと詳しく", "ja", "learn"),
    ],
)  # fmt: skip
def test_calls_of_a_button_are_recognised(text: str, locale: str, style: str) -> None:
    assert style in calls(text, locale)


@pytest.mark.parametrize("text", ["Tin mugs", "Larkmoor", "", "Monday, eight o'clock"])
def test_calls_nothing_is_no_call(text: str) -> None:
    assert calls(text) == frozenset()


def test_calls_in_running_text_stand_at_the_start_of_a_sentence() -> None:
    assert calls("Camp begins here. Shop mugs.", button=False) == {"shop"}
    assert calls("The shop by the lake", button=False) == frozenset()


def test_call_styles_look_at_the_button_where_there_is_one() -> None:
    parts = {"headline": "Learn to pour", "cta": "Shop now"}
    assert call_styles(parts, BANNER) == {"shop"}
    assert call_styles({"text": "Learn to pour"}, CHANNELS["sms"]) == {"learn"}


@pytest.mark.parametrize(
    ("text", "proof"),
    [
        ("A mug for camp", "none"), ("A mug for $9", "price"), ("Yours for 9 USD", "price"),
        ("Enamelled steel for camp", "spec"), ("Safe over an open flame", "spec"),
        ("Holds 300 ml", "spec"), ("A mug by Larkmoor", "brand"), ("Tin Mug", "none"),
    ],
)  # fmt: skip
def test_recognise_proof(text: str, proof: str) -> None:
    assert seen(text).proof == proof


@pytest.mark.parametrize(
    ("text", "urgency"),
    [("Tea today", "soft"), ("Why wait for tea?", "soft"), ("Tea for camp", "none")],
)
def test_recognise_urgency(text: str, urgency: str) -> None:
    assert seen(text).urgency == urgency
    assert seen("Tea for camp", "Shop now").urgency == "none"


def test_recognise_length() -> None:
    assert seen("Tea for two").length == "short"
    assert seen("A mug for slow mornings by the lake and long evenings").length == "full"


@pytest.mark.parametrize(
    ("text", "locale", "angle"),
    [
        ("How to choose a mug", "en", "howto"), ("Tired of cold tea? No more", "en", "problem"),
        ("So findest du den richtigen Becher", "de", "howto"),
        ("Schluss mit kaltem Tee", "de", "problem"),
        ("Comment choisir sa tasse", "fr", "howto"), ("Fini le thé froid", "fr", "problem"),
        ("Cómo elegir tu taza", "es", "howto"), ("Se acabó el té frío", "es", "problem"),
        ("マグの選び方", "ja", "howto"), ("もう冷めたお茶に悩まない", "ja", "problem"),
    ],
)  # fmt: skip
def test_recognise_angle_in_each_language(text: str, locale: str, angle: str) -> None:
    assert seen(text, locale=locale).angle == angle


@pytest.mark.parametrize(
    ("text", "locale", "tone"),
    [
        ("Quiet, slow, unhurried: tea", "en", "calm"),
        ("Psst, guess who's got tea", "en", "playful"),
        ("Ganz in Ruhe, ohne Eile", "de", "calm"), ("Calme et sérénité", "fr", "calm"),
        ("Sin prisa, con calma", "es", "calm"), ("静かに、ゆっくり", "ja", "calm"),
    ],
)  # fmt: skip
def test_recognise_tone_in_each_language(text: str, locale: str, tone: str) -> None:
    assert seen(text, locale=locale).tone == tone


def test_as_asked_compares_with_the_brief() -> None:
    brief = make_brief(
        product=MUG,
        audience=Audience(id="all", name="Everybody"),
        channel=BANNER,
        brand=Brand(id="acme", name="Acme"),
        attributes=Attributes(angle="howto", cta="learn", length="short"),
    )
    agree = as_asked({"headline": "How to pick a mug", "cta": "Shop now"}, brief)
    assert set(agree) == set(ATTRIBUTE_LEVELS)
    assert agree["angle"]
    assert agree["length"]
    assert not agree["cta"]


@given(
    st.dictionaries(st.sampled_from(["headline", "cta", "x"]), st.text(max_size=80), max_size=3),
    st.sampled_from(["en", "de", "fr", "es", "ja", "xx"]),
)
def test_recognise_any_parts_have_known_levels(parts: dict[str, str], locale: str) -> None:
    found = recognise(parts, channel=BANNER, product=MUG, locale=locale)
    for name, levels in ATTRIBUTE_LEVELS.items():
        assert getattr(found, name) in levels


def test_the_products_own_name_is_no_cue_and_no_proof() -> None:
    pack = Product(id="p", title="Slow Living 40 L Quiet Pack", brand="Living")
    parts = {"headline": "Meet the Quiet Pack, 40 L", "cta": "Shop now"}
    found = recognise(parts, channel=BANNER, product=pack)
    assert (found.tone, found.proof) == ("plain", "none")


def test_a_fact_counts_only_as_whole_words() -> None:
    mug = Product(id="m", title="Tin Mug", facts={"Colour": "red"})
    for text, proof in (("A mug for hundreds of mornings", "none"), ("A mug in red", "spec")):
        assert recognise({"headline": text}, channel=BANNER, product=mug).proof == proof


def test_a_button_may_press_but_now_is_no_pressure_there() -> None:
    assert seen("Tea for camp", "Shop today").urgency == "soft"
    assert seen("Tea for camp", "Shop now").urgency == "none"


def test_wide_letters_take_double_room() -> None:
    mug = {"headline": "朝のお茶を、ゆっくり楽しむための小さなマグ", "cta": "見る"}
    assert recognise(mug, channel=BANNER, product=MUG, locale="ja").length == "full"


def test_a_faint_cue_does_not_make_a_tone() -> None:
    assert seen("Check the mug").tone == "plain"
    assert seen("Inspect the mug with a trained eye").tone == "expert"
