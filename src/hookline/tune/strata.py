"""What a test says of its lines, stratum by stratum: same test, same audience, same weeks.

Lines are compared only where visitors could have got either, by scores that undo the policy's
preference (`stats.aipw`), visitor by visitor.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import sqrt
from typing import Final

import numpy as np
from scipy.special import ndtr

from hookline.report.table import Array, Flags, Integers, Table, tabulate
from hookline.stats import Moments, effective_sample, floored, sample_ratio, scores
from hookline.stats.estimate import MIN_EVENTS
from hookline.tune.logged import Defence, LoggedTest, Terms
from hookline.tune.screen import counted, hollow, strange
from hookline.types import Experiment

SPREAD: Final = 0.22
"""How far lines of one test lie apart, as a relative standard deviation: tested headlines of one
article, noise removed (docs/simulate.md)."""
HOLLOW: Final = "its clicks bring far too few orders to be shoppers'"
STRANGE: Final = "its clicks come from visitors who came once, not from those who came again"
_DAY: Final = 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """How one line did in one stratum.

    Attributes:
        arm_id: The line.
        value: The objective per visitor, corrected for adaptive allocation.
        effective: How many equally weighted visitors the value rests on.
    """

    arm_id: str
    value: float
    effective: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Stratum:
    """One audience of one test in one period.

    Attributes:
        id: `<test>/<audience>/<period>`, `-` for visitors of no audience; periods count from 0.
        test_id: The experiment.
        audience_id: Empty where none fits.
        visitors: Visitors heard, each once.
        lines: Lines with enough effective visitors, in the experiment's order.
        chances: (line, line) → posterior probability that the first is the better one, both ways;
            pairs that can't be told are missing.
        short: Lines that were shown but have too few effective visitors.
    """

    id: str
    test_id: str
    audience_id: str
    visitors: int
    lines: tuple[Line, ...]
    chances: Mapping[tuple[str, str], float]
    short: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What a whole test says.

    Attributes:
        strata: In order of audience and period.
        set_aside: Visitors who click like machines.
        doubtful: Line → why its clicks are not shoppers'; such lines are in no stratum.
        reason: Why there are no strata; empty where there are.
    """

    strata: tuple[Stratum, ...] = ()
    set_aside: int = 0
    doubtful: Mapping[str, str] = field(default_factory=dict[str, str])
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Scored:
    """Rows that are heard, in log order.

    Attributes:
        psi: AIPW scores, shape (n, K); nan where a line could not be drawn.
        probabilities: Logged marginal probabilities, shape (n, K).
        arms: Index of the line served, shape (n,).
        units: Whose vote the row is part of, shape (n,).
        rewards: Shape (n,).
    """

    psi: Array
    probabilities: Array
    arms: Integers
    units: Integers
    rewards: Array

    def among(self, rows: Flags) -> "_Scored":
        """Some of the rows, votes numbered anew from 0."""
        return _Scored(
            psi=self.psi[rows],
            probabilities=self.probabilities[rows],
            arms=self.arms[rows],
            units=np.unique(self.units[rows], return_inverse=True)[1].astype(np.int64),
            rewards=self.rewards[rows],
        )

    def votes(self) -> Array:
        """Weight of each row such that every voter has 1 in all, shape (n,)."""
        return 1.0 / np.bincount(self.units)[self.units]


def study(logged: LoggedTest, terms: Terms) -> Findings:
    """What the test says, or why it says nothing.

    Only decisions that were drawn, shown and settled count; where one line was shipped to all, no
    comparison was made. Nothing is learned from a test whose lines were not seen as often as they
    were drawn: machines that report just the line they are after give themselves away so.
    """
    experiment = logged.experiment
    table = tabulate(experiment, logged.outcomes)
    rows = table.analysed(experiment.objective) & ~table.shipped
    if not rows.any():
        return Findings(reason="nobody was shown a line that was drawn and is settled")
    hits = table.rewards[experiment.objective] > 0
    names = [outcome.decision.context.visitor_id for outcome in logged.outcomes]
    visitors = np.unique(names, return_inverse=True)[1].astype(np.int64)
    heard, voters, doubtful = rows, np.arange(len(visitors), dtype=np.int64), dict[str, str]()
    if (how := terms.defence) is not None:
        heard, voters = counted(rows, visitors, table.arms, hits, how), visitors
        doubtful = _doubtful(experiment, table, heard, visitors, how)
    reason = _trouble(table, heard, hits)
    return Findings(
        strata=() if reason else tuple(_strata(logged, table, heard, voters, doubtful, terms)),
        set_aside=len(np.unique(visitors[rows])) - len(np.unique(visitors[heard])),
        doubtful=doubtful,
        reason=reason,
    )


def _doubtful(
    experiment: Experiment, table: Table, heard: Flags, visitors: Integers, how: Defence
) -> dict[str, str]:
    """Line → why its clicks are not shoppers'; orders need no orders to back them."""
    ids = np.array([arm.id for arm in experiment.arms])
    odd = strange(table, heard, visitors, experiment.objective, how)
    found = dict.fromkeys(ids[odd].tolist(), STRANGE)
    if experiment.objective == "clicks":
        found |= dict.fromkeys(ids[hollow(table, heard, how)].tolist(), HOLLOW)
    return found


