"""Long-running operations: kept in the store, worked on in threads, taken up again after a crash.

Work is named, not captured: an operation records which work on which target it stands for, so that
a start after a crash carries out what was under way under the same operation.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from google.longrunning import operations_pb2
from google.protobuf import json_format

from local_cloud.database import is_disk_full
from local_cloud.errors import ApiError, disk_full
from local_cloud.google.gapic import as_message
from local_cloud.printing import report

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

Work = Callable[[str], Any]
"""Takes the target's name, returns the response message or raises `ApiError`; may be run twice."""

_KIND = "operation"


class Operations:
    """The google.longrunning.Operations service, for all APIs.

    Parameters
    ----------
    store
        Keeps the operations (kind ``operation``).
    access
        Decides who may read them.

    """

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access
        self._works: dict[str, Work] = {}
        self._metadata: dict[str, Callable[[str], Any]] = {}
        self._stopping = False

    # -- for the APIs ----------------------------------------------------------------------------

    def define(self, kind: str, work: Work, metadata: Callable[[str], Any] | None = None) -> None:
        """Name a kind of work.

        Parameters
        ----------
        kind
            Such as ``run.services.deploy``.
        work
            Carries it out on a target.
        metadata
            Returns the present metadata message of an unfinished operation's target, or None;
            when the work is done, the response takes its place.

        """
        self._works[kind] = work
        if metadata:
            self._metadata[kind] = metadata

    def start(
        self, kind: str, target: str, metadata: Any, *, parent: str = "", permission: str = ""
    ) -> operations_pb2.Operation:
        """Begin work on a target in the background.

        Parameters
        ----------
        kind
            A defined kind.
        target
            What the work gets.
        metadata
            Message that the operation shows first.
        parent
            Begins the operation's name: ``projects/P/locations/L``.
        permission
            What reading the operation needs on the parent; empty for nothing.

        """
        operation = self._new(parent, metadata)
        record = {"kind": kind, "target": target, "parent": parent, "permission": permission}
        self._save(operation, record)
        self._spawn(operation.name)
        return operation

    def finished(
        self, response: Any, metadata: Any, *, parent: str = "", permission: str = ""
    ) -> operations_pb2.Operation:
        """Return an operation that has succeeded already."""
        operation = self._new(parent, metadata)
        operation.response.Pack(as_message(response))
        operation.done = True
        self._save(operation, {"parent": parent, "permission": permission})
        return operation

    def resume(self) -> int:
        """Take up what was under way when the process ended; return how many."""
        unfinished = [
            name
            for name, record in self._store.list(_KIND)
            if not record["operation"].get("done") and record.get("kind") in self._works
        ]
        for name in unfinished:
            self._spawn(name)
        return len(unfinished)

    def stop(self) -> None:
        """Let go of what is under way: the next start takes it up."""
        self._stopping = True

    # -- the service -----------------------------------------------------------------------------

    def get_operation(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Return the present state of an operation."""
        operation, record = self._load(request.name)
        self._check(caller, record)
        if not operation.done:
            shown = self._metadata.get(record.get("kind", ""))
            message = shown(record["target"]) if shown else None
            if message is not None:
                operation.metadata.Pack(as_message(message))
        return operation

    # -- inside ----------------------------------------------------------------------------------

    def _new(self, parent: str, metadata: Any) -> operations_pb2.Operation:
        name = f"{parent}/operations/{uuid.uuid4()}".removeprefix("/")
        operation = operations_pb2.Operation(name=name)
        operation.metadata.Pack(as_message(metadata))
        return operation

    def _check(self, caller: Caller, record: dict[str, Any]) -> None:
        if record.get("permission"):
            self._access.require(caller, f"{record['permission']}.get", record["parent"])

    def _load(self, name: str) -> tuple[operations_pb2.Operation, dict[str, Any]]:
        record = self._store.get(_KIND, name)
        if record is None:
            raise ApiError("NOT_FOUND", f"Operation '{name}' not found.")
        return _parsed(record["operation"]), record

    def _save(self, operation: operations_pb2.Operation, record: dict[str, Any]) -> None:
        value = {**record, "operation": json_format.MessageToDict(operation)}
        self._store.put(_KIND, operation.name, value)

    def _spawn(self, name: str) -> None:
        threading.Thread(target=self._work, args=(name,), name="operation", daemon=True).start()

    def _work(self, name: str) -> None:
        operation, record = self._load(name)
        try:
            response = self._works[record["kind"]](record["target"])
            operation.response.Pack(as_message(response))
            if record["kind"] in self._metadata:
                operation.metadata.Pack(as_message(response))
        except ApiError as error:
            operation.error.code, operation.error.message = error.code, error.message
        except Exception as error:  # noqa: BLE001 - the client must learn that the work is over
            if self._stopping:
                return
            failure = disk_full() if is_disk_full(error) else None
            if failure is None:
                report(error)
                failure = ApiError("INTERNAL", f"Internal error: {error}")
            operation.error.code, operation.error.message = failure.code, failure.message
        operation.done = True
        if self._stopping:
            return
        self._save(operation, record)


def _parsed(value: dict[str, Any]) -> operations_pb2.Operation:
    return json_format.ParseDict(value, operations_pb2.Operation(), ignore_unknown_fields=True)
