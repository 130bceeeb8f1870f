"""Tests → the groups they fall into by what they share, and what to say about those."""

from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hookline.past.sample import GatheredTest


def group_tests(tests: Sequence[GatheredTest]) -> NDArray[np.int64]:
    """Number of the group of each test, shape (tests,): one where they share a group or a text.

    Texts are compared without case and runs of spaces.
    """
    return join_by_keys([_keys(test) for test in tests])


def _keys(test: GatheredTest) -> Iterator[Hashable]:
    """What two tests of one group may share."""
    for name in test.groups:
        yield "group", name
    for text in test.lines:
        yield " ".join(text.casefold().split())


def join_by_keys(keys: Sequence[Iterable[Hashable]]) -> NDArray[np.int64]:
    """Number of the group of each item: one for items that share a key, directly or through others.

    Groups are counted from 0 in the order of their first items.

    Examples:
        >>> join_by_keys(["ab", "c", "bd", "d"])
        array([0, 1, 0, 0])
    """
    parent = list(range(len(keys)))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    owner: dict[Hashable, int] = {}
    for item, own_keys in enumerate(keys):
        for key in own_keys:
            first = owner.setdefault(key, item)
            if first != item:
                one, other = root(first), root(item)
                parent[max(one, other)] = min(one, other)
    # A group's root is its first item, so sorting roots numbers the groups in that order.
    roots = np.array([root(item) for item in range(len(keys))], dtype=np.int64)
    return np.unique(roots, return_inverse=True)[1].astype(np.int64)


def group_notes(groups: NDArray[np.int64]) -> list[str]:
    """What to say about these groups, given as the number of each test's."""
    sizes = np.bincount(groups)
    tests, single = len(groups), int((sizes == 1).sum())
    if single == len(sizes):
        return [
            "Every group spans one test only: no two tests share a text or a group, so similar "
            "tests may stand on both sides of a split."
        ]
    notes = [f"{tests:,} tests in {len(sizes):,} groups; groups of one test only: {single:,}."]
    if sizes.max() > max(10, tests / 5):
        notes.append(
            f"One group joins {sizes.max():,} of {tests:,} tests; look whether the text and group "
            "columns hold what they should."
        )
    return notes
