"""What buckets store, what of it nobody seems to need, and deleting that, one by one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from llm_widgets.domain import folders, storage_use
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.storage_use import BucketUse, Finding, Kind, StoredObject, Use
from llm_widgets.errors import ConflictError, Fix, InUseError, ManagerError, NotFoundError
from llm_widgets.gcp.client.parallel import outcomes
from llm_widgets.gcp.storage import buckets, metadata, usage
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.hubs import registry
from llm_widgets.imports.remove import remove_leftover
from llm_widgets.imports.usage import Usage, services_on, usages
from llm_widgets.manager.audit import recorded
from llm_widgets.manager.remove import DELETE_SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from llm_widgets.domain.metadata import MetadataFile
    from llm_widgets.gcp.client.clients import Clients

T = TypeVar("T")

_AT_ONCE = 16
_YOUNG = "Something was written there in the last 24 hours."
_UNREAD = "The list of models has entries that can't be read; the folder may belong to one."


@dataclass(frozen=True, slots=True)
class _Stock:
    """What was read of a bucket itself, without the services that use it; ``None`` is unknown."""

    use: BucketUse
    location: str
    live: list[StoredObject] | None
    file: MetadataFile | None
    now: datetime

    def candidates(self) -> list[Finding]:
        """Return what may be superfluous, also models that may be in use."""
        if self.live is None or self.file is None:
            return []
        return list(_candidates(self.live, self.file, self.now))


def read(clients: Clients, project: str, bucket: str, *, now: datetime | None = None) -> BucketUse:
    """Read what a bucket stores. What can't be read is unknown, with the reason.

    Parameters
    ----------
    now
        What age is counted from; the present when left out.

    Raises
    ------
    ManagerError
        The bucket can't be opened.
    """
    stock = _stock(clients, project, bucket, now or datetime.now(UTC))
    (found,) = _judged(clients, project, [stock])
    return found


def read_all(clients: Clients, project: str, names: Sequence[str]) -> list[BucketUse]:
    """Read what several buckets store; of one that can't be opened, everything is unknown."""
    now = datetime.now(UTC)
    told = outcomes(lambda name: _stock(clients, project, name, now), names)
    judged = iter(_judged(clients, project, [each.value for each in told if each.value]))
    return [
        BucketUse(each.key, problems=(each.error,)) if each.error else next(judged) for each in told
    ]


def findings(
    clients: Clients, project: str, bucket: str, *, now: datetime | None = None
) -> tuple[Finding, ...]:
    """Return what may be superfluous in a bucket.

    Raises
    ------
    ManagerError
        The bucket can't be opened, or what it holds is unknown, with the reason.
    """
    return _known(read(clients, project, bucket, now=now))


def find(
    clients: Clients, project: str, bucket: str, folder: str, *, now: datetime | None = None
) -> Finding:
    """Find a folder among what may be superfluous, in a fresh reading of the bucket.

    Raises
    ------
    NotFoundError
        The bucket has no such folder, or it belongs to a model.
    ConflictError
        It may be in use, or be written now.
    ManagerError
        The bucket can't be read.
    """
    folder = folder.strip("/")
    use = read(clients, project, bucket, now=now)
    named = (each for each in _known(use) if each.folder == folder and each.kind is not Kind.MODEL)
    finding = next(named, None)
    if finding is None:
        raise NotFoundError(
            f"{bucket} has no superfluous folder {folder}.",
            fix=Fix(text="Delete a model to delete its folder."),
        )
    told = f"{folder} can't be deleted."
    if finding.used_by is None:
        raise InUseError(told, cause=finding.refusal, fix=use.problems[-1].fix)
    if finding.used_by:
        raise InUseError(told, cause=finding.refusal, fix=Fix(text=DELETE_SERVICES))
    if finding.refusal:
        raise ConflictError(told, cause=finding.refusal, fix=Fix(text="Try again later."))
    return finding


