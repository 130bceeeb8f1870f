"""Training a prior without torch: n-grams of one's own beside an encoder that is taken over."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hookline.backtest import measure_prior
from hookline.errors import BadInput
from hookline.past import PastTests
from hookline.prior import DEFAULT, TextPrior
from hookline.prior.ngrams import NgramPrior
from hookline.prior.train import Plan, train_prior

WORDS = ["amber", "basil", "cedar", "delta", "ember", "fable", "gamma", "hazel", "ivory", "jade"]


def archive(tests: int, seed: int = 0) -> PastTests:
    """Tests of three lines in which the word `secret` raises clicks by half."""
    rng = np.random.default_rng(seed)
    texts = [
        " ".join([*rng.permutation(WORDS)[:4], *(["secret"] if line == 1 else [])])
        for _ in range(tests)
        for line in rng.permutation(3).tolist()
    ]
    rates = 0.02 * np.where(["secret" in text for text in texts], 1.5, 1.0)
    return PastTests(
        test_ids=tuple(str(test) for test in range(tests)),
        groups=np.arange(tests),
        starts=np.arange(0, 3 * tests + 1, 3),
        texts=tuple(texts),
        impressions=np.full(3 * tests, 3000),
        clicks=rng.binomial(3000, rates),
        predicted=None,
    )


def quiet(title: str, total: int) -> Callable[[int], None]:
    assert title
    assert total > 0
    return lambda done: None


def test_fast_prior_learns_what_the_tests_say(tmp_path: Path) -> None:
    plan = Plan(name="mine", learned_from="made up", take_over=None)
    trained = train_prior(archive(150), plan, tmp_path, step=quiet)
    measured = measure_prior(trained.held_out, trained.score)
    assert measured.top1 > measured.chance + 0.3
    loaded = TextPrior.load(tmp_path)
    secret, plain = loaded.forecast(["the secret of cedar", "the fable of cedar"])
    assert secret.mean - plain.mean == pytest.approx(np.log(1.5), abs=0.2)
    assert not loaded.card.encoder
    # what was learned about the n-grams' worth is in the score
    raw = NgramPrior.load(tmp_path / "ngrams.npz").score(["the secret of cedar"])
    assert loaded.score(["the secret of cedar"]) == pytest.approx(loaded.card.ngram_weight * raw)


def test_prior_knows_the_lines_it_learned_from(tmp_path: Path) -> None:
    tests = archive(30)
    train_prior(tests, Plan(name="m", learned_from="x", take_over=None), tmp_path, step=quiet)
    known = TextPrior.load(tmp_path).has_learned_from([tests.texts[0].upper(), "never seen"])
    assert known.tolist() == [True, False]


def test_shipped_encoder_is_taken_over_and_weighed(tmp_path: Path) -> None:
    trained = train_prior(
        archive(150), Plan(name="mine", learned_from="made up"), tmp_path, step=quiet
    )
    card = TextPrior.load(tmp_path).card
    assert card.encoder
    assert card.ngram_weight > 0.5
    assert card == trained.prior.card
    # what the encoder learned from is known to the new prior, too
    assert np.isin(np.load(DEFAULT / "learned.npy"), np.load(tmp_path / "learned.npy")).all()
    one, other = TextPrior.load(tmp_path), trained.prior
    np.testing.assert_array_equal(one.score(["a secret"]), other.score(["a secret"]))


def test_one_group_is_refused(tmp_path: Path) -> None:
    tests = archive(1)
    with pytest.raises(BadInput, match="at least two groups"):
        train_prior(tests, Plan(name="m", learned_from="x"), tmp_path, step=quiet)
