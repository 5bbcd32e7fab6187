"""Buckets through the unmodified google-cloud-storage client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from google.api_core.exceptions import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
)
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_cloud.cloud import LocalCloud


def test_a_bucket_keeps_what_it_was_made_with(client: storage.Client, name: str) -> None:
    bucket = storage.Bucket(client, name)
    bucket.storage_class = "NEARLINE"
    bucket.labels = {"managed-by": "a-tool"}
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    bucket.add_lifecycle_abort_incomplete_multipart_upload_rule(age=7)
    bucket.soft_delete_policy.retention_duration_seconds = 0
    client.create_bucket(bucket, location="europe-west4")

    found = client.get_bucket(name)
    assert (found.location, found.location_type) == ("EUROPE-WEST4", "region")
    assert found.storage_class == "NEARLINE"
    assert found.labels == {"managed-by": "a-tool"}
    assert found.iam_configuration.uniform_bucket_level_access_enabled
    assert found.iam_configuration.uniform_bucket_level_access_locked_time is not None
    assert found.iam_configuration.public_access_prevention == "enforced"
    assert [rule["action"]["type"] for rule in found.lifecycle_rules] == [
        "AbortIncompleteMultipartUpload"
    ]
    assert found.soft_delete_policy.retention_duration_seconds == 0
    assert found.project_number > 0
    assert found.metageneration == 1
    assert found.time_created is not None


@pytest.mark.parametrize(
    ("location", "kind"),
    [("US", "multi-region"), ("eur4", "dual-region"), ("us-central1", "region")],
)
def test_locations_have_types(client: storage.Client, name: str, location: str, kind: str) -> None:
    bucket = client.create_bucket(name, location=location)
    assert (bucket.location, bucket.location_type) == (location.upper(), kind)


def test_a_location_that_does_not_exist_is_refused(client: storage.Client, name: str) -> None:
    with pytest.raises(BadRequest, match="The specified location constraint is not valid"):
        client.create_bucket(name, location="mars-north1")


@pytest.mark.parametrize(
    "wrong",
    ["UPPER-case", "ab", "-starts-badly", "ends-badly-", "goog-start", "my-g00gle", "x" * 64],
)
def test_names_that_break_the_rules_are_refused(
    call: Callable[..., requests.Response], wrong: str
) -> None:
    answer = call("POST", "/storage/v1/b?project=local-project", json={"name": wrong})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"Invalid bucket name: '{wrong}'"


def test_a_name_is_taken_by_oneself_or_by_others(
    client: storage.Client, other_client: storage.Client, name: str
) -> None:
    client.create_bucket(name)
    with pytest.raises(Conflict, match="you already own it"):
        client.create_bucket(name)
    with pytest.raises(Conflict, match="The requested bucket name is not available"):
        other_client.create_bucket(name)


def test_an_unknown_project_is_refused(client: storage.Client, name: str) -> None:
    with pytest.raises(BadRequest, match="Unknown project id: no-such-project"):
        client.create_bucket(name, project="no-such-project")


def test_lists_hold_the_projects_buckets_page_by_page(
    client: storage.Client, other_client: storage.Client, name: str
) -> None:
    names = [f"{name}-{number}" for number in range(5)]
    for each in names:
        client.create_bucket(each)
    other_client.create_bucket(f"{name}-other")
    pages = client.list_buckets(prefix=name, page_size=2).pages
    assert [[bucket.name for bucket in page] for page in pages] == [
        names[:2],
        names[2:4],
        names[4:],
    ]


def test_patch_merges_and_counts(client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.labels = {"one": "1", "two": "2"}
    bucket.patch()
    bucket.labels = {"one": "uno"}
    bucket.patch()
    found = client.get_bucket(bucket.name)
    assert found.labels == {"one": "uno"}
    assert found.metageneration == 3
    with pytest.raises(PreconditionFailed, match="pre-conditions"):
        bucket.patch(if_metageneration_match=1)
    bucket.labels = {"Wrong Key": "x"}
    with pytest.raises(BadRequest, match="label key"):
        bucket.patch()


def test_update_replaces(client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.labels = {"one": "1"}
    bucket.patch()
    fresh = client.bucket(bucket.name)
    fresh.versioning_enabled = True
    fresh.update()
    found = client.get_bucket(bucket.name)
    assert found.labels == {}
    assert found.versioning_enabled
    assert found.location == bucket.location


def test_only_empty_buckets_are_deleted(client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.blob("x").upload_from_string(b"")
    with pytest.raises(Conflict, match="The bucket you tried to delete is not empty"):
        bucket.delete()
    bucket.delete(force=True)
    with pytest.raises(NotFound, match="The specified bucket does not exist"):
        client.get_bucket(bucket.name)


def test_policies_are_changed_only_as_they_were_read(bucket: storage.Bucket) -> None:
    policy = bucket.get_iam_policy(requested_policy_version=3)
    stale = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append(
        {"role": "roles/storage.objectViewer", "members": {"user:reader@example.com"}}
    )
    bucket.set_iam_policy(policy)
    roles = {b["role"]: b["members"] for b in bucket.get_iam_policy().bindings}
    assert roles["roles/storage.objectViewer"] == {"user:reader@example.com"}
    with pytest.raises(PreconditionFailed):
        bucket.set_iam_policy(stale)


def test_public_access_prevention_refuses_public_members(bucket: storage.Bucket) -> None:
    bucket.iam_configuration.public_access_prevention = "enforced"
    bucket.patch()
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"allUsers"}})
    with pytest.raises(PreconditionFailed, match="public access prevention is enforced"):
        bucket.set_iam_policy(policy)


def test_permissions_are_tested_and_enforced(
    bucket: storage.Bucket, stranger: storage.Client
) -> None:
    bucket.blob("x").upload_from_string(b"secret")
    wanted = ["storage.objects.get", "storage.objects.delete"]
    theirs = stranger.bucket(bucket.name)
    assert bucket.test_iam_permissions(wanted) == wanted
    assert theirs.test_iam_permissions(wanted) == []
    with pytest.raises(
        Forbidden, match=r"stranger@.* does not have storage\.objects\.get access to the Google"
    ):
        theirs.blob("x").download_as_bytes()

    policy = bucket.get_iam_policy(requested_policy_version=3)
    member = "serviceAccount:stranger@demo-project.iam.gserviceaccount.com"
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {member}})
    bucket.set_iam_policy(policy)
    assert theirs.test_iam_permissions(wanted) == ["storage.objects.get"]
    assert theirs.blob("x").download_as_bytes() == b"secret"
    with pytest.raises(Forbidden, match=r"storage\.objects\.create"):
        theirs.blob("y").upload_from_string(b"")
    with pytest.raises(Forbidden, match=r"storage\.buckets\.get access to the Google"):
        stranger.get_bucket(bucket.name)


def test_public_buckets_are_read_without_a_token(cloud: LocalCloud, bucket: storage.Bucket) -> None:
    bucket.blob("x").upload_from_string(b"for all")
    path = f"{cloud.url}/storage/v1/b/{bucket.name}/o/x?alt=media"
    refused = requests.get(path, timeout=30)
    assert refused.status_code == 401
    assert "Anonymous caller does not have storage.objects.get" in refused.text
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"allUsers"}})
    bucket.set_iam_policy(policy)
    anonymous = storage.Client(
        project=None,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": cloud.url},
    )
    assert anonymous.bucket(bucket.name).blob("x").download_as_bytes() == b"for all"


def test_a_bad_token_is_refused(cloud: LocalCloud, bucket: storage.Bucket) -> None:
    answer = requests.get(
        f"{cloud.url}/storage/v1/b/{bucket.name}",
        headers={"Authorization": "Bearer nonsense"},
        timeout=30,
    )
    assert answer.status_code == 401
    assert answer.json()["error"]["errors"][0]["reason"] == "authError"


def test_a_denied_permission_and_a_disabled_api(
    switches: Callable[..., None], client: storage.Client, bucket: storage.Bucket
) -> None:
    switches(denied_permissions=["storage.buckets.create"])
    with pytest.raises(
        Forbidden, match=r"storage\.buckets\.create access to the Google Cloud project"
    ):
        client.create_bucket(f"{bucket.name}-2")
    switches(denied_permissions=[], disabled_apis=["storage.googleapis.com"])
    with pytest.raises(Forbidden, match="Cloud Storage API has not been used in project"):
        client.get_bucket(bucket.name)


def test_layout_and_folders(bucket: storage.Bucket, call: Callable[..., requests.Response]) -> None:
    root = f"/storage/v1/b/{bucket.name}"
    assert call("GET", f"{root}/storageLayout").json()["locationType"] == "multi-region"
    assert call("GET", f"{root}/managedFolders").json() == {}
    assert call("GET", f"{root}/folders").json() == {}
