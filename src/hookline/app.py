"""One running Hookline: settings → store, writers, desk and live loop; the one place that picks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import numpy as np

from hookline.attributes import AttributePolicy, learned_from, lessons_from
from hookline.catalog import Feed
from hookline.desk import Desk
from hookline.diversity import Array, word_vectors
from hookline.errors import BadInput
from hookline.generate import Choice, Promise, Terms
from hookline.headstart import promised
from hookline.judgement import GUARD
from hookline.live import Live
from hookline.perceive.encoders import Encoder, check_encoder, encoder_named
from hookline.prior import CARD, DEFAULT, TextPrior
from hookline.prompts import Prompt
from hookline.prompts.versions import in_use
from hookline.settings import Settings
from hookline.slate import Tried, tried_in
from hookline.store import Store, every, open_store
from hookline.tune.in_use import InUse
from hookline.tune.versions import registry
from hookline.types import Brief, Copy, CopyStatus, Experiment, Outcome
from hookline.writers import (
    House,
    OpenAIWriter,
    Phrasebook,
    TransformersWriter,
    Writer,
    writer_named,
)
from hookline.writers.cache import Cache

HALF_LIFE_DAYS = 56.0
"""Tastes drift: what an outcome says of creative attributes counts half after eight weeks."""
MOST_TESTS, MOST_OUTCOMES = 20, 5_000
"""Tests that new copy learns from, the latest ones, and outcomes of each: a second or two at
most, beside a writer that takes as long for a line."""
MOST_TRIED = 200_000
"""Outcomes of each that the creativity dial learns from, which only counts them."""


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

        What is approved goes back to where quarantine took it out.

        Raises:
            Unknown: Where a copy is not known.
            Refused: Where a guard objects to what is to be approved, or a test needs its control.
        """
        if status != "approved":
            self.live.check_withdrawable(copy_ids)
        done = self.desk.review(copy_ids, status, at=at, by=by, note=note)
        if status == "approved":
            self.live.release(copy_ids, at=at, by=by)
        else:
            self.live.withdraw(copy_ids, at=at, by=by)
        return done

    def import_catalog(
        self, feed: Feed, *, at: datetime, by: str = "api", whole: bool = False
    ) -> list[Copy]:
        """Takes in a feed; what it makes untrue leaves every test at once, until a person says.

        See `Desk.import_catalog`. All copy in quarantine is taken out, not only what this feed put
        there: what a crash left undone last time is done now.

        Raises:
            BadInput: Where no row of the feed is a product.
        """
        held = self.desk.import_catalog(feed, at=at, by=by, whole=whole)
        out = frozenset(copy.id for copy in self.desk.copies(status="quarantined"))
        self.live.quarantine(out, at=at, by=GUARD)
        return held

    def close(self) -> None:
        """Writes what is pending and lets go of the store."""
        self.live.flush()
        self.store.close()


def open_app(settings: Settings) -> App:
    """The Hookline that the settings describe, with its log folded and ready to serve.

    Raises:
        UnregisteredName: Where the store, the writer or the encoder is not registered.
        Unknown: Where a prompt that has a role is not in the folder of the setting `prompts`.
        BadInput: Where the setting `prior` names no folder of a text prior, a setting of the writer
            is unusable, or the writer or the encoder needs a package that is missing.
        StoreFailed: Where the store can't be opened.
    """
    # one writer of each name for the whole process: it holds the cost cap and the breaker
    writers = cache(partial(make_writer, settings=settings))
    writers(settings.writer)
    prior, encoder = _prior(settings.prior), _encoder(settings.encoder)
    store = open_store(settings.database)
    live = Live(
        store,
        secret=settings.secret.get_secret_value().encode(),
        prior=prior,
        encoder=encoder,
    )
    terms = partial(
        _terms, settings=settings, writers=writers, choice=_choice(settings, prior, encoder)
    )
    return App(
        settings=settings,
        store=store,
        desk=Desk(
            store,
            writers=writers_in_use(writers, store, settings),
            default_writer=settings.writer,
            learned=partial(_learned, live),
            terms=terms,
            lessons=partial(_lessons, live),
            tried=partial(_tried, live, store),
        ),
        live=live,
    )


def _learned(live: Live, channel_id: str) -> AttributePolicy:
    """What the latest tests on a channel say of creative attributes."""
    return learned_from(_latest(live, channel_id), half_life_days=HALF_LIFE_DAYS)


def _lessons(live: Live, channel_id: str, audience_id: str) -> Sequence[str]:
    """What the latest tests on a channel teach of lines for an audience, in words."""
    return lessons_from(list(_latest(live, channel_id)), audience_id)


