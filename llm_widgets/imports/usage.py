"""Finds the services that use a model: they mount its folder, or stream it from its bucket.

A service is its newest revision and the older ones that traffic or a tag leads to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from llm_widgets.domain import folders
from llm_widgets.domain.services import MODEL_ANNOTATION
from llm_widgets.gcp.run import locations, revisions, service_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.client import lazy
    from llm_widgets.gcp.client.clients import Clients

    _Revision: TypeAlias = lazy.run_v2.RevisionTemplate | lazy.run_v2.Revision

T = TypeVar("T")

_FOLDER_OPTION = "only-dir"
_NAMED = 4  # regions in a sentence


@dataclass(frozen=True, slots=True)
class Usage:
    """The services that read a model.

    Attributes
    ----------
    services
        Full resource names, ordered.
    unanswered
        Regions that did not answer, with the error: services there are unknown.
    """

    services: tuple[str, ...]
    unanswered: tuple[tuple[str, ManagerError], ...] = ()

    @property
    def names(self) -> str:
        """The services for a sentence: ``chat (europe-west1), test (us-central1)``."""
        parts = (name.split("/") for name in self.services)
        return ", ".join(f"{part[-1]} ({part[3]})" for part in parts)

    @property
    def reason(self) -> ManagerError | None:
        """Why a region did not answer, the first of them; ``None`` where all have."""
        return self.unanswered[0][1] if self.unanswered else None

    @property
    def unknown(self) -> str:
        """The regions that did not answer, for a sentence: a few are named."""
        named = [region for region, _ in self.unanswered]
        if len(named) <= _NAMED:
            return ", ".join(named)
        return f"{', '.join(named[: _NAMED - 1])} and {len(named) - _NAMED + 1} other regions"


def services_with(
    clients: Clients, project: str, bucket: str, location: str, record: ModelRecord
) -> Usage:
    """Find the services of a project that read a model, whoever deployed them.

    Looks into all regions, that of the bucket among them.

    Parameters
    ----------
    location
        Region of the bucket.
    """
    (usage,) = usages(clients, project, [location], [(bucket, record)])
    return usage


def usages(
    clients: Clients,
    project: str,
    places: Iterable[str],
    wanted: Sequence[tuple[str, ModelRecord]],
) -> list[Usage]:
    """Find for each of several models the services that read it; each region is asked once.

    Parameters
    ----------
    places
        Locations of the buckets.
    wanted
        Bucket and model, of each.
    """
    if not wanted:
        return []

    def which(service: lazy.run_v2.Service) -> tuple[str, set[int]]:
        older = revisions.older_in_use(clients, service)
        read = (
            number
            for number, each in enumerate(wanted)
            if reads(service, *each) or any(_reads(old, *each) for old in older)
        )
        return service.name, set(read)

    named, unanswered = _everywhere(clients, project, places, which)
    return [
        Usage(tuple(sorted(name for name, read in named if number in read)), unanswered)
        for number in range(len(wanted))
    ]


def services_on(clients: Clients, project: str, bucket: str, location: str) -> Usage:
    """Find the services of a project that read anything of a bucket."""
    address = re.compile(re.escape(f"gs://{bucket}") + r"(?![\w.-])")

    def which(service: lazy.run_v2.Service) -> str | None:
        found: list[_Revision] = [service.template, *revisions.older_in_use(clients, service)]
        volumes = (volume for each in found for volume in each.volumes)
        mounted = any(volume.gcs.bucket == bucket for volume in volumes)
        return service.name if mounted or any(_names(each, address) for each in found) else None

    named, unanswered = _everywhere(clients, project, [location], which)
    return Usage(tuple(sorted(named)), unanswered)


def _everywhere(
    clients: Clients,
    project: str,
    places: Iterable[str],
    read: Callable[[lazy.run_v2.Service], T | None],
) -> tuple[list[T], tuple[tuple[str, ManagerError], ...]]:
    """Read something of all services, and tell the regions that did not answer."""
    own = (place for place in places if "-" in place)  # none of a bucket in several regions
    looked = dict.fromkeys((*locations.everywhere(clients, project), *own))
    found = service_list.all_by_region(clients, project, read, looked)
    answers = sorted((each for some in found for each in some), key=lambda each: each.key)
    return (
        [value for answer in answers for value in answer.value or ()],
        tuple((each.key, each.error) for each in answers if each.error),
    )


def reads(service: lazy.run_v2.Service, bucket: str, record: ModelRecord) -> bool:
    """Return whether the newest revision of a service reads a model."""
    # Of a whole bucket that is mounted, the annotation names the model. A folder that is no model
    # may be read by anybody who mounts all.
    model = service.annotations.get(MODEL_ANNOTATION, record.id)
    is_meant = not record.id or model == record.id
    return _reads(service.template, bucket, record, is_meant=is_meant)


def _reads(
    revision: _Revision,
    bucket: str,
    record: ModelRecord,
    *,
    is_meant: bool = True,
) -> bool:
    """Return whether a revision reads a model, by its mounts, arguments and variables.

    Parameters
    ----------
    is_meant
        Whether the model may be the one that is read of a whole bucket.
    """
    # Not the folder of another model that begins with the same letters.
    address = re.compile(re.escape(f"gs://{bucket}/{record.prefix}") + r"(?![\w.-])")
    if _names(revision, address):
        return True
    for volume in revision.volumes:
        if volume.gcs.bucket != bucket:
            continue
        folder = _folder(volume.gcs.mount_options)
        if folder and folders.overlap(folder, record.prefix):
            return True
        if not folder and (is_meant or _names(revision, _mounted(revision, volume.name, record))):
            return True
    return False


def _mounted(revision: _Revision, volume: str, record: ModelRecord) -> re.Pattern[str]:
    """Return what matches the folder of a model below where a volume is mounted.

    Whoever may change a service writes any annotation; what its engine is told to load goes first.
    """
    paths = [
        re.escape(f"{mount.mount_path.rstrip('/')}/{record.prefix}")
        for container in revision.containers
        for mount in container.volume_mounts
        if mount.name == volume
    ]
    return re.compile(rf"(?:{'|'.join(paths)})(?![\w.-])" if paths else r"(?!)")


def _names(revision: _Revision, address: re.Pattern[str]) -> bool:
    """Return whether a command, an argument or a variable of a revision holds an address."""
    return any(
        address.search(text)
        for container in revision.containers
        for text in (
            *container.command,
            *container.args,
            *(env.value for env in container.env),
        )
    )


def _folder(options: Iterable[str]) -> str:
    for option in options:
        name, _, value = option.partition("=")
        if name.strip("-") == _FOLDER_OPTION:
            return value.strip("/")
    return ""
