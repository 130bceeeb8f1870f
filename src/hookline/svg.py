"""Inline SVG: shapes, axes and the chart of intervals that every page of ours is drawn with.

No script and no style sheet: text and lines take `currentColor`, and every other colour is a CSS
variable with a fall-back, so a drawing follows the page it stands in, dark or light. All text is
escaped. Places are in pixels of the drawing, from its top left corner.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from statistics import median
from typing import Literal
from unicodedata import east_asian_width

from markupsafe import Markup

from hookline.types import Estimate

IntervalRow = tuple[str, Estimate, str, bool]
"""Label, estimate, colour, and whether to set it in bold."""

Unit = Literal["percent", "number"]

WIDTH = 1000
SURFACE = "var(--surface, #fff)"
MUTED = 0.68  # opacity of secondary text: 4.5:1 and more on white and on near-black
GREY = "var(--arm-control, #8b929c)"
_FONT = "font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',sans-serif"
_TOO_LITTLE = "not enough data yet"
_TOP, _PITCH = 4, 32  # of the rows of an interval chart


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How an interval chart is laid out, in pixels.

    Attributes:
        labels: Width of the labels at the left.
        plot: Width of the axis.
        figures: Width of the estimates in print; below 150 intervals are left out there.
        decimals: Of the estimates; None for one more than the axis needs.
    """

    labels: float = 400
    plot: float = 350
    figures: float = 250
    decimals: int | None = None


class Axis:
    """A scale from values to pixels."""

    def __init__(self, low: float, high: float, left: float, right: float) -> None:
        self.low, self.high, self.left, self.right = low, high, left, right

    def at(self, value: float) -> float:
        """Where a value stands; beyond the ends, at the end."""
        share = (value - self.low) / (self.high - self.low)
        return self.left + (self.right - self.left) * min(1.0, max(0.0, share))


def interval_chart(
    rows: Sequence[IntervalRow],
    *,
    zero_line: bool,
    unit: Unit = "percent",
    title: str = "Estimates with intervals",
    layout: Layout | None = None,
    beside: Sequence[Estimate] = (),
) -> Markup:
    """A dot with its interval for each row, on one axis.

    An interval that is far wider than the others, or open at one side, is cut off at the edge
    with an arrow. A row without an estimate, or without any bound, says so.

    Args:
        rows: Label, estimate, colour and emphasis of each.
        zero_line: Whether 0 is the point of comparison: it is then on the axis, drawn strongly,
            and the numbers bear a sign.
        unit: How to print: a share as per cent, or a plain number.
        title: What a screen reader says.
        layout: Widths and decimals.
        beside: Estimates of charts to be compared with this one: the axis has room for them too.
    """
    layout = layout or Layout()
    width = layout.labels + layout.plot + layout.figures
    if not rows:
        return drawing(96, title, note(96, "Nothing to compare yet", width=width), width=width)
    low, high = domain([*(row[1] for row in rows), *beside], zero_line=zero_line)
    marks, step = ticks(low, high)
    axis = Axis(low, high, layout.labels, layout.labels + layout.plot)
    inside = [mark for mark in marks if low <= mark <= high]
    bottom = _TOP + _PITCH * len(rows)
    body = [
        _grid(axis, inside, bottom, decimals=digits(step, unit), unit=unit, zero_line=zero_line)
    ]
    decimals = digits(step / 10, unit) if layout.decimals is None else layout.decimals
    for place, row in enumerate(rows):
        y = _TOP + _PITCH * (place + 0.5)
        figures = _figures(row[1], unit, decimals, sign=zero_line)
        body.append(_interval_row(row, axis, y, figures=figures, layout=layout))
    return drawing(bottom + 32, title, Markup("").join(body), width=width)


def _grid(
    axis: Axis, marks: Sequence[float], bottom: float, *, decimals: int, unit: Unit, zero_line: bool
) -> Markup:
    """Upright lines with their values below; 0 strongly where it is the point of comparison."""
    body: list[Markup] = []
    for mark in marks:
        x, zero = axis.at(mark), zero_line and mark == 0
        body.append(
            line(x, _TOP, x, bottom, opacity=0.6 if zero else 0.1, width=1.5 if zero else 1)
        )
        label = number(mark, unit, decimals, sign=zero_line)
        weight = 600 if zero else 400
        body.append(text(x, bottom + 22, label, anchor="middle", weight=weight))
    return Markup("").join(body)


