"""Which creativity to try next: a bandit over the dial that keeps conversion above a floor.

What a slate brought is the log of its visitors' conversion rate over the control's. Rates at
neighbouring dials are alike, so belief is a Gaussian process over the dial: a slate tried at .5
says something of .4 too. Dials that may well lie below the floor are not tried; among the others
the next one is drawn by Thompson sampling. So the dial widens from where the marketer set it, as
far as what was seen makes that safe (after Sui et al. 2015, "Safe Exploration for Optimization with
Gaussian Processes", https://proceedings.mlr.press/v37/sui15.html, with a draw in place of bounds).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
from scipy.special import ndtr

from hookline.diversity import Array
from hookline.errors import BadInput
from hookline.slate.choose import check_creativity

LEVELS: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Dials that are tried."""

_SD: Final = 0.15
"""How far the log lift of one dial may lie from the mean of all, beforehand."""
_REACH: Final = 0.3
"""Distance on the dial over which lifts are still much alike."""
_OWN: Final = 0.1
"""Standard deviation of a slate's log lift around its dial's: products and lines differ."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What one slate came to.

    Attributes:
        creativity: The dial it was chosen with.
        visitors: Visitors who saw a line of it, of those who were given one evenly or by policy.
        conversions: How many of them converted.
        control_visitors: Visitors who saw the control at the same time.
        control_conversions: How many of these converted.
        category: Product category, for schedules by category.
    """

    creativity: float
    visitors: int
    conversions: int
    control_visitors: int
    control_conversions: int
    category: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DialBelief:
    """What is believed of one dial.

    Attributes:
        creativity: The dial.
        lift: Mean of the log of conversion over the control's.
        sd: Its standard deviation.
        risk: Probability that it lies below the floor, 0 to 1.
    """

    creativity: float
    lift: float
    sd: float
    risk: float


def believe(
    tried: Sequence[Tried], *, floor: float = 0.95, levels: Sequence[float] = LEVELS
) -> tuple[DialBelief, ...]:
    """What the slates so far say of each dial.

    Args:
        tried: Slates with their outcomes, in any order.
        floor: Least conversion that is put up with, as a share of the control's, above 0.
        levels: The dials.

    Raises:
        BadInput: Where a number lies outside its range.
    """
    mean, covariance = _posterior(tried, floor, levels)
    sds = np.sqrt(np.diag(covariance))
    risks = ndtr((log(floor) - mean) / sds)
    return tuple(
        DialBelief(creativity=dial, lift=lift, sd=sd, risk=risk)
        for dial, lift, sd, risk in zip(
            levels, mean.tolist(), sds.tolist(), risks.tolist(), strict=True
        )
    )


def propose(
    tried: Sequence[Tried],
    *,
    start: float,
    seed: int,
    floor: float = 0.95,
    most_risk: float = 0.1,
    levels: Sequence[float] = LEVELS,
) -> float:
    """The dial to choose the next slate with, one of `levels`.

    Where nothing is known it is the level nearest to `start`; that one stays allowed until it is
    more likely than not to lie below the floor. Where no level is allowed any more, it is the one
    least likely to lie below it.

    Args:
        tried: Slates with their outcomes, in any order.
        start: The marketer's own dial.
        seed: The same slates and seed give the same dial.
        floor: Least conversion that is put up with, as a share of the control's, above 0.
        most_risk: Probability of lying below the floor that another level may have, 0 to 1.
        levels: The dials to propose, at least one.

    Raises:
        BadInput: Where a number lies outside its range.
    """
    check_creativity(start)
    dials = np.array(levels)
    beliefs = believe(tried, floor=floor, levels=levels)
    risks = np.array([belief.risk for belief in beliefs])
    home = int(np.abs(dials - start).argmin())
    allowed = risks <= most_risk
    allowed[home] |= risks[home] <= 0.5 or not tried
    if not allowed.any():
        return float(dials[risks.argmin()])
    mean, covariance = _posterior(tried, floor, levels)
    rng = np.random.default_rng(seed)
    drawn = rng.multivariate_normal(mean, covariance, method="cholesky")
    return float(dials[np.where(allowed, drawn, -np.inf).argmax()])


def _posterior(
    tried: Sequence[Tried], floor: float, levels: Sequence[float]
) -> tuple[Array, Array]:
    """Mean and covariance of the log lift at each level.

    Beforehand a line is as good as the control; how good lines are in general is learned from all
    slates, through a part of the kernel that all dials share.
    """
    _check(tried, floor, levels)
    wanted = np.array(levels)
    seen = np.array([each.creativity for each in tried])
    lifts, variances = _lifts(tried)
    noise = np.diag(variances + _OWN**2)
    across = _kernel(wanted, seen)
    gain = np.linalg.solve(_kernel(seen, seen) + noise, across.T).T
    covariance = _kernel(wanted, wanted) - gain @ across.T
    return gain @ lifts, covariance + 1e-10 * np.eye(len(wanted))


def _kernel(one: Array, other: Array) -> Array:
    """Covariance of the log lifts at two dials: what all share, and what neighbours share."""
    apart = (one[:, None] - other[None, :]) / _REACH
    return _SD**2 * (1.0 + np.exp(-0.5 * apart**2))


def _lifts(tried: Sequence[Tried]) -> tuple[Array, Array]:
    """Each slate's log lift over the control, and the variance that chance gives it."""
    counts = np.array(
        [
            (each.conversions, each.visitors, each.control_conversions, each.control_visitors)
            for each in tried
        ],
        dtype=np.float64,
    ).reshape(-1, 4)
    won, shown, control_won, control_shown = counts.T
    # half a conversion more on each side: no log of 0, and little weight where there are few
    lifts = np.log((won + 0.5) / (shown + 1.0)) - np.log(
        (control_won + 0.5) / (control_shown + 1.0)
    )
    return lifts, 1.0 / (won + 0.5) + 1.0 / (control_won + 0.5)


def _check(tried: Sequence[Tried], floor: float, levels: Sequence[float]) -> None:
    if not floor > 0:
        raise BadInput(f"the floor must lie above 0, not {floor:g}")
    if not levels:
        raise BadInput("give at least one level of creativity to choose from")
    for dial in (*levels, *(each.creativity for each in tried)):
        check_creativity(dial)
    for each in tried:
        if not (
            0 <= each.conversions <= each.visitors
            and 0 <= each.control_conversions <= each.control_visitors
        ):
            raise BadInput("a slate can't have more conversions than visitors, nor fewer than 0")
