"""All failures that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.diagnosis.catalogue import (
    access,
    containers,
    files,
    gpu,
    gpu_quotas,
    images,
    local,
    memory,
    mounts,
    ollama,
    quotas,
    requests,
    services,
    vllm,
)

if TYPE_CHECKING:
    from llm_widgets.diagnosis.failure import Kind

CATALOGUE: tuple[Kind, ...] = (
    *local.KINDS,
    *gpu_quotas.KINDS,
    *quotas.KINDS,
    *access.KINDS,
    *requests.KINDS,
    *images.KINDS,
    *mounts.KINDS,
    *gpu.KINDS,
    *memory.KINDS,
    *files.KINDS,
    *vllm.KINDS,
    *ollama.KINDS,
    *containers.KINDS,
    *services.KINDS,
)
"""Among failures of one rank that appear at the same place, the one that comes first counts."""
