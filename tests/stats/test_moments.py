import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hookline.stats import Moments

Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]
sizes = st.integers(0, 20)
numbers = st.floats(-1e3, 1e3, width=32)


def tables(rows: int) -> st.SearchStrategy[Table]:
    return arrays(np.float64, (rows, 2), elements=numbers)


three = st.tuples(sizes.flatmap(tables), sizes.flatmap(tables), sizes.flatmap(tables))


def same(left: Moments, right: Moments) -> bool:
    return (
        left.n == right.n
        and np.allclose(left.mean, right.mean, atol=1e-9, rtol=1e-9)
        and np.allclose(left.scatter, right.scatter, atol=1e-5, rtol=1e-9)
    )


@given(three)
def test_moments_of_parts_add_to_those_of_all_rows(parts: tuple[Table, Table, Table]) -> None:
    a, b, c = (Moments.of(part) for part in parts)
    whole = Moments.of(np.concatenate(parts))
    assert same(a + b + c, whole)
    assert same((a + b) + c, a + (b + c))
    assert same(a + b, b + a)
    assert same(a + Moments.none(2), a)


def test_moments_covariance_is_numpys() -> None:
    rows = np.random.default_rng(1).normal(size=(50, 3))
    assert np.allclose(Moments.of(rows).covariance, np.cov(rows.T))
    assert np.allclose(Moments.of(rows).column(1).covariance, rows[:, 1].var(ddof=1))


def test_moments_far_from_zero_keep_their_digits() -> None:
    rows = 1e9 + np.random.default_rng(2).normal(size=(1000, 1))
    summed = sum((Moments.of(part) for part in np.array_split(rows, 100)), Moments.none(1))
    assert summed.covariance[0, 0] == pytest.approx(rows.var(ddof=1), rel=1e-6)


def test_moments_of_nothing_are_zero() -> None:
    assert Moments.of(np.empty((0, 2))).n == 0
    assert not Moments.none(2).covariance.any()


@pytest.mark.parametrize("rows", [[[np.nan]], [[np.inf]], [1.0, 2.0]])
def test_moments_of_unusable_rows_are_refused(rows: object) -> None:
    with pytest.raises(ValueError, match="rows must"):
        Moments.of(np.array(rows))


@given(st.floats(-1e6, 1e6), st.integers(1, 60), st.integers(1, 60))
def test_moments_of_equal_rows_have_no_scatter(value: float, first: int, second: int) -> None:
    """Not even that of rounding, from which a test would make a certainty."""
    both = Moments.of(np.full((first, 1), value)) + Moments.of(np.full((second, 1), value))
    assert both.mean[0] == value
    assert both.scatter[0, 0] == 0


def test_moments_of_different_columns_are_not_added() -> None:
    with pytest.raises(ValueError, match="1 and 2 columns don't add"):
        _ = Moments.of([[1.0]]) + Moments.of([[1.0, 2.0]])
