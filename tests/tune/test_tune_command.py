"""`hookline tune rows`, from the command line."""

import json
from collections.abc import Callable
from datetime import timedelta
from inspect import signature
from pathlib import Path

import pytest

from conftest import NOW
from hookline import cli, sample
from hookline.app import open_app
from hookline.catalog import read_feed
from hookline.commands.tune import rows
from hookline.settings import read_settings
from hookline.tune import Terms
from hookline.types import Brand, Context, Experiment
from hookline.wire import CopyOrder

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, output and complaints of a command, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("HOOKLINE_ENCODER", "none")
    monkeypatch.setenv("HOOKLINE_PRIOR", "none")

    def ran(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["hookline", "tune", "rows", *arguments])
        with pytest.raises(SystemExit) as done:
            cli.main()
        printed = capsys.readouterr()
        return int(done.value.code or 0), printed.out, printed.err

    return ran


def played(clicked: bool = True) -> str:
    """The best line of a finished test named `hats` in the settings' store."""
    app = open_app(read_settings())
    feed = read_feed(sample.shop_path())
    product, brand = feed.products[0].id, sample.brand()
    app.desk.import_catalog(feed, at=NOW)
    app.desk.put_brand(brand, at=NOW)
    audience = sample.audiences()[0]
    app.desk.put_audience(audience, at=NOW)
    asked = CopyOrder(
        product_id=product, channels=["email"], audiences=[audience.id], brand=brand.id, variants=1
    )
    [best] = [copy.id for copy in app.desk.write_copy(asked, at=NOW).kept]
    ours = app.desk.add_control(product_id=product, channel_id="email", brand_id=brand.id, at=NOW)
    app.desk.review([best, ours.id], "approved", by="test", at=NOW)
    draft = Experiment(
        id="hats",
        name="Hats",
        product_id=product,
        channel_id="email",
        arms=(),
        policy="uniform",
        holdout=0.0,
    )
    app.live.create_experiment(
        draft, copy_ids=[best], control_id=ours.id, audience_ids=[audience.id], at=NOW
    )
    app.live.move("hats", "review", at=NOW)
    app.live.move("hats", "running", at=NOW)
    events: list[dict[str, object]] = []
    for number in range(600):
        served = app.live.decide("hats", Context(visitor_id=f"visitor-{number}", at=NOW))
        clicks = clicked and number % (4 if served.arm.id == best else 20) == 0
        for name in ["Promotion Viewed", *["Promotion Clicked"] * clicks]:
            event: dict[str, object] = {
                "messageId": f"{name}-{number}",
                "type": "track",
                "event": name,
                "userId": f"visitor-{number}",
                "timestamp": NOW.isoformat(),
                "properties": {"decision_id": served.decision_id},
            }
            events.append(event)
    app.live.ingest(events, at=NOW)
    later = NOW + timedelta(days=9)
    app.live.decide("hats", Context(visitor_id="who closes the others' windows", at=later))
    app.live.learn()
    app.close()
    return best


def test_rows_are_written_and_accounted_for(run: Run) -> None:
    best = played()
    code, out, complaint = run("hats", "--out", "rows.jsonl", "--least-rows", "1")
    assert (code, complaint) == (0, "")
    assert "1 rows of kind pairs" in out
    assert "1 rows written to rows.jsonl" in out
    [row] = map(json.loads, Path("rows.jsonl").read_text().splitlines())
    assert row["copy_ids"][0] == best
    assert "visitor-" not in Path("rows.jsonl").read_text()


def test_rows_of_held_out_products_go_elsewhere(run: Run) -> None:
    played()
    run("hats", "--out", "all.jsonl", "--least-rows", "1")
    options = ("--out", "taught.jsonl", "--held-out", "kept.jsonl", "--least-rows", "1")
    code, out, _ = run("hats", *options)
    assert code == 0
    assert "held out" in out
    both = [Path(name).read_bytes() for name in ("taught.jsonl", "kept.jsonl")]
    assert b"" in both
    assert b"".join(both) == Path("all.jsonl").read_bytes()


def test_hosted_formats_are_written(run: Run) -> None:
    played()
    code, _, _ = run(
        *("hats", "--out", "rows.jsonl", "--kind", "sft", "--format", "openai"),
        *("--least-rows", "1"),
    )
    assert code == 0
    [row] = map(json.loads, Path("rows.jsonl").read_text().splitlines())
    assert list(row) == ["messages"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("hats", "--out", "rows.jsonl"), "1 rows worth 1.0 effective ones, fewer than the 10"),
        (("gone", "--out", "rows.jsonl"), "gone"),
        (("hats", "hats", "--out", "rows.jsonl"), "each of them once"),
        (("hats", "--out", "no/where.jsonl"), "no/where.jsonl can't be written"),
        (
            ("hats", "--out", "rows.jsonl", "--kind", "unpaired", "--format", "openai"),
            "no place for unpaired",
        ),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    played()
    code, _, complaint = run(*arguments)
    assert code == 2
    assert words in complaint
    assert complaint.count("\n") == 1
    assert not Path("rows.jsonl").exists()


def test_the_command_asks_for_as_much_as_the_library() -> None:
    given = {name: each.default for name, each in signature(rows).parameters.items()}
    terms = Terms()
    assert given["least_chance"] == terms.least_chance
    assert given["least_visitors"] == terms.least_visitors
    assert given["least_rows"] == terms.least_rows
    assert given["period"] == terms.period_days


def test_a_test_without_clicks_says_so(run: Run) -> None:
    played(clicked=False)
    code, _, complaint = run("hats", "--out", "rows.jsonl")
    assert code == 2
    assert "without one success nothing can be learned" in complaint


def test_of_several_brands_one_must_be_named(run: Run) -> None:
    played()
    app = open_app(read_settings())
    app.desk.put_brand(Brand(id="other", name="Other"), at=NOW)
    app.close()
    code, _, complaint = run("hats", "--out", "rows.jsonl", "--least-rows", "1")
    assert code == 2
    assert "--brand" in complaint
    named = ("--brand", sample.brand().id)
    assert run("hats", "--out", "rows.jsonl", "--least-rows", "1", *named)[0] == 0
