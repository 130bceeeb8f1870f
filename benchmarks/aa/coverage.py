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
SETTLED: Final[Mapping[Metric, float]] = {"clicks": 1.0, "orders": 3.0, "revenue": 3.0}
"""Days after which a visitor counts, where outcomes come late: the product's usual windows."""
ROUNDING: Final = 1e-6
"""Under `uniform` the policy's lift over equal shares is 0 exactly, but for rounding."""
KINDS: Final = ("line", "lift", "policy over control", "policy over uniform", "gain")
"""Every interval of the report on an experiment; `line` counts each line's by itself, `lift` all
challengers' together, as they are meant to hold."""


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
    """One interval at one look, its truth, and the fixed-sample interval of the same data."""

    kind: str
    found: Estimate
    truth: float
    fixed: Estimate


def covered(policy: str, world: str, seed: tuple[int, ...]) -> Mapping[str, float]:
    """What one run says of every kind of interval and metric.

    Returns:
        `kind, metric, what` → for `missed` the share of its intervals that missed at some look; for
        `told` that of those with two bounds at the end; for `width` their width over that of the
        fixed-sample interval, its median over lines; nan where there is none.
    """
    law = WORLDS[world]
    log = _log(policy, law, np.random.default_rng(seed))
    found: dict[str, float] = {}
    for metric in METRICS:
        missed: dict[str, NDArray[np.bool_]] = {}
        last: dict[str, list[Interval]] = {}
        for standing, truth in _standings(log, law, metric):
            last = {kind: [] for kind in KINDS}
            for interval in _intervals(standing, truth):
                last[interval.kind].append(interval)
            for kind, intervals in last.items():
                now = np.array([_misses(each) for each in intervals])
                missed[kind] = missed.get(kind, np.zeros(len(now), dtype=np.bool_)) | now
        for kind in KINDS:
            ratios = [ratio for each in last[kind] if (ratio := _ratio(each)) is not None]
            wrong = missed[kind]
            name = f"{kind}, {metric}"
            found[f"{name}, missed"] = float(wrong.mean() if kind == "line" else wrong.any())
            found[f"{name}, told"] = len(ratios) / len(last[kind])
            found[f"{name}, width"] = float(np.median(ratios)) if ratios else np.nan
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
    if not law.delayed:
        columns, standing = _columns(log, log.rewards[metric]), none
        for batch, (start, end) in enumerate(zip(log.ends - sizes, log.ends, strict=True)):
            standing = _after(standing, log, columns, log.rewards[metric], slice(start, end))
            yield standing, truths[batch]
        return
    for now in (*(log.days + DAYS / LOOKS).tolist(), DAYS + 1.0, DAYS + 2.0, DAYS + 3.0):
        settled = int((log.days + SETTLED[metric] <= now).sum())
        if not settled:
            continue
        rewards = log.rewards[metric].copy()
        if metric != "clicks":
            rewards[log.known > now] = 0.0
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


def _intervals(standing: Standing, truth: Array) -> Iterator[Interval]:
    """Every interval at this look beside its truth and its fixed-sample form."""
    horizon, alpha = standing.experiment.horizon, standing.arm_alpha
    evidence = standing.evidence()
    for arm, duel in enumerate(standing.duels()):
        fixed = replace(duel, moments=_fixed(duel.moments, ALPHA, horizon))
        yield Interval("line", duel.rate(horizon), truth[arm], fixed.rate(horizon))
        if arm != standing.control:
            fixed = replace(duel, moments=_fixed(duel.moments, alpha, horizon))
            lift = truth[arm] / truth[0] - 1
            yield Interval("lift", duel.lift(horizon, alpha), lift, fixed.lift(horizon, alpha))
    fixed = replace(
        evidence,
        policy=_fixed(evidence.policy, ALPHA, horizon),
        gain=_fixed(evidence.gain, ALPHA, horizon),
    )
    policy, served, even = truth[-3:]
    yield Interval("policy over control", evidence.lift(), policy / truth[0] - 1, fixed.lift())
    gain = evidence.gain.n * (served - truth[0])
    yield Interval("gain", evidence.total_gain(), gain, fixed.total_gain())
    duel = standing.over_uniform()
    narrowed = replace(duel, moments=_fixed(duel.moments, ALPHA, horizon))
    found, usual = duel.lift(horizon, ALPHA), narrowed.lift(horizon, ALPHA)
    yield Interval("policy over uniform", found, policy / even - 1, usual)


def _fixed(moments: Moments, alpha: float, horizon: float) -> Moments:
    """Moments whose confidence sequence is the usual interval for one look of the given ones.

    The very same formulas then give the fixed-sample AIPW interval: only the radius differs.
    """
    if not moments.n:
        return moments
    usual = -float(ndtri(alpha / 2)) / sqrt(moments.n)
    share = (usual / radius(1.0, moments.n, alpha, horizon)) ** 2
    return replace(moments, scatter=moments.scatter * share)


def _misses(interval: Interval) -> bool:
    """Whether the interval is there and leaves out the truth."""
    low, high = interval.found.low, interval.found.high
    if low is None or high is None:
        return False
    return not low - ROUNDING <= interval.truth <= high + ROUNDING


def _ratio(interval: Interval) -> float | None:
    """Its width over the fixed-sample one's; None where either has no bounds, or no width."""
    found, fixed = interval.found, interval.fixed
    if found.low is None or found.high is None or fixed.low is None or fixed.high is None:
        return None
    usual = fixed.high - fixed.low
    return (found.high - found.low) / usual if usual > ROUNDING else None
