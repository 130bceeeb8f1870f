"""An experiment that was drawn by lot, looked at again and again as people arrive."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hookline.report.evidence import Duel
from hookline.selftest import Standing, columns_of, edges_of, example
from hookline.stats import ALPHA, Moments, mean_estimate
from hookline.stats.estimate import MIN_UNITS
from hookline.types import Estimate, Metric

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

LOOKS = 40
"""Looks at evenly many people; a few earlier ones come on top."""


def standings(
    values: Array, served: Integers, shares: Array, metric: Metric, edges: Sequence[int]
) -> list[Standing]:
    """What the report knows at every look: its own scores, moments and rules.

    The probabilities are those of the draw, the horizon is the number of people of the whole test.

    Args:
        values: Outcome of each person in the order of arrival, shape (n,).
        served: Index of the arm, 0 being the control, shape (n,).
        shares: Probability of each arm, shape (K,).
        metric: What the outcome is.
        edges: People so far at each look, the last being n.
    """
    n, everybody = len(values), np.zeros(len(values), dtype=np.int64)
    drawn = example("uniform", len(shares), horizon=n, holdout=0.0, uniform=0.0)
    experiment = replace(drawn, audiences=())
    columns = columns_of(experiment, values, served, np.tile(shares, (n, 1)), everybody)
    found = [Standing.none(experiment, metric, audiences=1)]
    for start, end in pairwise((0, *edges)):
        rows = slice(start, end)
        found.append(found[-1].after(columns[rows], values[rows], served[rows], everybody[rows]))
    return found[1:]


def looks_at(n: int) -> list[int]:
    """People so far at every look at a test of n people."""
    return edges_of(n, LOOKS, MIN_UNITS)


def difference(duel: Duel, horizon: float, alpha: float = ALPHA) -> Estimate:
    """The difference of the two arms' means, with the interval that holds at every look."""
    contrast = np.array([[1.0], [-1.0]])
    moments = Moments(
        n=duel.moments.n,
        mean=duel.moments.mean @ contrast,
        scatter=contrast.T @ duel.moments.scatter @ contrast,
    )
    return mean_estimate(moments, events=min(duel.events), horizon=horizon, alpha=alpha)


def tells(estimate: Estimate) -> bool:
    """Whether the interval leaves out 0, on either side."""
    low, high = estimate.low, estimate.high
    return (low is not None and low > 0) or (high is not None and high < 0)
