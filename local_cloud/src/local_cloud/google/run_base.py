"""What the resources of Cloud Run Admin v2 have in common; above all services and jobs."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from local_cloud.errors import ApiError
from local_cloud.google.gapic import as_message
from local_cloud.google.policies import Policies
from local_cloud.google.records import Records, copied
from local_cloud.google.run_conditions import now
from local_cloud.google.run_names import MAX_ID, check_id, invalid, parse_parent

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.google.operations import Operations
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

M = TypeVar("M")
_OPERATIONS = "run.operations"
"""Begins the permissions on operations."""


def new_etag() -> str:
    """Return an etag that was never used."""
    return f'"{secrets.token_urlsafe(12)}"'


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
    output_only: ClassVar[tuple[str, ...]]
    """Fields that only Cloud Run itself sets."""

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

    def _get(self, asked: str) -> M:
        name = self._access.canonical(asked)
        found = self._records.get(name)
        if found is None:
            raise not_found(self.kind.upper(), name)
        return found

    def _parent(self, asked: str) -> str:
        """Return the project and region that a call names, with the project's id."""
        parent = self._access.canonical(asked)
        parse_parent(parent)
        return parent

    def _new(self, parent: str, short: str, asked: M, caller: Caller) -> M:
        """Return what a call asks to be made, named, and without what is not the caller's."""
        parent = self._parent(parent)
        check_id(f"{self.kind}_id", short, self.longest_id)
        made: Any = copied(asked)
        if made.name:
            raise invalid(f"{self.kind}.name", f"must be empty when a {self.kind} is created")
        self._take_output(made, None)
        made.name = f"{parent}/{self.kind}s/{short}"
        made.uid, made.create_time, made.creator = str(uuid.uuid4()), now(), caller.email
        result: M = made
        return result

    def _may_make_missing(self, name: str, caller: Caller) -> tuple[str, str]:
        """Return parent and id for an update that makes what is missing, if the caller may."""
        parent, _, short = name.rpartition(f"/{self.kind}s/")
        self._access.require(caller, f"run.{self.kind}s.create", parent)
        return parent, short

    def _take_output(self, asked: Any, old: Any) -> None:
        """Copy into a message the output fields of the old one, or none."""
        for field in self.output_only:
            as_message(asked).ClearField(field)
            if old is not None and field in old:
                setattr(asked, field, getattr(old, field))

    @staticmethod
    def _check_etag(found: Any, etag: str) -> None:
        if etag and etag != found.etag:
            raise ApiError(
                "ABORTED",
                f"Conflict for resource '{found.name.rsplit('/', 1)[1]}': version {etag} was "
                f"specified but current version is {found.etag}.",
            )


def _region(name: str) -> str:
    """Return ``projects/P/locations/L`` of a full resource name."""
    return "/".join(name.split("/")[:4])
