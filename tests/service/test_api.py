import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from conftest import NOW
from hookline import sample
from hookline.app import App, open_app
from hookline.client import Client
from hookline.errors import BadInput, HooklineError, Refused, Unknown
from hookline.live import Live
from hookline.service import make_service
from hookline.settings import read_settings
from hookline.types import Candidate, Copy, Unit, Verdict, dumps
from hookline.wire import Ask, CopyOrder, NewCandidate, NewExperiment


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.chdir(tmp_path)
    settings = read_settings(
        database=f"sqlite:///{tmp_path}/api.db", learn_every_s=0, trust_sent_at=True
    )
    return open_app(settings)


@pytest.fixture
def http(app: App) -> Iterator[TestClient]:
    with TestClient(make_service(app), raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def shop(http: TestClient) -> Client:
    """A shop that has imported the sample catalog and has its kit in place."""
    client = Client(http=http)
    client.at = NOW
    path = sample.shop_path()
    client.import_catalog(path.name, path.read_bytes())
    client.put_brand(sample.brand())
    for audience in sample.audiences():
        client.put_audience(audience)
    return client


def order(shop: Client, http: TestClient, **changes: object) -> CopyOrder:
    products = http.get("/v1/products").json()
    given: dict[str, object] = {
        "product_id": products[0]["id"],
        "channels": ["email"],
        "audiences": [audience.id for audience in sample.audiences()],
        "brand": sample.brand().id,
        "seed": 3,
    }
    return CopyOrder(**given | changes)  # pyright: ignore[reportArgumentType]


def running(shop: Client, http: TestClient, unit: Unit = "visitor") -> str:
    """The id of a running e-mail experiment."""
    wanted = order(shop, http)
    kept = [copy.id for copy in shop.write_copy(wanted).kept]
    control = shop.add_line(wanted.product_id, "email", wanted.brand)
    shop.review([*kept, control.id], "approved", by="test")
    shop.create_experiment(
        NewExperiment(
            id="mail", name="Mail", product_id=wanted.product_id, channel="email",
            control=control.id, copies=kept, audiences=wanted.audiences, unit=unit,
        )
    )  # fmt: skip
    shop.move("mail", "review")
    shop.move("mail", "running")
    return "mail"


def test_the_whole_loop_over_http(shop: Client, http: TestClient) -> None:
    name = running(shop, http)
    for n in range(30):
        shown = shop.decide(name, f"v{n}", control={}, traits={"segment": "saver"})
        assert set(shown.parts) == {"subject", "preheader"}
        shop.track("Promotion Viewed", f"v{n}", shown=shown, message_id=f"i{n}")
        shop.track("Promotion Viewed", f"v{n}", shown=shown, message_id=f"i{n}")
        bag = {"order_id": f"o{n}", "revenue": 20, "currency": "USD"}
        shop.track("Order Completed", f"v{n}", properties=bag)
    (receipt,) = shop.flush()
    assert (receipt.stored, receipt.duplicates, receipt.set_aside) == (60, 30, ())
    shop.learn()
    (report,) = shop.report().experiments
    assert (report.visitors, report.exposures, report.orders, report.revenue) == (30, 30, 30, 600.0)
    trace = http.get(f"/v1/decisions/{shop.decide(name, 'v1', control={}).decision_id}").json()
    assert trace["copy_record"]["verdicts"]


def test_decide_batch_gives_the_same_as_one_by_one(shop: Client, http: TestClient) -> None:
    name = running(shop, http)
    batch = shop.decide_batch([Ask(experiment=name, visitor_id=f"v{n}") for n in range(20)])
    single = [shop.decide(name, f"v{n}", control={}) for n in range(20)]
    assert [each.arm_id for each in batch] == [each.arm_id for each in single]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/v1/decide", {"experiment": "x", "visitor_id": "v"}, 404, "no experiment 'x'"),
        ("POST", "/v1/decide", {"experiment": "x"}, 422, "visitor_id"),
        ("POST", "/v1/decide", [], 422, "fit the API"),
        ("POST", "/v1/experiments/none/move", None, 422, "body"),
        ("POST", "/v1/decide", {"experiment": "x", "visitor_id": ""}, 422, "1 to 200"),
        ("POST", "/v1/decide/batch", {"asks": []}, 422, "1 to 1000"),
        ("POST", "/v1/events", {"batch": [{}] * 1001}, 422, "1 to 1000"),
        ("POST", "/v1/events", {"batch": [{"event": "Nope"}]}, 422, "Nope"),
        ("POST", "/v1/copies/write", {}, 422, "product_id"),
        ("POST", "/v1/experiments/none/move", {"to": "running"}, 404, "no experiment 'none'"),
        ("POST", "/v1/experiments/none/move", {"to": "flying"}, 422, "running"),
        ("GET", "/v1/decisions/none", None, 404, "no decision 'none'"),
        ("GET", "/v1/nowhere", None, 404, "/docs"),
        ("PUT", "/v1/brands/x", {"id": "x", "name": "X", "nonsense": 1}, 422, "nonsense"),
        ("PUT", "/v1/audiences/x", {"id": "y", "name": "Y"}, 422, "'y'"),
        (
            "POST",
            "/v1/decide",
            {"experiment": "x", "visitor_id": "v", "position": "2"},
            422,
            "position",
        ),
        (
            "POST",
            "/v1/decide",
            {"experiment": "x", "visitor_id": "v", "visit_id": "x" * 201},
            422,
            "200",
        ),
        ("PUT", "/v1/experiments/none/candidate", {"policy": "ucb"}, 404, "no experiment 'none'"),
        (
            "PUT",
            "/v1/experiments/none/candidate",
            {"policy": "abc"},
            422,
            "no policy is named 'abc'",
        ),
        ("GET", "/v1/experiments/none/candidate", None, 404, "no experiment 'none'"),
        ("DELETE", "/v1/experiments/none/candidate", None, 404, "no experiment 'none'"),
        ("POST", "/v1/experiments/none/promote", {}, 404, "no experiment 'none'"),
        ("POST", "/v1/experiments/none/rollback", {}, 404, "no experiment 'none'"),
        ("POST", "/v1/visitors/forget", {"visitor_id": "v"}, 404, "visitor 'v'"),
    ],
)
def test_mistakes_are_answered_with_problem_details(
    http: TestClient, method: str, path: str, body: object, status: int, words: str
) -> None:
    headers = {"content-type": "application/json"}
    content = None if body is None else json.dumps(body)
    response = http.request(method, path, content=content, headers=headers)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == {"type", "title", "status", "detail"}
    assert words in problem["detail"]


