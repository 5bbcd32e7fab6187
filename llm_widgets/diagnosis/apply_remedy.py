"""A deployment with a remedy's changes made to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.failures.remedies import Remedy, RemedyKind
from llm_widgets.engines import registry
from llm_widgets.engines.command_line import CommandLine
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine
    from llm_widgets.engines.settings import Setting


def changed(deployment: Deployment, remedy: Remedy) -> Deployment:
    """Return a deployment with the parameters of a remedy of the kind ``redeploy``.

    ============================= ==========================================================
    ``max_model_len``             tokens of a request; ``auto`` for an engine that takes it
    ``parallel``                  requests that the engine works on at once, and that Cloud Run
                                  sends to an instance at most
    ``concurrency``               requests that Cloud Run sends to an instance at most
    ``gpu_memory_utilization``    share of the GPU's memory that the engine takes
    ``max_instances``             the deployment's field; so are ``timeout``, ``cpu``,
                                  ``memory_gib``, ``cache_gib``, ``image``, ``accelerator``
                                  and ``region``
    ``zonal_redundancy``          ``true`` or ``false``
    ``probe_failures``            failures of the startup probe
    ``engine_port``               port that the engine is told to listen on
    ``add_argument``              a word for the command line, several with line breaks between
                                  them; one of the same name is replaced
    ``remove_argument``           name of an argument, whose value goes too
    ``environment``               ``NAME=VALUE``, several with ``;`` between them
    ``remove_environment``        names of variables, with commas between them
    ``add_mount_options``         options, with commas between them
    ``remove_mount_options``      options, with commas between them
    ``network``                   ``none``: requests and files go over public addresses
    ============================= ==========================================================

    Raises
    ------
    ValueError
        A parameter is not one of these, or a number is none.
    """
    for name, value in remedy.parameters.items():
        if name not in _CHANGES:
            raise ValueError(f"A deployment has nothing that is called {name}.")
        deployment = _CHANGES[name](deployment, value)
    return deployment


def choices(remedy: Remedy) -> tuple[Remedy, ...]:
    """Return what a remedy of the kind ``choose`` leaves to be chosen, each as a redeployment."""
    return tuple(
        replace(remedy, kind=RemedyKind.REDEPLOY, parameters={field: value})
        for field, values in (("region", "regions"), ("accelerator", "accelerators"))
        for value in filter(None, remedy.parameters.get(values, "").split(","))
    )


def _told(
    deployment: Deployment, setting: Callable[[Engine], Setting | None], value: str
) -> Deployment:
    """Return the deployment with a changed setting, if the engine is known and has it."""
    engine = registry.of(deployment.framework)
    found = setting(engine) if engine else None
    return found.tell(deployment, value) if found else deployment


def _max_model_len(deployment: Deployment, value: str) -> Deployment:
    made = _told(deployment, lambda engine: engine.context, value)
    engine = registry.of(deployment.framework)
    try:
        if engine:
            engine.context_of(made)
    except InvalidInputError as error:
        raise ValueError(error.message) from error
    return made


def _parallel(deployment: Deployment, requests: int) -> Deployment:
    """Let the engine work on fewer or more requests; Cloud Run sends no more than these."""
    made = _told(deployment, lambda engine: engine.parallel, str(requests))
    return replace(made, concurrency=min(made.concurrency, requests))


def _argument(deployment: Deployment, word: str) -> Deployment:
    args = deployment.args
    for each in word.split("\n"):
        args = _command_line(deployment).with_word(args, each)
    return replace(deployment, args=args)


def _without_argument(deployment: Deployment, name: str) -> Deployment:
    return replace(deployment, args=_command_line(deployment).without(deployment.args, name))


def _command_line(deployment: Deployment) -> CommandLine:
    engine = registry.of(deployment.framework)
    return engine.command_line if engine else CommandLine()


def _set(deployment: Deployment, text: str) -> Deployment:
    pairs = (each.partition("=") for each in text.split(";"))
    given = {name: value for name, _, value in pairs}
    return replace(deployment, environment={**deployment.environment, **given})


def _unset(deployment: Deployment, names: str) -> Deployment:
    gone = {name.strip() for name in names.split(",")}
    kept = {name: v for name, v in deployment.environment.items() if name not in gone}
    return replace(deployment, environment=kept)


def _add_options(deployment: Deployment, text: str) -> Deployment:
    new = (option for option in text.split(",") if option not in deployment.mount_options)
    return replace(deployment, mount_options=(*deployment.mount_options, *new))


def _remove_options(deployment: Deployment, text: str) -> Deployment:
    gone = set(text.split(","))
    kept = tuple(option for option in deployment.mount_options if option not in gone)
    return replace(deployment, mount_options=kept)


_CHANGES: dict[str, Callable[[Deployment, str], Deployment]] = {
    "max_model_len": _max_model_len,
    "gpu_memory_utilization": lambda it, value: _told(
        it, lambda engine: engine.memory_share, f"{float(value):g}"
    ),
    "parallel": lambda it, value: _parallel(it, int(value)),
    "concurrency": lambda it, value: replace(it, concurrency=int(value)),
    "max_instances": lambda it, value: replace(it, max_instances=int(value)),
    "timeout": lambda it, value: replace(it, timeout=int(value)),
    "cpu": lambda it, value: replace(it, cpu=float(value)),
    "memory_gib": lambda it, value: replace(it, memory_gib=float(value)),
    "cache_gib": lambda it, value: replace(it, cache_gib=int(value)),
    "image": lambda it, value: replace(it, image=value),
    "accelerator": lambda it, value: replace(it, accelerator=value),
    "region": lambda it, value: replace(it, region=value),
    "zonal_redundancy": lambda it, value: replace(it, zonal_redundancy=value == "true"),
    "probe_failures": lambda it, value: replace(it, probe=replace(it.probe, failures=int(value))),
    "engine_port": lambda it, value: _told(it, lambda engine: engine.port, str(int(value))),
    "network": lambda it, _: replace(it, subnet=None, connector=""),
    "add_argument": _argument,
    "remove_argument": _without_argument,
    "environment": _set,
    "remove_environment": _unset,
    "add_mount_options": _add_options,
    "remove_mount_options": _remove_options,
}
PARAMETERS = frozenset(_CHANGES)
"""All parameters of a redeployment."""
