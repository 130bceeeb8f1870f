"""Tuning by scores of what the model draws: group relative policy optimisation.

Shao et al., *DeepSeekMath* (2024): copies of one brief compete, and each counts by how far its
score lies above their mean, in their standard deviations. A piece is made likelier or less likely
by that, at most by `trust` beyond what it was when drawn. KL to the base is Schulman's k3, the mean
of e^d − d − 1, with d the log-likelihood under the base less that under the model. Every piece
counts the same, so that long copies are not learned from less (Yu et al., *DAPO*, 2025).

Pieces that did not fit what was left of a field could not be drawn; likelihoods don't leave them
out. The model gives them little: the rooms left are among what it reads.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import nan, sqrt
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.house.batches import Line
from hookline.prior.export import require
from hookline.tune.house.drawn import Sample, can_write, draw
from hookline.tune.house.recipes import GoOn, Memory, Progress, Rewarding
from hookline.tune.house.tuner import HouseTuner, Tensor, loaded, lots
from hookline.types import Brief, content_hash
from hookline.writers.house import DEFAULT
from hookline.writers.house.network import Network

Reals = NDArray[np.float64]
Score = Callable[[Sequence[Sample]], Reals]
"""Copies that fit, group by group → a score each, (copies,), higher for better. A group holds up to
`per_brief` copies of one brief; those that don't fit are not shown and count as its worst."""

_SAME: Final = 1e-6
"""Spread of scores, in units of scores, below which copies of a group don't differ."""
_STEEPEST: Final = 1.5
"""Most that the pace changes by from one step to the next."""
_SLOWEST: Final = 0.01


def tune_by_reward(  # noqa: PLR0913 - keywords, each a choice of its own
    briefs: Sequence[Brief],
    score: Score,
    out: Path,
    *,
    base: Network | Path = DEFAULT,
    recipe: Rewarding | None = None,
    memory: Memory | None = None,
    device: str = "cpu",
    save_every: int = 20,
    go_on: GoOn = lambda _: True,
) -> tuple[HouseTuner, Progress]:
    """The model tuned to draw copies that score well, and how far it came.

    Args:
        briefs: What is drawn for, in random order, again and again.
        score: Called once a step, with all the step's copies that fit, in their groups' order.
        out: Folder for the checkpoint. Where one lies there, tuning goes on from it.
        base: The model to begin from, or its folder.
        recipe: How to tune. Of a tuning that goes on, only the steps may differ.
        memory: What the score keeps from step to step; None if it keeps nothing.
        device: Where, in torch's words: "cpu", "cuda".
        save_every: Steps between checkpoints; one is written at the end, too.
        go_on: Told how far it is after each step; False stops it there, to go on later.

    Raises:
        BadInput: Where torch is missing, the base is none, there is no brief or one that the model
            can't write for, or a score is no number.
        Refused: Where the checkpoint is of another tuning.
    """
    recipe = recipe or Rewarding()
    tuner = HouseTuner(loaded(base), clip=recipe.clip, device=device, fine=True)
    if not briefs or not all(can_write(tuner.base, brief) for brief in briefs):
        raise BadInput("name one or more briefs, all of which the house model can write for")
    asked = {**asdict(recipe), "steps": 0}
    of = content_hash("grpo", asked, tuner.base.build.version, [brief.id for brief in briefs])
    kept = tuner.resume(out, of)
    if memory is not None and kept is not None:
        memory.load(kept)
    done = Progress(
        method="grpo", share=tuner.steps / recipe.steps, steps=tuner.steps, seen=tuner.seen
    )
    while tuner.steps < recipe.steps:
        done = _Step.of(tuner, briefs, score, recipe).learn()
        going = go_on(done)
        if tuner.steps % save_every == 0 or not going or tuner.steps == recipe.steps:
            tuner.save(out, of, b"" if memory is None else memory.dump())
        if not going:
            break
    return tuner, done


def advantages(scores: Reals, groups: NDArray[np.intp], fit: NDArray[np.bool_]) -> Reals:
    """How far each copy's score lies above its group's mean, in the group's standard deviations.

    A copy that doesn't fit counts as one standard deviation of all scores below the worst that
    does. Where none of a group fits or all are alike, they are 0.

    Args:
        scores: Of every copy; those of copies that don't fit are not looked at, (copies,).
        groups: Which group each belongs to, (copies,).
        fit: Whether each fits, (copies,).

    Examples:
        >>> fit = np.array([True, True, False, True])
        >>> advantages(np.array([3.0, 1.0, 0.0, 2.0]), np.array([0, 0, 0, 1]), fit).round(
        ...     2
        ... ).tolist()
        [1.36, -0.33, -1.02, 0.0]
    """
    found = np.zeros(len(scores))
    below = (float(scores[fit].std()) if fit.any() else 0.0) or 1.0
    for group in np.unique(groups):
        inside = groups == group
        if not (inside & fit).any():
            continue
        worst = scores[inside & fit].min() - below
        known = np.where(fit[inside], scores[inside], worst)
        found[inside] = (known - known.mean()) / (known.std() + _SAME)
    return found


@dataclass(frozen=True, slots=True)
class _Lot:
    """Drawn lines that are learned from at once.

    Attributes:
        lines: The lines.
        gains: Each line's advantage, (lines, 1).
        base: Log-likelihood of each piece under the base, (lines, length).
    """

    lines: Sequence[Line]
    gains: Tensor
    base: Tensor


