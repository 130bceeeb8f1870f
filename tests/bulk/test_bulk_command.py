"""`hookline analyse` and `hookline export`, from the command line."""

import json
import shlex
from pathlib import Path

import pytest

from conftest import NOW
from hookline import cli, sample
from hookline.app import open_app
from hookline.catalog import read_feed
from hookline.settings import read_settings
from hookline.types import Context, Experiment
from hookline.wire import CopyOrder
from made_log import lines, make_log, write

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")


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


def test_analyse_prints_arms_policy_and_segments_and_writes_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(Path("log.csv"), lines(make_log(3_000)))
    code, out, complaint = run(
        monkeypatch, capsys, "analyse", "log.csv", "--horizon", "3000", "--json", "out.json"
    )
    assert (code, complaint) == (0, "")
    for words in ("3,000 rows", "as drawn", "bold", "the policy", "segment", "Beyond the control"):
        assert words in out
    found = json.loads(Path("out.json").read_text())
    assert [look["rows"] for look in found["looks"]] == [1_000, 2_000, 3_000]
    assert found["metrics"]["clicks"]["arms"]["bold"]["lift"]["n"] == 3_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("log.csv", "--control", "nobody"), "no arm of the log is named 'nobody'"),
        (("log.csv", "--column", "arm"), "--column takes role=column"),
        (("log.csv", "--json", "no/where.json"), "no/where.json can't be written"),
        (("gone.parquet",), "gone.parquet"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    write(Path("log.csv"), lines(make_log(300)))
    code, _, complaint = run(monkeypatch, capsys, "analyse", *arguments)
    assert code == 2
    assert words in complaint
    assert complaint.count("\n") == 1


def test_export_writes_what_the_command_it_prints_analyses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    decisions = served()
    code, out, _ = run(monkeypatch, capsys, "export", "hats", "hats.jsonl")
    assert code == 0
    assert f"{decisions} decisions written" in out
    assert len(Path("hats.jsonl").read_bytes().splitlines()) == decisions
    command = shlex.split(out.strip().splitlines()[-1])
    code, out, complaint = run(monkeypatch, capsys, *command[1:])
    assert (code, complaint) == (0, "")
    assert f"{decisions} rows" in out


def served() -> int:
    """Decisions in the store of the settings, of an experiment named `hats`."""
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
    draft = Experiment(id="hats", name="Hats", product_id=product, channel_id="email", arms=())
    app.live.create_experiment(
        draft, copy_ids=copies, control_id=ours.id, audience_ids=[audience.id], at=NOW
    )
    app.live.move("hats", "review", at=NOW)
    app.live.move("hats", "running", at=NOW)
    app.live.learn()
    for visitor in range(8):
        app.live.decide("hats", Context(visitor_id=f"v{visitor}", at=NOW))
    app.live.learn()
    app.close()
    return 8
