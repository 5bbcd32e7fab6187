"""A Hugging Face model that was imported by the product, served by the real vLLM."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.services import ServiceState, StartupProbe
from llm_widgets.manager import Manager
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET, MODEL = "vllm-models", "local/tiny-llama"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        shutil.which("vllm") is None,
        reason="there is no vllm on PATH: pip install vllm, with a GPU or its build for CPUs",
    ),
]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("vllm"), environment)


def test_an_imported_model_answers(product: Product) -> None:
    manager = Manager(PROJECT, product.settings)
    manager.create_bucket(BUCKET, REGION)
    record = manager.import_model(BUCKET, "huggingface", MODEL)
    offered = manager.deployment(BUCKET, MODEL)
    service = manager.deploy(
        BUCKET,
        MODEL,
        # A machine without a GPU takes its time.
        probe=StartupProbe(offered.probe.path, period=10, timeout=5, failures=90),
    )
    assert service.state is ServiceState.READY
    assert record.prefix in str(offered.folder)
    answer = manager.chat(service, "Say hello.")  # by /v1/chat/completions
    assert answer.strip()
    manager.delete(service)
