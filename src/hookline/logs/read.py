"""A log's file → `PolicyLog`, by its format."""

from collections.abc import Callable
from pathlib import Path

from hookline.errors import BadInput, UnregisteredName
from hookline.logs.dsjson import read_dsjson
from hookline.logs.obp import read_csv, read_json, read_npz
from hookline.logs.record import PolicyLog

FORMATS: dict[str, Callable[[Path, int | None], PolicyLog]] = {
    "csv": read_csv,
    "npz": read_npz,
    "json": read_json,
    "dsjson": read_dsjson,
}
"""Format → its reader."""

ENDINGS = {
    ".csv": "csv",
    ".npz": "npz",
    ".json": "json",
    ".dsjson": "dsjson",
    ".jsonl": "dsjson",
    ".ndjson": "dsjson",
}
"""How a name ends → the format it stands for."""


def read_log(path: Path, form: str | None = None, arm_count: int | None = None) -> PolicyLog:
    """The log that the file holds.

    Args:
        path: The file; a trailing `.gz` is not looked at.
        form: A key of `FORMATS`; None goes by the file's name.
        arm_count: How many arms there were, where the log doesn't say; None takes the greatest
            served one for the last.

    Raises:
        BadInput: Where the file can't be read, or a row is bad; names the line and the field.
        UnregisteredName: Where no format goes by the name.
    """
    if arm_count is not None and arm_count < 1:
        raise BadInput(f"there must be 1 arm or more, not {arm_count}")
    if form is None:
        bare = path.with_suffix("") if path.suffix == ".gz" else path
        if bare.suffix not in ENDINGS:
            raise BadInput(
                f"{path.name}: the name doesn't tell the format; say which: {', '.join(FORMATS)}"
            )
        form = ENDINGS[bare.suffix]
    if form not in FORMATS:
        raise UnregisteredName("log format", form, FORMATS)
    return FORMATS[form](path, arm_count)
