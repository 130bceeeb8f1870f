"""The house writer: a small language model of Hookline's own, with the product's facts as slots.

Its weights ship with the package; `default/README.md` is its model card. It needs no key, no
network and no torch. How it was trained: `python -m hookline.house --help`.
"""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import combinations
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import regex
from rapidfuzz import fuzz

from hookline.channels import count_graphemes, count_units
from hookline.errors import WriterFailed
from hookline.recognise import as_asked
from hookline.sentiment import BAND, missed_by
from hookline.types import Brief, Channel, Draft, content_hash
from hookline.writers.base import Writer
from hookline.writers.house.asked import Seen, asks, language_of, see, sizer
from hookline.writers.house.marks import fill, words_of
from hookline.writers.house.network import Network
from hookline.writers.house.sampler import Luck, sample

DEFAULT: Final = Path(__file__).parent / "default"
"""The folder of the model that ships."""
ROUNDS: Final = 4
"""Most times that more copies are drawn for one call."""
_CHOICE: Final = 2
"""Drafts written for each one handed in."""
_WITH_FEELING: Final = 8
"""The same where a feeling is asked for: the model heeds it less."""
_EXTRA: Final = 1.25
"""Copies drawn for each that is missing: some say what another says, or don't fit."""
_BATCH: Final = 64
"""Most copies drawn at once."""
_ALIKE: Final = 86
"""Likeness of two fields, in percent, from which they say the same."""
_KANA: Final = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_WORD: Final = regex.compile(r"[\p{L}\p{N}]+")

Parts = dict[str, str]


class House(Writer):
    """Writes with the house model; needs no key, no network and no torch.

    It heeds the product's facts, the attributes, the audience's motives, the feeling asked for and
    the brand's terms; it can't read lessons, voice or restrictions in words.

    Args:
        folder: Folder of the model; the one that ships unless told otherwise.
        temperature: Divides the logits, above 0: below 1 for likelier, above for bolder copy; the
            model's own if None.
        top_p: Only the likeliest pieces that together have this probability are drawn, above 0 and
            at most 1.

    Raises:
        BadInput: Where the folder holds no model.
        ValueError: Where temperature or top_p is out of its range.

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
        >>> [draft] = House().write(brief, 1, seed=3)
        >>> sorted(draft.parts)
        ['cta', 'headline']
    """

    name: ClassVar[str] = "house"
    oversample: ClassVar[int] = 8
    TOP_P: ClassVar[float] = 0.95

    def __init__(
        self, folder: Path = DEFAULT, *, temperature: float | None = None, top_p: float = TOP_P
    ) -> None:
        if (temperature is not None and temperature <= 0) or not 0 < top_p <= 1:
            raise ValueError("temperature must lie above 0, top_p above 0 and up to 1")
        self.network = _load(folder)
        usual = self.network.build.temperature
        self._luck = Luck(temperature=usual if temperature is None else temperature, top_p=top_p)

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """Up to `n` drafts that differ in text: of more, those that are most as asked.

        Raises:
            WriterFailed: Where the model was not taught the language, the title says nothing, or
                nothing fits the channel and the brand's terms.
        """
        seen = self._see(brief)
        wanted = n * (_CHOICE if brief.sentiment is None else _WITH_FEELING)
        written: dict[tuple[str, ...], Draft] = {}
        for turn in range(ROUNDS):
            missing = min(wanted - len(written), _BATCH)
            if missing < 1:
                break
            rng = np.random.default_rng(list(content_hash(brief.id, seed, turn).encode()))
            for texts in self._drawn(brief, seen, int(missing * _EXTRA) + 2, rng):
                parts = branded(texts, brief)
                if parts is None or len(written) == wanted:
                    continue
                draft = Draft(
                    parts=parts, writer=self.name, prompt=self.network.build.version, seed=seed
                )
                written.setdefault(tuple(parts.values()), draft)
        if not written:
            raise WriterFailed(
                f"no copy for {brief.product.title!r} fits {brief.channel.id} and the brand's terms"
            )
        return tuple(sorted(written.values(), key=lambda draft: _missed(draft, brief))[:n])

    def _see(self, brief: Brief) -> Seen:
        """The brief's product.

        Raises:
            WriterFailed: Where the model can't write about it.
        """
        language = language_of(brief.locale)
        if f"locale {language}" not in self.network.build.conditions:
            raise WriterFailed(
                f"the house model was not taught {brief.locale!r}; use another writer for that"
            )
        seen = see(brief)
        if not brief.product.title.strip() or not seen.subject.naming.names:
            raise WriterFailed(
                f"nothing in the title {brief.product.title!r} names it; mend it in the feed"
            )
        return seen

    def _drawn(
        self, brief: Brief, seen: Seen, count: int, rng: np.random.Generator
    ) -> Iterator[Parts]:
        """Those of `count` drawn copies that came to an end, slots filled."""
        proofs: Sequence[tuple[str, str]] = seen.subject.proofs or (("", ""),)
        chosen = [proofs[int(at)] for at in rng.integers(len(proofs), size=count)]
        asked = [asks(brief, seen, proof) for proof in chosen]
        copies = sample(self.network, asked, size=sizer(brief.channel), luck=self._luck, rng=rng)
        names = [spot.name for spot in brief.channel.fields]
        for copy, texts in zip(asked, copies, strict=True):
            if texts is None or slips(self.network, texts, brief.locale):
                continue
            filled = [fill(text, ask.values) for ask, text in zip(copy, texts, strict=True)]
            yield {name: text for name, text in zip(names, filled, strict=True) if text}


