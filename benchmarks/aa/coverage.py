"""Lines that differ: which intervals miss the truth at any look, and how wide they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from benchmarks.aa.identical import HOLDOUT, UNIFORM
from benchmarks.aa.world import AMOUNT, ARMS, ORDER, ORDER_DAYS, WORLDS, World
from hookline.selftest import Batch, Standing, Traffic, columns_of, edges_of, example
from hookline.selftest.traffic import START, Array, Integers
from hookline.selftest.trials import DAYS
from hookline.stats import ALPHA, Moments, policy_shares, radius
from hookline.types import METRICS, Estimate, Experiment, Metric

VISITORS: Final = 10_000
LOOKS: Final = 30
SETTLED: Final = 3.0
"""Days after which a visitor's orders and money count where they come late: the usual window."""
ROUNDING: Final = 1e-6
"""Under `uniform` the policy's lift over equal shares is 0 exactly, but for rounding."""
KINDS: Final = ("line", "lift", "extra", "policy over control", "policy over uniform", "gain")
"""Every interval of the report on an experiment; `line` counts each line's by itself, `lift` and
`extra` (the difference a visitor) all challengers' together, as they are meant to hold."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Log:
    """All that happened in one run, batch by batch.

    Attributes:
        experiment: Who served.
        days: Day of each batch.
        ends: Visitors so far after each batch.
        audiences: Shape (n,).
        arms: Shape (n,).
        probabilities: Shape (n, K).
        rewards: Metric → in the end, shape (n,).
        known: Day on which each visitor's order came, shape (n,).
        truths: Metric → mean of each batch's visitors: lines, policy, served, equal shares;
            shape (batches, K + 3).
    """

    experiment: Experiment
    days: Array
    ends: Integers
    audiences: Integers
    arms: Integers
    probabilities: Array
    rewards: Mapping[Metric, Array]
    known: Array
    truths: Mapping[Metric, Array]


class Interval(NamedTuple):
    """One interval at one look, and its truth."""

    kind: str
    found: Estimate
    truth: float


def covered(policy: str, world: str, seed: tuple[int, ...]) -> Mapping[str, float]:
    """What one run says of every kind of interval and metric.

    Returns:
        `kind, metric, what` → for `missed` the share of its intervals that missed at some look; for
        `told` that of those with two bounds at the end; for `width` their width over that of the
        fixed-sample interval of the same data, for `plain` over that of the one which takes the
        sample variance as it is; both the median over lines, nan where there is none.
    """
    law = WORLDS[world]
    log = _log(policy, law, np.random.default_rng(seed))
    found: dict[str, float] = {}
    for metric in METRICS:
        looks = list(_standings(log, law, metric))
        missed = [[_misses(each) for each in _intervals(*look)] for look in looks]
        for name, value in _answers(np.any(missed, axis=0), *looks[-1]).items():
            kind, what = name
            found[f"{kind}, {metric}, {what}"] = value
    return found


def _answers(
    missed: NDArray[np.bool_], standing: Standing, truth: Array
) -> Mapping[tuple[str, str], float]:
    """Kind, what → value of one metric, as `covered` has them.

    Args:
        missed: Which intervals missed at some look, in the order of `_intervals`.
        standing: What is known at the last look.
        truth: Of the visitors it rests on.
    """
    last = _intervals(standing, truth)
    plain = replace(standing, spreads=np.zeros_like(standing.spreads))  # no least variance
    usual = {
        "width": _intervals(standing, truth, fixed=True),
        "plain": _intervals(plain, truth, fixed=True),
    }
    found: dict[tuple[str, str], float] = {}
    for kind in KINDS:
        own = [place for place, each in enumerate(last) if each.kind == kind]
        wrong = missed[own]
        found[kind, "missed"] = float(wrong.mean() if kind == "line" else wrong.any())
        found[kind, "told"] = float(np.mean([_told(last[place]) for place in own]))
        for what, others in usual.items():
            ratios = [_ratio(last[place].found, others[place].found) for place in own]
            known = [ratio for ratio in ratios if ratio is not None]
            found[kind, what] = float(np.median(known)) if known else np.nan
    return found


# --- one run -------------------------------------------------------------------------------------


def _log(policy: str, law: World, rng: np.random.Generator) -> Log:
    """Serves all visitors, teaching the policy clicks as they settle."""
    experiment = example(policy, ARMS, horizon=VISITORS, holdout=HOLDOUT, uniform=UNIFORM)
    traffic = Traffic(experiment, rng)
    ends = edges_of(VISITORS, LOOKS, 100)
    starts = [0, *ends[:-1]]
    days = DAYS * np.array(starts) / VISITORS
    batches: list[Batch] = []
    clicks: list[Array] = []
    taught = 0
    for start, end, day in zip(starts, ends, days.tolist(), strict=True):
        while taught < len(batches) and (not law.delayed or days[taught] + 1 <= day):
            traffic.learn(batches[taught], clicks[taught])
            taught += 1
        batch = traffic.serve(end - start, START + timedelta(days=day))
        chances = law.clicks(day)[batch.audiences, batch.arms]
        batches.append(batch)
        clicks.append((rng.random(end - start) < chances).astype(np.float64))
    arms = np.concatenate([batch.arms for batch in batches])
    clicked = np.concatenate(clicks)
    orders = clicked * (rng.random(VISITORS) < ORDER[arms])
    at = np.repeat(days, np.diff([0, *ends]))
    return Log(
        experiment=traffic.experiment,
        days=days,
        ends=np.array(ends, dtype=np.int64),
        audiences=np.concatenate([batch.audiences for batch in batches]),
        arms=arms,
        probabilities=np.concatenate([batch.probabilities for batch in batches]),
        rewards={
            "clicks": clicked,
            "orders": orders,
            "revenue": orders * rng.lognormal(*AMOUNT, VISITORS),
        },
        known=at + rng.exponential(ORDER_DAYS, VISITORS) * law.delayed,
        truths=_truths(law, days, batches),
    )


def _truths(law: World, days: Array, batches: list[Batch]) -> Mapping[Metric, Array]:
    """Metric → means of each batch's visitors, as `Log.truths`, given all that went before."""
    rows: dict[Metric, list[Array]] = {metric: [] for metric in METRICS}
    for day, batch in zip(days.tolist(), batches, strict=True):
        own = policy_shares(batch.marginal, 0, holdout=HOLDOUT, uniform=UNIFORM)
        shares = batch.marginal if own is None else own
        for metric, means in law.means(day).items():
            policy, served = (shares * means).sum(axis=1), (batch.marginal * means).sum(axis=1)
            columns = np.column_stack([means, policy, served, means.mean(axis=1)])
            rows[metric].append(columns.mean(axis=0))
    return {metric: np.array(each) for metric, each in rows.items()}


