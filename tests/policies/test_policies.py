"""What each policy does with what it knows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, rel_entr

from hookline.errors import BadInput, UnregisteredName
from hookline.policies import POLICIES, Policy, draw, make_policy
from hookline.policies.actor_critic import own_variances
from hookline.policies.best import chance_of_best, normal_chance_of_best
from hookline.policies.ucb import bernoulli_bound
from hookline.types import Arm, Attributes, Context, Decision

AT = datetime(2026, 1, 5, tzinfo=UTC)
ARMS = [
    Arm(id="control", text="Our bag.", parts={}, control=True),
    Arm(id="warm", text="Treat them", parts={}, attributes=Attributes(tone="warm")),
    Arm(id="bold", text="Go far!", parts={}, attributes=Attributes(tone="bold")),
]
NOBODY = Context(visitor_id="v", at=AT)


def decision(arm: str, audience: str = "") -> Decision:
    return Decision(
        id="d",
        experiment_id="e",
        arm_id=arm,
        propensity=1 / 3,
        probabilities={each.id: 1 / 3 for each in ARMS},
        slice="uniform",
        reason="uniform",
        context=NOBODY,
        audience_id=audience,
    )


def teach(
    policy: Policy, rates: Mapping[str, float], visitors: int, audience: str = "", pays: float = 1.0
) -> Policy:
    """Shows every arm to `visitors` visitors, the given share of whom pay."""
    for arm, rate in rates.items():
        for index in range(visitors):
            reward = pays * (index < rate * visitors)
            policy.learn(decision(arm, audience), ARMS, reward)
    return policy


def shares(policy: Policy, audience: str = "") -> dict[str, float]:
    given_ = policy.probabilities(NOBODY, audience, ARMS)
    return {arm.id: float(share) for arm, share in zip(ARMS, given_, strict=True)}


@pytest.mark.parametrize("name", ["explore_then_commit", "thompson", "ucb", "actor_critic"])
@pytest.mark.parametrize("pays", [1.0, 49.9])
def test_policy_gives_most_to_what_is_clearly_best(name: str, pays: float) -> None:
    rates = {"control": 0.1, "warm": 0.3, "bold": 0.1}
    policy = teach(make_policy(name, {}), rates, 1000, pays=pays)
    assert shares(policy)["warm"] > 0.9


def test_uniform_never_moves() -> None:
    policy = teach(make_policy("uniform", {}), {"warm": 1.0, "bold": 0.0}, 50)
    assert list(shares(policy).values()) == pytest.approx([1 / 3] * 3)


def test_explore_then_commit_waits_for_every_arm() -> None:
    policy = make_policy("explore_then_commit", {"explore": 10, "floor": 0.0})
    teach(policy, {"control": 0.5, "warm": 0.9}, 10)
    teach(policy, {"bold": 0.1}, 9)
    assert shares(policy)["warm"] == pytest.approx(1 / 3)
    policy.learn(decision("bold"), ARMS, 0.0)
    assert shares(policy)["warm"] == 1.0
    newcomer = replace(ARMS[1], id="new")
    again = policy.probabilities(NOBODY, "", [*ARMS, newcomer])
    assert again.tolist() == [0.25] * 4


def test_explore_then_commit_shares_ties() -> None:
    policy = make_policy("explore_then_commit", {"explore": 10, "floor": 0.0})
    teach(policy, {"control": 0.2, "warm": 0.5, "bold": 0.5}, 10)
    assert shares(policy) == {"control": 0.0, "warm": 0.5, "bold": 0.5}


def test_thompson_is_what_drawing_from_its_posterior_gives() -> None:
    policy = make_policy("thompson", {"floor": 0.0, "spread": 1.0})
    policy.load('{"arms":{"control":[100,10,10],"warm":[100,14,14],"bold":[100,12,12]}}')
    rate = (36 + 1) / 302
    strength = (1 - rate) / rate - 1
    won = strength * rate + np.array([10, 14, 12])
    lost = strength * (1 - rate) + np.array([90, 86, 88])
    count = 200_000
    drawn = np.random.default_rng(3).beta(won, lost, (count, 3)).argmax(axis=1)
    chances = np.bincount(drawn, minlength=3) / count
    reach = 5 * np.sqrt(0.25 / count)
    assert np.abs(np.array(list(shares(policy).values())) - chances).max() < reach


def test_ucb_shows_unseen_arms_first_and_then_the_doubtful() -> None:
    policy = make_policy("ucb", {"floor": 0.0})
    teach(policy, {"control": 0.1}, 10)
    assert shares(policy) == {"control": 0.0, "warm": 0.5, "bold": 0.5}
    teach(policy, {"control": 0.1, "warm": 0.1}, 1000)
    teach(policy, {"bold": 0.1}, 10)
    assert shares(policy)["bold"] == 1.0


@given(mean=st.floats(0, 1), budget=st.floats(1e-6, 5))
def test_ucb_bound_is_where_the_divergence_meets_the_budget(mean: float, budget: float) -> None:
    bound = float(bernoulli_bound(np.array([mean]), np.array([budget]))[0])
    assert mean <= bound <= 1
    if bound < 1 - 1e-6:
        divergence = rel_entr(mean, bound) + rel_entr(1 - mean, 1 - bound)
        assert divergence == pytest.approx(budget, abs=1e-6)


def test_actor_critic_gives_each_audience_its_own() -> None:
    policy = make_policy("actor_critic", {})
    teach(policy, {"control": 0.1, "warm": 0.2, "bold": 0.05}, 600, "gifters")
    teach(policy, {"control": 0.1, "warm": 0.05, "bold": 0.2}, 600, "hikers")
    assert shares(policy, "gifters")["warm"] > 0.8
    assert shares(policy, "hikers")["bold"] > 0.8


def test_actor_critic_starts_new_copy_from_its_attributes() -> None:
    policy = make_policy("actor_critic", {})
    teach(policy, {"control": 0.1, "warm": 0.2, "bold": 0.05}, 600)
    warm = Arm(id="new", text="Treat them all", parts={}, attributes=Attributes(tone="warm"))
    bold = Arm(id="newer", text="Go further!", parts={}, attributes=Attributes(tone="bold"))
    given_ = policy.probabilities(NOBODY, "", [ARMS[0], warm, bold])
    assert given_[1] > 3 * given_[2]


def test_actor_critic_is_greedy_without_caution() -> None:
    policy = make_policy("actor_critic", {"caution": 0.0, "floor": 0.0})
    teach(policy, {"control": 0.1, "warm": 0.3, "bold": 0.1}, 320)
    assert shares(policy)["warm"] == pytest.approx(1.0)


def test_actor_critic_ignores_outcomes_of_arms_it_is_not_told_of() -> None:
    policy = make_policy("actor_critic", {})
    before = policy.dump()
    policy.learn(decision("gone"), ARMS, 1.0)
    policy.correct(decision("gone"), ARMS, -1.0)
    assert policy.dump() == before


@pytest.mark.parametrize("name", ["thompson", "ucb", "explore_then_commit", "uniform"])
def test_correction_gives_what_learning_it_right_would_have(name: str) -> None:
    late, right = make_policy(name, {}), make_policy(name, {})
    for policy, reward in ((late, 0.0), (right, 35.5)):
        policy.learn(decision("warm"), ARMS, reward)
    late.correct(decision("warm"), ARMS, 35.5)
    assert late.dump() == right.dump()


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("state", ["", "{}", "[]", '{"arms":{"a":"b"}}', '{"critic":{}}'])
def test_load_refuses_what_is_no_state(name: str, state: str) -> None:
    with pytest.raises(BadInput, match="no state of the policy"):
        make_policy(name, {}).load(state)


def test_make_policy_names_what_it_knows() -> None:
    with pytest.raises(UnregisteredName, match="did you mean 'thompson'"):
        make_policy("tompson", {})
    with pytest.raises(BadInput, match="no parameter 'epsilon'; it takes floor, spread"):
        make_policy("thompson", {"epsilon": 0.1})


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("uniform", {"floor": 0.6}),
        ("uniform", {"floor": float("nan")}),
        ("explore_then_commit", {"explore": 0}),
        ("thompson", {"spread": 0}),
        ("ucb", {"width": -1}),
        ("actor_critic", {"caution": 3.5}),
    ],
)
def test_make_policy_refuses_values_out_of_range(name: str, params: dict[str, float]) -> None:
    with pytest.raises(BadInput, match=f"{next(iter(params))} must lie in"):
        make_policy(name, params)


def test_policy_refuses_to_choose_among_nothing() -> None:
    with pytest.raises(BadInput, match="at least one arm"):
        make_policy("uniform", {}).probabilities(NOBODY, "", [])


@pytest.mark.parametrize("weights", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0], [-1.0, 3.0]])
def test_policy_refuses_weights_that_are_none(
    weights: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def propose(*_: object) -> np.ndarray:
        return np.array(weights)

    policy = make_policy("uniform", {})
    monkeypatch.setattr(policy, "propose", propose)
    with pytest.raises(FloatingPointError, match="uniform proposed"):
        policy.probabilities(NOBODY, "", ARMS[:2])


@given(
    weights=st.lists(st.floats(0, 1), min_size=1, max_size=8).filter(lambda all_: sum(all_) > 0.01),
    place=st.floats(0, 1, exclude_max=True),
)
def test_draw_takes_only_arms_that_can_be_drawn(weights: list[float], place: float) -> None:
    probabilities = np.array(weights) / sum(weights)
    assert probabilities[draw(probabilities, place)] > 0


@given(
    mean=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    sd=st.tuples(st.floats(0.01, 3), st.floats(0.01, 3)),
)
def test_chance_of_best_of_two_has_a_closed_form(
    mean: tuple[float, float], sd: tuple[float, float]
) -> None:
    first = normal_chance_of_best(np.array(mean), np.array(sd))[0]
    assert first == pytest.approx(ndtr((mean[0] - mean[1]) / np.hypot(*sd)), abs=0.004)


@pytest.mark.parametrize("count", [3, 10, 60, 200])
def test_chance_of_best_of_many_agrees_with_draws(count: int) -> None:
    rng = np.random.default_rng(count)
    mean, sd = rng.normal(0, 1, count), rng.uniform(0.05, 1, count)
    draws = 20_000
    best = rng.normal(mean, sd, (draws, count)).argmax(axis=1)
    chances = np.bincount(best, minlength=count) / draws
    reach = 5 * np.sqrt(0.25 / draws)
    assert np.abs(normal_chance_of_best(mean, sd) - chances).max() < reach


def test_chance_of_best_of_alike_arms_is_even() -> None:
    grid = np.linspace(0, 1, 400)
    np.testing.assert_allclose(chance_of_best(np.stack([grid] * 5)), np.full(5, 0.2), rtol=1e-12)


@given(
    own=st.lists(st.floats(0.1, 2), min_size=2, max_size=6),
    shared=st.floats(0, 5),
)
def test_own_variances_do_not_see_what_arms_share(own: list[float], shared: float) -> None:
    found = own_variances(np.diag(own) + shared)
    assert found.sum() == pytest.approx(sum(own))
    if len(own) > 2:
        np.testing.assert_allclose(found, own, rtol=1e-6)
