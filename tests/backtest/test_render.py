"""A back-test in words and JSON: all the figures, and no claim that its interval does not hold."""

import json
from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.made_backtest import CLOSED, around, make_policies, make_result
from hookline.backtest.render import to_json, to_text
from hookline.backtest.result import BacktestResult, Comparison, PolicyResult
from hookline.backtest.words import (
    EXPLAINED,
    NAMES,
    direction,
    ends,
    leaders,
    lift,
    name_of,
    ranked,
    share,
    verdict_on_prior,
    verdicts,
)


def one_budget(**policies: PolicyResult) -> BacktestResult:
    return replace(make_result(), budgets={200: policies})


def policy(uplift: float, reach: float, **versus: tuple[float, float]) -> PolicyResult:
    """A policy with its uplift, and others with the lift over them and its reach."""
    return PolicyResult(
        clicks=100 * (1 + uplift),
        uplift_vs_uniform=uplift,
        ci=around(uplift, reach),
        oracle_gap_closed=0.5,
        versus={
            name: Comparison(lift=found, ci=around(found, its))
            for name, (found, its) in versus.items()
        },
    )


def test_json_has_the_keys_of_the_issue() -> None:
    plain = to_json(make_result())
    assert {"tests", "top1", "uplift"} <= plain["prior"].keys()
    assert {"top1", "uplift"} <= plain["prior_external"].keys()
    assert plain["truth"] == "shrunken"
    assert list(plain["budgets"]) == ["50", "200", "1000"]
    assert plain["budgets"]["50"].keys() == CLOSED.keys()
    for found in plain["budgets"]["200"].values():
        keys = {"clicks", "uplift_vs_uniform", "oracle_gap_closed", "ci", "versus"}
        assert found.keys() == keys
    versus = plain["budgets"]["1000"]["hookline"]["versus"]["lola"]
    assert versus.keys() == {"lift", "ci"}
    assert versus["ci"][0] < versus["lift"] < versus["ci"][1]


def test_json_leaves_out_nothing_of_the_record() -> None:
    assert to_json(make_result()).keys() == set(BacktestResult.__dataclass_fields__)


def test_json_without_external_predictions_says_null() -> None:
    plain = to_json(make_result(external=False))
    assert plain["prior_external"] is None
    assert plain["calibration"]["external_slope"] is None


def test_json_has_null_for_what_is_not_finite() -> None:
    found = replace(policy(nan, inf), oracle_gap_closed=None)
    plain = to_json(one_budget(hookline=found))["budgets"]["200"]["hookline"]
    assert plain["uplift_vs_uniform"] is None
    assert plain["ci"] == [None, None]
    assert plain["oracle_gap_closed"] is None
    json.dumps(to_json(one_budget(hookline=found)), allow_nan=False)


def test_json_takes_numbers_of_numpy() -> None:
    result = replace(make_result(), seconds=np.float64(1.5), tests=np.int64(3))
    assert (to_json(result)["seconds"], to_json(result)["tests"]) == (1.5, 3)


def test_text_says_what_was_used_and_what_was_left_out() -> None:
    text = to_text(make_result())
    assert "Used: 2,005 tests with 8,712 lines; 456,789 clicks on 31,234,567 impressions." in text
    assert text.index("Left out: rows without a text: 12") < text.index("Left out: tests without")
    assert "too long" not in text
    assert "Note: The file has no group column" in text


@pytest.mark.parametrize("truth", ["shrunken", "observed"])
def test_text_says_which_truth_and_oracle(truth: str) -> None:
    text = to_text(replace(make_result(), truth=truth, truth_note=f"Note on {truth}."))
    assert f"Note on {truth}." in text
    assert f"is the oracle that knows these {truth} rates" in text
    assert f"to the oracle ({truth} rates)" in text


def test_text_prints_a_negative_slope_with_a_true_minus() -> None:
    result = make_result()
    calibration = replace(result.calibration, slope=-0.08)
    assert "counts times −0.08" in to_text(replace(result, calibration=calibration))


def test_text_prints_the_prior_beside_chance_and_the_external() -> None:
    lines = to_text(make_result()).splitlines()
    (own,) = (line for line in lines if line.startswith(" Text prior  ") and "2,005" in line)
    (external,) = (line for line in lines if "Your predictions" in line and "2,005" in line)
    assert own.split("  ")[-1].strip() == "2,005"
    assert "46.5 %   24.9 %" in own
    assert "+14.7 % (13.3 to 16.1)" in own
    assert "+12.8 % (11.4 to 14.2)" in external


def test_text_without_external_predictions_never_speaks_of_them() -> None:
    assert "your predictions" not in to_text(make_result(external=False)).lower()


def test_text_marks_the_highest_of_each_budget() -> None:
    lines = to_text(make_result(external=False)).splitlines()
    marked = [line for line in lines if " *" in line and "(*" not in line]
    assert len(marked) == 1  # one policy leads at all three
    assert marked[0].split("  ")[0].strip() == "Hookline"
    assert marked[0].count("*") == 3


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_text_keeps_to_its_width(width: int) -> None:
    assert max(map(len, to_text(make_result(), width).splitlines())) <= width


def test_text_of_gaps_says_what_is_not_known() -> None:
    budgets = {50: make_policies({"hookline": 0.4}, 0.01), 200: make_policies({"ucb": 0.2}, 0.01)}
    hookline = replace(budgets[50]["hookline"], oracle_gap_closed=None)
    result = replace(make_result(), budgets={**budgets, 50: {"hookline": hookline}})
    rows = [
        line for line in to_text(result).splitlines() if line.startswith((" Hookline ", " UCB"))
    ]
    assert [line.count("–") for line in rows] == [1, 1, 2, 1]


