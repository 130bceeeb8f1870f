"""The web pages: what a marketer reads. Server-made HTML; no build step."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from hookline.app import App
from hookline.channels import CHANNELS
from hookline.errors import Unknown
from hookline.explain import sections
from hookline.report import amount, amounts, element_note, harm_name, rule_words, strongest
from hookline.service.charts import (
    IntervalRow,
    allocation_chart,
    arm_colors,
    interval_chart,
    share_bar,
)
from hookline.slate import front_chart
from hookline.types import (
    METRICS,
    ArmReport,
    Copy,
    CopyStatus,
    Estimate,
    Experiment,
    ExperimentReport,
    GuardMetric,
    Metric,
    Writing,
)

_HERE = Path(__file__).parent
STATUSES: tuple[CopyStatus, ...] = get_args(CopyStatus)
MOST_WRITINGS = 12
"""Orders for copy whose account the page gives."""


def static_files() -> StaticFiles:
    """The style sheet and the one small script."""
    return StaticFiles(directory=_HERE / "static")


def router(app: App) -> APIRouter:
    """The pages of one Hookline."""
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    render = _renderer()

    @routes.get("/")
    def overview() -> Response:
        report = app.live.report(at=datetime.now(UTC))
        running = any(each.status == "running" for each in report.experiments)
        held = len(app.desk.copies(status="quarantined"))
        return render("overview.html", report=report, running=running, held=held)

    @routes.get("/experiments/{key}")
    def experiment(key: str) -> Response:
        try:
            report = app.live.experiment_report(key)
        except Unknown as error:
            return render("missing.html", code=404, message=str(error))
        arms = [each.arm for each in report.arms]
        tested = app.live.experiment(key)
        elements = strongest(report.elements)
        return render(
            "experiment.html",
            report=report,
            elements=elements,
            element_note=element_note(elements),
            names={None: "all"} | {each.audience_id: each.name for each in report.audiences},
            unit=tested.unit,
            held=_held(app, tested),
            stand_in=tested.stand_in,
            resumable=tested.status == "paused"
            and bool(tested.challengers)
            and not tested.stand_in,
            rule=rule_words(tested),
            holdout=tested.holdout,
            settable=tested.started_at is None,
            guardable=_guardable(tested),
            tolerated={rail.metric: rail.tolerated for rail in tested.rule.guardrails},
            line=next((each for each in report.arms if each.arm.id in _headline(report)), None),
            candidate=tested.candidate,
            comparison=app.live.compare_candidate(key) if tested.candidate else None,
            texts={arm.id: arm.text for arm in arms},
            colors=arm_colors(arms),
            allocation=allocation_chart(report.allocation, arms),
            lifts=_lift_chart(report),
            rates=_rate_chart(report),
            latest=app.live.latest_outcomes(key),
            running=report.status == "running",
        )

    @routes.get("/copy")
    def copy(status: CopyStatus = "draft") -> Response:
        copies = app.desk.copies()
        counts = {each: sum(copy.status == each for copy in copies) for each in STATUSES}
        products = {product.id: product.title for product in app.desk.products()}
        shown = [each for each in copies if each.status == status][:200]
        return render(
            "copy.html",
            copies=shown,
            counts=counts,
            status=status,
            products=products,
            writings=app.desk.writings(MOST_WRITINGS) if status == "draft" else (),
        )

    @routes.get("/decisions/{key}")
    def decision(key: str) -> Response:
        try:
            trace = app.live.explain(key)
        except Unknown as error:
            return render("missing.html", code=404, message=str(error))
        return render("decision.html", trace=trace, sections=sections(trace))

    return routes


def _renderer() -> Callable[..., HTMLResponse]:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "percent": _percent,
        "range": _range,
        "number": _number,
        "amount": _amount,
        "amounts": _amounts,
        "harm": harm_name,
        "money": _money,
        "per_1000": amount,
        "range_per_1000": amounts,
        "tone": _tone,
    }
    environment.filters.update(filters)  # pyright: ignore[reportArgumentType, reportCallIssue] - jinja infers too much
    shared: dict[str, object] = {
        "share_bar": _share_bar,
        "dial_chart": _dial_chart,
        "channels": CHANNELS,
        "metrics": METRICS,
    }
    environment.globals.update(shared)  # pyright: ignore[reportArgumentType, reportCallIssue] - likewise

    def render(template: str, *, code: int = 200, **values: object) -> HTMLResponse:
        return HTMLResponse(environment.get_template(template).render(**values), status_code=code)

    return render


def _held(app: App, experiment: Experiment) -> list[Copy]:
    """The experiment's copies that are in quarantine."""
    ids = {arm.id for arm in experiment.arms}
    copies = app.desk.copies(status="quarantined", product_id=experiment.product_id)
    return [copy for copy in copies if copy.id in ids]


