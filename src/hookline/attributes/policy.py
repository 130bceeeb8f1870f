"""The attribute policy: which creative attributes to ask the writer for, learned from the log.

It keeps, for every line × audience, sums over outcomes, and believes what `effects` makes of them.

**Adaptive allocation.** The policy that served the lines knows more of a visitor than the audience,
and moves with time; a line shown mostly to eager visitors, or in a good week, would look better
than it is. So every outcome weighs 1 / its logged propensity, and a line's value is the weighted
mean (Hájek's estimator): each line is judged on the same visitors. The propensities are Hookline's
own, so nothing is modelled; what it costs is seen in the effective number of visitors. On top of
these means stands a regression, which borrows across lines and audiences.

**Drift.** An outcome's weight halves with every `half_life_days` of its age, and so does what a
line says whose outcomes are old on average. Sums are kept relative to the line's newest outcome:
a late correction finds the very weight that its outcome was learned with.
"""

from collections.abc import Collection
from datetime import datetime
from math import inf, isfinite
from typing import Final, Self

import msgspec
import numpy as np

from hookline.attributes.design import all_cells, cell_of, code_of, crowding, design, free_cells
from hookline.attributes.effects import LUCK, OWN_LUCK, Array, Belief, Trial, believe, one_hot
from hookline.attributes.elements import elements
from hookline.attributes.sums import Line, Sums, trial_of
from hookline.errors import BadInput
from hookline.types import Attributes, Audience, ElementReport, content_hash, dumps, loads

INDIFFERENT: Final = 0.005
"""Cells this close to the most promising one, in units of the usual reward, are as good: among
them, the one that repeats least of what is in use is asked for."""
DAY: Final = 86_400.0


class _Row(msgspec.Struct, frozen=True):
    """One line of the state."""

    test: str
    id: str
    cell: Attributes
    audience: str
    sums: Sums


