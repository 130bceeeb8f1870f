"""What the past says: attention over earlier copies by likeness and age."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.perceive.copy import LEVELS_OF_CELL, NO_LEVEL, arm_features, cell_of
from hookline.perceive.hashing import DIMENSION, RECALL, Array
from hookline.perceive.past import (
    HALF_LIVES,
    WORN_HALF_LIFE,
    Recall,
    Recollection,
    recalled,
    recollect,
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


def recollection(*past: Episode) -> Recollection:
    found = recollect(past)
    assert found is not None
    return found


def said(arm: Arm, *past: Episode) -> Array:
    """What the past says of one copy, shape (places,)."""
    return recalled(recollection(*past), arm_features(arm))[1]


def test_recollect_of_no_past_is_nothing() -> None:
    assert recollect(()) is None


def test_recalled_stays_in_its_block_and_is_the_same_for_every_arm() -> None:
    places, values = recalled(recollection(episode(WARM, surprise=1.0)), ARMS[0])
    assert places.size == values.size
    assert places.min() == RECALL[0]
    assert places.max() < sum(RECALL)
    assert (places == recalled(recollection(episode(BOLD)), ARMS[2])[0]).all()


@pytest.mark.parametrize("scale", range(1 + len(HALF_LIVES)))
def test_a_score_halves_with_every_half_life_of_its_time_scale(scale: int) -> None:
    now = recollection(episode(WARM, 0.0, 2.0)).likes[TONE]
    assert now.tolist() == [2.0] * (1 + len(HALF_LIVES))
    hours = HALF_LIVES[scale - 1] if scale else 1e6
    later = recollection(episode(WARM, hours, 2.0)).likes[TONE]
    assert later[scale] == pytest.approx(1.0 if scale else 2.0)


def test_showings_wear_off() -> None:
    fresh = recollection(episode(WARM))
    old = recollection(episode(WARM, WORN_HALF_LIFE))
    assert fresh.same["warm"][0] == pytest.approx(2 * old.same["warm"][0])
    assert fresh.shown[TONE] == pytest.approx(2 * old.shown[TONE])
    assert fresh.worn.sum() == pytest.approx(2 * old.worn.sum())


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
    past = recollection(episode(HUMAN, surprise=1.0))
    assert (past.likes[NO_LEVEL] == 0).all()
    assert past.shown[NO_LEVEL] == 0


def test_what_is_not_settled_counts_as_shown_and_no_more() -> None:
    waiting = recollection(episode(WARM, 5.0))
    settled = recollection(episode(WARM, 5.0, 0.0))
    assert (waiting.likes == 0).all()
    assert waiting.scores.tolist() == [0.0]
    for each in (waiting, settled):
        assert each.same["warm"] == (pytest.approx(2 ** (-5 / WORN_HALF_LIFE)), 0.0)


def test_the_very_copy_is_told_from_its_like() -> None:
    twin = replace(WARM, id="twin")
    past = [episode(WARM, 3.0, 1.0), episode(WARM, 1.0)]
    assert np.count_nonzero(said(WARM, *past) != said(twin, *past)) == 2
    assert recollection(*past).same["warm"][1] == 1.0


@given(past=st.lists(episodes, min_size=1, max_size=16), seed=st.integers(0, 99))
def test_recollect_does_not_depend_on_order(past: list[Episode], seed: int) -> None:
    mixed = [past[place] for place in np.random.default_rng(seed).permutation(len(past))]
    for arm in (WARM, BOLD, HUMAN):
        np.testing.assert_allclose(said(arm, *past), said(arm, *mixed), rtol=1e-9, atol=1e-12)


@given(past=st.lists(episodes, min_size=1, max_size=16), seed=st.integers(0, 99))
def test_recall_gives_all_arms_at_once_what_recalled_gives_each(
    past: list[Episode], seed: int
) -> None:
    weights = np.random.default_rng(seed).normal(size=DIMENSION)
    found = recollection(*past)
    slow = np.array([weights[places] @ values for places, values in said_of_all(found)])
    rest = slow - Recall.of(ARMS, weights).values(found)
    assert np.ptp(rest) < 1e-9


def said_of_all(found: Recollection) -> list[tuple[np.ndarray, Array]]:
    return [recalled(found, arm) for arm in ARMS]
