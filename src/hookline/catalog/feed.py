"""A feed file → all of its products and rejected rows, or a `BadFeed`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hookline.catalog.decode import LARGEST, text_of
from hookline.catalog.documents import read_json
from hookline.catalog.mapping import FROM_TITLE, choose, shown
from hookline.catalog.markup import read_xml
from hookline.catalog.prices import PriceUnit, is_currency
from hookline.catalog.products import Reading, products_of
from hookline.catalog.sheet import RowNote, Sheet
from hookline.catalog.tables import read_table
from hookline.catalog.text import clean
from hookline.catalog.variants import joined
from hookline.errors import BadFeed, BadInput
from hookline.types import Product, RejectedRow

__all__ = ["Feed", "RowNote", "read_feed", "read_feed_bytes"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """A feed that was read, whole. `rows` = products + rejected + merged.

    Attributes:
        format: Name of the format found, for example `Google Merchant TSV`.
        mapping: Feed column → product field, as guessed or given; of two columns for one field
            the first that is filled counts. `(title)` → `id` where ids are made from titles.
        products: In the feed's order, ids unique.
        rejected: Rows that are no product, with the reason, in the feed's order.
        rows: Rows, lines or items that hold anything, header not counted.
        merged: Rows that went into another row's product as its variants.
        notes: What was left out of products that were kept.
        unmapped: Columns that were not read.
    """

    format: str
    mapping: Mapping[str, str]
    products: tuple[Product, ...]
    rejected: tuple[RejectedRow, ...]
    rows: int
    merged: int = 0
    notes: tuple[RowNote, ...] = ()
    unmapped: tuple[str, ...] = ()


def read_feed(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    currency: str = "USD",
    locale: str = "en",
    price_unit: PriceUnit = "units",
    at: datetime | None = None,
) -> Feed:
    """The feed in a file; see `read_feed_bytes`.

    Raises:
        BadFeed: Where the file is missing or is no product feed.
        BadInput: Where an argument names no field or currency.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BadFeed(f"{path.name} is larger than {LARGEST >> 20} MB; split it")
        data = path.read_bytes()
    except FileNotFoundError:
        raise BadFeed(f"{path} does not exist; check the path") from None
    except IsADirectoryError:
        raise BadFeed(f"{path} is a folder; name a file in it") from None
    except (OSError, ValueError) as wrong:
        raise BadFeed(f"{path} cannot be read ({wrong}); check the path") from wrong
    return read_feed_bytes(
        data,
        path.name,
        mapping=mapping,
        currency=currency,
        locale=locale,
        price_unit=price_unit,
        at=at,
    )


def read_feed_bytes(
    data: bytes,
    name: str,
    *,
    mapping: Mapping[str, str] | None = None,
    currency: str = "USD",
    locale: str = "en",
    price_unit: PriceUnit = "units",
    at: datetime | None = None,
) -> Feed:
    """The feed in the bytes of a file, plain or gzipped; what it is goes by its content.

    Args:
        data: The file.
        name: What to call it in messages.
        mapping: Feed column → product field where the guess is wrong; "" leaves a column out.
        currency: ISO 4217 code of prices that name none.
        locale: BCP 47 tag of the texts.
        price_unit: `cents` where 4995 means 49.95.
        at: The moment it is read for. A sale price with dates counts only where they include it.

    Raises:
        BadFeed: Where it is no product feed: one line, what to do about it included.
        BadInput: Where an argument names no field or currency.
    """
    if not is_currency(currency):
        raise BadInput(f"{currency!r} is not an ISO 4217 currency code such as USD.")
    if at is not None and at.tzinfo is None:
        raise BadInput("`at` has no time zone; give a UTC time.")
    try:
        sheet = joined(_sheet(text_of(data), mapping or {}))
        chosen = choose(sheet.columns, mapping)
    except BadFeed as wrong:
        raise BadFeed(f"{clean(name) or 'the feed'} {wrong}.") from None
    reading = Reading(
        mapping=chosen, currency=currency, locale=locale, price_unit=price_unit, at=at
    )
    return _feed(sheet, reading)


def _sheet(text: str, mapping: Mapping[str, str]) -> Sheet:
    """The text read as what its first characters say it is."""
    first = text.lstrip()[:1]
    if first == "<":
        return read_xml(text)
    if first == "{" or re.match(r"\s*\[\s*(?:[\[{\]\"]|$)", text):
        return read_json(text)
    return read_table(text, told=mapping)


def _feed(sheet: Sheet, reading: Reading) -> Feed:
    products, rejected, notes = products_of(sheet.records, reading)
    made = {} if reading.has_id else {FROM_TITLE: "id"}
    return Feed(
        format=sheet.format,
        mapping=made | {clean(c): field for c, field in shown(reading.mapping).items()},
        products=tuple(products),
        rejected=tuple(sorted([*sheet.rejected, *rejected], key=lambda bad: bad.row)),
        rows=len(sheet.records) + sheet.merged + len(sheet.rejected),
        merged=sheet.merged,
        notes=tuple(sorted([*sheet.notes, *notes], key=lambda note: note.row)),
        unmapped=tuple(clean(c) for c in sheet.columns if c not in reading.mapping),
    )
