"""What is known of an experiment at one look, and what the report would claim from it.

The scores are those of `stats`, the intervals and rules those of `report`; what is added here is
that moments are kept from look to look, so that a million visitors take no more room than one
chunk of them.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from hookline.report.evidence import Duel, Evidence, leader
from hookline.report.verdict import is_proven, is_worse
from hookline.stats import ALPHA, Moments, floored, noise, policy_shares, raised, scores, value
from hookline.stats.estimate import MIN_EVENTS
from hookline.types import Experiment, Metric

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Claims(NamedTuple):
    """What the report claims at one look; in an A/A test every claim is false.

    Attributes:
        winner: A challenger is proven better than the control: what the verdict `ship` needs, and
            all it needs where the rule takes any gain.
        difference: The interval of some challenger's gain leaves out 0, on either side.
        audience: Some audience's best line is proven better there.
        policy: The policy's choices, or what was served, are proven better than the control.
    """

    winner: bool
    difference: bool
    audience: bool
    policy: bool


def columns_of(
    experiment: Experiment,
    rewards: Array,
    arms: Integers,
    probabilities: Array,
    audiences: Integers,
) -> Array:
    """Scores, a row a visitor: of each line, of the policy's choice, as served, of equal shares.

    Beside them stands what the floor of their variance is summed from: for p the logged and π the
    policy's probabilities, 1 / p(a) and π(a) / p(a) of each line, and Σ_a π(a)² / p(a).

    Args:
        experiment: A running experiment without withdrawn lines.
        rewards: Shape (n,), in log order.
        arms: Index of the line served, shape (n,).
        probabilities: Logged marginal probabilities, all above 0, shape (n, K).
        audiences: Index of the audience, shape (n,).

    Returns:
        Shape (n, K + 3 + 2K + 1); the policy's score is that of what was served where no share
        is left to it.
    """
    psi = scores(rewards, arms, probabilities, audiences)
    control = experiment.arms.index(experiment.control)
    shares = policy_shares(
        probabilities, control, holdout=experiment.holdout, uniform=experiment.uniform
    )
    if shares is None:
        shares = probabilities
    even = psi @ np.full(psi.shape[1], 1 / psi.shape[1])
    mixed = [value(psi, shares), value(psi, probabilities), even]
    spreads = [1 / probabilities, shares / probabilities, noise(shares, shares, probabilities)]
    return np.column_stack([psi, *mixed, *spreads])


class Known(NamedTuple):
    """What some visitors say of lines and mixtures, in the order of `columns_of`.

    Attributes:
        moments: Of the K + 3 scores.
        noise: Sums of `stats.noise` for every pair of them, shape (K + 3, K + 3).
        rewards: Moments of one column.
        events: Rewards other than 0 per line, shape (K,).
    """

    moments: Moments
    noise: Array
    rewards: Moments
    events: Integers

    def pairs(self, first: Integers, second: int) -> list[Moments]:
        """The floored moments of two of the scores, for each of the first with the second."""
        both = np.column_stack([first, np.full_like(first, second)])
        rows, columns = both[:, :, None], both[:, None, :]
        variance = self.rewards.scatter[0, 0] / max(self.rewards.n, 1)
        scatters = raised(self.moments.scatter[rows, columns], variance * self.noise[rows, columns])
        return [
            Moments(n=self.moments.n, mean=mean, scatter=scatter)
            for mean, scatter in zip(self.moments.mean[both], scatters, strict=True)
        ]

    def pair(self, first: int, second: int) -> Moments:
        """The floored moments of two of the scores."""
        return self.pairs(np.array([first]), second)[0]

    def difference(self, first: int, second: int) -> Moments:
        """The floored moments of one score less another."""
        weights = np.zeros((len(self.noise), 1))
        weights[first], weights[second] = 1.0, -1.0
        moments = Moments(
            n=self.moments.n,
            mean=self.moments.mean @ weights,
            scatter=weights.T @ self.moments.scatter @ weights,
        )
        return floored(moments, weights.T @ self.noise @ weights, self.rewards)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Standing:
    """What the visitors so far say of one metric.

    Attributes:
        experiment: A running experiment without withdrawn lines.
        metric: What is counted.
        moments: Of the scores of `columns_of`, one record an audience.
        spreads: Sums of the columns beside the scores, shape (audiences, 2K + 1).
        rewards: Moments of one column, one record an audience.
        events: Rewards other than 0, shape (audiences, K).
    """

    experiment: Experiment
    metric: Metric
    moments: tuple[Moments, ...]
    spreads: Array
    rewards: tuple[Moments, ...]
    events: Integers

    @classmethod
    def none(cls, experiment: Experiment, metric: Metric, audiences: int) -> Self:
        """What is known before anybody came."""
        lines = len(experiment.arms)
        return cls(
            experiment=experiment,
            metric=metric,
            moments=(Moments.none(lines + 3),) * audiences,
            spreads=np.zeros((audiences, 2 * lines + 1)),
            rewards=(Moments.none(1),) * audiences,
            events=np.zeros((audiences, lines), dtype=np.int64),
        )

    def after(
        self, columns: Array, rewards: Array, arms: Integers, audiences: Integers
    ) -> "Standing":
        """What is known after these visitors, too; see `columns_of`."""
        count, lines = self.events.shape
        psi, spreads = np.split(columns, [lines + 3], axis=1)
        rows = [audiences == index for index in range(count)]
        happened = np.flatnonzero(rewards)
        places = audiences[happened] * lines + arms[happened]
        events = np.bincount(places, minlength=count * lines).reshape(count, lines)
        return Standing(
            experiment=self.experiment,
            metric=self.metric,
            moments=tuple(
                known + Moments.of(psi[own]) for known, own in zip(self.moments, rows, strict=True)
            ),
            spreads=self.spreads + np.array([spreads[own].sum(axis=0) for own in rows]),
            rewards=tuple(
                known + Moments.of(rewards[own, None])
                for known, own in zip(self.rewards, rows, strict=True)
            ),
            events=self.events + events,
        )

    @property
    def control(self) -> int:
        """Index of the control."""
        return self.experiment.arms.index(self.experiment.control)

    @property
    def arm_alpha(self) -> float:
        """The chance of error that one challenger may spend, as in the report."""
        return self.experiment.rule.risk / max(len(self.experiment.arms) - 1, 1)

    def duels(self, audience: int | None = None) -> tuple[Duel, ...]:
        """Every line against the control, among all visitors or those of one audience."""
        known = self._known(slice(None) if audience is None else slice(audience, audience + 1))
        limits = (-np.inf, np.inf) if self.metric == "revenue" else (0.0, 1.0)
        events, control = known.events.tolist(), self.control
        pairs = known.pairs(np.arange(len(events)), control)
        return tuple(
            Duel(moments=pair, events=(own, events[control]), limits=limits)
            for pair, own in zip(pairs, events, strict=True)
        )

    def evidence(self) -> Evidence:
        """The evidence for the policy, as in the report."""
        known = self._known()
        lines, control = len(self.experiment.arms), self.control
        left = 1 - self.experiment.holdout - self.experiment.uniform > 1e-9
        return Evidence(
            policy=known.pair(lines, control) if left else Moments.none(2),
            gain=known.difference(lines + 1, control),
            missed=known.difference(lines, lines + 1) if left else Moments.none(1),
            events=(int(known.events[control]), int(known.events.sum() - known.events[control])),
            horizon=self.experiment.horizon,
        )

    def over_uniform(self) -> Duel:
        """The policy's choices against equal shares for all lines."""
        known = self._known()
        lines, happened = len(self.experiment.arms), int(known.events.sum())
        return Duel(
            moments=known.pair(lines, lines + 2),
            events=(happened, happened),
            limits=(-np.inf, np.inf),
        )

    def claims(self) -> Claims:
        """What the report claims at this look."""
        control, horizon, risk = self.control, self.experiment.horizon, self.experiment.rule.risk
        gains = [
            duel.beyond(horizon, self.arm_alpha)
            for arm, duel in enumerate(self.duels())
            if arm != control
        ]
        evidence = self.evidence()
        gained = evidence.total_gain(risk).low
        return Claims(
            winner=any(map(is_proven, gains)),
            difference=any(is_proven(gain) or is_worse(gain) for gain in gains),
            audience=any(map(self._best_is_proven, range(len(self.moments)))),
            policy=is_proven(evidence.beyond(risk)) or (gained or 0.0) > 0,
        )

    def _best_is_proven(self, audience: int) -> bool:
        """Whether the report calls the audience's best line proven; never where it has none."""
        named = len(self.experiment.audiences)
        if not named:
            return False
        horizon, alpha = self.experiment.horizon, self.arm_alpha / max(named, len(self.moments))
        duels = dict(enumerate(self.duels(audience)))
        best = leader(duels, self.control, horizon)
        return (
            best is not None
            and best != self.control
            and is_proven(duels[best].lift(horizon, alpha))
        )

    def _known(self, audiences: slice = slice(None)) -> Known:
        """What the visitors of some audiences say, of all of them if none are named."""
        moments = sum(self.moments[audiences], Moments.none(len(self.experiment.arms) + 3))
        return Known(
            moments=moments,
            noise=_noise(self.spreads[audiences].sum(axis=0), moments.n),
            rewards=sum(self.rewards[audiences], Moments.none(1)),
            events=self.events[audiences].sum(axis=0),
        )


