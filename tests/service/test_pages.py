import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from conftest import NOW
from hookline.app import App, open_app
from hookline.service import make_service
from hookline.settings import read_settings
from hookline.types import Action, Context, loads


@pytest.fixture
def http(shown: App) -> Iterator[TestClient]:
    with TestClient(make_service(shown)) as made:
        yield made


class Balanced(HTMLParser):
    """Fails on tags that are not closed in order."""

    VOID = frozenset({"meta", "link", "input", "img", "br", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def read(http: TestClient, path: str) -> str:
    response = http.get(path)
    assert response.status_code == 200
    parser = Balanced()
    parser.feed(response.text)
    assert parser.open == []
    return response.text


def test_overview_lists_every_experiment(http: TestClient) -> None:
    page = read(http, "/")
    assert "Hero &lt;b&gt;" in page
    assert "live.js" in page
    assert "too early" in page


def test_experiment_page_shows_charts_and_escapes_texts(http: TestClient) -> None:
    page = read(http, "/experiments/hero")
    assert page.count("<svg") == 3
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "explain" in page
    assert "Visitors per line " in page


def test_experiment_page_promotes_and_rolls_back(shown: App, http: TestClient) -> None:
    assert "The candidate" not in read(http, "/experiments/hero")
    shown.live.try_candidate("hero", "ucb", {"width": 0.5}, at=NOW)
    page = read(http, "/experiments/hero")
    assert "ucb (width 0.5)" in page
    assert "learns and watches" in page
    assert "Promote" in page
    assert "Roll back" not in page
    shown.live.try_candidate("hero", "ucb", share=0.2, at=NOW)
    page = read(http, "/experiments/hero")
    assert "decides 20%" in page
    assert "Roll back" in page
    assert http.post("/experiments/hero/promote").status_code == 200
    page = read(http, "/experiments/hero")
    assert "the policy before the promotion" in page
    assert "Promote" not in page
    assert http.post("/experiments/hero/rollback").status_code == 200
    assert shown.live.experiment("hero").policy == "horizon_thompson"
    assert http.post("/experiments/hero/rollback").status_code == 409
    actions = [loads(row.body, Action) for row in shown.store.read() if row.kind == "action"]
    assert [each.by for each in actions[-2:]] == ["web page", "web page"]


def test_experiment_page_compares_policy_and_candidate(shown: App, http: TestClient) -> None:
    shown.live.try_candidate("hero", "uniform", share=0.5, at=NOW)
    later = NOW + timedelta(hours=1)
    for n in range(400):
        served = shown.live.decide("hero", Context(visitor_id=f"w{n}", at=later))
        raw = {"userId": f"w{n}", "timestamp": later.isoformat()}
        bag = {"properties": {"decision_id": served.decision_id}}
        events = ["Promotion Viewed"] + ["Promotion Clicked"] * (n % 4 == 0)
        shown.live.ingest(
            [{"messageId": f"{name}w{n}", "event": name, **raw, **bag} for name in events],
            at=later,
        )
    shown.live.forget("w0", at=NOW + timedelta(days=3))  # moves the log's clock past the window
    page = read(http, "/experiments/hero")
    assert "Compared on 400 visitors" in page
    row = page.split("the candidate</span>")[1].split("</tr>")[0]
    assert re.search(r"<b>0\.\d+</b>", row)
    assert re.search(r"[+−][\d.]+% to [+−][\d.]+%", row)


def test_decision_page_tells_the_trace(shown: App, http: TestClient) -> None:
    key = shown.live.latest_outcomes("hero")[0].decision.id
    page = read(http, f"/decisions/{key}")
    for word in ("Product", "Guards", "Propensity", "impression"):
        assert word.lower() in page.lower()


def test_copy_page_approves_with_one_press(shown: App, http: TestClient) -> None:
    (waiting,) = shown.desk.copies(status="draft")
    assert waiting.id in read(http, "/copy")
    answer = http.post("/copy/review", data={"copy_id": waiting.id, "status": "approved"})
    assert answer.status_code == 200
    assert shown.desk.copies(status="draft") == []
    assert waiting.id not in read(http, "/copy?status=draft")


def test_an_empty_hookline_says_what_to_do(tmp_path: Path) -> None:
    empty = open_app(read_settings(database="sqlite://", learn_every_s=0))
    with TestClient(make_service(empty)) as http:
        assert "make demo" in read(http, "/")


@pytest.mark.parametrize("path", ["/experiments/none", "/decisions/none"])
def test_missing_pages_are_pages(http: TestClient, path: str) -> None:
    response = http.get(path)
    assert response.status_code == 404
    assert "no " in response.text
    assert "<h1>" in response.text
