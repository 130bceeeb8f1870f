"""The reward estimator: right where the answer is known, exact where it claims to be."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookline.critic import SPREAD, Critic, CriticState
from hookline.errors import BadInput
from hookline.perceive import DIMENSION, States, states
from hookline.types import Arm, Attributes, Context, dumps, loads

AT = datetime(2026, 1, 5, tzinfo=UTC)
ARMS = [
    Arm(id="control", text="Our bag.", parts={}, control=True),
    Arm(id="warm", text="Treat them", parts={}, attributes=Attributes(tone="warm")),
    Arm(id="bold", text="Go far!", parts={}, attributes=Attributes(tone="bold")),
]
CHANCES = {"savers": (0.1, 0.2, 0.1), "hikers": (0.1, 0.1, 0.3)}


def seen(audience: str, arms: list[Arm]) -> States:
    return states(Context(visitor_id="v", at=AT), audience, arms)


def history(count: int, seed: int = 0) -> list[tuple[States, float]]:
    """Outcomes of visitors of two audiences who got every arm equally often."""
    rng = np.random.default_rng(seed)
    outcomes: list[tuple[States, float]] = []
    for _ in range(count):
        audience = ("savers", "hikers")[int(rng.integers(2))]
        arm = int(rng.integers(3))
        reward = float(rng.random() < CHANCES[audience][arm])
        outcomes.append((seen(audience, [ARMS[arm]]), reward))
    return outcomes


def taught(outcomes: list[tuple[States, float]]) -> Critic:
    critic = Critic()
    for state, reward in outcomes:
        critic.learn(state, reward)
    return critic


def test_predict_finds_what_each_audience_likes() -> None:
    critic = taught(history(6000))
    for audience, chances in CHANCES.items():
        prediction = critic.predict(seen(audience, ARMS))
        assert np.abs(prediction.mean - chances).max() < 0.04
        assert prediction.mean.argmax() == np.argmax(chances)
        assert (np.abs(prediction.mean - chances) < 4 * prediction.sd).all()


def test_predict_is_the_textbook_ridge() -> None:
    outcomes = history(200)
    rows = np.concatenate([state.dense(state.places, DIMENSION) for state, _ in outcomes])
    rewards = np.array([reward for _, reward in outcomes])
    level = (rewards.sum() + 1) / (rewards.size + 2)
    noise = (level - level**2) / level**2
    used = np.flatnonzero(np.abs(rows).sum(axis=0))
    design = rows[:, used]
    precision = design.T @ design / noise + np.eye(used.size) / SPREAD**2
    weights = np.linalg.solve(precision, design.T @ (rewards / level - 1) / noise)
    asked = seen("savers", ARMS)
    wanted = asked.dense(asked.places, DIMENSION)[:, used]
    prediction = taught(outcomes).predict(asked)
    np.testing.assert_allclose(prediction.mean, level * (1 + wanted @ weights), rtol=1e-9)
    covariance = level**2 * wanted @ np.linalg.solve(precision, wanted.T)
    np.testing.assert_allclose(prediction.covariance, covariance, rtol=1e-7, atol=1e-12)


def test_predict_before_any_outcome_knows_nothing() -> None:
    prediction = Critic().predict(seen("savers", ARMS))
    assert np.ptp(prediction.mean) == 0
    assert (prediction.sd > 0).all()


def test_predict_new_copy_starts_from_its_attributes() -> None:
    critic = taught(history(6000))
    newcomer = Arm(id="new", text="Go far!", parts={}, attributes=Attributes(tone="bold"))
    prediction = critic.predict(seen("hikers", [*ARMS, newcomer]))
    assert prediction.mean[1] < prediction.mean[3] < prediction.mean[2]
    assert prediction.sd[3] > prediction.sd[2]


def test_predict_takes_doubt_it_shares_between_new_arms_as_shared() -> None:
    critic = taught(history(50))
    twins = [Arm(id=name, text="New!", parts={}) for name in ("one", "two")]
    covariance = critic.predict(seen("nobody yet", twins)).covariance
    assert 0 < covariance[0, 1] < covariance[0, 0]


def test_predict_of_one_arm_does_not_depend_on_the_others() -> None:
    critic = taught(history(300))
    together = critic.predict(seen("savers", ARMS))
    for index, arm in enumerate(ARMS):
        alone = critic.predict(seen("savers", [arm]))
        np.testing.assert_allclose(alone.mean[0], together.mean[index], rtol=1e-12)
        np.testing.assert_allclose(alone.sd[0], together.sd[index], rtol=1e-9)


def test_predict_scales_with_money() -> None:
    outcomes = history(500)
    clicks = taught(outcomes).predict(seen("savers", ARMS))
    money = taught([(state, 40 * reward) for state, reward in outcomes])
    scaled = money.predict(seen("savers", ARMS))
    np.testing.assert_allclose(scaled.mean, 40 * clicks.mean, rtol=1e-9)
    np.testing.assert_allclose(scaled.sd, 40 * clicks.sd, rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(which=st.integers(0, 59))
def test_correct_gives_what_learning_it_right_would_have(which: int) -> None:
    outcomes = history(60)
    state, reward = outcomes[which]
    late = taught(outcomes)
    late.correct(state, 1 - 2 * reward)
    right = [*outcomes]
    right[which] = (state, 1 - reward)
    assert dumps(late.state()) == dumps(taught(right).state())


def test_learn_of_clicks_does_not_depend_on_order() -> None:
    outcomes = history(200)
    ahead, back = taught(outcomes), taught(outcomes[::-1])
    asked = seen("hikers", ARMS)
    np.testing.assert_allclose(ahead.predict(asked).mean, back.predict(asked).mean, rtol=1e-10)


def test_predict_survives_more_refunds_than_orders() -> None:
    critic = Critic()
    critic.learn(seen("savers", ARMS[:1]), 10.0)
    critic.correct(seen("savers", ARMS[:1]), -25.0)
    prediction = critic.predict(seen("savers", ARMS))
    assert np.isfinite(prediction.mean).all()
    assert prediction.level > 0


def test_state_comes_back_bit_for_bit() -> None:
    critic = taught([(state, reward * 19.99) for state, reward in history(300)])
    text = dumps(critic.state())
    again = Critic.of(loads(text, CriticState))
    assert dumps(again.state()) == text
    one, two = (each.predict(seen("hikers", ARMS)) for each in (critic, again))
    assert (one.mean == two.mean).all()
    assert (one.covariance == two.covariance).all()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"version": 0}, "features of version 0"),
        ({"sums": [1.0]}, "don't fit together"),
        ({"products": [[1.0], [1.0, 2.0]]}, "don't fit together"),
        ({"places": [DIMENSION]}, "don't fit together"),
    ],
)
def test_state_that_does_not_fit_is_refused(changed: dict[str, object], words: str) -> None:
    state = json.loads(dumps(taught(history(1)).state()))
    broken = json.dumps({**state, **changed})
    with pytest.raises(BadInput, match=words):
        Critic.of(loads(broken, CriticState))


def test_critic_refuses_a_spread_of_nothing() -> None:
    with pytest.raises(BadInput, match="spread"):
        Critic(spread=0.0)
