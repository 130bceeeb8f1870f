"""The page of a back-test: one file, safe, and charts that say what the record says."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from math import inf, isfinite, nan
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from backtest.made_backtest import CLOSED, make_policies, make_result
from hookline.backtest.charts import (
    calibration_chart,
    gap_chart,
    picks_chart,
    picks_uplift_chart,
    uplift_chart,
)
from hookline.backtest.page import to_html
from hookline.backtest.result import BacktestResult, CalibrationBin
from hookline.backtest.words import name_of

SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Tags(HTMLParser):
    """All tags with their attributes; fails on one that is closed out of turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def texts(svg: Markup) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]


def text_nodes(svg: Markup) -> list[tuple[str, float, float]]:
    return [
        ("".join(node.itertext()), float(node.attrib["x"]), float(node.attrib["y"]))
        for node in ET.fromstring(svg).iter(f"{SVG}text")
    ]


def titles(svg: Markup) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}title")]


def circles(svg: Markup) -> list[tuple[float, float]]:
    return [
        (float(node.attrib["cx"]), float(node.attrib["cy"]))
        for node in ET.fromstring(svg).iter(f"{SVG}circle")
    ]


def with_closed(*closed: dict[str, float]) -> BacktestResult:
    """Budgets 50, 100, 150 … with these shares of the gap closed."""
    budgets = {50 * (i + 1): make_policies(each, 0.01) for i, each in enumerate(closed)}
    return replace(make_result(), budgets=budgets)


@pytest.mark.parametrize("external", [True, False])
def test_page_is_sound_and_asks_for_nothing(external: bool) -> None:
    page = to_html(make_result(external=external))
    tags = Tags(page).found
    assert {"script", "link", "img", "iframe"}.isdisjoint(tag for tag, _ in tags)
    assert not [attrs for _, attrs in tags if {"src", "href", "srcset"} & attrs.keys()]
    assert "url(" not in page
    assert "@import" not in page
    assert page.startswith("<!doctype html>")


def test_page_is_dark_and_printable() -> None:
    page = to_html(make_result())
    assert "color-scheme: light dark" in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_page_gives_every_chart_a_title_and_every_table_a_caption() -> None:
    page = to_html(make_result())
    charts = re.findall(r'<svg[^>]*class="chart".*?</svg>', page, re.DOTALL)
    assert len(charts) == 3 + 1 + 2 + 2  # uplift by budget, gap, picks, calibration
    assert all(titles(Markup(svg))[0] for svg in charts)
    assert all('role="img"' in svg for svg in charts)
    assert page.count("<caption>") == page.count("<table>") == 3 + 1 + 2


def test_page_escapes_all_that_comes_from_the_file() -> None:
    evil = "<script>alert('x')</script>"
    policies = make_policies({"hookline": 0.4, evil: 0.3}, 0.01)
    result = replace(
        make_result(),
        source=evil,
        skipped={evil: 1},
        notes=(evil,),
        truth_note=evil,
        budgets={50: policies},
    )
    page = to_html(result)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 8
    Tags(page)


def test_page_has_the_figures_of_charts_in_tables() -> None:
    page = to_html(make_result()).replace("\N{NO-BREAK SPACE}", " ")
    for shown in ("+10.1 %", "8.8 to 11.4", "46.0 %", "+14.7 %", "13.3 to 16.1"):
        assert f">{shown}<" in page
    assert "With 200 impressions per line, Hookline would have earned 11.4 % more clicks" in page
    assert "rows without a text: 12; tests without a click: 3<" in page
    assert page.count("is the oracle that knows these shrunken rates") == 2


def test_page_marks_one_leader_for_each_budget() -> None:
    assert to_html(make_result()).count('class="n best"') == 3


def test_page_without_external_predictions_never_speaks_of_them() -> None:
    assert "your predictions" not in to_html(make_result(external=False)).lower()


def test_page_bears_what_cannot_be_told() -> None:
    policies = make_policies({"hookline": 0.5, "ucb": 0.2}, nan)
    policies["ucb"] = replace(policies["ucb"], uplift_vs_uniform=nan, oracle_gap_closed=None)
    prior = replace(make_result().prior, top1=nan, chance=nan, uplift=nan, calibration=())
    result = replace(
        make_result(external=False), prior=prior, budgets={7: policies}, skipped={}, notes=()
    )
    page = to_html(result)
    Tags(page)
    for said in ("No tests", "Too few lines to tell", "not enough data yet", "<dd>nothing</dd>"):
        assert said in page
    assert "nan" not in page.lower()


def test_uplift_chart_sorts_policies_and_highlights_hookline() -> None:
    result = make_result()
    svg = uplift_chart(result, 50)
    found = texts(svg)
    expected = sorted(set(CLOSED) - {"uniform"}, key=lambda name: -CLOSED[name][0])
    assert [text for text in found if text in map(name_of, CLOSED)] == [*map(name_of, expected)]
    bold = [
        "".join(node.itertext())
        for node in ET.fromstring(svg).iter(f"{SVG}text")
        if node.attrib["font-weight"] == "600" and node.attrib["x"] == "0.0"
    ]
    assert bold == ["Hookline"]
    assert "Hookline: +10.1% 8.8 to +11.4%" in [title.replace("+8", "8") for title in titles(svg)]


