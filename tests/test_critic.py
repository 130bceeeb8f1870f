"""The reward estimator: right where the answer is known, exact where it claims to be."""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookline.critic import BLOCKS, OWN, SPREAD, Array, Critic, CriticState, prior_of, slot_of
from hookline.errors import BadInput
from hookline.perceive import CROSS, DIMENSION, MAIN, States, cell_of, copy_states, states_of
from hookline.types import Arm, Attributes, Context, Episode, Forecast, dumps, loads

AT = datetime(2026, 1, 5, tzinfo=UTC)
CONTROL = Arm(id="control", text="Our bag.", parts={}, control=True)
WARM = Arm(id="warm", text="Treat them", parts={}, attributes=Attributes(tone="warm"))
BOLD = Arm(
    id="bold",
    text="Go far!",
    parts={},
    attributes=Attributes(tone="bold"),
    audience_id="hikers",
    embedding=(0.6, -0.8),
)
TOLD = Arm(
    id="told",
    text="9 pockets",
    parts={},
    attributes=Attributes(angle="feature"),
    forecast=Forecast(mean=0.3, sd=0.2),
)
NEW = Arm(id="new", text="Go further!", parts={}, attributes=Attributes(tone="bold"))
ARMS = [CONTROL, WARM, BOLD, TOLD]
CHANCES = {"savers": (0.1, 0.25, 0.1, 0.1), "hikers": (0.1, 0.1, 0.3, 0.1)}


class Shown(NamedTuple):
    """One outcome as the critic is told of it."""

    context: Context
    audience_id: str
    arm: Arm
    reward: float


def history(count: int, *, seed: int = 0, days: float = 0.0, pays: float = 1.0) -> list[Shown]:
    """Outcomes of visitors of two audiences, with traits and a past, who got every arm alike."""
    rng = np.random.default_rng(seed)
    shown: list[Shown] = []
    for index in range(count):
        audience = ("savers", "hikers")[int(rng.integers(2))]
        arm = int(rng.integers(len(ARMS)))
        before = ARMS[int(rng.integers(len(ARMS)))]
        episode = Episode(30.0, before.id, cell_of(before.attributes), float(rng.normal()))
        context = Context(
            visitor_id=f"v{index}",
            at=AT + timedelta(days=days * index / count),
            traits={"visits": float(rng.integers(9)), "loyalty": "gold" if index % 3 else "none"},
            past=(episode,) if index % 2 else (),
        )
        reward = pays * float(rng.random() < CHANCES[audience][arm])
        shown.append(Shown(context, audience, ARMS[arm], reward))
    return shown


def taught(outcomes: Sequence[Shown], critic: Critic | None = None) -> Critic:
    """A critic that has taken in every outcome, none waiting."""
    critic = Critic() if critic is None else critic
    for shown in outcomes:
        critic.learn(*shown)
    if critic.state().waiting:
        critic._take_in()
    return critic


def steady() -> Critic:
    """A critic that never forgets."""
    return Critic(half_lives=(None,), trust=(1.0,))


