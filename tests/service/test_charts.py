"""Charts: sound XML, safe text, and pixels that say what the numbers say."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import get_args
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from hookline.service.charts import (
    IntervalRow,
    Unit,
    allocation_chart,
    arm_colors,
    interval_chart,
    share_bar,
)
from hookline.types import AllocationPoint, Arm, Estimate

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def arms(count: int, text: str = "Line") -> list[Arm]:
    return [
        Arm(id=f"a{i}", text=f"{text} {i}", parts={"t": text}, control=i == 0) for i in range(count)
    ]


def points(count: int, tested: list[Arm], hours: float = 6) -> list[AllocationPoint]:
    share = 1 / len(tested)
    return [
        AllocationPoint(
            at=START + timedelta(hours=hours * i),
            visitors=10,
            shares={arm.id: share for arm in tested},
        )
        for i in range(count)
    ]


def estimate(value: float | None, low: float | None, high: float | None) -> Estimate:
    return Estimate(estimate=value, low=low, high=high, n=100)


def row(label: str, found: Estimate) -> IntervalRow:
    return (label, found, "#123456", False)


def texts(svg: Markup) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]


def bands(svg: Markup) -> list[list[tuple[float, float]]]:
    """Corners of each polygon."""
    return [
        [(float(x), float(y)) for x, y in (p.split(",") for p in node.attrib["points"].split())]
        for node in ET.fromstring(svg).iter(f"{SVG}polygon")
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 30])
@pytest.mark.parametrize("tested", [1, 2, 40])
def test_allocation_chart_is_xml_with_a_title(count: int, tested: int) -> None:
    svg = allocation_chart(points(count, arms(tested)), arms(tested))
    root = ET.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text
    assert len(bands(svg)) == (tested if count else 0)


def test_allocation_chart_without_points_says_so() -> None:
    assert texts(allocation_chart([], arms(3))) == ["No traffic yet"]


def test_allocation_chart_stacks_up_to_the_whole_height() -> None:
    tested = arms(4)
    stacked = bands(allocation_chart(points(5, tested), tested))
    assert max(y for band in stacked for _, y in band) == pytest.approx(220)
    assert min(y for band in stacked for _, y in band) == pytest.approx(10)
    heights = [band[-1][1] - band[0][1] for band in stacked]
    assert heights == pytest.approx([52.5] * 4, abs=0.11)


def test_allocation_chart_puts_the_control_at_the_bottom() -> None:
    tested = [*arms(3)[1:], arms(3)[0]]
    svg = allocation_chart(points(4, tested), tested)
    lowest = ET.fromstring(svg).find(f"{SVG}polygon")
    assert lowest is not None
    assert "--arm-control" in lowest.attrib["fill"]


def test_allocation_chart_single_point_fills_the_width() -> None:
    (band,) = bands(allocation_chart(points(1, arms(1)), arms(1)))
    assert {x for x, _ in band} == {44.0, 945.0}


def test_allocation_chart_of_one_moment_shows_the_last_point() -> None:
    tested = arms(2)
    first, second = points(2, tested, hours=0)
    second = replace(second, shares={"a0": 0.2, "a1": 0.8})
    assert "80%" in texts(allocation_chart([first, second], tested))


def test_allocation_chart_escapes_text() -> None:
    tested = arms(2, "<script>alert('x')</script> & \"co\"\x00\n")
    svg = allocation_chart(points(3, tested), tested)
    assert "<script" not in svg
    titles = [node.text for node in ET.fromstring(svg).iter(f"{SVG}title")]
    assert any(title and title.startswith("<script>alert('x')") for title in titles)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(0.25, "12:00"), (1, "2 Mar"), (6, "4 Mar"), (24, "15 Mar"), (24 * 30, "Aug 2027")],
)
def test_allocation_chart_labels_time_in_round_steps(hours: float, expected: str) -> None:
    found = texts(allocation_chart(points(25, arms(1), hours), arms(1)))
    labels = [text for text in found if "%" not in text]
    assert 2 <= len(labels) <= 8
    assert expected in labels


def test_arm_colors_differ_and_leave_grey_to_the_control() -> None:
    found = arm_colors(arms(25))
    assert len(set(found.values())) == 25
    assert [arm for arm, color in found.items() if "--arm-control" in color] == ["a0"]


def test_arm_colors_do_not_depend_on_where_the_control_stands() -> None:
    tested = arms(4)
    assert arm_colors([*tested[1:], tested[0]]) == arm_colors(tested)


def test_share_bar_widths_are_shares() -> None:
    svg = share_bar({"a0": 0.25, "a1": 0.75}, arms(3))
    widths = [float(node.attrib["width"]) for node in ET.fromstring(svg).iter(f"{SVG}rect")]
    assert widths == [39.0, 119.0]


def test_share_bar_without_shares_is_empty() -> None:
    assert not list(ET.fromstring(share_bar({}, arms(3))).iter(f"{SVG}rect"))


def test_interval_chart_without_rows_says_so() -> None:
    assert texts(interval_chart([], zero_line=True)) == ["Nothing to compare yet"]


def test_interval_chart_prints_figures() -> None:
    svg = interval_chart([row("A", estimate(0.121, 0.108, 0.134))], zero_line=False)
    assert any(re.fullmatch(r"12\.10?%10\.80? to 13\.40?%", text) for text in texts(svg))


def test_interval_chart_signs_differences_with_a_true_minus() -> None:
    found = texts(interval_chart([row("A", estimate(0.12, -0.05, 0.3))], zero_line=True))
    assert "+12%−5 to +30%" in found
    assert "0%" in found


def test_interval_chart_prints_plain_numbers() -> None:
    rows = [row("A", estimate(12.5, 10.0, 15.0))]
    assert "12.510.0 to 15.0" in texts(interval_chart(rows, unit="number", zero_line=False))


@pytest.mark.parametrize("found", [estimate(None, None, None), estimate(0.2, None, None)])
def test_interval_chart_says_where_data_is_lacking(found: Estimate) -> None:
    svg = interval_chart([row("A", found)], zero_line=True)
    assert "not enough data yet" in texts(svg)
    rings = list(ET.fromstring(svg).iter(f"{SVG}circle"))
    assert len(rings) == (0 if found.estimate is None else 1)
    assert all("--surface" in ring.attrib["fill"] for ring in rings)


def test_interval_chart_cuts_a_very_wide_interval_with_arrows() -> None:
    usual = [row(f"A{i}", estimate(0.1, 0.05, 0.15)) for i in range(4)]
    svg = interval_chart([*usual, row("wide", estimate(0.1, -30.0, 40.0))], zero_line=True)
    assert len(bands(svg)) == 2
    assert len(bands(interval_chart(usual, zero_line=True))) == 0


def test_interval_chart_draws_an_open_side_as_an_arrow() -> None:
    svg = interval_chart([row("A", estimate(0.1, 0.05, None))], zero_line=True)
    (corners,) = bands(svg)
    assert max(x for x, _ in corners) > 556
    assert any(text.endswith("to ∞") for text in texts(svg))


def test_interval_chart_emphasises_zero_once() -> None:
    svg = interval_chart([row("A", estimate(0.1, -0.05, 0.2))], zero_line=True)
    strong = [n for n in ET.fromstring(svg).iter(f"{SVG}line") if n.attrib["stroke-width"] == "1.5"]
    assert len(strong) == 1


def test_interval_chart_escapes_and_cuts_long_labels() -> None:
    svg = interval_chart([row("<b>" + "長い" * 40, estimate(0.1, 0.0, 0.2))], zero_line=True)
    assert "<b>" not in svg
    label = texts(svg)[-2]
    assert label.startswith("<b>長")
    assert label.endswith("…")
    assert len(label) <= 27


bound = st.none() | st.floats(-1e6, 1e6, allow_nan=False) | st.sampled_from([0.0, 1e-9])


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.text(max_size=60), bound, bound, bound), max_size=6),
    st.booleans(),
    st.sampled_from(get_args(Unit)),
)
def test_interval_chart_draws_any_rows_inside_its_frame(
    rows: list[tuple[str, float | None, float | None, float | None]], zero: bool, unit: Unit
) -> None:
    svg = interval_chart(
        [(label, estimate(e, low, high), "red", True) for label, e, low, high in rows],
        unit=unit,
        zero_line=zero,
    )
    numbers = [
        float(value)
        for node in ET.fromstring(svg).iter()
        for key, value in node.attrib.items()
        if key in {"x", "x1", "x2", "cx"}
    ]
    assert all(isfinite(value) and -20 <= value <= 780 for value in numbers)
