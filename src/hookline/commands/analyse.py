"""`hookline analyse`: what a log too long for memory says; `hookline export`: writes such a log."""

import json
import os
import shlex
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from hookline.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookline.types import Outcome


def analyse(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Parquet, CSV or JSON lines; patterns.")
    ],
    control: Annotated[str, typer.Option(help="The control's arm; else the one so named.")] = "",
    column: Annotated[
        list[str] | None, typer.Option(help="role=column, where it has another name.")
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="A further column of numbers to analyse.")
    ] = None,
    where: Annotated[str, typer.Option(help="SQL condition on the rows to read.")] = "",
    horizon: Annotated[
        int, typer.Option(min=1, help="Decisions planned; set before the first look.")
    ] = 10_000,
    holdout: Annotated[float, typer.Option(help="Share always shown the control.")] = 0.0,
    uniform: Annotated[float, typer.Option(help="Share shown every arm as often.")] = 0.0,
    sort: Annotated[bool, typer.Option("--sort", help="Put rows in order of time.")] = False,
    memory: Annotated[str, typer.Option(help="Most memory for DuckDB.")] = "1GB",
    threads: Annotated[int, typer.Option(min=1, help="Threads to read with.")] = 2,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the whole result here.")
    ] = None,
) -> None:
    """Analyses a long log of decisions and outcomes, in bounded memory; right at every look."""
    from hookline import bulk
    from hookline.types import as_json

    if json_file is not None and not os.access(json_file.absolute().parent, os.W_OK):
        raise BadInput(f"{json_file} can't be written; give --json a file in a folder that exists")
    question = bulk.Question(
        control=control,
        columns=_columns(column),
        numbers=tuple(metric or ()),
        where=where,
        horizon=horizon,
        holdout=holdout,
        uniform=uniform,
        sort=sort,
    )
    console = Console()
    columns = (TextColumn("{task.completed:,} rows"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("", total=None)
        found = bulk.analyse_log(
            paths,
            question,
            bulk.Resources(memory=memory, threads=threads),
            progress=lambda rows: bars.update(task, completed=rows),
        )
    width = console.width if console.is_terminal else 120
    console.print(bulk.to_text(found, width=width), markup=False, highlight=False, soft_wrap=True)
    if json_file is not None:
        _write(json_file, json.dumps(as_json(found), indent=1).encode())


def export(
    experiment: Annotated[str, typer.Argument(help="Whose decisions.")],
    file: Annotated[Path, typer.Argument(help="JSON lines; replaced where it is there.")],
) -> None:
    """Writes an experiment's decisions and what came of them, one line of JSON each."""
    from hookline import bulk
    from hookline.app import open_app
    from hookline.settings import read_settings

    with closing(open_app(read_settings())) as hookline:
        found = hookline.live.experiment(experiment)
        newest_first = hookline.live.latest_outcomes(experiment, sys.maxsize)
    try:
        with file.open("wb") as lines:
            lines.writelines(bulk.decision_lines(found, reversed(newest_first)))
    except OSError as error:
        raise BadInput(f"{file} can't be written: {error.strerror}") from None
    command = (
        *("hookline", "analyse", str(file), "--control", found.control.id),
        *("--horizon", str(found.horizon)),
        *("--holdout", str(found.holdout), "--uniform", str(found.uniform)),
        # a line shipped to all is nobody's choice, so its shares fit no slices
        *(("--where", "slice <> 'shipped'") if _shipped(newest_first) else ()),
    )
    said = f"{len(newest_first):,} decisions written. To analyse them:\n{shlex.join(command)}"
    Console().print(said, markup=False, highlight=False, soft_wrap=True)


def _shipped(outcomes: "Sequence[Outcome]") -> bool:
    return any(outcome.decision.slice == "shipped" for outcome in outcomes)


def _columns(given: list[str] | None) -> "Mapping[str, str]":
    """Role → column, of `role=column`."""
    pairs = dict[str, str]()
    for text in given or []:
        role, separator, name = text.partition("=")
        if not separator or not role or not name:
            raise BadInput(f"--column takes role=column, not {text!r}")
        pairs[role] = name
    return pairs


def _write(path: Path, body: bytes) -> None:
    try:
        path.write_bytes(body)
    except OSError as error:
        raise BadInput(f"{path} can't be written: {error.strerror}") from None
