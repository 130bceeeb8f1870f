"""Tuning on given lines: on what won, on which of two is better, on what was clicked and what not.

Supervised: weighted nats a piece. DPO: Rafailov, Sharma, Mitchell, Ermon, Manning, Finn, *Direct
Preference Optimization* (2023). KTO: Ethayarajh, Xu, Muennighoff, Jurafsky, Kiela, *KTO: Model
Alignment as Prospect Theoretic Optimization* (2024). In both, the log-likelihood of a line counts
relative to what it was under the base, and β says how much.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from math import ceil, nan
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from hookline.errors import BadInput, Refused
from hookline.house.batches import Line
from hookline.house.rows import Row, save_rows
from hookline.prior.export import require
from hookline.tune.house.recipes import GoOn, Method, Progress, Teaching
from hookline.tune.house.tuner import HouseTuner, Said, Tensor, loaded, lots
from hookline.types import content_hash
from hookline.writers.house import DEFAULT
from hookline.writers.house.network import Network

_CHUNK: Final = 4096
"""Lessons that are sorted by length together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Won:
    """A row to write more like, and how much it counts, above 0."""

    row: Row
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Preferred:
    """Two rows of which the first is better, and how much that counts, above 0."""

    chosen: Row
    rejected: Row
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A row that is good or bad, and how much that counts, above 0."""

    row: Row
    label: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What is learned together: one line, or a pair; weights are 1 on average."""

    lines: tuple[Line, ...]
    weight: float
    label: bool = True

    @property
    def size(self) -> int:
        """Pieces that it takes in a batch."""
        return len(self.lines) * max(len(line.rooms) for line in self.lines)


_Step = Callable[[Sequence[_Lesson]], tuple[Tensor, Said, float]]
"""Lessons → their loss, how likely their lines are, and the share that is right."""


def tune_supervised(
    rows: Sequence[Won],
    out: Path,
    *,
    base: Network | Path = DEFAULT,
    recipe: Teaching | None = None,
    device: str = "cpu",
    save_every: int = 50,
    go_on: GoOn = lambda _: True,
) -> tuple[HouseTuner, Progress]:
    """The model tuned to write like these rows, and how far it came.

    Args:
        rows: To learn from. Those that the model can't read are left out.
        out: Folder for the checkpoint. Where one lies there, tuning goes on from it.
        base: The model to begin from, or its folder.
        recipe: How to tune.
        device: Where, in torch's words: "cpu", "cuda".
        save_every: Steps between checkpoints; one is written at the end, too.
        go_on: Told how far it is after each step; False stops it there, to go on later.

    Raises:
        BadInput: Where torch is missing, the base is none, or a weight is not above 0.
        Refused: Where the model can read none of the rows, or the checkpoint is of another tuning.
    """
    recipe = recipe or Teaching()
    tuner = HouseTuner(loaded(base), clip=recipe.clip, device=device)
    groups = [((won.row,), won.weight, True) for won in rows]
    school = _School("sft", recipe, _lessons(tuner, groups), _digest(groups))

    def step(lessons: Sequence[_Lesson]) -> tuple[Tensor, Said, float]:
        luck = np.random.default_rng((recipe.seed, 1, tuner.steps)).random(len(lessons))
        said = tuner.said(_lines(lessons), (luck >= recipe.forget).tolist())
        weights = said.chosen.new_tensor([lesson.weight for lesson in lessons])
        return -(weights * said.chosen.sum(1)).sum() / said.pieces, said, nan

    return school.teach(tuner, out, step, save_every, go_on)


