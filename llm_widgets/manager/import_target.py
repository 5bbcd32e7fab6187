"""The bucket that an import goes into: one of models, one that becomes one, or a new one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.domain import names
from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.domain.regions import bucket_warning
from llm_widgets.errors import (
    AlreadyExistsError,
    DeniedError,
    Fix,
    InvalidInputError,
    ManagerError,
    NotFoundError,
)
from llm_widgets.gcp.iam import permissions
from llm_widgets.gcp.storage import buckets
from llm_widgets.manager.audit import recorded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.storage.buckets import BucketListing

# What a worker does in a bucket.
_NEEDED = (
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
)


class TargetKind(StrEnum):
    """What has to be done before a model can go into the bucket."""

    EXISTING = "existing"
    ADOPT = "adopt"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class Target:
    """Where an import goes.

    Attributes
    ----------
    region
        Of a bucket that is to be created.
    """

    kind: TargetKind
    name: str
    region: str = ""

    @property
    def words(self) -> str:
        """What is done with the bucket, or nothing."""
        return {
            TargetKind.EXISTING: "",
            TargetKind.ADOPT: f"{METADATA_NAME} is added when the import starts",
            TargetKind.CREATE: "created when the import starts",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class Place:
    """A target that was looked at: it can be written to.

    Attributes
    ----------
    location
        Region or multi-region.
    warning
        What its place means for services, or empty.
    listing
        The bucket, where it is there already.
    """

    target: Target
    location: str
    warning: str = ""
    listing: BucketListing | None = None


def look_at(clients: Clients, project: str, target: Target, of_project: Iterable[str]) -> Place:
    """See that a bucket can be used, and where it lies; nothing is changed.

    Parameters
    ----------
    of_project
        Names of the buckets of the project, as far as they are known.

    Raises
    ------
    InvalidInputError
        The name can't be one, is taken, or belongs to another project.
    ManagerError
        The bucket is gone, or this identity may not write to it.
    """
    if target.kind is TargetKind.CREATE:
        return _new(clients, project, target, of_project)
    name = names.bucket(target.name)
    try:
        found = buckets.get_bucket(clients, name, project=project)
    except NotFoundError as error:
        raise InvalidInputError(
            f"There is no bucket {name}.",
            field="bucket",
            cause=error.cause,
            fix=Fix(text="Check the name, or create a bucket."),
        ) from error
    if name not in set(of_project) and not _is_in(clients, project, name):
        raise InvalidInputError(
            f"The bucket {name} belongs to another project than {project}.",
            field="bucket",
            fix=Fix(text="Choose that project on the General tab, or another bucket."),
        )
    tested = permissions.on_bucket(clients, name, _NEEDED, project=project)
    if tested.missing:
        raise DeniedError(
            f"You don't have permission to write to the bucket {name}.",
            cause="Missing: " + ", ".join(sorted(tested.missing)) + ".",
            fix=Fix(text="Ask for the role Storage Object Admin on this bucket."),
        )
    if found.settings.refusal:
        raise InvalidInputError(
            f"No model can be imported into the bucket {name}.",
            field="bucket",
            cause=found.settings.refusal,
            fix=Fix(text="Choose another bucket, or turn that setting off for this one."),
        )
    warning = bucket_warning(found.location, is_regional=found.is_regional)
    return Place(Target(target.kind, name), found.location, warning, found)


def make_ready(clients: Clients, project: str, place: Place) -> None:
    """Create the bucket, or make it one of models, where that is still to be done.

    A bucket that is to be created, and that an earlier try has made, is used.

    Raises
    ------
    ManagerError
        It can't be.
    """
    target = place.target
    if target.kind is TargetKind.CREATE:
        try:
            create_bucket(clients, project, target.name, target.region)
        except AlreadyExistsError:
            if not _is_made(clients, project, target):
                raise
            _adopt(clients, project, target.name)
    elif target.kind is TargetKind.ADOPT:
        _adopt(clients, project, target.name)


@recorded("bucket.create", on="{name} in {region}")
def create_bucket(clients: Clients, project: str, name: str, region: str) -> BucketListing:
    """Create a bucket for models.

    Raises
    ------
    ManagerError
        It can't be.
    """
    return buckets.create_bucket(clients, project, name, region)


@recorded("bucket.adopt", on="{name}")
def _adopt(clients: Clients, project: str, name: str) -> None:
    buckets.adopt(clients, name, project=project)


def _new(clients: Clients, project: str, target: Target, of_project: Iterable[str]) -> Place:
    name, region = names.bucket(target.name), names.region(target.region)
    if name in set(of_project):
        raise InvalidInputError(
            f"A bucket {name} already exists in this project.",
            field="bucket",
            fix=Fix(text="Choose that bucket in the list, or enter another name."),
        )
    if _exists(clients, name):
        raise InvalidInputError(
            f"The bucket name {name} is already taken.",
            field="bucket",
            fix=Fix(text="Choose another name: bucket names are globally unique."),
        )
    needed = ["storage.buckets.create"]
    if permissions.on_project(clients, project, needed).missing:
        raise DeniedError(
            f"You don't have permission to create buckets in {project}.",
            cause="Missing: storage.buckets.create.",
            fix=Fix(text="Ask for the role Storage Admin, or for a bucket."),
        )
    return Place(Target(target.kind, name, region), region, bucket_warning(region))


def _is_made(clients: Clients, project: str, target: Target) -> bool:
    """Return whether the project has the bucket, made by this product, in the region."""
    return any(
        each.name == target.name and each.is_labelled and each.location == target.region
        for each in buckets.list_buckets(clients, project)
    )


def _is_in(clients: Clients, project: str, name: str) -> bool:
    return any(each.name == name for each in buckets.list_buckets(clients, project))


def _exists(clients: Clients, name: str) -> bool:
    try:
        buckets.get_bucket(clients, name)
    except NotFoundError:
        return False
    except DeniedError:
        return True
    except ManagerError:
        return False  # creating it will tell
    return True
