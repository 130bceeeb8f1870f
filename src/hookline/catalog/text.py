"""Text of a feed → text that can stand in copy: no markup, no control characters, one line."""

import re
from decimal import Decimal
from html.parser import HTMLParser
from unicodedata import normalize

from hookline.catalog.sheet import Cell

_LONGEST = 20_000
_HEADING = 50
_MARKUP = re.compile(r"<[a-zA-Z/!][^<]*>|&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]\w+);")
_CLEAN = re.compile(r"[!-%'-;=?-\[\]-~]+(?: [!-%'-;=?-\[\]-~]+)*")
"""Printable ASCII in single spaces with none of `<`, `&` and the backslash."""
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069"
    "\ufeff\ud800-\udfff]"
    # Joiners hold emoji and some scripts together; next to ASCII they are debris.
    "|[\u200c\u200d](?=[\x00-\x7f]|$)"
)
_MANGLED = re.compile("[\u00c2\u00c3][\u0080-\u00bf\u0152-\u2122]|\u00e2\u20ac")
_STRAY = re.compile("[\x80-\x9f]")
_MARK = re.compile(r"^[-*–•·▪‣]\s+")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_SKIPPED = {"script", "style", "head", "template"}
_BLOCKS = {
    "article", "blockquote", "br", "div", "dd", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "li", "ol", "p", "section", "table", "td", "th", "tr", "ul",
}  # fmt: skip


def plain(raw: str) -> str:
    """The text as one line: markup removed, entities decoded, white space and bullets tidied.

    At most the first 20,000 characters are read.

    Examples:
        >>> plain("<p>Warm &amp; light.</p><ul><li>Two pockets</li><li>Zip</li></ul>")
        'Warm & light. Two pockets. Zip'
    """
    if _CLEAN.fullmatch(raw) and "**" not in raw and not _MARK.match(raw):
        return raw[:_LONGEST]
    parts: list[str] = []
    marked = False
    for line in _lines(raw[:_LONGEST]):
        text = _MARK.sub("", line)
        # List points and headings become sentences, or they would run into what follows.
        heading = parts and len(parts[-1]) < _HEADING and text[:1].isupper()
        if parts and (marked or text != line or heading) and parts[-1][-1:].isalnum():
            parts[-1] += "."
        marked = text != line
        parts.append(text)
    return " ".join(parts)


def words(cell: Cell, *, depth: int = 3) -> str:
    """The cell as one line of text: yes and no, 17.0 as 17, lists with commas.

    Of an object the part that names it is taken, as in `{"id": 7, "name": "Mugs"}`; what is
    nested more than `depth` levels deep is left out.

    Examples:
        >>> words([True, Decimal("17.0"), "Nylon"])
        'yes, 17, Nylon'
    """
    if isinstance(cell, str):
        return plain(cell)
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int | Decimal):
        return _digits(Decimal(cell))
    if cell is None or depth == 0:
        return ""
    if isinstance(cell, dict):
        named = (cell[key] for key in ("name", "title", "value", "src", "url") if key in cell)
        return words(next(named, None), depth=depth - 1)
    return ", ".join(filter(None, (words(item, depth=depth - 1) for item in cell)))


def _digits(number: Decimal) -> str:
    """The number without needless zeros; a huge or tiny one in scientific notation."""
    if -9 <= number.adjusted() <= 15:
        return format(number.normalize(), "f")
    return "0" if number == 0 else str(number)


def bullets(raw: str) -> tuple[str, ...]:
    """The list points of the text, up to ten of 3 to 150 characters.

    Examples:
        >>> bullets("<ul><li>Two pockets</li><li>Zip</li></ul>")
        ('Two pockets', 'Zip')
    """
    if "<li" not in raw and "•" not in raw and "&bull;" not in raw:
        return ()
    points = (line[1:].strip() for line in _lines(raw[:_LONGEST]) if line.startswith("•"))
    return tuple(dict.fromkeys(point for point in points if 3 <= len(point) <= 150))[:10]


def clean(text: str) -> str:
    """The text without invisible characters, white space single, accents composed.

    Text that went through the wrong encoding on its way ("cafÃ©") is put right.
    """
    if _MANGLED.search(text):
        text = _unmangled(text)
    if _STRAY.search(text):
        text = _STRAY.sub(lambda char: char[0].encode("latin-1").decode("cp1252", "ignore"), text)
    return normalize("NFC", " ".join(_INVISIBLE.sub("", text).split()))


def _unmangled(text: str) -> str:
    try:
        # Windows-1252 has no sign for five bytes; decoders let those through as they are.
        return b"".join(
            char.encode("latin-1" if char in "\x81\x8d\x8f\x90\x9d" else "cp1252") for char in text
        ).decode()
    except UnicodeError:
        return text


def _lines(raw: str) -> list[str]:
    """The clean lines of the text that are not blank; list points begin with a bullet."""
    raw = raw.replace("\\n", "\n")  # a line end that was escaped on its way
    # Some shops escape their markup twice, so what comes out may be markup again.
    for _ in range(2):
        if not _MARKUP.search(raw):
            break
        raw = _stripped(raw)
    bare = _BOLD.sub(r"\1", raw)
    return [line for line in map(clean, bare.splitlines()) if line.strip("-*–•·▪‣ ")]


def _stripped(raw: str) -> str:
    """The text without markup, a line for every block."""
    stripper = _Stripper()
    try:
        stripper.feed(raw)
        stripper.close()
    except AssertionError:  # html.parser gives up this way on a malformed "<![…"
        return re.sub(r"<[^<>]*>?", " ", raw)
    return "".join(stripper.parts)


class _Stripper(HTMLParser):
    """Keeps the text of an HTML fragment."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Starts a line at a block, a bullet at a list point."""
        self._skipping += tag in _SKIPPED
        if tag in _BLOCKS:
            self.parts.append("\n• " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        """Ends the line of a block."""
        self._skipping = max(0, self._skipping - (tag in _SKIPPED))
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Keeps text that a reader of the page would see."""
        if not self._skipping:
            self.parts.append(re.sub(r"\s+", " ", data))
