"""Machines that click one phrase: what is learned from a poisoned log of the simulated shop."""

import re
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from conftest import ROOT
from hookline.report.table import tabulate
from hookline.tune import Defence, Findings, Terms, study
from hookline.tune.screen import counted, hollow, strange
from hookline.types import Outcome
from tune.made_tests import Machines, logged, make_test, poisoned, shop_log, truth

EXPERIMENT = make_test()
SEED, VISITS = 1, 6_000
FACE_VALUE = Terms(defence=None)
TABLE_SEEDS, TABLE_VISITS = range(3), 12_000
KINDS: dict[str, Machines] = {"nobody": "few", "few": "few", "twice": "twice", "fresh": "fresh"}


@cache
def honest(seed: int = SEED, visits: int = VISITS) -> list[Outcome]:
    return shop_log(EXPERIMENT, visits, seed=seed)


@cache
def rates(seed: int = SEED) -> dict[str, float]:
    return truth(EXPERIMENT, seed=seed)


def target(seed: int = SEED) -> str:
    """The line that machines are after: the worst one but for the control."""
    return min((arm.id for arm in EXPERIMENT.challengers), key=lambda key: rates(seed)[key])


def learned(share: float, machines: Machines, terms: Terms) -> Findings:
    log = poisoned(honest(), target(), share, machines=machines, seed=SEED)
    return study(logged(EXPERIMENT, log), terms)


def sure(found: Findings) -> list[tuple[str, str]]:
    """Pairs that the test would teach, the better line first."""
    return [
        pair
        for stratum in found.strata
        for pair, chance in stratum.chances.items()
        if chance >= Terms().least_chance
    ]


def wins(found: Findings, line: str) -> int:
    """Pairs that the line would be chosen in."""
    return sum(better == line for better, _ in sure(found))


def values(found: Findings) -> dict[str, float]:
    """Line → its value over all strata."""
    sums: dict[str, float] = {}
    for stratum in found.strata:
        for line in stratum.lines:
            sums[line.arm_id] = sums.get(line.arm_id, 0.0) + line.value * stratum.visitors
    return sums


def place(found: Findings, line: str) -> int:
    """The line's rank, 1 for the best."""
    known = values(found)
    return 1 + sum(value > known[line] for value in known.values())


def agreement(found: Findings, true: dict[str, float]) -> float:
    """Kendall's τ between the order found and the true one."""
    known = values(found)
    signs = [
        np.sign(known[one] - known[other]) * np.sign(true[one] - true[other])
        for one, other in combinations(known, 2)
    ]
    return float(np.mean(signs))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.20])
def test_a_few_busy_machines_change_nothing(share: float) -> None:
    clean = study(logged(EXPERIMENT, honest()), Terms())
    found = learned(share, "few", Terms())
    machines = round(VISITS * share / (1 - share)) // 40
    assert found.set_aside >= 0.5 * machines
    assert wins(found, target()) <= wins(clean, target())
    assert place(found, target()) >= place(clean, target()) - 1


@pytest.mark.parametrize("share", [0.05, 0.20])
def test_taken_at_face_value_they_put_the_worst_line_first(share: float) -> None:
    found = learned(share, "few", FACE_VALUE)
    assert wins(study(logged(EXPERIMENT, honest()), FACE_VALUE), target()) == 0
    assert wins(found, target()) >= 3


@pytest.mark.parametrize("share", [0.05, 0.20])
def test_fresh_machines_are_not_seen_but_their_line_is(share: float) -> None:
    found = learned(share, "fresh", Terms())
    assert found.set_aside == 0
    assert set(found.doubtful) == {target()}
    assert wins(found, target()) == 0


def test_clicks_of_machines_sell_nothing_however_often_they_come() -> None:
    log = poisoned(honest(visits=12_000), target(), 0.2, machines="twice", seed=SEED)
    table = tabulate(EXPERIMENT, log)
    empty = hollow(table, table.analysed("clicks"), Defence())
    assert [arm.id for arm, bad in zip(EXPERIMENT.arms, empty, strict=True) if bad] == [target()]


