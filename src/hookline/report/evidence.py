"""What the settled visitors of one experiment say: scores made once, then only their moments."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hookline.report.table import Array, Flags, Integers, Table
from hookline.stats import (
    ALPHA,
    Moments,
    floored,
    mean_estimate,
    noise_between,
    policy_shares,
    relative_lift,
    scores,
    total_estimate,
    unknown,
    value,
)
from hookline.types import Estimate, Experiment, GuardMetric

PER = 1_000
"""Visitors that gains and harms are counted per."""
_NO_POLICY = "the logged probabilities do not fit the shares, or leave none to the policy"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scored:
    """The scores of one metric, one row a settled visitor.

    Attributes:
        psi: AIPW scores, shape (n, K).
        arms: Index of the arm served, shape (n,).
        audiences: Index of the audience, shape (n,).
        probabilities: Logged marginal probabilities, shape (n, K).
        chosen: Whether the policy had a say, shape (n,): not where one arm was shipped to all.
        rewards: Shape (n,).
        limits: Values an arm's rate can take.
    """

    psi: Array
    arms: Integers
    audiences: Integers
    probabilities: Array
    chosen: Flags
    rewards: Array
    limits: tuple[float, float]

    @property
    def events(self) -> Flags:
        """Whether the reward is not zero, shape (n,)."""
        return self.rewards != 0

    def counts(self, rows: Flags) -> Integers:
        """Events per arm among the rows, shape (K,)."""
        return np.bincount(self.arms[rows & self.events], minlength=self.psi.shape[1])


def score(table: Table, metric: GuardMetric) -> Scored:
    """The scores of all rows that the metric can be analysed on."""
    rows = table.analysed(metric)
    arms, audiences, rewards = table.arms[rows], table.audiences[rows], table.rewards[metric][rows]
    probabilities = table.probabilities[rows]
    return Scored(
        psi=scores(rewards, arms, probabilities, audiences),
        arms=arms,
        audiences=audiences,
        probabilities=probabilities,
        chosen=~table.shipped[rows],
        rewards=rewards,
        limits=(-np.inf, np.inf) if metric == "revenue" else (0.0, 1.0),
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Duel:
    """One arm against the control, on the visitors who could have got either.

    Attributes:
        moments: Of two columns: scores of the arm and of the control, `floored`.
        events: Events of the arm and of the control.
        limits: Values a rate can take.
    """

    moments: Moments
    events: tuple[int, int]
    limits: tuple[float, float]

    def rate(self, horizon: float, alpha: float = ALPHA) -> Estimate:
        """The arm's value per visitor."""
        column = self.moments.column(0)
        return mean_estimate(
            column, events=self.events[0], horizon=horizon, alpha=alpha, limits=self.limits
        )

    def lift(self, horizon: float, alpha: float) -> Estimate:
        """The arm's relative lift over the control."""
        return relative_lift(self.moments, events=min(self.events), horizon=horizon, alpha=alpha)

    def beyond(self, horizon: float, alpha: float) -> Estimate:
        """What the arm brings beyond the control, per visitor; it and the lift agree on the sign.

        The one's interval lies above 0 exactly where the other's does, but this one has bounds
        even where the control's value is not yet known well enough to divide by.
        """
        return mean_estimate(
            lead(self.moments), events=min(self.events), horizon=horizon, alpha=alpha
        )


def lead(moments: Moments) -> Moments:
    """The moments of the first column less the second."""
    contrast = np.array([[1.0], [-1.0]])
    return Moments(
        n=moments.n,
        mean=moments.mean @ contrast,
        scatter=contrast.T @ moments.scatter @ contrast,
    )


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """The estimate and its bounds times a factor above 0."""

    def times(value: float | None) -> float | None:
        return None if value is None else value * factor

    return replace(
        estimate,
        estimate=times(estimate.estimate),
        low=times(estimate.low),
        high=times(estimate.high),
    )


def duel(scored: Scored, arm: int, control: int, among: Flags | None = None) -> Duel:
    """The arm against the control, among the given rows, all of them if none are given."""
    both = np.array([arm, control])
    pair = scored.psi[:, both]
    rows = ~(np.isnan(pair[:, 0]) | np.isnan(pair[:, 1]))
    if among is not None:
        rows = rows & among
    events = scored.counts(rows)
    # `noise` of an arm's score is 1 / p, and two arms share none
    own = (1 / scored.probabilities[rows][:, both]).sum(axis=0)
    shared = np.where(both[:, None] == both, own, 0.0)
    return Duel(
        moments=floored(Moments.of(pair[rows]), shared, Moments.of(scored.rewards[rows, None])),
        events=(int(events[arm]), int(events[control])),
        limits=scored.limits,
    )


