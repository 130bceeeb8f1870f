"""`ppo` learns what it should, by buffer, and takes corrections in and out of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from hookline.errors import BadInput
from hookline.perceive import VERSION
from hookline.policies import draw
from hookline.policies.ppo import MAX_WEIGHT, Pending, Ppo, PpoState, dense_states
from hookline.policies.ppo import _pending as pending_of
from hookline.policies.ppo import _targets as targets_of
from hookline.testing import check_policy
from hookline.types import Arm, Attributes, Context, Decision, dumps, loads

AT = datetime(2025, 1, 1, tzinfo=UTC)
ARMS = [
    Arm(id="control", text="Our bag.", parts={}, control=True),
    Arm(id="value", text="A bag that pays", parts={}, attributes=Attributes(angle="value")),
    Arm(id="occasion", text="For the road", parts={}, attributes=Attributes(angle="occasion")),
    Arm(id="warm", text="Made for you", parts={}, attributes=Attributes(tone="warm")),
]
TASTES = ("savers", "walkers")


def context_of(number: int, taste: str = "savers") -> Context:
    device = ("mobile", "desktop")[number // 2 % 2]
    return Context(visitor_id=f"v{number}", at=AT, traits={"taste": taste}, device=device)


def decided(policy: Ppo, context: Context, place: float) -> Decision:
    """A decision with a hold-out of .1 and a uniform slice of .1, and logged so."""
    shares = policy.probabilities(context, "", ARMS)
    logged = 0.8 * shares + 0.1 / len(ARMS)
    logged[0] += 0.1
    served = draw(logged, place)
    return Decision(
        id=context.visitor_id,
        experiment_id="test",
        arm_id=ARMS[served].id,
        propensity=float(logged[served]),
        probabilities={arm.id: float(p) for arm, p in zip(ARMS, logged, strict=True)},
        slice="policy",
        reason="policy",
        context=context,
    )


def taught(policy: Ppo, visits: int, chance: Callable[[str, str], float], unit: float = 1) -> Ppo:
    """The policy after so many visitors, each taste in turn; `chance` is by taste and arm."""
    luck = np.random.default_rng(5).random((visits, 2))
    for number, (place, click) in enumerate(luck.tolist()):
        taste = TASTES[number % 2]
        decision = decided(policy, context_of(number, taste), place)
        policy.learn(decision, ARMS, unit * (click < chance(taste, decision.arm_id)))
    return policy


def shares(policy: Ppo, taste: str) -> dict[str, float]:
    """Mean probability of each arm for visitors of this taste."""
    all_ = [policy.probabilities(context_of(n, taste), "", ARMS) for n in (0, 2)]
    return dict(zip((arm.id for arm in ARMS), np.mean(all_, axis=0).tolist(), strict=True))


def state_of(policy: Ppo) -> PpoState:
    return loads(policy.dump(), PpoState)


def test_ppo_finds_the_better_arm() -> None:
    policy = taught(Ppo(learning_rate=0.01), 1_600, lambda _, arm: 0.4 if arm == "value" else 0.1)
    for taste in TASTES:
        assert shares(policy, taste)["value"] > 0.8


def test_ppo_gives_each_group_what_it_prefers() -> None:
    liked = {"savers": "value", "walkers": "occasion"}
    policy = taught(
        Ppo(learning_rate=0.01), 3_000, lambda taste, arm: 0.5 if arm == liked[taste] else 0.1
    )
    for taste, arm in liked.items():
        assert shares(policy, taste)[arm] > 0.7


def test_ppo_asks_for_the_same_steps_whatever_the_currency() -> None:
    clicks, money = (
        taught(Ppo(buffer=100), 400, lambda _, arm: 0.4 if arm == "value" else 0.1, unit)
        for unit in (1.0, 64.0)
    )
    assert shares(clicks, "savers") == pytest.approx(shares(money, "savers"), abs=1e-9)


def test_ppo_learns_when_its_buffer_is_full() -> None:
    policy = Ppo(buffer=10)
    even = state_of(policy).network
    for number in range(10):
        state = state_of(policy)
        assert state.network == even
        assert len(state.pending) == number
        policy.learn(decided(policy, context_of(number), 0.6), ARMS, 1.0)
    assert state_of(policy).network.steps == 4
    assert state_of(policy).pending == ()


def test_ppo_corrects_in_the_buffer_as_if_it_had_learned_so() -> None:
    wrong, right = Ppo(), Ppo()
    decision = decided(wrong, context_of(0), 0.6)
    wrong.learn(decision, ARMS, 0.0)
    wrong.correct(decision, ARMS, 1.0)
    right.learn(decision, ARMS, 1.0)
    assert state_of(wrong).pending == state_of(right).pending


def test_ppo_takes_a_late_change_in_with_the_next_buffer_and_back_before() -> None:
    policy = Ppo(buffer=8, learning_rate=0.01)
    decisions = [decided(policy, context_of(number), number / 8) for number in range(8)]
    for decision in decisions:
        policy.learn(decision, ARMS, 0.0)
    before = policy.dump()
    policy.correct(decisions[3], ARMS, 2.5)
    (late,) = state_of(policy).pending
    assert (late.late, late.reward) == (True, 2.5)
    policy.correct(decisions[3], ARMS, -2.5)
    assert policy.dump() == before


def test_ppo_learns_from_many_late_changes_alone() -> None:
    policy = Ppo(buffer=8, learning_rate=0.01)
    decisions = [decided(policy, context_of(number), 0.6) for number in range(8)]
    for decision in decisions:
        policy.learn(decision, ARMS, 0.0)
    served = decisions[0].arm_id
    before = shares(policy, "savers")[served]
    for decision in decisions:
        policy.correct(decision, ARMS, 1.0)
    assert state_of(policy).pending == ()
    assert shares(policy, "savers")[served] > before


def test_ppo_teaches_a_late_change_to_the_actor_alone() -> None:
    decision = decided(Ppo(), context_of(0), 0.6)
    fresh = pending_of(decision, ARMS, 3.0)
    assert fresh is not None
    late = replace(fresh, late=True)
    weights = Ppo()._network.weights + 0.1
    targets = targets_of(weights, [fresh, late], 2.0)
    assert targets.valued.tolist() == [1.0, 0.0]
    assert targets.advantages[1] == 1.5
    assert targets.advantages[0] != 1.5


def test_ppo_weighs_outcomes_by_the_logged_propensity_within_bounds() -> None:
    rows = dense_states(context_of(0), "", ARMS).astype("<f2").tobytes()
    pending = [
        Pending(id="d", rows=rows, served=1, propensity=logged, reward=1.0)
        for logged in (0.5, 0.2, 0.05, 0.0)
    ]
    network = Ppo()._network
    targets = targets_of(network.weights, pending, 1.0)
    share = np.exp(targets.logs[0])
    assert targets.weights.tolist() == pytest.approx(
        [share / 0.5, share / 0.2, MAX_WEIGHT, MAX_WEIGHT]
    )


def test_ppo_learns_nothing_from_an_arm_it_is_not_told_of() -> None:
    policy = Ppo(buffer=1)
    decision = replace(decided(policy, context_of(0), 0.5), arm_id="gone")
    before = policy.dump()
    policy.learn(decision, ARMS, 1.0)
    policy.correct(decision, ARMS, 1.0)
    assert policy.dump() == before


def test_ppo_survives_steps_far_too_long() -> None:
    policy = taught(Ppo(learning_rate=0.1, buffer=5, clip=1), 200, lambda _, __: 0.5, 1e6)
    assert sum(shares(policy, "savers").values()) == pytest.approx(1)


def test_ppo_starts_from_its_seed() -> None:
    assert Ppo(seed=3).dump() == Ppo(seed=3).dump()
    assert Ppo(seed=3).dump() != Ppo(seed=4).dump()


def test_ppo_keeps_its_arguments_when_cloned() -> None:
    given = {
        "learning_rate": 0.01, "clip": 0.3, "entropy": 0.02, "buffer": 64, "seed": 9, "floor": 0.01
    }  # fmt: skip
    clone = Ppo(**given).clone()
    assert {name: getattr(clone, name) for name in given} == given
    assert clone.dump() == Ppo(**given).dump()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0.0), ("learning_rate", 0.2), ("clip", 0.0), ("entropy", -0.1),
        ("buffer", 0.5), ("buffer", float("nan")), ("seed", -1.0), ("floor", 0.6),
    ],
)  # fmt: skip
def test_ppo_refuses_an_argument_outside_its_range(name: str, value: float) -> None:
    with pytest.raises(BadInput, match=name):
        Ppo(**{name: value})


def test_ppo_refuses_a_state_that_is_not_its_own() -> None:
    policy = Ppo()
    policy.learn(decided(policy, context_of(0), 0.6), ARMS, 1.0)
    state = state_of(policy)
    older = replace(state, version=VERSION - 1)
    lost = replace(state, pending=(replace(state.pending[0], served=len(ARMS)),))
    for broken, reason in ((older, "version"), (lost, "buffer")):
        with pytest.raises(BadInput, match=reason):
            Ppo().load(dumps(broken).decode())
    with pytest.raises(BadInput, match="no state"):
        Ppo().load('{"arms": {}}')


def test_ppo_keeps_the_contract_while_it_learns_fast() -> None:
    check_policy(lambda: Ppo(learning_rate=0.01, buffer=32))
