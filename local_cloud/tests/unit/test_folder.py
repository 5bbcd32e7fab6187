"""Whose the data folder is."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from local_cloud.errors import LocalCloudError
from local_cloud.folder import FolderLock

if TYPE_CHECKING:
    from pathlib import Path


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_a_new_folder_is_its_owners_alone(tmp_path: Path) -> None:
    FolderLock(tmp_path / "deep" / "data").release()
    assert mode(tmp_path / "deep" / "data") == 0o700


def test_the_folder_of_an_earlier_version_is_closed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    FolderLock(data).release()
    data.chmod(0o755)
    FolderLock(data).release()
    assert mode(data) == 0o700


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    FolderLock(tmp_path).release()
    assert mode(tmp_path) == 0o700


def test_a_folder_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "letter.txt").touch()
    with pytest.raises(LocalCloudError, match="others may enter it") as caught:
        FolderLock(tmp_path)
    assert "new folder" in caught.value.fix
    assert mode(tmp_path) == 0o755
    assert not (tmp_path / "lock").exists()
