"""When others name a winner, asked of the same raw counts. Re-implemented from their own words."""

from typing import Final

import numpy as np
from scipy.special import betaincinv

from hookline.policies.best import normal_chance_of_best
from hookline.selftest.trials import Array

SURE: Final = 0.95
LEAST: Final = 100
"""Visitors of every variation before GrowthBook's bandit moves or marks anything."""


def growthbook(sums: Array) -> bool:
    """Whether GrowthBook marks a winner: some line's chance to be best is at least 95 %.

    Its bandits' documentation and source (`BanditsSimple`, 2026): a flat prior, each mean normal
    with the sample's standard error, and at least 100 visitors for every variation.

    Args:
        sums: Visitors, rewards, squared rewards and events of each line, shape (K, 4).
    """
    visitors, totals, squares, _ = sums.T
    if visitors.min() < LEAST:
        return False
    mean = totals / visitors
    variance = (squares / visitors - mean**2) / (visitors - 1)
    if variance.min() <= 0:
        return False
    return bool(normal_chance_of_best(mean, np.sqrt(variance)).max() >= SURE)


def banditdb(sums: Array) -> bool:
    """Whether BanditDB calls a campaign of 0/1 rewards converged: the leader's interval is alone.

    Its documentation says "non-overlapping 95 % intervals"; taken here as equal-tailed ones of
    Beta(1, 1) beliefs.

    Args:
        sums: Visitors, rewards, squared rewards and events of each line, shape (K, 4).
    """
    visitors, totals, _, _ = sums.T
    won, lost = totals + 1, visitors - totals + 1
    tails = np.array([[0.025], [0.975]])
    low, high = np.asarray(betaincinv(won, lost, tails), dtype=np.float64)
    leader = int((won / (won + lost)).argmax())
    return bool(low[leader] > np.delete(high, leader).max())
