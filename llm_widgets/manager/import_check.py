"""The pre-flight of an import: the model, where it goes, what is there already, how long it takes.

Nothing is made and no byte moves before it has proved that the import can be started.
"""

from __future__ import annotations

import difflib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from llm_widgets import hubs
from llm_widgets.domain.metadata import MetadataFileError
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.progress import ImportState
from llm_widgets.domain.units import bytes_text
from llm_widgets.errors import Fix, InvalidInputError, ManagerError, NotFoundError
from llm_widgets.imports import start
from llm_widgets.imports.plan import import_id
from llm_widgets.manager import import_rights
from llm_widgets.manager.bucket_models import read_bucket
from llm_widgets.manager.import_target import Place, Target, TargetKind, look_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llm_widgets.config import Settings
    from llm_widgets.domain.imports import HubModel
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.manager.bucket_models import BucketModels

ASSUMED_SPEED = 100e6
"""Bytes a second that an estimate assumes where no import was measured."""

_ALIKE = 0.8  # of 1: above it an id counts as mistyped for another

_MEASURABLE = 50_000_000  # bytes; the time of a smaller import is mostly that of its start


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """An import as a person asks for it.

    Attributes
    ----------
    token
        The hub's token, or empty; it is in no ``repr``.
    """

    source: str
    model_id: str
    target: Target
    revision: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ImportCheck:
    """A model that can be imported, and everything to know before it is.

    Attributes
    ----------
    found
        The model with the files that the engine loads.
    model
        The same with the files that are to be copied now.
    there
        Its entry in the bucket, if there is one already.
    arrived
        Bytes that the unfinished import of that entry has copied.
    held
        Number and bytes of the models in the bucket.
    speed
        Bytes a second to expect; ``is_measured`` tells whether the last import had it.
    has_token
        Whether a token was given, and proved to be good.
    """

    found: HubModel
    model: HubModel
    place: Place
    there: ModelRecord | None = None
    arrived: int = 0
    held: tuple[int, int] = (0, 0)
    speed: float = ASSUMED_SPEED
    is_measured: bool = False
    has_token: bool = False

    @property
    def seconds(self) -> float:
        """Seconds that the import will take."""
        return (self.model.size - self.present) / self.speed

    @property
    def present(self) -> int:
        """Bytes that are in the bucket already, and need not be copied."""
        if self.is_ready and not self.is_changed:
            return self.model.size
        return min(self.arrived, self.model.size) if self.is_begun else 0

    @property
    def basis(self) -> str:
        """What the estimate rests on."""
        rate = f"{bytes_text(self.speed)}/s"
        if self.is_measured:
            return f"at the {rate} of the last import"
        return f"assuming {rate}"

    @property
    def is_ready(self) -> bool:
        """Whether the model is in the bucket already, whole."""
        return self.there is not None and self.there.status is ModelStatus.READY

    @property
    def is_changed(self) -> bool:
        """Whether a person has changed the choice of files."""
        return {file.path for file in self.model.chosen} != {
            file.path for file in self.found.chosen
        }

    @property
    def is_begun(self) -> bool:
        """Whether an unfinished import of it, with the same files, is in the bucket."""
        if self.there is None or self.is_ready:
            return False
        model = self.model
        paths = (file.path for file in model.chosen)
        bucket = self.place.target.name
        return self.there.import_id == import_id(
            bucket, model.source, model.id, model.revision, paths
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What should be read before confirming."""
        said = list(self.found.notes)
        if self.place.warning:
            said.append(self.place.warning)
        if self.place.listing:
            said.extend(self.place.listing.settings.warnings(self.model.size))
        if self.is_ready:
            said.append(
                "This revision is in the bucket already. Importing it again compares every file "
                "and copies what is missing or different."
            )
        elif self.present:
            said.append("An import of this revision was started; it continues where it stopped.")
        if self.is_changed:
            said.append(
                "You changed the selected files. Without the suggested ones, the engine might "
                "fail to load the model."
            )
        return tuple(said)


def check_import(
    clients: Clients,
    settings: Settings,
    project: str,
    request: ImportRequest,
    *,
    known: Sequence[BucketModels] = (),
    others: Iterable[str] = (),
) -> ImportCheck:
    """Prove that a model can be imported, before a byte moves and anything is made.

    Parameters
    ----------
    known
        Buckets of models of the project, as far as they were read already.
    others
        Names of its other buckets, as far as they are known.

    Raises
    ------
    InvalidInputError
        A field can't be used: the id, the revision, the token, the bucket, the region.
    ManagerError
        The model can't be had, the bucket not be written to, or the import not be started.
    """
    model = _inspected(request, settings)
    names = [*(bucket.name for bucket in known), *others]
    place = look_at(clients, project, request.target, names)
    has_token = bool(request.token.strip())
    existing = place.target.name if place.listing else ""
    import_rights.refuse_without(clients, settings, project, existing, has_token=has_token)
    bucket = _held(clients, place, known)
    key = (model.source, model.id, model.revision)
    there = next((r for r in bucket.models if r.key == key), None) if bucket else None
    buckets = known or ([bucket] if bucket else [])
    speed = measured_speed(record for each in buckets for record in each.models)
    return ImportCheck(
        found=model,
        model=model,
        place=place,
        there=there,
        arrived=_arrived(clients, place, there),
        held=(len(bucket.models), bucket.size) if bucket else (0, 0),
        speed=speed or ASSUMED_SPEED,
        is_measured=speed is not None,
        has_token=has_token,
    )


def _inspected(request: ImportRequest, settings: Settings) -> HubModel:
    """Find the model at its hub; where there is none, name one that may have been meant."""
    try:
        return hubs.inspect(
            request.source,
            request.model_id,
            settings,
            token=request.token,
            revision=request.revision,
        )
    except NotFoundError as error:
        near = "" if error.field == "revision" else _like(request, settings)
        if near:
            fix = error.fix or Fix(text="Check the ID.")
            error.fix = replace(fix, text=f"Did you mean {near}? {fix.text}".rstrip())
        raise


def _like(request: ImportRequest, settings: Settings) -> str:
    """Return the id of a model that the hub suggests and that is written alike; else empty."""
    asked = request.model_id.strip()
    with suppress(ManagerError):  # a hub that is away: what is missing is told without it
        ids = [each.id for each in hubs.suggest(request.source, "", settings) if each.id != asked]
        return next(iter(difflib.get_close_matches(asked, ids, n=1, cutoff=_ALIKE)), "")
    return ""


def measured_speed(records: Iterable[ModelRecord]) -> float | None:
    """Return bytes a second of the last finished import, from being asked for to being ready."""
    last: ModelRecord | None = None
    for record in records:
        if record.status is ModelStatus.READY and record.size >= _MEASURABLE and _took(record):
            is_later = last is None or (
                record.finished_at is not None
                and last.finished_at is not None
                and record.finished_at > last.finished_at
            )
            last = record if is_later else last
    return last.size / _took(last) if last else None


def _took(record: ModelRecord) -> float:
    """Seconds of an import; 0 where they are not known."""
    if not record.submitted_at or not record.finished_at:
        return 0.0
    return max(0.0, (record.finished_at - record.submitted_at).total_seconds())


def _held(clients: Clients, place: Place, known: Sequence[BucketModels]) -> BucketModels | None:
    """Return the bucket with its models; ``None`` for one that holds none yet.

    Raises
    ------
    InvalidInputError
        It was to be one of models, and is none.
    MetadataFileError
        Its list of models is damaged: it is repaired when a person says so.
    """
    target = place.target
    found = next((bucket for bucket in known if bucket.name == target.name), None)
    if not found and not place.listing:
        return None
    read = found or (read_bucket(clients, place.listing) if place.listing else None)
    if read and isinstance(read.problem, MetadataFileError):
        raise read.problem
    if read is None and target.kind is TargetKind.EXISTING:
        raise InvalidInputError(
            f"{target.name} is not a model bucket.",
            field="bucket",
            fix=Fix(text="Make this bucket a model bucket, or choose another one."),
        )
    return read


def _arrived(clients: Clients, place: Place, there: ModelRecord | None) -> int:
    """Return the bytes that an unfinished import has copied."""
    if there is None or there.status is ModelStatus.READY or not there.import_id:
        return 0
    progress = start.read_progress(clients, place.target.name, there.import_id)
    if progress is None or progress.state is ImportState.CANCELLED:
        return 0  # what a cancelled one has copied is thrown away
    return progress.done
