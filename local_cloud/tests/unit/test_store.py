"""Records in SQLite."""

from __future__ import annotations

import base64
import errno
import json
import random
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

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


def names(store: Store, *args: Any, **options: Any) -> list[str]:
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


def spellings(secret: str) -> list[bytes]:
    """Return how a file may hold a secret: plain, at each place of base64, escaped for JSON."""
    raw = secret.encode()
    shifted = [base64.b64encode(b"x" * offset + raw)[4:-4] for offset in range(3)]
    return [raw, raw[::-1], raw.hex().encode(), *shifted, json.dumps(secret)[1:-1].encode()]


@pytest.mark.parametrize("seed", range(8))
def test_what_was_erased_is_in_no_file(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    store = Store(tmp_path / "state.db")
    kept = f"kept-{chance.getrandbits(160):x}"
    store.put("secret", "kept", {"data": kept})
    secrets = {f"s{n}": f"hf_{chance.getrandbits(160):x}/\u00e4" for n in range(30)}
    # Pages are split, filled up and joined on the way: copies of records stay behind.
    for number, (name, secret) in enumerate(secrets.items()):
        text = base64.b64encode(secret.encode()).decode() if number % 2 else secret
        store.put("secret", name, {"data": text, "fill": "y" * chance.randrange(600)})
        for _ in range(3):
            store.put("object", f"n{chance.randrange(60)}", {"x": "x" * chance.randrange(3000)})
        store.delete("object", f"n{chance.randrange(60)}")
    for name in secrets:
        store.erase("secret", name)
    with store.transaction():
        store.erase("secret", "never there")
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [s for s in secrets.values() for form in spellings(s) if form in files] == []
    assert kept.encode() in files
    store.close()


def test_an_erasure_that_was_interrupted_is_finished_by_the_next_start(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from local_cloud.store import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "store.put('secret', 'n', {'data': 'the-' + 'token'})\n"
        "store._sweep = lambda: os._exit(9)\n"
        "store.erase('secret', 'n')\n"
    )
    path = tmp_path / "state.db"
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == 9
    assert b"the-token" in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    store = Store(path)
    assert store.get("secret", "n") is None
    assert b"the-token" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    store.close()


def test_a_full_disk_is_an_error_as_files_have_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db")
    store._db.execute("PRAGMA max_page_count=40")

    def fill() -> None:
        with store.transaction():
            for number in range(1000):
                store.put("k", f"n{number}", {"x": "x" * 1000})

    with pytest.raises(OSError, match="No space left") as caught:
        fill()
    assert caught.value.errno == errno.ENOSPC
    assert names(store) == []
    store.put("k", "small", {})
    assert names(store) == ["small"]
    store.close()
