"""Secret Manager v1: secrets and their versions."""

from __future__ import annotations

import base64
import re
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

import google_crc32c
from google.cloud import secretmanager_v1
from google.protobuf import empty_pb2

from local_cloud.errors import ApiError
from local_cloud.google.permissions import by_name
from local_cloud.google.policies import Policies
from local_cloud.google.records import Records, copied, page_of
from local_cloud.google.run_conditions import now

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "secretmanager.googleapis.com"
rule = by_name(
    "secretmanager",
    AccessSecretVersion="versions.access",
    AddSecretVersion="versions.add",
    DestroySecretVersion="versions.destroy",
    DisableSecretVersion="versions.disable",
    EnableSecretVersion="versions.enable",
    GetSecretVersion="versions.get",
    ListSecretVersions="versions.list",
)

DENIAL = "Permission '{permission}' denied for resource '{resource}' (or it may not exist)."

MAX_PAYLOAD = 65_536
"""Bytes of one version."""

M = TypeVar("M", secretmanager_v1.Secret, secretmanager_v1.SecretVersion)
# Any: the members are numbers to the type checker.
_State: Any = secretmanager_v1.SecretVersion.State


class Secrets(Policies):
    """Answers SecretManagerServiceClient.

    Parameters
    ----------
    store
        Holds secrets (kind ``secret``), versions (``secret-version``) and what is in them
        (``secret-payload``), by names with the project's id.
    access
        Keeps their policies.

    """

    def __init__(self, store: Store, access: Access) -> None:
        super().__init__(access)
        self._store = store
        self._secrets = Records(store, "secret", secretmanager_v1.Secret)
        self._versions = Records(store, "secret-version", secretmanager_v1.SecretVersion)

    def value(self, project: str, secret: str, version: str) -> str:
        """Return the text in a version, for a container that refers to it.

        Raises
        ------
        ApiError
            There is no such version, or it is not enabled.

        """
        name = f"projects/{project}/secrets/{secret}/versions/{version or 'latest'}"
        return self._payload(self._enabled(name)).decode()

    def create_secret(self, request: Any, caller: Caller) -> secretmanager_v1.Secret:  # noqa: ARG002 - a handler
        """Make an empty secret."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", request.secret_id):
            raise ApiError("INVALID_ARGUMENT", "The secret_id must match [a-zA-Z_0-9]+.")
        replication = request.secret.replication
        # Both are empty messages that count by being there.
        if "automatic" not in replication and "user_managed" not in replication:
            raise ApiError("INVALID_ARGUMENT", "Secret.replication must be provided.")
        name = f"{self._access.canonical(request.parent)}/secrets/{request.secret_id}"
        secret: secretmanager_v1.Secret = copied(request.secret)
        secret.name, secret.create_time, secret.etag = name, now(), f'"{token_hex(7)}"'
        with self._store.transaction():
            if self._secrets.get(name):
                raise ApiError("ALREADY_EXISTS", f"Secret [{self._shown(name)}] already exists.")
            self._secrets.put(name, secret)
        return self._named(secret)

    def get_secret(self, request: Any, caller: Caller) -> secretmanager_v1.Secret:  # noqa: ARG002 - a handler
        """Return one secret, without what is in it."""
        return self._named(self._get(request.name))

    def list_secrets(self, request: Any, caller: Caller) -> secretmanager_v1.ListSecretsResponse:  # noqa: ARG002 - a handler
        """Return the secrets of a project; ``name:TEXT`` and ``labels.K=V`` filter."""
        found = self._secrets.list(f"{self._access.canonical(request.parent)}/secrets/")
        kept = [secret for secret in found if _matches(secret, request.filter)]
        page, token = page_of(kept, request, default=25_000, most=25_000)
        return secretmanager_v1.ListSecretsResponse(
            secrets=[self._named(s) for s in page], next_page_token=token, total_size=len(kept)
        )

    def delete_secret(self, request: Any, caller: Caller) -> empty_pb2.Empty:  # noqa: ARG002 - a handler
        """Delete a secret and all versions."""
        secret = self._get(request.name)
        if request.etag and request.etag != secret.etag:
            raise ApiError("FAILED_PRECONDITION", "The etag of the secret does not match.")
        with self._store.transaction():
            for version in self._versions.list(f"{secret.name}/versions/"):
                self._versions.delete(version.name)
                self._store.erase("secret-payload", version.name)
            self._secrets.delete(secret.name)
            self._access.delete_policy(secret.name)
        return empty_pb2.Empty()

    def add_secret_version(self, request: Any, caller: Caller) -> secretmanager_v1.SecretVersion:  # noqa: ARG002 - a handler
        """Add a new value to a secret."""
        data = request.payload.data
        if not data or len(data) > MAX_PAYLOAD:
            raise ApiError(
                "INVALID_ARGUMENT",
                f"The secret payload must have between 1 and {MAX_PAYLOAD} bytes.",
            )
        crc = int(google_crc32c.value(data))
        if "data_crc32c" in request.payload and request.payload.data_crc32c != crc:
            raise ApiError("INVALID_ARGUMENT", "The crc32c of the payload does not match.")
        with self._store.transaction():
            secret = self._get(request.parent)
            number = 1 + max((_number(v) for v in self._all(secret.name)), default=0)
            version = secretmanager_v1.SecretVersion(
                name=f"{secret.name}/versions/{number}",
                create_time=now(),
                state=_State.ENABLED,
                replication_status=_replicated(secret),
                etag=f'"{token_hex(7)}"',
                client_specified_payload_checksum="data_crc32c" in request.payload,
            )
            self._versions.put(version.name, version)
            encoded = base64.b64encode(data).decode()
            self._store.put("secret-payload", version.name, {"data": encoded})
        return self._named(version)

    def access_secret_version(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> secretmanager_v1.AccessSecretVersionResponse:
        """Return what is in a version."""
        version = self._enabled(request.name)
        data = self._payload(version)
        payload = secretmanager_v1.SecretPayload(
            data=data, data_crc32c=int(google_crc32c.value(data))
        )
        return secretmanager_v1.AccessSecretVersionResponse(
            name=self._shown(version.name), payload=payload
        )

    def get_secret_version(self, request: Any, caller: Caller) -> secretmanager_v1.SecretVersion:  # noqa: ARG002 - a handler
        """Return one version, without what is in it."""
        return self._named(self._version(request.name))

    def list_secret_versions(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> secretmanager_v1.ListSecretVersionsResponse:
        """Return the versions of a secret, the newest first."""
        found = self._all(self._get(request.parent).name)
        page, token = page_of(found, request, default=25_000, most=25_000)
        return secretmanager_v1.ListSecretVersionsResponse(
            versions=[self._named(v) for v in page], next_page_token=token, total_size=len(found)
        )

    def disable_secret_version(self, request: Any, caller: Caller) -> Any:  # noqa: ARG002 - a handler
        """Keep what is in a version from being read."""
        return self._switch(request.name, _State.DISABLED)

    def enable_secret_version(self, request: Any, caller: Caller) -> Any:  # noqa: ARG002 - a handler
        """Let it be read again."""
        return self._switch(request.name, _State.ENABLED)

    def destroy_secret_version(self, request: Any, caller: Caller) -> Any:  # noqa: ARG002 - a handler
        """Forget what is in a version, for good."""
        version = self._switch(request.name, _State.DESTROYED)
        self._store.erase("secret-payload", self._access.canonical(request.name))
        return version

    def require_existing(self, resource: str) -> None:
        """Raise 404 for a secret that is not there."""
        self._get(resource)

    def _get(self, asked: str) -> secretmanager_v1.Secret:
        secret = self._secrets.get(self._access.canonical(asked))
        if secret is None:
            raise ApiError("NOT_FOUND", f"Secret [{self._shown(asked)}] not found.")
        return secret

    def _all(self, secret: str) -> list[secretmanager_v1.SecretVersion]:
        return sorted(self._versions.list(f"{secret}/versions/"), key=_number, reverse=True)

    def _version(self, asked: str) -> secretmanager_v1.SecretVersion:
        parent, _, short = self._access.canonical(asked).rpartition("/versions/")
        versions = self._all(self._get(parent).name)
        for version in versions:
            # The newest comes first.
            if short in {"latest", version.name.rpartition("/")[2]}:
                return version
        raise ApiError("NOT_FOUND", f"Secret Version [{self._shown(asked)}] not found.")

    def _switch(self, asked: str, state: Any) -> secretmanager_v1.SecretVersion:
        """Put a version in another state; what is destroyed stays so."""
        with self._store.transaction():
            version = self._version(asked)
            if version.state == _State.DESTROYED:
                raise _wrong_state(self._shown(version.name), version)
            version.state = state
            if state == _State.DESTROYED:
                version.destroy_time = now()
            self._versions.put(version.name, version)
        return self._named(version)

    def _enabled(self, asked: str) -> secretmanager_v1.SecretVersion:
        version = self._version(asked)
        if version.state != _State.ENABLED:
            raise _wrong_state(self._shown(version.name), version)
        return version

    def _payload(self, version: secretmanager_v1.SecretVersion) -> bytes:
        record = self._store.get("secret-payload", version.name)
        assert record is not None  # written and removed together with the version
        return base64.b64decode(record["data"])

    def _shown(self, name: str) -> str:
        """Return a name with the project's number, as Secret Manager answers."""
        parts = self._access.canonical(name).split("/")
        record = self._store.get("project", parts[1])
        return "/".join([parts[0], record["number"] if record else parts[1], *parts[2:]])

    def _named(self, message: M) -> M:
        shown = copied(message)
        shown.name = self._shown(message.name)
        return shown


