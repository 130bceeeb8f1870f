"""Outcomes of one experiment as arrays, the shape in which statistics take them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hookline.types import METRICS, Experiment, GuardMetric, Outcome

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Table:
    """One row a decision, in log order; K arms in the experiment's order.

    Attributes:
        arms: Index of the arm served, shape (n,); -1 for one the experiment does not have.
        probabilities: Logged marginal probabilities, shape (n, K); 0 where an arm could not be
            drawn.
        audiences: Index of the audience, shape (n,); the number of audiences where none fits.
        at: Time of the decision in seconds since 1970, shape (n,).
        drawn: Whether the arm was drawn with its logged probability, shape (n,): not for the
            fallback slice, which gets the control for a reason that no probability describes,
            nor where the log gives the served arm no probability.
        shipped: Whether one arm was shipped to everybody, so that no policy chose, shape (n,).
        exposed: Whether the copy was shown, shape (n,).
        settled: Metric → whether its window has closed, shape (n,). There are the three metrics
            and those that the experiment's rule guards.
        rewards: Metric → value, shape (n,).
        ordered_after: Hours from the decision to the first order, shape (n,); nan without one.
    """

    arms: Integers
    probabilities: Array
    audiences: Integers
    at: Array
    drawn: Flags
    shipped: Flags
    exposed: Flags
    settled: Mapping[GuardMetric, Flags]
    rewards: Mapping[GuardMetric, Array]
    ordered_after: Array

    def analysed(self, metric: GuardMetric) -> Flags:
        """Rows that estimates of the metric rest on: drawn, shown, and settled; shape (n,)."""
        return self.drawn & self.exposed & self.settled[metric]

    def total(self, metric: GuardMetric, rows: Flags) -> float:
        """Sum of the metric over the rows."""
        return float(self.rewards[metric][rows].sum())


def tabulate(experiment: Experiment, outcomes: Sequence[Outcome]) -> Table:
    """The outcomes of the experiment as arrays, in the order given."""

    def flags(values: Iterable[bool]) -> Flags:
        return np.fromiter(values, np.bool_, len(outcomes))

    n, decisions = len(outcomes), [outcome.decision for outcome in outcomes]
    ids = [arm.id for arm in experiment.arms]
    place = {key: index for index, key in enumerate(ids)}
    group = {audience.id: index for index, audience in enumerate(experiment.audiences)}
    arms = np.fromiter((place.get(each.arm_id, -1) for each in decisions), np.int64, n)
    flat = (each.probabilities.get(key, 0.0) for each in decisions for key in ids)
    probabilities = np.fromiter(flat, np.float64, n * len(ids)).reshape(n, len(ids))
    fallback = flags(each.slice == "fallback" for each in decisions)
    served = probabilities[np.arange(n, dtype=np.int64), arms]
    orders = flags(outcome.order_settled for outcome in outcomes)
    clicks = flags(outcome.click_settled for outcome in outcomes)
    metrics: set[GuardMetric] = {*METRICS, *(each.metric for each in experiment.rule.guardrails)}
    return Table(
        arms=arms,
        probabilities=probabilities,
        audiences=np.fromiter(
            (group.get(each.audience_id, len(group)) for each in decisions), np.int64, n
        ),
        at=np.fromiter((each.context.at.timestamp() for each in decisions), np.float64, n),
        drawn=~fallback & (arms >= 0) & (served > 0),
        shipped=flags(each.slice == "shipped" for each in decisions),
        exposed=flags(outcome.exposed for outcome in outcomes),
        settled={metric: clicks if metric == "clicks" else orders for metric in metrics},
        rewards={
            metric: np.fromiter((_value(each, metric) for each in outcomes), np.float64, n)
            for metric in metrics
        },
        ordered_after=np.fromiter(
            (np.nan if each.ordered_after is None else each.ordered_after for each in outcomes),
            np.float64,
            n,
        ),
    )


def _value(outcome: Outcome, metric: GuardMetric) -> float:
    """The outcome under one metric: whether it happened, 0/1, or money."""
    if metric == "unsubscribes":
        return float(outcome.unsubscribed)
    if metric == "refunds":
        return float(outcome.refunds > 0)
    return outcome.value(metric)
