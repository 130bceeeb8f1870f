"""Identical lines: which rules ever name a difference between them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from benchmarks.aa.rivals import banditdb, growthbook
from hookline.selftest import Trial, example, play
from hookline.selftest.trials import DAYS
from hookline.types import Experiment

RATE: Final = 0.05
HOLDOUT, UNIFORM = 0.1, 0.1
THEIRS: Final = "as GrowthBook runs it"
"""Name of Thompson sampling with a flat prior, a floor of 1 %, and all of the traffic."""
RULES: Final = (
    "winner", "claim", "difference", "audience", "policy", "z-test", "GrowthBook", "BanditDB",
)  # fmt: skip
"""What is counted: the first five are the report's, `claim` being a winner, an audience's best
line or the policy called better; `difference` is a lift's interval that leaves out 0."""


def experiment_of(policy: str, arms: int, visitors: int) -> Experiment:
    """The experiment that a policy, or GrowthBook's own bandit, is tried on."""
    if policy != THEIRS:
        return example(policy, arms, horizon=visitors, holdout=HOLDOUT, uniform=UNIFORM)
    bandit = example("thompson", arms, horizon=visitors, holdout=0.0, uniform=0.0)
    return replace(bandit, policy_params={"spread": 10.0, "floor": 0.01})


def identical(policy: str, arms: int, visitors: int, seed: tuple[int, ...]) -> Mapping[str, int]:
    """Rule → 1 where it ever named a difference in one test, else 0.

    All rules look at the same visitors at the same moments, save GrowthBook's, which looks once a
    day.
    """
    looks = 30 if policy == THEIRS else 60
    trial = Trial(
        experiment=experiment_of(policy, arms, visitors), visitors=visitors, rate=RATE, looks=looks
    )
    daily = {round(visitors * day / DAYS) for day in range(1, DAYS + 1)}
    ever = np.zeros(len(RULES), dtype=np.bool_)
    for look in play(trial, seed):
        said = look.claims
        ever |= (
            said.winner,
            said.winner or said.audience or said.policy,
            said.difference,
            said.audience,
            said.policy,
            look.significant,
            look.visitors in daily and growthbook(look.sums),
            banditdb(look.sums),
        )
    return dict(zip(RULES, ever.astype(int).tolist(), strict=True))
