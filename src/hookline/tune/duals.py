"""Several objectives as one reward: weights that find themselves, or fixed ones to compare with.

`Weights` is what is used. Goals are maximised; of a constraint it is asked that its mean is at
least a bound, and its weight rises while it is not and falls while there is room:

    λ ← clip(λ + η · (bound − mean) / s, 0, cap)
    reward = (Σ goals w · v / s + Σ constraints λ · v / s) / (Σ w + Σ λ)

with s the running standard deviation of an objective within its groups, so that no objective rules
because of its unit. A step is never longer than η, however far the bound is. So nobody has to guess
what a call to action is worth in clicks: it is worth as much as it takes to have it (Lagrangian
dual ascent; Tessler et al. 2018, https://arxiv.org/abs/1805.11074, and Stooke et al. 2020,
https://arxiv.org/abs/2007.03964, for the division by the sum). `Fixed` are weights that
stay, with `paper` for R = λD + (1 − λ)P.

Both are values: `update` gives the next one, and each can be saved as JSON and gone on with.

A writer that draws much at once and learns from it can't wait for so many steps. `Weights.settled`
goes to the end on one batch: of all ways to draw its copies more or less often that lie `nats` from
how they were drawn, the best by the reward is q ∝ exp(reward / τ), and the λ are those at which q
meets the bounds (the E-step of Abdolmaleki et al. 2018, https://arxiv.org/abs/1806.06920, with the
constraints of Khalifa et al. 2021, https://arxiv.org/abs/2012.11635).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Final, Protocol, Self

import numpy as np

from hookline.errors import BadInput
from hookline.slate import check_creativity
from hookline.slate.choose import USUAL_RATE
from hookline.tune.objectives import BoolArray, FloatArray, IntArray, check_finite

LEAST_SCALE: Final = 0.02
"""Smallest scale: two hundredths of a log ratio, a cosine, a call to action or a nat are nothing.
Where all copy is alike the first that is not would else be worth any number."""
NATS: Final = 1.0
"""How far a writer that learns from one large batch is thought to go from it, a copy."""
_ASCENTS, _ASCENT = 400, 0.1
_STEEPEST: Final = 50.0
"""Where a group has too little to choose from to go as far as that, the best are drawn alone."""
MARGIN: Final = 1.0
"""How far below its group's worst a copy lies that a guard rejects, in standard deviations."""


