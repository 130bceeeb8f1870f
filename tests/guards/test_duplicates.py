"""The duplicates guard: same words, nearly the same words, and a copy that repeats itself."""

import csv
import gzip
from itertools import combinations, groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.channels import CHANNELS
from hookline.guards.duplicates import Duplicates
from hookline.types import Attributes, Audience, Brand, Brief, Product, Verdict

HEADLINES = Path(__file__).parents[2] / "../shared/data/upworthy/headlines.csv.gz"
BRIEF = Brief(
    id="b",
    product=Product(id="p", title="Mug"),
    audience=Audience(id="all", name="Everybody"),
    channel=CHANNELS["onsite_banner"],
    brand=Brand(id="acme", name="Acme"),
    attributes=Attributes(),
)
LINE = "A warm mug for cold mornings"


def check(parts: dict[str, str], *others: str) -> tuple[Verdict, ...]:
    return Duplicates().check(parts, BRIEF, others)


def codes(parts: dict[str, str], *others: str) -> list[str]:
    return [verdict.code for verdict in check(parts, *others)]


@pytest.mark.parametrize(
    "other",
    [
        LINE,
        LINE.upper() + "!",
        "  A warm  mug, for cold mornings ",
        "For cold mornings: a warm mug",
    ],
)
def test_duplicates_same_words_are_exact(other: str) -> None:
    assert codes({"headline": LINE}, "Something else", other) == ["duplicates.exact"]


@pytest.mark.parametrize(
    "other",
    [
        "A warm mug for cold morning",
        "A warm mug for one cold morning",
        "Warm mug for cold mornings",
    ],
)
def test_duplicates_one_word_apart_is_near(other: str) -> None:
    assert codes({"headline": LINE}, other) == ["duplicates.near"]


@pytest.mark.parametrize("other", ["", "Tea first, then the world", "A cup that keeps its cool"])
def test_duplicates_other_ideas_pass(other: str) -> None:
    assert codes({"headline": LINE}, other) == ["ok"]


def test_duplicates_parts_are_compared_together() -> None:
    parts = {"headline": LINE, "cta": "Shop now"}
    assert codes(parts, f"{LINE} | Shop now") == ["duplicates.exact"]
    assert codes(parts, f"Shop now | {LINE}") == ["duplicates.exact"]
    assert codes(parts, "A cup that keeps its cool | Shop now") == ["ok"]


def test_duplicates_field_that_repeats_another_is_named() -> None:
    (verdict,) = check({"headline_1": LINE, "headline_2": "Tea?", "description_1": f"{LINE}."})
    assert (verdict.code, verdict.part) == ("duplicates.repeats", "description_1")
    assert "headline_1" in verdict.reason


def test_duplicates_threshold_is_a_percentage() -> None:
    with pytest.raises(ValueError, match="threshold"):
        Duplicates(threshold=0)
    lenient = Duplicates(threshold=100)
    assert lenient.check({"headline": LINE}, BRIEF, ["Warm mug for cold mornings"])[0].ok


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=40)), st.lists(st.text(max_size=40)))
def test_duplicates_any_text_gets_the_same_verdicts_twice(
    parts: dict[str, str], others: list[str]
) -> None:
    assert check(parts, *others) == check(parts, *others)


@given(st.text(alphabet=st.characters(categories=["L", "Nd"]), min_size=1, max_size=40))
def test_duplicates_text_is_a_duplicate_of_itself(text: str) -> None:
    assert codes({"headline": text}, text) == ["duplicates.exact"]


def test_duplicates_lets_headlines_pass_that_editors_tested_against_each_other() -> None:
    if not HEADLINES.exists():
        pytest.skip(f"needs the Upworthy headlines at {HEADLINES}")
    with gzip.open(HEADLINES, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:4000]
    pairs = [
        pair
        for _, arms in groupby(rows, key=lambda row: row["test_id"])
        for pair in combinations(sorted({arm["headline"] for arm in arms}), 2)
    ]
    refused = sum(codes({"headline": one}, two) != ["ok"] for one, two in pairs)
    assert len(pairs) > 5000
    assert refused / len(pairs) < 0.05
