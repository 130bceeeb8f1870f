"""What a back-test found: plain records, JSON-able, that every rendering reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Truth = Literal["shrunken", "observed"]
"""Where a simulated click comes from; see `hookline.backtest.truth`."""

Interval = tuple[float, float]
"""Lower and upper end of a 95 % confidence interval."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationBin:
    """Arms with about the same prediction, and what they did.

    Attributes:
        predicted: Mean predicted log ratio to the test's own mean.
        observed: Mean observed log ratio, weighted by how much each arm says.
        ci: Interval of `observed`.
        arms: How many arms.
    """

    predicted: float
    observed: float
    ci: Interval
    arms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PriorResult:
    """How well a prediction picks the winner before any traffic.

    Attributes:
        tests: Tests it was measured on.
        top1: Share of tests whose pick has the highest observed rate, 0 to 1.
        chance: What picking at random gets of that.
        uplift: Clicks of the picks over showing all lines equally often, relative.
        uplift_ci: Interval of `uplift`, over groups of tests.
        calibration: Predicted against observed effect, from low to high.
    """

    tests: int
    top1: float
    chance: float
    uplift: float
    uplift_ci: Interval
    calibration: tuple[CalibrationBin, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One policy's clicks over another's on the same tests.

    Attributes:
        lift: Relative difference; .02 is 2 % more clicks.
        ci: Paired interval over groups of tests.
    """

    lift: float
    ci: Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyResult:
    """What one policy would have earned at one budget.

    Attributes:
        clicks: Expected clicks over all tests, mean over seeds.
        uplift_vs_uniform: Relative to showing all lines equally often.
        ci: Interval of `uplift_vs_uniform`, over groups of tests.
        oracle_gap_closed: Share of the way from uniform to always showing the best line; None where
            there is no way to go.
        versus: Other policy → comparison with it.
    """

    clicks: float
    uplift_vs_uniform: float
    ci: Interval
    oracle_gap_closed: float | None
    versus: Mapping[str, Comparison]


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """What the policies with a prior were told before the first visitor, learned from other tests.

    Attributes:
        level: Typical click rate.
        spread: Relative standard deviation of true rates within a test, with no prediction.
        slope: Factor on the text prior's score; 1 trusts it as it is.
        external_slope: Factor on the log of `predicted_ctr`; None where the file has none.
        pseudo_clicks: Clicks on a line that weigh as much as its prediction.
    """

    level: float
    spread: float
    slope: float
    external_slope: float | None
    pseudo_clicks: float


@dataclass(frozen=True, kw_only=True, slots=True)
class BacktestResult:
    """The whole back-test.

    Attributes:
        source: Name of the file.
        tests: Tests used.
        arms: Lines in them.
        groups: Groups of tests that may share lines; intervals are taken over these.
        impressions: Real impressions of these tests.
        clicks: Real clicks.
        skipped: Reason → number of rows or tests left out.
        notes: What the reader should know, in sentences.
        truth: Where simulated clicks come from.
        truth_note: The same in a sentence.
        seeds: Runs of every policy on every test.
        calibration: Mean over the folds.
        prior: The text prior alone.
        prior_external: `predicted_ctr` alone; None where the file has none.
        budgets: Impressions per line → policy → its result.
        seconds: Wall-clock time of it all.
        warning: Why these figures can't be trusted, for the top of the page; empty if they can.
    """

    source: str
    tests: int
    arms: int
    groups: int
    impressions: int
    clicks: int
    skipped: Mapping[str, int]
    notes: tuple[str, ...]
    truth: Truth
    truth_note: str
    seeds: int
    calibration: Calibration
    prior: PriorResult
    prior_external: PriorResult | None
    budgets: Mapping[int, Mapping[str, PolicyResult]]
    seconds: float
    warning: str = ""