class Mix(Protocol):
    """What makes one reward of several values."""

    @property
    def weights(self) -> Mapping[str, float]:
        """Objective → what it weighs now."""
        ...

    def combine(
        self, values: Mapping[str, FloatArray], ok: BoolArray, groups: IntArray
    ) -> FloatArray:
        """The reward of each candidate, shape (candidates,)."""
        ...

    def update(self, values: Mapping[str, FloatArray], ok: BoolArray, groups: IntArray) -> Self:
        """The mix after this batch."""
        ...

    def settled(self, values: Mapping[str, FloatArray], ok: BoolArray, groups: IntArray) -> Self:
        """The mix that this batch alone asks for."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Scales:
    """Running standard deviations within groups.

    Attributes:
        memory: What a batch's variances count in the next one, from 0 to below 1.
        variances: Objective → running variance; empty before the first batch.
    """

    memory: float = 0.9
    variances: Mapping[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        if not 0 <= self.memory < 1:
            raise ValueError(f"memory lies from 0 to below 1, not {self.memory}")

    def seen(self, values: Mapping[str, FloatArray], groups: IntArray) -> Self:
        """The scales after a batch; the first one is taken as it is."""
        now = {name: _variance(each, groups) for name, each in values.items()}
        kept = {
            name: self.memory * self.variances.get(name, new) + (1 - self.memory) * new
            for name, new in now.items()
        }
        return replace(self, variances=dict(self.variances) | kept)

    def scale(self, name: str) -> float:
        """Standard deviation, at least `LEAST_SCALE`."""
        return max(sqrt(self.variances[name]), LEAST_SCALE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Weights by dual ascent towards stated constraints.

    Attributes:
        goals: Objective → its weight, above 0; what is maximised.
        bounds: Objective → what its mean over a batch is to be at least.
        rate: η, how fast constraints' weights move, above 0.
        cap: Highest weight of a constraint: one that can't be met must not drown the goals.
        multipliers: Constraint → λ so far; 0 for those left out.
        scales: Standard deviations so far.
    """

    goals: Mapping[str, float]
    bounds: Mapping[str, float]
    rate: float = 0.1
    cap: float = 10.0
    multipliers: Mapping[str, float] = field(default_factory=dict[str, float])
    scales: Scales = field(default_factory=Scales)

    def __post_init__(self) -> None:
        if not (self.goals and all(weight > 0 for weight in self.goals.values())):
            raise ValueError("name at least one goal, each with a weight above 0")
        if both := sorted(self.goals.keys() & self.bounds.keys()):
            raise ValueError(f"{both[0]} is a goal and has a bound; it can be one of them")
        if not (self.rate > 0 and self.cap > 0):
            raise ValueError("rate and cap must be above 0")

    @property
    def weights(self) -> Mapping[str, float]:
        """Objective → what it weighs now, in its own standard deviations."""
        return dict(self.goals) | {name: self.multipliers.get(name, 0.0) for name in self.bounds}

    def combine(
        self, values: Mapping[str, FloatArray], ok: BoolArray, groups: IntArray
    ) -> FloatArray:
        """The reward of each candidate, shape (candidates,), in standard deviations.

        Args:
            values: Objective → value of each candidate; every goal and constraint must be there,
                others are left alone.
            ok: Whether guards pass it, shape (candidates,).
            groups: Number of its group, same shape.

        Raises:
            BadInput: Where an objective is missing, or a value is no number.
        """
        return _combined(self.weights, values, ok, groups, self.scales)

    def update(self, values: Mapping[str, FloatArray], ok: BoolArray, groups: IntArray) -> Self:
        """The weights after a batch.

        Only candidates that guards pass count towards a mean: others are never shown. Where there
        are none, nothing is learned.

        Args:
            values: As for `combine`, likewise ok and groups.
            ok: Whether guards pass it.
            groups: Number of its group.

        Raises:
            BadInput: As `combine` does.
        """
        known = _known(self.weights, values, ok, groups)
        if not ok.any():
            return self
        scales = self.scales.seen({n: each[ok] for n, each in known.items()}, groups[ok])
        moved = {
            name: self._moved(name, float(known[name][ok].mean()), scales.scale(name))
            for name in self.bounds
        }
        return replace(self, multipliers=moved, scales=scales)

    def settled(
        self,
        values: Mapping[str, FloatArray],
        ok: BoolArray,
        groups: IntArray,
        *,
        nats: float = NATS,
    ) -> Self:
        """The weights at which the best that can be made of this batch meets every bound it can.

        Args:
            values: As for `combine`, likewise ok and groups; some hundreds of candidates.
            ok: Whether guards pass it; others are never drawn.
            groups: Number of its group.
            nats: Divergence within a group from how it was drawn, below the log of its size.

        Raises:
            BadInput: As `combine` does.
        """
        known = _known(self.weights, values, ok, groups)
        if not ok.any():
            return self
        own = np.unique(groups[ok], return_inverse=True)[1]
        scales = self.scales.seen({n: each[ok] for n, each in known.items()}, groups[ok])
        units = {name: each[ok] / scales.scale(name) for name, each in known.items()}
        goal = sum((w * units[name] for name, w in self.goals.items()), np.zeros(int(ok.sum())))
        names = list(self.bounds)
        rows = np.array([units[name] for name in names]).reshape(len(names), goal.size)
        wanted = np.array([self.bounds[name] / scales.scale(name) for name in names])
        multipliers, steep = np.zeros(len(names)), 1.0
        for _ in range(_ASCENTS):
            share, far = _tilted(steep * (goal + multipliers @ rows), own)
            short = np.clip(wanted - rows @ share, -1.0, 1.0)
            multipliers = np.clip(multipliers + _ASCENT * short, 0.0, self.cap)
            steep *= float(np.exp(_ASCENT * np.clip(nats - far, -1.0, 1.0)))
            steep = min(steep, _STEEPEST)
        found = dict(zip(names, multipliers.tolist(), strict=True))
        return replace(self, multipliers=found, scales=scales)

    def _moved(self, name: str, mean: float, scale: float) -> float:
        short = min(max((self.bounds[name] - mean) / scale, -1.0), 1.0)
        return min(max(self.multipliers.get(name, 0.0) + self.rate * short, 0.0), self.cap)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixed:
    """Weights that stay as they are given.

    Attributes:
        fixed: Objective → weight, at least 0, not all 0.
        scaled: Whether values are divided by their running standard deviation.
        as_rate: Objective whose log ratios are made rates of a usual line's 3 %; empty for none.
        scales: Standard deviations so far.
    """

    fixed: Mapping[str, float]
    scaled: bool = True
    as_rate: str = ""
    scales: Scales = field(default_factory=Scales)

    def __post_init__(self) -> None:
        if not (all(weight >= 0 for weight in self.fixed.values()) and any(self.fixed.values())):
            raise ValueError("weights must be at least 0, and one of them above it")

    @classmethod
    def paper(cls, dial: float, *, literal: bool = False) -> Self:
        """R = λD + (1 − λ)P, eq. 3 of https://arxiv.org/abs/2505.23809.

        Args:
            dial: λ, 0 to 1.
            literal: Whether D is a mean distance and P a rate, as the paper has it. Rates are a
                hundredth of distances, so D rules at nearly every λ; otherwise both are divided by
                their standard deviations.

        Raises:
            BadInput: Where λ is outside its range.

        Examples:
            >>> Fixed.paper(0.2).weights
            {'diversity': 0.2, 'conversion': 0.8}
        """
        check_creativity(dial)
        return cls(
            fixed={"diversity": dial, "conversion": 1 - dial},
            scaled=not literal,
            as_rate="conversion" if literal else "",
        )

    @property
    def weights(self) -> Mapping[str, float]:
        """Objective → weight."""
        return dict(self.fixed)

    def combine(
        self, values: Mapping[str, FloatArray], ok: BoolArray, groups: IntArray
    ) -> FloatArray:
        """The reward of each candidate, shape (candidates,); as `Weights.combine` otherwise."""
        if name := self.as_rate:
            odds = USUAL_RATE / (1 - USUAL_RATE) * np.exp(values[name])
            values = {**values, name: odds / (1 + odds)}
        return _combined(self.fixed, values, ok, groups, self.scales if self.scaled else None)

    def update(self, values: Mapping[str, FloatArray], ok: BoolArray, groups: IntArray) -> Self:
        """The same weights, with the scales after a batch."""
        known = _known(self.fixed, values, ok, groups)
        if not ok.any():
            return self
        kept = {name: each[ok] for name, each in known.items()}
        return replace(self, scales=self.scales.seen(kept, groups[ok]))

    def settled(self, values: Mapping[str, FloatArray], ok: BoolArray, groups: IntArray) -> Self:
        """The same weights, with the scales after a batch."""
        return self.update(values, ok, groups)


