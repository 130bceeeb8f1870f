"""The JSON API. Thin: it reads a request, calls the desk or the live loop, and writes the answer.

`/v1/decide` and `/v1/events` read and write msgspec themselves, because they are called for every
visitor; FastAPI reads and checks the rest. `/docs` shows all of them.
"""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import anyio
import msgspec
from fastapi import APIRouter, Depends, FastAPI, File, Form, Request, UploadFile
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from hookline import __version__
from hookline.app import App
from hookline.brand import read_brand
from hookline.catalog import PriceUnit, read_feed_bytes
from hookline.channels import CHANNELS
from hookline.errors import BadInput
from hookline.service import forms, pages, problems
from hookline.types import (
    Audience,
    Brand,
    Channel,
    Copy,
    CopyStatus,
    Experiment,
    ExperimentReport,
    Product,
    Report,
    dumps,
)
from hookline.wire import (
    AddLine,
    Ask,
    AskBatch,
    By,
    Comparison,
    CopyOrder,
    EventBatch,
    Forget,
    Forgot,
    Imported,
    Learned,
    Move,
    NewCandidate,
    NewExperiment,
    NewRule,
    Receipt,
    Retire,
    Review,
    Served,
    Ship,
    Unused,
    Written,
    column_field,
)

T = TypeVar("T")
_LOG = logging.getLogger("uvicorn.error")

SENT_AT = "Hookline-Sent-At"
"""Header with the time of the request, believed where `trust_sent_at` is set."""
MAX_BATCH = 1_000
"""Most events or decisions in one call."""
MAX_BODY = 5_000_000
"""Most bytes of a decide or events call."""


def make_service(app: App) -> FastAPI:
    """The ASGI service of one Hookline."""
    service = FastAPI(
        title="Hookline",
        version=__version__,
        summary="Copy, live tests and learning over one HTTP API.",
        lifespan=_lifespan(app),
    )
    service.state.hookline = app
    service.state.faults = {}
    problems.install(service)
    service.include_router(_router(app), prefix="/v1")
    _hot_routes(app, service)
    service.include_router(pages.router(app))
    service.include_router(forms.router(app))
    service.mount("/static", pages.static_files())
    return service


def _lifespan(app: App) -> Callable[[FastAPI], Any]:
    """Runs the two clocks of a live service: flush decisions often, learn now and then."""
    settings = app.settings

    async def every(seconds: float, work: Callable[[], object], faults: dict[str, str]) -> None:
        while True:
            await anyio.sleep(seconds)
            try:
                await run_in_threadpool(work)
            except Exception as error:  # noqa: BLE001 - a clock goes on; health and log tell
                _LOG.exception("hookline: %s failed", work.__name__)
                faults[work.__name__] = str(error) or type(error).__name__
            else:
                faults.pop(work.__name__, None)

    @asynccontextmanager
    async def lifespan(service: FastAPI) -> AsyncGenerator[None]:
        faults: dict[str, str] = service.state.faults
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(every, settings.flush_every_s, app.live.flush, faults)
                if settings.learn_every_s:
                    tasks.start_soon(every, settings.learn_every_s, app.live.learn, faults)
                yield
                tasks.cancel_scope.cancel()
        finally:
            app.close()

    return lifespan


def _sent_at(request: Request) -> datetime:
    """The time of a request: the server's clock, or the sender's word where that is trusted."""
    sent = request.headers.get(SENT_AT)
    app: App = request.app.state.hookline
    if sent is None or not app.settings.trust_sent_at:
        return datetime.now(UTC)
    try:
        return datetime.fromisoformat(sent).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"{SENT_AT} must be an ISO 8601 time, not {sent!r}") from None


When = Annotated[datetime, Depends(_sent_at)]


def _router(app: App) -> APIRouter:
    router = APIRouter()
    _catalog_routes(app, router)
    _copy_routes(app, router)
    _experiment_routes(app, router)
    _rule_routes(app, router)
    _candidate_routes(app, router)
    return router


