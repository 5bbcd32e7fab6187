"""Switches for faults and denials: what can go wrong in the cloud, made to go wrong on purpose."""

from __future__ import annotations

import re
import threading
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

from local_cloud.web import google_error, is_own, json_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from werkzeug import Request, Response

    from local_cloud.store import Store

#: Names of the APIs as Google writes them in its errors.
API_TITLES = {
    "artifactregistry.googleapis.com": "Artifact Registry API",
    "cloudbilling.googleapis.com": "Cloud Billing API",
    "cloudquotas.googleapis.com": "Cloud Quotas API",
    "cloudresourcemanager.googleapis.com": "Cloud Resource Manager API",
    "compute.googleapis.com": "Compute Engine API",
    "iam.googleapis.com": "Identity and Access Management (IAM) API",
    "logging.googleapis.com": "Cloud Logging API",
    "monitoring.googleapis.com": "Cloud Monitoring API",
    "run.googleapis.com": "Cloud Run Admin API",
    "secretmanager.googleapis.com": "Secret Manager API",
    "serviceusage.googleapis.com": "Service Usage API",
    "storage.googleapis.com": "Cloud Storage API",
    "vpcaccess.googleapis.com": "Serverless VPC Access API",
}

#: The canonical code that goes with an HTTP status.
_CANONICAL = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

#: How often a second a throttled connection moves bytes: small enough to look steady.
_TICKS = 20

#: Seconds after which a call that is held goes on by itself.
_LONGEST_HOLD = 120.0


