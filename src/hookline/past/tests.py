"""The record of past tests: whole tests, their lines, and folds that keep groups together."""

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.past.digest import digest


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PastTests:
    """Tests with at least two lines each; the lines of one test stand next to each other.

    Attributes:
        test_ids: Id of each test, in file order of its first line (by start where one is given).
        groups: Number of the group of each test, shape (tests,). Tests of one group may share
            lines, so a group is never split between learning and measuring.
        starts: Index of each test's first line, and the number of lines at the end: (tests + 1,).
        texts: The lines.
        impressions: How often each line was shown, at least 1; shape (lines,).
        clicks: Clicks on each, at most its impressions; shape (lines,).
        predicted: `predicted_ctr` of each line, above 0; None where the file has none.
    """

    test_ids: tuple[str, ...]
    groups: NDArray[np.int64]
    starts: NDArray[np.int64]
    texts: tuple[str, ...]
    impressions: NDArray[np.int64]
    clicks: NDArray[np.int64]
    predicted: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.test_ids)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Number of lines of each test, at least 2; shape (tests,)."""
        return np.diff(self.starts)

    @property
    def test_of_line(self) -> NDArray[np.int64]:
        """Index of the test that each line stands in, shape (lines,)."""
        return np.repeat(np.arange(len(self)), self.sizes)

    @property
    def rates(self) -> NDArray[np.float64]:
        """Observed click rate of each line, 0 to 1; shape (lines,)."""
        return self.clicks / self.impressions

    def take(self, which_tests: NDArray[np.intp]) -> Self:
        """These tests alone, in the given order, with the group numbers they have here.

        Args:
            which_tests: Indices of tests.
        """
        sizes = self.sizes[which_tests]
        starts = starts_of(sizes)
        moved = np.repeat(self.starts[which_tests] - starts[:-1], sizes)
        lines = np.arange(len(moved)) + moved
        tests_kept: list[int] = which_tests.tolist()
        lines_kept: list[int] = lines.tolist()
        return type(self)(
            test_ids=tuple(self.test_ids[test] for test in tests_kept),
            groups=self.groups[which_tests],
            starts=starts,
            texts=tuple(self.texts[line] for line in lines_kept),
            impressions=self.impressions[lines],
            clicks=self.clicks[lines],
            predicted=None if self.predicted is None else self.predicted[lines],
        )

    def folds(self, count: int, seed: int) -> NDArray[np.int64]:
        """Number of the fold of each test, 0 to count - 1, no group in two; shape (tests,).

        From the largest group to the smallest, each goes to the fold with the fewest tests; equal
        groups go by a hash of the seed and their smallest test id. So neither the order of the
        tests nor that of the rows matters, and folds differ by at most the largest group.

        Raises:
            BadInput: Where there are fewer than two folds, or fewer groups than folds.
        """
        numbers, group_of, sizes = np.unique(self.groups, return_inverse=True, return_counts=True)
        if not 2 <= count <= len(numbers):
            raise BadInput(
                f"{len(numbers):,} groups of tests can't make {count} folds; give at least two "
                "folds and as many groups"
            )
        names: dict[int, str] = {}
        for group, test_id in zip(group_of.tolist(), self.test_ids, strict=True):
            names[group] = min(names.get(group, test_id), test_id)
        order = sorted(names, key=lambda group: (-sizes[group], digest(f"{seed} {names[group]}")))
        fold_of = np.empty(len(numbers), dtype=np.int64)
        filled = [(0, fold) for fold in range(count)]
        for group in order:
            tests, fold = heappop(filled)
            fold_of[group] = fold
            heappush(filled, (tests + int(sizes[group]), fold))
        return fold_of[group_of]


def starts_of(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of the first line of tests of these sizes, and the number of lines at the end.

    Examples:
        >>> starts_of(np.array([2, 3]))
        array([0, 2, 5])
    """
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
