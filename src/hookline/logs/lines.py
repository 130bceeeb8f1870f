"""A file's lines with their numbers, gzipped or not."""

import gzip
import io
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from hookline.errors import BadInput

GZIP = b"\x1f\x8b"


@contextmanager
def opened(path: Path) -> Generator[io.BufferedIOBase]:
    """The file's bytes, unpacked; whether it is gzipped goes by its content, not its name.

    Raises:
        BadInput: Where it is not there, not to be read, or breaks off while it is read.
    """
    try:
        with path.open("rb") as packed:
            if packed.peek(2)[:2] == GZIP:
                with gzip.GzipFile(fileobj=packed) as unpacked:
                    yield unpacked
            else:
                yield packed
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist; check the path") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder; name a file in it") from None
    except EOFError:
        raise BadInput(f"{path} is a gzip file that is cut off; copy it again") from None
    except (OSError, zlib.error) as wrong:
        raise BadInput(f"{path} cannot be read ({wrong}); copy it again") from wrong


def numbered(path: Path) -> Generator[tuple[int, str]]:
    """Each line's number, from 1, and its text with the line break.

    Raises:
        BadInput: As in `opened`, or where a line is not UTF-8.
    """
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise BadInput(f"{path.name}, line {number}: is not UTF-8") from None
