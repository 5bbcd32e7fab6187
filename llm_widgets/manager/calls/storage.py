"""What Python asks of buckets: which there are, who reads them, what they store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import members, storage_use
from llm_widgets.domain.tables import Listing
from llm_widgets.gcp.storage.buckets import list_model_buckets
from llm_widgets.manager import bucket_access, finding, tidying
from llm_widgets.manager.calls.base import Calls
from llm_widgets.manager.import_target import create_bucket

if TYPE_CHECKING:
    from llm_widgets.domain.storage_use import BucketUse, Finding
    from llm_widgets.gcp.storage.buckets import BucketListing


class StorageCalls(Calls):
    """The part of :class:`.Manager` that makes, reads and tidies buckets of models."""

    def buckets(self) -> Listing[BucketListing]:
        """List the buckets of the project that hold models."""
        found = list_model_buckets(self.clients, self.project.id)
        return Listing(found, ("name", "location", "created_at", "reason"))

    def create_bucket(self, name: str, region: str, *, exist_ok: bool = False) -> BucketListing:
        """Create a bucket for models.

        Parameters
        ----------
        exist_ok
            Whether a bucket of models of that name, in the project, is returned as it is.
        """
        if exist_ok:
            found = next((each for each in self.buckets() if each.name == name), None)
            if found:
                return found
        return create_bucket(self.clients, self.project.id, name, region)

    def grant_access(self, bucket: str, service_account: str) -> None:
        """Let a service account read the models of a bucket.

        Raises
        ------
        ManagerError
            The bucket's policy may not be changed.
        """
        member = members.service_account(service_account)
        bucket_access.let_read(self.clients, self.project.id, bucket, member)

    def storage_use(self, bucket: str | BucketListing = "") -> Listing[BucketUse]:
        """Tell what the buckets of models store, by kind, and when deleting saves something.

        What can't be read is unknown, and never 0.

        Parameters
        ----------
        bucket
            The one to read; all buckets of models when left out.

        Raises
        ------
        ManagerError
            The bucket that is named can't be opened, or buckets can't be listed.
        """
        clients, project = self.clients, self.project.id
        if bucket:
            found = [tidying.read(clients, project, finding.bucket_name(bucket))]
        else:
            found = tidying.read_all(clients, project, [each.name for each in self.buckets()])
        return Listing(found, storage_use.COLUMNS)

    def tidy(self, bucket: str | BucketListing) -> Listing[Finding]:
        """List what may be superfluous in a bucket; nothing is deleted.

        These are models that no service of any region reads, leftovers of imports, folders without
        an entry in the list of models, and copies of a model within its own folder. Delete one
        with :meth:`.ModelCalls.delete_model` or :meth:`delete_folder`.

        Raises
        ------
        ManagerError
            The bucket can't be read.
        """
        found = tidying.findings(self.clients, self.project.id, finding.bucket_name(bucket))
        return Listing(found, storage_use.FINDINGS)

    def delete_folder(self, bucket: str | BucketListing, folder: str) -> None:
        """Delete a folder that :meth:`tidy` lists and that is no model's.

        Raises
        ------
        ManagerError
            It is a model's, it may be in use, something was written there in the last 24 hours, or
            the bucket refuses; nothing was deleted.
        """
        tidying.delete_folder(self.clients, self.project.id, finding.bucket_name(bucket), folder)

    def delete_bucket(self, bucket: str | BucketListing) -> None:
        """Delete a bucket of models that holds no model and nothing else.

        Raises
        ------
        ManagerError
            It is not empty, also by noncurrent versions; a service may mount it; or it can't be
            deleted.
        """
        tidying.delete_bucket(self.clients, self.project.id, finding.bucket_name(bucket))
