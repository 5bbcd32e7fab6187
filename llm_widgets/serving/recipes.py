"""The deployment that a model is offered first, and changes that touch more than one field."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.memory import from_facts
from llm_widgets.engines import hardware, registry
from llm_widgets.engines.offers import Wanted
from llm_widgets.errors import InvalidInputError
from llm_widgets.serving import gpu_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine

LEAST_CONTEXT = 4096
"""Tokens of a request that a GPU must hold to be offered first."""

_SHORTEST = 1024  # tokens below which a request is not shortened to be on the safe side
_STEP = 256  # tokens: whole blocks of the caches of all engines


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
    framework: str = "",
) -> Deployment:
    """Return the deployment that a model is offered first.

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
    framework
        Id of the engine, one of those that serve the model's source; the preferred one of them
        when empty.

    Raises
    ------
    InvalidInputError
        No such engine serves models of this source.
    """
    engine = _engine(record, framework)
    wanted = Wanted(record=record, project=project, region=region, bucket=bucket, manifest=manifest)

    def made(gpu: str | None, context: int | None) -> Deployment:
        found = engine.deployment(replace(wanted, accelerator=gpu, context_length=context))
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


def _engine(record: ModelRecord, framework: str) -> Engine:
    engines = registry.for_source(record.source)
    found = next((each for each in engines if framework in ("", each.id)), None)
    if found is None:
        named = f"{framework} does not serve" if framework else "No engine here serves"
        raise InvalidInputError(
            f"{named} {record.id}, which is from the hub “{record.source}”.",
            field="framework",
            cause=f"These do: {', '.join(each.id for each in engines)}." if engines else "",
        )
    return found


def _shorter(longest: int) -> Iterator[int]:
    """Yield shorter and shorter requests, in whole blocks of any cache."""
    tokens = longest
    while tokens >= _SHORTEST:
        yield tokens
        tokens = tokens * 3 // 4 // _STEP * _STEP


def _is_sure(model: MemoryModel, deployment: Deployment) -> bool:
    found = gpu_memory.estimate(model, deployment)
    return bool(found and found.fits and not found.is_close)


def _longest(model: MemoryModel, deployment: Deployment) -> int:
    found = gpu_memory.estimate(model, deployment)
    return found.longest_context if found else 0


def _suffices(model: MemoryModel, deployment: Deployment) -> bool:
    least = min(LEAST_CONTEXT, model.context_length or LEAST_CONTEXT)
    return _longest(model, deployment) >= least


def adapted(before: Deployment, wanted: Deployment) -> Deployment:
    """Let what follows a choice follow it.

    That is the hardware, the image where it is the one offered for the GPU, and arguments that
    held for what the deployment was before.
    """
    made = hardware.adapted(before, wanted)
    engine = registry.of(made.framework)
    if engine is None:
        return made
    is_offered = before.image == made.image == engine.image(before.accelerator)
    made = replace(made, image=engine.image(made.accelerator)) if is_offered else made
    return engine.kept_arguments(before, made)


def with_concurrency(deployment: Deployment, concurrency: int) -> Deployment:
    """Change how many requests an instance takes at once, for Cloud Run and for the engine.

    An engine that is told otherwise by the person, in arguments or variables, is left alone.
    """
    before, engine = str(deployment.concurrency), registry.of(deployment.framework)
    made = replace(deployment, concurrency=concurrency)
    return engine.parallel.follow(made, before, str(concurrency)) if engine else made


def with_mount_path(deployment: Deployment, path: str) -> Deployment:
    """Change where the model's folder of the bucket appears, and where the engine looks for it.

    An engine that is told otherwise by the person, in arguments or variables, is left alone.
    """
    before, engine = deployment.mount_path, registry.of(deployment.framework)
    made = replace(deployment, mount_path=path)
    return engine.folder.follow(made, before, path) if engine else made


def with_port(deployment: Deployment, port: int) -> Deployment:
    """Change the port of the requests, for Cloud Run and for the engine.

    An engine that is told otherwise by the person, in arguments or variables, is left alone.
    """
    before, engine = str(deployment.port), registry.of(deployment.framework)
    made = replace(deployment, port=port)
    return engine.port.follow(made, before, str(port)) if engine else made
