"""The deployment that a model is offered first, and changes that touch more than one field."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.memory import from_facts
from llm_widgets.domain.memory.ollama import BLOCK
from llm_widgets.domain.models import Framework, framework_of
from llm_widgets.errors import DeploymentError
from llm_widgets.serving import gpu_memory, hardware, ollama, vllm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment

LEAST_CONTEXT = 4096
"""Tokens of a request that a GPU must hold to be offered first: Ollama's own default."""

_SHORTEST = 1024  # tokens below which a request is not shortened to be on the safe side


def defaults(
    record: ModelRecord,
    *,
    project: str,
    region: str,
    bucket: str,
    accelerator: str | None = None,
    context_length: int | None = None,
    service_account: str = "",
    manifest: ModelManifest | None = None,
) -> Deployment:
    """Give the deployment that a model is offered first, with vLLM or Ollama.

    Parameters
    ----------
    record
        The model; its ``prefix`` is the folder that is mounted.
    region
        Best the bucket's own: reading from another one is slow and costs.
    accelerator
        Value of ``node_selector.accelerator``, empty for none. When left out, the smallest GPU
        of the region that holds the model and a request of 4,096 tokens, or all of the model's.
    context_length
        Tokens of a request; what the engine's recipe thinks best when left out, shortened to
        what fits into the GPU.
    service_account
        E-mail address of the identity that the service runs as, the project's default one when
        empty.
    manifest
        What was kept of the model when it was imported. Without it only the size of its files
        tells which GPU it needs.

    Raises
    ------
    DeploymentError
        No engine serves models of its hub.
    """
    framework = framework_of(record.source)
    if framework is None:
        raise DeploymentError(f"No engine that this version knows serves {record.id}.")
    files = manifest.files if manifest else ()
    streamed = not files or any(file.path.endswith(".safetensors") for file in files)

    def made(gpu: str | None, context: int | None) -> Deployment:
        place = {"project": project, "region": region, "bucket": bucket}
        if framework is Framework.OLLAMA:
            found = ollama.deployment(record, **place, accelerator=gpu, context_length=context)
        else:
            found = vllm.deployment(
                record, **place, accelerator=gpu, context_length=context, safetensors=streamed
            )
        return replace(found, service_account=service_account)

    model = from_facts(manifest.facts) if manifest else None
    if model is None or model.unknown:
        return made(accelerator, context_length)
    if accelerator is None:
        gpus = [gpu.accelerator for gpu in hardware.by_memory(region)]
        fitting = (gpu for gpu in gpus if _suffices(model, made(gpu, context_length)))
        accelerator = next(fitting, gpus[-1] if gpus else "")
    offered = made(accelerator, context_length)
    longest = _longest(model, offered)
    if context_length is None and 0 < longest < gpu_memory.context_of(offered):
        shorter = (made(accelerator, tokens) for tokens in _shorter(longest))
        return next((each for each in shorter if _is_sure(model, each)), made(accelerator, longest))
    return offered


def _shorter(longest: int) -> Iterator[int]:
    """Give shorter and shorter requests, in whole blocks of a cache."""
    tokens = longest
    while tokens >= _SHORTEST:
        yield tokens
        tokens = tokens * 3 // 4 // BLOCK * BLOCK


def _is_sure(model: MemoryModel, deployment: Deployment) -> bool:
    found = gpu_memory.estimate(model, deployment)
    return bool(found and found.fits and not found.is_close)


def _longest(model: MemoryModel, deployment: Deployment) -> int:
    found = gpu_memory.estimate(model, deployment)
    return found.longest_context if found else 0


def _suffices(model: MemoryModel, deployment: Deployment) -> bool:
    least = min(LEAST_CONTEXT, model.context_length or LEAST_CONTEXT)
    return _longest(model, deployment) >= least


def with_concurrency(deployment: Deployment, concurrency: int) -> Deployment:
    """Change how many requests an instance takes at once, for Cloud Run and for the engine.

    An engine that is told otherwise by the person, in arguments or variables, is left alone.
    """
    before = deployment.concurrency
    environment = dict(deployment.environment)
    if environment.get(ollama.PARALLEL) == str(before):
        environment[ollama.PARALLEL] = str(concurrency)
    follows = {f"{vllm.PARALLEL}={before}": f"{vllm.PARALLEL}={concurrency}"}
    return replace(
        deployment,
        concurrency=concurrency,
        environment=environment,
        args=tuple(follows.get(argument, argument) for argument in deployment.args),
    )


def with_mount_path(deployment: Deployment, path: str) -> Deployment:
    """Change where the model's folder of the bucket appears, and where the engine looks for it.

    An engine that is told otherwise by the person, in arguments or variables, is left alone.
    """
    before = deployment.mount_path
    environment = dict(deployment.environment)
    if environment.get(ollama.MODELS) == before:
        environment[ollama.MODELS] = path
    args = tuple(path if argument == before else argument for argument in deployment.args)
    return replace(deployment, mount_path=path, environment=environment, args=args)


def with_port(deployment: Deployment, port: int) -> Deployment:
    """Change the port of the requests, for Cloud Run and for the engine.

    An engine that is told otherwise by the person, in arguments or variables, is left alone.
    """
    before = deployment.port
    environment = dict(deployment.environment)
    if environment.get(ollama.HOST) == ollama.host(before):
        environment[ollama.HOST] = ollama.host(port)
    follows = {f"--port={before}": f"--port={port}"}
    return replace(
        deployment,
        port=port,
        environment=environment,
        args=tuple(follows.get(argument, argument) for argument in deployment.args),
    )
