"""A run against a real server on this machine that fails, dawdles and babbles."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hookline.brief import make_brief
from hookline.channels import channel
from hookline.generate import Terms, generate
from hookline.guards import GUARDS, guards_named
from hookline.types import Attributes, Audience, Brand, Product
from hookline.writers import OpenAIWriter, Phrasebook

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
LINES = ("Pack light, go far", "Room for the small things", "Your day, well carried", "Ready to go")
SLOW_S = 0.6


class Moody(ThreadingHTTPServer):
    """Of each twelve requests four are refused, one is answered late and three are babble.

    About felt it has nothing but babble to say.
    """

    daemon_threads = True
    moods = (
        *("good", "refused", "babble", "good", "refused", "late"),
        *("babble", "good", "refused", "good", "babble", "refused"),
    )

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.served: list[str] = []
        self._lock = threading.Lock()

    def mood(self) -> str:
        with self._lock:
            self.served.append(self.moods[len(self.served) % len(self.moods)])
            return self.served[-1]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["content-length"]))
        assert isinstance(self.server, Moody)
        mood = self.server.mood()
        if b"Felt" in asked and mood == "good":
            mood = "babble"
        if mood == "late":
            time.sleep(SLOW_S)
        drafts = [{"headline": line, "cta": "Shop now"} for line in LINES]
        content = "Sure! Here goes: {" if mood == "babble" else json.dumps({"drafts": drafts})
        body = {
            "id": "c", "object": "chat.completion", "created": 0, "model": "m",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": content},
                }
            ],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }  # fmt: skip
        data = json.dumps(body if mood != "refused" else {"error": {"message": "no"}}).encode()
        try:
            self.send_response(500 if mood == "refused" else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            """The client did not wait."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[Moody]:
    with Moody() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_every_brief_is_filled_and_the_slate_says_by_whom(server: Moody) -> None:
    briefs = [
        make_brief(
            product=Product(id=f"b{n}", title=f"{name} Tote Bag"),
            audience=Audience(id="all", name="Everybody"),
            channel=channel("onsite_banner"),
            brand=Brand(id="acme", name="Acme"),
            attributes=Attributes(),
        )
        for n, name in enumerate(("Canvas", "Linen", "Cotton", "Denim", "Felt", "Jute") * 4)
    ]
    writer = OpenAIWriter(
        model="m",
        base_url=f"http://127.0.0.1:{server.server_port}/v1",
        timeout_s=SLOW_S / 2,
        retries=1,
        usd_per_million_in=1.0,
        usd_per_million_out=10.0,
        sleep=lambda _seconds: None,
    )
    terms = Terms(at_once=4, stand_in=Phrasebook())
    slate = generate(briefs, writer, guards_named(GUARDS), per_brief=1, seed=1, at=AT, terms=terms)
    assert len(slate.kept) == len(briefs)
    assert slate.shortfall == ()
    by = {name: tally.kept for name, tally in slate.writers.items()}
    assert set(by) == {"openai", "phrasebook"}
    assert sum(by.values()) == len(briefs)
    assert by["openai"] >= 6
    assert by["phrasebook"] >= 4, "all of felt"
    assert {"refused", "late", "babble", "good"} <= set(server.served)
    stood_in = [copy for copy in slate.kept if copy.writer == "phrasebook"]
    assert len(slate.notes) == len(stood_in) == by["phrasebook"]
    assert all("openai failed: " in copy.note for copy in stood_in)
    assert all("written by phrasebook, for openai failed: " in note for note in slate.notes)
    own = slate.writers["openai"]
    assert own.cost_usd == pytest.approx(own.tokens_in * 1e-6 + own.tokens_out * 1e-5)
    assert writer.spent_usd >= own.cost_usd > 0
