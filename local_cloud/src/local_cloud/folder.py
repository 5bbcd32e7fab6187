"""The data folder: made when missing, used by one local cloud at a time."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from local_cloud.errors import LocalCloudError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO


class FolderLock:
    """Holds a data folder for this process; the system lets go of it however the process ends.

    Parameters
    ----------
    folder
        Made when missing.

    Raises
    ------
    LocalCloudError
        The folder cannot be written to, or another local cloud uses it.

    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = (folder / "lock").open("a+", encoding="utf-8")
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
