"""The whole back-test: the same however it is run, blind to what it must not see, and telling."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from hookline.backtest import run
from hookline.backtest.players import EXTERNAL, PLAYERS
from hookline.backtest.result import BacktestResult, Truth
from hookline.backtest.run import backtest
from hookline.backtest.truth import NOTES
from hookline.errors import BadInput
from hookline.past import PastTests, Reading
from hookline.prior.calibrate import Belief
from made_past import Array, draw_past, make_past

START = Belief(slopes=(1.0,), variance=0.05)
OWN = {*PLAYERS, "explore_then_commit_tuned"}


def ran(
    tests: PastTests,
    score: Array,
    *,
    budgets: Sequence[int] = (20,),
    seeds: int = 1,
    truth: Truth = "shrunken",
    workers: int = 1,
) -> BacktestResult:
    """The back-test of these tests, without the time that it took."""
    reading = Reading(
        tests=tests, rows=99, skipped={"row without a text": 2}, examples=(), notes=("by hand",)
    )
    found = backtest(
        reading, score, START, source="made", budgets=budgets, seeds=seeds, truth=truth,
        workers=workers,
    )  # fmt: skip
    assert found.seconds > 0
    return replace(found, seconds=0.0)


# --- what is in it -----------------------------------------------------------------------------


def test_the_result_tells_of_the_file_and_of_every_policy() -> None:
    tests, score = draw_past(1, 40)
    found = ran(tests, score, budgets=[30, 10], seeds=2, truth="observed")
    assert (found.source, found.tests, found.arms) == ("made", len(tests), len(tests.texts))
    assert (found.groups, found.seeds) == (len(set(tests.groups.tolist())), 2)
    assert (found.truth, found.truth_note) == ("observed", NOTES["observed"])
    assert (found.clicks, found.impressions) == (tests.clicks.sum(), tests.impressions.sum())
    assert (found.skipped, found.notes) == ({"row without a text": 2}, ("by hand",))
    assert list(found.budgets) == [10, 30]
    assert all(set(policies) == OWN for policies in found.budgets.values())
    assert (found.prior_external, found.calibration.external_slope) == (None, None)
    best = found.budgets[10]["oracle"]
    assert set(best.versus) == OWN - {"oracle"}


@pytest.mark.parametrize("budget", [1, 7, 50])
def test_references_earn_what_they_must(budget: int) -> None:
    tests, score = draw_past(2, 60)
    found = ran(tests, score, budgets=[budget], seeds=3, truth="observed").budgets[budget]
    best = np.maximum.reduceat(tests.rates, tests.starts[:-1])
    assert found["uniform"].clicks == pytest.approx(budget * tests.rates.sum())
    assert found["oracle"].clicks == pytest.approx(budget * (best * tests.sizes).sum())
    assert (found["uniform"].uplift_vs_uniform, found["uniform"].oracle_gap_closed) == (0.0, 0.0)
    assert found["oracle"].oracle_gap_closed == 1.0
    for name, policy in found.items():
        assert policy.clicks <= found["oracle"].clicks * (1 + 1e-12), name


def test_predictions_of_ones_own_bring_policies_of_their_own() -> None:
    tests, score = draw_past(3, 60, predict=True)
    found = ran(tests, score)
    assert set(found.budgets[20]) == OWN | set(EXTERNAL)
    assert found.prior_external is not None
    assert found.prior_external.top1 > found.prior.top1
    assert found.calibration.external_slope is not None
    without = ran(replace(tests, predicted=None), score)
    for name in ("uniform", "oracle", "prior_only"):
        assert without.budgets[20][name].clicks == found.budgets[20][name].clicks
    assert without.calibration == replace(found.calibration, external_slope=None)


def test_two_tests_in_two_groups_are_enough() -> None:
    tests = make_past([[5, 9], [3, 2, 4]], [[100, 100], [80, 90, 100]], predicted=[0.1] * 5)
    found = ran(tests, np.array([0.1, -0.1, 0.0, 0.2, -0.2]), budgets=[1, 5])
    assert (found.tests, found.groups) == (2, 2)
    assert set(found.budgets[5]) == OWN | set(EXTERNAL)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"budgets": [0]}, "a budget must be 1 to"),
        ({"budgets": [20, 10**7]}, "a budget must be 1 to 200,000 "),
        ({"budgets": [10, 10]}, "each only once"),
        ({"budgets": []}, "at least one budget"),
        ({"seeds": 0}, "seeds must be 1 to 1,000"),
        ({"seeds": 1001}, "seeds must be 1 to 1,000"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, int], words: str) -> None:
    tests, score = draw_past(4, 10)
    with pytest.raises(BadInput, match=words):
        ran(tests, score, **changes)  # pyright: ignore[reportArgumentType]


def test_one_group_is_refused() -> None:
    tests = make_past([[5, 9], [3, 2]], [[100, 100], [80, 90]], groups=[4, 4])
    with pytest.raises(BadInput, match="at least two groups"):
        ran(tests, np.zeros(4))


def test_progress_rises_to_one() -> None:
    tests, score = draw_past(5, 30)
    heard: list[float] = []
    reading = Reading(tests=tests, rows=0, skipped={}, examples=(), notes=())
    backtest(
        reading, score, START, source="", budgets=[5, 10], seeds=1, truth="shrunken", workers=1,
        progress=heard.append,
    )  # fmt: skip
    assert heard == sorted(heard)
    assert len(heard) == 6  # three numbers of lines, two budgets
    assert 0 < heard[0] < heard[-1] == 1.0


# --- the same however it is run ----------------------------------------------------------------


def test_workers_and_parts_of_the_work_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's seeds lie in several parts, so that sums would show the order they were made in."""
    monkeypatch.setattr(run, "_BLOCK", 7)
    tests, score = draw_past(6, 24, predict=True)
    alone = ran(tests, score, budgets=[3, 8], seeds=5)
    assert ran(tests, score, budgets=[3, 8], seeds=5) == alone
    assert ran(tests, score, budgets=[3, 8], seeds=5, workers=2) == alone


