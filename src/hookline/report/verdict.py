"""What the marketer's rule says of the intervals printed beside it.

    ship          a line is proven better, and its best estimate is worth a change
    stop          nothing can be worth a change any more, or it is proven to do harm
    keep running  anything else

`judge` reads nothing but those intervals, so the word can't contradict them.
"""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

from hookline.types import ArmReport, Estimate, Rule

SHIP = "ship"
STOP = "stop"
KEEP_RUNNING = "keep running"
TOO_EARLY = "too early"
PAUSED = "paused"
CONCLUDED = "concluded"
"""These two in place of the two above where the experiment no longer runs."""
SHIPPED = "shipped"
CHECK_TRAFFIC = "check the traffic"
"""In place of any of these where lines were not seen as often as they were drawn."""


class Judged(NamedTuple):
    """What the rule says.

    Attributes:
        verdict: `ship`, `stop`, `keep running` or `too early`.
        arm: The line to ship; else the challenger that leads; None if none can be told.
        cause: Why to stop: `small` where nothing can be worth a change, `losing` where the
            policy's choices are proven worse, `out` where no line is left to serve; else empty.
    """

    verdict: str
    arm: ArmReport | None = None
    cause: Literal["", "small", "losing", "out"] = ""


def judge(
    arms: Sequence[ArmReport], policy: Estimate, rule: Rule, harmful: Collection[str] = ()
) -> Judged:
    """What the rule says of these lines.

    Ship the line with the highest estimate among those whose interval lies above 0 and whose
    estimate is worth a change. Stop if every interval, that of the policy's choices too, lies
    below what is worth a change; or if the policy's lies below 0 and no line's above it.

    Args:
        arms: The arms with their worth; intervals hold for all of them at once.
        policy: What the policy's choices are worth.
        rule: What the marketer decided before the start.
        harmful: Ids of lines that a guard metric speaks against: these can't be shipped.
    """
    left = [
        arm for arm in arms if arm.arm.active and not arm.arm.control and arm.arm.id not in harmful
    ]
    if not left:
        return Judged(STOP, cause="out")
    known = [(worth, arm) for arm in left if (worth := arm.worth) and worth.estimate is not None]
    ranked = sorted(known, key=lambda pair: pair[0].estimate or 0.0, reverse=True)
    for worth, arm in ranked:
        if is_proven(worth) and (worth.estimate or 0.0) >= rule.worthwhile:
            return Judged(SHIP, arm)
    best = ranked[0][1] if ranked else None
    if is_worse(policy) and not any(is_proven(worth) for worth, _ in known):
        return Judged(STOP, best, "losing")
    all_known = [worth for worth, _ in known] + [policy] * (policy.estimate is not None)
    if len(known) == len(left) and all(_is_below(each, rule.worthwhile) for each in all_known):
        return Judged(STOP, best, "small")
    return Judged(TOO_EARLY if not all_known else KEEP_RUNNING, best)


def is_proven(estimate: Estimate) -> bool:
    """Whether the whole interval lies above 0."""
    return estimate.low is not None and estimate.low > 0


def is_worse(estimate: Estimate) -> bool:
    """Whether the whole interval lies below 0."""
    return _is_below(estimate, 0.0)


def _is_below(estimate: Estimate, bar: float) -> bool:
    return estimate.high is not None and estimate.high < bar
