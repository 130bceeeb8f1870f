"""What a writer's copy is like, on briefs about products that nothing was tuned on."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.tune.worlds import encoder
from hookline.diversity import measure, self_repetition
from hookline.errors import WriterFailed
from hookline.guards import GUARDS, check_all, guards_named
from hookline.tune.house import likelihood, row_of
from hookline.tune.objectives import AsAsked, CallToAction, Candidate, Reading, SentimentMatch
from hookline.tune.reward import HeldOut
from hookline.tune.watch import distinct, pressing, unfounded
from hookline.types import Brief
from hookline.writers.house import DEFAULT, House
from hookline.writers.house.network import Network

SLATE: Final = 8
"""Drafts a brief."""
DIVERSITY: Final = ("off_diagonal", "vendi", "self_bleu", "compression_ratio")
ALIKE: Final = frozenset({"self_bleu", "compression_ratio"})
"""Measures of which less is more varied."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Means over a writer's drafts, `SLATE` a brief.

    Attributes:
        lift: Predicted conversion over the base's by the held-out model, as a share.
        low: Lower end of its 95 % interval.
        high: Upper end.
        off_diagonal: Diversity of a brief's drafts, likewise the next three.
        vendi: See `hookline.diversity`.
        self_bleu: Likewise.
        compression_ratio: Likewise.
        cta: Share that call for what was asked.
        attributes: Share of the other attributes that are as asked.
        sentiment_error: Mean distance of a draft's feeling from its target.
        passed: Share that all guards pass.
        unfounded: Share with a claim that the product doesn't carry.
        pressing: Claims in a draft that press.
        fluency: Mean log-likelihood of a piece under the base, nats.
        repetition: Self-repetition within a slate.
        distinct: Different pairs of neighbouring words over all pairs.
        drafts: How many there are.
        examples: A few.
    """

    lift: float
    low: float
    high: float
    off_diagonal: float
    vendi: float
    self_bleu: float
    compression_ratio: float
    cta: float
    attributes: float
    sentiment_error: float
    passed: float
    unfounded: float
    pressing: float
    fluency: float
    repetition: float
    distinct: float
    drafts: int
    examples: tuple[str, ...]


def written(folder: Path, asked: Sequence[Brief], seed: int) -> list[Candidate]:
    """The writer's drafts, `SLATE` a brief as far as it gets there."""
    writer = House(folder)
    found: list[Candidate] = []
    for group, brief in enumerate(asked):
        try:
            drafts = writer.write(brief, SLATE, seed)
        except WriterFailed:
            continue
        found += [Candidate(brief=brief, parts=draft.parts, group=group) for draft in drafts]
    return found


def judged(drafts: Sequence[Candidate], base: Sequence[Candidate], held_out: HeldOut) -> Judged:
    """What the drafts are like beside the base's for the same briefs."""
    guards = guards_named(GUARDS)
    passed = [
        all(verdict.ok for verdict in check_all(guards, each.parts, each.brief)) for each in drafts
    ]
    lift = held_out.lift(drafts, base)
    slates: dict[int, list[str]] = {}
    for each in drafts:
        slates.setdefault(each.group, []).append(each.text)
    full = [texts for texts in slates.values() if len(texts) == SLATE]
    told = [measure(texts, encoder().encode(texts)) for texts in full]
    return Judged(
        lift=exp(lift.mean) - 1,
        low=exp(lift.mean - 1.96 * lift.error) - 1,
        high=exp(lift.mean + 1.96 * lift.error) - 1,
        **{name: float(np.mean([getattr(each, name) for each in told])) for name in DIVERSITY},
        cta=float(CallToAction()(drafts).mean()),
        attributes=float(AsAsked()(drafts).mean()),
        sentiment_error=-float(SentimentMatch()(drafts).mean()),
        passed=float(np.mean(passed)),
        unfounded=float(np.mean([unfounded(each) for each in drafts])),
        pressing=float(np.mean([pressing(each) for each in drafts])),
        fluency=_fluency(drafts),
        repetition=float(np.mean([self_repetition(texts) for texts in full])),
        distinct=distinct([each.text for each in drafts]),
        drafts=len(drafts),
        examples=tuple(each.text for each in drafts[:: max(len(drafts) // 12, 1)])[:12],
    )


def _fluency(drafts: Sequence[Candidate]) -> float:
    """How likely the base is to write the drafts, nats a piece."""
    rows = [row_of(each.parts, each.brief) for each in drafts]
    found = likelihood(Network.load(DEFAULT), [row for row in rows if row is not None])
    return float(np.nanmean(found))


def lift_of(new: Sequence[float], old: Sequence[float], groups: Sequence[int]) -> Reading:
    """Mean difference of the logs, pair by pair, with the error between groups."""
    apart = np.log(np.array(new)) - np.log(np.array(old))
    return Reading.of(apart, np.array(groups, dtype=np.int64))
