"""One running Hookline: settings → store, writers, desk and live loop; the one place that picks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path

from hookline.attributes import AttributePolicy, learned_from
from hookline.desk import Desk
from hookline.errors import BadInput
from hookline.live import Live
from hookline.perceive.encoders import Encoder, check_encoder, encoder_named
from hookline.prior import CARD, DEFAULT, TextPrior
from hookline.settings import Settings
from hookline.store import Store, open_store
from hookline.types import Copy, CopyStatus
from hookline.writers import OpenAIWriter, Phrasebook, Writer, writer_named

HALF_LIFE_DAYS = 56.0
"""Tastes drift: what an outcome says of creative attributes counts half after eight weeks."""
MOST_TESTS, MOST_OUTCOMES = 20, 5_000
"""Tests that new copy learns from, the latest ones, and outcomes of each: a second or two at
most, beside a writer that takes as long for a line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """One running Hookline.

    Attributes:
        desk: Catalog, kit and copy.
        live: Experiments, decisions, events, learning and the report.
    """

    settings: Settings
    store: Store
    desk: Desk
    live: Live

    def review(
        self, copy_ids: Sequence[str], status: CopyStatus, *, at: datetime, by: str, note: str = ""
    ) -> list[Copy]:
        """A human's word on copies, all or none; what is not approved leaves every test at once.

        Raises:
            Unknown: Where a copy is not known.
            Refused: Where a guard objects to what is to be approved, or a test needs its control.
        """
        if status != "approved":
            self.live.check_withdrawable(copy_ids)
        done = self.desk.review(copy_ids, status, at=at, by=by, note=note)
        if status != "approved":
            self.live.withdraw(copy_ids, at=at, by=by)
        return done

    def close(self) -> None:
        """Writes what is pending and lets go of the store."""
        self.live.flush()
        self.store.close()


def open_app(settings: Settings) -> App:
    """The Hookline that the settings describe, with its log folded and ready to serve.

    Raises:
        UnregisteredName: Where the store, the writer or the encoder is not registered.
        BadInput: Where the setting `prior` names no folder of a text prior, or the encoder needs a
            package that is missing.
        StoreFailed: Where the store can't be opened.
    """
    writer_named(settings.writer)
    prior, encoder = _prior(settings.prior), _encoder(settings.encoder)
    store = open_store(settings.database)
    live = Live(
        store,
        secret=settings.secret.get_secret_value().encode(),
        prior=prior,
        encoder=encoder,
    )
    return App(
        settings=settings,
        store=store,
        desk=Desk(
            store,
            # one writer of each name for the whole process: it holds the cost cap and the breaker
            writers=cache(partial(_writer, settings=settings)),
            default_writer=settings.writer,
            learned=partial(_learned, live),
        ),
        live=live,
    )


def _learned(live: Live, channel_id: str) -> AttributePolicy:
    """What the latest tests on a channel say of creative attributes."""
    alike = [each for each in live.experiments() if each.channel_id == channel_id]
    tests = (
        (each, live.latest_outcomes(each.id, MOST_OUTCOMES)[::-1]) for each in alike[-MOST_TESTS:]
    )
    return learned_from(tests, half_life_days=HALF_LIFE_DAYS)


def _prior(name: str) -> Callable[[], TextPrior] | None:
    """What loads the text prior of that name, once, when the first experiment needs it."""
    if name == "none":
        return None
    folder = DEFAULT if name == "shipped" else Path(name)
    if not (folder / CARD).is_file():
        raise BadInput(f"the setting prior names {folder}, which holds no text prior")
    return cache(partial(TextPrior.load, folder))


def _encoder(name: str) -> Callable[[], Encoder] | None:
    """What opens the encoder of that name, once, when the first experiment needs it."""
    if name in {"", "none"}:
        return None
    check_encoder(name)
    return cache(partial(encoder_named, name))


def _writer(name: str, settings: Settings) -> Writer:
    """The writer of that name with the settings' arguments."""
    kind = writer_named(name)
    if kind is not OpenAIWriter:
        return kind()
    return OpenAIWriter(
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key.get_secret_value(),
        model=settings.openai_model,
        timeout_s=settings.openai_timeout_s,
        retries=settings.openai_retries,
        budget_usd=settings.openai_budget_usd,
        usd_per_million_in=settings.openai_usd_per_million_in,
        usd_per_million_out=settings.openai_usd_per_million_out,
        fallback=Phrasebook(),
    )
