"""The measured constants are what the public data say, and every constant is documented."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from hookline.channels import CHANNELS
from hookline.simulate import Parameters

ROOT = Path(__file__).parents[2]
DATA = ROOT / "../shared/data"
HILLSTROM = (
    "hillstrom_email/Kevin_Hillstrom_MineThatData_E-MailAnalytics_"
    "DataMiningChallenge_2008.03.20.csv.gz"
)
FACEBOOK = "facebook_ads_segments/processed_gg_campaign_by_ad_by_text_age_gender.csv.gz"
TABLE = Parameters()


def rows(name: str) -> list[dict[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the data set {name} is not on this machine")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def share(found: list[dict[str, str]], column: str) -> float:
    return sum(int(row[column]) for row in found) / len(found)


def test_hillstrom_gives_click_and_order_rates() -> None:
    customers = rows(HILLSTROM)
    mailed = [row for row in customers if row["segment"] != "No E-Mail"]
    unmailed = [row for row in customers if row["segment"] == "No E-Mail"]
    assert TABLE.click_rate["email"] == pytest.approx(share(mailed, "visit"), abs=5e-4)
    assert TABLE.click_rate["onsite_banner"] == pytest.approx(share(unmailed, "visit"), abs=5e-4)
    ordered = share(mailed, "conversion") / share(mailed, "visit")
    assert TABLE.order_after_click == pytest.approx(ordered, abs=5e-4)
    known = [row for row in mailed if row["newbie"] == "0"]
    new = [row for row in mailed if row["newbie"] == "1"]
    assert TABLE.returning == pytest.approx(len(known) / len(mailed), abs=1e-3)
    ratio = share(known, "visit") / share(new, "visit")
    assert TABLE.returning_clicks == pytest.approx(ratio, abs=2e-3)


def test_hillstrom_gives_the_basket() -> None:
    spent = np.array([float(row["spend"]) for row in rows(HILLSTROM) if row["conversion"] == "1"])
    assert len(spent) == 578
    assert TABLE.basket_log_sd == pytest.approx(np.log(spent).std(), abs=5e-3)
    assert TABLE.fallback_price == pytest.approx(np.median(spent), abs=0.01)


def test_hillstrom_gives_the_spread_between_shoppers() -> None:
    """Relative sd of visit rate between cells of like customers: .45; four factors make it up."""
    cells: dict[tuple[str, ...], list[int]] = defaultdict(list)
    names = ("recency", "history_segment", "newbie", "channel", "zip_code", "mens", "womens")
    for row in rows(HILLSTROM):
        if row["segment"] != "No E-Mail":
            key = (*(row[name] for name in names), row["segment"])
            cells[key].append(int(row["visit"]))
    size = np.array([len(cell) for cell in cells.values()])
    mean = np.array([np.mean(cell) for cell in cells.values()])
    n, rate = size.sum(), (size * mean).sum() / size.sum()
    noise = rate * (1 - rate) * (1 - size / n)
    between = (size * (mean - rate) ** 2 - noise).sum() / (n - (size**2).sum() / n)
    assert np.sqrt(between) / rate == pytest.approx(0.45, abs=0.02)

    age = relative_variance(
        TABLE.ages, {a: c**TABLE.age_damping for a, c in TABLE.age_clicks.items()}
    )
    known = relative_variance(
        {"yes": TABLE.returning, "no": 1 - TABLE.returning},
        {"yes": TABLE.returning_clicks, "no": 1.0},
    )
    device = relative_variance(TABLE.devices, TABLE.device_clicks)
    total = (1 + age) * (1 + known) * (1 + device) * np.exp(TABLE.appetite_sd**2) - 1
    assert np.sqrt(total) == pytest.approx(0.45, abs=0.01)


def relative_variance(shares: Mapping[str, float], factors: Mapping[str, float]) -> float:
    mean = sum(shares[name] * factors[name] for name in shares)
    return sum(shares[name] * (factors[name] / mean - 1) ** 2 for name in shares)


def test_facebook_gives_clicks_by_age() -> None:
    views: dict[str, float] = defaultdict(float)
    clicks: dict[str, float] = defaultdict(float)
    for row in rows(FACEBOOK):
        views[row["age"]] += number(row["impressions"])
        clicks[row["age"]] += number(row["link_clicks"])
    overall = sum(clicks.values()) / sum(views.values())
    assert TABLE.click_rate["meta_feed"] == pytest.approx(overall, abs=5e-5)
    adults = sum(views[age] for age in TABLE.ages)
    adult_rate = sum(clicks[age] for age in TABLE.ages) / adults
    for age in TABLE.ages:
        assert TABLE.ages[age] == pytest.approx(views[age] / adults, abs=1e-3)
        relative = clicks[age] / views[age] / adult_rate
        assert TABLE.age_clicks[age] == pytest.approx(relative, abs=2e-3)


def number(cell: str) -> float:
    return 0.0 if cell in {"NA", ""} else float(cell)


def test_upworthy_gives_the_spread_between_copies() -> None:
    tests: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows("upworthy/headlines.csv.gz"):
        if int(row["clicks"]) >= 20:
            tests[row["test_id"]].append((int(row["impressions"]), int(row["clicks"])))
    excess, weight = 0.0, 0
    for arms in tests.values():
        if len(arms) >= 2:
            shown, clicked = np.array(arms, dtype=float).T
            noise = float(np.mean(1 / clicked - 1 / shown))
            excess += (len(arms) - 1) * (float(np.log(clicked / shown).var(ddof=1)) - noise)
            weight += len(arms) - 1
    assert TABLE.quirk_sd == pytest.approx(np.sqrt(excess / weight), abs=5e-3)


def test_every_channel_has_a_rate_and_a_delay() -> None:
    assert set(TABLE.click_rate) == set(TABLE.click_minutes) == set(CHANNELS)


@pytest.mark.parametrize(
    "shares",
    [TABLE.ages, TABLE.devices, {name: taste.share for name, taste in TABLE.tastes.items()}]
    + [taste.segments for taste in TABLE.tastes.values()],
)
def test_shares_sum_to_one(shares: Mapping[str, float]) -> None:
    assert sum(shares.values()) == pytest.approx(1.0)


def test_every_constant_stands_in_the_docs() -> None:
    page = (ROOT / "docs/simulate.md").read_text(encoding="utf-8")
    missing = [field.name for field in fields(Parameters) if f"`{field.name}`" not in page]
    assert not missing
