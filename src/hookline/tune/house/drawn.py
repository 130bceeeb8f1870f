"""Copies drawn from a house model, several a brief, with the rows that were drawn.

They are drawn from the model as it is, at temperature 1: what is learned from a draw rests on how
likely it was. The writer that is tuned draws a little more boldly or carefully, as it is told.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Final

import numpy as np

from hookline.errors import BadInput
from hookline.house.rows import Row, Written
from hookline.tune.house.reading import likelihood
from hookline.types import Brief
from hookline.writers.house import branded, slips
from hookline.writers.house.asked import Seen, asks, conditions, language_of, see, sizer
from hookline.writers.house.marks import MARKS, fill
from hookline.writers.house.network import Network
from hookline.writers.house.sampler import Ask, Luck, sample

AS_IT_IS: Final = Luck(temperature=1.0, top_p=1.0)
_AT_ONCE: Final = 128
"""Most copies drawn at once."""
_SLOTS: Final = {mark: slot for slot, mark in MARKS.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One drawn copy.

    Attributes:
        brief: What it answers.
        group: Which of the briefs that is, from 0: copies of one group compete.
        parts: Channel field name → text, in the brand's spelling; empty for one that came to no
            end.
        row: What was drawn, with slots; None for one that came to no end.
        fit: Whether the writer would hand it in: it came to an end, every slot has a value, every
            word was learned, and it keeps the channel's limits and the brand's terms.
        loglik: How likely it is under the base of a tuning, in nats a piece; NaN outside of one.
    """

    brief: Brief
    group: int
    parts: Mapping[str, str]
    row: Row | None
    fit: bool
    loglik: float = nan


def draw(
    network: Network,
    briefs: Sequence[Brief],
    per_brief: int,
    *,
    seed: int | Sequence[int],
    luck: Luck = AS_IT_IS,
) -> list[Sample]:
    """`per_brief` copies of each brief, brief after brief, those that don't fit among them.

    Args:
        network: The model.
        briefs: What to write.
        per_brief: Copies of each.
        seed: Of all draws.
        luck: How bold draws are.

    Raises:
        BadInput: Where the model can't write for a brief: it was not taught the language, or the
            product's title does not name it.
    """
    refused = next((brief for brief in briefs if not can_write(network, brief)), None)
    if refused is not None:
        raise BadInput(
            f"the house model can't write {refused.locale!r} copy for {refused.product.title!r}: "
            "it was not taught the language, or nothing in the title names the product"
        )
    seen = [see(brief) for brief in briefs]
    places: defaultdict[str, list[int]] = defaultdict(list)
    for at, brief in enumerate(briefs):
        places[brief.channel.id] += [at] * per_brief
    rng = np.random.default_rng(seed)
    drawn: defaultdict[int, list[Sample]] = defaultdict(list)
    for wanted in places.values():  # of one channel, so that all have as many fields
        for start in range(0, len(wanted), _AT_ONCE):
            lot = wanted[start : start + _AT_ONCE]
            asked = [_asked(briefs[at], seen[at], rng) for at in lot]
            size = sizer(briefs[lot[0]].channel)
            copies = sample(network, [each for _, each in asked], size=size, luck=luck, rng=rng)
            for at, (whole, fields), texts in zip(lot, asked, copies, strict=True):
                copy = _sample(briefs[at], at, whole, fields, texts)
                fit = copy.fit and not slips(network, texts or (), copy.brief.locale)
                drawn[at].append(replace(copy, fit=fit))
    return [copy for at in range(len(briefs)) for copy in drawn[at]]


def with_likelihoods(network: Network, drawn: Sequence[Sample]) -> list[Sample]:
    """The copies that fit, with how likely the network is to write them."""
    rows = [(each, each.row) for each in drawn if each.fit and each.row is not None]
    found = likelihood(network, [row for _, row in rows])
    return [
        replace(each, loglik=float(nats))
        for (each, _), nats in zip(rows, found, strict=True)
        if np.isfinite(nats)
    ]


def shuffled(briefs: Sequence[Brief], count: int, seed: Sequence[int]) -> list[Brief]:
    """`count` of the briefs in random order; where there are fewer, all of them again and again."""
    order = np.random.default_rng(seed).permutation(len(briefs)).tolist()
    return [briefs[order[at % len(order)]] for at in range(count)]


def can_write(network: Network, brief: Brief) -> bool:
    """Whether the model was taught the brief's language and its product can be named."""
    taught = f"locale {language_of(brief.locale)}" in network.build.conditions
    return taught and bool(brief.product.title.strip() and see(brief).subject.naming.names)


def _asked(brief: Brief, seen: Seen, rng: np.random.Generator) -> tuple[list[str], list[Ask]]:
    """What one copy is asked for as a whole, and field by field, with a proof drawn for it."""
    proofs = seen.subject.proofs or (("", ""),)
    proof = proofs[int(rng.integers(len(proofs)))]
    return conditions(brief, seen, proof[0]), asks(brief, seen, proof)


def _sample(
    brief: Brief, group: int, whole: Sequence[str], asked: Sequence[Ask], texts: list[str] | None
) -> Sample:
    """What was drawn, with its parts as the writer would hand them in where it would."""
    if texts is None:
        return Sample(brief=brief, group=group, parts={}, row=None, fit=False)
    fields = tuple(
        _written(text, ask, len(whole), brief) for text, ask in zip(texts, asked, strict=True)
    )
    row = Row(source="copy", conditions=tuple(whole), fields=fields)
    parts: dict[str, str] = {}
    for spot, text, ask in zip(brief.channel.fields, texts, asked, strict=True):
        if filled := fill(text, ask.values):
            parts[spot.name] = filled
    spelled = branded(parts, brief)
    return Sample(
        brief=brief, group=group, parts=spelled or parts, row=row, fit=spelled is not None
    )


def _written(text: str, ask: Ask, shared: int, brief: Brief) -> Written:
    """The field as it was drawn; the first `shared` of its conditions are the whole copy's."""
    size = sizer(brief.channel)
    slots = [_SLOTS[char] for char in text if char in _SLOTS]
    return Written(
        conditions=ask.conditions[shared:],
        room=ask.room,
        text=text,
        widths=tuple(size(ask.values[slot]) for slot in slots),
        wide=brief.channel.units == "columns",
    )
