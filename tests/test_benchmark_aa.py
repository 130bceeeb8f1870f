"""`benchmarks.aa` knows the truth, goes on where it stopped, and its bars hold and fail rightly."""

import json
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from benchmarks.aa import cells as played_cells
from benchmarks.aa.__main__ import main
from benchmarks.aa.cells import Block, Cell, blocks_of, cells, played
from benchmarks.aa.coverage import KINDS, _columns, _fixed, _log, _standings, covered
from benchmarks.aa.identical import RULES, THEIRS, experiment_of, identical
from benchmarks.aa.rivals import banditdb, growthbook
from benchmarks.aa.table import ENOUGH, SOME, bars_of, row_of
from benchmarks.aa.world import WORLDS

from hookline.policies import POLICIES
from hookline.stats import Moments, mean_estimate
from hookline.types import METRICS

WHAT = ("missed", "told", "width", "plain")


def counts(visitors: int, *clicks: int) -> np.ndarray:
    totals = np.array(clicks, dtype=float)
    return np.column_stack([np.full(len(clicks), float(visitors)), totals, totals, totals])


# --- rivals --------------------------------------------------------------------------------------


def test_growthbook_marks_at_95_percent_and_from_100_visitors() -> None:
    # P(best) of two normals is Φ(z); z = 1.645 is 95 %
    assert growthbook(counts(1_000, 100, 124))  # z = 1.70
    assert growthbook(counts(1_000, 124, 100))
    assert not growthbook(counts(1_000, 100, 122))  # z = 1.56
    assert not growthbook(counts(99, 2, 50))
    assert not growthbook(counts(1_000, 0, 0))


def test_banditdb_wants_the_leader_alone() -> None:
    assert banditdb(counts(1_000, 100, 160))
    assert not banditdb(counts(1_000, 100, 124))
    assert not banditdb(counts(1_000, 100, 155, 160))


def test_growthbooks_own_bandit_holds_nobody_out() -> None:
    made = experiment_of(THEIRS, 5, 1_000)
    assert (made.policy, made.holdout, made.uniform) == ("thompson", 0.0, 0.0)
    assert made.policy_params["floor"] == 0.01


def test_identical_says_of_every_rule_whether_it_ever_named_a_difference() -> None:
    found = identical("uniform", 2, 1_000, (0, 1))
    assert tuple(found) == RULES
    assert set(found.values()) <= {0, 1}
    assert found["claim"] >= max(found["winner"], found["audience"], found["policy"])
    assert found == identical("uniform", 2, 1_000, (0, 1))
    ever = np.array([list(identical("uniform", 2, 1_000, (0, r)).values()) for r in range(30)])
    rates = dict(zip(RULES, ever.mean(axis=0), strict=True))
    assert rates["GrowthBook"] >= 0.1
    assert rates["winner"] <= 0.1


# --- lines that differ ---------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_scores_average_to_the_truth(world: str) -> None:
    gaps: list[np.ndarray] = []
    for seed in range(12):
        log = _log("thompson", WORLDS[world], np.random.default_rng(seed))
        sizes = np.diff(log.ends, prepend=0) / log.ends[-1]
        for metric in ("clicks", "orders"):
            truth = sizes @ log.truths[metric]
            columns = _columns(log, log.rewards[metric])[:, : truth.size]
            gaps.append((columns.mean(axis=0) - truth) / columns.std(axis=0) * 100)
    z = np.mean(gaps, axis=0) * np.sqrt(12)  # of two correlated metrics: at most √2 too wide
    assert np.abs(z).max() < 6


def test_truths_are_of_lines_policy_served_and_equal_shares() -> None:
    log = _log("uniform", WORLDS["effects"], np.random.default_rng(0))
    truths = log.truths["clicks"].mean(axis=0)
    assert truths[4] > 1.1 * truths[0]
    even = truths[:5].mean()
    assert truths[5:] == pytest.approx([even, 0.9 * even + 0.1 * truths[0], even])


