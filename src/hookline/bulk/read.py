"""Parquet, CSV and JSON lines through DuckDB, as batches of numbers in the order of the log."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hookline import extras
from hookline.bulk.batch import Array, Batch
from hookline.bulk.columns import MOST_GROUPS, MOST_SEGMENTS, Layout, layout, named, text
from hookline.bulk.fold import Shape
from hookline.bulk.result import Question, Resources
from hookline.errors import BadInput

READERS = {
    ".parquet": "read_parquet({files}, union_by_name = true)",
    ".csv": "read_csv({files}, union_by_name = true)",
    ".tsv": "read_csv({files}, union_by_name = true)",
    ".json": "read_json({files}, union_by_name = true)",
    ".jsonl": "read_json({files}, union_by_name = true, format = 'newline_delimited')",
    ".ndjson": "read_json({files}, union_by_name = true, format = 'newline_delimited')",
}
"""How a file's name ends → how DuckDB reads it; `.gz` may follow, but after `.parquet`."""

Connection = Any
"""A package's class, bound at run time: Hookline is checked and run where it is not installed."""


class Reading:
    """One log, open.

    Args:
        connection: DuckDB's.
        source: SQL of the rows to read.
        question: How they are to be read.

    Attributes:
        shape: What there is in the log.

    Raises:
        BadInput: Where the log can't be read, or lacks what it needs.
    """

    def __init__(self, connection: Connection, source: str, question: Question) -> None:
        self._connection, self._source, self._question = connection, source, question
        self._layout = self._described()
        if question.sort and "at" not in self._layout.columns:
            raise BadInput("--sort needs a column 'at'; name it with --column at=…")
        self.shape = self._shape()

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with _in_words():
            return self._connection.sql(query).fetchall()

    def _described(self) -> Layout:
        with _in_words():
            relation = self._connection.sql(f"SELECT * FROM {self._source} LIMIT 0")  # noqa: S608
            described = [
                (name, str(kind), _keys(kind))
                for name, kind in zip(relation.columns, relation.types, strict=True)
            ]
        return layout(described, self._question.columns, self._question.numbers)

    def _shape(self) -> Shape:
        """One pass over the log's names; none over its numbers."""
        columns = self._layout
        found = self._rows(
            f"SELECT DISTINCT CAST({columns.role('arm')} AS VARCHAR),"  # noqa: S608
            f" {named(columns.role('segment'))}, CAST({columns.role('currency')} AS VARCHAR)"
            f" FROM {self._source} LIMIT {MOST_GROUPS + 1}"
        )
        if not found:
            raise BadInput("the log has no rows")
        segments = sorted({segment for _, segment, _ in found})
        if len(segments) > MOST_SEGMENTS or len(found) > MOST_GROUPS:
            raise BadInput(
                f"more than {MOST_SEGMENTS} segments, or {MOST_GROUPS:,} sets of arm, segment and "
                "currency: are these ids? Name other columns with --column"
            )
        served = {arm for arm, _, _ in found if arm is not None}
        return Shape(
            arms=self._arms(served),
            segments=tuple(segments),
            metrics=columns.metrics,
            currencies=tuple(sorted({each for _, _, each in found if each})),
            full=columns.full,
        )

    def _arms(self, served: set[str]) -> tuple[str, ...]:
        columns = self._layout
        if "probabilities" not in columns.columns:
            known = list(columns.wide)
        elif keys := columns.all_keys():
            rows = self._rows(f"SELECT DISTINCT unnest({keys}) FROM {self._source}")  # noqa: S608
            known = sorted(key for (key,) in rows)
        else:
            known = list(columns.keys)
        unknown = sorted(served - set(known))
        if columns.wide and unknown:
            raise BadInput(f"the log has no column 'p_{unknown[0]}' for its arm {unknown[0]!r}")
        return (*known, *unknown)

    def batches(self, rows: int) -> Iterator[Batch]:
        """The log, that many rows at a time.

        Raises:
            BadInput: Where it can't be read any further.
        """
        shape = self.shape
        order = f"ORDER BY {self._layout.columns['at']}" if self._question.sort else ""
        chosen = self._layout.select(shape)
        columns = ", ".join(f"{each} AS c{place}" for place, each in enumerate(chosen))
        first = 1
        with _in_words():
            query = f"SELECT {columns} FROM {self._source} {order}"  # noqa: S608
            for part in self._connection.sql(query).to_arrow_reader(rows):
                # pyarrow's own to_numpy imports pandas where there is one, which takes a second
                values: list[Array] = [
                    np.from_dlpack(part.column(place)).astype(np.float64, copy=False)
                    for place in range(len(chosen))
                ]
                yield self._batch(first, values)
                first += part.num_rows

    def _batch(self, first: int, values: Sequence[Array]) -> Batch:
        """A batch from the columns of `Layout.select`."""
        names, known = list(self.shape.metrics), self._layout.columns
        table = values[5 + len(names) :]
        return Batch(
            first=first,
            arms=values[0],
            propensities=values[1] if "propensity" in known else None,
            probabilities=np.stack(table) if table else None,
            segments=values[2].astype(np.int64),
            shown=values[3] > 0,
            at=values[4] if "at" in known else None,
            rewards=dict(zip(names, values[5:], strict=False)),
        )


@contextmanager
def opened(paths: Sequence[str], question: Question, resources: Resources) -> Generator[Reading]:
    """The log that the files hold, in their order; those of a pattern in order of name.

    Args:
        paths: Files, or patterns such as `log/*.parquet`.
        question: How they are to be read.
        resources: What may be used.

    Raises:
        BadInput: Where a file is not there, not to be read, or lacks a column; or where DuckDB is
            not installed.
    """
    duckdb = _require("duckdb")
    _require("pyarrow")
    source = _source(paths)
    if question.where:
        source = f"(SELECT * FROM {source} WHERE {question.where})"  # noqa: S608 - the user's own
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        with _in_words():
            connection.execute(f"SET temp_directory = {text(folder)}")
            connection.execute(f"SET memory_limit = {text(resources.memory)}")
            connection.execute(f"SET threads = {resources.threads:d}")
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
        yield Reading(connection, source, question)


def _source(paths: Sequence[str]) -> str:
    """SQL of the table that the files are."""
    endings = {Path(path.removesuffix(".gz")).suffix.lower() for path in paths}
    if len(endings) != 1:
        raise BadInput("name one file or more, all of the same kind")
    ending = endings.pop()
    if ending not in READERS:
        raise BadInput(f"no reader for {ending or 'a name without ending'}: {', '.join(READERS)}")
    files = f"[{', '.join(text(path) for path in paths)}]"
    return READERS[ending].format(files=files)


def _keys(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - DuckDB's type
    return tuple(name for name, _ in kind.children) if kind.id == "struct" else ()


def _require(package: str) -> Any:  # noqa: ANN401 - a package
    return extras.require(package, "bulk", "this")


@contextmanager
def _in_words() -> Generator[None]:
    """What DuckDB complains of, as one line."""
    duckdb = import_module("duckdb")
    try:
        yield
    except (duckdb.Error, OSError) as error:  # pyarrow passes DuckDB's on as OSError
        first, _, _ = str(error).partition("\n\n")
        raise BadInput(f"the log can't be read: {' '.join(first.split())[:300]}") from error
