"""The model card, written from what was measured."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from hookline.house.evaluate import Surprise, Worth
from hookline.house.rows import RUN, Row
from hookline.house.train import Progress, Recipe
from hookline.writers.house.network import Network

_SOURCES: Final = {
    "copy": "drafts of Hookline's own phrasebook, made with slots for facts",
    "story": "tested headlines of the Upworthy archive",
    "catalog": "sentences of product descriptions",
}
_HEAD: Final = """\
# The house model

Writes copy for Hookline: for a brief's attributes, channel and language a text with slots,
which the product's facts fill. Written by `python -m hookline.house`, this card too: no figure
is typed in.
"""
_ORIGINS: Final = """\
## Learned from

- **Copy**: pairs of brief and draft that Hookline's phrasebook makes for products of the sample
  shop and of open catalogs: Best Buy's open data (CC0 1.0; by way of
  typesense/showcase-ecommerce-store, Apache-2.0), Magento's sample data (OSL 3.0 / AFL 3.0) and
  Open Icecat (Open Content License; by way of querqy/chorus). Only kinds of products and
  lengths of facts come from these, for every fact is a slot. Drafts with a sentence of more
  than {run} words are left out, so that no such sentence can be repeated.
- **Stories**: headlines of the Upworthy Research Archive that did better than their test's
  mean: J. N. Matias, K. Munger, M. Aubin Le Quere, C. Ebersole, *The Upworthy Research Archive,
  a time series of 32,487 experiments in U.S. media*, Scientific Data 8 (2021), osf.io/jd64p, CC
  BY 4.0. They are learned under a mark of their own, as English prose; copy is never asked for
  under it.
- **Catalog**: sentences of the descriptions in Best Buy's open data, under a mark of their own.

No other text, and no other model, had a part in it. Numbers are slots throughout, and the slot
of a number is never filled: the model can't write a digit that the product does not have.
"""
_LIMITS: Final = """\
## Not for

Languages other than those above, long texts, lessons, voice or restrictions in words: it can't
read. It says of a product what its slots hold and what may be said of any product of its kind;
the guards check it like any writer. Its copy is measured as found by Hookline's own guards and
recogniser, not by readers.
"""


def card(
    network: Network,
    rows: Sequence[Row],
    surprises: Mapping[str, Surprise],
    found: Worth,
    *,
    recipe: Recipe,
    done: Progress,
) -> str:
    """The card as Markdown.

    Args:
        network: The model.
        rows: What it learned from and what was held out.
        surprises: Source → surprise at held-out texts.
        found: What its copy is worth.
        recipe: How it was trained.
        done: How far training came.
    """
    return "\n".join(
        [
            _HEAD,
            *_made(network, recipe, done),
            _ORIGINS.format(run=RUN),
            *_texts(rows, surprises),
            *_copy(found),
            *_examples(found),
            _LIMITS,
        ]
    )


def _made(network: Network, recipe: Recipe, done: Progress) -> list[str]:
    """How it was made."""
    weights = sum(array.size for array in network.arrays())
    return [
        f"- **Version** `{network.build.version}`, {weights / 1e6:.1f} million weights in 8 bits: "
        f"{recipe.layers} layers of width {recipe.width}, {recipe.heads} heads, "
        f"{len(network.build.pieces):,} pieces, {len(network.build.conditions)} conditions.",
        f"- **Trained** for {done.share:.0%} of {recipe.passes:g} passes, {done.steps:,} steps, "
        f"{done.seen:,} pieces, seed {recipe.seed}.",
        "",
    ]


def _texts(rows: Sequence[Row], surprises: Mapping[str, Surprise]) -> list[str]:
    """What it learned from, and how it foretells what it has not seen."""
    learned = Counter(row.source for row in rows if not row.held_out)
    table = [
        "| text | learned | held out, measured | perplexity of a piece | bits a byte |",
        "|---|---|---|---|---|",
    ]
    for source, seen in surprises.items():
        table.append(
            f"| {source}: {_SOURCES[source]} | {learned[source]:,} | {seen.texts:,} "
            f"| {seen.perplexity:.2f} | {seen.bits_per_byte:.3f} |"
        )
    languages = Counter(
        name.removeprefix("locale ")
        for row in rows
        if row.source == "copy" and not row.held_out
        for name in row.conditions
        if name.startswith("locale ")
    )
    shares = ", ".join(f"{name} {count:,}" for name, count in sorted(languages.items()))
    return [
        *table,
        "",
        f"Copy by language: {shares}. Held out are whole products and whole articles; the "
        "phrasebook's sentences stand on both sides, so that the first row says how well the model "
        "has learned them and when to use which, not how it would do with other copy.",
        "",
    ]


def _copy(found: Worth) -> list[str]:
    """What its copy is worth."""
    faults = ", ".join(f"`{code}` {count}" for code, count in found.faults.items()) or "none"
    control = ", ".join(f"{name} {share:.1%}" for name, share in found.controlled.items())
    return [
        "## Its copy",
        "",
        f"On {found.briefs:,} briefs about held-out products, the languages in turn, channel and "
        "attributes drawn, one draft each:",
        "",
        "| measured | found | asked |",
        "|---|---|---|",
        f"| briefs that got a draft | {found.written:.1%} | |",
        f"| drafts that pass every guard at the first try | {found.passing:.1%} | ≥ 95 % |",
        f"| drafts that repeat more than {RUN} words of a learned sentence "
        f"| {found.repeating:.2%} | ≤ 1 % |",
        f"| sentences that were not learned word for word | {found.fresh:.1%} | |",
        f"| texts a second of one core, 8 drafts a brief | {found.per_second:.0f} | ≥ 100 |",
        "",
        f"Faults found by guards: {faults}. Attribute recognised as asked: {control}.",
        "",
    ]


def _examples(found: Worth) -> list[str]:
    """The first draft for each language and channel."""
    lines = [f"- {language}, {channel}: {text}" for language, channel, text in found.examples]
    return [
        "## Samples",
        "",
        "The first draft of each language and channel, not chosen:",
        "",
        *lines,
        "",
    ]