def _number(version: secretmanager_v1.SecretVersion) -> int:
    return int(version.name.rpartition("/")[2])


def _replicated(secret: secretmanager_v1.Secret) -> secretmanager_v1.ReplicationStatus:
    """Return where the versions of a secret are: as the secret says."""
    status = secretmanager_v1.ReplicationStatus
    if "automatic" in secret.replication:
        return status(automatic=status.AutomaticStatus())
    replicas = [
        status.UserManagedStatus.ReplicaStatus(location=replica.location)
        for replica in secret.replication.user_managed.replicas
    ]
    return status(user_managed=status.UserManagedStatus(replicas=replicas))


def _wrong_state(name: str, version: secretmanager_v1.SecretVersion) -> ApiError:
    return ApiError(
        "FAILED_PRECONDITION", f"Secret Version [{name}] is in {version.state.name} state."
    )


def _matches(secret: secretmanager_v1.Secret, text: str) -> bool:
    for term in text.split():
        match = re.fullmatch(r'(name|labels\.[\w-]+)[:=]"?([^"]*)"?', term)
        if match is None:
            raise ApiError("INVALID_ARGUMENT", f"Invalid filter: '{text}'.")
        if match[1] == "name" and match[2] not in secret.name:
            return False
        if match[1] != "name" and secret.labels.get(match[1][7:]) != match[2]:
            return False
    return True
