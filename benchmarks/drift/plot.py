"""The gain of every entry over static A/B by day, one panel a setting, as an SVG drawing."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from benchmarks.drift.entries import FORMS, OURS, STATIC
from benchmarks.drift.table import Table
from hookline.svg import Axis, digits, drawing, line, number, polyline, spread, text, ticks

LEFT, RIGHT, LABELS = 60, 720, 736
TOP, HEIGHT, PITCH = 34, 300, 390
FIRST_DAY: Final = 4
"""Day the lines begin: gains of the first days are too unsteady to look at."""
INK: Final = "#c2410c"
INKS: Final = (
    "#2563eb", "#0d9488", "#7c3aed", "#64748b", "#be185d", "#4d7c0f", "#0369a1", "#a16207",
    "#6d28d9", "#475569", "#15803d",
)  # fmt: skip


def plot(tables: Sequence[Table]) -> str:
    """The drawing: cumulative gain in clicks, mean over seeds; the axis is shared by all panels."""
    lifts = [
        value for table in tables for row in table.rows.values() for value in row.lift[FIRST_DAY:]
    ]
    marks, step = ticks(min(lifts), max(lifts) + 1e-6)
    body = [
        _panel(table, PITCH * place, marks, digits(step, "percent"))
        for place, table in enumerate(tables)
    ]
    title = f"Gain in clicks over {STATIC} so far, by day"
    return str(drawing(PITCH * len(tables), title, Markup("").join(body)))


def _panel(table: Table, top: float, marks: Sequence[float], decimals: int) -> Markup:
    """One setting: a line per entry, its label at the end."""
    upright = Axis(marks[0], marks[-1], top + TOP + HEIGHT, top + TOP)
    days = len(table.rows[STATIC].lift)
    across = Axis(FIRST_DAY, days - 1, LEFT, RIGHT)
    seeds = len(table.seeds)
    told = f"clicks gained over {STATIC} so far, mean of {seeds} seeds"
    body = [text(0, top + 18, table.setting, weight=600, opacity=1, then=told)]
    for mark in marks:
        y = upright.at(mark)
        body.append(line(LEFT, y, RIGHT, y, opacity=0.5 if mark == 0 else 0.1))
        shown = number(mark, "percent", decimals, sign=True)
        body.append(text(LEFT - 8, y + 4, shown, anchor="end"))
    foot = top + TOP + HEIGHT + 18
    body += [
        text(across.at(day), foot, f"day {day}", anchor="middle") for day in range(15, days, 15)
    ]
    shown_rows = [(label, row.lift) for label, row in table.rows.items() if label != STATIC]
    ends = [upright.at(lift[-1]) for _, lift in shown_rows]
    places = spread(ends, 15, top + TOP, top + TOP + HEIGHT)
    for turn, ((label, lift), place) in enumerate(zip(shown_rows, places, strict=True)):
        ink = INK if label in FORMS else INKS[turn % len(INKS)]
        points = [(across.at(day), upright.at(lift[day])) for day in range(FIRST_DAY, days)]
        whole = label == OURS
        dashes = "4 3" if label in FORMS and not whole else "none"
        body.append(polyline(points, ink, width=2.5 if whole else 1.25, dashes=dashes))
        gain = number(lift[-1], "percent", 1, sign=True)
        body.append(line(RIGHT, points[-1][1], LABELS - 4, place, ink, opacity=0.6))
        body.append(text(LABELS, place + 4, label, weight=600 if whole else 400, then=gain))
    return Markup("").join(body)
