"""What a store is: documents that are current, and a log that is the truth.

Documents (products, copies, experiments …) are what is so now; the log is what happened, in order.
Every write is one transaction, and a call that returns has reached the disk.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple

from hookline.types import LogKind, LogRow, Snapshot

DocumentKind = Literal["product", "brand", "audience", "copy", "writing", "experiment", "meta"]


class Aside(NamedTuple):
    """Something that came in and could not be used.

    Attributes:
        id: The sender's id, or a hash of the body.
        at: UTC time it came.
        reason: Why, in words.
        body: What came, as JSON.
    """

    id: str
    at: datetime
    reason: str
    body: bytes


class Store(ABC):
    """Durable state of one Hookline."""

    name: ClassVar[str]
    """Name in `STORES`."""

    @abstractmethod
    def write(
        self,
        *,
        documents: Mapping[DocumentKind, Mapping[str, bytes]] | None = None,
        log: Sequence[LogRow] = (),
    ) -> tuple[int | None, ...]:
        """Stores documents and log rows, all or nothing.

        Args:
            documents: Kind → id → JSON; replaces what stood under that id.
            log: Rows to append in order; their `seq` is ignored. A row whose (kind, id) the log
                already has is skipped.

        Returns:
            For each log row its position in the log, None if it was skipped as a repeat.

        Raises:
            StoreFailed: Where nothing was written.
        """

    @abstractmethod
    def get(self, kind: DocumentKind, key: str) -> bytes | None:
        """The document, or None."""

    @abstractmethod
    def all(self, kind: DocumentKind) -> Iterator[tuple[str, bytes]]:
        """Every document of the kind as (id, JSON), in order of first writing."""

    @abstractmethod
    def find(self, kind: LogKind, key: str) -> LogRow | None:
        """The log row with that kind and id, or None."""

    @abstractmethod
    def read(self, after: int = 0, limit: int = 10_000) -> Sequence[LogRow]:
        """Log rows with a position above `after`, in order, at most `limit`."""

    @abstractmethod
    def of_visitor(self, visitor_id: str) -> Sequence[LogRow]:
        """Every log row about the visitor, in order."""

    @abstractmethod
    def counts(self) -> Mapping[str, int]:
        """Number of log rows by kind, and of things set aside under `set_aside`."""

    @abstractmethod
    def set_aside(self, items: Sequence[Aside]) -> None:
        """Keeps what could not be used, all or nothing; a known id is kept once."""

    @abstractmethod
    def set_aside_items(self, limit: int = 100) -> Sequence[Aside]:
        """What was set aside, newest first."""

    @abstractmethod
    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keeps a snapshot; the same version twice is kept once."""

    @abstractmethod
    def latest_snapshot(self) -> Snapshot | None:
        """The snapshot that has seen most of the log, or None."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of the database; do not use the store any further."""
