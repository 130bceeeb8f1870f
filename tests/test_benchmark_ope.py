"""`benchmarks.ope`: its reward model, its cases, and runs with the data there or missing."""

import gzip
import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from benchmarks.ope import (
    CAMPAIGNS,
    FOLDS,
    LOGS,
    MAILS,
    Case,
    Customers,
    Impressions,
    bandit_case,
    both,
    cross_fitted,
    fit,
    hillstrom,
    impressions,
    mailing_cases,
    main,
    misses,
    row_of,
    shares,
)
from scipy.special import expit

from conftest import ROOT
from hookline.stats import importance_weights

DATA = ROOT / "../shared/data"
MAILING = DATA / "hillstrom_email"
BANDIT = DATA / "obd_small"
with_mailing = pytest.mark.skipif(not MAILING.is_dir(), reason="needs shared/data/hillstrom_email")
with_bandit = pytest.mark.skipif(not BANDIT.is_dir(), reason="needs shared/data/obd_small")


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def customers(count: int = 64_000) -> Customers:
    """A made-up mailing: the women's e-mail is worth more to who bought women's things."""
    draws = rng()
    bought, mails = draws.integers(3, size=(2, count))
    chances = 0.1 + 0.05 * (mails > 0) + 0.1 * ((mails == 2) & (bought == 2))
    return Customers(
        visits=(draws.random(count) < chances).astype(np.float64),
        mails=mails,
        contexts=np.column_stack([np.ones(count), bought == 1, bought == 2]),
        bought=bought,
    )


def shop(clicks: int, seed: int) -> Impressions:
    """A made-up campaign: 2,000 impressions of four items in three positions, evenly."""
    draws, count = np.random.default_rng(seed), 2_000
    return Impressions(
        clicks=(np.arange(count) < clicks).astype(np.float64),
        items=draws.integers(4, size=count),
        places=draws.integers(3, size=count),
        propensities=np.full(count, 0.25),
        contexts=np.ones((count, 1)),
        features=np.column_stack([np.ones(4), [-1.5, -0.5, 0.5, 1.5]]),
    )


# --- the reward model --------------------------------------------------------------------------


def test_fit_finds_the_law_it_was_drawn_from() -> None:
    draws, count = rng(), 40_000
    contexts = np.column_stack([np.ones(count), draws.normal(size=count)])
    features, arms = np.array([[1.0, -1.0], [1.0, 1.0]]), draws.integers(2, size=count)
    law = np.array([[-1.0, 0.4], [0.5, -0.3]])
    chances = expit(contexts @ law @ features.T)
    rewards = (draws.random(count) < chances[np.arange(count), arms]).astype(np.float64)
    found = fit(contexts, features, arms, rewards).predict(contexts, features)
    assert np.abs(found - chances).max() < 0.05


def test_a_prediction_never_depends_on_its_own_reward() -> None:
    data = customers(900)
    folds = np.arange(900) % FOLDS
    other = data.visits.copy()
    other[7] = 1 - other[7]
    one, two = (
        cross_fitted(data.contexts, np.eye(3), data.mails, visits, folds)
        for visits in (data.visits, other)
    )
    assert (one[7] == two[7]).all()
    assert (one[8] != two[8]).any()


def test_a_row_drawn_twice_is_predicted_by_a_model_that_saw_neither() -> None:
    log, rows = shop(60, 1), np.repeat(np.arange(1_000), 2)
    other = replace(log, clicks=np.where(np.arange(2_000) == 5, 1 - log.clicks, log.clicks))
    one, two = (bandit_case(source, log, "bts", rows).predictions for source in (log, other))
    assert (one[[10, 11]] == two[[10, 11]]).all()


# --- cases -------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", LOGS)
def test_biased_logs_have_the_propensities_they_claim(log: str) -> None:
    for case in mailing_cases(customers(), log, rng()).values():
        weights = importance_weights(case.arms, case.propensities, case.target)
        noise = weights.std() / np.sqrt(len(weights))
        assert abs(weights.mean() - 1) < 4 * noise
    assert np.allclose(np.sum(LOGS[log], axis=1), 1)


def test_personalised_policy_beats_the_same_for_all_where_tastes_differ() -> None:
    cases = mailing_cases(customers(), "even", rng())
    assert cases["personalised"].truth > cases["men's to all"].truth + 0.02
    assert cases["women's to all"].truth == pytest.approx(0.15 + 0.1 / 3, abs=0.01)


def test_shares_are_probabilities_in_every_position() -> None:
    found = shares(shop(60, 1))
    assert found.sum(axis=1) == pytest.approx(1)
    assert found == pytest.approx(np.full((3, 4), 0.25), abs=0.06)


def test_both_campaigns_as_one_log_are_worth_their_mean() -> None:
    logs = {name: shop(clicks, clicks) for name, clicks in zip(CAMPAIGNS, (60, 100), strict=True)}
    rows = np.arange(2_000)
    parts = {name: bandit_case(log, log, "random", rows) for name, log in logs.items()}
    whole = both(parts["men"], parts["women"])
    assert whole.truth == 0.04
    assert whole.target.sum(axis=1) == pytest.approx(1)
    found = {name: misses(case, rng())["ips"].error + case.truth for name, case in parts.items()}
    joint = misses(whole, rng())["ips"].error + whole.truth
    assert joint == pytest.approx((found["men"] + found["women"]) / 2)


