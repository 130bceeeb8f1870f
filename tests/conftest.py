"""What every test may use: small records, a fixed time, and no network beyond this machine."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from hookline.types import Arm, Attributes, Audience, Context, Experiment

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[1]

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses connections to anywhere but this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise RuntimeError(f"a test tried to reach {address}")
        connect(self, address)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def experiment() -> Experiment:
    """A running test of a control and two challengers, sticky by visitor."""
    return make_experiment()


def make_arm(name: str, *, control: bool = False) -> Arm:
    """An arm whose text is its name."""
    return Arm(
        id=name,
        text=name,
        parts={"headline": name},
        attributes=None if control else Attributes(angle="value"),
        control=control,
    )


def make_experiment(**changes: object) -> Experiment:
    """The experiment of the fixture, with changes."""
    given: dict[str, object] = {
        "id": "boots",
        "name": "Boots",
        "product_id": "p1",
        "channel_id": "onsite_banner",
        "arms": (make_arm("control", control=True), make_arm("a"), make_arm("b")),
        "audiences": (
            Audience(id="savers", name="Savers", when={"segment": ("saver",)}),
            Audience(id="rest", name="Everybody else"),
        ),
        "policy": "thompson",
        "status": "running",
        "click_hours": 1.0,
        "order_hours": 24.0,
        "started_at": NOW,
    }
    return Experiment(**{**given, **changes})  # pyright: ignore[reportArgumentType]


def make_context(visitor: str = "v1", **changes: object) -> Context:
    """A visitor at noon."""
    return Context(**{"visitor_id": visitor, "at": NOW, **changes})  # pyright: ignore[reportArgumentType]
