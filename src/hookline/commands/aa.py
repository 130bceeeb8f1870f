"""`hookline aa`: the self-test to run before trusting an answer."""

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hookline.errors import BadInput

if TYPE_CHECKING:
    from hookline.types import Experiment

POLICY, LINES, HORIZON = "horizon_thompson", 5, 10_000
"""What is tried where no experiment is named."""
SHARE = 0.1
"""Hold-out and uniform slice then."""


def aa(
    experiment: Annotated[
        str | None, typer.Argument(help="Whose policy, lines, audiences and split are tried.")
    ] = None,
    policy: Annotated[str | None, typer.Option(help="Another policy to try.")] = None,
    lines: Annotated[
        int | None,
        typer.Option(min=2, max=200, help="Without an EXPERIMENT: the control and more."),
    ] = None,
    visitors: Annotated[int | None, typer.Option(help="Of each test; else its horizon.")] = None,
    rate: Annotated[float, typer.Option(help="Clicks, or orders, per visitor.")] = 0.05,
    runs: Annotated[int, typer.Option(help="How many tests.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same tests.")] = 0,
) -> None:
    """Runs simulated A/A tests of identical lines, and says how often a winner is named."""
    from hookline.selftest import Trial, holds, self_test, to_text

    played = _experiment(experiment, policy, lines, visitors)
    trial = Trial(experiment=played, visitors=visitors or played.horizon, rate=rate)
    console = Console()
    columns = (TextColumn("A/A tests"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        task = bars.add_task("", total=runs)
        found = self_test(
            trial,
            runs,
            seed=seed,
            workers=os.cpu_count() or 1,
            progress=lambda done: bars.update(task, completed=done),
        )
    console.print(to_text(found), markup=False, highlight=False, soft_wrap=True)
    if not holds(found):
        sys.exit(1)


def _experiment(
    name: str | None, policy: str | None, lines: int | None, visitors: int | None
) -> "Experiment":
    """The experiment by that name, under another policy if one is named; or a made-up one."""
    from hookline.app import open_app
    from hookline.selftest import example, under
    from hookline.settings import read_settings

    if name is None:
        horizon = visitors or HORIZON
        return example(
            policy or POLICY, lines or LINES, horizon=horizon, holdout=SHARE, uniform=SHARE
        )
    if lines is not None:
        raise BadInput("--lines is for a test without an EXPERIMENT; this one has its own lines")
    with closing(open_app(read_settings())) as hookline:
        found = hookline.live.experiment(name)
    return found if policy is None else under(policy, found)
