"""Answers kept for the next time."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hookline.errors import BadInput
from hookline.writers.cache import Cache


def test_answers_outlive_the_process(tmp_path: Path) -> None:
    first = Cache(tmp_path / "answers.db")
    first.put("a", "one")
    first.put("a", "two")
    first.close()
    assert Cache(tmp_path / "answers.db").get("a") == "two"


@pytest.mark.parametrize("place", range(4))
def test_key_depends_on_everything_that_was_asked(place: int) -> None:
    asked: list[object] = ["model", [("user", "Hi")], {"type": "object"}, 7]
    other: list[object] = ["model 2", [("user", "Ho")], {"type": "array"}, 8]
    changed = [*asked[:place], other[place], *asked[place + 1 :]]
    assert Cache.key(*asked) == Cache.key(*asked) != Cache.key(*changed)


def test_longest_unused_answers_go_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "answers.db", most=3)
    for name in "abc":
        cache.put(name, name.upper())
    assert cache.get("a") == "A"
    cache.put("d", "D")
    assert [cache.get(name) for name in "abcd"] == ["A", None, "C", "D"]


def test_threads_and_processes_share_the_file(tmp_path: Path) -> None:
    caches = [Cache(tmp_path / "answers.db", most=50) for _ in range(2)]

    def use(number: int) -> bool:
        cache = caches[number % 2]
        cache.put(f"k{number % 20}", f"v{number % 20}")
        return cache.get(f"k{number % 20}") == f"v{number % 20}"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(200)))
    assert [cache.fault for cache in caches] == ["", ""]


def test_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no database " * 100)
    with pytest.raises(BadInput, match=r"notes\.txt can't be opened"):
        Cache(file)
    with pytest.raises(BadInput, match="can't be opened"):
        Cache(tmp_path / "no" / "folder" / "answers.db")
    with pytest.raises(BadInput, match="at least 1 answer"):
        Cache(":memory:", most=0)


def test_cache_that_fails_in_use_is_left_alone_and_says_why(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "answers.db")
    cache.put("a", "one")
    with sqlite3.connect(tmp_path / "answers.db") as other:
        other.execute("DROP TABLE answers")
    assert cache.get("a") is None
    cache.put("b", "two")
    assert "no such table" in cache.fault