def test_an_honest_log_loses_next_to_nobody() -> None:
    found = study(logged(EXPERIMENT, honest()), Terms())
    assert found.set_aside <= 0.002 * VISITS


def test_honest_lines_are_hardly_ever_doubted() -> None:
    """A false alarm in 1 test of 100 for each of two reasons: 2 of 6 are less likely than .01."""
    logs = (shop_log(EXPERIMENT, 3_000, seed=seed) for seed in range(6))
    doubted = [bool(study(logged(EXPERIMENT, log), Terms()).doubtful) for log in logs]
    assert sum(doubted) <= 1


def test_nothing_is_strange_where_nobody_comes_again() -> None:
    log = poisoned(honest(), target(), 0.2, machines="fresh", seed=SEED)
    table, alone = tabulate(EXPERIMENT, log), np.arange(len(log))
    assert not strange(table, table.analysed("clicks"), alone, "clicks", Defence()).any()


def test_machines_that_report_only_their_line_are_found_by_the_split() -> None:
    log = poisoned(honest(), target(), 0.2, machines="fresh", seed=SEED)
    seen = [
        each
        for each in log
        if "machine" not in each.decision.context.visitor_id or each.decision.arm_id == target()
    ]
    assert "not seen as often as drawn" in study(logged(EXPERIMENT, seen), Terms()).reason


def test_who_clicks_everything_is_set_aside_and_who_clicks_twice_is_not() -> None:
    visitors = np.repeat(np.arange(101), 20)
    arms = np.tile(np.arange(2), 101 * 10)
    hits = np.zeros(len(visitors), dtype=np.bool_)
    hits[:20] = True
    hits[20::20] = True
    kept = counted(np.ones_like(hits), visitors, arms, hits, Defence())
    assert not kept[:20].any()
    assert kept[20:].all()


def test_who_clicks_one_line_alone_is_set_aside_at_an_ordinary_rate() -> None:
    """A third of 36 showings is clicked by all; one visitor's clicks all fall on one line."""
    rng = np.random.default_rng(0)
    visitors, arms = np.repeat(np.arange(40), 36), np.tile(np.arange(3), 40 * 12)
    hits = rng.random(len(visitors)) < 1 / 3
    hits[:36] = arms[:36] == 1
    kept = counted(np.ones_like(hits), visitors, arms, hits, Defence())
    assert not kept[:36].any()
    assert kept[36:].mean() > 0.95


def test_nothing_is_hollow_without_orders() -> None:
    log = [each for each in honest() if not each.orders]
    table = tabulate(EXPERIMENT, log)
    rows = table.analysed("clicks")
    assert not hollow(table, rows, Defence()).any()


def test_a_defence_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="ceiling"):
        Defence(ceiling=1.0)


def row_of(share: float, machines: Machines, terms: Terms) -> list[float]:
    """Figures of a row of the table in docs/tuning.md, means over `TABLE_SEEDS`."""
    rows: list[list[float]] = []
    for seed in TABLE_SEEDS:
        bad = target(seed)
        log = poisoned(honest(seed, TABLE_VISITS), bad, share, machines=machines, seed=seed)
        found = study(logged(EXPERIMENT, log), terms)
        pairs, true = sure(found), rates(seed)
        right = sum(true[better] > true[worse] for better, worse in pairs) / max(len(pairs), 1)
        first = float(bad not in found.doubtful and place(found, bad) == 1)
        rows.append([agreement(found, true), first, len(pairs), right, wins(found, bad)])
    return np.mean(rows, axis=0).tolist()


@pytest.mark.slow
def test_the_table_in_the_docs_is_what_comes_out() -> None:
    page = (ROOT / "docs" / "tuning.md").read_text()
    lines = re.findall(
        r"^\| (nobody|few|twice|fresh) \| (\d+) % \| (yes|no) \|(.+)\|$", page, re.MULTILINE
    )
    assert len(lines) == 20
    for machines, percent, defended, cells in lines:
        terms = Terms() if defended == "yes" else FACE_VALUE
        found = row_of(int(percent) / 100, KINDS[machines], terms)
        said = [float(cell) for cell in re.findall(r"[\d.]+", cells)]
        assert said == pytest.approx(found, abs=0.06), (machines, percent, defended)
