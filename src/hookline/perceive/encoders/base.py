"""What an encoder is: texts or a picture in, vectors of unit length out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.perceive.encoders.pictures import Image, Picture, opened
from hookline.types import dumps

Floats = NDArray[np.float32]


class Encoder(ABC):
    """Reads texts."""

    name: str
    """What to write in the settings to get it, for example `sentence:all-MiniLM-L6-v2`."""
    version: str
    """Content hash of all that decides what a text becomes; what was learned under another version
    is of no use."""
    width: int
    """Numbers in a vector."""

    @property
    def identity(self) -> str:
        """Name and version in one: vectors mean the same only under the same identity."""
        return f"{self.name} {self.version}"

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> Floats:
        """A vector for each text, shape (texts, width).

        Each has length 1, or is all 0 where the text says nothing that the encoder can read. The
        same text gets the same vector, whatever texts stand beside it.
        """


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Look:
    """What came of looking at one picture.

    Attributes:
        vector: Of length 1, shape (width,); None where the picture can't be read.
        reason: Why it can't; empty otherwise.
    """

    vector: Floats | None
    reason: str = ""


class ImageEncoder(ABC):
    """Looks at pictures."""

    name: str
    """What to write in the settings to get it, for example `image`."""
    version: str
    """Content hash of all that decides what a picture becomes."""
    width: int
    """Numbers in a vector."""

    @abstractmethod
    def describe(self, image: Image) -> Floats:
        """The vector of one upright RGB image of Pillow's, of length 1, shape (width,)."""

    def look(self, picture: Picture) -> Look:
        """The vector of a picture, or why there is none; a broken file raises nothing.

        Args:
            picture: A file, or its content.
        """
        try:
            image = opened(picture)
        except BadInput as error:
            return Look(vector=None, reason=str(error))
        vector = self.describe(image)
        vector.setflags(write=False)  # a cache hands the same one to many
        return Look(vector=vector)


def fingerprint(arrays: Mapping[str, NDArray[Any]], *about: object) -> str:
    """A content hash of weights and of what else decides what they make of a text.

    Args:
        arrays: Weights by name; their order does not matter.
        about: JSON-able values.
    """
    found = blake2b(dumps(about), digest_size=10)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(array.data)
    return found.hexdigest()


def unit(rows: NDArray[np.floating[Any]]) -> Floats:
    """Each row at length 1, shape and order kept; all 0 where it has no direction.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0], [np.nan, 1.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0], [0.0, 0.0]]
    """
    with np.errstate(over="ignore"):  # a row too long to measure has no direction either
        lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    sound = np.isfinite(lengths) & (lengths > 0)
    scaled = np.divide(rows, lengths, out=np.zeros_like(rows), where=sound)
    return scaled.astype(np.float32)