def tune_preferences(
    rows: Sequence[Preferred] | Sequence[Judged],
    out: Path,
    *,
    method: Literal["dpo", "kto"],
    base: Network | Path = DEFAULT,
    recipe: Teaching | None = None,
    device: str = "cpu",
    save_every: int = 50,
    go_on: GoOn = lambda _: True,
) -> tuple[HouseTuner, Progress]:
    """The model tuned to prefer what was preferred, and how far it came.

    Args:
        rows: Pairs for DPO; for KTO what was judged, or pairs, whose better half is good and whose
            other half is bad. Those that the model can't read are left out.
        out: Folder for the checkpoint. Where one lies there, tuning goes on from it.
        method: How to learn.
        base: The model to begin from, or its folder.
        recipe: How to tune.
        device: Where, in torch's words: "cpu", "cuda".
        save_every: Steps between checkpoints; one is written at the end, too.
        go_on: Told how far it is after each step; False stops it there, to go on later.

    Raises:
        BadInput: Where torch is missing, the base is none, a weight is not above 0, or DPO is
            given rows that are no pairs.
        Refused: Where the model can read none of the rows, or the checkpoint is of another tuning.
    """
    recipe = recipe or Teaching()
    tuner = HouseTuner(loaded(base), clip=recipe.clip, device=device)
    groups = list(_pairs(rows) if method == "dpo" else _judged(rows))
    school = _School(method, recipe, _lessons(tuner, groups), _digest(groups))
    step = _dpo if method == "dpo" else _kto
    return school.teach(tuner, out, lambda some: step(tuner, some, recipe), save_every, go_on)


_Group = tuple[tuple[Row, ...], float, bool]
"""Rows that are learned together, their weight and label."""


def _pairs(rows: Sequence[Preferred] | Sequence[Judged]) -> Iterator[_Group]:
    for row in rows:
        if isinstance(row, Judged):
            raise BadInput("DPO learns from pairs; learn from judged rows by KTO")
        yield (row.chosen, row.rejected), row.weight, True


def _judged(rows: Sequence[Preferred] | Sequence[Judged]) -> Iterator[_Group]:
    for row in rows:
        if isinstance(row, Judged):
            yield (row.row,), row.weight, row.label
        else:
            yield (row.chosen,), row.weight, True
            yield (row.rejected,), row.weight, False


def _dpo(
    tuner: HouseTuner, lessons: Sequence[_Lesson], recipe: Teaching
) -> tuple[Tensor, Said, float]:
    """Minus the log-odds that the better line of each pair is the more likelier made one.

    Odds alone are also met where both lines become unlikely and what was never drawn takes their
    place, so the better one's own likelihood can be held up beside them (Pang et al. 2024,
    *Iterative Reasoning Preference Optimization*, https://arxiv.org/abs/2404.19733).
    """
    better, worse = ([lesson.lines[side] for lesson in lessons] for side in (0, 1))
    said = tuner.said([*better, *worse])
    gained = (said.chosen - said.base).sum(1)
    margins = recipe.beta * (gained[: len(lessons)] - gained[len(lessons) :])
    weights = margins.new_tensor([lesson.weight for lesson in lessons])
    right = float(weights @ (margins.detach() > 0).float() / weights.sum())
    lost = _softplus(-margins)
    if recipe.anchor:
        pieces = said.inside[: len(lessons)].sum(1)
        lost = lost - recipe.anchor * said.chosen[: len(lessons)].sum(1) / pieces
    return (weights * lost).sum() / len(lessons), said, right


def _kto(
    tuner: HouseTuner, lessons: Sequence[_Lesson], recipe: Teaching
) -> tuple[Tensor, Said, float]:
    """How much less each line is worth to a reader who weighs losses and gains than it could be.

    What counts as a gain is measured from how far the model has come from its base: on lines under
    what another line of the batch was asked for, as the paper has it.
    """
    lines = _lines(lessons)
    others = [
        replace(line, conditions=other.conditions)
        for line, other in zip(lines, [*lines[1:], lines[0]], strict=True)
    ]
    drift = (tuner.chosen(others) - tuner.chosen(others, base=True)).sum(1).mean().clamp(min=0)
    said = tuner.said(lines)
    gained = (said.chosen - said.base).sum(1) - drift
    signs = gained.new_tensor([1.0 if lesson.label else -1.0 for lesson in lessons])
    weights = gained.new_tensor([lesson.weight for lesson in lessons])
    right = float(weights @ (signs * gained.detach() > 0).float() / weights.sum())
    lost = 1 - (recipe.beta * signs * gained).sigmoid()
    return (weights * lost).sum() / len(lessons), said, right


