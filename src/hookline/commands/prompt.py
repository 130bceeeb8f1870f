"""`hookline prompt`: a better prompt is proposed, tried beside the usual one, and adopted or not.

What it changes are files in the folder of the setting `prompts`; writers read them at start.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hookline.commands.base import has_won, interval, live_gain, opened, say
from hookline.errors import BadInput, Refused

if TYPE_CHECKING:
    from hookline.app import App
    from hookline.prompts.versions import Roles
    from hookline.reflect import Proposal
    from hookline.settings import Settings
    from hookline.types import Brief, Estimate

SHIPPED = "the one that ships"

prompt = typer.Typer(
    no_args_is_help=True,
    help="Proposes a new version of the writers' prompt, compares it in tests, adopts or drops it.",
)


@prompt.command()
def propose(
    brand: Annotated[str, typer.Argument(help="Brand kit to write for.")],
    channel: Annotated[str, typer.Option(help="Channel to write for.")] = "onsite_banner",
    products: Annotated[int, typer.Option(min=6, help="Products to learn from.")] = 24,
    drafts: Annotated[int, typer.Option(min=1, max=8, help="Drafts of each.")] = 2,
    calls: Annotated[int, typer.Option(min=1, help="Most briefs written for.")] = 150,
    seed: Annotated[int, typer.Option(help="Of the choice of products.")] = 1,
) -> None:
    """Has the openai writer's model improve its prompt; a better one goes on trial."""
    from hookline.prompts.versions import Roles, in_use, keep, roles, set_roles
    from hookline.settings import read_settings

    settings = read_settings()
    folder = _folder(settings)
    now = roles(folder)
    if now.on_trial:
        raise Refused(f"prompt {now.on_trial} is on trial; adopt or drop it first")
    usual = in_use(folder)[0]
    with opened() as hookline:
        briefs = _briefs(hookline, brand, channel, products, seed)
    found, cost = _search(settings, briefs, drafts=drafts, calls=calls, seed=seed)
    for name, (before, after) in found.marks.items():
        say(f"{name:<8} {before:.3f} → {after:.3f}")
    say(f"score on {found.gain.n} products held out: {interval(found.gain)}; {cost:.4f} USD")
    if not found.is_new:
        say("No better version was found; nothing has changed.")
        return
    card = {
        "grew_from": usual.version,
        "at": datetime.now(UTC),
        "marks": found.marks,
        "gain": found.gain,
        "model": settings.openai_model,
        "cost_usd": cost,
    }
    file = keep(folder, found.prompt, card)
    set_roles(folder, Roles(usual=now.usual, on_trial=found.prompt.version))
    say(
        f"{file} is on trial: from the next start on, half of what is ordered is written with it. "
        "Test the copy, then `hookline prompt compare`."
    )


@prompt.command()
def compare() -> None:
    """Prints how lines of the version on trial did beside those of the usual one."""
    now, gain = _trial()
    usual, verdict = now.usual or SHIPPED, "it has won" if has_won(gain) else "it has not won"
    if gain.estimate is None:
        say(f"{now.on_trial} against {usual}: nothing is known, since {gain.reason}.")
    else:
        say(f"{now.on_trial} against {usual}: {interval(gain, '%')}, {gain.n} lines; {verdict}.")


@prompt.command()
def adopt() -> None:
    """Makes the version on trial the usual one, if its lines have won."""
    from hookline.prompts.versions import Roles, set_roles
    from hookline.settings import read_settings

    now, gain = _trial()
    if not has_won(gain):
        known = gain.reason if gain.estimate is None else interval(gain, "%")
        raise Refused(f"prompt {now.on_trial} has not won yet ({known}); go on testing, or drop it")
    set_roles(_folder(read_settings()), Roles(usual=now.on_trial))
    say(f"{now.on_trial} is written with from the next start on ({interval(gain, '%')}).")


@prompt.command()
def drop() -> None:
    """Ends the trial; the usual version goes on, and the file of the other one stays."""
    from hookline.prompts.versions import Roles, roles, set_roles
    from hookline.settings import read_settings

    folder = _folder(read_settings())
    now = roles(folder)
    if not now.on_trial:
        raise Refused("no prompt is on trial")
    set_roles(folder, Roles(usual=now.usual))
    say(f"{now.on_trial} is dropped from the next start on; {now.usual or SHIPPED} goes on.")


def _folder(settings: "Settings") -> Path:
    if not settings.prompts:
        raise BadInput("name a folder for prompt versions in the setting prompts")
    return Path(settings.prompts)


def _briefs(hookline: "App", brand: str, channel: str, products: int, seed: int) -> "list[Brief]":
    """A brief for each of some products, audiences in turn, as an order would have it."""
    from hookline.types import content_hash
    from hookline.wire import CopyOrder

    audiences = [audience.id for audience in hookline.desk.audiences()]
    if not audiences:
        raise BadInput("there is no audience to write for; add one first")
    chosen = sorted(hookline.desk.products(), key=lambda each: content_hash(seed, each.id))
    return [
        brief
        for place, product in enumerate(chosen[:products])
        for brief in hookline.desk.briefs(
            CopyOrder(
                product_id=product.id,
                channels=[channel],
                audiences=[audiences[place % len(audiences)]],
                brand=brand,
                writer="openai",
                variants=1,
                seed=seed,
            )
        )
    ]


def _search(
    settings: "Settings",
    briefs: "list[Brief]",
    *,
    drafts: int,
    calls: int,
    seed: int,
) -> "tuple[Proposal, float]":
    """What reflection finds, and what it cost in US dollars."""
    from hookline import reflect
    from hookline.app import make_openai, make_promise
    from hookline.guards import GUARDS, guards_named

    writer = make_openai(settings)
    exam = reflect.Exam(
        write=writer.write_with,
        guards=guards_named(GUARDS),
        promise=make_promise(settings),
        drafts=drafts,
        seed=seed,
    )
    found = reflect.propose(writer.prompts[0], exam, writer.ask, briefs, calls=calls, seed=seed)
    return found, writer.spent_usd


def _trial() -> "tuple[Roles, Estimate]":
    """Who is on trial, and what all tests so far say of it."""
    from hookline.prompts.versions import in_use, roles
    from hookline.settings import read_settings
    from hookline.tune.versions import prompt_of

    folder = _folder(read_settings())
    versions = in_use(folder)
    if len(versions) == 1:
        raise Refused("no prompt is on trial; `hookline prompt propose` looks for one")
    usual, on_trial = (each.version for each in versions)
    with opened() as hookline:
        return roles(folder), live_gain(hookline, prompt_of, usual, on_trial)
