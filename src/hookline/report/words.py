"""The answer and its figures in words, for a marketer."""

from typing import NamedTuple

from hookline.report.verdict import SHIP, STOP, TOO_EARLY, Judged, is_proven, is_worse
from hookline.types import (
    ArmReport,
    Estimate,
    Experiment,
    GuardMetric,
    GuardrailReport,
    Metric,
    Wait,
)

_OVER = {"paused": "so far", "concluded": "in the end"}
"""Status in which nothing runs → in place of "yet"."""
_THINGS: dict[Metric, str] = {"clicks": "clicks", "orders": "orders", "revenue": "money"}


def unit_of(experiment: Experiment) -> str:
    """What gains are counted in: the currency, or `clicks` or `orders` where none has a price."""
    priced = experiment.objective == "revenue" or experiment.rule.value is not None
    return experiment.currency if priced else experiment.objective


class Figures(NamedTuple):
    """What a line, or the policy, is at.

    Attributes:
        worth: Gain per 1,000 visitors, in the unit of the rule.
        lift: Relative lift of the objective.
    """

    worth: Estimate
    lift: Estimate


def sentence(
    judged: Judged, policy: Figures, experiment: Experiment, wait: Wait | None = None
) -> str:
    """The reason for the verdict, for a marketer who reads it beside that: two or three sentences.

    Args:
        judged: From `judge`.
        policy: What the policy's choices are at.
        experiment: Its status, objective, unit and rule shape the words.
        wait: How long until the rule is likely to decide, where it runs.
    """
    if judged.verdict == SHIP and judged.arm is not None:
        return _ship(judged.arm, policy, experiment)
    if judged.verdict == STOP:
        return _stop(judged, policy, experiment)
    if judged.verdict == TOO_EARLY:
        return f"No answer {_OVER.get(experiment.status, 'yet')}: {policy.worth.reason}."
    proven = _unlikely(judged.arm, experiment)
    standing = f"{proven}; {_standing(policy, experiment)}."
    if experiment.status in _OVER:
        served = _safe(experiment)
        return f"{standing} {served[0].upper()}{served[1:]} everybody, and nothing is counted."
    return f"{standing} {_how_long(wait, experiment)}"


def shipped_sentence(arm: ArmReport, experiment: Experiment) -> str:
    """What serves everybody, and what is known of it by now."""
    paused = experiment.status == "paused"
    served = (
        f"is shipped, but paused: {_safe(experiment)} everybody"
        if paused
        else (f"serves everybody{_but_holdout(experiment)}")
    )
    text = f"{_quoted(arm)} {served}."
    if arm.worth is None or arm.worth.estimate is None:
        return text
    if is_worse(arm.worth):
        return f"{text} It is now proven worse, at {_worth(arm.worth, experiment)}: take it back."
    return f"{text} It is at {_both(arm, experiment)}."


def _safe(experiment: Experiment) -> str:
    """What serves where no line may."""
    return "the shop's own words serve" if experiment.stand_in else "your control serves"


def _ship(arm: ArmReport, policy: Figures, experiment: Experiment) -> str:
    text = f"{_quoted(arm)} is proven better than your control, at {_both(arm, experiment)}."
    if experiment.rule.worthwhile > 0:
        text += f" A change is worth it from {_bar(experiment)}."
    own = arm.worth.estimate if arm.worth else None
    if (policy.worth.estimate or 0.0) > (own or 0.0):
        text += (
            " Matched to each visitor, Hookline's choices are at "
            f"{_worth(policy.worth, experiment)}: let it run on to keep that."
        )
    if experiment.status == "paused":
        text += " It is paused: let it run again to ship."
    return text


def _stop(judged: Judged, policy: Figures, experiment: Experiment) -> str:
    if judged.cause == "out" or judged.arm is None:
        return f"No line is left to serve, each was taken out: {_safe(experiment)} everybody."
    if judged.cause == "losing":
        return (
            "Hookline's choices are proven worse than your control, at "
            f"{_worth(policy.worth, experiment)}, and no line is proven better."
        )
    best = f"the best, {_quoted(judged.arm)}, is at {_both(judged.arm, experiment)}"
    if experiment.rule.worthwhile > 0:
        return (
            f"No line can be worth a change any more: {best}, and a change is worth it from "
            f"{_bar(experiment)}."
        )
    return f"Every line is proven worse than your control: {best}."


def _unlikely(arm: ArmReport | None, experiment: Experiment) -> str:
    if arm is not None and arm.worth is not None and is_proven(arm.worth):
        return (
            f"{_quoted(arm)} is proven better, but by its best estimate not worth "
            f"{_bar(experiment)}"
        )
    return f"No line is proven better {_OVER.get(experiment.status, 'yet')}"


