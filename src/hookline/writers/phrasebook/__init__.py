"""The phrasebook: a writer with no model behind it, deterministic, quick and careful.

It fills sentence shapes from the product's own facts and from what is true of its kind of thing,
within the channel's limits. It states no number, price or quality that the feed does not carry.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from random import Random
from typing import ClassVar, Final

import regex

from hookline.errors import WriterFailed
from hookline.sentiment import BAND, missed_by
from hookline.types import Brief, Draft
from hookline.writers.base import Writer
from hookline.writers.phrasebook.bank import LANGUAGES, Bank, load_bank
from hookline.writers.phrasebook.compose import Sheet, fits
from hookline.writers.phrasebook.names import Name, clean
from hookline.writers.phrasebook.slots import Subject, language_of, subject

_SQUEEZES: Final = (1.0, 1.0, 1.0, 0.9, 0.8, 0.7, 0.43, 0.43, *(1.0, 0.85, 0.7) * 2)
"""Share of a field's room that successive tries use; .43 serves letters that count double. The
later tries are for briefs that ask for more than the first ones gave."""
_BY_KIND: Final = 0.5
"""Share of drafts that call the product what it is ("the jacket") and not by its name: lines that
all have the same long name are alike, and the page shows whose they are."""
_NEAR: Final = 0.1
"""How far a feeling may lie from the one asked for to be taken without another try."""

_UNSPACED: Final = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")

Parts = dict[str, str]


class Phrasebook(Writer):
    """Writes copy from banks of phrases, one a language; needs no key, no network and no model.

    Lessons and restrictions in words are for writers that can read; the phrasebook heeds the
    product's facts, the attributes, the audience's motives and the brand's terms.

    Examples:
        >>> from hookline.channels import channel
        >>> from hookline.types import Attributes, Audience, Brand, Product
        >>> brief = Brief(
        ...     id="b1",
        ...     product=Product(id="p1", title="Harbor Canvas Tote Bag"),
        ...     audience=Audience(id="all", name="Everybody"),
        ...     channel=channel("onsite_banner"),
        ...     brand=Brand(id="acme", name="Acme"),
        ...     attributes=Attributes(angle="direct", cta="get"),
        ... )
        >>> [draft] = Phrasebook().write(brief, 1, seed=3)
        >>> sorted(draft.parts)
        ['cta', 'headline']
        >>> "Harbor Canvas Tote Bag" in draft.parts["headline"]
        True
    """

    name: ClassVar[str] = "phrasebook"
    oversample: ClassVar[int] = 8

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """Up to `n` drafts that differ in text; the first ones do not depend on `n`.

        Raises:
            WriterFailed: Where there is no bank for the language, the title says nothing, or the
                brand's terms leave no sentence standing.
        """
        language = language_of(brief.locale)
        if language not in LANGUAGES:
            raise WriterFailed(
                f"the phrasebook writes {', '.join(LANGUAGES[:-1])} and {LANGUAGES[-1]}, "
                f"not {brief.locale!r}; use a model for that"
            )
        bank = load_bank(language)
        seen = subject(brief, bank)
        if not clean(brief.product.title) or not seen.naming.names:
            raise WriterFailed(
                f"nothing in the title {brief.product.title!r} names it; mend it in the feed"
            )
        written: list[Parts] = []
        stale: set[str] = set()
        for turn in range(n):
            drafted = _draft(
                brief, bank, seen, luck=f"{brief.id}/{seed}/{turn}", written=written, stale=stale
            )
            if drafted is None:
                break
            written.append(drafted[0])
            stale |= drafted[1]
        if not written:
            raise WriterFailed(
                f"no copy for {brief.product.title!r} fits {brief.channel.id} and the brand's terms"
            )
        return tuple(
            Draft(parts=parts, writer=self.name, prompt=bank.version, seed=seed)
            for parts in written
        )


def _draft(
    brief: Brief,
    bank: Bank,
    seen: Subject,
    *,
    luck: str,
    written: Sequence[Parts],
    stale: Set[str],
) -> tuple[Parts, set[str]] | None:
    """One more draft with the texts it is made of, as complete as a few tries make it.

    Words that call for a disclaimer are avoided at first, and then used with it.
    """
    terms = brief.brand.banned_terms
    triggers = tuple(brief.brand.disclaimers)
    for avoided in (terms + triggers, terms) if triggers else (terms,):
        allowed = _lacks(avoided)
        plain = _nameable(seen, allowed)
        if Random(luck).random() < _BY_KIND:
            plain = _by_kind(plain, allowed)
        best: tuple[tuple[float, ...], Parts, set[str]] | None = None
        for turn, squeeze in enumerate(_SQUEEZES):
            rng = Random(f"{luck}/{turn}")
            sheet = Sheet(
                brief, bank, plain, rng=rng, allowed=allowed, stale=stale, squeeze=squeeze
            )
            drafted = sheet.write()
            parts = _branded(drafted, brief) if drafted else None
            if parts is None or parts in written:
                continue
            off = missed_by(" | ".join(parts.values()), brief.locale, brief.sentiment)
            lack = (float("variety" in sheet.owed), float(off > BAND), len(sheet.owed), off)
            if best is None or lack < best[0]:
                best = (lack, parts, sheet.used)
            if not sheet.owed and off <= _NEAR:
                break
        if best is not None:
            return best[1:]
    return None


def _nameable(seen: Subject, allowed: Callable[[str], bool]) -> Subject:
    """The subject without the names that may not be written or that shout; as it is if all do."""
    names = tuple(n for n in seen.naming.names if allowed(n.text) and "!" not in n.text)
    noun = seen.naming.noun
    if not names and noun is not None and allowed(noun.text):
        names = (Name(noun.text, article=True),)
    return replace(seen, naming=replace(seen.naming, names=names)) if names else seen


def _by_kind(seen: Subject, allowed: Callable[[str], bool]) -> Subject:
    """The subject as the kind of thing it is, "the jacket", where that is known in its language."""
    noun = seen.naming.noun
    if noun is None or noun.is_plural or "noun" not in seen.fixed or not allowed(noun.text):
        return seen
    kind = Name(noun.text, article=True)
    return replace(seen, naming=replace(seen.naming, names=(kind,)))


def _lacks(terms: tuple[str, ...]) -> Callable[[str], bool]:
    """A test whether a text has none of the terms as whole words, whatever their case."""
    if not any(term.strip() for term in terms):
        return lambda _text: True
    found = _words(terms)
    return lambda text: found.search(text) is None


def _words(terms: tuple[str, ...]) -> regex.Pattern[str]:
    """A pattern for any of the terms as whole words."""
    longest_first = sorted((term.strip() for term in terms if term.strip()), key=len, reverse=True)
    choice = "|".join(map(_bounded, longest_first))
    return regex.compile(rf"(?:{choice})", regex.IGNORECASE)


def _bounded(term: str) -> str:
    """A pattern for the term with word ends around it, but beside kanji and kana, which have none.

    Examples:
        >>> (
        ...     bool(regex.search(_bounded("毎日"), "私の毎日に")),
        ...     bool(regex.search(_bounded("a"), "at")),
        ... )
        (True, False)
    """
    before = "" if _UNSPACED.match(term[0]) else r"(?<!\w)"
    after = "" if _UNSPACED.match(term[-1]) else r"(?!\w)"
    return f"{before}{regex.escape(term)}{after}"


def _branded(parts: Parts, brief: Brief) -> Parts | None:
    """The parts in the brand's spelling and with the disclaimers they need, or None if unfit."""
    brand, channel = brief.brand, brief.channel
    spelled = {name: _spelled(text, brand.glossary) for name, text in parts.items()}
    for trigger, sentence in brand.disclaimers.items():
        whole = " ".join(spelled.values())
        if sentence in whole or _lacks((trigger,))(whole):
            continue
        longer = {name: f"{text} {sentence}" for name, text in spelled.items()}
        homes = [f.name for f in channel.fields if fits(longer[f.name], f, channel.units)]
        if not homes:
            return None
        spelled[homes[-1]] = longer[homes[-1]]
    whole = " ".join(spelled.values())
    if whole.count("!") > brand.max_exclamations or not _lacks(brand.banned_terms)(whole):
        return None
    return spelled if all(fits(spelled[f.name], f, channel.units) for f in channel.fields) else None


def _spelled(text: str, glossary: Mapping[str, str]) -> str:
    """The text with the brand's spellings.

    Examples:
        >>> _spelled("Your gophone", {"gophone": "AT&T GoPhone"})
        'Your AT&T GoPhone'
        >>> _spelled("Back pack or Backpack", {"back pack": "backpack"})
        'Backpack or Backpack'
        >>> _spelled("Your AT&T GoPhone", {"gophone": "AT&T GoPhone"})
        'Your AT&T GoPhone'
    """
    for wrong, right in glossary.items():

        def mend(found: regex.Match[str], wrong: str = wrong, right: str = right) -> str:
            stands = found.group()
            if stands.casefold() != wrong.casefold():
                return stands
            return right[:1].upper() + right[1:] if stands[:1].isupper() else right

        text = _words((right, wrong)).sub(mend, text)
    return text
