"""Moments that add: the only thing every interval needs to know about any number of visitors."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Moments:
    """Count, means and scatter of rows of numbers; the moments of two batches add to their union's.

    Addition is the pairwise update of Chan, Golub and LeVeque (1983, "Algorithms for computing
    the sample variance", The American Statistician 37): it never subtracts two large sums, so
    it keeps its digits however far the mean lies from zero.

    Attributes:
        n: Rows seen.
        mean: Mean of each column, shape (d,); zeros where no row was seen.
        scatter: Sums of products of deviations from the mean, shape (d, d). Not finite where
            numbers are too large to be squared, from 1e154: then every estimate says so.

    Examples:
        >>> both = Moments.of([[1.0], [2.0]]) + Moments.of([[6.0]])
        >>> both.n, both.mean, both.covariance
        (3, array([3.]), array([[7.]]))
    """

    n: int
    mean: Array
    scatter: Array

    @classmethod
    def none(cls, columns: int) -> Self:
        """The moments of no rows: what a sum starts from."""
        return cls(n=0, mean=np.zeros(columns), scatter=np.zeros((columns, columns)))

    @classmethod
    def of(cls, rows: ArrayLike) -> Self:
        """The moments of the rows, shape (n, d).

        Raises:
            ValueError: Where a number is not finite, or `rows` is not a table.
        """
        table = np.asarray(rows, dtype=np.float64)
        if table.ndim != 2:
            raise ValueError(f"rows must have shape (n, d), not {table.shape}")
        if not len(table):
            return cls.none(table.shape[1])
        if not np.isfinite(table).all():
            raise ValueError("rows must be finite; leave out those that carry no information")
        # a sum of equal numbers rounds: their mean would not be that number, their scatter not 0
        alike = (table == table[0]).all(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = table.mean(axis=0)
            mean[alike] = table[0, alike]
            centred = table - mean
            return cls(n=len(table), mean=mean, scatter=centred.T @ centred)

    def __add__(self, other: "Moments") -> "Moments":
        if self.mean.shape != other.mean.shape:
            columns = f"{len(self.mean)} and {len(other.mean)}"
            raise ValueError(f"moments of {columns} columns don't add")
        n = self.n + other.n
        if not n:
            return self
        with np.errstate(over="ignore", invalid="ignore"):
            gap = other.mean - self.mean
            return Moments(
                n=n,
                mean=self.mean + gap * (other.n / n),
                scatter=self.scatter + other.scatter + np.outer(gap, gap) * (self.n * other.n / n),
            )

    @property
    def covariance(self) -> Array:
        """Sample covariance matrix, shape (d, d); zeros below two rows."""
        return self.scatter / max(self.n - 1, 1)

    def column(self, index: int) -> "Moments":
        """The moments of one column alone."""
        return Moments(
            n=self.n,
            mean=self.mean[index : index + 1],
            scatter=self.scatter[index : index + 1, index : index + 1],
        )
