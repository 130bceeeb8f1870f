"""A model server on this machine that fails a third of the time, dawdles and babbles."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from hookline.generate import Slate, Terms, generate
from hookline.guards import GUARDS, guards_named
from hookline.types import Brief, dumps
from hookline.writers import OpenAIWriter, Phrasebook

AT: Final = datetime(2026, 1, 5, tzinfo=UTC)
SLOW_S: Final = 3.0
"""How long a late answer takes; the writer waits a third as long."""
MOODS: Final = (
    *("good", "refused", "good", "babble", "refused", "good"),
    *("late", "refused", "good", "cut short", "refused", "good"),
)
"""What becomes of each twelve requests: a third is refused, three more are of no use."""


class Moody(ThreadingHTTPServer):
    """An OpenAI-compatible server whose good answers are the phrasebook's drafts."""

    daemon_threads = True

    def __init__(self, briefs: Sequence[Brief]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.served: list[str] = []
        self.known = {brief.product.title: _drafts(brief) for brief in briefs}
        self._lock = threading.Lock()

    def mood(self) -> str:
        """What becomes of the next request."""
        with self._lock:
            self.served.append(MOODS[len(self.served) % len(MOODS)])
            return self.served[-1]

    def drafts(self, asked: str) -> list[dict[str, str]]:
        """Copy for the product that a prompt is about; none where it can't be told."""
        title = max((title for title in self.known if title in asked), key=len, default="")
        return self.known.get(title, [])


def _drafts(brief: Brief) -> list[dict[str, str]]:
    """What the model has to say of a brief."""
    return [dict(draft.parts) for draft in Phrasebook().write(brief, 4, seed=1)]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert isinstance(self.server, Moody)
        mood = self.server.mood()
        if mood == "late":
            time.sleep(SLOW_S)
        words = "\n".join(str(message["content"]) for message in asked["messages"])
        content = json.dumps({"drafts": self.server.drafts(words)}, ensure_ascii=False)
        if mood == "babble":
            content = "Sure! Here are some ideas for you."
        elif mood == "cut short":
            content = content[: len(content) // 2]
        body = {
            "id": "c",
            "object": "chat.completion",
            "created": 0,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": content},
                }
            ],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }
        data = dumps(body if mood != "refused" else {"error": {"message": "no"}})
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


@dataclass(frozen=True, kw_only=True)
class Endured:
    """What came of the run.

    Attributes:
        briefs: Briefs asked for.
        filled: Those that got their copy.
        by_writer: Writer's name → copies kept.
        noted: Copies of the stand-in whose note and slate's note say who wrote them and why.
        served: Mood → requests.
    """

    briefs: int
    filled: int
    by_writer: dict[str, int]
    noted: int
    served: dict[str, int]

    @property
    def told(self) -> bool:
        """Whether every copy is told to be whose it is."""
        return self.noted == self.by_writer.get("phrasebook", 0)


def endure(drawn: Sequence[Brief], seed: int) -> Endured:
    """What a run through the openai writer makes of a moody server, the phrasebook standing in.

    No feeling is asked for: whether a brief is filled is the server's doing alone.
    """
    briefs = [replace(brief, sentiment=None) for brief in drawn]
    with Moody(briefs) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        writer = OpenAIWriter(
            model="m",
            base_url=f"http://127.0.0.1:{server.server_port}/v1",
            timeout_s=SLOW_S / 3,
            retries=1,
            sleep=lambda _seconds: None,
        )
        terms = Terms(at_once=4, stand_in=Phrasebook())
        guards = guards_named(GUARDS)
        try:
            slate = generate(briefs, writer, guards, per_brief=1, seed=seed, at=AT, terms=terms)
        finally:
            server.shutdown()
            thread.join()
    served = {mood: server.served.count(mood) for mood in dict.fromkeys(MOODS)}
    return Endured(
        briefs=len(briefs),
        filled=len({copy.brief_id for copy in slate.kept}),
        by_writer={name: tally.kept for name, tally in slate.writers.items()},
        noted=_noted(slate),
        served=served,
    )


def _noted(slate: Slate) -> int:
    """Copies of the stand-in that say so, where the slate's notes are as many."""
    own = [copy for copy in slate.kept if copy.writer == "phrasebook"]
    said = sum("written by phrasebook" in copy.note for copy in own)
    return said if len(slate.notes) == len(own) else 0
