"""What the peers are told of visitor and copy, as words, and as columns with crosses."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache

import numpy as np

from hookline.policies.base import Array
from hookline.types import Arm, Attributes, Context, Trait


def visitor_facts(context: Context, audience_id: str) -> tuple[str, ...]:
    """The visitor in words; a number by the power of two that it reaches.

    Examples:
        >>> from datetime import UTC, datetime
        >>> at = datetime(2026, 1, 1, tzinfo=UTC)
        >>> visitor_facts(Context(visitor_id="v", at=at, traits={"orders": 5.0}), "savers")
        ('audience=savers', 'device=', 'orders=~4')
    """
    told = [f"{name}={_word(trait)}" for name, trait in sorted(context.traits.items())]
    return (f"audience={audience_id}", f"device={context.device}", *told)


def copy_facts(arm: Arm) -> tuple[str, ...]:
    """The copy in words: its attributes, or that a person wrote it."""
    return _told(arm.attributes) if arm.attributes else ("human",)


@lru_cache(maxsize=1024)
def _told(attributes: Attributes) -> tuple[str, ...]:
    return tuple(f"{name}={level}" for name, level in asdict(attributes).items())


def _word(trait: Trait) -> str:
    if isinstance(trait, float):
        return f"~{2 ** int(np.log2(trait)):d}" if trait >= 1 else "~0"
    return str(trait)


class Columns:
    """Rows for a linear model: visitor, copy, this very copy, and audience × each of the last two.

    A column is added when its fact is first met. Rows are kept, for visitors come alike.
    """

    def __init__(self) -> None:
        self._columns: dict[tuple[str, ...], int] = {}
        self._rows: dict[tuple[tuple[str, ...], str], list[int]] = {}

    @property
    def width(self) -> int:
        """Columns so far."""
        return len(self._columns)

    def row(self, visitor: tuple[str, ...], arm: Arm) -> list[int]:
        """The columns that hold a 1; all others hold 0.

        Args:
            visitor: `visitor_facts`, the audience first.
            arm: The copy.
        """
        row = self._rows.get((visitor, arm.id))
        if row is None:
            names = _crossed(visitor, (*copy_facts(arm), f"id={arm.id}"))
            row = [self._columns.setdefault(name, len(self._columns)) for name in names]
            self._rows[visitor, arm.id] = row
        return row

    def matrix(self, visitor: tuple[str, ...], arms: Sequence[Arm]) -> Array:
        """One row per arm, shape (arms, width)."""
        rows = [self.row(visitor, arm) for arm in arms]
        found = np.zeros((len(arms), self.width))
        for place, row in enumerate(rows):
            found[place, row] = 1.0
        return found


def _crossed(visitor: Sequence[str], copy: Sequence[str]) -> Iterator[tuple[str, ...]]:
    yield ()
    yield from ((fact,) for fact in (*visitor, *copy))
    yield from ((visitor[0], fact) for fact in copy)