@contextmanager
def unscaled() -> Generator[None]:
    """Scales that stay where they start: when they are learned decides what they become."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hookline.critic.FIRST_SCALING", 10**9)
        yield


class Textbook:
    """The model solved directly, with a column for each copy's own effect.

    Args:
        outcomes: What was learned.
        scales: Of the blocks, and of the copies' own effects.
        half_life: Days, or None for never.
        arms: All that will be asked for.
    """

    def __init__(
        self,
        outcomes: Sequence[Shown],
        scales: Sequence[float],
        half_life: float | None,
        arms: Sequence[Arm],
    ) -> None:
        rewards = np.array([shown.reward for shown in outcomes])
        success = float((rewards**2).sum() / rewards.sum())
        self.level = float((rewards.sum() + success) / (rewards.size + 2))
        moment = float(((rewards**2).sum() + success**2) / (rewards.size + 2))
        information = self.level**2 / (moment - self.level**2)
        self.rows = {arm.id: row for row, arm in enumerate(arms)}
        design = self.design(states_of([shown[:3] for shown in outcomes], identity=False))
        own = np.eye(len(arms))[[self.rows[shown.arm.id] for shown in outcomes]]
        both = np.concatenate([design, own], axis=1)
        self.used = np.append(np.abs(design).sum(axis=0) > 0, np.ones(len(arms), dtype=bool))
        both = both[:, self.used]
        self.offsets = np.array([prior_of(arm)[0] for arm in arms])
        gaps = rewards / self.level - 1 - np.array([prior_of(each.arm)[0] for each in outcomes])
        slots = np.array([slot_of(shown.context.at) for shown in outcomes])
        days = (slots.max() - slots) * 0.25
        weights = np.exp2(-days / half_life) if half_life else np.ones(days.size)
        self.variances = self._variances(scales, arms)
        precision = np.diag(1 / self.variances[self.used])
        precision += information * both.T @ (weights[:, None] * both)
        self.covariance = np.diag(self.variances)
        self.covariance[np.ix_(self.used, self.used)] = np.linalg.inv(precision)
        wanted = np.zeros(self.variances.size)
        wanted[self.used] = information * both.T @ (weights * gaps)
        self.effects = self.covariance @ wanted

    @staticmethod
    def design(seen: States) -> Array:
        """The states without the hashed places that no test of this file can reach."""
        return seen.dense(seen.places, DIMENSION)[:, PLACES]

    @staticmethod
    def _variances(scales: Sequence[float], arms: Sequence[Arm]) -> Array:
        sizes = np.full(DIMENSION, SPREAD)
        for (start, size), scale in zip(BLOCKS, scales, strict=False):
            sizes[start : start + size] *= scale
        doubts = [prior_of(arm)[1] * (1 if arm.forecast else scales[-1]) for arm in arms]
        return np.append(sizes[PLACES], doubts) ** 2

    def predict(self, seen: States, arms: Sequence[Arm]) -> tuple[Array, Array]:
        """Mean and covariance of the arms' rewards."""
        rows = [self.rows[arm.id] for arm in arms]
        asked = np.concatenate([self.design(seen), np.eye(len(self.rows))[rows]], axis=1)
        mean = self.level * (1 + self.offsets[rows] + asked @ self.effects)
        return mean, self.level**2 * asked @ self.covariance @ asked.T


EVERYBODY = [
    (shown.context, audience, arm)
    for shown in history(400, days=9.0)
    for audience in (*CHANCES, "nobody yet")
    for arm in (*ARMS, NEW)
]
PLACES = np.unique(states_of(EVERYBODY, identity=False).places)


def close(found: Array, wanted: Array) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-8 * np.abs(wanted).max())


# --- the model ---------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [40, 900])
@pytest.mark.parametrize("pays", [1.0, 49.9])
@pytest.mark.parametrize("half_life", [None, 3.0])
def test_predict_is_the_textbook_mixed_model(
    count: int, pays: float, half_life: float | None
) -> None:
    outcomes = history(count, days=9.0, pays=pays)
    critic = taught(outcomes, Critic(half_lives=(half_life,), trust=(1.0,)))
    book = Textbook(outcomes, critic.state().scales, half_life, [*ARMS, NEW])
    for audience in (*CHANCES, "nobody yet"):
        asked = [NEW, *ARMS]
        mean, covariance = book.predict(copy_states(audience, asked), asked)
        found = critic.predict(audience, asked)
        assert found.level == pytest.approx(book.level)
        close(found.mean, mean)
        close(found.covariance, covariance)
        close(found.sd, np.sqrt(np.diag(covariance)))


