"""Volumes of a container, and the folders of this machine that stand for them.

A bucket is a folder of plain files, so a Cloud Storage volume is that folder. A container sees it
at a mount path; here, that path is replaced by the folder's path wherever it stands in the command,
the arguments and the environment. A program that has a mount path built in does not find it. That
a volume is read-only is told to the programs that come with the local cloud (``READ_ONLY``) and is
not enforced by the system.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_cloud.runner.failures import RevisionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from google.cloud import run_v2

READ_ONLY = "LOCAL_CLOUD_READ_ONLY"  # environment variable: folders, separated as in PATH
_CONTAINER_ROOTS = ("/dev", "/proc", "/sys")


@dataclass(frozen=True)
class Mount:
    """A folder that a container sees at ``path``."""

    path: str
    folder: Path
    read_only: bool


@dataclass(frozen=True)
class Mounts:
    """All mounts of a container."""

    mounts: tuple[Mount, ...]

    def translate(self, text: str) -> str:
        """Return ``text`` with the mount paths in it replaced by the folders' paths."""
        if not self.mounts:
            return text
        folders = {mount.path: str(mount.folder) for mount in self.mounts}
        paths = "|".join(re.escape(path) for path in sorted(folders, key=len, reverse=True))
        # A path of its own: neither the end of a longer one, nor the beginning of another name.
        pattern = rf"(?<![\w./~$}}-])({paths})(?![\w.-])"
        return re.sub(pattern, lambda found: folders[found[1]], text)

    def environment(self) -> dict[str, str]:
        """Return the variable that says which folders are read-only, if any are."""
        folders = [str(mount.folder) for mount in self.mounts if mount.read_only]
        return {READ_ONLY: os.pathsep.join(folders)} if folders else {}


@dataclass(frozen=True)
class VolumeSource:
    """What volumes are made from.

    Attributes
    ----------
    buckets
        Folder with one folder for each bucket.
    scratch
        Folder of the instance: its ``emptyDir`` volumes and secret files are made in it.
    secret
        Returns the value of (secret name or resource name, version).
    may_mount
        Returns why the service account may not mount (bucket, read only), or nothing.
    warn
        Takes lines for the log, as Cloud Storage FUSE writes them.

    """

    buckets: Path
    scratch: Path
    secret: Callable[[str, str], str]
    may_mount: Callable[[str, bool], str]
    warn: Callable[[str], None]

    def mounts(self, volumes: Iterable[run_v2.Volume], container: run_v2.Container) -> Mounts:
        """Return the mounts of a container.

        Raises
        ------
        RevisionFailed
            If a volume cannot be mounted: no such bucket, no access to it, bad options.

        """
        check_volumes(volumes, container)
        folders = {volume.name: self._folder(volume) for volume in volumes}
        mounts = []
        for mount in container.volume_mounts:
            folder, read_only = folders[mount.name]
            if mount.sub_path:
                folder = _inside(folder, mount.sub_path.strip("/"), "volume_mounts.sub_path")
            mounts.append(Mount(mount.mount_path.rstrip("/"), folder, read_only))
        return Mounts(tuple(mounts))

    def _folder(self, volume: run_v2.Volume) -> tuple[Path, bool]:
        if "gcs" in volume:
            return self._bucket(volume.gcs), volume.gcs.read_only
        folder = _inside(self.scratch / "volumes", volume.name, "volumes.name")
        folder.mkdir(parents=True, exist_ok=True)
        if "secret" in volume:
            items = list(volume.secret.items)
            files = {item.path: item.version for item in items} or {
                volume.secret.secret.rsplit("/", 1)[-1]: "latest"
            }
            for name, version in files.items():
                file = _inside(folder, name, "volumes.secret.items.path")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch(mode=0o600)
                file.write_text(self.secret(volume.secret.secret, version or "latest"))
            return folder, True
        return folder, False

    def _bucket(self, source: run_v2.GCSVolumeSource) -> Path:
        options = mount_options(source.mount_options)
        if refused := self.may_mount(source.bucket, source.read_only):
            self._mount_failed(f"SetUpBucket: error in iterating through objects: {refused}")
        root = _inside(self.buckets, source.bucket, "volumes.gcs.bucket")
        if not root.is_dir():
            self._mount_failed(
                f"SetUpBucket: bucket {source.bucket}: storage: bucket doesn't exist"
            )
        parallel = options.get("file-cache-enable-parallel-downloads", "false") != "false"
        if parallel and "cache-dir" not in options:
            self._mount_failed("file cache should be enabled for parallel download support")
        only_dir = options.get("only-dir", "").strip("/")
        if ".." in only_dir.split("/") or not _lies_in(root, root / only_dir):
            self._mount_failed(f"only-dir: {only_dir}: not a folder of the bucket")
        folder = root / only_dir
        if folder.is_dir():
            return folder
        # A prefix that no object has: Cloud Storage FUSE mounts an empty folder.
        if not source.read_only:
            folder.mkdir(parents=True)
            return folder
        empty = self.scratch / "empty" / source.bucket / only_dir
        empty.mkdir(parents=True, exist_ok=True)
        return empty

    def _mount_failed(self, why: str) -> None:
        self.warn(f"mountWithArgs: mountWithStorageHandle: fs.NewServer: create file system: {why}")
        raise RevisionFailed(
            "HEALTH_CHECK_CONTAINER_ERROR",
            f"The user-provided container failed to start: mounting volume type gcs failed: {why}.",
        )


def _inside(folder: Path, name: str, field: str) -> Path:
    """Return a path below a folder.

    Parameters
    ----------
    name
        Relative to the folder; a caller of the API gave it.
    field
        Where it stands in the template.

    Raises
    ------
    RevisionFailed
        It leads out of the folder, by ``..`` or over a link.

    """
    path = folder / name
    if ".." in name.split("/") or not _lies_in(folder, path):
        raise RevisionFailed(
            "UNKNOWN", f"template: {field}: must be a relative path within the volume: {name!r}."
        )
    return path


def _lies_in(folder: Path, path: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):  # links in a circle; a name that no file can have
        return False


def mount_options(options: Iterable[str]) -> dict[str, str]:
    """Return Cloud Storage FUSE options, such as ``only-dir=x`` and ``implicit-dirs``, by name."""
    pairs = (option.partition("=") for item in options for option in item.split(","))
    return {name.strip(): value if equals else "true" for name, equals, value in pairs}


def check_volumes(volumes: Iterable[run_v2.Volume], container: run_v2.Container) -> None:
    """Raise ``RevisionFailed`` if a container's mounts contradict the volumes."""
    names = {volume.name for volume in volumes}
    for volume in volumes:
        if "nfs" in volume or "cloud_sql_instance" in volume:
            raise RevisionFailed(
                "UNKNOWN",
                f"Volume '{volume.name}' cannot be mounted on this machine: the local cloud has "
                "Cloud Storage, secret and in-memory volumes. Use one of these.",
            )
    for mount in container.volume_mounts:
        if mount.name not in names:
            raise RevisionFailed(
                "UNKNOWN",
                f"template.containers.volume_mounts.name: Volume with name {mount.name} not found.",
            )
        path = mount.mount_path.rstrip("/")
        if not path.startswith("/") or any(
            path == root or path.startswith(f"{root}/") for root in _CONTAINER_ROOTS
        ):
            raise RevisionFailed(
                "UNKNOWN",
                "template.containers.volume_mounts.mount_path: must be a valid absolute path "
                f"outside of {', '.join(_CONTAINER_ROOTS)}; it is '{mount.mount_path}'.",
            )
