"""Predicted click rates: as given, as percentages, with gaps."""

from collections.abc import Sequence

import pytest

from past.past_tables import has, read


def predicted(*cells: str) -> tuple[list[float], Sequence[str]]:
    """What comes of these cells, two lines a test, and the notes."""
    rows = "".join(f"t{n // 2},a{n},9,1,{cell}\n" for n, cell in enumerate(cells))
    reading = read("test_id,text,impressions,clicks,predicted_ctr\n" + rows)
    assert reading.tests.predicted is not None
    return reading.tests.predicted.tolist(), reading.notes


def test_past_predicted_as_given() -> None:
    values, notes = predicted("0.02", "1", ".5", "1.5%")
    assert values == [0.02, 1, 0.5, 0.015]
    assert not has(notes, "missing")


def test_past_predicted_gaps_are_filled() -> None:
    values, notes = predicted("0.02", "", ".08", "0", "nan", "-.1", "0.02", "7")
    everywhere = (0.02 * 0.08 * 0.02) ** (1 / 3)
    expected = [0.02, 0.02, 0.08, 0.08, everywhere, everywhere, 0.02, 0.02]
    assert values == pytest.approx(expected)
    assert has(notes, "5 of 8 lines")


def test_past_predicted_gap_gets_the_mean_of_its_test() -> None:
    table = "test_id,text,impressions,clicks,predicted_ctr\n"
    rows = "t1,a,9,1,.1\nt1,b,9,1,.4\nt1,c,9,1,\nt2,d,9,1,.9\nt2,e,9,1,.9\n"
    given_ = read(table + rows).tests.predicted
    assert given_ is not None
    assert given_.tolist() == pytest.approx([0.1, 0.4, 0.25, 0.9, 0.9])


def test_past_predicted_percentages_are_divided() -> None:
    values, notes = predicted("1.5", "2", "0.5", "150")
    assert values == pytest.approx([0.015, 0.02, 0.005, 0.005])
    assert has(notes, "percentages")


def test_past_predicted_column_without_a_rate_is_not_used() -> None:
    rows = "t1,a,9,1,\nt1,b,9,1,none\n"
    reading = read("test_id,text,impressions,clicks,predicted_ctr\n" + rows)
    assert reading.tests.predicted is None
    assert has(reading.notes, "No predicted_ctr")


def test_past_predicted_of_a_repeated_text_is_the_first_known() -> None:
    rows = "t1,a,9,1,\nt1,a,9,1,.3\nt1,a,9,1,.4\nt1,b,9,1,.2\n"
    tests = read("test_id,text,impressions,clicks,predicted_ctr\n" + rows).tests
    assert tests.predicted is not None
    assert tests.predicted.tolist() == [0.3, 0.2]
