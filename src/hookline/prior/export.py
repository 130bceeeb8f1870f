"""The weights of a fine-tuned BERT → the folder that `Encoder.load` reads.

The graph is written out node by node, so that it needs neither torch nor a tracer. Weights, and the
vectors they are multiplied with, are rounded to 8 bits with one scale for every 64 of them: a
token's rounding never depends on another token, let alone another text. One scale a matrix would
run 1.7 times as fast and err 4 times as much: a few large channels make its steps coarse.
Needs the package `onnx`, which `pip install 'hookline[train]'` brings.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from hookline import extras
from hookline.errors import BadInput
from hookline.extras import Package
from hookline.prior.encoder import NETWORK, VECTORS, VOCABULARY, Floats, Vectors, rounded

T = TypeVar("T")

Weights = Mapping[str, Floats]
"""Weights by their names in a Hugging Face `BertModel`, and `head.weight` and `head.bias`."""

OPSET: Final = 20
"""Of the standard operators; onnxruntime reads it from version 1.17 on."""
BLOCK: Final = 64
"""Weights that share a scale."""
RUNTIME_OPERATORS: Final = "com.microsoft"


class _Config(msgspec.Struct, kw_only=True):
    """What matters of a model's config.json."""

    model_type: str
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    layer_norm_eps: float = 1e-12
    hidden_act: str = "gelu"
    position_embedding_type: str = "absolute"


class _Lowering(msgspec.Struct):
    """What matters of a model's tokenizer_config.json."""

    do_lower_case: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Bert:
    """The build of a BERT.

    Attributes:
        width: Size of a token's vector.
        layers: Number of layers.
        heads: Attention heads of each layer.
        positions: Most tokens of a text.
        epsilon: What layer normalisation adds to the variance.
    """

    width: int
    layers: int
    heads: int
    positions: int
    epsilon: float

    @classmethod
    def of(cls, base: Path) -> Self:
        """The build of the model in a Hugging Face folder.

        Raises:
            BadInput: Where there is none, or it is not an uncased BERT with a WordPiece vocabulary.
        """
        config = _read(base / "config.json", _Config)
        if (config.model_type, config.hidden_act) != ("bert", "gelu"):
            raise BadInput(
                f"{base} holds a {config.model_type!r} with {config.hidden_act!r}; the prior is "
                "built on a 'bert' with 'gelu'"
            )
        if config.position_embedding_type != "absolute":
            raise BadInput(f"{base} has {config.position_embedding_type!r} positions, not absolute")
        if not (base / VOCABULARY).is_file():
            raise BadInput(f"{base} has no {VOCABULARY}: not a model with a WordPiece vocabulary")
        tokenizer = base / "tokenizer_config.json"
        if tokenizer.exists() and not _read(tokenizer, _Lowering).do_lower_case:
            raise BadInput(f"{base} tells cases apart; the prior is built on an uncased model")
        return cls(
            width=config.hidden_size,
            layers=config.num_hidden_layers,
            heads=config.num_attention_heads,
            positions=config.max_position_embeddings,
            epsilon=config.layer_norm_eps,
        )


def export(weights: Weights, base: Path, out: Path, *, max_length: int) -> None:
    """Writes the encoder's folder.

    Args:
        weights: What `finetune` gave back, or their `average`.
        base: The Hugging Face folder they were tuned from.
        out: Folder to write; made where it does not exist.
        max_length: Most tokens of a text, as in training.

    Raises:
        BadInput: Where `onnx` is missing or the weights don't belong to the base.
    """
    bert = Bert.of(base)
    try:
        network = _network(weights, bert)
        positions = weights["embeddings.position_embeddings.weight"][:max_length]
        vectors = Vectors.rounded(
            weights["embeddings.word_embeddings.weight"],
            positions + weights["embeddings.token_type_embeddings.weight"][0],
        )
    except KeyError as error:
        raise BadInput(f"the weights are not those of a BERT like {base}: no {error}") from error
    out.mkdir(parents=True, exist_ok=True)
    vectors.save(out / VECTORS)
    shutil.copyfile(base / VOCABULARY, out / VOCABULARY)
    (out / NETWORK).write_bytes(network)


def require(package: str) -> Package:
    """A package that only training needs.

    Raises:
        BadInput: Where it is not installed.
    """
    return extras.require(package, "train", "training")


