"""`hookline tune house`: the log of some tests → a house model that writes what sells."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from hookline.commands.base import brand_of, logged_test, opened, say

if TYPE_CHECKING:
    from hookline.app import App
    from hookline.tune import LoggedTest
    from hookline.tune.house import Progress
    from hookline.types import Brief

_GLADDEST: Final = 0.75
"""Feelings that are asked for lie from even to here."""


def house(
    experiments: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help="Whose log.")],
    out: Annotated[Path, typer.Option(help="Folder; a tuning that lies there goes on.")],
    base: Annotated[
        Path | None, typer.Option(help="House model to begin from; the one that ships if none.")
    ] = None,
    brand: Annotated[str, typer.Option(help="Brand kit of the lines, where there are more.")] = "",
    method: Annotated[
        Literal["dpo", "kto", "sft", "grpo"], typer.Option(help="How it learns from its draws.")
    ] = "dpo",
    rounds: Annotated[int, typer.Option(min=1, help="Times that copies are drawn.")] = 2,
    steps: Annotated[int, typer.Option(min=1, help="The same for grpo, which draws less.")] = 60,
    briefs: Annotated[int, typer.Option(min=8, help="Briefs that are drawn for.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same model.")] = 0,
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="Where.")] = "cpu",
) -> None:
    """Tunes the house model for what sold, and for calls, feelings and variety as asked."""
    from hookline.perceive.encoders import encoder_named
    from hookline.tune.house import Ranking, Rewarding
    from hookline.tune.house.pursued import pursue
    from hookline.tune.reward import lessons_of, split
    from hookline.writers.house import DEFAULT

    encoder = encoder_named("static")
    with opened() as hookline:
        tests = [logged_test(hookline, name, brand) for name in experiments]
        asked = _briefs(hookline, tests, brand, briefs, seed)
    lessons = lessons_of(tests)
    recipe = (
        Rewarding(steps=steps, seed=seed)
        if method == "grpo"
        else Ranking(rounds=rounds, briefs=briefs, method=method, seed=seed)
    )
    models = split(lessons, encoder, seed=seed)
    say(f"{len(lessons)} lines of {len(tests)} tests; see {out / 'progress.svg'}.")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console()) as bar:
        task = bar.add_task("tuning", total=1.0)

        def tell(done: "Progress") -> None:
            bar.update(task, completed=done.share)

        made = pursue(
            asked,
            models,
            out,
            encoder=encoder,
            base=base or DEFAULT,
            recipe=recipe,
            device=device,
            tell=tell,
        )
    if made.why:
        say(f"Stopped after {made.steps}: {made.why} It can't be released.")
    else:
        say(f"Done: hookline tune release {made.folder}")


def _briefs(
    hookline: "App", tests: "Sequence[LoggedTest]", brand: str, count: int, seed: int
) -> "list[Brief]":
    """Briefs like those of the tests, about products that are not held out."""
    from hookline.attributes.design import design
    from hookline.brief import make_brief
    from hookline.channels import channel
    from hookline.tune.export import is_held_out
    from hookline.tune.logged import EVERYBODY

    rng = Random(seed)
    kit = brand_of(hookline, brand)
    audiences = hookline.desk.audiences() or [EVERYBODY]
    channels = sorted({logged.experiment.channel_id for logged in tests})
    known = [
        product
        for product in hookline.desk.products()
        if not is_held_out(product.group_id or product.id)
    ] or [logged.product for logged in tests]
    cells = {audience.id: design(audience, 24, seed) for audience in audiences}
    found: list[Brief] = []
    for _ in range(count):
        audience = rng.choice(audiences)
        found.append(
            make_brief(
                product=rng.choice(known),
                audience=audience,
                channel=channel(rng.choice(channels)),
                brand=kit,
                attributes=rng.choice(cells[audience.id]),
                sentiment=round(rng.uniform(0, _GLADDEST), 2) if rng.random() < 0.5 else None,
            )
        )
    return found
