"""Who is heard: visitors who click like machines are not, nor lines whose clicks are not shoppers'.

A log can be poisoned: somebody has machines click one phrase, and a writer that learns from the log
learns the phrase. What is done here costs an honest log next to nothing. What it can and can't do
is measured in docs/tuning.md.
"""

from math import inf, log, sqrt
from typing import Final

import numpy as np
from scipy.special import bdtrc, gammaln, ndtr, ndtri

from hookline.report.table import Array, Flags, Integers, Table
from hookline.tune.logged import Defence
from hookline.types import Metric

HIGHEST: Final = 0.5
"""Highest click rate an honest visitor is thought to have, whatever the usual one is."""
PREFERENCE: Final = 4.0
"""Highest odds at which an honest visitor clicks the best line rather than the others: of 10,000
shoppers of the simulated shop none goes beyond 3.3."""
LEAST_ORDERS: Final = 10.0
"""Fewest orders to be expected of a line's clicks before too few can be told."""
FALSE_ALARM: Final = 0.01
"""Chance that any line of an honest test is called hollow."""
LEAST_CLICKS: Final = 10
"""Fewest clicks, on a line and on the others, before two groups of visitors are compared."""
_FEWEST: Final = 3
"""Fewest clicks on one line by which a visitor can be told to be partial to it."""
_ROUNDS: Final = 5
"""Most times the usual rate is estimated again without those set aside."""


def counted(rows: Flags, visitors: Integers, arms: Integers, hits: Flags, how: Defence) -> Flags:
    """The rows without those of visitors who click like machines.

    The usual rate r is the mean of visitors' own rates, so that nobody moves it much by coming
    often. A visitor with k clicks on n showings is set aside where

        P(Binomial(n, min(ceiling · r, HIGHEST)) ≥ k) < chance,

    and r is then estimated without them, and again. A machine that is after one phrase alone may
    click no more often than others do, so who prefers a line too much is set aside as well, see
    `_partial`.

    Args:
        rows: Rows that would count, shape (n,).
        visitors: Index of the visitor, shape (n,).
        arms: Index of the line, shape (n,).
        hits: Whether it was clicked, or what else is to be learned from, shape (n,).
        how: Ceiling and chance.

    Returns:
        Shape (n,).
    """
    count, lines = int(visitors.max(initial=-1)) + 1, int(arms.max(initial=-1)) + 1
    own, won = visitors[rows], hits[rows].astype(np.float64)
    shown = np.bincount(own, minlength=count)
    clicks = np.bincount(own, weights=won, minlength=count)
    cells = own * lines + arms[rows]
    per_line = np.bincount(cells, minlength=count * lines).reshape(count, lines)
    clicked: Array = np.bincount(cells, weights=won, minlength=count * lines).astype(np.float64)
    fair = (shown > 0) & ~_partial(per_line, clicked.reshape(count, lines), how.chance)
    heard = fair
    for _ in range(_ROUNDS):
        if not heard.any():
            break
        rate = min(how.ceiling * float((clicks[heard] / shown[heard]).mean()), HIGHEST)
        tail = bdtrc(np.maximum(clicks - 1, 0), np.maximum(shown, 1), rate)
        after = fair & ~((clicks > 0) & (tail < how.chance))
        if (after == heard).all():
            break
        heard = after
    return rows & heard[visitors]


def hollow(table: Table, rows: Flags, how: Defence) -> Flags:
    """Whether each line's clicks bring far fewer orders than those of the other lines, shape (K,).

    With o orders on c clicks of a line, O on C of the others and p their common rate, a line is
    hollow where

        o/c − s·O/C < z · √(p(1 − p)(1/c + s²/C)),

    s being `Defence.substance` and z the quantile of `FALSE_ALARM` shared out among the lines.
    Nothing can be told without orders, or with fewer than `LEAST_ORDERS` to be expected.

    Args:
        table: The test's decisions.
        rows: Rows that count, shape (n,).
        how: Substance.
    """
    count = table.probabilities.shape[1]
    after = rows & table.settled["orders"] & (table.rewards["clicks"] > 0)
    clicks = np.bincount(table.arms[after], minlength=count).astype(np.float64)
    orders = np.bincount(table.arms[after], weights=table.rewards["orders"][after], minlength=count)
    found = np.zeros(count, dtype=np.bool_)
    for line in range(count):
        c, rest = clicks[line], clicks.sum() - clicks[line]
        if c < 1 or rest < 1:
            continue
        usual = (orders.sum() - orders[line]) / rest
        if c * usual < LEAST_ORDERS:
            continue
        p, s = orders.sum() / clicks.sum(), how.substance
        noise = sqrt(p * (1 - p) * (1 / c + s**2 / rest))
        gap = orders[line] / c - s * usual
        found[line] = noise > 0 and ndtr(gap / noise) < FALSE_ALARM / count
    return found


