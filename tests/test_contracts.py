"""Every registered guard and writer keeps its contract; policies and stores do so elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import msgspec
import pytest

from hookline.guards import GUARDS, Guard
from hookline.testing import check_guard, check_policy, check_store, check_writer
from hookline.types import Brief, Draft, Verdict
from hookline.writers import WRITERS, House, OpenAIWriter, Phrasebook, Writer


@pytest.mark.parametrize("name", GUARDS)
def test_guard_keeps_the_contract(name: str) -> None:
    check_guard(GUARDS[name])


class Chat(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that fills the schema it is given, the same each time."""

    def do_POST(self) -> None:
        asked = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
        schema = asked["response_format"]["json_schema"]["schema"]
        text = msgspec.json.encode(filled(schema)).decode()
        answer = msgspec.json.encode(
            {
                "id": "c", "object": "chat.completion", "created": 0, "model": asked["model"],
                "choices": [{"index": 0, "finish_reason": "stop",
                             "message": {"role": "assistant", "content": text}}],
                "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18},
            }
        )  # fmt: skip
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""


def filled(schema: Mapping[str, object], place: int = 0) -> object:
    """Some value that fits a JSON schema of objects, lists and texts."""
    properties, items = schema.get("properties"), schema.get("items")
    if isinstance(properties, Mapping):
        return {name: filled(part, place) for name, part in properties.items()}
    if isinstance(items, Mapping):
        return [filled(items, each) for each in range(int(str(schema.get("minItems", 3))))]
    return f"A day bag for day {place + 1}, plain and simple to carry about town"


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Chat) as made:
        Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_address[1]}/v1"
        made.shutdown()


# `transformers` keeps it in its own tests, where torch is.
@pytest.mark.parametrize("name", [name for name in WRITERS if name != "transformers"])
def test_writer_keeps_the_contract(name: str, server: str) -> None:
    makers = {
        "phrasebook": Phrasebook,
        "house": House,
        "openai": lambda: OpenAIWriter(model="any", base_url=server, api_key="none"),
    }
    check_writer(makers[name])


# --- the checks themselves can fail -------------------------------------------------------------


class Raising(Guard):
    name: ClassVar[str] = "raising"

    def check(
        self, parts: Mapping[str, str], brief: Brief, others: Sequence[str] = ()
    ) -> tuple[Verdict, ...]:
        return (self.fault("x", f"Starts with {next(iter(parts.values()))[0]}."),)


class Silent(Raising):
    name: ClassVar[str] = "silent"

    def check(
        self, parts: Mapping[str, str], brief: Brief, others: Sequence[str] = ()
    ) -> tuple[Verdict, ...]:
        return ()


class Repeating(Writer):
    name: ClassVar[str] = "repeating"

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        parts = {field.name: "Same" for field in brief.channel.fields}
        return (Draft(parts=parts, writer=self.name, prompt="p", seed=seed),) * n


def test_checks_name_the_broken_promise() -> None:
    with pytest.raises(AssertionError, match="never raises"):
        check_guard(Raising)
    with pytest.raises(AssertionError, match="at least one verdict"):
        check_guard(Silent)
    with pytest.raises(AssertionError, match="different drafts"):
        check_writer(Repeating)


def test_every_family_has_its_check() -> None:
    assert all(callable(check) for check in (check_guard, check_policy, check_store, check_writer))
