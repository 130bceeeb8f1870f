"""Briefs about products of open catalogs, and what the phrasebook writes for them.

The phrasebook is given each product with a mark of the right length in place of every fact, so that
it chooses and fits its sentences as ever, and the drafts come out with slots.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

from hookline import sample
from hookline.brief import make_brief
from hookline.catalog import read_feed
from hookline.channels import CHANNELS
from hookline.house.rows import (
    RUN,
    Row,
    Written,
    is_held_out,
    mask,
    sentences_of,
    unmasked,
)
from hookline.recognise import as_asked
from hookline.sentiment import missed_by, score
from hookline.types import ATTRIBUTE_LEVELS, Attributes, Audience, Brand, Brief, Product
from hookline.writers.house.asked import (
    Seen,
    conditions,
    field_conditions,
    name_for,
    room_of,
    see,
    sizer,
)
from hookline.writers.house.marks import MARKS, SLOTS
from hookline.writers.phrasebook.bank import Bank, load_bank
from hookline.writers.phrasebook.compose import Sheet
from hookline.writers.phrasebook.names import Name
from hookline.writers.phrasebook.slots import Subject

CATALOGS: Final = (
    "catalog_magento_luma/configurable_products.csv.gz",
    "catalog_magento_luma/products_gear_bags.csv.gz",
    "catalog_magento_luma/products_gear_fitness_equipment.csv.gz",
    "catalog_magento_luma/products_gear_watches.csv.gz",
    "catalog_bestbuy/ecommerce.json.gz",
    "catalog_icecat/icecat_products_19k.jsonl.gz",
)
"""Files under the data folder whose products briefs are about."""
_SQUEEZES: Final = (1.0, 1.0, 0.9, 0.8, 0.43, 0.7) * 4
"""Share of a field's room that successive tries use."""
_WITH_FEELING: Final = 0.75
"""Share of briefs that ask for a feeling."""
_GLADDEST: Final = 0.75
"""Targets lie from 0 to here; nobody asks a shop for bleak copy."""
_NEAR: Final = 0.1
"""How far a feeling may lie from its target to be taken without another try."""


def read_catalogs(data: Path) -> list[list[Product]]:
    """The products of the sample shop and of each open catalog that lies in the folder."""
    shops = [sample.shop_path(), *(data / name for name in CATALOGS if (data / name).is_file())]
    return [list(read_feed(path).products) for path in shops]


def pairs(
    catalogs: Sequence[Sequence[Product]], count: int, *, language: str, seed: int
) -> Iterator[Row]:
    """At most `count` drafts, each with the brief it answers; every catalog has an equal say.

    Args:
        catalogs: Products that briefs are about.
        count: How many briefs are drawn.
        language: The language to write, one of the phrasebook's.
        seed: Of all draws.
    """
    bank = load_bank(language)
    rng = Random(f"{language}/{seed}")
    motives = sorted(bank.people.keys() - {"any"})
    for _ in range(count):
        product = rng.choice(rng.choice(catalogs))
        row = _row(draw_brief(product, motives, rng, language), bank, rng)
        if row is not None and not _is_wordy(row):
            yield row


def draw_brief(product: Product, motives: Sequence[str], rng: Random, language: str) -> Brief:
    """A brief about the product: all else is drawn, each level as likely as another.

    Args:
        product: The product.
        motives: What may move the audience.
        rng: Where draws come from.
        language: The language to write.
    """
    levels: dict[str, Any] = {name: rng.choice(known) for name, known in ATTRIBUTE_LEVELS.items()}
    moved = tuple(rng.sample(list(motives), rng.choice((0, 1, 2))))
    return make_brief(
        product=product,
        audience=Audience(id="some", name="Some", motives=moved),
        channel=rng.choice(list(CHANNELS.values())),
        brand=Brand(id="shop", name="The Shop"),
        attributes=Attributes(**levels),
        locale=language,
    )


def _row(brief: Brief, bank: Bank, rng: Random) -> Row | None:
    """A draft for the brief with slots that has what was asked for, or None where none is found.

    Of a few, it is the one that feels most like a target. The feeling it is taught under is the one
    that it turned out to have.
    """
    seen = see(brief, bank)
    subject = seen.subject
    if not subject.naming.names:
        return None
    proof = rng.choice(subject.proofs or (("", ""),))
    quoted = replace(subject, proofs=(proof,) if proof[0] else ())
    masked = _masked(quoted, sizer(brief.channel))
    goal = rng.uniform(0.0, _GLADDEST) if rng.random() < _WITH_FEELING else None
    best, least = None, math.inf
    for squeeze in _SQUEEZES:
        sheet = Sheet(
            brief, bank, masked, rng=rng, allowed=lambda _: True, stale=set(), squeeze=squeeze
        )
        parts = sheet.write()
        if parts is None or sheet.owed or not _is_as_asked(parts, brief):
            continue
        off = missed_by(" | ".join(parts.values()), brief.locale, goal)
        if off < least:
            best, least = parts, off
        if least <= _NEAR:
            break
    if best is None:
        return None
    felt = brief
    if goal is not None:
        felt = replace(brief, sentiment=score(" | ".join(best.values()), brief.locale))
    return Row(
        source="copy",
        conditions=tuple(conditions(felt, seen, proof[0])),
        fields=tuple(_fields(brief, seen, best)),
        held_out=is_held_out(brief.product.id),
    )


def _is_as_asked(parts: Mapping[str, str], brief: Brief) -> bool:
    """Whether every attribute asked for is recognised, but for proof, which stands in slots."""
    return all(had for name, had in as_asked(parts, brief).items() if name != "proof")


def _is_wordy(row: Row) -> bool:
    """Whether a sentence is so long that to repeat it would be to quote."""
    return any(len(said) > RUN for spot in row.fields for said in sentences_of(spot.text))


def _masked(seen: Subject, size: Callable[[str], int]) -> Subject:
    """The subject with a mark in place of every fact."""
    native = "it" in seen.fixed  # only English puts an article before a name
    kept = tuple(Name(mask("name", size(name.text)), article=native) for name in seen.naming.names)
    fixed = {
        slot: mask(slot, size(text)) if slot in SLOTS else text for slot, text in seen.fixed.items()
    }
    proofs = tuple(
        (kind, mask("maker" if kind == "brand" else kind, size(text))) for kind, text in seen.proofs
    )
    return replace(seen, naming=replace(seen.naming, names=kept), fixed=fixed, proofs=proofs)


def _fields(brief: Brief, seen: Seen, parts: Mapping[str, str]) -> Iterator[Written]:
    """The draft's texts with their slots counted; a field's name is as long as the one it has."""
    for at, spot in enumerate(brief.channel.fields):
        text, widths = unmasked(parts[spot.name])
        room = room_of(spot, brief.channel, sms=seen.sms)
        named = _name(text, widths) or name_for(
            seen.subject.naming.names, room, sizer(brief.channel)
        )
        yield Written(
            conditions=tuple(field_conditions(brief.channel, at, named)),
            room=room,
            text=text,
            widths=widths,
            wide=brief.channel.units == "columns",
        )


def _name(text: str, widths: Sequence[int]) -> Name | None:
    """A name as long as the one that stands in the text, or None."""
    marks = [char for char in text if "\ue000" <= char <= "\ue0ef"]
    for mark, width in zip(marks, widths, strict=True):
        if mark == MARKS["name"]:
            return Name("x" * width, article=False)
        if mark == MARKS["the_name"]:
            return Name("x" * (width - 4), article=True)
    return None