def _known(use: BucketUse) -> tuple[Finding, ...]:
    if use.findings is None:
        reason = use.problems[0]
        message = f"Unknown what {use.name} holds."
        raise ConflictError(message, cause=reason.message, fix=reason.fix) from reason
    return use.findings


@recorded("folder.delete", on="{bucket}: {folder}")
def delete_folder(
    clients: Clients, project: str, bucket: str, folder: str, *, now: datetime | None = None
) -> Finding:
    """Delete a folder without an entry, a nested copy or the leftover of an import.

    It is looked at again first. What somebody writes or replaces meanwhile stays.

    Raises
    ------
    ManagerError
        See :func:`find`; or the bucket refuses.
    """
    finding = find(clients, project, bucket, folder, now=now)
    if finding.kind is Kind.IMPORT:
        remove_leftover(clients, bucket, finding.folder.rpartition("/")[2])
        return finding
    if not folders.is_plain(finding.folder):
        raise ConflictError(
            f"{finding.folder} can't be deleted.",
            cause="Its name has unusual characters.",
            fix=Fix(text="Delete it in the Cloud Console or by gcloud storage rm."),
        )
    objects = SmallObjects(clients.storage(project), bucket)
    with ThreadPoolExecutor(_AT_ONCE, "delete") as pool:
        stored = finding.objects
        list(pool.map(lambda each: objects.delete(each.name, generation=each.generation), stored))
    return finding


@recorded("bucket.delete", on="{bucket}")
def delete_bucket(clients: Clients, project: str, bucket: str) -> None:
    """Delete a bucket of models that holds no model and nothing else.

    Raises
    ------
    ConflictError
        It is not empty, with the reason; nothing was deleted.
    InUseError
        A service mounts it, or that is unknown; nothing was deleted.
    ManagerError
        There is no such bucket, or it can't be deleted.
    """
    listing = buckets.get_bucket(clients, bucket, project=project)
    _refuse_used(services_on(clients, project, bucket, listing.location), bucket)
    file, generation = metadata.read_metadata(clients.storage(project), bucket)
    stored = usage.versions(clients, bucket)
    reason = storage_use.not_empty(stored, lists_models=bool(file.models or file.others))
    if reason:
        raise ConflictError(
            f"The bucket {bucket} can't be deleted.",
            cause=reason,
            fix=Fix(text="Delete what it holds first."),
        )
    old = [each.generation for each in stored if not each.is_live]
    buckets.delete_bucket(clients, bucket, generation, old, project=project)


def _stock(clients: Clients, project: str, bucket: str, now: datetime) -> _Stock:
    """Read what lies in a bucket; raise only where it can't be opened."""
    listing = buckets.get_bucket(clients, bucket, project=project)
    problems: dict[str, ManagerError] = {}

    def or_unknown(work: Callable[[], T]) -> T | None:
        try:
            return work()
        except ManagerError as error:
            problems.setdefault(error.message, error)
            return None

    def the_list() -> MetadataFile:
        return metadata.read_metadata(clients.storage(project), bucket, clients=clients)[0]

    stored = or_unknown(lambda: usage.versions(clients, bucket))
    deleted = or_unknown(lambda: usage.soft_deleted(clients, bucket))
    file = or_unknown(the_list)
    uploads = or_unknown(lambda: usage.unfinished(clients, bucket))
    kept = [each.kept_until for each in deleted or () if each.kept_until]
    use = BucketUse(
        bucket,
        soft_deleted=None if deleted is None else storage_use.total(deleted),
        unfinished=uploads.size if uploads else None,
        is_all_unfinished=uploads is None or uploads.is_all,
        soft_deleted_until=max(kept, default=None),
        effects=listing.settings.effects,
    )
    if stored is not None:
        old = (each for each in stored if not each.is_live)
        use = replace(use, noncurrent=storage_use.total(old))
    if stored is not None and file is not None:
        is_listed = bool(file.models or file.others)
        use = replace(use, not_empty=storage_use.not_empty(stored, lists_models=is_listed))
    live = None if stored is None else [each for each in stored if each.is_live]
    return _Stock(
        replace(use, problems=tuple(problems.values())), listing.location, live, file, now
    )


