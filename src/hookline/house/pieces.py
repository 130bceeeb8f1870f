"""Pieces of text, found by byte-pair encoding over characters, and texts cut into them.

Sennrich, Haddow, Birch, *Neural machine translation of rare words with subword units* (2016): the
pair of neighbours seen most often becomes one piece, again and again. A piece lies within one word
with the blank before it; a slot and a field's mark are pieces by themselves.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Final

import regex

from hookline.writers.house.marks import FIELD, MARKS

_WORD: Final = regex.compile(
    r" ?[\ue000-\ue0ff]| ?[\p{L}\p{M}']{1,24}| ?[^\s\p{L}\p{M}\p{Co}']+|\s"
)
_RARE: Final = 3
"""A character seen fewer times is no piece; texts that hold it are left out."""


class Pieces:
    """A vocabulary of pieces and the order in which they were found.

    Args:
        texts: The pieces: marks and characters first, then merged ones in the order found.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self.ids = {text: at for at, text in enumerate(self.texts)}
        self._cut = lru_cache(maxsize=200_000)(self._cut_word)

    @classmethod
    def found(cls, texts: Iterable[str], size: int) -> "Pieces":
        """At most `size` pieces, those that make the texts shortest."""
        words = Counter(word for text in texts for word in _WORD.findall(text))
        base = [FIELD, *_with_blank(MARKS.values())]
        letters: Counter[str] = Counter()
        for word, count in words.items():
            if word not in base:
                letters.update(dict.fromkeys(word, count))
        marks = frozenset(base)
        base += sorted(letter for letter, count in letters.items() if count >= _RARE)
        return cls([*base, *_merges(words, size - len(base), marks)])

    def cut(self, text: str) -> list[int] | None:
        """The text as ids of pieces; None where it holds a character that is none."""
        ids: list[int] = []
        for word in _WORD.findall(text):
            cut = self._cut(word)
            if cut is None:
                return None
            ids += cut
        return ids

    def _cut_word(self, word: str) -> tuple[int, ...] | None:
        """The word in pieces: the neighbours whose union was found first are joined first."""
        if word in self.ids:
            return (self.ids[word],)
        parts = list(word)
        while len(parts) > 1:
            rank, at = min(
                (self.ids.get(one + other, len(self.ids)), at)
                for at, (one, other) in enumerate(pairwise(parts))
            )
            if rank == len(self.ids):
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        if not all(part in self.ids for part in parts):
            return None
        return tuple(self.ids[part] for part in parts)


def _with_blank(marks: Iterable[str]) -> list[str]:
    return [text for mark in marks for text in (mark, f" {mark}")]


def _merges(words: Counter[str], count: int, whole: frozenset[str]) -> list[str]:
    """The first `count` unions of neighbours, most often seen first."""
    cuts = [(list(word), n) for word, n in words.items() if word not in whole and len(word) > 1]
    seen: Counter[tuple[str, str]] = Counter()
    where: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for at, (parts, n) in enumerate(cuts):
        for pair in pairwise(parts):
            seen[pair] += n
            where[pair].add(at)
    found: dict[str, None] = {}
    queue = [(-n, pair) for pair, n in seen.items()]
    heapify(queue)
    while len(found) < count and queue:
        n, best = heappop(queue)
        if -n != seen[best]:  # counted anew since it was queued
            continue
        if -n < 2:
            break
        found["".join(best)] = None
        changed: set[tuple[str, str]] = set()
        for at in where.pop(best):
            parts, n = cuts[at]
            before = Counter(pairwise(parts))
            _join(parts, best)
            after = Counter(pairwise(parts))
            for pair in before.keys() | after.keys():
                if delta := after[pair] - before[pair]:
                    seen[pair] += n * delta
                    changed.add(pair)
                    where[pair].add(at)
        for pair in changed:
            heappush(queue, (-seen[pair], pair))
    return list(found)


def _join(parts: list[str], pair: tuple[str, str]) -> None:
    """Makes one part of every such pair of neighbours, in place."""
    at = 0
    while at < len(parts) - 1:
        if (parts[at], parts[at + 1]) == pair:
            parts[at : at + 2] = ["".join(pair)]
        at += 1
