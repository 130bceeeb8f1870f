"""The limits guard: exact at every boundary, in graphemes and in the channel's own units."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.channels import CHANNELS
from hookline.guards.limits import Limits
from hookline.types import (
    Attributes,
    Audience,
    Brand,
    Brief,
    Channel,
    Field,
    Product,
    Verdict,
)

FAMILY = "👩\u200d👩\u200d👧"  # one character to a reader, five to Python, eight in UTF-16


def check(parts: dict[str, str], channel: Channel) -> tuple[Verdict, ...]:
    brief = Brief(
        id="b",
        product=Product(id="p", title="Mug"),
        audience=Audience(id="all", name="Everybody"),
        channel=channel,
        brand=Brand(id="acme", name="Acme"),
        attributes=Attributes(),
    )
    return Limits().check(parts, brief)


def codes(parts: dict[str, str], channel: Channel) -> list[str]:
    return [verdict.code for verdict in check(parts, channel)]


def one_field(
    text: str,
    units: Literal["utf16", "gsm7", "columns"] = "utf16",
    *,
    max_graphemes: int = 10,
    min_graphemes: int = 1,
    max_units: int | None = None,
) -> list[str]:
    spot = Field(
        name="text",
        max_graphemes=max_graphemes,
        min_graphemes=min_graphemes,
        max_units=max_units,
    )
    return codes({"text": text}, Channel(id="c", name="Test", fields=(spot,), units=units))


@pytest.mark.parametrize("char", ["a", "é", "e\u0301", FAMILY, "🇩🇪", "日", "👍🏽"])
def test_limits_count_what_a_reader_sees(char: str) -> None:
    assert one_field(char * 10) == ["ok"]
    assert one_field(char * 11) == ["limits.too_long"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a" * 160, "ok"),
        ("a" * 161, "limits.too_many_units"),
        ("a" * 158 + "€", "ok"),
        ("a" * 159 + "€", "limits.too_many_units"),
        ("é" * 160, "ok"),
        ("a" * 69 + "’", "ok"),
        ("a" * 70 + "’", "limits.too_many_units"),
        ("a" * 68 + "🙂", "ok"),
        ("a" * 69 + "🙂", "limits.too_many_units"),
        ("a" * 62 + FAMILY, "ok"),
        ("a" * 63 + FAMILY, "limits.too_many_units"),
    ],
)
def test_limits_sms_septets_are_exact(text: str, code: str) -> None:
    assert one_field(text, "gsm7", max_graphemes=200, max_units=160) == [code]


def test_limits_wide_characters_take_two_columns() -> None:
    assert one_field("日" * 5, "columns", max_units=10) == ["ok"]
    assert one_field("日" * 5 + "a", "columns", max_units=10) == ["limits.too_many_units"]


def test_limits_least_length_is_exact() -> None:
    assert one_field("a" * 4, min_graphemes=4) == ["ok"]
    assert one_field("a" * 3, min_graphemes=4) == ["limits.too_short"]


@pytest.mark.parametrize("text", ["", " ", "\u00a0\u3000"])
def test_limits_blank_text_is_empty(text: str) -> None:
    assert one_field(text) == ["limits.empty"]


@pytest.mark.parametrize("mark", ["\n", "\r\n", "\u2028", "\u2029", "\x85", "\v", "\x1e"])
def test_limits_field_is_a_single_line(mark: str) -> None:
    assert one_field(f"a{mark}b") == ["limits.line_break"]


@pytest.mark.parametrize("char", ["\x00", "\x1b", "\t", "\u202e", "\u200b", "\ufeff", "\ud83d"])
def test_limits_invisible_characters_are_refused(char: str) -> None:
    assert one_field(f"a{char}b") == ["limits.invisible"]


def test_limits_missing_and_unknown_fields_are_named() -> None:
    verdicts = check({"subject": "Hello", "title": "Hello"}, CHANNELS["email"])
    assert [(verdict.code, verdict.part) for verdict in verdicts] == [
        ("limits.unknown_field", "title"),
        ("limits.missing", "preheader"),
    ]


def test_limits_reason_says_what_to_do() -> None:
    parts = {"subject": "x" * 74, "preheader": "x" * 50}
    (verdict,) = check(parts, CHANNELS["email"])
    assert verdict.part == "subject"
    assert verdict.reason == (
        "The subject is 74 characters long; E-mail allows 60. Shorten it by 14."
    )


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=list(CHANNELS))
def test_limits_of_every_channel_hold_at_both_ends(channel: Channel) -> None:
    for size in ("min_graphemes", "max_graphemes"):
        parts = {spot.name: "x" * getattr(spot, size) for spot in channel.fields}
        assert codes(parts, channel) == ["ok"]
        for spot in channel.fields:
            step = 1 if size == "max_graphemes" else -1
            wrong = parts | {spot.name: "x" * (getattr(spot, size) + step)}
            assert "ok" not in codes(wrong, channel)


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=200), max_size=3))
def test_limits_any_parts_get_the_same_verdicts_twice(parts: dict[str, str]) -> None:
    for channel in CHANNELS.values():
        assert check(parts, channel) == check(parts, channel)
