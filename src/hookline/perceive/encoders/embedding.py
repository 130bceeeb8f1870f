"""Texts → what `Arm.embedding` holds of them: up to 64 numbers, short enough for the log.

An encoder of more numbers than the state has room for is seen through a fixed random projection,
which keeps lengths and angles about as they are (Johnson and Lindenstrauss 1984). Its entries are
±1, drawn from a hash (Achlioptas 2003), so that they are the same on every machine.
"""

from collections.abc import Sequence
from hashlib import shake_256
from typing import Final

import numpy as np

from hookline.perceive.encoders.base import Encoder, Floats, fingerprint, unit
from hookline.perceive.hashing import TEXT

WIDTH: Final = TEXT[1]
"""Most numbers of an embedding, all that the state has room for."""
DECIMALS: Final = 3
"""Kept of each number: a vector is moved by .004 at most, and takes less than 500 bytes as JSON."""


class Projected(Encoder):
    """An encoder as it looks along fewer axes, drawn at random once and for all.

    Args:
        encoder: Does the work.
        width: Numbers in a vector from now on.
    """

    def __init__(self, encoder: Encoder, width: int) -> None:
        drawn = shake_256(b"hookline embedding").digest(encoder.width * width // 8 + 1)
        bits = np.unpackbits(np.frombuffer(drawn, dtype=np.uint8))[: encoder.width * width]
        signs = 1 - 2 * bits.astype(np.int8)
        self._signs = signs.reshape(encoder.width, width)
        self._encoder = encoder
        self.name, self.width = encoder.name, width
        self.version = fingerprint({"signs": self._signs}, encoder.version)

    def encode(self, texts: Sequence[str]) -> Floats:
        """A vector for each text, shape (texts, width), of length 1 or all 0."""
        rows = self._encoder.encode(texts).astype(np.float64)
        # One by one: in a product of matrices the last digits would depend on the other texts.
        found = [row @ self._signs for row in rows]
        return unit(np.array(found, dtype=np.float64).reshape(len(texts), self.width))


def narrowed(encoder: Encoder) -> Encoder:
    """The encoder itself, or a projection of it where it gives more numbers than there is room."""
    return encoder if encoder.width <= WIDTH else Projected(encoder, WIDTH)


def embeddings(encoder: Encoder, texts: Sequence[str]) -> list[tuple[float, ...]]:
    """What `Arm.embedding` holds of each text, by this encoder.

    Returns:
        Vectors of up to 64 numbers of about unit length, rounded to 3 decimals; an empty one for a
        text that holds nothing the encoder can read.
    """
    rows = narrowed(encoder).encode(texts).astype(np.float64)
    found = np.round(rows, DECIMALS) + 0.0  # no -0.0, which would be a byte longer
    return [tuple(row) if any(row) else () for row in found.tolist()]
