"""Typed reading of a store's documents, and the audit row that every change leaves."""

from datetime import datetime
from typing import TypeVar
from uuid import uuid4

from hookline.errors import Unknown
from hookline.store.base import DocumentKind, Store
from hookline.types import Action, LogRow, dumps, loads

T = TypeVar("T")


def one(store: Store, kind: DocumentKind, key: str, record: type[T]) -> T:
    """The document with that id, as a record.

    Raises:
        Unknown: Where there is none; the message names some that there are.
    """
    body = store.get(kind, key)
    if body is None:
        known = ", ".join(name for name, _ in list(store.all(kind))[:5]) or "none yet"
        raise Unknown(f"no {kind} {key!r}; there are: {known}")
    return loads(body, record)


def every(store: Store, kind: DocumentKind, record: type[T]) -> list[T]:
    """All documents of a kind as records, in order of first writing."""
    return [loads(body, record) for _, body in store.all(kind)]


def audit_row(action: Action, at: datetime) -> LogRow:
    """The log row of a change."""
    return LogRow(kind="action", id=uuid4().hex, at=at, body=dumps(action))
