"""The creative attributes: their levels, and the design that spreads a test over them.

A design picks `n` cells out of the 9,216 there are so that every level appears about equally and
cells next to each other share as little as possible; half of them lean towards what moves the
audience (`AFFINITIES`). What a test learns about an angle or a tone then rests on many copies, not
on one.
"""

from collections.abc import Collection
from functools import cache
from itertools import product as combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.types import ATTRIBUTE_LEVELS, Attributes, Audience, content_hash

Cells = NDArray[np.int64]
"""Shape (cells, attributes): the index of each cell's level within its attribute."""

AFFINITIES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "value": {"angle": ("value", "direct", "benefit"), "proof": ("price",), "tone": ("plain",)},
    "quality": {"angle": ("quality", "feature"), "proof": ("spec", "brand"), "tone": ("expert",)},
    "durability": {"angle": ("quality", "feature"), "proof": ("spec",), "tone": ("expert",)},
    "performance": {
        "angle": ("feature", "benefit"),
        "proof": ("spec",),
        "tone": ("bold", "expert"),
    },
    "convenience": {"angle": ("ease", "problem", "howto"), "proof": ("none",), "tone": ("plain",)},
    "comfort": {"angle": ("ease", "benefit"), "proof": ("none", "spec"), "tone": ("calm", "warm")},
    "style": {"angle": ("style", "identity"), "proof": ("brand",), "tone": ("bold", "playful")},
    "status": {"angle": ("identity", "quality"), "proof": ("brand",), "tone": ("bold",)},
    "novelty": {"angle": ("curiosity", "style"), "proof": ("none",), "tone": ("playful",)},
    "gift": {"angle": ("occasion", "identity"), "proof": ("none", "price"), "tone": ("warm",)},
    "family": {"angle": ("ease", "occasion"), "proof": ("price",), "tone": ("warm",)},
    "trust": {"angle": ("direct", "quality"), "proof": ("brand", "spec"), "tone": ("calm",)},
    "learning": {"angle": ("howto", "curiosity"), "proof": ("spec",), "tone": ("expert",)},
    "adventure": {"angle": ("occasion", "identity"), "proof": ("spec",), "tone": ("bold",)},
}
"""Motive → attribute → the levels that speak to it. Starting points drawn from common sales
practice, no more: half of every design ignores them, so a test can prove them wrong."""

SYNONYMS: Final[dict[str, str]] = {
    "price": "value", "savings": "value", "budget": "value", "thrift": "value",
    "craft": "quality", "craftsmanship": "quality", "reliability": "durability",
    "longevity": "durability", "speed": "performance", "power": "performance",
    "fitness": "performance", "ease": "convenience", "simplicity": "convenience",
    "time": "convenience", "looks": "style", "design": "style", "fashion": "style",
    "prestige": "status", "identity": "status", "fun": "novelty", "discovery": "novelty",
    "gifting": "gift", "giving": "gift", "kids": "family", "home": "family", "safety": "trust",
    "knowledge": "learning", "outdoors": "adventure", "travel": "adventure",
}  # fmt: skip
"""Other words for a motive → the motive of `AFFINITIES`."""


