"""What engines are offered with, byte by byte as it was before: requests of their recipes.

A file that has to change is deleted; the test then writes it anew and fails once.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.cloud import run_v2
from google.protobuf.json_format import MessageToDict

from llm_widgets.domain.imports import Digest, DigestKind
from llm_widgets.domain.manifest import ManifestFile, ModelManifest
from llm_widgets.domain.memory import to_facts
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import Deployment, Ingress, SubnetAccess
from llm_widgets.gcp.run import services
from llm_widgets.serving import codec, recipes
from tests.unit import llama

OFFERS = Path(__file__).parents[1] / "data" / "offers"
MOMENT = datetime(2026, 10, 8, tzinfo=UTC)


def offered(
    source: str,
    model: str,
    size: int,
    *,
    accelerator: str | None = None,
    region: str = "europe-west4",
    with_facts: bool = False,
    framework: str = "",
) -> Deployment:
    record = ModelRecord(model, source, ModelStatus.READY, size, prefix=f"{source}/x/rev")
    manifest = ModelManifest(
        import_id="i",
        source=source,
        model_id=model,
        revision="rev",
        prefix=record.prefix,
        files=(
            ManifestFile("blobs/sha256-aa", size, Digest(DigestKind.SHA256, "a" * 64), "AAAAAA=="),
        )
        if framework
        else (),
        submitted_at=MOMENT,
        finished_at=MOMENT,
        facts=to_facts(llama.BF16),
    )
    return recipes.defaults(
        record,
        project="some-project",
        region=region,
        bucket="some-bucket",
        accelerator=accelerator,
        service_account="run@some-project.iam.gserviceaccount.com",
        manifest=manifest if with_facts else None,
        framework=framework,
    )


def changed(made: Deployment) -> Deployment:
    """Make of an offered deployment one with all that a person can add."""
    made = recipes.with_concurrency(made, 7)
    made = recipes.with_mount_path(made, "/elsewhere")
    made = recipes.with_port(made, 9001)
    return replace(
        made,
        secrets={"TOKEN": "hf-token:3"},
        subnet=SubnetAccess("net", "sub"),
        ingress=Ingress.INTERNAL,
        labels={"team": "blue"},
        min_instances=1,
        max_instances=3,
        zonal_redundancy=True,
    )


MADE = {
    "vllm": offered("huggingface", "org/Model-8B", 16 * 10**9),
    "vllm-facts": offered("huggingface", "org/Llama-8B", 16_060_000_000, with_facts=True),
    "vllm-l4": offered(
        "huggingface", "org/L", 16_060_000_000, accelerator="nvidia-l4", with_facts=True
    ),
    "vllm-changed": changed(offered("huggingface", "org/Model-8B", 16 * 10**9)),
    "ollama": offered("ollama", "gemma2:9b", 5 * 10**9),
    "ollama-facts": offered("ollama", "llama3:8b", 16_060_000_000, with_facts=True),
    "llama-cpp": offered("ollama", "gemma2:9b", 5 * 10**9, framework="llama-cpp"),
    "llama-cpp-facts": offered(
        "ollama", "llama3:8b", 16_060_000_000, with_facts=True, framework="llama-cpp"
    ),
    "llama-cpp-changed": changed(
        offered("ollama", "gemma2:9b", 5 * 10**9, with_facts=True, framework="llama-cpp")
    ),
    "ollama-cpu": offered("ollama", "user/m:1b", 10**9, region="asia-northeast1"),
    "ollama-changed": changed(offered("ollama", "gemma2:9b", 5 * 10**9)),
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_offered_stays_what_it_was(name: str) -> None:
    wire = MessageToDict(run_v2.Service.pb(services.message(codec.document(MADE[name]))))
    path = OFFERS / f"{name}.json"
    text = json.dumps(wire, indent=1, sort_keys=True) + "\n"
    if not path.exists():
        path.write_text(text, "utf-8")
        pytest.fail(f"{path.name} was not there and is written now")
    assert text == path.read_text("utf-8")
