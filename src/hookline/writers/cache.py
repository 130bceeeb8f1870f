"""Answers of remote models that were paid for once, kept in a file for the next time."""

import sqlite3
import weakref
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Final

from hookline.errors import BadInput
from hookline.types import content_hash

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, text TEXT NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID"""
_INDEX: Final = "CREATE INDEX IF NOT EXISTS by_use ON answers (used)"
# `used` counts uses, in the place of a clock.
_FIND: Final = "SELECT text FROM answers WHERE key = ?"
_USE: Final = """
UPDATE answers SET used = (SELECT coalesce(max(used), 0) + 1 FROM answers) WHERE key = ?"""
_KEEP: Final = """
INSERT OR REPLACE INTO answers
VALUES (?, ?, (SELECT coalesce(max(used), 0) + 1 FROM answers))"""
_PRUNE: Final = """
DELETE FROM answers
WHERE key IN (SELECT key FROM answers ORDER BY used DESC LIMIT -1 OFFSET ?)"""
_PATIENCE_S: Final = 5.0


class Cache:
    """Answers by the content of what was asked; several threads and processes may share the file.

    It holds answers alone: neither keys nor prompts, of which only a hash stands in it. Beyond
    `most` answers the longest unused ones go. A cache that fails while in use is no reason to lose
    an answer: it is left alone from then on, and `fault` says why.

    Args:
        path: SQLite file, made if there is none.
        most: Answers kept, at least 1.

    Raises:
        BadInput: Where the file can't be opened or is something else, or `most` is below 1.

    Examples:
        >>> cache = Cache(":memory:")
        >>> key = Cache.key("model", "https://...", [("user", "Hi")], {"type": "object"}, 7)
        >>> cache.put(key, "Hello"), cache.get(key), cache.get("another")
        (None, 'Hello', None)
    """

    def __init__(self, path: Path | str, most: int = 10_000) -> None:
        if most < 1:
            raise BadInput(f"a cache keeps at least 1 answer, not {most}")
        self.path = path
        self.most = most
        self.fault = ""
        self._lock = Lock()
        try:
            self._file = sqlite3.connect(path, timeout=_PATIENCE_S, check_same_thread=False)
            weakref.finalize(self, self._file.close)  # for those who never call `close`
            with self._file:
                self._file.execute(_TABLE)
                self._file.execute(_INDEX)
        except sqlite3.Error as error:
            raise BadInput(f"the answer cache {path} can't be opened: {error}") from None

    @staticmethod
    def key(*asked: object) -> str:
        """The name of an answer: a hash of everything that it depends on."""
        return content_hash(*asked, size=20)

    def get(self, key: str) -> str | None:
        """The answer that was kept under the key; None where there is none."""
        rows = self._run(_FIND, (key,))
        if not rows:
            return None
        self._run(_USE, (key,))
        return rows[0][0]

    def put(self, key: str, text: str) -> None:
        """Keeps an answer, and lets the longest unused ones go where there are too many."""
        self._run(_KEEP, (key, text))
        self._run(_PRUNE, (self.most,))

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._file.close()

    def _run(self, order: str, values: Sequence[str | int]) -> list[tuple[str]]:
        """The rows that the order gives; none once the file has failed."""
        with self._lock:
            if self.fault:
                return []
            try:
                with self._file:
                    return self._file.execute(order, values).fetchall()
            except sqlite3.Error as error:
                self.fault = f"the answer cache {self.path} fails: {error}"
                return []
