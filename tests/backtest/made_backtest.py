"""A back-test's record made by hand and by seed, of the shape that the engine gives."""

from collections.abc import Mapping

import numpy as np

from hookline.backtest.result import (
    BacktestResult,
    Calibration,
    CalibrationBin,
    Comparison,
    Interval,
    PolicyResult,
    PriorResult,
)

CEILING = 0.219
CLOSED = {
    "hookline": (0.46, 0.52, 0.62),
    "hookline_external": (0.49, 0.55, 0.64),
    "lola": (0.43, 0.48, 0.6),
    "lola_external": (0.39, 0.44, 0.51),
    "thompson": (0.07, 0.19, 0.4),
    "thompson_flat": (0.05, 0.13, 0.33),
    "ucb": (0.08, 0.21, 0.42),
    "explore_then_commit": (0.1, 0.22, 0.45),
    "prior_only": (0.35, 0.35, 0.35),
    "uniform": (0.0, 0.0, 0.0),
    "oracle": (1.0, 1.0, 1.0),
}


def around(value: float, reach: float) -> Interval:
    return value - reach, value + reach


def make_policies(closed: Mapping[str, float], reach: float) -> dict[str, PolicyResult]:
    """Policies that closed these shares of the gap, each compared with each."""
    clicks = {name: 10_000 * (1 + CEILING * share) for name, share in closed.items()}
    return {
        name: PolicyResult(
            clicks=clicks[name],
            uplift_vs_uniform=CEILING * share,
            ci=(0.0, 0.0) if name == "uniform" else around(CEILING * share, reach),
            oracle_gap_closed=share,
            versus={
                other: Comparison(lift=found, ci=around(found, reach / 2))
                for other, theirs in clicks.items()
                if other != name
                for found in (clicks[name] / theirs - 1,)
            },
        )
        for name, share in closed.items()
    }


def make_prior(seed: int, *, slope: float = 1.0, uplift: float = 0.147) -> PriorResult:
    """A prediction whose observed effects are `slope` times the predicted, and noise."""
    rng = np.random.default_rng(seed)
    bins: list[CalibrationBin] = []
    for predicted in np.linspace(-0.4, 0.35, 10).tolist():
        observed = slope * predicted + float(rng.normal(0, 0.02))
        bins.append(
            CalibrationBin(
                predicted=predicted, observed=observed, ci=around(observed, 0.05), arms=870
            )
        )
    return PriorResult(
        tests=2005,
        top1=0.465,
        chance=0.249,
        uplift=uplift,
        uplift_ci=around(uplift, 0.014),
        calibration=tuple(bins),
    )


def make_result(*, external: bool = True, reach: float = 0.013) -> BacktestResult:
    """A back-test at three budgets, with or without `predicted_ctr`."""
    names = [name for name in CLOSED if external or not name.endswith("_external")]
    budgets = {
        budget: make_policies({name: CLOSED[name][place] for name in names}, reach)
        for place, budget in enumerate((50, 200, 1000))
    }
    return BacktestResult(
        source="headlines.csv.gz",
        tests=2005,
        arms=8712,
        groups=1873,
        impressions=31_234_567,
        clicks=456_789,
        skipped={"tests without a click": 3, "rows without a text": 12, "rows too long": 0},
        notes=("The file has no group column: tests that share a line are kept together.",),
        truth="shrunken",
        truth_note="Clicks are simulated from shrunken rates: each observed rate, drawn towards "
        "its test's mean by as much as chance explains (empirical Bayes).",
        seeds=5,
        calibration=Calibration(
            level=0.0142,
            spread=0.221,
            slope=0.93,
            external_slope=0.81 if external else None,
            pseudo_clicks=31.2,
        ),
        prior=make_prior(1),
        prior_external=make_prior(2, slope=0.7, uplift=0.128) if external else None,
        budgets=budgets,
        seconds=131.4,
    )
