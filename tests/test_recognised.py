"""How far the recogniser agrees with a reader who has not seen its lists.

The lines of `recognised.json` were written and labelled before anything was measured. The bars
lie a little on the worse side of what was measured, so a worse recogniser fails.
"""

import csv
import gzip
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import msgspec
import pytest

from hookline.recognise import as_asked
from hookline.types import (
    ATTRIBUTE_LEVELS,
    Attributes,
    Audience,
    Brand,
    Brief,
    Channel,
    Field,
    Product,
)

HEADLINES = Path(__file__).parents[1] / "../shared/data/upworthy/headlines.csv.gz"
DEFAULTS = {"angle": "direct", "tone": "plain", "cta": "none", "urgency": "none"}
"""What a copy is called where nothing is seen; every other level has to be found."""

MEASURED = {  # lines read as labelled: angle, tone, cta, urgency
    "en": (26, 25, 52, 52),  # of 60
    "de": (15, 11, 27, 26),  # of 30, as all below
    "fr": (13, 12, 27, 26),
    "es": (15, 7, 28, 27),
    "ja": (11, 9, 27, 27),
}
SLACK = 2
"""Lines of a language that may be lost before a bar falls."""
UPWORTHY = (18, 19, 36, 36)
"""The same of 40 drawn headlines."""

FOUND = {"angle": 0.38, "tone": 0.21, "cta": 0.84, "urgency": 0.11}
"""Least share of lines whose named level is found; measured .417, .250, .881 and 5 of 26."""
MISTAKEN = {"angle": 0.03, "tone": 0.055, "cta": 0.01, "urgency": 0.02}
"""Most pairs of a line and another named level that are taken for right: .023, .042, .005, .006."""
EMPTY = {"angle": 0.48, "tone": 0.69, "cta": 0.14, "urgency": 0.9}
"""Most lines with a named level that pass for the default: .435, .639, .106, .808."""


class Line(msgspec.Struct, frozen=True):
    """A written line and the levels it may fairly be said to have."""

    locale: str
    product: str
    parts: dict[str, str]
    levels: dict[str, list[str]]


class Drawn(msgspec.Struct, frozen=True):
    """The labels of a headline that is known by its hash only."""

    sha256: str
    levels: dict[str, list[str]]


class Labelled(msgspec.Struct, frozen=True):
    """What `recognised.json` holds."""

    about: str
    seed: int
    written: list[Line]
    upworthy: list[Drawn]


Reader = Callable[[Line, str], set[str]]
"""From a line and an attribute to the levels that count as there."""


@cache
def labelled() -> Labelled:
    found = Path(__file__).with_name("recognised.json").read_bytes()
    return msgspec.json.decode(found, type=Labelled)


@cache
def drawn() -> list[Line]:
    """The drawn headlines with their labels, in the order of the draw."""
    if not HEADLINES.exists():
        pytest.skip("shared/data/upworthy is not beside the repository")
    with gzip.open(HEADLINES, "rt", encoding="utf-8") as file:
        headlines = sorted({row["headline"] for row in csv.DictReader(file)})
    known = {each.sha256: each.levels for each in labelled().upworthy}
    texts = Random(labelled().seed).sample(headlines, len(known))
    keys = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]
    return [
        Line("en", "Story", {"headline": text}, known[key])
        for text, key in zip(texts, keys, strict=True)
    ]


def brief_of(line: Line) -> Brief:
    """A brief for the line; without a button in the line, its channel has none."""
    fields = [Field(name="headline", max_graphemes=90)]
    fields.append(Field(name="body", max_graphemes=120, role="support"))
    if "cta" in line.parts:
        fields.append(Field(name="cta", max_graphemes=30, role="cta"))
    return Brief(
        id="b",
        product=Product(id="p", title=line.product),
        audience=Audience(id="all", name="Everybody"),
        channel=Channel(id="ad", name="Advertisement", fields=tuple(fields)),
        brand=Brand(id="acme", name="Acme"),
        attributes=Attributes(),
        locale=line.locale,
    )