def test_verdict_reads_as_a_sentence_with_paired_intervals() -> None:
    hookline = policy(0.123, 0.0136, explore_then_commit=(0.051, 0.008), lola=(0.009, 0.005))
    assert verdicts(one_budget(hookline=hookline), 200) == (
        "With 200 impressions per line, Hookline would have earned 12.3 % more clicks than equal "
        "shares (10.9 to 13.7), 5.1 % more than test-then-ship (4.3 to 5.9) and 0.9 % more than "
        "LOLA (0.4 to 1.4).",
    )


def test_verdict_says_fewer_where_hookline_loses() -> None:
    hookline = policy(0.02, 0.01, explore_then_commit=(-0.03, 0.01), lola=(0.001, 0.004))
    assert verdicts(one_budget(hookline=hookline), 200) == (
        "With 200 impressions per line, Hookline would have earned 2.0 % more clicks than equal "
        "shares (1.0 to 3.0) and 3.0 % fewer than test-then-ship (2.0 to 4.0); no difference is "
        "proven from LOLA (+0.1 %, −0.3 to 0.5).",
    )


def test_verdict_proves_nothing_where_every_interval_covers_zero() -> None:
    hookline = policy(-0.01, 0.02, lola=(0.001, 0.004))
    assert verdicts(one_budget(hookline=hookline), 200) == (
        "With 200 impressions per line, no difference is proven between Hookline and equal shares "
        "(−1.0 %, −3.0 to 1.0) or LOLA (+0.1 %, −0.3 to 0.5).",
    )


def test_verdict_names_whoever_beats_hookline() -> None:
    hookline = policy(0.1, 0.01, prior_only=(-0.04, 0.01), ucb=(0.03, 0.01), oracle=(-0.1, 0.01))
    (sentence,) = verdicts(one_budget(hookline=hookline), 200)
    assert "4.0 % fewer than the text prior alone (3.0 to 5.0)" in sentence
    assert "UCB" not in sentence
    assert "best line" not in sentence


def test_verdict_compares_like_with_like() -> None:
    hookline = policy(0.1, 0.01, lola_external=(-0.02, 0.01), hookline_external=(-0.03, 0.01))
    external = policy(0.13, 0.01, lola_external=(0.02, 0.01), lola=(0.05, 0.01))
    own, other = verdicts(one_budget(hookline=hookline, hookline_external=external), 200)
    assert "predictions" not in own
    assert "2.0 % more than LOLA with the same predictions" in other


def test_verdict_without_hookline_is_silent() -> None:
    assert verdicts(one_budget(ucb=policy(0.1, 0.01)), 200) == ()


def test_verdict_without_an_interval_proves_nothing() -> None:
    (sentence,) = verdicts(one_budget(hookline=policy(0.1, nan)), 200)
    assert sentence.endswith("between Hookline and equal shares (+10.0 %, no interval).")


@given(st.floats(-0.5, 0.5), st.floats(1e-6, 0.5))
def test_verdict_agrees_with_the_interval(uplift: float, reach: float) -> None:
    found = policy(uplift, reach)
    (sentence,) = verdicts(one_budget(hookline=found), 200)
    assert ("more clicks" in sentence) == (found.ci[0] > 0)
    assert ("fewer clicks" in sentence) == (found.ci[1] < 0)
    assert ("no difference" in sentence) == (found.ci[0] <= 0 <= found.ci[1])


@pytest.mark.parametrize(
    ("uplift", "words"),
    [
        (0.147, "its picks alone get 14.7 % more clicks than equal shares (13.3 to 16.1)"),
        (-0.05, "its picks alone get 5.0 % fewer clicks than equal shares (3.6 to 6.4)"),
        (0.01, "no gain in clicks over equal shares is proven (+1.0 %, −0.4 to 2.4)"),
    ],
)
def test_verdict_on_a_prior_agrees_with_its_interval(uplift: float, words: str) -> None:
    prior = replace(make_result().prior, uplift=uplift, uplift_ci=around(uplift, 0.014))
    assert verdict_on_prior("Text prior", prior) == (
        f"Text prior: finds the best line in 46.5 % of 2,005 tests (chance: 24.9 %); {words}."
    )


@given(st.floats(-2, 2))
def test_lift_never_rounds_a_difference_to_nothing(value: float) -> None:
    shown = lift(value)
    assert shown.startswith("+" if value > 0 else "−" if value < 0 else "0")
    assert (shown == "0 %") == (value == 0)
    assert "-" not in shown


def test_share_and_ends_say_where_nothing_is_known() -> None:
    assert share(nan) == lift(nan) == lift(inf) == "unknown"
    assert ends((nan, 0.1)) == "no interval"
    assert direction((nan, 0.1)) == direction((0.1, inf)) == 0


def test_leaders_leave_the_oracle_and_the_unknown_aside() -> None:
    result = one_budget(oracle=policy(0.3, 0.1), ucb=policy(nan, 0.1), lola=policy(0.1, 0.1))
    assert leaders(result) == {200: "lola"}
    assert leaders(one_budget(oracle=policy(0.3, 0.1))) == {}


def test_ranked_goes_by_the_largest_budget_and_puts_the_unknown_last() -> None:
    budgets = {
        1000: {"ucb": policy(0.2, 0.1), "lola": policy(0.1, 0.1)},
        50: {"ucb": policy(0.1, 0.1), "lola": policy(0.3, 0.1), "odd": policy(nan, 0.1)},
    }
    assert ranked(replace(make_result(), budgets=budgets)) == ["ucb", "lola", "odd"]


def test_every_named_policy_is_explained_and_others_go_by_their_own_name() -> None:
    assert NAMES.keys() == EXPLAINED.keys()
    assert name_of("my_policy") == "my_policy"
