from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from conftest import NOW
from hookline import sample
from hookline.app import App, open_app
from hookline.catalog import read_feed
from hookline.service import make_service
from hookline.settings import read_settings
from hookline.types import Context, Experiment
from hookline.wire import CopyOrder


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """A Hookline with one running experiment, one waiting copy and a hostile product title."""
    monkeypatch.chdir(tmp_path)
    made = open_app(read_settings(database=f"sqlite:///{tmp_path}/pages.db", learn_every_s=0))
    feed = read_feed(sample.shop_path())
    made.desk.import_catalog(feed, at=NOW)
    made.desk.put_brand(sample.brand(), at=NOW)
    for audience in sample.audiences():
        made.desk.put_audience(audience, at=NOW)
    product = feed.products[0].id
    brand = sample.brand().id
    audiences = [audience.id for audience in sample.audiences()]
    asked = CopyOrder(
        product_id=product, channels=["onsite_banner"], audiences=audiences, brand=brand
    )
    kept = [copy.id for copy in made.desk.write_copy(asked, at=NOW).kept]
    line = {"headline": "<script>alert('x')</script>", "cta": "Shop & save"}
    control = made.desk.add_control(
        product_id=product, channel_id="onsite_banner", brand_id=brand, parts=line, at=NOW
    )
    made.desk.review([*kept[1:], control.id], "approved", at=NOW, by="test")
    draft = Experiment(
        id="hero", name="Hero <b>", product_id=product, channel_id="onsite_banner", arms=()
    )
    made.live.create_experiment(
        draft, copy_ids=kept[1:], control_id=control.id, audience_ids=audiences, at=NOW
    )
    made.live.move("hero", "review", at=NOW)
    made.live.move("hero", "running", at=NOW)
    for n in range(300):
        served = made.live.decide("hero", Context(visitor_id=f"v{n}", at=NOW))
        events = ["Promotion Viewed"] + ["Promotion Clicked"] * (n % 5 == 0)
        raws = [
            {
                "messageId": f"{name}{n}",
                "event": name,
                "userId": f"v{n}",
                "timestamp": NOW.isoformat(),
                "properties": {"decision_id": served.decision_id},
            }
            for name in events
        ]
        made.live.ingest(raws, at=NOW)
    made.live.learn()
    return made


@pytest.fixture
def http(app: App) -> Iterator[TestClient]:
    with TestClient(make_service(app)) as made:
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


def test_decision_page_tells_the_trace(app: App, http: TestClient) -> None:
    key = app.live.latest_outcomes("hero")[0].decision.id
    page = read(http, f"/decisions/{key}")
    for word in ("Product", "Guards", "Propensity", "impression"):
        assert word.lower() in page.lower()


def test_copy_page_approves_with_one_press(app: App, http: TestClient) -> None:
    (waiting,) = app.desk.copies(status="draft")
    assert waiting.id in read(http, "/copy")
    answer = http.post("/copy/review", data={"copy_id": waiting.id, "status": "approved"})
    assert answer.status_code == 200
    assert app.desk.copies(status="draft") == []
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
