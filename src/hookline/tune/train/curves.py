"""What was measured while training, as one drawing: a panel for every objective.

No script: a page or a viewer that shows the file again shows how it stands now.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final

import regex
from markupsafe import Markup

from hookline import svg
from hookline.tune.train.recipe import Progress

HELD_OUT: Final = "held_out_"
"""What stands before the name of a value that was measured on held-out rows."""
_PANELS: Final = (
    (r"loss", "Loss"),
    (r"reward", "Reward, weighted sum"),
    (r"rewards/(?P<name>.+)/mean", "Reward: {name}"),
    (r"weights/(?P<name>.+)", "Weight of {name}"),
    (r"rewards/margins", "Chosen over rejected, implicit reward"),
    (r"rewards/accuracies", "Pairs told right, share"),
    (r"kl", "KL to the base, nats"),
    (r"entropy", "Entropy, nats a token"),
    (r"mean_token_accuracy", "Tokens foreseen, share"),
    (r"completions/mean_length", "Length of answers, tokens"),
    (r"learning_rate", "Learning rate"),
)
_OWN, _RIVAL = "var(--own, #1f6feb)", "var(--rival, #d55e00)"
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 500, 190, 58, 34, 158
Points = list[tuple[int, float]]


def curves(history: Sequence[Progress], *, steps: int) -> Markup:
    """Every objective over the steps; a dashed line is measured on held-out rows.

    Args:
        history: All that was measured.
        steps: Of the whole training: the axis has room for what is to come.
    """
    series = _series(history)
    shown = _titles(series)
    if not shown:
        return svg.drawing(96, "Training", svg.note(96, "Nothing measured yet"))
    body: list[Markup] = []
    for place, (name, title) in enumerate(shown):
        panel = _panel(title, series.get(name, []), series.get(HELD_OUT + name, []), steps)
        x, y = place % 2 * _WIDTH, place // 2 * _HEIGHT
        body.append(Markup('<g transform="translate({} {})">{}</g>').format(x, y, panel))
    height = (len(shown) + 1) // 2 * _HEIGHT + 8
    return svg.drawing(height, "Objectives over the steps of the training", Markup("").join(body))


def _series(history: Sequence[Progress]) -> Mapping[str, Points]:
    """Name → its points, finite ones."""
    found: dict[str, Points] = {}
    for progress in history:
        for name, value in progress.values.items():
            if isfinite(value):
                found.setdefault(name, []).append((progress.step, value))
    return found


def _titles(series: Mapping[str, Points]) -> list[tuple[str, str]]:
    """Name and title of every panel that has something to show, in the table's order."""
    names = sorted({name.removeprefix(HELD_OUT) for name in series})
    return [
        (name, title.format(**match.groupdict()))
        for pattern, title in _PANELS
        for name in names
        if (match := regex.fullmatch(pattern, name))
    ]


def _panel(title: str, own: Points, held_out: Points, steps: int) -> Markup:
    """One objective: its axes, its latest values, its lines."""
    values = [value for _, value in (*own, *held_out)]
    low, high = min(values), max(values)
    pad = (high - low) * 0.05 or abs(high) * 0.1 or 0.1
    marks, step = svg.ticks(low - pad, high + pad)
    up = svg.Axis(marks[0], marks[-1], _BOTTOM, _TOP)
    across = svg.Axis(0.0, max(steps, 1), _LEFT, _WIDTH - 24)
    lines = ((own, _OWN, "none"), (held_out, _RIVAL, "5 3"))
    drawn = [
        _curve([(across.at(at), up.at(value)) for at, value in points], color, dashes)
        for points, color, dashes in lines
        if points
    ]
    latest = f"{own[-1][1]:.4g}" if own else ""
    aside = f"held out {held_out[-1][1]:.4g}" if held_out else ""
    head = svg.text(_LEFT, 18, f"{title} {latest}".strip(), opacity=1, weight=600, then=aside)
    return Markup("").join([head, _grid(up, across, marks, step, steps), *drawn])


def _grid(
    up: svg.Axis, across: svg.Axis, marks: Sequence[float], step: float, steps: int
) -> Markup:
    """Level lines with their values, and the first and last step."""
    body = [
        svg.text(across.left, _BOTTOM + 20, "0", anchor="middle"),
        svg.text(across.right, _BOTTOM + 20, f"{steps:,} steps", anchor="end"),
    ]
    for mark in marks:
        y = up.at(mark)
        body.append(svg.line(across.left, y, across.right, y, opacity=0.1))
        body.append(svg.text(across.left - 8, y + 4, _figure(mark, step), anchor="end"))
    return Markup("").join(body)


def _figure(mark: float, step: float) -> str:
    """The value of a level line, short enough to stand beside it."""
    if step < 1e-5:
        return f"{mark:.2g}".replace("-", "−")
    return svg.number(mark, "number", svg.digits(step, "number"), sign=False)


def _curve(points: Sequence[tuple[float, float]], color: str, dashes: str) -> Markup:
    """A line through the points, and a dot at the latest."""
    x, y = points[-1]
    return svg.polyline(points, color, dashes=dashes) + svg.dot(x, y, color, radius=3)