def test_unknown_names_say_what_to_do(shop: Client, http: TestClient) -> None:
    with pytest.raises(Unknown, match="no product 'nope'"):
        shop.write_copy(order(shop, http, product_id="nope"))
    with pytest.raises(BadInput, match="did you mean 'email'"):
        shop.write_copy(order(shop, http, channels=["emial"]))
    with pytest.raises(BadInput, match="no writer is named 'poet'"):
        shop.write_copy(order(shop, http, writer="poet"))
    with pytest.raises(BadInput, match="1 to 50"):
        shop.write_copy(order(shop, http, variants=0))
    assert http.get("/v1/copies").json() == []


def test_a_wrong_feed_imports_nothing(shop: Client, http: TestClient) -> None:
    before = http.get("/v1/products").json()
    with pytest.raises(BadInput):
        shop.import_catalog("notes.txt", b"just some words\nand more of them\n")
    assert http.get("/v1/products").json() == before


def test_copy_the_guards_rejected_cannot_be_approved(shop: Client, http: TestClient) -> None:
    wanted = order(shop, http)
    with pytest.raises(BadInput, match="does not fit the channel"):
        shop.add_line(wanted.product_id, "email", wanted.brand, {"subject": "x" * 99})
    assert http.get("/v1/copies").json() == []


def test_an_experiment_takes_its_steps_in_order(shop: Client, http: TestClient) -> None:
    name = running(shop, http)
    with pytest.raises(Refused, match="running and can't become draft"):
        shop.move(name, "draft")


def test_decide_gives_the_control_when_the_service_is_away() -> None:
    with Client("http://127.0.0.1:9", timeout_s=1) as away:
        shown = away.decide("any", "v1", control={"headline": "Ours"})
        assert shown.parts == {"headline": "Ours"}
        assert shown.reason.startswith("unreachable")
        away.track("Promotion Viewed", "v1", shown=shown)
        with pytest.raises(Exception, match=r"."):
            away.flush()
        assert len(away._waiting) == 1
        away._waiting.clear()


def test_decide_never_raises_whatever_answers(http: TestClient) -> None:
    def page(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, text="<h1>Please log in</h1>")

    ours = {"headline": "Ours"}
    proxy = httpx2.Client(transport=httpx2.MockTransport(page), base_url="http://proxy")
    assert Client(http=proxy).decide("any", "v1", control=ours).parts == ours
    odd = Client(http=http).decide("any", "v1", control=ours, traits={"x": object()})  # pyright: ignore[reportArgumentType]
    assert odd.parts == ours