def test_predict_sees_the_visitor_as_the_textbook_does_up_to_what_all_arms_share() -> None:
    outcomes = history(400, days=9.0)
    critic = taught(outcomes, steady())
    book = Textbook(outcomes, critic.state().scales, None, [*ARMS, NEW])
    prediction = critic.predict("savers", [*ARMS, NEW])
    for shown in [each for each in outcomes if each.context.past][:8]:
        seen = states_of([(shown.context, "savers", arm) for arm in (*ARMS, NEW)], identity=False)
        mean, _ = book.predict(seen, [*ARMS, NEW])
        apart = prediction.mean + prediction.sight.values(shown.context) - mean
        assert np.ptp(apart) < 1e-9
        assert np.ptp(prediction.sight.values(shown.context)) > 1e-4


@unscaled()
def test_predict_mixes_memory_lengths_as_they_are_trusted() -> None:
    outcomes = history(300, days=9.0)
    critic = taught(outcomes, Critic(half_lives=(None, 3.0), trust=(0.4, 0.6)))
    trust = critic.trusted("savers")
    books = [Textbook(outcomes, [1.0] * 6, half_life, ARMS) for half_life in trust]
    parts = [book.predict(copy_states("savers", ARMS), ARMS) for book in books]
    mean = sum(share * part[0] for share, part in zip(trust.values(), parts, strict=True))
    found = critic.predict("savers", ARMS)
    close(found.mean, np.asarray(mean))
    covariance = np.zeros((len(ARMS), len(ARMS)))
    for share, part in zip(trust.values(), parts, strict=True):
        covariance += share * (part[1] + np.outer(part[0] - mean, part[0] - mean))
    close(found.covariance, covariance)


def test_predict_finds_what_each_audience_likes() -> None:
    critic = taught(history(6000))
    for audience, chances in CHANCES.items():
        prediction = critic.predict(audience, ARMS)
        assert prediction.mean.argmax() == np.argmax(chances)
        assert (np.abs(prediction.mean - chances) < 0.06).all()
        assert (np.abs(prediction.mean - chances) < 4.5 * prediction.sd).all()


def test_predict_before_any_outcome_knows_forecasts_and_nothing_else() -> None:
    prediction = Critic().predict("savers", [CONTROL, WARM, TOLD])
    assert prediction.mean[0] == prediction.mean[1]
    lead = prediction.mean[2] / prediction.mean[0]
    assert lead == pytest.approx(1 + prior_of(TOLD)[0])
    assert 1 < lead <= np.exp(0.3) + 1e-9
    assert (prediction.sd > 0).all()


def test_forecasts_shift_the_start_and_fade() -> None:
    surer = Arm(id="surer", text="9 pockets", parts={}, forecast=Forecast(mean=-0.5, sd=0.05))
    doubtful = Arm(id="doubtful", text="9 pockets", parts={}, forecast=Forecast(mean=-0.5, sd=0.5))
    critic = steady()
    both = critic.predict("", [CONTROL, surer, doubtful])
    assert both.mean[1] == both.mean[2] < both.mean[0]
    rng = np.random.default_rng(0)
    shown = [
        Shown(Context(visitor_id="v", at=AT), "", arm, float(rng.random() < 0.2))
        for arm in [CONTROL, surer, doubtful] * 300
    ]
    after = taught(shown, critic).predict("", [CONTROL, surer, doubtful]).mean
    assert after[1] < after[2]
    assert after[2] > 0.8 * after[0]


def test_predict_new_copy_starts_from_its_attributes() -> None:
    critic = taught(history(6000))
    prediction = critic.predict("hikers", [WARM, BOLD, NEW])
    assert prediction.mean[0] < prediction.mean[2] < prediction.mean[1]
    assert prediction.sd[2] > prediction.sd[1]


def test_predict_takes_doubt_it_shares_between_new_arms_as_shared() -> None:
    twins = [Arm(id=name, text="New!", parts={}) for name in ("one", "two")]
    covariance = taught(history(50)).predict("nobody yet", twins).covariance
    assert 0 < covariance[0, 1] < covariance[0, 0]