def _softplus(x: Tensor) -> Tensor:
    functional: Any = require("torch").nn.functional
    return functional.softplus(x)


def _lines(lessons: Sequence[_Lesson]) -> list[Line]:
    return [lesson.lines[0] for lesson in lessons]


def _lessons(tuner: HouseTuner, groups: Sequence[_Group]) -> list[_Lesson]:
    """What the model can read of the groups, weights 1 on average."""
    if any(not 0 < weight < np.inf for _, weight, _ in groups):
        raise BadInput("every row's weight must lie above 0")
    found: list[_Lesson] = []
    for rows, weight, label in groups:
        lines = [line for row in rows if (line := tuner.reader.line(row)) is not None]
        if len(lines) == len(rows):
            found.append(_Lesson(tuple(lines), weight, label))
    if not found:
        raise Refused(f"the house model can read none of the {len(groups)} rows")
    mean = sum(lesson.weight for lesson in found) / len(found)
    return [replace(lesson, weight=lesson.weight / mean) for lesson in found]


def _digest(groups: Sequence[_Group]) -> str:
    """Tells these rows from others."""
    digest = blake2b(digest_size=10)
    for rows, weight, label in groups:
        digest.update(save_rows(rows) + repr((weight, label)).encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _School:
    """Lessons and how to learn them."""

    method: Method
    recipe: Teaching
    lessons: Sequence[_Lesson]
    digest: str

    def teach(
        self, tuner: HouseTuner, out: Path, step: _Step, save_every: int, go_on: GoOn
    ) -> tuple[HouseTuner, Progress]:
        """The tuner after all lessons, or after those until `go_on` said no."""
        version = tuner.base.build.version
        of = content_hash(self.method, asdict(self.recipe), version, self.digest)
        tuner.resume(out, of)
        schedule = self._schedule()
        done = Progress(
            method=self.method, share=tuner.steps / len(schedule), steps=tuner.steps,
            seen=tuner.seen,
        )  # fmt: skip
        for batch in schedule[tuner.steps :]:
            done = self._learn(tuner, [self.lessons[at] for at in batch], step, len(schedule))
            if tuner.steps % save_every == 0:
                tuner.save(out, of)
            if not go_on(done):
                break
        tuner.save(out, of)
        return tuner, done

    def _learn(
        self, tuner: HouseTuner, lessons: Sequence[_Lesson], step: _Step, steps: int
    ) -> Progress:
        """One step."""
        loss, said, right = step(lessons)
        rate = self.recipe.rate_at(tuner.steps, steps)
        total, norm = tuner.update([loss], rate)
        tuner.steps += 1
        tuner.seen += said.pieces
        return Progress(
            method=self.method,
            share=tuner.steps / steps,
            steps=tuner.steps,
            seen=tuner.seen,
            rate=rate,
            loss=total,
            norm=norm,
            entropy=said.entropy / said.pieces,
            kl=said.kl / said.pieces,
            right=right,
        )

    def _schedule(self) -> list[list[int]]:
        """The lessons of each step: all of them each pass, in batches of like length."""
        recipe, made = self.recipe, list[list[int]]()
        for turn in range(ceil(recipe.passes)):
            rng = np.random.default_rng((recipe.seed, turn))
            order: list[int] = rng.permutation(len(self.lessons)).tolist()
            batches: list[list[int]] = []
            for start in range(0, len(order), _CHUNK):
                chunk = order[start : start + _CHUNK]
                cut = lots([self.lessons[at].size for at in chunk], recipe.batch)
                batches += [[chunk[at] for at in lot] for lot in cut]
            shuffled = [batches[int(at)] for at in rng.permutation(len(batches))]
            made += shuffled[: ceil((recipe.passes - turn) * len(shuffled))]
        return made
