"""The `privacy` guard: no personal data in copy that everybody sees."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from ipaddress import ip_address
from typing import ClassVar, Final

from hookline.guards.base import Guard
from hookline.types import Brief, Verdict
from hookline.words import LANGUAGES, fold, language_of, load

_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_IBAN: Final = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Z0-9])")
_CARD: Final = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){12,18}(?![\d.,]\d|\d)")
_PHONE: Final = re.compile(
    r"(?<![\w.,$€£-])(?:(?:\+|00)\d[\d ()./-]{6,16}\d|\(\d{2,5}\)[\d ./-]{5,12}\d"
    r"|0\d[\d ./-]{6,13}\d|\d{3}[ .-]\d{3}[ .-]\d{3,4})(?![\d%€$£]|[.,]\d)",
    re.ASCII,
)
_IP: Final = re.compile(
    r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4})(?![\w.:])",
    re.ASCII,
)
_DIGITS: Final = range(7, 16)
_PERSONAL: Final = frozenset(
    {"name", "first_name", "last_name", "full_name", "firstname", "lastname", "surname"}
    | {"given_name", "family_name", "vorname", "nachname", "nom", "prenom", "nombre", "apellido"}
    | {"email", "mail", "phone", "telephone", "tel", "address", "street", "birthday", "username"}
)
"""Visitor traits whose values are somebody's."""


class Privacy(Guard):
    """No e-mail address, phone, card or account number, IP address, or name of a visitor.

    Digits and names that the product's own text has are the product's.
    """

    name: ClassVar[str] = "privacy"

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - an address is one by itself
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        own, own_digits = _own(*_own_texts(brief))
        faults: list[Verdict] = []
        for part, text in parts.items():
            for code, found in (*_numbers(text, own_digits), *_names(text, brief, own)):
                reason = f'The copy has {_WHAT[code]}: "{found}". Copy is read by everybody.'
                faults.append(self.fault(code, reason, part))
        return tuple(faults) or self.passed()


_WHAT: Final = {
    "email": "an e-mail address",
    "iban": "an account number",
    "card": "a card number",
    "ip": "a network address",
    "phone": "a phone number",
    "name": "somebody's name",
    "trait": "what is known of a visitor",
}


def _own_texts(brief: Brief) -> tuple[str, ...]:
    product = brief.product
    texts = (product.title, product.description, product.brand, brief.brand.name)
    return (*texts, *product.facts.values(), *product.highlights)


@lru_cache(maxsize=4096)
def _own(*texts: str) -> tuple[str, str]:
    """What the shop itself says, folded, and the digits in it."""
    own = fold(" ; ".join(texts))
    return own, re.sub(r"\D", "", own)


def _numbers(text: str, own_digits: str) -> Iterator[tuple[str, str]]:
    """Kind and text of every address and number; a stretch counts once, as the surest kind."""
    if email := _EMAIL.search(text):
        yield "email", email[0]
    if not any(char.isdigit() for char in text):
        return
    left = text
    for code, shape, holds in (
        ("iban", _IBAN, _is_iban),
        ("card", _CARD, _is_card),
        ("ip", _IP, _is_ip),
        ("phone", _PHONE, _is_phone),
    ):
        for found in shape.findall(left):
            digits = re.sub(r"\D", "", found)
            if holds(found) and digits not in own_digits:
                left = left.replace(found, " ")
                yield code, found.strip()


def _is_iban(text: str) -> bool:
    """Whether the account number's check digits are right (ISO 13616)."""
    plain = text.replace(" ", "")
    for end in range(len(plain), 14, -1):  # words in capitals may follow it
        turned = plain[4:end] + plain[:4]
        if int("".join(str(int(char, 36)) for char in turned)) % 97 == 1:
            return True
    return False


def _is_card(text: str) -> bool:
    """Whether the digits pass the Luhn check."""
    digits = [int(char) for char in text if char.isdecimal()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_phone(text: str) -> bool:
    return sum(char.isdecimal() for char in text) in _DIGITS


def _names(text: str, brief: Brief, own: str) -> Iterator[tuple[str, str]]:
    """Names of people that the copy speaks to, and values of visitors' personal traits."""
    named = _named(language_of(brief.locale))
    for found in named.finditer(text):
        name = next(filter(None, found.groups()))
        if fold(name) not in own:
            yield "name", found[0].strip(" ,!")
            break
    folded = fold(text)
    for trait, values in brief.audience.when.items():
        if fold(trait) in _PERSONAL:
            for value in filter(None, map(fold, values)):
                if re.search(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", folded):
                    yield "trait", value


@cache
def _named(language: str) -> re.Pattern[str]:
    """Finds a form of address with a name."""
    known = language if language in LANGUAGES else "en"
    lists = load("safety", known)["privacy"]
    names = lists["names"]
    if known == "ja":
        return re.compile(rf"({names})(?:{lists['honorifics']})")
    titles = "|".join(re.escape(word) for word in lists["titles"])
    greetings = "|".join(lists["greetings"])
    capital = r"(?-i:[A-ZÀ-ÖØ-Þ])[\w'’-]+"
    return re.compile(
        rf"(?<!\w)(?:(?:{titles})\.? ({capital})"
        rf"|(?:{greetings}),? ({names})(?!\w)"
        rf"|(?:^|[.!?] )({names})[,!])",
        re.IGNORECASE,
    )
