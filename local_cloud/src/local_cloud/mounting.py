"""Whether a service account may mount a bucket, in the words of Cloud Storage FUSE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_cloud.issuer import caller_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_cloud.access import Access
    from local_cloud.store import Store


def mount_refusal(store: Store, access: Access) -> Callable[[str, str, bool], str]:
    """Return a function that tells why an account may not mount a bucket; nothing if it may."""

    def refusal(email: str, bucket: str, read_only: bool) -> str:  # noqa: FBT001 - the runner's seam
        if store.get("bucket", bucket) is None:
            return f"Error 404: The specified bucket does not exist: {bucket}., notFound"
        needed = ["storage.objects.list", "storage.objects.get"]
        if not read_only:
            needed += ["storage.objects.create", "storage.objects.delete"]
        for permission in needed:
            # Listing is asked for on the bucket, all else on the objects in it.
            within = "" if permission == "storage.objects.list" else "/objects/"
            place = f"projects/_/buckets/{bucket}{within}"
            if not access.granted(caller_for(email), [permission], place):
                return (
                    f"Error 403: {email} does not have {permission} access to the Google Cloud "
                    f"Storage bucket. Permission '{permission}' denied on resource (or it may not "
                    "exist)., forbidden"
                )
        return ""

    return refusal
