"""A better prompt by reflection: written with, marked, and thought over by the model itself.

    briefs → drafts → marks (guards, attributes as asked, predicted conversion) → examples
    → a model's advice in other words → drafts → …

The search is GEPA's (Agrawal et al. 2025, "GEPA: Reflective Prompt Evolution Can Outperform
Reinforcement Learning", arXiv 2507.19457), by its library, which `pip install 'hookline[reflect]'`
brings. Only the part `# craft` of a prompt is changed: rules, facts and fields stay word for word.
Products that teach, products that choose among versions and products that examine the chosen one
are three sets. What comes out is a candidate. Whether it sells is for a test to say
(`attributes.rivals`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from scipy.special import stdtrit

from hookline.errors import BadInput, WriterFailed
from hookline.prompts import Prompt
from hookline.reflect.exam import Exam, Mark
from hookline.reflect.reflection import Ask, search
from hookline.types import Brief, Estimate, content_hash

__all__ = ["Exam", "Mark", "Proposal", "propose"]

LEAST_PRODUCTS: Final = 6
"""Two products for each of the three sets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What came of a search.

    Attributes:
        before: The prompt that it began with.
        prompt: The best version found; the same where none was better.
        marks: Of both on products that neither teaching nor choosing saw: name of a mark → before
            and now.
        gain: Of the score, now less before, by product, with a 95 % interval of Student's t; it
            assumes that products are drawn alike.
    """

    before: Prompt
    prompt: Prompt
    marks: Mapping[str, tuple[float, float]]
    gain: Estimate

    @property
    def is_new(self) -> bool:
        """Whether there is a version to try: a new one, with a better mean score."""
        return self.prompt.version != self.before.version and (self.gain.estimate or 0.0) > 0


def propose(
    prompt: Prompt, exam: Exam, ask: Ask, briefs: Sequence[Brief], *, calls: int, seed: int
) -> Proposal:
    """The best version of the prompt that reflection finds, examined on products held out.

    Args:
        prompt: Where to start; it must have a part `# craft`.
        exam: Marks drafts.
        ask: Asks the model that reflects.
        briefs: Of at least `LEAST_PRODUCTS` products, with their lessons.
        calls: Briefs written for in the search, at most; the exam before and after comes on top.
        seed: Who is in which set, and the order.

    Raises:
        BadInput: Where there are too few products or calls, or the library is missing.
        WriterFailed: Where the writer wrote nothing at all, or the model that reflects fails.
        BudgetSpent: Where there is no money left to go on.
    """
    teach, choose, held_out = _split(briefs, seed)
    least = len(choose) + 2 * len(teach[:3]) + len(choose)
    if calls < least:
        raise BadInput(f"the search needs at least {least} calls for these briefs, not {calls}")
    before = [exam.mark(prompt, brief) for brief in held_out]
    if all(mark.failure for mark in before):
        raise WriterFailed(f"nothing was written: {before[0].failure}")
    found = search(prompt, exam, ask, teach=teach, choose=choose, calls=calls, seed=seed)
    is_same = found.version == prompt.version
    now = before if is_same else [exam.mark(found, brief) for brief in held_out]
    names = ("score", "passed", "control", "promise")
    return Proposal(
        before=prompt,
        prompt=found,
        marks={name: (_mean(before, name), _mean(now, name)) for name in names},
        gain=_gain(before, now),
    )


def _split(briefs: Sequence[Brief], seed: int) -> tuple[list[Brief], list[Brief], list[Brief]]:
    """Briefs that teach, that choose and that examine; each product stands in one set alone."""
    ids = {brief.product.id for brief in briefs}
    if len(ids) < LEAST_PRODUCTS:
        raise BadInput(
            f"a prompt is learned from at least {LEAST_PRODUCTS} products, not {len(ids)}"
        )
    order = sorted(ids, key=lambda key: content_hash(seed, key))
    set_of = {key: place % 3 for place, key in enumerate(order)}
    teach, choose, held_out = (
        [brief for brief in briefs if set_of[brief.product.id] == part] for part in range(3)
    )
    return teach, choose, held_out


def _mean(marks: Sequence[Mark], name: str) -> float:
    return float(np.mean([getattr(mark, name) for mark in marks]))


def _gain(before: Sequence[Mark], now: Sequence[Mark]) -> Estimate:
    """Mean difference of the scores, products counting alike."""
    by_product: dict[str, list[float]] = {}
    for old, new in zip(before, now, strict=True):
        by_product.setdefault(old.brief.product.id, []).append(new.score - old.score)
    gains = np.array([np.mean(own) for own in by_product.values()])
    half = float(stdtrit(gains.size - 1, 0.975)) * float(gains.std(ddof=1)) / sqrt(gains.size)
    mean = float(gains.mean())
    return Estimate(estimate=mean, low=mean - half, high=mean + half, n=gains.size)
