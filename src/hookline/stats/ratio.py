"""Were visitors split as the log says they were? Sample-ratio tests, sequential and classic.

A wrong split (a cache, a redirect that fails for one arm, a lost event) makes every later figure
wrong, so it is looked for first: `sample_ratio` on decisions with their logged probabilities, at
every look, or `Bets` where they come in batches; `split_test` on finished counts per arm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

RATIO_ALPHA = 0.01
"""Chance of a false alarm, lower than a report's: an alarm stops a test that may be sound."""

CONCENTRATIONS = (1e2, 1e3, 1e4)
"""Units' worth of trust in the log that the bets start from: the first finds gross faults at once,
the last faults of a per cent in the long run. Each gets an equal part of the wealth."""

LEAST_EXPECTED = 5.0
"""Fewest units expected per arm for the chi-square approximation (Cochran 1954, Biometrics 10)."""

_CELLS = 1 << 16
"""Units times arms bet on at a time, so that the work stays in the processor's cache."""
_MOST_UNITS = 1 << 53
"""Counts beyond it are no longer whole in floating point."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RatioTest:
    """Whether the arms got the visitors they should have got.

    Attributes:
        observed: Units each arm got.
        expected: Units each arm should have got by the log or the plan.
        p_value: Chance of a split as odd as this if all is well; of `sample_ratio` it holds at
            every look. None where it can't be computed.
        flagged: Whether the split is wrong, at the test's alpha; None where it can't be told.
        log_e_value: Natural log of the evidence against the log now; None for `split_test`.
        first_flagged: Units seen when the evidence first sufficed, from 1; None before and for
            `split_test`.
        n: Units.
        reason: Why something is None; empty otherwise.
    """

    observed: tuple[int, ...]
    expected: tuple[float, ...]
    p_value: float | None
    flagged: bool | None
    log_e_value: float | None = None
    first_flagged: int | None = None
    n: int = 0
    reason: str = ""

    @property
    def e_value(self) -> float | None:
        """The evidence now: how many times over a bet against the log has grown."""
        if self.log_e_value is None:
            return None
        return exp(self.log_e_value) if self.log_e_value < 700 else inf


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Bets:
    """Bets against the log as `sample_ratio` makes them, carried from batch to batch.

    Attributes:
        n: Units bet on.
        drawn: Units each arm got, shape (K,).
        due: Units each arm should have got by the log, shape (K,).
        log_wealth: Log of what each of the `CONCENTRATIONS` has made of its part of the stake.
        peak: Log of the most that all of them together ever had, from 0.
    """

    n: int
    drawn: Array
    due: Array
    log_wealth: Array
    peak: float

    @classmethod
    def none(cls, count: int) -> Self:
        """The stake of 1, in equal parts, before any unit of so many arms."""
        return cls(
            n=0,
            drawn=np.zeros(count),
            due=np.zeros(count),
            log_wealth=np.full(len(CONCENTRATIONS), -log(len(CONCENTRATIONS))),
            peak=0.0,
        )

    @property
    def p_value(self) -> float:
        """Chance of ever having had so much if the log is right: 1 over the most there was."""
        return exp(-self.peak)

    def after(self, arms: Integers, probabilities: Array) -> tuple["Bets", Array]:
        """These bets carried on over the next units, and the log of their sum after each.

        Args:
            arms: Index of the arm of each unit, in the order of the draws, shape (m,).
            probabilities: Logged, **an arm a row**: shape (K, m). Each unit's sum to 1, its own
                arm's is above 0: this is not looked at again.

        Examples:
            >>> even = np.full((2, 500), 0.5)
            >>> bets = Bets.none(2)
            >>> for start in (0, 500):  # every unit goes to the first arm
            ...     bets, path = bets.after(np.zeros(500, dtype=np.int64), even)
            >>> bets.n, bets.drawn.tolist(), bets.p_value < 1e-99
            (1000, [1000.0, 0.0], True)
        """
        bets, path = self, np.empty(len(arms))
        step = max(_CELLS // len(self.drawn), 1)
        for start in range(0, len(arms), step):
            units = slice(start, start + step)
            bets, path[units] = bets._placed(arms[units], probabilities[:, units])
        return bets, path

    def _placed(self, arms: Integers, p: Array) -> tuple["Bets", Array]:
        """As `after`, all units at a time."""
        units = np.arange(len(arms), dtype=np.int64)
        served = np.zeros(p.shape)
        served[arms, units] = 1.0
        after, due = np.cumsum(served, axis=1), np.cumsum(p, axis=1)
        seen = after - served + self.drawn[:, None]
        wanted = np.maximum(due - p, 0.0) + self.due[:, None]
        paths = np.empty((len(CONCENTRATIONS), len(arms)))
        for row, weight in enumerate(CONCENTRATIONS):
            trust = weight * p + np.finfo(np.float64).tiny  # 0/0 of an arm not yet drawn is 1
            tilt = (seen + trust) / (wanted + trust)
            growth = np.log(tilt[arms, units] / (p * tilt).sum(axis=0))
            paths[row] = self.log_wealth[row] + np.cumsum(growth)
        path = np.logaddexp.reduce(paths, axis=0)
        bets = Bets(
            n=self.n + len(arms),
            drawn=self.drawn + after[:, -1],
            due=self.due + due[:, -1],
            log_wealth=paths[:, -1],
            peak=max(self.peak, float(path.max())),
        )
        return bets, path


def sample_ratio(arms: Integers, probabilities: Array, *, alpha: float = RATIO_ALPHA) -> RatioTest:
    """Whether arms were drawn with their logged probabilities, a test that holds at every look.

    Before unit i, arm a has got N_a units and Σ p_j(a) = M_a were expected. A gambler who trusts
    what was seen more than the log bets on unit i with the tilted probabilities

        q_i(a) ∝ p_i(a) · w_i(a),    w_i(a) = (N_a + c·p_i(a)) / (M_a + c·p_i(a)),

    and the wealth is E_t = Π q_i(A_i) / p_i(A_i), averaged over the `CONCENTRATIONS` c. If A_i is
    drawn with p_i given the past, E[q_i(A_i) / p_i(A_i) | past] = Σ q_i(a) = 1: E is a nonnegative
    martingale from 1, and by Ville's inequality it ever reaches 1 / alpha with probability alpha
    at most. The anytime p-value is 1 over its maximum so far. Exact, for any p_i that change with
    the past: policies that learn, ramps, arms added in flight.

    With constant p each part is the Dirichlet-multinomial test of Lindon and Malek (2022, NeurIPS,
    arXiv 2011.03567), with prior Dirichlet(c·p). For probabilities that vary it is a plug-in
    likelihood-ratio martingale, as in the sequential form of universal inference (Wasserman,
    Ramdas and Balakrishnan 2020, PNAS 117, arXiv 1912.11436); bets against a null in general:
    Waudby-Smith and Ramdas (2024, JRSS B 86, arXiv 2010.09686).

    Assumptions: units come in the order they were drawn in, each once; p_i was fixed before the
    draw. Feed it the units that *arrived* (were shown): then it finds losses that depend on the
    arm. A loss that hits all arms alike it can't see, nor should it.

    Args:
        arms: Index of the arm of each unit, shape (n,).
        probabilities: Logged marginal probabilities, shape (n, K).
        alpha: Chance of ever raising a false alarm.

    Raises:
        ValueError: Where shapes differ, an index is no arm or alpha is out of (0, 1).

    Examples:
        >>> even = np.full((4_000, 2), 0.5)
        >>> sound = sample_ratio(np.arange(4_000) % 2, even)
        >>> sound.flagged, sound.p_value
        (False, 1.0)
        >>> broken = sample_ratio((np.arange(4_000) % 9 < 4).astype(np.int64), even)
        >>> broken.flagged, broken.observed
        (True, (2220, 1780))
    """
    _check(arms, probabilities, alpha)
    n, count = probabilities.shape
    observed = tuple(np.bincount(arms, minlength=count).tolist())
    expected = probabilities.sum(axis=0)
    if reason := _trouble(arms, probabilities):
        return _unknown(observed, expected.tolist() if np.isfinite(expected).all() else (), reason)
    bets, path = Bets.none(count).after(arms, probabilities.T)
    flagged = bets.peak >= -log(alpha)
    return RatioTest(
        observed=observed,
        expected=tuple(expected.tolist()),
        p_value=bets.p_value,
        flagged=flagged,
        log_e_value=float(path[-1]),
        first_flagged=int(np.argmax(path >= -log(alpha))) + 1 if flagged else None,
        n=n,
    )


def split_test(
    counts: Sequence[int],
    shares: Sequence[float] | None = None,
    *,
    dispersion: float = 1.0,
    alpha: float = RATIO_ALPHA,
) -> RatioTest:
    """Whether finished counts fit the planned split: Pearson's chi-square test, for one look.

        X² = Σ_a (O_a − E_a)² / E_a / dispersion,    P(X² > x) from χ² with K − 1 degrees

    Assumptions: units are independent and were drawn with constant shares. Impressions are not
    independent where a visitor has several: counts then scatter more than the formula knows, and
    `dispersion` is how many times more (Rao and Scott 1981, JASA 76: the mean design effect, at
    most the mean number of impressions a visitor if all of one go to one arm). It can't be told
    from one test's totals, so it is asked for. Over many tests, correct for their number:
    `benjamini_hochberg` on the p-values at alpha is p < alpha for one test alone.

    Source: Pearson (1900); as sample-ratio check: Fabijan et al. (2019, KDD, "Diagnosing sample
    ratio mismatch in online controlled experiments").

    Args:
        counts: Units per arm.
        shares: Planned shares, summing to 1; equal ones if None.
        dispersion: Variance of a count over that of independent units, at least 1 and finite.
        alpha: Chance of a false alarm.

    Raises:
        ValueError: Where counts or shares are not that, or a parameter is out of its range.

    Examples:
        >>> test = split_test([44_700, 45_489])
        >>> round(test.p_value, 4), test.flagged
        (0.0086, True)
    """
    if not all(0 <= units <= _MOST_UNITS and units == int(units) for units in counts):
        raise ValueError("needs counts that are whole numbers, from 0 to 2 to the 53rd")
    units = tuple(int(value) for value in counts)
    observed, count = np.array(units, dtype=np.float64), len(units)
    plan = np.full(count, 1 / max(count, 1)) if shares is None else np.asarray(shares, np.float64)
    if not (0 < alpha < 1 and 1 <= dispersion < inf):
        raise ValueError(f"needs alpha in (0, 1), dispersion ≥ 1: not {alpha}, {dispersion}")
    if plan.shape != observed.shape:
        raise ValueError("needs one count and one share for each arm")
    if count and not ((plan >= 0).all() and abs(plan.sum() - 1) < 1e-6):
        raise ValueError("shares must be 0 or more and sum to 1")
    expected, live = observed.sum() * plan, plan > 0
    if live.sum() < 2:
        return _unknown(units, expected.tolist(), "needs two arms to split between")
    if observed[~live].any():
        return _unknown(units, expected.tolist(), "an arm with a planned share of 0 has units")
    if expected[live].min() < LEAST_EXPECTED:
        reason = f"needs {LEAST_EXPECTED:.0f} units expected in each arm"
        return _unknown(units, expected.tolist(), reason)
    gap = float(((observed - expected)[live] ** 2 / expected[live]).sum()) / dispersion
    p_value = float(chdtrc(int(live.sum()) - 1, gap))
    return RatioTest(
        observed=units,
        expected=tuple(expected.tolist()),
        p_value=p_value,
        flagged=p_value < alpha,
        n=sum(units),
    )


def _check(arms: Integers, probabilities: Array, alpha: float) -> None:
    if probabilities.ndim != 2 or arms.shape != probabilities.shape[:1]:
        raise ValueError(f"arms {arms.shape} and probabilities {probabilities.shape} don't fit")
    if len(arms) and not (arms.min() >= 0 and arms.max() < probabilities.shape[1]):
        raise ValueError("an arm's index is outside the columns of probabilities")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, not {alpha}")


def _trouble(arms: Integers, probabilities: Array) -> str:
    """Why the draws can't be tested; empty where they can."""
    n, count = probabilities.shape
    if n == 0 or count < 2:
        return "needs two arms to split between" if n else "nobody was given an arm yet"
    if not (np.isfinite(probabilities).all() and probabilities.min() >= 0):
        return "a logged probability is missing or below 0"
    if np.abs(probabilities @ np.ones(count) - 1).max() > 1e-6:
        return "logged probabilities of a unit don't sum to 1"
    served = probabilities[np.arange(n), arms]
    if impossible := int((served == 0).sum()):
        return f"{impossible} units got an arm whose logged probability is 0"
    if probabilities.max(axis=1).min() >= 1:
        return "no unit could have got more than one arm"
    return ""


def _unknown(observed: Sequence[int], expected: Sequence[float], reason: str) -> RatioTest:
    """The test that says only why there is none."""
    return RatioTest(
        observed=tuple(observed),
        expected=tuple(expected),
        p_value=None,
        flagged=None,
        n=sum(observed),
        reason=reason,
    )
