"""Bytes of a file → its text: compression, encodings, and what is not text at all."""

import gzip
import io
import re
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE

from hookline.errors import BadFeed

LARGEST = 512 * 1024 * 1024
"""Most bytes of a feed, unpacked; a gzip bomb stops here."""

# UTF-32 before UTF-16: the little-endian mark of the one begins with that of the other.
_MARKS = (
    (BOM_UTF8, "utf-8"),
    (BOM_UTF32_LE, "utf-32-le"),
    (BOM_UTF32_BE, "utf-32-be"),
    (BOM_UTF16_LE, "utf-16-le"),
    (BOM_UTF16_BE, "utf-16-be"),
)
_XML_ENCODING = re.compile(rb"\s*<\?xml[^>]{0,80}encoding=[\"']([A-Za-z0-9._-]{1,40})[\"']")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_PACKED = {
    b"PK\x03\x04": "is a zip archive or an Excel workbook; save it as CSV, or unpack it",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook; save it as CSV",
    b"%PDF": "is a PDF; export the products as CSV, XML or JSON",
}


def text_of(data: bytes) -> str:
    """The text of the file, without byte-order mark, whatever it was packed and encoded in.

    UTF-8, UTF-16 and UTF-32 go by their marks, XML by its declaration. Without either, every line
    that is not UTF-8 is read as Windows-1252, so that a feed put together from two sources is
    read right on both.

    Raises:
        BadFeed: Where the file is empty, too large, damaged, or no text.
    """
    if not data:
        raise BadFeed("is empty; export the feed again")
    if data.startswith(b"\x1f\x8b"):
        data = _unpack(data)
    if len(data) > LARGEST:
        raise BadFeed(f"is larger than {LARGEST >> 20} MB; split it")
    for magic, advice in _PACKED.items():
        if data.startswith(magic):
            raise BadFeed(advice)
    text = _decode(data)
    if not text.strip():
        raise BadFeed("is empty; export the feed again")
    if "\x00" in text or len(_CONTROL.findall(text[:4096])) > len(text[:4096]) / 100:
        raise BadFeed("is not a text file; save it as CSV, TSV, XML or JSON in UTF-8")
    return text


def _unpack(data: bytes) -> bytes:
    """The contents of a gzip file, at most one byte more than `LARGEST`."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return file.read(LARGEST + 1)
    except (EOFError, OSError, zlib.error):
        raise BadFeed("is a gzip file that is cut off or damaged; download it again") from None


def _decode(data: bytes) -> str:
    """The text in the encoding that the file names, or else in the one that fits."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    declared = _XML_ENCODING.match(data)
    try:
        return data.decode(declared[1].decode() if declared else "utf-8")
    except (LookupError, ValueError):
        return "".join(_decode_line(line) for line in data.splitlines(keepends=True))


def _decode_line(line: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")
