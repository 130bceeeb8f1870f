"""`hookline evaluate`: what another policy would have earned, from somebody's log."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from hookline.errors import BadInput

if TYPE_CHECKING:
    from hookline.logs import Evaluation
    from hookline.stats import EveryLook, OneLook

Kind = Literal["bootstrap", "sequence"]


def evaluate(
    log: Annotated[Path, typer.Argument(help="Decisions: CSV, NPZ, JSON or dsjson.")],
    policy: Annotated[
        str, typer.Option(help="uniform, best, or a FILE of probabilities.")
    ] = "uniform",
    form: Annotated[
        str | None, typer.Option("--format", help="Where the file's name doesn't tell.")
    ] = None,
    arms: Annotated[int | None, typer.Option(help="How many, where the log doesn't say.")] = None,
    interval: Annotated[Kind, typer.Option(help="For one look, or for every look.")] = "bootstrap",
    horizon: Annotated[
        int | None, typer.Option(min=1, help="Decisions planned, for a sequence.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same interval.")] = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the whole result here.")
    ] = None,
) -> None:
    """Says what another policy would have earned on a log, its own or someone else's."""
    from hookline import logs

    looks = _looks(interval, horizon, seed)
    read = logs.read_log(log, form, arms)
    found = logs.evaluate(read, logs.choose_target(read, policy), looks)
    _print(found, Console())
    if json_file is not None:
        try:
            json_file.write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")
        except OSError as error:
            raise BadInput(f"{json_file} can't be written: {error.strerror}") from None


def _looks(kind: Kind, horizon: int | None, seed: int) -> "OneLook | EveryLook":
    """How intervals are made."""
    import numpy as np

    from hookline.stats import EveryLook, OneLook

    if kind == "bootstrap":
        if horizon is not None:
            raise BadInput("--horizon is for --interval sequence")
        return OneLook(rng=np.random.default_rng(seed))
    if horizon is None:
        raise BadInput("--interval sequence needs --horizon: decisions planned, set only once")
    return EveryLook(horizon=horizon)


def _print(found: "Evaluation", console: Console) -> None:
    """The policy, the table of estimates, and what was left out."""

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    say(f"Policy: {found.policy}")
    say(f"{found.n:,} decisions among {found.arms} arms; they earned {found.logged:.5g} each.")
    table = Table("estimator", "a decision", "95 % from", "to", "effective rows")
    reasons: dict[str, list[str]] = {}
    for name, value in found.values.items():
        cells = ("–" if n is None else f"{n:.5g}" for n in (value.estimate, value.low, value.high))
        table.add_row(name, *cells, f"{value.effective:,.0f}")
        if value.reason:
            reasons.setdefault(value.reason, []).append(name)
    console.print(table)
    for reason, names in reasons.items():
        say(f"{', '.join(names)}: {reason}")
    for reason, lines in found.skipped.items():
        say(f"Left out: {lines:,} × {reason}")
