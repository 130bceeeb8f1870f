"""Prices as feeds write them → exact money, or a reason in words."""

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, TypeAlias

from hookline.catalog.sheet import Cell
from hookline.types import Money

PriceUnit: TypeAlias = Literal["units", "cents"]
"""Whether a bare 4995 means 4995.00 or 49.95."""

_NUMBER = re.compile(r"[.,]?[0-9][0-9.,' \u00a0\u202f]*")
_PLAIN = re.compile(r"(?P<whole>[0-9]*)(?:[.,](?P<rest>[0-9]+))?")
_GROUPED = re.compile(
    r"(?P<whole>[0-9]{1,3}(?:(?P<group>[.,])[0-9]{3})(?:(?P=group)[0-9]{3})*)"
    r"(?:(?P<mark>(?!(?P=group))[.,])(?P<rest>[0-9]+))?"
)
_HIGHEST = Decimal(10) ** 9
_CENT, _MILL = Decimal("0.01"), Decimal("0.001")
_CURRENCIES = {
    "AED", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN",
    "BHD", "BMD", "BND", "BOB", "BRL", "BSD", "BWP", "BYN", "BZD", "CAD", "CHF", "CLP", "CNY",
    "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ETB", "EUR", "FJD",
    "GBP", "GEL", "GHS", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS",
    "INR", "IQD", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KRW", "KWD", "KYD", "KZT",
    "LAK", "LBP", "LKR", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN",
    "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SCR", "SEK",
    "SGD", "THB", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS",
    "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "ZAR", "ZMW",
}  # fmt: skip
_THREE_DECIMALS = {"BHD", "IQD", "JOD", "KWD", "OMR", "TND"}
# A sign that several currencies share stands for the feed's own where that is one of them.
_SIGNS: dict[str, tuple[str, ...]] = {
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD", "ARS", "CLP", "COP"),
    "US$": ("USD",), "C$": ("CAD",), "A$": ("AUD",), "R$": ("BRL",),
    "€": ("EUR",), "£": ("GBP",), "¥": ("JPY", "CNY"), "₹": ("INR",), "₩": ("KRW",),
    "₺": ("TRY",), "₽": ("RUB",), "₴": ("UAH",), "₪": ("ILS",), "฿": ("THB",), "₫": ("VND",),
    "ZŁ": ("PLN",), "KČ": ("CZK",), "FT": ("HUF",), "KR": ("SEK", "NOK", "DKK", "ISK"),
}  # fmt: skip


class BadPrice(Exception):
    """A price that cannot be read; the message is the reason for the shop owner."""


def is_currency(code: str) -> bool:
    """Whether the code is an ISO 4217 code of money in use."""
    return code in _CURRENCIES


def parse_money(value: Cell, *, currency: str, unit: PriceUnit = "units") -> Money:
    """The amount of a price such as `15`, `"15.00 USD"`, `"$1,299.00"` or `"1.299,00 €"`.

    Args:
        value: A number or text.
        currency: ISO code of amounts that name none.
        unit: What amounts count; in cents they must be whole numbers.

    Raises:
        BadPrice: Where the value is no price, is below zero, or can be read in two ways.

    Examples:
        >>> str(parse_money("1.299,00 €", currency="USD"))
        '1299.00 EUR'
        >>> str(parse_money(4995, currency="USD", unit="cents"))
        '49.95 USD'
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        amount, currency = _from_text(value, currency)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        amount = Decimal(value)
    else:
        raise BadPrice(f"{str(value)[:40]!r} is not a price")
    if amount < 0:
        raise BadPrice(f"{value} is below zero")
    if amount >= _HIGHEST:
        raise BadPrice(f"{str(value)[:40]} is too high to be true")
    if unit == "cents":
        if amount % 1:
            raise BadPrice(f"{value} is not a whole number of cents")
        amount /= 100
    smallest = _MILL if currency in _THREE_DECIMALS else _CENT
    return Money(amount=amount.quantize(smallest, ROUND_HALF_UP), currency=currency)


def in_force(window: tuple[str, str], at: datetime | None) -> bool:
    """Whether a sale with these ISO 8601 dates is on; False where that cannot be known.

    Args:
        window: First and last moment, either of them may be empty; dates without a zone are UTC.
        at: The moment asked about; a sale with dates is off where there is none.
    """
    if not any(window):
        return True
    try:
        first, last = (_moment(text) for text in window)
    except ValueError:
        return False
    return at is not None and (not first or first <= at) and (not last or at <= last)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _from_text(text: str, currency: str) -> tuple[Decimal, str]:
    """Amount and currency of a price written out."""
    found = _NUMBER.search(text)
    if not found:
        raise BadPrice(f"{text[:40]!r} is not a price")
    before, after = text[: found.start()].strip(), text[found.end() :].strip(" -–")
    negative = before.startswith(("-", "−"))
    mark = (before.lstrip("-−").strip() or after).upper()
    if after and before.lstrip("-−").strip():
        raise BadPrice(f"{text[:40]!r} is not a price")
    if mark:
        currency = _currency(mark, currency, text)
    amount = _amount(re.sub(r"[' \u00a0\u202f]", "", found[0]), currency)
    return -amount if negative else amount, currency


def _currency(mark: str, default: str, text: str) -> str:
    """The ISO code that a sign or code before or after the number stands for."""
    codes = (mark,) if mark in _CURRENCIES else _SIGNS.get(mark.rstrip("."), ())
    if not codes:
        raise BadPrice(f"{text[:40]!r} is not a price")
    return default if default in codes else codes[0]


def _amount(digits: str, currency: str) -> Decimal:
    """The number, whichever of point and comma is the decimal mark."""
    digits = digits.rstrip(".,")
    grouped = _GROUPED.fullmatch(digits)
    if grouped and (grouped["mark"] or digits.count(".") != 1):
        return Decimal(f"{re.sub('[.,]', '', grouped['whole'])}.{grouped['rest'] or 0}")
    plain = _PLAIN.fullmatch(digits)
    # 1.299 is 1,299 in Berlin; only where money has three decimals is it surely not.
    if not plain or (grouped and plain["whole"] != "0" and currency not in _THREE_DECIMALS):
        raise BadPrice(f"'{digits[:40]}' can be read in two ways; write it like 1299.00")
    return Decimal(f"{plain['whole'] or 0}.{plain['rest'] or 0}")
