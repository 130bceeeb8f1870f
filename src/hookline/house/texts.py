"""Texts that are no copy, to learn English from: tested headlines and product descriptions."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import regex

from hookline.errors import BadInput
from hookline.house.rows import Row, Written, is_held_out
from hookline.types import Product
from hookline.writers.house.marks import MARKS

HEADLINES: Final = "upworthy/headlines.csv.gz"
PROSE: Final = "catalog_bestbuy/ecommerce.json.gz"
"""The catalog whose descriptions may be learned from word for word: it is in the public domain."""
LONGEST: Final = 160
"""Most characters of a text."""
_NUMBER: Final = regex.compile(r"[$€£#]?\d[\d.,:]*(?:%|(?<=\d)(?:st|nd|rd|th|s)\b)?")
_SENTENCE: Final = regex.compile(r"(?<=[.?!])\s+")
_PLAIN: Final = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "."}
)
_READABLE: Final = regex.compile(rf"[\p{{Latin}}{MARKS['number']}{MARKS['maker']} .,;:?!'\"&()/-]+")


def stories(data: Path) -> Iterator[Row]:
    """The archive's headlines that were clicked more than their test's mean, each once.

    Articles are held out whole.

    Raises:
        BadInput: Where the folder has no headlines.
    """
    path = data / HEADLINES
    if not path.is_file():
        raise BadInput(f"{path} is missing; it holds the headlines of the Upworthy archive")
    tests: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            rate = int(line["clicks"]) / max(int(line["impressions"]), 1)
            tests[line["test_id"]].append((line["headline"], line["article_id"], rate))
    seen: set[str] = set()
    for arms in tests.values():
        mean = sum(rate for _, _, rate in arms) / len(arms)
        for headline, article, rate in arms:
            text = _plain(headline)
            if rate > mean and text and text.casefold() not in seen:
                seen.add(text.casefold())
                yield _row("story", text, held_out=is_held_out("article", article))


def sentences(products: Iterable[Product]) -> Iterator[Row]:
    """The sentences of descriptions, each once, the maker's name as a slot."""
    seen: set[str] = set()
    for product in products:
        for sentence in _SENTENCE.split(product.description):
            if product.brand:
                sentence = regex.sub(  # noqa: PLW2901 - the same sentence, the maker left out
                    rf"\b{regex.escape(product.brand)}\b", MARKS["maker"], sentence
                )
            text = _plain(sentence)
            if text and len(text.split()) >= 5 and text not in seen:
                seen.add(text)
                yield _row("catalog", text, held_out=is_held_out(product.id))


def _plain(text: str) -> str:
    """The text in plain letters with numbers as slots; empty where it is not one short text."""
    plain = " ".join(_NUMBER.sub(MARKS["number"], text.translate(_PLAIN)).split())
    fits = 10 <= len(plain) <= LONGEST and not plain.isupper()
    return plain if fits and _READABLE.fullmatch(plain) else ""


def _row(source: str, text: str, *, held_out: bool) -> Row:
    room = -(-len(text) // 20) * 20  # how long it is to be is told only roughly
    marks = sum("\ue000" <= char <= "\ue0ef" for char in text)
    written = Written(conditions=("role hook",), room=room, text=text, widths=(4,) * marks)
    conditions = (f"text {source}", "locale en")
    return Row(source=source, conditions=conditions, fields=(written,), held_out=held_out)
