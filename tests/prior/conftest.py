"""A BERT small enough for tests: 2 layers of width 32 that know 60 pieces."""

import json
from pathlib import Path

import numpy as np
import pytest

from hookline.prior.export import Weights

PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *"abcdefghijklmnopqrstuvwxyz!?.,'-$%",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrs"),
    *("you", "##ing"),
]
WIDTH, LAYERS, HEADS, INNER, POSITIONS = 32, 2, 4, 80, 24


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The build and vocabulary of the small BERT, as Hugging Face lays them out."""
    folder = tmp_path / "base"
    folder.mkdir()
    config = {
        "model_type": "bert",
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS,
        "vocab_size": len(PIECES),
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def weights() -> Weights:
    """Random weights for it, of a size that makes every part matter."""
    rng = np.random.default_rng(7)
    shapes = {
        "embeddings.word_embeddings.weight": (len(PIECES), WIDTH),
        "embeddings.position_embeddings.weight": (POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "head.weight": (1, WIDTH),
        "head.bias": (1,),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes[f"{name}.attention.{part}.weight"] = (WIDTH, WIDTH)
            shapes[f"{name}.attention.{part}.bias"] = (WIDTH,)
        shapes[f"{name}.intermediate.dense.weight"] = (INNER, WIDTH)
        shapes[f"{name}.intermediate.dense.bias"] = (INNER,)
        shapes[f"{name}.output.dense.weight"] = (WIDTH, INNER)
        shapes[f"{name}.output.dense.bias"] = (WIDTH,)
        norms += [f"{name}.attention.output.LayerNorm", f"{name}.output.LayerNorm"]
    found = {name: rng.normal(0, 0.3, shape) for name, shape in shapes.items()}
    for name in norms:
        found[f"{name}.weight"] = rng.normal(1, 0.2, WIDTH)
        found[f"{name}.bias"] = rng.normal(0, 0.2, WIDTH)
    return {name: array.astype(np.float32) for name, array in found.items()}