def _interval_row(
    row: IntervalRow, axis: Axis, y: float, *, figures: tuple[str, str], layout: Layout
) -> Markup:
    """Label, interval, dot and figures of one row."""
    label, estimate, color, bold = row
    value, bounds = figures
    shown = bounds if layout.figures >= 150 or not value else ""
    body = [
        text(0, y + 4.5, cut(label, layout.labels), opacity=1, weight=600 if bold else 400),
        text(axis.right + 24, y + 4.5, value, opacity=1, weight=600, then=shown),
    ]
    if bounds != _TOO_LITTLE:
        body.append(_whisker(estimate, axis, y, color, bold=bold))
    if estimate.estimate is not None and axis.low <= estimate.estimate <= axis.high:
        x, sure = axis.at(estimate.estimate), bounds != _TOO_LITTLE
        body.append(dot(x, y, color, radius=6.5 if bold else 5.5, full=sure))
    reading = " ".join(filter(None, (f"{label}:", value, bounds)))
    reading += f" ({estimate.reason})" if estimate.reason else ""
    return Markup("<g>{}{}</g>").format(tip(reading), Markup("").join(body))


def _figures(estimate: Estimate, unit: Unit, decimals: int, *, sign: bool) -> tuple[str, str]:
    """The estimate and its interval in figures."""
    value, low, high = estimate.estimate, estimate.low, estimate.high
    if value is None or (low is None and high is None):
        return "", _TOO_LITTLE
    shown = number(value, unit, decimals, sign=sign)
    from_ = "−∞" if low is None else number(low, unit, decimals, sign=sign).removesuffix("%")
    to = "∞" if high is None else number(high, unit, decimals, sign=sign)
    return shown, f"{from_} to {to}"


def _whisker(estimate: Estimate, axis: Axis, y: float, color: str, *, bold: bool) -> Markup:
    """The interval as a bar, with an arrow at a side where it leaves the axis."""
    opens, closes = estimate.low is None, estimate.high is None
    start = axis.left if estimate.low is None else axis.at(estimate.low)
    end = axis.right if estimate.high is None else axis.at(estimate.high)
    body = [line(start, y, max(end, start + 0.1), y, color, width=8 if bold else 6, opacity=0.5)]
    opens = opens or (estimate.low is not None and estimate.low < axis.low)
    closes = closes or (estimate.high is not None and estimate.high > axis.high)
    for leaves, x, way in ((opens, start, -1), (closes, end, 1)):
        if leaves:
            corners = ((x + 2 * way, y - 6), (x + 11 * way, y), (x + 2 * way, y + 6))
            body.append(Markup('<polygon points="{}" fill="{}"/>').format(_path(corners), color))
    return Markup("").join(body)


# --- scales ------------------------------------------------------------------------------------


def domain(estimates: Sequence[Estimate], *, zero_line: bool) -> tuple[float, float]:
    """The stretch of values worth showing: all, but for intervals far wider than the usual."""
    points = _known(e.estimate for e in estimates)
    bounds = _known(bound for e in estimates for bound in (e.low, e.high))
    anchors = points or bounds
    if not anchors:
        return (-0.1, 0.1) if zero_line else (0.0, 0.1)
    reach = _known(
        abs(bound - e.estimate)
        for e in estimates
        for bound in (e.low, e.high)
        if e.estimate is not None and bound is not None
    )
    slack = 2 * median(reach) if reach else 0.0
    low = max(min(anchors + bounds), min(anchors) - slack)
    high = min(max(anchors + bounds), max(anchors) + slack)
    if zero_line:
        low, high = min(low, 0.0), max(high, 0.0)
    pad = (high - low) * 0.04 or abs(high) * 0.1 or 0.1
    all_positive = min(anchors + bounds) >= 0 and not zero_line
    return max(low - pad, 0.0) if all_positive else low - pad, high + pad


def _known(values: Iterable[float | None]) -> list[float]:
    """The values that are there and finite."""
    return [value for value in values if value is not None and isfinite(value)]


def ticks(low: float, high: float) -> tuple[list[float], float]:
    """Round values from at or below `low` to at or above `high`, and the step between them."""
    rough = (high - low) / 5
    size = 10.0 ** floor(log10(rough))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [place * step for place in range(first, last + 1)], step


def digits(step: float, unit: Unit) -> int:
    """Decimals that tell values a step apart."""
    scaled = step * 100 if unit == "percent" else step
    return max(0, min(6, ceil(-log10(scaled) - 1e-9)))


