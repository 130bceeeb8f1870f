"""A file's bytes → its records, one by one: gzip, encoding, separator and damage."""

import csv
import gzip
import io
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from hookline.errors import BadInput
from hookline.past.columns import bare

_CHUNK = 1 << 20

_Unpacked = io.BufferedReader | gzip.GzipFile
"""What can be peeked into and read line by line."""


def open_file(path: Path) -> io.BufferedReader:
    """The file's bytes.

    Raises:
        BadInput: Where it is not there, a folder, or not to be read.
    """
    try:
        return io.BufferedReader(io.FileIO(path), _CHUNK)
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist; check the path") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder; name a file in it") from None
    except (OSError, ValueError) as wrong:
        raise BadInput(f"{path} cannot be read ({wrong}); check the path") from wrong


def read_records(
    packed: io.BufferedReader, known: Collection[str]
) -> Iterator[tuple[int, list[str]]]:
    """Row number, from 1, and the fields of every row, the header's first; of a blank row none.

    Lines are decoded one by one, so that the number of a row that is not UTF-8 is exact.

    Args:
        packed: The file, gzipped or not.
        known: Bare names of columns to know the right separator by.

    Raises:
        BadInput: Where the file is no text in UTF-8 or damaged; names the row where it can.
    """
    row = 0
    try:
        file = _unpacked(packed)
        lines = map(bytes.decode, iter(partial(file.readline, _CHUNK), b""))
        reader = csv.reader(lines, delimiter=_delimiter(_head(file), known))
        while True:
            try:
                cells = next(reader, None)
            except csv.Error:
                # A field beyond csv's limit: passed on as a row of too few fields.
                cells = ["unreadable"]
            if cells is None:
                return
            row += 1
            yield row, cells
    except UnicodeDecodeError:
        raise BadInput(f"is not UTF-8 in row {row + 1}; save it as CSV in UTF-8") from None
    except EOFError:
        raise BadInput(
            f"is a gzip file that is cut off after row {row:,}; copy or download it again"
        ) from None
    except (OSError, zlib.error) as wrong:
        raise BadInput(
            f"cannot be read after row {row:,} ({wrong}); copy or download it again"
        ) from wrong


def _unpacked(packed: io.BufferedReader) -> _Unpacked:
    """The file's text as bytes; whether it is gzipped goes by its content, not its name."""
    if packed.peek(2)[:2] != b"\x1f\x8b":
        return packed
    # Buffered no further: what is sound before a damaged place must come out before the error.
    return gzip.GzipFile(fileobj=packed)


def _head(file: _Unpacked) -> bytes:
    """The first bytes of the text, which stay to be read; a byte-order mark does not.

    Raises:
        BadInput: Where they are no text in UTF-8 with line ends that csv knows.
    """
    head = file.peek(_CHUNK)
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise BadInput("is in UTF-16; save it as CSV in UTF-8")
    if b"\x00" in head:
        raise BadInput("is not a text file; save it as CSV in UTF-8")
    if b"\r" in head and b"\n" not in head:
        raise BadInput("ends its lines as old Macs did; save it as CSV in UTF-8")
    if head.startswith(BOM_UTF8):
        file.read(len(BOM_UTF8))
    return head.removeprefix(BOM_UTF8)


def _delimiter(head: bytes, known: Collection[str]) -> str:
    """The separator under which the first line names most known columns, then most columns."""
    lines = head.decode(errors="replace").splitlines()
    header = next((line for line in lines if line.strip()), "")[:100_000]

    def score(delimiter: str) -> tuple[int, int]:
        names = next(csv.reader([header], delimiter=delimiter), list[str]())
        return sum(bare(name) in known for name in names), len(names)

    return max(",\t;|", key=score)
