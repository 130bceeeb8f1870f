"""The actor on top of the critic, and the quick chance to be best that it plays by."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import ndtr

from hookline.errors import BadInput
from hookline.perceive import cell_of
from hookline.policies.actor_critic import MOST_OUTLOOKS, ActorCritic, own_variances
from hookline.policies.best import CLOSE, Array, normal_chance_of_best, quick_chance_of_best
from hookline.types import Arm, Attributes, Context, Decision, Episode

AT = datetime(2026, 1, 5, tzinfo=UTC)
ARMS = [
    Arm(id="control", text="Our bag.", parts={}, control=True),
    Arm(id="warm", text="Treat them", parts={}, attributes=Attributes(tone="warm")),
    Arm(id="bold", text="Go far!", parts={}, attributes=Attributes(tone="bold")),
]
NOBODY = Context(visitor_id="v", at=AT)


def decided(arm: Arm, context: Context = NOBODY, audience: str = "") -> Decision:
    return Decision(
        id="d",
        experiment_id="e",
        arm_id=arm.id,
        propensity=1 / 3,
        probabilities={each.id: 1 / 3 for each in ARMS},
        slice="uniform",
        reason="uniform",
        context=context,
        audience_id=audience,
    )


def taught(policy: ActorCritic, chances: Sequence[float], count: int = 1500) -> ActorCritic:
    rng = np.random.default_rng(0)
    for index in range(count):
        which = index % 3
        context = Context(visitor_id=f"v{index}", at=AT + timedelta(hours=index / 50))
        reward = float(rng.random() < chances[which])
        policy.learn(decided(ARMS[which], context), ARMS, reward)
    return policy


def liked(arm: Arm) -> Context:
    """A visitor who was shown one copy three times, and clicked on it each time."""
    past = tuple(Episode(hours, arm.id, cell_of(arm.attributes), 1.0) for hours in (72, 48, 24))
    return replace(NOBODY, past=past)


def of_two_tastes(policy: ActorCritic) -> ActorCritic:
    """Visitors who take what they took before and leave the rest."""
    rng = np.random.default_rng(0)
    for index in range(3000):
        taste, which = ARMS[1 + index % 2], int(rng.integers(3))
        reward = float(rng.random() < (0.5 if ARMS[which] is taste else 0.05))
        policy.learn(decided(ARMS[which], liked(taste)), ARMS, reward)
    return policy


def test_a_visitor_gets_what_suited_them_before_where_there_is_a_memory() -> None:
    policy = of_two_tastes(ActorCritic())
    warm, bold = (policy.probabilities(liked(arm), "", ARMS) for arm in ARMS[1:])
    assert warm[1] > 0.8
    assert bold[2] > 0.8
    blind = of_two_tastes(ActorCritic(memory=0))
    warm, bold = (blind.probabilities(liked(arm), "", ARMS) for arm in ARMS[1:])
    assert (warm == bold).all()


def test_without_text_copies_are_told_apart_by_who_they_are_only() -> None:
    newcomer = Arm(id="new", text="Treat them all", parts={}, attributes=Attributes(tone="warm"))
    rest = Arm(id="rest", text="Go far! Go!", parts={}, attributes=Attributes(tone="bold"))
    seeing, blind = (taught(ActorCritic(text=text), (0.1, 0.3, 0.05)) for text in (1, 0))
    assert blind.probabilities(NOBODY, "", ARMS)[1] > 0.8
    shares = seeing.probabilities(NOBODY, "", [ARMS[0], newcomer, rest])
    assert shares[1] > 3 * shares[2]
    shares = blind.probabilities(NOBODY, "", [ARMS[0], newcomer, rest])
    assert shares[1] == pytest.approx(shares[2])


def test_without_drift_the_order_of_outcomes_is_of_no_account() -> None:
    late, early = ActorCritic(drift=0), ActorCritic(drift=0)
    for policy, arms in ((late, (1, 2)), (early, (2, 1))):
        for arm in arms:
            for index in range(128):
                day = AT + timedelta(days=arms.index(arm) * 60)
                context = replace(NOBODY, at=day)
                policy.learn(decided(ARMS[arm], context), ARMS, float(index % 4 == 0))
    one, two = (policy.probabilities(NOBODY, "", ARMS) for policy in (late, early))
    np.testing.assert_allclose(one, two, rtol=1e-6)


def test_with_drift_the_newest_outcomes_weigh_more() -> None:
    lasting, moving = ActorCritic(drift=0), ActorCritic()
    for policy in (lasting, moving):
        for index in range(1600):
            arm = 1 + index % 2
            context = replace(NOBODY, at=AT + timedelta(days=index / 20))
            chance = 3 if (arm == 1) == (index < 1000) else 12
            policy.learn(decided(ARMS[arm], context), ARMS, float(index // 2 % chance == 0))
    lately, ever = (policy.probabilities(NOBODY, "", ARMS)[2] for policy in (moving, lasting))
    assert lately > 0.5
    assert ever < 0.3


def test_caution_spreads_the_shares() -> None:
    greedy, bold, careful = (
        taught(ActorCritic(caution=caution), (0.1, 0.14, 0.1), 600) for caution in (0, 0.3, 3)
    )
    most = [policy.probabilities(NOBODY, "", ARMS).max() for policy in (greedy, bold, careful)]
    assert most[0] > most[1] > most[2]
    assert most[0] == pytest.approx(1 - 2 * greedy.floor)


def test_what_is_at_hand_is_what_a_fresh_look_gives() -> None:
    """The outlook is renewed in the course of learning; a copy that loads the state sees anew."""
    policy = ActorCritic()
    policy.probabilities(NOBODY, "", ARMS)
    for index in range(40):
        policy.learn(decided(ARMS[index % 3]), ARMS, float(index % 3 == 1))
        if index % 7 == 0:
            policy.correct(decided(ARMS[0]), ARMS, 1.0)
        if index % 11 == 0:
            policy.forget("v")
        fresh = policy.clone()
        fresh.load(policy.dump())
        for context in (NOBODY, liked(ARMS[1])):
            at_hand, anew = (each.probabilities(context, "", ARMS) for each in (policy, fresh))
            assert (at_hand == anew).all()


def test_the_outlooks_at_hand_are_bounded() -> None:
    policy = ActorCritic()
    for number in range(2 * MOST_OUTLOOKS + 3):
        policy.probabilities(NOBODY, f"audience {number}", ARMS)
        assert len(policy._outlooks) <= MOST_OUTLOOKS


def test_forget_leaves_no_visitor_in_the_state() -> None:
    policy = ActorCritic()
    policy.learn(decided(ARMS[1], replace(NOBODY, visitor_id="somebody")), ARMS, 1.0)
    assert '"somebody"' in policy.dump()
    policy.forget("somebody")
    assert '"somebody"' not in policy.dump()


def test_a_lone_arm_gets_all() -> None:
    assert ActorCritic().probabilities(liked(ARMS[1]), "", ARMS[:1]).tolist() == [1.0]


def test_clone_keeps_every_argument() -> None:
    given_ = {"caution": 1.5, "floor": 0.01, "memory": 0.0, "drift": 0.0, "text": 0.0}
    copy = ActorCritic(**given_).clone()
    assert {name: getattr(copy, name) for name in given_} == given_


@pytest.mark.parametrize("name", ["caution", "memory", "drift", "text"])
@pytest.mark.parametrize("value", [-0.1, 3.1, float("nan")])
def test_arguments_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(BadInput, match=f"{name} must lie in"):
        ActorCritic(**{name: value})


@given(
    rows=st.lists(
        st.lists(st.floats(-3, 3), min_size=4, max_size=4), min_size=2, max_size=6
    )
)  # fmt: skip
def test_own_variances_are_never_negative(rows: list[list[float]]) -> None:
    spread = np.array(rows)
    assert (own_variances(spread @ spread.T) >= 0).all()


# --- the chance to be best, quickly ------------------------------------------------------------

beliefs = st.integers(2, 12).flatmap(
    lambda count: st.tuples(
        st.lists(st.floats(-4, 4), min_size=count, max_size=count),
        st.lists(st.floats(1, 3), min_size=count, max_size=count),
        st.floats(1e-6, 1e3),
    )
)


def apart(one: Array, other: Array) -> float:
    """Total variation."""
    return float(np.abs(one - other).sum()) / 2


@given(beliefs)
def test_quick_chance_is_near_the_exact_one(
    belief: tuple[list[float], list[float], float],
) -> None:
    """As long as no doubt is more than three times another."""
    mean, sd = np.array(belief[0]) * belief[2], np.array(belief[1]) * belief[2]
    found = quick_chance_of_best(mean, sd)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    assert apart(found, normal_chance_of_best(mean, sd)) <= 0.12


@given(belief=beliefs, seed=st.integers(0, 999), ratio=st.floats(0, 6))
def test_quick_chance_permutes_with_the_arms(
    belief: tuple[list[float], list[float], float], seed: int, ratio: float
) -> None:
    mean, sd = np.array(belief[0]), np.array(belief[1]) ** ratio
    order = np.random.default_rng(seed).permutation(mean.size)
    mixed = quick_chance_of_best(mean[order], sd[order])
    np.testing.assert_allclose(mixed, quick_chance_of_best(mean, sd)[order], atol=1e-9)


@given(belief=beliefs, wild=st.lists(st.floats(-4, 0), min_size=12, max_size=12))
def test_quick_chance_lies_above_one_value_however_much_doubts_differ(
    belief: tuple[list[float], list[float], float], wild: list[float]
) -> None:
    """It is what it says to be, against a root finder; also where one doubt is 10,000 others."""
    mean = np.array(belief[0])
    sd = 10.0 ** np.array(wild[: mean.size])
    assume(np.unique(mean).size == mean.size)

    def too_many(edge: float) -> float:
        return float(ndtr((mean - edge) / sd).sum()) - 1

    edge = brentq(too_many, mean.min() - 40, mean.max() + 40, xtol=1e-15)
    wanted = ndtr((mean - edge) / sd)
    assert apart(quick_chance_of_best(mean, sd), wanted) < 1e-3


@given(middle=st.tuples(st.floats(-3, 3), st.floats(-3, 3)), sd=st.floats(0.01, 3))
def test_quick_chance_of_two_equally_sure_arms_is_the_same_from_both_sides(
    middle: tuple[float, float], sd: float
) -> None:
    """Between two arms of equal doubt the value lies half way."""
    found = quick_chance_of_best(np.array(middle), np.full(2, sd))
    assert found[0] == pytest.approx(ndtr((middle[0] - middle[1]) / (2 * sd)), abs=CLOSE)


@pytest.mark.parametrize("count", [2, 3, 20, 200])
def test_quick_chance_of_equal_arms_is_even(count: int) -> None:
    found = quick_chance_of_best(np.full(count, 0.3), np.full(count, 0.1))
    np.testing.assert_allclose(found, np.full(count, 1 / count), rtol=1e-9)


@pytest.mark.parametrize("lead", [10.0, 1e3, 1e6])
@pytest.mark.parametrize("count", [2, 30])
def test_quick_chance_of_one_arm_far_ahead_is_all(lead: float, count: int) -> None:
    mean = np.append(np.zeros(count - 1), lead)
    found = quick_chance_of_best(mean, np.linspace(0.5, 1, count))
    assert found[-1] == pytest.approx(1, abs=1e-4)
    assert (found[:-1] < 1e-5).all()


def test_quick_chance_of_two_hundred_arms_is_near_the_exact_one() -> None:
    rng = np.random.default_rng(4)
    mean, sd = rng.normal(0, 1, 200), rng.uniform(0.4, 1, 200)
    assert apart(quick_chance_of_best(mean, sd), normal_chance_of_best(mean, sd)) <= 0.12
