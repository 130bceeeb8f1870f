"""A record's cells → a checked row, or why it is left out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hookline.past.cells import MOST, count_in, wrong_count, wrong_words
from hookline.past.columns import Columns
from hookline.types import MAX_ID, RejectedRow

LONGEST = 5_000
"""Longer texts, in characters, are no lines of copy."""

_EXAMPLES = 20


@dataclass(slots=True)
class Row:
    """A sound row; not frozen, as that would make building one per row thrice as dear.

    Attributes:
        test_id: 1 to `MAX_ID` characters.
        text: 1 to `LONGEST` characters.
        impressions: 1 to `MOST`.
        clicks: 0 to the impressions.
        group: Name of its group; empty where there is none.
        predicted_ctr: Cell with the prediction, as written.
        started_at: Cell with the start, as written.
    """

    test_id: str
    text: str
    impressions: int
    clicks: int
    group: str
    predicted_ctr: str
    started_at: str


class Skipped:
    """What was left out so far: how many for each reason, and the first rows."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: list[RejectedRow] = []

    def row(self, row: int, reason: str) -> None:
        """Counts a row that was left out."""
        self.counts[reason] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(RejectedRow(row=row, reason=reason))

    def in_words(self) -> str:
        """Reasons and counts for a message, the most frequent first."""
        return "; ".join(f"{reason} ({count:,})" for reason, count in self.counts.most_common())


def check_row(cells: Sequence[str], columns: Columns) -> Row | str:
    """The row that these cells hold, or why they hold none."""
    if len(cells) != columns.width and (reason := _ragged(cells, columns.width)):
        return reason
    test_id = cells[columns.test_id].strip()
    text = cells[columns.text].strip()
    impressions = count_in(cells[columns.impressions])
    clicks = count_in(cells[columns.clicks])
    named = 0 < len(test_id) <= MAX_ID and 0 < len(text) <= LONGEST
    if not (named and 0 <= clicks <= impressions and 0 < impressions <= MOST):
        return _reason(cells, columns)
    return Row(
        test_id,
        text,
        impressions,
        clicks,
        "" if columns.group is None else cells[columns.group].strip(),
        "" if columns.predicted_ctr is None else cells[columns.predicted_ctr],
        "" if columns.started_at is None else cells[columns.started_at],
    )


def _ragged(cells: Sequence[str], width: int) -> str:
    """Why the row does not fit the header; empty where the fields beyond it are blank."""
    if len(cells) < width:
        return "too few fields (or a quotation mark that is not closed)"
    return "too many fields (or no quotation marks)" if any(cells[width:]) else ""


def _reason(cells: Sequence[str], columns: Columns) -> str:
    """Why the cells of an unsound row hold none; the first reason from left to right."""
    impressions = cells[columns.impressions]
    return (
        wrong_words("test id", cells[columns.test_id].strip(), MAX_ID)
        or wrong_words("text", cells[columns.text].strip(), LONGEST)
        or wrong_count("impressions", impressions)
        or wrong_count("clicks", cells[columns.clicks])
        or ("more clicks than impressions" if count_in(impressions) else "no impressions")
    )