def design(
    audience: Audience, n: int, seed: int, taken: Collection[Attributes] = ()
) -> tuple[Attributes, ...]:
    """`n` different cells for one audience, spread over the vocabulary; the same seed, the same.

    Each pick takes the cell that repeats least of what the cells before it have, in levels and
    in pairs of levels (`crowding`). Every second pick is drawn from the cells that fit the
    audience's motives, where it has known ones.

    Args:
        audience: Whom the copy is for; its motives tilt half of the cells.
        n: How many cells, at least 1.
        seed: Any integer; two audiences get different designs from the same seed.
        taken: Cells in use already, such as an incumbent's: none of them comes back, and the new
            ones keep away from them.

    Raises:
        BadInput: Where `n` is below 1 or there are not that many cells left.

    Examples:
        >>> thrifty = Audience(id="t", name="Thrifty", motives=("value",))
        >>> cells = design(thrifty, 4, seed=1)
        >>> [cell.proof for cell in cells[::2]]
        ['price', 'price']
        >>> cells[0] in design(thrifty, 4, seed=1, taken=cells[:1])
        False
    """
    cells = all_cells()
    used = [code_of(cell) for cell in dict.fromkeys(taken)]
    start, free = len(used), free_cells(n, used)
    rng = np.random.default_rng(int(content_hash(audience.id, seed), 16))
    fitting = fitting_cells(cells, audience.motives)
    for turn in range(n):
        fits = free & fitting
        allowed = fits if turn % 2 == 0 and fits.any() else free
        score = crowding(cells, np.array(used, dtype=np.int64).reshape(-1, cells.shape[1]))
        score = np.where(allowed, score + 1e-6 * rng.random(len(cells)), np.inf)
        best = int(score.argmin())
        free[best] = False
        used.append(cells[best].tolist())
    return tuple(cell_of(code) for code in used[start:])


@cache
def all_cells() -> Cells:
    """Every cell there is, shape (9216, 6); read-only."""
    sizes = [range(len(levels)) for levels in ATTRIBUTE_LEVELS.values()]
    cells = np.array(list(combinations(*sizes)), dtype=np.int64)
    cells.flags.writeable = False
    return cells


def free_cells(n: int, used: list[list[int]]) -> NDArray[np.bool_]:
    """Which cells are not in use, shape (cells,).

    Raises:
        BadInput: Where `n`, the number asked for, is below 1 or more than are free.
    """
    cells = all_cells()
    if not 1 <= n <= len(cells) - len(used):
        raise BadInput(
            f"{n} attribute cells were asked for; between 1 and {len(cells) - len(used)} can be"
        )
    taken = np.array([*used, [-1] * cells.shape[1]])
    return ~(cells[:, None, :] == taken).all(axis=2).any(axis=1)


def fitting_cells(cells: Cells, motives: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which cells speak to the motives; all of them where no motive is known. Shape (cells,)."""
    mask = np.ones(len(cells), dtype=np.bool_)
    names = (motive.strip().lower() for motive in motives)
    known = [AFFINITIES[name] for name in (SYNONYMS.get(n, n) for n in names) if name in AFFINITIES]
    for column, (attribute, levels) in enumerate(ATTRIBUTE_LEVELS.items()):
        wanted = {level for affinity in known for level in affinity.get(attribute, ())}
        if wanted:
            mask &= np.isin(cells[:, column], [levels.index(level) for level in wanted])
    return mask


def crowding(cells: Cells, used: Cells) -> NDArray[np.float64]:
    """How much each cell repeats what is used, lower is better. Shape (cells,).

    The J2 criterion: over the used cells, the squared sum of what both share, each attribute
    weighing as much as it has levels. Its minimum has level counts equal *and* pairs of levels
    crossed evenly, so that urgency, say, is not confounded with length. Xu (2002), "An Algorithm
    for Constructing Orthogonal and Nearly-Orthogonal Arrays with Mixed Levels and Small Runs",
    Technometrics 44(4). Ties go to the cell that shares least with the last one.
    """
    weights = np.array([len(levels) for levels in ATTRIBUTE_LEVELS.values()], dtype=np.float64)
    score = np.zeros(len(cells))
    for other in used:
        score += ((cells == other) @ weights) ** 2
    if len(used):
        score += 0.5 * (cells == used[-1]).sum(axis=1)
    return score


def code_of(cell: Attributes) -> list[int]:
    """The cell's level indices in the order of `ATTRIBUTE_LEVELS`."""
    return [levels.index(getattr(cell, name)) for name, levels in ATTRIBUTE_LEVELS.items()]


def cell_of(code: list[int]) -> Attributes:
    """The cell with these level indices."""
    pairs = zip(ATTRIBUTE_LEVELS.items(), code, strict=True)
    return Attributes(**{name: levels[index] for (name, levels), index in pairs})  # pyright: ignore[reportArgumentType] - the levels come from the Literals themselves
