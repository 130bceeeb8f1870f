"""What is known before training: rows, how often each is learned, the recipe; no torch."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hookline import extras
from hookline.commands.tune_train import train as command
from hookline.errors import BadInput
from hookline.tune import Won, lines
from hookline.tune.train import Method, Recipe, plan, read, train
from tune.made_tuning import ASKED, BAD, GOOD, ROWS, SYSTEM, row, write_rows


def refused(path: Path, method: Method, message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        read(path, method)


@pytest.mark.parametrize("method", ["sft", "dpo", "kto"])
def test_rows_of_every_kind_are_read_as_they_stand(tmp_path: Path, method: Method) -> None:
    found = read(write_rows(tmp_path / "rows.jsonl", ROWS[method]), method)
    assert [lesson.weight for lesson in found] == [each["weight"] for each in ROWS[method]]
    assert [lesson.number for lesson in found] == list(range(1, len(found) + 1))
    assert found[0].prompt == (("system", SYSTEM), ("user", ASKED))
    wanted = {"chosen", "rejected"} if method == "dpo" else {"completion"}
    assert found[0].answers.keys() == wanted
    assert found[0].answers[min(wanted)] == (("assistant", GOOD),)
    labels = [True, False, True, False] if method == "kto" else [None, None]
    assert [lesson.label for lesson in found] == labels


def test_grpo_asks_each_prompt_once(tmp_path: Path) -> None:
    rows = [*ROWS["grpo"], row(0.2, chosen=GOOD, rejected=BAD)]
    found = read(write_rows(tmp_path / "rows.jsonl", rows), "grpo")
    assert [lesson.number for lesson in found] == [1, 2]
    assert {lesson.weight for lesson in found} == {1.0}


@pytest.mark.parametrize(
    ("method", "kind", "message"),
    [
        ("sft", "dpo", "is a row of kind pairs; sft learns from hookline tune rows --kind sft"),
        ("sft", "kto", "is a row of kind unpaired; sft learns from"),
        ("dpo", "sft", "is a row of kind sft; dpo learns from hookline tune rows --kind pairs"),
        ("kto", "sft", "is a row of kind sft; kto learns from hookline tune rows --kind unpaired"),
    ],
)
def test_rows_of_another_kind_are_refused(
    tmp_path: Path, method: Method, kind: str, message: str
) -> None:
    refused(write_rows(tmp_path / "r", ROWS[kind]), method, f"line 1 {message}")


def test_rows_in_the_format_of_openai_are_refused(tmp_path: Path) -> None:
    openai = {"messages": [{"role": "user", "content": ASKED}]}
    path = write_rows(tmp_path / "r", [openai])
    refused(path, "grpo", "line 1 has no prompt; write rows with hookline tune rows --format trl")


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_file_without_rows_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "r"
    path.write_text(content)
    refused(path, "sft", "holds no rows")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none", "sft", "can't be read: No such file")


@pytest.mark.parametrize(
    "broken", ['{"prompt": [', '{"prompt": 3}', "[]", '{"prompt": [{"role": "cook"}]}']
)
def test_broken_line_is_named(tmp_path: Path, broken: str) -> None:
    path = write_rows(tmp_path / "r", ROWS["sft"])
    path.write_text(f"{path.read_text()}\n{broken}\n")
    refused(path, "sft", "line 4 is no row: ")


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_row_that_weighs_nothing_is_refused(tmp_path: Path, weight: float) -> None:
    refused(write_rows(tmp_path / "r", [row(weight, completion=GOOD)]), "sft", "is above 0")


def test_row_with_an_empty_answer_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "r", [{**row(), "completion": []}])
    refused(path, "sft", "line 1 has an empty answer")


@pytest.mark.parametrize(("label", "word"), [(True, "not clicked"), (False, "clicked")])
def test_kto_is_refused_without_both_labels(tmp_path: Path, label: bool, word: str) -> None:
    path = write_rows(tmp_path / "r", [row(completion=GOOD, label=label)] * 3)
    refused(path, "kto", f"has no row that was {word}")


@given(
    st.lists(st.floats(0.01, 100), min_size=1, max_size=30),
    st.integers(1, 300),
    st.integers(0, 9),
)
def test_rows_are_learned_as_often_as_they_weigh(
    weights: list[float], count: int, seed: int
) -> None:
    order = plan(weights, count, seed)
    share = np.array(weights) / sum(weights)
    assert order.shape == (count,)
    assert np.all(np.abs(np.bincount(order, minlength=len(weights)) - share * count) < 1 + 1e-9)
    assert np.array_equal(order, plan(weights, count, seed))


def test_over_seeds_a_row_is_learned_exactly_as_often_as_it_weighs() -> None:
    weights = [0.3, 1.0, 2.2]
    counts = np.zeros(3)
    for seed in range(2_000):
        counts += np.bincount(plan(weights, 2, seed), minlength=3)
    shares = counts / counts.sum()
    error = 4 * np.sqrt(0.25 / 2_000)  # of a mean of 2,000 draws of 0 or 1, at most
    assert np.abs(shares - np.array(weights) / 3.5).max() < error


def test_order_depends_on_the_seed() -> None:
    assert not np.array_equal(plan([1.0] * 20, 20, 1), plan([1.0] * 20, 20, 2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 6, "at_once": 4}, "batch 6 must be a multiple of at_once 4"),
        ({"steps": 0}, "must be at least 1"),
        ({"rate": 0.0}, "rate and temperature must be above 0"),
        ({"beta": -1.0}, "beta and seed are 0 or more"),
        ({"device": "tpu"}, "train on cpu or cuda, not on 'tpu'"),
        ({"method": "kto", "at_once": 1}, "at_once must be at least 2"),
        ({"method": "grpo", "generations": 5}, "batch 16 a multiple of generations 5"),
    ],
)
def test_recipe_that_can_not_be_trained_with_is_refused(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        Recipe(**{"method": "sft", **changes})  # pyright: ignore[reportArgumentType]


def test_recipe_says_how_long_and_how_fast() -> None:
    assert Recipe(method="sft").length(100) == 19  # three passes of 16 at a time, rounded up
    assert Recipe(method="grpo").length(100) == 150  # of two prompts at a time
    assert Recipe(method="sft", lora=False).peak * 10 == Recipe(method="sft").peak
    assert Recipe(method="dpo", beta=0.0).pull == 0.0 < Recipe(method="dpo").pull


def test_lines_are_those_that_tune_rows_writes(tmp_path: Path) -> None:
    won = Won(
        prompt=(("system", SYSTEM), ("user", ASKED)),
        weight=0.9,
        stratum="t/all/1",
        test_id="t",
        product_id="bag",
        copy_ids=("a",),
        completion=json.dumps({"drafts": [{"headline": GOOD}]}),
    )
    path = tmp_path / "r"
    path.write_bytes(b"".join(lines([won], "trl")))
    (lesson,) = read(path, "sft")
    assert (lesson.prompt, lesson.weight) == (won.prompt, won.weight)
    assert lesson.answers == {"completion": (("assistant", won.completion),)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sft", "--prompts", "p"], "sft learns from --rows FILE, and from that alone"),
        (["grpo", "--rows", "r"], "grpo learns from --prompts FILE"),
        (["grpo", "--prompts", "p"], "grpo takes --rewards MODULE:FUNCTION"),
        (["sft", "--rows", "r", "--rewards", "a:b"], "no other method does"),
    ],
)
def test_command_says_what_belongs_together(arguments: list[str], message: str) -> None:
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, [*arguments, "--base", "b", "--out", "o"])
    assert isinstance(done.exception, BadInput)
    assert re.search(message, str(done.exception))


@pytest.mark.parametrize("name", ["nowhere:goals", "math:goals", "math"])
def test_rewards_that_can_not_be_had_are_named(tmp_path: Path, name: str) -> None:
    rows = write_rows(tmp_path / "rows", ROWS["grpo"])
    app = typer.Typer()
    app.command()(command)
    given = ["grpo", "--prompts", str(rows), "--rewards", name, "--base", "b", "--out", "o"]
    done = CliRunner().invoke(app, given)
    assert isinstance(done.exception, BadInput)
    assert f"--rewards {name} can't be had" in str(done.exception)


def test_missing_package_is_named_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(extras, "import_module", absent)
    taught = read(write_rows(tmp_path / "rows", ROWS["sft"]), "sft")
    with pytest.raises(BadInput, match=r"needs torch: pip install 'hookline\[tune\]'"):
        train(tmp_path, taught, tmp_path / "out", recipe=Recipe(method="sft"))
    assert not (tmp_path / "out").exists()


def test_training_is_not_imported_before_it_starts() -> None:
    code = "import sys, hookline.tune.train; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
