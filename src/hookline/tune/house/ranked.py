"""Tuning by which of its own copies score best: preferences that the model makes for itself.

    round:  the model → draw → score → a brief's best and worst copies → taught → the model
            ↑_________________________________________________________________________↓

Preferences learned on what the model itself draws stay honest as it moves (Guo et al. 2024, *Direct
Language Model Alignment from Online AI Feedback*, https://arxiv.org/abs/2402.04792). Against
`rewarded` much is drawn at once, only a brief's best and worst copies are learned from, and that in
16 bits. docs/log.md has both side by side.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import msgspec
import numpy as np

from hookline.errors import BadInput, Refused
from hookline.house.rows import Row
from hookline.tune.house.drawn import Sample, can_write, draw, shuffled, with_likelihoods
from hookline.tune.house.recipes import Memory, Progress, Ranking
from hookline.tune.house.rewarded import Reals, Score
from hookline.tune.house.taught import Judged, Preferred, Won, tune_preferences, tune_supervised
from hookline.tune.house.tuner import HouseTuner
from hookline.types import Brief, content_hash, dumps, loads
from hookline.writers.house import DEFAULT
from hookline.writers.house.network import Network


class Drawing(Protocol):
    """Draws copies, as `drawn.draw` does."""

    def __call__(
        self, network: Network, briefs: Sequence[Brief], per_brief: int, *, seed: Sequence[int]
    ) -> list[Sample]:
        """`per_brief` copies of each brief, brief after brief."""
        ...


MODEL: Final = "model"
"""The tuned model's folder, in that of its round."""
_KEPT: Final = "round.json"
_LOT: Final = 50
"""Briefs that are drawn for between two words on how far it is."""
_DRAWING: Final = 0.7
"""Share of a round's time that drawing takes, about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What came of one round.

    Attributes:
        number: From 1.
        drawn: Copies drawn.
        fit: Share of them that the writer would hand in.
        score: Their mean score.
        kl: Divergence of the next piece from the round's beginning, in nats, of the last lessons.
        why: Why it was the last one; empty where it was not, or all were done.
    """

    number: int
    drawn: int
    fit: float
    score: float
    kl: float
    why: str = ""


def tune_by_rank(  # noqa: PLR0913 - keywords, each a choice of its own
    briefs: Sequence[Brief],
    score: Score,
    out: Path,
    *,
    base: Path = DEFAULT,
    recipe: Ranking | None = None,
    memory: Memory | None = None,
    device: str = "cpu",
    tell: Callable[[Progress], None] = lambda _: None,
    check: Callable[[Network, int], str] = lambda _, __: "",
    drawing: Drawing = draw,
) -> list[Round]:
    """What came of every round; the model after it lies in `model_after(out, number)`.

    Args:
        briefs: What is drawn for, in random order.
        score: Called once a round, with all its copies that fit, in their groups' order.
        out: Folder of the rounds. Rounds that lie there are not done again, and one that was begun
            goes on.
        base: The model's folder to begin from.
        recipe: How to tune. Of a tuning that goes on, only the rounds may differ.
        memory: What the score keeps from round to round; None if it keeps nothing.
        device: Where, in torch's words.
        tell: Told how far it is.
        check: Told the model after each round, and its number; says why to stop, or nothing.
        drawing: Draws the copies; several tunings of one base may share what it drew.

    Raises:
        BadInput: Where torch is missing, the base is none, there is no brief or one that the model
            can't write for.
        Refused: Where nothing that fits was drawn, or the folder holds another tuning.
    """
    recipe = recipe or Ranking()
    first = Network.load(base)
    if not briefs or not all(can_write(first, brief) for brief in briefs):
        raise BadInput("name one or more briefs, all of which the house model can write for")
    same = {**asdict(recipe), "rounds": 0}
    of = content_hash("ranked", same, first.build.version, [brief.id for brief in briefs])
    rounds, folder = list[Round](), base
    for number in range(1, recipe.rounds + 1):
        own = model_after(out, number).parent
        kept = _kept(own, of)
        if kept is None:
            asked = shuffled(briefs, recipe.briefs, (recipe.seed, 3, number))
            turn = _Turn(recipe, number, first, Network.load(folder), own, device, tell, drawing)
            kept = _Kept(of=of, round=turn.learn(asked, score), memory=b"")
            why = check(Network.load(own / MODEL), number)
            said = b"" if memory is None else memory.dump()
            kept = replace(kept, round=replace(kept.round, why=why), memory=said)
            (own / _KEPT).write_bytes(dumps(kept))
        elif memory is not None:
            memory.load(kept.memory)
        folder = own / MODEL
        rounds.append(kept.round)
        if kept.round.why:
            break
    return rounds


def model_after(out: Path, number: int) -> Path:
    """The folder of the model after this round, from 1."""
    return out / f"round-{number}" / MODEL


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """What is written down of a round that is done."""

    of: str
    round: Round
    memory: bytes


