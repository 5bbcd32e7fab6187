"""Whoever may change a service writes its annotations: they let nobody delete what it reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from google.cloud import run_v2

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import ConflictError, InUseError
from llm_widgets.gcp.run import services
from llm_widgets.gcp.run.summaries import summary
from llm_widgets.gcp.storage import buckets
from llm_widgets.gcp.storage.metadata import update_metadata
from llm_widgets.imports.reach import can_read
from llm_widgets.manager import remove, tidying
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.metadata import MetadataFile

LATER = datetime.now(UTC) + timedelta(days=2)
LOOSE = "huggingface/a/loose/1"
OTHER = "/models/huggingface/b/other/1"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        made = running(tmp_path_factory.mktemp("annotations"), environment)
        product = next(made)
        buckets.create_bucket(product.clients, PROJECT, "innocent", REGION)
        yield product
        yield from made


def service(annotation: str, *args: str, options: tuple[str, ...] = ()) -> run_v2.Service:
    gcs = run_v2.GCSVolumeSource(bucket="innocent", read_only=True, mount_options=options)
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
    ("args", "is_read"),
    [
        ((), True),
        (("serve",), True),
        (("--model", f"/models/{LOOSE}"), True),
        ((f"--model=/models/{LOOSE}/",), True),
        ((f"/models/{LOOSE}2",), False),
        (("--model", OTHER), False),
        (("--model", OTHER, f"--lora-modules=x=/models/{LOOSE}"), True),
        (("--model", OTHER, "--speculative-config", f'{{"model":"/models/{LOOSE}"}}'), True),
        (("--model", OTHER, "a/loose"), True),
        (("--model", OTHER, LOOSE), True),
        (("--model", OTHER, "/models"), True),
        (("--model", OTHER, "/models/"), True),
        (("--model", OTHER, "/models/huggingface"), True),
        (("--model", OTHER, f"{OTHER}:/models/huggingface/a"), True),
        (("--model", f"{OTHER}/../../../a/loose/1"), True),
        (("--model", "/models/huggingface/$MODEL/1"), True),
        (("--model", "/models/huggingface/*/loose/1"), True),
        (("--model", "/models//huggingface/a"), True),
        (("-c", "cd /models && vllm serve x"), True),
        (("--model", f"/data{OTHER}"), True),
        (("--model", "/baked/into/the/image", "--chat-template=/models/templates/x.jinja"), True),
    ],
)
@pytest.mark.parametrize("annotation", ["a/loose", "another/model"])
def test_what_a_service_can_read_goes_before_an_annotation(
    annotation: str, args: tuple[str, ...], *, is_read: bool
) -> None:
    record = ModelRecord("a/loose", "huggingface", ModelStatus.READY, prefix=LOOSE)
    assert can_read(service(annotation, *args).template, "innocent", record) is is_read


@pytest.mark.parametrize(
    ("options", "is_read"),
    [
        (("only-dir=huggingface/b/other/1",), False),
        (("implicit-dirs", "only-dir=huggingface/b/other/1/"), False),
        ((f"--only-dir={LOOSE}",), True),
        (("only_dir=huggingface/a",), True),
        (("only-dir=huggingface/b", "only-dir=huggingface/a"), True),
        (("implicit-dirs,only-dir=huggingface/a",), True),
        (("only-dir=huggingface/b,only-dir=huggingface/a",), True),
        (("only-dir=huggingface/b/../a",), True),
        (("only-dir=huggingface//a",), True),
        (("only-dir=.",), True),
    ],
)
def test_a_mount_whose_folder_is_not_clear_reads_all(
    options: tuple[str, ...], *, is_read: bool
) -> None:
    record = ModelRecord("a/loose", "huggingface", ModelStatus.READY, prefix=LOOSE)
    made = service("another/model", "--model", OTHER, options=options)
    assert can_read(made.template, "innocent", record) is is_read


def test_containers_that_mount_nothing_decide_nothing() -> None:
    record = ModelRecord("a/loose", "huggingface", ModelStatus.READY, prefix=LOOSE)
    made = service("another/model", "--model", OTHER).template
    made.containers.append(run_v2.Container(image="proxy"))
    assert not can_read(made, "innocent", record)
    made.containers[1].volume_mounts = [run_v2.VolumeMount(name="all", mount_path="/data")]
    assert can_read(made, "innocent", record)


def test_of_a_whole_bucket_no_model_is_taken_along_that_is_not_the_services(
    product: Product,
) -> None:
    objects = product.clients.storage(PROJECT)
    buckets.create_bucket(product.clients, PROJECT, "shared", REGION)
    for name in ("first", "second"):
        update_metadata(objects, "shared", partial(_with_model, name=name))
    made = service("")
    made.template.volumes[0].gcs.bucket = "shared"
    del made.annotations["llm-manager/model"]
    services.create(product.clients, PROJECT, REGION, "reads-all", made)
    name = f"projects/{PROJECT}/locations/{REGION}/services/reads-all"
    with pytest.raises(ConflictError, match="Unknown which model"):
        remove.model_of(product.clients, summary(services.get(product.clients, name)))


def _with_model(file: MetadataFile, name: str) -> MetadataFile:
    prefix = f"huggingface/a/{name}/1"
    return file.with_model(
        ModelRecord(f"a/{name}", "huggingface", ModelStatus.READY, prefix=prefix)
    )
