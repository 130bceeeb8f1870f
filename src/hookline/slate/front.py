"""What each step of the creativity dial costs: diversity by predicted clicks, as data and SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import dist
from typing import Final

import numpy as np
from markupsafe import Markup

from hookline import svg
from hookline.diversity import Array, Vectors, off_diagonal
from hookline.errors import BadInput
from hookline.slate.choose import Mode, choose
from hookline.types import FrontPoint

DIALS: Final = tuple(step / 10 for step in range(11))
_WIDTH: Final = 520
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 500, 14, 300
_APART: Final = 16
"""Least distance of two dots that both bear their dial."""
_COLORS: Final = ("var(--own, #1f6feb)", "var(--rival, #d55e00)", "var(--third, #1a7f64)", svg.GREY)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pool:
    """The copies that one slate is chosen from.

    Attributes:
        promise: Log of each one's expected rate over a typical line's, shape (copies,).
        vectors: What each says, shape (copies, any).
    """

    promise: Array
    vectors: Vectors


def front(
    pools: Sequence[Pool],
    count: int,
    *,
    dials: Sequence[float] = DIALS,
    mode: Mode = "dpp",
) -> tuple[FrontPoint, ...]:
    """Mean diversity and predicted lift of slates of `count`, one point a dial, in their order.

    Args:
        pools: What each slate is chosen from; those of `count` copies or fewer leave no choice and
            say nothing of a dial.
        count: Copies of a slate, at least 2.
        dials: Values of creativity, 0 to 1.
        mode: How slates are chosen.

    Raises:
        BadInput: Where `count` is below 2, or no pool leaves a choice.
    """
    wide = [pool for pool in pools if len(pool.promise) > count]
    if count < 2 or not wide:
        raise BadInput("a front needs slates of 2 copies or more, and pools that leave a choice")
    points: list[FrontPoint] = []
    for dial in dials:
        found = [
            valued(pool, choose(pool.promise, pool.vectors, count, creativity=dial, mode=mode))
            for pool in wide
        ]
        diversity, lift = np.mean(found, axis=0).tolist()
        points.append(FrontPoint(creativity=dial, diversity=diversity, lift=lift))
    return tuple(replace(point, efficient=not _beaten(point, points)) for point in points)


def valued(pool: Pool, chosen: Sequence[int]) -> tuple[float, float]:
    """Diversity of the chosen copies, and their mean expected rate over the pool's, less 1."""
    rates = np.exp(pool.promise - pool.promise.max())
    own = list(chosen)
    return off_diagonal(pool.vectors[own]), float(rates[own].mean() / rates.mean() - 1.0)


def _beaten(point: FrontPoint, points: Sequence[FrontPoint]) -> bool:
    return any(
        other.diversity >= point.diversity
        and other.lift >= point.lift
        and (other.diversity, other.lift) != (point.diversity, point.lift)
        for other in points
    )


def front_chart(
    fronts: Mapping[str, Sequence[FrontPoint]],
    *,
    title: str = "Predicted clicks of a slate by its diversity",
    references: Mapping[str, float] | None = None,
) -> Markup:
    """The fronts as lines, each dial a dot with its value; rings are dials that another one beats.

    Args:
        fronts: Name → points, in the order of their dials.
        title: What a screen reader says.
        references: Name → a diversity to mark, as that of what people wrote.
    """
    marked = dict(references or {})
    points = [point for each in fronts.values() for point in each]
    if not points:
        return svg.drawing(96, title, svg.note(96, "No slates yet", width=_WIDTH), width=_WIDTH)
    across, inside = _axis([*(p.diversity for p in points), *marked.values()], _LEFT, _RIGHT)
    up, levels = _axis([p.lift for p in points], _BOTTOM, _TOP)
    body = [_frame(across, inside, up, levels)]
    body += [_reference(name, value, across) for name, value in marked.items()]
    for place, (name, own) in enumerate(fronts.items()):
        color = _COLORS[place % len(_COLORS)]
        body.append(_line(name, own, across, up, color))
        body.append(svg.dot(_LEFT + 12, _BOTTOM - 14 - 18 * place, color, radius=4.5))
        body.append(svg.text(_LEFT + 24, _BOTTOM - 10 - 18 * place, name))
    return svg.drawing(_BOTTOM + 44, title, Markup("").join(body), width=_WIDTH)


def _axis(values: Sequence[float], start: float, end: float) -> tuple[svg.Axis, list[float]]:
    """A scale with some air around the values, and the round values on it."""
    air = (max(values) - min(values)) * 0.08 or 0.01
    marks, _ = svg.ticks(min(values) - air, max(values) + air)
    return svg.Axis(marks[0], marks[-1], start, end), marks


def _frame(
    across: svg.Axis, inside: Sequence[float], up: svg.Axis, levels: Sequence[float]
) -> Markup:
    """Grid, values and names of both axes."""
    body: list[Markup] = []
    for mark in inside:
        x = across.at(mark)
        body.append(svg.line(x, _TOP, x, _BOTTOM, opacity=0.1))
        body.append(
            svg.text(x, _BOTTOM + 18, svg.number(mark, "number", 2, sign=False), anchor="middle")
        )
    decimals = svg.digits(levels[1] - levels[0], "percent")
    for mark in levels:
        y = up.at(mark)
        body.append(svg.line(_LEFT, y, _RIGHT, y, opacity=0.1))
        shown = svg.number(mark, "percent", decimals, sign=True)
        body.append(svg.text(_LEFT - 8, y + 4, shown, anchor="end"))
    body.append(
        svg.text((_LEFT + _RIGHT) / 2, _BOTTOM + 38, "diversity of the slate", anchor="middle")
    )
    return Markup("").join(body)


def _reference(name: str, value: float, across: svg.Axis) -> Markup:
    """An upright line with its name."""
    x = across.at(value)
    mark = svg.line(x, _TOP, x, _BOTTOM, opacity=0.6, width=1.5)
    near_end = x > (_LEFT + _RIGHT) / 2
    anchor, gap = ("end", -6) if near_end else ("start", 6)
    return mark + svg.text(x + gap, _TOP + 10, name, anchor=anchor)


def _line(
    name: str, points: Sequence[FrontPoint], across: svg.Axis, up: svg.Axis, color: str
) -> Markup:
    """One front: its line, a dot a dial, and what each is."""
    places = [(across.at(point.diversity), up.at(point.lift)) for point in points]
    body = [svg.polyline(places, color)]
    labelled: tuple[float, float] | None = None
    for point, (x, y) in zip(points, places, strict=True):
        reading = (
            f"{name}, creativity {point.creativity:g}: diversity {point.diversity:.3f}, "
            f"predicted clicks {point.lift:+.1%}"
        )
        full = svg.dot(x, y, color, radius=5, full=point.efficient)
        label = Markup("")
        if labelled is None or dist(labelled, (x, y)) >= _APART:
            label, labelled = svg.text(x + 8, y - 6, f"{point.creativity:g}"), (x, y)
        body.append(Markup("<g>{}{}{}</g>").format(svg.tip(reading), full, label))
    return Markup("").join(body)
