"""A file's bytes → records: separators, quoting, gzip, encoding and damage."""

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hookline.errors import BadInput
from hookline.past import read_past_tests
from past.past_tables import HEADER, TWO, lines_of, read, refusal

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


def test_past_quoted_texts_keep_delimiters_and_line_ends() -> None:
    reading = read(HEADER + 't1,"Oak, ""solid""\ndesk",9,2\r\nt1,Desk,9,3\r\n\r\n')
    assert reading.tests.texts == ('Oak, "solid"\ndesk', "Desk")
    assert reading.rows == 2


def test_past_unclosed_quotation_mark_costs_its_rows_only() -> None:
    stray = 't2,"' + "x" * 140_000 + "\n"
    reading = read(HEADER + stray + TWO)
    assert lines_of(reading.tests)["t1"]["Oak desk"] == (900, 27)
    assert [bad.row for bad in reading.examples] == [2]


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "is empty"),
        (b"\n \n", "no column for test_id"),
        (b"\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (gzip.compress(b""), "is empty"),
        ((HEADER + TWO).replace("\n", "\r").encode(), "as old Macs did"),
        (HEADER.encode(), "a header and no rows"),
        (b"\x89PNG\r\n\x00\x01\x02" * 50, "not a text file"),
        ((HEADER + TWO).encode("utf-16"), "UTF-16"),
        ((HEADER + TWO).encode() + "t2,Café,5,1\n".encode("latin-1"), "not UTF-8 in row 4"),
        (b"\xff" + (HEADER + TWO).encode(), "not UTF-8 in row 1"),
        (b"\x1f\x8bnothing of the kind", "cannot be read after row 0"),
    ],
)
def test_past_unreadable_file_is_refused(data: bytes, part: str) -> None:
    message = refusal(data)
    assert part in message
    assert message.startswith("past.csv ")


def test_past_undecodable_row_far_into_the_file() -> None:
    rows = "".join(f"t{row},a,9,1\n" for row in range(30_000)).encode()
    assert "row 30002" in refusal(HEADER.encode() + rows + b"t1,\xe9,9,1\n")


def test_past_cut_off_gzip_says_after_which_row() -> None:
    rng = random.Random(1)
    rows = "".join(f"t{rng.random()},a,9,1\n" for _ in range(20_000))
    data = gzip.compress((HEADER + rows).encode())
    message = refusal(data[: len(data) // 2])
    after = int(message.split("after row ")[1].split(";")[0].replace(",", ""))
    assert "cut off" in message
    assert 8_000 < after < 12_000


def test_past_damaged_gzip_is_refused() -> None:
    data = bytearray(gzip.compress((HEADER + TWO).encode()))
    data[-6] ^= 255
    assert "cannot be read after row 3" in refusal(bytes(data))


def test_past_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        read_past_tests(tmp_path / "none.csv")
    with pytest.raises(BadInput, match="is a folder"):
        read_past_tests(tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        read_past_tests(Path("a\x00b"))


@given(st.binary(max_size=300) | st.lists(CELLS).map(lambda cells: ",".join(cells).encode()))
@example(b"\xef\xbb\xbf\xff")
@example(b"test_id,text\rx,y\r")
def test_past_any_bytes_are_read_or_refused(tail: bytes) -> None:
    refusal(tail)
    assume(b"\x00" not in tail)
    table = (HEADER + TWO).encode() + tail
    try:
        table.decode()
    except UnicodeDecodeError:
        assert "not UTF-8 in row" in refusal(table)
    else:
        reading = read(table)
        assert reading.tests.test_ids[0] == "t1"
        assert reading.rows >= 2
