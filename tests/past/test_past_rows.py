"""Rows and cells: numbers as people write them, and what is left out, with its row number."""

import pytest

from hookline.past.cells import MOST
from past.past_tables import HEADER, TWO, lines_of, read


@pytest.mark.parametrize(
    ("cell", "value"), [("1,234", 1234), (" 12 ", 12), ("12.0", 12), ("1,234,567.00", 1234567)]
)
def test_past_numbers_as_people_write_them(cell: str, value: int) -> None:
    reading = read(f"test_id\ttext\timpressions\tclicks\nt1\ta\t{cell}\t3\nt1\tb\t9\t1\n")
    assert reading.tests.impressions.tolist() == [value, 9]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("t1,x,nan,1", "impressions not a number"),
        ("t1,x,many,1", "impressions not a number"),
        ("t1,x,,1", "impressions missing"),
        ("t1,x,-5,0", "impressions negative"),
        ("t1,x,5.5,0", "impressions not whole"),
        ("t1,x,1.234,0", "impressions not whole"),
        ("t1,x,1_000,0", "impressions not a number"),
        ("t1,x,0,0", "no impressions"),
        ("t1,x,0,3", "no impressions"),
        (f"t1,x,{MOST + 1},0", f"impressions above {MOST:,}"),
        ("t1,x," + "9" * 5000 + ",0", f"impressions above {MOST:,}"),
        ("t1,x,5,", "clicks missing"),
        ("t1,x,5,-1", "clicks negative"),
        ("t1,x,5,inf", "clicks not a number"),
        ("t1,x,5,6", "more clicks than impressions"),
        ("t1, ,5,1", "no text"),
        (",x,5,1", "no test id"),
        ("t1," + "x" * 5001 + ",5,1", "text above 5,000 characters"),
        ("t" * 201 + ",x,5,1", "test id above 200 characters"),
        ("t1,x,5", "too few fields (or a quotation mark that is not closed)"),
        ("t1,x,y,5,1", "too many fields (or no quotation marks)"),
    ],
)
def test_past_row_is_skipped_with_its_number(row: str, reason: str) -> None:
    reading = read(f"{HEADER}t1,Oak desk,900,27\n{row}\nt1,A desk for life,1000,45\n")
    assert reading.skipped == {reason: 1}
    assert [(bad.row, bad.reason) for bad in reading.examples] == [(3, reason)]
    assert reading.rows == 3
    assert lines_of(reading.tests)["t1"] == {"Oak desk": (900, 27), "A desk for life": (1000, 45)}


def test_past_blank_fields_beyond_the_header_are_fine() -> None:
    reading = read(HEADER + "t1,a,9,1,,\n,,,\nt1,b,9,1\n")
    assert (reading.rows, reading.skipped) == (2, {})


def test_past_examples_are_the_first_twenty() -> None:
    reading = read(HEADER + TWO + "t1,x,0,0\n" * 30)
    assert reading.skipped == {"no impressions": 30}
    assert [bad.row for bad in reading.examples] == list(range(4, 24))
