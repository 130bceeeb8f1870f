"""Visitors of a self-test are served and learned from as those of a running experiment."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import make_experiment
from hookline.errors import Refused, UnregisteredName
from hookline.experiment import audience_of, decide
from hookline.policies import POLICIES, make_policy
from hookline.policies.tally import TallyPolicy, TallyState
from hookline.selftest import Traffic, edges_of, example, under
from hookline.selftest.traffic import START
from hookline.types import Audience, loads

SUMS = [name for name, policy in POLICIES.items() if issubclass(policy, TallyPolicy)]


def traffic(policy: str, arms: int = 3, **changes: float) -> Traffic:
    split = {"holdout": 0.1, "uniform": 0.1} | changes
    made = example(policy, arms, horizon=2_000, holdout=split["holdout"], uniform=split["uniform"])
    return Traffic(made, np.random.default_rng(4))


@pytest.mark.parametrize("policy", SUMS)
def test_learning_by_sums_is_learning_visitor_by_visitor(policy: str) -> None:
    world, rng = traffic(policy), np.random.default_rng(1)
    experiment = world.experiment
    alone = make_policy(policy, experiment.policy_params)
    for _ in range(3):
        batch = world.serve(200, START)
        rewards = (rng.random(200) < 0.2).astype(float)
        world.learn(batch, rewards)
        for audience, arm, reward in zip(batch.audiences, batch.arms, rewards, strict=True):
            decision = replace(batch.decisions[audience], arm_id=experiment.arms[arm].id)
            alone.learn(decision, experiment.arms, float(reward))
    assert loads(world._policy.dump(), TallyState) == loads(alone.dump(), TallyState)


@pytest.mark.parametrize("policy", sorted(set(POLICIES) - set(SUMS)))
def test_other_policies_are_told_of_every_visitor(policy: str) -> None:
    world = traffic(policy)
    before = world._policy.dump()
    batch = world.serve(50, START)
    told: list[tuple[str, str, float, float]] = []
    world._policy.learn = lambda decision, arms, reward: told.append(  # type: ignore[method-assign]
        (decision.audience_id, decision.arm_id, decision.propensity, reward)
    )
    rewards = np.arange(50.0)
    world.learn(batch, rewards)
    assert world._policy.dump() == before
    assert [each[3] for each in told] == rewards.tolist()
    for (audience, arm, propensity, _), place, line in zip(
        told, batch.audiences, batch.arms, strict=True
    ):
        assert audience == ("regulars", "others")[place]
        assert arm == world.experiment.arms[line].id
        assert propensity == batch.marginal[place, line]


@pytest.mark.parametrize("policy", POLICIES)
def test_probabilities_are_those_that_real_visitors_have_and_lines_are_drawn_by_them(
    policy: str,
) -> None:
    world, rng = traffic(policy), np.random.default_rng(2)
    for _ in range(2):
        batch = world.serve(400, START)
        world.learn(batch, (rng.random(400) < [0.02, 0.1, 0.3][1]).astype(float))
    batch = world.serve(20_000, START)
    for place, context in enumerate(world.contexts):
        decision = decide(world.experiment, replace(context, at=START), world._policy, "s")
        assert list(decision.probabilities.values()) == pytest.approx(batch.marginal[place])
        own = batch.arms[batch.audiences == place]
        shares = np.bincount(own, minlength=3) / len(own)
        expected = batch.marginal[place]
        assert np.abs(shares - expected).max() < 5 * np.sqrt(0.25 / len(own))
        assert (batch.probabilities[batch.audiences == place] == expected).all()


def test_withdrawn_lines_and_candidates_do_not_play() -> None:
    whole = make_experiment()
    arms = (*whole.arms[:2], replace(whole.arms[2], active=False))
    world = Traffic(replace(whole, arms=arms, status="paused"), np.random.default_rng(0))
    assert [arm.id for arm in world.experiment.arms] == ["control", "a"]
    assert world.serve(10, START).marginal.shape == (2, 2)


def test_every_audience_that_can_be_reached_has_its_visitor() -> None:
    audiences = (
        Audience(id="x", name="X", when={"s": ("1", "2")}),
        Audience(id="never", name="Never", when={"s": ("2",)}),
        Audience(id="both", name="Both", when={"s": ("3",), "t": ("4",)}),
    )
    world = Traffic(make_experiment(audiences=audiences), np.random.default_rng(0))
    found = [audience_of(context, audiences) for context in world.contexts]
    assert found == ["x", "both", ""]
    alone = Traffic(make_experiment(audiences=()), np.random.default_rng(0))
    assert alone.audiences == 1


def test_a_line_without_a_chance_is_refused() -> None:
    greedy = under("ucb", make_experiment(uniform=0.0, holdout=0.0))
    world = Traffic(replace(greedy, policy_params={"floor": 0.0}), np.random.default_rng(0))
    batch = world.serve(100, START)
    world.learn(batch, (batch.arms == 1).astype(float))
    with pytest.raises(Refused, match="uniform slice"):
        world.serve(1, START)


def test_under_tells_the_horizon_to_who_asks_and_refuses_strangers() -> None:
    whole = make_experiment(horizon=777)
    assert under("horizon_thompson", whole).policy_params == {"horizon": 777.0}
    assert under("thompson", whole).policy_params == {}
    with pytest.raises(UnregisteredName, match="thompson"):
        under("tompson", whole)


def test_example_has_one_control_and_lines_that_differ_in_nothing_that_counts() -> None:
    made = example("uniform", 20, horizon=100, holdout=0.1, uniform=0.1)
    assert [arm.control for arm in made.arms] == [True] + [False] * 19
    assert len({arm.id for arm in made.arms}) == len({arm.text for arm in made.arms}) == 20


@given(
    visitors=st.integers(100, 1_000_000),
    looks=st.integers(1, 100),
    first=st.integers(1, 500),
)
def test_edges_rise_to_the_end_and_begin_early(visitors: int, looks: int, first: int) -> None:
    edges = edges_of(visitors, min(looks, visitors), first)
    assert edges[-1] == visitors
    assert all(0 < before < after for before, after in pairwise(edges))
    assert len(edges) >= min(looks, visitors)
    assert edges[0] >= first or edges[0] == round(visitors / min(looks, visitors))
    assert edges[0] < 2 * first or len(edges) == min(looks, visitors) or edges[0] // 2 < first
