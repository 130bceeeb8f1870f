"""`hookline rule`: when to ship and when to stop; `ship` and `unship`: the line everybody gets."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from hookline.commands.base import BY, Url, say, steer
from hookline.errors import BadInput, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookline.types import Experiment, GuardMetric, Guardrail, Rule

NO_GUARD = "none"
"""What `--guard` is given to take all guard metrics away."""


def rule(
    experiment: str,
    worthwhile: Annotated[
        float | None, typer.Option(help="Smallest gain per 1,000 visitors worth a change; 0: any.")
    ] = None,
    value: Annotated[
        float | None, typer.Option(help="Money that a click or an order is worth.")
    ] = None,
    risk: Annotated[
        float | None, typer.Option(help="Chance of error at all looks together, 0 to .5.")
    ] = None,
    guard: Annotated[
        list[str] | None,
        typer.Option(help="metric=harm tolerated per 1,000 visitors; or none."),
    ] = None,
    url: Url = "",
) -> None:
    """Sets when an experiment ships and when it stops, before its start; alone, shows it."""
    present, where = steer(
        url,
        lambda client: _named(client.experiments(), experiment),
        lambda live: live.experiment(experiment),
    )
    asked = _changed(present.rule, worthwhile, value, risk, guard)
    if asked != present.rule:
        present, where = steer(
            url,
            lambda client: client.set_rule(experiment, asked, by=BY),
            lambda live: live.set_rule(experiment, asked, at=datetime.now(UTC), by=BY),
        )
    from hookline.report import rule_words

    say(f"{present.id}: {rule_words(present)} ({where})")


def ship(
    experiment: str,
    line: Annotated[str, typer.Option(help="Another line than the one the report names.")] = "",
    url: Url = "",
) -> None:
    """Gives the winning line to everybody, but for the hold-out while the experiment runs."""
    changed, where = steer(
        url,
        lambda client: client.ship(experiment, line, by=BY),
        lambda live: live.ship(experiment, line, at=datetime.now(UTC), by=BY),
    )
    say(f"{_served(changed)} ({where})")


def unship(experiment: str, url: Url = "") -> None:
    """Takes a shipped line back, at once: the experiment goes on where it was."""
    changed, where = steer(
        url,
        lambda client: client.unship(experiment, by=BY),
        lambda live: live.unship(experiment, at=datetime.now(UTC), by=BY),
    )
    say(f"{_served(changed)} ({where})")


def _named(experiments: "Sequence[Experiment]", key: str) -> "Experiment":
    for each in experiments:
        if each.id == key:
            return each
    raise Unknown(f"no experiment {key!r}")


def _changed(
    present: "Rule",
    worthwhile: float | None,
    value: float | None,
    risk: float | None,
    guard: list[str] | None,
) -> "Rule":
    """The rule with what was given in the place of what it had."""
    from dataclasses import replace

    rails = present.guardrails if guard is None else tuple(_rails(guard))
    return replace(
        present,
        worthwhile=present.worthwhile if worthwhile is None else worthwhile,
        value=present.value if value is None else value,
        risk=present.risk if risk is None else risk,
        guardrails=rails,
    )


def _rails(given: list[str]) -> "list[Guardrail]":
    """Guard metrics, of `metric=number`."""
    from hookline.types import Guardrail

    if given == [NO_GUARD]:
        return []
    rails: list[Guardrail] = []
    for text in given:
        name, _, number = text.partition("=")
        try:
            rails.append(Guardrail(metric=_metric(name), tolerated=float(number or 0.0)))
        except ValueError:
            raise BadInput(f"--guard takes metric=number, not {text!r}") from None
    return rails


def _metric(name: str) -> "GuardMetric":
    from hookline.types import GuardMetric

    metrics: tuple[GuardMetric, ...] = get_args(GuardMetric)
    for metric in metrics:
        if metric == name:
            return metric
    raise BadInput(f"--guard knows {', '.join(metrics)}, not {name!r}")


def _served(experiment: "Experiment") -> str:
    """Who gets what now, in one sentence."""
    if (line := experiment.shipped_arm) is None:
        on = "goes on" if experiment.status == "running" else f"is {experiment.status}"
        return f"{experiment.id} has no line shipped; it {on}."
    kept = experiment.status == "running" and experiment.holdout
    held = f", but for the {experiment.holdout:.0%} held out" if kept else ""
    return f"{experiment.id} gives everybody “{line.text}”{held}."
