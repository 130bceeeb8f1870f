"""What a mailing did: the published figures, one look, one look with CUPED, and every look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.published.data import Mailing, Outcome
from benchmarks.published.looks import difference, looks_at, standings, tells
from hookline.selftest import Standing
from hookline.stats import (
    ALPHA,
    Belief,
    Comparison,
    Moments,
    believe_rates,
    compare_means,
    compare_rates,
    compare_revenue,
    cuped,
    explained,
    holm,
)
from hookline.types import Estimate

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Level:
    """The mean of one outcome in one arm.

    Attributes:
        value: In the unit of the source: per cent, or dollars.
        published: In the words of the source; empty where it says nothing.
    """

    mailing: str
    outcome: str
    arm: str
    n: int
    value: float
    published: str

    @property
    def agrees(self) -> bool:
        """Whether the value is the published one, rounded as that is."""
        return not self.published or f"{self.value:.2f}" == self.published


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One arm against the control, in the outcome's own unit (a rate is 0 to 1).

    Attributes:
        once: The difference at one planned look.
        lift: The same, relative.
        belief: What is believed of two rates; None for money.
        adjusted: Covariate from before the mailing → the difference after CUPED.
        explained: The same → share of the outcome's variance it takes off.
        always: The difference with the interval that holds at every look, after the last.
        always_lift: The same, relative.
        told: Share of the people after whom that interval left out 0 for the first time, median
            over orders of arrival; None where it did in fewer than half of them.
        told_runs: In how many orders it ever did.
        runs: Orders of arrival.
        holm: Its p-value, adjusted for all effects of the mailing.
    """

    mailing: str
    outcome: str
    arm: str
    once: Comparison
    lift: Comparison
    belief: Belief | None
    adjusted: dict[str, Comparison]
    explained: dict[str, float]
    always: Estimate
    always_lift: Estimate
    told: float | None
    told_runs: int
    runs: int
    holm: float = nan

    @property
    def price(self) -> float:
        """How many times wider the interval is that holds at every look."""
        return _width(self.always) / _width(self.once)

    @property
    def saved(self) -> dict[str, float]:
        """Covariate → share by which CUPED lowers the variance of the difference."""
        plain = self.once.standard_error or nan
        return {
            name: 1 - ((each.standard_error or nan) / plain) ** 2
            for name, each in self.adjusted.items()
        }


def levels(mailing: Mailing) -> list[Level]:
    """The mean of every outcome in every arm, beside what was published."""
    return [
        Level(
            mailing=mailing.name,
            outcome=name,
            arm=arm,
            n=int(own.sum()),
            value=float(outcome.values[own].mean()) * (1 if outcome.metric == "revenue" else 100),
            published=outcome.published[index] if outcome.published else "",
        )
        for name, outcome in mailing.outcomes.items()
        for index, arm in enumerate(mailing.arms)
        for own in [(mailing.served == index) & ~np.isnan(outcome.values)]
    ]


def effects(mailing: Mailing, *, orders: int, seed: int) -> list[Effect]:
    """Every arm against the control in every outcome.

    Args:
        mailing: Whose.
        orders: Orders of arrival to try; those of the file are not known to be the real ones.
        seed: Of these orders.
    """
    found = [
        _effect(mailing, name, arm, arrivals)
        for name, outcome in mailing.outcomes.items()
        for arrivals in [[_arrive(mailing, outcome, [seed, order]) for order in range(orders)]]
        for arm in range(1, len(mailing.arms))
    ]
    p_values = [1.0 if each.once.p_value is None else each.once.p_value for each in found]
    return [replace(each, holm=float(p)) for each, p in zip(found, holm(p_values), strict=True)]


class _Arrival(NamedTuple):
    """One order of arrival: how it ended, and share of the people after whom each arm was told."""

    last: Standing
    told: dict[int, float]


def _arrive(mailing: Mailing, outcome: Outcome, seed: Sequence[int]) -> _Arrival:
    rows = np.flatnonzero(~np.isnan(outcome.values))
    rows = np.random.default_rng(seed).permutation(rows)
    n, told = len(rows), dict[int, float]()
    edges = looks_at(n)
    found = standings(
        outcome.values[rows], mailing.served[rows], mailing.shares, outcome.metric, edges
    )
    for edge, standing in zip(edges, found, strict=True):
        for arm, duel in enumerate(standing.duels()):
            if arm and arm not in told and tells(difference(duel, n)):
                told[arm] = edge / n
    return _Arrival(found[-1], told)


def _effect(mailing: Mailing, name: str, arm: int, arrivals: Sequence[_Arrival]) -> Effect:
    outcome = mailing.outcomes[name]
    before = {x: with_covariate(mailing, outcome, x, arm) for x in mailing.before}
    told = [each.told[arm] for each in arrivals if arm in each.told]
    duel, n = arrivals[0].last.duels()[arm], arrivals[0].last.experiment.horizon
    return Effect(
        mailing=mailing.name,
        outcome=name,
        arm=mailing.arms[arm],
        once=compare(outcome, mailing.served, arm),
        lift=compare(outcome, mailing.served, arm, relative=True),
        belief=_belief(outcome, mailing.served, arm),
        adjusted={x: compare_means(*cuped(*arms)) for x, arms in before.items()},
        explained={x: explained(*arms) or 0.0 for x, arms in before.items()},
        always=difference(duel, n),
        always_lift=duel.lift(n, ALPHA),
        told=float(np.median(told)) if 2 * len(told) > len(arrivals) else None,
        told_runs=len(told),
        runs=len(arrivals),
    )


def compare(outcome: Outcome, served: Integers, arm: int, *, relative: bool = False) -> Comparison:
    """The arm against the control at one look: rates by their z test, money by Welch's."""
    treated, control = (outcome.values[served == each] for each in (arm, 0))
    if outcome.metric == "revenue":
        kept = [values[~np.isnan(values)] for values in (treated, control)]
        return compare_revenue(kept[0], kept[1], relative=relative)
    hits, n = counts(outcome, served, arm)
    return compare_rates(hits, n, relative=relative)


def counts(outcome: Outcome, served: Integers, arm: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Who did it and who was there, each in the arm and in the control."""
    own = [outcome.values[served == each] for each in (arm, 0)]
    return (int(own[0].sum()), int(own[1].sum())), (len(own[0]), len(own[1]))


def with_covariate(
    mailing: Mailing, outcome: Outcome, covariate: str, arm: int
) -> tuple[Moments, Moments]:
    """Moments of outcome and covariate, in the arm and in the control."""
    table = np.column_stack([outcome.values, mailing.before[covariate]])
    rows = ~np.isnan(table).any(axis=1)
    treated, control = (Moments.of(table[rows & (mailing.served == each)]) for each in (arm, 0))
    return treated, control


def _belief(outcome: Outcome, served: Integers, arm: int) -> Belief | None:
    if outcome.metric == "revenue":
        return None
    hits, n = counts(outcome, served, arm)
    return believe_rates(hits, n)


def _width(interval: Comparison | Estimate) -> float:
    if interval.low is None or interval.high is None:
        return nan
    return interval.high - interval.low
