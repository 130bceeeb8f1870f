import json
import socket
from pathlib import Path

import pytest

from conftest import NOW
from hookline import cli, sample
from hookline.app import open_app
from hookline.catalog import read_feed
from hookline.settings import read_settings
from hookline.types import Context, Experiment
from hookline.wire import CopyOrder


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """Exit code, output and complaints of a command."""
    monkeypatch.setattr("sys.argv", ["hookline", *arguments])
    with pytest.raises(SystemExit) as done:
        cli.main()
    printed = capsys.readouterr()
    return int(done.value.code or 0), printed.out, printed.err


def test_import_shows_mapping_counts_and_rejections(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("feed.csv").write_text("id,title,price\na,Bag,12.00 USD\nb,,3.00 USD\nc,Cup,free\n")
    code, out, _ = run(monkeypatch, capsys, "import", "feed.csv")
    assert code == 0
    assert "title" in out
    assert "rejected row 3" in out
    assert "rejected row 4" in out
    assert "1 products imported" in out
    assert len(open_app(read_settings()).desk.products()) == 1


def test_import_dry_run_stores_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(monkeypatch, capsys, "import", str(sample.shop_path()), "--dry-run")
    assert code == 0
    assert "24 products would be imported" in out
    assert not Path("var").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["import", "nowhere.csv"], "nowhere.csv"),
        (["import", "feed.csv", "--map", "titel"], "column=field"),
        (["explain", "nope"], "no decision 'nope'"),
        (["replay"], "nothing was learned"),
        (["demo", "--writer", "poet"], "no writer is named 'poet'"),
        (["demo", "--policy", "tompson"], "did you mean 'thompson'"),
        (["demo", "--catalog", "nowhere.csv"], "nowhere.csv"),
        (["serve", "--port", "-1"], "port"),
        (["serve", "--port", "abc"], "--port"),
        (["demo", "--price-unit", "x"], "--price-unit"),
        (["import"], "file"),
        (["dmo"], "dmo"),
        (["report", "--json", "nowhere/out.json"], "nowhere/out.json"),
        (["demo", "--once", "--json", "."], "--json"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    word: str,
) -> None:
    Path("feed.csv").write_text("id,title\na,Bag\n")
    code, _, complaint = run(monkeypatch, capsys, *arguments)
    assert code == 2
    assert word in complaint
    assert complaint.strip().count("\n") == 0


def test_serve_says_when_its_port_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, _, complaint = run(monkeypatch, capsys, "serve", "--port", port)
    assert code == 2
    assert port in complaint
    assert complaint.strip().count("\n") == 0


def test_help_is_no_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, complaint = run(monkeypatch, capsys, "--help")
    assert (code, complaint) == (0, "")
    assert "demo" in out


def test_report_explain_and_replay_read_what_was_served(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = served_decision()
    code, out, _ = run(monkeypatch, capsys, "report", "--json", "report.json")
    assert code == 0
    assert "Hats by mail" in out
    assert json.loads(Path("report.json").read_text())["experiments"][0]["visitors"] == 1
    code, out, _ = run(monkeypatch, capsys, "explain", key)
    assert code == 0
    assert "propensity" in out
    assert "limits" in out
    code, out, _ = run(monkeypatch, capsys, "replay")
    assert code == 0
    assert "bit for bit" in out


def served_decision() -> str:
    """A decision in the store of the settings, from import to learning."""
    app = open_app(read_settings())
    feed = read_feed(sample.shop_path())
    product, brand = feed.products[0].id, sample.brand()
    app.desk.import_catalog(feed, at=NOW)
    app.desk.put_brand(brand, at=NOW)
    audience = sample.audiences()[0]
    app.desk.put_audience(audience, at=NOW)
    asked = CopyOrder(
        product_id=product, channels=["email"], audiences=[audience.id], brand=brand.id
    )
    copies = [copy.id for copy in app.desk.write_copy(asked, at=NOW).kept]
    ours = app.desk.add_control(product_id=product, channel_id="email", brand_id=brand.id, at=NOW)
    app.desk.review([*copies, ours.id], "approved", by="test", at=NOW)
    draft = Experiment(
        id="hats", name="Hats by mail", product_id=product, channel_id="email", arms=()
    )
    app.live.create_experiment(
        draft, copy_ids=copies, control_id=ours.id, audience_ids=[audience.id], at=NOW
    )
    app.live.move("hats", "review", at=NOW)
    app.live.move("hats", "running", at=NOW)
    served = app.live.decide("hats", Context(visitor_id="v1", at=NOW))
    app.live.learn()
    app.close()
    return served.decision_id
