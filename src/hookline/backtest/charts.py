"""The charts of a back-test as inline SVG: pure functions of its records, drawn with `svg`.

All are as wide as half a page on a desk, and so as wide as a telephone. Colours are CSS variables
with a fall-back: `--own` for Hookline, `--rival` for LOLA, grey for all else.
"""

from collections.abc import Sequence
from math import expm1, isfinite, log

from markupsafe import Markup

from hookline import svg
from hookline.backtest.result import BacktestResult, CalibrationBin, Interval, PriorResult
from hookline.backtest.words import REFERENCES, ends, lift, name_of, priors, ranked, share
from hookline.types import Estimate

_WIDTH = 520
_LAYOUT = svg.Layout(labels=214, plot=220, figures=86, decimals=1)
_OWN, _RIVAL = "var(--own, #1f6feb)", "var(--rival, #d55e00)"
_COLORS = {
    "hookline": _OWN,
    "hookline_external": _OWN,
    "lola": _RIVAL,
    "lola_external": _RIVAL,
}
_DASHED = ("hookline_external", "lola_external")
_TOP = 12


def uplift_chart(result: BacktestResult, budget: int) -> Markup:
    """Every policy's clicks over equal shares at one budget, the best at the top.

    All budgets' charts have the same axis, so they can be compared by eye.

    Args:
        result: The back-test.
        budget: Impressions per line, one of `result.budgets`.
    """
    shown = {
        at: {name: _estimate(policy.uplift_vs_uniform, policy.ci) for name, policy in each.items()}
        for at, each in result.budgets.items()
    }
    rows: list[svg.IntervalRow] = [
        (name_of(name), found, _color(name), name == "hookline")
        for name, found in sorted(shown[budget].items(), key=_uplift, reverse=True)
        if name != "uniform"
    ]
    return svg.interval_chart(
        rows,
        zero_line=True,
        title=f"Clicks over equal shares with {budget:,} impressions per line",
        layout=_LAYOUT,
        beside=[found for each in shown.values() for found in each.values()],
    )


def picks_uplift_chart(result: BacktestResult) -> Markup:
    """Clicks of each prediction's picks over equal shares."""
    rows: list[svg.IntervalRow] = [
        (name, _estimate(prior.uplift, prior.uplift_ci), color, name == "Text prior")
        for (name, prior), color in zip(priors(result), (_OWN, _RIVAL), strict=False)
    ]
    title = "Clicks of each prediction's picks over equal shares, before any traffic"
    return svg.interval_chart(rows, zero_line=True, title=title, layout=_LAYOUT)


def picks_chart(result: BacktestResult) -> Markup:
    """In how many tests each prediction's pick is the best line, as bars with chance marked."""
    found = [(name, prior) for name, prior in priors(result) if isfinite(prior.top1)]
    title = "Share of tests whose best line is found before any traffic"
    if not found:
        return svg.drawing(96, title, svg.note(96, "No tests", width=_WIDTH), width=_WIDTH)
    marks, _ = svg.ticks(0.0, max(0.1, *(max(prior.top1, prior.chance) for _, prior in found)))
    axis = svg.Axis(0.0, marks[-1], _LAYOUT.labels, _LAYOUT.labels + _LAYOUT.plot)
    bottom, body = _TOP + 48 * len(found), list[Markup]()
    for mark in marks:
        x = axis.at(mark)
        body.append(svg.line(x, _TOP, x, bottom, opacity=0.1))
        body.append(svg.text(x, bottom + 20, f"{mark:.0%}", anchor="middle"))
    for place, (name, prior) in enumerate(found):
        y = _TOP + 48 * place
        body.append(_pick_bar(name, prior, axis, y, (_OWN, _RIVAL)[place]))
    return svg.drawing(bottom + 30, title, Markup("").join(body), width=_WIDTH)


def _pick_bar(name: str, prior: PriorResult, axis: svg.Axis, y: float, color: str) -> Markup:
    """A bar as long as `top1`, with a mark at chance."""
    end, chance = axis.at(prior.top1), axis.at(prior.chance)
    reading = f"{name}: {share(prior.top1)} of {prior.tests:,} tests, chance {share(prior.chance)}"
    body = [
        svg.tip(reading),
        svg.text(0, y + 22, name, opacity=1, weight=600),
        svg.bar(axis.left, y + 6, max(end - axis.left, 0.5), 22, color),
        svg.line(chance, y + 2, chance, y + 32, width=2.5, opacity=0.9),
        svg.text(axis.right + 24, y + 22, _percent(prior.top1), opacity=1, weight=600),
        svg.text(chance, y + 44, f"chance {_percent(prior.chance)}", anchor="middle"),
    ]
    return Markup("<g>{}</g>").format(Markup("").join(body))


