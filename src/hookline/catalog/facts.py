"""Attributes of every shape → named facts in a shopper's words."""

import csv
import re
from collections.abc import Iterator
from functools import lru_cache

from hookline.catalog.sheet import Cell
from hookline.catalog.text import clean, words

_PREFIX = re.compile(r"^(?:g:|google shopping\s*/\s*|(?:attr|attribute|spec|feature)_)", re.I)
_TYPE_PREFIX = re.compile(r"^[tnb]_(?=.)")
_METAFIELD = re.compile(r"\s*\((?:product|variant)\.metafields\.[^)]*\)")
_SUFFIX = re.compile(r"__([a-zA-Z0-9_]+?)_$")
_PAIR = re.compile(r"(?:^|,)\s*(\w[\w \-]*)=")
# Pallets and customs codes are true and sell nothing; switches are the shop's own affair.
_LOGISTICS = {
    "ark", "carton", "cartons", "codename", "customs", "discontinuance", "harmonized", "master",
    "package", "packaging", "pallet", "recommends", "url",
}  # fmt: skip
_SWITCHES = {
    "enabled", "featured", "has options", "is featured", "last change", "links exist", "new",
    "on sale", "required options", "sale", "status", "tax class", "visibility",
}  # fmt: skip
_NOTHING = {"n/a", "na", "none", "null", "-", "--"}
_YES_NO = {"y": "yes", "n": "no", "true": "yes", "false": "no", "yes": "yes", "no": "no"}
_NAMES = ("attribute_name", "name", "key", "label", "attribute")
_VALUES = ("attribute_value", "value", "options", "values", "option")


@lru_cache(maxsize=8192)
def fact_name(column: str) -> str:
    """The column's name in a shopper's words; empty for what is no fact to a shopper.

    Examples:
        >>> fact_name("attr_n_display_diagonal"), fact_name("attr_t_contrast_ratio__typical_")
        ('display diagonal', 'contrast ratio (typical)')
        >>> fact_name("HDMI ports"), fact_name("attr_n_pallet_width")
        ('HDMI ports', '')
    """
    name = _PREFIX.sub("", _METAFIELD.sub("", column.strip()))
    if name != column:
        name = _TYPE_PREFIX.sub("", name)
    suffix = _SUFFIX.search(name)
    if suffix:
        inner = suffix[1].replace("_", " ")
        # A suffix of single letters is what is left of a symbol like (T-T).
        kept = f" ({inner})" if any(len(part) > 1 for part in inner.split()) else ""
        name = name[: suffix.start()] + kept
    name = re.sub(r"(?<!\d)(\d)_(\d)(?!\d)", r"\1.\2", name)  # 2_0 was 2.0
    name = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)
    name = clean(re.sub(r"[_\s:]+", " ", name)).strip(" -")[:60]
    acronyms = not name.isupper()
    name = " ".join(
        word if acronyms and len(word) > 1 and word.isupper() else word.lower()
        for word in name.split()
    )
    if name in _SWITCHES or _LOGISTICS & set(re.split(r"\W+", name)):
        return ""
    return name


def fact_value(cell: Cell) -> str:
    """The value in words; empty where it says nothing.

    Examples:
        >>> fact_value("All-weather|Cool"), fact_value("N/A")
        ('All-weather, Cool', '')
    """
    if isinstance(cell, str):
        # Lists come with bars, with line ends, and with line ends that were escaped on the way.
        parts = re.split(r"\s*(?:\||\\n|\n)\s*", cell) if re.search(r"\||\\n|\n", cell) else [cell]
        text = ", ".join(filter(None, map(words, parts)))
    else:
        text = words(cell)
    if text.lower() in _NOTHING or text.startswith(("http://", "https://")):
        return ""
    return _YES_NO.get(text.lower(), re.sub(r",(?=[A-Za-z])", ", ", text))


def pairs(cell: Cell, *, depth: int = 3) -> Iterator[tuple[str, Cell]]:
    """The (name, value) pairs in a cell that holds attributes in any of the usual shapes.

    Examples:
        >>> dict(pairs("material=Wool,climate=Cool|Windy"))
        {'material': 'Wool', 'climate': 'Cool|Windy'}
        >>> dict(pairs("General:Battery life:8 h,Display:Resolution:800 x 600"))
        {'Battery life': '8 h', 'Resolution': '800 x 600'}
        >>> dict(pairs([{"name": "Fit", "value": "Slim"}]))
        {'Fit': 'Slim'}
    """
    if isinstance(cell, str):
        yield from _assignments(cell) if _PAIR.match(cell) else _details(cell)
    elif isinstance(cell, list) and depth:
        for item in cell:
            yield from pairs(item, depth=depth - 1)
    elif isinstance(cell, dict):
        named = _first(cell, _NAMES)
        value = _first(cell, _VALUES)
        if isinstance(named, str) and value is not None:
            yield named, value
        else:
            yield from cell.items()


def _first(cell: dict[str, Cell], keys: tuple[str, ...]) -> Cell:
    lowered = {key.lower().removeprefix("g:"): value for key, value in cell.items()}
    return next((lowered[key] for key in keys if key in lowered), None)


def _assignments(text: str) -> Iterator[tuple[str, Cell]]:
    """Magento's `name=value,name=value`; a comma counts where a name and `=` follow."""
    found = list(_PAIR.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    for match, end in zip(found, ends, strict=True):
        yield match[1].strip(), text[match.end() : end].strip()


def _details(text: str) -> Iterator[tuple[str, Cell]]:
    """Google's `section:name:value,…`; a piece without a colon belongs to the value before."""
    pieces: list[str] = []
    for piece in _split(text):
        if ":" in piece or not pieces:
            pieces.append(piece)
        else:
            pieces[-1] += f", {piece}"
    for piece in pieces:
        name, _, value = piece.rpartition(":") if piece.count(":") == 1 else _sectioned(piece)
        if name and value:
            yield name.strip(), value.strip()


def _sectioned(piece: str) -> tuple[str, str, str]:
    parts = piece.split(":", 2)
    return (parts[1], ":", parts[2]) if len(parts) == 3 else ("", "", "")


def _split(text: str) -> list[str]:
    """The comma-separated pieces, where quotes protect commas."""
    try:
        row = next(csv.reader([text.replace("\n", ",")], skipinitialspace=True))
    except (csv.Error, StopIteration):
        row = text.split(",")
    return [piece.strip() for piece in row if piece.strip()]


def highlights(cell: Cell) -> tuple[str, ...]:
    """The selling points of a cell: a list, lines, bars, or Google's commas.

    Examples:
        >>> highlights("Folds flat,Weighs 1 kg, dry")
        ('Folds flat', 'Weighs 1 kg, dry')
    """
    if isinstance(cell, list):
        points = [words(item) for item in cell]
    elif isinstance(cell, str) and re.search(r"[\n|]", cell):
        points = [words(part) for part in re.split(r"[\n|]", cell)]
    elif isinstance(cell, str):
        points = _rejoined([words(part) for part in _split(cell)])
    else:
        points = [words(cell)]
    return tuple(dict.fromkeys(filter(None, points)))


def _rejoined(pieces: list[str]) -> list[str]:
    """The pieces, where one that goes on in lower case is still the point before it."""
    points: list[str] = []
    for piece in pieces:
        if points and piece[:1].islower():
            points[-1] += f", {piece}"
        else:
            points.append(piece)
    return points
