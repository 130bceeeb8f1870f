"""A policy on trial beside the one an experiment runs under: its way, and what it would earn.

    named → learns all that the experiment has learned → watches (shadow) → serves a share (canary)
    → promoted, the former policy watching on → rolled back, at once, if it disappoints

Each step is a pure function from experiment to experiment. `compare` says which of the two earns
more, from outcomes of whoever decided: what both would have done is noted with every decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hookline.errors import Refused
from hookline.experiment import check, pair_of, posts
from hookline.stats import (
    ALPHA,
    Moments,
    floored,
    mean_estimate,
    noise_between,
    policy_shares,
    relative_lift,
    scores,
    unknown,
    value,
)
from hookline.types import Candidate, Estimate, Experiment, Outcome
from hookline.wire import Comparison

Array = NDArray[np.float64]


def with_candidate(
    experiment: Experiment, asked: Candidate, told: Mapping[str, float]
) -> Experiment:
    """The experiment with a candidate beside its policy, or with the present one's share changed.

    Args:
        experiment: Any that is not over.
        asked: As asked for: parameters left out are those of the present candidate, if it is meant.
        told: The parameters of a new candidate, those not asked for filled in.

    Raises:
        BadInput: Where the share is not from 0 to `MAX_SHARE`.
        Refused: Where it has another candidate, or runs under that policy itself.
    """
    _check_open(experiment)
    present = experiment.candidate
    if present is not None and _means(asked, present.policy, present.params):
        return check(replace(experiment, candidate=replace(present, share=asked.share)))
    if present is not None:
        raise Refused(
            f"experiment {experiment.id} has the candidate {present.policy}; drop it first"
        )
    if _means(asked, experiment.policy, experiment.policy_params):
        raise Refused(
            f"experiment {experiment.id} runs under {experiment.policy} with these parameters; "
            "name another policy or other parameters"
        )
    return check(replace(experiment, candidate=replace(asked, params=dict(told))))


def promoted(experiment: Experiment) -> Experiment:
    """The experiment under its candidate; the former policy goes on learning at share 0.

    Raises:
        Refused: Where there is no candidate, or it is the policy that was promoted over.
    """
    candidate = _candidate(experiment, "promote")
    if candidate.former:
        raise Refused(
            f"{candidate.policy} is what experiment {experiment.id} ran under before; "
            "roll back to return to it"
        )
    return _swapped(experiment, candidate, former=True)


def rolled_back(experiment: Experiment) -> Experiment:
    """The experiment with all of its traffic back under the former policy.

    After a promotion that is the policy before it; during a canary the present one. What is rolled
    back stays as a candidate that only watches.

    Raises:
        Refused: Where the candidate serves nobody and was never promoted, or there is none.
    """
    candidate = _candidate(experiment, "roll back")
    if candidate.former:
        return _swapped(experiment, candidate, former=False)
    if not candidate.share:
        raise Refused(
            f"the candidate {candidate.policy} of experiment {experiment.id} only watches; "
            "there is nothing to roll back"
        )
    return replace(experiment, candidate=replace(candidate, share=0.0))


def without_candidate(experiment: Experiment) -> Experiment:
    """The experiment without its candidate, whose state is then lost.

    Raises:
        Refused: Where there is none.
    """
    _candidate(experiment, "drop")
    return replace(experiment, candidate=None)


def _swapped(experiment: Experiment, candidate: Candidate, *, former: bool) -> Experiment:
    """The experiment with policy and candidate in each other's place; nobody is on trial."""
    return replace(
        experiment,
        policy=candidate.policy,
        policy_params=candidate.params,
        candidate=Candidate(
            policy=experiment.policy, params=experiment.policy_params, former=former
        ),
    )


def _candidate(experiment: Experiment, to: str) -> Candidate:
    _check_open(experiment)
    if experiment.candidate is None:
        raise Refused(f"experiment {experiment.id} has no candidate to {to}; name one first")
    return experiment.candidate


def _check_open(experiment: Experiment) -> None:
    if experiment.status == "concluded":
        raise Refused(f"experiment {experiment.id} is concluded; its policies are no longer used")


def _means(asked: Candidate, policy: str, params: Mapping[str, float]) -> bool:
    """Whether the policy is the one asked for, as far as was said."""
    return asked.policy == policy and all(
        params.get(name) == value for name, value in asked.params.items()
    )


# --- what it would earn ------------------------------------------------------------------------


def compare(experiment: Experiment, outcomes: Sequence[Outcome]) -> Comparison:
    """What the policy and its candidate would each have earned, whoever in fact decided.

    Every outcome's AIPW scores (`stats.scores`) are weighed by the probabilities of the one and of
    the other, as they were computed and logged before the outcome. So nothing that a policy has
    learned from a visitor flatters it on that very visitor, as it would were they computed now.

    Args:
        experiment: With a candidate.
        outcomes: Its outcomes in log order.

    Raises:
        Refused: Where there is no candidate.
    """
    if (candidate := experiment.candidate) is None:
        raise Refused(f"experiment {experiment.id} has no candidate to compare; name one first")
    own, rival, lift = _estimates(experiment, _judged(experiment, outcomes))
    return Comparison(
        experiment_id=experiment.id,
        policy=experiment.policy,
        candidate=candidate.policy,
        share=candidate.share,
        former=candidate.former,
        metric=experiment.objective,
        policy_value=own,
        candidate_value=rival,
        lift=lift,
    )