def gap_chart(result: BacktestResult) -> Markup:
    """How much of the way to the oracle each policy goes, by budget, on a logarithmic axis."""
    title = "Share of the way from equal shares to the oracle, by impressions per line"
    lines = {name: _closed(result, name) for name in ranked(result) if name not in REFERENCES}
    lines = {name: points for name, points in lines.items() if points}
    if not lines:
        return svg.drawing(96, title, svg.note(96, "No way to go", width=_WIDTH), width=_WIDTH)
    bottom, budgets = 330, sorted(result.budgets)
    heights = [closed for points in lines.values() for _, closed in points]
    low, high = min(0.0, *heights), max(0.1, *heights)
    marks, step = svg.ticks(low, high)
    across = _budget_axis(budgets)
    up = svg.Axis(marks[0], marks[-1], bottom, _TOP)
    body = [_gap_grid(up, across, marks, svg.digits(step, "percent"))]
    body.extend(_budget_labels(budgets, across, bottom))
    wanted = [up.at(points[-1][1]) for points in lines.values()]
    places = svg.spread(wanted, 19, _TOP, bottom - 4)
    for (name, points), y in zip(lines.items(), places, strict=True):
        body.append(_gap_line(name, points, across, up, y))
    return svg.drawing(bottom + 44, title, Markup("").join(body), width=_WIDTH)


def _closed(result: BacktestResult, name: str) -> list[tuple[int, float]]:
    """Budget and share of the gap closed, where there is one."""
    found = ((budget, each.get(name)) for budget, each in sorted(result.budgets.items()))
    return [
        (budget, policy.oracle_gap_closed)
        for budget, policy in found
        if policy and policy.oracle_gap_closed is not None and isfinite(policy.oracle_gap_closed)
    ]


def _budget_axis(budgets: Sequence[int]) -> svg.Axis:
    """Logarithmic; a single budget stands in the middle."""
    low, high = log(budgets[0]), log(budgets[-1])
    if low == high:
        low, high = low - 1, high + 1
    return svg.Axis(low, high, 52, 272)


def _gap_grid(up: svg.Axis, across: svg.Axis, marks: Sequence[float], decimals: int) -> Markup:
    body: list[Markup] = []
    for mark in marks:
        y, label = up.at(mark), svg.number(mark, "percent", decimals, sign=False)
        body.append(svg.line(44, y, across.right + 8, y, opacity=0.5 if mark == 0 else 0.1))
        body.append(svg.text(38, y + 4, label, anchor="end"))
    return Markup("").join(body)


def _budget_labels(budgets: Sequence[int], across: svg.Axis, bottom: float) -> list[Markup]:
    """The budgets that have room for their figures, and what they are."""
    body = [svg.text(across.left, bottom + 40, "impressions per line")]
    taken = float("-inf")
    for budget in budgets:
        x, label = across.at(log(budget)), f"{budget:,}"
        reach = 4 * len(label)
        body.append(svg.line(x, bottom, x, bottom + 5, opacity=0.35))
        if x - reach > taken:
            body.append(svg.text(x, bottom + 20, label, anchor="middle"))
            taken = x + reach + 4
    return body


def _gap_line(
    name: str, points: Sequence[tuple[int, float]], across: svg.Axis, up: svg.Axis, label_at: float
) -> Markup:
    """A policy's line, a dot for each budget, and its name at the right, tied to its last dot."""
    color, bold = _color(name), name == "hookline"
    path = [(across.at(log(budget)), up.at(closed)) for budget, closed in points]
    dashes = "5 4" if name in _DASHED else "none"
    label = f"{name_of(name)} {share(points[-1][1])}"
    (x, y), edge = path[-1], across.right + 32
    body = [
        svg.polyline(path, color, width=3 if bold else 1.8, dashes=dashes),
        svg.line(x + 8, y, edge - 5, label_at, color, opacity=0.45),
        svg.text(
            edge,
            label_at + 4,
            svg.cut(name_of(name), _WIDTH - edge),
            opacity=1,
            weight=600 if bold else 400,
        ),
    ]
    for (budget, closed), (x, y) in zip(points, path, strict=True):
        reading = f"{name_of(name)} with {budget:,} impressions per line: {share(closed)}"
        mark = svg.dot(x, y, color, radius=5 if bold else 4)
        body.append(Markup("<g>{}{}</g>").format(svg.tip(reading), mark))
    return Markup("<g>{}{}</g>").format(svg.tip(label), Markup("").join(body))