def test_coverage_allows_for_the_truth_s_own_error() -> None:
    log = shop(60, 1)
    case = bandit_case(log, log, "random", np.arange(2_000))
    far = replace(case, truth=0.045, truth_error=0.0)
    unsure = replace(far, truth_error=0.01)
    assert [misses(each, rng())["ips"].covered for each in (case, far, unsure)] == [1, 0, 1]


def test_a_refusal_is_counted_and_no_number() -> None:
    log = shop(10, 1)  # 10 clicks are too few
    case: Case = bandit_case(log, log, "random", np.arange(2_000))
    row = row_of("log", "policy", "ips", [misses(case, rng())["ips"]] * 2)
    assert (row.refused, row.relative_error, row.rmse, row.coverage) == (2, None, None, None)
    assert "has 10" in row.reason


# --- the data ----------------------------------------------------------------------------------


@with_mailing
def test_hillstrom_has_its_published_visit_rates() -> None:
    data = hillstrom(next(MAILING.glob("*.csv.gz")))
    rates = [100 * data.visits[data.mails == mail].mean() for mail in range(3)]
    assert [round(rate, 2) for rate in rates] == [10.62, 18.28, 15.14]


@with_bandit
def test_open_bandit_has_its_clicks_and_propensities() -> None:
    found = {
        (policy, campaign): impressions(BANDIT, policy, campaign)
        for policy in ("random", "bts")
        for campaign in CAMPAIGNS
    }
    assert [int(log.clicks.sum()) for log in found.values()] == [46, 46, 69, 46]
    for campaign, items in zip(CAMPAIGNS, (34, 46), strict=True):
        assert found["random", campaign].propensities == pytest.approx(1 / items)
        assert len(found["bts", campaign].features) == items


def write_mailing(folder: Path, count: int = 26_000) -> None:
    """A made-up mailing in the original file's form."""
    data, place = customers(count), folder / "hillstrom_email"
    place.mkdir()
    lines = ["recency,history,mens,womens,zip_code,newbie,channel,segment,visit"]
    for visit, mail, bought in zip(data.visits, data.mails, data.bought, strict=True):
        men, women = int(bought != 2), int(bought != 1)
        lines.append(f"6,90.5,{men},{women},Urban,1,Web,{MAILS[mail]},{int(visit)}")
    with gzip.open(place / "mailing.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def write_bandit(folder: Path) -> None:
    """Four made-up campaigns in the Open Bandit small logs' form; `bts/men` has too few clicks."""
    users = ",".join(f"user_feature_{index}" for index in range(4))
    for policy, campaign in product(("random", "bts"), CAMPAIGNS):
        few = (policy, campaign) == ("bts", "men")
        place, log = folder / "obd_small" / policy / campaign, shop(10 if few else 60, 1)
        place.mkdir(parents=True)
        lines = [f"item_id,position,click,propensity_score,{users}"]
        for item, spot, click in zip(log.items, log.places, log.clicks, strict=True):
            lines.append(f"{item},{spot + 1},{int(click)},0.25,a,b,c,{'xy'[item % 2]}")
        with gzip.open(place / f"{campaign}.csv.gz", "wt", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        items = "".join(f"{item},{log.features[item, 1]}\n" for item in range(4))
        (place / "item_context.csv").write_text(f"item_id,item_feature_0\n{items}")


def test_benchmark_runs_and_writes_every_estimator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_mailing(tmp_path)
    write_bandit(tmp_path)
    out = tmp_path / "out.json"
    status = main(["--data", str(tmp_path), "--quick", "--repetitions", "2", "--json", str(out)])
    result = json.loads(out.read_text())
    assert status in {0, 1}, capsys.readouterr().err  # two repetitions decide nothing
    rows = {(row["source"], row["policy"], row["estimator"]): row for row in result["rows"]}
    assert len(rows) == (2 * 3 + 2 * 3) * 7
    assert rows["Hillstrom, even log", "personalised", "dros"]["coverage"] in {0, 0.5, 1}
    assert rows["Open Bandit, bts log", "random, women", "ips"]["on_the_log"] < 0.2
    refused = rows["Open Bandit, bts log", "random, men", "ips"]
    assert refused["on_the_log"] is None
    assert refused["reason"].startswith("needs 20 events")
    assert {bar["name"] for bar in result["bars"]} >= {
        "even log: coverage of dros",
        "random log: DRos's error for bts, both",
        "Open Bandit: share of 25 intervals that cover",
    }


def test_without_data_it_says_so_in_a_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path), "--quick"]) == 2
    shown = capsys.readouterr()
    words = " ".join(shown.out.split())
    assert "Hillstrom is skipped" in words
    assert "Open Bandit is skipped" in words
    assert len(shown.err.strip().splitlines()) == 1
