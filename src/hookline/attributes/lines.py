"""How each line of a test did beside the others, with one audience or with all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hookline.attributes.effects import Array
from hookline.attributes.history import counts
from hookline.types import Arm, Experiment, Outcome

LEAST_REWARDS: Final = 10
"""Clicks or orders of a test below which nothing is said of its lines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How one line did in its test.

    Attributes:
        arm: The line.
        value: Its mean over the test's, less 1 (.1 is +10 %).
        variance: Of that, by the luck of visitors alone.
        visitors: Effective number of them.
    """

    arm: Arm
    value: float
    variance: float
    visitors: float


def standings(
    experiment: Experiment, outcomes: Sequence[Outcome], audience_id: str | None = None
) -> tuple[Standing, ...]:
    """How each line that was seen did, human ones too, in the test's own objective.

    An outcome weighs 1 / its logged propensity, so that lines are judged on the same visitors
    (Hájek's estimator). One visitor's variance is the test's, at least Poisson's for rare rewards.
    The noise of the test's own mean is left out. Of a test with too few rewards nothing is said.

    Args:
        experiment: The test.
        outcomes: What came of it.
        audience_id: With whom; None for all visitors.
    """
    told = [
        outcome
        for outcome in outcomes
        if counts(outcome, experiment.objective)
        and audience_id in {None, outcome.decision.audience_id}
    ]
    rewards = np.array([outcome.value(experiment.objective) for outcome in told])
    if np.count_nonzero(rewards) < LEAST_REWARDS or rewards.sum() <= 0:
        return ()
    weights = np.array([1 / outcome.decision.propensity for outcome in told])
    level = float(np.average(rewards, weights=weights))
    one = max(float(np.average(rewards**2, weights=weights)) - level**2, level)
    ids = np.array([outcome.decision.arm_id for outcome in told])
    return tuple(
        _standing(arm, rewards[own], weights[own], level, one)
        for arm in experiment.arms
        if (own := ids == arm.id).any()
    )


def _standing(arm: Arm, rewards: Array, weights: Array, level: float, one: float) -> Standing:
    """How a line did, given its test's mean and the variance of one visitor."""
    visitors = float(weights.sum() ** 2 / (weights @ weights))
    return Standing(
        arm=arm,
        value=float(np.average(rewards, weights=weights)) / level - 1,
        variance=one / visitors / level**2,
        visitors=visitors,
    )
