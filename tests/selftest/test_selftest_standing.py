"""What a self-test counts is what the report says of the same log."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from hookline.report import analyze
from hookline.selftest import Standing, Traffic, columns_of, example, significant
from hookline.selftest.standing import Array, Integers
from hookline.selftest.traffic import START
from hookline.types import Estimate, Metric, Outcome

RATES = np.array([[0.2, 0.34, 0.1], [0.25, 0.4, 0.55]])
"""Of either audience under three lines: different enough for claims of every kind."""
BATCH = 400


def served(metric: Metric, seed: int) -> tuple[Standing, list[Outcome]]:
    """Some visitors as the self-test keeps them, and the same as outcomes."""
    rng = np.random.default_rng(seed)
    made = example("thompson", 3, horizon=3_000, holdout=0.1, uniform=0.1)
    world = Traffic(replace(made, objective=metric), rng)
    outcomes: list[Outcome] = []
    parts: list[tuple[Array, Integers, Array, Integers]] = []
    for part in range(10):
        batch = world.serve(BATCH, START + timedelta(days=part))
        rewards = (rng.random(BATCH) < RATES[batch.audiences, batch.arms]).astype(float)
        if metric == "revenue":
            rewards *= rng.lognormal(1, 0.5, BATCH)
        world.learn(batch, rewards)
        parts.append((rewards, batch.arms, batch.probabilities, batch.audiences))
        for audience, arm, reward in zip(batch.audiences, batch.arms, rewards, strict=True):
            decision = batch.decisions[audience]
            outcomes.append(
                Outcome(
                    decision=replace(
                        decision,
                        id=str(len(outcomes)),
                        arm_id=world.experiment.arms[arm].id,
                        slice="policy",
                    ),
                    exposed=True,
                    clicks=int(reward > 0),
                    orders=int(reward > 0),
                    revenue=reward,
                    click_settled=True,
                    order_settled=True,
                )
            )
    rewards = np.concatenate([part[0] for part in parts])
    arms = np.concatenate([part[1] for part in parts])
    probabilities = np.concatenate([part[2] for part in parts])
    audiences = np.concatenate([part[3] for part in parts])
    columns = columns_of(world.experiment, rewards, arms, probabilities, audiences)
    standing = Standing.none(world.experiment, metric, 2)
    for start in range(0, len(rewards), BATCH):
        rows = slice(start, start + BATCH)
        standing = standing.after(columns[rows], rewards[rows], arms[rows], audiences[rows])
    return standing, outcomes


def same(ours: Estimate, theirs: Estimate) -> None:
    assert (ours.n, ours.reason) == (theirs.n, theirs.reason)
    for name in ("estimate", "low", "high"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("metric", ["clicks", "revenue"])
@pytest.mark.parametrize("seed", range(3))
def test_standing_says_what_the_report_says(metric: Metric, seed: int) -> None:
    standing, outcomes = served(metric, seed)
    experiment = standing.experiment
    report = analyze(experiment, outcomes, {}, writing_usd=0).report
    for arm, duel in zip(report.arms, standing.duels(), strict=True):
        same(duel.rate(experiment.horizon), arm.rate[metric])
        if not arm.arm.control:
            same(duel.lift(experiment.horizon, standing.arm_alpha), arm.lift[metric])
    same(standing.evidence().lift(), report.lift[metric])
    same(standing.evidence().total_gain(), report.gain[metric])
    said = standing.claims()
    assert said.winner == (report.verdict == "ship")
    assert said.audience == any(audience.proven for audience in report.audiences)
    lift = report.lift[metric]
    assert lift.low is not None
    assert said.policy == (lift.low > 0)
    if metric == "clicks":
        assert said.audience  # a difference this large is found: the equalities are not of Nones
        assert said.policy


def test_claims_below_the_least_data_are_none() -> None:
    standing, _ = served("clicks", 0)
    empty = Standing.none(standing.experiment, "clicks", 2)
    assert not any(empty.claims())
    nobody = np.zeros(0, dtype=np.int64)
    assert not any(empty.after(np.zeros((0, 13)), np.zeros(0), nobody, nobody).claims())


def test_worse_lines_are_a_difference_and_no_winner() -> None:
    standing, _ = served("clicks", 0)
    count = 4_000
    rng = np.random.default_rng(0)
    arms, audiences = rng.integers(3, size=count), rng.integers(2, size=count)
    rewards = (rng.random(count) < np.array([0.5, 0.1, 0.1])[arms]).astype(float)
    even = np.full((count, 3), 1 / 3)
    experiment = replace(standing.experiment, holdout=0.0, uniform=1.0)
    columns = columns_of(experiment, rewards, arms, even, audiences)
    known = Standing.none(experiment, "clicks", 2).after(columns, rewards, arms, audiences)
    said = known.claims()
    assert said.difference
    assert not said.winner
    assert not said.audience
    assert not said.policy
    assert known.evidence().lift().reason  # no share is left to a policy


def test_policy_over_uniform_is_the_lift_over_equal_shares() -> None:
    standing, outcomes = served("clicks", 1)
    found = standing.over_uniform().lift(standing.experiment.horizon, 0.05)
    assert found.n == len(outcomes)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.45 / 0.3 - 1  # nobody does better than the best line of each audience
    assert found.high > 0


@pytest.mark.parametrize(
    ("clicks", "said"),
    [([100, 100], False), ([100, 160], True), ([160, 100], True), ([19, 60], False)],
)
def test_significant_is_the_z_test_from_20_events_on(clicks: list[int], said: bool) -> None:
    totals = np.array(clicks, dtype=float)
    sums = np.column_stack([np.full(2, 1_000.0), totals, totals, totals])
    assert significant(sums, 0) == said


def test_significant_corrects_for_the_number_of_challengers() -> None:
    totals = np.array([100.0, 128.0])
    pair = np.column_stack([np.full(2, 1_000.0), totals, totals, totals])
    many = np.vstack([pair, np.tile(pair[:1], (18, 1))])
    assert significant(pair, 0)  # z = 1.97
    assert not significant(many, 0)
