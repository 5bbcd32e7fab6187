"""What the resources of Cloud Run Admin v2 have in common; above all services and jobs."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from local_cloud.errors import ApiError
from local_cloud.google.gapic import as_message
from local_cloud.google.policies import Policies
from local_cloud.google.records import Records, copied, page_of
from local_cloud.google.run_conditions import RECONCILING, condition, now
from local_cloud.google.run_names import MAX_ID, check_id, invalid, parse_parent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.google.operations import Operations
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

# Messages of resources. Inside this module they are Any: what the classes have in common, their
# types do not say.
M = TypeVar("M")
_OPERATIONS = "run.operations"
"""Begins the permissions on operations."""
_OUTPUT_ONLY = (
    "uid",
    "generation",
    "create_time",
    "update_time",
    "delete_time",
    "expire_time",
    "creator",
    "last_modifier",
    "observed_generation",
    "terminal_condition",
    "conditions",
    "reconciling",
    "etag",
)


def new_etag() -> str:
    """Return an etag that was never used."""
    return f'"{secrets.token_urlsafe(12)}"'


def mark_changed(resource: Any, old: Any, caller: Caller, text: str = "") -> None:
    """Count a new generation of a resource, which is now being put into effect.

    Parameters
    ----------
    old
        The resource before; None for a new one.
    text
        What is being done, for a person.

    """
    resource.generation = old.generation + 1 if old else 1
    resource.update_time, resource.last_modifier = now(), caller.email
    resource.etag = new_etag()
    resource.reconciling = True
    resource.terminal_condition = condition("Ready", RECONCILING, text)


def not_found(kind: str, name: str) -> ApiError:
    """Return the 404 for a resource that is not there.

    Parameters
    ----------
    kind
        As Cloud Run writes it: ``SERVICE``, ``JOB``, …
    name
        Full resource name.

    """
    _, project, _, region, *_, short = name.split("/")
    return ApiError(
        "NOT_FOUND",
        f"Resource '{short}' of kind '{kind}' in region '{region}' in project '{project}' does "
        "not exist.",
    )


class RunOperations:
    """Operations on Cloud Run's resources: they are named after the resource's region.

    Parameters
    ----------
    operations
        Those of all APIs.

    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def start(self, kind: str, resource: Any, target: str = "") -> operations_pb2.Operation:
        """Begin a defined kind of work on a resource; the target is its name if not given."""
        return self._operations.start(
            kind,
            target or resource.name,
            resource,
            parent=_region(resource.name),
            permission=_OPERATIONS,
        )

    def finished(self, resource: Any) -> operations_pb2.Operation:
        """Return an operation that is over; also the answer to a call that only validates."""
        return self._operations.finished(
            resource, resource, parent=_region(resource.name), permission=_OPERATIONS
        )


