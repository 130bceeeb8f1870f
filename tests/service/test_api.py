import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from conftest import NOW
from hookline import sample
from hookline.app import App, open_app
from hookline.client import Client
from hookline.errors import BadInput, HooklineError, Refused, Unknown
from hookline.service import make_service
from hookline.settings import read_settings
from hookline.wire import CopyOrder, NewExperiment


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


def running(shop: Client, http: TestClient) -> str:
    """The id of a running e-mail experiment."""
    wanted = order(shop, http)
    kept = [copy.id for copy in shop.write_copy(wanted).kept]
    control = shop.add_line(wanted.product_id, "email", wanted.brand)
    shop.review([*kept, control.id], "approved", by="test")
    shop.create_experiment(
        NewExperiment(
            id="mail", name="Mail", product_id=wanted.product_id, channel="email",
            control=control.id, copies=kept, audiences=wanted.audiences,
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
    batch = shop.decide_batch([{"experiment": name, "visitor_id": f"v{n}"} for n in range(20)])
    single = [shop.decide(name, f"v{n}", control={}) for n in range(20)]
    assert [each.arm_id for each in batch] == [each.arm_id for each in single]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/v1/decide", {"experiment": "x", "visitor_id": "v"}, 404, "no experiment 'x'"),
        ("POST", "/v1/decide", {"experiment": "x"}, 422, "visitor_id"),
        ("POST", "/v1/decide", [], 422, "fit the API"),
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


def test_sent_at_is_believed_only_where_the_setting_says_so(tmp_path: Path) -> None:
    settings = read_settings(database="sqlite://", learn_every_s=0)
    with TestClient(make_service(open_app(settings))) as http:
        shop = Client(http=http)
        shop.at = NOW
        brand = sample.brand()
        shop.put_brand(brand)
        report = http.get("/v1/report").json()
        assert not report["at"].startswith("2026-01-05T12")


def test_openapi_describes_the_hot_routes_too(http: TestClient) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    assert {"/v1/decide", "/v1/decide/batch", "/v1/events", "/v1/report"} <= set(paths)


def test_every_error_class_has_a_status() -> None:
    def below(kind: type[HooklineError]) -> Iterator[type[HooklineError]]:
        yield kind
        for each in kind.__subclasses__():
            yield from below(each)

    assert all(400 <= kind.status < 600 and kind.__doc__ for kind in below(HooklineError))
