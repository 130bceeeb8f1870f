"""A test's outcomes → what each slate of it came to: the log that the schedule reads.

Only draws that no policy had a hand in count, the uniform slice's and the hold-out's: a policy
gives its best lines to the visitors who like them, and that would flatter every dial.
"""

from collections.abc import Mapping, Sequence

from hookline.slate.schedule import Tried
from hookline.types import Experiment, Outcome

_EVEN = frozenset({"uniform", "holdout"})


def tried_in(
    experiment: Experiment, outcomes: Sequence[Outcome], dials: Mapping[str, float]
) -> list[Tried]:
    """What the slates in one test came to, one for each dial that its lines were chosen with.

    A conversion is a visitor with what the test is for; in a test for money, an order.

    Args:
        experiment: The test.
        outcomes: Its outcomes, in any order; those that are not settled or not seen don't count.
        dials: Copy id → the dial it was chosen with; lines without one, as people's are, are in no
            slate.
    """
    metric = "clicks" if experiment.objective == "clicks" else "orders"
    shown: dict[str, int] = {}
    won: dict[str, int] = {}
    for each in outcomes:
        settled = each.click_settled if metric == "clicks" else each.order_settled
        if each.exposed and settled and each.decision.slice in _EVEN:
            arm = each.decision.arm_id
            shown[arm] = shown.get(arm, 0) + 1
            won[arm] = won.get(arm, 0) + int(each.value(metric))
    control = experiment.control.id
    slates: dict[float, list[str]] = {}
    for arm in experiment.arms:
        if not arm.control and arm.id in dials:
            slates.setdefault(dials[arm.id], []).append(arm.id)
    return [
        Tried(
            creativity=dial,
            visitors=sum(shown.get(arm, 0) for arm in arms),
            conversions=sum(won.get(arm, 0) for arm in arms),
            control_visitors=shown.get(control, 0),
            control_conversions=won.get(control, 0),
        )
        for dial, arms in slates.items()
        if any(arm in shown for arm in arms)
    ]
