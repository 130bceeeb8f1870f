"""Corrections for many comparisons, against statsmodels and their definitions."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hookline.stats import benjamini_hochberg, e_bh, holm

Array = NDArray[np.float64]

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@pytest.mark.parametrize(("ours", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_adjusted_p_values_are_those_of_statsmodels(
    ours: Callable[[Array], Array], method: str
) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="needs statsmodels")
    rng = np.random.default_rng(0)
    for size in (1, 2, 7, 200):
        values = rng.beta(0.4, 1, size).round(3)  # with ties
        other = multitest.multipletests(values, method=method)[1]
        np.testing.assert_allclose(ours(values), other, rtol=1e-12, atol=1e-12)


@given(p_values, st.floats(0.001, 0.3))
def test_holm_finds_what_stepping_down_finds(values: list[float], alpha: float) -> None:
    count = len(values)
    found = 0
    for rank, value in enumerate(sorted(values)):
        if (count - rank) * value > alpha:
            break
        found += 1
    assert (holm(values) <= alpha).sum() == found


@given(p_values)
def test_holm_lies_between_plain_and_bonferroni_and_above_benjamini_hochberg(
    values: list[float],
) -> None:
    plain, strict, mild = np.array(values), holm(values), benjamini_hochberg(values)
    assert (mild >= plain - 1e-15).all()
    assert (strict >= mild - 1e-15).all()
    assert (strict <= np.minimum(len(values) * plain, 1) + 1e-15).all()


@given(p_values)
def test_corrections_do_not_mind_the_order(values: list[float]) -> None:
    order = np.random.default_rng(len(values)).permutation(len(values))
    for correct in (holm, benjamini_hochberg):
        np.testing.assert_array_equal(correct(np.array(values)[order]), correct(values)[order])


@given(st.lists(st.floats(0, 1e6) | st.just(np.inf), min_size=1, max_size=30))
def test_e_bh_finds_what_its_definition_finds(e_values: list[float]) -> None:
    alpha, count = 0.05, len(e_values)
    ranked = sorted(e_values, reverse=True)
    enough = [k for k in range(1, count + 1) if ranked[k - 1] * k * alpha >= count * (1 + 1e-12)]
    short = [k for k in range(1, count + 1) if ranked[k - 1] * k * alpha >= count * (1 - 1e-12)]
    found = int((e_bh(e_values) <= alpha).sum())
    ties = ranked[found - 1] == ranked[min(found, count - 1)] if found else False
    assert max(enough, default=0) <= found
    assert found <= max(short, default=0) or ties


def test_e_bh_keeps_the_false_share_however_e_values_depend() -> None:
    """20 nulls that share one bet, two true effects: mean false share over 4,000 families."""
    rng = np.random.default_rng(1)
    alpha, shares = 0.2, np.empty(4_000)
    for run in range(4_000):
        shared = np.exp(2 * rng.normal() - 2)
        found = e_bh([shared] * 20 + [1e4, 1e4]) <= alpha
        shares[run] = found[:20].sum() / max(found.sum(), 1)
    assert 0 < shares.mean() <= alpha


def test_an_empty_family_has_no_finding() -> None:
    assert [len(correct([])) for correct in (holm, benjamini_hochberg, e_bh)] == [0, 0, 0]


@pytest.mark.parametrize("bad", [[0.1, np.nan], [1.2], [-0.1]])
def test_what_can_not_be_computed_is_refused(bad: list[float]) -> None:
    for correct in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="leave out"):
            correct(bad)
    with pytest.raises(ValueError, match="leave out"):
        e_bh([-0.5, np.nan])
