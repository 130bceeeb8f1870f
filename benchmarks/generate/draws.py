"""The briefs that writers are measured on: real products × channels × attributes × languages."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from benchmarks.slates import CATALOGS
from hookline import sample
from hookline.brief import make_brief
from hookline.catalog import read_feed
from hookline.channels import CHANNELS
from hookline.types import ATTRIBUTE_LEVELS, Attributes, Brief, Product

LOCALES: Final = ("en", "de", "fr", "es", "ja")
GLADDEST: Final = 0.75
"""Targets lie from 0, even, to here; nobody asks a shop for bleak copy."""


def shelves(paths: Sequence[Path] = CATALOGS) -> list[Sequence[Product]]:
    """The products of every catalog that is there."""
    return [read_feed(path).products for path in paths if path.exists()]


def draw(catalogs: Sequence[Sequence[Product]], count: int, seed: int) -> list[Brief]:
    """`count` briefs, channels and languages in turn, everything else by chance.

    Each has a target for its feeling. A proof is asked for only of a product that has one: a
    price, a maker, a highlight.
    """
    places = [(channel, locale) for locale in LOCALES for channel in CHANNELS.values()]
    briefs: list[Brief] = []
    for turn in range(count):
        rng = Random(f"{seed}/{turn}")
        product = rng.choice(catalogs[turn % len(catalogs)])
        channel, locale = places[turn % len(places)]
        briefs.append(
            make_brief(
                product=product,
                audience=rng.choice(sample.audiences()),
                channel=channel,
                brand=sample.brand(),
                attributes=_attributes(product, rng),
                locale=locale,
                sentiment=round(rng.uniform(0, GLADDEST), 2),
            )
        )
    return briefs


def _attributes(product: Product, rng: Random) -> Attributes:
    """A level of every attribute, each as likely as the others."""
    levels = {name: rng.choice(levels) for name, levels in ATTRIBUTE_LEVELS.items()}
    proofs = ["none"]
    proofs += ["price"] if product.price and product.price.amount > 0 else []
    proofs += ["brand"] if product.brand else []
    proofs += ["spec"] if product.highlights else []
    return msgspec.convert(levels | {"proof": rng.choice(proofs)}, Attributes)
