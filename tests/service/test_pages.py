import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from conftest import NOW
from hookline.app import App, open_app
from hookline.service import make_service
from hookline.settings import read_settings
from hookline.types import Action, Context, FrontPoint, Guardrail, Rule, Tally, dumps, loads


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


def test_held_back_lines_are_named_and_released_with_one_press(
    shown: App, http: TestClient
) -> None:
    arm = shown.live.experiment("hero").challengers[0]
    copy = next(each for each in shown.desk.copies() if each.id == arm.id)
    held = replace(copy, status="quarantined", note="The feed now has <another> price.")
    shown.store.write(documents={"copy": {copy.id: dumps(held)}})
    shown.live.quarantine([copy.id], at=NOW, by="guard")
    assert "held back" in read(http, "/")
    page = read(http, "/copy?status=quarantined")
    assert "&lt;another&gt; price" in page
    assert "Release" in page
    page = read(http, "/experiments/hero")
    assert "is shown to nobody" in page
    form = {"copy_id": copy.id, "status": "approved", "back": "/experiments/hero"}
    answer = http.post("/copy/review", data=form, follow_redirects=False)
    assert answer.headers["location"] == "/experiments/hero"
    assert "is shown to nobody" not in read(http, "/experiments/hero")
    assert copy.id in {each.id for each in shown.live.experiment("hero").challengers}


@pytest.mark.parametrize("back", ["//elsewhere.example", "https://elsewhere.example", "/a b"])
def test_a_form_leads_back_to_our_pages_only(shown: App, http: TestClient, back: str) -> None:
    (waiting,) = shown.desk.copies(status="draft")
    form = {"copy_id": waiting.id, "status": "approved", "back": back}
    answer = http.post("/copy/review", data=form, follow_redirects=False)
    assert answer.headers["location"] == "/copy"


def test_without_its_control_the_page_says_what_serves(shown: App, http: TestClient) -> None:
    control = shown.live.experiment("hero").control
    copy = next(each for each in shown.desk.copies() if each.id == control.id)
    shown.store.write(documents={"copy": {copy.id: dumps(replace(copy, status="quarantined"))}})
    shown.live.quarantine([copy.id], at=NOW, by="guard")
    page = read(http, "/experiments/hero")
    assert "Your control line is held back" in page
    assert "Let it run again" not in page


def test_a_paused_page_lets_it_run_again(shown: App, http: TestClient) -> None:
    assert "Let it run again" not in read(http, "/experiments/hero")
    shown.live.move("hero", "paused", at=NOW)
    assert "Let it run again" in read(http, "/experiments/hero")
    assert http.post("/experiments/hero/resume").status_code == 200
    assert shown.live.experiment("hero").status == "running"


def test_copy_page_says_who_wrote_what_and_what_it_cost(shown: App, http: TestClient) -> None:
    (writing,) = shown.desk.writings()
    told = replace(
        writing,
        left=2,
        shortfall=("Bag: 0 of 1 copies. <b>",),
        notes=("Bag: written by phrasebook.",),
        writers={"openai": Tally(requests=4, failures=3, drafts=2, kept=1, cost_usd=0.0123)},
        front=(
            FrontPoint(creativity=0.0, diversity=0.3, lift=0.1),
            FrontPoint(creativity=1.0, diversity=0.5, lift=-0.1),
        ),
    )
    shown.store.write(documents={"writing": {"another": dumps(told)}})
    page = read(http, "/copy")
    for words in (
        "phrasebook was asked",
        "openai: 1 of 2 drafts kept",
        "failed 3 of 4 times",
        "2 briefs not asked for",
        "0.0123 USD",
        "0 of 1 copies. &lt;b&gt;",
        "written by phrasebook",
    ):
        assert words in page
    assert page.count("<svg") == 2 if writing.front else page.count("<svg") == 1


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


def test_experiment_page_ships_a_line_and_takes_it_back(shown: App, http: TestClient) -> None:
    page = read(http, "/experiments/hero")
    assert "Ship this line" not in page  # nothing is proven yet
    line = shown.live.experiment("hero").challengers[0]
    assert http.post("/experiments/hero/ship", data={"line": line.id}).status_code == 200
    page = read(http, "/experiments/hero")
    assert '<p class="verdict">shipped</p>' in page
    assert "serves everybody but the 10% held out" in page
    assert http.post("/experiments/hero/unship").status_code == 200
    assert "Take it back" not in read(http, "/experiments/hero")
    assert http.post("/experiments/hero/unship").status_code == 409
    actions = [loads(row.body, Action) for row in shown.store.read() if row.kind == "action"]
    assert [(each.verb, each.by) for each in actions[-2:]] == [
        ("ship", "web page"),
        ("unship", "web page"),
    ]


def test_experiment_page_tells_traffic_maturity_guards_and_rule(http: TestClient) -> None:
    page = read(http, "/experiments/hero")
    for title in ("Traffic", "Orders to come", "Guard metrics", "Rule"):
        assert f"<dt>{title}</dt>" in page
    assert "300 of 300 visitors can still order" in page
    assert "None was set before the start." in page
    assert "Ship a line that is proven better and likely worth anything" in page
    assert "confidence sequences" in page.split("<details")[1].split("</details>")[0]
    assert "Set the rule" not in page


def test_a_draft_page_sets_the_rule(shown: App, http: TestClient) -> None:
    hero = shown.live.experiment("hero")
    draft = replace(hero, id="later", name="Later")
    shown.live.create_experiment(
        draft,
        copy_ids=[arm.id for arm in hero.challengers],
        control_id=hero.control.id,
        audience_ids=[],
        at=NOW,
    )
    assert "Set the rule" in read(http, "/experiments/later")
    form = {"worthwhile": "2", "value": ".4", "risk": "10", "unsubscribes": "3", "refunds": ""}
    assert http.post("/experiments/later/rule", data=form).status_code == 200
    assert shown.live.experiment("later").rule == Rule(
        worthwhile=2.0,
        value=0.4,
        risk=0.1,
        guardrails=(Guardrail(metric="unsubscribes", tolerated=3.0),),
    )
    page = read(http, "/experiments/later")
    assert "worth at least +2.00 USD per 1,000 visitors" in page
    assert "No harm is proven in unsubscribes." in page
    assert http.post("/experiments/later/rule", data={"risk": "much"}).status_code == 422
    assert http.post("/experiments/hero/rule", data=form).status_code == 409