def strange(table: Table, rows: Flags, visitors: Integers, metric: Metric, how: Defence) -> Flags:
    """Whether strangers alone are taken with a line, shape (K,): visitors who came only once.

    With l₁ the rate of a line relative to that of the other lines among visitors who came once, l₂
    among those who came again, both corrected for what the policy preferred (Hájek), a line is
    strange where

        ln l₁ − ln l₂ > ln `Defence.liking` + z · s,

    s being the standard error by the delta method and z the quantile of `FALSE_ALARM` shared out
    among the lines. Nothing can be told where nobody is decided for twice, or with fewer than
    `LEAST_CLICKS` on either side.

    Args:
        table: The test's decisions.
        rows: Rows that count, shape (n,).
        visitors: Index of the visitor, shape (n,).
        metric: The test's objective.
        how: Liking.
    """
    count = int(table.probabilities.shape[1])
    came = np.bincount(visitors[rows], minlength=int(visitors.max(initial=-1)) + 1)[visitors]
    limit = float(ndtri(1 - FALSE_ALARM / count))
    found = np.zeros(count, dtype=np.bool_)
    for line in range(count):
        own = table.arms == line
        sides = [
            _log_rate(table, rows & group & side, metric)
            for group in (came == 1, came > 1)
            for side in (own, ~own)
        ]
        if any(variance == inf for _, variance in sides):
            continue
        (once, usual), (again, usually) = (sides[0][0], sides[1][0]), (sides[2][0], sides[3][0])
        error = sqrt(sum(variance for _, variance in sides))
        found[line] = (once - usual) - (again - usually) > log(how.liking) + limit * error
    return found


def _log_rate(table: Table, rows: Flags, metric: Metric) -> tuple[float, float]:
    """Log of the rows' mean reward by Hájek weights, and its variance, infinite if unknown."""
    rewards, arms = table.rewards[metric][rows], table.arms[rows]
    if (rewards != 0).sum() < LEAST_CLICKS:
        return 0.0, inf
    weights = 1 / table.probabilities[rows][np.arange(len(arms)), arms]
    mean = float(np.average(rewards, weights=weights))
    if mean <= 0:
        return 0.0, inf
    spread = float((weights**2 * (rewards - mean) ** 2).sum())
    return log(mean), spread / (float(weights.sum()) * mean) ** 2


def _partial(shown: Integers, clicks: Array, chance: float) -> Flags:
    """Who prefers one line more than an honest visitor would, shape (visitors,).

    Of n showings m were of the line that the visitor clicked most, and of k clicks j were on it.
    Whatever the visitor's click rate, the j come from Fisher's noncentral hypergeometric
    distribution, with odds of `PREFERENCE` at most:

        P(J = i) ∝ C(m, i) · C(n − m, k − i) · odds^i

    Whoever would have as many as j with less than the chance, shared out among the lines, is
    partial. A visitor with fewer than `_FEWEST` clicks on a line is not looked at.

    Args:
        shown: Showings of each line, shape (visitors, K).
        clicks: Of these, clicked ones, same shape.
        chance: That a visitor with the highest honest preference is called partial.
    """
    found = np.zeros(len(shown), dtype=np.bool_)
    for at in np.flatnonzero(clicks.max(axis=1, initial=0.0) >= _FEWEST).tolist():
        line = int(clicks[at].argmax())
        m, k = int(shown[at, line]), int(clicks[at].sum())
        rest = int(shown[at].sum()) - m
        i = np.arange(max(k - rest, 0), min(m, k) + 1, dtype=np.float64)
        logs = _choose(m, i) + _choose(rest, k - i) + i * log(PREFERENCE)
        mass = np.exp(logs - logs.max())
        tail = mass[i >= clicks[at, line]].sum() / mass.sum()
        found[at] = tail < chance / shown.shape[1]
    return found


def _choose(n: int, k: Array) -> Array:
    """Log of the number of ways to choose k of n."""
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
