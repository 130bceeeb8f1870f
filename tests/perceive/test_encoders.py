"""What every encoder promises, the cache in front of it, and names."""

from collections.abc import Sequence
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.errors import BadInput, UnregisteredName
from hookline.perceive.encoders import (
    ENCODERS,
    IMAGE_ENCODERS,
    Cached,
    CachedImages,
    Encoder,
    ImageEncoder,
    encoder_named,
    image_encoder_named,
)
from hookline.perceive.encoders.base import Floats, fingerprint, unit
from hookline.perceive.encoders.packages import require
from hookline.perceive.encoders.pictures import Image


class Letters(Encoder):
    """Counts the letters a, b and c, and the texts it was asked about."""

    name, version, width = "letters", "1", 3

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Floats:
        self.asked.extend(texts)
        rows = [[text.count(letter) for letter in "abc"] for text in texts]
        return unit(np.array(rows, dtype=np.float64).reshape(-1, 3))


class Blind(ImageEncoder):
    """Sees the same in any picture; must never be shown one that can't be read."""

    name, version, width = "blind", "1", 2

    def describe(self, image: Image) -> Floats:
        return np.array([1, 0], dtype=np.float32)


def test_cached_gives_what_the_encoder_gives_and_asks_once() -> None:
    plain, behind = Letters(), Letters()
    cached = Cached(behind, 10)
    texts = ["aab", "c", "aab", ""]
    assert np.array_equal(cached.encode(texts), plain.encode(texts))
    assert np.array_equal(cached.encode(texts[::-1]), plain.encode(texts[::-1]))
    assert behind.asked == ["aab", "c", ""]
    assert (cached.name, cached.version, cached.width) == ("letters", "1", 3)


def test_cached_forgets_the_text_longest_not_met() -> None:
    behind = Letters()
    cached = Cached(behind, 2)
    for text in ("a", "b", "a", "c", "a", "b"):
        cached.encode([text])
    assert behind.asked == ["a", "b", "c", "b"]


def test_cached_takes_more_texts_at_once_than_it_holds() -> None:
    texts = [letter * count for letter in "abc" for count in range(1, 9)]
    assert np.array_equal(Cached(Letters(), 3).encode(texts), Letters().encode(texts))
    assert Cached(Letters(), 3).encode([]).shape == (0, 3)


def test_cached_rows_belong_to_the_caller() -> None:
    cached = Cached(Letters(), 2)
    cached.encode(["a"])[:] = 9
    assert cached.encode(["a"]).tolist() == [[1, 0, 0]]


@given(st.lists(st.lists(st.text("abc", max_size=3), max_size=5), max_size=12), st.integers(1, 6))
def test_cached_is_never_seen(batches: list[list[str]], size: int) -> None:
    cached, plain = Cached(Letters(), size), Letters()
    for batch in batches:
        assert np.array_equal(cached.encode(batch), plain.encode(batch))
    assert len(cached._met._entries) <= size


def test_cached_serves_many_threads() -> None:
    cached, barrier = Cached(Letters(), 5), Barrier(8)
    texts = ["a" * (n % 7) + "b" * (n % 5) + "c" for n in range(300)]
    wanted = Letters().encode(texts)
    wrong: list[int] = []

    def ask(start: int) -> None:
        barrier.wait()
        order = [*range(start, 300), *range(start)]
        wrong.extend(row for row in order if (cached.encode([texts[row]])[0] != wanted[row]).any())

    threads = [Thread(target=ask, args=(start * 11,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(cached._met._entries) == 5


@pytest.mark.parametrize("size", [0, -1])
def test_cache_needs_room(size: int) -> None:
    with pytest.raises(BadInput, match="at least 1"):
        Cached(Letters(), size)
    with pytest.raises(BadInput, match="at least 1"):
        CachedImages(Blind(), size)


@given(
    st.lists(
        st.lists(
            st.floats(-1e100, 1e100) | st.sampled_from([np.nan, np.inf]), min_size=3, max_size=3
        ),
        min_size=1,
        max_size=4,
    )
)
def test_unit_rows_have_length_one_or_are_silent(rows: list[list[float]]) -> None:
    lengths = np.linalg.norm(unit(np.array(rows)), axis=1)
    assert np.all((lengths == 0) | (np.abs(lengths - 1) < 1e-6))


def test_fingerprint_tells_values_shapes_types_and_settings_apart() -> None:
    weights = np.arange(6, dtype=np.float32)
    versions = {
        fingerprint({"w": weights}, 1),
        fingerprint({"w": weights}, 2),
        fingerprint({"v": weights}, 1),
        fingerprint({"w": weights.reshape(2, 3)}, 1),
        fingerprint({"w": weights.astype(np.int32)}, 1),
        fingerprint({"w": weights + np.float32(1e-6)}, 1),
    }
    assert len(versions) == 6
    assert fingerprint({"a": weights, "b": weights[:2]}) == fingerprint(
        {"b": weights[:2].copy(), "a": weights}
    )


def test_encoder_named_puts_a_cache_in_front() -> None:
    encoder = encoder_named("static", size=7)
    assert (encoder.name, encoder.size) == ("static", 7)
    assert encoder.encode(["Pack light."]).shape == (1, encoder.width)


@pytest.mark.parametrize("name", ["statik", "", "image", "torch:x"])
def test_encoder_named_knows_its_kinds_alone(name: str) -> None:
    with pytest.raises(UnregisteredName, match="Known: clip, sentence, static"):
        encoder_named(name)


def test_image_encoder_named_knows_its_kinds_alone() -> None:
    with pytest.raises(UnregisteredName, match="Known: clip, image"):
        image_encoder_named("static")


@pytest.mark.parametrize("name", ["static:x", "sentence", "sentence:", "clip:"])
def test_encoder_named_says_what_belongs_behind_the_colon(name: str) -> None:
    with pytest.raises(BadInput, match=r"behind a colon|NAME_OR_FOLDER"):
        encoder_named(name)


def test_require_says_how_to_get_a_package() -> None:
    with pytest.raises(BadInput, match=r"needs no_such_package: pip install 'hookline\[clip\]'"):
        require("no_such_package.part", "clip")


def test_every_kind_has_its_heading_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs/perception.md").read_text()
    for kind in {*ENCODERS, *IMAGE_ENCODERS}:
        assert f"\n## `{kind}`" in page, kind
