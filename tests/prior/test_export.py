import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import erf

from hookline.errors import BadInput
from hookline.perceive.encoders.wordpiece import WordPiece
from hookline.prior.encoder import Encoder, Floats
from hookline.prior.export import Bert, Weights, export

TEXTS = [
    "",
    "you",
    "what happens next? you won't guess!",
    "\U0001f600 \x00 世界 naïve",
    "a long " * 200,
    "x" * 5000,
    "25% off - today",
]


def network(weights: Weights, ids: list[int], heads: int) -> tuple[float, Floats]:
    """Score and embedding of one text by the book, without rounding."""

    def dense(x: Floats, name: str) -> Floats:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def normed(x: Floats, name: str) -> Floats:
        away = x - x.mean(1, keepdims=True)
        unit = away / np.sqrt((away**2).mean(1, keepdims=True) + 1e-12)
        return unit * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def attention(x: Floats, name: str) -> Floats:
        parts = (dense(x, f"{name}.{part}") for part in ("query", "key", "value"))
        query, key, value = (part.reshape(len(x), heads, -1).swapaxes(0, 1) for part in parts)
        weight = np.exp(query @ key.swapaxes(1, 2) / np.sqrt(query.shape[2]))
        taken = weight / weight.sum(2, keepdims=True) @ value
        return taken.swapaxes(0, 1).reshape(len(x), -1)

    x = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.position_embeddings.weight"][: len(ids)]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    x = normed(x, "embeddings.LayerNorm")
    for layer in range(2):
        name = f"encoder.layer.{layer}"
        taken = dense(attention(x, f"{name}.attention.self"), f"{name}.attention.output.dense")
        x = normed(x + taken, f"{name}.attention.output.LayerNorm")
        inner = dense(x, f"{name}.intermediate.dense")
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        x = normed(x + dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    embedding = x.mean(0)
    return float(embedding @ weights["head.weight"][0] + weights["head.bias"][0]), embedding


@pytest.fixture
def encoder(weights: Weights, base: Path, tmp_path: Path) -> Encoder:
    pytest.importorskip("onnx", reason="onnx is not installed: nothing to export with")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    export(weights, base, tmp_path / "encoder", max_length=20)
    return Encoder.load(tmp_path / "encoder")


def test_export_computes_what_the_weights_say(
    encoder: Encoder, weights: Weights, base: Path
) -> None:
    reader = WordPiece.load(base / "vocab.txt", max_length=20)
    wanted = [network(weights, reader.ids(text), heads=4) for text in TEXTS]
    scores, embeddings = encoder.score(TEXTS), encoder.embed(TEXTS)
    size = float(np.std([score for score, _ in wanted]))
    assert scores == pytest.approx([score for score, _ in wanted], abs=0.1 * size)
    error = embeddings - np.array([row for _, row in wanted])
    assert np.sqrt((error**2).mean()) < 0.05  # the embeddings' own size is 1


def test_export_writes_the_three_files(encoder: Encoder, tmp_path: Path) -> None:
    assert encoder.reader.max_length == 20
    names = {path.name for path in (tmp_path / "encoder").iterdir()}
    assert names == {"encoder.onnx", "embeddings.npz", "vocab.txt"}


def test_export_writes_the_same_bytes_twice(
    encoder: Encoder, weights: Weights, base: Path, tmp_path: Path
) -> None:
    export(weights, base, tmp_path / "again", max_length=20)
    for path in (tmp_path / "encoder").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_encoder_scores_are_equal_alone_and_in_company(encoder: Encoder) -> None:
    together = encoder.score(TEXTS)
    backwards = encoder.score(TEXTS[::-1])[::-1]
    alone = [encoder.score([text])[0] for text in TEXTS]
    assert together.tolist() == alone == backwards.tolist()
    assert np.unique(together).size > 4


def test_encoder_reads_any_text(encoder: Encoder) -> None:
    @settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.text(max_size=40), max_size=3))
    def reads(texts: list[str]) -> None:
        assert np.isfinite(encoder.score(texts)).all()
        assert encoder.embed(texts).shape == (len(texts), 32)

    reads()


def test_encoder_load_refuses_the_network_of_another(encoder: Encoder, tmp_path: Path) -> None:
    folder = tmp_path / "encoder"
    with np.load(folder / "embeddings.npz") as arrays:
        half = {name: arrays[name] for name in arrays}
    half["pieces"], half["positions"] = half["pieces"][:, :16], half["positions"][:, :16]
    np.savez(folder / "embeddings.npz", **half)
    with pytest.raises(BadInput, match="cannot run the encoder's network"):
        Encoder.load(folder)


@pytest.mark.parametrize("lost", ["head.bias", "encoder.layer.1.output.dense.weight"])
def test_export_refuses_weights_that_lack_a_part(
    weights: Weights, base: Path, tmp_path: Path, lost: str
) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: nothing to export with")
    rest = {name: array for name, array in weights.items() if name != lost}
    with pytest.raises(BadInput, match=lost):
        export(rest, base, tmp_path / "encoder", max_length=20)
    assert not (tmp_path / "encoder").exists()


def test_export_names_what_to_install(
    weights: Weights, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(BadInput, match=r"needs onnx: pip install 'hookline\[train\]'"):
        export(weights, base, tmp_path / "encoder", max_length=20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "roberta"}, "'roberta'"),
        ({"hidden_act": "relu"}, "'relu'"),
        ({"position_embedding_type": "relative_key"}, "positions"),
        ({"hidden_size": "wide"}, "hidden_size"),
    ],
)
def test_bert_refuses_another_build(base: Path, change: dict[str, str], message: str) -> None:
    path = base / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BadInput, match=message):
        Bert.of(base)


def test_bert_refuses_a_folder_without_its_files(base: Path, tmp_path: Path) -> None:
    (base / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    with pytest.raises(BadInput, match="uncased"):
        Bert.of(base)
    (base / "vocab.txt").unlink()
    with pytest.raises(BadInput, match=r"no vocab\.txt"):
        Bert.of(base)
    with pytest.raises(BadInput, match=r"config\.json"):
        Bert.of(tmp_path / "nowhere")


def test_bert_reads_its_build(base: Path) -> None:
    (base / "tokenizer_config.json").write_text('{"do_lower_case": true, "sep_token": "[SEP]"}')
    assert Bert.of(base) == Bert(width=32, layers=2, heads=4, positions=24, epsilon=1e-12)