def significant(sums: Array, control: int) -> bool:
    """Whether a z-test of some challenger's raw mean against the control's says "significant".

    Two-sided at 5 %, corrected for the number of challengers (Bonferroni), from 20 events on either
    side: what many do daily. It is right for one look at an experiment with fixed shares.

    Args:
        sums: Visitors, rewards, squared rewards and events of each line, shape (K, 4).
        control: Index of the control.
    """
    visitors, totals, squares, events = sums.T
    least = np.maximum(visitors, 2)
    mean = totals / least
    error = (squares / least - mean**2) / (least - 1)
    enough = np.minimum(events, events[control]) >= MIN_EVENTS
    enough[control] = False
    line = -float(ndtri(ALPHA / max(len(sums) - 1, 1) / 2))
    gap = np.abs(mean - mean[control])
    return bool((enough & (gap > line * np.sqrt(error + error[control]))).any())


def _noise(spreads: Array, n: int) -> Array:
    """Sums of `stats.noise` for every pair of scores, shape (K + 3, K + 3), from those kept.

    The scores' weights are 1 for each line alone, π, p and 1 / K. So p against anything gives the
    sum of the other's weights, which is 1 a visitor.
    """
    lines = len(spreads) // 2
    own, chosen, twice = spreads[:lines], spreads[lines:-1], float(spreads[-1])
    both = chosen.sum() / lines
    found = np.zeros((lines + 3, lines + 3))
    np.fill_diagonal(found[:lines, :lines], own)
    found[:lines, lines] = chosen
    found[:lines, lines + 1] = n
    found[:lines, lines + 2] = own / lines
    found[lines:, :lines] = found[:lines, lines:].T
    found[lines:, lines:] = [[twice, n, both], [n, n, n], [both, n, own.sum() / lines**2]]
    return found
