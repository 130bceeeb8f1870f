from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from hookline.errors import BadInput
from hookline.perceive.encoders.static import StaticEncoder
from hookline.perceive.encoders.wordpiece import WordPiece
from hookline.prior.distil import COMMON, distil, piece_shares
from hookline.prior.encoder import Encoder, Floats, Vectors

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{number}" for number in range(40))]
READER = WordPiece([*PIECES, "w", *(f"##{digit}" for digit in range(10))], max_length=12)


class Middle:
    """A network whose embedding is the vector of the piece in the middle."""

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Floats]) -> list[Floats]:
        assert input_feed["vectors"].shape[1] == 3
        return [input_feed["vectors"][:, 1]]


def encoder(seed: int = 0) -> Encoder:
    rng = np.random.default_rng(seed)
    pieces = rng.normal(size=(READER.size, 12)) * np.linspace(4, 1, 12)
    vectors = Vectors.rounded(pieces.astype(np.float32), np.zeros((12, 12), dtype=np.float32))
    return Encoder(reader=READER, vectors=vectors, network=Middle())


def test_distil_keeps_what_is_alike_alike_at_full_width() -> None:
    deep = encoder()
    found = distil(deep, [], width=12)
    own = found.steps[4:] * found.scales[4:, None]
    # Axes of equal length: distances are those of the whitened vectors, up to one factor.
    plain = (deep.vectors.pieces * deep.vectors.scales[:, None]).astype(np.float64)
    centred = plain - plain.mean(axis=0)
    metric = np.linalg.inv(centred.T @ centred)
    wanted = centred @ metric @ centred.T
    ratio = (own @ own.T)[np.triu_indices(len(own))] / wanted[4:, 4:][np.triu_indices(len(own))]
    assert np.median(ratio) > 0
    close = np.abs(wanted[4:, 4:][np.triu_indices(len(own))]) > 0.05
    assert ratio[close] == pytest.approx(np.median(ratio), rel=0.1)


def test_distil_weighs_common_pieces_down() -> None:
    texts = ["w1 w1 w2"] * 500
    found, flat = distil(encoder(), texts, width=8), distil(encoder(), [], width=8)
    shares = piece_shares(READER, texts)

    def size(index: int) -> float:
        return float(np.linalg.norm(found.steps[index] * found.scales[index]))

    common, rare = READER.index("w1"), READER.index("w30")
    assert common is not None
    assert rare is not None
    assert COMMON / (COMMON + shares[common]) < 0.002
    assert size(common) < 0.02 * size(rare)
    assert flat.steps[common].any()


def test_distil_leaves_signs_of_no_word_silent() -> None:
    found = distil(encoder(), ["w1"], width=4)
    assert not found.steps[:4].any()
    assert found.steps[4:].any(axis=1).all()


def test_distil_is_the_same_twice_and_can_be_read() -> None:
    told: list[int] = []
    first = distil(encoder(), ["w1 w2"], width=4, progress=told.append)
    again = distil(encoder(), ["w1 w2"], width=4)
    assert np.array_equal(first.steps, again.steps)
    assert np.array_equal(first.scales, again.scales)
    assert told[-1] == READER.size
    rows = StaticEncoder(READER, first).encode(["w1 w2", "w3"])
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1], abs=1e-6)


@pytest.mark.parametrize("width", [0, 13])
def test_distil_refuses_a_width_that_is_not_there(width: int) -> None:
    with pytest.raises(BadInput, match=f"width of {width}"):
        distil(encoder(), ["w1"], width=width)


def test_piece_shares_count_pieces() -> None:
    shares = piece_shares(READER, ["w1 w2", "w1"])
    places = [READER.index(f"w{number}") or 0 for number in (1, 2, 3)]
    assert shares.sum() == pytest.approx(1)
    assert shares[places] * (3 + 0.5 * READER.size) == pytest.approx([2.5, 1.5, 0.5])
