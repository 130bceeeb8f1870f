"""The header → which column holds which field, guessed from its name or told."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hookline.errors import BadInput

COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "test_id": (
        "test_id", "test", "experiment_id", "experiment", "clickability_test_id", "ab_test_id",
        "split_test_id", "test_name", "experiment_name",
    ),
    "text": (
        "text", "headline", "title", "copy", "subject", "subject_line", "line", "ad_text",
        "ad_copy", "message", "caption", "variant_text", "variant", "variation",
    ),
    "impressions": (
        "impressions", "impression_count", "views", "sends", "sent", "exposures", "shown",
        "delivered", "recipients", "visitors", "trials",
    ),
    "clicks": ("clicks", "click_count", "unique_clicks", "total_clicks"),
    "group": (
        "group", "group_id", "article_id", "article", "product_id", "product", "story_id",
        "item_id", "page_id", "campaign_id", "campaign",
    ),
    "predicted_ctr": (
        "predicted_ctr", "ctr_predicted", "pred_ctr", "predicted_click_rate", "predicted",
        "prediction",
    ),
    "started_at": (
        "started_at", "started", "start", "start_date", "start_time", "created_at", "date",
        "timestamp",
    ),
}  # fmt: skip
"""Field → column names that mean it, best first; case, spaces and punctuation don't matter."""

REQUIRED = ("test_id", "text", "impressions", "clicks")
"""Fields that no file may lack."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Where each field stands in a row, counted from 0; None for an optional one without a column.

    Attributes:
        width: Columns of the header.
        test_id: Column of the test's id.
        text: Column of the line.
        impressions: Column of how often it was shown.
        clicks: Column of the clicks on it.
        group: Column of the name that joins tests.
        predicted_ctr: Column of a prediction made elsewhere.
        started_at: Column of the test's start.
    """

    width: int
    test_id: int
    text: int
    impressions: int
    clicks: int
    group: int | None = None
    predicted_ctr: int | None = None
    started_at: int | None = None


def bare(column: str) -> str:
    """The column's name without case, spaces and punctuation.

    Examples:
        >>> bare("Test ID"), bare("testId"), bare("test_id")
        ('testid', 'testid', 'testid')
    """
    return re.sub(r"[\W_]+", "", column.casefold())


def known_names(told: Mapping[str, str]) -> set[str]:
    """The bare names of all columns that mean a field, those a caller told among them."""
    listed = {bare(name) for names in COLUMN_NAMES.values() for name in names}
    return listed | {bare(column) for column in told.values()}


def find_columns(header: Sequence[str], told: Mapping[str, str]) -> tuple[Columns, list[str]]:
    """Where each field stands, and what to say about that choice.

    Args:
        header: Names of the columns.
        told: Field → its column where the guess is wrong; "" leaves an optional field out.

    Raises:
        BadInput: Where a required field has no column, or a told column is not there.
    """
    at = {field: _told(header, field, column) for field, column in told.items() if column}
    if len(set(at.values())) < len(at):
        raise BadInput("can't have one column mapped to two fields; map each to its own")
    doubtful: list[str] = []
    for wanted in COLUMN_NAMES:
        if wanted in told:
            continue
        found = _meaning(header, wanted, taken=at.values())
        if found:
            at[wanted] = found[0]
        if len(found) > 1:
            first, *others = (header[index] for index in found)
            doubtful.append(
                f"Column {first!r} was read as {wanted}, not {_listed(others)}; "
                f'--column {wanted}="{others[0]}" changes that.'
            )
    _require(header, at)
    read = ", ".join(f"{field} from {header[at[field]]!r}" for field in COLUMN_NAMES if field in at)
    return Columns(width=len(header), **at), [f"Columns read: {read}.", *doubtful]


def _told(header: Sequence[str], field: str, column: str) -> int:
    """Index of the column a caller named, as written or else without case and punctuation."""
    if column in header:
        return header.index(column)
    names = [bare(name) for name in header]
    if bare(column) not in names:
        raise BadInput(f"has no column {column!r} to read as {field}; it has {_listed(header)}")
    return names.index(bare(column))


def _meaning(header: Sequence[str], field: str, taken: Collection[int]) -> list[int]:
    """Indices of the columns that may mean the field, best name first; none that is taken."""
    names = [bare(name) for name in header]
    return [
        index
        for wanted in map(bare, COLUMN_NAMES[field])
        for index, name in enumerate(names)
        if name == wanted and index not in taken
    ]


def _require(header: Sequence[str], at: Mapping[str, int]) -> None:
    """Refuses a table without a required column.

    Raises:
        BadInput: Naming the columns found and how to map one.
    """
    missing = [field for field in REQUIRED if field not in at]
    if missing:
        example = "Subject line" if missing[0] == "text" else f"Name of the {missing[0]} column"
        raise BadInput(
            f"has no column for {', '.join(missing)}; its columns are {_listed(header)}. "
            f'Name the right one, for example --column {missing[0]}="{example}"'
        )


def _listed(columns: Sequence[str]) -> str:
    """The first dozen columns for a message."""
    more = f" and {len(columns) - 12:,} more" if len(columns) > 12 else ""
    return ", ".join(repr(column[:40]) for column in columns[:12]) + more
