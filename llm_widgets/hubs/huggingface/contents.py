"""What a repository says of itself, read for the engine that is to load it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from llm_widgets.domain.loading import Contents
from llm_widgets.errors import HubError
from llm_widgets.hubs import documents

if TYPE_CHECKING:
    from llm_widgets.hubs.huggingface.repository import Model, Repository

_CONFIG = "config.json"
_LARGEST_CONFIG = 4 << 20  # bytes
_LARGEST_CODE = 1 << 20  # bytes
_OTHERS = ("modules.json", "params.json", "adapter_config.json")
# Where adapters of all makers name the model that they were made for.
_BASE_KEYS = ("base_model_name_or_path", "base_model_name", "model_name_or_path", "model")
_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


class _Module(Struct, frozen=True):
    """A part of a model of sentence-transformers; its folder, empty for the top one."""

    path: str = ""
    type: str = ""


def read(repository: Repository, model: Model) -> Contents:
    """Read what tells which engine loads a model: a request for each of at most four files.

    Raises
    ------
    HubError
        ``config.json`` is none.
    ManagerError
        The hub refuses.
    """
    config = _config(repository, model)
    found = {path: text for path in _OTHERS if (text := _document(repository, model, path))}
    return Contents(
        paths=frozenset(model.files),
        config=config,
        task=model.pipeline_tag or "",
        library=model.library_name or "",
        tags=model.tags or (),
        base=_base(found) or model.base,
        adapters=_adapters(repository, model, config or {}),
        documents=found,
    )


def folders(contents: Contents) -> tuple[str, ...]:
    """Return the folders with further weights that the model names: its modules and adapters."""
    listed = contents.documents.get("modules.json")
    try:
        modules = documents.checked(listed or [], tuple[_Module, ...], wrong="It is none.")
    except HubError:
        modules = ()
    named = (module.path.strip("/") for module in modules)
    return (*(path for path in named if path), *contents.adapters)


def _config(repository: Repository, model: Model) -> dict[str, Any] | None:
    """Read ``config.json``, whose fields differ from one architecture to the next."""
    raw = repository.read(model, _CONFIG, limit=_LARGEST_CONFIG)
    if raw is None:
        return None
    config = documents.parsed(raw, name=f"{_CONFIG} of {model.id}")
    if not isinstance(config, dict):
        raise HubError(f"{_CONFIG} of {model.id} is not a JSON object.")
    return config


def _document(repository: Repository, model: Model, path: str) -> Any:
    """Read a file that not all engines need: one that is none is as if it were not there."""
    raw = repository.read(model, path, limit=_LARGEST_CONFIG)
    try:
        return documents.parsed(raw, name=path) if raw else None
    except HubError:
        return None


def _base(found: Mapping[str, Any]) -> str:
    adapter = found.get("adapter_config.json")
    named = [adapter.get(key) for key in _BASE_KEYS] if isinstance(adapter, Mapping) else []
    return next((name for name in named if isinstance(name, str) and _ID.fullmatch(name)), "")


def _adapters(repository: Repository, model: Model, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the folders of adapters that the configuration or the model's own code names."""
    held = {
        str(PurePosixPath(path).parent)
        for path in model.files
        if PurePosixPath(path).name == "adapter_config.json" and "/" in path
    }
    if not held:
        return ()
    said = json.dumps(config, default=str) + "".join(_code(repository, model, config))
    spelled = {name: (name, name.replace("-", "_")) for name in held}
    return tuple(sorted(name for name in held if any(word in said for word in spelled[name])))


def _code(repository: Repository, model: Model, config: Mapping[str, Any]) -> list[str]:
    """Read the modules that the configuration names as the model's code."""
    auto = config.get("auto_map")
    classes = auto.values() if isinstance(auto, Mapping) else ()
    named = {
        f"{text.rpartition('--')[2].partition('.')[0]}.py"
        for text in classes
        if isinstance(text, str)
    }
    found = (repository.read(model, path, limit=_LARGEST_CODE) for path in sorted(named))
    return [raw.decode(errors="replace") for raw in found if raw]
