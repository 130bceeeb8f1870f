"""`hookline tune release`, `adopt`, `rollback`, `writers`: which version of a writer writes.

`tune` puts them on the command line. What they change stands in the store, and whoever orders copy
next is served by it, be it from a service that runs.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from hookline.commands.base import (
    BY,
    brand_of,
    has_won,
    interval,
    live_gain,
    logged_test,
    opened,
    say,
)
from hookline.errors import BadInput, Refused

if TYPE_CHECKING:
    from hookline.app import App
    from hookline.settings import Settings
    from hookline.store import Store
    from hookline.tune import LoggedTest
    from hookline.tune.release import Figure, Gate, Task
    from hookline.tune.shadow import Skill
    from hookline.tune.versions import Registry, State, Version
    from hookline.types import Estimate
    from hookline.writers import Writer

Named = Annotated[str, typer.Option("--writer", help="Whose versions, where several have some.")]


def release(
    folder: Annotated[Path, typer.Argument(help="The tuned model.")],
    products: Annotated[int, typer.Option(min=5, help="Most held-out products.")] = 96,
    experiments: Annotated[
        list[str] | None, typer.Option(help="Whose log is asked; all unless told otherwise.")
    ] = None,
    judge: Annotated[
        str, typer.Option(help="Text prior that foretells; that of the settings unless named.")
    ] = "",
    brand: Annotated[str, typer.Option(help="Brand kit to write for, where there are more.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of products, briefs and copy.")] = 1,
) -> None:
    """Compares a tuned writer with the one in use; if it passes, it goes on trial."""
    from hookline.settings import read_settings
    from hookline.tune.versions import check_finished, digest_of, identity, kind_of, registry

    settings, folder = read_settings(), folder.absolute()
    kind = kind_of(folder)
    check_finished(folder)
    digest = digest_of(folder)
    with opened() as hookline:
        registry(hookline.store).check_free(kind)
        new, incumbent = _rivals(hookline, kind, folder, settings)
        if identity(new) == identity(incumbent):
            raise Refused(f"{folder} holds what {kind} writes with already")
        tests = _tests(hookline, experiments, brand)
        tasks = _tasks(hookline, tests, brand, products, seed)
        figures = _compared(new, incumbent, tasks, tests, _gate(settings, judge, seed))
        _refuse_failing(figures)
        if digest_of(folder) != digest:
            raise Refused(f"{folder} was changed meanwhile; release it anew")
        version = _version(kind, folder, digest, (identity(new), identity(incumbent)), figures)
        now = registry(hookline.store).released(version)
        _keep(hookline.store, now, "release writer", version)
    say(
        f"{version.id} is on trial: from now on half of what {kind} is asked for is written with "
        "it. Test the copy, then `hookline tune adopt`."
    )


def adopt(writer: Named = "") -> None:
    """Makes the version on trial the default, if its lines have won."""
    from hookline.tune.versions import registry, version_of

    with opened() as hookline:
        before = registry(hookline.store)
        challenger = _of(before, writer, "challenger")
        gain = live_gain(hookline, version_of, challenger.parent, challenger.id)
        if not has_won(gain):
            raise Refused(
                f"version {challenger.id} has not won yet ({_told(gain)}); go on testing, or roll "
                "it back"
            )
        now = before.adopted(challenger.writer, gain)
        _keep(hookline.store, now, "adopt writer", challenger)
    say(f"{challenger.writer} writes with {challenger.id} from now on ({_told(gain)}).")


def rollback(writer: Named = "") -> None:
    """Takes the version on trial back or, where there is none, the default; at once."""
    from hookline.settings import read_settings
    from hookline.store import open_store
    from hookline.tune.versions import registry

    store = open_store(read_settings().database)
    try:
        before = registry(store)
        name = _of(before, writer, "challenger", "default").writer
        now, gone = before.rolled_back(name)
        _keep(store, now, "roll back writer", gone)
    finally:
        store.close()
    default = now.of(name, "default")
    rest = f"version {default.id}" if default else "what ships, or the settings name"
    say(f"{gone.id} is taken back; {name} writes with {rest} from now on.")


def writers() -> None:
    """Lists the versions of writers, whether they are sound, and how one on trial is doing."""
    from hookline.tune.versions import fault_of, registry, version_of

    with opened() as hookline:
        now = registry(hookline.store)
        table = Table("version", "writer", "state", "released", "gate: promise", "live", "folder")
        for each in now.versions:
            on_trial = each.state == "challenger"
            gain = live_gain(hookline, version_of, each.parent, each.id) if on_trial else each.live
            promised = [one.difference for one in each.figures if one.name == "promise"]
            table.add_row(
                each.id,
                each.writer,
                each.state,
                f"{each.at:%Y-%m-%d}",
                interval(promised[0]) if promised else "–",
                "–" if gain is None else _told(gain),
                each.folder,
            )
        faults = [(each.id, fault_of(each)) for each in now.versions]
    if not now.versions:
        say("No version was released; writers write as they shipped, or as the settings say.")
        return
    _console().print(table)
    for version_id, fault in faults:
        if fault:
            say(f"{version_id} is not used, since {fault}")


def _rivals(
    hookline: "App", kind: str, folder: Path, settings: "Settings"
) -> "tuple[Writer, Writer]":
    """The new writer and the incumbent."""
    from hookline.app import make_writer, open_version, writers_in_use

    new = open_version(kind, folder, settings)
    plain = partial(make_writer, settings=settings)
    try:
        return new, writers_in_use(plain, hookline.store, settings).incumbent(kind)
    except BadInput as error:
        raise BadInput(f"{folder} has no incumbent to be compared with: {error}") from None


def _tests(hookline: "App", names: list[str] | None, brand: str) -> "list[LoggedTest]":
    """The tests whose log is asked: those named, or all whose product is still there."""
    known = {product.id for product in hookline.desk.products()}
    every = [each.id for each in hookline.live.experiments() if each.product_id in known]
    found = [logged_test(hookline, name, brand) for name in names or every]
    if not found:
        raise BadInput(
            "there is no test in the log, so it is not known what to write for; a writer is "
            "released where its copy can be tested"
        )
    return found


def _tasks(
    hookline: "App", tests: "Sequence[LoggedTest]", brand: str, most: int, seed: int
) -> "Sequence[Task]":
    """What to ask both writers, on every channel that was tested."""
    from hookline.channels import channel as channel_named
    from hookline.tune.logged import EVERYBODY
    from hookline.tune.release import tasks_of

    channels = dict.fromkeys(logged.experiment.channel_id for logged in tests)
    return tasks_of(
        hookline.desk.products(),
        channels=[channel_named(name) for name in channels],
        audiences=hookline.desk.audiences() or [EVERYBODY],
        brand=brand_of(hookline, brand),
        most=most,
        seed=seed,
    )


def _gate(settings: "Settings", judge: str, seed: int) -> "Gate":
    """How writers are compared, as the settings have it."""
    from hookline.app import make_promise
    from hookline.diversity import word_vectors
    from hookline.guards import GUARDS, guards_named
    from hookline.perceive.encoders import encoder_named
    from hookline.tune.release import Gate

    promise = make_promise(settings.model_copy(update={"prior": judge}) if judge else settings)
    if promise is None:
        raise BadInput("nothing foretells conversion; name a text prior with --judge")
    plain = settings.encoder in {"", "none"}
    return Gate(
        guards=guards_named(GUARDS),
        promise=promise,
        embed=word_vectors if plain else encoder_named(settings.encoder).encode,
        seed=seed,
    )


def _compared(
    new: "Writer",
    incumbent: "Writer",
    tasks: "Sequence[Task]",
    tests: "Sequence[LoggedTest]",
    gate: "Gate",
) -> "tuple[Figure, ...]":
    """All figures, printed."""
    from dataclasses import replace

    from hookline.tune import Terms
    from hookline.tune.shadow import shadow

    console, at = _console(), datetime.now(UTC)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task("Writing", total=len(tasks))

        def done(_: "Task") -> None:
            bar.advance(line)

        watched = replace(gate, progress=done)
        figures = watched.compare(new, incumbent, tasks, at=at)
        logged, known = shadow(watched, new, incumbent, tests, terms=Terms(), at=at)
    _print((*figures, logged), len(tasks), known)
    return (*figures, logged)


def _print(figures: "Sequence[Figure]", products: int, known: "Skill") -> None:
    """Every measure, and what the log could say."""
    table = Table("measure", "in use", "new", "difference (95 %)", "may lose", "verdict", "what")
    for each in figures:
        means = ("–" if mean is None else f"{mean:.3f}" for mean in (each.incumbent, each.new))
        told = "–" if each.difference.low is None else interval(each.difference)
        margin = f"{each.margin:g}" if each.margin else "nothing"
        table.add_row(each.name, *means, told, margin, each.verdict, each.says)
    _console().print(table)
    say(f"On {products} held-out products, a slate of 8 each.")
    if known.reason:
        say(f"The log is not counted: {known.reason}.")
    else:
        say(
            f"The predictor orders {known.right.estimate or 0:.0%} of tested pairs as the log "
            f"does (95 %: {known.right.low or 0:.0%} to {known.right.high or 0:.0%}; "
            f"{known.effective:.0f} effective pairs)."
        )
    say("Nobody has seen the new lines yet: whether they sell, tests will tell.")


def _refuse_failing(figures: "Sequence[Figure]") -> None:
    """Raises `Refused` where a figure stands against the release."""
    failing = [f"{each.name} ({each.verdict})" for each in figures if each.fails]
    if failing:
        unsure = any(each.verdict == "not shown" for each in figures)
        hint = ". What is not shown, more --products may show" if unsure else ""
        raise Refused(f"not released, since of {', '.join(failing)}{hint}; nothing has changed")


def _version(
    kind: str,
    folder: Path,
    digest: str,
    ids: tuple[str, str],
    figures: "tuple[Figure, ...]",
) -> "Version":
    """The record of a release."""
    from hookline.tune.versions import Version

    own, parent = ids
    return Version(
        id=own,
        writer=kind,
        folder=str(folder),
        digest=digest,
        parent=parent,
        at=datetime.now(UTC),
        figures=figures,
    )


def _of(now: "Registry", writer: str, *states: "State") -> "Version":
    """The version in the first of these states, of the writer named or of the only one that has."""
    found = {
        version.writer: version
        for state in reversed(states)
        for version in now.versions
        if version.state == state and writer in {"", version.writer}
    }
    if not found:
        whose = f" of {writer}" if writer else ""
        raise Refused(f"no version{whose} is {' or '.join(states)}; see `hookline tune writers`")
    if len(found) > 1:
        raise BadInput(f"say with --writer whose version: {', '.join(sorted(found))}")
    return next(iter(found.values()))


def _keep(store: "Store", now: "Registry", verb: str, version: "Version") -> None:
    from hookline.tune.versions import keep
    from hookline.types import Action

    action = Action(
        verb=verb, subject=version.id, by=BY, note=f"{version.writer}, {version.folder}"
    )
    keep(store, now, action, at=datetime.now(UTC))


def _told(gain: "Estimate") -> str:
    return gain.reason if gain.estimate is None else f"{interval(gain, '%')}, {gain.n} lines"


def _console() -> Console:
    """Where tables go: as wide as a terminal, or wide enough for all."""
    console = Console()
    return console if console.is_terminal else Console(width=160)
