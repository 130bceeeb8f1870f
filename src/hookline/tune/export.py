"""Rows as lines of JSON: for TRL's trainers, or for hosted tuning in OpenAI's format.

TRL's columns are those of its conversational data sets: `prompt` and `completion` (SFT), `prompt`,
`chosen` and `rejected` (DPO), `prompt`, `completion` and `label` (KTO), beside them our own:
`weight`, `stratum`, `test_id`, `product_id`, `copy_ids`. TRL's trainers ignore columns they don't
know. OpenAI's formats, which other hosts read too, have no place for a weight.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from hookline.errors import BadInput
from hookline.tune.rows import AnyRow, Kind, Pair, Unpaired, Won
from hookline.types import content_hash, dumps
from hookline.writers.dialogue import Message

Form = Literal["trl", "openai"]

HELD_OUT: Final = 0.1
"""Share of products that are held out."""
_BITS: Final = 32
_NO_PLACE: Final = "OpenAI's formats have no place for unpaired rows; export them for TRL"


def held_out(rows: Iterable[AnyRow], share: float = HELD_OUT) -> tuple[list[AnyRow], list[AnyRow]]:
    """The rows to learn from, and those held out to measure on.

    Whole products are held out, variants and all their tests with them: a line about a product that
    was learned from is not new. Which ones, only their ids decide, so that a product stays on its
    side when the log grows.

    Args:
        rows: Of any kind.
        share: Of products, from 0 to below 1.
    """
    taught: list[AnyRow] = []
    kept: list[AnyRow] = []
    for row in rows:
        (kept if is_held_out(row.product_id, share) else taught).append(row)
    return taught, kept


def is_held_out(product_id: str, share: float = HELD_OUT) -> bool:
    """Whether a product is kept to measure on; its id alone decides.

    Args:
        product_id: The id that its variants share where it has some.
        share: Of products, from 0 to below 1.
    """
    return held_out_at(product_id) < share


def held_out_at(product_id: str) -> float:
    """The share of products, 0 to 1, from which on a product is held out, see `is_held_out`."""
    return int(content_hash("held out", product_id, size=_BITS // 8), 16) / 2**_BITS


def lines(rows: Sequence[AnyRow], form: Form) -> Iterator[bytes]:
    """One line of JSON a row, in the order given.

    Raises:
        BadInput: Where the format has no place for rows of this kind.
    """
    for row in rows:
        yield dumps(_trl(row) if form == "trl" else _openai(row)) + b"\n"


def check_form(kind: Kind, form: Form) -> None:
    """Raises `BadInput` where the format has no place for rows of the kind."""
    if form == "openai" and kind == "unpaired":
        raise BadInput(_NO_PLACE)


def _trl(row: AnyRow) -> Mapping[str, object]:
    """The row in TRL's conversational format."""
    ours = {
        "weight": row.weight,
        "stratum": row.stratum,
        "test_id": row.test_id,
        "product_id": row.product_id,
        "copy_ids": row.copy_ids,
    }
    asked = {"prompt": _messages(row.prompt)}
    match row:
        case Won():
            return {**asked, "completion": _said(row.completion), **ours}
        case Pair():
            told = {"chosen": _said(row.chosen), "rejected": _said(row.rejected)}
            return {**asked, **told, **ours}
        case Unpaired():
            return {**asked, "completion": _said(row.completion), "label": row.label, **ours}


def _openai(row: AnyRow) -> Mapping[str, object]:
    """The row in OpenAI's chat format, or its preference format."""
    match row:
        case Won():
            return {"messages": [*_messages(row.prompt), *_said(row.completion)]}
        case Pair():
            return {
                "input": {"messages": _messages(row.prompt)},
                "preferred_output": _said(row.chosen),
                "non_preferred_output": _said(row.rejected),
            }
        case Unpaired():
            raise BadInput(_NO_PLACE)


def _messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in messages]


def _said(text: str) -> list[dict[str, str]]:
    return _messages([("assistant", text)])
