"""What the settings of a bucket mean is told before a model is imported into it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.errors import InvalidInputError
from llm_widgets.manager.import_target import Target, TargetKind
from tests.contract.models_tab import ModelsTab, opened
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

TINY = "local/tiny-llama"
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("settings"), environment)


@pytest.fixture(scope="module")
def tab(product: Product) -> Iterator[ModelsTab]:
    yield from opened(product)


DATE = "2026-01-01"
DELETE, COLDER = {"type": "Delete"}, {"type": "SetStorageClass", "storageClass": "NEARLINE"}
KEY = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, ""),
        ({"encryption": {"defaultKmsKeyName": KEY}}, f"the Cloud KMS key {KEY}"),
        ({"billing": {"requesterPays": True}}, "Requester Pays is on"),
        ({"versioning": {"enabled": True}}, "Object Versioning is on"),
        ({"softDeletePolicy": {"retentionDurationSeconds": 864000}}, "for 10 days longer"),
        ({"storageClass": "NEARLINE"}, "The default storage class is Nearline"),
        ({"storageClass": "ARCHIVE"}, "for 365 days or more"),
        ({"hierarchicalNamespace": {"enabled": True}}, "has a hierarchical namespace"),
        ({"location": "EU"}, "eu spans several regions"),
        ({"location": "EUR4"}, "eur4 spans several regions"),
        ({"location": "EUROPE-NORTH1"}, "no GPUs in europe-north1"),
        ({"lifecycle": {"rule": [{"action": DELETE, "condition": {"age": 30}}]}}, "after 30 days"),
        (
            {"lifecycle": {"rule": [{"action": COLDER, "condition": {"age": 7}}]}},
            "moves objects after 7 days to Nearline",
        ),
        (
            {"lifecycle": {"rule": [{"action": DELETE, "condition": {"createdBefore": DATE}}]}},
            "deletes objects that its conditions name",
        ),
        ({"lifecycle": {"rule": [{"action": DELETE, "condition": {"isLive": False}}]}}, ""),
        ({"lifecycle": {"rule": [{"action": DELETE, "condition": {"numNewerVersions": 2}}]}}, ""),
        ({"retentionPolicy": {"retentionPeriod": "60"}}, "refused"),
        ({"defaultEventBasedHold": True}, "refused"),
    ],
)
def test_each_setting_of_a_bucket_is_told(
    tab: ModelsTab, product: Product, body: dict[str, Any], said: str
) -> None:
    name = f"setting-{next(NUMBERS)}"
    settings = {"location": REGION, "softDeletePolicy": {"retentionDurationSeconds": 0}, **body}
    if "hierarchicalNamespace" in body:
        uniform = {"uniformBucketLevelAccess": {"enabled": True}}
        settings = {**settings, "iamConfiguration": uniform}
    # The package has no other way to set all at once.
    product.clients.storage(PROJECT)._connection.api_request(
        method="POST", path="/b", query_params={"project": PROJECT}, data={"name": name, **settings}
    )
    target = Target(TargetKind.ADOPT, name)
    if said == "refused":
        with pytest.raises(InvalidInputError, match="No model can be imported"):
            tab.check("huggingface", TINY, target)
        return
    told = tab.check("huggingface", TINY, target).warnings
    assert [said in warning for warning in told] == ([True] if said else [])
