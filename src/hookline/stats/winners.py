"""What the best of many is really worth: a family of effects, shrunk by how alike they are.

The line that looks best was also lucky, so its plain estimate is too high: the winner's curse.
Where the whole family is known, the luck can be taken off. The same engine pools the segments of
one effect: a small audience is told by the others how far it may differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from hookline.stats.estimate import ALPHA, MIN_UNITS, TOO_LARGE, unknown
from hookline.stats.moments import Moments
from hookline.types import Estimate

Array = NDArray[np.float64]

_LOGITS: Array = np.linspace(-30.0, 30.0, 301)
"""Where the posterior of the spread is evaluated: logit of the shrinkage B."""
_HALVINGS = 50
_NEGLIGIBLE = 1e-12
"""Weight below which a node is not looked at again."""
_MOST = 1e100
"""Effects beyond it can't be squared and summed any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """Effects that were estimated together, each drawn to what they have in common.

    Attributes:
        effects: Shrunken estimate and credible interval of each, in the order given. They hold for
            one look, and for whichever of them is picked.
        centre: What they are drawn to; None where it can't be computed.
        spread: Posterior mean of τ, the standard deviation of true effects; None likewise.
        reason: Why something is None; empty otherwise.
    """

    effects: tuple[Estimate, ...]
    centre: float | None
    spread: float | None
    reason: str = ""


def shrink_family(
    effects: Sequence[float] | Array,
    covariance: Array,
    *,
    n: Sequence[int] = (),
    centre: float | None = None,
    alpha: float = ALPHA,
) -> Family:
    """The effects with the winner's curse taken off: a normal-normal hierarchical model.

        y | θ ~ N(θ, V),    θ_k ~ N(μ, τ²),    with B = s²/(s² + τ²) the shrinkage

        E[θ | y, τ] = μ̂ + τ² (V + τ² I)⁻¹ (y − μ̂)

    s² is the mean of the errors' own variances (a harmonic mean would let one effect that is known
    well say how far all others may differ: their 95 % intervals then hold in 82 % of families). τ
    is not plugged in: estimate and interval are averages over its restricted marginal likelihood
    times the prior p(B) = ½ B^-½; μ is flat and integrated out as well. So it stays right for a
    few effects, where a plugged-in τ̂ = 0 would claim that all are the same and give intervals far
    too narrow. With equal variances and enough effects this prior never does worse on average than
    no shrinkage (minimax).

    A posterior does not mind that the best was picked afterwards, as long as true effects do
    scatter like draws from one normal distribution: check that the family is one.

    Assumptions: estimates close to normal, V known (from some hundred visitors each); one
    family; one look. Effects against the same control share its error: give V its covariances.

    Source: Efron and Morris (1975, JASA 70); the prior: Strawderman (1971, Annals of Mathematical
    Statistics 42: proper Bayes and minimax from five effects about a known centre); selection and
    posteriors: Dawid (1994, IMS Lecture Notes 24).

    Args:
        effects: Estimates y, shape (K,).
        covariance: V of their errors, shape (K, K); `np.diag` of variances if independent.
        n: Visitors each rests on, for the record; may be left out.
        centre: μ where it is known beforehand; None estimates it.
        alpha: Probability outside an interval.

    Raises:
        ValueError: Where shapes differ, or alpha is out of (0, 1).

    Examples:
        >>> family = shrink_family([0.09, 0.02, 0.01, 0.0], np.eye(4) * 0.03**2)
        >>> [round(effect.estimate, 3) for effect in family.effects]
        [0.06, 0.025, 0.02, 0.015]
    """
    y, count = np.asarray(effects, dtype=np.float64), len(effects)
    units = list(n) if len(n) else [0] * count
    if y.shape != (count,) or covariance.shape != (count, count) or len(units) != count:
        raise ValueError(f"{count} effects need a ({count}, {count}) covariance, as many n")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, not {alpha}")
    if reason := _trouble(y, covariance, centre):
        return Family(
            effects=tuple(unknown(each, reason) for each in units),
            centre=None,
            spread=None,
            reason=reason,
        )
    weights, means, sds, centres, spreads = _posterior(y, covariance, centre)
    low, high = (_quantiles(weights, means, sds, q) for q in (alpha / 2, 1 - alpha / 2))
    middle = weights @ means
    return Family(
        effects=tuple(
            Estimate(estimate=m, low=lo, high=hi, n=each)
            for m, lo, hi, each in zip(
                middle.tolist(), low.tolist(), high.tolist(), units, strict=True
            )
        ),
        centre=float(weights @ centres),
        spread=float(weights @ spreads),
    )


def segment_effects(
    segments: Mapping[str, Moments], *, alpha: float = ALPHA
) -> dict[str, Estimate]:
    """Segment → the difference of two arms in it, pooled partially over segments.

    The plain difference of a segment of n visitors, mean of ψ(arm) − ψ(control) with variance
    v / n, goes through `shrink_family`: large segments keep theirs, small ones are drawn to what
    is common. Segments without 100 visitors, or where all did the same, say nothing and get no
    estimate of their own.

    Assumptions: those of `shrink_family`; segments don't overlap and were fixed before the test.

    Args:
        segments: Name → moments of two columns: scores of the arm and of the control.
        alpha: Probability outside an interval.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> clicks = (rng.random((3_000, 2)) < [0.12, 0.1]).astype(float)
        >>> found = segment_effects(
        ...     {"savers": Moments.of(clicks[:2_600]), "rest": Moments.of(clicks[2_600:])}
        ... )
        >>> {name: round(effect.estimate, 3) for name, effect in found.items()}
        {'savers': 0.026, 'rest': 0.032}
    """
    contrast = np.array([1.0, -1.0])
    variances = {
        name: float(contrast @ each.covariance @ contrast) / max(each.n, 1)
        for name, each in segments.items()
    }
    told = [
        name for name, each in segments.items() if each.n >= MIN_UNITS and 0 < variances[name] < inf
    ]
    family = shrink_family(
        [float(contrast @ segments[name].mean) for name in told],
        np.diag([variances[name] for name in told]) if told else np.zeros((0, 0)),
        n=[segments[name].n for name in told],
        alpha=alpha,
    )
    known = dict(zip(told, family.effects, strict=True))
    return {
        name: known.get(name) or _silent(each, variances[name]) for name, each in segments.items()
    }


def _silent(segment: Moments, variance: float) -> Estimate:
    if segment.n < MIN_UNITS:
        return unknown(segment.n, f"needs {MIN_UNITS} visitors, has {segment.n}")
    return unknown(segment.n, "all did the same" if variance <= 0 else TOO_LARGE)


def _trouble(y: Array, covariance: Array, centre: float | None) -> str:
    """Why the family can't be shrunk; empty where it can."""
    if len(y) < (2 if centre is None else 1):
        return "needs two effects to see how alike they are"
    known = y if centre is None else np.append(y, centre)
    if not (np.isfinite(known).all() and np.isfinite(covariance).all()):
        return "an effect, its variance or the centre is missing"
    if np.abs(known).max() > _MOST:
        return TOO_LARGE
    least = 1e-8 * np.abs(covariance).max()
    if (
        not np.allclose(covariance, covariance.T, atol=least)
        or np.linalg.eigvalsh(covariance)[0] <= 0
    ):
        return "the errors' covariance is not that of anything: an effect without variance?"
    return ""


