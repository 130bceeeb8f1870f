"""Trains the house model and writes its folder with its card; goes on where it was stopped.

    python -m hookline.house --data ../shared/data --out DIR [--minutes 60] [--passes 4]

What is in DIR already is used again: rows.msgpack and vocabulary.json, the checkpoint. With
`--minutes` it stops after so long; the same command goes on from there. When all passes are done,
or with `--finish`, the model is written to DIR/model, measured, and its card written.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from hookline.catalog import read_feed
from hookline.errors import HooklineError
from hookline.house.batches import line_of, vocabulary
from hookline.house.card import card
from hookline.house.evaluate import surprise, worth
from hookline.house.export import export
from hookline.house.pairs import pairs, read_catalogs
from hookline.house.pieces import Pieces
from hookline.house.rows import Row, copy_words, is_held_out, load_rows, save_rows
from hookline.house.texts import PROSE, sentences, stories
from hookline.house.train import Progress as Done
from hookline.house.train import Recipe, Sizes, Weights, train
from hookline.prior.export import require
from hookline.writers.house import House
from hookline.writers.house.asked import LANGUAGES
from hookline.writers.house.network import Network

ROWS, VOCABULARY, MODEL = "rows.msgpack", "vocabulary.json", "model"
ENGLISH: Final = 3
"""Times as many briefs in English as in each other language."""


class Vocabulary(msgspec.Struct, frozen=True):
    """What texts are made of and what can be asked for."""

    pieces: tuple[str, ...]
    conditions: tuple[str, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Trains, measures and writes; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m hookline.house",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the open data")
    parser.add_argument("--out", type=Path, required=True, help="folder to work in")
    parser.add_argument("--minutes", type=float, default=60.0, help="most minutes to train (60)")
    parser.add_argument("--passes", type=float, default=4.0, help="times each text is seen (4)")
    parser.add_argument("--briefs", type=int, default=22_000, help="briefs a language (22000)")
    parser.add_argument("--pieces", type=int, default=6144, help="size of the vocabulary (6144)")
    parser.add_argument("--width", type=int, default=256, help="size of a vector (256)")
    parser.add_argument("--layers", type=int, default=6, help="layers (6)")
    parser.add_argument("--batch", type=int, default=1024, help="pieces a step (1024)")
    parser.add_argument("--threads", type=int, default=1, help="threads (1)")
    parser.add_argument("--device", default="", help="cpu or cuda; cuda where there is one")
    parser.add_argument("--measure", type=int, default=1000, help="briefs to measure on (1000)")
    parser.add_argument("--seed", type=int, default=0, help="seed of every draw (0)")
    parser.add_argument("--finish", action="store_true", help="train no further")
    options = parser.parse_args(argv)
    console = Console()
    try:
        return _run(options, console)
    except HooklineError as error:
        console.print(f"[red]{error}[/]")
        return 2


def _run(options: argparse.Namespace, console: Console) -> int:
    rows = _rows(options, console)
    words = _vocabulary(options, rows)
    recipe = Recipe(
        width=options.width,
        layers=options.layers,
        passes=options.passes,
        batch=options.batch,
        seed=options.seed,
    )
    weights, done = _trained(options, rows, words, recipe, console)
    console.print(f"{done.share:.0%} of the training done, {done.seen:,} pieces learned from")
    if done.share < 1 and not options.finish:
        return 0
    folder: Path = options.out / MODEL
    export(
        weights,
        folder,
        recipe=recipe,
        pieces=words.pieces,
        conditions=words.conditions,
        words=copy_words(rows),
    )
    _measured(options, rows, folder, recipe, done, console)
    return 0


def _rows(options: argparse.Namespace, console: Console) -> list[Row]:
    """The rows, made once."""
    path: Path = options.out / ROWS
    if path.exists():
        return load_rows(path.read_bytes())
    options.out.mkdir(parents=True, exist_ok=True)
    catalogs = read_catalogs(options.data)
    rows: dict[tuple[object, ...], Row] = {}
    for language in LANGUAGES:
        count = options.briefs * (ENGLISH if language == "en" else 1)
        for row in pairs(catalogs, count, language=language, seed=options.seed):
            rows.setdefault((row.conditions, *(spot.text for spot in row.fields)), row)
        console.print(f"{len(rows):,} pairs, {language} done")
    texts = [*stories(options.data), *sentences(read_feed(options.data / PROSE).products)]
    path.write_bytes(save_rows([*rows.values(), *texts]))
    return load_rows(path.read_bytes())


def _vocabulary(options: argparse.Namespace, rows: Sequence[Row]) -> Vocabulary:
    """The vocabulary, made once."""
    path: Path = options.out / VOCABULARY
    if not path.exists():
        pieces = Pieces.found((spot.text for row in rows for spot in row.fields), options.pieces)
        made = Vocabulary(pieces.texts, tuple(vocabulary(rows)))
        path.write_bytes(msgspec.json.encode(made))
    return msgspec.json.decode(path.read_bytes(), type=Vocabulary)


def _trained(
    options: argparse.Namespace,
    rows: Sequence[Row],
    words: Vocabulary,
    recipe: Recipe,
    console: Console,
) -> tuple[Weights, Done]:
    """The weights, trained for the minutes given, and how far that came."""
    torch = require("torch")
    torch.set_num_threads(options.threads)
    pieces, ids = Pieces(words.pieces), {name: at for at, name in enumerate(words.conditions)}
    learned = (row for row in rows if not row.held_out)
    lines = [line for row in learned if (line := line_of(row, pieces, ids, recipe.places))]
    end = time.monotonic() + 60 * (0 if options.finish else options.minutes)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("training", total=1.0)

        def go_on(done: Done) -> bool:
            bar.update(task, completed=done.share, description=f"{done.loss:.3f} nats a piece")
            if done.steps % 100 == 0 and not console.is_terminal:
                console.print(
                    f"{done.share:.1%}, {done.seen:,} pieces, {done.loss:.3f} nats a piece"
                )
            return time.monotonic() < end

        return train(
            lines,
            Sizes(len(words.pieces), len(words.conditions)),
            options.out,
            recipe=recipe,
            device=options.device or ("cuda" if torch.cuda.is_available() else "cpu"),
            go_on=go_on,
        )


def _measured(
    options: argparse.Namespace,
    rows: Sequence[Row],
    folder: Path,
    recipe: Recipe,
    done: Done,
    console: Console,
) -> None:
    """Measures the model and writes its card."""
    console.print("measuring")
    network = Network.load(folder)
    surprises = {
        source: surprise(
            network,
            [row for row in rows if row.held_out and row.source == source],
            most=600,
            seed=options.seed,
        )
        for source in ("copy", "story", "catalog")
    }
    products = [p for shop in read_catalogs(options.data) for p in shop if is_held_out(p.id)]
    learned = [row for row in rows if not row.held_out]
    found = worth(House(folder), products, learned, briefs=options.measure, seed=options.seed)
    text = card(network, rows, surprises, found, recipe=recipe, done=done)
    (folder / "README.md").write_text(text, encoding="utf-8")
    console.print(text, markup=False)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
