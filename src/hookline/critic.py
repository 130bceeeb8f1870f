"""The memory-augmented reward estimator: what a copy is worth for a visitor, and how sure that is.

A Bayesian linear mixed model of the relative reward on the fused state x of visitor, past and copy:

    r / m = 1 + o_a + xᵀw + α_a + noise,    w ~ N(0, spread² I),    α_a ~ N(0, s_a²),

with m the mean reward, o_a and s_a the copy's forecast and its doubt, and noise of variance v / m²,
v being the variance of one visitor's reward. The hierarchy of the prior lies in the sizes of the
features (see `perceive`), and each block of features has a scale that is learned along by maximum
evidence (MacKay 1992, "Bayesian interpolation"): where tastes don't differ, what would tell them
apart is soon not listened to. Relative units let one prior serve clicks and money. The copies' own
effects α are eliminated exactly (Henderson 1975, "Best linear unbiased estimation and prediction
under a selection model"), so that a thousand copies cost no more than their sums.

Preferences move. The model is therefore kept at several memory lengths: every sum exists once for
each half-life, and how much each length is trusted follows, for each audience by itself, from how
well it foretold the outcomes that came next, with a chance to change at every outcome (fixed share:
Herbster and Warmuth 1998, "Tracking the best expert"). While tastes stand still the longest memory
wins; when they move a shorter one overtakes it, and until that is settled their disagreement widens
the doubt. That is the drift detector.

What is kept are sums: Σωxxᵀ, Σωrx, and for each copy Σω, Σωr, Σωx, where the weight ω of an
outcome halves with every half-life between the newest outcome and its own. So an outcome that
changes later is put right exactly, whenever that comes to light.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from hookline.errors import BadInput
from hookline.perceive import (
    CROSS,
    DIMENSION,
    MAIN,
    RECALL,
    TEXT,
    VERSION,
    VISITOR,
    Met,
    Sight,
    States,
    copy_states,
    states_of,
)
from hookline.types import Arm, Context

Array = NDArray[np.float64]
Places = NDArray[np.int64]

SPREAD: Final = 0.3
"""Prior standard deviation of the relative effect of a feature of size 1."""
OWN: Final = 0.15
"""Prior standard deviation of a copy's own relative effect, where no forecast says otherwise."""
BELIEVED: Final = 0.5
"""How much of a forecast is believed: what reads well elsewhere may not sell here."""
HALF_LIVES: Final = (None, 10.0)
"""Days after which an outcome counts half, one for each memory length; None is never."""
TRUST: Final = (0.3, 0.7)
"""How much each memory length is trusted before anything is known."""
SWITCH: Final = 1 / 300
"""Chance that at an outcome another memory length becomes the best."""
SLOT_HOURS: Final = 6.0
"""Outcomes within one slot of time have the same weight."""
BLOCKS: Final = (MAIN, CROSS, VISITOR, RECALL, TEXT)
"""Blocks of features whose scale is learned; the sixth scale is that of the copies' own effects."""
STEADY: Final = 8.0
"""How many effects' worth of trust the scales' starting value has, which is 1."""
FIRST_SCALING: Final = 500
"""Outcomes after which the scales are learned for the first time; then each time a fifth more."""
BATCH: Final = 1024
"""Most outcomes that wait until the sums take them in: a tenth of what is known, as long as that is
less, and none for longer than to the next slot of time, once there are `FEW`."""
FEW: Final = 16
"""Fewest outcomes that the sums take in at a time."""


