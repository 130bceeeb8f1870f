"""The `hookline` command. Thin: it reads arguments, calls the library, prints the answer.

A mistake of the user's is one line on stderr and exit code 2.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from typer.exceptions import Abort, TyperException

from hookline.commands.aa import aa
from hookline.commands.analyse import analyse, export
from hookline.commands.base import BY, Url, opened, reach, say, steer
from hookline.commands.evaluate import evaluate
from hookline.commands.prompt import prompt
from hookline.commands.rule import rule, ship, unship
from hookline.commands.tune import tune
from hookline.errors import BadInput, HooklineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookline.prior import TextPrior
    from hookline.types import Copy, Experiment, RejectedRow

# Everything heavy is imported where it is used, so that `hookline --help` answers at once.

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Writes marketing copy, shows each visitor the copy most likely to win them, and learns.",
)
out = Console()

PriceUnit = Literal["units", "cents"]
Truth = Literal["shrunken", "observed"]


def main() -> None:
    """Runs the command; the user's mistakes end in one line and exit code 2."""
    # Matrices here are small: a second thread makes BLAS slower, and sums in another order.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        sys.exit(app(standalone_mode=False))
    except HooklineError as error:
        _complain(str(error))
    except TyperException as error:
        _complain(error.format_message())
    except (KeyboardInterrupt, Abort):
        sys.exit(130)


def _complain(message: str) -> NoReturn:
    Console(stderr=True).print(f"hookline: {message}", style="red", markup=False, soft_wrap=True)
    sys.exit(2)


@app.command()
def demo(
    catalog: Annotated[Path | None, typer.Option(help="A product feed of your own.")] = None,
    price_unit: Annotated[PriceUnit, typer.Option(help="What the feed's prices count.")] = "units",
    currency: Annotated[str, typer.Option(help="Where the feed names none.")] = "USD",
    writer: Annotated[str, typer.Option(help="Who writes the copy.")] = "phrasebook",
    policy: Annotated[str, typer.Option(help="Who shares out the traffic.")] = "actor_critic",
    seed: Annotated[int, typer.Option(help="The same seed gives the same decisions.")] = 1,
    products: Annotated[int, typer.Option(min=1, max=50, help="Products to advertise.")] = 6,
    visits: Annotated[int, typer.Option(min=1, help="Simulated visits.")] = 60_000,
    port: Annotated[int, typer.Option(help="Port of the service.")] = 8000,
    database: Annotated[Path, typer.Option(help="Replaced by every demo.")] = Path("var/demo.db"),
    once: Annotated[bool, typer.Option("--once", help="Stop after the summary.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the whole result here.")
    ] = None,
) -> None:
    """Runs the whole loop with simulated shoppers, and keeps the result open in the browser."""
    from hookline import demo as loop
    from hookline.report import to_json, to_text

    plan = loop.Plan(
        catalog=catalog,
        currency=currency,
        price_unit=price_unit,
        writer=writer,
        policy=policy,
        seed=seed,
        products=products,
        visits=visits,
    )
    loop.check(plan)
    _check_target(json_file)
    signal.signal(signal.SIGTERM, _stop)  # so that the service ends with us
    with loop.service(port=port, database=database, writer=writer) as address:
        out.print(f"Hookline is at {address}; watch it learn there.")
        with _bars() as step:
            result = loop.run(plan, address, loop.Progress(step=step))
        say(to_text(result.report, width=_width(), arms=False))
        say(loop.summary(result))
        if json_file is not None:
            _write_json(json_file, {**to_json(result.report), **loop.as_json(result)})
        if not once:
            out.print(f"\nThe result is at {address} until you press Ctrl-C.")
            _wait()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Log warnings only.")] = False,
) -> None:
    """Serves the API and the web pages until Ctrl-C."""
    import uvicorn

    from hookline.app import open_app
    from hookline.service import make_service
    from hookline.service.address import check_free
    from hookline.settings import read_settings

    given = {"host": host, "port": port}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    check_free(settings.host, settings.port)
    level = "warning" if quiet else "info"
    service = make_service(open_app(settings))
    uvicorn.run(service, host=settings.host, port=settings.port, log_level=level, access_log=False)


