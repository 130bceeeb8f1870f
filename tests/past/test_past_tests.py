"""The record of past tests: parts of it, and folds that keep groups together."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hookline.errors import BadInput
from hookline.past import PastTests
from past.past_tables import ROWS, Row, lines_of, read, table_of


def grouped(sizes: Sequence[int]) -> PastTests:
    """Tests in groups of these sizes, two lines each."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    tests = len(groups)
    return PastTests(
        test_ids=tuple(f"t{test}" for test in range(tests)),
        groups=groups,
        starts=np.arange(tests + 1) * 2,
        texts=tuple(f"line {line}" for line in range(2 * tests)),
        impressions=np.full(2 * tests, 10),
        clicks=np.arange(2 * tests) % 10,
        predicted=None,
    )


@given(ROWS, st.data())
def test_past_take_is_the_tests_alone(rows: list[Row], data: st.DataObject) -> None:
    rows += [("t1", "one", 9, 1, ""), ("t1", "two", 9, 1, ""), ("t1", "three", 9, 2, "")]
    tests = read(table_of(rows)).tests
    which = data.draw(st.permutations(range(len(tests))).flatmap(
        lambda order: st.integers(0, len(order)).map(lambda count: order[:count])
    ))  # fmt: skip
    part = tests.take(np.array(which, dtype=np.intp))
    assert part.test_ids == tuple(tests.test_ids[test] for test in which)
    assert part.groups.tolist() == tests.groups[which].tolist() if which else not len(part)
    whole = lines_of(tests)
    assert lines_of(part) == {test_id: whole[test_id] for test_id in part.test_ids}
    assert part.starts[-1] == len(part.texts) == len(part.impressions)


def test_past_take_keeps_predictions() -> None:
    rows = "".join(f"t{n // 2},a{n},9,1,.{n + 1}\n" for n in range(6))
    tests = read("test_id,text,impressions,clicks,predicted_ctr\n" + rows).tests
    part = tests.take(np.array([2, 0]))
    assert part.predicted is not None
    assert part.predicted.tolist() == [0.5, 0.6, 0.1, 0.2]


@given(st.lists(st.integers(1, 6), min_size=2, max_size=40), st.integers(2, 6), st.integers(0, 9))
def test_past_folds_keep_groups_whole_and_balance(sizes: list[int], count: int, seed: int) -> None:
    assume(count <= len(sizes))
    tests = grouped(sizes)
    folds = tests.folds(count, seed)
    assert folds.shape == (len(tests),)
    for group in range(len(sizes)):
        assert len(set(folds[tests.groups == group].tolist())) == 1
    filled = np.bincount(folds, minlength=count)
    assert len(filled) == count
    assert filled.min() >= 1
    assert filled.max() - filled.min() <= max(sizes)


@given(st.lists(st.integers(1, 4), min_size=3, max_size=30), st.randoms(use_true_random=False))
def test_past_folds_do_not_depend_on_the_order_of_tests(
    sizes: list[int], rng: random.Random
) -> None:
    tests = grouped(sizes)
    order = rng.sample(range(len(tests)), len(tests))
    shuffled = tests.take(np.array(order))
    assert shuffled.folds(3, 1).tolist() == tests.folds(3, 1)[order].tolist()


def test_past_folds_differ_between_seeds() -> None:
    tests = grouped([1] * 100)
    assert tests.folds(5, 0).tolist() == tests.folds(5, 0).tolist()
    assert tests.folds(5, 0).tolist() != tests.folds(5, 1).tolist()


@pytest.mark.parametrize("count", [0, 1, 4])
def test_past_folds_that_cannot_be_made_are_refused(count: int) -> None:
    with pytest.raises(BadInput, match="3 groups"):
        grouped([2, 1, 1]).folds(count, 0)