def _catalog_routes(app: App, router: APIRouter) -> None:
    @router.post("/catalog", tags=["catalog"])
    def import_catalog(
        at: When,
        file: Annotated[UploadFile, File()],
        currency: Annotated[str, Form()] = "USD",
        price_unit: Annotated[PriceUnit, Form()] = "units",
        mapping: Annotated[list[str] | None, Form()] = None,
        whole: Annotated[bool, Form()] = False,  # noqa: FBT002 - a form field
        by: Annotated[str, Form()] = "api",
    ) -> Imported:
        """Imports a product feed, all of it or nothing; copy that it makes untrue is taken out.

        `mapping` is `column=field`, once for each column that is guessed wrong; `whole` says that
        the feed is all the shop sells.
        """
        feed = read_feed_bytes(
            file.file.read(),
            file.filename or "upload",
            mapping=dict(map(column_field, mapping or ())) or None,
            currency=currency,
            price_unit=price_unit,
            at=at,
        )
        quarantined = app.import_catalog(feed, at=at, by=by, whole=whole)
        return Imported(
            format=feed.format,
            rows=feed.rows,
            products=len(feed.products),
            merged=feed.merged,
            unmapped=tuple(feed.unmapped),
            mapping=feed.mapping,
            rejected=feed.rejected,
            quarantined=tuple(quarantined),
        )

    @router.get("/products", tags=["catalog"])
    def products() -> list[Product]:
        """Every product."""
        return app.desk.products()

    @router.get("/channels", tags=["catalog"])
    def channels() -> list[Channel]:
        """Every channel with its limits."""
        return list(CHANNELS.values())

    @router.put("/brands/{key}", tags=["catalog"])
    async def put_brand(key: str, at: When, request: Request) -> Brand:
        """Stores a brand kit."""
        brand = read_brand(await request.body())
        if brand.id != key:
            raise BadInput(f"the kit's id is {brand.id!r}, the address says {key!r}")
        await run_in_threadpool(app.desk.put_brand, brand, at=at)
        return brand

    @router.put("/audiences/{key}", tags=["catalog"])
    def put_audience(key: str, at: When, audience: Audience) -> Audience:
        """Stores an audience."""
        if audience.id != key:
            raise BadInput(f"the audience's id is {audience.id!r}, the address says {key!r}")
        app.desk.put_audience(audience, at=at)
        return audience


def _copy_routes(app: App, router: APIRouter) -> None:
    @router.post("/copies/write", tags=["copy"])
    def write_copy(at: When, body: CopyOrder) -> Written:
        """Writes copy; `kept` waits for approval, `rejected` says which guard objected and why."""
        slate = app.desk.write_copy(body, at=at)
        return Written(
            kept=slate.kept,
            rejected=slate.rejected,
            shortfall=slate.shortfall,
            notes=slate.notes,
            left=slate.left,
            writers=slate.writers,
            front=slate.front,
            creativity=slate.kept[0].creativity if slate.kept else None,
            cost_usd=slate.cost_usd,
        )

    @router.post("/copies/lines", tags=["copy"])
    def add_line(at: When, body: AddLine) -> Copy:
        """Stores a human line: the control of a later experiment."""
        return app.desk.add_control(
            product_id=body.product_id,
            channel_id=body.channel,
            brand_id=body.brand,
            parts=body.parts,
            at=at,
        )

    @router.get("/copies", tags=["copy"])
    def copies(status: CopyStatus | None = None, product_id: str = "") -> list[Copy]:
        """Copies with their verdicts."""
        return app.desk.copies(status=status, product_id=product_id)

    @router.post("/copies/review", tags=["copy"])
    def review(at: When, body: Review) -> list[Copy]:
        """Approves, rejects or retires copies, all or none; approving releases from quarantine."""
        return app.review(body.copy_ids, body.status, at=at, by=body.by, note=body.note)


def _experiment_routes(app: App, router: APIRouter) -> None:
    @router.post("/experiments", tags=["experiments"])
    def create(at: When, body: NewExperiment) -> Experiment:
        """Stores an experiment over approved copies; it starts as a draft."""
        return app.live.create_experiment(
            body.experiment(),
            copy_ids=body.copies,
            control_id=body.control,
            audience_ids=body.audiences,
            at=at,
        )

    @router.get("/experiments", tags=["experiments"])
    def experiments() -> list[Experiment]:
        """Every experiment."""
        return app.live.experiments()

    @router.post("/experiments/{key}/move", tags=["experiments"])
    def move(key: str, at: When, body: Move) -> Experiment:
        """Takes an experiment one step: draft → review → running → paused → concluded."""
        return app.live.move(key, body.to, at=at, by=body.by)

    @router.get("/experiments/{key}/report", tags=["answers"])
    def experiment_report(key: str) -> ExperimentReport:
        """What one experiment has come to."""
        return app.live.experiment_report(key)

    @router.get("/report", tags=["answers"])
    def report(at: When) -> Report:
        """What all experiments have come to."""
        return app.live.report(at=at)

    @router.post("/learn", tags=["answers"])
    def learn() -> Learned:
        """Learns from what is new in the log now, instead of at the next round."""
        snapshot = app.live.learn()
        return Learned(snapshot=snapshot.version, log_seq=snapshot.log_seq)

    @router.get("/decisions/{key}", tags=["answers"])
    def explain(key: str) -> Response:
        """One decision's whole trace."""
        return Response(dumps(app.live.explain(key)), media_type="application/json")

    @router.get("/health", tags=["service"])
    def health(request: Request) -> Response:
        """Whether the service answers, writes its decisions and learns; 503 with what fails."""
        faults: dict[str, str] = request.app.state.faults
        if faults:
            detail = "; ".join(f"{name}: {fault}" for name, fault in faults.items())
            return problems.problem(503, "The service answers, but something fails.", detail)
        return JSONResponse({"status": "ok", "version": __version__})


