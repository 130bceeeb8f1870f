"""Many A/A tests: the same from the same seed, rare claims, and words that fit them."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from conftest import NOW, make_experiment
from hookline import cli
from hookline.app import open_app
from hookline.errors import BadInput
from hookline.selftest import (
    SelfTest,
    Trial,
    example,
    holds,
    play,
    rate_of,
    self_test,
    to_text,
    trials,
)
from hookline.settings import read_settings
from hookline.types import Action


def trial(policy: str = "thompson", visitors: int = 2_000, arms: int = 2) -> Trial:
    made = example(policy, arms, horizon=visitors, holdout=0.1, uniform=0.1)
    return Trial(experiment=made, visitors=visitors, rate=0.1, looks=30)


def test_play_looks_at_every_edge_and_counts_everybody() -> None:
    looks = list(play(trial(), (0, 1)))
    assert [look.visitors for look in looks] == trial().edges
    assert len(looks) >= 30
    last = looks[-1].sums
    assert last[:, 0].sum() == 2_000
    assert 0.07 < last[:, 1].sum() / 2_000 < 0.13
    assert (last[:, 1] == last[:, 2]).all()
    assert (last[:, 1] == last[:, 3]).all()


def test_play_money_has_amounts() -> None:
    made = trial()
    money = replace(made, experiment=replace(made.experiment, objective="revenue"))
    last = list(play(money, (0, 1)))[-1].sums
    assert (last[:, 3] > 0).all()
    assert (last[:, 1] > 10 * last[:, 3]).all()


def test_play_in_chunks_ends_where_one_chunk_does(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(play(trial(), (3,)))
    monkeypatch.setattr(trials, "CHUNK", 300)
    parts = list(play(trial(), (3,)))
    assert len(parts) == len(whole)
    for one, other in zip(whole, parts, strict=True):
        assert np.array_equal(one.sums, other.sums)


def test_self_test_is_the_same_from_the_same_seed_however_many_work() -> None:
    first = self_test(trial("uniform"), 4, seed=2)
    seen: list[int] = []
    assert self_test(trial("uniform"), 4, seed=2, workers=2, progress=seen.append) == first
    assert seen == [1, 2, 3, 4]


def test_self_test_names_few_winners_where_a_z_test_finds_many() -> None:
    runs = 100
    found = self_test(trial("uniform"), runs)
    assert found.winner.estimate <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert found.significant.hits >= 10  # two-sided at 5 %, looked at thirty times and more
    assert found.winner.hits <= found.claim.hits


@pytest.mark.parametrize(("hits", "runs"), [(0, 10), (3, 40), (50, 1_000), (7, 7)])
def test_rate_has_the_exact_interval(hits: int, runs: int) -> None:
    found = rate_of(hits, runs)
    exact = binomtest(hits, runs).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    assert found.estimate == hits / runs


@pytest.mark.parametrize(
    ("winners", "word", "fine"),
    [(0, "rarer than", True), (30, "in keeping", True), (60, "don't trust", False)],
)
def test_words_fit_the_rate(winners: int, word: str, fine: bool) -> None:
    found = replace(self_test(trial("uniform"), 1), winner=rate_of(winners, 600))
    assert word in to_text(found)
    assert f"{winners} of 600" in to_text(found)
    assert holds(found) == fine


@pytest.mark.parametrize(
    "wrong", [{"visitors": 99}, {"visitors": 10**8}, {"rate": 0.0}, {"rate": 0.9}, {"looks": 0}]
)
def test_absurd_trials_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        replace(trial(), **wrong)


def test_absurd_numbers_of_runs_are_refused() -> None:
    with pytest.raises(BadInput, match="0"):
        self_test(trial(), 0)


# --- the command ---------------------------------------------------------------------------------


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["hookline", "aa", *arguments])
    with pytest.raises(SystemExit) as done:
        cli.main()
    printed = capsys.readouterr()
    return int(done.value.code or 0), printed.out, printed.err


def test_command_says_how_often(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(
        monkeypatch, capsys, "--runs", "1", "--visitors", "800", "--lines", "3", "--policy", "ucb"
    )
    assert code == 0
    assert "1 A/A tests: 3 identical lines under ucb, 800 visitors" in out
    assert "of 1" in out


def test_command_plays_the_experiment_by_that_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    app = open_app(read_settings())
    made = make_experiment(horizon=900, status="draft")
    app.live._keep(made, Action(verb="create", subject=made.id, by="me", experiment=made), NOW)
    app.close()
    code, out, _ = run(monkeypatch, capsys, "boots", "--runs", "1")
    assert code == 0
    assert "3 identical lines under thompson, 900 visitors" in out
    code, out, _ = run(monkeypatch, capsys, "boots", "--runs", "1", "--policy", "uniform")
    assert "under uniform, 900" in out


def test_command_exits_with_1_where_winners_are_false_too_often(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = replace(self_test(trial("uniform"), 1), winner=rate_of(60, 600))

    def given(*_: object, **__: object) -> SelfTest:
        return bad

    monkeypatch.setattr("hookline.selftest.self_test", given)
    code, out, _ = run(monkeypatch, capsys, "--runs", "1")
    assert code == 1
    assert "don't trust" in out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nope"], "no experiment 'nope'"),
        (["nope", "--lines", "3"], "own lines"),
        (["--policy", "tompson"], "did you mean 'thompson'"),
        (["--visitors", "5"], "not 5"),
        (["--rate", "2"], "rate"),
        (["--runs", "0"], "not 0"),
    ],
)
def test_command_mistakes_are_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: list[str],
    word: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, complaint = run(monkeypatch, capsys, *arguments)
    assert code == 2
    assert word in complaint
    assert complaint.strip().count("\n") == 0
