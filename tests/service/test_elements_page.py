from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from hookline.app import App
from hookline.service import make_service
from hookline.types import ElementReport, Estimate, ExperimentReport


def test_experiment_page_shows_the_strongest_elements_and_the_caution(
    shown: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = shown.live.experiment_report("hero")
    audience = plain.audiences[0]
    rows = tuple(
        ElementReport(
            attribute="tone",
            level=level,
            audience_id=whom,
            lines=2,
            others=5,
            effect=Estimate(estimate=middle, low=middle - 0.1, high=middle + 0.1, n=900),
        )
        for level, whom, middle in (("warm", None, 0.25), ("bold", audience.audience_id, -0.3))
    )

    def told(_key: str) -> ExperimentReport:
        return replace(plain, elements=rows)

    with TestClient(make_service(shown)) as http:
        assert "Which element works" not in http.get("/experiments/hero").text
        monkeypatch.setattr(shown.live, "experiment_report", told)
        page = http.get("/experiments/hero").text
    section = page.split("Which element works for whom")[1].split("<h2>")[0]
    assert section.index("tone: bold") < section.index("tone: warm")
    assert audience.name in section
    assert "<td>all</td>" in section
    assert "2 of 7" in section
    assert "−40.0% to −20.0%" in section
    assert "All of these are proven. An element is seen only in the lines that have it" in section
