"""The fused state: robust to any visitor, the same for any arms beside."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.perceive import DIMENSION, States, states
from hookline.perceive.copy import arm_features, style_features
from hookline.perceive.hashing import CROSS, MAIN, VISITOR, crossed, hashes, placed
from hookline.perceive.visitor import MAX_TRAITS, squash, visitor_features
from hookline.types import Arm, Attributes, Context, Trait

AT = datetime(2026, 1, 5, tzinfo=UTC)
WARM = Arm(id="warm", text="Treat them", parts={}, attributes=Attributes(tone="warm"))
BOLD = Arm(id="bold", text="Go far!", parts={}, attributes=Attributes(tone="bold"))
HUMAN = Arm(id="human", text="Our bag.", parts={}, control=True)

traits = st.dictionaries(
    st.text(max_size=30),
    st.one_of(st.text(max_size=30), st.floats(), st.booleans(), st.lists(st.text(max_size=9))),
    max_size=20,
)


def visitor(known: dict[str, Trait], device: str = "") -> Context:
    return Context(visitor_id="v", at=AT, traits=known, device=device)


def full(seen: States) -> np.ndarray:
    return seen.dense(seen.places, DIMENSION)


@given(known=traits, device=st.text(max_size=10), audience=st.text(max_size=10))
def test_states_of_any_visitor_are_finite_small_and_on_the_grid(
    known: dict[str, Trait], device: str, audience: str
) -> None:
    seen = states(visitor(known, device), audience, [WARM, BOLD, HUMAN])
    assert np.abs(seen.values).max() <= 1
    assert (seen.values * 128 == np.rint(seen.values * 128)).all()
    assert seen.places.min() >= 0
    assert seen.places.max() < DIMENSION


@given(known=traits)
def test_states_do_not_depend_on_the_other_arms(known: dict[str, Trait]) -> None:
    together = full(states(visitor(known), "a", [WARM, HUMAN, BOLD]))
    for row, arm in enumerate([WARM, HUMAN, BOLD]):
        assert (full(states(visitor(known), "a", [arm]))[0] == together[row]).all()


def test_states_tell_audiences_apart_only_where_they_should() -> None:
    savers = full(states(visitor({}), "savers", [WARM, BOLD]))
    hikers = full(states(visitor({}), "hikers", [WARM, BOLD]))
    assert (savers != hikers).any(axis=1).all()
    lead = (savers[0] - savers[1]) - (hikers[0] - hikers[1])
    start, size = CROSS
    assert np.flatnonzero(lead).min() >= start
    assert np.flatnonzero(lead).max() < start + size


def test_states_share_what_copies_share() -> None:
    twin = replace(WARM, id="twin")
    rows = full(states(visitor({"loyalty": "gold"}, "mobile"), "savers", [WARM, twin, BOLD]))
    apart = [int((rows[0] != rows[other]).sum()) for other in (1, 2)]
    assert apart[0] == 4  # the identity of each, and its cross with the audience
    assert apart[1] > apart[0]


def test_states_know_whether_copy_was_written_for_this_audience() -> None:
    written = replace(WARM, audience_id="savers")
    fits = full(states(visitor({}), "savers", [written]))
    misses = full(states(visitor({}), "hikers", [written]))
    free = full(states(visitor({}), "savers", [WARM]))
    start, size = MAIN
    assert (fits[:, start : start + size] != free[:, start : start + size]).sum() == 1
    assert (fits[:, start : start + size] != misses[:, start : start + size]).sum() == 4


def test_visitor_features_keep_kinds_of_one_trait_apart() -> None:
    kinds: list[Trait] = [3.0, "3.0", True, ["3.0"], math.nan]
    seen = [int(visitor_features(visitor({"t": kind}), "").hashes[0]) for kind in kinds]
    assert len(set(seen)) == len(kinds)


def test_visitor_features_ignore_case_space_and_order_of_items() -> None:
    one = visitor_features(visitor({"likes": ["Hiking", " travel"]}, "Mobile"), "a")
    two = visitor_features(visitor({"likes": ["travel", "hiking"]}, "mobile "), "a")
    assert (one.hashes == two.hashes).all()


def test_visitor_features_are_bounded() -> None:
    many: dict[str, Trait] = {f"trait{index:03}": "x" * 1000 for index in range(100)}
    assert visitor_features(visitor(many), "").hashes.size == MAX_TRAITS


def test_traits_stay_in_their_block() -> None:
    known: dict[str, Trait] = {"loyalty": "gold", "visits": 3.0}
    bare = set(states(visitor({}), "a", [WARM]).places.tolist())
    rich = set(states(visitor(known, "mobile"), "a", [WARM]).places.tolist())
    start, size = VISITOR
    assert rich > bare
    assert all(start <= place < start + size for place in rich - bare)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_squash_is_odd_monotone_and_bounded(one: float, other: float) -> None:
    low, high = sorted([one, other])
    assert -1 <= squash(low) <= squash(high) <= 1
    assert squash(-one) == -squash(one)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", {}),
        ("Need more room?", {"asks": 1.0}),
        ("DISCOVER you’re new bag", {"length": 0.125, "you": 1.0, "imperative": 1.0}),
        ("12 % lighter", {"digits": 1.0}),
        ("x" * 999, {"length": 1.0}),
    ],
)
def test_style_features(text: str, shown: dict[str, float]) -> None:
    assert style_features(text) == shown


def test_arm_features_are_computed_once() -> None:
    assert arm_features(WARM) is arm_features(replace(WARM, active=False))
    assert arm_features(WARM) is not arm_features(replace(WARM, text="Treat yourself"))


def test_hashes_are_the_same_on_every_machine() -> None:
    assert hashes(["intercept"]).tolist() == [0xE11974EA2125E8AF]
    assert placed(crossed(hashes(["a"]), hashes(["b"])), CROSS)[0].tolist() == [24730]


def test_crosses_are_ordered_pairs_spread_evenly() -> None:
    left, right = hashes(["a", "b"]), hashes([f"x{index}" for index in range(4096)])
    assert (crossed(left[:1], right) != crossed(right, left[:1])).all()
    places, signs = placed(crossed(left[:, None], right[None, :]), CROSS)
    taken = np.unique(places).size
    expected = CROSS[1] * (1 - math.exp(-places.size / CROSS[1]))
    assert abs(taken - expected) < 5 * math.sqrt(expected)
    assert abs(signs.sum()) < 5 * math.sqrt(signs.size)
