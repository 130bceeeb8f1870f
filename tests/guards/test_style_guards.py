"""Calls to action, sentiment, readability, language, restrictions and form of address."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.brief import make_brief
from hookline.channels import CHANNELS
from hookline.guards import GUARDS
from hookline.guards.feeling import Sentiment
from hookline.guards.language import other_language
from hookline.guards.readability import ease
from hookline.guards.restrictions import rule, said, unchecked
from hookline.sentiment import BAND, score
from hookline.types import Attributes, Audience, Brand, Brief, CtaStyle, Product

MUG = Product(id="p", title="Tin Mug", highlights=("Goes in the dishwasher",))
ACME = Brand(id="acme", name="Acme")


def brief(
    channel: str = "onsite_banner",
    asked: CtaStyle = "shop",
    locale: str = "en",
    sentiment: float | None = None,
    **kit: object,
) -> Brief:
    return make_brief(
        product=MUG,
        audience=Audience(id="all", name="Everybody"),
        channel=CHANNELS[channel],
        brand=replace(ACME, **kit),  # pyright: ignore[reportArgumentType]
        attributes=Attributes(cta=asked),
        locale=locale,
        sentiment=sentiment,
    )


def codes(guard: str, parts: dict[str, str], asked: Brief) -> list[str]:
    verdicts = GUARDS[guard]().check(parts, asked)
    return [verdict.code.partition(".")[2] for verdict in verdicts if not verdict.ok]


# --- calls to action -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("button", "asked", "fault"),
    [
        ("Shop mugs", "shop", []),
        ("Tin mugs", "shop", ["missing"]),
        ("See the mug", "shop", ["style"]),
        ("The details", "shop", ["style"]),
        ("The details", "none", []),
        ("Tin Mug", "none", []),
        ("Shop now", "none", ["style"]),
        ("Swipe up to shop", "shop", ["missing", "channel"]),
    ],
)
def test_cta_button_is_of_the_style_asked_for(
    button: str, asked: CtaStyle, fault: list[str]
) -> None:
    assert codes("cta", {"headline": "Tea", "cta": button}, brief(asked=asked)) == fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Tea tastes of mornings", []),
        ("Tea tastes of mornings. Shop mugs", []),
        ("Tea tastes of mornings. Learn more", ["style"]),
        ("Learn to pour. Shop mugs", []),
        ("Find the morning you like in a mug that keeps up", ["style"]),
        ("Reply YES for a mug", []),
    ],
)
def test_cta_without_a_button_may_be_left_out(text: str, fault: list[str]) -> None:
    assert codes("cta", {"text": text}, brief("sms")) == fault


# --- sentiment -----------------------------------------------------------------------------------


def test_sentiment_any_feeling_will_do_without_a_target() -> None:
    assert codes("sentiment", {"headline": "Awful"}, brief()) == []


@pytest.mark.parametrize(
    ("text", "target", "fault"),
    [
        ("A mug", 0.0, []),
        ("A lovely mug", 0.57, []),
        ("A lovely mug", 0.57 + BAND + 0.02, ["low"]),
        ("A lovely, gorgeous mug", 0.5, ["high"]),
        ("A dull mug", -0.57, []),
    ],
)
def test_sentiment_lies_in_the_band_round_the_target(
    text: str, target: float, fault: list[str]
) -> None:
    assert codes("sentiment", {"headline": text}, brief(sentiment=target)) == fault


def test_sentiment_band_must_be_a_width() -> None:
    with pytest.raises(ValueError, match="band"):
        Sentiment(band=0)


@pytest.mark.parametrize(
    ("locale", "good", "even", "bad"),
    [
        ("en", "A wonderful morning", "A mug of tin", "A terrible morning"),
        ("de", "Ein wunderbarer Morgen", "Ein Becher aus Blech", "Ein schrecklicher Morgen"),
        ("fr", "Un matin magnifique", "Une tasse en fer", "Un matin affreux"),
        ("es", "Una mañana maravillosa", "Una taza de lata", "Una mañana horrible"),
        ("ja", "素敵な朝に", "ブリキのマグ", "最悪の朝に"),
    ],
)
def test_score_tells_good_from_bad_in_each_language(
    locale: str, good: str, even: str, bad: str
) -> None:
    assert score(good, locale) >= 0.5
    assert score(even, locale) == 0
    assert score(bad, locale) <= -0.5


@pytest.mark.parametrize(
    ("less", "more", "locale"),
    [
        ("not happy", "happy", "en"),
        ("a slightly happy day", "a happy day", "en"),
        ("a happy day", "a very happy day", "en"),
        ("mess and stress", "no mess, no stress", "en"),
        ("a day of stress", "a stress-free day", "en"),
        ("dust", "waterproof", "en"),
        ("nicht schön", "schön", "de"),
        ("Chaos", "Nie wieder Chaos", "de"),
        ("pas beau", "très beau", "fr"),
        ("estrés", "sin estrés", "es"),
        ("楽しくない", "とても楽しい", "ja"),
        ("ごちゃごちゃ", "さよなら、ごちゃごちゃ", "ja"),
    ],
)
def test_score_heeds_negation_emphasis_and_relief(less: str, more: str, locale: str) -> None:
    assert score(less, locale) < score(more, locale)


@given(st.text(max_size=120), st.sampled_from(["en", "de", "fr", "es", "ja", "xx"]))
def test_score_lies_on_its_scale(text: str, locale: str) -> None:
    assert -1 < score(text, locale) < 1
    assert score(text, locale) == score(text.upper().lower(), locale) or not text.isascii()


# --- readability ---------------------------------------------------------------------------------


def test_readability_without_a_limit_passes() -> None:
    hard = {"headline": "Organisational compartmentalisation facilitates interdepartmental tea"}
    assert codes("readability", hard, brief()) == []
    assert codes("readability", hard, brief(min_ease=50.0)) == ["hard"]
    assert codes("readability", {"headline": "Tea"}, brief(min_ease=100.0)) == []


@pytest.mark.parametrize(
    ("locale", "easy", "hard"),
    [
        ("en", "A mug for the long way home", "Considerable organisational versatility for it all"),
        ("de", "Ein Becher für den Weg nach Haus",
         "Aufbewahrungsmöglichkeiten für Arbeitsunterlagen im Haus"),
        ("fr", "Un sac pour la vie de tous les jours",
         "Une multifonctionnalité organisationnelle bien assurée"),
        ("es", "Un vaso para ir al sol y al mar",
         "Multifuncionalidad organizativa muy compartimentada siempre"),
        ("ja", "朝に、この一杯。ゆっくりいこう。",
         "多機能性収納区画搭載型高度情報機器運搬用背負式鞄"),
    ],
)  # fmt: skip
def test_ease_orders_easy_before_hard(locale: str, easy: str, hard: str) -> None:
    simple, complicated = ease(easy, locale), ease(hard, locale)
    assert simple is not None
    assert complicated is not None
    assert 0 <= complicated < simple <= 100


def test_ease_of_english_is_flesch() -> None:
    # 11 words, 1 sentence, 13 syllables: 206.835 - 1.015 * 11 - 84.6 * 13 / 11 = 95.7
    found = ease("The cat sat on the mat with a tin mug today")
    assert found == pytest.approx(206.835 - 1.015 * 11 - 84.6 * 12 / 11, abs=8)


# --- language ------------------------------------------------------------------------------------


def test_language_ignores_what_the_shop_calls_things() -> None:
    parts = {"headline": "Tin Mug. Goes in the dishwasher. 朝に。", "cta": "選ぶ"}
    assert codes("language", parts, brief(locale="ja")) == []
    assert codes("language", {"headline": "Good mornings begin here"}, brief(locale="ja")) == [
        "script"
    ]


@pytest.mark.parametrize("locale", ["sv", "pl", "ko"])
def test_language_judges_no_language_it_does_not_know(locale: str) -> None:
    assert codes("language", {"headline": "Muggen för långa dagar"}, brief(locale=locale)) == []


@pytest.mark.parametrize("text", ["", "!!!", "Tin Mug", "2024", "OK"])
def test_other_language_of_nothing_is_none(text: str) -> None:
    assert other_language(text, "de") is None


# --- restrictions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("restriction", "words", "kinds"),
    [
        ('Never say "cheap".', ("cheap",), ()),
        ("Do not say 'cheap' or 'budget'", ("cheap", "budget"), ()),
        ("No prices.", (), ("price",)),
        ("Avoid superlatives and emojis", (), ("emoji", "superlative")),
        ("Keine Gesundheitsaussagen, keine Fragen", (), ("question", "health")),
        ("Ne pas parler de la livraison", (), ("shipping",)),
        ("Nunca hables de precios", (), ("price",)),
        ("価格に触れないこと。比較禁止", (), ("price", "comparison")),
    ],
)
def test_rule_reads_what_needs_no_judgement(
    restriction: str, words: tuple[str, ...], kinds: tuple[str, ...]
) -> None:
    found = rule(restriction)
    assert found is not None
    assert (found.words, found.kinds) == (words, kinds)


@pytest.mark.parametrize(
    "restriction",
    [
        "Respect the reader.",
        "Be careful with prices.",
        "Do not sound arrogant.",
        "No health claims beyond what the feed says.",
        "No discounts unless the product is on sale.",
    ],
)
def test_rule_leaves_judgement_to_people(restriction: str) -> None:
    assert rule(restriction) is None
    assert unchecked(replace(ACME, restrictions=(restriction, "No prices."))) == (restriction,)


def test_restriction_forbids_also_what_is_true() -> None:
    asked = brief(restrictions=("No questions.", "Never say “tin”."))
    assert codes("brand", {"headline": "Tea?"}, asked) == ["restriction"]
    assert codes("brand", {"headline": "A tin mug"}, asked) == ["restriction"]
    assert codes("brand", {"headline": "A mug"}, asked) == []


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("emoji", "Tea ☕", "☕"), ("exclamation", "Tea!", "!"), ("number", "Two mugs", "two"),
        ("price", "For $5", "$5"), ("price", "For 5 people", ""), ("sale", "A bargain", "bargain"),
        ("superlative", "The best", "best"), ("health", "Heals", "heals"),
        ("stock", "In stock", "in stock"),
    ],
)  # fmt: skip
def test_said_quotes_what_is_said_of_a_kind(kind: str, text: str, found: str) -> None:
    assert said(kind, text, "en") == found


# --- form of address -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "locale", "voice", "fault"),
    [
        ("Ihr Becher für den Tag", "de", ("formal",), []),
        ("Dein Becher für den Tag", "de", ("formal",), ["address"]),
        ("Wie Sie mögen. Hol dir Tee", "de", (), ["address"]),
        ("Votre tasse", "fr", ("informal",), ["address"]),
        ("Ta tasse", "fr", ("informal",), []),
        ("Su taza, para usted", "es", ("informal",), ["address"]),
        ("Your mug", "en", ("formal",), []),
    ],
)
def test_address_is_that_of_the_voice_and_one(
    text: str, locale: str, voice: tuple[str, ...], fault: list[str]
) -> None:
    assert codes("brand", {"headline": text}, brief(locale=locale, voice=voice)) == fault
