"""Checked rows → whole tests, and where they are too many a uniform sample of them.

A test is kept where the hash of its id lies below a limit, which halves whenever the lines grow
too many. So the sample depends on the ids and not on the order of the rows.
"""

import math
from dataclasses import dataclass, field

from hookline.past.cells import moment_in, rate_in
from hookline.past.digest import SPAN, digest
from hookline.past.rows import Row, Skipped

Line = tuple[int, int, float]
"""Impressions, clicks and predicted rate; a plain tuple, as Python's collector skips those."""


@dataclass(slots=True)
class GatheredTest:
    """One test while its rows come in.

    Attributes:
        id: Its id.
        digest: Hash of its id, 0 to `SPAN` - 1.
        started: Unix time in its first row, NaN where there is none.
        groups: Names of its groups; a dict of nothing, as the collector skips those too.
        lines: Text → line, in the order of the file.
        repeats: Rows that were added to a line with the same text.
    """

    id: str
    digest: int
    started: float
    groups: dict[str, None] = field(default_factory=dict[str, None])
    lines: dict[str, Line] = field(default_factory=dict[str, Line])
    repeats: int = 0

    def add(self, row: Row) -> bool:
        """Whether the row made a new line; else it was added to the line with its text."""
        if row.group:
            self.groups[row.group] = None
        rate = rate_in(row.predicted_ctr)
        line = self.lines.get(row.text)
        if line is None:
            self.lines[row.text] = (row.impressions, row.clicks, rate)
            return True
        impressions, clicks, first = line
        known = rate if math.isnan(first) else first
        self.lines[row.text] = (impressions + row.impressions, clicks + row.clicks, known)
        self.repeats += 1
        return False


class Sample:
    """Whole tests with at most `most_lines` lines in all, drawn uniformly by a hash of their ids.

    Attributes:
        most_lines: Most lines kept.
        limit: Tests whose digest lies below it are kept; the share kept is `limit / SPAN`.
        tests: Test id → test, in the order of their first rows.
        lines: Lines kept.
        oversized: Ids of tests that alone have more than `most_lines` lines, which are left out.
    """

    def __init__(self, most_lines: int) -> None:
        self.most_lines = most_lines
        self.limit = SPAN
        self.tests: dict[str, GatheredTest] = {}
        self.lines = 0
        self.oversized: set[str] = set()
        self._passed_over = ""

    def add(self, row: Row) -> None:
        """Adds a row to its test, unless the test is not in the sample."""
        test = self.tests.get(row.test_id) or self._admitted(row)
        if test is not None and test.add(row):
            self.lines += 1
            if self.lines > self.most_lines:
                self._shrink(test)

    def usable(self, skipped: Skipped) -> list[GatheredTest]:
        """The tests that say anything, in file order; the others are counted as skipped."""
        tests: list[GatheredTest] = []
        for test in self.tests.values():
            if len(test.lines) < 2:
                skipped.counts["tests with fewer than two different lines"] += 1
            elif not any(clicks for _, clicks, _ in test.lines.values()):
                skipped.counts["tests without a click"] += 1
            else:
                tests.append(test)
        if self.oversized:
            reason = f"tests with more than {self.most_lines:,} lines"
            skipped.counts[reason] += len(self.oversized)
        return tests

    def notes(self, used: int) -> list[str]:
        """What happened on the way into the sample, of which so many tests were used."""
        notes: list[str] = []
        if repeats := sum(test.repeats for test in self.tests.values()):
            notes.append(
                f"Rows that repeat a text of their test: {repeats:,}. Their impressions and clicks "
                "were added to its line."
            )
        if self.limit < SPAN:
            seen = round(len(self.tests) * (SPAN / self.limit))
            notes.append(
                f"More than {self.most_lines:,} lines: {used:,} tests of about {seen:,} were "
                "used, a uniform sample by a hash of their ids. Counts of tests left out, of "
                "repeated texts and of groups are those of the sample."
            )
        return notes

    def _admitted(self, row: Row) -> GatheredTest | None:
        """A new test, or None where it is not in the sample."""
        # Rows of a test mostly follow each other, and hashing is the dearest step.
        if row.test_id == self._passed_over:
            return None
        number = digest(row.test_id)
        if number >= self.limit or row.test_id in self.oversized:
            self._passed_over = row.test_id
            return None
        test = GatheredTest(row.test_id, number, moment_in(row.started_at))
        self.tests[test.id] = test
        return test

    def _shrink(self, last: GatheredTest) -> None:
        """Makes room: without the last test where it is too large alone, else by halving."""
        if len(last.lines) > self.most_lines:
            self.oversized.add(last.id)
            del self.tests[last.id]
            self.lines -= len(last.lines)
        while self.lines > self.most_lines:
            self.limit //= 2
            self.tests = {id_: test for id_, test in self.tests.items() if test.digest < self.limit}
            self.lines = sum(len(test.lines) for test in self.tests.values())
