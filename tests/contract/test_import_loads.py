"""An imported Hugging Face folder loads as it lies in the bucket: what a service would mount."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from safetensors import deserialize
from tokenizers import Tokenizer

from llm_widgets import hubs
from llm_widgets.documents import manifests
from llm_widgets.domain.imports import DigestKind
from llm_widgets.domain.manifest import manifest_name
from llm_widgets.domain.progress import ImportState
from llm_widgets.gcp.storage.buckets import create_bucket
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports.plan import plan_import
from llm_widgets.imports.store import ImportFolder
from llm_widgets.imports.worker import run_import
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llm_widgets.domain.manifest import ModelManifest

BUCKET = "loaded-models"


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, ModelManifest]]:
    """Yield the folder of an imported model, and its manifest."""
    with pytest.MonkeyPatch.context() as environment:
        for product in running(tmp_path_factory.mktemp("loads"), environment):
            yield import_tiny_llama(product)


def import_tiny_llama(product: Product) -> tuple[Path, ModelManifest]:
    create_bucket(product.clients, PROJECT, BUCKET, REGION)
    found = hubs.inspect("huggingface", "local/tiny-llama", product.settings)
    plan = plan_import(found, bucket=BUCKET, project=PROJECT)
    objects = SmallObjects(product.clients.storage(), BUCKET)
    ImportFolder(objects, plan.id).write_plan(plan)
    assert run_import(product.clients, BUCKET, plan.id) is ImportState.DONE
    kept = objects.read(manifest_name(plan.id))
    assert kept
    folder = product.data / "buckets" / BUCKET / plan.prefix
    assert plan.prefix == f"huggingface/local/tiny-llama/{found.revision}"
    return folder, manifests.read(kept[0], import_id=plan.id)


def test_every_file_is_what_the_hub_has(imported: tuple[Path, ModelManifest]) -> None:
    folder, manifest = imported
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == {file.path for file in manifest.files}
    for file in manifest.files:
        content = (folder / file.path).read_bytes()
        if file.digest.kind is DigestKind.SHA256:
            digest = hashlib.sha256(content).hexdigest()
        else:
            digest = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        assert (len(content), digest) == (file.size, file.digest.value), file.path


def test_weights_and_tokenizer_load(imported: tuple[Path, ModelManifest]) -> None:
    folder, _ = imported
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    found = {
        name: (shard, tensor["dtype"])
        for shard in sorted(set(index["weight_map"].values()))
        for name, tensor in deserialize((folder / shard).read_bytes())
    }
    assert {name: shard for name, (shard, _) in found.items()} == index["weight_map"]
    assert {dtype for _, dtype in found.values()} == {"BF16"}
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert tokenizer.decode(tokenizer.encode("A model is a file.").ids) == "A model is a file."
    if find_spec("transformers"):
        import transformers  # noqa: PLC0415 - a gigabyte with what it needs; where it is, it loads

        model = transformers.AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
        assert model.config.architectures == ["LlamaForCausalLM"]
