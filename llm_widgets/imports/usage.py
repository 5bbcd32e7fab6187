"""Finds the services that use a model: they mount its folder, or stream it from its bucket."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain import folders, regions
from llm_widgets.domain.services import MODEL_ANNOTATION
from llm_widgets.gcp.run import service_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.client import lazy
    from llm_widgets.gcp.client.clients import Clients

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
    own = (location,) if "-" in location else ()  # none of a bucket in several regions

    def name_if_reads(service: lazy.run_v2.Service) -> str | None:
        return service.name if reads(service, bucket, record) else None

    looked = dict.fromkeys((*regions.offered(), *own))
    found = service_list.all_by_region(clients, project, name_if_reads, looked)
    answers = sorted((each for some in found for each in some), key=lambda each: each.key)
    return Usage(
        tuple(sorted(name for answer in answers for name in answer.value or ())),
        tuple((each.key, each.error) for each in answers if each.error),
    )


def reads(service: lazy.run_v2.Service, bucket: str, record: ModelRecord) -> bool:
    """Return whether a service reads a model, by its mounts, arguments and variables."""
    # Not the folder of another model that begins with the same letters.
    address = re.compile(re.escape(f"gs://{bucket}/{record.prefix}") + r"(?![\w.-])")
    for container in service.template.containers:
        values = (env.value for env in container.env)
        if any(map(address.search, (*container.command, *container.args, *values))):
            return True
    for volume in service.template.volumes:
        if volume.gcs.bucket != bucket:
            continue
        folder = _folder(volume.gcs.mount_options)
        if folder and folders.overlap(folder, record.prefix):
            return True
        # Of a whole bucket, the annotation names the model; without it, any may be meant.
        if not folder and service.annotations.get(MODEL_ANNOTATION, record.id) == record.id:
            return True
    return False


def _folder(options: Iterable[str]) -> str:
    for option in options:
        name, _, value = option.partition("=")
        if name.strip("-") == _FOLDER_OPTION:
            return value.strip("/")
    return ""
