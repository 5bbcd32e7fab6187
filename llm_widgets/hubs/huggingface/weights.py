"""Weights that are weights: their first bytes, their headers, and what the index says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import ManagerError
from llm_widgets.hubs import facts, headers
from llm_widgets.hubs.headers import DamagedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_widgets.domain.imports import HubFile
    from llm_widgets.domain.memory import Tensor
    from llm_widgets.hubs.headers import ReadRange

_ADAPTERS = ("base_model.model.", "prompt_embeddings")
"""How PEFT names all tensors of an adapter."""

_MARKS = (
    *("lora_a", "lora_b", "lora_down", "lora_up", "lora_magnitude", "lora_mid", "dora_scale"),
    *(".alpha", "hada_w", "lokr_", "oft_", "ia3_l", "vera_lambda"),
)
"""Parts of such names by PEFT, diffusers, kohya and LyCORIS."""


def read(
    files: Sequence[HubFile], weight_map: Mapping[str, str], range_reader: ReadRange
) -> tuple[Tensor, ...]:
    """Read the tables of the weights that are copied, and check them.

    Parameters
    ----------
    files
        All of the model's.
    weight_map
        Tensor to file, as the index has it; empty without one.

    Returns
    -------
    tuple
        The tensors of the top folder; empty where they can't be read now, as an import does not
        depend on them.

    Raises
    ------
    DamagedError
        A file holds no weights, or not those that the index names.
    """
    chosen = [file for file in files if not file.skipped]
    weights = [file for file in chosen if file.path.endswith(".safetensors")]
    try:
        for file in chosen:
            if file.path.endswith((".bin", ".pt")):
                headers.check_pytorch(file.url, file.size, range_reader)
        located = [(file.url, file.size) for file in weights]
        tables = headers.tables(located, range_reader, seconds=facts.SECONDS)
    except DamagedError:
        raise
    except (ManagerError, TimeoutError):
        return ()
    found = {file.path: table for file, table in zip(weights, tables, strict=True)}
    _check_index(found, weight_map)
    if found and not any(found.values()):
        raise DamagedError("The weights are none.", cause=f"{min(found)} holds no tensors.")
    return tuple(
        tensor
        for path, table in found.items()
        if "/" not in path or path in weight_map.values()
        for tensor in table
    )


def is_adapter(tensors: Sequence[Tensor]) -> bool:
    """Return whether all tensors are those of an adapter, of whichever maker."""
    return bool(tensors) and all(_is_of_adapter(tensor.name.lower()) for tensor in tensors)


def _is_of_adapter(name: str) -> bool:
    return name.startswith(_ADAPTERS) or any(mark in name for mark in _MARKS)


def _check_index(found: Mapping[str, Sequence[Tensor]], weight_map: Mapping[str, str]) -> None:
    names = {path: {tensor.name for tensor in table} for path, table in found.items()}
    lost = [
        (tensor, path)
        for tensor, path in weight_map.items()
        if path in names and tensor not in names[path]
    ]
    if lost:
        tensor, path = lost[0]
        raise DamagedError(
            f"The index of the weights does not belong to them: {len(lost)} tensors are missing.",
            cause=f"{path} has no {tensor}.",
        )