def _trouble(table: Table, heard: Flags, hits: Flags) -> str:
    """Why nothing can be learned from the test; empty where something can."""
    if not (heard & hits).any():
        return "no visitor did what the test is about; without one success nothing can be learned"
    if len(np.unique(table.arms[heard])) < 2:
        return "only one line was shown, so there is nothing to compare it with"
    if sample_ratio(table.arms[heard], table.probabilities[heard]).flagged:
        return "its lines were not seen as often as drawn, so no comparison can be trusted"
    return ""


def _strata(
    logged: LoggedTest,
    table: Table,
    heard: Flags,
    voters: Integers,
    doubtful: Collection[str],
    terms: Terms,
) -> Iterator[Stratum]:
    """Every audience in every period, doubtful lines left out."""
    experiment = logged.experiment
    arms, audiences, at = table.arms[heard], table.audiences[heard], table.at[heard]
    rewards, probabilities = table.rewards[experiment.objective][heard], table.probabilities[heard]
    whole = _Scored(
        psi=scores(rewards, arms, probabilities, audiences),
        probabilities=probabilities,
        arms=arms,
        units=voters[heard],
        rewards=rewards,
    )
    periods = ((at - at.min()) // (terms.period_days * _DAY)).astype(np.int64)
    names = [*(audience.id for audience in experiment.audiences), ""]
    ids = ["" if arm.id in doubtful else arm.id for arm in experiment.arms]
    cells: set[tuple[int, int]] = set(zip(audiences.tolist(), periods.tolist(), strict=True))
    for audience, period in sorted(cells):
        rows = (audiences == audience) & (periods == period)
        name = names[audience]
        yield _stratum(
            whole.among(rows),
            ids,
            key=(experiment.id, name, f"{experiment.id}/{name or '-'}/{period}"),
            least=terms.least_visitors,
        )


def _stratum(
    scored: _Scored, ids: list[str], *, key: tuple[str, str, str], least: float
) -> Stratum:
    """What the rows say; lines without an id are left out."""
    votes = scored.votes()
    known: dict[int, Line] = {}
    short = 0
    for arm, arm_id in enumerate(ids):
        served = scored.arms == arm
        if not arm_id or not served.any():
            continue
        effective = effective_sample(votes[served] / scored.probabilities[served, arm])
        if effective < least:
            short += 1
            continue
        drawn = ~np.isnan(scored.psi[:, arm])
        value = float(np.average(scored.psi[drawn, arm], weights=votes[drawn]))
        known[arm] = Line(arm_id=arm_id, value=value, effective=effective)
    chances: dict[tuple[str, str], float] = {}
    for one, other in combinations(known, 2):
        chance = _chance(scored, one, other)
        if chance is not None:
            chances[ids[one], ids[other]] = chance
            chances[ids[other], ids[one]] = 1 - chance
    test_id, audience_id, name = key
    return Stratum(
        id=name,
        test_id=test_id,
        audience_id=audience_id,
        visitors=int(scored.units.max()) + 1,
        lines=tuple(known.values()),
        chances=chances,
        short=short,
    )


def _chance(scored: _Scored, one: int, other: int) -> float | None:
    """Posterior probability that the first line's value lies above the second's.

    The difference of the two scores, averaged visitor by visitor, is d with variance s², not less
    than the draw alone explains (`stats.floored`). Lines of one test differ little: beforehand
    their difference is normal around 0 with τ = √2 · `SPREAD` times their mean value. Then

        P(better) = Φ( d/s · √(τ² / (τ² + s²)) ).

    Returns:
        None where no visitor could have got either, the two together have fewer than `MIN_EVENTS`
        events, or their mean value is not above 0.
    """
    pair = scored.psi[:, [one, other]]
    rows: Flags = ~(np.isnan(pair[:, 0]) | np.isnan(pair[:, 1]))
    events = rows & np.isin(scored.arms, [one, other]) & (scored.rewards != 0)
    if events.sum() < MIN_EVENTS:
        return None
    own = scored.among(rows)
    votes, pair = own.votes(), pair[rows]
    means = np.column_stack([np.bincount(own.units, weights=votes * column) for column in pair.T])
    noise = (votes[:, None] ** 2 / own.probabilities[:, [one, other]]).sum(axis=0)
    moments = floored(Moments.of(means), np.diag(noise), Moments.of(own.rewards[:, None]))
    level = float(moments.mean.mean())
    (v1, c), (_, v0) = (moments.covariance / moments.n).tolist()
    variance = v1 - 2 * c + v0
    if level <= 0 or variance <= 0:
        return None
    prior = 2 * (SPREAD * level) ** 2
    z = float(moments.mean[0] - moments.mean[1]) / sqrt(variance)
    return float(ndtr(z * sqrt(prior / (prior + variance))))
