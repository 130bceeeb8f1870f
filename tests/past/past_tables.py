"""Tables of past tests written for a test, and what comes of reading them."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import strategies as st

from hookline.errors import BadInput
from hookline.past import PastTests, Reading, read_past_tests

HEADER = "test_id,text,impressions,clicks\n"
TWO = "t1,Oak desk,900,27\nt1,A desk for life,1000,45\n"

Row = tuple[str, str, int, int, str]
"""Test id, text, impressions, clicks, group."""

COUNTS = st.integers(1, 50).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("xyzXu"), COUNTS, st.sampled_from("gh ")),
    max_size=20,
).map(lambda rows: [(test, text, n, k, group.strip()) for test, text, (n, k), group in rows])
"""Rows of few tests, texts and groups, so that they repeat."""


def read(
    table: str | bytes, columns: Mapping[str, str] | None = None, most_lines: int = 400_000
) -> Reading:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "past.csv"
        path.write_bytes(table.encode() if isinstance(table, str) else table)
        return read_past_tests(path, columns=columns, most_lines=most_lines)


def refusal(table: str | bytes, columns: Mapping[str, str] | None = None) -> str:
    with pytest.raises(BadInput) as refused:
        read(table, columns)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def table_of(rows: Sequence[Row], delimiter: str = ",") -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(("test_id", "text", "impressions", "clicks", "group"))
    writer.writerows(rows)
    return text.getvalue()


def lines_of(tests: PastTests) -> dict[str, dict[str, tuple[int, int]]]:
    """Test id → text → impressions and clicks."""
    found: dict[str, dict[str, tuple[int, int]]] = {test_id: {} for test_id in tests.test_ids}
    for line, test in enumerate(tests.test_of_line):
        counts = int(tests.impressions[line]), int(tests.clicks[line])
        found[tests.test_ids[test]][tests.texts[line]] = counts
    return found


def many(tests: int, lines: int = 3) -> list[Row]:
    return [
        (f"t{test}", f"line {test} {line}", 100 + line, line + 1, "")
        for test in range(tests)
        for line in range(lines)
    ]


def has(notes: Sequence[str], *parts: str) -> bool:
    return any(all(part in note for part in parts) for note in notes)