def test_predict_of_one_arm_does_not_depend_on_the_others() -> None:
    critic = taught(history(300))
    together = critic.predict("savers", [*ARMS, NEW])
    for index, arm in enumerate([*ARMS, NEW]):
        alone = critic.predict("savers", [arm])
        np.testing.assert_allclose(alone.mean[0], together.mean[index], rtol=1e-10)
        np.testing.assert_allclose(alone.sd[0], together.sd[index], rtol=1e-9)


def test_predict_scales_with_money() -> None:
    clicks = taught(history(700)).predict("savers", ARMS)
    money = taught(history(700, pays=40.0)).predict("savers", ARMS)
    np.testing.assert_allclose(money.mean, 40 * clicks.mean, rtol=1e-8)
    np.testing.assert_allclose(money.sd, 40 * clicks.sd, rtol=1e-8)


def test_many_outcomes_of_few_copies_leave_the_posterior_sound() -> None:
    """Eliminating the copies' effects subtracts nearly equal sums, so these must not be rounded."""
    outcomes = [
        Shown(
            Context(visitor_id="v", at=AT, traits={"visits": float(each % 3)}),
            "",
            arm,
            float(each < 3),
        )
        for each in range(9)
        for arm in (CONTROL, NEW)
    ]
    critic = taught(outcomes, steady())
    seen = states_of([shown[:3] for shown in outcomes], identity=False)
    design = seen.dense(critic._columns[seen.places], critic._places.size)
    arms = np.array([critic._arms[shown.arm.id] for shown in outcomes])
    rewards = np.array([shown.reward for shown in outcomes])
    for _ in range(12_000):  # three million visitors
        critic._add(design, arms, rewards, np.full(1, 14.0))
    critic._visitors = 12_000 * 14 * len(outcomes)
    critic._total = critic._squares = 12_000 * 14 * rewards.sum()
    critic._beliefs = None
    prediction = critic.predict("", [CONTROL, NEW])
    np.testing.assert_allclose(prediction.mean, 1 / 3, atol=0.001)
    assert ((prediction.sd > 0) & (prediction.sd < 0.05)).all()


def test_settled_until_something_changes() -> None:
    critic = Critic()
    assert not critic.settled
    critic.predict("", ARMS)
    assert critic.settled
    taught(history(1), critic)
    assert not critic.settled


# --- corrections -------------------------------------------------------------------------------


@unscaled()
@pytest.mark.parametrize("half_life", [None, 2.0])
@settings(max_examples=20)
@given(which=st.integers(0, 99), delay=st.integers(0, 100), pays=st.sampled_from([1.0, 35.5]))
def test_correct_gives_what_learning_it_right_would_have(
    half_life: float | None, which: int, delay: int, pays: float
) -> None:
    """Whether the outcome still waits or has long faded; sixteen wait at most here."""
    outcomes = history(100, days=6.0, pays=pays)
    right = outcomes[which]._replace(reward=pays - outcomes[which].reward)
    delta = right.reward - outcomes[which].reward
    known = min(which + delay, 99) + 1
    late = Critic(half_lives=(half_life,), trust=(1.0,))
    for shown in outcomes[:known]:
        late.learn(*shown)
    late.correct(*right[:3], delta)
    taught(outcomes[known:], late)
    ahead = Critic(half_lives=(half_life,), trust=(1.0,))
    taught([*outcomes[:which], right, *outcomes[which + 1 :]], ahead)
    for audience in CHANCES:
        found, wanted = (each.predict(audience, [*ARMS, NEW]) for each in (late, ahead))
        close(found.mean, wanted.mean)
        close(found.covariance, wanted.covariance)
        assert found.level == pytest.approx(wanted.level)


