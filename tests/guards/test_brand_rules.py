"""The brand guard: terms, glossary, disclaimers, exclamation marks, emoji and capitals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.channels import CHANNELS
from hookline.guards.brand_rules import BrandRules
from hookline.types import Attributes, Audience, Brand, Brief, Product

PRODUCT = Product(
    id="p",
    title="NASA Mug in PINK",
    description="Made with ENAMEL.",
    facts={"Code": "QWERTY"},
)


def faults(parts: dict[str, str], **kit: object) -> list[tuple[str, str]]:
    brief = Brief(
        id="b",
        product=PRODUCT,
        audience=Audience(id="all", name="Everybody"),
        channel=CHANNELS["onsite_banner"],
        brand=Brand(id="acme", name="ACMEX", **kit),  # pyright: ignore[reportArgumentType]
        attributes=Attributes(),
    )
    verdicts = BrandRules().check(parts, brief)
    return [(v.code.removeprefix("brand."), v.part) for v in verdicts if not v.ok]


def codes(text: str, **kit: object) -> list[str]:
    return [code for code, _ in faults({"headline": text}, **kit)]


@pytest.mark.parametrize(
    "text",
    ["Cheap mugs", "so cHeAp", "The cheap's end", "Cheaps", "chéap", "a bargain-bin mug"],
)
def test_brand_banned_term_is_found(text: str) -> None:
    assert codes(text, banned_terms=("cheap", "bargain bin")) == ["banned"]


@pytest.mark.parametrize("text", ["Cheaper mugs", "Cheapside", "a bargain in a bin", "bargain"])
def test_brand_banned_term_is_a_whole_word(text: str) -> None:
    assert codes(text, banned_terms=("cheap", "bargain bin")) == []


def test_brand_every_banned_term_and_part_is_named() -> None:
    found = faults(
        {"headline": "cheap luxury", "cta": "cheap"}, banned_terms=("cheap", "luxury", "hype")
    )
    assert found == [("banned", "headline"), ("banned", "headline"), ("banned", "cta")]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("A back pack", True),
        ("A Back-Pack", True),
        ("A backpack", False),
        ("An Iphone case", True),
        ("An iPhone case", False),
        ("Pixel inside", True),
        ("Pixel Phone inside", False),
        ("Pixel Phone or Pixel", True),
    ],
)
def test_brand_glossary_is_kept(text: str, wrong: bool) -> None:
    glossary = {"back pack": "backpack", "Iphone": "iPhone", "Pixel": "Pixel Phone"}
    assert codes(text, glossary=glossary) == (["glossary"] if wrong else [])


def test_brand_disclaimer_may_stand_in_another_part() -> None:
    kit = {"disclaimers": {"loan": "Terms apply."}}
    assert codes("Take a loan", **kit) == ["disclaimer"]
    assert codes("Take a loan. terms  Apply.", **kit) == []
    assert faults({"headline": "Take a loan", "cta": "Terms apply."}, **kit) == []
    assert codes("Take aloan", **kit) == []


@pytest.mark.parametrize(
    ("text", "marks"), [("Go!", 1), ("Go! Go!", 2), ("Go‼", 2), ("¡Go！", 1), ("Go", 0)]
)
def test_brand_exclamation_marks_are_counted(text: str, marks: int) -> None:
    assert codes(text, max_exclamations=marks) == []
    if marks:
        assert codes(text, max_exclamations=marks - 1) == ["exclamations"]


def test_brand_exclamation_marks_of_all_parts_count() -> None:
    assert faults({"headline": "Go!", "cta": "Go!"}) == [("exclamations", "")]


@pytest.mark.parametrize("emoji", ["🙂", "❤️", "1️⃣", "🇩🇪", "👩\u200d👩\u200d👧", "★⭐", "✅", "☀️"])
def test_brand_emoji_only_where_allowed(emoji: str) -> None:
    assert codes(f"Tea {emoji}") == ["emoji"]
    assert codes(f"Tea {emoji}", emoji=True) == []


@pytest.mark.parametrize("text", ["Tea™", "© Tea ®", "No. 1 #tea *", "½ → 2 · €"])
def test_brand_signs_are_no_emoji(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize("text", ["SALE on mugs", "BUY IT", "Go NOW OR never", "ÄRGER"])
def test_brand_shouting_is_found(text: str) -> None:
    assert codes(text) == ["shouting"]


@pytest.mark.parametrize(
    "text",
    ["A DIY mug", "NASA Mug in PINK", "In ENAMEL", "QWERTY", "From ACMEX", "I A B", "USB mug"],
)
def test_brand_capitals_of_the_shop_are_no_shouting(text: str) -> None:
    assert codes(text) == []


def test_brand_reason_names_brand_and_term() -> None:
    brief = Brief(
        id="b",
        product=PRODUCT,
        audience=Audience(id="all", name="Everybody"),
        channel=CHANNELS["onsite_banner"],
        brand=Brand(id="acme", name="Acme", banned_terms=("cheap",)),
        attributes=Attributes(),
    )
    (verdict,) = BrandRules().check({"headline": "Cheap"}, brief)
    assert verdict.reason == 'The copy says "cheap", which Acme never says.'


@given(st.text(max_size=60), st.text(min_size=1, max_size=12))
def test_brand_any_text_gets_the_same_verdicts_twice(text: str, term: str) -> None:
    kit = {"banned_terms": (term,), "glossary": {term: "right"}, "disclaimers": {term: "So."}}
    assert codes(text, **kit) == codes(text, **kit)


@given(st.from_regex(r"[a-z]{3,8}( [a-z]{3,8})?", fullmatch=True))
def test_brand_banned_term_is_found_in_any_case(term: str) -> None:
    for said in (term, term.upper(), term.title()):
        assert "banned" in codes(f"so {said}, indeed", banned_terms=(term,))
