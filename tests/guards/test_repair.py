"""Repair: what is mended, what is left alone, and that mending twice changes nothing more."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.brief import make_brief
from hookline.channels import CHANNELS
from hookline.guards import check_all, guards_named
from hookline.guards.repair import fits, repair
from hookline.types import Attributes, Audience, Brand, Brief, Product

KIT = Brand(
    id="acme",
    name="Acme",
    glossary={"back pack": "backpack", "Iphone": "iPhone"},
    disclaimers={"loan": "Terms apply."},
)


def brief(channel: str = "push", brand: Brand = KIT) -> Brief:
    return make_brief(
        product=Product(id="p", title="Tin Mug"),
        audience=Audience(id="all", name="Everybody"),
        channel=CHANNELS[channel],
        brand=brand,
        attributes=Attributes(),
    )


def mended(title: str, body: str = "A mug for camp", **kit: object) -> dict[str, str]:
    brand = replace(KIT, **kit)  # pyright: ignore[reportArgumentType]
    return repair({"title": title, "body": body}, brief(brand=brand))


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("A  mug\nfor camp ", "A mug for camp"),
        ("A mug\u200b for camp", "A mug for camp"),
        ('"A mug for camp"', "A mug for camp"),
        ("“A mug for camp”", "A mug for camp"),
        ("Back pack for camp", "Backpack for camp"),
        ("The Iphone case", "The iPhone case"),
        ("Go! Go! Go!", "Go! Go. Go."),
        ("Go!!!", "Go!"),
        ("Tea time ☕", "Tea time"),
        ("A mug for camp", "A mug for camp"),
        ('Say "mug" and "camp"', 'Say "mug" and "camp"'),
    ],
)
def test_repair_mends_what_needs_no_taste(text: str, right: str) -> None:
    assert mended(text)["title"] == right


def test_repair_adds_the_disclaimer_where_it_fits() -> None:
    assert mended("Take a loan")["body"] == "A mug for camp. Terms apply."
    assert mended("Take a loan", "Terms apply.") == {"title": "Take a loan", "body": "Terms apply."}
    full = "x" * 150
    assert mended("Take a loan", full)["body"] == full


def test_repair_cuts_after_a_clause_or_at_a_word() -> None:
    long = "A mug for the long way home. And one more for the road"  # the limit is 50
    assert mended(long)["title"] == "A mug for the long way home."
    words = "Your tea stays warm through slow mornings at the lake"
    assert mended(words)["title"] == "Your tea stays warm through slow mornings"


def test_repair_leaves_what_would_lose_too_much_and_buttons() -> None:
    flood = "mornings" * 12
    assert mended(flood)["title"] == flood
    parts = {"headline": "Tea", "cta": "See all of the mugs there are"}
    assert repair(parts, brief("onsite_banner")) == parts


def test_repair_keeps_a_disclaimer_that_a_cut_would_lose() -> None:
    text = "Take a loan for the long way home to camp. Terms apply."
    assert "Terms apply." in mended(text)["title"] + mended(text)["body"]


@given(
    st.dictionaries(st.sampled_from(["title", "body", "other"]), st.text(max_size=220), max_size=3)
)
def test_repair_twice_is_repair_once_and_never_makes_it_longer_than_allowed(
    parts: dict[str, str],
) -> None:
    asked = brief()
    once = repair(parts, asked)
    assert repair(once, asked) == once
    assert set(once) == set(parts)
    for field in asked.channel.fields:
        if field.name in parts and fits(parts[field.name], field, asked.channel):
            assert fits(once[field.name], field, asked.channel)


def test_repair_saves_copy_that_the_guards_refuse() -> None:
    parts = {"title": '"A  back pack for slow mornings"', "body": "Tea tastes of the lake!! Yes!"}
    guards = guards_named(["limits", "brand", "residue"])
    assert not all(verdict.ok for verdict in check_all(guards, parts, brief()))
    assert all(verdict.ok for verdict in check_all(guards, repair(parts, brief()), brief()))
