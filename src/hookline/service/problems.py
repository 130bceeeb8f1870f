"""Errors as RFC 9457 problem details: one shape for every failure, with what to do in `detail`."""

import re
from collections.abc import Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hookline.errors import HooklineError
from hookline.types import dumps

PROBLEM = "application/problem+json"


def problem(status: int, title: str, detail: str, kind: str = "about:blank") -> Response:
    """A response that says what went wrong.

    Args:
        status: HTTP status.
        title: The kind of problem, the same each time.
        detail: This problem, and what to do about it.
        kind: URI that names the kind.
    """
    body = {"type": kind, "title": title, "status": status, "detail": detail}
    return Response(dumps(body), status_code=status, media_type=PROBLEM)


def install(service: FastAPI) -> None:
    """Makes every error of the service a problem document."""
    service.add_exception_handler(HooklineError, _hookline)
    service.add_exception_handler(RequestValidationError, _invalid)
    service.add_exception_handler(HTTPException, _http)
    service.add_exception_handler(Exception, _unforeseen)


def _hookline(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HooklineError):
        raise error
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
    return problem(error.status, error.title, str(error), f"urn:hookline:problem:{name}")


def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()[:5]]
    if "json" not in request.headers.get("content-type", "json"):
        faults.append("send the header content-type: application/json")
    kind = "urn:hookline:problem:bad-input"
    return problem(422, "The request does not fit the API.", "; ".join(faults), kind)


def _place(location: Sequence[object]) -> str:
    return ".".join(str(part) for part in location[1:]) or str(location[0])


def _http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return problem(error.status_code, str(error.detail), "See /docs for what the service offers.")


def _unforeseen(_request: Request, error: Exception) -> Response:
    detail = f"{type(error).__name__}; the service's own log has the trace. Nothing was stored."
    return problem(500, "Something unforeseen went wrong.", detail)
