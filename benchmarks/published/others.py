"""The same numbers asked of scipy, and of statsmodels and tea-tasting where they are installed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.published.data import HeadlineTest, Mailing, Outcome
from benchmarks.published.effects import compare, counts, with_covariate
from hookline.stats import (
    Comparison,
    Moments,
    benjamini_hochberg,
    compare_means,
    cuped,
    holm,
    split_test,
)

Array = NDArray[np.float64]
Pair = tuple[float, float]
"""A number of ours, and theirs."""

Asked = TypeVar("Asked")

LIKE: Final = 1e-9
"""Largest relative difference that still counts as the same."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How near a function of ours comes to another library's.

    Attributes:
        ours: Name of our function.
        theirs: The library and its function.
        compared: Numbers that were compared.
        gap: Largest relative difference.
    """

    ours: str
    theirs: str
    compared: int
    gap: float


@dataclass(frozen=True, kw_only=True)
class Case:
    """One arm against the control in one outcome."""

    mailing: Mailing
    outcome: Outcome
    arm: int


def agreements(mailings: Sequence[Mailing], tests: Sequence[HeadlineTest]) -> list[Agreement]:
    """Our functions beside those of the libraries that are here, on the real data.

    Args:
        mailings: Every arm of theirs is compared with the control in every outcome.
        tests: Their splits, and the p-values of these, are compared.
    """
    cases = [
        Case(mailing=mailing, outcome=outcome, arm=arm)
        for mailing in mailings
        for outcome in mailing.outcomes.values()
        for arm in range(1, len(mailing.arms))
    ]
    rates = [case for case in cases if case.outcome.metric != "revenue"]
    with_holm = partial(_many, adjust=holm, method="holm")
    with_bh = partial(_many, adjust=benjamini_hochberg, method="fdr_bh")
    found = [
        _agreement("compare_means", "scipy", "ttest_ind", _welch, cases),
        _agreement("split_test", "scipy", "chisquare", _pearson, tests),
        _agreement("compare_rates", "statsmodels", "proportions_2indep", _wald, rates),
        _agreement("compare_means", "statsmodels", "CompareMeans", _weighted, cases),
        _agreement("holm", "statsmodels", "multipletests", with_holm, [tests]),
        _agreement("benjamini_hochberg", "statsmodels", "multipletests", with_bh, [tests]),
        _agreement("cuped", "tea_tasting", "Mean", _covariate, cases),
    ]
    return [each for each in found if each is not None]


def _agreement(
    ours: str, library: str, name: str, both: Callable[[Asked], list[Pair]], asked: Sequence[Asked]
) -> Agreement | None:
    """How near both come in all that is asked; None where the library is not installed."""
    if find_spec(library) is None:
        return None
    mine, theirs = np.array([pair for each in asked for pair in both(each)]).T
    gap = np.abs(mine - theirs) / np.maximum(np.abs(theirs), np.finfo(np.float64).tiny)
    return Agreement(
        ours=ours, theirs=f"{library} {name}", compared=len(mine), gap=float(gap.max())
    )


def _values(case: Case) -> list[Array]:
    """What is known of the outcome, in the arm and in the control."""
    own = (case.outcome.values[case.mailing.served == arm] for arm in (case.arm, 0))
    return [values[~np.isnan(values)] for values in own]


def _means(case: Case) -> Comparison:
    return compare_means(*(Moments.of(values[:, None]) for values in _values(case)))


def _pairs(found: Comparison, p_value: float, low: float, high: float) -> list[Pair]:
    assert found.p_value is not None
    assert found.low is not None
    assert found.high is not None
    return [(found.p_value, p_value), (found.low, low), (found.high, high)]


def _welch(case: Case) -> list[Pair]:
    other = import_module("scipy.stats").ttest_ind(*_values(case), equal_var=False)
    return _pairs(_means(case), other.pvalue, *other.confidence_interval(0.95))


def _weighted(case: Case) -> list[Pair]:
    weights = import_module("statsmodels.stats.weightstats")
    other = weights.CompareMeans.from_data(*_values(case))
    p_value = other.ttest_ind(usevar="unequal")[1]
    return _pairs(_means(case), p_value, *other.tconfint_diff(usevar="unequal"))


def _wald(case: Case) -> list[Pair]:
    """Difference and ratio of two rates."""
    proportion = import_module("statsmodels.stats.proportion")
    hits, n = counts(case.outcome, case.mailing.served, case.arm)
    pairs: list[Pair] = []
    for kind, method in (("diff", "wald"), ("ratio", "log")):
        asked = {"compare": kind, "method": method}
        other = proportion.test_proportions_2indep(hits[0], n[0], hits[1], n[1], **asked)
        low, high = proportion.confint_proportions_2indep(hits[0], n[0], hits[1], n[1], **asked)
        less = float(kind == "ratio")
        found = compare(case.outcome, case.mailing.served, case.arm, relative=bool(less))
        pairs += _pairs(found, other.pvalue, low - less, high - less)
    return pairs


def _covariate(case: Case) -> list[Pair]:
    """The first covariate from before the mailing."""
    name = next(iter(case.mailing.before))
    aggr, metrics = import_module("tea_tasting.aggr"), import_module("tea_tasting.metrics")
    arms = with_covariate(case.mailing, case.outcome, name, case.arm)
    treated, control = (
        aggr.Aggregates(
            count_=arm.n,
            mean_={"y": arm.mean[0], "x": arm.mean[1]},
            var_={"y": arm.covariance[0, 0], "x": arm.covariance[1, 1]},
            cov_={("x", "y"): arm.covariance[0, 1]},
        )
        for arm in arms
    )
    other = metrics.Mean("y", covariate="x").analyze_aggregates(control, treated)
    found = compare_means(*cuped(*arms))
    return _pairs(found, other.pvalue, other.effect_size_ci_lower, other.effect_size_ci_upper)


def _pearson(test: HeadlineTest) -> list[Pair]:
    """Nothing where the split can't be judged."""
    found = split_test(test.impressions.tolist()).p_value
    other = import_module("scipy.stats").chisquare(test.impressions)
    return [] if found is None else [(found, other.pvalue)]


def _many(
    tests: Sequence[HeadlineTest], *, adjust: Callable[[Array], Array], method: str
) -> list[Pair]:
    """Adjusted p-values of all splits that can be judged."""
    p_values = np.array([ours for test in tests for ours, _ in _pearson(test)])
    other = import_module("statsmodels.stats.multitest").multipletests(p_values, method=method)[1]
    return list(zip(adjust(p_values).tolist(), other.tolist(), strict=True))
