"""An experiment: its arms, its life, and the decision which arm a visitor gets.

`decide` is arithmetic and pure: the same experiment, visitor and policy state give the same
decision. Traffic falls into slices by a draw that is fixed per visitor: the hold-out always gets
the control, the uniform slice gets every arm equally often, and the policy shares out the rest.
The logged propensity is that of all slices together,

    p(a) = holdout · 1[a is the control] + uniform / K + (1 - holdout - uniform) · π(a),

which is exactly how likely the visitor was to get arm `a` before any draw was made.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput, Refused
from hookline.policies import Policy, draw
from hookline.types import (
    MAX_ID,
    Arm,
    Audience,
    Context,
    Copy,
    Decision,
    Experiment,
    ExperimentStatus,
    Slice,
    content_hash,
)

TRANSITIONS: dict[ExperimentStatus, tuple[ExperimentStatus, ...]] = {
    "draft": ("review",),
    "review": ("draft", "running"),
    "running": ("paused", "concluded"),
    "paused": ("running", "concluded"),
    "concluded": (),
}
"""Status → statuses it may change to."""

MAX_ARMS = 200
MAX_HOURS = 366 * 24
MAX_HORIZON = 1_000_000_000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def arms_of(copies: Sequence[Copy], control_id: str) -> tuple[Arm, ...]:
    """Arms made of approved copies, the control first.

    Raises:
        Refused: Where a copy is not approved, there is no control, or nothing to compare it with.
    """
    for copy in copies:
        if copy.status != "approved":
            raise Refused(
                f"copy {copy.id} is {copy.status}, not approved; "
                "approve it first, or leave it out of the experiment"
            )
    arms = [
        Arm(
            id=copy.id,
            text=copy.text,
            parts=copy.parts,
            attributes=copy.attributes,
            audience_id=copy.audience_id,
            control=copy.id == control_id,
        )
        for copy in copies
    ]
    if not any(arm.control for arm in arms):
        raise Refused("an experiment needs its human control line among the approved copies")
    if not 2 <= len(arms) <= MAX_ARMS:
        raise Refused(
            f"an experiment needs the control and 1 to {MAX_ARMS - 1} approved challengers, "
            f"not {len(arms) - 1}"
        )
    return tuple(sorted(arms, key=lambda arm: not arm.control))


def check(experiment: Experiment) -> Experiment:
    """The experiment, if its numbers make sense.

    Raises:
        BadInput: Naming the field.
    """
    if not 0 <= experiment.holdout <= 0.5:
        raise BadInput(f"holdout must be a share from 0 to 0.5, not {experiment.holdout}")
    if not 0 <= experiment.uniform <= 1 - experiment.holdout:
        raise BadInput(
            f"uniform must be a share from 0 to {1 - experiment.holdout:g}, "
            f"not {experiment.uniform}; hold-out and uniform slice share the traffic"
        )
    if not 0 < experiment.click_hours <= experiment.order_hours <= MAX_HOURS:
        raise BadInput(
            f"click_hours must be above 0 and at most order_hours, and both at most {MAX_HOURS}"
        )
    if not 1 <= experiment.horizon <= MAX_HORIZON:
        raise BadInput(
            f"horizon must be a number of visitors from 1 to {MAX_HORIZON:,}, "
            f"not {experiment.horizon}"
        )
    if not _ID.fullmatch(experiment.id):
        raise BadInput(
            "an experiment's id must have 1 to 100 letters, digits, dots, dashes or underscores, "
            f"and begin with a letter or digit; {experiment.id!r:.60} does not"
        )
    if not 0 < len(experiment.name.strip()) <= MAX_ID:
        raise BadInput(f"an experiment's name must have 1 to {MAX_ID} characters")
    if not _CURRENCY.fullmatch(experiment.currency):
        raise BadInput(
            f"currency must be an ISO 4217 code such as USD, not {experiment.currency!r:.20}"
        )
    if len({arm.id for arm in experiment.arms}) != len(experiment.arms):
        raise BadInput("the same copy stands in the experiment twice")
    return experiment


def advance(experiment: Experiment, to: ExperimentStatus, at: datetime) -> Experiment:
    """The experiment in its next state.

    Raises:
        Refused: Where its life cycle has no such step.
    """
    if to not in TRANSITIONS[experiment.status]:
        allowed = ", ".join(TRANSITIONS[experiment.status]) or "nothing: it is over"
        raise Refused(
            f"experiment {experiment.id} is {experiment.status} and can't become {to}; "
            f"from here it can become {allowed}"
        )
    started = experiment.started_at or (at if to == "running" else None)
    return replace(experiment, status=to, started_at=started)


def audience_of(context: Context, audiences: Iterable[Audience]) -> str:
    """The id of the first audience that the visitor's traits fit; empty if none does."""
    for audience in audiences:
        if all(_has(context, trait, values) for trait, values in audience.when.items()):
            return audience.id
    return ""


