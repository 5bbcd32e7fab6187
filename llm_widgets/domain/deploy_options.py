"""What the options of a deployment mean: for the keywords of Python and the command line."""

from __future__ import annotations

MEANINGS = {
    "name": "Name of the service.",
    "region": "Region, best the one of the bucket.",
    "framework": "Engine that serves the model: vllm, ollama or llama-cpp.",
    "image": "Container image of the engine.",
    "accelerator": "GPU, for example nvidia-l4; empty for none.",
    "cpu": "vCPUs of an instance.",
    "memory_gib": "Memory of an instance, GiB.",
    "min_instances": "Instances that always run.",
    "max_instances": "Instances at most.",
    "concurrency": "Concurrent requests of an instance.",
    "timeout": "Request timeout, seconds.",
    "port": "Port that the container listens on.",
    "command": "Entrypoint of the container, as a list of words.",
    "args": "Arguments of the engine, as a list of words.",
    "environment": "Environment variables.",
    "secrets": "Environment variables from Secret Manager: name to secret:version.",
    "mount_path": "Where the bucket appears in the container.",
    "mount_options": "Options of Cloud Storage FUSE, as a list.",
    "cache_gib": "Memory for the cache of Cloud Storage FUSE, GiB.",
    "zonal_redundancy": "Whether the GPU has zonal redundancy.",
    "service_account": "Service account that the service runs as.",
    "ingress": "Ingress: all, internal or internal-and-cloud-load-balancing.",
    "subnet": "Network and subnet for Direct VPC egress.",
    "connector": "Resource name of a Serverless VPC Access connector.",
    "labels": "Labels of the service.",
    "probe": "Startup probe.",
}
"""Each option, and what it is."""
