"""`benchmarks.rows`: its log, the two ways to the same answer, and its bars."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.rows import (
    ARMS,
    HOLDOUT,
    LEAST,
    METRICS,
    PARTS,
    Run,
    at_once,
    bars_of,
    coverage,
    difference,
    make,
    moved,
    peak,
    stream,
    true_lift,
)

from hookline.types import Estimate

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

ROWS = 80_000


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("rows")
    parts: list[None] = []
    make(folder, ROWS, 1, lambda: parts.append(None))
    assert len(parts) == PARTS
    return [str(path) for path in sorted(folder.iterdir())]


def test_both_ways_come_to_the_same(paths: list[str]) -> None:
    looks = stream(paths, ROWS)
    assert len(looks) == 8
    memory = Run(rows=ROWS, seconds=1.0, cpu_seconds=1.0, megabytes=1.0, lifts=at_once(paths, ROWS))
    assert difference(looks[-1], memory) < 1e-9


def test_the_policy_moves_to_what_is_clicked_and_keeps_its_floor() -> None:
    policy = moved(np.array([[0.10, 0.10, 0.15, 0.10, 0.05]]))
    assert policy.sum() == pytest.approx(1.0)
    assert policy.argmax() == 2
    assert policy.min() >= LEAST * (1 - HOLDOUT)


def run(seconds: float, megabytes: float, low: float, *, rows: int = 10) -> Run:
    lifts = {
        arm: Estimate(estimate=true_lift(arm), low=true_lift(arm) + low, high=1.0)
        for arm in ARMS[1:]
    }
    look = dict.fromkeys(METRICS, lifts)
    return Run(
        rows=rows, seconds=seconds, cpu_seconds=seconds, megabytes=megabytes, lifts=[look, look]
    )


def test_bars_hold_where_it_is_quick_small_equal_and_right() -> None:
    sound = run(59.0, 129.0, -0.1)
    assert coverage(sound) == (24, 24)
    tenth = run(9.0, 100.0, -0.1)
    assert [bar.holds for bar in bars_of(sound, tenth, tenth)] == [True] * 4
    bad = bars_of(run(61.0, 131.0, 0.1), tenth, run(9.0, 100.0, -0.2))
    assert [bar.holds for bar in bad] == [False] * 4


def test_a_missing_bound_is_a_difference() -> None:
    one = run(1.0, 1.0, -0.1)
    none = {arm: Estimate(estimate=None, low=None, high=None) for arm in ARMS[1:]}
    other = replace(one, lifts=[dict.fromkeys(METRICS, none)])
    assert difference(one.lifts[-1], other) == np.inf


def test_peak_memory_is_that_of_a_python_with_numpy() -> None:
    assert 20 < peak() < 20_000
