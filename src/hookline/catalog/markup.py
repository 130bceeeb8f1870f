"""XML → sheet: Google Merchant feeds in RSS 2.0 and Atom, and plain lists of products."""

import re
from typing import NoReturn
from xml.parsers import expat

from hookline.catalog.sheet import Cell, Record, Sheet
from hookline.errors import BadFeed

_GOOGLE = "http://base.google.com/ns/1.0"
_ROWS = {"item", "entry", "product", "offer"}
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_WEB_PAGE = re.compile(r"\s*(?:<!doctype\s+html|<html)\b", re.IGNORECASE)


def read_xml(text: str) -> Sheet:
    """The items of an XML feed; elements of Google's namespace become columns like `g:price`.

    A document type declaration is refused, and with it every entity of the file's own: nothing
    can expand, and nothing outside the file is read.

    Raises:
        BadFeed: Where the XML is broken, with the line number, or holds no items.
    """
    if _WEB_PAGE.match(text):
        raise BadFeed("is a web page, not a feed; give the address or file of the feed itself")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    try:
        parser.Parse(_NOT_XML.sub("", text.lstrip()))
        parser.Parse("", True)  # noqa: FBT003 - expat takes no keywords
    except expat.ExpatError as wrong:
        # Blank lines before the declaration were taken off; put them back into the count.
        line = wrong.lineno + text[: len(text) - len(text.lstrip())].count("\n")
        what = expat.ErrorString(wrong.code)
        raise BadFeed(f"is broken XML in line {line} ({what}); export it again") from None
    if not reader.rows:
        raise BadFeed("is XML with no <item>, <entry> or <product>; give a product feed")
    columns = tuple(dict.fromkeys(name for cells in reader.rows for name in cells))
    records = tuple(Record(row=n, cells=cells) for n, cells in enumerate(reader.rows, start=1))
    google = any(column.startswith("g:") for column in columns)
    kind = {"rss": "XML (RSS)", "feed": "XML (Atom)"}.get(reader.root, "XML")
    return Sheet(
        format=f"Google Merchant {kind}" if google else kind, columns=columns, records=records
    )


def _refuse(*_: object) -> NoReturn:
    raise BadFeed("declares a document type (<!DOCTYPE>), which feeds must not; remove that line")


class _Reader:
    """Gathers the rows of a feed while expat walks through it."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Cell]] = []
        self.root = ""
        self._open: list[tuple[str, dict[str, Cell], list[str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        column = _column(name)
        self.root = self.root or column
        if self._open or column in _ROWS:
            linked = [attributes["href"]] if column == "link" and "href" in attributes else []
            self._open.append((column, {}, linked))

    def data(self, text: str) -> None:
        if self._open:
            self._open[-1][2].append(text)

    def end(self, _: str) -> None:
        if not self._open:
            return
        column, cells, texts = self._open.pop()
        text = "".join(texts).strip()
        if not self._open:
            self.rows.append(cells)
        elif len(self._open) > 2:  # below a property and its parts there is only text
            self._open[-1][2].append(f" {text} ")
        else:
            _put(self._open[-1][1], column, cells or text)


def _column(name: str) -> str:
    """`g:price` for Google's namespace, the bare name for any other."""
    space, _, local = name.rpartition(" ")
    return f"g:{local}" if space == _GOOGLE else local


def _put(cells: dict[str, Cell], column: str, value: Cell) -> None:
    """Sets a cell; a repeated element gives a list, a blank one nothing."""
    if not value:
        return
    before = cells.get(column)
    if before is None:
        cells[column] = value
    else:
        cells[column] = [*before, value] if isinstance(before, list) else [before, value]
