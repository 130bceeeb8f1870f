"""`hookline tune train`: rows and a model folder → a tuned model folder."""

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hookline.commands.base import say
from hookline.errors import BadInput

if TYPE_CHECKING:
    from hookline.tune.train import Objectives

Method = Literal["sft", "dpo", "kto", "grpo"]


def train(
    method: Annotated[Method, typer.Argument(help="How it learns.")],
    base: Annotated[Path, typer.Option(help="Hugging Face folder of the model to tune.")],
    out: Annotated[Path, typer.Option(help="Folder; a training that lies there goes on.")],
    rows: Annotated[Path | None, typer.Option(help="What hookline tune rows wrote.")] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="For grpo: rows of any kind, for their prompts.")
    ] = None,
    rewards: Annotated[
        str, typer.Option(help="For grpo: MODULE:FUNCTION that gives Objectives.")
    ] = "",
    held_out: Annotated[
        Path | None, typer.Option(help="Rows to measure on, which slow training down in time.")
    ] = None,
    lora: Annotated[bool, typer.Option("--lora/--full", help="Adapters, or all weights.")] = True,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Otherwise three passes over the rows.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Rows of a step; for grpo, answers.")] = 16,
    at_once: Annotated[int, typer.Option(min=1, help="Rows in memory; changes no result.")] = 4,
    rate: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    beta: Annotated[
        float | None, typer.Option(min=0, help="Weight of the divergence from the base.")
    ] = None,
    room: Annotated[int, typer.Option(min=1, help="For grpo: most tokens of an answer.")] = 256,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same model.")] = 0,
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="Where.")] = "cpu",
) -> None:
    """Tunes a writer's model on rows; killed, the same command goes on where it was."""
    from hookline.tune.train import Recipe, read, train

    given = _asked(method, rows, prompts, rewards)
    recipe = Recipe(
        method=method,
        lora=lora,
        steps=steps,
        batch=batch,
        at_once=at_once,
        rate=rate,
        beta=beta,
        room=room,
        seed=seed,
        device=device,
    )
    lessons = read(given, method)
    say(f"{len(lessons)} rows, {recipe.length(len(lessons))} steps; see {out / 'progress.svg'}.")
    trained = train(
        base,
        lessons,
        out,
        recipe=recipe,
        held_out=read(held_out, method) if held_out else (),
        objectives=_objectives(rewards) if rewards else None,
        tell=say,
    )
    if trained.folder is None:
        say(f"Stopped at step {trained.steps}: {trained.stopped}. No model was written.")
    else:
        say(f"{trained.steps} steps done; set transformers_model to {trained.folder} to write.")


def _asked(method: Method, rows: Path | None, prompts: Path | None, rewards: str) -> Path:
    """The file to learn from; the others must not be given."""
    wanted, other, name = (
        (prompts, rows, "prompts") if method == "grpo" else (rows, prompts, "rows")
    )
    if wanted is None or other is not None:
        raise BadInput(f"{method} learns from --{name} FILE, and from that alone")
    if bool(rewards) != (method == "grpo"):
        raise BadInput("grpo takes --rewards MODULE:FUNCTION, and no other method does")
    return wanted


def _objectives(name: str) -> "Objectives":
    """What the function of that name gives; modules of the working folder are found."""
    from hookline.tune.train import Objectives

    module, _, function = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        made = getattr(import_module(module), function)()
    except (ImportError, AttributeError, ValueError) as error:
        raise BadInput(f"--rewards {name} can't be had: {error}") from error
    if not isinstance(made, Objectives):
        raise BadInput(f"--rewards {name} gives no hookline.tune.train.Objectives")
    return made