@cache
def _load(folder: Path) -> Network:
    """The model of a folder, read once."""
    return Network.load(folder)


def _missed(draft: Draft, brief: Brief) -> tuple[bool, int, float]:
    """What to sort drafts by, the most as asked first.

    Whether the feeling is missed, how few attributes are there, and how far off the feeling is.
    """
    off = missed_by(" | ".join(draft.parts.values()), brief.locale, brief.sentiment)
    return off > BAND, -sum(as_asked(draft.parts, brief).values()), off


def slips(network: Network, texts: Sequence[str], locale: str) -> bool:
    """Whether the drawn texts have a word that the model never learned, or alien letters."""
    known = network.build.words
    learned = not known or all(words_of(text) <= known for text in texts)
    native = language_of(locale) == "ja" or not any(map(_KANA.search, texts))
    return not (learned and native)


def branded(parts: Parts, brief: Brief) -> Parts | None:
    """The parts in the brand's spelling, or None where they don't fit the channel or the brand."""
    brand = brief.brand
    for wrong, right in brand.glossary.items():
        spelled = _term((right, wrong))
        parts = {
            name: spelled.sub(lambda found: _right(found.group(), wrong, right), text)  # noqa: B023 - used within the turn
            for name, text in parts.items()
        }
    whole = " ".join(parts.values())
    if brand.banned_terms and _term(brand.banned_terms).search(whole):
        return None
    for trigger, sentence in brand.disclaimers.items():
        if _term((trigger,)).search(whole) and sentence not in whole:
            return None
    said = [" ".join(sorted(_WORD.findall(text.casefold()))) for text in parts.values()]
    repeats = any(fuzz.ratio(one, other) > _ALIKE for one, other in combinations(said, 2))
    loud = whole.count("!") > brand.max_exclamations
    return None if repeats or loud or not _fits(parts, brief.channel) else parts


def _right(stands: str, wrong: str, right: str) -> str:
    """The right spelling of what stands there, its capital kept."""
    if stands.casefold() != wrong.casefold():
        return stands
    return right[:1].upper() + right[1:] if stands[:1].isupper() else right


@lru_cache(maxsize=256)
def _term(terms: Sequence[str]) -> regex.Pattern[str]:
    """A pattern for any of the terms as whole words; none at all where all are blank."""
    longest_first = sorted((term.strip() for term in terms if term.strip()), key=len, reverse=True)
    choice = "|".join(map(regex.escape, longest_first))
    return regex.compile(rf"(?<!\w)(?:{choice})(?!\w)" if choice else r"(?!)", regex.IGNORECASE)


def _fits(parts: Parts, channel: Channel) -> bool:
    """Whether every field of the channel has a text within its limits."""
    for spot in channel.fields:
        text = parts.get(spot.name, "")
        if not spot.min_graphemes <= count_graphemes(text) <= spot.max_graphemes:
            return False
        if spot.max_units is not None and count_units(text, channel.units) > spot.max_units:
            return False
    return True