def _standings(log: Log, law: World, metric: Metric) -> Iterator[tuple[Standing, Array]]:
    """What is known at every look, and the truth of the visitors it rests on."""
    none = Standing.none(log.experiment, metric, 2)
    sizes = np.diff(log.ends, prepend=0)
    truths = np.cumsum(sizes[:, None] * log.truths[metric], axis=0) / log.ends[:, None]
    if not law.delayed or metric == "clicks":  # clicks settle late, too, but do not change then
        columns, standing = _columns(log, log.rewards[metric]), none
        for batch, (start, end) in enumerate(zip(log.ends - sizes, log.ends, strict=True)):
            standing = _after(standing, log, columns, log.rewards[metric], slice(start, end))
            yield standing, truths[batch]
        return
    for now in (*(log.days + DAYS / LOOKS).tolist(), DAYS + 1.0, DAYS + 2.0, DAYS + 3.0):
        settled = int((log.days + SETTLED <= now).sum())
        if not settled:
            continue
        rewards = np.where(log.known > now, 0.0, log.rewards[metric])
        rows = slice(0, int(log.ends[settled - 1]))
        standing = _after(none, log, _columns(log, rewards, rows), rewards, rows)
        yield standing, truths[settled - 1]


def _columns(log: Log, rewards: Array, rows: slice = slice(None)) -> Array:
    return columns_of(
        log.experiment, rewards[rows], log.arms[rows], log.probabilities[rows], log.audiences[rows]
    )


def _after(standing: Standing, log: Log, columns: Array, rewards: Array, rows: slice) -> Standing:
    return standing.after(columns[rows], rewards[rows], log.arms[rows], log.audiences[rows])


# --- its intervals -------------------------------------------------------------------------------


def _intervals(standing: Standing, truth: Array, *, fixed: bool = False) -> list[Interval]:
    """Every interval at this look beside its truth.

    Args:
        standing: What is known.
        truth: Of the visitors it rests on, as a row of `Log.truths`.
        fixed: Whether the usual intervals for one look are wanted, by the very same formulas.
    """
    horizon, control = standing.experiment.horizon, standing.control

    def seen(moments: Moments, alpha: float = ALPHA) -> Moments:
        return _fixed(moments, alpha, horizon) if fixed else moments

    found: list[Interval] = []
    for arm, duel in enumerate(standing.duels()):
        rate = replace(duel, moments=seen(duel.moments)).rate(horizon)
        found.append(Interval("line", rate, truth[arm]))
        if arm != control:
            alpha = standing.arm_alpha
            both = replace(duel, moments=seen(duel.moments, alpha))
            lift, extra = both.lift(horizon, alpha), both.beyond(horizon, alpha)
            found.append(Interval("lift", lift, truth[arm] / truth[control] - 1))
            found.append(Interval("extra", extra, truth[arm] - truth[control]))
    evidence = standing.evidence()
    evidence = replace(evidence, policy=seen(evidence.policy), gain=seen(evidence.gain))
    policy, served, even = truth[-3:]
    lead, gain = policy / truth[control] - 1, evidence.gain.n * (served - truth[control])
    duel = standing.over_uniform()
    over = replace(duel, moments=seen(duel.moments)).lift(horizon, ALPHA)
    return [
        *found,
        Interval("policy over control", evidence.lift(), lead),
        Interval("gain", evidence.total_gain(), gain),
        Interval("policy over uniform", over, policy / even - 1),
    ]


def _fixed(moments: Moments, alpha: float, horizon: float) -> Moments:
    """Moments whose confidence sequence is the usual interval for one look of the given ones.

    The very same formulas then give the fixed-sample AIPW interval: only the radius differs.
    """
    if not moments.n:
        return moments
    usual = -float(ndtri(alpha / 2)) / sqrt(moments.n)
    share = (usual / radius(1.0, moments.n, alpha, horizon)) ** 2
    return replace(moments, scatter=moments.scatter * share)


def _told(interval: Interval) -> bool:
    """Whether the interval has two bounds."""
    return interval.found.low is not None and interval.found.high is not None


def _misses(interval: Interval) -> bool:
    """Whether the interval is there and leaves out the truth."""
    low, high = interval.found.low, interval.found.high
    if low is None or high is None:
        return False
    return not low - ROUNDING <= interval.truth <= high + ROUNDING


def _ratio(found: Estimate, usual: Estimate) -> float | None:
    """Its width over the usual one's; None where either has no bounds, or no width."""
    if found.low is None or found.high is None or usual.low is None or usual.high is None:
        return None
    width = usual.high - usual.low
    return (found.high - found.low) / width if width > ROUNDING else None
