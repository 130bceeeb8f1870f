"""What every store promises."""

from collections.abc import Callable
from datetime import UTC, datetime

from hookline.store import Aside, Store
from hookline.testing.promise import promised
from hookline.types import LogRow, Snapshot

_AT = datetime(2026, 1, 5, 12, 30, 15, 123456, tzinfo=UTC)


def check_store(make: Callable[[], Store], *, durable: bool = True) -> None:
    """Nothing, if the stores that `make` opens keep the contract of `Store`.

    Args:
        make: Opens the store; it has to be empty at the first call, and the same one at later
            calls if it is durable.
        durable: Whether what was written is still there after closing and opening again.

    Raises:
        AssertionError: Naming the promise that was broken.
    """
    store = make()
    _documents(store)
    _log(store)
    _set_aside(store)
    _snapshots(store)
    if durable:
        before = _all_of(store)
        store.close()
        store = make()
        promised(_all_of(store) == before, store, "gives back after opening what it was given")
    store.close()


def _row(key: str, visitor: str = "v1") -> LogRow:
    return LogRow(kind="event", id=key, at=_AT, visitor_id=visitor, body=b'{"key":"\xc3\xa9"}')


def _documents(store: Store) -> None:
    promised(store.get("brand", "a") is None, store, "answers None for a document never written")
    store.write(documents={"brand": {"b": b"1", "a": b"2"}, "meta": {"a": b"3"}})
    store.write(documents={"brand": {"b": b"4", "c": b"5"}})
    promised(store.get("brand", "b") == b"4", store, "keeps the last writing of a document")
    promised(store.get("meta", "a") == b"3", store, "keeps the ids of kinds apart")
    found = list(store.all("brand"))
    promised(
        found == [("b", b"4"), ("a", b"2"), ("c", b"5")],
        store,
        "lists documents in order of first writing",
    )


def _log(store: Store) -> None:
    promised(store.write(log=[_row("m1"), _row("m2")]) == (1, 2), store, "numbers rows from 1")
    repeat = store.write(log=[_row("m2"), _row("m3", "v2"), _row("m3", "v2")])
    promised(repeat == (None, 3, None), store, "skips a repeat, within a call and across calls")
    rows = store.read()
    promised([row.seq for row in rows] == [1, 2, 3], store, "gives rows in order, once")
    promised(rows[0].at == _AT, store, "keeps microseconds and zone of times")
    promised(rows[0].body == _row("m1").body, store, "gives bodies back byte for byte")
    promised(
        [row.id for row in store.read(after=1, limit=1)] == ["m2"], store, "reads on after a row"
    )
    promised([row.id for row in store.of_visitor("v2")] == ["m3"], store, "finds rows by visitor")
    found = store.find("event", "m2")
    promised(found is not None and found.seq == 2, store, "finds a row by kind and id")
    promised(store.find("decision", "m2") is None, store, "keeps the ids of log kinds apart")
    promised(store.counts()["event"] == 3, store, "counts the log")


def _set_aside(store: Store) -> None:
    store.set_aside([Aside("x", _AT, "first", b"1"), Aside("y", _AT, "why", b"2")])
    store.set_aside([Aside("x", _AT, "again", b"3")])
    items = store.set_aside_items()
    promised(
        [item.id for item in items] == ["y", "x"], store, "lists set-aside items newest first, once"
    )
    promised(items[1] == Aside("x", _AT, "first", b"1"), store, "keeps the first reason")
    promised(store.counts()["set_aside"] == 2, store, "counts what was set aside")


def _snapshots(store: Store) -> None:
    promised(store.latest_snapshot() is None, store, "has no snapshot at first")
    newer = Snapshot(version="n", log_seq=3, at=_AT, states={"e": '{"x":0.1}'})
    older = Snapshot(version="o", log_seq=2, at=_AT, states={})
    for snapshot in (newer, older, newer):
        store.save_snapshot(snapshot)
    promised(
        store.latest_snapshot() == newer, store, "gives the snapshot that has seen most of the log"
    )


def _all_of(store: Store) -> list[object]:
    return [
        list(store.all("brand")),
        list(store.read()),
        list(store.set_aside_items()),
        store.latest_snapshot(),
    ]
