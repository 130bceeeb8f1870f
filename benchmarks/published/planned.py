"""Does a test of the size that was forecast find the effect as often as was forecast?

A mailing's own customers are drawn again and again, with replacement, in the number that `power`
asks for if the effect is the one the whole mailing showed. For them that effect is the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.published.data import Mailing
from benchmarks.published.effects import compare
from benchmarks.published.looks import difference, looks_at, standings, tells
from hookline.selftest import Rate, rate_of
from hookline.stats import ALPHA, contrast_sd, sequence_power, sequence_units, z_power, z_units

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

ROUNDS = 4
"""The horizon is the size that the horizon asks for: repeated so often it stands still."""


class Test(NamedTuple):
    """One test of that size: found at the last look, at any look, or without an answer."""

    found: bool
    ever: bool
    refused: bool


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """A size, and how often tests of that size found the effect.

    Attributes:
        once: Whether one look was planned; else the sequence is looked at throughout.
        n: People of both arms.
        power: Chance of finding the effect at the last look, as forecast.
        found: How often it was found there.
        ever: How often at any look; the same where there is one.
        refused: Tests without an answer at the last look, for want of data.
    """

    mailing: str
    outcome: str
    arm: str
    once: bool
    n: int
    power: float
    found: Rate
    ever: Rate
    refused: int


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An arm and its control, from whom people are drawn; what they did is the truth.

    Attributes:
        mailing: Whose they are.
        name: Of the outcome.
        arm: Index of the arm.
    """

    mailing: Mailing
    name: str
    arm: int

    @property
    def pools(self) -> tuple[Array, Array]:
        """What there is to draw from, of the control and of the arm."""
        values, served = self.mailing.outcomes[self.name].values, self.mailing.served
        control, arm = (values[(served == each) & ~np.isnan(values)] for each in (0, self.arm))
        return control, arm

    @property
    def shares(self) -> Array:
        """Chances of the control and of the arm, for who gets one of them."""
        own = self.mailing.shares[[0, self.arm]]
        return own / own.sum()

    @property
    def effect(self) -> tuple[float, float]:
        """The true difference, and the standard deviation of one person's part in it."""
        control, arm = self.pools
        shares = self.shares.tolist()
        sd = contrast_sd((float(arm.var()), float(control.var())), (shares[1], shares[0]))
        return float(arm.mean() - control.mean()), sd

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Array, Integers]:
        """Outcome and arm (1 or 0) of n people in the order of arrival."""
        served = (rng.random(n) < self.shares[1]).astype(np.int64)
        control, arm = (pool[rng.integers(len(pool), size=n)] for pool in self.pools)
        return np.where(served == 1, arm, control), served

    def result(self, *, once: bool, n: int, power: float, tests: Sequence[Test]) -> Forecast:
        """The forecast beside what came of the tests."""
        return Forecast(
            mailing=self.mailing.name,
            outcome=self.name,
            arm=self.mailing.arms[self.arm],
            once=once,
            n=n,
            power=power,
            found=rate_of(sum(test.found for test in tests), len(tests)),
            ever=rate_of(sum(test.ever for test in tests), len(tests)),
            refused=sum(test.refused for test in tests),
        )


def forecasts(mailing: Mailing, *, runs: int, long_runs: int, seed: int) -> list[Forecast]:
    """Both kinds of test, for every effect of the mailing that one look at all of it tells.

    Args:
        mailing: Whose people are drawn.
        runs: Tests of one look, for each effect.
        long_runs: Tests that are looked at throughout, for each effect.
        seed: Of the draws.
    """
    found: list[Forecast] = []
    for name, outcome in mailing.outcomes.items():
        for arm in range(1, len(mailing.arms)):
            p_value = compare(outcome, mailing.served, arm).p_value
            if p_value is not None and p_value <= ALPHA:
                pair = Pair(mailing=mailing, name=name, arm=arm)
                rng = np.random.default_rng([seed, len(found)])
                found += [_once(pair, runs, rng), _throughout(pair, long_runs, rng)]
    return found


def _once(pair: Pair, runs: int, rng: np.random.Generator) -> Forecast:
    effect, sd = pair.effect
    n = z_units(effect, sd)
    assert n is not None
    tests: list[Test] = []
    for _ in range(runs):
        values, served = pair.draw(n, rng)
        drawn = replace(pair.mailing.outcomes[pair.name], values=values)
        p_value = compare(drawn, served, 1).p_value
        told = p_value is not None and p_value <= ALPHA
        tests.append(Test(found=told, ever=told, refused=p_value is None))
    return pair.result(once=True, n=n, power=z_power(effect, sd, n), tests=tests)


def _throughout(pair: Pair, runs: int, rng: np.random.Generator) -> Forecast:
    effect, sd = pair.effect
    n = z_units(effect, sd)
    for _ in range(ROUNDS):
        n = sequence_units(effect, sd, horizon=n or 1)
    assert n is not None
    edges, metric = looks_at(n), pair.mailing.outcomes[pair.name].metric
    tests: list[Test] = []
    for _ in range(runs):
        looks = [
            difference(standing.duels()[1], n)
            for standing in standings(*pair.draw(n, rng), pair.shares, metric, edges)
        ]
        tests.append(
            Test(
                found=tells(looks[-1]),
                ever=any(map(tells, looks)),
                refused=looks[-1].estimate is None,
            )
        )
    return pair.result(once=False, n=n, power=sequence_power(effect, sd, n, n), tests=tests)