def test_late_orders_are_not_known_and_windows_not_settled_at_once() -> None:
    law = WORLDS["delay"]
    log = _log("uniform", law, np.random.default_rng(0))
    seen = [standing for standing, _ in _standings(log, law, "orders")]
    visitors = [sum(each.n for each in standing.moments) for standing in seen]
    orders = [int(standing.events.sum()) for standing in seen]
    assert visitors == sorted(visitors)
    assert visitors[0] < 1_000
    assert visitors[-1] == 10_000
    total = int(log.rewards["orders"].sum())
    assert 0.95 * total < orders[-1] < total + 1
    missing = int((log.known > 33).sum())
    assert missing >= 0
    clicks = [standing for standing, _ in _standings(log, law, "clicks")]
    assert int(clicks[-1].events.sum()) == int(log.rewards["clicks"].sum())
    moved = [
        later.rewards[0].mean[0] != earlier.rewards[0].mean[0]
        for earlier, later in pairwise(seen)
        if later.moments[0].n == earlier.moments[0].n
    ]
    assert any(moved)


def test_fixed_moments_give_the_interval_for_one_look() -> None:
    moments = Moments.of(np.random.default_rng(0).random((2_000, 1)))
    found = mean_estimate(_fixed(moments, 0.05, 2_000), events=99, horizon=2_000)
    reach = 1.959964 * np.sqrt(moments.covariance[0, 0] / 2_000)
    assert found.high is not None
    assert found.low is not None
    assert found.high - found.low == pytest.approx(2 * reach, rel=1e-6)


def test_covered_answers_for_every_interval() -> None:
    found = covered("uniform", "effects", (0, 1))
    names = [f"{kind}, {metric}" for kind in KINDS for metric in METRICS]
    assert set(found) == {f"{n}, {what}" for n in names for what in WHAT}
    assert found["line, clicks, told"] == 1
    assert found["line, clicks, width"] == pytest.approx(1.55, abs=0.01)
    assert found["line, revenue, plain"] > found["line, revenue, width"]
    assert 1.3 < found["lift, revenue, width"] < 1.8
    assert np.isnan(found["policy over uniform, clicks, width"])  # 0 exactly, under `uniform`
    assert all(found[f"{name}, missed"] <= 1 for name in names)


def test_covered_misses_a_truth_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.aa.coverage._truths", wrong_truths)
    found = covered("uniform", "effects", (0, 1))
    assert found["line, clicks, missed"] == 1
    assert found["gain, clicks, missed"] == 1
    assert found["policy over control, clicks, missed"] == 1


def wrong_truths(law: object, days: np.ndarray, batches: object) -> dict[str, np.ndarray]:
    shown = np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.1, 0.1, 0.5])
    return dict.fromkeys(METRICS, np.tile(shown, (len(days), 1)))


# --- cells, blocks, bars -------------------------------------------------------------------------


def test_cells_are_enough_for_every_policy_and_every_size() -> None:
    every = [cell for cell in cells(quick=False) if not cell.world]
    for policy in POLICIES:
        assert sum(cell.runs for cell in every if cell.policy == policy) >= ENOUGH
    for visitors in (10_000, 100_000, 1_000_000):
        assert sum(cell.runs for cell in every if cell.visitors == visitors) >= ENOUGH
    differ = {(c.policy, c.world) for c in cells(quick=False) if c.world and c.runs >= SOME}
    assert differ == {(policy, world) for policy in POLICIES for world in WORLDS}
    assert all(cell.runs <= 10 for cell in cells(quick=True))


def test_blocks_cover_all_runs_once_and_are_known_again() -> None:
    cell = Cell(policy="uniform", runs=50)
    found = blocks_of(cell, 3)
    runs = [block.first + each for block in found for each in range(block.count)]
    assert runs == list(range(50))
    more = blocks_of(replace(cell, runs=60), 3)
    assert [block.key for block in more[:2]] == [block.key for block in found[:2]]
    assert blocks_of(cell, 4)[0].key != found[0].key
    assert blocks_of(replace(cell, arms=2), 3)[0].key != found[0].key