@app.command("import")
def import_feed(
    file: Path,
    currency: Annotated[str, typer.Option(help="Where the feed names none.")] = "USD",
    price_unit: Annotated[PriceUnit, typer.Option(help="What the feed's prices count.")] = "units",
    map_: Annotated[
        list[str] | None, typer.Option("--map", help="column=field, where the guess is wrong.")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="The feed is all the shop sells.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, but store nothing.")] = False,
    most: Annotated[int, typer.Option(help="Most rejections and notes to list.")] = 20,
    url: Url = "",
) -> None:
    """Imports a product feed, all of it or nothing, and says what it did with every row."""
    from hookline.catalog import read_feed
    from hookline.wire import column_field

    mapping = dict(map(column_field, map_ or ()))
    now = datetime.now(UTC)
    feed = read_feed(
        file, mapping=mapping or None, currency=currency, price_unit=price_unit, at=now
    )
    table = Table("in the feed", "here", title=f"{file.name}: {feed.format}", title_justify="left")
    for column, name in feed.mapping.items():
        table.add_row(column, name)
    out.print(table)
    held: Sequence[Copy] = ()
    if not dry_run:
        held, _ = reach(
            url,
            lambda client: (
                client.import_catalog(
                    file.name,
                    file.read_bytes(),
                    currency=currency,
                    price_unit=price_unit,
                    mapping=mapping,
                    whole=whole,
                    by=BY,
                ).quarantined
            ),
            lambda hookline: hookline.import_catalog(feed, at=now, by=BY, whole=whole),
            timeout_s=600.0,
        )
    for title, rows in (("rejected", feed.rejected), ("note on", feed.notes)):
        for row in rows[:most]:
            say(f"{title} row {row.row}: {row.reason}")
        if len(rows) > most:
            out.print(f"… and {len(rows) - most} more; --most {len(rows)} lists them all")
    merged = f", {feed.merged} rows merged into them as variants" if feed.merged else ""
    verb = "would be imported" if dry_run else "imported"
    say(f"{len(feed.products)} products {verb}{merged}, {len(feed.rejected)} rows rejected.")
    _say_held(held, most)


def _say_held(copies: "Sequence[Copy]", most: int) -> None:
    """Prints which copy a feed made untrue."""
    if not copies:
        return
    say(
        f"{len(copies)} copies quote what the feed no longer says. Nobody is shown them until you "
        "release them on the page /copy?status=quarantined:"
    )
    for copy in copies[:most]:
        say(f"  {copy.product_id}, {copy.channel_id}: “{copy.text}”. {copy.note}")
    if len(copies) > most:
        out.print(f"… and {len(copies) - most} more")


@app.command()
def report(
    json_file: Annotated[Path | None, typer.Option("--json", help="Write JSON here.")] = None,
) -> None:
    """Prints what every experiment has come to."""
    _check_target(json_file)
    from hookline.report import to_json, to_text

    with opened() as hookline:
        made = hookline.live.report(at=datetime.now(UTC))
    say(to_text(made, width=_width()))
    if json_file is not None:
        _write_json(json_file, to_json(made))


@app.command()
def calibration(experiment: Annotated[str, typer.Option(help="Only this one.")] = "") -> None:
    """Prints how right the critic's forecasts were, each made before its outcome was known."""
    from hookline.report.calibration import calibrate_all, to_text

    with opened() as hookline:
        live = hookline.live
        chosen = [live.experiment(experiment)] if experiment else live.experiments()
        say(to_text(calibrate_all(chosen, live.latest_outcomes), width=_width()))


