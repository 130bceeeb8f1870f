"""Every measure of diversity against numbers worked out by hand, and its bounds."""

from math import e, exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hookline.diversity import (
    compression_ratio,
    cosines,
    literal,
    measure,
    off_diagonal,
    self_bleu,
    self_repetition,
    vendi,
    word_vectors,
)
from hookline.errors import BadInput

# Three vectors at 0, 60 and 90 degrees: cosines 1/2, 0 and √3/2.
FAN = np.array([[1.0, 0.0], [0.5, sqrt(3) / 2], [0.0, 1.0]])
vectors = arrays(
    np.float64, st.tuples(st.integers(2, 7), st.integers(1, 5)), elements=st.floats(-9, 9)
)


def test_cosines_of_a_fan_of_any_length() -> None:
    wanted = np.array([[1, 0.5, 0], [0.5, 1, sqrt(3) / 2], [0, sqrt(3) / 2, 1]])
    assert cosines(FAN * [[3.0], [0.2], [7.0]]) == pytest.approx(wanted)


def test_cosines_zero_rows_are_like_nothing_but_themselves() -> None:
    assert cosines(np.zeros((2, 3))).tolist() == [[1, 0], [0, 1]]


def test_literal_counts_each_text_with_itself_and_off_diagonal_does_not() -> None:
    pairs = 0.5 + sqrt(3) / 2
    assert literal(FAN) == pytest.approx(1 - (3 + 2 * pairs) / 9)
    assert off_diagonal(FAN) == pytest.approx(1 - pairs / 3)


def test_literal_grows_with_the_number_of_texts_and_off_diagonal_does_not() -> None:
    assert [literal(np.eye(count)) for count in (2, 4, 8)] == [0.5, 0.75, 0.875]
    assert [off_diagonal(np.eye(count)) for count in (2, 4, 8)] == [1.0, 1.0, 1.0]


def test_opposites_are_the_most_diverse_pair() -> None:
    assert off_diagonal(np.array([[1.0], [-2.0]])) == 2.0
    assert literal(np.array([[1.0], [-2.0]])) == 1.0


def test_vendi_of_two_texts_by_hand() -> None:
    """At 60 degrees the eigenvalues of K/2 are 3/4 and 1/4."""
    wanted = exp(-(0.75 * log(0.75) + 0.25 * log(0.25)))
    assert vendi(FAN[:2]) == pytest.approx(wanted)


def test_vendi_counts_groups_that_share_nothing() -> None:
    assert vendi(np.repeat(np.eye(3), 4, axis=0)) == pytest.approx(3)
    assert vendi(np.ones((5, 2))) == pytest.approx(1)


@given(vectors)
def test_measures_of_vectors_keep_their_bounds(rows: np.ndarray) -> None:
    count = len(rows)
    assert -1e-9 <= literal(rows) <= 1 + 1e-9
    assert -1e-9 <= off_diagonal(rows) <= 1 + 1 / (count - 1) + 1e-9
    assert 1 - 1e-9 <= vendi(rows) <= count + 1e-9
    assert off_diagonal(rows) == pytest.approx(literal(rows) * count / (count - 1), abs=1e-9)


@given(vectors, st.randoms())
def test_measures_of_vectors_know_no_order(rows: np.ndarray, random: object) -> None:
    mixed = rows[::-1]
    assert vendi(mixed) == pytest.approx(vendi(rows), abs=1e-7)
    assert off_diagonal(mixed) == pytest.approx(off_diagonal(rows), abs=1e-9)


def test_self_bleu_of_one_text_said_twice_is_1() -> None:
    assert self_bleu(["a bag for every day", "A bag for every day"]) == pytest.approx(1)


def test_self_bleu_by_hand() -> None:
    """Each has 5 words, of which 4 are shared, 3 of 4 pairs, 2 of 3 threes, 1 of 2 fours."""
    wanted = (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4)
    assert self_bleu(["the bag you pack first", "the bag you pack last"]) == pytest.approx(wanted)


