"""Records in SQLite."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from local_cloud.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "made" / "state.db")
    yield store
    store.close()


def names(store: Store, *args: object, **options: object) -> list[str]:
    return [name for name, _ in store.list("k", *args, **options)]


def test_records_are_copies(store: Store) -> None:
    value = {"a": [1]}
    store.put("k", "n", value)
    value["a"].append(2)
    found = store.get("k", "n")
    assert found == {"a": [1]}
    found["a"].append(3)
    assert store.get("k", "n") == {"a": [1]}
    assert store.get("other", "n") is None
    store.delete("k", "n")
    store.delete("k", "n")
    assert store.get("k", "n") is None


def test_lists_are_ordered_and_cut(store: Store) -> None:
    for name in ("b/2", "a", "b/1", "\u00e4", "b", "B", "b0", "\U0001f600", "\uffee"):
        store.put("k", name, {})
    store.put("other", "b", {})
    assert names(store) == ["B", "a", "b", "b/1", "b/2", "b0", "\u00e4", "\uffee", "\U0001f600"]
    assert names(store, "b/") == ["b/1", "b/2"]
    assert names(store, "b", start="b/2") == ["b/2", "b0"]
    assert names(store, start="b", limit=2) == ["b", "b/1"]
    assert names(store, prefix="b", start="a", limit=1) == ["b"]


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    def fails_inside() -> None:
        with store.transaction():
            store.put("k", "a", {})
            with store.transaction():
                store.put("k", "b", {})
            raise KeyError

    with pytest.raises(KeyError):
        fails_inside()
    assert names(store) == []
    with store.transaction(), store.transaction():
        store.put("k", "a", {})
    assert names(store) == ["a"]


def test_transactions_of_threads_do_not_mix(store: Store) -> None:
    store.put("k", "n", {"count": 0})

    def count() -> None:
        for _ in range(50):
            with store.transaction():
                value = store.get("k", "n")
                assert value is not None
                store.put("k", "n", {"count": value["count"] + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("k", "n") == {"count": 200}


def test_records_outlive_the_store(tmp_path: Path) -> None:
    first = Store(tmp_path / "state.db")
    first.put("k", "n", {"a": 1})
    second = Store(tmp_path / "state.db")  # as after a kill: the first was never closed
    assert second.get("k", "n") == {"a": 1}
    second.close()
    first.close()