@app.command()
def explain(decision: str) -> None:
    """Prints one decision's whole trace, from catalog fact to money."""
    from hookline.explain import to_text

    with opened() as hookline:
        say(to_text(hookline.live.explain(decision)))


@app.command()
def replay() -> None:
    """Rebuilds the last snapshot from the log; exit code 1 if it differs from the live one."""
    with opened() as hookline:
        done = hookline.live.replay()
    out.print(f"{done.rows} log rows replayed.")
    out.print(f"live     {done.live.version}")
    out.print(f"rebuilt  {done.rebuilt.version}")
    out.print(
        "The same, bit for bit." if done.same else "They differ: the log or the code changed."
    )
    if not done.same:
        sys.exit(1)


@app.command()
def candidate(
    experiment: str,
    policy: Annotated[str | None, typer.Argument(help="The policy to try.")] = None,
    share: Annotated[
        float | None, typer.Option(help="Share of the policy's traffic, 0 (only watch) to .5.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(help="name=number, a parameter of the policy.")
    ] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Let the candidate go.")] = False,
    url: Url = "",
) -> None:
    """Tries a policy beside an experiment's own; without a policy, compares the two."""
    from hookline.candidate import to_text
    from hookline.wire import NewCandidate

    if policy is None and (share is not None or param):
        raise BadInput("--share and --param need the POLICY they are for")
    if policy is not None and drop:
        raise BadInput("--drop takes no POLICY: an experiment has one candidate")
    if drop:
        changed, where = steer(
            url,
            lambda client: client.drop_candidate(experiment, by=BY),
            lambda live: live.drop_candidate(experiment, at=datetime.now(UTC), by=BY),
        )
        say(f"{_policies(changed)} ({where})")
    elif policy is not None:
        asked = NewCandidate(policy=policy, params=_numbers(param), share=share or 0.0, by=BY)
        changed, where = steer(
            url,
            lambda client: client.try_candidate(experiment, asked),
            lambda live: live.try_candidate(
                experiment, policy, asked.params, asked.share, at=datetime.now(UTC), by=BY
            ),
        )
        say(f"{_policies(changed)} ({where})")
    else:
        found, where = steer(
            url,
            lambda client: client.compare_candidate(experiment),
            lambda live: live.compare_candidate(experiment),
        )
        say(f"{to_text(found)}\n({where})")


@app.command()
def promote(experiment: str, url: Url = "") -> None:
    """Has an experiment's candidate decide; the former policy learns on, ready for a rollback."""
    changed, where = steer(
        url,
        lambda client: client.promote(experiment, by=BY),
        lambda live: live.promote(experiment, at=datetime.now(UTC), by=BY),
    )
    say(f"{_policies(changed)} ({where})")


@app.command()
def rollback(experiment: str, url: Url = "") -> None:
    """Takes all traffic back at once: from what was promoted, or from a canary."""
    changed, where = steer(
        url,
        lambda client: client.rollback(experiment, by=BY),
        lambda live: live.rollback(experiment, at=datetime.now(UTC), by=BY),
    )
    say(f"{_policies(changed)} ({where})")


@app.command()
def forget(visitor: str, url: Url = "") -> None:
    """Erases what policies remember of one visitor; the log itself keeps the visitor's rows."""
    done, where = steer(
        url,
        lambda client: client.forget(visitor, by=BY),
        lambda live: live.forget(visitor, at=datetime.now(UTC), by=BY),
    )
    say(
        f"No policy remembers {done.visitor_id} any more ({where}).\nThe log itself still has "
        f"{done.kept_rows} rows about this visitor, and one that says so: it is never rewritten."
    )


@app.command()
def backtest(
    file: Annotated[Path, typer.Argument(help="Past A/B tests: CSV, maybe gzipped.")],
    budgets: Annotated[str, typer.Option(help="Impressions per line, with commas.")] = (
        "50,200,1000"
    ),
    seeds: Annotated[int, typer.Option(help="Runs of every policy on every test.")] = 5,
    truth: Annotated[Truth, typer.Option(help="What simulated clicks come from.")] = "shrunken",
    lines: Annotated[
        int, typer.Option(help="Most lines; of more, whole tests are drawn at random.")
    ] = 40_000,
    prior: Annotated[Path | None, typer.Option(help="A text prior of your own.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Leave out the prior's encoder.")] = False,
    column: Annotated[
        list[str] | None, typer.Option(help="field=column, where the guess is wrong.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the whole result here.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", help="Write a report with charts here.")
    ] = None,
) -> None:
    """Replays past A/B tests: what each policy would have earned on them, with intervals."""
    from dataclasses import replace

    from hookline import backtest as past
    from hookline.past import read_past_tests
    from hookline.prior import DEFAULT, TextPrior

    asked = _budgets(budgets)
    _check_target(json_file)
    _check_target(html_file, "--html")
    model = TextPrior.load(prior or DEFAULT, fast=fast)
    with _bars() as step:
        reading = read_past_tests(file, columns=_columns(column), most_lines=lines)
        past.check(reading.tests, asked, seeds)
        scored = step("scoring lines", len(reading.tests.texts))
        score = model.score(reading.tests.texts, progress=scored)
        played = step("playing tests, %", 100)
        result = past.backtest(
            reading,
            score,
            model.belief,
            source=file.name,
            budgets=asked,
            seeds=seeds,
            truth=truth,
            workers=os.cpu_count() or 1,
            progress=lambda share: played(int(100 * share)),
        )
    result = replace(result, warning=_leak(model, reading.tests.texts))
    say(past.to_text(result, width=_width()))
    _list_skipped(reading.examples)
    if json_file is not None:
        _write_json(json_file, past.to_json(result))
    if html_file is not None:
        _write(html_file, past.to_html(result))
        out.print(f"The report with charts is in {html_file}")


@app.command("train-prior")
def learn_prior(
    file: Annotated[Path, typer.Argument(help="Past A/B tests: CSV, maybe gzipped.")],
    out_folder: Annotated[Path, typer.Option("--out", help="Folder for the prior.")],
    base: Annotated[
        Path | None, typer.Option(help="Hugging Face folder of a BERT to tune; needs torch.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, max=20, help="Tunings that are averaged.")] = 1,
    epochs: Annotated[float, typer.Option(help="Times a tuning sees each test.")] = 2.0,
    fast: Annotated[bool, typer.Option("--fast", help="N-grams alone, no encoder.")] = False,
    column: Annotated[
        list[str] | None, typer.Option(help="field=column, where the guess is wrong.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write what held-out tests say here.")
    ] = None,
) -> None:
    """Learns a text prior from past A/B tests, and measures it on tests held out."""
    from dataclasses import asdict

    from hookline.backtest import measure_prior
    from hookline.past import read_past_tests
    from hookline.prior import DEFAULT, TextPrior
    from hookline.prior.finetune import Recipe
    from hookline.prior.train import Plan, train_prior

    if base is not None and fast:
        raise BadInput("--fast leaves out the encoder, --base tunes one; choose one of them")
    try:
        out_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {out_folder} can't be a folder: {error.strerror}") from None
    _check_target(json_file)
    with _bars() as step:
        reading = read_past_tests(file, columns=_columns(column))
        plan = Plan(
            name=out_folder.resolve().name,
            learned_from=file.name,
            base=base,
            take_over=None if fast else DEFAULT,
            runs=runs,
            recipe=Recipe(epochs=epochs),
        )
        trained = train_prior(reading.tests, plan, out_folder, step=step)
    for note in (
        *reading.notes,
        *(f"Left out: {n:,} × {why}" for why, n in reading.skipped.items()),
    ):
        say(note)
    warning = _leak(TextPrior.load(DEFAULT, fast=True), reading.tests.texts)
    if warning and plan.base is None and not fast:
        say(f"Warning: {warning}")
    measured = measure_prior(trained.held_out, trained.score)
    _list_skipped(reading.examples)
    low, high = measured.uplift_ci
    say(
        f"Learned from {len(reading.tests):,} tests. On {measured.tests:,} tests that its parts "
        f"had not seen, picks earn {measured.uplift:+.1%} clicks over equal shares ({low:+.1%} to "
        f"{high:+.1%}) and are the best line {measured.top1:.1%} of the time (at random: "
        f"{measured.chance:.1%}).\nThe prior is in {out_folder}; use it with `--prior` or "
        "HOOKLINE_PRIOR."
    )
    if json_file is not None:
        _write_json(json_file, {"prior": asdict(measured), "card": asdict(trained.prior.card)})


app.command()(rule)
app.command()(ship)
app.command()(unship)
app.command()(aa)
app.command()(evaluate)
app.command()(analyse)
app.command()(export)
app.add_typer(tune, name="tune")
app.add_typer(prompt, name="prompt")


def _policies(experiment: "Experiment") -> str:
    """Who decides now and who is on trial, in one sentence."""
    decides = f"{experiment.id} runs under {experiment.policy}"
    if (on_trial := experiment.candidate) is None:
        return f"{decides}, without a candidate."
    role = f"decides {on_trial.share:.0%} of its traffic" if on_trial.share else "only watches"
    return f"{decides}; the candidate {on_trial.policy} {role}."


@contextmanager
def _bars() -> Generator[Callable[[str, int], Callable[[int], None]]]:
    """Progress bars; a new one for every step."""
    columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=out) as bars:

        def step(title: str, total: int) -> Callable[[int], None]:
            task = bars.add_task(title, total=total)
            return lambda done: bars.update(task, completed=done)

        yield step


def _check_target(path: Path | None, option: str = "--json") -> None:
    """Finds out before the work whether its result can be written."""
    if path is not None and (path.is_dir() or not os.access(path.absolute().parent, os.W_OK)):
        raise BadInput(f"{path} can't be written; give {option} a file in a folder that exists")


def _budgets(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"--budgets takes whole numbers with commas, not {text!r}") from None


def _numbers(given: list[str] | None) -> dict[str, float]:
    """Name → number, of `name=number`."""
    numbers = dict[str, float]()
    for text in given or []:
        name, _, number = text.partition("=")
        try:
            numbers[name] = float(number)
        except ValueError:
            raise BadInput(f"--param takes name=number, not {text!r}") from None
    return numbers


def _columns(given: list[str] | None) -> dict[str, str]:
    """Field → column, of `field=column`."""
    pairs = dict[str, str]()
    for text in given or []:
        field, separator, name = text.partition("=")
        if not separator or not field:
            raise BadInput(f"--column takes field=column, not {text!r}")
        pairs[field] = name
    return pairs


def _leak(prior: "TextPrior", texts: "Sequence[str]") -> str:
    """A warning where the prior is tried on lines it learned from, else nothing."""
    share = float(prior.has_learned_from(texts).mean())
    if share < 0.01:
        return ""
    return (
        f"{share:.0%} of these lines are among those that the prior learned from: everything that "
        "uses it looks better here than it is."
    )


def _list_skipped(examples: "Sequence[RejectedRow]") -> None:
    """The first rows that were left out, if any."""
    for example in examples:
        say(f"  row {example.row}: {example.reason}")


def _write_json(path: Path, value: object) -> None:
    _write(path, json.dumps(value, indent=1, ensure_ascii=False))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} can't be written: {error.strerror}") from None


def _width() -> int:
    return out.width if out.is_terminal else 120


def _stop(_signal: int, _frame: object) -> None:
    sys.exit(143)


def _wait() -> None:
    import threading

    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        out.print("\nStopped.")
