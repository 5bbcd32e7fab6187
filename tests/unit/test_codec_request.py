"""Requests compared field by field with what Cloud Run documents."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from google.cloud import run_v2
from google.protobuf.json_format import MessageToDict

from llm_widgets import serving
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import Deployment, SubnetAccess
from llm_widgets.engines.ollama.recipe import SCRIPT
from llm_widgets.gcp.run import services
from llm_widgets.serving import codec

GB = 10**9
PLACE: dict[str, Any] = {"project": "my-project", "region": "europe-west4", "bucket": "b"}


def wire(deployment: Deployment) -> dict[str, Any]:
    """Return what goes over the wire: fields with their default values are not sent."""
    service = services.message(codec.document(deployment))
    sent: dict[str, Any] = MessageToDict(run_v2.Service.pb(service))
    return sent


@pytest.fixture
def vllm() -> Deployment:
    found = ModelRecord(
        "org/name", "huggingface", ModelStatus.READY, prefix="huggingface/org/name/sha"
    )
    return serving.defaults(
        found, service_account="llm-runtime@my-project.iam.gserviceaccount.com", **PLACE
    )


@pytest.fixture
def ollama() -> Deployment:
    found = ModelRecord("gemma2:9b", "ollama", ModelStatus.READY, prefix="ollama/library/gemma2/9b")
    return serving.defaults(found, **PLACE)


GPUS = {
    "nvidia-l4": ("8", "32Gi"),
    "nvidia-rtx-pro-6000": ("20", "80Gi"),
}
VLLM_IMAGES = {
    "nvidia-l4": "vllm/vllm-openai:v0.33.0-cu129",
    "nvidia-rtx-pro-6000": "vllm/vllm-openai:v0.33.0",
}


@pytest.mark.parametrize("accelerator", GPUS)
def test_vllm(accelerator: str) -> None:
    found = ModelRecord(
        "org/name", "huggingface", ModelStatus.READY, prefix="huggingface/org/name/sha"
    )
    made = serving.defaults(
        found,
        accelerator=accelerator,
        service_account="llm-runtime@my-project.iam.gserviceaccount.com",
        **PLACE,
    )
    subnet = SubnetAccess("default", "default")
    keys = {"VLLM_API_KEY": "vllm-key:latest"}
    cpu, memory = GPUS[accelerator]
    assert wire(replace(made, subnet=subnet, secrets=keys)) == {
        "labels": {"managed-by": "llm-manager", "llm-engine": "vllm"},
        "annotations": {
            "llm-manager/model": "org/name",
            "llm-manager/bucket": "b",
            "llm-manager/served-model": "org/name",
        },
        "ingress": "INGRESS_TRAFFIC_ALL",
        "template": {
            "scaling": {"maxInstanceCount": 1},
            "vpcAccess": {
                "egress": "ALL_TRAFFIC",
                "networkInterfaces": [{"network": "default", "subnetwork": "default"}],
            },
            "timeout": "3600s",
            "serviceAccount": "llm-runtime@my-project.iam.gserviceaccount.com",
            "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
            "maxInstanceRequestConcurrency": 64,
            "nodeSelector": {"accelerator": accelerator},
            "gpuZonalRedundancyDisabled": True,
            "volumes": [
                {
                    "name": "models",
                    "gcs": {
                        "bucket": "b",
                        "readOnly": True,
                        "mountOptions": [
                            "only-dir=huggingface/org/name/sha",
                            "implicit-dirs",
                            "enable-buffered-read=true",
                            "metadata-cache-ttl-secs=-1",
                        ],
                    },
                }
            ],
            "containers": [
                {
                    "name": "vllm",
                    "image": VLLM_IMAGES[accelerator],
                    "args": [
                        "/gcs/b/vllm",
                        "--served-model-name=org/name",
                        "--port=8000",
                        "--tensor-parallel-size=1",
                        "--max-model-len=auto",
                        "--gpu-memory-utilization=0.92",
                        "--max-num-seqs=64",
                        "--load-format=runai_streamer",
                    ],
                    "env": [
                        {"name": "HF_HUB_OFFLINE", "value": "1"},
                        {"name": "VLLM_NO_USAGE_STATS", "value": "1"},
                        {"name": "DO_NOT_TRACK", "value": "1"},
                        {"name": "VLLM_ENGINE_READY_TIMEOUT_S", "value": "1800"},
                        {"name": "RUNAI_STREAMER_MEMORY_LIMIT", "value": "4294967296"},
                        {
                            "name": "VLLM_API_KEY",
                            "valueSource": {
                                "secretKeyRef": {"secret": "vllm-key", "version": "latest"}
                            },
                        },
                    ],
                    "resources": {
                        "limits": {"cpu": cpu, "memory": memory, "nvidia.com/gpu": "1"},
                        "startupCpuBoost": True,
                    },
                    "ports": [{"containerPort": 8000}],
                    "volumeMounts": [{"name": "models", "mountPath": "/gcs/b/vllm"}],
                    "startupProbe": {
                        "timeoutSeconds": 5,
                        "periodSeconds": 10,
                        "failureThreshold": 180,
                        "httpGet": {"path": "/health", "port": 8000},
                    },
                }
            ],
        },
    }


@pytest.mark.parametrize("accelerator", GPUS)
def test_ollama(accelerator: str) -> None:
    found = ModelRecord(
        "gemma2:9b",
        "ollama",
        ModelStatus.READY,
        size=5 * GB,
        prefix="ollama/library/gemma2/9b",
    )
    made = serving.defaults(found, accelerator=accelerator, **PLACE)
    cpu, memory = GPUS[accelerator]
    assert wire(made) == {
        "labels": {"managed-by": "llm-manager", "llm-engine": "ollama"},
        "annotations": {
            "llm-manager/model": "gemma2:9b",
            "llm-manager/bucket": "b",
            "llm-manager/served-model": "gemma2:9b",
        },
        "ingress": "INGRESS_TRAFFIC_ALL",
        "template": {
            "scaling": {"maxInstanceCount": 1},
            "timeout": "3600s",
            "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
            "maxInstanceRequestConcurrency": 4,
            "nodeSelector": {"accelerator": accelerator},
            "gpuZonalRedundancyDisabled": True,
            "volumes": [
                {
                    "name": "models",
                    "gcs": {
                        "bucket": "b",
                        "readOnly": True,
                        "mountOptions": [
                            "only-dir=ollama/library/gemma2/9b",
                            "implicit-dirs",
                            "metadata-cache-ttl-secs=-1",
                            "cache-dir=cr-volume:cache",
                            "file-cache-max-size-mb=-1",
                            "file-cache-enable-parallel-downloads=true",
                            "file-cache-cache-file-for-range-read=true",
                        ],
                    },
                },
                {"name": "cache", "emptyDir": {"medium": "MEMORY", "sizeLimit": "6Gi"}},
            ],
            "containers": [
                {
                    "name": "ollama",
                    "image": "ollama/ollama:0.24.0",
                    "command": ["/bin/sh", "-c", SCRIPT],
                    "env": [
                        {"name": "OLLAMA_MODELS", "value": "/gcs/b/ollama"},
                        {"name": "MODEL", "value": "gemma2:9b"},
                        {"name": "OLLAMA_DEBUG", "value": "false"},
                        {"name": "OLLAMA_KEEP_ALIVE", "value": "-1"},
                        {"name": "OLLAMA_NOPRUNE", "value": "1"},
                        {"name": "OLLAMA_HOST", "value": "0.0.0.0:11434"},
                        {"name": "READY_HOST", "value": "0.0.0.0:11435"},
                        {"name": "OLLAMA_CONTEXT_LENGTH", "value": "8192"},
                        {"name": "OLLAMA_NUM_PARALLEL", "value": "4"},
                        {"name": "OLLAMA_MAX_LOADED_MODELS", "value": "1"},
                        {"name": "OLLAMA_FLASH_ATTENTION", "value": "1"},
                        {"name": "OLLAMA_LOAD_TIMEOUT", "value": "30m"},
                        {"name": "OLLAMA_NO_CLOUD", "value": "1"},
                    ],
                    "resources": {
                        "limits": {"cpu": cpu, "memory": memory, "nvidia.com/gpu": "1"},
                        "startupCpuBoost": True,
                    },
                    "ports": [{"containerPort": 11434}],
                    "volumeMounts": [
                        {"name": "models", "mountPath": "/gcs/b/ollama"},
                        {"name": "cache", "mountPath": "/cache"},
                    ],
                    "startupProbe": {
                        "timeoutSeconds": 5,
                        "periodSeconds": 10,
                        "failureThreshold": 180,
                        "httpGet": {"path": "/", "port": 11435},
                    },
                }
            ],
        },
    }


def test_without_a_gpu(ollama: Deployment) -> None:
    template = wire(replace(ollama, accelerator=""))["template"]
    assert "nodeSelector" not in template
    assert "gpuZonalRedundancyDisabled" not in template
    assert "nvidia.com/gpu" not in template["containers"][0]["resources"]["limits"]


def test_a_large_model_is_read_with_buffers(ollama: Deployment) -> None:
    options = wire(ollama)["template"]["volumes"][0]["gcs"]["mountOptions"]
    assert "enable-buffered-read=true" in options
    assert len(wire(ollama)["template"]["volumes"]) == 1


def test_zonal_redundancy(vllm: Deployment) -> None:
    template = wire(replace(vllm, zonal_redundancy=True))["template"]
    # False is not sent over the wire of a plain field, and here it is: absent means redundant.
    assert template.get("gpuZonalRedundancyDisabled", False) is False


def test_connector(vllm: Deployment) -> None:
    connector = "projects/p/locations/r/connectors/c"
    access = wire(replace(vllm, connector=connector))["template"]["vpcAccess"]
    assert access == {"connector": connector, "egress": "ALL_TRAFFIC"}


def test_scaling_and_labels(vllm: Deployment) -> None:
    changed = replace(vllm, min_instances=1, max_instances=3, labels={"team": "a"})
    made = wire(changed)
    assert made["template"]["scaling"] == {"minInstanceCount": 1, "maxInstanceCount": 3}
    assert made["labels"]["team"] == "a"


def test_labels_that_make_it_ours_can_not_be_replaced(vllm: Deployment) -> None:
    assert wire(replace(vllm, labels={"managed-by": "me"}))["labels"]["managed-by"] == "llm-manager"


def test_quotes_and_lines_survive(vllm: Deployment) -> None:
    arguments = ('--model-loader-extra-config={"concurrency": 16}', "a\n'b\"$c")
    text = run_v2.Service.to_json(services.message(codec.document(replace(vllm, args=arguments))))
    assert tuple(json.loads(text)["template"]["containers"][0]["args"]) == arguments
