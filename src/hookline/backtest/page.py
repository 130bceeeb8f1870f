"""A `BacktestResult` as one HTML file that needs nothing else: no script, no request, no server."""

from collections.abc import Callable
from math import expm1
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from hookline.backtest.charts import (
    calibration_chart,
    gap_chart,
    observed_effect,
    picks_chart,
    picks_uplift_chart,
    uplift_chart,
)
from hookline.backtest.result import BacktestResult, Interval
from hookline.backtest.words import (
    EXPLAINED,
    compared,
    counted,
    direction,
    drawn_from,
    ends,
    leaders,
    left_out,
    lift,
    name_of,
    priors,
    ranked,
    runs,
    share,
    told,
    verdict_on_prior,
    verdicts,
)

_TONES = {1: "up", 0: "open", -1: "down"}


def to_html(result: BacktestResult) -> str:
    """The back-test as a page to open, print or send: verdicts, charts and the figures in tables.

    Args:
        result: The back-test; all text from the file is escaped.
    """
    budgets, names = sorted(result.budgets), ranked(result)
    html = _template().render(
        result=result,
        budgets=budgets,
        names=names,
        rivals=[name for name in names if name not in {"hookline", "oracle"}],
        explained=[(name, EXPLAINED[name]) for name in EXPLAINED if name in names],
        leaders=leaders(result),
        priors=priors(result),
        verdicts={budget: verdicts(result, budget) for budget in budgets},
        uplifts={budget: uplift_chart(result, budget) for budget in budgets},
        gaps=gap_chart(result),
        picks=picks_chart(result),
        picks_uplift=picks_uplift_chart(result),
    )
    return html.replace(" %", "\N{NO-BREAK SPACE}%")  # a figure and its sign stay on one line


def _template() -> Template:
    """The page, as the service's are made: escaping on, nothing undefined let through."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words: dict[str, Callable[..., object]] = {
        "calibration_chart": calibration_chart,
        "compared": compared,
        "counted": counted,
        "drawn_from": drawn_from,
        "ends": ends,
        "expm1": expm1,
        "left_out": left_out,
        "lift": lift,
        "name_of": name_of,
        "observed_effect": observed_effect,
        "runs": runs,
        "share": share,
        "told": told,
        "tone": _tone,
        "verdict_on_prior": verdict_on_prior,
    }
    environment.globals.update(words)  # pyright: ignore[reportArgumentType, reportCallIssue] - jinja infers too much
    return environment.get_template("page.html.jinja")


def _tone(ci: Interval) -> str:
    """Whether the interval says up, down or neither, as a CSS class."""
    return _TONES[direction(ci)]