def _dial_chart(writing: Writing) -> Markup:
    """What other dials would have made of an order's drafts."""
    return front_chart({"this order’s drafts": writing.front})


def _headline(report: ExperimentReport) -> tuple[str, ...]:
    """The line that the answer is about: the one to ship, or the one shipped; none if neither."""
    return tuple(key for key in (report.winner, report.shipped) if key)


def _guardable(experiment: Experiment) -> list[tuple[GuardMetric, str]]:
    """Metrics that a rule may guard, and what harm in each is called."""
    metrics: tuple[GuardMetric, ...] = get_args(GuardMetric)
    return [(each, harm_name(each)) for each in metrics if each != experiment.objective]


def _lift_chart(report: ExperimentReport) -> Markup:
    """Every challenger's lift over the control in the objective."""
    colors = arm_colors([each.arm for each in report.arms])
    rows: list[IntervalRow] = [
        (each.arm.text, each.lift[report.objective], colors[each.arm.id], _wins(report, each))
        for each in report.arms
        if not each.arm.control
    ]
    return interval_chart(rows, unit="percent", zero_line=True)


def _rate_chart(report: ExperimentReport) -> Markup:
    """Every arm's rate of the objective."""
    colors = arm_colors([each.arm for each in report.arms])
    rows: list[IntervalRow] = [
        (each.arm.text, each.rate[report.objective], colors[each.arm.id], _wins(report, each))
        for each in report.arms
    ]
    unit = "number" if report.objective == "revenue" else "percent"
    return interval_chart(rows, unit=unit, zero_line=False)


def _wins(report: ExperimentReport, arm: ArmReport) -> bool:
    return arm.arm.id == report.winner


def _share_bar(report: ExperimentReport) -> Markup:
    return share_bar(
        {each.arm.id: each.share for each in report.arms}, [each.arm for each in report.arms]
    )


def _number(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−")


def _percent(estimate: Estimate) -> str:
    return "–" if estimate.estimate is None else _signed(estimate.estimate)


def _range(estimate: Estimate) -> str:
    if estimate.estimate is None:
        return estimate.reason or "not enough data yet"
    low = "no lower bound yet" if estimate.low is None else _signed(estimate.low)
    high = "no upper bound yet" if estimate.high is None else _signed(estimate.high)
    return f"{low} to {high}"


def _amount(estimate: Estimate) -> str:
    """A value per visitor to three digits."""
    return "–" if estimate.estimate is None else f"{estimate.estimate:.3g}".replace("-", "−")


def _amounts(estimate: Estimate) -> str:
    if estimate.estimate is None or estimate.low is None or estimate.high is None:
        return estimate.reason or "not enough data yet"
    return f"{estimate.low:.3g} to {estimate.high:.3g}".replace("-", "−")


def _signed(share: float) -> str:
    return f"{share:+.1%}".replace("-", "−")


def _money(estimate: Estimate, metric: Metric, currency: str = "") -> str:
    if estimate.estimate is None:
        return ""
    unit = currency if metric == "revenue" else metric
    return f"{estimate.estimate:+,.0f} {unit}".replace("-", "−")


def _tone(estimate: Estimate | None) -> str:
    """Whether the interval says up, down or neither, as a CSS class."""
    if estimate is None:
        return "open"
    if estimate.low is not None and estimate.low > 0:
        return "up"
    return "down" if estimate.high is not None and estimate.high < 0 else "open"
