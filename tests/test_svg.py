"""Shapes and scales of the charts: labels apart, axes shared, text safe."""

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from hookline.svg import Axis, IntervalRow, Layout, cut, interval_chart, line, spread, text
from hookline.types import Estimate

SVG = "{http://www.w3.org/2000/svg}"


def row(value: float, reach: float = 0.01) -> IntervalRow:
    found = Estimate(estimate=value, low=value - reach, high=value + reach)
    return ("Row", found, "red", False)


def texts(svg: Markup) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]


def test_axis_is_linear_and_ends_at_its_ends() -> None:
    axis = Axis(-1, 3, 100, 500)
    assert [axis.at(value) for value in (-5, -1, 0, 3, 9)] == [100, 100, 200, 500, 500]


def test_spread_moves_neighbours_apart_around_where_they_would_be() -> None:
    assert spread([50, 50, 90], 10, 0, 100) == [45, 55, 90]
    assert spread([90, 50, 50], 10, 0, 100) == [90, 45, 55]


@given(st.lists(st.floats(-50, 150), max_size=15), st.floats(1, 20))
def test_spread_keeps_the_gap_the_order_and_the_frame(places: list[float], gap: float) -> None:
    found = spread(places, gap, 0, 100)
    room = min(gap, 100 / max(1, len(places) - 1))
    ordered = sorted(found)
    assert all(b - a >= room - 1e-6 for a, b in pairwise(ordered))
    assert all(-1e-6 <= place <= 100 + 1e-6 for place in found)
    pairs = [(p, q, f, g) for p, f in zip(places, found, strict=True)
             for q, g in zip(places, found, strict=True)]  # fmt: skip
    assert all(f < g for p, q, f, g in pairs if p < q)


@given(st.lists(st.integers(0, 9), max_size=9, unique=True))
def test_spread_leaves_labels_with_room_alone(places: list[int]) -> None:
    assert spread([10.0 * place for place in places], 10, 0, 90) == [10 * place for place in places]


def test_interval_chart_fits_its_layout() -> None:
    layout = Layout(labels=200, plot=220, figures=80, decimals=3)
    svg = interval_chart([row(0.1)], zero_line=True, title="Mine", layout=layout)
    root = ET.fromstring(svg)
    assert root.attrib["viewBox"].split()[2] == "500"
    assert root[0].text == "Mine"
    assert "+10.000%" in texts(svg)  # narrow figures leave the interval to the tip
    (tip,) = (node.text for node in root.iter(f"{SVG}title") if node.text != "Mine")
    assert tip == "Row: +10.000% +9.000 to +11.000%"


def test_interval_chart_has_room_for_what_stands_beside_it() -> None:
    def place(beside: list[Estimate]) -> float:
        svg = interval_chart([row(0.1)], zero_line=True, beside=beside)
        (dot,) = ET.fromstring(svg).iter(f"{SVG}circle")
        return float(dot.attrib["cx"])

    assert place([row(0.4)[1]]) < place([])


@pytest.mark.parametrize(
    ("label", "width", "expected"),
    [("short", 100, "short"), ("a much longer label", 76, "a much lo…"), ("長い文字", 46, "長い…")],
)
def test_cut_ends_what_is_too_wide(label: str, width: float, expected: str) -> None:
    assert cut(label, width) == expected


def test_text_and_line_are_sound_xml() -> None:
    node = ET.fromstring(text(1, 2, "<b>\x00&", then="more"))
    assert node.text == "<b> &"
    assert ET.fromstring(line(0, 0, 1, 1, '"red"', opacity=1)).attrib["stroke"] == '"red"'
