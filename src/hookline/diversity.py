"""How different the texts of one slate are: pure functions of their vectors or of their words.

| measure | from | range | more of it is |
|---|---|---|---|
| `literal` | vectors | 0 to 1 - 1/n | more varied, and more texts |
| `off_diagonal` | vectors | 0 to 1 + 1/(n - 1) | more varied |
| `vendi` | vectors | 1 to n | more varied: as many texts that share nothing |
| `self_bleu` | words | 0 to 1 | more alike |
| `compression_ratio` | bytes | above 0 | more alike, and longer |
| `self_repetition` | words | 0 up | more alike, and longer |

Vectors tell what texts are about, words how they say it; neither stands for the other. Compression
ratio, self-repetition and self-BLEU hardly follow each other and together say most (Shaib et al.
2024, "Standardizing the Measurement of Text Diversity", https://arxiv.org/abs/2403.00553). Compare
slates of as many texts of about the same length only.
"""

import gzip
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from hookline.errors import BadInput

Array = NDArray[np.float64]
Vectors = NDArray[np.floating]
"""One row a text, of any length above 0; a row of zeros is like nothing else."""
Gram = tuple[str, ...]

# A sign of Chinese or Japanese, which are written without spaces, counts as a word.
_TOKEN: Final = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*|[^\s\p{L}\p{M}\p{N}]"
)
_MOST: Final = 4
"""Words of the longest run that BLEU looks at."""
_EPSILON: Final = 0.1
"""Stands for no run in common, so that one order without any does not make the whole 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Diversity:
    """Every measure of one slate, see the functions of these names."""

    texts: int
    literal: float
    off_diagonal: float
    vendi: float
    self_bleu: float
    compression_ratio: float
    self_repetition: float


def measure(texts: Sequence[str], vectors: Vectors) -> Diversity:
    """Every measure of these texts.

    Args:
        texts: At least two.
        vectors: One of each, shape (texts, any).

    Raises:
        BadInput: Where there are fewer than two texts.
    """
    return Diversity(
        texts=len(texts),
        literal=literal(vectors),
        off_diagonal=off_diagonal(vectors),
        vendi=vendi(vectors),
        self_bleu=self_bleu(texts),
        compression_ratio=compression_ratio(texts),
        self_repetition=self_repetition(texts),
    )


def cosines(vectors: Vectors) -> Array:
    """The cosine of every two rows, -1 to 1, each row's with itself 1; shape (rows, rows)."""
    rows = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    found = np.clip(units @ units.T, -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def literal(vectors: Vectors) -> float:
    """D = 1 - (1/n²) ΣΣ cos, over all pairs and each text with itself.

    As in eq. 1 of "LLM-Driven E-Commerce Marketing Content Optimization"
    (https://arxiv.org/abs/2505.23809). Since i = j counts, it can't pass 1 - 1/n (if no cosine is
    below 0), and a longer list looks more varied than it is.

    Raises:
        BadInput: Where there is no text.

    Examples:
        >>> literal(np.eye(4)), literal(np.ones((4, 1)))
        (0.75, 0.0)
    """
    _need(len(vectors), 1)
    return float(1.0 - cosines(vectors).mean())


def off_diagonal(vectors: Vectors) -> float:
    """1 - the mean cosine of two different texts: 0 all alike, 1 nothing in common.

    It can go up to 1 + 1/(n - 1) where texts are each other's opposite, and is n/(n - 1) times
    `literal`, so it does not depend on how many there are.

    Raises:
        BadInput: Where there are fewer than two texts.

    Examples:
        >>> off_diagonal(np.eye(4))
        1.0
    """
    count = len(vectors)
    _need(count, 2)
    return float(1.0 - (cosines(vectors).sum() - count) / (count * (count - 1)))


def vendi(vectors: Vectors) -> float:
    """The effective number of different texts, 1 to n.

    exp(-Σ w log w) over the eigenvalues w of K/n, where K are the cosines (Friedman and Dieng 2023,
    "The Vendi Score", https://arxiv.org/abs/2210.02410).

    Raises:
        BadInput: Where there is no text.

    Examples:
        >>> round(vendi(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])), 9)
        2.0
    """
    _need(len(vectors), 1)
    weights = np.linalg.eigvalsh(cosines(vectors) / len(vectors))
    weights = weights[weights > 1e-12]
    return float(np.exp(-(weights * np.log(weights)).sum()))


def self_bleu(texts: Sequence[str]) -> float:
    """The mean BLEU of each text with all others as its references: 0 all different, 1 all alike.

    Self-BLEU after Zhu et al. 2018, "Texygen" (https://arxiv.org/abs/1802.01886).

    Raises:
        BadInput: Where there are fewer than two texts.
    """
    return float(bleu_to_others(texts).mean())


def bleu_to_others(texts: Sequence[str]) -> Array:
    """The BLEU of each text with all others as its references, 0 to 1, shape (texts,).

    BLEU after Papineni et al. 2002 (https://aclanthology.org/P02-1040), on runs of up to 4 words in
    lower case, or as many as the text has; an order without any run in common counts as .1 of a run
    (Chen and Cherry 2014, method 1, https://aclanthology.org/W14-3346).

    Raises:
        BadInput: Where there are fewer than two texts.
    """
    _need(len(texts), 2)
    told = [_tokens(text) for text in texts]
    counts = [[_grams(words, size) for size in range(1, _MOST + 1)] for words in told]
    return np.array(
        [
            _bleu(counts[place], [each for other, each in enumerate(counts) if other != place])
            for place in range(len(texts))
        ]
    )


def _bleu(
    candidate: Sequence[Counter[Gram]], references: Sequence[Sequence[Counter[Gram]]]
) -> float:
    """BLEU of one text, from its runs of 1 to 4 words and those of its references."""
    length = candidate[0].total()
    if not length:
        return 0.0
    logs: list[float] = []
    for order, runs in enumerate(candidate[:length]):
        most: Counter[Gram] = Counter()
        for reference in references:
            most |= reference[order]
        logs.append(log(((runs & most).total() or _EPSILON) / runs.total()))
    near = min((abs(each[0].total() - length), each[0].total()) for each in references)[1]
    brevity = min(0.0, 1.0 - near / length)
    return exp(brevity + sum(logs) / len(logs))


def compression_ratio(texts: Sequence[str]) -> float:
    """Bytes of the texts, a line each, over their bytes when gzipped: the higher, the more alike.

    About 1 for a few short lines that share little, for then gzip's own 20 bytes or so weigh
    (Shaib et al. 2024).

    Raises:
        BadInput: Where there is no text.
    """
    _need(len(texts), 1)
    raw = "\n".join(texts).encode()
    return len(raw) / len(gzip.compress(raw, mtime=0))


def self_repetition(texts: Sequence[str], size: int = 4) -> float:
    """The mean over texts of log(1 + how often its runs of `size` words stand in other texts).

    0 where no two texts share such a run (Salkar et al. 2022, "Self-Repetition in Abstractive
    Neural Summarizers", https://arxiv.org/abs/2210.08145).

    Args:
        texts: At least one.
        size: Words of a run, at least 1.

    Raises:
        BadInput: Where there is no text.

    Examples:
        >>> self_repetition(["one two three four five", "one two three four six"]) == log(2)
        True
    """
    _need(len(texts), 1)
    runs = [set(_grams(_tokens(text), size)) for text in texts]
    stands_in = Counter(run for own in runs for run in own)
    elsewhere = [sum(stands_in[run] - 1 for run in own) for own in runs]
    return sum(log(1 + count) for count in elsewhere) / len(texts)


def word_vectors(texts: Sequence[str]) -> Array:
    """How often each word stands in each text, shape (texts, words): vectors without a model.

    Cosines of them tell texts that share words, and nothing of what words mean.
    """
    told = [_tokens(text) for text in texts]
    places = {
        word: place for place, word in enumerate(dict.fromkeys(w for own in told for w in own))
    }
    found = np.zeros((len(texts), len(places)))
    for row, words in enumerate(told):
        for word in words:
            found[row, places[word]] += 1.0
    return found


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.casefold())


def _grams(words: Sequence[str], size: int) -> Counter[Gram]:
    """Every run of `size` words with how often it comes."""
    return Counter(tuple(words[at : at + size]) for at in range(len(words) - size + 1))


def _need(count: int, least: int) -> None:
    if count < least:
        raise BadInput(f"the diversity of {count} texts can't be told; give at least {least}")
