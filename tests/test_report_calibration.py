"""Calibration: right forecasts pass, wrong ones show, and nothing is forecast with hindsight."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from conftest import NOW, make_context, make_experiment
from hookline.estimator import Estimator
from hookline.report.calibration import calibrate, rightness, to_json, to_text
from hookline.report.foretold import Array, Foretold, foretell
from hookline.types import Decision, Outcome, dumps


def beside(expected: Array, observed: Array) -> Foretold:
    """Forecasts beside outcomes, the running mean being .2."""
    return Foretold(
        rows=np.arange(expected.size),
        expected=expected,
        sd=np.full(expected.size, 0.01),
        usual=np.full(expected.size, 0.2),
        observed=observed,
        silent=0,
    )


def history(count: int, seed: int = 0) -> list[Outcome]:
    """Settled outcomes, one a minute, of visitors who click three times in ten."""
    rng = np.random.default_rng(seed)
    return [
        Outcome(
            decision=Decision(
                id=f"d{index}",
                experiment_id="boots",
                arm_id="a",
                propensity=1.0,
                probabilities={"a": 1.0},
                slice="policy",
                reason="policy",
                context=make_context(f"v{index}", at=NOW + timedelta(minutes=index)),
            ),
            exposed=True,
            clicks=int(rng.random() < 0.3),
            click_settled=True,
            order_settled=True,
        )
        for index in range(count)
    ]


def clicks(outcomes: Sequence[Outcome]) -> Foretold:
    return foretell(make_experiment(), outcomes, Estimator())["click"]


def test_right_forecasts_are_found_right_and_wrong_ones_wrong() -> None:
    rng = np.random.default_rng(4)
    chance = rng.uniform(0.02, 0.4, 8000)
    came = (rng.random(8000) < chance).astype(np.float64)
    right, high = (
        rightness("click", beside(chance, came)),
        rightness("click", beside(1.5 * chance, came)),
    )
    assert right.ratio.low is not None
    assert right.ratio.high is not None
    assert right.ratio.low < 1 < right.ratio.high
    assert right.error is not None
    assert right.error_by_chance is not None
    assert right.error < 2 * right.error_by_chance
    assert right.skill.low is not None
    assert right.skill.low > 0
    assert len(right.bins) == 10
    assert sum(each.low <= each.predicted <= each.high for each in right.bins) >= 8
    assert high.ratio.estimate == pytest.approx(right.ratio.estimate / 1.5)  # pyright: ignore[reportOptionalOperand]
    assert high.error is not None
    assert high.error > 0.08


@pytest.mark.parametrize(("n", "every", "word"), [(50, 2, "100 forecasts"), (500, 100, "20 outc")])
def test_too_little_gives_none_and_why(n: int, every: int, word: str) -> None:
    came = (np.arange(n) % every == 0).astype(np.float64)
    found = rightness("click", beside(np.full(n, 0.2), came))
    assert found.error is found.predicted is found.skill.estimate is None
    assert word in found.reason


def test_a_forecast_does_not_know_its_own_outcome_or_later_ones() -> None:
    outcomes = history(600)
    other = [*outcomes[:400], *(replace(each, clicks=1) for each in outcomes[400:])]
    first, second = clicks(outcomes), clicks(other)
    known = first.rows < 460  # a click window is an hour: 60 decisions
    assert known.sum() > 200
    assert first.expected[known].tolist() == second.expected[known].tolist()
    assert first.expected[~known].tolist() != second.expected[~known].tolist()


def test_calibrate_takes_the_latest_and_says_what_is_missing() -> None:
    found = calibrate(make_experiment(), history(900), most=700)
    click, order, value, worth, long_run = sorted(
        found.targets, key=lambda each: ["c", "o", "v", "w", "l"].index(each.target[0])
    )
    assert found.decisions == 700
    assert click.n + click.silent == 700
    assert click.ratio.estimate == pytest.approx(1.0, abs=0.25)
    assert all(each.reason for each in (order, value, worth, long_run))
    assert "no later visits" in long_run.reason
    text = to_text([found])
    assert "700 latest decisions (at most 700)" in text
    assert "no later visits" in text
    assert dumps(to_json([found]))
