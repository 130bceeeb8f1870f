"""`benchmarks.published`: the published figures themselves, and its parts on made-up tests."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.published import __main__ as command
from benchmarks.published.archive import (
    arrivals,
    classic_splits,
    sequential_splits,
    winners,
)
from benchmarks.published.data import (
    COOKIE_CATS,
    FILES,
    HILLSTROM,
    KARLAN_LIST,
    UPWORTHY,
    HeadlineTest,
    Mailing,
    Outcome,
    cookie_cats,
    headline_tests,
    hillstrom,
    karlan_list,
)
from benchmarks.published.effects import Level, effects, levels
from benchmarks.published.halves import bins, halves, lead_of, ratio
from benchmarks.published.looks import difference, looks_at, standings, tells
from benchmarks.published.others import LIKE, agreements
from benchmarks.published.planned import forecasts

from conftest import ROOT
from hookline.stats import ALPHA, compare_rates, scores, split_test
from hookline.types import Estimate

DATA = ROOT / "../shared/data"


def here(name: str) -> Path:
    """The folder of the public data, if this file is in it."""
    if not (DATA / name).exists():
        pytest.skip(f"needs shared/data/{name}")
    return DATA


def mailing(count: int = 6_000, *, lift: float = 0.06) -> Mailing:
    """A made-up mailing: who came before comes again, and the letter brings more of them."""
    rng = np.random.default_rng(4)
    served = (rng.random(count) < 2 / 3).astype(np.int64)
    before = (rng.random(count) < 0.3).astype(np.float64)
    came = (rng.random(count) < 0.05 + 0.5 * before + lift * served).astype(np.float64)
    return Mailing(
        name="made up",
        arms=("none", "letter"),
        shares=np.array([1 / 3, 2 / 3]),
        served=served,
        outcomes={
            "came, %": Outcome(metric="clicks", values=came),
            "spent, $": Outcome(metric="revenue", values=came * rng.gamma(4.0, 5.0, count)),
        },
        before={"before": before},
    )


def headline_test(rates: Sequence[float], seed: int, shown: int = 4_000) -> HeadlineTest:
    rng = np.random.default_rng(seed)
    impressions = rng.multinomial(shown * len(rates), np.full(len(rates), 1 / len(rates)))
    clicks = rng.binomial(impressions, rates)
    return HeadlineTest(impressions=impressions, clicks=clicks, broken=False)


# --- the published figures ---------------------------------------------------------------------


def test_hillstrom_comes_out_as_published() -> None:
    found = levels(hillstrom(here(HILLSTROM)))
    visits = [each for each in found if each.outcome == "visit, %"]
    assert [f"{each.value:.2f}" for each in visits] == ["10.62", "15.14", "18.28"]
    assert all(each.agrees for each in found)
    assert sum(bool(each.published) for each in found) == 6


def test_karlan_list_comes_out_as_published() -> None:
    letters = karlan_list(here(KARLAN_LIST))
    found = {(each.outcome, each.arm): each for each in levels(letters)}
    assert letters.counts == (16_687, 33_396)
    assert f"{found['response, %', 'plain letter'].value:.2f}" == "1.79"
    assert f"{found['response, %', 'matched gift'].value:.2f}" == "2.20"
    assert found["gift, $", "matched gift"].n == 33_394  # two amounts are not recorded
    assert all(each.agrees for each in found.values())


def test_the_response_to_a_matched_gift_is_told_at_one_look_and_at_every_look() -> None:
    response, gift = effects(karlan_list(here(KARLAN_LIST)), orders=1, seed=0)
    assert response.holm == pytest.approx(2 * 0.00133, abs=2e-5)
    assert response.once.estimate == pytest.approx(response.always.estimate or 0, abs=1e-4)
    assert tells(response.always)
    assert gift.once.p_value == pytest.approx(0.058, abs=5e-4)  # the paper: not significant
    assert not tells(gift.always)
    assert 1.5 < response.price < 1.8


def test_splits_of_the_archive_and_of_cookie_cats() -> None:
    found = classic_splits(headline_tests(here(UPWORTHY)))
    assert (found.inside.runs, found.outside.runs) == (965, 3_375)
    assert found.inside.estimate >= 0.6
    assert found.outside.estimate <= 0.01
    assert split_test(cookie_cats(here(COOKIE_CATS))).flagged


def test_a_value_that_is_not_the_published_one_is_told() -> None:
    level = Level(mailing="", outcome="", arm="", n=1, value=1.7858, published="1.79")
    assert level.agrees
    assert not replace(level, value=1.7849).agrees
    assert replace(level, value=3.0, published="").agrees


# --- one look and every look -------------------------------------------------------------------


def test_standings_end_with_the_scores_of_everybody() -> None:
    letters = mailing()
    came, edges = letters.outcomes["came, %"].values, looks_at(6_000)
    found = standings(came, letters.served, letters.shares, "clicks", edges)
    assert len(found) == len(edges) > 30
    duel = found[-1].duels()[1]
    p, one_stratum = np.tile(letters.shares, (6_000, 1)), np.zeros(6_000, dtype=np.int64)
    expected = scores(came, letters.served, p, one_stratum).mean(axis=0)
    assert duel.moments.n == 6_000
    assert duel.moments.mean == pytest.approx(expected[[1, 0]], abs=1e-12)
    told = difference(duel, 6_000)
    assert told.estimate == pytest.approx(expected[1] - expected[0], abs=1e-12)
    assert tells(told) == tells(duel.lift(6_000, ALPHA))  # they never contradict each other


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False), (None, None, False)],
)
def test_tells_is_leaving_out_0(low: float | None, high: float | None, told: bool) -> None:
    assert tells(Estimate(estimate=0.0, low=low, high=high, n=1)) is told


def test_effects_are_those_of_the_parts() -> None:
    letters = mailing()
    came, spent = effects(letters, orders=3, seed=0)
    hits = [int(letters.outcomes["came, %"].values[letters.served == arm].sum()) for arm in (1, 0)]
    none, letter = letters.counts
    assert came.once == compare_rates((hits[0], hits[1]), (letter, none))
    assert came.saved["before"] == pytest.approx(came.explained["before"], rel=0.1)
    assert came.saved["before"] > 0.25
    assert came.told_runs == came.runs == 3
    assert came.told is not None
    assert 0 < came.told < 1
    assert spent.belief is None
    assert spent.holm >= (spent.once.p_value or 1)


def test_libraries_that_are_here_agree() -> None:
    tests = [headline_test([0.02, 0.02, 0.03], seed) for seed in range(5)]
    found = agreements([mailing()], tests)
    assert {each.theirs for each in found} >= {"scipy ttest_ind", "scipy chisquare"}
    assert max(each.gap for each in found) <= LIKE
    assert min(each.compared for each in found) > 0


def test_tests_of_the_size_forecast_find_the_effect_as_often() -> None:
    """At one look within 4 standard errors of 80 %; throughout, never less than at the end."""
    whole = mailing()
    letters = replace(whole, outcomes={"came, %": whole.outcomes["came, %"]})
    once, always = forecasts(letters, runs=400, long_runs=25, seed=0)
    assert once.power == pytest.approx(0.8, abs=0.005)
    assert once.found.estimate == pytest.approx(0.8, abs=4 * 0.02)
    assert once.refused == 0
    assert always.n > 1.5 * once.n
    assert always.ever.hits >= always.found.hits > 12


def test_an_effect_that_is_not_there_is_not_planned_for() -> None:
    assert not forecasts(mailing(lift=0.0), runs=1, long_runs=1, seed=0)


# --- headline tests ----------------------------------------------------------------------------


@pytest.mark.parametrize("shuffled", [False, True])
def test_arrivals_are_the_impressions_and_clicks_of_the_test(shuffled: bool) -> None:
    test = headline_test([0.02, 0.5, 0.1], 0, shown=500)
    arms, clicks = arrivals(test, np.random.default_rng(0), shuffled=shuffled)
    shown = np.bincount(arms)
    hits = np.bincount(arms, weights=clicks)
    assert sorted(shown) == sorted(test.impressions)
    assert hits.sum() == test.clicks.sum()
    assert (sorted(hits) == sorted(test.clicks)) is not shuffled


def test_splits_that_are_broken_are_flagged_by_both_rules() -> None:
    sound = [headline_test([0.02] * 4, seed) for seed in range(20)]
    broken = [
        replace(test, impressions=test.impressions // [1, 1, 1, 2], broken=True) for test in sound
    ]
    for found in (classic_splits(sound + broken), sequential_splits(sound + broken, seed=0)):
        assert (found.inside.hits, found.inside.runs) == (20, 20)
        assert found.outside.hits <= 1


def test_winners_are_found_where_they_are_and_seldom_where_clicks_are_shuffled() -> None:
    """The best of three is the control in a third of the tests: then others differ, none wins."""
    tests = [headline_test([0.02, 0.02, 0.12], seed, shown=1_500) for seed in range(9)]
    real = winners(tests, shuffled=False, seed=1)
    by_lot = winners(tests, shuffled=True, seed=1)
    assert 8 <= real.always_differs.hits <= real.once_differs.hits <= 9
    assert 3 <= real.both == real.always.hits <= real.once.hits <= 8
    assert real.when is not None
    assert real.when < 1
    assert real.looks >= 30
    assert by_lot.always.hits == 0
    assert by_lot.when is None


def test_halves_of_packages_that_differ_keep_what_shrinkage_promises() -> None:
    """Twenty packages, so that their spread is told well: no interval or forecast flatters."""
    rng = np.random.default_rng(5)
    tests = [headline_test((0.05 * rng.normal(1, 0.1, 20)).tolist(), seed) for seed in range(60)]
    found = halves(tests, seed=0)
    assert found.tests == 60
    assert found.plain > found.later * 1.3
    assert found.shrunk == pytest.approx(found.later, rel=0.15)
    assert found.error.high < 1
    assert found.error_less_noise.estimate < found.error.estimate
    assert found.shrunk_coverage >= 0.85
    assert found.by_plain > found.found
    assert found.by_belief == pytest.approx(found.found, abs=0.15)
    assert sum(each.tests for each in found.bins) == 60


@pytest.mark.parametrize("rates", [[0.05, 0.05], [0.05, 0.05, 0.001]])
def test_a_half_that_tells_too_little_is_left_out(rates: list[float]) -> None:
    assert lead_of(headline_test(rates, 0), np.random.default_rng(0)) is None


def test_ratio_holds_the_ratio_of_means() -> None:
    rows = np.random.default_rng(0).gamma(2.0, [0.5, 1.0], (400, 2))
    found = ratio(rows, np.random.default_rng(1))
    assert found.estimate == pytest.approx(rows[:, 0].mean() / rows[:, 1].mean())
    assert found.low < found.estimate < found.high
    assert found.low < 0.5 < found.high


def test_bins_hold_every_forecast_once() -> None:
    forecast = np.array([0.0, 0.05, 0.3, 1.0])
    found = bins(forecast, np.array([0.0, 0.0, 1.0, 1.0]))
    assert [each.tests for each in found] == [1, 1, 1, 1]
    assert [each.found for each in found] == [0, 0, 1, 1]


# --- the command -------------------------------------------------------------------------------


def write(folder: Path, name: str, lines: Sequence[str]) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / name, "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def write_all(folder: Path) -> None:
    """Small made-up files in the form of the originals; one package is not shown enough."""
    letters, mails = mailing(3_000), ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
    came, spent = (each.values for each in letters.outcomes.values())
    people = list(zip(letters.served.tolist(), came.astype(int), spent.tolist(), strict=True))
    lines = ["recency,history,segment,visit,conversion,spend"]
    for place, (arm, hit, money) in enumerate(people):
        mail = mails[arm * (1 + place % 2)]
        lines.append(f"{place % 12},{90 + place % 7},{mail},{hit},{hit},{money}")
    write(folder, HILLSTROM, lines)
    lines = ["treatment,out_amountgive,out_gavedum,hpa,freq"]
    for place, (arm, hit, money) in enumerate(people):
        lines.append(f"{arm},{money if place else ''},{hit},{place % 9},{place % 5}")
    write(folder, KARLAN_LIST, lines)
    players = [f"{place},gate_{30 + 10 * (place % 3 > 0)}" for place in range(900)]
    write(folder, COOKIE_CATS, ["userid,version", *players])
    packages = ["clickability_test_id,impressions,clicks,randomization_problem"]
    for seed in range(8):
        test = headline_test([0.03, 0.03, 0.05], seed, shown=2_000)
        packages += [
            f"{seed},{shown // (1 + (seed < 2) * place)},{hits},{int(seed < 2)}"
            for place, (shown, hits) in enumerate(zip(test.impressions, test.clicks, strict=True))
        ]
    write(folder, UPWORTHY, packages)


def test_command_writes_all_that_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all(tmp_path)
    small = command.Size(orders=1, once=20, throughout=2, splits=4, looked_at=3)
    monkeypatch.setattr(command, "QUICK", small)
    out = tmp_path / "out.json"
    assert command.main(["--data", str(tmp_path), "--quick", "--json", str(out)]) == 1
    result = json.loads(out.read_text())
    bars = {bar["name"]: bar for bar in result["bars"]}
    assert not bars["Hillstrom, visit, %, no e-mail"]["holds"]  # made-up people visit otherwise
    assert bars["flagged inside, split_test, one look, BH at 1 %"]["value"] == 1
    assert bars["flagged inside, sample_ratio, every impression, 1 %"]["target"] == "a sample"
    assert bars["cookie_cats, p of its split"]["value"] < 1e-9
    assert len(result["levels"]) == 3 * 3 + 2 * 2
    assert {each["arrivals"] for each in result["winners"]} == {"real", "shuffled"}
    assert "what was published" in capsys.readouterr().out


def test_command_says_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, COOKIE_CATS, ["userid,version"])
    assert command.main(["--data", str(tmp_path)]) == 0
    words = "".join(capsys.readouterr().out.split())
    assert "nothingmeasured" in words
    assert all(name in words for name in FILES if name != COOKIE_CATS)
    assert COOKIE_CATS not in words
