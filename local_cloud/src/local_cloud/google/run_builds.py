"""Cloud Run Admin v2: builds of a container image from an archive of its source.

There is no container engine: a build checks what it is made from and who makes it, and then keeps
the archive's digest as that of the image. What runs in place of the image is the machine's to say.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import uuid
from typing import TYPE_CHECKING, Any

from google.cloud import run_v2
from google.cloud.devtools import cloudbuild_v1

from local_cloud.errors import ApiError
from local_cloud.google.permissions import Need
from local_cloud.issuer import caller_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_cloud.access import Access
    from local_cloud.enablement import Enablement
    from local_cloud.google.artifactregistry import ArtifactRegistry
    from local_cloud.google.operations import Operations
    from local_cloud.google.run_dependencies import Dependencies
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

_KIND = "build"
_BUILD_API = "cloudbuild.googleapis.com"
_NEEDED_APIS = (_BUILD_API, "artifactregistry.googleapis.com")


def rule(name: str, request: Any) -> Need | None:
    """Return what a call needs; operations know what reading them needs."""
    if name != "SubmitBuild":
        return None
    return Need("cloudbuild.builds.create", request.parent, writes=True)


class Builds:
    """Answers BuildsClient.

    Parameters
    ----------
    store
        Holds what is built (kind ``build``).
    access
        Decides what the account of a build may.
    enablement
        Knows what is enabled.
    operations
        Carry builds out.
    dependencies
        Decide who may act as an account.
    registry
        Takes the images.

    Attributes
    ----------
    source
        Returns the bytes of an object, given its bucket and its name; ``None`` where there is
        none.

    """

    def __init__(
        self,
        store: Store,
        access: Access,
        enablement: Enablement,
        operations: Operations,
        *,
        dependencies: Dependencies,
        registry: ArtifactRegistry,
    ) -> None:
        self.source: Callable[[str, str], bytes | None] = lambda _bucket, _name: None
        self._store = store
        self._access = access
        self._enablement = enablement
        self._operations = operations
        self._dependencies = dependencies
        self._registry = registry
        operations.define("cloudbuild.build", self._build)

    def submit_build(self, request: Any, caller: Caller) -> run_v2.SubmitBuildResponse:
        """Begin to build an image."""
        parent = self._access.canonical(request.parent)
        project = parent.split("/")[1]
        for api in _NEEDED_APIS:
            self._enablement.require_api(api, project)
        source = request.storage_source
        if not (source.bucket and source.object_):
            raise ApiError("INVALID_ARGUMENT", "storage_source: bucket and object must be given.")
        if "docker_build" not in request:
            raise ApiError("UNIMPLEMENTED", "Buildpacks are not served.")
        account = request.service_account.rsplit("/", 1)[-1]
        account = account or self._dependencies.default_account(project)
        self._dependencies.require_act_as(caller, account, project)
        repository = self._registry.repository_of(request.image_uri)
        build_id = str(uuid.uuid4())
        record = {
            "bucket": source.bucket,
            "object": source.object_,
            "image": request.image_uri,
            "repository": repository,
            "account": account,
        }
        name = f"{parent}/builds/{build_id}"
        self._store.put(_KIND, name, record)
        metadata = cloudbuild_v1.BuildOperationMetadata(build=_message(name, "WORKING"))
        operation = self._operations.start("cloudbuild.build", name, metadata, parent=parent)
        return run_v2.SubmitBuildResponse(build_operation=operation)

    def _build(self, name: str) -> cloudbuild_v1.Build:
        record = self._store.get(_KIND, name) or {}
        builder = caller_for(record["account"])
        source = f"projects/_/buckets/{record['bucket']}/objects/{record['object']}"
        for permission, resource in (
            ("storage.objects.get", source),
            ("logging.logEntries.create", "/".join(name.split("/")[:2])),
            ("artifactregistry.repositories.uploadArtifacts", record["repository"]),
        ):
            self._access.require(builder, permission, resource)
        content = self.source(record["bucket"], record["object"])
        if content is None or not _has_dockerfile(content):
            raise ApiError(
                "FAILED_PRECONDITION", "build step 0 failed: unable to prepare context: Dockerfile"
            )
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self._registry.push(record["image"], digest)
        build = _message(name, "SUCCESS")
        build.results.images = [cloudbuild_v1.BuiltImage(name=record["image"], digest=digest)]
        return build


def _message(name: str, status: str) -> cloudbuild_v1.Build:
    project, build_id = name.split("/")[1], name.rsplit("/", 1)[-1]
    return cloudbuild_v1.Build(name=name, id=build_id, project_id=project, status=status)


def _has_dockerfile(content: bytes) -> bool:
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            return "Dockerfile" in archive.getnames()
    except tarfile.TarError:
        return False
