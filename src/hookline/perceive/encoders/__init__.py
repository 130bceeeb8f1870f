"""Encoders: texts and pictures → vectors of unit length. A new one is a file here and a row below.

A name says which: `static`, or `sentence:MODEL` with a name or folder behind the colon. Importing
this package imports neither torch nor Pillow; an encoder asks for what it needs when it is opened.

>>> encoder = encoder_named("static")
>>> trainers, shoes, kettle = encoder.encode(["trainers", "running shoes", "an electric kettle"])
>>> bool(trainers @ shoes > trainers @ kettle)
True
"""

from collections.abc import Callable
from typing import Protocol

from hookline.errors import UnregisteredName
from hookline.perceive.encoders.base import Encoder, ImageEncoder, Look
from hookline.perceive.encoders.cache import SIZE, Cached, CachedImages
from hookline.perceive.encoders.clip import ClipEncoder
from hookline.perceive.encoders.embedding import embeddings, narrowed
from hookline.perceive.encoders.image import ImageDescriptor
from hookline.perceive.encoders.pictures import Picture
from hookline.perceive.encoders.sentence import SentenceEncoder
from hookline.perceive.encoders.static import StaticEncoder

__all__ = [
    "ENCODERS",
    "IMAGE_ENCODERS",
    "Cached",
    "CachedImages",
    "ClipEncoder",
    "Encoder",
    "ImageDescriptor",
    "ImageEncoder",
    "Look",
    "Picture",
    "SentenceEncoder",
    "StaticEncoder",
    "check_encoder",
    "embeddings",
    "encoder_named",
    "image_encoder_named",
    "narrowed",
]


class Kind(Protocol):
    """A kind of encoder of texts, given what stands behind the colon."""

    def check(self, source: str, /) -> None:
        """Raises `BadInput` where it is plain, without loading anything, that `open` would."""
        ...

    def open(self, source: str, /) -> Encoder:
        """The encoder."""
        ...


ENCODERS: dict[str, Kind] = {
    "static": StaticEncoder,
    "sentence": SentenceEncoder,
    "clip": ClipEncoder,
}
"""What opens an encoder of texts."""

IMAGE_ENCODERS: dict[str, Callable[[str], ImageEncoder]] = {
    "image": ImageDescriptor.open,
    "clip": ClipEncoder.open,
}
"""What opens an encoder of pictures."""


def encoder_named(name: str, *, size: int = SIZE) -> Cached:
    """The encoder of texts that this name stands for, with a cache in front.

    Args:
        name: `static`, `sentence:MODEL` or `clip:MODEL`.
        size: Most texts that the cache remembers.

    Raises:
        UnregisteredName: Where there is no such kind.
        BadInput: Where there is no such model, or a package is missing.
    """
    kind, source = _kind_of(name)
    return Cached(kind.open(source), size)


def check_encoder(name: str) -> None:
    """Finds out at once, without loading a model, whether a name is one that can be opened.

    Raises:
        UnregisteredName: Where there is no such kind.
        BadInput: Where what stands behind the colon can't be, or a package is missing.
    """
    kind, source = _kind_of(name)
    kind.check(source)


def _kind_of(name: str) -> tuple[Kind, str]:
    """The kind of encoder that a name means, and what stands behind the colon."""
    kind, _, source = name.partition(":")
    if kind not in ENCODERS:
        raise UnregisteredName("encoder", kind, ENCODERS)
    return ENCODERS[kind], source


def image_encoder_named(name: str, *, size: int = SIZE) -> CachedImages:
    """The encoder of pictures that this name stands for, with a cache in front.

    Args:
        name: `image` or `clip:MODEL`.
        size: Most pictures that the cache remembers.

    Raises:
        UnregisteredName: Where there is no such kind.
        BadInput: Where there is no such model, or a package is missing.
    """
    kind, _, source = name.partition(":")
    if kind not in IMAGE_ENCODERS:
        raise UnregisteredName("image encoder", kind, IMAGE_ENCODERS)
    return CachedImages(IMAGE_ENCODERS[kind](source), size)