def leader(duels: Mapping[int, Duel], control: int, horizon: float) -> int | None:
    """The arm with the highest rate; None as long as no challenger has been seen enough.

    Args:
        duels: Index of an arm → that arm against the control; the control's own is among them.
        control: Index of the control.
        horizon: Visitors planned for.
    """
    rates = {
        arm: rate
        for arm, each in duels.items()
        if (rate := each.rate(horizon).estimate) is not None
    }
    return max(rates, key=lambda arm: rates[arm]) if rates.keys() - {control} else None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Evidence:
    """What one metric says of the policy; that of several experiments adds.

    All moments are `floored`, each experiment's by its own rewards, before they are added.

    Attributes:
        policy: Moments of two columns: scores of the policy's choice and of the control.
        gain: Moments of one column: score of what was served, less the control's.
        missed: Moments of one column: score of the policy's choice, less what was served.
        events: Events on the control, and on all other arms.
        horizon: Visitors planned for.
    """

    policy: Moments
    gain: Moments
    missed: Moments
    events: tuple[int, int]
    horizon: int

    def __add__(self, other: "Evidence") -> "Evidence":
        return Evidence(
            policy=self.policy + other.policy,
            gain=self.gain + other.gain,
            missed=self.missed + other.missed,
            events=(self.events[0] + other.events[0], self.events[1] + other.events[1]),
            horizon=self.horizon + other.horizon,
        )

    def lift(self, alpha: float = ALPHA) -> Estimate:
        """Relative lift of the policy's choices over the control for all."""
        if not self.policy.n and self.gain.n:
            return unknown(0, _NO_POLICY)
        return relative_lift(
            self.policy, events=min(self.events), horizon=self.horizon, alpha=alpha
        )

    def beyond(self, alpha: float = ALPHA) -> Estimate:
        """What the policy's choices bring beyond the control for all, per visitor."""
        if not self.policy.n and self.gain.n:
            return unknown(0, _NO_POLICY)
        return mean_estimate(
            lead(self.policy), events=min(self.events), horizon=self.horizon, alpha=alpha
        )

    def total_gain(self, alpha: float = ALPHA) -> Estimate:
        """What was had beyond the control for all, summed over the visitors."""
        return total_estimate(self.gain, events=min(self.events), horizon=self.horizon, alpha=alpha)

    def total_missed(self) -> Estimate:
        """What the policy's choice for all would have had beyond what was served, summed."""
        return total_estimate(
            self.missed, events=min(self.events), horizon=self.horizon, alpha=ALPHA
        )


def weigh(experiment: Experiment, scored: Scored, control: int) -> Evidence:
    """The evidence for the policy in the scores of one experiment.

    What was served is the mixture of hold-out, uniform slice and policy that visitors were in
    fact drawn from, so its score needs the logged probabilities and nothing else, and
    policy − control = gain + missed holds visitor by visitor. Where one arm was shipped to all no
    policy chose: such visitors count for the gain alone.
    """
    rows = scored.probabilities[:, control] > 0
    policy, missed = _policy(experiment, scored, control, rows & scored.chosen)
    psi, probabilities = scored.psi[rows], scored.probabilities[rows]
    gain = Moments.of((value(psi, probabilities) - psi[:, control])[:, None])
    swapped = noise_between([probabilities - _always(control, probabilities)], probabilities)
    events = scored.counts(rows)
    return Evidence(
        policy=policy,
        gain=floored(gain, swapped, Moments.of(scored.rewards[rows, None])),
        missed=missed,
        events=(int(events[control]), int(events.sum() - events[control])),
        horizon=experiment.horizon,
    )


def _policy(
    experiment: Experiment, scored: Scored, control: int, rows: Flags
) -> tuple[Moments, Moments]:
    """The policy's choice and the control; the policy's choice less what was served."""
    psi, probabilities = scored.psi[rows], scored.probabilities[rows]
    shares = policy_shares(
        probabilities, control, holdout=experiment.holdout, uniform=experiment.uniform
    )
    if shares is None:
        return Moments.none(2), Moments.none(1)
    rewards = Moments.of(scored.rewards[rows, None])
    chosen, served = value(psi, shares), value(psi, probabilities)
    both = Moments.of(np.column_stack([chosen, psi[:, control]]))
    always = _always(control, probabilities)
    spared = noise_between([shares - probabilities], probabilities)
    return (
        floored(both, noise_between([shares, always], probabilities), rewards),
        floored(Moments.of((chosen - served)[:, None]), spared, rewards),
    )


def _always(control: int, probabilities: Array) -> Array:
    """The weights of the control for everybody."""
    always = np.zeros_like(probabilities)
    always[:, control] = 1.0
    return always
