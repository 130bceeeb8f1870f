"""The sample: whole tests, uniform, the same in any order of the rows."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.errors import BadInput
from past.past_tables import HEADER, TWO, Row, has, lines_of, many, read, table_of


def test_past_tests_that_say_nothing_are_left_out() -> None:
    reading = read(HEADER + TWO + "t2,a,9,1\nt3,a,9,1\nt3,a,9,2\nt4,a,9,0\nt4,b,9,0\n")
    assert reading.tests.test_ids == ("t1",)
    assert reading.skipped == {
        "tests with fewer than two different lines": 2,
        "tests without a click": 1,
    }


def test_past_rows_of_a_test_may_lie_anywhere() -> None:
    rows = many(50)
    shuffled = random.Random(3).sample(rows, len(rows))
    assert lines_of(read(table_of(shuffled)).tests) == lines_of(read(table_of(rows)).tests)


@given(st.randoms(use_true_random=False), st.integers(40, 400))
def test_past_sample_is_of_whole_tests_whatever_the_order(
    rng: random.Random, most_lines: int
) -> None:
    rows = many(60)
    whole = lines_of(read(table_of(rows)).tests)
    sampled = read(table_of(rows), most_lines=most_lines)
    kept = lines_of(sampled.tests)
    assert len(sampled.tests.texts) <= most_lines
    assert kept.items() <= whole.items()
    assert (kept == whole) == (len(rows) <= most_lines)
    shuffled = table_of(rng.sample(rows, len(rows)))
    assert lines_of(read(shuffled, most_lines=most_lines).tests) == kept
    assert sampled.rows == len(rows)


def test_past_sample_is_uniform_and_says_how_many() -> None:
    # 12,000 lines: one halving leaves about 6,000, ten standard deviations below the most.
    reading = read(table_of(many(4000)), most_lines=7000)
    kept = [int(test_id[1:]) for test_id in reading.tests.test_ids]
    assert abs(len(kept) - 2000) < 5 * math.sqrt(4000) / 2
    early = sum(test < 2000 for test in kept)
    assert abs(early - len(kept) / 2) < 5 * math.sqrt(len(kept)) / 2
    assert has(reading.notes, f"{len(kept):,} tests of about {2 * len(kept):,} were used")


def test_past_sample_still_counts_every_bad_row() -> None:
    bad: list[Row] = [(f"b{row}", "x", 5, 6, "") for row in range(100)]
    reading = read(table_of([*many(200), *bad]), most_lines=100)
    assert reading.skipped["more clicks than impressions"] == 100
    assert reading.rows == 700


def test_past_sample_counts_repeats_of_kept_tests_only() -> None:
    reading = read(table_of(many(100) * 2), most_lines=60)
    assert has(reading.notes, f"repeat a text of their test: {len(reading.tests.texts)}.")


def test_past_sample_leaves_out_a_test_larger_than_itself() -> None:
    rows: list[Row] = [("all", f"line {n}", 9, 1, "") for n in range(80)]
    reading = read(table_of([*rows, *many(4)]), most_lines=50)
    assert "all" not in reading.tests.test_ids
    assert reading.skipped["tests with more than 50 lines"] == 1
    with pytest.raises(BadInput, match=r"tests with more than 50 lines \(1\)"):
        read(table_of(rows), most_lines=50)