def test_jobs_know_nothing_of_each_other() -> None:
    """A budget earns the same whatever others are run beside it, and in whatever order."""
    tests, score = draw_past(7, 40)
    both = ran(tests, score, budgets=[30, 10], seeds=2)
    assert ran(tests, score, budgets=[10, 30], seeds=2) == both
    assert ran(tests, score, budgets=[10], seeds=2).budgets[10] == both.budgets[10]


def test_every_seed_draws_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where each falls into a part of its own, of the same tests in the same places."""
    tests, score = draw_past(15, 20, lines=[3])
    monkeypatch.setattr(run, "_BLOCK", len(tests))
    once, twice = (ran(tests, score, seeds=seeds).budgets[20] for seeds in (1, 2))
    for name in ("hookline", "lola", "thompson", "ucb", "explore_then_commit"):
        assert once[name].clicks != twice[name].clicks, name
    assert once["oracle"].clicks == pytest.approx(twice["oracle"].clicks)


# --- blind to what it must not see -------------------------------------------------------------


def test_nothing_told_of_a_test_comes_from_its_own_group() -> None:
    """White-box, since a leak of one test among many would hardly show in the results.

    The clicks of one group are turned upside down: what its fold was told stays to the last bit,
    and what the others were told does not.
    """
    tests, score = draw_past(8, 60, predict=True)
    group = tests.groups[17]
    upset = np.repeat(tests.groups == group, tests.sizes)
    clicks = np.where(upset, tests.impressions - tests.clicks, tests.clicks)
    changed = replace(tests, clicks=clicks)
    folds = run._folds(tests)
    same = folds == folds[17]
    for before, after in zip(
        [*run._tell(tests, score, START)], [*run._tell(changed, score, START)], strict=True
    ):
        assert before is not None
        assert after is not None
        lines = np.repeat(same, tests.sizes)
        assert np.array_equal(before.score[lines], after.score[lines])
        assert not np.array_equal(before.score, after.score)
        assert np.array_equal(before.pseudo_clicks[same], after.pseudo_clicks[same])
        assert np.array_equal(before.level[same], after.level[same])
        assert np.all(before.pseudo_clicks[~same] != after.pseudo_clicks[~same])
        assert np.all(before.level[~same] != after.level[~same])
    for own, other in zip(run._betas(tests), run._betas(changed), strict=True):
        assert np.array_equal(own[same], other[same])
        assert np.all(own[~same] != other[~same])


def test_tests_of_a_group_are_in_one_fold() -> None:
    tests, _ = draw_past(9, 101)
    folds = run._folds(tests)
    for group in set(tests.groups.tolist()):
        assert len(set(folds[tests.groups == group].tolist())) == 1
    assert np.bincount(folds).size == run.FOLDS


# --- what it finds -----------------------------------------------------------------------------


def test_a_telling_score_puts_hookline_ahead() -> None:
    """Coarse, but not for a broken policy: about 20 % fewer clicks are to be had at random."""
    tests, score = draw_past(10, 500, lines=[4], variance=0.05)
    told = ran(tests, score, budgets=[60], seeds=2)
    untold = ran(tests, np.zeros_like(score), budgets=[60], seeds=2)
    hookline, lola = told.budgets[60]["hookline"], told.budgets[60]["lola"]
    for rival in ("uniform", "thompson", "thompson_flat", "ucb", "explore_then_commit"):
        assert hookline.versus[rival].ci[0] > 0, rival
    assert hookline.versus["lola"].ci[0] > -0.02
    assert lola.versus["ucb"].ci[0] > 0
    assert hookline.clicks > 1.05 * untold.budgets[60]["hookline"].clicks
    assert hookline.clicks > 1.05 * untold.budgets[60]["lola"].clicks
    assert told.prior.uplift_ci[0] > 0.1
    assert untold.prior.uplift_ci[0] < 0.03
    assert hookline.oracle_gap_closed is not None
    assert 0.4 < hookline.oracle_gap_closed < 0.9


def test_more_traffic_closes_more_of_the_gap() -> None:
    tests, score = draw_past(11, 200, lines=[3], slope=0.5)
    found = ran(tests, score, budgets=[20, 200, 1500]).budgets
    closed = [float(each["hookline"].oracle_gap_closed or 0) for each in found.values()]
    assert closed == sorted(closed)
    assert closed[-1] > closed[0] + 0.15


def test_a_score_that_points_the_wrong_way_is_found_out_by_other_tests() -> None:
    tests, score = draw_past(12, 400, lines=[3], slope=-1.0)
    found = ran(tests, score, budgets=[200])
    assert found.calibration.slope == 0.0
    assert found.prior.uplift_ci[1] < 0
    assert found.budgets[200]["hookline"].ci[0] > 0


def test_calibration_tells_what_the_file_is_like() -> None:
    """Lines differ by √(.05 + (.8 · .25)²) with no prediction, and by √.05 around it."""
    tests, score = draw_past(13, 2500, slope=0.8, variance=0.05, level_sd=0.1)
    found = ran(tests, score, budgets=[1]).calibration
    assert found.slope == pytest.approx(0.8, abs=0.08)
    assert found.spread == pytest.approx(0.3, rel=0.08)
    assert found.pseudo_clicks == pytest.approx(20, rel=0.15)
    assert found.level == pytest.approx(0.021, rel=0.1)


def test_observed_rates_flatter() -> None:
    tests, score = draw_past(14, 200, shown=500)
    observed = ran(tests, score, truth="observed").budgets[20]["oracle"]
    shrunken = ran(tests, score, truth="shrunken").budgets[20]["oracle"]
    assert observed.uplift_vs_uniform > shrunken.uplift_vs_uniform + 0.05


def test_the_order_of_rows_tells_nothing() -> None:
    clicks = [[40, 20, 10]] * 60  # the best line always first
    tests = make_past(clicks, [[1000] * 3] * 60, predicted=[0.02] * 180)
    found = ran(tests, np.zeros(180), budgets=(4,), seeds=4, truth="observed").budgets[4]
    for name in ("lola_external", "lola", "prior_only"):
        assert abs(found[name].uplift_vs_uniform) < 0.25  # the first line alone has +71 %


def test_lines_that_everybody_clicked_are_no_fault() -> None:
    found = ran(make_past([[5, 5]] * 4, [[5, 5]] * 4), np.zeros(8))
    assert found.budgets[20]["hookline"].uplift_vs_uniform == 0
    assert found.budgets[20]["hookline"].oracle_gap_closed is None
