"""A deployment with a remedy's changes made to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.diagnosis.remedies import Remedy, RemedyKind
from llm_widgets.domain.models import Framework

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.domain.services import Deployment

CONTEXT_LENGTH = {
    Framework.VLLM: "--max-model-len",
    Framework.OLLAMA: "OLLAMA_CONTEXT_LENGTH",
}
"""The argument of vLLM and the variable of Ollama for the tokens of a request."""


def changed(deployment: Deployment, remedy: Remedy) -> Deployment:
    """Give a deployment with the parameters of a remedy of the kind ``redeploy``.

    ========================= ==============================================================
    ``max_model_len``         tokens of a request, for vLLM (``auto`` too) and Ollama
    ``gpu_memory_utilization`` share of the GPU's memory that vLLM takes
    ``max_instances``, ``timeout``, ``cpu``, ``memory_gib``, ``cache_gib``, ``image``,
    ``accelerator``, ``region`` the deployment's fields of these names
    ``zonal_redundancy``      ``true`` or ``false``
    ``probe_failures``        failures of the startup probe
    ``engine_port``           port that the engine is told to listen on
    ``add_argument``          a word for the command line; one of the same name is replaced
    ``remove_argument``       name of an argument, whose value goes too
    ``environment``           ``NAME=VALUE``, several with ``;`` between them
    ``remove_environment``    names of variables, with commas between them
    ``add_mount_options``, ``remove_mount_options`` options, with commas between them
    ``network``               ``none``: requests and files go over Google's public addresses
    ========================= ==============================================================

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
    """Give what a remedy of the kind ``choose`` leaves to be chosen, each as a redeployment."""
    return tuple(
        replace(remedy, kind=RemedyKind.REDEPLOY, parameters={field: value})
        for field, values in (("region", "regions"), ("accelerator", "accelerators"))
        for value in filter(None, remedy.parameters.get(values, "").split(","))
    )


def _max_model_len(deployment: Deployment, value: str) -> Deployment:
    name = CONTEXT_LENGTH[deployment.framework]
    if deployment.framework is Framework.OLLAMA:
        return _set(deployment, f"{name}={int(value)}")
    return _argument(deployment, f"{name}={value}")


def _utilization(deployment: Deployment, value: str) -> Deployment:
    return _argument(deployment, f"--gpu-memory-utilization={float(value):g}")


def _engine_port(deployment: Deployment, value: str) -> Deployment:
    if deployment.framework is Framework.OLLAMA:
        return _set(deployment, f"OLLAMA_HOST=0.0.0.0:{int(value)}")
    return _argument(deployment, f"--port={int(value)}")


def _argument(deployment: Deployment, word: str) -> Deployment:
    """Put an argument in the place of one of the same name, else at the end."""
    name = word.partition("=")[0]
    args: list[str] = []
    for given in _pairs(deployment.args):
        if given[0].partition("=")[0] != name:
            args += given
        elif word not in args:
            args.append(word)
    return replace(deployment, args=tuple(args if word in args else [*args, word]))


def _without_argument(deployment: Deployment, name: str) -> Deployment:
    kept = (given for given in _pairs(deployment.args) if given[0].partition("=")[0] != name)
    return replace(deployment, args=tuple(word for given in kept for word in given))


def _pairs(args: tuple[str, ...]) -> Iterable[list[str]]:
    """Give arguments with their values: ``["--port=1"]``, ``["--port", "1"]``, ``["/models"]``."""
    groups: list[list[str]] = []
    for word in args:
        before = groups[-1] if groups else []
        is_name = word.startswith("-") and not word[1:2].isdigit()
        takes_value = len(before) == 1 and before[0].startswith("--") and "=" not in before[0]
        if is_name or not takes_value:
            groups.append([word])
        else:
            before.append(word)
    return groups


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
    "gpu_memory_utilization": _utilization,
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
    "engine_port": _engine_port,
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
