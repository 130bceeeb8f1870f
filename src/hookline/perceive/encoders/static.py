"""A text → the mean of its pieces' vectors: no network to run, no torch, ten thousands a second.

Each piece of a word that the vocabulary knows has one vector, whatever stands beside it. They were
drawn from all-MiniLM-L6-v2 by `hookline.prior.distil`, which also weighs them: what stands in every
line says little. After model2vec (Tulkens, van Dongen 2024,
https://github.com/MinishLab/model2vec) and smooth inverse frequency (Arora, Liang, Ma 2017,
https://openreview.net/forum?id=SyK00v5xx). `default/README.md` tells what it is good for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.perceive.encoders.base import Encoder, Floats, fingerprint, unit
from hookline.perceive.encoders.wordpiece import WordPiece

VECTORS: Final = Path(__file__).parents[1] / "default" / "static.npz"
"""The vectors that ship."""
VOCABULARY: Final = Path(__file__).parents[2] / "prior" / "default" / "vocab.txt"
"""The pieces they belong to. They lie with the prior that ships, so as not to ship twice."""
LONGEST: Final = 512
"""Pieces of a text that are read, and two more."""

_READING: Final = 1
"""Raised whenever a text would be read in another way."""
_CHUNK: Final = 1024
"""Texts read at once; more would not be faster, only larger."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StaticVectors:
    """A vector for each piece of a vocabulary, in 8 bits a number.

    Attributes:
        steps: Each vector in steps of its scale, shape (pieces, width), -127 to 127.
        scales: Scale of each, shape (pieces,).
        vocabulary: `WordPiece.fingerprint` of the vocabulary.
    """

    steps: NDArray[np.int8]
    scales: Floats
    vocabulary: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """The vectors that `save` wrote.

        Raises:
            BadInput: Where the file can't be read as such.
        """
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                vectors = cls(
                    steps=arrays["steps"],
                    scales=arrays["scales"],
                    vocabulary=str(arrays["vocabulary"]),
                )
        except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
            raise BadInput(f"cannot read the static vectors {path}: {error}") from error
        if (
            (vectors.steps.ndim, vectors.steps.dtype) != (2, np.int8)
            or vectors.scales.dtype != np.float32
            or vectors.scales.shape != vectors.steps.shape[:1]
        ):
            raise BadInput(f"the static vectors {path} don't fit together; make them again")
        return vectors

    def save(self, path: Path) -> None:
        """Writes them to one file."""
        np.savez_compressed(
            path, steps=self.steps, scales=self.scales, vocabulary=np.array(self.vocabulary)
        )


class StaticEncoder(Encoder):
    """Reads texts by the vectors of their pieces.

    Args:
        reader: Turns a text into pieces.
        vectors: Of these pieces.

    Raises:
        BadInput: Where the vectors belong to another vocabulary.
    """

    name = "static"

    def __init__(self, reader: WordPiece, vectors: StaticVectors) -> None:
        pieces, self.width = vectors.steps.shape
        if (pieces, vectors.vocabulary) != (reader.size, reader.fingerprint):
            raise BadInput("the static vectors belong to another vocabulary; make them again")
        self.version = fingerprint(
            {"steps": vectors.steps, "scales": vectors.scales},
            *(_READING, reader.fingerprint, reader.max_length),
        )
        self._reader = reader
        self._vectors = vectors.steps * vectors.scales[:, None]

    @classmethod
    def check(cls, source: str) -> None:
        """Finds out, without loading anything, whether `open` stands a chance.

        Raises:
            BadInput: Where a source is named.
        """
        if source:
            raise BadInput(f"the encoder 'static' takes nothing behind a colon, not {source!r}")

    @classmethod
    def open(cls, source: str = "") -> Self:
        """The encoder that ships.

        Raises:
            BadInput: Where a source is named, or the package's files are broken.
        """
        cls.check(source)
        reader = WordPiece.load(VOCABULARY, max_length=LONGEST + 2)
        return cls(reader, StaticVectors.load(VECTORS))

    def encode(self, texts: Sequence[str]) -> Floats:
        """A vector for each text, shape (texts, width), of length 1 or all 0.

        A text of no known piece, such as one emoji, is all 0.
        """
        starts = range(0, len(texts), _CHUNK)
        none = np.empty((0, self.width), dtype=np.float32)
        return np.concatenate(
            [none, *(self._encoded(texts[start : start + _CHUNK]) for start in starts)]
        )

    def _encoded(self, texts: Sequence[str]) -> Floats:
        pieces = [self._reader.ids(text)[1:-1] for text in texts]
        ends = np.cumsum([len(own) for own in pieces])
        starts = np.concatenate([[0], ends[:-1]])
        told = np.flatnonzero(starts < ends)
        rows = np.zeros((len(texts), self.width), dtype=np.float32)
        if told.size:
            flat = np.fromiter(chain.from_iterable(pieces), np.intp, int(ends[-1]))
            rows[told] = np.add.reduceat(self._vectors[flat], starts[told], axis=0)
        return unit(rows)
