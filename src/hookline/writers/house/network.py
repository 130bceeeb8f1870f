"""The house model at work: a small causal transformer in numpy, one piece of text at a time.

    x = piece + place + room + conditions → layers × (attention, squared ReLU) → the next piece

Keys and values of what was written are kept, so a step costs the same however long the text is.
Weights are stored in 8 bits with a scale for each row, and multiplied in 32: on a few dozen texts
at once a core is busy with arithmetic, not with fetching weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self
from zipfile import BadZipFile

import msgspec
import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

CARD: Final = "house.json"
WEIGHTS: Final = "weights.npz"
ROOMS: Final = 96
"""Kinds of room that are told apart: each of the first 64 characters, then every fourth."""
TEMPERATURE: Final = 1.1
"""How boldly a model's writer draws where its card says nothing of it."""
_EPSILON: Final = 1e-6


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """What `house.json` says.

    Attributes:
        version: Content hash of the weights.
        width: Size of a piece's vector.
        layers: Number of layers.
        heads: Attention heads of each layer.
        places: Most pieces of one copy.
        pieces: The texts that copy is put together from.
        conditions: What can be asked for.
        words: What Latin words the copy that it learned from is made of, see `marks.words_of`;
            others are slips. Empty where any word may be written.
        temperature: How boldly the writer draws unless told otherwise; divides the logits.
    """

    version: str
    width: int
    layers: int
    heads: int
    places: int
    pieces: tuple[str, ...]
    conditions: tuple[str, ...]
    words: frozenset[str] = frozenset()
    temperature: float = TEMPERATURE


def room_kind(room: int) -> int:
    """Which kind of room `room` free characters are, 0 to `ROOMS` - 1.

    Examples:
        >>> room_kind(-3), room_kind(20), room_kind(66), room_kind(10_000)
        (0, 20, 64, 95)
    """
    room = max(room, 0)
    return room if room < 64 else min(64 + (room - 64) // 4, ROOMS - 1)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's weights."""

    attention_norm: Floats
    qkv: Floats
    out: Floats
    inner_norm: Floats
    up: Floats
    down: Floats


_PARTS: Final = tuple(field.name for field in fields(Layer))


@dataclass(slots=True)
class Memory:
    """What a batch of texts has seen so far: keys and values, (layer, text, head, place, size)."""

    keys: Floats
    values: Floats
    length: int = 0

    def keep(self, texts: NDArray[np.intp]) -> None:
        """Forgets all texts but these."""
        self.keys, self.values = self.keys[:, texts], self.values[:, texts]


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """The model, ready to run.

    Attributes:
        build: Its sizes and vocabularies.
        pieces: Vectors of pieces, (pieces, width); also what the next piece is read off with.
        places: Vectors of places in a text, (places, width).
        rooms: Vectors of kinds of room, (`ROOMS`, width).
        conditions: Vectors of what can be asked for, (conditions, width).
        layers: The layers, in order.
        norm: Gain of the last normalisation.
    """

    build: Build
    pieces: Floats
    places: Floats
    rooms: Floats
    conditions: Floats
    layers: tuple[Layer, ...]
    norm: Floats

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The model in a folder.

        Raises:
            BadInput: Where there is none.
        """
        try:
            build = msgspec.json.decode((folder / CARD).read_bytes(), type=Build)
            with np.load(folder / WEIGHTS, allow_pickle=False) as stored:
                real = {
                    name: _real(stored[name], stored[f"{name}.scale"])
                    for name in stored.files
                    if not name.endswith(".scale")
                }
            layers = tuple(
                Layer(**{part: real[f"{at}.{part}"] for part in _PARTS})
                for at in range(build.layers)
            )
            return cls(
                build=build,
                pieces=real["pieces"],
                places=real["places"],
                rooms=real["rooms"],
                conditions=real["conditions"],
                layers=layers,
                norm=real["norm"],
            )
        except (OSError, EOFError, KeyError, ValueError, BadZipFile, msgspec.MsgspecError) as error:
            raise BadInput(f"{folder} holds no house model: {error}") from error

    def arrays(self) -> list[Floats]:
        """All weights."""
        tables = [self.pieces, self.places, self.rooms, self.conditions, self.norm]
        return tables + [getattr(layer, part) for layer in self.layers for part in _PARTS]

    def remember(self, texts: int) -> Memory:
        """An empty memory for a batch of texts."""
        build = self.build
        shape = (build.layers, texts, build.heads, build.places, build.width // build.heads)
        return Memory(np.zeros(shape, np.float32), np.zeros(shape, np.float32))

    def asked(self, conditions: Sequence[Sequence[int]]) -> Floats:
        """What each text is asked for, as a vector, (texts, width)."""
        return np.stack([self.conditions[list(ids)].sum(0) for ids in conditions])

    def step(self, ids: Ids, rooms: Ids, asked: Floats, memory: Memory) -> Floats:
        """How likely each piece is to come next, as logits, (texts, pieces).

        Args:
            ids: Each text's latest piece, (texts,).
            rooms: The kind of room left behind it, see `room_kind`, (texts,).
            asked: What `asked` gave for the field that the next piece belongs to, (texts, width).
            memory: What the texts have seen; this step is added to it.
        """
        at = memory.length
        x = self.pieces[ids] + self.places[at] + self.rooms[rooms] + asked
        for index, layer in enumerate(self.layers):
            x = x + self._attend(x, layer, memory.keys[index], memory.values[index], at)
            inner = np.maximum(_normed(x, layer.inner_norm) @ layer.up, 0)
            x = x + (inner * inner) @ layer.down
        memory.length += 1
        return _normed(x, self.norm) @ self.pieces.T

    def _attend(self, x: Floats, layer: Layer, keys: Floats, values: Floats, at: int) -> Floats:
        """What each text takes from what it has seen."""
        texts, width = x.shape
        heads = self.build.heads
        together = (_normed(x, layer.attention_norm) @ layer.qkv).reshape(texts, 3, heads, -1)
        keys[:, :, at], values[:, :, at] = together[:, 1], together[:, 2]
        seen = slice(0, at + 1)
        scores = (keys[:, :, seen] @ together[:, 0, :, :, None])[..., 0]
        scores *= np.float32((width // heads) ** -0.5)
        scores -= scores.max(-1, keepdims=True)
        weights = np.exp(scores)
        weights /= weights.sum(-1, keepdims=True)
        taken = (weights[:, :, None, :] @ values[:, :, seen])[:, :, 0]
        return taken.reshape(texts, width) @ layer.out


def _normed(x: Floats, gain: Floats) -> Floats:
    """The vectors with a mean square of 1, times the gain."""
    return x * (gain / np.sqrt(np.mean(x * x, -1, keepdims=True) + _EPSILON))


def _real(steps: NDArray[np.int8], scales: Floats) -> Floats:
    """Weights in 32 bits: each row's steps times its scale."""
    return np.ascontiguousarray(steps.astype(np.float32) * scales[..., None])
