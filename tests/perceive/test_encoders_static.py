from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.errors import BadInput
from hookline.perceive.encoders.static import (
    VECTORS,
    VOCABULARY,
    StaticEncoder,
    StaticVectors,
)
from hookline.perceive.encoders.wordpiece import WordPiece

PIECES = ["[UNK]", "[CLS]", "[SEP]", "un", "##do", "do", "!"]
READER = WordPiece(PIECES, max_length=8)
SHIPPED = StaticEncoder.open()


def vectors() -> StaticVectors:
    steps = np.zeros((7, 2), dtype=np.int8)
    steps[3:] = [[127, 0], [0, 127], [-127, 0], [3, 4]]
    scales = np.array([1, 1, 1, 1, 2, 1, 1], dtype=np.float32)
    return StaticVectors(steps=steps, scales=scales, vocabulary=READER.fingerprint)


def test_static_adds_up_the_vectors_of_pieces() -> None:
    found = StaticEncoder(READER, vectors()).encode(["un", "undo", "!", "! !", "", "zzz", "un do"])
    wanted = [[1, 0], [0.2**0.5, 0.8**0.5], [0.6, 0.8], [0.6, 0.8], [0, 0], [0, 0], [0, 0]]
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array(wanted), abs=1e-6)


def test_static_of_nothing_is_nothing() -> None:
    assert SHIPPED.encode([]).shape == (0, SHIPPED.width)


@given(st.lists(st.text(max_size=30), max_size=6))
def test_static_reads_a_text_alike_in_any_company(texts: list[str]) -> None:
    together = SHIPPED.encode(texts)
    lengths = np.linalg.norm(together, axis=1)
    assert np.all((lengths == 0) | (np.abs(lengths - 1) < 1e-5))
    for row, text in zip(together, texts, strict=True):
        assert np.array_equal(SHIPPED.encode([text])[0], row)


def test_static_reads_many_texts_as_it_reads_each() -> None:
    texts = [f"line {number} of copy" + "!" * (number % 3) for number in range(2500)]
    together = SHIPPED.encode(texts)
    assert np.array_equal(
        together[[0, 1023, 1024, 2499]],
        SHIPPED.encode([texts[0], texts[1023], texts[1024], texts[2499]]),
    )


def test_static_ignores_case_order_and_what_it_cannot_read() -> None:
    rows = SHIPPED.encode(["Warm Wool Socks", "warm wool socks", "warm wool socks \U0001f9e6"])
    assert np.array_equal(rows[0], rows[1])
    assert np.array_equal(rows[0], rows[2])
    assert SHIPPED.encode(["wool socks warm"])[0] == pytest.approx(rows[0], abs=1e-6)


@pytest.mark.parametrize(
    ("line", "near", "far"),
    [
        ("trainers", "running shoes", "a cast-iron frying pan"),
        ("keeps your drink cold for hours", "insulated water bottle", "soft cotton pyjamas"),
        ("we deliver at no cost", "free shipping", "waterproof hiking jacket"),
        ("couch discount this week", "save 20% on all sofas", "noise cancelling headphones"),
        ("a present for your mom", "mother's day gifts", "cordless drill with two batteries"),
    ],
)
def test_static_that_ships_brings_like_lines_together(line: str, near: str, far: str) -> None:
    ours, close, distant = SHIPPED.encode([line, near, far])
    assert ours @ close > ours @ distant + 0.2


def test_static_file_that_ships_is_small_and_whole() -> None:
    found = StaticVectors.load(VECTORS)
    assert VECTORS.stat().st_size <= 2_500_000
    assert found.steps.shape == (30_522, SHIPPED.width)
    reader = WordPiece.load(VOCABULARY, max_length=3)
    unknown = reader.index("[UNK]")
    assert not found.steps[unknown].any()
    known = np.abs(found.steps).max(axis=1) == 127
    assert known.sum() == 30_522 - 5


def test_static_version_follows_weights_and_vocabulary() -> None:
    other = [*PIECES[:-1], "?"]
    reader = WordPiece(other, max_length=8)
    moved, renamed = vectors(), vectors()
    moved.steps[3, 1] = 1
    renamed = StaticVectors(
        steps=renamed.steps, scales=renamed.scales, vocabulary=reader.fingerprint
    )
    versions = [
        StaticEncoder(READER, vectors()).version,
        StaticEncoder(READER, moved).version,
        StaticEncoder(reader, renamed).version,
        StaticEncoder(WordPiece(PIECES, max_length=9), vectors()).version,
    ]
    assert len(set(versions)) == 4
    assert StaticEncoder(READER, vectors()).version == versions[0]
    assert StaticEncoder.open().version == SHIPPED.version


def test_static_refuses_vectors_of_another_vocabulary() -> None:
    with pytest.raises(BadInput, match="another vocabulary"):
        StaticEncoder(WordPiece([*PIECES[:-1], "?"], max_length=8), vectors())


def test_static_vectors_come_back_as_saved(tmp_path: Path) -> None:
    vectors().save(tmp_path / "v.npz")
    found = StaticVectors.load(tmp_path / "v.npz")
    assert np.array_equal(found.steps, vectors().steps)
    assert np.array_equal(found.scales, vectors().scales)
    assert found.vocabulary == READER.fingerprint


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04broken"])
def test_static_vectors_say_what_file_is_broken(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "v.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=r"v\.npz"):
        StaticVectors.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"steps": np.zeros((7, 2), dtype=np.int16)},
        {"steps": np.zeros(7, dtype=np.int8)},
        {"scales": np.ones(6, dtype=np.float32)},
        {"scales": np.ones(7)},
    ],
)
def test_static_vectors_that_do_not_fit_are_refused(
    tmp_path: Path, change: dict[str, np.ndarray]
) -> None:
    right: dict[str, Any] = {
        "steps": vectors().steps,
        "scales": vectors().scales,
        "vocabulary": np.array("x"),
    }
    changed: dict[str, Any] = {**right, **change}
    np.savez(tmp_path / "v.npz", **changed)
    with pytest.raises(BadInput, match="don't fit together"):
        StaticVectors.load(tmp_path / "v.npz")