class Waiting(NamedTuple):
    """An outcome that the sums have not taken in yet."""

    context: Context
    audience_id: str
    arm: Arm
    reward: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CriticState:
    """The critic's sums; arrays as little-endian bytes, of 8-byte floats unless said otherwise.

    Attributes:
        version: Version of the features that `places` refer to.
        visitors: Number of outcomes.
        total: Sum of rewards.
        squares: Sum of squared rewards.
        slot: Newest slot of time taken in.
        places: Places in the feature vector seen so far, in order of first sight, 8-byte integers.
        products: Σωxxᵀ, shape (lengths, places, places).
        rewarded: Σωrx, shape (lengths, places).
        arms: Ids of the copies seen so far, in order of first sight.
        priors: Forecast and doubt of each, and whether it had one, shape (arms, 3).
        counts: Σω and Σωr of each, shape (lengths, arms, 2).
        sums: Σωx of each, shape (lengths, arms, places).
        scales: Learned scale of each of `BLOCKS`, and of the copies' own effects.
        scaled: Outcomes when they were last learned.
        trust: Audience → log of how much each memory length is trusted.
        waiting: Outcomes not in the sums yet.
    """

    version: int
    visitors: int
    total: float
    squares: float
    slot: int
    places: bytes
    products: bytes
    rewarded: bytes
    arms: tuple[str, ...]
    priors: bytes
    counts: bytes
    sums: bytes
    scales: tuple[float, ...]
    scaled: int
    trust: dict[str, tuple[float, ...]]
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """What the critic expects of each arm for one audience, the visitor apart.

    Attributes:
        mean: Expected reward, shape (arms,).
        covariance: Of these expectations, shape (arms, arms).
        level: Mean reward over all visitors, above 0.
        sight: What visitor and past add to the mean.
    """

    mean: Array
    covariance: Array
    level: float
    sight: Sight

    @property
    def sd(self) -> Array:
        """Standard deviation of each expectation, shape (arms,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Belief:
    """The posterior at one memory length.

    Attributes:
        weights: Mean of w, shape (places,).
        factor: Lower Cholesky factor of w's precision, shape (places, places).
        own: Mean of α, shape (arms,).
        precision: Of α given w, shape (arms,).
    """

    weights: Array
    factor: Array
    own: Array
    precision: Array


class Critic:
    """Learns what each copy is worth for whom.

    Args:
        half_lives: Days after which an outcome counts half, for each memory length; None is never.
        trust: How much each length is trusted at first; sums to 1.
        spread: Prior standard deviation of the relative effect of a feature of size 1, above 0.
    """

    def __init__(
        self,
        *,
        half_lives: Sequence[float | None] = HALF_LIVES,
        trust: Sequence[float] = TRUST,
        spread: float = SPREAD,
    ) -> None:
        if not spread > 0:
            raise BadInput(f"spread must lie above 0, not {spread:g}")
        self.half_lives = tuple(half_lives)
        self.trust = tuple(trust)
        self.spread = spread
        slots = [24 / SLOT_HOURS * days if days else np.inf for days in self.half_lives]
        self._fading = -np.log(2) / np.array(slots)
        lengths = len(self.half_lives)
        self._visitors = 0
        self._total = self._squares = 0.0
        self._slot = 0
        self._places = np.zeros(0, dtype=np.int64)
        self._columns = np.full(DIMENSION, -1, dtype=np.int64)
        self._products = np.zeros((lengths, 0, 0))
        self._rewarded = np.zeros((lengths, 0))
        self._arms: dict[str, int] = {}
        self._priors = np.zeros((0, 3))
        self._counts = np.zeros((lengths, 0, 2))
        self._sums = np.zeros((lengths, 0, 0))
        self._scales = np.ones(len(BLOCKS) + 1)
        self._scaled = 0
        self._log_trust: dict[str, Array] = {}
        self._waiting: list[Waiting] = []
        self._beliefs: list[_Belief] | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing has changed since it was last asked for a prediction."""
        return self._beliefs is not None

    def learn(self, context: Context, audience_id: str, arm: Arm, reward: float) -> None:
        """Takes in one outcome.

        Args:
            context: Who was asking, when, with what past.
            audience_id: The visitor's audience.
            arm: The arm served.
            reward: What it brought.
        """
        self._waiting.append(Waiting(context, audience_id, arm, reward))
        count = len(self._waiting)
        if count >= FEW and (
            count >= min(BATCH, self._visitors // 10)
            or slot_of(context.at) > slot_of(self._waiting[0].context.at)
        ):
            self._take_in()

    def correct(self, context: Context, audience_id: str, arm: Arm, delta: float) -> None:
        """Takes in that an outcome learned before has changed.

        The sum of squares changes by δ·|δ|: exact where the reward was or becomes 0 (a late click
        or order, a full refund), near enough for the noise level otherwise.

        Args:
            context: As it was learned, likewise audience and arm.
            audience_id: The visitor's audience.
            arm: The arm that was served.
            delta: New reward less old reward.
        """
        self._enter_arms([arm])
        seen = states_of([(context, audience_id, arm)], identity=False)
        columns = self._enter(seen.places)
        weights = self._weights(slot_of(context.at))
        change = delta * np.bincount(columns, seen.values, self._places.size)
        self._rewarded += weights[:, None] * change
        self._counts[:, self._arms[arm.id], 1] += weights * delta
        self._total += delta
        self._squares += delta * abs(delta)
        self._beliefs = None

    def forget(self, visitor_id: str) -> None:
        """Keeps nothing of one visitor but their part in the sums."""
        if any(each.context.visitor_id == visitor_id for each in self._waiting):
            self._take_in()

    def predict(self, audience_id: str, arms: Sequence[Arm], met: Met | None = None) -> Prediction:
        """What each arm is worth to an audience, and how sure that is.

        Args:
            audience_id: The audience; may be empty.
            arms: At least one.
            met: What the sight of an earlier prediction for the same has met.
        """
        level, information = self._level()
        design, unseen, variances = self._designs(copy_states(audience_id, arms))
        outside = (unseen * variances) @ unseen.T
        trust = self._trusted(audience_id)
        weights = np.zeros(DIMENSION)
        means: list[Array] = []
        covariances: list[Array] = []
        for length, belief in enumerate(self._believe()):
            weights[self._places] += trust[length] * belief.weights
            mean, covariance = self._value(length, belief, design, arms, information)
            means.append(mean)
            covariances.append(covariance + outside)
        expected = np.stack(means)
        middle = trust @ expected
        apart = expected - middle
        spread = np.einsum("l,lij->ij", trust, np.stack(covariances))
        covariance = spread + np.einsum("l,li,lj->ij", trust, apart, apart)
        return Prediction(
            mean=level * (1 + middle),
            covariance=level**2 * covariance,
            level=level,
            sight=Sight(audience_id, arms, level * weights, met),
        )

    def _designs(self, seen: States) -> tuple[Array, Array, Array]:
        """The rows in places known, those in places never met, and prior variances of these."""
        columns = self._columns[seen.places]
        places, place_of = np.unique(seen.places, return_inverse=True)
        unseen = seen.dense(np.where(columns < 0, place_of, -1), places.size)
        return seen.dense(columns, self._places.size), unseen, self._variances(places)

    def _value(
        self, length: int, belief: _Belief, design: Array, arms: Sequence[Arm], information: float
    ) -> tuple[Array, Array]:
        """Relative mean and covariance of the arms at one memory length."""
        places = [self._arms.get(arm.id, -1) for arm in arms]
        new = np.array(places) < 0
        priors = np.array([prior_of(arm) for arm in arms])
        doubts = self._doubts(priors)
        own = np.where(new, 0.0, belief.own[places] if belief.own.size else 0.0)
        doubt = np.where(new, 1 / doubts**2, 0.0)
        reach = design.copy()
        if not new.all():
            kept = [place for place in places if place >= 0]
            precision = belief.precision[kept]
            doubt[~new] = precision
            reach[~new] -= information * self._sums[length, kept] / precision[:, None]
        half = _half_solved(belief.factor, reach.T)
        mean = design @ belief.weights + own + priors[:, 0]
        return mean, half.T @ half + np.diag(1 / doubt)

    def trusted(self, audience_id: str) -> dict[float | None, float]:
        """Half-life in days → how much that memory length is trusted for an audience."""
        return dict(zip(self.half_lives, self._trusted(audience_id).tolist(), strict=True))

    def _trusted(self, audience_id: str) -> Array:
        known = self._log_trust.get(audience_id)
        return np.array(self.trust) if known is None else np.exp(known)

    def state(self) -> CriticState:
        """The sums, for keeping."""
        return CriticState(
            version=VERSION,
            visitors=self._visitors,
            total=self._total,
            squares=self._squares,
            slot=self._slot,
            places=self._places.tobytes(),
            products=self._products.tobytes(),
            rewarded=self._rewarded.tobytes(),
            arms=tuple(self._arms),
            priors=self._priors.tobytes(),
            counts=self._counts.tobytes(),
            sums=self._sums.tobytes(),
            scales=tuple(self._scales.tolist()),
            scaled=self._scaled,
            trust={name: tuple(each.tolist()) for name, each in self._log_trust.items()},
            waiting=tuple(self._waiting),
        )

    def restore(self, state: CriticState) -> None:
        """Takes over these sums, and computes the posterior that follows from them.

        Raises:
            BadInput: Where they were learned from features of another version, or don't fit.
        """
        if state.version != VERSION:
            raise BadInput(
                f"the critic was learned from features of version {state.version}, this is "
                f"version {VERSION}; replay the log to rebuild it"
            )
        lengths, arms = len(self.half_lives), len(state.arms)
        try:
            places = np.frombuffer(state.places, dtype=np.int64).copy()
            width = places.size
            self._columns[:] = -1
            self._columns[places] = np.arange(width)
            self._products = _array(state.products, (lengths, width, width))
            self._rewarded = _array(state.rewarded, (lengths, width))
            self._priors = _array(state.priors, (arms, 3))
            self._counts = _array(state.counts, (lengths, arms, 2))
            self._sums = _array(state.sums, (lengths, arms, width))
        except (ValueError, IndexError) as error:
            raise BadInput(
                f"the critic's sums don't fit together ({error}); replay the log to rebuild it"
            ) from error
        self._places = places
        self._visitors, self._slot = state.visitors, state.slot
        self._total, self._squares = state.total, state.squares
        self._arms = {name: index for index, name in enumerate(state.arms)}
        self._scales, self._scaled = np.array(state.scales), state.scaled
        self._log_trust = {name: np.array(each) for name, each in state.trust.items()}
        self._waiting = list(state.waiting)
        self._beliefs = None
        self._believe()  # here and now, not in the first request

    def _enter(self, places: Places) -> Places:
        """Columns of the places; those never seen before get one."""
        new = np.unique(places[self._columns[places] < 0])
        if new.size:
            known, more = self._places.size, (0, new.size)
            self._columns[new] = np.arange(known, known + new.size)
            self._places = np.concatenate([self._places, new])
            self._products = np.pad(self._products, ((0, 0), more, more))
            self._rewarded = np.pad(self._rewarded, ((0, 0), more))
            self._sums = np.pad(self._sums, ((0, 0), (0, 0), more))
            self._beliefs = None
        return self._columns[places]

    def _enter_arms(self, arms: Sequence[Arm]) -> None:
        """Gives every copy that was never seen before a row among the sums."""
        new = {arm.id: prior_of(arm) for arm in arms if arm.id not in self._arms}
        if new:
            more = (0, len(new))
            self._arms |= {name: len(self._arms) + row for row, name in enumerate(new)}
            self._priors = np.concatenate([self._priors, list(new.values())])
            self._counts = np.pad(self._counts, ((0, 0), more, (0, 0)))
            self._sums = np.pad(self._sums, ((0, 0), more, (0, 0)))
            self._beliefs = None

    def _weights(self, slot: int) -> Array:
        """What an outcome of that slot weighs now at each memory length, shape (lengths,)."""
        if not self._slot:
            self._slot = slot
        return np.exp(np.minimum(self._fading * (self._slot - slot), 50.0))

    def _take_in(self) -> None:
        """Moves what waits into the sums, after seeing how well each memory length foretold it."""
        waiting, self._waiting = self._waiting, []
        seen = states_of([each[:3] for each in waiting], identity=False)
        columns = self._enter(seen.places)
        self._enter_arms([each.arm for each in waiting])
        design = seen.dense(columns, self._places.size)
        arms = np.array([self._arms[each.arm.id] for each in waiting])
        rewards = np.array([each.reward for each in waiting])
        if len(self.half_lives) > 1:
            self._judge(design, arms, rewards, [each.audience_id for each in waiting])
        slots = np.array([slot_of(each.context.at) for each in waiting])
        self._visitors += len(waiting)
        self._total += float(rewards.sum())
        self._squares += float((rewards * rewards).sum())
        self._advance(int(slots.max()))
        for slot in np.unique(slots):
            now = slots == slot
            self._add(design[now], arms[now], rewards[now], self._weights(int(slot)))
        self._beliefs = None
        if self._visitors >= max(FIRST_SCALING, 1.2 * self._scaled):
            self._scale()

    def _advance(self, slot: int) -> None:
        """Lets the sums fade up to a new slot of time; one in the past changes nothing."""
        if self._slot and slot > self._slot:
            faded = np.exp(self._fading * (slot - self._slot))
            self._products *= faded[:, None, None]
            self._rewarded *= faded[:, None]
            self._counts *= faded[:, None, None]
            self._sums *= faded[:, None, None]
        self._slot = max(slot, self._slot)

    def _add(self, design: Array, arms: Places, rewards: Array, weights: Array) -> None:
        """Adds the outcomes of one slot to the sums."""
        product = design.T @ design
        rewarded = rewards @ design
        sums = (arms == np.arange(len(self._arms))[:, None]).astype(np.float64) @ design
        counts = np.stack(
            [
                np.bincount(arms, minlength=len(self._arms)),
                np.bincount(arms, rewards, len(self._arms)),
            ],
            axis=1,
        )
        for length, weight in enumerate(weights.tolist()):
            self._products[length] += weight * product
            self._rewarded[length] += weight * rewarded
            self._counts[length] += weight * counts
            self._sums[length] += weight * sums

    def _judge(self, design: Array, arms: Places, rewards: Array, audiences: Sequence[str]) -> None:
        """Shifts trust towards the memory lengths that foretold these outcomes best."""
        level, information = self._level()
        relative = rewards / level - 1 - self._priors[arms, 0]
        gaps = np.stack(
            [relative - design @ each.weights - each.own[arms] for each in self._believe()]
        )
        evidence = -0.5 * information * gaps**2
        of_audience = np.array(audiences)
        for audience in dict.fromkeys(audiences):
            here = of_audience == audience
            log_trust = np.log(self._trusted(audience)) + evidence[:, here].sum(axis=1)
            trust = np.exp(log_trust - log_trust.max())
            change = -np.expm1(-SWITCH * here.sum())
            trust = (1 - change) * trust / trust.sum() + change * np.array(self.trust)
            self._log_trust[audience] = np.log(trust)

    def _scale(self) -> None:
        """One step of the scales towards maximum evidence, at the longest memory length.

        The squared effects of a block are compared with as many of their prior variances as the
        data have pinned down effects; `STEADY` effects that agree with the start are added.
        """
        belief = self._believe()[0]
        inverse = _half_solved(belief.factor, np.eye(self._places.size))
        variances = self._variances(self._places)
        known = 1 - (inverse**2).sum(axis=0) / variances
        found = belief.weights**2 / self.spread**2
        blocks = _block_of(self._places)
        for block in range(len(BLOCKS)):
            here = blocks == block
            self._rescale(block, found[here].sum(), known[here].sum())
        free = self._priors[:, 2] == 0
        pinned = 1 - 1 / (belief.precision[free] * self._doubts(self._priors)[free] ** 2)
        self._rescale(len(BLOCKS), (belief.own[free] ** 2).sum() / OWN**2, pinned.sum())
        self._scaled = self._visitors
        self._beliefs = None

    def _rescale(self, which: int, found: float, known: float) -> None:
        self._scales[which] = np.clip(np.sqrt((found + STEADY) / (known + STEADY)), 0.05, 3.0)

    def _variances(self, places: Places) -> Array:
        """Prior variance of the weights of these places."""
        scales = np.append(self._scales[: len(BLOCKS)], 1.0)
        return (self.spread * scales[_block_of(places)]) ** 2

    def _doubts(self, priors: Array) -> Array:
        """Prior standard deviation of copies' own effects; a forecast's doubt stays as it is."""
        return priors[:, 1] * np.where(priors[:, 2] == 0, self._scales[-1], 1.0)

    def _level(self) -> tuple[float, float]:
        """Mean m of the reward, and m²/v: how much one outcome tells of a relative effect.

        One success in two visitors is added, so that both lie above 0.
        """
        total, squares = max(self._total, 0.0), max(self._squares, 0.0)
        success = squares / total if total > 0 and squares > 0 else 1.0
        mean = (total + success) / (self._visitors + 2)
        moment = (squares + success**2) / (self._visitors + 2)
        return mean, mean**2 / max(moment - mean**2, 1e-6 * moment)

    def _believe(self) -> list[_Belief]:
        """The posterior at each memory length, kept until the sums change."""
        if self._beliefs is None:
            level, information = self._level()
            self._beliefs = [
                self._belief(length, level, information) for length in range(len(self.half_lives))
            ]
        return self._beliefs

    def _belief(self, length: int, level: float, information: float) -> _Belief:
        offset, doubt = self._priors[:, 0], self._doubts(self._priors)
        seen, rewarded = self._counts[length].T
        sums = self._sums[length]
        precision = information * seen + 1 / doubt**2
        surplus = information * (rewarded / level - (1 + offset) * seen)
        shared = information * (self._rewarded[length] / level - (1 + offset) @ sums)
        shared -= information * (surplus / precision) @ sums
        scaled = sums * (information / np.sqrt(precision))[:, None]
        wanted = information * self._products[length] - scaled.T @ scaled
        wanted[np.diag_indices_from(wanted)] += 1 / self._variances(self._places)
        factor = np.asarray(np.linalg.cholesky(wanted), dtype=np.float64)
        weights = _half_solved(factor, _half_solved(factor, shared), transposed=True)
        own = (surplus - information * (sums @ weights)) / precision
        return _Belief(weights=weights, factor=factor, own=own, precision=precision)

    def expected(self, pairs: Sequence[tuple[Context, str, Arm]]) -> tuple[Array, Array]:
        """The expected reward of each pair with its standard deviation, both of shape (pairs,).

        Unlike `predict`, it includes what shifts all copies alike: the visitor's own level.

        Args:
            pairs: Who is asking, with the past; their audience; the arm. At least one.
        """
        level, information = self._level()
        design, unseen, variances = self._designs(states_of(pairs, identity=False))
        outside = unseen**2 @ variances
        trust = np.array([self._trusted(audience) for _, audience, _ in pairs]).T
        arms = [arm for _, _, arm in pairs]
        parts = [
            self._value(length, belief, design, arms, information)
            for length, belief in enumerate(self._believe())
        ]
        means = np.stack([mean for mean, _ in parts])
        variances = np.stack([np.diag(covariance) for _, covariance in parts]) + outside
        middle = (trust * means).sum(axis=0)
        variance = (trust * (variances + (means - middle) ** 2)).sum(axis=0)
        return level * (1 + middle), level * np.sqrt(variance)


def slot_of(at: datetime) -> int:
    """The slot of time that outcomes decided then fall in."""
    return int(at.timestamp() // (3600 * SLOT_HOURS))


def prior_of(arm: Arm) -> tuple[float, float, float]:
    """A copy's expected relative effect, how far it may be off, and whether that is a forecast."""
    if arm.forecast is None:
        return 0.0, OWN, 0.0
    mean = BELIEVED * float(np.expm1(np.clip(arm.forecast.mean, -2.0, 1.0)))
    return mean, max(float(np.hypot(arm.forecast.sd, (1 - BELIEVED) * mean)), 1e-3), 1.0


def _block_of(places: Places) -> Places:
    """Number of the block in `BLOCKS` that each place lies in; that of none is one more."""
    blocks = np.full(places.shape, len(BLOCKS))
    for number, (start, size) in enumerate(BLOCKS):
        blocks[(places >= start) & (places < start + size)] = number
    return blocks


def _half_solved(factor: Array, wanted: Array, *, transposed: bool = False) -> Array:
    """L⁻¹b, or L⁻ᵀb where `transposed`, for a lower triangular L."""
    if not factor.size:
        return wanted
    found = solve_triangular(factor, wanted, lower=True, trans="T" if transposed else "N")
    return np.asarray(found, dtype=np.float64)


def _array(data: bytes, shape: tuple[int, ...]) -> Array:
    return np.frombuffer(data, dtype=np.float64).reshape(shape).copy()
