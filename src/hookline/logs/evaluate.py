"""What a target policy would have earned on a log, by every estimator."""

from collections.abc import Mapping
from dataclasses import dataclass

from hookline.logs.record import Array, Integers, PolicyLog
from hookline.logs.target import Target
from hookline.stats import (
    EveryLook,
    OneLook,
    PolicyValue,
    attribute_cells,
    off_policy,
    running_means,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """A policy's value on a log.

    Attributes:
        policy: Which policy, in words.
        n: Decisions it was evaluated on.
        arms: K, the most arms of any of them.
        logged: What the log's own policy earned a decision there.
        skipped: Why lines of the log were left out → how many.
        values: Estimator → what the policy would have earned a decision.
    """

    policy: str
    n: int
    arms: int
    logged: float
    skipped: Mapping[str, int]
    values: Mapping[str, PolicyValue]


def evaluate(log: PolicyLog, target: Target, interval: OneLook | EveryLook) -> Evaluation:
    """The target's value on the log, by `stats.off_policy`.

    The reward model is `running_means` by arm and position: of earlier rows alone, so it fits
    either interval, and crude, so `dr` is not much better than `ips`. `mips` is there where the
    log has all probabilities and features of the arms that some arms share.
    """
    rows = slice(target.first, None)
    means = running_means(log.rewards, log.arms, log.arm_count, log.places)[rows]
    rewards = log.rewards[rows]
    values = off_policy(
        rewards,
        log.arms[rows],
        log.propensities[rows],
        target.probabilities,
        means,
        interval=interval,
        logged=None if log.probabilities is None else log.probabilities[rows],
        cells=_cells(log.features),
    )
    return Evaluation(
        policy=target.words,
        n=len(rewards),
        arms=log.arm_count,
        logged=float(rewards.mean()),
        skipped=log.skipped,
        values=values,
    )


def _cells(features: Array | None) -> Integers | None:
    """Arms with the same features share a cell; None where none do, for `mips` is `ips` then."""
    if features is None:
        return None
    cells = attribute_cells(map(tuple, features.tolist()))
    return cells if cells.max() + 1 < len(cells) else None
