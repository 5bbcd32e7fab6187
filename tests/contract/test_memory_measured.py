"""What an engine measures when it starts is kept with the model, and used the next time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.domain.manifest import manifest_name
from llm_widgets.domain.services import StartupProbe
from llm_widgets.domain.units import GIB
from llm_widgets.errors import DeniedError
from llm_widgets.gcp.run import services
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.manager import Manager
from llm_widgets.page.services.deploy_form import DeployFormState
from llm_widgets.page.services.deploy_values import values_of
from llm_widgets.page.services.memory_card import MemoryCard
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.page.services.services import ServicesState
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, Product, running
from tests.contract.test_deploy_form import BUCKET, ENOUGH, PLACE
from tests.unit.test_serving_hardware import manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.memory.measured import MeasuredStart
    from llm_widgets.page.session import Session

NAME, IMPORT = "Llama-3.1-8B", "3f" * 16
RECORD = replace(manifest(NAME, "huggingface").record(), import_id=IMPORT)
L4_QUOTA = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"
SCRIPT = """
import os
from http.server import HTTPServer, SimpleHTTPRequestHandler
print("INFO [gpu_model_runner.py:5233] Model loading took 15.1 GiB memory and 6.3 seconds")
print("INFO [gpu_worker.py:508] Available KV cache memory: 3.9 GiB")
print("INFO [kv_cache_utils.py:2146] GPU KV cache size: 31,936 tokens")
print("INFO [x.py:1] Maximum concurrency for 8,192 tokens per request: 3.90x", flush=True)
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), SimpleHTTPRequestHandler).serve_forever()
"""
CHANGES: dict[str, Any] = {
    "region": PLACE,
    "accelerator": "nvidia-l4",
    "image": "local/python:3",
    "command": ("-c", SCRIPT),
    "probe": StartupProbe("/", period=1, timeout=1, failures=20),
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("measured"), environment):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, PLACE)
            storage = started.clients.storage(PROJECT)
            told = manifest(NAME, "huggingface").to_json().encode()
            SmallObjects(storage, BUCKET).write(manifest_name(IMPORT), told)
            metadata.update_metadata(storage, BUCKET, lambda file: file.with_model(RECORD))
            started.faults.update(quotas={**ENOUGH, L4_QUOTA: 99})
            yield started


@pytest.fixture
def manager(product: Product) -> Manager:
    return Manager(PROJECT, product.settings)


def asked(manager: Manager, *more: str) -> dict[str, Any]:
    """Return what is asked for: what is offered, and more arguments."""
    offer = manager.deployment(BUCKET, f"org/{NAME}", **CHANGES)
    return {**CHANGES, "args": (*offer.args, "--max-model-len=8192", *more)}


def kept(product: Product) -> tuple[MeasuredStart, ...]:
    file, _ = metadata.read_metadata(product.clients.storage(PROJECT), BUCKET)
    return file.models[0].starts


def test_a_start_teaches_the_next_one(product: Product, session: Session, manager: Manager) -> None:
    made = manager.deploy(BUCKET, f"org/{NAME}", name="first", **asked(manager))
    until(lambda: kept(product) or manager.measured(made))
    (start,) = kept(product)
    assert start.measured.weights == int(15.1 * GIB)
    assert (start.measured.tokens, start.measured.requests) == (31936, 3.9)
    assert start.configuration.accelerator == "nvidia-l4"
    again = manager.measured(made)
    assert again
    assert replace(again, at=start.at) == start
    assert kept(product) == (start,)  # the same is not written again

    page = ServicePageState(session, made)
    page.start()
    until(lambda: page.measured)
    page.close()
    assert "weights 15.1 GiB (estimated" in page.measured
    assert "cache 3.9 GiB for 31,936 tokens (estimated" in page.measured

    form = DeployFormState(session, ServicesState(session))
    card = MemoryCard(form.memory, lambda _: None)
    form.start(BUCKET, PLACE, replace(RECORD, starts=kept(product)))
    until(lambda: form.memory.estimate)
    assert form.deployment
    values = {**values_of(form.deployment), "accelerator": "nvidia-l4", "image": CHANGES["image"]}
    args = asked(manager)["args"]
    form.change({**values, "args": [*args]})
    until(lambda: form.memory.measured)
    assert form.memory.estimate.weights.bytes == int(15.1 * GIB)
    assert form.memory.estimate.concurrency_possible == 3
    assert "measured on" in card._more.value
    form.change({**values, "args": [*args, "--max-num-seqs=99"]})
    until(lambda: not form.memory.measured)
    assert form.memory.estimate.weights.bytes != int(15.1 * GIB)
    services.delete(product.clients, made.name)


def test_who_may_not_change_the_bucket_deploys_all_the_same(
    product: Product, manager: Manager
) -> None:
    before = kept(product)
    changes = {**asked(manager, "--max-num-seqs=7"), "concurrency": 7}
    refused = {"match": f"POST /upload/storage/v1/b/{BUCKET}/o", "status": 403}
    product.faults.update(failures=[refused])
    made = manager.deploy(BUCKET, f"org/{NAME}", name="second", **changes)
    with pytest.raises(DeniedError):
        manager.measured(made)
    product.faults.update(failures=[])
    assert made.state == "Ready"
    assert kept(product) == before
    services.delete(product.clients, made.name)
