"""Artifact Registry v1: repositories of container images, and the tags of the images in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from google.cloud import artifactregistry_v1
from google.protobuf import empty_pb2

from local_cloud.errors import ApiError
from local_cloud.google.permissions import by_name
from local_cloud.google.policies import Policies
from local_cloud.google.records import Records, copied, page_of
from local_cloud.google.run_conditions import now

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.google.operations import Operations
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "artifactregistry.googleapis.com"
rule = by_name("artifactregistry")
_CREATE, _DELETE = "artifactregistry.create", "artifactregistry.delete"

# The address of an image: region, project, repository, name, and a tag if there is one.
_IMAGE = re.compile(
    r"([a-z0-9-]+)-docker\.pkg\.dev/([a-z0-9:.-]+)/([a-z0-9-]+)/([a-z0-9._/-]+?)(?::([\w.-]{1,128}))?"
)


class ArtifactRegistry(Policies):
    """Answers ArtifactRegistryClient, as far as images need it.

    Parameters
    ----------
    store
        Holds repositories (kind ``repository``) and tags (``image-tag``), by their names.
    access
        Keeps their policies.
    operations
        Hold the answers of calls that change one.

    """

    def __init__(self, store: Store, access: Access, operations: Operations) -> None:
        super().__init__(access)
        self._store = store
        self._operations = operations
        self._repositories = Records(store, "repository", artifactregistry_v1.Repository)
        self._tags = Records(store, "image-tag", artifactregistry_v1.Tag)
        operations.define(_CREATE, self._made)
        operations.define(_DELETE, lambda _name: empty_pb2.Empty())

    def create_repository(self, request: Any, caller: Caller) -> operations_pb2.Operation:  # noqa: ARG002 - a handler
        """Make a repository."""
        if not re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", request.repository_id):
            raise ApiError("INVALID_ARGUMENT", f"Invalid repository id: {request.repository_id}.")
        if not request.repository.format_:
            raise ApiError("INVALID_ARGUMENT", "The repository format must be given.")
        parent = self._access.canonical(request.parent)
        made: artifactregistry_v1.Repository = copied(request.repository)
        made.name = f"{parent}/repositories/{request.repository_id}"
        made.create_time = made.update_time = now()
        if not made.mode:
            made.mode = artifactregistry_v1.Repository.Mode.STANDARD_REPOSITORY  # type: ignore[assignment] # the stub's members are numbers
        made.satisfies_pzi = True
        made.registry_uri = _registry(made.name)
        scanning = made.vulnerability_scanning_config
        state = artifactregistry_v1.Repository.VulnerabilityScanningConfig.EnablementState
        scanning.last_enable_time = made.create_time
        scanning.enablement_state = state.SCANNING_DISABLED  # type: ignore[assignment] # as above
        scanning.enablement_state_reason = "API containerscanning.googleapis.com is not enabled."
        with self._store.transaction():
            if self._repositories.get(made.name):
                raise ApiError("ALREADY_EXISTS", "the repository already exists")
            self._repositories.put(made.name, made)
        return self._begun(_CREATE, made.name)

    def get_repository(self, request: Any, caller: Caller) -> artifactregistry_v1.Repository:  # noqa: ARG002 - a handler
        """Return one repository."""
        return self._get(request.name)

    def list_repositories(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> artifactregistry_v1.ListRepositoriesResponse:
        """Return the repositories of a region."""
        found = self._repositories.list(f"{self._access.canonical(request.parent)}/repositories/")
        page, token = page_of(found, request)
        return artifactregistry_v1.ListRepositoriesResponse(
            repositories=page, next_page_token=token
        )

    def delete_repository(self, request: Any, caller: Caller) -> operations_pb2.Operation:  # noqa: ARG002 - a handler
        """Delete a repository with all images."""
        found = self._get(request.name)
        with self._store.transaction():
            for tag in self._tags.list(f"{found.name}/"):
                self._tags.delete(tag.name)
            self._repositories.delete(found.name)
            self._access.delete_policy(found.name)
        return self._begun(_DELETE, found.name)

    def get_tag(self, request: Any, caller: Caller) -> artifactregistry_v1.Tag:  # noqa: ARG002 - a handler
        """Return the version that a tag is of."""
        found = self._tags.get(self._access.canonical(request.name))
        if found is None:
            raise ApiError("NOT_FOUND", "Requested entity was not found.")
        return found

    def require_existing(self, resource: str) -> None:
        """Raise 404 for a repository that is not there."""
        self._get(resource)

    def repository_of(self, image: str) -> str:
        """Return the name of the repository that an image is pushed to.

        Raises
        ------
        ApiError
            400 for an address that is none of Artifact Registry; 404 for a repository that is not
            there.

        """
        found = _IMAGE.fullmatch(image)
        if found is None:
            raise ApiError("INVALID_ARGUMENT", f"image_uri: {image} is not in Artifact Registry.")
        name = f"projects/{found[2]}/locations/{found[1]}/repositories/{found[3]}"
        return self._get(name).name

    def push(self, image: str, digest: str) -> None:
        """Keep an image under its tag."""
        found = _IMAGE.fullmatch(image)
        assert found is not None  # `repository_of` has looked
        package = f"{self.repository_of(image)}/packages/{found[4].replace('/', '%2F')}"
        name = f"{package}/tags/{found[5] or 'latest'}"
        self._tags.put(
            name, artifactregistry_v1.Tag(name=name, version=f"{package}/versions/{digest}")
        )

    def _get(self, asked: str) -> artifactregistry_v1.Repository:
        found = self._repositories.get(self._access.canonical(asked))
        if found is None:
            raise ApiError("NOT_FOUND", "Requested entity was not found.")
        return found

    def _made(self, name: str) -> artifactregistry_v1.Repository:
        """Return a repository as the operation that made it tells of it: with less."""
        told: artifactregistry_v1.Repository = copied(self._get(name))
        told.create_time = told.update_time = None
        told.registry_uri = ""
        return told

    def _begun(self, kind: str, name: str) -> operations_pb2.Operation:
        """Return an operation that is not done yet, as the real one is when it is told of first."""
        parent = name.partition("/repositories/")[0]
        metadata = artifactregistry_v1.OperationMetadata()
        return self._operations.start(kind, name, metadata, parent=parent)


def _registry(name: str) -> str:
    """Return where the images of a repository are, given its resource name."""
    _, project, _, region, _, short = name.split("/")
    return f"{region}-docker.pkg.dev/{project}/{short}"