def _posterior(
    y: Array, covariance: Array, centre: float | None
) -> tuple[Array, Array, Array, Array, Array]:
    """The posterior as a mixture over τ, one normal a node.

    Returns:
        Weights (G,), means (G, K), standard deviations (G, K), centres (G,), τ (G,).
    """
    errors, axes = np.linalg.eigh(covariance)
    shared = (covariance.sum() - np.trace(covariance)) / max(len(y) * (len(y) - 1), 1)
    own: Array = np.diag(covariance) - shared
    own = np.where(own > 0, own, float(errors[0]))
    shrinkage = 1 / (1 + np.exp(-_LOGITS))
    variance: Array = np.exp(-_LOGITS)[:, None] * float(own.mean())
    turned, ones = axes.T @ y, axes.sum(axis=0)
    precision = 1 / (errors + variance)
    known = (precision * ones**2).sum(axis=1)
    if centre is None:
        centres = (precision * ones * turned).sum(axis=1) / known
    else:
        centres, known = np.full(len(_LOGITS), centre), np.full(len(_LOGITS), np.inf)
    rest = turned - centres[:, None] * ones
    log_weight = (np.log(precision) - precision * rest**2).sum(axis=1) / 2
    log_weight += np.log(shrinkage) / 2 + np.log1p(-shrinkage)  # prior B^-1/2 · dB/d(logit)
    if centre is None:
        log_weight -= np.log(known) / 2
    weights = np.exp(log_weight - log_weight.max())
    means = centres[:, None] + (variance * precision * rest) @ axes.T
    within = (variance * precision * errors) @ (axes**2).T
    of_centre = ((errors * precision * ones) @ axes.T) ** 2 / known[:, None]
    sds = np.sqrt(within + of_centre)
    return weights / weights.sum(), means, sds, centres, np.sqrt(variance[:, 0])


def _quantiles(weights: Array, means: Array, sds: Array, q: float) -> Array:
    """Where each effect's mixture has the probability q below it, by bisection, shape (K,)."""
    likely = weights > _NEGLIGIBLE
    weights, means, sds = weights[likely], means[likely], sds[likely]
    low: Array = (means - 40 * sds).min(axis=0)
    high: Array = (means + 40 * sds).max(axis=0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = weights @ ndtr((middle - means) / sds) < q
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
