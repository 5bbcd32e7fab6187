"""The data folder: its owner's alone, made when missing, used by one local cloud at a time."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from local_cloud.errors import LocalCloudError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

_LOCK = "lock"
_OTHERS = 0o077  # rights of everybody but the owner


class FolderLock:
    """Holds a data folder for this process; the system lets go of it however the process ends.

    Private keys and secrets lie in the folder: nobody but its owner may enter it.

    Parameters
    ----------
    folder
        Made when missing.

    Raises
    ------
    LocalCloudError
        The folder cannot be written to, holds something else that others may read, or another
        local cloud uses it.

    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _close_to_others(folder)
            self._file: TextIO = (folder / _LOCK).open("a+", encoding="utf-8")
        except OSError as error:
            raise LocalCloudError(
                f"The data folder {folder} cannot be written to.",
                "Choose another folder with --data, or change the folder's permissions.",
                cause=error.strerror or str(error),
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise LocalCloudError(
                f"Another local cloud (process {holder or 'unknown'}) uses the data folder "
                f"{folder}.",
                "Stop it, or choose another folder with --data.",
            ) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let go of the folder."""
        self._file.close()


def _close_to_others(folder: Path) -> None:
    """Take the rights of others from a folder, but not from one that is used for something else."""
    mode = folder.stat().st_mode
    if not mode & _OTHERS:
        return
    if any(folder.iterdir()) and not (folder / _LOCK).exists():
        raise LocalCloudError(
            f"The folder {folder} is no data folder of a local cloud, and others may enter it.",
            "Choose a new folder with --data: it is made for you alone.",
        )
    folder.chmod(mode & ~_OTHERS)