def test_large_events_go_in_several_batches_and_none_is_lost(
    shop: Client, http: TestClient
) -> None:
    name = running(shop, http)
    shown = shop.decide(name, "v1", control={})
    for n in range(500):
        padding = {"note": "x" * 12_000}
        shop.track("Promotion Viewed", "v1", shown=shown, message_id=f"m{n}", properties=padding)
    receipts = shop.flush()
    assert len(receipts) > 2
    assert sum(receipt.stored for receipt in receipts) == 500


def test_a_refused_batch_stays_noted_unless_it_was_set_aside(
    shop: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.send_later({"event": "Nope"})
    (receipt,) = shop.flush()
    assert "Nope" in receipt.set_aside[0].reason
    monkeypatch.setattr("hookline.service.api.MAX_BODY", 10)
    shop.send_later({"event": "Nope"})
    with pytest.raises(BadInput, match="bytes"):
        shop.flush()
    assert len(shop._waiting) == 1
    shop._waiting.clear()


def test_a_clock_that_fails_goes_on_and_health_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(read_settings(database=f"sqlite:///{tmp_path}/x.db", flush_every_s=0.01))
    works = True

    def flush(_live: Live) -> None:
        if not works:
            raise RuntimeError("no disk")

    monkeypatch.setattr(Live, "flush", flush)
    with TestClient(make_service(app)) as http:
        assert http.get("/v1/health").status_code == 200
        works = False
        assert _eventually(http, 503)["detail"] == "flush: no disk"
        works = True
        assert _eventually(http, 200)["status"] == "ok"


def _eventually(http: TestClient, status: int) -> dict[str, str]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if (response := http.get("/v1/health")).status_code == status:
            return response.json()
        time.sleep(0.01)
    raise TimeoutError(f"health never answered {status}")


def test_rejecting_copy_takes_it_out_of_its_test(app: App, shop: Client, http: TestClient) -> None:
    name = running(shop, http)
    challenger = next(arm for arm in app.live.experiment(name).arms if not arm.control)
    shop.review([challenger.id], "rejected", by="legal", note="not our voice")
    assert {shop.decide(name, f"v{n}", control={}).arm_id for n in range(80)}.isdisjoint(
        {challenger.id}
    )
    with pytest.raises(Refused, match="control of mail"):
        shop.review([app.live.experiment(name).control.id], "retired", by="x")
    assert app.desk.copies(status="rejected")[-1].note == "not our voice"


def test_writing_again_leaves_reviews_alone(app: App, shop: Client, http: TestClient) -> None:
    name = running(shop, http)
    before = app.desk.copies(status="approved")
    shop.write_copy(order(shop, http))
    wanted = order(shop, http)
    shop.add_line(wanted.product_id, "email", wanted.brand)
    assert app.desk.copies(status="approved") == before
    assert len(app.live.experiment(name).arms) == len(before)


def test_a_feed_that_makes_copy_untrue_says_so(app: App, shop: Client, http: TestClient) -> None:
    product = app.desk.products()[0]
    assert product.price is not None
    dear = {"subject": f"Yours for ${product.price.amount}", "preheader": "One for you. " * 5}
    line = shop.add_line(product.id, "email", sample.brand().id, dear)
    path = sample.shop_path()
    row = path.read_text().replace(str(product.price), "999.00 USD")
    answer = shop.import_catalog(path.name, row.encode(), by="shop")
    assert [copy.id for copy in answer.quarantined] == [line.id]
    assert "999.00 USD" in answer.quarantined[0].note
    (released,) = shop.review([line.id], "approved", by="Ann")
    assert released.status == "approved"


def test_an_imports_mapping_goes_with_it(shop: Client) -> None:
    data = b"id,name,words\nm1,Tin Mug,A mug for camp\n"
    answer = shop.import_catalog("feed.csv", data, mapping={"words": "description"})
    assert answer.mapping["words"] == "description"
    with pytest.raises(BadInput, match="column=field"):
        shop.import_catalog("feed.csv", data, mapping={"": "description"})


def test_an_order_has_a_dial_of_its_own(app: App, shop: Client, http: TestClient) -> None:
    written = shop.write_copy(order(shop, http, creativity=0.9))
    assert written.creativity == 0.9
    assert {copy.creativity for copy in written.kept} == {0.9}
    assert {copy.creativity for copy in app.desk.copies(status="draft")} == {0.9}
    assert written.writers["phrasebook"].kept == len(written.kept)
    assert shop.write_copy(order(shop, http, creativity="auto", seed=4)).creativity == 0.5
    with pytest.raises(BadInput, match="creativity"):
        shop.write_copy(order(shop, http, creativity=1.5))


def test_a_guards_word_cannot_be_undone_by_hand(app: App) -> None:
    bad = Verdict(guard="claims", ok=False, code="claims.number", reason="No such number.")
    copy = Copy(
        id="c", product_id="p", channel_id="sms", parts={"text": "99 % off"}, writer="phrasebook",
        status="rejected", reviewed_by="guards", verdicts=(bad,), created_at=NOW,
    )  # fmt: skip
    app.store.write(documents={"copy": {"c": dumps(copy)}})
    app.review(["c"], "rejected", at=NOW, by="me")
    with pytest.raises(Refused, match="No such number"):
        app.review(["c"], "approved", at=NOW, by="me")


def test_sent_at_is_believed_only_where_the_setting_says_so(tmp_path: Path) -> None:
    settings = read_settings(database="sqlite://", learn_every_s=0)
    with TestClient(make_service(open_app(settings))) as http:
        shop = Client(http=http)
        shop.at = NOW
        brand = sample.brand()
        shop.put_brand(brand)
        report = http.get("/v1/report").json()
        assert not report["at"].startswith("2026-01-05T12")


def test_a_candidate_over_http(shop: Client, http: TestClient) -> None:
    name = running(shop, http)
    made = shop.try_candidate(name, NewCandidate(policy="ucb", share=0.5, by="me"))
    assert made.candidate == Candidate(policy="ucb", share=0.5)
    reasons = {shop.decide(name, f"v{n}", control={}).reason for n in range(60)}
    assert {"candidate", "policy"} <= reasons
    found = shop.compare_candidate(name)
    assert (found.policy, found.candidate, found.share) == ("horizon_thompson", "ucb", 0.5)
    assert "needs 100" in found.lift.reason
    assert shop.promote(name).policy == "ucb"
    with pytest.raises(Refused, match="roll back to return"):
        shop.promote(name)
    assert shop.rollback(name).policy == "horizon_thompson"
    assert shop.drop_candidate(name).candidate is None
    with pytest.raises(Refused, match="no candidate to roll back"):
        shop.rollback(name)
    with pytest.raises(BadInput, match="share must be from 0"):
        shop.try_candidate(name, NewCandidate(policy="ucb", share=0.9))


def test_what_is_known_of_a_visit_comes_through_and_the_past_does_not(
    app: App, shop: Client, http: TestClient
) -> None:
    name = running(shop, http, unit="visit")
    shown = shop.decide(
        name, "v1", control={}, visit_id="s1", referrer="search", query="q" * 900, position=-3
    )
    context = app.live.explain(shown.decision_id).decision.context
    assert (context.visit_id, context.referrer, context.position) == ("s1", "search", 0)
    assert context.query == "q" * 500
    ask = {"experiment": name, "visitor_id": "v1", "visit_id": "s2", "past": [[1.0, "a", 0, 9.0]]}
    other = http.post("/v1/decide", json=ask).json()
    assert other["decision_id"] != shown.decision_id
    assert app.live.explain(other["decision_id"]).decision.context.past == ()
    again = shop.decide(name, "v1", control={}, visit_id="s1")
    assert (again.decision_id, again.reason) == (shown.decision_id, "sticky")


def test_forget_over_http_says_what_the_log_keeps(shop: Client, http: TestClient) -> None:
    shop.decide(running(shop, http), "v/1", control={})
    assert shop.forget("v/1", by="privacy desk").kept_rows == 1
    with pytest.raises(Unknown, match="'stranger'"):
        shop.forget("stranger")


def test_answers_tells_a_hookline_from_anything_else(http: TestClient) -> None:
    def page(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, text="<h1>Another service</h1>")

    assert Client(http=http).answers()
    proxy = httpx2.Client(transport=httpx2.MockTransport(page), base_url="http://proxy")
    assert not Client(http=proxy).answers()
    with Client("http://127.0.0.1:9") as away:
        assert not away.answers()


def test_openapi_describes_the_hot_routes_too(http: TestClient) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    assert {"/v1/decide", "/v1/decide/batch", "/v1/events", "/v1/report"} <= set(paths)


def test_every_error_class_has_a_status() -> None:
    def below(kind: type[HooklineError]) -> Iterator[type[HooklineError]]:
        yield kind
        for each in kind.__subclasses__():
            yield from below(each)

    assert all(400 <= kind.status < 600 and kind.__doc__ for kind in below(HooklineError))