@pytest.mark.parametrize("days", [0.0, 400.0])
def test_correct_puts_the_sums_right_at_every_memory_length(days: float) -> None:
    outcomes = history(300, days=days)
    right = outcomes[7]._replace(reward=1.0 - outcomes[7].reward)
    late = taught(outcomes)
    late.correct(*right[:3], right.reward - outcomes[7].reward)
    ahead = taught([*outcomes[:7], right, *outcomes[8:]])
    for one, other in zip(arrays(late.state()), arrays(ahead.state()), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def arrays(state: CriticState) -> list[Array]:
    """The sums that an outcome's reward enters."""
    return [
        np.frombuffer(each, dtype=np.float64)
        for each in (state.products, state.rewarded, state.counts, state.sums)
    ]


def test_correct_of_a_copy_never_learned_is_taken_in() -> None:
    critic = Critic()
    critic.correct(Context(visitor_id="v", at=AT), "", NEW, 1.0)
    assert critic.predict("", [CONTROL, NEW]).level > 0.5


def test_predict_survives_more_refunds_than_orders() -> None:
    context = Context(visitor_id="v", at=AT)
    critic = taught([Shown(context, "savers", CONTROL, 10.0)])
    critic.correct(context, "savers", CONTROL, -25.0)
    prediction = critic.predict("savers", ARMS)
    assert np.isfinite(prediction.mean).all()
    assert np.isfinite(prediction.covariance).all()
    assert prediction.level > 0


# --- memory lengths and scales -----------------------------------------------------------------


def stream(count: int, days: float, flips: float) -> list[Shown]:
    """Outcomes of two copies, one of which earns four times the other's; they may change places."""
    rng = np.random.default_rng(5)
    shown: list[Shown] = []
    for index in range(count):
        arm = int(rng.integers(2))
        better = arm == (index >= flips * count)
        context = Context(visitor_id=f"v{index}", at=AT + timedelta(days=days * index / count))
        shown.append(
            Shown(context, "a", (WARM, BOLD)[arm], float(rng.random() < (0.4 if better else 0.1)))
        )
    return shown


def test_trust_stays_with_the_long_memory_while_tastes_stand_still() -> None:
    critic = taught(stream(3000, 60.0, 1.0), Critic(half_lives=(None, 3.0), trust=(0.5, 0.5)))
    assert critic.trusted("a")[None] > 0.5
    assert critic.trusted("never seen") == {None: 0.5, 3.0: 0.5}


def test_trust_shifts_to_the_short_memory_when_tastes_flip() -> None:
    critic = Critic(half_lives=(None, 3.0), trust=(0.5, 0.5))
    outcomes = stream(3000, 60.0, 0.5)
    before = taught(outcomes[:1500], critic).trusted("a")[3.0]
    after = taught(outcomes[1500:2000], critic).trusted("a")[3.0]
    assert before < 0.5
    assert after > 0.8
    found = critic.predict("a", [WARM, BOLD]).mean
    alone = taught(outcomes[:2000], steady()).predict("a", [WARM, BOLD]).mean
    assert found[1] > found[0]
    assert found[1] - found[0] > alone[1] - alone[0]


def test_disagreement_of_the_memory_lengths_widens_the_doubt() -> None:
    critic = taught(stream(3000, 60.0, 0.5), Critic(half_lives=(None, 3.0), trust=(0.5, 0.5)))
    apart = [
        taught(stream(3000, 60.0, 0.5), Critic(half_lives=(half_life,), trust=(1.0,)))
        for half_life in (None, 3.0)
    ]
    critic._log_trust["a"] = np.log([0.5, 0.5])
    mixed = critic.predict("a", [WARM, BOLD]).sd
    assert (mixed > np.mean([each.predict("a", [WARM, BOLD]).sd for each in apart], axis=0)).all()


def test_scales_shrink_where_nothing_is_to_be_told_apart_and_only_there() -> None:
    rng = np.random.default_rng(1)
    plain, telling = list[Shown](), list[Shown]()
    for shown in history(4000):
        chance = {"warm": 0.5, "bold": 0.2}.get(shown.arm.id, 0.05)
        plain.append(shown._replace(reward=float(rng.random() < chance)))
        differs = (shown.audience_id == "savers") == (shown.arm.id in {"warm", "told"})
        telling.append(shown._replace(reward=float(rng.random() < (0.5 if differs else 0.05))))
    number = {block: place for place, block in enumerate(BLOCKS)}
    same, split = (taught(each).state().scales for each in (plain, telling))
    assert same[number[CROSS]] < 1 < same[number[MAIN]]
    assert split[number[CROSS]] > 1.2 * same[number[CROSS]]


# --- what is kept ------------------------------------------------------------------------------


@settings(max_examples=10)
@given(cuts=st.lists(st.integers(0, 700), max_size=3))
def test_state_comes_back_bit_for_bit_wherever_learning_was_cut(cuts: list[int]) -> None:
    outcomes = history(700, days=30.0, pays=19.99)
    through, cut = Critic(), Critic()
    for index, shown in enumerate(outcomes):
        for critic in (through, cut):
            critic.learn(*shown)
            if index > 20 and index % 50 == 0:
                critic.correct(*outcomes[index - 20][:3], -outcomes[index - 20].reward)
        if index in cuts:
            cut.predict("savers", ARMS)  # looking must not disturb
            text = dumps(cut.state())
            cut = Critic()
            cut.restore(loads(text, CriticState))
            assert dumps(cut.state()) == text
    assert dumps(cut.state()) == dumps(through.state())
    one, two = (each.predict("hikers", [*ARMS, NEW]) for each in (through, cut))
    assert (one.mean == two.mean).all()
    assert (one.covariance == two.covariance).all()


def test_state_keeps_what_waits() -> None:
    critic = Critic()
    shown = history(2)
    for each in shown:
        critic.learn(*each)
    waiting = critic.state().waiting
    assert [tuple(each) for each in waiting] == [tuple(each) for each in shown]
    again = Critic()
    again.restore(loads(dumps(critic.state()), CriticState))
    assert again.state().waiting == waiting


def test_forget_leaves_no_trace_of_a_visitor_but_in_the_sums() -> None:
    outcomes = history(3)
    critic = Critic()
    for each in outcomes:
        critic.learn(*each)
    critic.forget("somebody else")
    assert len(critic.state().waiting) == 3
    critic.forget("v1")
    assert critic.state() == taught(outcomes).state()
    assert b'"v1"' not in dumps(critic.state())


def changed(**values: object) -> CriticState:
    state = json.loads(dumps(taught(history(20)).state()))
    return loads(json.dumps({**state, **values}), CriticState)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"version": 0}, "features of version 0"),
        ({"sums": "AAAAAAAAAAA="}, "don't fit together"),
        ({"products": "AAAA"}, "don't fit together"),
        ({"arms": ["control"]}, "don't fit together"),
        ({"places": "/////////38="}, "don't fit together"),
    ],
)
def test_restore_refuses_what_does_not_fit(values: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        Critic().restore(changed(**values))


def test_restore_refuses_sums_of_other_memory_lengths() -> None:
    with pytest.raises(BadInput, match="don't fit together"):
        steady().restore(taught(history(20)).state())


def test_critic_refuses_a_spread_of_nothing() -> None:
    with pytest.raises(BadInput, match="spread"):
        Critic(spread=0.0)


def test_prior_of_a_forecast_is_bounded_on_both_sides() -> None:
    assert prior_of(CONTROL) == (0.0, OWN, 0.0)
    wild = [
        Arm(id=str(mean), text="", parts={}, forecast=Forecast(mean=mean, sd=1e-9))
        for mean in (-50.0, 50.0)
    ]
    for arm in wild:
        offset, doubt, told = prior_of(arm)
        assert -1 < offset < 2
        assert doubt > 0
        assert told == 1.0
