"""The policies of a back-test, each playing many tests of equally many lines at once.

The arithmetic is that of `hookline.policies`; here it runs over whole blocks of tests. Policies as
published (LOLA, UCB) see every click before the next visitor. Those that draw are given their
shares anew 500 times a test, as a live service learns in steps, not visitor by visitor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.policies.horizon_thompson import BOLDNESS, HorizonThompson, outlook
from hookline.policies.lola import lola_index
from hookline.stats import level, posterior

Array = NDArray[np.float64]

STEPS = 500
"""Times per test that a policy which draws takes in what happened."""

SHARES: Final = (0.02, 0.05, 0.1, 0.3, 0.5, 0.7)
"""Shares of the traffic that the tuned explore-then-commit may test with, beside 20 %."""

UCB_WIDTH = 0.08
"""Of the UCB that LOLA's authors compare with; the asymptotic 1 would test to the end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hint:
    """What a policy is told before the first visitor.

    Attributes:
        score: Forecast log ratio of each line, shape (tests, lines).
        pseudo_clicks: What it is worth, shape (tests, 1).
        level: Expected click rate of each test, same shape.
    """

    score: Array
    pseudo_clicks: Array
    level: Array


@dataclass(frozen=True, kw_only=True, slots=True)
class External:
    """What `predicted_ctr` adds.

    Attributes:
        predicted: As the file has it, shape (tests, lines).
        both: Hint from the text prior and this together.
    """

    predicted: Array
    both: Hint


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Tests of equally many lines, and the traffic they get.

    Attributes:
        rates: True click rate of each line, shape (tests, lines).
        visitors: Visitors of each test.
        own: Hint from the text prior.
        external: `predicted_ctr` and what follows from it; None where the file has none.
        beta: Empirical-Bayes prior of any line's rate, clicks and misses, each of shape (tests, 1).
        rng: Source of all draws.
    """

    rates: Array
    visitors: int
    own: Hint
    external: External | None
    beta: tuple[Array, Array]
    rng: np.random.Generator

    def click(self, arms: NDArray[np.int64], clicks: Array, shown: Array) -> None:
        """Shows each test's visitor an arm, and counts what comes of it."""
        rows = np.arange(arms.size)
        shown[rows, arms] += 1
        clicks[rows, arms] += self.rng.random(arms.size) < self.rates[rows, arms]

    def empty(self) -> tuple[Array, Array]:
        """No clicks and no impressions."""
        return np.zeros(self.rates.shape), np.zeros(self.rates.shape)


Player = Callable[[Block], Array]
"""Plays a block; gives back the expected clicks of each test, shape (tests,): the true rates of the
lines it showed, added up, which has the mean of the clicks drawn and less noise."""


def uniform(block: Block) -> Array:
    """Every line equally often."""
    return block.rates.mean(axis=1) * block.visitors


def oracle(block: Block) -> Array:
    """Always the line with the highest true rate."""
    return block.rates.max(axis=1) * block.visitors


def prior_only(block: Block) -> Array:
    """Always the line with the highest forecast."""
    rows = np.arange(len(block.rates))
    return block.rates[rows, block.own.score.argmax(axis=1)] * block.visitors


def explore_then_commit(block: Block, share: float = 0.2) -> Array:
    """Equal shares for the first part of the traffic, then all on the best; ties at random."""
    lines = block.rates.shape[1]
    each = round(share * block.visitors / lines)
    clicks = block.rng.binomial(each, block.rates)
    best = (clicks + 0.5 * block.rng.random(clicks.shape)).argmax(axis=1)
    rest = block.visitors - each * lines
    chosen = block.rates[np.arange(best.size), best]
    return each * block.rates.sum(axis=1) + rest * chosen


def ucb(block: Block) -> Array:
    """UCB1 with the width of LOLA's authors."""

    def index(clicks: Array, shown: Array, visitor: int) -> Array:
        bonus = UCB_WIDTH * np.sqrt(np.log(visitor + 2))
        return np.where(shown > 0, (clicks + bonus * np.sqrt(shown)) / np.maximum(shown, 1), np.inf)

    return _one_by_one(block, index)


