"""What a marketer does on the pages: each form is a post that leads back to its page."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, get_args

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from hookline.app import App
from hookline.errors import BadInput
from hookline.types import CopyStatus, GuardMetric, Guardrail, Rule

BY = "web page"
"""Who the audit trail names for what is done here."""


def router(app: App) -> APIRouter:
    """The forms of one Hookline's pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/experiments/{key}/ship")
    def ship(key: str, line: Annotated[str, Form()]) -> Response:
        app.live.ship(key, line, at=datetime.now(UTC), by=BY)
        return RedirectResponse(f"/experiments/{key}", status_code=303)

    @routes.post("/experiments/{key}/unship")
    def unship(key: str) -> Response:
        app.live.unship(key, at=datetime.now(UTC), by=BY)
        return RedirectResponse(f"/experiments/{key}", status_code=303)

    @routes.post("/experiments/{key}/rule")
    async def rule(key: str, request: Request) -> Response:
        form = await request.form()
        asked = _rule({name: str(value) for name, value in form.items()})
        await run_in_threadpool(app.live.set_rule, key, asked, at=datetime.now(UTC), by=BY)
        return RedirectResponse(f"/experiments/{key}", status_code=303)

    @routes.post("/experiments/{key}/resume")
    def resume(key: str) -> Response:
        app.live.move(key, "running", at=datetime.now(UTC), by=BY)
        return RedirectResponse(f"/experiments/{key}", status_code=303)

    @routes.post("/experiments/{key}/promote")
    def promote(key: str) -> Response:
        app.live.promote(key, at=datetime.now(UTC), by=BY)
        return RedirectResponse(f"/experiments/{key}", status_code=303)

    @routes.post("/experiments/{key}/rollback")
    def rollback(key: str) -> Response:
        app.live.rollback(key, at=datetime.now(UTC), by=BY)
        return RedirectResponse(f"/experiments/{key}", status_code=303)

    @routes.post("/copy/review")
    def review(
        copy_id: Annotated[str, Form()],
        status: Annotated[CopyStatus, Form()],
        back: Annotated[str, Form()] = "/copy",
    ) -> Response:
        app.review([copy_id], status, at=datetime.now(UTC), by=BY)
        return RedirectResponse(_back(back), status_code=303)

    return routes


def _back(path: str) -> str:
    """The page that a form came from; only ever one of ours."""
    return path if re.fullmatch(r"/[\w.?=/-]*", path) and not path.startswith("//") else "/copy"


def _rule(form: Mapping[str, str]) -> Rule:
    """The rule that a form holds; a field left empty is one not set.

    Raises:
        BadInput: Naming a field that is no number.
    """
    return Rule(
        worthwhile=_number_of(form, "worthwhile") or 0.0,
        value=_number_of(form, "value"),
        risk=(_number_of(form, "risk") or 0.0) / 100,
        guardrails=tuple(_rails(form)),
    )


def _rails(form: Mapping[str, str]) -> Iterator[Guardrail]:
    metrics: tuple[GuardMetric, ...] = get_args(GuardMetric)
    for metric in metrics:
        if (tolerated := _number_of(form, metric)) is not None:
            yield Guardrail(metric=metric, tolerated=tolerated)


def _number_of(form: Mapping[str, str], name: str) -> float | None:
    text = form.get(name, "").strip()
    try:
        return float(text) if text else None
    except ValueError:
        raise BadInput(f"{name} must be a number, not {text!r:.40}") from None
