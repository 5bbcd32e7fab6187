"""What a bucket of models stores, by kind, and what of it nobody seems to need."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.domain import folders
from llm_widgets.domain.imports import IMPORTS_PREFIX
from llm_widgets.domain.manifest import manifest_name
from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.domain.tables import Shown, Values
from llm_widgets.domain.units import bytes_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.errors import ManagerError

UNKNOWN = "unknown"
COLUMNS = (
    "name",
    "empty",
    "live_bytes",
    "unused_models_bytes",
    "noncurrent_bytes",
    "soft_deleted_bytes",
    "unfinished_bytes",
    "findings",
)
"""What a table shows of each bucket."""

FINDINGS = ("what", "kind", "size", "files", "written_at", "used_by", "can_be_deleted", "note")
"""What a table shows of each thing that may be superfluous."""

YOUNG = timedelta(hours=24)
"""How long a folder without an entry is left alone: somebody may be writing it."""

_LEAST_COPY = 2**20  # bytes; small files are the same in many places by chance
_OWN_NAME = METADATA_NAME.removesuffix("json")  # of copies of a damaged list too


class Kind(StrEnum):
    """What may be superfluous."""

    MODEL = "unused model"
    IMPORT = "leftover of an import"
    LOOSE = "folder without an entry"
    COPY = "nested copy"


class Use(StrEnum):
    """What live objects are there for. Of several, the first counts."""

    USED = "models that services use"
    IMPORTING = "models being imported"
    UNSURE = "files whose use is unknown"
    UNUSED = "models that no service uses"
    OWN = "records of the manager"
    OTHER = "other files"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A live object, a noncurrent version or a soft-deleted object.

    Attributes
    ----------
    kept_until
        When a soft-deleted object is removed for good; ``None`` for any other one.
    """

    name: str
    size: int
    crc32c: str
    generation: int
    created_at: datetime
    is_live: bool = True
    kept_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding(Shown):
    """Something that may be superfluous.

    Attributes
    ----------
    what
        The model's id, or the folder.
    folder
        Where its files lie, without a slash at the end.
    objects
        The files.
    model
        The entry, of a model; else ``None``.
    used_by
        The services that read it, in words; empty for none, ``None`` where that is unknown.
    refusal
        Why it can't be deleted now; empty where it can.
    """

    kind: Kind
    what: str
    folder: str
    objects: tuple[StoredObject, ...]
    model: ModelRecord | None = None
    used_by: str | None = None
    refusal: str = ""

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return total(self.objects)

    @property
    def key(self) -> str:
        """What tells it from others of its bucket: models may share a folder."""
        return json.dumps([self.kind, self.folder, *(self.model.key if self.model else ())])

    @property
    def written_at(self) -> datetime | None:
        """When the newest of its files was written; ``None`` where it has no file."""
        return max((each.created_at for each in self.objects), default=None)

    @property
    def use(self) -> str:
        """Who uses it, in words."""
        return UNKNOWN if self.used_by is None else self.used_by or "no service"

    def shown(self) -> Values:
        """Return what a list tells of it."""
        return {
            "what": self.what,
            "kind": self.kind.value,
            "folder": self.folder,
            "size": self.size,
            "files": len(self.objects),
            "written_at": self.written_at,
            "used_by": self.use,
            "can_be_deleted": not self.refusal,
            "note": self.refusal,
        }


@dataclass(frozen=True, slots=True)
class BucketUse(Shown):
    """What a bucket stores, in bytes; ``None`` is what could not be read.

    Attributes
    ----------
    live
        Live objects, by what they are there for; each is counted once.
    soft_deleted_until
        When the last soft-deleted object is removed for good; ``None`` where there is none.
    unfinished
        Bytes of the parts of multipart uploads. Cloud Storage does not list resumable uploads; it
        does not bill them either.
    is_all_unfinished
        Whether all uploads were measured; if not, they take at least that much.
    findings
        What may be superfluous; ``None`` where that is unknown.
    effects
        What deleting something in the bucket saves, and when, in sentences.
    problems
        Why something is unknown.
    not_empty
        Why the bucket can't be deleted, in a sentence; empty where it holds nothing but an empty
        list of models, ``None`` where that is unknown.
    """

    name: str
    live: Mapping[Use, int] | None = None
    noncurrent: int | None = None
    soft_deleted: int | None = None
    unfinished: int | None = None
    is_all_unfinished: bool = True
    soft_deleted_until: datetime | None = None
    findings: tuple[Finding, ...] | None = None
    effects: tuple[str, ...] = ()
    problems: tuple[ManagerError, ...] = ()
    not_empty: str | None = None

    @property
    def live_bytes(self) -> int | None:
        """Bytes of all live objects."""
        return None if self.live is None else sum(self.live.values())

    def of(self, use: Use) -> int | None:
        """Return the bytes of live objects that are there for something."""
        return None if self.live is None else self.live.get(use, 0)

    @property
    def is_empty(self) -> bool | None:
        """Whether it holds nothing but an empty list of models; ``None`` where unknown."""
        return None if self.not_empty is None else not self.not_empty

    def shown(self) -> Values:
        """Return what a list tells of it."""
        found = self.findings
        unsure = self.of(Use.UNSURE)
        return {
            "name": self.name,
            "empty": UNKNOWN if self.is_empty is None else self.is_empty,
            "live_bytes": _known(self.live_bytes),
            "used_models_bytes": _known(None if unsure else self.of(Use.USED)),
            "unused_models_bytes": _known(None if unsure else self.of(Use.UNUSED)),
            "importing_bytes": _known(self.of(Use.IMPORTING)),
            "other_bytes": _known(self.of(Use.OTHER)),
            "noncurrent_bytes": _known(self.noncurrent),
            "soft_deleted_bytes": _known(self.soft_deleted),
            "soft_deleted_until": self.soft_deleted_until,
            "unfinished_bytes": _at_least(self.unfinished, is_all=self.is_all_unfinished),
            "findings": UNKNOWN if found is None else len(found),
            "not_empty": UNKNOWN if self.not_empty is None else self.not_empty,
            "when_deleted": " ".join(self.effects),
            "problems": " ".join(each.message for each in self.problems),
        }


