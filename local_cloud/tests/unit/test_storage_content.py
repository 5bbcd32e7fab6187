"""Objects as files: where they are, and how a change survives a crash at any point."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from local_cloud.storage.content import Change, Content, append
from local_cloud.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


@pytest.fixture
def content(tmp_path: Path, store: Store) -> Content:
    content = Content(tmp_path, store)
    content.add_bucket("b")
    return content


@pytest.mark.parametrize("stage", ["journal", "renamed", "removed"])
def test_a_change_is_carried_out_after_a_crash(
    tmp_path: Path, store: Store, content: Content, stage: str
) -> None:
    upload, old, target = "uploads/new", "unmountable/b/old", "buckets/b/deep/x"
    content.path(upload).write_text("new")
    content.path(old).parent.mkdir()
    content.path(old).write_text("old")
    store.put("object:b", "gone", {})
    change = Change(
        renames=[(upload, target)],
        removes=[old],
        puts=[("object:b", "x", {"file": target})],
        drops=[("object:b", "gone")],
    )
    store.put("storage-journal", "entry", asdict(change))
    if stage != "journal":
        content.path(target).parent.mkdir()
        content.path(upload).rename(content.path(target))
    if stage == "removed":
        content.path(old).unlink()

    again = Content(tmp_path, store)

    assert again.path(target).read_text() == "new"
    assert not again.path(old).exists()
    assert not again.path(upload).exists()
    assert store.list("object:b") == [("x", {"file": target})]
    assert store.list("storage-journal") == []


def test_replacing_an_object_keeps_its_file(store: Store, content: Content) -> None:
    target = content.place("b", "x")
    content.path(target).write_text("old")
    content.path("uploads/new").write_text("new")
    content.apply(Change(renames=[("uploads/new", target)], removes=[target]))
    assert content.path(target).read_text() == "new"
    assert store.list("storage-journal") == []


def test_a_change_that_fails_is_not_carried_out_later(
    tmp_path: Path, store: Store, content: Content
) -> None:
    content.path("uploads/new").write_text("new")
    content.path("buckets/b/dir/inner").mkdir(parents=True)
    change = Change(
        renames=[("uploads/new", "buckets/b/dir")], puts=[("object:b", "dir", {"file": ""})]
    )
    with pytest.raises(OSError, match="directory"):
        content.apply(change)
    Content(tmp_path, store)
    assert store.list("object:b") == []


@pytest.mark.parametrize(
    ("name", "mountable"),
    [
        ("a/b.json", True),
        ("\u00e4 %2F", True),
        ("x" * 255, True),
        ("x" * 256, False),
        ("\u00e4" * 128, False),
        ("dir/", False),
        ("/a", False),
        ("a//b", False),
        ("..", False),
        ("a/../../b", False),
        ("a\0b", False),
        ("there/inner", False),
        ("folder", False),
    ],
)
def test_places_stay_inside_the_bucket(content: Content, name: str, *, mountable: bool) -> None:
    content.path("buckets/b/there").write_text("a file")
    content.path("buckets/b/folder").mkdir()
    place = content.place("b", name)
    assert (place == f"buckets/b/{name}") is mountable
    if not mountable:
        assert place.startswith("unmountable/b/")


def test_folders_go_with_their_last_object(content: Content) -> None:
    for name in ("models/a/1", "models/a/2", "models/b"):
        path = content.path(content.place("b", name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    content.apply(Change(removes=["buckets/b/models/a/1"]))
    assert content.path("buckets/b/models/a").is_dir()
    content.apply(Change(removes=["buckets/b/models/a/2"]))
    assert not content.path("buckets/b/models/a").exists()
    content.apply(Change(removes=["buckets/b/models/b"]))
    assert content.path("buckets/b").is_dir()
    assert not content.path("buckets/b/models").exists()


def test_generations_never_repeat(content: Content) -> None:
    made = [content.new_generation() for _ in range(1000)]
    assert sorted(set(made)) == made


def test_append_copies_a_range_to_a_place(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"0123456789")
    (tmp_path / "target").write_bytes(b"abcdefghij")
    with (
        (tmp_path / "source").open("rb", buffering=0) as source,
        (tmp_path / "target").open("r+b", buffering=0) as target,
    ):
        append(source, target, 3, start=4, at=2)
        with pytest.raises(OSError, match="shorter"):
            append(source, target, 11)
    assert (tmp_path / "target").read_bytes()[:5] == b"ab456"
