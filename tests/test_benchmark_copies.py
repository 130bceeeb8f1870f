"""The checker of `benchmarks.copies` finds what it is there to find; a run writes its bars."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from benchmarks.copies import carried_by, limit_faults, main, ungrounded, units_of

from hookline import sample
from hookline.channels import CHANNELS
from hookline.types import Copy, Money, Product

BAG = Product(
    id="b",
    title='Joust 17" Bag',
    description="Two pockets, 1,200 g.",
    price=Money(amount=Decimal("60.00"), currency="USD"),
    sale_price=Money(amount=Decimal("45.00"), currency="USD"),
    facts={"Volume": "29.5 L"},
)


def alien(text: str) -> list[str]:
    copy = Copy(
        id="c",
        product_id="b",
        channel_id="sms",
        parts={"text": text},
        created_at=datetime(2026, 1, 5, tzinfo=UTC),
    )
    return ungrounded(copy, carried_by(BAG))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("A 17-inch bag, 2 pockets, 29.5 L, 1200 g", []),
        ("$60, now $45.00: save $15 or 25%", []),
        ("A 16-inch bag with three pockets", ["16", "three"]),
        ("$59.99 and 30%", ["59.99", "30"]),
        ("29 L, ５０ g", ["29", "50"]),
    ],
)
def test_checker_finds_ungrounded_numbers(text: str, numbers: list[str]) -> None:
    assert alien(text) == numbers


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


def test_benchmark_runs_on_the_sample_shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    status = main(
        ["--catalog", str(sample.shop_path()), "--json", str(out), "--quick", "--copies", "60"]
    )
    result = json.loads(out.read_text())
    bars = {bar["name"]: bar for bar in result["bars"]}
    assert status == 0, capsys.readouterr().out
    assert bars["copies checked"]["value"] >= 60
    assert bars["copies with an ungrounded number"] == {
        "name": "copies with an ungrounded number",
        "value": 0,
        "target": "= 0",
        "holds": True,
    }
    assert sum(row["live"] for row in result["table"]) == bars["copies checked"]["value"]
    assert {"command", "seed", "versions"} <= set(result["about"])


def test_benchmark_bad_feed_is_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--catalog", str(tmp_path / "none.csv")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