def test_uplift_charts_have_the_same_axis() -> None:
    result = make_result()
    axes = [
        [node for node in text_nodes(uplift_chart(result, budget)) if node[0] in {"0%", "+10%"}]
        for budget in result.budgets
    ]
    assert len(axes[0]) == 2
    assert axes[0] == axes[1] == axes[2]


def test_picks_chart_bars_are_as_long_as_the_shares() -> None:
    svg = picks_chart(make_result())
    bars = [float(node.attrib["width"]) for node in ET.fromstring(svg).iter(f"{SVG}rect")]
    assert bars == pytest.approx([220 * 0.465 / 0.5] * 2, abs=0.1)
    assert texts(svg).count("chance 24.9%") == 2


def test_picks_uplift_chart_has_a_row_for_each_prediction() -> None:
    assert {"Text prior", "Your predictions", "+14.7%"} <= {
        *texts(picks_uplift_chart(make_result()))
    }
    assert len(circles(picks_uplift_chart(make_result(external=False)))) == 1


def test_gap_chart_heights_are_shares_and_widths_logarithms() -> None:
    svg = gap_chart(make_result(external=False))
    lines = [node.attrib["points"] for node in ET.fromstring(svg).iter(f"{SVG}polyline")]
    assert len(lines) == len(CLOSED) - 4  # neither uniform nor oracle, nor the two external
    spots = [tuple(map(float, spot.split(","))) for spot in lines[0].split()]
    (x0, y0), (x1, _), (x2, y2) = spots
    assert (x1 - x0) / (x2 - x0) == pytest.approx(0.4628, abs=0.001)  # log 4 over log 20
    ticks = {text: y - 4 for text, _, y in text_nodes(svg) if text in {"0%", "60%"}}
    unit = (ticks["0%"] - ticks["60%"]) / 0.6
    assert (ticks["0%"] - y0) / unit == pytest.approx(CLOSED["hookline"][0], abs=0.002)
    assert (ticks["0%"] - y2) / unit == pytest.approx(CLOSED["hookline"][2], abs=0.002)


shares = st.floats(-1, 1.2)


@settings(max_examples=60)
@given(
    st.lists(
        st.dictionaries(st.sampled_from([*CLOSED, "a", "b", "c"]), shares, min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_gap_chart_labels_never_overlap(closed: list[dict[str, float]]) -> None:
    svg = gap_chart(with_closed(*closed))
    labels = sorted(y for _, x, y in text_nodes(svg) if x > 300)
    assert all(after - before >= 14 for before, after in pairwise(labels))
    for node in ET.fromstring(svg).iter():
        places = [node.attrib[key] for key in ("x", "y", "cx", "cy") if key in node.attrib]
        assert all(isfinite(float(place)) and 0 <= float(place) <= 520 for place in places)


def test_gap_chart_leaves_out_labels_of_budgets_too_near() -> None:
    budgets = {at: make_policies({"ucb": 0.2}, 0.1) for at in (990, 1000, 20_000)}
    found = texts(gap_chart(replace(make_result(), budgets=budgets)))
    assert "990" in found
    assert "1,000" not in found
    assert "20,000" in found


def test_gap_chart_without_a_gap_says_so() -> None:
    assert texts(gap_chart(with_closed({"uniform": 0.0, "oracle": 1.0}))) == ["No way to go"]


def test_calibration_chart_of_a_right_prediction_lies_on_the_diagonal() -> None:
    bins = tuple(
        CalibrationBin(predicted=x, observed=x, ci=(x - 0.05, x + 0.05), arms=9)
        for x in (-0.3, 0.0, 0.2)
    )
    svg = calibration_chart("Text prior", replace(make_result().prior, calibration=bins))
    (diagonal,) = ET.fromstring(svg).iter(f"{SVG}polyline")
    (x0, y0), (x1, y1) = (map(float, spot.split(",")) for spot in diagonal.attrib["points"].split())
    for x, y in circles(svg):
        assert y == pytest.approx(y0 + (x - x0) * (y1 - y0) / (x1 - x0), abs=0.2)
    assert "predicted +22.1 %, observed +22.1 % (16.2 to 28.4), 9 lines" in titles(svg)


def test_calibration_chart_bears_unknown_intervals() -> None:
    bins = (
        CalibrationBin(predicted=0.1, observed=0.1, ci=(-inf, nan), arms=1),
        CalibrationBin(predicted=0.2, observed=nan, ci=(nan, nan), arms=1),
    )
    svg = calibration_chart("Text prior", replace(make_result().prior, calibration=bins))
    assert len(circles(svg)) == 1