def total(objects: Iterable[StoredObject]) -> int:
    """Return the bytes of objects."""
    return sum(each.size for each in objects)


def of_folder(objects: Iterable[StoredObject], folder: str) -> list[StoredObject]:
    """Return the objects that lie in a folder."""
    return [each for each in objects if each.name.startswith(f"{folder}/")]


def live_bytes(live: Iterable[StoredObject], models: Mapping[str, Use]) -> dict[Use, int]:
    """Return the bytes of live objects by what they are there for, each object once.

    Parameters
    ----------
    models
        Folders of models, and what they are there for.
    """
    found: dict[Use, int] = defaultdict(int)
    for each in live:
        uses = {use for folder, use in models.items() if each.name.startswith(f"{folder}/")}
        if each.name.startswith((f"{folders.OWN_FOLDER}/", _OWN_NAME)):
            uses.add(Use.OWN)
        found[next((use for use in Use if use in uses), Use.OTHER)] += each.size
    return dict(found)


def not_empty(objects: Iterable[StoredObject], *, lists_models: bool) -> str:
    """Say why a bucket is not empty; nothing where only its list of models is left.

    Parameters
    ----------
    lists_models
        Whether the metadata file has any entry, also one that can't be read.
    """
    others = [each for each in objects if each.name != METADATA_NAME]
    live = sum(each.is_live for each in others)
    if live:
        return f"It holds {_counted(live, 'object')}."
    if others:
        return f"It holds {_counted(len(others), 'noncurrent version')}."
    return "Its list still names models." if lists_models else ""


def loose_folders(
    live: Iterable[StoredObject], models: Iterable[ModelRecord], hubs: Collection[str]
) -> dict[str, list[StoredObject]]:
    """Find the folders that lie in no model's folder, and hold none.

    Each is the uppermost such folder, but no folder that all models of a hub share.

    Parameters
    ----------
    hubs
        Names of the folders that hold all models of a hub.
    """
    prefixes = {record.prefix for record in models if record.prefix}
    around = {upper for prefix in prefixes for upper in _uppers(prefix)}
    found: dict[str, list[StoredObject]] = defaultdict(list)
    for each in live:
        parent = each.name.rpartition("/")[0]
        if parent.split("/")[0] == folders.OWN_FOLDER:
            continue
        for folder in _uppers(parent):
            if not folder or folder in prefixes:
                break  # no folder, or a model's, in which lies all that is below it
            if folder not in hubs and folder not in around:
                found[folder].append(each)
                break
    return dict(found)


def _uppers(folder: str) -> Iterator[str]:
    """Yield the folders that a folder lies in, the uppermost first, and itself."""
    end = folder.find("/")
    while end >= 0:
        yield folder[:end]
        end = folder.find("/", end + 1)
    yield folder


def leftovers(
    live: Iterable[StoredObject], models: Iterable[ModelRecord]
) -> dict[str, list[StoredObject]]:
    """Find the folders of imports that no model names and that have not come to their end."""
    named = {record.import_id for record in models}
    found: dict[str, list[StoredObject]] = defaultdict(list)
    finished = set()
    for each in live:
        folder, _, rest = each.name.removeprefix(f"{IMPORTS_PREFIX}/").partition("/")
        if each.name.startswith(f"{IMPORTS_PREFIX}/") and rest:
            found[folder].append(each)
        finished.add(each.name)
    return {
        f"{IMPORTS_PREFIX}/{key}": objects
        for key, objects in found.items()
        if folders.is_import_id(key) and key not in named and manifest_name(key) not in finished
    }


def nested_copies(live: Iterable[StoredObject], prefix: str) -> dict[str, list[StoredObject]]:
    """Find the folders of a model's folder in which every file is one of the model's once more.

    Copying a folder into one of that name, twice, makes such copies.
    """
    paths = {each.name.removeprefix(f"{prefix}/"): each for each in of_folder(live, prefix)}
    inside: dict[str, list[tuple[StoredObject, bool]]] = defaultdict(list)
    for path, each in paths.items():
        head, slash, rest = path.partition("/")
        if slash:
            first = paths.get(rest)
            same = first is not None and (first.size, first.crc32c) == (each.size, each.crc32c)
            inside[f"{prefix}/{head}"].append((each, same))
    return {
        folder: [each for each, _ in files]
        for folder, files in inside.items()
        if all(same for _, same in files) and total(e for e, _ in files) >= _LEAST_COPY
    }


def is_young(objects: Iterable[StoredObject], now: datetime) -> bool:
    """Return whether something in a folder was written a moment ago."""
    return any(now - each.created_at < YOUNG for each in objects)


def _known(size: int | None) -> int | str:
    return UNKNOWN if size is None else size


def _at_least(size: int | None, *, is_all: bool) -> int | str:
    """Return a number only where it is the whole."""
    return _known(size) if size is None or is_all else f"at least {bytes_text(size)}"


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