def test_self_bleu_of_nothing_in_common_is_low_but_not_0() -> None:
    """No run is shared: each order counts .1 of a run."""
    wanted = (0.1 / 4 * 0.1 / 3 * 0.1 / 2 * 0.1) ** (1 / 4)
    assert self_bleu(["one two three four", "red green blue grey"]) == pytest.approx(wanted)


def test_self_bleu_short_texts_pay_for_brevity() -> None:
    """`a b` stands whole in `a b c d`: precision 1, brevity exp(1 - 4/2); the other way round
    1/2, 1/3, and .1 of 2 threes and of 1 four."""
    short = 1 / e
    long = (2 / 4 * 1 / 3 * 0.1 / 2 * 0.1) ** (1 / 4)
    assert self_bleu(["a b", "a b c d"]) == pytest.approx((short + long) / 2)


def test_self_bleu_takes_the_nearest_reference_and_clips_to_the_most_of_one() -> None:
    """`a a` against `a` and `a b`: one of two `a` is covered, no pair; the length is `a b`'s.

    `a` stands whole in both others, but is half as long.
    """
    first = sqrt(1 / 2 * 0.1 / 1)
    second = exp(1 - 2 / 1)
    third = sqrt(1 / 2 * 0.1 / 1)
    assert self_bleu(["a a", "a", "a b"]) == pytest.approx((first + second + third) / 3)


def test_self_bleu_reads_languages_without_spaces() -> None:
    assert self_bleu(["毎日のバッグ", "毎日のバッグ"]) == pytest.approx(1)
    assert self_bleu(["毎日のバッグ", "旅のための靴"]) < 0.3


def test_self_bleu_of_empty_texts_is_0() -> None:
    assert self_bleu(["", ""]) == 0.0


def test_compression_ratio_rises_with_repetition() -> None:
    other = ["A bag for the road", "Pack once, forget the rest", "Nine pockets, one zip"]
    assert compression_ratio(other[:1] * 30) > 10
    assert compression_ratio(other[:1] * 3) > compression_ratio(other)


def test_compression_ratio_is_the_same_every_time() -> None:
    assert compression_ratio(["a", "b"]) == 3 / 23


def test_self_repetition_by_hand() -> None:
    """The first shares both its runs with the second, one of them with the third too."""
    texts = ["one two three four five", "one two three four five", "one two three four six", "no"]
    assert self_repetition(texts) == pytest.approx((log(4) + log(4) + log(3) + 0) / 4)


def test_self_repetition_of_no_shared_run_is_0() -> None:
    assert self_repetition(["one two three", "one two three"]) == 0.0
    assert self_repetition(["one two three", "one two three"], size=3) == pytest.approx(log(2))


def test_word_vectors_tell_shared_words() -> None:
    found = cosines(word_vectors(["A red bag", "a RED shoe", "blue sky"]))
    assert found[0].tolist() == pytest.approx([1, 2 / 3, 0])


def test_measure_has_every_measure() -> None:
    texts = ["the bag you pack first", "the bag you pack last"]
    found = measure(texts, FAN[:2])
    assert (found.texts, found.literal, found.vendi) == (2, literal(FAN[:2]), vendi(FAN[:2]))
    assert (found.self_bleu, found.self_repetition) == (self_bleu(texts), self_repetition(texts))
    assert found.compression_ratio == compression_ratio(texts)
    assert found.off_diagonal == pytest.approx(0.5)


def test_too_few_texts_are_bad_input() -> None:
    for ask in (
        lambda: literal(np.zeros((0, 2))),
        lambda: vendi(np.zeros((0, 2))),
        lambda: off_diagonal(np.eye(1)),
        lambda: self_bleu(["one"]),
        lambda: compression_ratio([]),
        lambda: self_repetition([]),
    ):
        with pytest.raises(BadInput, match="can't be told"):
            ask()
