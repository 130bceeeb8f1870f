"""Names of features turned into places in one long vector, the same on every machine and day.

A name is hashed once with blake2b; a cross of two names mixes their two hashes. The vector has
blocks, so that what a visitor sends can never crowd out what the experiment itself holds:

    0 … 16383        main effects: copy attributes, text style
    16384 … 32767    crosses of the audience with the copy
    32768 … 32895    crosses of the visitor's portrait with the copy
    32896 … 32927    what the visitor's past says for the copy (not hashed)
    32928 … 32991    the embedding of the copy's text (not hashed)
    32992 … 33247    what shifts all copies alike: intercept, audience, portrait

Each hashed place carries a sign from another bit of the hash, so that names which do fall together
cancel on average instead of adding up (Weinberger et al. 2009, "Feature hashing for large scale
multitask learning"). With the 50 to 300 names of a usual test, about one in a hundred shares its
place.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]
Array = NDArray[np.float64]

MAIN: Final = (0, 16_384)
"""First place and size of the block of main effects."""
CROSS: Final = (16_384, 16_384)
"""First place and size of the block of audience crosses."""
VISITOR: Final = (32_768, 128)
"""First place and size of the block of crosses of the visitor's portrait with the copy."""
RECALL: Final = (32_896, 32)
"""First place and size of the block of what the visitor's past says."""
TEXT: Final = (32_928, 64)
"""First place and size of the block of the text's embedding."""
COMMON: Final = (32_992, 256)
"""First place and size of the block of what shifts all copies alike."""
DIMENSION: Final = 33_248
"""Length of the whole vector."""


@lru_cache(maxsize=65_536)
def name_hash(name: str) -> int:
    """A stable 64-bit hash of a feature's name.

    Examples:
        >>> name_hash("audience=gifters") == name_hash("audience=gifters")
        True
    """
    return int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def hashes(names: list[str]) -> Hashes:
    """The names' hashes, shape (names,)."""
    return np.array([name_hash(name) for name in names], dtype=np.uint64)


def crossed(left: Hashes, right: Hashes) -> Hashes:
    """The hash of each pair of names; broadcasts, and (left, right) is not (right, left).

    The finaliser is that of splitmix64 (Steele, Lea, Flood 2014).
    """
    mixed = left * np.uint64(0x9E3779B97F4A7C15) + right
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def placed(hashed: Hashes, block: tuple[int, int]) -> tuple[Places, Array]:
    """Where in the vector each hash falls, and with which sign.

    Args:
        hashed: Any shape.
        block: First place and size (a power of two) of the block to fall in.

    Returns:
        Places in the block and signs of ±1, both of the shape of `hashed`.
    """
    start, size = block
    places = (hashed & np.uint64(size - 1)).astype(np.int64) + start
    signs = 1.0 - 2.0 * (hashed >> np.uint64(63)).astype(np.float64)
    return places, signs
