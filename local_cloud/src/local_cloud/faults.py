"""Switches for faults and denials: what can go wrong in the cloud, made to go wrong on purpose."""

from __future__ import annotations

import re
import threading
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

from local_cloud.fault_values import check
from local_cloud.web import google_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from werkzeug import Request, Response

    from local_cloud.store import Store

#: Names of the APIs as Google writes them in its errors.
API_TITLES = {
    "artifactregistry.googleapis.com": "Artifact Registry API",
    "cloudbuild.googleapis.com": "Cloud Build API",
    "cloudbilling.googleapis.com": "Cloud Billing API",
    "cloudquotas.googleapis.com": "Cloud Quotas API",
    "cloudresourcemanager.googleapis.com": "Cloud Resource Manager API",
    "cloudscheduler.googleapis.com": "Cloud Scheduler API",
    "compute.googleapis.com": "Compute Engine API",
    "iam.googleapis.com": "Identity and Access Management (IAM) API",
    "iap.googleapis.com": "Cloud Identity-Aware Proxy API",
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
    """The switches, kept in the store; `switches` changes them at run time over HTTP.

    ``denied_permissions``
        List of permissions that nobody has, as glob patterns: ``["run.services.*"]``.
    ``disabled_apis``
        List of APIs that are not enabled: ``["run.googleapis.com"]``.
    ``billing_disabled``
        List of projects without an active billing account.
    ``without_organization``
        List of projects that belong to no organization.
    ``quota_project_apis``
        List of APIs that refuse persons who name no quota project.
    ``grant_seconds``
        Seconds until a change of an IAM policy has an effect.
    ``account_seconds``
        Seconds until a new service account is known.
    ``rates``
        Calls a minute, by quota metric: ``{"logging.googleapis.com/read_requests": 60}``.
    ``enforce_ingress``
        Whether services with internal ingress answer 404, as every caller is outside.
    ``regions_without_scheduler``
        List of regions that Cloud Scheduler is not in.
    ``schedule_ahead``
        Seconds that the clock of Cloud Scheduler is ahead: what is due until then runs now.
    ``organization_policies``
        Constraints that are enforced, with what they allow:
        ``{"constraints/gcp.resourceLocations": ["europe-west1"]}``.
    ``quotas``
        Limits, by quota id or ``"quota id/region"``: ``{"NvidiaL4GpuAlloc...": 0}``.
    ``delays``
        Seconds to wait before an answer, by regular expression on ``"METHOD /path"``.
    ``holds``
        Regular expressions on ``"METHOD /path"``: such a call waits until all that wait are
        released, by :meth:`release` or when everything is put right. A call that comes
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
        "without_organization": [],
        "quota_project_apis": [],
        "grant_seconds": 0,
        "account_seconds": 0,
        "rates": {},
        "enforce_ingress": False,
        "regions_without_scheduler": [],
        "schedule_ahead": 0,
        "organization_policies": {},
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
        self._listeners: list[Callable[[], object]] = []
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
    def without_organization(self) -> set[str]:
        """Projects that belong to no organization."""
        return set(self._settings["without_organization"])

    @property
    def quota_project_apis(self) -> set[str]:
        """APIs that refuse persons who name no quota project."""
        return set(self._settings["quota_project_apis"])

    @property
    def grant_seconds(self) -> float:
        """Seconds until a change of an IAM policy has an effect."""
        return float(self._settings["grant_seconds"])

    @property
    def account_seconds(self) -> float:
        """Seconds until a new service account is known."""
        return float(self._settings["account_seconds"])

    @property
    def rates(self) -> dict[str, int]:
        """Calls a minute and project, by quota metric."""
        return dict(self._settings["rates"])

    @property
    def enforce_ingress(self) -> bool:
        """Whether services that take requests from inside only answer no other."""
        return bool(self._settings["enforce_ingress"])

    @property
    def regions_without_scheduler(self) -> set[str]:
        """Regions that Cloud Scheduler is not in."""
        return set(self._settings["regions_without_scheduler"])

    @property
    def schedule_ahead(self) -> float:
        """Seconds that the clock of Cloud Scheduler is ahead of this machine's."""
        return float(self._settings["schedule_ahead"])

    @property
    def organization_policies(self) -> dict[str, list[str]]:
        """What is allowed, by constraint."""
        return dict(self._settings["organization_policies"])

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

    def on_change(self, listener: Callable[[], object]) -> None:
        """Have ``listener`` called after each change of a switch."""
        self._listeners.append(listener)

    def update(self, /, **changes: Any) -> None:
        """Change the switches that are named, and leave the others.

        Raises
        ------
        ValueError
            A switch that does not exist, or a value that it cannot take; one sentence.
        """
        check(changes, self._DEFAULTS)
        with self._lock:
            self._save({**self._settings, **changes})
        self._tell()

    def replace(self, /, **settings: Any) -> None:
        """Set the switches that are named, put the others right, and release what is held.

        Raises
        ------
        ValueError
            As :meth:`update`.
        """
        self.update(**{**self._DEFAULTS, **settings})
        self.release()

    def reset(self) -> None:
        """Put everything right again."""
        with self._lock:
            self._save(dict(self._DEFAULTS))
        self._tell()
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
        """Delay or fail the calls that the switches name: the first route but their own."""
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
        """Return the blocks of a body at the set bandwidth; without one, give them as they are.

        What is on its way follows a bandwidth that is changed or lifted.
        """
        return self._slowly(blocks) if self.bandwidth else blocks

    def _slowly(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        due = time.monotonic()
        for block in blocks:
            offset = 0
            while offset < len(block):
                bandwidth = self.bandwidth
                if not bandwidth:
                    yield block[offset:]
                    break
                piece = block[offset : offset + max(1, bandwidth // _TICKS)]
                due += len(piece) / bandwidth
                time.sleep(max(0.0, due - time.monotonic()))
                offset += len(piece)
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

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _save(self, settings: dict[str, Any]) -> None:
        self._store.put("local", "faults", settings)
        self._settings = settings
