"""The default store: one SQLite file in WAL mode, written by one process at a time.

`synchronous=FULL`: in WAL mode SQLite's usual `NORMAL` can lose the last transactions when the
power goes, and an acknowledged event must not be lost.
"""

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from hookline.errors import StoreFailed
from hookline.store import tables
from hookline.store.base import Aside, DocumentKind, Store
from hookline.types import LogKind, LogRow, Snapshot, dumps, loads

KEPT_SNAPSHOTS = 5
"""With a dozen tests each has tens of megabytes, and the log makes any of them again."""
_IN_CHUNK = 500


class SqliteStore(Store):
    """A store in one SQLite file.

    Args:
        url: `sqlite:///path/to/file.db`, or `sqlite://` for one that lives in memory.

    Raises:
        StoreFailed: Where the file can't be opened or brought up to date.
    """

    name: ClassVar[str] = "sqlite"

    def __init__(self, url: str) -> None:
        parsed = sa.make_url(url)
        in_memory = parsed.database in {None, "", ":memory:"}
        self._writing = threading.RLock()
        self._reading = self._writing if in_memory else nullcontext()
        try:
            if not in_memory:
                Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
            self._engine = sa.create_engine(
                parsed,
                connect_args={"check_same_thread": False},
                **({"poolclass": StaticPool} if in_memory else {}),
            )
            event.listen(self._engine, "connect", _configure)
            event.listen(self._engine, "begin", _begin)
            self._migrate()
        except (SQLAlchemyError, OSError) as error:
            raise StoreFailed(f"cannot open the database {url}: {_first_line(error)}") from error

    def _migrate(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def _transaction(self, *, write: bool = False) -> Generator[sa.Connection]:
        engine = self._engine.execution_options(begin="BEGIN IMMEDIATE") if write else self._engine
        try:
            with self._writing if write else self._reading, engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreFailed(f"the database refused: {_first_line(error)}") from error

    def write(
        self,
        *,
        documents: Mapping[DocumentKind, Mapping[str, bytes]] | None = None,
        log: Sequence[LogRow] = (),
    ) -> tuple[int | None, ...]:
        """Stores documents and log rows in one transaction; see `Store.write`."""
        with self._transaction(write=True) as connection:
            for kind, bodies in (documents or {}).items():
                if bodies:
                    _put(connection, kind, bodies)
            return _append(connection, log) if log else ()

    def get(self, kind: DocumentKind, key: str) -> bytes | None:
        """The document, or None."""
        table = tables.documents
        query = sa.select(table.c.body).where(table.c.kind == kind, table.c.id == key)
        with self._transaction() as connection:
            return connection.execute(query).scalar_one_or_none()

    def all(self, kind: DocumentKind) -> Iterator[tuple[str, bytes]]:
        """Every document of the kind as (id, JSON), in order of first writing."""
        table = tables.documents
        query = sa.select(table.c.id, table.c.body).where(table.c.kind == kind)
        with self._transaction() as connection:
            found = connection.execute(query.order_by(table.c.position)).all()
        return iter([(row.id, row.body) for row in found])

    def find(self, kind: LogKind, key: str) -> LogRow | None:
        """The log row with that kind and id, or None."""
        table = tables.log
        rows = self._rows(sa.select(table).where(table.c.kind == kind, table.c.id == key))
        return rows[0] if rows else None

    def read(self, after: int = 0, limit: int = 10_000) -> Sequence[LogRow]:
        """Log rows with a position above `after`, in order, at most `limit`."""
        table = tables.log
        return self._rows(sa.select(table).where(table.c.seq > after).limit(limit))

    def of_visitor(self, visitor_id: str) -> Sequence[LogRow]:
        """Every log row about the visitor, in order."""
        table = tables.log
        return self._rows(sa.select(table).where(table.c.visitor_id == visitor_id))

    def _rows(self, query: sa.Select[Any]) -> list[LogRow]:
        with self._transaction() as connection:
            found = connection.execute(query.order_by(tables.log.c.seq)).all()
        return [
            LogRow(
                seq=row.seq,
                kind=row.kind,
                id=row.id,
                at=datetime.fromisoformat(row.at),
                visitor_id=row.visitor_id,
                body=row.body,
            )
            for row in found
        ]

    def counts(self) -> Mapping[str, int]:
        """Number of log rows by kind, and of things set aside under `set_aside`."""
        kind = tables.log.c.kind
        with self._transaction() as connection:
            rows = connection.execute(sa.select(kind, sa.func.count()).group_by(kind)).all()
            aside = connection.execute(sa.select(sa.func.count()).select_from(tables.set_aside))
            return {str(row[0]): int(row[1]) for row in rows} | {"set_aside": aside.scalar_one()}

    def set_aside(self, items: Sequence[Aside]) -> None:
        """Keeps what could not be used, all or nothing; a known id is kept once."""
        rows = [item._asdict() | {"at": item.at.isoformat()} for item in items]
        if rows:
            with self._transaction(write=True) as connection:
                connection.execute(insert(tables.set_aside).on_conflict_do_nothing(), rows)

    def set_aside_items(self, limit: int = 100) -> Sequence[Aside]:
        """What was set aside, newest first."""
        table = tables.set_aside
        query = sa.select(table).order_by(table.c.position.desc()).limit(limit)
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        return [Aside(row.id, datetime.fromisoformat(row.at), row.reason, row.body) for row in rows]

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keeps a snapshot and drops all but the newest `KEPT_SNAPSHOTS`."""
        table = tables.snapshots
        row = {"version": snapshot.version, "log_seq": snapshot.log_seq, "body": dumps(snapshot)}
        newest = sa.select(table.c.version).order_by(table.c.log_seq.desc()).limit(KEPT_SNAPSHOTS)
        with self._transaction(write=True) as connection:
            connection.execute(insert(table).values(row).on_conflict_do_nothing())
            connection.execute(sa.delete(table).where(table.c.version.not_in(newest)))

    def latest_snapshot(self) -> Snapshot | None:
        """The snapshot that has seen most of the log, or None."""
        table = tables.snapshots
        query = sa.select(table.c.body).order_by(table.c.log_seq.desc()).limit(1)
        with self._transaction() as connection:
            body = connection.execute(query).scalar_one_or_none()
        return None if body is None else loads(body, Snapshot)

    def close(self) -> None:
        """Lets go of the database; do not use the store any further."""
        self._engine.dispose()


def _first_line(error: Exception) -> str:
    """What the database said, without SQLAlchemy's further remarks."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.isolation_level = None  # transactions begin where we say, see `_begin`
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _put(connection: sa.Connection, kind: DocumentKind, bodies: Mapping[str, bytes]) -> None:
    statement = insert(tables.documents)
    statement = statement.on_conflict_do_update(
        index_elements=["kind", "id"], set_={"body": statement.excluded.body}
    )
    rows = [{"kind": kind, "id": key, "body": body} for key, body in bodies.items()]
    connection.execute(statement, rows)


def _append(connection: sa.Connection, log: Sequence[LogRow]) -> tuple[int | None, ...]:
    table = tables.log
    seen = _known(connection, log)
    top = connection.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.seq), 0))).scalar_one()
    positions: list[int | None] = []
    rows: list[dict[str, object]] = []
    for row in log:
        if (row.kind, row.id) in seen:
            positions.append(None)
            continue
        seen.add((row.kind, row.id))
        rows.append(
            {
                "seq": top + len(rows) + 1,
                "kind": row.kind,
                "id": row.id,
                "at": row.at.isoformat(),
                "visitor_id": row.visitor_id,
                "body": row.body,
            }
        )
        positions.append(top + len(rows))
    if rows:
        connection.execute(sa.insert(table), rows)
    return tuple(positions)


def _known(connection: sa.Connection, log: Sequence[LogRow]) -> set[tuple[str, str]]:
    """The (kind, id) of `log` that the table already has."""
    table = tables.log
    known: set[tuple[str, str]] = set()
    for kind in {row.kind for row in log}:
        ids = [row.id for row in log if row.kind == kind]
        for start in range(0, len(ids), _IN_CHUNK):
            chunk = ids[start : start + _IN_CHUNK]
            query = sa.select(table.c.id).where(table.c.kind == kind, table.c.id.in_(chunk))
            known |= {(kind, key) for key in connection.execute(query).scalars()}
    return known
