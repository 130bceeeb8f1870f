"""What an arm holds of its text: few numbers, the same on every machine, true to the encoder."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.errors import BadInput, UnregisteredName
from hookline.perceive.encoders import Encoder, StaticEncoder, check_encoder, embeddings, narrowed
from hookline.perceive.encoders.base import Floats, unit
from hookline.perceive.encoders.embedding import WIDTH, Projected
from hookline.types import dumps

SHIPPED = StaticEncoder.open()


class Wide(Encoder):
    """Reads a number as a seed, and anything else as nothing."""

    name = "wide"

    def __init__(self, width: int = 384, version: str = "1") -> None:
        self.width, self.version = width, version

    def encode(self, texts: Sequence[str]) -> Floats:
        rows = np.zeros((len(texts), self.width))
        for row, text in zip(rows, texts, strict=True):
            if text.isdecimal():
                row[:] = np.random.default_rng(int(text)).normal(size=self.width)
        return unit(rows)


def test_embeddings_of_a_narrow_encoder_are_its_vectors_rounded() -> None:
    texts = ["Keeps your coffee hot until noon", "9 pockets"]
    found = embeddings(SHIPPED, texts)
    assert np.abs(np.array(found) - SHIPPED.encode(texts)).max() <= 0.0005 + 1e-6
    assert narrowed(SHIPPED) is SHIPPED


@given(st.lists(st.text(max_size=40), max_size=5))
def test_embeddings_are_short_and_about_one_long(texts: list[str]) -> None:
    for text, found in zip(texts, embeddings(SHIPPED, texts), strict=True):
        assert found in ((), *embeddings(SHIPPED, [text]))
        assert len(found) in {0, SHIPPED.width}
        assert not found or np.linalg.norm(found) == pytest.approx(1, abs=0.005)
        assert len(dumps(found)) < 500


def test_embeddings_of_what_cannot_be_read_are_empty() -> None:
    assert embeddings(SHIPPED, ["", "\U0001f9e6"]) == [(), ()]
    assert embeddings(Wide(), ["letters"]) == [()]
    assert embeddings(SHIPPED, []) == []


def test_a_wide_encoder_keeps_its_angles_about() -> None:
    wide, texts = Wide(), [str(number) for number in range(60)]
    found = np.array(embeddings(wide, texts))
    assert found.shape == (60, WIDTH)
    moved = (found @ found.T - wide.encode(texts) @ wide.encode(texts).T)[np.triu_indices(60, 1)]
    assert abs(moved.mean()) < 0.02
    assert 0.08 < moved.std() < 0.16  # about 1 / sqrt(64)


def test_a_projection_is_the_same_on_every_machine() -> None:
    """The first twelve bits of the hash, the highest of each byte first, 1 for -1."""
    signs = Projected(Wide(3), 4)._signs
    assert signs.tolist() == [[-1, 1, -1, 1], [1, -1, 1, 1], [-1, -1, -1, 1]]


def test_a_projection_reads_a_text_alike_in_any_company() -> None:
    texts = [str(number) for number in range(40)]
    together = Projected(Wide(), WIDTH).encode(texts)
    for row, text in zip(together, texts, strict=True):
        assert np.array_equal(Projected(Wide(), WIDTH).encode([text])[0], row)


def test_a_projection_has_an_identity_of_its_own() -> None:
    found = [narrowed(each) for each in (Wide(), Wide(version="2"), Wide(400), Wide(64))]
    assert len({each.identity for each in found}) == 4
    assert narrowed(Wide()).identity == found[0].identity
    assert all(each.identity.startswith("wide ") for each in found)
    assert found[3].identity == "wide 1"


def test_check_encoder_takes_what_ships() -> None:
    check_encoder("static")


@pytest.mark.parametrize("name", ["statik", "", "none", "image"])
def test_check_encoder_knows_its_kinds_alone(name: str) -> None:
    with pytest.raises(UnregisteredName, match="Known: clip, sentence, static"):
        check_encoder(name)


@pytest.mark.parametrize("name", ["static:x", "sentence", "sentence:", "clip:"])
def test_check_encoder_says_what_belongs_behind_the_colon(name: str) -> None:
    with pytest.raises(BadInput, match=r"behind a colon|NAME_OR_FOLDER"):
        check_encoder(name)
