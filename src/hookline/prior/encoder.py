"""A line of copy → a score and an embedding, by a small BERT with 8-bit weights.

The folder of an encoder holds three files, which `export` writes:

    vocab.txt        the pieces of words, one a line
    embeddings.npz   a vector for each piece (8 bits, one scale a piece) and for each position
    encoder.onnx     all else: vectors of one text in, `score` and `embedding` out

Texts are run one at a time. On one core a batch is hardly faster, and so there is no padding, and
what a text scores cannot depend on the texts beside it. Only rounding differs between machines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.perceive.encoders.wordpiece import WordPiece

Floats = NDArray[np.float32]

VOCABULARY: Final = "vocab.txt"
VECTORS: Final = "embeddings.npz"
NETWORK: Final = "encoder.onnx"


class Network(Protocol):
    """What runs the graph: an `onnxruntime.InferenceSession`."""

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Floats]) -> list[Floats]:
        """The named outputs for these inputs."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Vectors:
    """What the encoder knows of single pieces and positions.

    Attributes:
        pieces: Vector of each piece in steps of its scale, shape (pieces, width), -127 to 127.
        scales: Scale of each piece, shape (pieces,).
        positions: Vector of each position, shape (longest text, width).
    """

    pieces: NDArray[np.int8]
    scales: Floats
    positions: Floats

    @classmethod
    def rounded(cls, pieces: Floats, positions: Floats) -> Self:
        """These vectors in 8 bits each."""
        steps, scales = rounded(pieces)
        return cls(pieces=steps, scales=scales, positions=positions.astype(np.float32))

    @classmethod
    def load(cls, path: Path) -> Self:
        """The vectors that `save` wrote.

        Raises:
            BadInput: Where the file cannot be read as such.
        """
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                vectors = cls(
                    pieces=arrays["pieces"], scales=arrays["scales"], positions=arrays["positions"]
                )
        except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
            raise BadInput(f"cannot read the encoder's vectors {path}: {error}") from error
        vectors._check(path)
        return vectors

    def save(self, path: Path) -> None:
        """Writes them to one file."""
        np.savez_compressed(path, pieces=self.pieces, scales=self.scales, positions=self.positions)

    def of(self, ids: Sequence[int]) -> Floats:
        """The vectors of one text's ids, shape (1, ids, width)."""
        scaled = self.pieces[ids] * self.scales[ids, None]
        return (scaled + self.positions[: len(ids)])[None]

    def _check(self, path: Path) -> None:
        shapes = self.pieces.shape, self.scales.shape, self.positions.shape
        if not (
            (self.pieces.ndim, self.scales.ndim, self.positions.ndim) == (2, 1, 2)
            and self.pieces.shape == (self.scales.size, self.positions.shape[1])
            and (self.pieces.dtype, self.scales.dtype) == (np.int8, np.float32)
            and self.positions.dtype == np.float32
        ):
            raise BadInput(f"the encoder's vectors {path} don't fit together: shapes {shapes}")


def rounded(rows: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Each row as steps from -127 to 127 and the size of a step: (rows, width) and (rows,)."""
    scales = np.abs(rows).max(axis=1) / np.float32(127)
    scales[scales == 0] = 1
    steps = np.rint(rows / scales[:, None]).astype(np.int8)
    return steps, scales.astype(np.float32)


class Encoder:
    """Reads lines of copy.

    Args:
        reader: Turns a text into ids.
        vectors: Of these ids.
        network: Turns the vectors of a text into its score and its embedding.
    """

    def __init__(self, *, reader: WordPiece, vectors: Vectors, network: Network) -> None:
        self.reader = reader
        self.vectors = vectors
        self.network = network

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The encoder in a folder; it runs in the calling thread alone.

        Raises:
            BadInput: Where a file is missing, broken, or of another encoder.
        """
        vectors = Vectors.load(folder / VECTORS)
        reader = WordPiece.load(folder / VOCABULARY, max_length=vectors.positions.shape[0])
        if reader.size != vectors.scales.size:
            raise BadInput(
                f"{folder} mixes two encoders: {reader.size} pieces in {VOCABULARY}, "
                f"{vectors.scales.size} in {VECTORS}"
            )
        network = _network(folder / NETWORK, vectors.positions.shape[1])
        return cls(reader=reader, vectors=vectors, network=network)

    def score(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """How well each text would do, as a log ratio of click rates, shape (texts,).

        Only differences between texts mean something: exp(a - b) is the ratio of their click
        rates, were they shown for the same thing to the same people.
        """
        scores = np.empty(len(texts))
        for row, text in enumerate(texts):
            scores[row] = self._run("score", text).item()
        return scores

    def embed(self, texts: Sequence[str]) -> Floats:
        """What each text says, as the mean vector of its pieces, shape (texts, width)."""
        embeddings = np.empty((len(texts), self.vectors.positions.shape[1]), dtype=np.float32)
        for row, text in enumerate(texts):
            embeddings[row] = self._run("embedding", text)[0]
        return embeddings

    def _run(self, output: str, text: str) -> Floats:
        feed = {"vectors": self.vectors.of(self.reader.ids(text))}
        return self.network.run([output], feed)[0]


def _network(path: Path, width: int) -> Network:
    """The graph in a file, ready to run on one core and tried out."""
    runtime: Any = import_module("onnxruntime")  # here: it takes longer than all the rest
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Beyond the basics it fuses nodes into ones that take longer on few tokens.
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    try:
        network: Network = runtime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        network.run(["score", "embedding"], {"vectors": np.ones((1, 2, width), np.float32)})
    except Exception as error:  # what onnxruntime raises has no base of its own
        raise BadInput(f"cannot run the encoder's network {path}: {error}") from error
    return network