def lola(block: Block) -> Array:
    """LOLA with the text prior: the test's expected level times each line's ratio."""
    guess = block.own.level * np.exp(block.own.score)
    return _one_by_one(block, lambda clicks, shown, _: lola_index(clicks, shown, guess))


def lola_external(block: Block) -> Array:
    """LOLA with `predicted_ctr`, as published."""
    guess = _external(block).predicted
    return _one_by_one(block, lambda clicks, shown, _: lola_index(clicks, shown, guess))


def thompson(block: Block) -> Array:
    """Thompson sampling; every line starts from the rates of the other tests' lines."""
    return _thompson(block, *block.beta)


def thompson_flat(block: Block) -> Array:
    """Thompson sampling from Beta(1, 1)."""
    return _thompson(block, 1.0, 1.0)


def hookline(block: Block) -> Array:
    """`horizon_thompson` with the text prior."""
    return _horizon_thompson(block, block.own)


def hookline_external(block: Block) -> Array:
    """`horizon_thompson` with the text prior and `predicted_ctr`."""
    return _horizon_thompson(block, _external(block).both)


PLAYERS: Final[Mapping[str, Player]] = {
    "hookline": hookline,
    "lola": lola,
    "thompson": thompson,
    "thompson_flat": thompson_flat,
    "ucb": ucb,
    "explore_then_commit": explore_then_commit,
    "prior_only": prior_only,
    "uniform": uniform,
    "oracle": oracle,
}
"""Name → player that needs nothing but the file."""

EXTERNAL: Final[Mapping[str, Player]] = {
    "hookline_external": hookline_external,
    "lola_external": lola_external,
}
"""Name → player that needs `predicted_ctr`."""


def _external(block: Block) -> External:
    if block.external is None:
        raise BadInput("this policy needs a predicted_ctr for every line")
    return block.external


def _one_by_one(block: Block, index: Callable[[Array, Array, int], Array]) -> Array:
    clicks, shown = block.empty()
    for visitor in range(block.visitors):
        block.click(index(clicks, shown, visitor).argmax(axis=1), clicks, shown)
    return (shown * block.rates).sum(axis=1)


def _in_steps(block: Block, draw: Callable[[Array, Array, int, int], Array]) -> Array:
    """Plays in steps; `draw(clicks, shown, left, count)` values lines for `count` visitors."""
    clicks, shown = block.empty()
    tests, lines = len(block.rates), int(block.rates.shape[1])
    step = max(1, block.visitors // STEPS)
    left = block.visitors
    while left:
        count = min(step, left)
        picks = draw(clicks, shown, left, count).argmax(axis=-1)
        flat = (picks + np.arange(tests) * lines).ravel()
        served = np.bincount(flat, minlength=tests * lines).reshape(tests, lines)
        shown += served
        clicks += block.rng.binomial(served, block.rates)
        left -= count
    return (shown * block.rates).sum(axis=1)


def _thompson(block: Block, won: Array | float, lost: Array | float) -> Array:
    def draw(clicks: Array, shown: Array, left: int, count: int) -> Array:
        del left
        size = (count, *clicks.shape)
        return block.rng.beta(won + clicks, lost + shown - clicks, size=size)

    return _in_steps(block, draw)


def _horizon_thompson(block: Block, hint: Hint) -> Array:
    floor = min(HorizonThompson(horizon=1).floor, 0.5 / block.rates.shape[1])
    pseudo = np.broadcast_to(hint.pseudo_clicks, block.rates.shape)
    worth = HorizonThompson(horizon=1).level_clicks

    def draw(clicks: Array, shown: Array, left: int, count: int) -> Array:
        at = level(clicks, shown, hint.score, pseudo, (hint.level, worth))
        mean, sd = outlook(*posterior(clicks, shown, hint.score, pseudo, at), left)
        values = mean + BOLDNESS * sd * block.rng.standard_normal((count, *mean.shape))
        forced = block.rng.random((count, mean.shape[0], 1)) < floor * mean.shape[1]
        return np.where(forced, block.rng.random(values.shape), values)

    return _in_steps(block, draw)