def _kept(folder: Path, of: str) -> _Kept | None:
    """What was written down of the round, None where it is not done."""
    path = folder / _KEPT
    if not path.exists():
        return None
    try:
        found = loads(path.read_bytes(), _Kept)
    except msgspec.MsgspecError as error:
        raise BadInput(f"{path} can't be read; delete its folder: {error}") from error
    if found.of != of:
        raise Refused(f"{path} is of another tuning (base, briefs or recipe); tune elsewhere")
    return found


@dataclass(frozen=True, slots=True)
class _Turn:
    """One round."""

    recipe: Ranking
    number: int
    base: Network
    model: Network
    folder: Path
    device: str
    tell: Callable[[Progress], None]
    drawing: Drawing

    def learn(self, briefs: Sequence[Brief], score: Score) -> Round:
        """Draws, has it scored, and learns from it."""
        samples = self._drawn(briefs)
        fit = [each for each in samples if each.fit]
        if not fit:
            raise Refused(f"of {len(samples)} copies for {len(briefs)} briefs none fits")
        scores = np.asarray(score(fit), np.float64)
        if scores.shape != (len(fit),) or not np.isfinite(scores).all():
            raise BadInput("the score must give one number for each copy")
        told = dict(zip((id(each) for each in fit), scores.tolist(), strict=True))
        worth = np.array([told.get(id(each), -np.inf) for each in samples])
        tuner, done = self._taught(ranked(samples, worth, self.recipe.share))
        tuner.export(self.folder / MODEL)
        return Round(
            number=self.number,
            drawn=len(samples),
            fit=len(fit) / len(samples),
            score=float(scores.mean()),
            kl=done.kl,
        )

    def _drawn(self, briefs: Sequence[Brief]) -> list[Sample]:
        """What was drawn; with what fits, how likely the base is to write it."""
        samples = list[Sample]()
        for start in range(0, len(briefs), _LOT):
            lot = briefs[start : start + _LOT]
            seed = (self.recipe.seed, 2, self.number, start)
            drawn = self.drawing(self.model, lot, self.recipe.per_brief, seed=seed)
            known = with_likelihoods(self.base, drawn)
            rest = [replace(each, fit=False) for each in drawn if not each.fit]
            both = sorted([*known, *rest], key=lambda each: each.group)
            samples += [replace(each, group=each.group + start) for each in both]
            self._say(_DRAWING * (start + len(lot)) / len(briefs))
        return samples

    def _taught(self, pairs: Sequence[tuple[Row, Row]]) -> tuple[HouseTuner, Progress]:
        """The model after these lessons, the better row first."""
        recipe = self.recipe
        teaching = replace(recipe.teaching, seed=recipe.seed + self.number)

        def go_on(done: Progress) -> bool:
            self._say(_DRAWING + (1 - _DRAWING) * done.share, done)
            return True

        if recipe.method == "sft":
            won = [Won(row=best) for best, _ in pairs]
            return tune_supervised(
                won, self.folder, base=self.model, recipe=teaching, device=self.device, go_on=go_on
            )
        lessons = (
            [Preferred(chosen=best, rejected=worst) for best, worst in pairs]
            if recipe.method == "dpo"
            else [
                Judged(row=row, label=row is best) for best, worst in pairs for row in (best, worst)
            ]
        )
        return tune_preferences(
            lessons,
            self.folder,
            method=recipe.method,
            base=self.model,
            recipe=teaching,
            device=self.device,
            go_on=go_on,
        )

    def _say(self, share: float, done: Progress | None = None) -> None:
        whole = (self.number - 1 + share) / self.recipe.rounds
        said = done or Progress(method=self.recipe.method, share=0.0, steps=0, seen=0)
        self.tell(replace(said, share=whole))


def ranked(samples: Sequence[Sample], scores: Reals, share: float) -> list[tuple[Row, Row]]:
    """A brief's best copies, each beside one of its worst; the very best beside the very worst.

    Args:
        samples: All that was drawn.
        scores: One each, higher for better, (samples,); −∞ for those that don't fit, which are
            worse than all others and never best.
        share: Of a brief's copies that count as best; briefs with too few for one are left out.
    """
    groups: dict[int, list[int]] = {}
    for at, each in enumerate(samples):
        if each.row is not None:
            groups.setdefault(each.group, []).append(at)
    pairs: list[tuple[Row, Row]] = []
    for own in groups.values():
        order = sorted(own, key=lambda at: -scores[at])
        for place in range(int(share * len(order))):
            one, other = order[place], order[-1 - place]
            best, worst = samples[one].row, samples[other].row
            if best is None or worst is None or best == worst or not scores[one] > scores[other]:
                continue
            pairs.append((best, worst))
    return pairs
