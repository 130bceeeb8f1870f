"""A bounded memory in front of an encoder, for many threads at once."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from threading import Lock
from typing import Final, Generic, TypeVar

import numpy as np

from hookline.errors import BadInput
from hookline.perceive.encoders.base import Encoder, Floats, ImageEncoder, Look
from hookline.perceive.encoders.pictures import Image, Picture, content

K = TypeVar("K")
V = TypeVar("V")

SIZE: Final = 8192
"""Entries kept where nobody says how many; about 2 MB of vectors of width 64."""


class Cached(Encoder):
    """An encoder that remembers the texts it met last.

    Args:
        encoder: Does the work.
        size: Most texts to remember, at least 1.
    """

    def __init__(self, encoder: Encoder, size: int = SIZE) -> None:
        self.name, self.version, self.width = encoder.name, encoder.version, encoder.width
        self.encoder = encoder
        self.size = size
        self._met = _Recent[str, Floats](size)

    def encode(self, texts: Sequence[str]) -> Floats:
        """A vector for each text, shape (texts, width); each new text is encoded once."""
        known = self._met.found(texts)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            # Copies, for a row of the whole would keep the whole in memory.
            fresh = {
                text: row.copy() for text, row in zip(new, self.encoder.encode(new), strict=True)
            }
            self._met.keep(fresh)
            known.update(fresh)
        rows = np.empty((len(texts), self.width), dtype=np.float32)
        for row, text in enumerate(texts):
            rows[row] = known[text]
        return rows


class CachedImages(ImageEncoder):
    """An image encoder that remembers the pictures it met last, by their content.

    Args:
        encoder: Does the work.
        size: Most pictures to remember, at least 1.
    """

    def __init__(self, encoder: ImageEncoder, size: int = SIZE) -> None:
        self.name, self.version, self.width = encoder.name, encoder.version, encoder.width
        self.encoder = encoder
        self.size = size
        self._met = _Recent[bytes, Look](size)

    def describe(self, image: Image) -> Floats:
        """The vector of an image that is decoded already; it is not remembered."""
        return self.encoder.describe(image)

    def look(self, picture: Picture) -> Look:
        """The vector of a picture, or why there is none; each content is looked at once."""
        try:
            data = content(picture)
        except BadInput as error:
            return Look(vector=None, reason=str(error))
        key = blake2b(data, digest_size=16).digest()
        known = self._met.found([key])
        if key not in known:
            known[key] = self.encoder.look(data)
            self._met.keep(known)
        return known[key]


class _Recent(Generic[K, V]):
    """The entries met last; the one longest not met goes first."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise BadInput(f"a cache holds at least 1 entry, not {size}")
        self._size = size
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()

    def found(self, keys: Iterable[K]) -> dict[K, V]:
        """Those of the keys that are remembered, and their values."""
        with self._lock:
            known = {key: self._entries[key] for key in keys if key in self._entries}
            for key in known:
                self._entries.move_to_end(key)
        return known

    def keep(self, entries: Mapping[K, V]) -> None:
        """Remembers these; what no longer fits is forgotten."""
        with self._lock:
            self._entries.update(entries)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