def to_text(found: Comparison) -> str:
    """The comparison as three lines for a terminal."""
    role = f"decides {found.share:.0%} of the policy's traffic" if found.share else "only watches"
    former = ", the policy before the promotion," if found.former else ""
    return "\n".join(
        (
            f"The candidate {found.candidate}{former} {role}.",
            f"{found.metric} per decision: {_spelled(found.candidate_value, '.4f')}; "
            f"under {found.policy}: {_spelled(found.policy_value, '.4f')}.",
            f"Lift of the candidate: {_spelled(found.lift, '+.1%')}, "
            f"over {found.lift.n} decisions that both had a word on.",
        )
    )


def _spelled(found: Estimate, form: str) -> str:
    if found.estimate is None:
        return f"unknown ({found.reason})"
    if found.low is None or found.high is None:
        return f"{found.estimate:{form}} (no bounds: {found.reason})"
    return f"{found.estimate:{form}} ({found.low:{form}} to {found.high:{form}})"


class _Judged(NamedTuple):
    """Settled outcomes on which both policies had a word beforehand; n rows, K arms.

    Attributes:
        rewards: Shape (n,).
        arms: Index of the arm served, shape (n,).
        audiences: Index of the audience, shape (n,).
        logged: Probabilities of all slices together, shape (n, K).
        shadow: Those of whoever was the candidate then, shape (n, K).
        shares: Share of the policy's traffic that the candidate decided, shape (n,).
        swapped: Whether today's policy was the candidate then, shape (n,).
    """

    rewards: Array
    arms: NDArray[np.int64]
    audiences: NDArray[np.int64]
    logged: Array
    shadow: Array
    shares: Array
    swapped: NDArray[np.bool_]


def _judged(experiment: Experiment, outcomes: Sequence[Outcome]) -> _Judged:
    own, rival = posts(experiment).values()
    swapped = {pair_of(own, rival): False, pair_of(rival, own): True}
    clicks = experiment.objective == "clicks"
    rows = [
        (outcome, outcome.decision, shadow)
        for outcome in outcomes
        if outcome.exposed
        and (outcome.click_settled if clicks else outcome.order_settled)
        and (shadow := outcome.decision.shadow) is not None
        and shadow.pair in swapped
    ]
    ids = [arm.id for arm in experiment.arms]
    place = {key: index for index, key in enumerate(ids)}
    group = {audience.id: index for index, audience in enumerate(experiment.audiences)}
    n, k = len(rows), len(ids)
    return _Judged(
        rewards=_column(outcome.value(experiment.objective) for outcome, _, _ in rows),
        arms=np.array([place[made.arm_id] for _, made, _ in rows], np.int64),
        audiences=np.array(
            [group.get(made.audience_id, len(group)) for _, made, _ in rows], np.int64
        ),
        logged=_column(
            made.probabilities.get(key, 0.0) for _, made, _ in rows for key in ids
        ).reshape(n, k),
        shadow=_column(
            noted.probabilities.get(key, 0.0) for _, _, noted in rows for key in ids
        ).reshape(n, k),
        shares=_column(noted.share for _, _, noted in rows),
        swapped=np.array([swapped[noted.pair] for _, _, noted in rows], np.bool_),
    )


def _estimates(experiment: Experiment, judged: _Judged) -> tuple[Estimate, Estimate, Estimate]:
    """Value of the policy, of the candidate, and the candidate's lift."""
    n = len(judged.rewards)
    control = experiment.arms.index(experiment.control)
    mixture = policy_shares(
        judged.logged, control, holdout=experiment.holdout, uniform=experiment.uniform
    )
    if mixture is None:
        missing = unknown(n, "no share of the traffic is left to policy and candidate")
        return missing, missing, missing
    shares = judged.shares[:, None]
    incumbent = ((mixture - shares * judged.shadow) / (1 - shares)).clip(0.0, 1.0)
    swap = judged.swapped[:, None]
    own = np.where(swap, judged.shadow, incumbent)
    rival = np.where(swap, incumbent, judged.shadow)
    psi = scores(judged.rewards, judged.arms, judged.logged, judged.audiences)
    values = np.column_stack([value(psi, rival), value(psi, own)])
    known = ~np.isnan(values.sum(axis=1))  # else one of them could show what nobody could get
    moments = floored(
        Moments.of(values[known]),
        noise_between([rival[known], own[known]], judged.logged[known]),
        Moments.of(judged.rewards[known, None]),
    )
    events = _events(judged, rival, known), _events(judged, own, known)
    limits = (-inf, inf) if experiment.objective == "revenue" else (0.0, 1.0)
    candidate, policy = (
        mean_estimate(
            moments.column(column),
            events=events[column],
            horizon=experiment.horizon,
            limits=limits,
        )
        for column in (0, 1)
    )
    lift = relative_lift(moments, events=min(events), horizon=experiment.horizon, alpha=ALPHA)
    return policy, candidate, lift


def _events(judged: _Judged, weights: Array, known: NDArray[np.bool_]) -> int:
    """Events that a policy's value rests on: each counts as far as it would have had it too."""
    rows = np.flatnonzero(known & (judged.rewards != 0))
    arms = judged.arms[rows]
    return int(np.minimum(weights[rows, arms] / judged.logged[rows, arms], 1.0).sum())


def _column(values: Iterable[float]) -> Array:
    return np.fromiter(values, np.float64)
