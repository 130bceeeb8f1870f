"""The answer in words: a verdict, a winner and one sentence that agree with the intervals."""

from collections.abc import Sequence

from hookline.types import ArmReport, Estimate, ExperimentStatus, Metric

WINNER = "winner"
KEEP_RUNNING = "keep running"
NO_DIFFERENCE = "no difference worth having"
TOO_EARLY = "too early"
CHECK_TRAFFIC = "check the traffic"
"""In place of any of these where lines were not seen as often as they were drawn."""

_THINGS: dict[Metric, str] = {"clicks": "clicks", "orders": "orders", "revenue": "money"}


def judge(
    arms: Sequence[ArmReport], policy: Estimate, objective: Metric, worthwhile: float
) -> tuple[str, ArmReport | None]:
    """The verdict, and the arm it turns on.

    Args:
        arms: The arms with their lifts; intervals hold for all of them at once.
        policy: Lift of the policy's choices in the objective.
        objective: Metric that decides.
        worthwhile: Least relative lift worth changing the copy for.

    Returns:
        The verdict, and the winner; else the challenger that leads; None if none can be told.
    """
    challengers = [arm for arm in arms if arm.arm.active and not arm.arm.control]
    lifts = {arm.arm.id: arm.lift[objective] for arm in challengers}
    known = [arm for arm in challengers if lifts[arm.arm.id].estimate is not None]
    if not known:
        return TOO_EARLY if policy.estimate is None else KEEP_RUNNING, None
    ranked = sorted(known, key=lambda arm: lifts[arm.arm.id].estimate or 0.0, reverse=True)
    for arm in ranked:
        if is_proven(lifts[arm.arm.id]):
            return WINNER, arm
    if all(lift.high is not None and lift.high < worthwhile for lift in lifts.values()):
        return NO_DIFFERENCE, ranked[0]
    return KEEP_RUNNING, ranked[0]


def is_proven(lift: Estimate) -> bool:
    """Whether the whole interval lies above 0."""
    return lift.low is not None and lift.low > 0


def sentence(
    verdict: str,
    arm: ArmReport | None,
    policy: Estimate,
    *,
    objective: Metric,
    status: ExperimentStatus,
    worthwhile: float,
    visitors_more: int | None,
) -> str:
    """The answer in one or two sentences for a marketer.

    Args:
        verdict: From `judge`.
        arm: From `judge`.
        policy: Lift of the policy's choices in the objective.
        objective: Metric that decides.
        status: Where the experiment stands.
        worthwhile: Least relative lift worth changing the copy for.
        visitors_more: Forecast of visitors still needed; None where there is none.
    """
    things = _THINGS[objective]
    if verdict == TOO_EARLY:
        return f"No answer yet: {policy.reason}."
    if arm is not None and verdict == WINNER:
        return (
            f"Winner: {_quoted(arm)} got {percent(arm.lift[objective].estimate)} more {things} "
            f"than your control ({between(arm.lift[objective])})."
        )
    if arm is not None and verdict == NO_DIFFERENCE:
        return (
            f"No difference worth having: the best line, {_quoted(arm)}, is at "
            f"{percent(arm.lift[objective].estimate)} {things} ({between(arm.lift[objective])}), "
            f"and a change is worth it from {percent(worthwhile)}."
        )
    standing = _standing(policy, things)
    if status == "concluded":
        return f"Concluded with no line proven better; {standing}."
    answer = f"Keep running: no line is proven better yet; {standing}."
    if arm is None or visitors_more is None:
        return answer
    forecast = f"About {visitors_more:,} more visitors would settle it"
    return f"{answer} {forecast} if {_quoted(arm)} stays as far ahead."


def _standing(policy: Estimate, things: str) -> str:
    """What the policy's choices are worth, in words."""
    if policy.low is None or policy.high is None:
        return "it is too early to say what Hookline's choices are worth"
    figures = f"{percent(policy.estimate)} {things} ({between(policy)})"
    if policy.low > 0:
        return f"but taken together Hookline's choices are proven better, at {figures}"
    if policy.high < 0:
        return f"so far Hookline's choices do worse than your control, at {figures}"
    return f"Hookline's choices are at {figures}"


def percent(share: float | None) -> str:
    """A relative lift as signed per cent, with enough digits never to round to nothing.

    Examples:
        >>> percent(0.184), percent(-0.036), percent(0.0004), percent(None)
        ('+18 %', '−3.6 %', '+0.04 %', 'unknown')
    """
    if share is None:
        return "unknown"
    size = abs(100 * share)
    if size == 0:
        return "0 %"
    if size < 0.01:
        digits = "<0.01"
    elif size < 1:
        digits = f"{size:.1g}"
    elif size < 10:
        digits = f"{size:.1f}".removesuffix(".0")
    else:
        digits = f"{size:,.0f}"
    return f"{'+' if share > 0 else '−'}{digits} %"


def between(lift: Estimate) -> str:
    """The interval of a relative lift in words."""
    if lift.low is None or lift.high is None:
        return lift.reason
    return f"between {percent(lift.low)} and {percent(lift.high)}"


def shorten(text: str, width: int) -> str:
    """The text in at most `width` characters, an ellipsis where some were cut.

    Examples:
        >>> shorten("Pack light, stay warm", 12)
        'Pack light,…'
    """
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def _quoted(arm: ArmReport) -> str:
    return f"“{shorten(arm.arm.text, 60)}”"
