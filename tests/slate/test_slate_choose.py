"""Choosing a slate: the ends of the dial, repetitions, what is kept already, the literal mode."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.diversity import cosines, literal, off_diagonal
from hookline.errors import BadInput
from hookline.slate import MODES, REACH, Mode, choose, creativity_of
from hookline.slate.choose import USUAL_RATE


def made(copies: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Promises and vectors of a pool of copies that have much in common."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.15, copies), rng.normal(0.4, 0.5, (copies, 12))


@pytest.mark.parametrize("mode", MODES)
def test_at_0_the_most_promising_are_kept_in_their_order(mode: Mode) -> None:
    promise, vectors = made(20, 1)
    wanted = np.argsort(-promise)[:5].tolist()
    assert choose(promise, vectors, 5, creativity=0, mode=mode) == wanted


@pytest.mark.parametrize("mode", MODES)
def test_at_1_promise_decides_only_between_equals(mode: Mode) -> None:
    vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.0, 1.0]])
    picked = choose(np.array([0.1, 0.0, -0.5, -0.4]), vectors, 2, creativity=1, mode=mode)
    assert picked == [0, 3]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("creativity", [0.2, 0.5, 0.8])
def test_a_repetition_comes_last(mode: Mode, creativity: float) -> None:
    vectors = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    assert choose(np.zeros(3), vectors, 2, creativity=creativity, mode=mode) == [0, 2]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_kept_already_counts_as_chosen(mode: Mode) -> None:
    vectors = np.eye(3)
    picked = choose(np.zeros(3), vectors, 1, creativity=0.5, mode=mode, beside=vectors[:1])
    assert picked == [1]


@pytest.mark.parametrize("mode", MODES)
def test_more_wanted_than_there_are_gives_all(mode: Mode) -> None:
    promise, vectors = made(4, 2)
    assert sorted(choose(promise, vectors, 9, creativity=0.5, mode=mode)) == [0, 1, 2, 3]
    assert choose(promise[:0], vectors[:0], 3, creativity=0.5, mode=mode) == []


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0, 1), st.integers(0, 99))
def test_no_copy_is_chosen_twice(copies: int, count: int, creativity: float, seed: int) -> None:
    promise, vectors = made(copies, seed)
    vectors = np.vstack([vectors, vectors])  # every copy twice
    promise = np.concatenate([promise, promise])
    picked = choose(promise, vectors, count, creativity=creativity)
    assert len(picked) == len(set(picked)) == min(count, 2 * copies)


def test_only_differences_of_promise_mean_anything() -> None:
    promise, vectors = made(15, 3)
    assert choose(promise, vectors, 6, creativity=0.5) == choose(
        promise + 7.0, vectors, 6, creativity=0.5
    )


def test_dpp_gain_is_promise_and_the_volume_that_copies_span() -> None:
    """What greed picks first and second is the best of all first and second steps."""
    promise, vectors = made(9, 4)
    dial = 0.6

    def worth(places: list[int]) -> float:
        kernel = cosines(vectors[places])
        volume = 0.5 * np.linalg.slogdet(kernel)[1]
        return float((1 - dial) * promise[places].sum() / REACH + dial * volume)

    first, second, third = choose(promise, vectors, 3, creativity=dial)
    assert first == int(promise.argmax())
    assert second == max((i for i in range(9) if i != first), key=lambda i: worth([first, i]))
    left = [i for i in range(9) if i not in (first, second)]
    assert third == max(left, key=lambda i: worth([first, second, i]))


def test_literal_picks_what_raises_the_papers_r_most() -> None:
    promise, vectors = made(9, 5)
    dial = 0.03
    odds = USUAL_RATE / (1 - USUAL_RATE) * np.exp(promise)

    def r(places: list[int]) -> float:
        rates = (odds / (1 + odds))[places]
        return float(dial * literal(vectors[places]) + (1 - dial) * rates.mean())

    picked = choose(promise, vectors, 4, creativity=dial, mode="literal")
    for size in range(1, 5):
        before, now = picked[: size - 1], picked[size - 1]
        left = [i for i in range(9) if i not in before]
        assert now == max(left, key=lambda i: r([*before, i]))


def test_literal_dial_is_all_diversity_where_rates_are_small() -> None:
    """Why it is not the default: at λ = .2 the most promising copy is not even looked for."""
    promise, vectors = made(30, 6)
    most = max(
        (off_diagonal(vectors[list(pair)]), pair)
        for pair in combinations(range(30), 2)
        if int(promise.argmax()) in pair
    )[1]
    assert set(choose(promise, vectors, 2, creativity=0.2, mode="literal")) == set(most)


def test_creativity_out_of_range_or_unknown_mode_is_bad_input() -> None:
    for creativity in (-0.1, 1.1, float("nan")):
        with pytest.raises(BadInput, match="creativity"):
            choose(np.zeros(1), np.eye(1), 1, creativity=creativity)
    with pytest.raises(BadInput, match="mode"):
        choose(np.zeros(1), np.eye(1), 1, creativity=0.5, mode="best")  # pyright: ignore[reportArgumentType]


def test_creativity_of_takes_the_narrowest_path() -> None:
    dials = {"home": 0.3, "Home >  Kitchen": 0.7}
    assert creativity_of("Home > Kitchen > Mugs", 0.5, dials) == 0.7
    assert creativity_of("Home > Bath", 0.5, dials) == 0.3
    assert creativity_of("Homeware", 0.5, dials) == 0.5
    assert creativity_of("Kitchen", 0.5, {}) == 0.5
