"""Outcomes of one experiment as arrays, the shape in which statistics take them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hookline.types import METRICS, Experiment, Metric, Outcome

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
        exposed: Whether the copy was shown, shape (n,).
        settled: Metric → whether its window has closed, shape (n,).
        rewards: Metric → value, shape (n,).
    """

    arms: Integers
    probabilities: Array
    audiences: Integers
    at: Array
    drawn: Flags
    exposed: Flags
    settled: Mapping[Metric, Flags]
    rewards: Mapping[Metric, Array]

    def analysed(self, metric: Metric) -> Flags:
        """Rows that estimates of the metric rest on: drawn, shown, and settled; shape (n,)."""
        return self.drawn & self.exposed & self.settled[metric]

    def total(self, metric: Metric, rows: Flags) -> float:
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
    return Table(
        arms=arms,
        probabilities=probabilities,
        audiences=np.fromiter(
            (group.get(each.audience_id, len(group)) for each in decisions), np.int64, n
        ),
        at=np.fromiter((each.context.at.timestamp() for each in decisions), np.float64, n),
        drawn=~fallback & (arms >= 0) & (served > 0),
        exposed=flags(outcome.exposed for outcome in outcomes),
        settled={
            "clicks": flags(outcome.click_settled for outcome in outcomes),
            "orders": orders,
            "revenue": orders,
        },
        rewards={
            metric: np.fromiter((outcome.value(metric) for outcome in outcomes), np.float64, n)
            for metric in METRICS
        },
    )
