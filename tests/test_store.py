from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from conftest import NOW
from hookline.errors import StoreFailed, Unknown, UnregisteredName
from hookline.store import STORES, Aside, Store, every, one, open_store
from hookline.testing import check_store
from hookline.types import Brand, LogRow, Snapshot, dumps


def row(key: str, kind: str = "event", visitor: str = "v1") -> LogRow:
    return LogRow(kind=kind, id=key, at=NOW, visitor_id=visitor, body=key.encode())  # pyright: ignore[reportArgumentType]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path}/deep/er/test.db")
    yield made
    made.close()


@pytest.mark.parametrize("name", STORES)
def test_store_keeps_the_contract(name: str, tmp_path: Path) -> None:
    check_store(lambda: STORES[name](f"{name}:///{tmp_path}/contract.db"))
    check_store(lambda: STORES[name](f"{name}://"), durable=False)


def test_open_store_names_the_schemes_it_knows() -> None:
    with pytest.raises(UnregisteredName, match="sqlite"):
        open_store("mongodb://here")


def test_open_store_says_when_a_file_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreFailed, match="cannot open"):
        open_store(f"sqlite:///{tmp_path}/broken.db")


def test_write_is_all_or_nothing(store: Store) -> None:
    bad = LogRow(kind="event", id="m2", at=NOW, body="text, not bytes")  # pyright: ignore[reportArgumentType]
    with pytest.raises(StoreFailed):
        store.write(documents={"brand": {"b": b"1"}}, log=[row("m1"), bad])
    assert store.get("brand", "b") is None
    assert store.read() == []


def test_two_processes_may_share_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    first, second = open_store(url), open_store(url)
    first.write(log=[row("m1")])
    assert second.write(log=[row("m1"), row("m2")]) == (None, 2)
    assert [each.id for each in first.read()] == ["m1", "m2"]


def test_old_snapshots_are_dropped(store: Store) -> None:
    for n in range(30):
        store.save_snapshot(Snapshot(version=str(n), log_seq=n, at=NOW, states={}))
    latest = store.latest_snapshot()
    assert latest is not None
    assert latest.version == "29"


def test_set_aside_keeps_newest_first(store: Store) -> None:
    store.set_aside([Aside("a", NOW, "why", b"1"), Aside("b", NOW, "why", b"2")])
    store.set_aside([Aside("a", NOW, "other", b"3")])
    assert [(item.id, item.reason) for item in store.set_aside_items()] == [
        ("b", "why"),
        ("a", "why"),
    ]
    assert store.set_aside_items()[0].at.tzinfo is UTC


def test_one_names_what_there_is(store: Store) -> None:
    brand = Brand(id="fern", name="Fern")
    store.write(documents={"brand": {"fern": dumps(brand)}})
    assert one(store, "brand", "fern", Brand) == brand
    assert every(store, "brand", Brand) == [brand]
    with pytest.raises(Unknown, match="'moss'; there are: fern"):
        one(store, "brand", "moss", Brand)
