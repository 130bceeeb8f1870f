"""The checker of `benchmarks.generate` finds what it is there to find; a run writes its bars."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from benchmarks.generate import __main__ as bench
from benchmarks.generate.checker import claims_of, limit_faults, ungrounded, units_of
from benchmarks.generate.draws import LOCALES, draw
from benchmarks.generate.moody import MOODS, endure
from benchmarks.generate.planted import planted
from benchmarks.generate.written import Found, measure, own_words
from rich.console import Console

from hookline import sample
from hookline.catalog import read_feed
from hookline.channels import CHANNELS
from hookline.types import Money, Product
from hookline.writers import Phrasebook

BAG = Product(
    id="b",
    title='Joust 17" Bag',
    description="Two pockets, 1,200 g. Recycled lining.",
    price=Money(amount=Decimal("60.00"), currency="USD"),
    sale_price=Money(amount=Decimal("45.00"), currency="USD"),
    facts={"Volume": "29.5 L"},
)
SHOP = [read_feed(sample.shop_path()).products]


@pytest.mark.parametrize(
    ("text", "language", "alien"),
    [
        ("A 17-inch bag, 2 pockets, 29.5 L, 1200 g", "en", []),
        ("$60, now $45.00: save $15 or 25%", "en", ["save"]),
        ("A 16-inch bag with three pockets", "en", ["16", "three"]),
        ("$59.99 and 30%", "en", ["59.99", "30"]),
        ("29 L, ５０ g", "en", ["29", "50"]),
        ("The best bag, recycled", "en", ["best"]),
        ("Drei Fächer, garantiert", "de", ["drei", "garantiert"]),
        ("Le meilleur sac, deux poches", "fr", ["meilleur"]),
        ("Cinco bolsillos gratis", "es", ["cinco", "gratis"]),
        ("業界最安のバッグ", "ja", ["最安"]),
        ("Freedom to roam", "en", []),
    ],
)
def test_checker_finds_what_is_not_grounded(text: str, language: str, alien: list[str]) -> None:
    assert ungrounded({"text": text}, BAG, language) == alien


def test_checker_knows_no_claims_of_a_language_without_a_list() -> None:
    assert claims_of("la migliore", "it") == []


def test_checker_finds_broken_limits() -> None:
    channel = CHANNELS["email"]
    good = {"subject": "x" * 60, "preheader": "y" * 40}
    assert limit_faults(good, channel) == []
    assert limit_faults(good | {"subject": "x" * 61}, channel) == ["subject: 61 characters"]
    assert limit_faults(good | {"preheader": "y" * 39}, channel) == ["preheader: 39 characters"]
    assert len(limit_faults({"subject": "x"}, channel)) == 1
    wide = {spot.name: "日" * 16 for spot in CHANNELS["google_rsa"].fields}
    assert limit_faults(wide, CHANNELS["google_rsa"]) == [
        f"headline_{n}: too many columns units" for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("text", "units"),
    [("a" * 160, 160), ("a€", 3), ("é" * 160, 160), ("’" * 70, 160), ("’" * 71, 163)],
)
def test_checker_counts_sms_units_itself(text: str, units: int) -> None:
    assert units_of(text, "gsm7") == units


def test_briefs_cover_channels_and_languages_and_ask_only_for_proof_there_is() -> None:
    briefs = draw(SHOP, 70, seed=1)
    assert draw(SHOP, 70, seed=1) == briefs != draw(SHOP, 70, seed=2)
    assert {(b.channel.id, b.locale) for b in briefs} == {(c, x) for c in CHANNELS for x in LOCALES}
    for brief in briefs:
        assert brief.sentiment is not None
        assert brief.attributes.proof != "spec" or brief.product.highlights
        assert brief.attributes.proof != "price" or brief.product.price


def test_measured_copy_is_counted_by_language_and_against_all_briefs() -> None:
    found = measure(Phrasebook(), draw(SHOP, 35, seed=3), 3, Console(quiet=True))
    assert found.live + len(found.shortfall) == found.briefs == 35
    assert found.drafts > found.live > 25
    assert found.over_limits == found.ungrounded == 0, found.faults
    assert sum(counts["live"] for counts in found.by_locale.values()) == found.live
    assert found.share(found.in_band) == found.in_band / 35
    json.dumps(found.shown())


def test_bars_fail_where_a_copy_breaks_a_rule_or_a_brief_has_none() -> None:
    found = Found(writer="w", briefs=10, live=8, drafts=20, seconds=2.0, in_band=8, over_limits=1)
    bars = {bar.name: bar for bar in bench.writer_bars(found)}
    assert not bars["w: live copies over their channel's limits"].holds
    assert bars["w: live copies with an ungrounded claim"].holds
    assert bars["w: sentiment within .15 of its target"].value == 0.8
    assert not bars["w: sentiment within .15 of its target"].holds
    assert bars["w: drafts a second, guards included"].value == 10


def test_own_words_leave_out_what_the_shop_calls_things() -> None:
    [brief] = draw([[BAG]], 1, seed=0)
    parts = {"text": 'Rate mal: Joust 17" Bag, 29.5 L'}
    assert own_words(parts, brief).split() == ["Rate", "mal:", ","]


def test_planted_sets_are_judged_line_by_line() -> None:
    found = planted()
    assert found.caught + len(found.missed) == found.hostile >= 300
    assert found.alarms == len(found.wrong)
    assert found.sound >= 300


def test_every_brief_is_filled_whatever_the_server_does() -> None:
    lasted = endure(draw(SHOP, 14, seed=5), seed=5)
    assert lasted.filled == lasted.briefs == 14
    assert set(lasted.by_writer) == {"openai", "phrasebook"}
    assert lasted.by_writer["openai"] > 0
    assert lasted.told
    assert all(lasted.served[mood] for mood in MOODS)


def test_without_catalogs_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert bench.main(["--json", str(tmp_path / "out.json")]) == 0
    assert "nothing measured" in capsys.readouterr().out


def test_writers_without_a_server_are_measured() -> None:
    names = [writer.name for writer in bench.available()]
    assert "phrasebook" in names
    assert not {"openai", "transformers"} & set(names)
    assert bench.available(["openai"]) == []
