"""The openai writer against a real server on this machine that answers by script."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hookline.brief import make_brief
from hookline.channels import channel
from hookline.errors import BadInput, BudgetSpent, WriterFailed
from hookline.prompts import load, with_craft
from hookline.types import Attributes, Audience, Brand, Brief, Product
from hookline.writers import OpenAIWriter, Phrasebook
from hookline.writers.cache import Cache

KEY = "sk-secret-0123456789"
GOOD = {"drafts": [{"headline": f"Line {i}", "cta": "Shop here"} for i in (1, 2)]}

Step = Callable[["Handler"], None]


class Server(ThreadingHTTPServer):
    """Answers each request with the next step of the script; the last step is repeated."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Step] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    @property
    def script_server(self) -> Server:
        """The server, as the kind it is."""
        assert isinstance(self.server, Server)
        return self.server

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.script_server.bodies.append(json.loads(self.rfile.read(length)))
        self.script_server.keys.append(self.headers["authorization"])
        script = self.script_server.script
        step = script.pop(0) if len(script) > 1 else script[0]
        step(self)

    def send(self, status: int, body: object, **headers: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Says nothing."""


def answer(content: object, usage: tuple[int, int] | None = (1000, 200)) -> Step:
    """A completion with this content: text as it is, anything else as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    body: dict[str, object] = {
        "id": "c1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text},
            }
        ],
    }
    if usage:
        body["usage"] = {
            "prompt_tokens": usage[0],
            "completion_tokens": usage[1],
            "total_tokens": sum(usage),
        }
    return lambda handler: handler.send(200, body)


def fail(status: int, message: str = "no", **headers: str) -> Step:
    """A refusal."""
    return lambda handler: handler.send(status, {"error": {"message": message}}, **headers)


def hang(handler: Handler) -> None:
    """No answer until the test is over."""
    handler.script_server.released.wait(10)
    handler.close_connection = True


