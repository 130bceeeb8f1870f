"""The whole way from a file to past tests: `read_past_tests`."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hookline.errors import BadInput
from hookline.past.columns import COLUMN_NAMES, Columns, find_columns, known_names
from hookline.past.groups import group_notes, group_tests
from hookline.past.predictions import settle_predictions
from hookline.past.records import open_file, read_records
from hookline.past.rows import Row, Skipped, check_row
from hookline.past.sample import GatheredTest, Sample
from hookline.past.tests import PastTests, starts_of
from hookline.types import RejectedRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A file of past tests that was read to its end.

    Attributes:
        tests: The usable tests, at least one.
        rows: Rows that hold anything, header not counted.
        skipped: Reason → number of rows that were left out, or of tests where it says so.
        examples: The first rows that were left out; the header is row 1.
        notes: What the reader should know, in sentences.
    """

    tests: PastTests
    rows: int
    skipped: Mapping[str, int]
    examples: tuple[RejectedRow, ...]
    notes: tuple[str, ...]


def read_past_tests(
    path: Path, *, columns: Mapping[str, str] | None = None, most_lines: int = 400_000
) -> Reading:
    """The past tests in a table separated by commas, semicolons, tabs or bars, gzipped or not.

    Columns are found by the names in `COLUMN_NAMES`. Of two for one field the field's own name
    wins, then the earlier in that table. Rows of one test may lie anywhere.

    - A text that comes twice in a test is one line: its impressions and clicks are added up.
    - Tests join one group where they share a group's name or a text, case and spaces aside.
    - `predicted_ctr` is a rate. Where most values are above 1 they are percentages and divided by
      100, with a note. One that is missing or out of range becomes the mean of its test's others,
      or the geometric mean of all.
    - Tests stand in the order of the `started_at` of their first rows (ISO 8601 or Unix time);
      those without one follow in file order.

    Args:
        path: The file, UTF-8 with or without byte-order mark.
        columns: Field → column where the guess is wrong; "" leaves an optional field out.
        most_lines: Most lines kept, which bounds the memory: about 1 KB each.

    Raises:
        BadInput: Where the file can't be read as such a table or holds no usable test: one line,
            what to do about it included.
    """
    told = dict(columns or {})
    if unknown := told.keys() - COLUMN_NAMES.keys():
        known = ", ".join(COLUMN_NAMES)
        raise BadInput(f"{min(unknown)!r} is no field of a past test; map one of: {known}")
    if most_lines < 2:
        raise BadInput(f"most_lines must be at least 2, not {most_lines}")
    with open_file(path) as packed:
        try:
            return _read(read_records(packed, known_names(told)), told, most_lines)
        except BadInput as wrong:
            raise BadInput(f"{path.name} {wrong}") from wrong


def _read(
    records: Iterator[tuple[int, list[str]]], told: Mapping[str, str], most_lines: int
) -> Reading:
    """What the numbered records hold, the header's first."""
    header = next((cells for _, cells in records if any(cells)), None)
    if header is None:
        raise BadInput("is empty; export the tests again")
    columns, notes = find_columns(header, told)
    sample = Sample(most_lines)
    skipped = Skipped()
    rows = _gather(records, columns, sample, skipped)
    if not rows:
        raise BadInput("has a header and no rows; export the tests again")
    tests = sample.usable(skipped)
    if not tests:
        raise BadInput(f"has no usable test in {rows:,} rows: {skipped.in_words()}")
    if columns.started_at is not None:
        notes += _start_notes(tests)
        tests.sort(key=_start_or_last)
    past, more = _past_tests(tests, predicted=columns.predicted_ctr is not None)
    return Reading(
        tests=past,
        rows=rows,
        skipped=dict(skipped.counts),
        examples=tuple(skipped.examples),
        notes=(*notes, *more, *sample.notes(len(past))),
    )


def _gather(
    records: Iterator[tuple[int, list[str]]], columns: Columns, sample: Sample, skipped: Skipped
) -> int:
    """How many rows held anything; the sound ones went into the sample, the others are counted."""
    rows = 0
    for number, cells in records:
        if not any(cells):
            continue
        rows += 1
        row = check_row(cells, columns)
        if isinstance(row, Row):
            sample.add(row)
        else:
            skipped.row(number, row)
    return rows


def _start_or_last(test: GatheredTest) -> float:
    """Unix time of the test's start, infinity where it is not known."""
    return math.inf if math.isnan(test.started) else test.started


def _start_notes(tests: Sequence[GatheredTest]) -> list[str]:
    """What to say about tests whose start is not known."""
    unknown = sum(math.isnan(test.started) for test in tests)
    if not unknown:
        return []
    return [
        "Tests with no started_at that is an ISO 8601 date or Unix time: "
        f"{unknown:,} of {len(tests):,}. They follow the others in file order."
    ]


def _past_tests(tests: Sequence[GatheredTest], *, predicted: bool) -> tuple[PastTests, list[str]]:
    """The record of these tests, and what to say about its groups and predictions."""
    groups = group_tests(tests)
    notes = group_notes(groups)
    starts = starts_of(np.array([len(test.lines) for test in tests], dtype=np.int64))
    lines = [line for test in tests for line in test.lines.values()]
    impressions, clicks, rates = zip(*lines, strict=True)
    predictions = None
    if predicted:
        predictions, settled = settle_predictions(np.array(rates), starts)
        notes += settled
    past = PastTests(
        test_ids=tuple(test.id for test in tests),
        groups=groups,
        starts=starts,
        texts=tuple(text for test in tests for text in test.lines),
        impressions=np.array(impressions, dtype=np.int64),
        clicks=np.array(clicks, dtype=np.int64),
        predicted=predictions,
    )
    return past, notes