def _has(context: Context, trait: str, values: Sequence[str]) -> bool:
    value = context.traits.get(trait)
    if isinstance(value, list):
        return any(item in values for item in value)
    return value is not None and _spelled(value) in values


def _spelled(value: str | float) -> str:
    """A trait as it is written in JSON: `true`, `5`, `2.5`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    number = float(value)
    return str(int(number)) if number.is_integer() else str(number)


def decision_id(experiment: Experiment, context: Context) -> str:
    """The id of the decision this visitor has in the experiment."""
    return content_hash("decision", experiment.id, context.visitor_id)


def decide(
    experiment: Experiment, context: Context, policy: Policy | None, snapshot: str
) -> Decision:
    """The arm this visitor gets, with exact propensities. Never raises for a checked experiment.

    Args:
        experiment: A checked experiment.
        context: Who is asking.
        policy: The policy in the state of the snapshot; None before there is one.
        snapshot: Version of that snapshot; empty before the first.
    """
    key = decision_id(experiment, context)
    arms = [arm for arm in experiment.arms if arm.active]
    audience = audience_of(context, experiment.audiences)
    control = experiment.control.id
    if experiment.status != "running" or policy is None:
        reason = "no_policy" if policy is None else "not_running"
        shares, slice_, chosen = {control: 1.0}, "fallback", control
    else:
        weights, reason = _weights(policy, context, audience, arms)
        slice_ = _slice(experiment, key)
        chosen = _pick(slice_, weights, arms, _uniform(experiment.seed, key, "arm")) or control
        shares = _marginal(experiment, arms, weights)
        reason = slice_ if slice_ != "policy" else reason
    return Decision(
        id=key,
        experiment_id=experiment.id,
        arm_id=chosen,
        propensity=shares[chosen],
        probabilities=shares,
        slice=slice_,
        reason=reason,
        context=context,
        audience_id=audience,
        policy=experiment.policy,
        snapshot=snapshot,
    )


def _weights(
    policy: Policy, context: Context, audience: str, arms: Sequence[Arm]
) -> tuple[NDArray[np.float64], str]:
    """The policy's probabilities; all on the control where it faults, so that nobody sees it."""
    try:
        return policy.probabilities(context, audience, arms), "policy"
    except Exception:  # noqa: BLE001 - a fault of any kind fails towards the control copy
        return np.array([float(arm.control) for arm in arms]), "policy_fault"


def _slice(experiment: Experiment, key: str) -> Slice:
    place = _uniform(experiment.seed, key, "slice")
    if place < experiment.holdout:
        return "holdout"
    return "uniform" if place < experiment.holdout + experiment.uniform else "policy"


def _pick(
    slice_: Slice,
    weights: NDArray[np.float64],
    arms: Sequence[Arm],
    uniform: float,
) -> str | None:
    if slice_ == "holdout":
        return None
    if slice_ == "uniform":
        return arms[int(uniform * len(arms))].id
    return arms[draw(weights, uniform)].id


def _marginal(
    experiment: Experiment,
    arms: Sequence[Arm],
    weights: NDArray[np.float64],
) -> dict[str, float]:
    rest = 1 - experiment.holdout - experiment.uniform
    each = experiment.uniform / len(arms)
    return {
        arm.id: each + rest * weight + (experiment.holdout if arm.control else 0.0)
        for arm, weight in zip(arms, weights.tolist(), strict=True)
    }


def _uniform(seed: int, key: str, purpose: str) -> float:
    """A number in [0, 1) that is fixed by its arguments."""
    digest = blake2b(f"{seed}|{purpose}|{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
