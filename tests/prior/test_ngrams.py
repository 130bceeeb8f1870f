"""The n-gram model: what it learns, what it must not depend on, and what it does with odd texts."""

import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.past import PastTests
from hookline.prior.ngrams import NgramPrior

FILLER = (
    *("desk", "lamp", "mug", "chair", "oak", "tin", "warm", "plain", "quiet"),
    *("garden", "kitchen", "morning", "for", "your", "with"),
)
GOOD, BAD = "marvellous", "tedious"


def archive(tests: int, *, effect: float = 0.4, seed: int = 0, shown: int = 3000) -> PastTests:
    """Tests of four lines each, in which one word raises clicks and another lowers them."""
    rng, words = np.random.default_rng(seed), random.Random(seed)
    texts = list[str]()
    effects = list[float]()
    for test in range(tests):
        for _ in range(4):
            extra, worth = words.choice([(GOOD, effect), (BAD, -effect), ("", 0.0)])
            line = [*words.choices(FILLER, k=6), extra, f"item{test}"]
            words.shuffle(line)
            texts.append(" ".join(word for word in line if word))
            effects.append(worth)
    level = np.repeat(rng.uniform(0.01, 0.03, tests), 4)
    impressions = np.full(len(texts), shown)
    return PastTests(
        test_ids=tuple(map(str, range(tests))),
        groups=np.arange(tests),
        starts=4 * np.arange(tests + 1),
        texts=tuple(texts),
        impressions=impressions,
        clicks=rng.binomial(impressions, level * np.exp(effects)).clip(1),
        predicted=None,
    )


def uplift(tests: PastTests, score: NDArray[np.float64]) -> float:
    """How much better the lines are that a score picks than lines picked at random."""
    spans = list(pairwise(tests.starts.tolist()))
    picked = np.mean([tests.rates[a:b][score[a:b].argmax()] for a, b in spans])
    return float(picked / np.mean([tests.rates[a:b].mean() for a, b in spans]) - 1)


@pytest.fixture(scope="module")
def model() -> NgramPrior:
    return NgramPrior.fit(archive(150))


def test_fit_picks_better_than_chance_on_new_tests(model: NgramPrior) -> None:
    fresh = archive(100, seed=1)
    best = uplift(fresh, fresh.rates)
    assert uplift(fresh, model.score(fresh.texts)) > 0.6 * best > 0.1


def test_fit_gives_the_words_about_their_true_worth(model: NgramPrior) -> None:
    plain, good, bad = model.score([f"oak desk {word} for your garden" for word in ("", GOOD, BAD)])
    assert 0.2 < good - plain < 0.6
    assert 0.2 < plain - bad < 0.6


def test_fit_learns_next_to_nothing_where_there_is_nothing() -> None:
    noise = archive(100, effect=0.0)
    scores = NgramPrior.fit(noise).score(archive(50, seed=1).texts)
    assert scores.std() < 0.05


def test_fit_takes_no_notice_of_how_good_whole_tests_were() -> None:
    tests = archive(60)
    rare = PastTests(
        test_ids=tests.test_ids,
        groups=tests.groups,
        starts=tests.starts,
        texts=tests.texts,
        # Twice as many impressions for all lines of every second test: half its click rate.
        impressions=tests.impressions * np.repeat(1 + np.arange(60) % 2, 4),
        clicks=tests.clicks,
        predicted=None,
    )
    assert NgramPrior.fit(rare).score(tests.texts) == pytest.approx(
        NgramPrior.fit(tests).score(tests.texts), abs=1e-12
    )


def test_fit_is_the_same_each_time_and_in_any_order_of_lines() -> None:
    tests = archive(40)
    rng = np.random.default_rng(5)
    order = np.concatenate([start + rng.permutation(4) for start in tests.starts[:-1]])
    shuffled = PastTests(
        test_ids=tests.test_ids,
        groups=tests.groups,
        starts=tests.starts,
        texts=tuple(tests.texts[index] for index in order),
        impressions=tests.impressions[order],
        clicks=tests.clicks[order],
        predicted=None,
    )
    scores = NgramPrior.fit(tests).score(tests.texts)
    assert NgramPrior.fit(tests).score(tests.texts).tolist() == scores.tolist()
    # An 8-bit step is all that the order of summation may move.
    moved = NgramPrior.fit(shuffled).score(tests.texts)
    assert moved == pytest.approx(scores, abs=0.02 * float(scores.std()))


@pytest.mark.parametrize("tests", [1, 2, 3, 20])
def test_fit_of_a_tiny_archive_is_cautious(tests: int) -> None:
    scores = NgramPrior.fit(archive(tests)).score(archive(20, seed=1).texts)
    assert np.isfinite(scores).all()
    assert scores.std() < 0.3


def test_fit_of_lines_that_all_did_alike_says_nothing() -> None:
    tests = archive(3)
    alike = PastTests(
        test_ids=tests.test_ids,
        groups=tests.groups,
        starts=tests.starts,
        texts=tests.texts,
        impressions=np.full(12, 100),
        clicks=np.full(12, 7),
        predicted=None,
    )
    assert NgramPrior.fit(alike).score(tests.texts) == pytest.approx(np.zeros(12), abs=1e-9)


