"""Which column of a table means what, and the SQL that reads it as numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hookline.bulk.fold import Shape
from hookline.bulk.soundness import Kind
from hookline.errors import BadInput

ROLES: Mapping[str, str] = {
    "arm": "the arm served",
    "propensity": "probability it was drawn with; none where it was not drawn",
    "probabilities": "probability of every arm: an object, a MAP, or JSON text",
    "at": "time of the decision",
    "segment": "group of visitors, for figures by segment",
    "shown": "whether the copy was shown",
    "currency": "what revenue is counted in",
    "clicks": "clicks of the decision; counted once",
    "orders": "orders of the decision; counted once",
    "revenue": "money of the decision, refunds taken off",
    "refunds": "whether, how often or how much money was given back; counted once",
    "unsubscribes": "whether the visitor unsubscribed",
}
"""Role → what it means; a column of that name plays it, unless another is named."""
METRICS: Mapping[str, Kind] = {
    "clicks": "event",
    "orders": "event",
    "revenue": "money",
    "refunds": "event",
    "unsubscribes": "event",
}
"""Metrics that are looked for."""
WIDE = "p_"
"""How the name of a column begins that has one arm's probability; the arm's name follows."""
MOST_GROUPS = 100_000
"""Most different sets of arm, segment and currency."""
MOST_SEGMENTS = 200
"""Most segments; more are ids, not segments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The columns of one log.

    Attributes:
        columns: Role → SQL of the column that plays it.
        types: Role → its DuckDB type.
        wide: Arm → SQL of the column with its probability.
        keys: Arms that the type of `probabilities` itself names.
        metrics: Metric → its kind.
    """

    columns: Mapping[str, str]
    types: Mapping[str, str]
    wide: Mapping[str, str]
    keys: tuple[str, ...]
    metrics: Mapping[str, Kind]

    @property
    def full(self) -> bool:
        """Whether every arm's probability is logged."""
        return "probabilities" in self.columns or bool(self.wide)

    def role(self, name: str, missing: str = "NULL") -> str:
        """SQL of the column with that role, or of what stands for it."""
        return self.columns.get(name, missing)

    def probability(self, arm: str) -> str:
        """SQL of an arm's logged probability."""
        if "probabilities" not in self.columns:
            return self.wide.get(arm, "NULL")
        whole, kind = self.columns["probabilities"], self.types["probabilities"]
        if kind.startswith("STRUCT"):
            return f"struct_extract({whole}, {text(arm)})" if arm in self.keys else "NULL"
        if kind.startswith("MAP"):
            return f"{whole}[{text(arm)}]"
        pointer = "/" + arm.replace("~", "~0").replace("/", "~1")
        return f"json_extract_string({whole}, {text(pointer)})"

    def all_keys(self) -> str | None:
        """SQL of the arms that `probabilities` names on a row; None where its type says them."""
        whole, kind = self.role("probabilities"), self.types.get("probabilities", "STRUCT")
        if kind.startswith("STRUCT"):
            return None
        return f"map_keys({whole})" if kind.startswith("MAP") else f"json_keys({whole})"

    def select(self, shape: Shape) -> list[str]:
        """SQL of what is read of a row: numbers, nan where there is none; see `Reading.batches`."""
        arm, segment = self.role("arm"), self.role("segment")
        kind = self.types.get("at", "")
        at = (
            self.role("at")
            if _is_number(kind)
            else f"epoch(CAST({self.role('at')} AS TIMESTAMPTZ))"
        )
        place = f"list_position({_names(shape.arms)}, CAST({arm} AS VARCHAR)) - 1"
        group = f"list_position({_names(shape.segments)}, {named(segment)}) - 1"
        values = [
            place,
            self.role("propensity"),
            group if len(shape.segments) > 1 else "0",
            f"COALESCE({self.role('shown', 'true')}, false)",
            at,
            *(self.columns[name] for name in shape.metrics),
            *(self.probability(name) for name in (shape.arms if self.full else ())),
        ]
        return [f"COALESCE(CAST({value} AS DOUBLE), 'nan')" for value in values]


def layout(
    described: Sequence[tuple[str, str, tuple[str, ...]]],
    columns: Mapping[str, str],
    numbers: Sequence[str],
) -> Layout:
    """The layout of a table.

    Args:
        described: Name, DuckDB type and, of a STRUCT, keys of every column.
        columns: Role → name, where it is not the role's own.
        numbers: Further columns to analyse.

    Raises:
        BadInput: Where a role is none, a column is not there, or the log lacks what it needs.
    """
    types = {name: kind for name, kind, _ in described}
    for role, name in columns.items():
        if role not in ROLES:
            raise BadInput(f"no column is needed for {role!r}; there are: {', '.join(ROLES)}")
        if name not in types:
            raise BadInput(f"the log has no column {name!r}; it has: {', '.join(types)}")
    names = {role: columns.get(role, role) for role in ROLES}
    names = {role: name for role, name in names.items() if name in types}
    for number in numbers:
        if number not in types or number in METRICS:
            raise BadInput(
                f"{number!r} is no further column of the log; it has: {', '.join(types)}"
            )
    wide = {
        name[len(WIDE) :]: quoted(name)
        for name in types
        if name.startswith(WIDE) and len(name) > len(WIDE) and "probabilities" not in names
    }
    if "arm" not in names:
        raise BadInput(f"the log has no column 'arm'; name it with --column arm=…: {_list(types)}")
    if not wide and not names.keys() & {"propensity", "probabilities"}:
        raise BadInput(
            "the log has no probabilities: a column 'propensity', 'probabilities', or one "
            f"'{WIDE}…' for each arm; without them the effect of an arm can't be told"
        )
    metrics: dict[str, Kind] = {name: kind for name, kind in METRICS.items() if name in names}
    metrics |= dict.fromkeys(numbers, "number")
    if not metrics:
        raise BadInput(f"the log has none of {', '.join(METRICS)}: {_list(types)}")
    known = {role: quoted(name) for role, name in names.items()}
    keys = {name: inner for name, _, inner in described}
    return Layout(
        columns=known | {number: quoted(number) for number in numbers},
        types={role: types[name] for role, name in names.items()},
        wide=wide,
        keys=keys.get(names.get("probabilities", ""), ()),
        metrics=metrics,
    )


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """The text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def named(expression: str) -> str:
    """SQL of a segment's name, empty where there is none."""
    return f"COALESCE(CAST({expression} AS VARCHAR), '')"


def _names(values: Sequence[str]) -> str:
    return f"[{', '.join(text(value) for value in values)}]"


def _is_number(kind: str) -> bool:
    return _NUMBERS.fullmatch(kind) is not None


_NUMBERS = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL.*")


def _list(types: Mapping[str, str]) -> str:
    return f"it has {', '.join(types)}"
