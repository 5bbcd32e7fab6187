"""Settings around buckets: notifications to Pub/Sub, and the service's own account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_cloud.storage.failures import StorageError

if TYPE_CHECKING:
    from local_cloud.storage.backend import Backend, Call


class Notifications:
    """Notification settings of a bucket; they are kept, and nothing is published."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def insert(self, call: Call, bucket: str) -> dict[str, Any]:
        """Add a setting."""
        body = call.json()
        self._backend.require(call, "storage.buckets.update", bucket)
        if not body.get("topic"):
            raise StorageError(400, "required", "Required")
        with self._backend.store.transaction():
            known = [int(number) for number, _ in self._backend.store.list(_kind(bucket))]
            number = str(max(known, default=0) + 1)
            made = {
                "kind": "storage#notification",
                "payload_format": "JSON_API_V1",
                **body,
                "id": number,
                "etag": number,
            }
            self._backend.store.put(_kind(bucket), number, made)
        return _render(made, call, bucket)

    def list(self, call: Call, bucket: str) -> dict[str, Any]:
        """Give all settings."""
        self._backend.require(call, "storage.buckets.get", bucket)
        found = self._backend.store.list(_kind(bucket))
        items = [_render(setting, call, bucket) for _, setting in found]
        return {"kind": "storage#notifications", **({"items": items} if items else {})}

    def get(self, call: Call, bucket: str, number: str) -> dict[str, Any]:
        """Give one setting."""
        self._backend.require(call, "storage.buckets.get", bucket)
        return _render(self._setting(bucket, number), call, bucket)

    def delete(self, call: Call, bucket: str, number: str) -> None:
        """Remove a setting."""
        self._backend.require(call, "storage.buckets.update", bucket)
        self._setting(bucket, number)
        self._backend.store.delete(_kind(bucket), number)

    def _setting(self, bucket: str, number: str) -> dict[str, Any]:
        setting = self._backend.store.get(_kind(bucket), number)
        if setting is None:
            raise StorageError(404, "notFound", f"Notification not found: {number}")
        return setting


def service_account(backend: Backend, call: Call, project: str) -> dict[str, Any]:
    """Name the account as which Cloud Storage acts for a project."""
    record = backend.require_in_project(call, "resourcemanager.projects.get", project)
    return {
        "kind": "storage#serviceAccount",
        "email_address": f"service-{record['number']}@gs-project-accounts.iam.gserviceaccount.com",
    }


def _kind(bucket: str) -> str:
    return f"notification:{bucket}"


def _render(setting: dict[str, Any], call: Call, bucket: str) -> dict[str, Any]:
    link = f"{call.base}/storage/v1/b/{bucket}/notificationConfigs/{setting['id']}"
    return {**setting, "selfLink": link}
