"""A private repository of the local hub with a GGUF file that an engine loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_cloud.hub.blobs import Blobs
from local_cloud.hub.repositories import Repositories, Repository
from local_cloud.hub.samples import SMOLLM2_GGUF

if TYPE_CHECKING:
    from tests.contract.product import Product

REPOSITORY = "me/secret-GGUF"
FILE = "secret-Q4_1.gguf"
TOKEN = "hf_local_reader"


def put_private_gguf(product: Product) -> None:
    """Put the weights of the sample of the hub into a private repository."""
    blobs = Blobs(product.data / "hub" / "blobs")
    repositories = Repositories(product.data / "hub" / "models", blobs)
    sample = repositories.get(SMOLLM2_GGUF)
    assert sample
    files = sample.commits[sample.branches["main"]].files
    weights = next(blob for path, blob in files.items() if path.endswith(".gguf"))
    repositories.add_commit(
        Repository(REPOSITORY, private=True),
        {FILE: weights},
        title="Add",
        date="2026-11-01T00:00:00.000Z",
    )
