"""The text of one cell → a count, a rate or a moment, or in words what is wrong with it."""

import math
import re
from datetime import UTC, datetime

MOST = 10**11
"""More impressions than this on one row are a mistake; sums of them stay within 64 bits."""

_WHOLE = re.compile(r"\s*(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.0{1,2})?\s*")
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d*)?")


def count_in(cell: str) -> int:
    """The whole number in the cell, -1 where there is none.

    "1.234" and "12.000" are refused: they mean thousands to some and fractions to others.

    Examples:
        >>> [count_in(cell) for cell in ("12", " 1,234 ", "12.0", "12.5", "1.234", "-3", "")]
        [12, 1234, 12, -1, -1, -1, -1]
    """
    if cell.isdecimal() and len(cell) <= 15:
        return int(cell)
    whole = _WHOLE.fullmatch(cell)
    return int(whole[1].replace(",", "")) if whole else -1


def wrong_count(field: str, cell: str) -> str:
    """Why the cell is no number of impressions or clicks; empty where it is one.

    Examples:
        >>> wrong_count("clicks", "1.5"), wrong_count("clicks", "2")
        ('clicks not whole', '')
    """
    count = count_in(cell)
    if 0 <= count <= MOST:
        return ""
    cell = cell.strip()
    if not cell:
        return f"{field} missing"
    if not _NUMBER.fullmatch(cell):
        return f"{field} not a number"
    if cell.startswith("-"):
        return f"{field} negative"
    if count > MOST or cell.isdecimal():
        return f"{field} above {MOST:,}"
    return f"{field} not whole"


def wrong_words(field: str, words: str, longest: int) -> str:
    """Why these are no test id or text; empty where they are."""
    if not words:
        return f"no {field}"
    return f"{field} above {longest:,} characters" if len(words) > longest else ""


def rate_in(cell: str) -> float:
    """The positive number in the cell, percent signs resolved; NaN where there is none.

    Examples:
        >>> [rate_in(cell) for cell in ("0.02", "1.5%", "2", "0", "")]
        [0.02, 0.015, 2.0, nan, nan]
    """
    if not cell:
        return math.nan
    cell = cell.strip()
    percent = cell.endswith("%")
    try:
        rate = float(cell[:-1]) / 100 if percent else float(cell)
    except ValueError:
        return math.nan
    return rate if 0 < rate < math.inf else math.nan


def moment_in(cell: str) -> float:
    """Unix time of an ISO 8601 date or time (UTC where it names no zone) or Unix time; NaN if none.

    Unix time may be in seconds or, beyond 1e11, in milliseconds.

    Examples:
        >>> [moment_in(cell) for cell in ("1970-01-02", "19700102", "86400", "1700000000000", "")]
        [86400.0, 86400.0, 86400.0, 1700000000.0, nan]
    """
    cell = cell.strip()
    # Eight digits are a date of ISO 8601's short form, any other number is Unix time.
    short_date = len(cell) == 8 and cell.isdecimal()
    number = None if short_date else _number_in(cell)
    return _iso_moment(cell) if number is None else _unix_seconds(number)


def _number_in(cell: str) -> float | None:
    """The number, which may be infinite or NaN; None where the cell is no number."""
    try:
        return float(cell)
    except ValueError:
        return None


def _unix_seconds(number: float) -> float:
    """Unix time in seconds; NaN where the number is not finite."""
    seconds = number / 1000 if abs(number) > 1e11 else number
    return seconds if math.isfinite(seconds) else math.nan


def _iso_moment(cell: str) -> float:
    """Unix time of an ISO 8601 date or time; NaN where the cell is none."""
    try:
        moment = datetime.fromisoformat(cell)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan
