"""The fused state: robust to any visitor, the same for any arms beside, fast or slow."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookline.perceive import (
    COMMON,
    CROSS,
    DIMENSION,
    MAIN,
    RECALL,
    TEXT,
    VISITOR,
    Sight,
    States,
    cell_of,
    copy_states,
    states,
    states_of,
)
from hookline.perceive.copy import (
    HUMAN as HUMAN_LEVEL,
)
from hookline.perceive.copy import (
    LEVELS_OF_CELL,
    NO_LEVEL,
    arm_features,
    style_features,
)
from hookline.perceive.hashing import crossed, hashes, placed
from hookline.perceive.visitor import MAX_ITEMS, MAX_TRAITS, MAX_WORDS, portrait, squashed
from hookline.types import Arm, Attributes, Context, Episode, Trait

AT = datetime(2026, 1, 5, tzinfo=UTC)
WARM = Arm(id="warm", text="Treat them", parts={}, attributes=Attributes(tone="warm"))
BOLD = Arm(
    id="bold",
    text="Go far!",
    parts={},
    attributes=Attributes(tone="bold", angle="value"),
    audience_id="a",
    embedding=(0.6, -0.8),
)
HUMAN = Arm(id="human", text="Our bag.", parts={}, control=True)
RIVAL = Arm(id="rival", text="Their bag?", parts={})
ARMS = [WARM, BOLD, HUMAN, RIVAL]
BLOCKS = [MAIN, CROSS, VISITOR, RECALL, TEXT, COMMON]

traits = st.dictionaries(
    st.text(max_size=30),
    st.one_of(st.text(max_size=30), st.floats(), st.booleans(), st.lists(st.text(max_size=9))),
    max_size=20,
)
episodes = st.builds(
    Episode,
    hours=st.floats(0, 5000),
    arm_id=st.sampled_from(["warm", "bold", "human", "gone"]),
    cell=st.integers(-1, len(LEVELS_OF_CELL) - 2),
    surprise=st.one_of(st.none(), st.floats(-5, 5)),
)
visitors = st.builds(
    Context,
    visitor_id=st.just("v"),
    at=st.datetimes(timezones=st.just(UTC)),
    traits=traits,
    device=st.sampled_from(["", "mobile"]),
    referrer=st.sampled_from(["", "search"]),
    query=st.text(max_size=30),
    position=st.integers(0, 50),
    past=st.lists(episodes, max_size=16).map(tuple),
)
choices = st.lists(st.sampled_from(ARMS), min_size=1, max_size=4, unique_by=lambda arm: arm.id)


def visitor(known: dict[str, Trait], device: str = "") -> Context:
    return Context(visitor_id="v", at=AT, traits=known, device=device)


def full(seen: States) -> np.ndarray:
    return seen.dense(seen.places, DIMENSION)


def within(block: tuple[int, int], places: np.ndarray) -> np.ndarray:
    return (places >= block[0]) & (places < sum(block))


# --- the whole state ---------------------------------------------------------------------------


@given(context=visitors, audience=st.text(max_size=10))
def test_states_of_any_visitor_are_finite_and_in_their_blocks(
    context: Context, audience: str
) -> None:
    seen = states(context, audience, ARMS)
    assert np.isfinite(seen.values).all()
    assert np.abs(seen.values[~within(RECALL, seen.places)]).max() <= 1
    assert seen.count == len(ARMS)
    assert set(seen.rows.tolist()) == set(range(len(ARMS)))
    assert sum(within(block, seen.places).sum() for block in BLOCKS) == seen.places.size


def test_blocks_fill_the_vector_without_overlap() -> None:
    edges = sorted((start, start + size) for start, size in BLOCKS)
    assert [start for start, _ in edges] == [0, *(end for _, end in edges[:-1])]
    assert edges[-1][1] == DIMENSION


@settings(max_examples=50)
@given(context=visitors)
def test_states_do_not_depend_on_the_other_arms(context: Context) -> None:
    together = full(states(context, "a", ARMS))
    for row, arm in enumerate(ARMS):
        assert (full(states(context, "a", [arm]))[0] == together[row]).all()


def test_states_of_pairs_see_each_visitor_and_audience() -> None:
    past = (Episode(3.0, "warm", cell_of(WARM.attributes), 1.0),)
    one, other = visitor({"loyalty": "gold"}), replace(visitor({"visits": 3.0}), past=past)
    pairs = [(one, "a", WARM), (one, "b", WARM), (other, "b", WARM), (one, "b", BOLD)]
    seen = full(states_of(pairs))
    for row, (context, audience, arm) in enumerate(pairs):
        assert (full(states(context, audience, [arm]))[0] == seen[row]).all()


def test_states_tell_audiences_apart_only_where_they_should() -> None:
    savers = full(states(visitor({}), "savers", [WARM, RIVAL]))
    hikers = full(states(visitor({}), "hikers", [WARM, RIVAL]))
    assert (savers != hikers).any(axis=1).all()
    lead = (savers[0] - savers[1]) - (hikers[0] - hikers[1])
    assert within(CROSS, np.flatnonzero(lead)).all()


def test_states_share_what_copies_share() -> None:
    twin = replace(WARM, id="twin")
    rows = full(states(visitor({"loyalty": "gold"}, "mobile"), "savers", [WARM, twin, BOLD]))
    apart = [int((rows[0] != rows[other]).sum()) for other in (1, 2)]
    assert apart[0] == 4  # the identity of each, and its cross with the audience
    assert apart[1] > apart[0]
    blind = full(states(visitor({}), "savers", [WARM, twin], identity=False))
    assert (blind[0] == blind[1]).all()


def test_states_know_whether_copy_was_written_for_this_audience() -> None:
    written = replace(WARM, audience_id="savers")
    fits, misses = (
        full(states(visitor({}), audience, [written]))[:, slice(*MAIN)]
        for audience in ("savers", "hikers")
    )
    free = full(states(visitor({}), "savers", [WARM]))[:, slice(*MAIN)]
    assert (fits != free).sum() == 1
    assert (misses != free).sum() == 1
    assert (fits != misses).sum() == 2


def test_states_hold_the_embedding_and_no_more_of_it_than_fits() -> None:
    long = replace(WARM, embedding=tuple(np.linspace(-1, 1, 100)))
    seen = states(visitor({}), "", [BOLD, long, WARM])
    held = within(TEXT, seen.places)
    assert np.bincount(seen.rows[held], minlength=3).tolist() == [2, TEXT[1], 0]
    np.testing.assert_allclose(seen.values[held][1] / seen.values[held][0], -0.8 / 0.6)


def test_traits_stay_in_their_blocks() -> None:
    known: dict[str, Trait] = {"loyalty": "gold", "visits": 3.0}
    bare = set(states(visitor({}), "a", [WARM]).places.tolist())
    rich = set(states(visitor(known, "mobile"), "a", [WARM]).places.tolist())
    added = np.array(sorted(rich - bare))
    assert added.size
    assert within(VISITOR, added).all()


# --- the fast way to the same ------------------------------------------------------------------


@given(
    contexts=st.lists(visitors, min_size=1, max_size=3),
    audience=st.sampled_from(["", "a"]),
    arms=choices,
    seed=st.integers(0, 99),
)
def test_sight_gives_the_value_of_the_whole_state_but_for_what_all_arms_share(
    contexts: list[Context], audience: str, arms: list[Arm], seed: int
) -> None:
    weights = np.random.default_rng(seed).normal(size=DIMENSION)
    sight = Sight(audience, arms, weights)
    copies = full(copy_states(audience, arms)) @ weights
    for context in contexts:
        whole = full(states(context, audience, arms, identity=False)) @ weights
        rest = whole - copies - sight.values(context)
        assert np.ptp(rest) < 1e-9 * max(1.0, np.abs(whole).max())


def test_copy_states_are_what_is_left_without_visitor_and_past() -> None:
    context = visitor({"loyalty": "gold"}, "mobile")
    rest = full(states(context, "a", ARMS, identity=False)) - full(copy_states("a", ARMS))
    places = np.flatnonzero(np.abs(rest).sum(axis=0))
    assert places.size
    assert (within(VISITOR, places) | within(COMMON, places)).all()


def test_sight_under_new_weights_starts_from_what_another_has_met() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(2, DIMENSION))
    before = Sight("a", ARMS, weights[0])
    first = before.values(visitor({"loyalty": "gold"}))
    after = Sight("a", ARMS, weights[1], before.met)
    known = list(after.met.rows)
    for known_traits in ({"loyalty": "gold"}, {"loyalty": "none", "visits": 2.0}):
        context = visitor(dict(known_traits))
        fresh = Sight("a", ARMS, weights[1]).values(context)
        np.testing.assert_allclose(after.values(context), fresh, rtol=1e-12, atol=1e-15)
    assert list(before.met.rows) == known
    assert list(after.met.rows)[: len(known)] == known
    assert len(after.met.rows) > len(known)
    assert (before.values(visitor({"loyalty": "gold"})) == first).all()


def test_sight_stays_right_and_bounded_under_traits_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hookline.perceive.MAX_ROWS", 12)
    weights = np.random.default_rng(0).normal(size=DIMENSION)
    sight = Sight("a", ARMS, weights)
    for number in range(60):
        context = visitor({"page": f"p{number}", "loyalty": "gold"})
        fresh = Sight("a", ARMS, weights).values(context)
        np.testing.assert_allclose(sight.values(context), fresh, rtol=1e-12, atol=1e-15)
        assert len(sight.met.rows) <= 12 + 4


# --- the portrait ------------------------------------------------------------------------------


def features(context: Context) -> dict[int, float]:
    seen = portrait(context)
    return dict(zip(seen.hashes, seen.values.tolist(), strict=True))


def added(context: Context) -> dict[int, float]:
    """What the context has beyond time of day and week."""
    bare = features(Context(visitor_id="v", at=context.at))
    return {name: value for name, value in features(context).items() if name not in bare}


@given(context=visitors)
def test_portrait_values_lie_in_minus_1_to_1(context: Context) -> None:
    seen = portrait(context)
    assert len(seen.hashes) == seen.values.size
    assert (np.abs(seen.values) <= 1).all()
    assert 0 not in seen.hashes


def test_portrait_keeps_kinds_of_one_trait_apart() -> None:
    kinds: list[Trait] = [3.0, "3.0", True, ["3.0"]]
    names = {name for kind in kinds for name in added(visitor({"t": kind}))}
    assert len(names) == len(kinds)


def test_portrait_ignores_case_space_and_order_of_items() -> None:
    one = visitor({"likes": ["Hiking", " travel"], "loyalty": " Gold"}, "Mobile")
    two = visitor({"likes": ["travel", "hiking"], "loyalty": "gold"}, "mobile ")
    assert features(one) == features(two)


def test_portrait_tells_flags_apart_by_sign_and_leaves_empty_categories_out() -> None:
    yes, no = added(visitor({"member": True})), added(visitor({"member": False}))
    assert list(yes) == list(no)
    assert [*yes.values(), *no.values()] == [1.0, -1.0]
    assert added(visitor({"city": "  "})) == {}


def test_portrait_sees_the_visit() -> None:
    context = replace(visitor({}), referrer="Search ", query="warm boots warm", position=3)
    found = added(context)
    assert len(found) == 4
    assert found == added(replace(context, referrer="search", query="WARM boots"))
    (depth,) = {value for value in found.values() if value != 1.0}
    assert 0 < depth < 1


@pytest.mark.parametrize(("hours", "same"), [(1, True), (7, False), (24, True), (24 * 5, False)])
def test_portrait_knows_part_of_day_and_week(hours: int, same: bool) -> None:
    later = replace(visitor({}), at=AT + timedelta(hours=hours))
    assert (features(later) == features(visitor({}))) == same


def test_portrait_is_bounded_and_does_not_depend_on_which_traits_come_first() -> None:
    many: dict[str, Trait] = {f"trait{index:03}": "x" * 1000 for index in range(100)}
    assert len(added(visitor(many))) == MAX_TRAITS
    assert features(visitor(many)) == features(visitor(dict(reversed(many.items()))))
    assert len(added(visitor({"likes": [str(n) for n in range(99)]}))) == MAX_ITEMS
    query = " ".join(str(n) for n in range(99))
    assert len(added(replace(visitor({}), query=query))) == MAX_WORDS


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_squashed_is_odd_monotone_and_bounded(one: float, other: float) -> None:
    low, high = squashed(np.array(sorted([one, other])))
    assert -1 <= low <= high <= 1
    assert squashed(np.array([-one]))[0] == -squashed(np.array([one]))[0]


def test_squashed_takes_what_is_no_number_for_nothing() -> None:
    assert squashed(np.array([math.nan]))[0] == 0
    assert np.isfinite(squashed(np.array([math.inf, -math.inf]))).all()


# --- the copy ----------------------------------------------------------------------------------


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


def test_cells_are_one_for_each_design_and_name_its_levels() -> None:
    cells = [cell_of(WARM.attributes), cell_of(BOLD.attributes), cell_of(None)]
    assert len(set(cells)) == 3
    warm, bold, human = (LEVELS_OF_CELL[cell] for cell in cells)
    assert ((warm == bold) == [False, False, True, True, True, True]).all()
    assert human.tolist() == [HUMAN_LEVEL] + [NO_LEVEL] * (len(human) - 1)
    assert (arm_features(BOLD).levels == bold).all()
    assert len(np.unique(LEVELS_OF_CELL, axis=0)) == len(LEVELS_OF_CELL)


def test_arm_features_are_computed_once() -> None:
    assert arm_features(WARM) is arm_features(replace(WARM, active=False))
    assert arm_features(WARM) is not arm_features(replace(WARM, text="Treat yourself"))


# --- hashing -----------------------------------------------------------------------------------


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
