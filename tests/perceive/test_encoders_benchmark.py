import numpy as np
import pytest
from benchmarks import encoders

from hookline.perceive.encoders import StaticEncoder
from hookline.perceive.encoders.wordpiece import WordPiece

READER = WordPiece(["[UNK]", "[CLS]", "[SEP]", "red", "blue", "shoe", "the"], max_length=20)
SHARES = np.array([0, 0, 0, 0.001, 0.001, 0.001, 0.997])


def test_words_alone_knows_common_words_and_weighs_them() -> None:
    found = encoders._words_alone(
        ["red shoe", "the blue"], ["shoe red", "the the red", "blue"], READER, SHARES
    )
    assert found[0] == pytest.approx([1, 0.5**0.5, 0], abs=0.01)
    assert found[1] == pytest.approx([0, 0, 1], abs=0.01)


def test_found_and_mean_rank_count_ranks() -> None:
    likeness = np.array([[3.0, 1, 2], [5, 4, 1], [1, 1, 1]])
    assert encoders._found(likeness) == pytest.approx(1 / 3)
    assert encoders._mean_rank(likeness) == pytest.approx((1 + 1 / 2 + 1) / 3)


def test_ridge_finds_the_slopes() -> None:
    rng = np.random.default_rng(0)
    features, weights = rng.normal(size=(5000, 3)), rng.uniform(0.5, 2, 5000)
    slopes = encoders._ridge(features, features @ [1.0, -2.0, 0.5], weights)
    assert slopes == pytest.approx(np.array([1, -2, 0.5]) / (1 + encoders.STRENGTH), rel=0.05)


def test_left_out_foretells_each_line_from_the_others() -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(2, 3, 3))
    covariance = root @ root.transpose(0, 2, 1) + np.eye(3)
    seen = rng.normal(size=(2, 3))
    means, precisions = encoders._left_out(covariance, seen)
    full = covariance + encoders.SHARED
    for test, line in np.ndindex(2, 3):
        others = [k for k in range(3) if k != line]
        gains = np.linalg.solve(full[test][np.ix_(others, others)], full[test][others, line])
        assert means[test, line] == pytest.approx(gains @ seen[test][others])
        left = full[test][line, line] - gains @ full[test][others, line]
        assert precisions[test, line] == pytest.approx(1 / left)


def test_same_pairs_are_no_trick_of_common_words() -> None:
    shipped = StaticEncoder.open()
    left, right = ([pair[side] for pair in encoders.SAME] for side in (0, 1))
    near = encoders._found(shipped.encode(left) @ shipped.encode(right).T)
    words = encoders._words_alone(left, right, shipped._reader, np.full(30_522, 1 / 30_522))
    assert near > encoders._found(words) + 0.2
