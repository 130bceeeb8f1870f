"""What commands share: the Hookline of the settings, or the service that runs it."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

from hookline.errors import BadInput

if TYPE_CHECKING:
    from hookline.app import App
    from hookline.client import Client
    from hookline.live import Live
    from hookline.tune import LoggedTest
    from hookline.types import Brand, Copy, Estimate

T = TypeVar("T")

Url = Annotated[str, typer.Option(help="The service, where it is not at the settings' address.")]

BY = "command line"
"""Who the audit trail names for what is done here."""
MOST_OUTCOMES = 1_000_000
"""Outcomes of a test that versions are compared on, the latest ones."""


@contextmanager
def opened() -> Generator["App"]:
    """The Hookline of the settings, closed afterwards."""
    from hookline.app import open_app
    from hookline.settings import read_settings

    hookline = open_app(read_settings())
    try:
        yield hookline
    finally:
        hookline.close()


def steer(url: str, ask: "Callable[[Client], T]", do: "Callable[[Live], T]") -> tuple[T, str]:
    """What the running service answers of its experiments, or the database; see `reach`."""
    return reach(url, ask, lambda hookline: do(hookline.live))


def reach(
    url: str, ask: "Callable[[Client], T]", do: "Callable[[App], T]", *, timeout_s: float = 60.0
) -> tuple[T, str]:
    """What the running service answers, or the database where none runs; and which of the two.

    A service holds its experiments in memory: changed behind its back, it would not notice.
    """
    from hookline.client import Client
    from hookline.settings import read_settings

    settings = read_settings()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = url or f"http://{host}:{settings.port}"
    with Client(address, timeout_s=timeout_s) as client:
        if client.answers():
            return ask(client), f"the service at {address}"
    if url:
        raise BadInput(f"no Hookline answers at {url}; leave --url out to work on the database")
    with opened() as hookline:
        return do(hookline), f"{settings.database}; no service runs at {address}"


def say(text: str) -> None:
    """Prints plain text as it is; a file or pipe gets it unwrapped."""
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


def brand_of(hookline: "App", brand_id: str) -> "Brand":
    """The brand kit of that id, or the only one."""
    from hookline.store import every, one
    from hookline.types import Brand

    if brand_id:
        return one(hookline.store, "brand", brand_id, Brand)
    known = every(hookline.store, "brand", Brand)
    if len(known) != 1:
        names = ", ".join(each.id for each in known) or "none"
        raise BadInput(f"say with --brand for which brand the lines were written; known: {names}")
    return known[0]


def logged_test(hookline: "App", experiment_id: str, brand_id: str) -> "LoggedTest":
    """The experiment with all that came of it."""
    from hookline.store import one
    from hookline.tune import LoggedTest
    from hookline.types import Product

    experiment = hookline.live.experiment(experiment_id)
    newest_first = hookline.live.latest_outcomes(experiment_id, sys.maxsize)
    approved = hookline.desk.copies(status="approved", product_id=experiment.product_id)
    return LoggedTest(
        experiment=experiment,
        outcomes=newest_first[::-1],
        product=one(hookline.store, "product", experiment.product_id, Product),
        brand=brand_of(hookline, brand_id),
        exemplary={copy.id for copy in approved} & {a.id for a in experiment.arms if a.active},
    )


def live_gain(
    hookline: "App", version_of: "Callable[[Copy], str]", usual: str, on_trial: str
) -> "Estimate":
    """How much more lines of the version on trial brought, in all tests so far."""
    from hookline.attributes import rivals

    wrote = {copy.id: version_of(copy) for copy in hookline.desk.copies()}
    live = hookline.live
    tests = ((each, live.latest_outcomes(each.id, MOST_OUTCOMES)) for each in live.experiments())
    return rivals(tests, lambda copy_id: wrote.get(copy_id, ""), usual, on_trial)


def has_won(gain: "Estimate") -> bool:
    """Whether the version on trial is proven to be the better one."""
    return gain.low is not None and gain.low > 0


def interval(gain: "Estimate", unit: str = "") -> str:
    """A gain with its interval, in words; in percent where a unit is given."""
    numbers = (gain.estimate or 0.0, gain.low or 0.0, gain.high or 0.0)
    middle, low, high = (f"{x:+.1%}" if unit else f"{x:+.3f}" for x in numbers)
    return f"{middle} ({low} to {high})"
