"""An experiment: its arms, its rule, its life, and the decision which arm a visitor gets.

`decide` is arithmetic and pure: the same experiment, visitor and policy state give the same
decision. Traffic falls into slices by a draw that is fixed per decision, so per visitor, or per
visit where an experiment decides anew on each: the hold-out always gets the control, the uniform
slice gets every arm equally often, and the policy shares out the rest. A candidate decides a share
of what the policy would, or only watches: π = (1 - share) · π_policy + share · π_candidate. The
logged propensity is that of all slices together,

    p(a) = holdout · 1[a is the control] + uniform / K + (1 - holdout - uniform) · π(a),

which is exactly how likely the visitor was to get arm `a` before any draw was made. Once an arm is
shipped it gets all traffic but the hold-out's, p(shipped) = 1 - holdout, and nothing else is drawn.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from math import isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput, Refused, Unknown
from hookline.policies import Policy, draw
from hookline.types import (
    MAX_ID,
    Arm,
    Audience,
    Candidate,
    Context,
    Copy,
    Decision,
    Experiment,
    ExperimentStatus,
    Rule,
    Shadow,
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
MAX_RISK = 0.5
MAX_SHARE = 0.5
"""Most of the policy's traffic that a candidate may decide; who wants more promotes it."""
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
    _check_rule(experiment, experiment.rule)
    if experiment.candidate is not None:
        _check_candidate(experiment, experiment.candidate)
    return experiment


def _check_rule(experiment: Experiment, rule: Rule) -> None:
    if not 0 <= rule.worthwhile < float("inf"):
        raise BadInput(
            "worthwhile must be a gain per 1,000 visitors from 0 up, where 0 takes any, "
            f"not {rule.worthwhile}"
        )
    if rule.value is not None and not 0 < rule.value < float("inf"):
        raise BadInput(f"value must be the money that one is worth, above 0, not {rule.value}")
    if not 0 < rule.risk <= MAX_RISK:
        raise BadInput(f"risk must be above 0 and at most {MAX_RISK}, not {rule.risk}")
    metrics = [rail.metric for rail in rule.guardrails]
    if experiment.objective in metrics:
        raise BadInput(
            f"{experiment.objective} is the objective, so the verdict watches it already; "
            "guard another metric"
        )
    if len(set(metrics)) != len(metrics):
        raise BadInput("a metric is guarded once; the rule names one twice")
    for rail in rule.guardrails:
        if not (isfinite(rail.tolerated) and rail.tolerated >= 0):
            raise BadInput(
                f"the harm tolerated in {rail.metric} must be a number per 1,000 visitors "
                f"from 0 up, not {rail.tolerated}"
            )


def _check_candidate(experiment: Experiment, candidate: Candidate) -> None:
    if not 0 <= candidate.share <= MAX_SHARE:
        raise BadInput(
            f"a candidate's share must be from 0, where it only watches, to {MAX_SHARE}, "
            f"not {candidate.share}"
        )
    own, rival = posts(experiment).values()
    if own == rival:
        raise BadInput(f"the candidate is the experiment's own policy, {candidate.policy}")


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


def with_rule(experiment: Experiment, rule: Rule) -> Experiment:
    """The experiment under another rule, before it ever ran.

    Raises:
        BadInput: Where a number makes no sense.
        Refused: Where it has run: a rule chosen after looking proves nothing.
    """
    if experiment.started_at is not None:
        raise Refused(
            f"experiment {experiment.id} has run since {experiment.started_at:%Y-%m-%d}; "
            "its rule was set before and stays"
        )
    return check(replace(experiment, rule=rule))


def without(experiment: Experiment, arm_ids: Iterable[str]) -> Experiment:
    """The experiment with these arms taken out; nobody is shown them from now on.

    What is shipped is shipped no more if it is among them. A running experiment that has nothing
    left to show but its control, or whose shipped arm is gone, pauses: the control serves all.
    """
    gone = set(arm_ids)
    arms = tuple(
        replace(arm, active=False, held=False) if arm.id in gone else arm for arm in experiment.arms
    )
    lost = experiment.shipped in gone
    left = replace(experiment, arms=arms, shipped="" if lost else experiment.shipped)
    if left.status == "running" and (lost or not left.challengers):
        return replace(left, status="paused")
    return left


def held(experiment: Experiment, arm_ids: Iterable[str], stand_in: Arm | None) -> Experiment:
    """The experiment `without` these arms until they are `released`.

    Where its control is among them, the stand-in is shown in its place, to everybody and uncounted:
    a running experiment pauses, for nothing compares with a line that nobody may see.

    Args:
        experiment: Any experiment.
        arm_ids: Ids of copies in quarantine; those that are not in the experiment don't matter.
        stand_in: What takes the control's place if need be.
    """
    gone = set(arm_ids)
    out = {arm.id for arm in experiment.challengers if arm.id in gone}
    left = without(experiment, out) if out else experiment
    arms = tuple(replace(arm, held=True) if arm.id in out else arm for arm in left.arms)
    left = replace(left, arms=arms)
    if experiment.control.id not in gone:
        return left
    status = "paused" if left.status == "running" else left.status
    return replace(left, stand_in=stand_in, status=status)


