"""Whoever may change a service writes its annotations: they let nobody delete what it reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from google.cloud import run_v2

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import InUseError
from llm_widgets.gcp.storage import buckets
from llm_widgets.imports.usage import reads
from llm_widgets.manager import tidying
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

LATER = datetime.now(UTC) + timedelta(days=2)
LOOSE = "huggingface/a/loose/1"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        made = running(tmp_path_factory.mktemp("annotations"), environment)
        product = next(made)
        buckets.create_bucket(product.clients, PROJECT, "innocent", REGION)
        yield product
        yield from made


def service(annotation: str, *args: str) -> run_v2.Service:
    gcs = run_v2.GCSVolumeSource(bucket="innocent", read_only=True)
    container = run_v2.Container(
        image="us-docker.pkg.dev/cloudrun/container/hello",
        args=args,
        volume_mounts=[run_v2.VolumeMount(name="all", mount_path="/models/")],
    )
    template = run_v2.RevisionTemplate(
        containers=[container], volumes=[run_v2.Volume(name="all", gcs=gcs)]
    )
    return run_v2.Service(template=template, annotations={"llm-manager/model": annotation})


def test_an_annotation_lets_nobody_delete_what_a_service_reads(product: Product) -> None:
    bucket = product.clients.storage(PROJECT).bucket("innocent")
    bucket.blob(f"{LOOSE}/config.json").upload_from_string(b"{}")
    product.clients.services.create_service(
        parent=f"projects/{PROJECT}/locations/us-central1",
        service=service("another/model", "--model", f"/models/{LOOSE}"),
        service_id="tells-otherwise",
    )
    with pytest.raises(InUseError):
        tidying.delete_folder(product.clients, PROJECT, "innocent", "huggingface/a", now=LATER)
    assert bucket.get_blob(f"{LOOSE}/config.json")


@pytest.mark.parametrize(
    ("annotation", "args", "is_read"),
    [
        ("a/loose", (), True),
        ("another/model", (), False),
        ("another/model", ("--model", f"/models/{LOOSE}"), True),
        ("another/model", (f"--model=/models/{LOOSE}/",), True),
        ("another/model", (f"/models/{LOOSE}2",), False),
    ],
)
def test_what_an_engine_is_told_to_load_goes_before_an_annotation(
    annotation: str, args: tuple[str, ...], *, is_read: bool
) -> None:
    record = ModelRecord("a/loose", "huggingface", ModelStatus.READY, prefix=LOOSE)
    assert reads(service(annotation, *args), "innocent", record) is is_read
