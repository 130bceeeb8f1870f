"""The service's charts as inline SVG: pure functions of a report's records, drawn with `svg`.

Colours are CSS variables with a fall-back: `--arm-1` to `--arm-8`, `--arm-control`, `--surface`.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

from markupsafe import Markup

from hookline import svg
from hookline.svg import IntervalRow, Unit, interval_chart
from hookline.types import AllocationPoint, Arm

__all__ = ["IntervalRow", "Unit", "allocation_chart", "arm_colors", "interval_chart", "share_bar"]

# Okabe and Ito's colours without black and yellow, and two of Paul Tol's muted ones: published as
# told apart with any kind of colour blindness. Those that stand out on white come first.
_PALETTE = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#999933",
)  # fmt: skip
_TINTS = (100, 60, 35)  # per cent of the colour, for the first, second and further eight arms
_STEPS = tuple(
    timedelta(hours=h) for h in (1, 2, 4, 6, 12, 24, 48, 72, 168, 336, 720, 2160, 4320, 8760)
)


def arm_colors(arms: Sequence[Arm]) -> dict[str, str]:
    """Arm id → CSS colour: neutral grey for the control, the palette in order for the others.

    Past eight arms the palette comes again, lighter. Fit for `fill` and for `background`.

    Args:
        arms: In the order of the experiment.
    """
    colors = {arm.id: svg.GREY for arm in arms if arm.control}
    for i, arm in enumerate(arm for arm in arms if not arm.control):
        turn, place = divmod(i, len(_PALETTE))
        color = f"var(--arm-{place + 1}, {_PALETTE[place]})"
        tint = _TINTS[min(turn, len(_TINTS) - 1)]
        colors[arm.id] = (
            color if tint == 100 else f"color-mix(in oklab, {color} {tint}%, {svg.SURFACE})"
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
        return svg.drawing(96, title, svg.note(96, "No traffic yet"))
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
    return svg.drawing(252, title, Markup("").join(body))


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
                    x,
                    max(width - 1, 0.5),
                    colors[arm.id],
                    svg.tip(f"{arm.text}: {width / 160:.0%}"),
                )
            )
        x += width
    return svg.drawing(10, "Share of traffic by arm now", Markup("").join(body), width=160)


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
            ).format(path, colors[arm.id], svg.SURFACE, svg.tip(last))
        )
    return Markup("").join(body)


def _share_axis() -> Markup:
    body: list[Markup] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _up(share)
        body.append(svg.line(_LEFT, y, _RIGHT, y, opacity=0.35 if share == 0 else 0.1))
        body.append(svg.text(_LEFT - 8, y + 4, f"{share:.0%}", anchor="end"))
    return Markup("").join(body)


def _time_axis(begin: datetime, span: timedelta) -> Markup:
    body: list[Markup] = []
    for at, label in _time_ticks(begin, begin + span):
        x = _across((at - begin) / span if span else 0.5)
        body.append(svg.line(x, _BOTTOM, x, _BOTTOM + 5, opacity=0.35))
        body.append(svg.text(x, _BOTTOM + 22, label, anchor="middle"))
    return Markup("").join(body)


def _latest_shares(bands: Sequence[_Band]) -> Markup:
    """The last share of each arm that has room for a number, at the right edge."""
    body: list[Markup] = []
    for _, low, high in bands:
        share = high[-1] - low[-1]
        if share >= 0.07:
            y = _up((low[-1] + high[-1]) / 2) + 4
            body.append(svg.text(_RIGHT + 8, y, f"{share:.0%}", opacity=1, weight=600))
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