class RunResources(Policies, Generic[M]):
    """Resources that people make and change.

    Parameters
    ----------
    store
        Holds them (kind ``run-`` and the kind).
    access
        Keeps their policies.
    operations
        Shows what is under way.
    message
        Class of their messages.

    """

    tested_before_made = True  # gcloud does so before it deploys

    kind: ClassVar[str]
    """``service`` or ``job``."""
    longest_id: ClassVar[int] = MAX_ID
    """Characters of an id."""
    outputs: ClassVar[tuple[str, ...]]
    """Fields that only Cloud Run itself sets, besides those that every resource has."""

    def __init__(
        self, store: Store, access: Access, operations: Operations, message: type[M]
    ) -> None:
        super().__init__(access)
        self._store = store
        self._records = Records(store, f"run-{self.kind}", message)
        self._operations = RunOperations(operations)

    def require_existing(self, resource: str) -> None:
        """Raise 404 for a resource that is not there."""
        self._get(resource)

    # -- what each kind has of its own ------------------------------------------------------------

    def _prepare(self, wanted: M, caller: Caller) -> None:
        """Refuse what cannot be run, and fill in what is not stated."""
        raise NotImplementedError

    def _begin(
        self, wanted: M, old: M | None, caller: Caller, *, dry: bool
    ) -> operations_pb2.Operation:
        """Record what is wanted and start to put it into effect; within a transaction."""
        raise NotImplementedError

    def _wanted(self, old: M, request: Any) -> M:  # noqa: ARG002 - an update of only some fields
        """Return what an update asks for."""
        asked: M = getattr(request, self.kind)
        return copied(asked)

    def _mark_deleted(self, found: M) -> None:
        """Set what this kind says of a deletion besides its time."""

    # -- what all have in common ------------------------------------------------------------------

    def _get(self, asked: str) -> M:
        name = self._access.canonical(asked)
        found = self._records.get(name)
        if found is None:
            raise not_found(self.kind.upper(), name)
        return found

    def _page(self, request: Any, *more: Records[M]) -> tuple[Sequence[M], str]:
        """Return a page of the resources of a region, and the token of the next one."""
        parent = self._parent(request.parent)
        found: list[M] = []
        for records in (self._records, *more):
            found += records.list(f"{parent}/{self.kind}s/")
        return page_of(found, request)

    def _create(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Make what a call asks for."""
        short = getattr(request, f"{self.kind}_id")
        asked = getattr(request, self.kind)
        if asked.name:
            raise invalid(f"{self.kind}.name", f"must be empty when a {self.kind} is created")
        return self._make(self._parent(request.parent), short, asked, request, caller)

    def _update(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Replace a resource; make it where it is missing and the call allows that."""
        asked = getattr(request, self.kind)
        name = self._access.canonical(asked.name)
        if request.allow_missing and self._records.get(name) is None:
            parent, _, short = name.rpartition(f"/{self.kind}s/")
            self._access.require(caller, f"run.{self.kind}s.create", parent)
            return self._make(self._parent(parent), short, asked, request, caller)
        with self._store.transaction():
            old: Any = self._get(name)
            check_etag(old, asked.etag)
            if old.delete_time:
                short = name.rpartition("/")[2]
                raise ApiError("FAILED_PRECONDITION", f"Resource '{short}' is being deleted.")
            wanted: Any = self._wanted(old, request)
            self._take_output(wanted, old)
            wanted.name = name
            self._prepare(wanted, caller)
            return self._begin(wanted, old, caller, dry=request.validate_only)

    def _delete_later(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Mark a resource as deleted, and start to take it away."""
        with self._store.transaction():
            found: Any = self._get(request.name)
            check_etag(found, request.etag)
            if request.validate_only:
                return self._operations.finished(found)
            found.delete_time = found.delete_time or now()
            found.last_modifier, found.etag, found.reconciling = caller.email, new_etag(), True
            self._mark_deleted(found)
            self._records.put(found.name, found)
            return self._operations.start(f"run.{self.kind}s.delete", found)

    def _make(
        self, parent: str, short: str, asked: Any, request: Any, caller: Caller
    ) -> operations_pb2.Operation:
        """Make a resource: named, and without what is not the caller's to say."""
        check_id(f"{self.kind}_id", short, self.longest_id)
        made: Any = copied(asked)
        self._take_output(made, None)
        made.name = f"{parent}/{self.kind}s/{short}"
        made.uid, made.create_time, made.creator = str(uuid.uuid4()), now(), caller.email
        self._prepare(made, caller)
        with self._store.transaction():
            if self._records.get(made.name):
                raise ApiError("ALREADY_EXISTS", f"Resource '{short}' already exists.")
            return self._begin(made, None, caller, dry=request.validate_only)

    def _parent(self, asked: str) -> str:
        """Return the project and region that a call names, with the project's id."""
        parent = self._access.canonical(asked)
        parse_parent(parent)
        return parent

    def _take_output(self, asked: Any, old: Any) -> None:
        """Copy into a message the output fields of the old one, or none."""
        for field in (*_OUTPUT_ONLY, *self.outputs):
            as_message(asked).ClearField(field)
            if old is not None and field in old:
                setattr(asked, field, getattr(old, field))


def check_etag(found: Any, etag: str) -> None:
    """Raise 409 where a call was made for another version of a resource."""
    if etag and etag != found.etag:
        raise ApiError(
            "ABORTED",
            f"Conflict for resource '{found.name.rsplit('/', 1)[1]}': version {etag} was "
            f"specified but current version is {found.etag}.",
        )


def _region(name: str) -> str:
    """Return ``projects/P/locations/L`` of a full resource name."""
    return "/".join(name.split("/")[:4])
