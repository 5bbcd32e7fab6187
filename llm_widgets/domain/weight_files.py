"""Weights in the format of PyTorch, by the names of their files, before they are opened."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PYTORCH_SUFFIXES = (".bin", ".pt")
"""In the order in which vLLM 0.33.0 looks for them where no safetensors are
(``vllm/model_executor/model_loader/default_loader.py``); it does not look for ``.pth``."""

_USUAL = re.compile(r"pytorch_model[-.\w]*\.bin")
# What lies beside weights, and is another thing: each of these names is known of its maker.
_OTHER = re.compile(
    r"training_args.*|(?:optim|scheduler|scaler|rng_state|trainer_state).*"  # of trainers
    r"|(?:zero_pp_rank|mp_rank|bf16_zero|model_states).*|.*[-_]rank_\d+.*|.*_optim_states"  # shards
    r"|(?:ggml|original)-.*|openvino_.*|params_shard_\d+|.*\.onnx"  # of other engines
    r"|.*adapter.*|(?:.*[-_.])?(?:lora|locon|loha|dora)(?:[-_.].*)?|non_lora.*|inteventions.*"
    r"|intervenable.*|learned_embeds.*|soft_prompt.*|prefix.*"  # of what changes a model
    r"|(?:.*_)?projector|.*head|value_head.*|.*_linear|conds|spk_.*|speaker.*|voices?"  # parts
    r"|(?:vocab|tokenizer|dict|merges|embeddings?|stats|mean|std|hidden_states).*",
    re.IGNORECASE,
)


def is_usual(path: str) -> bool:
    """Return whether a file of the top folder has the name that Transformers gives weights."""
    return bool(_USUAL.fullmatch(path)) and not is_other(path)


def is_pytorch(path: str) -> bool:
    """Return whether a file of the top folder can be weights in PyTorch's format."""
    return "/" not in path and path.endswith(PYTORCH_SUFFIXES) and not is_other(path)


def is_other(path: str) -> bool:
    """Return whether a name is that of a training's state, a part, or another engine's file."""
    return bool(_OTHER.fullmatch(PurePosixPath(path).stem))


def unusual(paths: Iterable[str]) -> set[str]:
    """Return the weights of the top folder whose names only their suffix tells as such.

    They are those of the first suffix that there is: an engine takes all of one, and none of the
    other.
    """
    found = [path for path in paths if is_pytorch(path)]
    for suffix in PYTORCH_SUFFIXES:
        if of_suffix := {path for path in found if path.endswith(suffix)}:
            return of_suffix
    return set()