def _candidates(live: list[StoredObject], file: MetadataFile, now: datetime) -> Iterator[Finding]:
    """Yield what may be superfluous, also models that may be in use."""

    def found(kind: Kind, folder: str, objects: list[StoredObject], refusal: str = "") -> Finding:
        young = _YOUNG if storage_use.is_young(objects, now) else ""
        return Finding(kind, folder, folder, tuple(objects), refusal=young or refusal)

    for record in file.models:
        if record.prefix and record.status is not ModelStatus.IMPORTING:
            own = tuple(storage_use.of_folder(live, record.prefix))
            yield Finding(Kind.MODEL, record.id, record.prefix, own, record)
            for folder, copies in storage_use.nested_copies(live, record.prefix).items():
                yield found(Kind.COPY, folder, copies)
    is_whole = not file.others and all(record.prefix for record in file.models)
    refusal = "" if is_whole else _UNREAD
    hubs = [hub.id for hub in registry.HUBS]
    for folder, loose in storage_use.loose_folders(live, file.models, hubs).items():
        yield found(Kind.LOOSE, folder, loose, refusal)
    for folder, left in storage_use.leftovers(live, file.models).items():
        yield found(Kind.IMPORT, folder, left, "" if not file.others else _UNREAD)


def _judged(clients: Clients, project: str, stocks: Sequence[_Stock]) -> list[BucketUse]:
    """Complete what is known of buckets by who uses what; services are read once for all."""
    candidates = [stock.candidates() for stock in stocks]
    wanted = [
        (stock.use.name, each.model or ModelRecord("", "", ModelStatus.UNKNOWN, prefix=each.folder))
        for stock, found in zip(stocks, candidates, strict=True)
        for each in found
    ]
    used = iter(usages(clients, project, {stock.location for stock in stocks}, wanted))
    return [
        _completed(stock, [(each, next(used)) for each in found])
        for stock, found in zip(stocks, candidates, strict=True)
    ]


def _completed(stock: _Stock, judged: list[tuple[Finding, Usage]]) -> BucketUse:
    """Add what a bucket's live objects are there for, and what may be superfluous."""
    use, file = stock.use, stock.file
    if stock.live is None:
        return use
    if file is None:
        return replace(use, live={Use.UNSURE: storage_use.total(stock.live)})
    uses = {each.prefix: Use.IMPORTING for each in file.models if each.prefix}
    uses |= {each.folder: _use_of(by) for each, by in judged if each.kind is Kind.MODEL}
    found = (_used(each, by) for each, by in judged)
    unanswered = next((by.reason for _, by in judged if by.reason), None)
    return replace(
        use,
        live=storage_use.live_bytes(stock.live, uses),
        findings=tuple(each for each in found if each.kind is not Kind.MODEL or not each.used_by),
        problems=(*use.problems, unanswered) if unanswered else use.problems,
    )


def _use_of(by: Usage) -> Use:
    if by.services:
        return Use.USED
    return Use.UNSURE if by.reason else Use.UNUSED


def _used(finding: Finding, by: Usage) -> Finding:
    if finding.kind is Kind.IMPORT:
        return replace(finding, used_by="")  # also where the whole bucket is mounted
    if by.services:
        return replace(finding, used_by=by.names, refusal=f"It is in use: {by.names}.")
    if by.reason:
        refusal = f"Unknown whether a service in {by.unknown} uses it. {by.reason.message}"
        return replace(finding, used_by=None, refusal=refusal)
    return replace(finding, used_by="")


def _refuse_used(found: Usage, bucket: str) -> None:
    if found.services:
        raise InUseError(
            f"The bucket {bucket} is in use: {found.names}.",
            fix=Fix(text=DELETE_SERVICES),
        )
    if found.reason:
        raise InUseError(
            f"Unknown whether a service in {found.unknown} uses the bucket {bucket}.",
            cause=found.reason.message,
            fix=found.reason.fix or Fix(text="Try again later."),
        )