def _rule_routes(app: App, router: APIRouter) -> None:
    @router.put("/experiments/{key}/rule", tags=["experiments"])
    def set_rule(key: str, at: When, body: NewRule) -> Experiment:
        """Sets when to ship and when to stop; only before the start."""
        return app.live.set_rule(key, body.rule, at=at, by=body.by)

    @router.post("/experiments/{key}/retire", tags=["experiments"])
    def retire(key: str, at: When, body: Retire) -> Experiment:
        """Takes lines out of an experiment; it pauses where only its control is left."""
        return app.live.retire(key, body.lines, at=at, by=body.by, note=body.note)

    @router.post("/experiments/{key}/ship", tags=["experiments"])
    def ship(key: str, at: When, body: Ship) -> Experiment:
        """Gives one line to everybody, the hold-out excepted as long as the experiment runs."""
        return app.live.ship(key, body.line, at=at, by=body.by)

    @router.post("/experiments/{key}/unship", tags=["experiments"])
    def unship(key: str, at: When, body: By) -> Experiment:
        """Takes a shipped line back: the experiment goes on where it was."""
        return app.live.unship(key, at=at, by=body.by)


def _candidate_routes(app: App, router: APIRouter) -> None:
    @router.put("/experiments/{key}/candidate", tags=["candidates"])
    def try_candidate(key: str, at: When, body: NewCandidate) -> Experiment:
        """Puts a policy beside the experiment's own, once it has learned all that this has."""
        return app.live.try_candidate(key, body.policy, body.params, body.share, at=at, by=body.by)

    @router.get("/experiments/{key}/candidate", tags=["candidates"])
    def compare_candidate(key: str) -> Comparison:
        """What the policy and its candidate would each have earned."""
        return app.live.compare_candidate(key)

    @router.delete("/experiments/{key}/candidate", tags=["candidates"])
    def drop_candidate(key: str, at: When, by: str = "api") -> Experiment:
        """Lets the candidate go, with what it has learned."""
        return app.live.drop_candidate(key, at=at, by=by)

    @router.post("/experiments/{key}/promote", tags=["candidates"])
    def promote(key: str, at: When, body: By) -> Experiment:
        """Has the candidate decide; the former policy learns on, ready for a rollback."""
        return app.live.promote(key, at=at, by=body.by)

    @router.post("/experiments/{key}/rollback", tags=["candidates"])
    def rollback(key: str, at: When, body: By) -> Experiment:
        """Takes all traffic back at once: from what was promoted, or from a canary."""
        return app.live.rollback(key, at=at, by=body.by)

    @router.post("/visitors/forget", tags=["candidates"])
    def forget(at: When, body: Forget) -> Forgot:
        """Erases what policies remember of one visitor; the log keeps its rows."""
        return app.live.forget(body.visitor_id, at=at, by=body.by)


def _hot_routes(app: App, service: FastAPI) -> None:
    """The calls made for every visitor. FastAPI only documents them: it does not parse them."""

    def hot(path: str, asked: type[object], answered: type[object]) -> Callable[..., Any]:
        body = {"application/json": {"schema": TypeAdapter(asked).json_schema()}}
        return service.post(
            path,
            tags=["live"],
            responses={200: {"model": answered}},
            openapi_extra={"requestBody": {"required": True, "content": body}},
        )

    @hot("/v1/decide", Ask, Served)
    async def decide(request: Request) -> Response:
        """The copy one visitor gets."""
        ask = await _body(request, Ask)
        served = app.live.decide(ask.experiment, ask.context(_sent_at(request)))
        return Response(dumps(served), media_type="application/json")

    @hot("/v1/decide/batch", AskBatch, list[Served])
    async def decide_batch(request: Request) -> Response:
        """The copy of many visitors, in the order asked: for mailings."""
        batch = await _body(request, AskBatch)
        _check_size(len(batch.asks), "decisions")
        at = _sent_at(request)
        asked = [(app.live.experiment(ask.experiment).id, ask.context(at)) for ask in batch.asks]
        served = [app.live.decide(name, context) for name, context in asked]
        return Response(dumps(served), media_type="application/json")

    @service.get("/v1/events/unused", tags=["live"])
    def unused() -> Unused:
        """Events that did not count, and why."""
        return app.live.unused()

    @hot("/v1/events", EventBatch, Receipt)
    async def events(request: Request) -> Response:
        """Takes in a batch of events in the Segment shape; a 2xx means it is on disk."""
        raws = (await _body(request, EventBatch)).batch
        _check_size(len(raws), "events")
        receipt = await run_in_threadpool(app.live.ingest, raws, at=_sent_at(request))
        if raws and len(receipt.set_aside) == len(raws):
            first = receipt.set_aside[0]
            title = "None of the events could be used; they are kept with the reason."
            detail = f"{first.message_id}: {first.reason}"
            return problems.problem(422, title, detail, "urn:hookline:problem:set-aside")
        return Response(dumps(receipt), media_type="application/json")


async def _body(request: Request, kind: type[T]) -> T:
    data = await request.body()
    if len(data) > MAX_BODY:
        raise BadInput(f"the request has {len(data)} bytes; send at most {MAX_BODY} at a time")
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"the request does not fit the API: {error}") from None


def _check_size(count: int, what: str) -> None:
    if not 1 <= count <= MAX_BATCH:
        raise BadInput(f"send 1 to {MAX_BATCH} {what} at a time, not {count}")
