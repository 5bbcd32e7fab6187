"""What a pre-flight found: the model, where it goes, what is there already, how long it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.units import bytes_text
from llm_widgets.imports.plan import import_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.imports import HubModel
    from llm_widgets.page.models.import_target import Place

ASSUMED_SPEED = 100e6
"""Bytes a second that an estimate assumes where no import was measured."""

_MEASURABLE = 50_000_000  # bytes; the time of a smaller import is mostly that of its start


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
        """Say what the estimate rests on."""
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
        if self.is_ready:
            said.append(
                "This revision is in the bucket already. Importing it again compares every file "
                "and copies what is missing or different."
            )
        elif self.present:
            said.append("An import of this revision was begun; it goes on where it stopped.")
        if self.is_changed:
            said.append(
                "You have changed the choice of files: the engine may not load the model without "
                "those that were chosen."
            )
        return tuple(said)


def measured_speed(records: Iterable[ModelRecord]) -> float | None:
    """Give bytes a second of the last finished import, from being asked for to being ready."""
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
