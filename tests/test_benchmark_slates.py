"""The ways that `benchmarks.slates` compares do what they are called; without data it says so."""

from pathlib import Path
from random import Random

import benchmarks.slates as bench
import numpy as np
import pytest

from hookline.slate import FrontPoint, Pool, choose

TEXTS = tuple(f"line {n % 6} of a pool {'x' * n}" for n in range(12))


@pytest.fixture
def pool() -> Pool:
    rng = np.random.default_rng(1)
    return Pool(promise=rng.normal(0, 0.1, 12), vectors=rng.normal(0.5, 1, (12, 6)))


@pytest.mark.parametrize("name", list(bench.WAYS))
def test_every_way_keeps_eight_different_copies(name: str, pool: Pool) -> None:
    kept = bench.WAYS[name](pool, TEXTS, 0.5, Random(1))
    assert len(set(kept)) == len(kept) == bench.SLATE


def test_marginal_relevance_goes_from_promise_to_the_unlike(pool: Pool) -> None:
    best = np.argsort(-pool.promise)[: bench.SLATE].tolist()
    assert bench.marginal_relevance(pool, TEXTS, 0.0, Random(1)) == best
    vectors = np.vstack([np.ones((11, 6)), [[1, -1, 1, -1, 1, -1]]])
    twins = Pool(promise=pool.promise - 10 * (np.arange(12) == 11), vectors=vectors)
    assert bench.marginal_relevance(twins, TEXTS, 1.0, Random(1))[1] == 11
    assert choose(twins.promise, vectors, 2, creativity=1.0)[1] == 11


def test_lift_at_equal_diversity_is_that_of_the_best_dial_that_reaches_it() -> None:
    """Over .25 to .75 the first curve holds its lift of 2 up to .5, then 1; the second has 1."""
    curves = {
        "a": np.array([[0.0, 3.0], [0.5, 2.0], [1.0, 1.0]]),
        "b": np.array([[0.0, 0.5], [0.9, 1.0], [1.0, 0.0]]),
    }
    found = bench._at_equal(curves)  # grid: 1/6, 2/6, 3/6, 4/6, 5/6
    assert found == {"a": pytest.approx((3 * 2 + 2 * 1) / 5), "b": pytest.approx(1.0)}


@pytest.mark.parametrize(("last", "holds"), [((0.5, 0.1), True), ((0.4, 0.1), False)])
def test_a_dial_that_does_not_turn_both_ways_fails_its_bar(
    last: tuple[float, float], holds: bool
) -> None:
    points = [
        FrontPoint(creativity=dial, diversity=diversity, lift=lift)
        for dial, (diversity, lift) in zip(
            (0.2, 0.5, 0.8), ((0.3, 0.3), (0.4, 0.2), last), strict=True
        )
    ]
    assert [bar.holds for bar in bench._monotone_bars(points)] == [holds, True]


def test_without_data_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "HUMAN", tmp_path / "none.csv")
    assert bench.main(["--json", str(tmp_path / "out.json")]) == 0
    assert "absent: nothing measured" in capsys.readouterr().out
    assert not (tmp_path / "out.json").exists()