def at_once(seconds: float) -> None:
    """Waits for nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def make(server: Server) -> Iterator[Callable[..., OpenAIWriter]]:
    """Makes writers that talk to the server and never sleep."""
    with httpx2.Client(trust_env=False) as client:

        def writer(**given: Any) -> OpenAIWriter:
            settings: dict[str, Any] = {
                "model": "m",
                "base_url": server.url,
                "api_key": KEY,
                "http_client": client,
                "sleep": at_once,
            }
            return OpenAIWriter(**{**settings, **given})

        yield writer


Make = Callable[..., OpenAIWriter]


@pytest.fixture
def brief() -> Brief:
    return make_brief(
        product=Product(id="t", title="Canvas Tote Bag"),
        audience=Audience(id="all", name="Everybody"),
        channel=channel("onsite_banner"),
        brand=Brand(id="acme", name="Acme"),
        attributes=Attributes(),
    )


def test_right_answer_becomes_drafts(server: Server, make: Make, brief: Brief) -> None:
    server.script = [answer(GOOD)]
    drafts = make(temperature=0.7).write(brief, 2, seed=11)
    assert [dict(draft.parts) for draft in drafts] == GOOD["drafts"]
    assert all(draft.writer == "openai" and not draft.note for draft in drafts)
    assert {draft.prompt for draft in drafts} == {load("write_copy").version}
    assert server.keys == [f"Bearer {KEY}"]
    (body,) = server.bodies
    assert (body["model"], body["seed"], body["temperature"]) == ("m", 11, 0.7)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_schema_asks_for_exactly_the_channels_fields(
    server: Server, make: Make, brief: Brief
) -> None:
    server.script = [answer(GOOD)]
    make().write(brief, 2, seed=1)
    form = server.bodies[0]["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["strict"] is True
    item = form["json_schema"]["schema"]["properties"]["drafts"]["items"]
    assert item["required"] == list(item["properties"]) == ["headline", "cta"]
    assert item["additionalProperties"] is False


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_failure_that_may_pass_is_tried_again(
    server: Server, make: Make, brief: Brief, status: int
) -> None:
    server.script = [fail(status), answer(GOOD)]
    assert len(make().write(brief, 2, seed=1)) == 2
    assert len(server.bodies) == 2


def test_waits_grow_and_are_drawn_from_the_seed(server: Server, make: Make, brief: Brief) -> None:
    def waits(seed: int) -> list[float]:
        slept: list[float] = []
        with pytest.raises(WriterFailed, match="503"):
            make(retries=3, sleep=slept.append).write(brief, 1, seed)
        return slept

    server.script = [fail(503)]
    first = waits(1)
    assert first == waits(1) != waits(2)
    assert all(0.25 * 2**k <= wait <= 0.75 * 2**k for k, wait in enumerate(first))
    assert len(first) == 3


def test_wait_that_the_server_asks_for_is_kept_up_to_a_limit(
    server: Server, make: Make, brief: Brief
) -> None:
    slept: list[float] = []
    server.script = [fail(429, retry_after="7"), fail(429, retry_after="9999"), answer(GOOD)]
    make(sleep=slept.append).write(brief, 1, seed=1)
    assert slept == [7.0, 20.0]


def test_slow_server_is_given_up_and_the_fallback_says_why(
    server: Server, make: Make, brief: Brief
) -> None:
    server.script = [hang]
    writer = make(timeout_s=0.1, retries=1, fallback=Phrasebook())
    (draft,) = writer.write(brief, 1, seed=1)
    assert len(server.bodies) == 2
    assert draft.writer == "phrasebook"
    assert draft.note == "openai failed: no answer within 0.1 s; written by phrasebook"


def test_no_server_means_the_fallback_or_a_clear_error(make: Make, brief: Brief) -> None:
    nowhere = "http://127.0.0.1:9/v1"
    with pytest.raises(WriterFailed, match="no connection"):
        make(base_url=nowhere, retries=0).write(brief, 1, seed=1)
    (draft,) = make(base_url=nowhere, fallback=Phrasebook()).write(brief, 1, seed=1)
    assert draft.parts == Phrasebook().write(brief, 1, seed=1)[0].parts
    assert draft.note.startswith("openai failed: no connection (")


def test_broken_answer_is_sent_back_once_with_what_is_wrong(
    server: Server, make: Make, brief: Brief
) -> None:
    server.script = [answer('{"drafts": [{"headline": "Li'), answer(GOOD)]
    drafts = make().write(brief, 2, seed=1)
    assert len(drafts) == 2
    roles = [message["role"] for message in server.bodies[1]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert "can't be used" in server.bodies[1]["messages"][-1]["content"]


def test_wrong_fields_are_named_in_the_repair(server: Server, make: Make, brief: Brief) -> None:
    wrong = {"drafts": [{"headline": "Line", "button": "Go"}]}
    server.script = [answer(wrong), answer(GOOD)]
    make().write(brief, 2, seed=1)
    complaint = server.bodies[1]["messages"][-1]["content"]
    assert "exactly the fields headline, cta, not headline, button" in complaint


@pytest.mark.parametrize(
    "content",
    [
        "I'd rather not.",
        "",
        {"drafts": []},
        {"drafts": [{"headline": "", "cta": "Go"}]},
        {"drafts": [{"headline": 7, "cta": "Go"}]},
        {"drafts": GOOD["drafts"], "thoughts": "hm"},
    ],
)
def test_answer_wrong_twice_fails_even_with_a_fallback(
    server: Server, make: Make, brief: Brief, content: object
) -> None:
    server.script = [answer(content)]
    with pytest.raises(WriterFailed, match="wrongly twice"):
        make(fallback=Phrasebook()).write(brief, 2, seed=1)
    assert len(server.bodies) == 2


def test_doubles_and_surplus_drafts_are_dropped(server: Server, make: Make, brief: Brief) -> None:
    many = [*GOOD["drafts"], GOOD["drafts"][0], {"headline": " Line\n3 ", "cta": "Go"}]
    server.script = [answer({"drafts": many})]
    drafts = make().write(brief, 3, seed=1)
    assert [draft.parts["headline"] for draft in drafts] == ["Line 1", "Line 2", "Line 3"]
    assert len(make().write(brief, 1, seed=1)) == 1


def test_server_without_schemas_is_asked_in_simpler_ways_and_remembered(
    server: Server, make: Make, brief: Brief
) -> None:
    fenced = f"Sure!\n```json\n{json.dumps(GOOD)}\n```"
    server.script = [fail(400, "response_format?"), fail(422), answer(fenced)]
    writer = make()
    assert len(writer.write(brief, 2, seed=1)) == 2
    assert len(writer.write(brief, 2, seed=2)) == 2
    asked = [body.get("response_format", {}).get("type") for body in server.bodies]
    assert asked == ["json_schema", "json_object", None, None]


def test_request_refused_in_every_way_fails_with_the_servers_words(
    server: Server, make: Make, brief: Brief
) -> None:
    server.script = [fail(400, f"the context is too long for {KEY}")]
    with pytest.raises(WriterFailed, match=r"400: .*context is too long") as caught:
        make(fallback=Phrasebook()).write(brief, 2, seed=1)
    assert len(server.bodies) == 3
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(("status", "word"), [(401, "OPENAI_API_KEY"), (404, "no model 'm'")])
def test_refusal_for_good_is_not_tried_again_nor_papered_over(
    server: Server, make: Make, brief: Brief, status: int, word: str
) -> None:
    server.script = [fail(status, f"Incorrect API key provided: {KEY}")]
    with pytest.raises(WriterFailed, match=word) as caught:
        make(fallback=Phrasebook()).write(brief, 1, seed=1)
    assert len(server.bodies) == 1
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_product_without_title_costs_no_request(server: Server, make: Make, brief: Brief) -> None:
    with pytest.raises(WriterFailed, match="no title"):
        make(fallback=Phrasebook()).write(replace(brief, product=Product(id="x", title=" ")), 1, 1)
    assert server.bodies == []


def test_key_stands_in_no_repr(make: Make) -> None:
    writer = make()
    assert KEY not in repr(writer) + str(writer)


def test_tokens_and_cost_add_up_over_drafts_and_the_repair(
    server: Server, make: Make, brief: Brief
) -> None:
    server.script = [answer("nonsense", (1001, 50)), answer(GOOD, (1200, 201))]
    writer = make(usd_per_million_in=2.0, usd_per_million_out=10.0)
    drafts = writer.write(brief, 2, seed=1)
    assert sum(draft.tokens_in for draft in drafts) == 2201
    assert sum(draft.tokens_out for draft in drafts) == 251
    cost = 2201 * 2e-6 + 251 * 10e-6
    assert sum(draft.cost_usd for draft in drafts) == pytest.approx(cost)
    assert writer.spent_usd == pytest.approx(cost)


def test_uncounted_tokens_are_charged_as_expected(server: Server, make: Make, brief: Brief) -> None:
    server.script = [answer(GOOD, usage=None)]
    writer = make(usd_per_million_in=2.0, usd_per_million_out=10.0)
    assert sum(draft.tokens_in for draft in writer.write(brief, 2, seed=1)) > 100
    assert writer.spent_usd > 0


def test_budget_holds_over_calls_then_the_fallback_writes(
    server: Server, make: Make, brief: Brief
) -> None:
    server.script = [answer(GOOD, (1_000_000, 0))]
    prices = {"usd_per_million_in": 1.0, "usd_per_million_out": 1.0}
    writer = make(**prices, budget_usd=1.5)
    writer.write(brief, 2, seed=1)
    with pytest.raises(BudgetSpent, match=r"1\.50 USD.*1\.0000 is spent.*openai_budget_usd"):
        writer.write(brief, 2, seed=2)
    assert len(server.bodies) == 1
    capped = make(**prices, budget_usd=0.0, fallback=Phrasebook())
    (draft,) = capped.write(brief, 1, seed=1)
    assert draft.writer == "phrasebook"
    assert "budget of 0.00 USD" in draft.note
    assert len(server.bodies) == 1


def test_budget_holds_over_threads(server: Server, make: Make, brief: Brief) -> None:
    server.script = [answer(GOOD, (900, 100))]
    writer = make(usd_per_million_in=1.0, usd_per_million_out=1.0, budget_usd=0.02)

    def attempt(seed: int) -> bool:
        try:
            writer.write(brief, 2, seed)
        except BudgetSpent:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        served = sum(pool.map(attempt, range(60)))
    assert 5 <= served <= 20
    assert writer.spent_usd == pytest.approx(served * 0.001)


def test_server_that_is_gone_gets_a_rest(server: Server, make: Make, brief: Brief) -> None:
    now = [100.0]
    server.script = [hang]
    writer = make(timeout_s=0.05, retries=2, fallback=Phrasebook(), clock=lambda: now[0])
    writer.write(brief, 1, seed=1)
    assert len(server.bodies) == 3
    now[0] += 59
    (draft,) = writer.write(brief, 1, seed=2)
    assert len(server.bodies) == 3
    assert "asked again in 1 s" in draft.note
    now[0] += 2
    server.script = [answer(GOOD)]
    assert writer.write(brief, 1, seed=3)[0].writer == "openai"


def test_answers_between_losses_keep_the_server_in_use(
    server: Server, make: Make, brief: Brief
) -> None:
    writer = make(timeout_s=0.05, retries=2)
    server.script = [hang, hang, answer(GOOD), hang, hang, answer(GOOD)]
    assert writer.write(brief, 1, seed=1)
    assert writer.write(brief, 1, seed=2)
    assert len(server.bodies) == 6


def test_same_request_is_paid_for_once(
    server: Server, make: Make, brief: Brief, tmp_path: Path
) -> None:
    server.script = [answer(GOOD)]
    prices = {"usd_per_million_in": 1.0, "usd_per_million_out": 1.0}
    paid = make(**prices, cache=Cache(tmp_path / "answers.db")).write(brief, 2, seed=1)
    again = make(**prices, cache=Cache(tmp_path / "answers.db"))
    free = again.write(brief, 2, seed=1)
    assert len(server.bodies) == 1
    assert [draft.parts for draft in free] == [draft.parts for draft in paid]
    assert all(draft.cost_usd > 0 and not draft.note for draft in paid)
    assert {(d.cost_usd, d.tokens_in, d.tokens_out) for d in free} == {(0.0, 0, 0)}
    assert {draft.note for draft in free} == {"the answer is an earlier one, from the cache"}
    assert again.spent_usd == 0
    assert KEY.encode() not in (tmp_path / "answers.db").read_bytes()


def test_any_other_request_is_asked_anew(server: Server, make: Make, brief: Brief) -> None:
    server.script = [answer(GOOD)]
    cache = Cache(":memory:")
    changed = make_brief(
        product=brief.product,
        audience=brief.audience,
        channel=brief.channel,
        brand=brief.brand,
        attributes=brief.attributes,
        lessons=["Questions did well."],
    )
    usual = make(cache=cache)
    usual.write(brief, 2, seed=1)
    usual.write(brief, 2, seed=2)
    usual.write(brief, 1, seed=1)
    usual.write(changed, 2, seed=1)
    make(cache=cache, model="m2").write(brief, 2, seed=1)
    make(cache=cache, temperature=0.1).write(brief, 2, seed=1)
    assert len(server.bodies) == 6
    usual.write(brief, 2, seed=1)
    assert len(server.bodies) == 6


def test_answer_that_had_to_be_mended_is_kept_mended(
    server: Server, make: Make, brief: Brief
) -> None:
    server.script = [answer("nonsense"), answer(GOOD), answer("nonsense")]
    writer = make(cache=Cache(":memory:"))
    assert len(writer.write(brief, 2, seed=1)) == len(writer.write(brief, 2, seed=1)) == 2
    assert len(server.bodies) == 2
    with pytest.raises(WriterFailed, match="wrongly twice"):
        writer.write(brief, 2, seed=2)
    with pytest.raises(WriterFailed, match="wrongly twice"):
        writer.write(brief, 2, seed=2)
    assert len(server.bodies) == 6, "what can't be used is not kept"


def test_cache_that_fails_costs_no_answer(server: Server, make: Make, brief: Brief) -> None:
    server.script = [answer(GOOD)]
    cache = Cache(":memory:")
    cache.close()
    (draft, _) = make(cache=cache).write(brief, 2, seed=1)
    assert draft.parts == GOOD["drafts"][0]
    assert draft.note.startswith("the answer cache :memory: fails: ")


def test_prompts_on_trial_share_the_seeds(server: Server, make: Make, brief: Brief) -> None:
    server.script = [answer(GOOD)]
    trial = with_craft(load("write_copy"), "- Ask a question.")
    writer = make(prompts=(load("write_copy"), trial))
    seen = [writer.write(brief, 2, seed)[0].prompt for seed in range(4)]
    assert seen == [load("write_copy").version, trial.version] * 2
    asked = [body["messages"][0]["content"] for body in server.bodies]
    assert ["- Ask a question." in system for system in asked] == [False, True] * 2


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"model": ""}, "model"),
        ({"timeout_s": 0.0}, "time-out"),
        ({"retries": -1}, "retries"),
        ({"budget_usd": -1.0}, "negative"),
        ({"usd_per_million_in": -1.0}, "negative"),
    ],
)
def test_wrong_arguments_fail_at_construction(
    make: Make, given: dict[str, object], word: str
) -> None:
    with pytest.raises(BadInput, match=word):
        make(**given)


def test_importing_writers_does_not_import_the_client() -> None:
    code = "import sys, hookline.writers; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
