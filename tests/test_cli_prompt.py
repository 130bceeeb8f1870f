"""`hookline prompt`, against a server on this machine that writes as its advice says."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from conftest import NOW
from hookline import attributes, cli, sample
from hookline.app import make_writer, open_app
from hookline.catalog import read_feed
from hookline.prompts import load, with_craft
from hookline.prompts.versions import Roles, keep, roles, set_roles
from hookline.settings import read_settings
from hookline.types import Estimate
from hookline.wire import CopyOrder

GOOD = "- Open with how to."
CALLS = {
    "shop": "Shop now", "discover": "Discover more", "choose": "Choose yours", "get": "Get yours",
    "see": "See it", "learn": "Learn more", "treat": "Treat yourself", None: "The details",
}  # fmt: skip
FOLDER = Path("prompts")
TRIAL = with_craft(load("write_copy"), GOOD)
Run = Callable[..., tuple[int, str, str]]


class Chat(BaseHTTPRequestHandler):
    """Gives advice where advice is asked for, and sound copy where it was followed."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "advice" in asked["response_format"]["json_schema"]["schema"]["properties"]:
            said: object = {"diagnosis": "No angle.", "advice": GOOD}
        elif GOOD in asked["messages"][0]["content"]:
            said = drafts(asked, "A day that fits the bag", "Room for what you need")
        else:
            said = drafts(asked, "Now 90% off", "The best in the world, guaranteed")
        message = {"role": "assistant", "content": json.dumps(said)}
        body = {
            "id": "c", "object": "chat.completion", "created": 0, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }  # fmt: skip
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Says nothing."""


def drafts(asked: dict[str, Any], *headlines: str) -> dict[str, object]:
    """Headlines with the call to action that was asked for."""
    wanted = re.search(
        r'Call to action: (?:with the verb "(\w+)"|none)', asked["messages"][1]["content"]
    )
    assert wanted
    return {"drafts": [{"headline": each, "cta": CALLS[wanted[1]]} for each in headlines]}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A shop in an empty folder, and the server in its settings."""
    monkeypatch.chdir(tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), Chat) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        monkeypatch.setenv("HOOKLINE_PROMPTS", str(FOLDER))
        app = open_app(read_settings())
        app.desk.import_catalog(read_feed(sample.shop_path()), at=NOW)
        app.desk.put_brand(sample.brand(), at=NOW)
        for audience in sample.audiences():
            app.desk.put_audience(audience, at=NOW)
        app.close()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["hookline", "prompt", *arguments])
        with pytest.raises(SystemExit) as done:
            cli.main()
        printed = capsys.readouterr()
        return int(done.value.code or 0), printed.out, printed.err

    return command


@pytest.fixture
def on_trial() -> None:
    """A version on trial."""
    keep(FOLDER, TRIAL, {})
    set_roles(FOLDER, Roles(on_trial=TRIAL.version))


def test_better_prompt_is_written_down_and_goes_on_trial(run: Run) -> None:
    pytest.importorskip("gepa", reason="gepa is not installed: nothing to search with")
    few = ("--products", "9", "--calls", "20")
    code, out, complaint = run("propose", sample.brand().id, *few)
    assert (code, complaint) == (0, "")
    assert "passed   0.000 → 1.000" in out
    assert "on 3 products held out: +" in out
    assert f"{TRIAL.version}.md is on trial" in out
    assert roles(FOLDER) == Roles(on_trial=TRIAL.version)
    card = json.loads((FOLDER / f"{TRIAL.version}.json").read_text())
    assert card["grew_from"] == load("write_copy").version
    assert card["marks"]["passed"] == [0.0, 1.0]
    assert card["cost_usd"] > 0
    code, _, complaint = run("propose", sample.brand().id, *few)
    assert code == 2
    assert "is on trial; adopt or drop it first" in complaint


@pytest.mark.usefixtures("on_trial")
def test_version_that_has_not_won_is_not_adopted(run: Run) -> None:
    code, out, _ = run("compare")
    assert code == 0
    assert "nothing is known, since no test has shown lines of both versions" in out
    code, _, complaint = run("adopt")
    assert code == 2
    assert "has not won yet (no test has shown" in complaint
    assert roles(FOLDER) == Roles(on_trial=TRIAL.version)


@pytest.mark.usefixtures("on_trial")
@pytest.mark.parametrize(("low", "wins"), [(-0.01, False), (0.01, True)])
def test_version_is_adopted_once_its_interval_lies_above_0(
    run: Run, monkeypatch: pytest.MonkeyPatch, low: float, wins: bool
) -> None:
    asked: list[tuple[object, ...]] = []

    def told(tests: object, prompt_of: object, *versions: str) -> Estimate:
        asked.append(versions)
        return Estimate(estimate=0.1, low=low, high=0.2, n=80)

    monkeypatch.setattr(attributes, "rivals", told)
    _, out, _ = run("compare")
    assert f"80 lines; it has {'won' if wins else 'not won'}." in out
    assert f"+10.0% ({low:+.1%} to +20.0%)" in out
    assert asked == [(load("write_copy").version, TRIAL.version)]
    code, _, _ = run("adopt")
    assert code == (0 if wins else 2)
    assert roles(FOLDER) == (Roles(usual=TRIAL.version) if wins else Roles(on_trial=TRIAL.version))


@pytest.mark.usefixtures("on_trial")
def test_dropped_version_keeps_its_file(run: Run) -> None:
    code, out, _ = run("drop")
    assert code == 0
    assert "the one that ships goes on" in out
    assert roles(FOLDER) == Roles()
    assert (FOLDER / f"{TRIAL.version}.md").exists()
    for command in ("drop", "compare", "adopt"):
        code, _, complaint = run(command)
        assert code == 2
        assert "no prompt is on trial" in complaint


def test_folder_must_be_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOKLINE_PROMPTS", "")
    code, _, complaint = run("compare")
    assert code == 2
    assert "name a folder for prompt versions in the setting prompts" in complaint


@pytest.mark.usefixtures("on_trial")
def test_writers_share_the_work_between_the_versions() -> None:
    writer = make_writer("openai", read_settings())
    app = open_app(read_settings())
    order = CopyOrder(
        product_id=app.desk.products()[0].id, channels=["onsite_banner"], writer="openai",
        audiences=[sample.audiences()[0].id], brand=sample.brand().id,
    )  # fmt: skip
    [brief, *_] = app.desk.briefs(order)
    written = {writer.write(brief, 1, seed)[0].prompt for seed in range(4)}
    app.close()
    assert written == {load("write_copy").version, TRIAL.version}
