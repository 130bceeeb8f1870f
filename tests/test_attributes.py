from collections import Counter
from itertools import combinations, pairwise
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookline.attributes import AFFINITIES, SYNONYMS, design
from hookline.errors import BadInput
from hookline.types import ATTRIBUTE_LEVELS, Attributes, Audience

ANYBODY = Audience(id="all", name="Everybody")
THRIFTY = Audience(id="thrifty", name="Thrifty", motives=("price", "durability"))
MOTIVES = st.lists(st.sampled_from([*AFFINITIES, *SYNONYMS, "moonlight"]), max_size=3).map(tuple)


def distance(one: Attributes, other: Attributes) -> int:
    return sum(getattr(one, name) != getattr(other, name) for name in ATTRIBUTE_LEVELS)


def test_levels_are_those_of_the_record() -> None:
    assert list(ATTRIBUTE_LEVELS) == list(Attributes.__dataclass_fields__)
    assert prod(map(len, ATTRIBUTE_LEVELS.values())) == 9216
    for name, field in Attributes.__dataclass_fields__.items():
        assert field.default in ATTRIBUTE_LEVELS[name]


def test_affinities_name_levels_that_exist() -> None:
    for motive, affinity in AFFINITIES.items():
        for attribute, levels in affinity.items():
            assert set(levels) <= set(ATTRIBUTE_LEVELS[attribute]), motive
    assert set(SYNONYMS.values()) <= set(AFFINITIES)
    assert not set(SYNONYMS) & set(AFFINITIES)


@settings(max_examples=25)
@given(n=st.integers(1, 30), seed=st.integers(), motives=MOTIVES)
def test_cells_are_distinct_and_the_seed_decides(
    n: int, seed: int, motives: tuple[str, ...]
) -> None:
    audience = Audience(id="a", name="A", motives=motives)
    cells = design(audience, n, seed)
    assert len(set(cells)) == len(cells) == n
    assert cells == design(audience, n, seed)


@pytest.mark.parametrize("seed", range(5))
def test_levels_appear_about_equally(seed: int) -> None:
    cells = design(ANYBODY, 24, seed)
    for name, levels in ATTRIBUTE_LEVELS.items():
        counts = Counter(getattr(cell, name) for cell in cells)
        spread = [counts[level] - 24 / len(levels) for level in levels]
        assert max(map(abs, spread)) <= 1, (name, counts)


@pytest.mark.parametrize("seed", range(3))
def test_urgency_is_not_confounded_with_length(seed: int) -> None:
    cells = design(ANYBODY, 48, seed)
    counts = Counter((cell.urgency, cell.length) for cell in cells)
    assert min(counts.values()) >= 8
    assert len(counts) == 4


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_have_little_in_common(seed: int) -> None:
    cells = design(ANYBODY, 12, seed)
    assert min(distance(a, b) for a, b in pairwise(cells)) >= 5
    assert all(a.angle != b.angle for a, b in combinations(cells, 2))


def test_half_of_the_cells_speak_to_the_motives() -> None:
    cells = design(THRIFTY, 20, seed=4)
    wanted = [AFFINITIES["value"], AFFINITIES["durability"]]
    for cell in cells[::2]:
        for name in ("angle", "proof", "tone"):
            assert any(getattr(cell, name) in affinity[name] for affinity in wanted)
    assert len({cell.angle for cell in cells}) == 12


def test_design_differs_between_seeds_and_audiences() -> None:
    assert design(ANYBODY, 6, 1) != design(ANYBODY, 6, 2)
    assert design(ANYBODY, 6, 1) != design(Audience(id="other", name="Other"), 6, 1)


def test_challenger_is_another_cell_than_the_incumbent() -> None:
    incumbent = Attributes()
    for seed in range(20):
        (challenger,) = design(ANYBODY, 1, seed, taken=(incumbent,))
        assert distance(challenger, incumbent) == 6


def test_every_cell_can_be_had_and_no_more() -> None:
    taken = [
        Attributes(angle=cell.angle, tone=cell.tone, cta=cell.cta) for cell in design(ANYBODY, 5, 0)
    ]
    assert not set(design(ANYBODY, 40, 0, taken=taken)) & set(taken)
    with pytest.raises(BadInput, match="9216"):
        design(ANYBODY, 9217, 0)
    with pytest.raises(BadInput, match="between 1"):
        design(ANYBODY, 0, 0)