def _latest(live: Live, channel_id: str) -> Iterator[tuple[Experiment, list[Outcome]]]:
    """The latest tests on a channel with their outcomes in log order."""
    alike = [each for each in live.experiments() if each.channel_id == channel_id]
    for each in alike[-MOST_TESTS:]:
        yield each, live.latest_outcomes(each.id, MOST_OUTCOMES)[::-1]


def _tried(live: Live, store: Store) -> list[Tried]:
    """What the slates of the latest tests came to."""
    copies = every(store, "copy", Copy)
    dials = {copy.id: copy.creativity for copy in copies if copy.creativity is not None}
    return [
        tried
        for each in live.experiments()[-MOST_TESTS:]
        for tried in tried_in(each, live.latest_outcomes(each.id, MOST_TRIED), dials)
    ]


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


def _terms(
    name: str, settings: Settings, writers: Callable[[str], Writer], choice: Choice
) -> Terms:
    """The terms on which the writer of that name writes."""
    return Terms(
        choice=choice,
        at_once=settings.openai_at_once if writer_named(name) is OpenAIWriter else 1,
        budget_usd=settings.budget_usd,
        stand_in=writers(Phrasebook.name),
    )


def _choice(
    settings: Settings,
    prior: Callable[[], TextPrior] | None,
    encoder: Callable[[], Encoder] | None,
) -> Choice:
    """How copies are chosen: by the text prior's word, and by what the encoder says they say."""
    return Choice(
        creativity=settings.creativity,
        by_category=settings.creativity_by_category,
        promise=_promise(prior) if prior else None,
        embed=(lambda texts: encoder().encode(texts)) if encoder else word_vectors,
    )


def make_promise(settings: Settings) -> Promise | None:
    """What the settings' text prior promises of copy; None where there is none.

    Raises:
        BadInput: Where the setting `prior` names no folder of one.
    """
    prior = _prior(settings.prior)
    return _promise(prior) if prior else None


def _promise(prior: Callable[[], TextPrior]) -> Promise:
    """What the text prior promises of copy; it reads English alone."""

    def promise(brief: Brief, texts: Sequence[str]) -> Array:
        if brief.locale.partition("-")[0].casefold() != "en":
            return np.zeros(len(texts))
        return promised(prior(), texts)

    return promise


def make_writer(name: str, settings: Settings) -> Writer:
    """The writer of that name with the settings' arguments.

    Raises:
        UnregisteredName: Where there is none.
        BadInput: Where a setting of it is unusable, or a package is missing.
    """
    kind = writer_named(name)
    if kind is OpenAIWriter:
        return make_openai(settings)
    if kind is TransformersWriter:
        return make_transformers(settings.transformers_model, settings)
    return kind()


def writers_in_use(plain: Callable[[str], Writer], store: Store, settings: Settings) -> InUse:
    """What gives the writer of a name in the versions that were released and not rolled back.

    Args:
        plain: Gives the writer of a name as it ships, or as the settings have it.
        store: Keeps the versions.
        settings: What else a writer is told.
    """
    return InUse(plain, partial(registry, store), partial(open_version, settings=settings))


def open_version(name: str, folder: Path, settings: Settings) -> Writer:
    """The writer of that name with the model of a folder.

    Raises:
        BadInput: Where the folder holds no model, or a package is missing.
    """
    if name == TransformersWriter.name:
        return make_transformers(folder, settings)
    return House(folder)


def make_transformers(folder: Path | str, settings: Settings) -> TransformersWriter:
    """The transformers writer of a folder, with the settings' other arguments.

    Raises:
        BadInput: Where the folder holds no model, or a package is missing.
    """
    return TransformersWriter(
        folder=folder, device=settings.transformers_device, prompts=_prompts(settings)
    )


def make_openai(settings: Settings) -> OpenAIWriter:
    """The openai writer with the settings' arguments.

    Raises:
        BadInput: Where a setting of it is unusable.
    """
    return OpenAIWriter(
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key.get_secret_value(),
        model=settings.openai_model,
        timeout_s=settings.openai_timeout_s,
        retries=settings.openai_retries,
        budget_usd=settings.openai_budget_usd,
        usd_per_million_in=settings.openai_usd_per_million_in,
        usd_per_million_out=settings.openai_usd_per_million_out,
        prompts=_prompts(settings),
        cache=Cache(settings.openai_cache) if settings.openai_cache else None,
    )


def _prompts(settings: Settings) -> Sequence[Prompt]:
    """The prompts to write with: the usual one, and what it is on trial against, if anything."""
    return in_use(Path(settings.prompts)) if settings.prompts else ()