@dataclass(frozen=True, slots=True)
class _Step:
    """One step: the copies that were drawn and what they are worth."""

    tuner: HouseTuner
    recipe: Rewarding
    lots: Sequence[_Lot]
    score: float
    fit: float

    @classmethod
    def of(
        cls, tuner: HouseTuner, briefs: Sequence[Brief], score: Score, recipe: Rewarding
    ) -> "_Step":
        """Draws, and has scored what was drawn."""
        turn = _turn(briefs, recipe, tuner.steps)
        seed = (recipe.seed, 1, tuner.steps)
        samples = draw(tuner.network(), turn, recipe.per_brief, seed=seed)
        read = {
            at: line
            for at, each in enumerate(samples)
            if each.row is not None and (line := tuner.reader.line(each.row)) is not None
        }
        samples = [replace(each, fit=each.fit and at in read) for at, each in enumerate(samples)]
        order = list(read)
        cut = lots([len(read[at].rooms) for at in order], recipe.batch) if order else []
        batches = [[order[at] for at in lot] for lot in cut]
        bases = [tuner.chosen([read[at] for at in lot], base=True) for lot in batches]
        for lot, base in zip(batches, bases, strict=True):
            for at, nats in zip(lot, base.sum(1).tolist(), strict=True):
                samples[at] = replace(samples[at], loglik=nats / len(read[at].rooms))
        scores, fit = _scored(samples, score)
        gains = advantages(scores, np.array([each.group for each in samples]), fit)
        made: list[_Lot] = []
        for lot, base in zip(batches, bases, strict=True):
            lines = [read[at] for at in lot]
            worth = base.new_tensor(gains[lot].tolist())[:, None]
            made.append(_Lot(lines, worth, base))
        mean = float(scores[fit].mean()) if fit.any() else nan
        return cls(tuner, recipe, made, mean, float(fit.mean()))

    def learn(self) -> Progress:
        """Learns from the copies; how far the tuning is then."""
        tuner, recipe = self.tuner, self.recipe
        rate = recipe.rate_at(tuner.steps, tuner.pace)
        looks, drawn = list[_Look](), list[Tensor]()
        for _ in range(recipe.looks if self.lots else 0):
            look = _Look()
            look.loss, look.norm = tuner.update(self._losses(look, drawn), rate)
            looks.append(look)
        tuner.steps += 1
        done = Progress(
            method="grpo",
            share=tuner.steps / recipe.steps,
            steps=tuner.steps,
            seen=tuner.seen,
            rate=rate,
            score=self.score,
            fit=self.fit,
        )
        if not looks:
            return done
        first, second = looks[:2]
        tuner.seen += first.pieces
        moved = second.moved / second.pieces
        change = sqrt(recipe.reach / max(moved, 1e-12))  # the KL grows as the rate's square
        pace = tuner.pace * min(max(change, 1 / _STEEPEST), _STEEPEST)
        tuner.pace = min(max(pace, _SLOWEST), 1.0)
        return replace(
            done,
            seen=tuner.seen,
            loss=first.loss,
            norm=first.norm,
            entropy=first.entropy / first.pieces,
            kl=first.kl / first.pieces,
            moved=moved,
        )

    def _losses(self, look: "_Look", drawn: list[Tensor]) -> Iterator[Tensor]:
        """The loss of each lot; what is seen on the way is noted down.

        Args:
            look: Where to.
            drawn: How likely each lot's pieces were when drawn; the first look says it.
        """
        torch: Any = require("torch")
        recipe, whole = self.recipe, sum(len(line.rooms) for lot in self.lots for line in lot.lines)
        for at, lot in enumerate(self.lots):
            said = self.tuner.said(lot.lines, compare=False)
            if len(drawn) == at:
                drawn.append(said.base)
            change = said.chosen - drawn[at]
            ratio = change.exp()
            kept = ratio.clamp(1 - recipe.trust, 1 + recipe.trust)
            gained = torch.minimum(ratio * lot.gains, kept * lot.gains)
            astray = _k3(lot.base - said.chosen)
            look.pieces += said.pieces
            look.entropy += said.entropy
            look.kl += float(astray.detach().sum())
            look.moved += float(_k3(change.detach()).sum())
            yield ((recipe.beta * astray - gained) * said.inside).sum() / whole


@dataclass(slots=True)
class _Look:
    """What one update saw, summed over the pieces."""

    loss: float = nan
    norm: float = nan
    pieces: int = 0
    entropy: float = 0.0
    kl: float = 0.0
    moved: float = 0.0


def _k3(difference: Tensor) -> Tensor:
    """Divergence from what pieces were drawn from, piece by piece; 0 where likelihoods agree."""
    return difference.exp() - difference - 1


def _turn(briefs: Sequence[Brief], recipe: Rewarding, step: int) -> list[Brief]:
    """The briefs of a step: one after the other in an order drawn anew when all had their turn."""
    turn: list[Brief] = []
    for at in range(step * recipe.briefs, (step + 1) * recipe.briefs):
        again, place = divmod(at, len(briefs))
        order = np.random.default_rng((recipe.seed, 0, again)).permutation(len(briefs))
        turn.append(briefs[int(order[place])])
    return turn


def _scored(samples: Sequence[Sample], score: Score) -> tuple[Reals, NDArray[np.bool_]]:
    """Every copy's score, 0 for those that don't fit, and which do."""
    fit = np.array([each.fit for each in samples])
    scores = np.zeros(len(samples))
    if fit.any():
        fitting = [each for each in samples if each.fit]
        found = np.asarray(score(fitting), np.float64)
        if found.shape != (len(fitting),) or not np.isfinite(found).all():
            raise BadInput("the score must give one number for each copy")
        scores[fit] = found
    return scores, fit