def _how_long(wait: Wait | None, experiment: Experiment) -> str:
    """The forecast in words."""
    if wait is None:
        return "When it will be settled can't be told."
    if not wait.visitors:
        return "The visitors so far may settle it, once their outcomes are known."
    days = wait.days.estimate
    at = "" if days is None else f", about {_days(days)} at the present traffic,"
    words = (
        f"About {wait.visitors:,} more visitors{at} would settle it if lines stay where they are"
    )
    if wait.visitors > experiment.horizon:
        return f"{words}: more than the {experiment.horizon:,} planned, so try other copy, too."
    return f"{words}."


def _days(days: float) -> str:
    return "a day" if days <= 1 else f"{days:,.0f} days"


def _standing(policy: Figures, experiment: Experiment) -> str:
    """What the policy's choices are worth, in words."""
    if policy.worth.low is None:
        return "it is too early to say what Hookline's choices are worth"
    figures = _worth(policy.worth, experiment)
    if is_proven(policy.worth):
        return f"but taken together Hookline's choices are proven better, at {figures}"
    if is_worse(policy.worth):
        return f"taken together Hookline's choices are proven worse, at {figures}"
    return f"Hookline's choices are at {figures}"


def _but_holdout(experiment: Experiment) -> str:
    if experiment.status != "running" or not experiment.holdout:
        return ""
    return f" but the {experiment.holdout:.0%} held out, who tell what it is worth"


# --- figures in words --------------------------------------------------------------------------


def _both(arm: ArmReport, experiment: Experiment) -> str:
    """A line's gain per 1,000 visitors and its relative lift, each with its interval."""
    lift = arm.lift[experiment.objective]
    share = f"{percent(lift.estimate)} {_THINGS[experiment.objective]}"
    spread = f" ({between(lift)})" if lift.low is not None else ""
    return f"{_worth(arm.worth or lift, experiment)}; {share}{spread}"


def _worth(worth: Estimate, experiment: Experiment) -> str:
    if worth.estimate is None or worth.low is None or worth.high is None:
        return worth.reason
    return (
        f"{amount(worth, unit_of(experiment))} per 1,000 visitors (between {signed(worth.low)} and "
        f"{signed(worth.high)})"
    )


def _bar(experiment: Experiment) -> str:
    return f"{signed(experiment.rule.worthwhile)} {unit_of(experiment)} per 1,000 visitors"


def amount(estimate: Estimate | None, unit: str) -> str:
    """An estimate per 1,000 visitors in its unit; a dash where there is none."""
    if estimate is None or estimate.estimate is None:
        return "–"
    return f"{signed(estimate.estimate)} {unit}"


def amounts(estimate: Estimate | None) -> str:
    """The interval of an estimate per 1,000 visitors, or why there is none."""
    if estimate is None:
        return ""
    if estimate.low is None or estimate.high is None:
        return estimate.reason
    return f"{signed(estimate.low)} to {signed(estimate.high)}"


_HARMS: dict[GuardMetric, str] = {
    "unsubscribes": "more unsubscribes",
    "refunds": "more refunds",
    "clicks": "fewer clicks",
    "orders": "fewer orders",
    "revenue": "less money",
}


def harm_name(metric: GuardMetric) -> str:
    """What harm in a guard metric is: more of what costs, less of what pays."""
    return _HARMS[metric]


def harm_note(row: GuardrailReport) -> str:
    """What a harmful line did, for the audit trail."""
    return (
        f"{row.arm_id}: {amount(row.harm, harm_name(row.metric))} per 1,000 visitors "
        f"({amounts(row.harm)}) where {row.tolerated:g} are tolerated"
    )


def rule_words(experiment: Experiment) -> str:
    """The rule in one or two sentences, as it was set before the start."""
    rule = experiment.rule
    least = f"worth at least {_bar(experiment)}" if rule.worthwhile > 0 else "worth anything"
    priced = ""
    if rule.value is not None and experiment.objective == "revenue":
        priced = f" Of the money {rule.value:.0%} counts."
    elif rule.value is not None:
        one = experiment.objective.removesuffix("s")
        priced = f" One {one} counts {rule.value:g} {experiment.currency}."
    rails = ", ".join(f"{rail.tolerated:g} {harm_name(rail.metric)}" for rail in rule.guardrails)
    guarded = (
        f" A line proven to do more harm per 1,000 visitors than {rails} is taken out."
        if rails
        else " No guard metric was set."
    )
    return (
        f"Ship a line that is proven better and likely {least}; stop when none can be any more. "
        f"Chance of error at all looks together: {rule.risk:.3g}.{priced}{guarded}"
    )


def signed(number: float) -> str:
    """A number with its sign, and enough digits never to round to nothing.

    Examples:
        >>> signed(1234.5), signed(-3.25), signed(0.004), signed(0.0)
        ('+1,234', '−3.25', '+0.004', '0')
    """
    size = abs(number)
    if size == 0:
        return "0"
    if size >= 100:
        digits = f"{size:,.0f}"
    elif size >= 0.1:
        digits = f"{size:.2f}" if size < 10 else f"{size:.1f}"
    else:
        digits = f"{size:.1g}" if size >= 0.0001 else "<0.0001"
    return f"{'+' if number > 0 else '−'}{digits}"


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
