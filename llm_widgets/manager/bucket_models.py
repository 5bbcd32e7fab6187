"""The buckets of a project with the models in them, read many at once, the likely ones first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain.regions import bucket_warning
from llm_widgets.errors import ManagerError, NotFoundError
from llm_widgets.gcp.storage.buckets import list_buckets
from llm_widgets.gcp.storage.metadata import read_metadata, update_metadata
from llm_widgets.manager.audit import recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.storage.buckets import BucketListing

READERS = 64
"""Buckets that are read at once; as many as the client keeps connections."""

_HEAD_START = 2.0
"""Seconds that the labelled buckets have for themselves: then one that hangs delays no other."""


@dataclass(frozen=True, slots=True)
class BucketModels:
    """A bucket and what it holds.

    Attributes
    ----------
    location
        Region or multi-region, in lower case.
    problem
        Why its models can't be told; ``models`` is empty then.
    warning
        What to know about its place before something is deployed from it.
    repaired
        Name of the backup from which a damaged metadata file was rebuilt; else empty.
    unread
        Entries of the metadata file that are no models; they are kept in it.
    is_ours
        Whether it is labelled as a bucket of this product.
    """

    name: str
    location: str
    models: tuple[ModelRecord, ...] = ()
    problem: ManagerError | None = None
    warning: str = ""
    repaired: str = ""
    unread: int = 0
    is_ours: bool = True

    @property
    def size(self) -> int:
        """Bytes of all models."""
        return sum(record.size for record in self.models)


@dataclass(frozen=True, slots=True)
class ProjectBuckets:
    """What is known of the buckets of a project.

    Attributes
    ----------
    models
        Those that hold models, and those of which that can't be told.
    others
        Those that hold none; one of them can be made a bucket of models.
    waiting
        How many have not been looked into yet.
    """

    models: tuple[BucketModels, ...] = ()
    others: tuple[BucketListing, ...] = ()
    waiting: int = 0


def read_project(
    clients: Clients, project: str, partly: Callable[[ProjectBuckets], None]
) -> ProjectBuckets:
    """Read the models of all buckets of a project.

    Each bucket takes one call: its metadata file is read, or is not there. The labelled ones
    come first, so that a project with a thousand buckets shows its models at once.

    Parameters
    ----------
    partly
        Called with what is known once the labelled buckets were read, where others are still to
        be looked into.

    Raises
    ------
    ManagerError
        The project's buckets can't be listed.
    """
    listings = list_buckets(clients, project)
    likely = [listing for listing in listings if listing.is_labelled]
    others = [listing for listing in listings if not listing.is_labelled]
    found: dict[str, BucketModels | None] = {}
    with ThreadPoolExecutor(max(1, min(READERS, len(listings))), "buckets") as pool:
        reads = {pool.submit(read_bucket, clients, each): each.name for each in likely}
        for future in wait(reads, _HEAD_START).done:
            found[reads[future]] = future.result()
        if others:
            partly(_known(listings, found))
        reads |= {pool.submit(read_bucket, clients, each): each.name for each in others}
        for future in as_completed(reads):
            found[reads[future]] = future.result()
    return _known(listings, found)


def read_bucket(clients: Clients, listing: BucketListing) -> BucketModels | None:
    """Read the models of a bucket; ``None`` when it is no bucket of models."""
    warning = bucket_warning(listing.location, is_regional=listing.is_regional)
    try:
        file, _ = read_metadata(clients.storage(), listing.name, clients=clients)
    except NotFoundError:
        return None
    except ManagerError as error:
        return BucketModels(
            listing.name, listing.location, problem=error, is_ours=listing.is_labelled
        )
    return BucketModels(
        listing.name,
        listing.location,
        file.models,
        warning=warning,
        repaired=file.repaired,
        unread=len(file.others),
        is_ours=listing.is_labelled,
    )


@recorded("bucket.repair", on="{bucket}")
def repair(clients: Clients, bucket: str) -> None:
    """Rebuild a damaged metadata file; the damaged one is kept beside it.

    Raises
    ------
    ManagerError
        The bucket refuses.
    """
    update_metadata(clients.storage(), bucket, lambda file: file)


def _known(listings: list[BucketListing], found: dict[str, BucketModels | None]) -> ProjectBuckets:
    by_name = sorted(listings, key=lambda listing: listing.name)
    models = (found.get(listing.name) for listing in by_name)
    return ProjectBuckets(
        tuple(bucket for bucket in models if bucket),
        tuple(listing for listing in by_name if listing.name in found and not found[listing.name]),
        len(listings) - len(found),
    )
