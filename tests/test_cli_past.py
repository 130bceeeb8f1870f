"""The commands that read past tests."""

import json
from pathlib import Path

import numpy as np
import pytest

from hookline import cli
from hookline.prior import TextPrior


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """Exit code, output and complaints of a command."""
    monkeypatch.setattr("sys.argv", ["hookline", *arguments])
    with pytest.raises(SystemExit) as done:
        cli.main()
    printed = capsys.readouterr()
    return int(done.value.code or 0), printed.out, printed.err


def archive(path: Path, tests: int = 40, *, predicted: bool = False) -> Path:
    """A table of tests of three lines; the one that says `secret` is clicked more."""
    rng = np.random.default_rng(0)
    rows = ["test_id,headline,impressions,clicks" + (",predicted_ctr" if predicted else "")]
    for test in range(tests):
        for line, words in enumerate(("The secret of", "A report on", "All about")):
            rate = 0.03 if line == 0 else 0.02
            guess = f",{rate:.3f}" if predicted else ""
            rows.append(f"{test},{words} thing {test},2000,{rng.binomial(2000, rate)}{guess}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_backtest_prints_writes_json_and_a_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(Path("tests.csv"), predicted=True)
    asked = ["--budgets", "20,60", "--seeds", "2", "--json", "out.json", "--html", "out.html"]
    code, out, _ = run(monkeypatch, capsys, "backtest", "tests.csv", *asked)
    assert code == 0
    assert "40 tests" in out
    result = json.loads(Path("out.json").read_text())
    assert result["prior"]["tests"] == 40
    assert result["truth"] == "shrunken"
    assert set(result["budgets"]) == {"20", "60"}
    for policies in result["budgets"].values():
        assert {"hookline", "hookline_external", "lola", "lola_external"} <= set(policies)
        for policy in policies.values():
            assert policy["ci"][0] <= policy["uplift_vs_uniform"] <= policy["ci"][1]
        ours, best = policies["hookline_external"], policies["oracle"]
        assert 0 < ours["clicks"] <= best["clicks"]
        assert ours["oracle_gap_closed"] > 0.5  # the prediction tells it all
    assert "<svg" in Path("out.html").read_text()


def test_backtest_says_which_rows_it_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = archive(Path("tests.csv"))
    path.write_text(path.read_text() + "9,Too lucky,10,11\n9,,10,1\n", encoding="utf-8")
    asked = ["--budgets", "20", "--seeds", "1", "--truth", "observed", "--fast"]
    code, out, _ = run(monkeypatch, capsys, "backtest", "tests.csv", *asked)
    assert code == 0
    assert "row 122" in out
    assert "row 123" in out
    assert "more clicks than impressions" in out
    assert "observed" in out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--budgets", "many"], "--budgets"),
        (["--budgets", "0"], "budget"),
        (["--seeds", "0"], "seeds"),
        (["--column", "headline"], "field=column"),
        (["--column", "text=nothing"], "nothing"),
        (["--prior", "nowhere"], "nowhere holds no text prior"),
        (["--html", "."], "--html"),
        (["--truth", "hoped"], "hoped"),
    ],
)
def test_a_mistake_in_a_backtest_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    word: str,
) -> None:
    archive(Path("tests.csv"), 4)
    code, _, complaint = run(monkeypatch, capsys, "backtest", "tests.csv", "--fast", *arguments)
    assert code == 2
    assert word in complaint
    assert complaint.count("\n") == 1


def test_backtest_warns_of_lines_that_the_prior_learned_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(Path("tests.csv"))
    run(monkeypatch, capsys, "train-prior", "tests.csv", "--out", "mine", "--fast")
    asked = ["--budgets", "20", "--seeds", "1", "--prior", "mine", "--html", "out.html"]
    _, out, _ = run(monkeypatch, capsys, "backtest", "tests.csv", *asked)
    words = "100% of these lines are among those that the prior learned from"
    assert f"Warning: {words}" in out
    assert words in Path("out.html").read_text()


def test_train_prior_writes_one_that_can_be_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(Path("tests.csv"))
    asked = ["--out", "mine", "--fast", "--json", "out.json"]
    code, out, _ = run(monkeypatch, capsys, "train-prior", "tests.csv", *asked)
    assert code == 0
    assert "Learned from 40 tests" in out
    measured = json.loads(Path("out.json").read_text())["prior"]
    assert measured["top1"] > measured["chance"]
    secret, report = TextPrior.load(Path("mine")).score(["The secret of it", "A report on it"])
    assert secret > report


def test_train_prior_names_what_tuning_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(Path("tests.csv"), 6)
    asked = ["--out", "mine", "--base", "nowhere"]
    code, _, complaint = run(monkeypatch, capsys, "train-prior", "tests.csv", *asked)
    assert code == 2
    assert complaint.count("\n") == 1


def test_train_prior_finds_out_first_whether_it_can_write(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = archive(Path("tests.csv"), 6)
    asked = ["train-prior", "tests.csv", "--fast", "--out", str(path)]
    code, _, complaint = run(monkeypatch, capsys, *asked)
    assert code == 2
    assert "can't be a folder" in complaint
    assert complaint.count("\n") == 1
