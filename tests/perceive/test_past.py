"""What the past says: attention over earlier copies by likeness and age."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.perceive.copy import LEVELS_OF_CELL, arm_features, cell_of
from hookline.perceive.hashing import DIMENSION, RECALL, Array
from hookline.perceive.past import (
    HALF_LIVES,
    LIKED,
    TIRED,
    WORN,
    WORN_HALF_LIFE,
    Recall,
    recalled,
)
from hookline.types import Arm, Attributes, Episode

WARM = Arm(id="warm", text="Treat them", parts={}, attributes=Attributes(tone="warm"))
BOLD = Arm(id="bold", text="Go far!", parts={}, attributes=Attributes(tone="bold", angle="value"))
HUMAN = Arm(id="human", text="Our bag.", parts={}, control=True)
ARMS = [arm_features(arm) for arm in (WARM, BOLD, HUMAN)]
TONE = LEVELS_OF_CELL[cell_of(WARM.attributes)][1]

episodes = st.builds(
    Episode,
    hours=st.floats(0, 5000),
    arm_id=st.sampled_from(["warm", "bold", "human", "gone"]),
    cell=st.integers(-1, len(LEVELS_OF_CELL) - 2),
    surprise=st.one_of(st.none(), st.floats(-5, 5)),
)


def episode(arm: Arm, hours: float = 0.0, surprise: float | None = None) -> Episode:
    return Episode(hours, arm.id, cell_of(arm.attributes), surprise)


def said(arm: Arm, *past: Episode) -> Array:
    """What the past says of one copy, shape (values,)."""
    return recalled([past], [arm_features(arm)])[1][0]


def likes(arm: Arm, *past: Episode) -> Array:
    """Faded scores by attribute and time-scale, shape (attributes, scales)."""
    return said(arm, *past)[:-5].reshape(6, -1) / LIKED


def test_recalled_stays_in_its_block_and_is_the_same_for_every_arm() -> None:
    past = [episode(WARM, surprise=1.0)]
    places, values = recalled([past, past, [episode(BOLD)] * 3], ARMS)
    assert values.shape == (3, places.size)
    assert places.min() == RECALL[0]
    assert places.max() < sum(RECALL)


@pytest.mark.parametrize("scale", range(1 + len(HALF_LIVES)))
def test_a_score_halves_with_every_half_life_of_its_time_scale(scale: int) -> None:
    assert likes(WARM, episode(WARM, 0.0, 2.0)) == pytest.approx(2.0)
    hours = HALF_LIVES[scale - 1] if scale else 1e6
    later = likes(WARM, episode(WARM, hours, 2.0))
    assert later[:, scale] == pytest.approx(1.0 if scale else 2.0)


def test_showings_wear_off() -> None:
    fresh, old = said(WARM, episode(WARM)), said(WARM, episode(WARM, WORN_HALF_LIFE))
    assert fresh[[-4, -3, -1]] == pytest.approx(2 * old[[-4, -3, -1]])
    assert fresh[[-4, -3, -1]] == pytest.approx([WORN, TIRED, TIRED])


def test_a_past_copy_speaks_for_those_with_the_same_levels_only() -> None:
    past = episode(WARM, surprise=1.0)
    warm, bold, human = (said(arm, past) for arm in (WARM, BOLD, HUMAN))
    shared = (LEVELS_OF_CELL[cell_of(WARM.attributes)] == ARMS[1].levels).sum()
    scales = 1 + len(HALF_LIVES)
    assert (np.count_nonzero(warm[: 6 * scales]), np.count_nonzero(bold[: 6 * scales])) == (
        6 * scales,
        shared * scales,
    )
    assert np.count_nonzero(human[: 6 * scales]) == 0
    assert said(HUMAN, episode(HUMAN, surprise=1.0))[:scales].all()


def test_human_lines_do_not_share_the_attributes_they_lack() -> None:
    others = replace(HUMAN, id="another", control=False)
    assert np.count_nonzero(likes(others, episode(HUMAN, surprise=1.0))) == 1 + len(HALF_LIVES)


def test_what_is_not_settled_counts_as_shown_and_no_more() -> None:
    waiting, settled = said(WARM, episode(WARM, 5.0)), said(WARM, episode(WARM, 5.0, 0.0))
    assert (waiting == settled).all()
    assert np.count_nonzero(waiting) == 3
    assert waiting[-4] == pytest.approx(WORN * 2 ** (-5 / WORN_HALF_LIFE))


def test_the_very_copy_is_told_from_its_like() -> None:
    twin = replace(WARM, id="twin")
    past = [episode(WARM, 3.0, 1.0), episode(WARM, 1.0)]
    assert np.count_nonzero(said(WARM, *past) != said(twin, *past)) == 2
    assert said(WARM, *past)[-5] == LIKED


@given(past=st.lists(episodes, min_size=1, max_size=16), seed=st.integers(0, 99))
def test_the_past_does_not_depend_on_its_order(past: list[Episode], seed: int) -> None:
    mixed = [past[place] for place in np.random.default_rng(seed).permutation(len(past))]
    for arm in (WARM, BOLD, HUMAN):
        np.testing.assert_allclose(said(arm, *past), said(arm, *mixed), rtol=1e-9, atol=1e-12)


@given(past=st.lists(episodes, min_size=1, max_size=16), seed=st.integers(0, 99))
def test_recall_gives_all_arms_at_once_what_recalled_gives_each(
    past: list[Episode], seed: int
) -> None:
    weights = np.random.default_rng(seed).normal(size=DIMENSION)
    places, values = recalled([past] * len(ARMS), ARMS)
    rest = values @ weights[places] - Recall.of(ARMS, weights).values(past)
    assert np.ptp(rest) < 1e-9


@given(pasts=st.lists(st.lists(episodes, min_size=1, max_size=16), min_size=1, max_size=6))
def test_many_pasts_at_once_say_what_each_says(pasts: list[list[Episode]]) -> None:
    together = recalled(pasts, [ARMS[0]] * len(pasts))[1]
    each = np.concatenate([recalled([past], [ARMS[0]])[1] for past in pasts])
    np.testing.assert_allclose(together, each, rtol=1e-9, atol=1e-12)
