"""Files and a question → the answer."""

from collections.abc import Callable, Sequence

from hookline.bulk.fold import Fold, Shape
from hookline.bulk.read import opened
from hookline.bulk.result import LogAnswer, Look, Question, Resources
from hookline.errors import BadInput

CONTROL = "control"
"""The control's name where none is given."""
FIRST_LOOK = 1_000
"""Rows at the first look; every next comes after twice as many."""
MOST_ROWS = 1 << 16
"""Most rows of a batch: what is kept of one stays in the processor's cache."""


def analyse_log(
    paths: Sequence[str],
    question: Question,
    resources: Resources | None = None,
    progress: Callable[[int], None] | None = None,
) -> LogAnswer:
    """What a log of decisions and outcomes says of its arms and of the policy that drew them.

    Reads it twice: once for the names in it, once for its numbers. Memory does not grow with the
    log's length.

    Args:
        paths: Files, or patterns such as `log/*.parquet`; Parquet, CSV or JSON lines.
        question: How they are to be read, and what is asked.
        resources: What may be used of the machine; a gigabyte and two threads if None.
        progress: Called with the rows read so far.

    Raises:
        BadInput: Where the log can't be read, or a row is no evidence; names the row.
    """
    allowed = resources or Resources()
    with opened(paths, question, allowed) as reading:
        shape = reading.shape
        fold = Fold(shape, _control(shape, question.control), question)
        looks: list[Look] = []
        planned = FIRST_LOOK
        rows = 0
        for batch in reading.batches(max(min(allowed.batch // len(shape.arms), MOST_ROWS), 1)):
            for part in batch.cut_at(_doublings(planned, batch.last)):
                fold.take(part)
                rows = part.last
                if rows == planned:
                    looks.append(fold.look())
                    planned *= 2
            if progress is not None:
                progress(rows)
        if not looks or looks[-1].rows != rows:
            looks.append(fold.look())
        return fold.answer(tuple(looks))


def _doublings(start: int, last: int) -> list[int]:
    """start, 2 start, 4 start … up to last."""
    found: list[int] = []
    while start <= last:
        found.append(start)
        start *= 2
    return found


def _control(shape: Shape, asked: str) -> str:
    control = asked or CONTROL
    if control in shape.arms:
        return control
    known = ", ".join(shape.arms[:10])
    if asked:
        raise BadInput(f"no arm of the log is named {asked!r}; there are: {known}")
    raise BadInput(f"which arm is the control? Name it with --control; there are: {known}")