def read(line: Line, attribute: str) -> set[str]:
    """The levels that, had they been asked for, would count as recognised."""
    brief = brief_of(line)
    asked = {
        level: replace(brief, attributes=replace(brief.attributes, **{attribute: level}))
        for level in ATTRIBUTE_LEVELS[attribute]
    }
    return {level for level, each in asked.items() if as_asked(line.parts, each)[attribute]}


def right(lines: Sequence[Line], attribute: str, reader: Reader = read) -> int:
    """Lines of which a labelled level is among those read."""
    return sum(bool(reader(line, attribute) & set(line.levels[attribute])) for line in lines)


def named(attribute: str) -> list[Line]:
    """The written lines that cannot be called by the default."""
    return [
        line for line in labelled().written if DEFAULTS[attribute] not in line.levels[attribute]
    ]


def found(attribute: str, reader: Reader) -> float:
    """Share of lines with a named level of which it is read."""
    return right(named(attribute), attribute, reader) / len(named(attribute))


def mistaken(attribute: str, reader: Reader) -> float:
    """Share of the pairs of a line and a named level it has not that pass for right."""
    others = set(ATTRIBUTE_LEVELS[attribute]) - {DEFAULTS[attribute]}
    lines = [(line, others - set(line.levels[attribute])) for line in labelled().written]
    wrong = sum(len(reader(line, attribute) & absent) for line, absent in lines)
    return wrong / sum(len(absent) for _, absent in lines)


def empty(attribute: str, reader: Reader) -> float:
    """Share of the lines with a named level that pass for the default."""
    lines = named(attribute)
    return sum(DEFAULTS[attribute] in reader(line, attribute) for line in lines) / len(lines)


def holds(attribute: str, reader: Reader) -> tuple[bool, bool, bool]:
    """Whether the reader finds enough, takes little wrongly for named, little for the default."""
    return (
        found(attribute, reader) >= FOUND[attribute],
        mistaken(attribute, reader) <= MISTAKEN[attribute],
        empty(attribute, reader) <= EMPTY[attribute],
    )


@pytest.mark.parametrize("locale", MEASURED)
def test_lines_spread_over_levels(locale: str) -> None:
    lines = [line for line in labelled().written if line.locale == locale]
    assert len(lines) == (60 if locale == "en" else 30)
    for attribute in DEFAULTS:
        labels = [set(line.levels[attribute]) for line in lines]
        assert set[str]().union(*labels) == set(ATTRIBUTE_LEVELS[attribute])
        assert all(labels)


def test_lines_do_not_name_their_level() -> None:
    lines = labelled().written
    assert len({line.parts["headline"] for line in lines}) == len(lines)
    slips = [
        line.parts["headline"]
        for line in lines
        if set(re.findall(r"\w+", " ".join(line.parts.values()).lower()))
        & {level for levels in line.levels.values() for level in levels}
    ]
    # One line slipped through and stays: nothing was changed once it had been measured.
    assert slips == ["Warm feet, and a happier walk home"]


@pytest.mark.parametrize("place", range(4), ids=list(DEFAULTS))
@pytest.mark.parametrize("locale", MEASURED)
def test_written_lines_are_read_as_labelled(locale: str, place: int) -> None:
    lines = [line for line in labelled().written if line.locale == locale]
    assert right(lines, list(DEFAULTS)[place]) >= MEASURED[locale][place] - SLACK


@pytest.mark.parametrize("place", range(4), ids=list(DEFAULTS))
def test_drawn_headlines_are_read_as_labelled(place: int) -> None:
    assert len(drawn()) == 40
    assert right(drawn(), list(DEFAULTS)[place]) >= UPWORTHY[place] - SLACK


@pytest.mark.parametrize("attribute", DEFAULTS)
def test_a_level_is_seldom_taken_for_another(attribute: str) -> None:
    assert holds(attribute, read) == (True, True, True)


@pytest.mark.parametrize("attribute", DEFAULTS)
def test_bars_fall_for_a_reader_who_sees_nothing_or_everything(attribute: str) -> None:
    assert holds(attribute, lambda _, name: {DEFAULTS[name]}) == (False, True, False)
    assert holds(attribute, lambda _, name: set(ATTRIBUTE_LEVELS[name])) == (True, False, False)
