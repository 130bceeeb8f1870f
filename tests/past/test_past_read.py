"""The whole way from a file to past tests, on made and on real tables."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.past import Reading, read_past_tests
from past.past_tables import HEADER, ROWS, TWO, Row, has, lines_of, read, refusal, table_of

DATA = Path(__file__).parents[2] / "../shared/data/upworthy"


def dated(*starts: str) -> Reading:
    rows = "".join(
        f"t{n},a{n},9,1,{start}\nt{n},b{n},9,1,1999-01-01\n" for n, start in enumerate(starts)
    )
    return read("test_id,text,impressions,clicks,started_at\n" + rows)


def real(name: str) -> Reading:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the repository")
    return read_past_tests(path)


def test_past_plain_table() -> None:
    reading = read(HEADER + TWO + "t2,Tin mug,50,1\nt2,Mug,60,0\n")
    tests = reading.tests
    assert tests.test_ids == ("t1", "t2")
    assert tests.texts == ("Oak desk", "A desk for life", "Tin mug", "Mug")
    assert tests.starts.tolist() == [0, 2, 4]
    assert tests.sizes.tolist() == [2, 2]
    assert tests.test_of_line.tolist() == [0, 0, 1, 1]
    assert tests.impressions.tolist() == [900, 1000, 50, 60]
    assert tests.rates.tolist() == [0.03, 0.045, 0.02, 0]
    assert tests.predicted is None
    assert (reading.rows, reading.skipped, reading.examples) == (4, {}, ())
    assert len(tests) == 2


@given(ROWS, st.sampled_from(",;\t|"), st.booleans(), st.sampled_from(["", "\ufeff"]))
def test_past_any_table_as_by_hand(
    rows: list[Row], delimiter: str, packed: bool, mark: str
) -> None:
    by_hand: dict[str, dict[str, tuple[int, int]]] = {}
    for test, text, impressions, clicks, _ in rows:
        shown, clicked = by_hand.setdefault(test, {}).get(text, (0, 0))
        by_hand[test][text] = (shown + impressions, clicked + clicks)
    usable = {
        test: lines
        for test, lines in by_hand.items()
        if len(lines) > 1 and any(clicks for _, clicks in lines.values())
    }
    data = (mark + table_of(rows, delimiter)).encode()
    data = gzip.compress(data, 1) if packed else data
    if not usable:
        assert "no usable test" in refusal(data) or not rows
        return
    reading = read(data)
    assert lines_of(reading.tests) == usable
    assert list(usable) == list(reading.tests.test_ids)
    assert reading.rows == len(rows)
    assert sum(reading.skipped.values()) == len(by_hand) - len(usable)
    repeats = len(rows) - sum(map(len, by_hand.values()))
    assert has(reading.notes, f"repeat a text of their test: {repeats}.") == (repeats > 0)


def test_past_nothing_usable_says_why() -> None:
    message = refusal(HEADER + "t1,a,9,1\nt1,b,0,0\nt2,a,5,6\nt3,,5,1\nt3,b,0,0\n")
    assert "no usable test in 5 rows" in message
    assert "no impressions (2)" in message
    assert "more clicks than impressions (1)" in message
    assert "tests with fewer than two different lines (1)" in message


@pytest.mark.parametrize(
    "starts",
    [
        ("2014-03-01", "2013-03-01", "2013-02-01T10:00:00Z"),
        ("2014-03-01T00:00+02:00", "2014-02-28T21:00:00Z", "20130101"),
        ("1400000000", "1300000000.5", "1200000000000"),
    ],
)
def test_past_order_by_start_of_first_row(starts: tuple[str, ...]) -> None:
    assert dated(*starts).tests.test_ids == ("t2", "t1", "t0")


def test_past_order_unknown_starts_follow_in_file_order() -> None:
    reading = dated("soon", "2014-03-01", "nan", "2013-03-01")
    assert reading.tests.test_ids == ("t3", "t1", "t0", "t2")
    assert has(reading.notes, "no started_at", "2 of 4.")
    assert dated("x", "y").tests.test_ids == ("t0", "t1")


def test_past_upworthy_headlines() -> None:
    reading = real("headlines.csv.gz")
    tests = reading.tests
    assert reading.rows == 53_964
    assert reading.examples == ()
    assert len(tests) + sum(reading.skipped.values()) == 12_376
    assert len(tests) == 12_359
    assert has(reading.notes, "text from 'headline'", "group from 'article_id'")
    assert ((tests.clicks >= 0) & (tests.clicks <= tests.impressions)).all()
    assert (tests.sizes >= 2).all()
    folds = tests.folds(5, 0)
    assert max(np.bincount(folds)) - min(np.bincount(folds)) <= 1
    owner: dict[str, int] = {}
    for text, fold in zip(tests.texts, folds[tests.test_of_line].tolist(), strict=True):
        assert owner.setdefault(" ".join(text.casefold().split()), fold) == fold


def test_past_upworthy_exploratory() -> None:
    reading = real("exploratory.csv.gz")
    assert reading.rows == 20_236
    assert len(reading.tests) + sum(reading.skipped.values()) == 4_340
    assert has(reading.notes, "test_id from 'clickability_test_id'")