def _combined(
    weights: Mapping[str, float],
    values: Mapping[str, FloatArray],
    ok: BoolArray,
    groups: IntArray,
    scales: Scales | None,
) -> FloatArray:
    """The weighted mean of the values; what is gated lies below all of its group.

    Before the first update the batch's own standard deviations are used.
    """
    known = _known(weights, values, ok, groups)
    if scales is not None:
        missing = {n: each for n, each in known.items() if n not in scales.variances}
        scales = scales.seen(missing, groups)
        known = {name: each / scales.scale(name) for name, each in known.items()}
    whole = sum(weights.values())
    found = sum((weights[n] * each for n, each in known.items()), np.zeros(len(ok))) / whole
    for group in np.unique(groups[~ok]):
        own = groups == group
        found[own & ~ok] = found[own].min() - MARGIN
    return found


def _known(
    weights: Mapping[str, float],
    values: Mapping[str, FloatArray],
    ok: BoolArray,
    groups: IntArray,
) -> dict[str, FloatArray]:
    """The values that are weighed.

    Raises:
        BadInput: Where one is missing, of another length, or no number.
    """
    if len(ok) != len(groups):
        raise BadInput(f"there are {len(ok)} gates for {len(groups)} candidates")
    for name in weights:
        if name not in values:
            raise BadInput(f"{name} is weighed but not among the values: {', '.join(values)}")
        if len(values[name]) != len(ok):
            raise BadInput(f"{name} has {len(values[name])} values for {len(ok)} candidates")
        check_finite(name, values[name])
    return {name: values[name] for name in weights}


def _tilted(worth: FloatArray, groups: IntArray) -> tuple[FloatArray, float]:
    """Each candidate's share of all, e^worth within its group, and the mean divergence of groups.

    Args:
        worth: In nats, (candidates,).
        groups: From 0 on, without gaps, (candidates,).
    """
    sizes = np.bincount(groups).astype(np.float64)
    most = np.full(len(sizes), -np.inf)
    np.maximum.at(most, groups, worth)
    share = np.exp(worth - most[groups])
    share /= np.bincount(groups, share)[groups]
    ratio = np.maximum(share * sizes[groups], 1e-300)
    far = float((share * np.log(ratio) * sizes[groups]).sum() / sizes.sum())
    return share * sizes[groups] / sizes.sum(), far


def _variance(values: FloatArray, groups: IntArray) -> float:
    """Mean square of what lies off the group's mean; over the whole batch where each is alone.

    Groups of n tell n − 1 differences.
    """
    _, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    free = len(values) - len(sizes)
    if free < 1:
        return float(values.var())
    means = np.bincount(places, weights=values) / sizes
    return float(((values - means[places]) ** 2).sum()) / free
