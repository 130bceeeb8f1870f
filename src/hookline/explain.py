"""One decision's whole trace, from catalog fact to money."""

from collections.abc import Sequence
from dataclasses import dataclass

from hookline.types import Arm, Copy, Decision, Event, Experiment, Outcome, Product


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """Everything that led to one decision and everything that came of it.

    Attributes:
        arm: The arm served.
        copy_record: The arm's copy, with writer, prompt, seed, verdicts and reviewer.
        product: The product as the catalog has it now; None if it was removed.
        outcome: What has come of it so far; None until it is learned from.
        events: The events of this visitor that name the decision, or none, in log order.
    """

    decision: Decision
    experiment: Experiment
    arm: Arm
    copy_record: Copy
    product: Product | None
    outcome: Outcome | None
    events: Sequence[Event]


def to_text(trace: Trace) -> str:
    """The trace as plain text, in the order in which things happened."""
    return "\n".join(
        f"{title}\n" + "\n".join(f"  {label:<18}{value}" for label, value in lines if value)
        for title, lines in sections(trace)
    )


def sections(trace: Trace) -> list[tuple[str, list[tuple[str, str]]]]:
    """The trace as titled lists of (label, value), in the order in which things happened."""
    return [
        ("Product", _product(trace.product)),
        ("Copy", _copy(trace.copy_record)),
        ("Guards", _guards(trace.copy_record)),
        ("Decision", _decision(trace)),
        ("Events", [(_when(event.at), _event(event)) for event in trace.events]),
        ("Outcome", _outcome(trace)),
    ]


def _product(product: Product | None) -> list[tuple[str, str]]:
    if product is None:
        return [("", "no longer in the catalog")]
    facts = "; ".join(f"{name}: {value}" for name, value in product.facts.items())
    return [
        ("id", product.id),
        ("title", product.title),
        ("price", str(product.price or "")),
        ("sale price", str(product.sale_price or "")),
        ("facts", facts),
    ]


def _copy(copy: Copy) -> list[tuple[str, str]]:
    asked = copy.attributes
    wanted = (
        f"angle {asked.angle}, tone {asked.tone}, cta {asked.cta}, proof {asked.proof}, "
        f"urgency {asked.urgency}, length {asked.length}"
        if asked
        else ""
    )
    return [
        ("id", copy.id),
        *((name, text) for name, text in copy.parts.items()),
        ("written by", f"{copy.writer}, seed {copy.seed}" if copy.brief_id else copy.writer),
        ("prompt", copy.prompt),
        ("brief", copy.brief_id),
        ("written for", copy.audience_id),
        ("asked for", wanted),
        ("status", f"{copy.status} by {copy.reviewed_by}" if copy.reviewed_by else copy.status),
        ("note", copy.note),
    ]


def _guards(copy: Copy) -> list[tuple[str, str]]:
    return [
        (verdict.guard, "passed" if verdict.ok else f"{verdict.code}: {verdict.reason}")
        for verdict in copy.verdicts
    ]


def _decision(trace: Trace) -> list[tuple[str, str]]:
    decision, context = trace.decision, trace.decision.context
    shares = sorted(decision.probabilities.items(), key=lambda item: -item[1])
    texts = {arm.id: arm.text for arm in trace.experiment.arms}
    past = [
        f"{texts.get(each.arm_id, each.arm_id)}, {each.hours:.1f} h ago" for each in context.past
    ]
    return [
        ("id", decision.id),
        ("experiment", trace.experiment.name),
        ("at", _when(context.at)),
        ("visitor", context.visitor_id),
        ("traits", ", ".join(f"{name} = {value}" for name, value in context.traits.items())),
        ("device", context.device),
        ("visit", context.visit_id),
        ("came from", context.referrer),
        ("searched for", context.query),
        ("page of visit", str(context.position + 1) if context.position else ""),
        ("shown before", "; ".join(past)),
        ("audience", decision.audience_id),
        ("slice", f"{decision.slice} ({decision.reason})"),
        ("policy", f"{decision.policy}, snapshot {decision.snapshot or 'none yet'}"),
        ("propensity", f"{decision.propensity:.4f} for the arm served, of all arms:"),
        *(
            ("", f"{share:.4f}{' ←' if arm == decision.arm_id else '  '} {texts.get(arm, arm)}")
            for arm, share in shares
        ),
        ("candidate", _candidate(decision)),
    ]


def _candidate(decision: Decision) -> str:
    """What the candidate would have done; empty where there was none."""
    if (shadow := decision.shadow) is None:
        return ""
    role = f"decided {shadow.share:.0%} of the policy's traffic" if shadow.share else "only watched"
    chance = shadow.probabilities[decision.arm_id]
    return f"{shadow.policy} {role}; it gave the arm served {chance:.4f}"


def _event(event: Event) -> str:
    money = f" {event.revenue:.2f} {event.currency}".rstrip() if event.revenue else ""
    order = f" order {event.order_id}" if event.order_id else ""
    return f"{event.kind}{order}{money} (message {event.message_id})"


def _outcome(trace: Trace) -> list[tuple[str, str]]:
    outcome = trace.outcome
    if outcome is None:
        return [("", "not learned from yet")]
    return [
        ("shown", "yes" if outcome.exposed else "no impression came back"),
        ("clicks", str(outcome.clicks)),
        ("orders", str(outcome.orders)),
        ("revenue", f"{outcome.revenue:.2f} {trace.experiment.currency}"),
        ("refunded", f"{outcome.refunds:.2f}" if outcome.refunds else ""),
        ("settled", "yes" if outcome.order_settled else "not yet"),
    ]


def _when(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
