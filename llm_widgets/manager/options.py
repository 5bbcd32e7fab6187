"""The options of a deployment, as keywords of Python: what they mean, and which are misspelt."""

from __future__ import annotations

import difflib
import inspect
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from llm_widgets.domain.deploy_options import MEANINGS
from llm_widgets.domain.services import Deployment
from llm_widgets.errors import Fix, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from llm_widgets.domain.services import Ingress, StartupProbe, SubnetAccess

F = TypeVar("F", bound="Callable[..., Any]")

_ALL = tuple(each.name for each in fields(Deployment))
_TUPLES = ("command", "args", "mount_options")
_MARK = "**options"


class DeployOptions(TypedDict, total=False):
    """Options of a deployment; see :class:`llm_widgets.domain.services.Deployment`."""

    name: str
    region: str
    framework: str
    image: str
    accelerator: str
    cpu: float
    memory_gib: float
    min_instances: int
    max_instances: int
    concurrency: int
    timeout: int
    port: int
    command: Iterable[str]
    args: Iterable[str]
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    mount_path: str
    mount_options: Iterable[str]
    cache_gib: int
    zonal_redundancy: bool
    service_account: str
    ingress: Ingress | str
    subnet: SubnetAccess | None
    connector: str
    labels: Mapping[str, str]
    probe: StartupProbe


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with lists of words as tuples.

    Raises
    ------
    InvalidInputError
        There is no option of a name; the nearest one is told.
    """
    for name, value in given.items():
        if name not in _ALL:
            near = difflib.get_close_matches(name, MEANINGS, n=1, cutoff=0.5)
            fix = f"Did you mean {near[0]}?" if near else f"Options: {', '.join(MEANINGS)}."
            raise InvalidInputError(f"There is no option {name}.", field=name, fix=Fix(text=fix))
        if name in _TUPLES and isinstance(value, str):
            raise InvalidInputError(
                f"The option {name} is a list of words, not a text.",
                field=name,
                fix=Fix(text=f"Write {name}={value.split()!r}."),
            )
    return {name: tuple(value) if name in _TUPLES else value for name, value in given.items()}


def documented(method: F) -> F:
    """Show the options in the signature and the docstring of a method that takes them.

    Notebooks read both for completion and help.
    """
    signature = inspect.signature(method)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    types = DeployOptions.__annotations__
    shown = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_type(types[name])
        )
        for name in MEANINGS
    ]
    method.__signature__ = signature.replace(parameters=[*own, *shown])  # type: ignore[attr-defined] # inspect reads it
    lines = [f"{name}\n            {meaning}" for name, meaning in MEANINGS.items()]
    method.__doc__ = (method.__doc__ or "").replace(_MARK, "\n        ".join(lines))
    return method


def _type(annotation: Any) -> str:
    return str(getattr(annotation, "__forward_arg__", annotation))
