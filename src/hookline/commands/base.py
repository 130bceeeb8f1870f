"""What commands share: the Hookline of the settings, or the service that runs it."""

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

T = TypeVar("T")

Url = Annotated[str, typer.Option(help="The service, where it is not at the settings' address.")]

BY = "command line"
"""Who the audit trail names for what is done here."""


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