def test_fit_leaves_out_tests_without_a_click() -> None:
    tests = archive(30)
    clicks = tests.clicks.copy()
    clicks[4:8] = 0
    rest = tests.take(np.delete(np.arange(30), 1))
    silent = PastTests(
        test_ids=tests.test_ids,
        groups=tests.groups,
        starts=tests.starts,
        texts=tests.texts,
        impressions=tests.impressions,
        clicks=clicks,
        predicted=None,
    )
    assert NgramPrior.fit(silent).score(tests.texts).tolist() == (
        NgramPrior.fit(rest).score(tests.texts).tolist()
    )


def test_fit_of_no_click_at_all_is_refused() -> None:
    tests = archive(2)
    silent = PastTests(
        test_ids=tests.test_ids,
        groups=tests.groups,
        starts=tests.starts,
        texts=tests.texts,
        impressions=tests.impressions,
        clicks=np.zeros(8, dtype=np.int64),
        predicted=None,
    )
    with pytest.raises(BadInput, match="no test has a click"):
        NgramPrior.fit(silent)


def test_fit_learns_from_a_teacher_what_clicks_do_not_show() -> None:
    def teacher(texts: Sequence[str]) -> NDArray[np.float64]:
        return np.array([0.5 * ("garden" in text.split()) for text in texts])

    model = NgramPrior.fit(archive(60), teacher=teacher)
    without, garden = model.score(["oak desk for your morning", "oak garden for your morning"])
    assert garden - without > 0.15
    again = NgramPrior.fit(archive(60), teacher=teacher)
    assert again.score(FILLER).tolist() == model.score(FILLER).tolist()


def test_fit_asks_a_teacher_about_other_lines_for_another_seed() -> None:
    asked = list[Sequence[str]]()

    def teacher(texts: Sequence[str]) -> NDArray[np.float64]:
        asked.append(texts)
        return np.array([float(len(text)) for text in texts])

    tests = archive(5)
    NgramPrior.fit(tests, teacher=teacher, seed=0)
    NgramPrior.fit(tests, teacher=teacher, seed=1)
    first, second = asked
    assert len(first) == len(second) == 5 * len(tests.texts)
    assert first[:20] == second[:20] == tests.texts
    assert first[20:] != second[20:]


def test_load_gives_back_what_was_saved(model: NgramPrior, tmp_path: Path) -> None:
    path = tmp_path / "ngrams.npz"
    model.save(path)
    texts = archive(20, seed=2).texts
    assert NgramPrior.load(path).score(texts).tolist() == model.score(texts).tolist()
    assert path.stat().st_size < 2_000_000
    again = tmp_path / "again.npz"
    NgramPrior.load(path).save(again)
    assert again.read_bytes() == path.read_bytes()


def test_load_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ngrams.npz"
    with pytest.raises(BadInput, match="cannot read"):
        NgramPrior.load(path)
    path.write_bytes(b"no archive")
    with pytest.raises(BadInput, match="cannot read"):
        NgramPrior.load(path)
    np.savez(path, table=np.zeros(8, dtype=np.int8), scale=1.0, version=1)
    with pytest.raises(BadInput, match="train it again"):
        NgramPrior.load(path)


def test_load_refuses_a_table_for_another_way_of_reading(model: NgramPrior, tmp_path: Path) -> None:
    path = tmp_path / "ngrams.npz"
    model.save(path)
    with np.load(path) as arrays:
        kept = dict(arrays)
    np.savez(path, table=kept["table"], scale=kept["scale"], version=0)
    with pytest.raises(BadInput, match="train it again"):
        NgramPrior.load(path)


def test_score_of_nothing_is_empty(model: NgramPrior) -> None:
    assert model.score([]).shape == (0,)


@given(
    st.lists(
        st.one_of(
            st.text(st.characters(codec=None), max_size=30),
            st.sampled_from(["", "\n", " \t ", "💡💡", "ΣΑΣ", "I\u0307", "don’t", "'", "a_b", "ﬁ"]),
        ),
        max_size=8,
    )
)
def test_score_of_a_line_depends_on_that_line_alone(model: NgramPrior, texts: list[str]) -> None:
    together = model.score(texts)
    assert together.tolist() == [model.score([text])[0] for text in texts]
    assert model.score(texts[::-1]).tolist() == together[::-1].tolist()


def test_score_of_very_long_and_very_many_lines_is_finite(model: NgramPrior) -> None:
    texts = ["x" * 10_000, f"{GOOD} " * 2_000, "?!" * 5_000, *["oak desk"] * 5_000]
    scores = model.score(texts)
    assert np.isfinite(scores).all()
    assert np.abs(scores).max() < 100
    assert len(set(scores[3:].tolist())) == 1


def test_score_takes_curly_and_straight_quotes_for_the_same(model: NgramPrior) -> None:
    curly, straight = model.score(["It’s “quiet”", 'It\'s "quiet"'])
    assert curly == straight
