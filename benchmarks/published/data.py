"""The public experiments, read from the folders that `--data` holds."""

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hookline.types import Metric

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

HILLSTROM: Final = (
    "hillstrom_email/Kevin_Hillstrom_MineThatData_E-MailAnalytics_"
    "DataMiningChallenge_2008.03.20.csv.gz"
)
KARLAN_LIST: Final = "karlan_list_letters/charitable.csv.gz"
COOKIE_CATS: Final = "cookie_cats/cookie_cats.csv.gz"
UPWORTHY: Final = "upworthy/exploratory.csv.gz"
FILES: Final = (HILLSTROM, KARLAN_LIST, COOKIE_CATS, UPWORTHY)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was counted, and what is known of it.

    Attributes:
        metric: Which of Hookline's metrics it is.
        values: One a person, nan where it is missing, shape (n,).
        published: Its mean in each arm, in the words of the source; empty where not published.
    """

    metric: Metric
    values: Array
    published: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Mailing:
    """A mailing drawn by lot.

    Attributes:
        name: Whose it is.
        arms: The control first.
        shares: Probability of each arm, the same for everybody, shape (K,).
        served: Index of each person's arm, shape (n,).
        outcomes: Name → outcome.
        before: What is known of each person from before the mailing: name → shape (n,).
    """

    name: str
    arms: tuple[str, ...]
    shares: Array
    served: Integers
    outcomes: Mapping[str, Outcome]
    before: Mapping[str, Array]

    @property
    def counts(self) -> tuple[int, ...]:
        """Persons in each arm."""
        return tuple(np.bincount(self.served, minlength=len(self.arms)).tolist())


@dataclass(frozen=True, kw_only=True)
class HeadlineTest:
    """One test of the Upworthy archive.

    Attributes:
        impressions: Of each package, shape (K,).
        clicks: Of each package, shape (K,).
        broken: Whether it ran in the weeks in which a cache broke the draw.
    """

    impressions: Integers
    clicks: Integers
    broken: bool


def missing(data: Path) -> list[str]:
    """The files that are not there."""
    return [name for name in FILES if not (data / name).exists()]


def hillstrom(data: Path) -> Mailing:
    """64,000 customers of a shop: no e-mail, one with women's things, one with men's.

    Kevin Hillstrom, MineThatData E-Mail Analytics and Data Mining Challenge (2008): drawn evenly;
    what they did in the two weeks after. `history` is the money spent in the year before.
    """
    rows = _rows(data / HILLSTROM)
    mails = ("No E-Mail", "Womens E-Mail", "Mens E-Mail")
    return Mailing(
        name="Hillstrom",
        arms=("no e-mail", "women's", "men's"),
        shares=np.full(3, 1 / 3),
        served=np.array([mails.index(row["segment"]) for row in rows], dtype=np.int64),
        outcomes={
            "visit, %": Outcome(
                metric="clicks",
                values=_column(rows, "visit"),
                published=("10.62", "15.14", "18.28"),
            ),
            "order, %": Outcome(
                metric="orders",
                values=_column(rows, "conversion"),
                published=("0.57", "0.88", "1.25"),
            ),
            "spend, $": Outcome(metric="revenue", values=_column(rows, "spend")),
        },
        before={name: _column(rows, name) for name in ("history", "recency")},
    )


def karlan_list(data: Path) -> Mailing:
    """50,083 earlier donors: a plain letter, or one that says a gift will be matched.

    Karlan and List (2007, AER 97(5), "Does Price Matter in Charitable Giving?"); two thirds were
    offered a match. Two donors' amounts are not recorded. `hpa` is their highest earlier gift,
    `freq` the number of earlier gifts.
    """
    rows = _rows(data / KARLAN_LIST)
    return Mailing(
        name="Karlan-List",
        arms=("plain letter", "matched gift"),
        shares=np.array([1 / 3, 2 / 3]),
        served=_column(rows, "treatment").astype(np.int64),
        outcomes={
            "response, %": Outcome(
                metric="orders",
                values=_column(rows, "out_gavedum"),
                published=("1.79", "2.20"),
            ),
            "gift, $": Outcome(
                metric="revenue",
                values=_column(rows, "out_amountgive"),
                published=("0.81", "0.97"),
            ),
        },
        before={name: _column(rows, name) for name in ("freq", "hpa")},
    )


def cookie_cats(data: Path) -> tuple[int, int]:
    """Players of a game given the gate at level 30 and at level 40, meant to be as many."""
    versions = [row["version"] for row in _rows(data / COOKIE_CATS)]
    return versions.count("gate_30"), versions.count("gate_40")


def headline_tests(data: Path) -> list[HeadlineTest]:
    """The exploratory tests of the Upworthy Research Archive.

    Matias, Munger, Aubin Le Quere and Ebersole (2021, Scientific Data). Impressions were to be
    split evenly; the archive's update of June 2024 names the weeks in which they were not.
    """
    packages: dict[str, list[dict[str, str]]] = {}
    for row in _rows(data / UPWORTHY):
        packages.setdefault(row["clickability_test_id"], []).append(row)
    return [
        HeadlineTest(
            impressions=_column(rows, "impressions").astype(np.int64),
            clicks=_column(rows, "clicks").astype(np.int64),
            broken=rows[0]["randomization_problem"] == "1",
        )
        for rows in packages.values()
    ]


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _column(rows: list[dict[str, str]], name: str) -> Array:
    """The numbers of a column; nan where there is none."""
    return np.array([float(row[name] or "nan") for row in rows])
