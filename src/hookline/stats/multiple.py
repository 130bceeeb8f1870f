"""Many comparisons at once: p-values and e-values made honest for their number.

Each function gives adjusted p-values in the order given; what is at or below alpha is a finding.
The family is everything that was looked at, not only what looks good.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def holm(p_values: Sequence[float] | Array) -> Array:
    """Adjusted p-values that keep the chance of *any* false finding below alpha (Holm).

        p̃_(k) = max_{j ≤ k} min(1, (K − j + 1) · p_(j)),    p_(1) ≤ … ≤ p_(K)

    Assumptions: each p-value is valid; however they depend on each other. Always at least as
    powerful as Bonferroni's.

    Source: Holm (1979, Scandinavian Journal of Statistics 6).

    Args:
        p_values: Of all comparisons of the family, each 0 to 1, shape (K,).

    Raises:
        ValueError: Where a p-value is missing or outside 0 to 1.

    Examples:
        >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    values, order = _ordered(p_values)
    remaining = len(values) - np.arange(len(values))
    return _unordered(np.maximum.accumulate(np.minimum(remaining * values, 1.0)), order)


def benjamini_hochberg(p_values: Sequence[float] | Array) -> Array:
    """Adjusted p-values that keep the false share of findings below alpha on average (BH).

        p̃_(k) = min_{j ≥ k} min(1, K / j · p_(j)),    p_(1) ≤ … ≤ p_(K)

    Assumptions: p-values independent, or positively dependent as those of several arms against one
    control are (Benjamini and Yekutieli 2001, PRDS). For anything else, or for p-values read off
    while the test runs, take `e_bh`.

    Source: Benjamini and Hochberg (1995, JRSS B 57).

    Args:
        p_values: Of all comparisons of the family, each 0 to 1, shape (K,).

    Raises:
        ValueError: Where a p-value is missing or outside 0 to 1.

    Examples:
        >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
        [0.03, 0.04, 0.04]
    """
    values, order = _ordered(p_values)
    scaled = values * (len(values) / np.arange(1, len(values) + 1))
    least = np.minimum.accumulate(scaled[::-1])[::-1]
    return _unordered(np.minimum(least, 1.0), order)


def e_bh(e_values: Sequence[float] | Array) -> Array:
    """Adjusted p-values of the e-BH procedure: the false share of findings below alpha on average.

        p̃_(k) = min_{j ≥ k} min(1, K / (j · e_(j))),    e_(1) ≥ … ≥ e_(K)

    Found is what e-BH finds: the k largest, for the largest k with e_(k) ≥ K / (k·alpha).

    Assumptions: each e-value is valid, its mean at most 1 where nothing is the matter; **however
    they depend on each other**, and at any time the experiments were stopped.

    Source: Wang and Ramdas (2022, JRSS B 84, arXiv 2009.02824): FDR ≤ alpha for any e-values.

    Args:
        e_values: Of all comparisons of the family, each 0 or more, inf allowed, shape (K,).

    Raises:
        ValueError: Where an e-value is missing or below 0.

    Examples:
        >>> e_bh([100.0, 1.0, 30.0]).round(3).tolist()
        [0.03, 1.0, 0.05]
    """
    values = np.asarray(e_values, dtype=np.float64)
    if values.ndim != 1 or not (values >= 0).all():
        raise ValueError("e-values must be 0 or more; leave out what can't be computed")
    return benjamini_hochberg(1 / np.maximum(values, 1.0))


def _ordered(p_values: Sequence[float] | Array) -> tuple[Array, NDArray[np.int64]]:
    """The p-values from small to large, and where each came from."""
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values must lie between 0 and 1; leave out what can't be computed")
    order = np.argsort(values, kind="stable")
    return values[order], order


def _unordered(values: Array, order: NDArray[np.int64]) -> Array:
    """Values in the order of the family."""
    back = np.empty_like(values)
    back[order] = values
    return back
