"""What the runner remembers of each service: its port, and the revision that serves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.cloud import run_v2

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Record:
    """One service.

    Attributes
    ----------
    port
        Port of its address.
    revision
        Full name of the revision that serves; empty if none does yet.
    service
        The service as it was when that revision was deployed.
    is_held
        Whether it has no instance until it is resumed.

    """

    port: int
    revision: str = ""
    service: run_v2.Service | None = None
    is_held: bool = False


class Records:
    """Records in files, one for each service.

    Parameters
    ----------
    folder
        Made if it is not there.

    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, service: str) -> Record | None:
        """Return the record of a service, given its full resource name."""
        try:
            value = json.loads(self._path(service).read_text())
        except FileNotFoundError:
            return None
        deployed = value.get("service")
        return Record(
            value["port"],
            value["revision"],
            run_v2.Service.from_json(deployed, ignore_unknown_fields=True) if deployed else None,
            value.get("is_held", False),
        )

    def put(self, service: str, record: Record) -> None:
        """Write a record; a crash leaves the old one or the new one."""
        value = {
            "port": record.port,
            "revision": record.revision,
            "service": run_v2.Service.to_json(record.service) if record.service else None,
            "is_held": record.is_held,
        }
        path = self._path(service)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(value))
        fresh.replace(path)

    def delete(self, service: str) -> None:
        """Forget a service."""
        self._path(service).unlink(missing_ok=True)

    def _path(self, service: str) -> Path:
        return self._folder / f"{'~'.join(service.split('/')[1::2])}.json"
