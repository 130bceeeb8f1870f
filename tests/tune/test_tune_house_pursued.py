"""Tuning a tiny house model by what it draws itself: round by round, for every objective."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from hookline.errors import BadInput, Refused
from hookline.house.export import set_temperature
from hookline.perceive.encoders import encoder_named
from hookline.tune.house import (
    Preferred,
    Ranking,
    Rewarding,
    Round,
    Sample,
    Teaching,
    Won,
    draw,
    likelihood,
    ranked,
    tune_by_rank,
    tune_preferences,
    tune_supervised,
)
from hookline.tune.house.pursued import Pursued, pursue, varied_at
from hookline.tune.house.ranked import model_after
from hookline.tune.objectives import Candidate
from hookline.tune.reward import HeldOut, Lesson, RewardModel
from hookline.writers.house import House
from hookline.writers.house.network import Network
from tune.made_tiny import (
    CTAS,
    TEACHING,
    briefs,
    has_you,
    row,
)

pytestmark = pytest.mark.usefixtures("one_thread")


# --- by rank ------------------------------------------------------------------------------------


RANKING = Ranking(
    rounds=2, briefs=6, per_brief=8, teaching=Teaching(passes=8, batch=128, rate=5e-3, beta=0.1)
)


def ranking(method: Literal["sft", "dpo", "kto"]) -> Ranking:
    return replace(RANKING, method=method)


def share_of_you(folder: Path) -> float:
    drawn = [each for each in draw(Network.load(folder), briefs(4), 40, seed=11) if each.fit]
    return float(has_you(drawn).mean())


@pytest.mark.parametrize("method", ["dpo", "kto", "sft"])
def test_what_is_drawn_in_rounds_comes_to_score_better(
    base: Path, tmp_path: Path, method: Literal["sft", "dpo", "kto"]
) -> None:
    told: list[float] = []
    rounds = tune_by_rank(
        briefs(4),
        has_you,
        tmp_path / "out",
        base=base,
        recipe=ranking(method),
        tell=lambda done: told.append(done.share),
    )
    assert [each.number for each in rounds] == [1, 2]
    assert all(each.drawn == 48 and 0 < each.fit <= 1 for each in rounds)
    assert share_of_you(model_after(tmp_path / "out", 2)) > share_of_you(base) + 0.15
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_rounds_that_are_done_are_not_done_again(base: Path, tmp_path: Path) -> None:
    calls: list[int] = []

    def score(samples: Sequence[Sample]) -> np.ndarray:
        assert all(each.fit and each.loglik < 0 for each in samples)
        calls.append(len(samples))
        return has_you(samples)

    def run(folder: str, rounds: int) -> list[Round]:
        recipe = replace(RANKING, rounds=rounds)
        return tune_by_rank(briefs(4), score, tmp_path / folder, base=base, recipe=recipe)

    whole = run("whole", 2)
    run("halves", 1)
    halves = run("halves", 2)
    assert len(calls) == 4
    assert halves == whole
    one, other = (model_after(tmp_path / name, 2) for name in ("whole", "halves"))
    assert Network.load(one).build.version == Network.load(other).build.version
    with pytest.raises(Refused, match="another tuning"):
        tune_by_rank(
            briefs(4), score, tmp_path / "whole", base=base, recipe=replace(RANKING, seed=1)
        )


def test_a_round_that_is_found_wanting_is_the_last(base: Path, tmp_path: Path) -> None:
    def run() -> list[Round]:
        return tune_by_rank(
            briefs(4), has_you, tmp_path, base=base, recipe=RANKING, check=lambda _, n: f"after {n}"
        )

    assert [each.why for each in run()] == ["after 1"]
    assert [each.why for each in run()] == ["after 1"]
    assert not model_after(tmp_path, 2).exists()


def test_best_stands_beside_worst_and_what_does_not_fit_is_worst(copies: Sequence[Sample]) -> None:
    texts = {text: each for each in copies for text in [str(each.row)]}
    four = [replace(each, group=0) for each in list(texts.values())[:4]]
    pairs = ranked(four, np.array([1.0, 3.0, -np.inf, 2.0]), 0.5)
    assert pairs == [(four[1].row, four[2].row), (four[3].row, four[0].row)]
    assert ranked(four, np.array([1.0, 1.0, 1.0, 1.0]), 0.5) == []
    assert ranked(four, np.full(4, -np.inf), 0.25) == []
    assert ranked(four[:3], np.array([1.0, 3.0, 2.0]), 0.25) == []


@pytest.mark.parametrize(
    "wrong", [{"rounds": 0}, {"briefs": 0}, {"per_brief": 3}, {"share": 0.0}, {"share": 0.6}]
)
def test_rounds_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Ranking(**wrong)  # pyright: ignore[reportArgumentType]


# --- for every objective ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "all_of_it"),
    [
        (
            Rewarding(steps=2, briefs=4, per_brief=8, rate=5e-3, warm_up=2, reach=0.02, batch=256),
            {"steps": 4},
        ),
        (
            Ranking(rounds=1, briefs=6, per_brief=8, teaching=Teaching(batch=128, rate=3e-3)),
            {"rounds": 2},
        ),
    ],
)
def test_pursued_model_is_written_drawn_and_goes_on(
    net: Network,
    base: Path,
    tmp_path: Path,
    first: Ranking | Rewarding,
    all_of_it: dict[str, int],
) -> None:
    encoder = encoder_named("static")
    seen = [
        Lesson(
            candidate=Candidate(brief=brief, parts={"headline": text, "cta": CTAS[0]}, group=0),
            gain=gain,
            precision=50.0,
            stratum=brief.id,
            product_id=brief.product.id,
        )
        for brief in briefs(4)
        for text, gain in (("Made for you", 0.2), ("See the bag", -0.2))
    ]
    models = (
        RewardModel.fit(seen, encoder, seed=1, members=4),
        HeldOut(RewardModel.fit(seen, encoder, seed=2, members=4)),
    )

    def pursued(folder: str, recipe: Ranking | Rewarding) -> Pursued:
        return pursue(
            briefs(4), models, tmp_path / folder, encoder=encoder, base=base, recipe=recipe
        )

    recipe = replace(first, **all_of_it)
    whole = pursued("whole", recipe)
    pursued("halves", first)
    halves = pursued("halves", recipe)
    assert (halves.steps, halves.paid) == (whole.steps, whole.paid)
    assert (whole.folder.parent / "progress.svg").read_text().startswith("<svg")
    drafts = House(whole.folder).write(briefs(1)[0], 2, seed=1)
    assert drafts[0].prompt == Network.load(whole.folder).build.version != net.build.version
    assert bool(whole.why) == (whole.folder.parent / "stopped.json").exists()


def test_a_writer_that_narrowed_draws_more_boldly(base: Path, tmp_path: Path) -> None:
    copies = [each for each in draw(Network.load(base), briefs(4), 8, seed=3) if each.row]
    taught = [Won(row=row(each)) for each in copies[:1]]
    tuner, _ = tune_supervised(taught, tmp_path, base=base, recipe=replace(TEACHING, passes=20))
    tuner.export(tmp_path / "narrow")
    encoder = encoder_named("static")
    assert varied_at(base, base, briefs(4), encoder, 0) == 1.1
    assert varied_at(tmp_path / "narrow", base, briefs(4), encoder, 0) > 1.1


def test_a_model_draws_as_boldly_as_its_card_says(base: Path) -> None:
    before = Network.load(base).build
    assert before.temperature == 1.1
    assert set_temperature(base, 1.1) == before
    after = set_temperature(base, 1.4)
    assert (after.temperature, Network.load(base).build) == (1.4, after)
    assert after.version != before.version
    assert House(base)._luck.temperature == 1.4
    assert House(base, temperature=0.7)._luck.temperature == 0.7


def test_an_anchor_holds_up_the_better_line(
    net: Network, copies: Sequence[Sample], tmp_path: Path
) -> None:
    rows = [row(each) for each in copies[:8]]
    pairs = [Preferred(chosen=a, rejected=b) for a, b in pairwise(rows) if a != b]
    found: list[float] = []
    for anchor in (0.0, 2.0):
        recipe = replace(TEACHING, passes=6, anchor=anchor)
        tuner, _ = tune_preferences(
            pairs, tmp_path / f"{anchor}", method="dpo", base=net, recipe=recipe
        )
        found.append(float(likelihood(tuner.network(), [each.chosen for each in pairs]).mean()))
    assert found[1] > found[0]
    with pytest.raises(BadInput):
        Teaching(anchor=-1.0)
