import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn

from conftest import NOW
from hookline import cli, sample
from hookline.app import open_app
from hookline.catalog import read_feed
from hookline.client import Client
from hookline.service import make_service
from hookline.settings import read_settings
from hookline.types import Context, Experiment, Product
from hookline.wire import CopyOrder


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    with socket.socket() as probe:  # a port where no service of ours answers
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HOOKLINE_PORT", str(probe.getsockname()[1]))


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
        (["candidate", "nope"], "no experiment 'nope'"),
        (["candidate", "nope", "--share", ".1"], "need the POLICY"),
        (["candidate", "nope", "ucb", "--drop"], "--drop takes no POLICY"),
        (["candidate", "nope", "ucb", "--param", "width=wide"], "name=number"),
        (["promote", "nope"], "no experiment 'nope'"),
        (["rollback", "nope"], "no experiment 'nope'"),
        (["rollback", "nope", "--url", "http://127.0.0.1:9"], "no Hookline answers"),
        (["rule", "nope"], "no experiment 'nope'"),
        (["rule", "nope", "--guard", "tears=1"], "no experiment 'nope'"),
        (["ship", "nope"], "no experiment 'nope'"),
        (["unship", "nope"], "no experiment 'nope'"),
        (["forget", "nobody"], "no decision was ever made for visitor 'nobody'"),
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


# --- candidates, on the database and through a service -------------------------------------------


@pytest.fixture
def service() -> Iterator[str]:
    """A running service over the store of `served_decision`, at the address of the settings."""
    served_decision()
    settings = read_settings(learn_every_s=0)
    app = make_service(open_app(settings))
    config = uvicorn.Config(app, port=settings.port, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{settings.port}"
    server.should_exit = True
    thread.join()


STEPS = [
    (
        ("candidate", "hats", "ucb", "--share", ".1", "--param", "width=.5"),
        "hats runs under horizon_thompson; the candidate ucb decides 10% of its traffic.",
    ),
    (("rollback", "hats"), "the candidate ucb only watches."),
    (("candidate", "hats"), "The candidate ucb only watches."),
    (
        ("promote", "hats"),
        "hats runs under ucb; the candidate horizon_thompson only watches.",
    ),
    (("rollback", "hats"), "hats runs under horizon_thompson; the candidate ucb only watches."),
    (("candidate", "hats", "--drop"), "hats runs under horizon_thompson, without a candidate."),
    (("forget", "v1"), "The log itself still has 1 rows about this visitor"),
]


def walk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str) -> None:
    for command, words in STEPS:
        code, out, complaint = run(monkeypatch, capsys, *command)
        assert (code, complaint) == (0, "")
        assert words in out
        assert where in out


def test_a_candidate_is_tried_promoted_and_rolled_back_on_the_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served_decision()
    walk(monkeypatch, capsys, "no service runs at http://127.0.0.1")
    verbs = [entry["verb"] for entry in trail()]
    assert verbs[-6:] == [
        "candidate",
        "rollback",
        "promote",
        "rollback",
        "drop_candidate",
        "forget",
    ]
    assert trail()[-1]["by"] == "command line"


def test_a_candidate_is_tried_promoted_and_rolled_back_through_the_service(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], service: str
) -> None:
    walk(monkeypatch, capsys, f"the service at {service}")
    code, out, _ = run(monkeypatch, capsys, "promote", "hats", "--url", service)
    assert (code, out) == (2, "")


def trail() -> list[dict[str, str]]:
    """The audit trail in the store of the settings."""
    app = open_app(read_settings())
    rows = [json.loads(row.body) for row in app.store.read() if row.kind == "action"]
    app.close()
    return rows


def test_rule_ship_and_unship_steer_the_experiment_in_the_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served_decision()
    with closing(open_app(read_settings())) as app:
        (test,) = app.live.experiments()
    code, out, _ = run(monkeypatch, capsys, "rule", test.id)
    assert (code, "likely worth anything" in out, "No guard metric" in out) == (0, True, True)
    code, _, complaint = run(monkeypatch, capsys, "rule", test.id, "--worthwhile", "2")
    assert (code, "its rule was set before and stays" in complaint) == (2, True)
    for wrong, word in (("tears=1", "--guard knows unsubscribes"), ("refunds=x", "metric=number")):
        code, _, complaint = run(monkeypatch, capsys, "rule", test.id, "--guard", wrong)
        assert (code, word in complaint) == (2, True)
    code, _, complaint = run(monkeypatch, capsys, "ship", test.id)
    assert (code, "name the line" in complaint) == (2, True)
    line = test.challengers[0]
    code, out, _ = run(monkeypatch, capsys, "ship", test.id, "--line", line.id)
    assert (code, f"gives everybody “{line.text}”, but for the 10% held out" in out) == (0, True)
    code, out, _ = run(monkeypatch, capsys, "unship", test.id)
    assert (code, "has no line shipped; it goes on" in out) == (0, True)
    code, out, _ = run(monkeypatch, capsys, "replay")
    assert code == 0


def test_rule_is_set_on_a_draft_and_guards_are_taken_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served_decision()
    with closing(open_app(read_settings())) as app:
        (test,) = app.live.experiments()
        app.live.create_experiment(
            replace(test, id="later"),
            copy_ids=[arm.id for arm in test.challengers],
            control_id=test.control.id,
            audience_ids=[],
            at=NOW,
        )
    options = ["--worthwhile", "2", "--value", ".4", "--risk", ".1"]
    guards = ["--guard", "unsubscribes=3", "--guard", "refunds=4"]
    code, out, _ = run(monkeypatch, capsys, "rule", "later", *options, *guards)
    assert code == 0
    assert "worth at least +2.00 USD per 1,000 visitors" in out
    assert "Chance of error at all looks together: 0.1. One click counts 0.4 USD." in out
    assert "than 3 more unsubscribes, 4 more refunds is taken out" in out
    code, out, _ = run(monkeypatch, capsys, "rule", "later", "--guard", "none")
    assert (code, "No guard metric was set." in out, "+2.00 USD" in out) == (0, True, True)


def test_import_names_copy_that_the_feed_makes_untrue(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served_decision()
    app = open_app(read_settings())
    product = app.desk.products()[0]
    line = app.desk.add_control(
        product_id=product.id,
        channel_id="email",
        brand_id=sample.brand().id,
        parts=dear(product),
        at=NOW,
    )
    app.close()
    code, out, _ = run(monkeypatch, capsys, "import", dearer(product))
    assert code == 0
    assert "1 copies quote what the feed no longer says" in out
    assert line.text in out
    assert "999.00 USD" in out
    assert "no longer says" not in run(monkeypatch, capsys, "import", "dearer.tsv")[1]


def test_import_goes_through_the_service_where_one_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], service: str
) -> None:
    with Client(service) as client:
        with closing(open_app(read_settings())) as app:
            product = app.desk.products()[0]
        line = client.add_line(product.id, "email", sample.brand().id, dear(product))
    code, out, _ = run(monkeypatch, capsys, "import", dearer(product))
    assert code == 0
    assert line.text in out
    assert [each["by"] for each in trail() if each["verb"] == "import"][-1] == "command line"


def dear(product: Product) -> dict[str, str]:
    """A line that quotes the product's price."""
    return {"subject": f"Yours for {product.price}", "preheader": "One for you. " * 5}


def dearer(product: Product) -> str:
    """The name of the sample feed at another price."""
    text = sample.shop_path().read_text()
    Path("dearer.tsv").write_text(text.replace(str(product.price), "999.00 USD"))
    return "dearer.tsv"
