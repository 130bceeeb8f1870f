"""The time of a decision by number of arms, both on logarithmic scales, as an SVG drawing."""

from collections.abc import Mapping
from math import ceil, floor, log10
from typing import Final

from markupsafe import Markup

from benchmarks.decide.players import OursWithMemory
from benchmarks.decide.race import Cost
from hookline.svg import Axis, dot, drawing, line, polyline, spread, text

LEFT, RIGHT, LABELS = 70, 720, 736
TOP, BOTTOM, HEIGHT = 34, 354, 390
INKS: Final = ("#c2410c", "#c2410c", "#2563eb", "#0d9488", "#7c3aed")


def plot(sweep: Mapping[int, Mapping[str, Cost]]) -> str:
    """The drawing: a line per player through its median times.

    Args:
        sweep: Number of arms → label → cost.
    """
    sizes = sorted(sweep)
    medians = [cost.median for row in sweep.values() for cost in row.values()]
    low, high = floor(log10(min(medians))), ceil(log10(max(medians)))
    up = Axis(low, max(high, low + 1), BOTTOM, TOP)
    across = Axis(log10(sizes[0]), log10(sizes[-1]), LEFT, RIGHT)
    body = [text(0, 18, "Time of a decision", weight=600, opacity=1, then="by number of arms")]
    for mark in range(low, max(high, low + 1) + 1):
        body.append(line(LEFT, up.at(mark), RIGHT, up.at(mark), opacity=0.1))
        body.append(text(LEFT - 8, up.at(mark) + 4, f"{10**mark:,g} µs", anchor="end"))
    body += [
        text(across.at(log10(size)), BOTTOM + 18, str(size), anchor="middle") for size in sizes
    ]
    labels = list(sweep[sizes[-1]])
    ends = [up.at(log10(sweep[sizes[-1]][label].median)) for label in labels]
    places = spread(ends, 15, TOP, BOTTOM)
    for label, ink, end, place in zip(labels, INKS, ends, places, strict=False):
        points = [
            (across.at(log10(size)), up.at(log10(sweep[size][label].median))) for size in sizes
        ]
        ours = label == OursWithMemory.label
        body.append(polyline(points, ink, width=2.5 if ours else 1.25))
        body += [dot(x, y, ink, radius=3) for x, y in points]
        body.append(line(RIGHT, end, LABELS - 4, place, ink, opacity=0.6))
        body.append(text(LABELS, place + 4, label, weight=600 if ours else 400))
    return str(drawing(HEIGHT, "Time of a decision by number of arms", Markup("").join(body)))
