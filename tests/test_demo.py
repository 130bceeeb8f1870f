"""The demo end to end, in a process of its own, small."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hookline import demo, sample
from hookline.errors import BadFeed, BadInput, UnregisteredName
from hookline.live import Live
from hookline.store import open_store
from hookline.types import METRICS, Snapshot

PLAN = demo.Plan(products=2, visits=2_400)
QUIET = demo.Progress(step=lambda _title, _total: lambda _done: None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def played(plan: demo.Plan, database: Path) -> tuple[demo.Result, Snapshot]:
    with demo.service(port=free_port(), database=database, writer=plan.writer) as address:
        result = demo.run(plan, address, QUIET)
    store = open_store(f"sqlite:///{database}")
    try:
        replay = Live(store).replay()
        assert replay.same, "the log gives the live snapshot back"
        return result, replay.live
    finally:
        store.close()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[demo.Result, Snapshot]:
    return played(PLAN, tmp_path_factory.mktemp("demo") / "first.db")


def test_the_same_seed_gives_the_same_decisions_and_snapshot(
    first: tuple[demo.Result, Snapshot], tmp_path: Path
) -> None:
    again = played(PLAN, tmp_path / "again.db")
    assert again[0].decisions == first[0].decisions
    assert again[1] == first[1]


def test_another_seed_gives_other_decisions(
    first: tuple[demo.Result, Snapshot], tmp_path: Path
) -> None:
    other, _ = played(replace(PLAN, seed=2, visits=480), tmp_path / "other.db")
    assert [each[2] for each in other.decisions] != [each[2] for each in first[0].decisions[:480]]


def test_an_unreachable_writer_is_told_and_stood_in_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{free_port()}/v1")
    monkeypatch.setenv("HOOKLINE_OPENAI_RETRIES", "0")
    plan = replace(PLAN, writer="openai", products=1, visits=200)
    result, _ = played(plan, tmp_path / "away.db")
    assert result.totals["copies_written"] >= 12
    assert any("written by phrasebook" in note for note in result.notes)
    assert "Note: openai failed" in demo.summary(result)


def test_every_event_is_accounted_for(first: tuple[demo.Result, Snapshot]) -> None:
    totals = first[0].totals
    assert totals["visits"] == PLAN.visits == len(first[0].decisions)
    assert totals["events_sent"] == totals["events_stored"] + totals["duplicates_dropped"]
    assert totals["duplicates_dropped"] > 0
    assert totals["late_rescored"] > 0
    assert totals["events_set_aside"] == 0


def test_every_experiment_has_its_control_and_three_audiences(
    first: tuple[demo.Result, Snapshot],
) -> None:
    experiments = first[0].report.experiments
    assert len(experiments) == PLAN.products * len(demo.PLACES)
    for experiment in experiments:
        assert sum(each.arm.control for each in experiment.arms) == 1
        written_for = {each.arm.audience_id for each in experiment.arms} - {""}
        assert written_for == {audience.id for audience in sample.audiences()}
        assert set(experiment.lift) == set(METRICS)
        assert experiment.visitors == sum(each.exposures for each in experiment.arms)


def test_the_command_takes_a_feed_and_writes_json(tmp_path: Path) -> None:
    rows = [
        {"name": f"Canvas Bag {n}", "description": "A bag of cotton canvas, made to be mended.",
         "price": 20 + n, "categories": ["Bags", f"Kind {n % 3}"]}
        for n in range(8)
    ]  # fmt: skip
    feed = tmp_path / "feed.json.gz"
    feed.write_bytes(gzip.compress(json.dumps(rows).encode()))
    done = subprocess.run(
        [
            sys.executable, "-m", "hookline", "demo", "--once", "--json", "out.json",
            "--catalog", str(feed), "--products", "1", "--visits", "600",
            "--port", str(free_port()),
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "600 visits" in done.stdout
    out = json.loads((tmp_path / "out.json").read_text())
    assert {"experiments", "totals", "lift"} <= set(out)
    assert {"visits", "events_sent", "events_stored", "duplicates_dropped", "late_rescored",
            "copies_written", "copies_rejected", "seconds"} <= set(out["totals"])  # fmt: skip
    arm = out["experiments"][0]["arms"][0]
    assert {"text", "exposures", "clicks", "orders", "revenue"} <= set(arm)
    assert {"estimate", "low", "high"} <= set(out["experiments"][0]["lift"]["clicks"])


def test_a_stopped_demo_takes_its_service_with_it(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "hookline", "demo", "--port", str(port)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not _answers(port):
        time.sleep(0.1)
    assert _answers(port)
    os.kill(process.pid, signal.SIGTERM)
    process.wait(timeout=30)
    assert not _answers(port)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_taken_port_is_said_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(BadInput, match="--port"),
            demo.service(port=port, database=tmp_path / "x.db", writer="phrasebook"),
        ):
            pass


@pytest.mark.parametrize(
    ("plan", "kind", "word"),
    [
        (replace(PLAN, writer="poet"), UnregisteredName, "poet"),
        (replace(PLAN, policy="oracle"), UnregisteredName, "oracle"),
        (replace(PLAN, catalog=Path("nowhere.tsv")), BadFeed, r"nowhere\.tsv"),
    ],
)
def test_check_finds_mistakes_before_anything_starts(
    plan: demo.Plan, kind: type[Exception], word: str
) -> None:
    with pytest.raises(kind, match=word):
        demo.check(plan)
