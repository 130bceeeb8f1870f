"""Charts as inline SVG: pure functions of a report's records, with no script and no style sheet.

Text and lines take `currentColor`, and every other colour is a CSS variable with a fall-back
(`--arm-1` to `--arm-8`, `--arm-control`, `--surface`), so a chart follows the page it stands in,
dark or light. All text is escaped.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil, floor, isfinite, log10
from statistics import median
from typing import Literal
from unicodedata import east_asian_width

from markupsafe import Markup

from hookline.types import AllocationPoint, Arm, Estimate

IntervalRow = tuple[str, Estimate, str, bool]
"""Label, estimate, colour, and whether to set it in bold."""

Unit = Literal["percent", "number"]

# Okabe and Ito's colours without black and yellow, and two of Paul Tol's muted ones: published as
# told apart with any kind of colour blindness. Those that stand out on white come first.
_PALETTE = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#999933",
)  # fmt: skip
_TINTS = (100, 60, 35)  # per cent of the colour, for the first, second and further eight arms
_FONT = "font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',sans-serif"
_SURFACE = "var(--surface, #fff)"
_MUTED = 0.68  # opacity of secondary text: 4.5:1 and more on white and on near-black
_TOO_LITTLE = "not enough data yet"
_WIDTH = 1000
_STEPS = tuple(
    timedelta(hours=h) for h in (1, 2, 4, 6, 12, 24, 48, 72, 168, 336, 720, 2160, 4320, 8760)
)


def arm_colors(arms: Sequence[Arm]) -> dict[str, str]:
    """Arm id → CSS colour: neutral grey for the control, the palette in order for the others.

    Past eight arms the palette comes again, lighter. Fit for `fill` and for `background`.

    Args:
        arms: In the order of the experiment.
    """
    colors = {arm.id: "var(--arm-control, #8b929c)" for arm in arms if arm.control}
    for i, arm in enumerate(arm for arm in arms if not arm.control):
        turn, place = divmod(i, len(_PALETTE))
        color = f"var(--arm-{place + 1}, {_PALETTE[place]})"
        tint = _TINTS[min(turn, len(_TINTS) - 1)]
        colors[arm.id] = (
            color if tint == 100 else f"color-mix(in oklab, {color} {tint}%, {_SURFACE})"
        )
    return colors


def allocation_chart(points: Sequence[AllocationPoint], arms: Sequence[Arm]) -> Markup:
    """Who got the traffic: shares of the arms over time, stacked, the control at the bottom.

    Args:
        points: In time order; none gives an empty chart that says so.
        arms: In the order of the experiment; colours are those of `arm_colors`.
    """
    title = "Share of traffic by arm over time"
    if not points or not arms:
        return _svg(96, title, _note(96, "No traffic yet"))
    begin, span = points[0].at, points[-1].at - points[0].at
    if not span:
        points, places = [points[-1]] * 2, [0.0, 1.0]
    else:
        places = [(point.at - begin) / span for point in points]
    bands = _bands(points, sorted(arms, key=lambda arm: not arm.control))
    body = [
        _bands_svg(bands, places, arm_colors(arms)),
        _share_axis(),
        _time_axis(begin, span),
        _latest_shares(bands),
    ]
    return _svg(252, title, Markup("").join(body))


def share_bar(shares: Mapping[str, float], arms: Sequence[Arm]) -> Markup:
    """How traffic is shared now, as one thin stacked bar: for a list of experiments.

    Args:
        shares: Arm id → share; arms without one count as 0.
        arms: In the order of the experiment; colours are those of `arm_colors`.
    """
    total = sum(shares.get(arm.id, 0.0) for arm in arms)
    colors, x, body = arm_colors(arms), 0.0, list[Markup]()
    for arm in sorted(arms, key=lambda arm: not arm.control):
        width = 160 * shares.get(arm.id, 0.0) / total if total > 0 else 0.0
        if width > 0:
            body.append(
                Markup('<rect x="{:.1f}" width="{:.1f}" height="10" fill="{}">{}</rect>').format(
                    x, max(width - 1, 0.5), colors[arm.id], _tip(f"{arm.text}: {width / 160:.0%}")
                )
            )
        x += width
    return _svg(10, "Share of traffic by arm now", Markup("").join(body), width=160)


def interval_chart(
    rows: Sequence[IntervalRow], *, unit: Unit = "percent", zero_line: bool
) -> Markup:
    """A dot with its interval for each row, on one axis.

    An interval that is far wider than the others, or open at one side, is cut off at the edge
    with an arrow. A row without an estimate, or without any bound, says so.

    Args:
        rows: Label, estimate, colour and emphasis of each.
        unit: How to print: a share as per cent, or a plain number.
        zero_line: Whether 0 is the point of comparison: it is then on the axis, drawn strongly,
            and the numbers bear a sign.
    """
    title = "Estimates with intervals"
    if not rows:
        return _svg(96, title, _note(96, "Nothing to compare yet"))
    top, pitch, left, right = 4, 32, 400, 750
    bottom = top + pitch * len(rows)
    low, high = _domain([estimate for _, estimate, _, _ in rows], zero_line=zero_line)
    ticks, step = _ticks(low, high)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    axis = _Axis(low, high, left, right)
    digits, body = _digits(step, unit), list[Markup]()
    for tick in ticks:
        x, zero = axis.at(tick), zero_line and tick == 0
        body.append(
            _line(x, top, x, bottom, opacity=0.6 if zero else 0.1, width=1.5 if zero else 1)
        )
        label = _number(tick, unit, digits, sign=zero_line)
        weight = 600 if zero else 400
        body.append(_text(x, bottom + 22, label, anchor="middle", weight=weight))
    for place, row in enumerate(rows):
        y = top + pitch * (place + 0.5)
        body.append(
            _interval_row(row, axis, y, unit=unit, digits=_digits(step / 10, unit), sign=zero_line)
        )
    return _svg(bottom + 32, title, Markup("").join(body))


class _Axis:
    """A scale from values to pixels."""

    def __init__(self, low: float, high: float, left: float, right: float) -> None:
        self.low, self.high, self.left, self.right = low, high, left, right

    def at(self, value: float) -> float:
        """Where a value stands; beyond the ends, at the end."""
        share = (value - self.low) / (self.high - self.low)
        return self.left + (self.right - self.left) * min(1.0, max(0.0, share))


# --- allocation --------------------------------------------------------------------------------

_Band = tuple[Arm, list[float], list[float]]
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 945, 10, 220


def _across(share: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * share


def _up(share: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * share


def _bands(points: Sequence[AllocationPoint], arms: Sequence[Arm]) -> list[_Band]:
    """Each arm with the lower and upper edge of its band at each point, shares made to sum to 1."""
    base = [0.0] * len(points)
    totals = [sum(point.shares.get(arm.id, 0.0) for arm in arms) or 1.0 for point in points]
    bands: list[_Band] = []
    for arm in arms:
        edge = [
            below + point.shares.get(arm.id, 0.0) / total
            for below, point, total in zip(base, points, totals, strict=True)
        ]
        bands.append((arm, base, edge))
        base = edge
    return bands


def _bands_svg(
    bands: Sequence[_Band], places: Sequence[float], colors: Mapping[str, str]
) -> Markup:
    body: list[Markup] = []
    for arm, low, high in bands:
        edge = [*zip(places, high, strict=True), *reversed(list(zip(places, low, strict=True)))]
        path = " ".join(f"{_across(place):.1f},{_up(share):.1f}" for place, share in edge)
        last = f"{arm.text}: {high[-1] - low[-1]:.0%} now"
        body.append(
            Markup(
                '<polygon points="{}" fill="{}" fill-opacity="0.88" stroke="{}" '
                'stroke-linejoin="round">{}</polygon>'
            ).format(path, colors[arm.id], _SURFACE, _tip(last))
        )
    return Markup("").join(body)


def _share_axis() -> Markup:
    body: list[Markup] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _up(share)
        body.append(_line(_LEFT, y, _RIGHT, y, opacity=0.35 if share == 0 else 0.1))
        body.append(_text(_LEFT - 8, y + 4, f"{share:.0%}", anchor="end"))
    return Markup("").join(body)


def _time_axis(begin: datetime, span: timedelta) -> Markup:
    body: list[Markup] = []
    for at, label in _time_ticks(begin, begin + span):
        x = _across((at - begin) / span if span else 0.5)
        body.append(_line(x, _BOTTOM, x, _BOTTOM + 5, opacity=0.35))
        body.append(_text(x, _BOTTOM + 22, label, anchor="middle"))
    return Markup("").join(body)


def _latest_shares(bands: Sequence[_Band]) -> Markup:
    """The last share of each arm that has room for a number, at the right edge."""
    body: list[Markup] = []
    for _, low, high in bands:
        share = high[-1] - low[-1]
        if share >= 0.07:
            y = _up((low[-1] + high[-1]) / 2) + 4
            body.append(_text(_RIGHT + 8, y, f"{share:.0%}", opacity=1, weight=600))
    return Markup("").join(body)


def _time_ticks(first: datetime, last: datetime) -> list[tuple[datetime, str]]:
    """At most seven round moments of the stretch, as hours or as dates."""
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    span = last - first
    step = _STEPS[min(bisect_left(_STEPS, span / 6), len(_STEPS) - 1)]
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + ceil((first - midnight) / step) * step
    daily = step >= timedelta(days=1)
    ticks: list[tuple[datetime, str]] = []
    while first < last and at <= last:
        date = f"{at:%b %Y}" if step >= timedelta(days=90) else f"{at.day} {at:%b}"
        ticks.append((at, date if daily or at.hour == 0 else f"{at:%H:%M}"))
        at += step
    return ticks or [(first, f"{first.day} {first:%b} {first:%H:%M}")]


# --- intervals ---------------------------------------------------------------------------------


def _interval_row(
    row: IntervalRow, axis: _Axis, y: float, *, unit: Unit, digits: int, sign: bool
) -> Markup:
    """Label, interval, dot and figures of one row."""
    label, estimate, color, bold = row
    weight = 600 if bold else 400
    value, bounds = _figures(estimate, unit, digits, sign=sign)
    body = [
        _text(0, y + 4.5, _cut(label), opacity=1, weight=weight),
        _text(axis.right + 24, y + 4.5, value, opacity=1, weight=600, then=bounds),
    ]
    if bounds != _TOO_LITTLE:
        body.append(_whisker(estimate, axis, y, color, bold=bold))
    if estimate.estimate is not None and axis.low <= estimate.estimate <= axis.high:
        x, sure = axis.at(estimate.estimate), bounds != _TOO_LITTLE
        body.append(_dot(x, y, color, bold=bold, sure=sure))
    tip = " ".join(filter(None, (f"{label}:", value, bounds)))
    tip += f" ({estimate.reason})" if estimate.reason else ""
    return Markup("<g>{}{}</g>").format(_tip(tip), Markup("").join(body))


def _figures(estimate: Estimate, unit: Unit, digits: int, *, sign: bool) -> tuple[str, str]:
    """The estimate and its interval in figures."""
    value, low, high = estimate.estimate, estimate.low, estimate.high
    if value is None or (low is None and high is None):
        return "", _TOO_LITTLE
    shown = _number(value, unit, digits, sign=sign)
    from_ = "−∞" if low is None else _number(low, unit, digits, sign=sign).removesuffix("%")
    to = "∞" if high is None else _number(high, unit, digits, sign=sign)
    return shown, f"{from_} to {to}"


def _whisker(estimate: Estimate, axis: _Axis, y: float, color: str, *, bold: bool) -> Markup:
    """The interval as a bar, with an arrow at a side where it leaves the axis."""
    opens, closes = estimate.low is None, estimate.high is None
    start = axis.left if estimate.low is None else axis.at(estimate.low)
    end = axis.right if estimate.high is None else axis.at(estimate.high)
    body = [_line(start, y, max(end, start + 0.1), y, color, width=8 if bold else 6, opacity=0.5)]
    opens = opens or (estimate.low is not None and estimate.low < axis.low)
    closes = closes or (estimate.high is not None and estimate.high > axis.high)
    for leaves, x, way in ((opens, start, -1), (closes, end, 1)):
        if leaves:
            corners = ((x + 2 * way, y - 6), (x + 11 * way, y), (x + 2 * way, y + 6))
            path = " ".join(f"{cx:.1f},{cy:.1f}" for cx, cy in corners)
            body.append(Markup('<polygon points="{}" fill="{}"/>').format(path, color))
    return Markup("").join(body)


def _dot(x: float, y: float, color: str, *, bold: bool, sure: bool) -> Markup:
    """A full dot, or a ring where no interval is known."""
    fill, stroke = (color, _SURFACE) if sure else (_SURFACE, color)
    return Markup(
        '<circle cx="{:.1f}" cy="{:.1f}" r="{}" fill="{}" stroke="{}" stroke-width="2"/>'
    ).format(x, y, 6.5 if bold else 5.5, fill, stroke)


def _domain(estimates: Sequence[Estimate], *, zero_line: bool) -> tuple[float, float]:
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


def _ticks(low: float, high: float) -> tuple[list[float], float]:
    """Round values from at or below `low` to at or above `high`, and the step between them."""
    rough = (high - low) / 5
    size = 10.0 ** floor(log10(rough))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [place * step for place in range(first, last + 1)], step


def _digits(step: float, unit: Unit) -> int:
    """Decimals that tell values a step apart."""
    scaled = step * 100 if unit == "percent" else step
    return max(0, min(6, ceil(-log10(scaled) - 1e-9)))


def _number(value: float, unit: Unit, digits: int, *, sign: bool) -> str:
    """The value in print, with a true minus, and with a sign where it is a difference."""
    scaled = value * 100 if unit == "percent" else value
    rounded = round(scaled, digits) + 0.0  # no "-0"
    text = f"{rounded:+,.{digits}f}" if sign and rounded else f"{rounded:,.{digits}f}"
    return text.replace("-", "−") + ("%" if unit == "percent" else "")


# --- shapes ------------------------------------------------------------------------------------


def _svg(height: float, title: str, body: Markup, *, width: float = _WIDTH) -> Markup:
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {:g} {:g}" '
        'width="100%" role="img" style="{};font-size:12.5px;font-variant-numeric:tabular-nums">'
        "{}{}</svg>"
    ).format(width, height, _FONT, _tip(title), body)


def _tip(text: str) -> Markup:
    """A title: what a screen reader says, and a pointer shows."""
    return Markup("<title>{}</title>").format(_printable(text))


def _note(height: float, text: str) -> Markup:
    return _text(_WIDTH / 2, height / 2 + 4, text, anchor="middle")


def _line(
    x1: float, y1: float, x2: float, y2: float, color: str = "currentColor", *, width: float = 1,
    opacity: float,
) -> Markup:  # fmt: skip
    return Markup(
        '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}" stroke-width="{}" '
        'stroke-opacity="{}" stroke-linecap="round"/>'
    ).format(x1, y1, x2, y2, color, width, opacity)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", opacity: float = _MUTED,
    weight: int = 400, then: str = "",
) -> Markup:  # fmt: skip
    """A line of text, and `then` a lighter one right after it."""
    more = Markup('<tspan dx="{}" font-weight="400" fill-opacity="{}">{}</tspan>')
    return Markup(
        '<text x="{:.1f}" y="{:.1f}" text-anchor="{}" font-weight="{}" fill="currentColor" '
        'fill-opacity="{}">{}{}</text>'
    ).format(
        x, y, anchor, weight, opacity, _printable(text),
        more.format(8 if text else 0, _MUTED, _printable(then)) if then else "",
    )  # fmt: skip


def _printable(text: str) -> str:
    """The text with a space for each character that XML or one line cannot carry."""
    return "".join(char if char.isprintable() else " " for char in text)


def _cut(text: str, columns: int = 52) -> str:
    """The text, ended by "…" where it is wider than its column."""
    room = columns
    for place, char in enumerate(text):
        room -= 2 if east_asian_width(char) in "WF" else 1
        if room < 0:
            return text[: place - 1].rstrip(" |,.;:–-") + "…"
    return text