def released(experiment: Experiment, arm_ids: Iterable[str]) -> Experiment:
    """The experiment with these arms back, if they were `held`, and its own control likewise.

    What has paused stays paused, and what was shipped is not shipped again: a person decides that.
    """
    back = set(arm_ids)
    arms = tuple(
        replace(arm, active=True, held=False) if arm.held and arm.id in back else arm
        for arm in experiment.arms
    )
    stand_in = None if experiment.control.id in back else experiment.stand_in
    return replace(experiment, arms=arms, stand_in=stand_in)


def retired(experiment: Experiment, arm_ids: Sequence[str]) -> Experiment:
    """The experiment `without` challengers of its own.

    Raises:
        Unknown: Where it has no such arm.
        Refused: Where an arm is its control, to which every fault falls, or was taken out before.
    """
    arms = {arm.id: arm for arm in experiment.arms}
    for key in arm_ids:
        if key not in arms:
            raise Unknown(f"experiment {experiment.id} has no line {key!r:.60}")
        if arms[key].control:
            raise Refused(f"{key} is the control of {experiment.id}; pause or conclude it instead")
        if not arms[key].active:
            raise Refused(f"line {key} of {experiment.id} was taken out before")
    return without(experiment, arm_ids)


def shipped(experiment: Experiment, arm_id: str) -> Experiment:
    """The experiment with one arm for everybody, the hold-out excepted as long as it runs.

    Raises:
        Unknown: Where it has no such challenger.
        Refused: Where it neither runs nor is concluded.
    """
    if experiment.status not in {"running", "concluded"}:
        raise Refused(
            f"experiment {experiment.id} is {experiment.status}, so its control serves everybody; "
            "let it run, then ship"
        )
    if all(arm.id != arm_id for arm in experiment.challengers):
        known = ", ".join(arm.id for arm in experiment.challengers) or "none"
        raise Unknown(
            f"experiment {experiment.id} has no line {arm_id!r:.60} to ship; there are: {known}"
        )
    return replace(experiment, shipped=arm_id)


def unshipped(experiment: Experiment) -> Experiment:
    """The experiment as it was before an arm was shipped: it goes on, or its control serves.

    Raises:
        Refused: Where none is shipped.
    """
    if not experiment.shipped:
        raise Refused(f"experiment {experiment.id} has shipped no line; there is nothing to undo")
    return replace(experiment, shipped="")


# --- its policies ------------------------------------------------------------------------------


class Post(NamedTuple):
    """A policy by name and parameters; what was learned belongs to these, not to a role."""

    policy: str
    params: Mapping[str, float]


def candidate_key(experiment_id: str) -> str:
    """What the candidate's state goes by; no experiment's id has a slash."""
    return f"{experiment_id}/candidate"


def is_candidate(key: str) -> bool:
    """Whether a state's key is that of a candidate."""
    return key.endswith("/candidate")


def posts(experiment: Experiment) -> dict[str, Post]:
    """Key of its state → policy: the experiment's own, and its candidate if there is one."""
    found = {experiment.id: Post(experiment.policy, experiment.policy_params)}
    if (candidate := experiment.candidate) is not None:
        found[candidate_key(experiment.id)] = Post(candidate.policy, candidate.params)
    return found


def pair_of(policy: Post, candidate: Post) -> str:
    """A short hash that tells this policy beside this candidate from any other two.

    Examples:
        >>> pair_of(Post("ucb", {"width": 1}), Post("lola", {})) == pair_of(
        ...     Post("ucb", {"width": 1.0}), Post("lola", {})
        ... )
        True
    """
    return content_hash(
        *(
            (post.policy, {name: float(n) for name, n in post.params.items()})
            for post in (policy, candidate)
        ),
        size=6,
    )


# --- the decision ------------------------------------------------------------------------------


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
    """The id of the decision this visitor has in the experiment, or has on this visit.

    Where each visit is decided for and the shop gives it no id, the second of the request stands in
    for one: asking again within the same second is the same visit.
    """
    if experiment.unit == "visitor":
        return content_hash("decision", experiment.id, context.visitor_id)
    visit = context.visit_id or int(context.at.timestamp())
    return content_hash("decision", experiment.id, context.visitor_id, visit)


