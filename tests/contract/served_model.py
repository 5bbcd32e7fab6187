"""A bucket with an imported Ollama model, without an import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.gcp.storage import buckets, metadata
from local_cloud.testing.ollama_store import put_model, smollm2
from tests.contract.product import PROJECT, REGION

if TYPE_CHECKING:
    from tests.contract.product import Product

BUCKET = "served-models"
PREFIX = "ollama/library/smollm2/135m"
RECORD = ModelRecord("smollm2:135m", "ollama", ModelStatus.READY, size=98_362_432, prefix=PREFIX)


def put_served_model(product: Product) -> None:
    """Put the small model into a bucket of its own."""
    buckets.create_bucket(product.clients, PROJECT, BUCKET, REGION)
    root = product.data / "buckets" / BUCKET / PREFIX
    put_model(root, "registry.ollama.ai/library/smollm2/135m", smollm2())
    metadata.update_metadata(
        product.clients.storage(PROJECT), BUCKET, lambda file: file.with_model(RECORD)
    )
