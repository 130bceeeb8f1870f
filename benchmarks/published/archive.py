"""Upworthy's tests: whether their split was sound, and who names a winner when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.published.data import HeadlineTest
from benchmarks.published.looks import looks_at, standings, tells
from hookline.report.verdict import is_proven
from hookline.selftest import Rate, rate_of, significant
from hookline.stats import (
    ALPHA,
    RATIO_ALPHA,
    benjamini_hochberg,
    compare_rates,
    holm,
    sample_ratio,
    split_test,
)

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Splits:
    """How many tests a rule flags, among those with the known fault and among the others."""

    rule: str
    inside: Rate
    outside: Rate


@dataclass(frozen=True, kw_only=True)
class Winners:
    """What three rules say of the same tests.

    Attributes:
        arrivals: `real`, or `shuffled` where clicks fell on impressions by lot: no package is
            better, so that whatever is named is named falsely.
        looks: Median number of looks at a test.
        once: Tests with a package proven better than the control at one look, by Holm.
        always: The same for the report's verdict, at any look.
        once_differs: Tests with a package proven better or worse, at one look.
        always_differs: The same by the intervals that hold at every look.
        peeking: The same by a z-test at every look, corrected for the number of packages only.
        when: Median share of the impressions at which the report named its winner; None for none.
        both: Tests where both name a winner.
    """

    arrivals: str
    looks: float
    once: Rate
    always: Rate
    once_differs: Rate
    always_differs: Rate
    peeking: Rate
    when: float | None
    both: int


class _Said(NamedTuple):
    """What was said of one test."""

    looks: int
    once: bool
    once_differs: bool
    always: bool
    always_differs: bool
    peeking: bool
    when: float


def classic_splits(tests: Sequence[HeadlineTest]) -> Splits:
    """Pearson's test of every split, at a false-discovery rate of `RATIO_ALPHA`."""
    p_values = [split_test(test.impressions.tolist()).p_value for test in tests]
    told = [place for place, p_value in enumerate(p_values) if p_value is not None]
    adjusted = benjamini_hochberg([p for p in p_values if p is not None])
    flagged = dict(zip(told, (adjusted <= RATIO_ALPHA).tolist(), strict=True))
    broken = {place: tests[place].broken for place in told}
    return _splits("split_test, one look, BH at 1 %", flagged, broken)


def sequential_splits(tests: Sequence[HeadlineTest], *, seed: int) -> Splits:
    """`sample_ratio` of every test's impressions in a random order of arrival, at any look."""
    flagged: dict[int, bool] = {}
    for place, test in enumerate(tests):
        count, rng = len(test.impressions), np.random.default_rng([seed, place])
        arms = rng.permutation(np.repeat(np.arange(count), test.impressions))
        found = sample_ratio(arms, np.full((len(arms), count), 1 / count))
        if found.flagged is not None:
            flagged[place] = found.flagged
    broken = {place: tests[place].broken for place in flagged}
    return _splits("sample_ratio, every impression, 1 %", flagged, broken)


def winners(tests: Sequence[HeadlineTest], *, shuffled: bool, seed: int) -> Winners:
    """What each rule says of tests whose packages were drawn evenly.

    The archive has no control, so one of a test's packages is made it, by lot.

    Args:
        tests: Those to look at.
        shuffled: Whether clicks are dealt out anew, by lot, so that no package is better.
        seed: Of lots and orders of arrival.
    """
    said = [
        _said(test, np.random.default_rng([seed, place]), shuffled=shuffled)
        for place, test in enumerate(tests)
    ]
    n, when = len(said), [each.when for each in said if each.always]
    return Winners(
        arrivals="shuffled" if shuffled else "real",
        looks=float(np.median([each.looks for each in said])),
        once=rate_of(sum(each.once for each in said), n),
        always=rate_of(sum(each.always for each in said), n),
        once_differs=rate_of(sum(each.once_differs for each in said), n),
        always_differs=rate_of(sum(each.always_differs for each in said), n),
        peeking=rate_of(sum(each.peeking for each in said), n),
        when=float(np.median(when)) if when else None,
        both=sum(each.once and each.always for each in said),
    )


def arrivals(
    test: HeadlineTest, rng: np.random.Generator, *, shuffled: bool = False
) -> tuple[Integers, Array]:
    """Package and click of each impression in a random order, package 0 being drawn by lot.

    Args:
        test: Whose impressions.
        rng: Draws the order, and which package comes first.
        shuffled: Whether clicks are dealt out anew.
    """
    count = len(test.impressions)
    place = rng.permutation(count)
    impressions, clicks = test.impressions[place], test.clicks[place]
    arms = np.repeat(np.arange(count), impressions)
    starts = np.cumsum(impressions) - impressions
    clicked = (np.arange(len(arms)) - starts[arms] < clicks[arms]).astype(np.float64)
    order = rng.permutation(len(arms))
    return arms[order], rng.permutation(clicked) if shuffled else clicked[order]


def _said(test: HeadlineTest, rng: np.random.Generator, *, shuffled: bool) -> _Said:
    arms, clicks = arrivals(test, rng, shuffled=shuffled)
    count, n = len(test.impressions), len(arms)
    once, once_differs = _one_look(arms, clicks, count)
    edges = looks_at(n)
    found = standings(clicks, arms, np.full(count, 1 / count), "clicks", edges)
    always_differs = peeking = False
    when: float | None = None
    for edge, standing in zip(edges, found, strict=True):
        duels = standing.duels()[1:]
        lifts = [duel.lift(n, standing.arm_alpha) for duel in duels]
        always_differs |= any(map(tells, lifts))
        peeking |= significant(_sums(arms[:edge], clicks[:edge], count), 0)
        if when is None and any(map(is_proven, lifts)):
            when = edge / n
    return _Said(
        looks=len(edges),
        once=once,
        once_differs=once_differs,
        always=when is not None,
        always_differs=always_differs,
        peeking=peeking,
        when=1.0 if when is None else when,
    )


def _one_look(arms: Integers, clicks: Array, count: int) -> tuple[bool, bool]:
    """Whether some package is proven better than the control, and better or worse (Holm)."""
    n = np.bincount(arms, minlength=count).tolist()
    hits = np.bincount(arms, weights=clicks, minlength=count).astype(int).tolist()
    found = [compare_rates((hits[arm], hits[0]), (n[arm], n[0])) for arm in range(1, count)]
    p_values = holm([1.0 if each.p_value is None else each.p_value for each in found])
    told = [each for each, p in zip(found, p_values, strict=True) if p <= ALPHA]
    return any((each.estimate or 0) > 0 for each in told), bool(told)


def _sums(arms: Integers, clicks: Array, count: int) -> Array:
    """Impressions, clicks, squared clicks and clicks of each package, shape (K, 4)."""
    n = np.bincount(arms, minlength=count)
    hits = np.bincount(arms, weights=clicks, minlength=count)
    return np.array([n, hits, hits, hits], dtype=np.float64).T


def _splits(rule: str, flagged: dict[int, bool], broken: dict[int, bool]) -> Splits:
    inside = [flag for place, flag in flagged.items() if broken[place]]
    outside = [flag for place, flag in flagged.items() if not broken[place]]
    return Splits(
        rule=rule,
        inside=rate_of(sum(inside), len(inside)),
        outside=rate_of(sum(outside), len(outside)),
    )