def calibration_chart(name: str, prior: PriorResult) -> Markup:
    """Predicted against observed effect of lines, with the diagonal where a prediction is right.

    Args:
        name: Of the prediction, in print.
        prior: Its result; log ratios are shown as relative differences.
    """
    title = f"{name}: predicted against observed click rate, relative to the test's mean"
    if not prior.calibration:
        note = svg.note(96, "Too few lines to tell", width=_WIDTH)
        return svg.drawing(96, title, note, width=_WIDTH)
    predicted = [expm1(each.predicted) for each in prior.calibration]
    observed = [_estimate(*observed_effect(each)) for each in prior.calibration]
    span = [*observed, *(Estimate(estimate=x, low=x, high=x) for x in predicted)]
    low, high = svg.domain(span, zero_line=True)
    marks, step = svg.ticks(low, high)
    bottom = 330
    across = svg.Axis(marks[0], marks[-1], 64, 500)
    up = svg.Axis(marks[0], marks[-1], bottom, _TOP)
    diagonal = [(across.at(mark), up.at(mark)) for mark in (marks[0], marks[-1])]
    body = [
        _square_grid(across, up, marks, svg.digits(step, "percent")),
        svg.polyline(diagonal, "currentColor", width=1, dashes="3 4"),
    ]
    for each, found in zip(prior.calibration, observed, strict=True):
        body.append(_calibration_dot(each, found, across, up))
    return svg.drawing(bottom + 44, title, Markup("").join(body), width=_WIDTH)


def observed_effect(found: CalibrationBin) -> tuple[float, Interval]:
    """What the arms of a bin did, as a relative difference with its interval."""
    low, high = found.ci
    return expm1(found.observed), (expm1(low), expm1(high))


def _square_grid(across: svg.Axis, up: svg.Axis, marks: Sequence[float], decimals: int) -> Markup:
    """Lines at the same values on both axes, and what the axes are."""
    bottom, body = up.left, list[Markup]()
    for mark in marks:
        x, y, opacity = across.at(mark), up.at(mark), 0.4 if mark == 0 else 0.1
        label = svg.number(mark, "percent", decimals, sign=True)
        body.append(svg.line(x, _TOP, x, bottom, opacity=opacity))
        body.append(svg.line(across.left, y, across.right, y, opacity=opacity))
        body.append(svg.text(x, bottom + 20, label, anchor="middle"))
        body.append(svg.text(across.left - 8, y + 4, label, anchor="end"))
    middle = (across.left + across.right) / 2
    body.append(svg.text(middle, bottom + 40, "predicted", anchor="middle"))
    body.append(svg.text(across.left + 8, _TOP + 14, "observed"))
    return Markup("").join(body)


def _calibration_dot(
    found: CalibrationBin, effect: Estimate, across: svg.Axis, up: svg.Axis
) -> Markup:
    """The observed effect over the predicted, with its interval."""
    x, body = across.at(expm1(found.predicted)), list[Markup]()
    if effect.estimate is None:
        return Markup("")
    if effect.low is not None and effect.high is not None:
        body.append(
            svg.line(x, up.at(effect.low), x, up.at(effect.high), _OWN, width=4, opacity=0.45)
        )
    body.append(svg.dot(x, up.at(effect.estimate), _OWN, radius=4.5))
    value, ci = observed_effect(found)
    reading = f"predicted {lift(expm1(found.predicted))}, observed {lift(value)} ({ends(ci)})"
    return Markup("<g>{}{}</g>").format(
        svg.tip(f"{reading}, {found.arms:,} lines"), Markup("").join(body)
    )


def _estimate(value: float, ci: Interval) -> Estimate:
    """The figure for an interval chart; what is not finite is not known."""
    low, high = (end if isfinite(end) else None for end in ci)
    return Estimate(estimate=value if isfinite(value) else None, low=low, high=high)


def _percent(value: float) -> str:
    return svg.number(value, "percent", 1, sign=False)


def _uplift(row: tuple[str, Estimate]) -> float:
    return float("-inf") if row[1].estimate is None else row[1].estimate


def _color(name: str) -> str:
    return _COLORS.get(name, svg.GREY)
