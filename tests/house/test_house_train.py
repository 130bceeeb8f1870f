import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hookline.errors import BadInput, Refused
from hookline.house.__main__ import main
from hookline.house.batches import Line, line_of, vocabulary
from hookline.house.evaluate import surprise
from hookline.house.export import export
from hookline.house.pieces import Pieces
from hookline.house.rows import Row, Written
from hookline.house.texts import HEADLINES, PROSE
from hookline.house.train import Progress, Recipe, Sizes, Weights, train
from hookline.prior.export import require
from hookline.writers.house import House
from hookline.writers.house.network import WEIGHTS, Network

RECIPE = Recipe(width=32, layers=2, heads=2, places=24, passes=12, batch=64, rate=1e-2)
COLORS = {"red": "Roses for you.", "blue": "Skies and seas."}
ROWS = [
    Row(
        source="copy",
        conditions=(f"color {color}",),
        fields=(Written(conditions=("role hook",), room=30, text=text),),
        held_out=number % 5 == 0,
    )
    for number in range(60)
    for color, text in COLORS.items()
]
PIECES = Pieces.found((row.fields[0].text for row in ROWS), 60)
CONDITIONS = vocabulary(ROWS)
SIZES = Sizes(len(PIECES.texts), len(CONDITIONS))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """One thread, which so small a model can't fill."""
    pytest.importorskip("torch", reason="torch is not installed: nothing to train with")
    torch: Any = require("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


def lines() -> list[Line]:
    ids = {name: at for at, name in enumerate(CONDITIONS)}
    made = [line_of(row, PIECES, ids, RECIPE.places) for row in ROWS if not row.held_out]
    return [line for line in made if line is not None]


def equal(left: Weights, right: Weights) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[n], right[n]) for n in left)


def test_training_learns_what_answers_what(tmp_path: Path) -> None:
    losses: list[float] = []

    def note(done: Progress) -> bool:
        losses.append(done.loss)
        return True

    weights, done = train(lines(), SIZES, tmp_path, recipe=RECIPE, go_on=note)
    assert done.share == 1
    assert losses[-1] < losses[0] / 3
    export(weights, tmp_path, recipe=RECIPE, pieces=PIECES.texts, conditions=CONDITIONS)
    network = Network.load(tmp_path)
    held = [row for row in ROWS if row.held_out]
    told = surprise(network, held, most=20, seed=0)
    assert told.texts == 20
    assert told.perplexity < 1.5
    swapped = [replace_color(row) for row in held]
    assert surprise(network, swapped, most=20, seed=0).perplexity > 2 * told.perplexity


def replace_color(row: Row) -> Row:
    """The row with what was asked for swapped."""
    other = "blue" if row.conditions == ("color red",) else "red"
    return Row(source="copy", conditions=(f"color {other}",), fields=row.fields)


def test_going_on_comes_to_the_same_weights_as_never_stopping(tmp_path: Path) -> None:
    short = replace(RECIPE, passes=2)
    whole, _ = train(lines(), SIZES, tmp_path / "whole", recipe=short)
    _, half = train(
        lines(), SIZES, tmp_path / "parts", recipe=short, go_on=lambda done: done.steps < 5
    )
    assert half.steps == 5
    assert half.share < 1
    parts, done = train(lines(), SIZES, tmp_path / "parts", recipe=short)
    assert done.share == 1
    assert equal(whole, parts)
    other, _ = train(lines(), SIZES, tmp_path / "other", recipe=replace(short, seed=1))
    assert not equal(whole, other)


def test_a_finished_training_gives_its_weights_again(tmp_path: Path) -> None:
    short = replace(RECIPE, passes=1)
    first, done = train(lines(), SIZES, tmp_path, recipe=short)
    again, still = train(lines(), SIZES, tmp_path, recipe=short)
    assert equal(first, again)
    assert (still.share, still.steps) == (1, done.steps)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    short = replace(RECIPE, passes=1)
    train(lines(), SIZES, tmp_path, recipe=short)
    for recipe, sizes in ((replace(short, seed=1), SIZES), (short, replace(SIZES, conditions=9))):
        with pytest.raises(Refused, match="another recipe or other data"):
            train(lines(), sizes, tmp_path, recipe=recipe)


def test_a_recipe_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadInput, match="multiple of heads"):
        Recipe(width=30, heads=4)
    with pytest.raises(BadInput, match="above 0"):
        Recipe(passes=0)


def test_the_command_goes_from_data_to_a_model_with_its_card(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    made_data(data)
    flags = ["--data", str(data), "--out", str(out), "--briefs", "60", "--pieces", "900"]
    flags += ["--width", "32", "--layers", "1", "--passes", "1", "--measure", "10"]
    assert main([*flags, "--minutes", "0"]) == 0
    assert not (out / "model").exists()
    assert main(flags) == 0
    writer = House(out / "model")
    card = (out / "model" / "README.md").read_text(encoding="utf-8")
    assert f"`{writer.network.build.version}`" in card
    assert "Trained** for 100% of 1 passes" in card
    assert "drafts that pass every guard at the first try" in card
    assert (out / "model" / WEIGHTS).stat().st_size < 300_000


def test_the_command_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path), "--out", str(tmp_path), "--briefs", "1"]) == 2
    assert "upworthy" in capsys.readouterr().out


def made_data(folder: Path) -> None:
    """A handful of headlines and product descriptions, as the open data has them."""
    headlines = "article_id,test_id,headline,impressions,clicks\n" + "".join(
        f"{test},{test},How {name} Found A Way Home,1000,{clicks}\n"
        for test in range(60)
        for name, clicks in ((f"Anna {chr(97 + test % 26)}", 30), ("Nobody", 10))
    )
    products = [
        {"name": f"Lamp {at}", "brand": "Fern", "description": "This lamp lights up your desk."}
        for at in range(40)
    ]
    for name, text in ((HEADLINES, headlines), (PROSE, json.dumps(products))):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(gzip.compress(text.encode()))
