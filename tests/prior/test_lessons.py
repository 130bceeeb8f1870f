import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.errors import BadInput
from hookline.past import PastTests
from hookline.perceive.encoders.wordpiece import WordPiece
from hookline.prior.lessons import Lines, schedule

READER = WordPiece(["[UNK]", "[CLS]", "[SEP]", "a", "b"], max_length=12)


def past(tests: list[list[tuple[str, int, int]]]) -> PastTests:
    """Tests of lines, each with impressions and clicks."""
    lines = [line for test in tests for line in test]
    return PastTests(
        test_ids=tuple(f"t{number}" for number in range(len(tests))),
        groups=np.arange(len(tests)),
        starts=np.cumsum([0, *(len(test) for test in tests)]),
        texts=tuple(text for text, _, _ in lines),
        impressions=np.array([shown for _, shown, _ in lines]),
        clicks=np.array([clicks for _, _, clicks in lines]),
        predicted=None,
    )


def test_lines_teach_the_log_ratio_within_their_test() -> None:
    lines = Lines.of(past([[("a", 1000, 30), ("b", 3000, 30)]]), READER, 0.05)
    told = np.array([15, 45])  # at the test's rate of 60 clicks in 4000
    ratios = np.log([30.5 / 15.5, 30.5 / 45.5])
    weights = 1 / (0.05 + 1 / told)
    assert lines.weights == pytest.approx(weights)
    assert lines.targets == pytest.approx(ratios - (weights * ratios).sum() / weights.sum())
    assert lines.ids == ([1, 3, 2], [1, 4, 2])


def test_lines_of_a_test_without_clicks_are_left_out() -> None:
    silent, loud = [("a", 50, 0), ("b", 50, 0)], [("a", 50, 1), ("b", 50, 4)]
    lines = Lines.of(past([silent, loud]), READER, 0.05)
    assert [rows.tolist() for rows in lines.tests] == [[2, 3]]
    assert not lines.weights[:2].any()
    with pytest.raises(BadInput, match="no test has a click"):
        Lines.of(past([silent]), READER, 0.05)


def test_lines_fingerprint_tells_tests_apart() -> None:
    def fingerprint(first: str, clicks: int, variance: float) -> str:
        return Lines.of(past([[(first, 50, clicks), ("b", 50, 4)]]), READER, variance).fingerprint

    same = fingerprint("a", 1, 0.05)
    assert same == fingerprint("a", 1, 0.05)
    assert len({same, fingerprint("b", 1, 0.05), fingerprint("a", 2, 0.05)}) == 3
    assert same != fingerprint("a", 1, 0.06)


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=6), min_size=1, max_size=30),
    st.sampled_from([0.3, 1.0, 2.5]),
    st.integers(1, 20),
    st.integers(0, 3),
)
def test_schedule_holds_whole_tests_and_all_of_them_each_epoch(
    tests: list[list[int]], epochs: float, batch: int, seed: int
) -> None:
    lines = Lines.of(past([[("a " * n, 9, 1) for n in test] for test in tests]), READER, 0.05)
    batches = schedule(lines, epochs=epochs, batch=batch, seed=seed)
    again = schedule(lines, epochs=epochs, batch=batch, seed=seed)
    assert [[rows[0] for rows in one] for one in batches] == [
        [rows[0] for rows in one] for one in again
    ]
    longest = max(map(len, tests))
    assert all(0 < sum(rows.size for rows in one) < batch + longest for one in batches)
    first = schedule(lines, epochs=1, batch=batch, seed=seed)
    assert len(batches) == max(1, round(epochs * len(first)))
    assert sorted(rows[0] for one in first for rows in one) == [rows[0] for rows in lines.tests]


def test_schedule_puts_tests_of_similar_length_together() -> None:
    tests = [[("a " * n, 9, 1), ("b " * n, 9, 1)] for n in (1, 10) for _ in range(40)]
    lines = Lines.of(past(tests), READER, 0.05)
    for one in schedule(lines, epochs=1, batch=20, seed=0):
        assert len({len(lines.ids[row]) for rows in one for row in rows}) == 1


def test_schedule_is_another_for_another_seed_or_epoch() -> None:
    lines = Lines.of(past([[("a", 9, 1), ("b", 9, 1)]] * 40), READER, 0.05)
    two = [rows[0] for one in schedule(lines, epochs=2, batch=8, seed=0) for rows in one]
    other = [rows[0] for one in schedule(lines, epochs=1, batch=8, seed=1) for rows in one]
    assert two[:40] != two[40:]
    assert two[:40] != other
