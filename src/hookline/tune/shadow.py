"""What the log can say of a writer whose lines nobody has seen yet, and how far to trust that.

The lines in the log were written by others. A writer's own probability of writing a line is not
known, so nothing can be reweighted from theirs to its; and what it writes now was never shown. What
the log can do is examine the one that foretells: on tests of products that are held out, which of
two logged lines did better is known, and how often a predictor would have said so is counted. Only
one that is proven to be right more often than not has a word on what the two writers would write
for the same products.

It remains the predictor's word. It was right on lines that others wrote; a writer that was tuned
hard writes lines unlike these, where it may be wrong. Only tests with the new lines can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hookline.brief import make_brief
from hookline.channels import channel as channel_named
from hookline.generate import Promise
from hookline.stats import effective_sample
from hookline.stats.ope import OneLook
from hookline.tune.export import is_held_out
from hookline.tune.logged import EVERYBODY, LoggedTest, Terms
from hookline.tune.release import LEAST_PRODUCTS, Figure, Gate, Measure, Task, task_of
from hookline.tune.strata import Stratum, study
from hookline.types import Attributes, Estimate
from hookline.writers.base import Writer

SHADOW: Final = Measure(
    name="shadow", says="predicted conversion on tested products, log ratio", sign=1, margin=0.0
)

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Skill:
    """How well a predictor tells which of two logged lines did better.

    Attributes:
        right: Share of pairs that it orders as the log does, pairs weighing 2 · P(better) − 1; with
            a 95 % interval over products, whose number is `n`. A predictor that knows nothing is
            right in half.
        effective: How many equally weighted pairs the share rests on.
        reason: Why it has no word; empty where it has.
    """

    right: Estimate
    effective: float
    reason: str = ""


def held_out_tests(tests: Sequence[LoggedTest]) -> list[LoggedTest]:
    """The tests of products that are held out."""
    return [each for each in tests if is_held_out(_product_of(each))]


def skill(tests: Sequence[LoggedTest], promise: Promise, terms: Terms, *, seed: int) -> Skill:
    """How well the predictor does on pairs of lines that were tested.

    Args:
        tests: Of products that the predictor was not fitted on.
        promise: The predictor.
        terms: When the log's evidence is enough; `least_rows` is the gate for effective pairs.
        seed: Of the resampling.
    """
    judged: dict[str, list[tuple[float, float]]] = {}
    for logged in tests:
        for stratum in study(logged, terms).strata:
            judged.setdefault(_product_of(logged), []).extend(_judged(logged, stratum, promise))
    known = {key: np.array(pairs) for key, pairs in judged.items() if pairs}
    weights = np.concatenate([np.zeros(0), *(pairs[:, 0] for pairs in known.values())])
    effective = effective_sample(weights)
    if effective < terms.least_rows or len(known) < LEAST_PRODUCTS:
        reason = (
            f"the log tells which of two lines is better in {effective:.1f} effective pairs of "
            f"{len(known)} held-out products; it takes {terms.least_rows:g} of {LEAST_PRODUCTS}"
        )
        missing = Estimate(estimate=None, low=None, high=None, n=len(known), reason=reason)
        return Skill(right=missing, effective=effective, reason=reason)
    right = _right(list(known.values()), seed)
    proven = right.low is not None and right.low > 0.5
    reason = "" if proven else "it is not proven to order tested lines better than chance"
    return Skill(right=right, effective=effective, reason=reason)


def shadow(
    gate: Gate,
    new: Writer,
    incumbent: Writer,
    tests: Sequence[LoggedTest],
    *,
    terms: Terms,
    at: datetime,
) -> tuple[Figure, Skill]:
    """What the gate's predictor expects of both writers on products that were tested.

    The figure stands against a release only where the new writer is proven to be worse; where the
    predictor has no word it is not counted.

    Args:
        gate: How writers are compared; among its measures is `promise`.
        new: The writer that is to be released.
        incumbent: The writer that it is to replace.
        tests: With their logs; those of products that are not held out are left out.
        terms: When the log's evidence is enough.
        at: UTC time.
    """
    tests = held_out_tests(tests)
    known = skill(tests, gate.promise, terms, seed=gate.seed)
    if known.reason:
        nothing = Estimate(estimate=None, low=None, high=None, reason=known.reason)
        return _figure(None, None, nothing), known
    promised = [measure for measure in gate.measures if measure.name == "promise"]
    tasks = [_task(logged, number, gate.seed) for number, logged in enumerate(tests)]
    [found] = replace(gate, measures=promised).compare(new, incumbent, tasks, at=at)
    return _figure(found.incumbent, found.new, found.difference), known


def _figure(incumbent: float | None, new: float | None, difference: Estimate) -> Figure:
    counted = difference.high is not None
    worse = counted and (difference.high or 0.0) < 0
    return Figure(
        name=SHADOW.name,
        says=SHADOW.says,
        incumbent=incumbent,
        new=new,
        difference=difference,
        margin=SHADOW.margin,
        verdict=("worse" if worse else "holds") if counted else "not counted",
    )


def _product_of(logged: LoggedTest) -> str:
    return logged.product.group_id or logged.product.id


def _task(logged: LoggedTest, number: int, seed: int) -> Task:
    """What writers are asked for a tested product: its channel, audiences in turn."""
    audiences = logged.experiment.audiences or (EVERYBODY,)
    return task_of(
        logged.product,
        channel_named(logged.experiment.channel_id),
        audiences[number % len(audiences)],
        logged.brand,
        seed=seed,
    )


def _judged(logged: LoggedTest, stratum: Stratum, promise: Promise) -> list[tuple[float, float]]:
    """Pair by pair, its weight and whether the predictor is right: 1, 0, or a half for a tie."""
    arms = {arm.id: arm for arm in logged.experiment.arms}
    texts = [arms[line.arm_id].text for line in stratum.lines]
    if not texts:
        return []
    brief = make_brief(
        product=logged.product,
        audience=logged.audience(stratum.audience_id),
        channel=channel_named(logged.experiment.channel_id),
        brand=logged.brand,
        attributes=Attributes(),
    )
    told = dict(zip((line.arm_id for line in stratum.lines), promise(brief, texts), strict=True))
    return [
        (2 * chance - 1, 0.5 * float(1 + np.sign(told[better] - told[worse])))
        for (better, worse), chance in stratum.chances.items()
        if chance > 0.5
    ]


def _right(products: Sequence[Array], seed: int) -> Estimate:
    """The weighted share of pairs that are right, products resampled whole."""
    tops = np.array([float(pairs[:, 0] @ pairs[:, 1]) for pairs in products])
    bottoms = np.array([float(pairs[:, 0].sum()) for pairs in products])
    look = OneLook(rng=np.random.default_rng(seed))
    low, high = look.bounds(tops, bottoms, float(len(products)))
    share = float(tops.sum() / bottoms.sum())
    return Estimate(estimate=share, low=low, high=high, n=len(products))
