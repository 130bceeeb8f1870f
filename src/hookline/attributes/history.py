"""Experiments and their outcomes → an attribute policy that has learned from them."""

from collections.abc import Iterable, Sequence

from hookline.attributes.policy import AttributePolicy
from hookline.types import Attributes, Experiment, Metric, Outcome


def learned_from(
    tests: Iterable[tuple[Experiment, Sequence[Outcome]]], *, half_life_days: float | None = None
) -> AttributePolicy:
    """What the settled outcomes of the tests say of attributes, each test in its own objective.

    What is expected of a line is the mean over its test. A line that a human wrote has no
    attributes and is left out, and so is what was served for a fault.

    Args:
        tests: Experiments with their outcomes in log order.
        half_life_days: As for `AttributePolicy`.
    """
    policy = AttributePolicy(half_life_days=half_life_days)
    for experiment, outcomes in tests:
        cells = {arm.id: arm.attributes for arm in experiment.arms}
        known = [
            (cell, outcome, outcome.value(experiment.objective))
            for outcome in outcomes
            if (cell := cells.get(outcome.decision.arm_id)) is not None
            and counts(outcome, experiment.objective)
        ]
        _learn(policy, experiment.id, known)
    return policy


def _learn(
    policy: AttributePolicy, test_id: str, known: Sequence[tuple[Attributes, Outcome, float]]
) -> None:
    """Takes in one test; nothing of one that has brought nothing."""
    total = sum(reward for _, _, reward in known)
    if total <= 0:
        return
    for cell, outcome, reward in known:
        decision = outcome.decision
        policy.learn(
            audience_id=decision.audience_id,
            attributes=cell,
            reward=reward,
            expected=total / len(known),
            at=decision.context.at,
            propensity=decision.propensity,
            test_id=test_id,
            line_id=decision.arm_id,
        )


def counts(outcome: Outcome, objective: Metric) -> bool:
    """Whether an outcome says something of its line: it was seen, drawn by lot, and is settled."""
    settled = outcome.click_settled if objective == "clicks" else outcome.order_settled
    decision = outcome.decision
    return (
        outcome.exposed
        and settled
        and decision.slice != "fallback"
        and 0 < decision.propensity <= 1
    )
