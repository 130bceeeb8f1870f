from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hookline.errors import BadInput
from hookline.perceive.encoders.wordpiece import WordPiece
from hookline.prior.encoder import Encoder, Floats, Vectors, rounded

PIECES = ["[UNK]", "[CLS]", "[SEP]", "a", "b", "c"]


class Adding:
    """A network whose score is the sum of all it is given, and whose embedding the mean vector."""

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Floats]) -> list[Floats]:
        vectors = input_feed["vectors"]
        known = {"score": vectors.sum((1, 2))[:, None], "embedding": vectors.mean(1)}
        return [known[name] for name in output_names]


def vectors() -> Vectors:
    pieces = np.arange(18, dtype=np.float32).reshape(6, 3)
    return Vectors.rounded(pieces, np.zeros((8, 3), dtype=np.float32))


def encoder() -> Encoder:
    reader = WordPiece(PIECES, max_length=8)
    return Encoder(reader=reader, vectors=vectors(), network=Adding())


def test_encoder_score_keeps_the_order_of_texts() -> None:
    # [CLS] is (3, 4, 5) and [SEP] (6, 7, 8), which makes 33; "a" adds 30, "b" 39, "c" 48.
    scores = encoder().score(["b", "a c", "", "a", "c a"])
    assert scores.dtype == np.float64
    assert scores == pytest.approx([72, 111, 33, 63, 111], abs=0.5)


def test_encoder_embed_gives_a_row_a_text() -> None:
    found = encoder().embed(["a", ""])
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[6, 7, 8], [4.5, 5.5, 6.5]]), abs=0.1)


def test_encoder_no_texts_give_empty_arrays() -> None:
    assert encoder().score([]).shape == (0,)
    assert encoder().embed([]).shape == (0, 3)


@given(
    arrays.arrays(
        np.float32,
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=5),
        elements=st.floats(-1e3, 1e3, width=32),
    )
)
def test_rounded_errs_by_half_a_step_at_most(rows: Floats) -> None:
    steps, scales = rounded(rows)
    assert (steps.dtype, scales.dtype, scales.shape) == (np.int8, np.float32, (len(rows),))
    assert steps.min() >= -127
    assert np.all(scales > 0)
    far = np.abs(steps * scales[:, None].astype(np.float64) - rows)
    assert np.all(far <= scales[:, None] * 0.5001)


def test_rounded_keeps_zeros_and_the_largest_value() -> None:
    steps, scales = rounded(np.array([[0, 0], [-2, 1]], dtype=np.float32))
    assert steps.tolist() == [[0, 0], [-127, 64]]
    assert scales.tolist() == pytest.approx([1, 2 / 127])


def test_vectors_of_adds_piece_and_position() -> None:
    positions = np.array([[0, 0], [10, 20]], dtype=np.float32)
    table = Vectors.rounded(np.array([[1, 2], [3, 4]], dtype=np.float32), positions)
    assert table.of([1, 0]) == pytest.approx(np.array([[[3, 4], [11, 22]]]), abs=0.02)


def test_vectors_come_back_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.npz"
    before = vectors()
    before.save(path)
    after = Vectors.load(path)
    for name in ("pieces", "scales", "positions"):
        assert np.array_equal(getattr(before, name), getattr(after, name))


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 broken", b"not a zip"])
def test_vectors_load_says_what_is_wrong(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "embeddings.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=r"cannot read the encoder's vectors"):
        Vectors.load(path)


def test_vectors_load_refuses_what_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.npz"
    right = vectors()
    wrong = {
        "pieces": [right.pieces.astype(np.float32), right.pieces[:3], right.pieces[0]],
        "scales": [right.scales.astype(np.float64), right.scales[:, None]],
        "positions": [right.positions[:, :2], right.positions.astype(np.float64)],
    }
    for name, values in wrong.items():
        for value in values:
            replace(right, **{name: value}).save(path)
            with pytest.raises(BadInput, match=r"don't fit together"):
                Vectors.load(path)
    np.savez(path, pieces=right.pieces)
    with pytest.raises(BadInput, match=r"cannot read"):
        Vectors.load(path)


def test_encoder_load_refuses_another_vocabulary(tmp_path: Path) -> None:
    vectors().save(tmp_path / "embeddings.npz")
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES[:5]))
    with pytest.raises(BadInput, match=r"mixes two encoders: 5 pieces .* 6 in"):
        Encoder.load(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"not a graph"])
def test_encoder_load_says_what_is_wrong_with_the_network(
    tmp_path: Path, content: bytes | None
) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    vectors().save(tmp_path / "embeddings.npz")
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES))
    if content is not None:
        (tmp_path / "encoder.onnx").write_bytes(content)
    with pytest.raises(BadInput, match=r"cannot run the encoder's network .*encoder\.onnx"):
        Encoder.load(tmp_path)
