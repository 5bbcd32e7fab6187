"""Buckets of models, and who may read them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.errors import (
    AlreadyExistsError,
    ApiDisabledError,
    DeniedError,
    InvalidInputError,
    NotFoundError,
)
from llm_widgets.gcp.iam import bucket_readers
from llm_widgets.gcp.iam import policy as policies
from llm_widgets.gcp.project import projects
from llm_widgets.gcp.storage import buckets
from tests.contract.product import MANAGER, PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

READER = "serviceAccount:reader@example-project.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("storage"), environment)


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()


def plain_bucket(product: Product, name: str) -> None:
    product.clients.storage(PROJECT).create_bucket(name, location=REGION)


def test_a_new_bucket_is_closed_and_labelled(product: Product) -> None:
    made = buckets.create_bucket(product.clients, PROJECT, " gs://new-models/ ", REGION)
    assert (made.name, made.location, made.location_type) == ("new-models", REGION, "region")
    assert made.is_regional
    found = product.clients.storage(PROJECT).get_bucket("new-models")
    assert found.iam_configuration.uniform_bucket_level_access_enabled
    assert found.iam_configuration.public_access_prevention == "enforced"
    assert found.soft_delete_policy.retention_duration_seconds == 0
    assert found.labels == {"managed-by": "llm-manager"}
    (rule,) = found.lifecycle_rules
    assert rule["action"] == {"type": "AbortIncompleteMultipartUpload"}
    assert rule["condition"] == {"age": 7}
    text = found.blob("llm-manager-metadata.json").download_as_text()
    assert '"models": []' in text


def test_only_buckets_with_the_metadata_file_are_listed(product: Product) -> None:
    plain_bucket(product, "somebody-elses")
    buckets.create_bucket(product.clients, PROJECT, "listed-models", "us-central1")
    listed = {each.name: each for each in buckets.list_model_buckets(product.clients, PROJECT)}
    assert "somebody-elses" not in listed
    assert listed["listed-models"].location == "us-central1"
    assert listed["listed-models"].is_readable
    assert buckets.list_model_buckets(product.clients, "demo-project") == []


def test_a_denied_bucket_spoils_nothing(product: Product) -> None:
    buckets.create_bucket(product.clients, PROJECT, "good-models", REGION)
    plain_bucket(product, "denied-bucket")
    failure = {
        "match": "/b/denied-bucket/o/",
        "status": 403,
        "message": "manager@local-project.iam.gserviceaccount.com does not have "
        "storage.objects.get access to the Google Cloud Storage object.",
    }
    product.faults.update(failures=[failure])
    listed = {each.name: each for each in buckets.list_model_buckets(product.clients, PROJECT)}
    assert listed["good-models"].is_readable
    reason = listed["denied-bucket"].reason
    assert isinstance(reason, DeniedError)
    assert "storage.objects.get" in reason.message
    assert reason.cause.endswith("access to the Google Cloud Storage object.")  # and nothing more
    assert reason.fix
    assert reason.fix.command == (
        "gcloud storage buckets add-iam-policy-binding gs://denied-bucket "
        f"--member={MANAGER} --role=roles/storage.objectViewer"
    )


def test_listing_denied(product: Product) -> None:
    product.faults.update(denied_permissions=["storage.buckets.list"])
    with pytest.raises(DeniedError) as caught:
        buckets.list_model_buckets(product.clients, PROJECT)
    assert "lacks the permission storage.buckets.list" in caught.value.message
    assert caught.value.fix
    assert f"add-iam-policy-binding {PROJECT} --member={MANAGER}" in caught.value.fix.command


def test_storage_disabled(product: Product) -> None:
    projects.get(product.clients, PROJECT)  # Google names it by its number
    product.faults.update(disabled_apis=["storage.googleapis.com"])
    with pytest.raises(ApiDisabledError) as caught:
        buckets.list_model_buckets(product.clients, PROJECT)
    assert caught.value.fix
    assert caught.value.fix.action == "enable-api:storage.googleapis.com"
    assert caught.value.fix.command == (
        f"gcloud services enable storage.googleapis.com --project={PROJECT}"
    )


def test_many_buckets_are_looked_into_at_once(product: Product) -> None:
    for number in range(16):
        plain_bucket(product, f"crowd-{number}")
    product.faults.update(delays={"GET /storage/v1/b/[^/]+/o/": 0.5})
    done = threading.Event()
    threading.Timer(4, done.set).start()  # one after the other they would take 8 s
    buckets.list_model_buckets(product.clients, PROJECT)
    assert not done.is_set()


def test_a_failing_service_is_tried_again_and_then_told(product: Product) -> None:
    product.faults.update(failures=[{"match": "GET /storage/v1/b$", "status": 503, "times": 1}])
    buckets.list_model_buckets(product.clients, PROJECT)


@pytest.mark.parametrize("name", ["Models", "my models", "-x", "google-models", "ab", "<b>"])
def test_names_are_checked_before_anything_is_sent(product: Product, name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        buckets.create_bucket(product.clients, PROJECT, name, REGION)
    assert caught.value.field == "bucket"


def test_taken_by_oneself(product: Product) -> None:
    buckets.create_bucket(product.clients, PROJECT, "twice-models", REGION)
    with pytest.raises(AlreadyExistsError, match="You have a bucket twice-models already"):
        buckets.create_bucket(product.clients, PROJECT, "twice-models", REGION)


def test_taken_by_somebody_else(product: Product) -> None:
    buckets.create_bucket(product.clients, PROJECT, "their-models", REGION)
    product.faults.update(denied_permissions=["storage.buckets.get"])
    with pytest.raises(AlreadyExistsError, match="is already taken") as caught:
        buckets.create_bucket(product.clients, PROJECT, "their-models", REGION)
    assert caught.value.fix
    assert "another name" in caught.value.fix.text


def test_no_such_region(product: Product) -> None:
    with pytest.raises(InvalidInputError) as caught:
        buckets.create_bucket(product.clients, PROJECT, "mars-models", "mars-north1")
    assert caught.value.field == "region"


def test_adopting_keeps_what_is_there(product: Product) -> None:
    plain_bucket(product, "adopted")
    assert not buckets.holds_models(product.clients, "adopted")
    buckets.adopt(product.clients, "adopted")
    blob = product.clients.storage().bucket("adopted").blob(METADATA_NAME)
    blob.upload_from_string('{"schemaVersion": 1, "models": [], "mine": 1}')
    buckets.adopt(product.clients, "adopted")
    assert '"mine": 1' in blob.download_as_text()
    assert buckets.holds_models(product.clients, "adopted")


def test_a_bucket_that_is_not(product: Product) -> None:
    with pytest.raises(NotFoundError, match="Can't open the bucket nowhere-to-be-found"):
        buckets.get_bucket(product.clients, "nowhere-to-be-found")


def readers(product: Product, bucket: str) -> list[str]:
    """Return who has the role of readers by the policy of a bucket."""
    found = policies.grants(product.clients, policies.of_bucket(bucket))
    return [each.member for each in found if each.role == bucket_readers.READER]


def test_readers_are_granted_once(product: Product) -> None:
    buckets.create_bucket(product.clients, PROJECT, "shared-models", REGION)
    assert READER not in readers(product, "shared-models")
    bucket_readers.grant_reader(product.clients, "shared-models", READER)
    bucket_readers.grant_reader(product.clients, "shared-models", READER)
    assert readers(product, "shared-models").count(READER) == 1


def test_conditions_survive_a_grant(product: Product) -> None:
    buckets.create_bucket(product.clients, PROJECT, "condition-models", REGION)
    bucket = product.clients.storage().bucket("condition-models")
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.version = 3
    condition = {
        "title": "for a while",
        "expression": "request.time < timestamp('2030-01-01T00:00:00Z')",
    }
    guest = "serviceAccount:guest@example-project.iam.gserviceaccount.com"
    policy.bindings.append(
        {"role": bucket_readers.READER, "members": {guest}, "condition": condition}
    )
    bucket.set_iam_policy(policy)
    bucket_readers.grant_reader(product.clients, "condition-models", READER)
    kept = bucket.get_iam_policy(requested_policy_version=3)
    conditional = [each for each in kept.bindings if each.get("condition")]
    assert [(each["members"], each["condition"]["title"]) for each in conditional] == [
        ({guest}, "for a while")
    ]
    assert READER in readers(product, "condition-models")


def test_grants_at_the_same_time_are_not_lost(product: Product) -> None:
    buckets.create_bucket(product.clients, PROJECT, "busy-models", REGION)
    members = [f"serviceAccount:r{n}@example-project.iam.gserviceaccount.com" for n in range(3)]
    threads = [
        threading.Thread(
            target=bucket_readers.grant_reader, args=(product.clients, "busy-models", member)
        )
        for member in members
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(readers(product, "busy-models")) >= set(members)


def test_grant_denied(product: Product) -> None:
    buckets.create_bucket(product.clients, PROJECT, "locked-models", REGION)
    product.faults.update(denied_permissions=["storage.buckets.setIamPolicy"])
    with pytest.raises(DeniedError, match=r"storage\.buckets\.setIamPolicy"):
        bucket_readers.grant_reader(product.clients, "locked-models", READER)
