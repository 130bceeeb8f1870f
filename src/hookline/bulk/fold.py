"""The analysis as a fold: batches in, in log order; the answer at any moment out.

What it keeps grows with the number of arms and segments and not with the log.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hookline.bulk.answers import Asked, metric_answer
from hookline.bulk.batch import Array, Batch, Draws, Flags, draws
from hookline.bulk.cells import Cells
from hookline.bulk.means import RunningMeans
from hookline.bulk.result import LogAnswer, Look, MetricAnswer, Question, SplitAnswer
from hookline.bulk.soundness import Kind, Soundness
from hookline.bulk.split import SplitFold, WeightFold
from hookline.bulk.stretch import Stretch
from hookline.stats import policy_shares


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What there is in a log.

    Attributes:
        arms: Their names.
        segments: Their names; one that is empty where the log has none.
        metrics: Metric → what kind of number it is.
        currencies: The currencies money is in, as far as the log says.
        full: Whether every arm's probability is logged.
    """

    arms: tuple[str, ...]
    segments: tuple[str, ...]
    metrics: Mapping[str, Kind]
    currencies: tuple[str, ...] = ()
    full: bool = True


class Fold:
    """Everything that was read of a log so far.

    Args:
        shape: What there is in it.
        control: The arm the others are compared with.
        question: What is asked.
    """

    def __init__(self, shape: Shape, control: str, question: Question) -> None:
        self._shape, self._question = shape, question
        self._control = shape.arms.index(control)
        count = len(shape.arms)
        self._means = {name: RunningMeans(count, len(shape.segments)) for name in shape.metrics}
        self._cells = {name: Cells(count) for name in shape.metrics}
        self._sound = {name: Soundness(kind) for name, kind in shape.metrics.items()}
        self._split = SplitFold(shape.arms)
        self._weights = WeightFold(shape.arms, question.horizon)
        self._rows, self._at = 0, -np.inf
        self._left_out = Counter[str]()
        self._known = np.zeros(count, dtype=np.bool_)
        slices = question.holdout or question.uniform
        self._fits = shape.full or not slices

    def take(self, batch: Batch) -> None:
        """Adds the decisions of a batch, which follow those before.

        Raises:
            BadInput: Where a row is no evidence; names it.
        """
        found = draws(batch, self._shape.arms, self._at)
        self._rows += len(batch)
        self._left_out.update(found.left_out)
        if batch.at is not None and len(batch):
            self._at = float(batch.at[-1])
        if not len(found.arms):
            return
        if found.probabilities is None:
            available, shares = self._met(found), None
            self._weights.take(found.arms, found.propensities, available)
        else:
            available, shares = found.probabilities > 0, self._shares(found.probabilities)
            self._split.take(found.arms, found.probabilities)
        for rows, names in self._settled(found).items():
            self._score(names, found, np.frombuffer(rows, np.bool_), available, shares)

    def _settled(self, found: Draws) -> dict[bytes, list[str]]:
        """Which decisions are settled, a byte each → the metrics of which they are."""
        groups = dict[bytes, list[str]]()
        for name, rewards in found.rewards.items():
            settled = ~np.isnan(rewards)
            if open_still := int((~settled).sum()):
                self._left_out[f"{name} not settled"] += open_still
            if settled.any():
                groups.setdefault(settled.tobytes(), []).append(name)
        return groups

    def _met(self, found: Draws) -> Flags:
        """Which arms had been served before each decision: known to be there, whatever it drew."""
        met = np.empty((len(self._known), len(found.arms)), dtype=np.bool_)
        met[:, 0] = self._known
        drawn = found.arms == np.arange(len(self._known))[:, None]
        np.logical_or.accumulate(drawn[:, :-1], axis=1, out=met[:, 1:])
        met[:, 1:] |= self._known[:, None]
        self._known = self._known | drawn.any(axis=1)
        return met

    def _shares(self, probabilities: Array) -> Array | None:
        """The policy's own probabilities where the control could be drawn, else what was logged.

        None where it had all the traffic, or its probabilities can't be told.
        """
        holdout, uniform = self._question.holdout, self._question.uniform
        if not (holdout or uniform) or not self._fits:
            return None
        rows = probabilities[self._control] > 0
        own = policy_shares(
            probabilities[:, rows].T, self._control, holdout=holdout, uniform=uniform
        )
        if own is None:
            self._fits = False
            return None
        shares = probabilities.copy()
        shares[:, rows] = own.T
        return shares

    def _score(
        self,
        names: Sequence[str],
        found: Draws,
        rows: Flags,
        available: Flags,
        shares: Array | None,
    ) -> None:
        """Adds the decisions on which some metrics are settled, by `stats.scores`."""

        def cut(columns: Array | None) -> Array | None:
            return columns if columns is None or rows.all() else columns[:, rows]

        stretch = Stretch(
            arms=found.arms[rows],
            segments=found.segments[rows],
            segment_count=len(self._shape.segments),
            propensities=found.propensities[rows],
            probabilities=cut(found.probabilities),
            shares=cut(shares),
            available=available[:, rows],
        )
        for name in names:
            rewards = self._sound[name].take(found.rewards[name][rows])
            means = self._means[name].take(rewards, stretch)
            own = stretch.by_segment(rewards)
            self._cells[name].take(_columns(means, own, stretch), own, stretch)

    def _asked(self, name: str) -> Asked:
        sound = self._sound[name]
        return Asked(
            cells=self._cells[name],
            arms=self._shape.arms,
            segments=self._shape.segments,
            control=self._control,
            horizon=self._question.horizon,
            limits=sound.limits,
            total=sound.total,
            n=sound.n,
            fits=self._fits,
            reason=sound.trouble(self._shape.currencies),
        )

    def metric(self, name: str) -> MetricAnswer:
        """One metric's answer so far."""
        return metric_answer(self._asked(name))

    def split(self) -> SplitAnswer:
        """The sample-ratio test so far."""
        return (self._split if self._shape.full else self._weights).answer()

    def look(self) -> Look:
        """The short answer so far."""
        found = {name: self.metric(name) for name in self._shape.metrics}
        return Look(
            rows=self._rows,
            at=self._at if np.isfinite(self._at) else None,
            lift={
                name: {arm: each.lift for arm, each in metric.arms.items()}
                for name, metric in found.items()
            },
            policy={name: metric.policy.lift for name, metric in found.items()},
            split=self.split().flagged,
        )

    def answer(self, looks: tuple[Look, ...]) -> LogAnswer:
        """The whole answer so far, with the looks on the way."""
        split = self.split()
        return LogAnswer(
            rows=self._rows,
            left_out={reason: count for reason, count in self._left_out.items() if count},
            control=self._shape.arms[self._control],
            decisions=split.observed,
            metrics={name: self.metric(name) for name in self._shape.metrics},
            split=split,
            looks=looks,
        )


def _columns(means: Array, rewards: Array, stretch: Stretch) -> Array:
    """The scores ψ of every arm, of the policy's choice and of what was served; (K + 2, n).

    Where only the served arm's probability is logged, what was served is scored by the reward
    itself, which has the same mean. Where the policy had all the traffic, its choice was served.

    Args:
        means: The control variate, shape (K, n); used up.
        rewards: Shape (n,).
        stretch: The decisions, in whose order the others are.
    """
    units, psi = np.arange(len(stretch), dtype=np.int64), means
    psi[stretch.arms, units] += (rewards - psi[stretch.arms, units]) / stretch.propensities
    psi[~stretch.available] = 0.0
    own, shares = stretch.probabilities, stretch.shares
    served = rewards if own is None else (psi * own).sum(axis=0)
    chosen = served if shares is None else (psi * shares).sum(axis=0)
    return np.vstack([psi, chosen, served])
