"""Past tests → a text prior in its folder.

    tests of other groups → n-gram model, encoder (tuned, taken over or none)
    held-out tests        → factor on each, and how far truth lies from their sum

The parts are then fitted again to all tests. Nothing is ever weighed on lines it learned from.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.past import PastTests
from hookline.prior.calibrate import Belief, calibrate, doubt, within
from hookline.prior.encoder import NETWORK, VECTORS, VOCABULARY, Encoder
from hookline.prior.export import Weights, export
from hookline.prior.finetune import Recipe, average, finetune
from hookline.prior.model import DEFAULT, LEARNED, Card, TextPrior, fingerprints
from hookline.prior.ngrams import NgramPrior

Array = NDArray[np.float64]

FOLDS = 5
TRIAL, RUN = "trial", "run"
_START = Belief(slopes=(0.8, 0.3), variance=0.045)
"""Factors on encoder and n-gram model to begin with; held-out tests soon outweigh them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to train.

    Attributes:
        name: What to call the prior.
        learned_from: Where the tests came from, in words.
        base: Hugging Face folder of a BERT to tune; None takes over the encoder of `take_over`.
        take_over: Folder of a prior whose encoder is used as it is; None, with no base, makes do
            with n-grams alone.
        runs: Tunings with different seeds whose weights are averaged.
        recipe: How to tune.
    """

    name: str
    learned_from: str
    base: Path | None = None
    take_over: Path | None = DEFAULT
    runs: int = 1
    recipe: Recipe = field(default_factory=Recipe)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """A new prior, and what its parts made of tests they had not seen.

    Attributes:
        prior: As saved.
        held_out: Tests that the factors were found on.
        score: Score of their lines by parts fitted without them, shape (lines,).
    """

    prior: TextPrior
    held_out: PastTests
    score: Array


Step = Callable[[str, int], Callable[[int], None]]
"""Opens a progress bar: title and total in, what moves it out."""


def train_prior(tests: PastTests, plan: Plan, out: Path, *, step: Step) -> Trained:
    """A prior learned from past tests, written to a folder.

    Args:
        tests: Tests of at least two groups.
        plan: What to train.
        out: Folder for it, made if need be. A tuning that was cut short goes on from there.
        step: Opens a progress bar.

    Raises:
        BadInput: Where there is but one group, or the encoder can't be tuned or taken over.
    """
    groups = np.unique(tests.groups).size
    if groups < 2:
        raise BadInput("a prior needs tests of at least two groups: one to learn from, one to try")
    folds = tests.folds(min(FOLDS, groups), seed=0)
    out.mkdir(parents=True, exist_ok=True)
    if plan.base is None:
        held, deep, plain = _taken_over(tests, folds, plan.take_over, step)
    else:
        held, deep, plain = _tried(tests, folds, plan, plan.base, out / TRIAL, step)
    card, score = _weighed(held, deep, plain, plan, tests)
    encoder = _encoder(tests, plan, out, step)
    ngrams = NgramPrior.fit(tests, teacher=encoder.score if encoder and plan.base else None)
    learned = np.unique(fingerprints(tests.texts))
    if plan.take_over is not None and plan.base is None:
        learned = np.union1d(learned, np.load(plan.take_over / LEARNED))
    prior = TextPrior(card, ngrams, encoder, learned)
    prior.save(out)
    for folder in (out / TRIAL, *out.glob(f"{RUN}-*")):
        shutil.rmtree(folder, ignore_errors=True)  # checkpoints, five times the prior's size
    return Trained(prior=prior, held_out=held, score=score)


def _taken_over(
    tests: PastTests, folds: NDArray[np.int64], encoder: Path | None, step: Step
) -> tuple[PastTests, Array | None, Array]:
    """All tests, the encoder's scores, and those of n-gram models fitted to the other folds."""
    line_folds = np.repeat(folds, tests.sizes)
    plain = np.zeros(len(tests.texts))
    every = np.unique(folds).tolist()
    moved = step("n-grams", len(every))
    for done, fold in enumerate(every, start=1):
        model = NgramPrior.fit(tests.take(np.flatnonzero(folds != fold)))
        rows = np.flatnonzero(line_folds == fold)
        plain[rows] = model.score([tests.texts[row] for row in rows])
        moved(done)
    return tests, Encoder.load(encoder).score(tests.texts) if encoder else None, plain


def _tried(
    tests: PastTests, folds: NDArray[np.int64], plan: Plan, base: Path, trial: Path, step: Step
) -> tuple[PastTests, Array, Array]:
    """The tests of one fold, and their scores by an encoder and its pupil that did not see them."""
    others, held = (tests.take(np.flatnonzero(mine)) for mine in (folds != 0, folds == 0))
    _tuned(others, plan, base, trial, step)
    encoder = Encoder.load(trial)
    pupil = NgramPrior.fit(others, teacher=encoder.score)
    return held, encoder.score(held.texts), pupil.score(held.texts)


def _encoder(tests: PastTests, plan: Plan, out: Path, step: Step) -> Encoder | None:
    """The encoder that goes into the prior."""
    if plan.base is not None:
        _tuned(tests, plan, plan.base, out, step)
    elif plan.take_over is not None:
        for name in (VOCABULARY, VECTORS, NETWORK):
            if plan.take_over.resolve() != out.resolve():
                shutil.copyfile(plan.take_over / name, out / name)
    else:
        return None
    return Encoder.load(out)


def _tuned(tests: PastTests, plan: Plan, base: Path, out: Path, step: Step) -> None:
    """Writes an encoder tuned on these tests."""
    runs: list[Weights] = []
    for run in range(plan.runs):
        recipe = replace(plan.recipe, seed=plan.recipe.seed + run)
        folder = out / f"{RUN}-{run}"
        folder.mkdir(parents=True, exist_ok=True)
        told = _Told(step, f"tuning on {len(tests):,} tests, run {run + 1}")
        runs.append(finetune(tests, base, folder, recipe=recipe, progress=told))
    export(average(runs), base, out, max_length=plan.recipe.max_length)


class _Told:
    """Opens a progress bar once the number of steps is known."""

    def __init__(self, step: Step, title: str) -> None:
        self._step = step
        self._title = title
        self._moved: Callable[[int], None] | None = None

    def __call__(self, done: int, total: int, loss: float) -> None:
        del loss
        self._moved = self._moved or self._step(self._title, total)
        self._moved(done)


def _weighed(
    held: PastTests, deep: Array | None, plain: Array, plan: Plan, tests: PastTests
) -> tuple[Card, Array]:
    """The card with its factors, and the score that they make."""
    parts = plain[:, None] if deep is None else np.stack([deep, plain], axis=1)
    parts = np.stack([within(part, held.starts) for part in parts.T], axis=1)
    slopes = _START.slopes if deep is not None else (1.0,)
    belief = calibrate(held, parts, replace(_START, slopes=slopes))
    score = belief.forecast(parts)
    weights = (0.0, *belief.slopes) if deep is None else belief.slopes
    apart = weights[0] * parts[:, 0] - parts[:, -1] if deep is not None else np.zeros_like(score)
    variance, more = doubt(held, score, apart)
    return Card(
        name=plan.name,
        learned_from=plan.learned_from,
        tests=len(tests),
        lines=len(tests.texts),
        encoder=deep is not None,
        encoder_weight=weights[0],
        ngram_weight=weights[1],
        variance=variance,
        doubt=more,
    ), score
