"""`hookline tune`: from the log of tests to what a writer can learn from."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from hookline.commands.base import logged_test, opened, say
from hookline.commands.tune_house import house
from hookline.commands.tune_release import adopt, release, rollback, writers
from hookline.commands.tune_train import train
from hookline.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookline.tune import AnyRow, Harvest

Kind = Literal["sft", "pairs", "unpaired"]
Form = Literal["trl", "openai"]

tune = typer.Typer(no_args_is_help=True, help="Has a writer learn from what sold.")
for _command in (house, train, release, adopt, rollback, writers):
    tune.command()(_command)


@tune.command()
def rows(
    experiments: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help="Whose log.")],
    out: Annotated[Path, typer.Option(help="JSON lines; replaced where it is there.")],
    kind: Annotated[
        Kind, typer.Option(help="What won, which of two is better, clicked or not.")
    ] = "pairs",
    form: Annotated[Form, typer.Option("--format", help="For whom.")] = "trl",
    held_out: Annotated[
        Path | None, typer.Option(help="Rows of a tenth of the products go here instead.")
    ] = None,
    brand: Annotated[str, typer.Option(help="Brand kit of the lines, where there are more.")] = "",
    least_chance: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="How sure a row must be.")
    ] = 0.9,
    least_visitors: Annotated[
        float, typer.Option(min=1, help="Fewest effective visitors of a line in a stratum.")
    ] = 100.0,
    least_rows: Annotated[float, typer.Option(min=1, help="Fewest effective rows.")] = 10.0,
    period: Annotated[float, typer.Option(min=0.1, help="Days of a stratum.")] = 28.0,
) -> None:
    """Writes rows to tune a writer with: what the log of some tests proves, and how surely."""
    from hookline.tune import Terms, check_form, harvest
    from hookline.tune import held_out as divided

    check_form(kind, form)
    for file in filter(None, (out, held_out)):
        _check_target(file)
    terms = Terms(
        least_chance=least_chance,
        least_visitors=least_visitors,
        least_rows=least_rows,
        period_days=period,
    )
    with opened() as hookline:
        tests = [logged_test(hookline, name, brand) for name in experiments]
    made = harvest(tests, kind, terms=terms)
    taught, kept = divided(made.rows) if held_out else (made.rows, ())
    _write(out, taught, form)
    if held_out:
        _write(held_out, kept, form)
    _print(made, terms.least_visitors)
    say(f"{len(taught)} rows written to {out}.")
    if held_out:
        say(f"{len(kept)} rows of products that are held out, written to {held_out}.")


def _print(made: "Harvest", least_visitors: float) -> None:
    """The strata, what each gave, and why there is not more."""
    from hookline.tune import effective_rows

    table = Table("stratum", "visitors", "lines", "fewest effective", "rows", "effective rows")
    for stratum in made.strata:
        own = made.of_stratum(stratum.id)
        fewest = min((line.effective for line in stratum.lines), default=None)
        shown = "–" if fewest is None else f"{fewest:,.0f}"
        lines = f"{len(stratum.lines)}" + (f" + {stratum.short} short" if stratum.short else "")
        table.add_row(
            stratum.id,
            f"{stratum.visitors:,}",
            lines,
            shown,
            f"{len(own)}",
            f"{effective_rows(own):.1f}",
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(table)
    say(
        f"{len(made.rows)} rows of kind {made.kind}, worth {made.effective:.1f} of equal weight. A "
        f"line counts in a stratum from {least_visitors:g} effective visitors on."
    )
    for reason, count in made.left_out.items():
        say(f"Left out: {count:,} × {reason}")
    if made.set_aside:
        say(f"Not heard: {made.set_aside:,} visitors who click like machines")


def _check_target(path: Path) -> None:
    """Finds out before the work whether its result can be written."""
    if path.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise BadInput(f"{path} can't be written; give a file in a folder that exists")


def _write(path: Path, found: "Sequence[AnyRow]", form: Form) -> None:
    from hookline.tune import lines

    try:
        with path.open("wb") as file:
            file.writelines(lines(found, form))
    except OSError as error:
        raise BadInput(f"{path} can't be written: {error.strerror}") from None