def _network(weights: Weights, bert: Bert) -> bytes:
    """The graph from the vectors of one text, (1, tokens, width), to `score` and `embedding`."""
    graph = _Graph(weights, bert)
    x = graph.normed("vectors", "embeddings.LayerNorm")
    for layer in range(bert.layers):
        name = f"encoder.layer.{layer}"
        attended = graph.dense(
            graph.attention(x, f"{name}.attention.self"), [f"{name}.attention.output.dense"]
        )
        x = graph.normed(graph.node("Add", x, attended), f"{name}.attention.output.LayerNorm")
        inner = graph.node("Gelu", graph.dense(x, [f"{name}.intermediate.dense"]))
        outer = graph.dense(inner, [f"{name}.output.dense"])
        x = graph.normed(graph.node("Add", x, outer), f"{name}.output.LayerNorm")
    axes = graph.constant(np.array([1]))
    embedding = graph.node("ReduceMean", x, axes, keepdims=0, out="embedding")
    head = (graph.constant(weights[f"head.{part}"]) for part in ("weight", "bias"))
    graph.node("Gemm", embedding, *head, transB=1, out="score")
    return graph.to_bytes()


class _Graph:
    """Grows an ONNX graph; values are known by their names."""

    def __init__(self, weights: Weights, bert: Bert) -> None:
        self._onnx = require("onnx")
        self._weights = weights
        self._bert = bert
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, array: NDArray[Any]) -> str:
        """A value that is the same for every text."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(
            self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
        )
        return name

    def node(
        self, operator: str, *inputs: str, out: str = "", domain: str = "", **how: int | float
    ) -> str:
        """What an operator makes of its inputs."""
        out = out or f"value_{len(self._nodes)}"
        self._nodes.append(
            self._onnx.helper.make_node(operator, inputs, [out], domain=domain, **how)
        )
        return out

    def normed(self, x: str, name: str) -> str:
        """Layer normalisation."""
        gain, bias = (self._constant_of(f"{name}.{part}") for part in ("weight", "bias"))
        return self.node("LayerNormalization", x, gain, bias, epsilon=self._bert.epsilon)

    def dense(self, x: str, names: Sequence[str]) -> str:
        """One or more dense layers on the same input, outputs side by side, in 8 bits."""
        weight = np.concatenate([self._weights[f"{name}.weight"] for name in names])
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        outputs, inputs = weight.shape
        padded = np.pad(weight, ((0, 0), (0, -inputs % BLOCK)))
        steps, scales = rounded(padded.reshape(-1, BLOCK))
        blocks = (steps.astype(np.int16) + 128).astype(np.uint8).reshape(outputs, -1, BLOCK)
        return self.node(
            "MatMulNBits",
            *(x, self.constant(blocks), self.constant(scales), "", "", self.constant(bias)),
            domain=RUNTIME_OPERATORS,
            K=inputs,
            N=outputs,
            bits=8,
            block_size=BLOCK,
            accuracy_level=4,  # what flows in is rounded to 8 bits as well, block by block
        )

    def attention(self, x: str, name: str) -> str:
        """What each token takes from all tokens of its text."""
        parts = ("query", "key", "value")
        together = self.dense(x, [f"{name}.{part}" for part in parts])
        index = len(self._nodes)
        split = [f"{part}_{index}" for part in parts]
        self._nodes.append(
            self._onnx.helper.make_node("Split", [together], split, axis=-1, num_outputs=3)
        )
        return self.node(
            "MultiHeadAttention", *split, domain=RUNTIME_OPERATORS, num_heads=self._bert.heads
        )

    def to_bytes(self) -> bytes:
        """The file."""
        helper, real = self._onnx.helper, self._onnx.TensorProto.FLOAT
        width = self._bert.width
        graph = helper.make_graph(
            self._nodes,
            "encoder",
            [helper.make_tensor_value_info("vectors", real, [1, "tokens", width])],
            [
                helper.make_tensor_value_info("score", real, [1, 1]),
                helper.make_tensor_value_info("embedding", real, [1, width]),
            ],
            self._constants,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME_OPERATORS, 1)]
        # 9 is the file format that came with this opset
        return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()

    def _constant_of(self, name: str) -> str:
        return self.constant(self._weights[name])


def _read(path: Path, kind: type[T]) -> T:
    """A JSON file as a record."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInput(f"cannot read {path} as a Hugging Face model's: {error}") from error
