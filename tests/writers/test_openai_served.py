"""The openai writer against `transformers serve` and a model's folder; see `make test-train`."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from hookline.brief import make_brief
from hookline.channels import CHANNELS
from hookline.generate import Terms, generate
from hookline.guards import guards_named
from hookline.types import Attributes, Audience, Brand, Brief, Product
from hookline.writers import OpenAIWriter, Phrasebook
from made_model import WORDS, make_model

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
PATIENCE_S = 90.0


@dataclass
class Served:
    """A server on this machine."""

    process: subprocess.Popen[bytes]
    url: str
    model: str

    def stop(self) -> None:
        self.process.kill()  # asked to end, it would wait for connections that clients keep
        self.process.wait(30)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    for package in ("torch", "transformers", "uvicorn"):
        pytest.importorskip(package, reason=f"{package} is not installed: no model to serve")
    home = tmp_path_factory.mktemp("served")
    folder = make_model(home / "model", wrong=0.3)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = Path(sys.executable).with_name("transformers")
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                command,
                "serve",
                folder,
                "--device",
                "cpu",
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )
    server = Served(process, f"http://127.0.0.1:{port}", str(folder))
    try:
        _wait_for(server, home / "log")
        yield server
    finally:
        server.stop()


def _wait_for(server: Served, log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and server.process.poll() is None:
        try:
            if httpx2.get(f"{server.url}/health", trust_env=False).is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    pytest.fail(f"the server did not start:\n{log.read_text()[-2000:]}")


def briefs() -> list[Brief]:
    return [
        make_brief(
            product=Product(id=name, title=f"{name} Tote Bag"),
            audience=Audience(id="all", name="Everybody"),
            channel=channel,
            brand=Brand(id="acme", name="Acme"),
            attributes=Attributes(),
        )
        for name in ("Canvas", "Linen")
        for channel in CHANNELS.values()
    ]


def writer(server: Served) -> OpenAIWriter:
    return OpenAIWriter(
        model=server.model, base_url=f"{server.url}/v1", usd_per_million_in=1.0, timeout_s=60.0
    )


def test_every_channel_is_written_by_a_model_in_a_folder(served: Served) -> None:
    for seed, brief in enumerate(briefs()):
        (draft,) = writer(served).write(brief, 1, seed)
        assert list(draft.parts) == [field.name for field in brief.channel.fields]
        assert draft.writer == "openai"
        assert next(iter(draft.parts.values())) in WORDS
        assert draft.tokens_in > 100
        assert draft.tokens_out >= 4


def test_run_is_filled_by_the_server_and_without_it_by_the_phrasebook(served: Served) -> None:
    asked, own = (
        [brief for brief in briefs() if brief.channel.id == "onsite_banner"],
        writer(served),
    )
    terms = Terms(at_once=2, stand_in=Phrasebook())
    guards = guards_named(["limits", "claims"])
    slate = generate(asked, own, guards, per_brief=1, seed=1, at=AT, terms=terms)
    assert {name: tally.kept for name, tally in slate.writers.items()} == {"openai": len(asked)}
    assert slate.cost_usd == pytest.approx(own.spent_usd)
    served.stop()
    slate = generate(asked, writer(served), guards, per_brief=1, seed=2, at=AT, terms=terms)
    assert {copy.writer for copy in slate.kept} == {"phrasebook"}
    assert len(slate.kept) == len(asked)
    assert all("openai failed: no " in note for note in slate.notes)
