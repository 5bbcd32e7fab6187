"""Deployments and changes of all kinds, for the files of `tests/data/codec`.

Nothing here is made by a recipe: what an engine is offered with may change, these may not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llm_widgets.domain.services import Deployment, Ingress, StartupProbe, SubnetAccess

DATA = Path(__file__).parents[1] / "data" / "codec"
ACCOUNT = "llm-runtime@some-project.iam.gserviceaccount.com"
NASTY = ("^x^", "a=b=c", "a,b|c", "it's", '{"n": "o"}', "two\nlines", "$HOME ${x} %{y}", "ü 你", "")


def vllm(**changes: Any) -> Deployment:
    return Deployment(
        **{
            "project": "some-project",
            "region": "europe-west4",
            "name": "vllm-name",
            "framework": "vllm",
            "model_id": "org/name",
            "served_name": "org/name",
            "image": "vllm/vllm-openai:v0.33.0",
            "port": 8000,
            "bucket": "some-bucket",
            "folder": "huggingface/org/name/sha",
            "mount_path": "/models",
            "probe": StartupProbe("/health"),
            "args": ("/models", "--port=8000", "--max-num-seqs=64"),
            "environment": {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"},
            "mount_options": ("implicit-dirs", "enable-buffered-read=true"),
            "accelerator": "nvidia-l4",
            "concurrency": 64,
            **changes,
        }
    )


def ollama(**changes: Any) -> Deployment:
    return Deployment(
        **{
            "project": "other-project",
            "region": "us-central1",
            "name": "ollama-gemma2-9b",
            "framework": "ollama",
            "model_id": "gemma2:9b",
            "served_name": "gemma2:9b",
            "image": "ollama/ollama:0.24.0",
            "port": 11434,
            "bucket": "other-bucket",
            "folder": "ollama/library/gemma2/9b",
            "mount_path": "/models",
            "probe": StartupProbe("/", port=11435),
            "command": ("/bin/sh", "-c", 'set -e\nollama serve &\nexec ollama run "$MODEL"\n'),
            "environment": {"OLLAMA_MODELS": "/models", "MODEL": "gemma2:9b", "EMPTY": ""},
            "mount_options": ("implicit-dirs", "metadata-cache-ttl-secs=-1"),
            "accelerator": "nvidia-l4",
            "concurrency": 4,
            "cache_gib": 7,
            **changes,
        }
    )


DEPLOYMENTS = {
    "vllm": vllm(),
    "ollama": ollama(),
    "cpu": ollama(accelerator="", cpu=2, memory_gib=4, cache_gib=0, ingress=Ingress.INTERNAL),
    "fractions": vllm(
        accelerator="", cpu=0.5, memory_gib=1.5, folder="", probe=StartupProbe(""), timeout=60
    ),
    "subnet": vllm(
        subnet=SubnetAccess("net", "sub"),
        secrets={"VLLM_API_KEY": "vllm-key", "HF_TOKEN": "hf-token:3"},
        service_account=ACCOUNT,
    ),
    "subnet_alone": vllm(subnet=SubnetAccess("", "sub")),
    "connector": ollama(
        connector="projects/other-project/locations/us-central1/connectors/c",
        ingress=Ingress.BALANCER,
    ),
    "redundant": vllm(
        accelerator="nvidia-rtx-pro-6000",
        cpu=20,
        memory_gib=80,
        zonal_redundancy=True,
        min_instances=1,
        max_instances=3,
    ),
    "labels": vllm(labels={"team": "blue", "a": "", "managed-by": "me", "llm-engine": "other"}),
    "nasty": ollama(
        args=NASTY,
        environment={f"V{n}": text for n, text in enumerate(NASTY)},
        labels={"team": "blue"},
        service_account=ACCOUNT,
    ),
    "probe": vllm(
        probe=StartupProbe("", initial_delay=30, period=15, timeout=10, failures=40, port=9000),
        concurrency=80,
        timeout=300,
    ),
    "bare": vllm(
        args=(),
        environment={},
        mount_options=(),
        folder="",
        model_id="",
        served_name="",
        accelerator="",
        cpu=1,
        memory_gib=0.5,
        max_instances=100,
    ),
}

# A service that another tool made, with fields that this product has never heard of.
FOREIGN: dict[str, Any] = {
    "name": "projects/some-project/locations/europe-west4/services/theirs",
    "etag": '"7"',
    "generation": "3",
    "labels": {"team": "red", "managed-by": "terraform"},
    "annotations": {"example.org/owner": "ann"},
    "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "futureField": {"a": [1, {"b": None}]},
    "template": {
        "revision": "theirs-00003",
        "labels": {"cost": "x"},
        "timeout": "300.500s",
        "sessionAffinity": True,
        "sshEnabled": True,
        "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN1",
        "serviceAccount": "theirs@some-project.iam.gserviceaccount.com",
        "scaling": {"maxInstanceCount": 7, "concurrencyUtilization": 0.7},
        "vpcAccess": {
            "egress": "PRIVATE_RANGES_ONLY",
            "networkInterfaces": [{"subnetwork": "one", "tags": ["t"]}],
        },
        "containers": [
            {"name": "sidecar", "image": "busybox", "extra": 1, "dependsOn": ["main"]},
            {
                "name": "main",
                "image": "example.org/ollama-of-mine:1",
                "future": "x",
                "args": ["--a=b=c"],
                "env": [
                    {"name": "ODD", "valueSource": {"futureRef": {"x": 1}}},
                    {"name": "KEY", "valueSource": {"secretKeyRef": {"secret": "key"}}},
                    {"name": "PLAIN", "value": "one\ntwo", "note": "kept"},
                    {"name": "UNSET"},
                ],
                "ports": [{"name": "h2c", "containerPort": 9090}],
                "resources": {
                    "limits": {"cpu": "1500m", "memory": "1500Mi", "example.org/fpga": "1"},
                    "cpuIdle": True,
                },
                "volumeMounts": [
                    {"name": "disk", "mountPath": "/disk", "subPath": "s"},
                    {"name": "files", "mountPath": "/data"},
                ],
                "startupProbe": {
                    "grpc": {"port": 9090, "service": "health"},
                    "failureThreshold": 9,
                    "future": "y",
                },
                "livenessProbe": {"httpGet": {"path": "/live"}},
            },
        ],
        "volumes": [
            {"name": "disk", "emptyDir": {"medium": "DISK", "sizeLimit": "10Gi"}},
            {
                "name": "files",
                "gcs": {
                    "bucket": "their-bucket",
                    "mountOptions": [
                        "uid=1",
                        "cache-dir=cr-volume:disk",
                        "only-dir=theirs",
                        "file-cache-max-size-mb=5000",
                    ],
                },
            },
        ],
    },
}
# The least that the API answers with.
LEAST: dict[str, Any] = {
    "name": "projects/some-project/locations/europe-west4/services/least",
    "template": {"containers": [{"image": "us-docker.pkg.dev/cloudrun/container/hello"}]},
}

CHANGES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "image": {"image": "other/image:1"},
    "port": {"port": 9999},
    "words": {"args": ("--flag", "--x=y=z"), "command": ("a", "b")},
    "no_words": {"args": (), "command": ()},
    "variables": {"environment": {"MODEL": "m", "PLAIN": "three", "NEW": "two\nlines"}},
    "secrets": {"secrets": {"KEY": "key:2", "VLLM_API_KEY": "vllm-key:latest", "S": "s"}},
    "neither": {"environment": {}, "secrets": {}},
    "size": {"cpu": 4, "memory_gib": 16},
    "fractions": {"cpu": 0.25, "memory_gib": 0.75},
    "gpu": {"accelerator": "nvidia-rtx-pro-6000", "cpu": 20, "memory_gib": 80},
    "no_gpu": {"accelerator": ""},
    "scaling": {"min_instances": 1, "max_instances": 2, "concurrency": 9, "timeout": 10},
    "to_nothing": {"min_instances": 0, "service_account": ""},
    "account": {"service_account": "x@y"},
    "redundant": {"zonal_redundancy": True},
    "not_redundant": {"zonal_redundancy": False},
    "labels": {"labels": {"a": "b"}},
    "no_labels": {"labels": {}},
    "ingress": {"ingress": Ingress.BALANCER},
    "anywhere": {"ingress": Ingress.ALL},
    "subnet": {"subnet": SubnetAccess("n", "s"), "connector": ""},
    "subnet_alone": {"subnet": SubnetAccess("", "s"), "connector": ""},
    "connector": {"subnet": None, "connector": "projects/p/locations/r/connectors/c"},
    "no_network": {"subnet": None, "connector": ""},
    "options": {"mount_options": ("uid=2", "gid=3")},
    "no_options": {"mount_options": ()},
    "http": {"probe": StartupProbe("/up", 1, 2, 3, 4, 5)},
    "tcp": {"probe": StartupProbe("", failures=60)},
    "probe_of_the_port": {"port": 9999, "probe": StartupProbe("/up")},
}