class AttributePolicy:
    """Learns which creative attributes work for whom, and which to try next.

    Args:
        half_life_days: Days after which an outcome counts half; None never forgets.

    Raises:
        BadInput: Where the half-life is not above 0.
    """

    def __init__(self, *, half_life_days: float | None = None) -> None:
        if half_life_days is not None and not half_life_days > 0:
            raise BadInput(f"half_life_days must be above 0, not {half_life_days:g}")
        self.half_life_days = half_life_days
        self._sums: dict[Line, Sums] = {}
        self._belief: tuple[tuple[Trial, ...], Belief] | None = None

    def learn(
        self,
        *,
        audience_id: str,
        attributes: Attributes,
        reward: float,
        expected: float,
        at: datetime,
        propensity: float = 1.0,
        test_id: str = "",
        line_id: str = "",
    ) -> None:
        """Takes in one settled outcome of a line.

        Args:
            audience_id: Whom the line was shown to.
            attributes: What the line was asked to have.
            reward: What it brought.
            expected: What a usual line brings there, in the same unit; above 0. A constant for
                each test × audience is enough: what it misses by is estimated.
            at: UTC time of the decision.
            propensity: Probability that the line was drawn with, above 0 to 1.
            test_id: Lines are compared within a test.
            line_id: Tells lines of the same attributes apart.

        Raises:
            BadInput: Where a number lies outside its range.
        """
        _check(reward, expected, propensity)
        line = Line(test=test_id, id=line_id, cell=attributes, audience=audience_id)
        moment = at.timestamp()
        known = self._sums.get(line) or Sums(at=moment)
        if moment > known.at:
            known = known.since(moment, self._decay(moment - known.at))
        age = known.at - moment
        self._sums[line] = known.plus(self._decay(age) / propensity, reward / expected, age)
        self._belief = None

    def correct(
        self,
        *,
        audience_id: str,
        attributes: Attributes,
        delta: float,
        expected: float,
        at: datetime,
        propensity: float = 1.0,
        test_id: str = "",
        line_id: str = "",
    ) -> None:
        """Takes in that the reward of an outcome learned before has changed by `delta`.

        All other arguments are those that `learn` was given for it.

        Raises:
            BadInput: Where a number lies outside its range, or nothing was learned of the line.
        """
        _check(delta, expected, propensity)
        line = Line(test=test_id, id=line_id, cell=attributes, audience=audience_id)
        known = self._sums.get(line)
        if known is None:
            raise BadInput(
                f"no outcome of line {line_id!r} with {audience_id!r} was learned before"
            )
        weight = self._decay(known.at - at.timestamp()) / propensity
        self._sums[line] = known.corrected(weight, delta / expected)
        self._belief = None

    def propose(
        self, audience: Audience, n: int, seed: int, taken: Collection[Attributes] = ()
    ) -> tuple[Attributes, ...]:
        """`n` different cells worth asking for; before anything was learned, `design`'s.

        Optimism: a cell promises what is believed of it plus one standard deviation of that.
        Each pick is the most promising one; the belief is then narrowed as if its line had been
        seen already, so that the next pick learns something else (Desautels, Krause and Burdick
        2014, "Parallelizing Exploration-Exploitation Tradeoffs in Gaussian Process Bandit
        Optimization", JMLR 15). Among cells that promise about as much, the one that repeats least
        of what is in use is taken, and the seed decides between equals.

        Args:
            audience: Whom the copy is for.
            n: How many cells, at least 1.
            seed: Any integer.
            taken: Cells in use already: none of them comes back.

        Raises:
            BadInput: Where `n` is below 1 or there are not that many cells left.
        """
        trials, belief = self._believed()
        if not trials:
            return design(audience, n, seed, taken)
        used = [code_of(cell) for cell in dict.fromkeys(taken)]
        start, free = len(used), free_cells(n, used)
        rng = np.random.default_rng(int(content_hash(audience.id, seed), 16))
        taste, hot, cells = belief.of(audience.id), one_hot(), all_cells()
        covariance = taste.covariance
        for _ in range(n):
            sd = np.sqrt(np.maximum(((hot @ covariance) * hot).sum(axis=1), 0.0))
            promise = np.where(free, hot @ taste.mean + sd, -np.inf)
            close = np.flatnonzero(promise >= promise.max() - INDIFFERENT)
            crowded = crowding(cells[close], np.array(used, dtype=np.int64).reshape(-1, 6))
            best = int(close[(crowded + 1e-6 * rng.random(len(close))).argmin()])
            covariance = _narrowed(covariance, hot[best])
            free[best] = False
            used.append(cells[best].tolist())
        return tuple(cell_of(code) for code in used[start:])

    def effects(self, audience_id: str | None = None) -> tuple[ElementReport, ...]:
        """The effect of every level on one audience, with 95 % credible intervals.

        Args:
            audience_id: None for all visitors together.
        """
        trials, belief = self._believed()
        return elements(belief, trials, audience_id)

    def dump(self) -> str:
        """All that was learned, as JSON text that `load` restores exactly."""
        rows = [_Row(*line, sums) for line, sums in self._sums.items()]
        return dumps(rows).decode()

    def load(self, state: str) -> None:
        """Restores what `dump` gave.

        Raises:
            BadInput: Where the text is no state of this policy.
        """
        try:
            rows = loads(state, list[_Row])
        except msgspec.DecodeError as error:
            raise BadInput(f"this is no state of the attribute policy ({error})") from error
        self._sums = {
            Line(test=row.test, id=row.id, cell=row.cell, audience=row.audience): row.sums
            for row in rows
        }
        self._belief = None

    def clone(self) -> Self:
        """A policy with the same arguments that has learned nothing."""
        return type(self)(half_life_days=self.half_life_days)

    def _decay(self, seconds: float) -> float:
        if self.half_life_days is None:
            return 1.0
        return float(2.0 ** (-seconds / (DAY * self.half_life_days)))

    def _believed(self) -> tuple[tuple[Trial, ...], Belief]:
        """The trials and the posterior that follow from the sums, kept until they change."""
        if self._belief is None:
            newest = max((sums.at for sums in self._sums.values()), default=0.0)
            tests: dict[str, dict[Line, Sums]] = {}
            for line in sorted(self._sums, key=dumps):  # the order of learning leaves no trace
                tests.setdefault(line.test, {})[line] = self._sums[line]
            found = [trial_of(rows, newest, self._decay) for rows in tests.values()]
            trials = tuple(trial for trial in found if trial is not None)
            self._belief = trials, believe(trials)
        return self._belief


def _check(reward: float, expected: float, propensity: float) -> None:
    if not isfinite(reward):
        raise BadInput(f"reward must be a finite number, not {reward}")
    if not 0 < expected < inf:
        raise BadInput(f"expected must be above 0 and finite, not {expected}")
    if not 0 < propensity <= 1:
        raise BadInput(f"propensity must lie above 0 and up to 1, not {propensity}")


def _narrowed(covariance: Array, cell: Array) -> Array:
    """The covariance of the effects once a line of this cell is seen, whatever it brings."""
    reach = covariance @ cell
    return covariance - np.outer(reach, reach) / (cell @ reach + LUCK**2 + OWN_LUCK**2)
