"""The encoder of a prior → one vector for each piece of a word, as `perceive` ships them.

    pieces, each alone → encoder → mean taken off → main axes, made equally long → weights → 8 bits

The weight of a piece is a / (a + p), where p is its share in many lines and a is 1/1000 (Arora,
Liang, Ma 2017, https://openreview.net/forum?id=SyK00v5xx): a line is then told by its rare words.
The axes are those of the pieces as they count, so weighed by the same factor; without equal
lengths, the first two of a tuned encoder would outweigh all others, and hold hardly more than what
headlines' readers liked. `python -m benchmarks.encoders FILE --base MODEL --make OUT` makes what
ships.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.perceive.encoders.static import StaticVectors
from hookline.perceive.encoders.wordpiece import WordPiece
from hookline.prior.encoder import Encoder, Floats, rounded

Array = NDArray[np.float64]

WIDTH: Final = 64
"""Numbers in a vector: 32 tell products apart clearly worse, 128 would take 4 MB."""
COMMON: Final = 1e-3
"""Share at which a piece counts half as much as a rare one."""
_SILENT: Final = frozenset({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
"""Pieces that stand for no word."""


def distil(
    encoder: Encoder,
    texts: Sequence[str],
    *,
    width: int = WIDTH,
    progress: Callable[[int], None] = lambda _done: None,
) -> StaticVectors:
    """A vector for each piece the encoder knows.

    Args:
        encoder: Where the meaning comes from.
        texts: Many lines, to count how often each piece stands in them; nothing else is used.
        width: Numbers in a vector, at most those of the encoder.
        progress: Told now and then how many pieces are done.

    Raises:
        BadInput: Where there are fewer pieces or numbers than `width`.
    """
    reader = encoder.reader
    alone = _alone(encoder, progress)
    if not 1 <= width <= min(alone.shape):
        raise BadInput(f"{alone.shape} numbers can't be brought to a width of {width}")
    shares = piece_shares(reader, texts)
    weights = COMMON / (COMMON + shares)
    vectors = _main_axes(alone, shares, weights, width) * weights[:, None]
    vectors[[index for name in _SILENT if (index := reader.index(name)) is not None]] = 0
    steps, scales = rounded(vectors.astype(np.float32))
    return StaticVectors(steps=steps, scales=scales, vocabulary=reader.fingerprint)


def piece_shares(reader: WordPiece, texts: Sequence[str]) -> Array:
    """The share of each piece in all pieces of these texts, half a piece more for each; sums to 1.

    Returns:
        Array of shape (pieces,), above 0.
    """
    counts = np.full(reader.size, 0.5)
    for text in texts:
        np.add.at(counts, reader.ids(text)[1:-1], 1.0)
    return counts / counts.sum()


def _alone(encoder: Encoder, progress: Callable[[int], None]) -> Array:
    """What the encoder makes of each piece alone in its text, shape (pieces, its width)."""
    first, last = encoder.reader.ids("")
    found: list[Floats] = []
    for index in range(encoder.reader.size):
        feed = {"vectors": encoder.vectors.of([first, index, last])}
        found.append(encoder.network.run(["embedding"], feed)[0][0])
        if index % 256 == 0:
            progress(index)
    progress(encoder.reader.size)
    return np.array(found, dtype=np.float64)


def _main_axes(vectors: Array, shares: Array, weights: Array, width: int) -> Array:
    """The vectors along their longest axes, the longest first, each made as long as the first."""
    centred = vectors - shares @ vectors
    _, lengths, axes = np.linalg.svd(np.sqrt(weights)[:, None] * centred, full_matrices=False)
    kept = axes[:width]
    # Of an axis and its reverse, the one whose largest entry is above 0: the same on any machine.
    largest = kept[np.arange(width), np.abs(kept).argmax(axis=1)]
    scale = np.sign(largest) * lengths[0] / np.maximum(lengths[:width], 1e-9 * lengths[0])
    return (centred @ kept.T) * scale
