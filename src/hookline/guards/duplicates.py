"""The `duplicates` guard: does the copy say what another copy, or itself, says already?"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import ClassVar

import regex
from rapidfuzz import fuzz, process

from hookline.guards.base import Guard
from hookline.types import Brief, Verdict

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


class Duplicates(Guard):
    """The copy differs from what it stands beside, and its fields differ from each other.

    Similarity is that of the sorted words, letter by letter: `rapidfuzz.fuzz.ratio` of the texts in
    lower case, without punctuation, with their words in alphabetical order. 100 is the same words.

    Args:
        threshold: Similarity in percent from which two texts are near duplicates. Of the pairs of
            headlines that Upworthy's editors tested against each other, docs/guards.md counts how
            many it would have refused.
    """

    name: ClassVar[str] = "duplicates"

    def __init__(self, *, threshold: float = 90.0) -> None:
        if not 0 < threshold <= 100:
            raise ValueError(f"threshold must lie above 0 and up to 100, not {threshold}")
        self.threshold = threshold

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,  # noqa: ARG002 - likeness does not depend on what was asked for
        others: Sequence[str] = (),
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        return (*self._against(parts, others), *self._within(parts)) or self.passed()

    def _against(self, parts: Mapping[str, str], others: Sequence[str]) -> Iterator[Verdict]:
        mine = _sorted_words(" ".join(parts.values()))
        match = process.extractOne(
            mine, map(_sorted_words, others), scorer=fuzz.ratio, score_cutoff=self.threshold
        )
        if not mine or match is None:
            return
        _, score, index = match
        if score == 100:
            yield self.fault("exact", f'The same words stand in another copy: "{others[index]}".')
        else:
            reason = f'The copy is {score:.0f} % the same as another copy: "{others[index]}".'
            yield self.fault("near", reason)

    def _within(self, parts: Mapping[str, str]) -> Iterator[Verdict]:
        texts = [(name, _sorted_words(text)) for name, text in parts.items()]
        for (first, a), (second, b) in combinations(texts, 2):
            if a and b and fuzz.ratio(a, b) >= self.threshold:
                reason = f'The fields "{first}" and "{second}" say the same: "{parts[second]}".'
                yield self.fault("repeats", reason, second)


@lru_cache(maxsize=65_536)
def _sorted_words(text: str) -> str:
    """The text's words in lower case and alphabetical order."""
    return " ".join(sorted(_WORD.findall(text.casefold())))
