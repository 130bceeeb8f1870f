"""A log of decisions whoever made it: the record, and the checks every format goes through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Where = Callable[[int], str]
"""Row → where it stands in the file, in words."""

_TOLERANCE = 1e-3
"""How far, relatively, logged probabilities may be off 1 or off each other: float32, rounded."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PolicyLog:
    """Decisions of one policy and what came of each, in the order of the file.

    Attributes:
        rewards: Shape (n,), finite.
        arms: Index of the arm served, shape (n,).
        propensities: Probability with which it was drawn, in (0, 1], shape (n,).
        choices: How many arms there were to draw from, shape (n,); arms from that index on do not
            exist on that row.
        places: Position on the page, from 0 or 1 as the log has it; zeros where it has none.
        probabilities: Probability of every arm, shape (n, K), rows summing to 1, zeros beyond
            `choices`; None where the log has the served arm's alone.
        contexts: Numbers known of the visitor, shape (n, d), or None.
        features: Numbers known of each arm, shape (K, f), or None.
        skipped: Why lines were left out → how many.
    """

    rewards: Array
    arms: Integers
    propensities: Array
    choices: Integers
    places: Integers
    probabilities: Array | None = None
    contexts: Array | None = None
    features: Array | None = None
    skipped: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def arm_count(self) -> int:
        """K, the most arms of any row."""
        return int(self.choices.max())


class Fields(NamedTuple):
    """What the format calls its fields."""

    reward: str
    arm: str
    propensity: str
    probabilities: str


def checked(log: PolicyLog, fields: Fields, where: Where) -> PolicyLog:
    """The log, its probabilities scaled to sum to 1 exactly.

    Raises:
        BadInput: Where it has no rows, or a row is no evidence; names the first such row's line
            and field.
    """
    require(np.isfinite(log.rewards), log.rewards, fields.reward, "a finite number", where)
    known = (log.propensities > 0) & (log.propensities <= 1 + _TOLERANCE)
    require(known, log.propensities, fields.propensity, "above 0 and up to 1", where)
    served = (log.arms >= 0) & (log.arms < log.choices)
    require(served, log.arms, fields.arm, "the index of an arm there is", where)
    propensities = np.minimum(log.propensities, 1.0)
    if log.probabilities is None:
        return replace(log, propensities=propensities)
    probabilities = _distributions(log.probabilities, fields.probabilities, where)
    drawn = probabilities[np.arange(len(log.arms)), log.arms]
    same = np.abs(drawn - propensities) <= _TOLERANCE * propensities
    must = f"{fields.propensity} at the served arm"
    require(same, drawn, fields.probabilities, must, where)
    return replace(log, propensities=propensities, probabilities=probabilities)


def require(
    holds: NDArray[np.bool_],
    values: Array | Integers,
    name: str,
    must: str,
    where: Where,
) -> None:
    """Raises BadInput for the first row for which it does not hold."""
    if not holds.all():
        row = int(np.argmin(holds))
        raise BadInput(f"{where(row)}: {name} must be {must}, not {values[row]:g}")


def whole(values: Array, name: str, where: Where) -> Integers:
    """The values as whole numbers from 0.

    Raises:
        BadInput: Where one is not.
    """
    fits = (values >= 0) & (values < 1 << 31) & (values == np.floor(values))
    require(fits, values, name, "a whole number from 0", where)
    return values.astype(np.int64)


def _distributions(rows: Array, name: str, where: Where) -> Array:
    """The rows divided by their sums, which must be near 1."""
    sums = rows.sum(axis=1)
    least = rows.min(axis=1, initial=0.0)
    require(least >= 0, least, name, "0 or above", where)
    near = np.abs(sums - 1) <= _TOLERANCE
    require(near, sums, f"the sum of {name}", "1", where)
    return rows / sums[:, None]