class Faults:
    """The switches, kept in the store and changed at run time over ``/_local/faults``.

    ``GET`` shows all of them, ``PUT`` replaces all and releases what is held, ``PATCH`` replaces
    those it names, ``POST`` releases what is held, ``DELETE`` puts everything right. The fields of
    the JSON body:

    ``denied_permissions``
        List of permissions that nobody has, as glob patterns: ``["run.services.*"]``.
    ``disabled_apis``
        List of APIs that are not enabled: ``["run.googleapis.com"]``.
    ``billing_disabled``
        List of projects without an active billing account.
    ``quotas``
        Limits, by quota id or ``"quota id/region"``: ``{"NvidiaL4GpuAlloc...": 0}``.
    ``delays``
        Seconds to wait before an answer, by regular expression on ``"METHOD /path"``.
    ``holds``
        Regular expressions on ``"METHOD /path"``: such a call waits until all that wait are
        released, by ``POST /_local/faults`` or when everything is put right. A call that comes
        after its pattern has gone from the list does not wait.
    ``failures``
        List of ``{"match": regex, "status": 503, "message": ..., "reason": ..., "times": n,
        "retry_after": seconds}``; ``times`` absent or null means always.
    ``bandwidth``
        Bytes per second of each connection's bodies; null for no limit.
    """

    _DEFAULTS: ClassVar[dict[str, Any]] = {
        "denied_permissions": [],
        "disabled_apis": [],
        "billing_disabled": [],
        "quotas": {},
        "delays": {},
        "holds": [],
        "failures": [],
        "bandwidth": None,
    }

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._waiting = threading.Condition()
        self._held = 0
        self._releases = 0
        self._settings = {**self._DEFAULTS, **(store.get("local", "faults") or {})}

    @property
    def denied_permissions(self) -> set[str]:
        """Glob patterns of permissions that nobody has."""
        return set(self._settings["denied_permissions"])

    @property
    def disabled_apis(self) -> set[str]:
        """APIs that are switched off, such as ``"run.googleapis.com"``."""
        return set(self._settings["disabled_apis"])

    @property
    def billing_disabled(self) -> set[str]:
        """Projects without an active billing account."""
        return set(self._settings["billing_disabled"])

    @property
    def quotas(self) -> dict[str, int]:
        """Limits by quota id or ``"quota id/region"``."""
        return dict(self._settings["quotas"])

    @property
    def bandwidth(self) -> int | None:
        """Bytes per second of each body, or ``None``."""
        bandwidth: int | None = self._settings["bandwidth"]
        return bandwidth

    @property
    def held(self) -> int:
        """How many calls wait to be released."""
        return self._held

    def settings(self) -> dict[str, Any]:
        """Return all switches as JSON."""
        return dict(self._settings)

    def update(self, **changes: Any) -> None:
        """Change the switches that are named.

        Raises
        ------
        ValueError
            A switch that does not exist, or a value that it cannot take; one sentence.
        """
        _check(changes, self._DEFAULTS)
        with self._lock:
            self._save({**self._settings, **changes})

    def reset(self) -> None:
        """Put everything right again."""
        with self._lock:
            self._save(dict(self._DEFAULTS))
        self.release()

    def release(self) -> None:
        """Let all calls go on that wait."""
        with self._waiting:
            self._releases += 1
            self._waiting.notify_all()

    def denies(self, permission: str) -> bool:
        """Return whether a permission is taken from everybody."""
        return any(fnmatchcase(permission, glob) for glob in self._settings["denied_permissions"])

    def before_request(self, request: Request) -> Response | None:
        """Serve the switches, and delay or fail the calls that they name: the first route."""
        if request.path == "/_local/faults":
            if not is_own(request):
                return google_error(
                    403, "PERMISSION_DENIED", "The switches are not for web pages of others."
                )
            return self._serve(request)
        call = f"{request.method} {request.path}"
        for pattern, seconds in self._settings["delays"].items():
            if re.search(pattern, call):
                time.sleep(seconds)
        if any(re.search(pattern, call) for pattern in self._settings["holds"]):
            self._hold()
        failure = self._take_failure(call)
        if failure is None:
            return None
        status = int(failure.get("status", 503))
        response = google_error(
            status,
            failure.get("reason") or _CANONICAL.get(status, "UNKNOWN"),
            failure.get("message") or "The service is currently unavailable.",
        )
        if failure.get("retry_after") is not None:
            response.headers["Retry-After"] = str(failure["retry_after"])
        return response

    def _hold(self) -> None:
        """Wait for a release, but not for ever: nobody may come to do it."""
        with self._waiting:
            before = self._releases
            self._held += 1
            try:
                self._waiting.wait_for(lambda: self._releases != before, _LONGEST_HOLD)
            finally:
                self._held -= 1

    def throttle(self, blocks: Iterable[bytes]) -> Iterable[bytes]:
        """Return the blocks of a body at the set bandwidth; without one, give them as they are."""
        return self._slowly(blocks, self.bandwidth) if self.bandwidth else blocks

    @staticmethod
    def _slowly(blocks: Iterable[bytes], bandwidth: int) -> Iterator[bytes]:
        step = max(1, bandwidth // _TICKS)
        started, sent = time.monotonic(), 0
        for block in blocks:
            for offset in range(0, len(block), step):
                piece = block[offset : offset + step]
                sent += len(piece)
                time.sleep(max(0.0, started + sent / bandwidth - time.monotonic()))
                yield piece

    def _take_failure(self, call: str) -> dict[str, Any] | None:
        with self._lock:
            failures = self._settings["failures"]
            for index, failure in enumerate(failures):
                if failure.get("times") == 0 or not re.search(failure["match"], call):
                    continue
                if failure.get("times") is not None:
                    used = {**failure, "times": failure["times"] - 1}
                    rest = [*failures[:index], used, *failures[index + 1 :]]
                    self._save({**self._settings, "failures": rest})
                return dict(failure)
        return None

    def _serve(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.reset()
        elif request.method == "POST":
            self.release()
        elif request.method in {"PUT", "PATCH"}:
            changes = request.get_json(force=True, silent=True)
            if not isinstance(changes, dict):
                return google_error(400, "INVALID_ARGUMENT", "The body must be a JSON object.")
            try:
                self.update(
                    **({**self._DEFAULTS, **changes} if request.method == "PUT" else changes)
                )
                if request.method == "PUT":
                    self.release()
            except ValueError as error:
                return google_error(400, "INVALID_ARGUMENT", str(error))
        elif request.method != "GET":
            return google_error(405, "UNIMPLEMENTED", "Use GET, PUT, PATCH, POST or DELETE.")
        return json_response(self.settings())

    def _save(self, settings: dict[str, Any]) -> None:
        self._store.put("local", "faults", settings)
        self._settings = settings


def _check(changes: dict[str, Any], defaults: dict[str, Any]) -> None:
    for name, value in changes.items():
        if name not in defaults:
            known = ", ".join(defaults)
            raise ValueError(f"There is no switch {name!r}; the switches are: {known}.")
        if name == "bandwidth":
            if value is not None and not (_is_number(value) and value >= 1):
                raise ValueError("'bandwidth' is a number of bytes per second, or null.")
        elif not isinstance(value, type(defaults[name])):
            shape = "a list" if isinstance(defaults[name], list) else "an object"
            raise ValueError(f"{name!r} must be {shape}.")
    for pattern in (*changes.get("delays", {}), *changes.get("holds", [])):
        _check_pattern(pattern)
    for pattern, seconds in changes.get("delays", {}).items():
        if not (_is_number(seconds) and seconds >= 0):
            raise ValueError(f"The delay of {pattern!r} must be a number of seconds.")
    _check_failures(changes.get("failures", []))


def _check_failures(failures: list[Any]) -> None:
    for failure in failures:
        match = failure.get("match") if isinstance(failure, dict) else None
        if match is None:
            raise ValueError("Each failure needs 'match', a regular expression.")
        _check_pattern(match)


def _check_pattern(pattern: Any) -> None:
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}.") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
