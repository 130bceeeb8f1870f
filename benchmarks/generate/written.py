"""What a writer makes of the briefs on the product's real path, and what can be said of it."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.generate.checker import limit_faults, ungrounded
from benchmarks.generate.draws import LOCALES
from hookline.generate import Terms, generate
from hookline.guards import GUARDS, guards_named
from hookline.recognise import as_asked
from hookline.sentiment import BAND, score
from hookline.types import ATTRIBUTE_LEVELS, Brief, Copy
from hookline.writers import Writer

AT: Final = datetime(2026, 1, 5, tzinfo=UTC)
EXAMPLES: Final = 40
"""Copies that the result quotes."""
_PLAUSIBLE: Final = ["en", "de", "fr", "es", "it", "pt", "nl", "ja", "zh", "da", "sv"]


@dataclass(kw_only=True)
class Found:
    """What was counted over a writer's live copy, one a brief.

    Attributes:
        writer: Registered name.
        briefs: Briefs asked for.
        live: Copies that passed every guard, at most one a brief.
        drafts: Drafts judged.
        seconds: Wall-clock time of the run, guards included.
        over_limits: Live copies over their channel's limits.
        ungrounded: Live copies with a number or a claim that the product does not carry.
        in_band: Live copies whose feeling lies within the band round the target.
        as_asked: Attribute → live copies recognised to have the level asked for.
        by_locale: Locale → attribute, `live`, `in_band` and `briefs` → the same, by language.
        spoken: Identifier → live copies in Latin letters or kana that it gives to their locale.
        judged: Live copies that an identifier was asked about.
        rejections: Verdict code → drafts.
        shortfall: Why briefs went without copy.
        faults: What the independent checker found, one sentence each.
        examples: Some copies.
    """

    writer: str
    briefs: int
    live: int = 0
    drafts: int = 0
    seconds: float = 0.0
    over_limits: int = 0
    ungrounded: int = 0
    in_band: int = 0
    as_asked: Counter[str] = field(default_factory=Counter[str])
    by_locale: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    spoken: Counter[str] = field(default_factory=Counter[str])
    judged: int = 0
    rejections: Counter[str] = field(default_factory=Counter[str])
    shortfall: list[str] = field(default_factory=list[str])
    faults: list[str] = field(default_factory=list[str])
    examples: list[dict[str, object]] = field(default_factory=list[dict[str, object]])

    def share(self, count: float) -> float:
        """A count as a share of all briefs: a brief without copy counts against every bar."""
        return count / self.briefs

    def shown(self) -> dict[str, object]:
        """The counts, JSON-able."""
        rows: dict[str, object] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        counts = {name: dict(getattr(self, name)) for name in ("as_asked", "spoken", "rejections")}
        by_locale = {locale: dict(counted) for locale, counted in self.by_locale.items()}
        return {**rows, **counts, "by_locale": by_locale}


def measure(writer: Writer, briefs: Sequence[Brief], seed: int, console: Console) -> Found:
    """What the writer's live copy for the briefs comes to, one copy a brief."""
    found = Found(writer=writer.name, briefs=len(briefs))
    found.by_locale = {locale: Counter[str]() for locale in LOCALES}
    shown = (TextColumn(writer.name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, console=console) as progress:
        task = progress.add_task(writer.name, total=len(briefs))
        terms = Terms(progress=lambda _brief, _copies: progress.advance(task))
        start = time.perf_counter()
        slate = generate(
            briefs, writer, guards_named(GUARDS), per_brief=1, seed=seed, at=AT, terms=terms
        )
        found.seconds = time.perf_counter() - start
    found.drafts = sum(tally.drafts for tally in slate.writers.values())
    found.shortfall = list(slate.shortfall)
    for copy in slate.rejected:
        found.rejections.update({verdict.code for verdict in copy.verdicts if not verdict.ok})
    by_id = {brief.id: brief for brief in briefs}
    for brief in briefs:
        found.by_locale[brief.locale]["briefs"] += 1
    for copy in slate.kept:
        _count(copy, by_id[copy.brief_id], found)
    return found


def _count(copy: Copy, brief: Brief, found: Found) -> None:
    """Takes one live copy into the counts."""
    over = limit_faults(copy.parts, brief.channel)
    alien = ungrounded(copy.parts, brief.product, brief.locale)
    near = abs(score(copy.text, brief.locale) - (brief.sentiment or 0.0)) <= BAND + 1e-9
    agree = [name for name, ok in as_asked(copy.parts, brief).items() if ok]
    found.live += 1
    found.over_limits += bool(over)
    found.ungrounded += bool(alien)
    found.in_band += near
    found.as_asked.update(agree)
    found.by_locale[brief.locale].update(["live", *(["in_band"] if near else []), *agree])
    where = f"{brief.product.id} {brief.channel.id} {brief.locale}"
    found.faults += [f"{where}: {fault}: {copy.text}" for fault in [*over, *alien]]
    _listen(copy, brief, found)
    if len(found.examples) < EXAMPLES:
        wanted = {name: getattr(brief.attributes, name) for name in ATTRIBUTE_LEVELS}
        asked = wanted | {"sentiment": brief.sentiment, "recognised": agree}
        found.examples.append({"where": where, "asked": asked, "parts": dict(copy.parts)})


def _listen(copy: Copy, brief: Brief, found: Found) -> None:
    """Asks the identifier, where it is installed, what language the copy's own words are in."""
    identifiers = _identifiers()
    words = own_words(copy.parts, brief)
    if not identifiers or not words.strip():
        return
    found.judged += 1
    for name, identify in identifiers.items():
        said = identify(words)
        found.spoken[name] += said == brief.locale
        found.by_locale[brief.locale][name] += said == brief.locale
    found.by_locale[brief.locale]["judged"] += 1


def own_words(parts: Mapping[str, str], brief: Brief) -> str:
    """The copy without the words of the product's title, maker and facts: those are the shop's."""
    product = brief.product
    texts = [product.title, product.brand, *product.facts.values(), *product.highlights]
    quoted = sorted({text for text in texts if text}, key=len, reverse=True)
    text = " ".join(parts.values())
    for quote in quoted:
        text = text.replace(quote, " ")
    named = {word for word in product.title.split() if len(word) > 1}
    return " ".join(word for word in text.split() if word.strip(".,:;?!") not in named)


@cache
def _identifiers() -> dict[str, Callable[[str], str]]:
    """py3langid, over the plausible languages and over all that it knows; none if not installed."""
    if find_spec("py3langid") is None:
        return {}
    package: Any = import_module("py3langid.langid")
    made: dict[str, Callable[[str], str]] = {}
    for name, languages in {"among eleven": _PLAUSIBLE, "among all": None}.items():
        model = package.LanguageIdentifier.from_model_file(package.MODEL_FILE)
        if languages:
            model.set_languages(languages)
        made[name] = lambda text, model=model: str(model.classify(text)[0])
    return made
