"""The shelf that planted violations and sound lines are about: one backpack in five languages."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from hookline.brief import make_brief
from hookline.guards import GUARDS, Guard, check_all, guards_named
from hookline.types import (
    Attributes,
    Audience,
    Brand,
    Brief,
    Channel,
    Field,
    Money,
    Product,
    Verdict,
)

HERE = Path(__file__).parent
PLACE = Channel(
    id="onsite_banner",
    name="On-site banner",
    fields=(
        Field(name="headline", max_graphemes=200),
        Field(name="cta", max_graphemes=40, role="cta"),
    ),
)
BUTTONS = {
    "en": "Shop now",
    "de": "Jetzt kaufen",
    "fr": "Acheter maintenant",
    "es": "Comprar ahora",
    "ja": "今すぐ購入",
}
EUROS = Money(amount=Decimal(60), currency="EUR")
PRODUCTS = {
    "en": Product(
        id="joust",
        title="Joust 17-inch Laptop Backpack",
        description="Two zippered pockets and a padded sleeve. Holds 29 L and weighs 1.2 kg. "
        "Recycled lining.",
        brand="Joust",
        price=Money(amount=Decimal(60), currency="USD"),
        availability="in_stock",
        facts={"Material": "Nylon", "Colour": "Blue"},
    ),
    "de": Product(
        id="joust",
        title="Joust Laptop-Rucksack, 17 Zoll",
        description="Zwei Reißverschlussfächer und eine gepolsterte Hülle. Fasst 29 l und wiegt "
        "1,2 kg. Futter aus recyceltem Material.",
        brand="Joust",
        price=EUROS,
        availability="in_stock",
        facts={"Material": "Nylon", "Farbe": "Blau"},
        locale="de",
    ),
    "fr": Product(
        id="joust",
        title="Sac à dos Joust pour ordinateur 17 pouces",
        description="Deux poches zippées et une housse rembourrée. Contient 29 litres et pèse "
        "1,2 kg. Doublure recyclée.",
        brand="Joust",
        price=EUROS,
        availability="in_stock",
        facts={"Matière": "Nylon", "Couleur": "Bleu"},
        locale="fr",
    ),
    "es": Product(
        id="joust",
        title="Mochila Joust para portátil de 17 pulgadas",
        description="Dos bolsillos con cremallera y una funda acolchada. Caben 29 litros y pesa "
        "1,2 kg. Forro reciclado.",
        brand="Joust",
        price=EUROS,
        availability="in_stock",
        facts={"Material": "Nailon", "Color": "Azul"},
        locale="es",
    ),
    "ja": Product(
        id="joust",
        title="ジャウスト 17インチ パソコン用バックパック",
        description="ファスナーポケット二つとクッション入りスリーブ。容量29リットル、重さ1.2kg。"
        "裏地はリサイクル素材。",
        brand="ジャウスト",
        price=Money(amount=Decimal(6000), currency="JPY"),
        availability="in_stock",
        facts={"素材": "ナイロン", "色": "青"},
        locale="ja",
    ),
}
KIT = {
    "banned_terms": ("hack",),
    "glossary": {"back pack": "backpack"},
    "disclaimers": {"loan": "Terms apply."},
    "restrictions": ("Do not mention competitors such as “Globex”.", "No questions."),
}


@dataclass(frozen=True)
class Line:
    """One line of a set: what it is, in which language, and what was asked for."""

    kind: str
    locale: str
    parts: dict[str, str]
    brief: Brief

    @property
    def text(self) -> str:
        return " | ".join(self.parts.values())


def lines(name: str) -> Iterator[Line]:
    """Every line of `hostile.json` or `sound.json`."""
    kinds = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    for locale, rows in kinds.items():
        for kind, texts in rows.items():
            for text in texts:
                yield _line(kind, locale, text)


def _line(kind: str, locale: str, text: str) -> Line:
    family, _, rest = kind.partition(".")
    headline, _, button = text.partition(" | ")
    asked = "shop"
    if family == "cta" and rest not in {"missing", "style"}:  # a sound button
        headline, button, asked = PRODUCTS[locale].title, text, rest
    parts = {"headline": headline, "cta": button or BUTTONS[locale]}
    return Line(kind, locale, parts, _brief(kind, locale, asked))


def _brief(kind: str, locale: str, asked: str) -> Brief:
    kit = KIT if kind.startswith("brand") else {}
    return make_brief(
        product=PRODUCTS[locale],
        audience=Audience(id="all", name="Everybody"),
        channel=PLACE,
        brand=Brand(
            id="acme",
            name="Acme",
            locale=locale,
            min_ease=30 if kind == "readability.hard" else None,
            **kit,  # pyright: ignore[reportArgumentType]
        ),
        attributes=Attributes(cta=asked),  # pyright: ignore[reportArgumentType]
        sentiment={"sentiment.low": 0.5, "sentiment.high": 0.0}.get(kind),
    )


def faults(line: Line, guards: tuple[Guard, ...] = guards_named(GUARDS)) -> list[Verdict]:
    """What the guards find wrong with the line."""
    return [verdict for verdict in check_all(guards, line.parts, line.brief) if not verdict.ok]