def test_played_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, asked = tmp_path / "aa.jsonl", list[int]()

    def play(block: Block) -> dict[str, list[float]]:
        asked.append(block.first)
        return {"winner": [0.0] * block.count}

    monkeypatch.setattr(played_cells, "_play", play)
    blocks = blocks_of(Cell(policy="uniform", runs=45), 0)
    first = dict(played(blocks[:2], 1, cache))
    cache.write_text(cache.read_text() + '\n{"block": "cut sho')
    again = dict(played(blocks, 1, cache))
    assert asked == [0, 20, 40]
    assert {block: again[block] for block in first} == first
    assert len(dict(played(blocks, 1, cache))) == 3
    assert asked == [0, 20, 40]


def alike(runs: int, hits: int, **changes: int) -> dict[str, list[float]]:
    values = {rule: [0.0] * runs for rule in RULES}
    values["claim"] = [1.0] * hits + [0.0] * (runs - hits)
    return values


def test_bars_of_identical_lines() -> None:
    cell = Cell(policy="ucb", arms=2, runs=1_000)
    [own, whole] = bars_of([row_of(cell, alike(1_000, 40))])
    assert own.holds
    assert own.value == 0.04
    assert whole.holds
    assert not bars_of([row_of(cell, alike(1_000, 51))])[0].holds
    few = replace(cell, runs=500)
    assert not any("ucb, 2" in bar.name for bar in bars_of([row_of(few, alike(500, 0))]))
    both = [row_of(replace(few, arms=arms), alike(500, 30)) for arms in (2, 5)]
    [pooled] = [bar for bar in bars_of(both) if bar.name.startswith("false claim ever, under ucb")]
    assert not pooled.holds
    theirs = row_of(replace(cell, policy=THEIRS), alike(1_000, 900))
    assert bars_of([theirs]) == []


def test_bars_of_lines_that_differ() -> None:
    names = [f"{kind}, {metric}" for kind in KINDS for metric in METRICS]
    values = {f"{name}, missed": [0.0] * 200 for name in names}
    values |= {f"{name}, told": [1.0] * 200 for name in names}
    values |= {f"{name}, {what}": [1.5, np.nan] * 100 for name in names for what in WHAT[2:]}
    cell = Cell(policy="ucb", world="drift", runs=200)
    assert all(bar.holds for bar in bars_of([row_of(cell, values)]))
    values["lift, orders, missed"] = [1.0] * 13 + [0.0] * 187
    values["line, clicks, width"] = [1.9] * 200
    failed = [bar for bar in bars_of([row_of(cell, values)]) if not bar.holds]
    assert [bar.value for bar in failed] == [0.935, 0.935, 1.9]
    assert "lift, orders" in failed[0].name
    values["line, clicks, plain"] = [9.9] * 200  # told, and no bar
    row = row_of(cell, values)
    assert len([bar for bar in bars_of([row]) if not bar.holds]) == 3
    assert row.plain["line, clicks"] == 9.9


def test_benchmark_runs_writes_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [
        Cell(policy="uniform", arms=2, visitors=1_000, runs=3),
        Cell(policy="uniform", world="drift", runs=1),
    ]

    def chosen(*, quick: bool) -> list[Cell]:
        return few if quick else []

    monkeypatch.setattr("benchmarks.aa.__main__.cells", chosen)
    out, cache = tmp_path / "out.json", tmp_path / "cache"
    given = ["--quick", "--processes", "1", "--json", str(out), "--cache", str(cache)]
    main(given)
    result = json.loads(out.read_text())
    identical_row, drift_row = result["rows"]
    assert identical_row["cell"] == asdict(few[0])
    assert identical_row["rates"]["winner"]["runs"] == 3
    assert 0 <= drift_row["coverage"]["lift, clicks"] <= 1
    assert "identical lines" in capsys.readouterr().out
    monkeypatch.setattr(played_cells, "_play", None)  # all of it is in the cache
    main(given)
    assert json.loads(out.read_text())["rows"] == result["rows"]


@pytest.mark.parametrize("wrong", [["--only", "nobody"], ["--parts", "odd"]])
def test_benchmark_bad_arguments_are_refused(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(wrong)
    assert left.value.code == 2
    assert "error" in capsys.readouterr().err
