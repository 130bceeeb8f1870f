"""A text prior in its folder, and the one that ships."""

from pathlib import Path

import numpy as np
import pytest

from hookline.errors import BadInput
from hookline.prior import DEFAULT, Belief, TextPrior

LINES = [
    "Our report on water",
    "They Drank This Every Day. Then Someone Tested It.",
    "Water quality in 12 cities",
]


@pytest.fixture(scope="module", name="shipped")
def _shipped() -> TextPrior:
    return TextPrior.load()


def test_shipped_prior_prefers_a_story_to_a_label(shipped: TextPrior) -> None:
    label, story, dry = (forecast.mean for forecast in shipped.forecast(LINES))
    assert story > label
    assert story > dry


def test_shipped_prior_is_small() -> None:
    assert sum(path.stat().st_size for path in DEFAULT.iterdir()) < 25_000_000


def test_forecast_is_about_the_lines_of_the_test(shipped: TextPrior) -> None:
    forecasts = shipped.forecast(LINES)
    assert sum(forecast.mean for forecast in forecasts) == pytest.approx(0, abs=1e-9)
    assert all(0.05 < forecast.sd < 1 for forecast in forecasts)


def test_forecast_trusts_the_score_as_far_as_it_is_told(shipped: TextPrior) -> None:
    plain = shipped.forecast(LINES)
    half = shipped.forecast(LINES, Belief(slopes=(0.5,), variance=4 * shipped.card.variance))
    for one, other in zip(plain, half, strict=True):
        assert other.mean == pytest.approx(0.5 * one.mean)
        assert other.sd == pytest.approx(2 * one.sd)


def test_doubt_grows_where_the_models_differ(shipped: TextPrior) -> None:
    sds = {forecast.sd for forecast in shipped.forecast(LINES)}
    assert (len(sds) > 1) == (shipped.card.doubt > 0)


def test_score_does_not_depend_on_the_other_lines(shipped: TextPrior) -> None:
    together = shipped.score(LINES)
    alone = [shipped.score([line])[0] for line in LINES]
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("text", ["", " ", "😀" * 50, "\0", "жизнь 生活", "word " * 3000])
def test_any_text_has_a_finite_score(shipped: TextPrior, text: str) -> None:
    assert np.isfinite(shipped.score([text])).all()
    assert np.isfinite(shipped.forecast([text, "plain"])[0].mean)


def test_no_lines_have_no_scores(shipped: TextPrior) -> None:
    assert shipped.score([]).shape == (0,)
    assert shipped.forecast([]) == []


def test_progress_ends_with_all_lines(shipped: TextPrior) -> None:
    told: list[int] = []
    TextPrior.load(fast=True).score(["line"] * 1100, progress=told.append)
    assert told[-1] == 1100
    assert told == sorted(told)
    assert shipped.card.encoder


def test_load_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no text prior: prior\.json is missing"):
        TextPrior.load(tmp_path)
    (tmp_path / "prior.json").write_text("{}")
    with pytest.raises(BadInput, match="can't be read"):
        TextPrior.load(tmp_path)
