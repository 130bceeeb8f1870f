"""Predicted click rates as written → rates for every line, and what had to be assumed."""

import numpy as np
from numpy.typing import NDArray


def settle_predictions(
    given: NDArray[np.float64], starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64] | None, list[str]]:
    """Predicted click rate of each line, above 0 and at most 1, and notes; None if none is given.

    Where most are above 1, all are percentages. A gap becomes the mean of its test's others, or the
    geometric mean of all.

    Args:
        given: Positive numbers as written, NaN where there is none; shape (lines,).
        starts: As in `PastTests`.

    Examples:
        >>> settle_predictions(np.array([0.25, np.nan, 0.5, 1.0]), np.array([0, 2, 4]))[0]
        array([0.25, 0.25, 0.5 , 1.  ])
    """
    notes: list[str] = []
    if (given > 1).sum() > (given <= 1).sum():
        notes.append("Most predicted_ctr are above 1: they were read as percentages (÷ 100).")
        given = given / 100
    known = given <= 1
    if not known.any():
        return None, [*notes, "No predicted_ctr is a rate between 0 and 1, so none is used."]
    if known.all():
        return given, notes
    notes.append(
        f"predicted_ctr is missing or not between 0 and 1 on {(~known).sum():,} of {len(given):,} "
        "lines; they got the mean of their test's others, or else the geometric mean of all."
    )
    return np.where(known, given, _fill(given, known, starts)), notes


def _fill(
    given: NDArray[np.float64], known: NDArray[np.bool_], starts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """What a gap on each line would become, shape (lines,)."""
    total = np.add.reduceat(np.where(known, given, 0.0), starts[:-1])
    number = np.add.reduceat(known.astype(np.int64), starts[:-1])
    everywhere = np.exp(np.log(given[known]).mean())
    of_test = np.where(number > 0, total / np.maximum(number, 1), everywhere)
    return np.repeat(of_test, np.diff(starts))