def number(value: float, unit: Unit, decimals: int, *, sign: bool) -> str:
    """The value in print, with a true minus, and with a sign where it is a difference."""
    scaled = value * 100 if unit == "percent" else value
    rounded = round(scaled, decimals) + 0.0  # no "-0"
    shown = f"{rounded:+,.{decimals}f}" if sign and rounded else f"{rounded:,.{decimals}f}"
    return shown.replace("-", "−") + ("%" if unit == "percent" else "")


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places for labels that don't overlap, in the same order and as near as can be.

    Least squares under the gap: with the gaps taken out, what is left may only rise, and
    neighbours that would fall share their mean (isotonic regression by pooling).

    Args:
        places: Where each label would like to be.
        gap: Least distance of two; less where they would not fit otherwise.
        low: Least place.
        high: Greatest place.
    """
    gap = min(gap, (high - low) / max(1, len(places) - 1))
    order = sorted(range(len(places)), key=lambda i: places[i])
    pools: list[tuple[float, int]] = []  # mean, size
    for turn, i in enumerate(order):
        mean, size = places[i] - turn * gap, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (mean * size + before * count) / (size + count), size + count
        pools.append((mean, size))
    risen = [mean for mean, size in pools for _ in range(size)]
    top, found = high - gap * (len(places) - 1), list(places)
    for turn, i in enumerate(order):
        found[i] = min(max(risen[turn], low), top) + turn * gap
    return found


# --- shapes ------------------------------------------------------------------------------------


def drawing(height: float, title: str, body: Markup, *, width: float = WIDTH) -> Markup:
    """The whole picture, as wide as the place it stands in."""
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {:g} {:g}" '
        'width="100%" role="img" style="{};font-size:12.5px;font-variant-numeric:tabular-nums">'
        "{}{}</svg>"
    ).format(width, height, _FONT, tip(title), body)


def tip(reading: str) -> Markup:
    """A title: what a screen reader says, and a pointer shows."""
    return Markup("<title>{}</title>").format(_printable(reading))


def note(height: float, message: str, *, width: float = WIDTH) -> Markup:
    """A line in the middle of a drawing that has nothing else to show."""
    return text(width / 2, height / 2 + 4, message, anchor="middle")


def line(
    x1: float, y1: float, x2: float, y2: float, color: str = "currentColor", *, width: float = 1,
    opacity: float,
) -> Markup:  # fmt: skip
    """A straight line with round ends."""
    return Markup(
        '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}" stroke-width="{}" '
        'stroke-opacity="{}" stroke-linecap="round"/>'
    ).format(x1, y1, x2, y2, color, width, opacity)


def polyline(
    points: Sequence[tuple[float, float]], color: str, *, width: float = 1.5, dashes: str = "none"
) -> Markup:
    """A line through all points."""
    return Markup(
        '<polyline points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-linejoin="round" '
        'stroke-dasharray="{}"/>'
    ).format(_path(points), color, width, dashes)


def bar(x: float, y: float, width: float, height: float, color: str) -> Markup:
    """A filled rectangle."""
    return Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2" fill="{}"/>'
    ).format(x, y, width, height, color)


def dot(x: float, y: float, color: str, *, radius: float, full: bool = True) -> Markup:
    """A full dot, or a ring where what it shows is unsure."""
    fill, stroke = (color, SURFACE) if full else (SURFACE, color)
    return Markup(
        '<circle cx="{:.1f}" cy="{:.1f}" r="{}" fill="{}" stroke="{}" stroke-width="2"/>'
    ).format(x, y, radius, fill, stroke)


def text(
    x: float, y: float, shown: str, *, anchor: str = "start", opacity: float = MUTED,
    weight: int = 400, then: str = "",
) -> Markup:  # fmt: skip
    """A line of text, and `then` a lighter one right after it."""
    more = Markup('<tspan dx="{}" font-weight="400" fill-opacity="{}">{}</tspan>')
    return Markup(
        '<text x="{:.1f}" y="{:.1f}" text-anchor="{}" font-weight="{}" fill="currentColor" '
        'fill-opacity="{}">{}{}</text>'
    ).format(
        x, y, anchor, weight, opacity, _printable(shown),
        more.format(8 if shown else 0, MUTED, _printable(then)) if then else "",
    )  # fmt: skip


def cut(label: str, width: float) -> str:
    """The label, ended by "…" where it is wider than its pixels."""
    room = int(width / 7.6)  # a character of the widest system fonts at our size, on average
    for place, char in enumerate(label):
        room -= 2 if east_asian_width(char) in "WF" else 1
        if room < 0:
            return label[: place - 1].rstrip(" |,.;:–-") + "…"
    return label


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _printable(shown: str) -> str:
    """The text with a space for each character that XML or one line cannot carry."""
    return "".join(char if char.isprintable() else " " for char in shown)