def decide(
    experiment: Experiment,
    context: Context,
    policy: Policy | None,
    snapshot: str,
    candidate: Policy | None = None,
) -> Decision:
    """The arm this visitor gets, with exact propensities. Never raises for a checked experiment.

    Args:
        experiment: A checked experiment.
        context: Who is asking.
        policy: The policy in the state of the snapshot; None before there is one.
        snapshot: Version of that snapshot; empty before the first.
        candidate: The experiment's candidate likewise; None lets the policy decide all.
    """
    key = decision_id(experiment, context)
    arms = [arm for arm in experiment.arms if arm.active]
    audience = audience_of(context, experiment.audiences)
    control = experiment.control.id
    shadow = None
    if experiment.status == "running" and experiment.shipped_arm is not None:
        held = is_held_out(experiment, key)
        slice_, reason = "shipped", "holdout" if held else "shipped"
        chosen = control if held else experiment.shipped_arm.id
        shares = _shipped_shares(experiment, experiment.shipped_arm.id)
    elif experiment.status != "running" or policy is None:
        reason = "no_policy" if policy is None else "not_running"
        shares, slice_, chosen = {control: 1.0}, "fallback", control
    else:
        split = split_of(
            experiment, policy, candidate, context=context, audience=audience, arms=arms
        )
        slice_ = _slice(experiment, key)
        weights, reason = _drawn_from(split, experiment.seed, key)
        chosen = _pick(slice_, weights, arms, _uniform(experiment.seed, key, "arm")) or control
        shares = _marginal(experiment, arms, split.mixture)
        reason = slice_ if slice_ != "policy" else reason
        shadow = _shadow(experiment, arms, split) if candidate is not None else None
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
        shadow=shadow,
    )


class Split(NamedTuple):
    """How the policy slice is shared out for one visitor.

    Attributes:
        own: The policy's probabilities, shape (arms,).
        rival: The candidate's; the policy's own where there is none, or where it faults.
        share: Share of the slice that the candidate decides; 0 where it can't.
        reason: Why the policy's arm is served, as a code.
    """

    own: NDArray[np.float64]
    rival: NDArray[np.float64]
    share: float
    reason: str

    @property
    def mixture(self) -> NDArray[np.float64]:
        """The probabilities of the slice as a whole, shape (arms,)."""
        return (1 - self.share) * self.own + self.share * self.rival if self.share else self.own


def split_of(
    experiment: Experiment,
    policy: Policy,
    candidate: Policy | None,
    *,
    context: Context,
    audience: str,
    arms: Sequence[Arm],
) -> Split:
    """How policy and candidate share out the active arms for one visitor, faults or not."""
    own = _weights(policy, context, audience, arms)
    reason = "policy"
    if own is None:  # all on the control, so that nobody sees the fault
        own, reason = np.array([float(arm.control) for arm in arms]), "policy_fault"
    if candidate is None or experiment.candidate is None:
        return Split(own, own, 0.0, reason)
    rival = _weights(candidate, context, audience, arms)
    if rival is None:
        return Split(own, own, 0.0, "candidate_fault" if reason == "policy" else reason)
    return Split(own, rival, experiment.candidate.share, reason)


def _weights(
    policy: Policy, context: Context, audience: str, arms: Sequence[Arm]
) -> NDArray[np.float64] | None:
    """The policy's probabilities; None where it faults."""
    try:
        shares = policy.probabilities(context, audience, arms)
    except Exception:  # noqa: BLE001 - a fault of any kind fails towards what is known to be safe
        return None
    return shares if shares.shape == (len(arms),) else None


def _drawn_from(split: Split, seed: int, key: str) -> tuple[NDArray[np.float64], str]:
    """The probabilities that the policy slice draws this decision from, and why these."""
    if split.share and _uniform(seed, key, "candidate") < split.share:
        return split.rival, "candidate"
    return split.own, split.reason


def _shadow(experiment: Experiment, arms: Sequence[Arm], split: Split) -> Shadow | None:
    if experiment.candidate is None:
        return None
    ids = (arm.id for arm in arms)
    return Shadow(
        policy=experiment.candidate.policy,
        pair=pair_of(*posts(experiment).values()),
        share=split.share,
        probabilities=dict(zip(ids, split.rival.tolist(), strict=True)),
    )


def is_held_out(experiment: Experiment, key: str) -> bool:
    """Whether the decision with this id falls to the hold-out, whatever is served to others."""
    return _uniform(experiment.seed, key, "slice") < experiment.holdout


def _shipped_shares(experiment: Experiment, arm_id: str) -> dict[str, float]:
    """The probabilities while one arm is shipped; arms that nobody can get are left out."""
    shares = {experiment.control.id: experiment.holdout, arm_id: 1 - experiment.holdout}
    return {key: share for key, share in shares.items() if share > 0}


def _slice(experiment: Experiment, key: str) -> Slice:
    if is_held_out(experiment, key):
        return "holdout"
    place = _uniform(experiment.seed, key, "slice")
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
