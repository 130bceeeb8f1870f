"""Lines of JSON → lessons, and how often each is learned. No torch here.

TRL's trainers make nothing of a row's weight. So a row is drawn as often as it weighs, once and for
all before training: the expected gradient is that of a loss weighted by row, it is the same for
every method, no trainer has to be changed, and no time is spent on rows that say little.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.tune.train.recipe import Conversation, Method
from hookline.writers.dialogue import Message

_Kind = Literal["sft", "pairs", "unpaired"]
TAKES: Final[Mapping[Method, _Kind]] = {"sft": "sft", "dpo": "pairs", "kto": "unpaired"}
"""The kind of row that a method learns from; `grpo` takes the prompts of any."""
_SHAPES: Final[Mapping[_Kind, frozenset[str]]] = {
    "sft": frozenset({"completion"}),
    "pairs": frozenset({"chosen", "rejected"}),
    "unpaired": frozenset({"completion", "label"}),
}


class _Turn(msgspec.Struct):
    """One message."""

    role: Literal["system", "user", "assistant"]
    content: str


class _Line(msgspec.Struct):
    """A row as `hookline tune rows` writes it; columns that are not named here mean nothing."""

    prompt: list[_Turn] = []
    completion: list[_Turn] | None = None
    chosen: list[_Turn] | None = None
    rejected: list[_Turn] | None = None
    label: bool | None = None
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """One row to learn from.

    Attributes:
        number: Its line in the file, from 1.
        prompt: What is asked.
        answers: Column (`completion`, `chosen`, `rejected`) → what is answered.
        label: Whether it was clicked; None where that is not what the row is about.
        weight: How much it counts, above 0.
    """

    number: int
    prompt: Conversation
    answers: Mapping[str, Conversation]
    label: bool | None
    weight: float


def read(path: Path, method: Method) -> tuple[Lesson, ...]:
    """The lessons of a file that a method learns from.

    For `grpo` every prompt is there once, with weight 1: how sure a row is says nothing about how
    often its question should be asked.

    Raises:
        BadInput: Where the file can't be read, holds no row, a line that is no row, or a row of
            another kind than the method takes, with the line's number; or where `kto` gets rows
            of one label only.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from None
    found = [_lesson(path, at, line, method) for at, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise BadInput(f"{path} holds no rows; write some with hookline tune rows")
    if method == "kto":
        for label, word in ((True, "clicked"), (False, "not clicked")):
            if all(lesson.label is not label for lesson in found):
                raise BadInput(f"{path} has no row that was {word}; kto compares the two")
    return tuple(_asked_once(found)) if method == "grpo" else tuple(found)


def plan(weights: Sequence[float], count: int, seed: int) -> NDArray[np.int64]:
    """Which row to learn at each place, shape (count,): each as often as it weighs, shuffled.

    Drawn systematically: no row is there more than one time more or less often than its share of
    the count.

    Args:
        weights: Of each row, above 0.
        count: Places.
        seed: Of where the drawing begins, and of the order.

    Examples:
        >>> np.bincount(plan([3.0, 1.0], 8, seed=1)).tolist()
        [6, 2]
    """
    rng = np.random.default_rng(seed)
    ends: NDArray[np.float64] = np.cumsum(np.array(weights, dtype=np.float64))
    points = (rng.random() + np.arange(count)) * (float(ends[-1]) / count)
    rows = np.searchsorted(ends, points, side="right")
    return rng.permutation(np.minimum(rows, len(weights) - 1).astype(np.int64))


def _lesson(path: Path, number: int, text: bytes, method: Method) -> Lesson:
    """The lesson of one line."""
    try:
        line = msgspec.json.decode(text, type=_Line)
    except msgspec.MsgspecError as error:
        raise BadInput(f"{path}, line {number} is no row: {error}") from None
    answers = {
        name: _conversation(turns)
        for name in ("completion", "chosen", "rejected")
        if (turns := getattr(line, name)) is not None
    }
    columns = frozenset(answers) | frozenset(["label"] if line.label is not None else ())
    if not line.prompt or (method != "grpo" and columns != _SHAPES[TAKES[method]]):
        raise BadInput(f"{path}, line {number} {_misfit(bool(line.prompt), columns, method)}")
    if not all(answers.values()):
        raise BadInput(f"{path}, line {number} has an empty answer")
    if not 0 < line.weight < float("inf"):
        raise BadInput(f"{path}, line {number} weighs {line.weight:g}; a weight is above 0")
    return Lesson(
        number=number,
        prompt=_conversation(line.prompt),
        answers=answers,
        label=line.label,
        weight=line.weight,
    )


def _conversation(turns: Sequence[_Turn]) -> tuple[Message, ...]:
    return tuple((turn.role, turn.content) for turn in turns)


def _misfit(has_prompt: bool, columns: frozenset[str], method: Method) -> str:  # noqa: FBT001 - a fact
    """Why the method can't learn from such a row, and what to do."""
    if not has_prompt:
        return "has no prompt; write rows with hookline tune rows --format trl"
    wanted = TAKES[method]
    kind = next((kind for kind in get_args(_Kind) if _SHAPES[kind] == columns), None)
    given = f"is a row of kind {kind}" if kind else f"has the columns {', '.join(sorted(columns))}"
    return f"{given}; {method} learns from hookline tune rows --kind {wanted}"


def _asked_once(lessons: Sequence[Lesson]) -> Iterator[Lesson]:
    """Each prompt once, where it first stands."""
    seen: set[Conversation] = set()
    for lesson in lessons:
        if lesson.prompt not in seen:
            seen.add(lesson.prompt)
            yield Lesson(
                number=lesson.number, prompt=lesson.prompt, answers={}, label=None, weight=1.0
            )
