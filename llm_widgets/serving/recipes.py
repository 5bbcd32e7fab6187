"""The deployment that a model is offered first, and changes that touch more than one field."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.models import Framework
from llm_widgets.serving import ollama, vllm

if TYPE_CHECKING:
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment


def defaults(
    record: ModelRecord,
    *,
    project: str,
    region: str,
    bucket: str,
    accelerator: str | None = None,
    context_length: int | None = None,
    service_account: str = "",
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
        of the region that the model's files fit into.
    context_length
        Tokens of a request; what the engine's recipe thinks best when left out.
    service_account
        E-mail address of the identity that the service runs as, the project's default one when
        empty.
    """
    recipes = {Framework.VLLM: vllm.deployment, Framework.OLLAMA: ollama.deployment}
    deployment = recipes[record.source.framework](
        record,
        project=project,
        region=region,
        bucket=bucket,
        accelerator=accelerator,
        context_length=context_length,
    )
    return replace(deployment, service_account=service_account)


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
