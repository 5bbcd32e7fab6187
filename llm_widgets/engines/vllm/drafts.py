"""Models that guess tokens for a larger one, and serve nothing alone: drafts, and heads of it.

Their makers are many and their architectures seldom vLLM's own: Medusa, EAGLE, MLP speculators of
IBM, and drafts of the library ``speculators``, which vLLM 0.33.0 serves with the larger model only
(``maybe_override_with_speculators`` of ``vllm/transformers_utils/config.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from llm_widgets.domain.names import shown
from llm_widgets.engines.vllm import architectures

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Contents

_TYPES = frozenset(
    {"eagle", "eagle3", "hydra", "medusa", "mlp_speculator", "speculator_model", "speculators"}
)
"""Values of ``model_type``."""

_KEYS = ("speculators_config", "speculators_model_type", "medusa_num_heads", "hydra_num_heads")
_CLASS = re.compile(
    r"(?:Medusa|Hydra|P?[Ee]agle|MLPSpeculator|DFlash|DSpark)\w*"
    r"|\w*(?:Eagle3?|Speculator|DraftModel|MTP(?:Model)?)"
)
_OTHERS = re.compile(r"Eagle(?:Chat|2|_?VL)\w*")
"""Models of pictures that NVIDIA calls so."""

_EAGLE = re.compile(r"(?:model\.)?fc\.weight")
_MEDUSA = re.compile(r"(?:medusa_head\.)?\d+\.\d+\.(?:linear\.)?(?:weight|bias)")


def problem(contents: Contents) -> str:
    """Say that it is a draft, or heads, of a larger model; empty for what serves alone."""
    name = contents.architecture
    config = contents.config or {}
    kind = config.get("model_type")
    is_named = name in architectures.DRAFTS or (
        name not in architectures.ALL and _CLASS.fullmatch(name) and not _OTHERS.fullmatch(name)
    )
    is_told = (isinstance(kind, str) and kind in _TYPES) or any(key in config for key in _KEYS)
    if not (is_named or is_told):
        return ""
    named = name or (kind if isinstance(kind, str) else "")
    larger = _larger(config)
    return (
        f"It is a draft model{f' ({shown(named)})' if named else ''}: it guesses tokens for a "
        f"larger one{f', {shown(larger)}' if larger else ''}, and serves nothing alone."
    )


def by_weights(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Say that tensors are those of a draft, whatever the configuration says; empty else.

    EAGLE's keep the configuration of the larger model, and have one layer that joins its states
    to tokens.
    """
    joins = next((name for name in shapes if _EAGLE.fullmatch(name)), "")
    width, *rest = shapes[joins] if joins else (0,)
    is_eagle = bool(width and len(rest) == 1 and rest[0] in {2 * width, 3 * width})
    is_medusa = bool(shapes) and all(map(_MEDUSA.fullmatch, shapes))
    if not (is_eagle or is_medusa):
        return ""
    return (
        f"Its weights are those of a draft model ({joins or min(shapes)}): it guesses tokens for a "
        "larger one, and serves nothing alone."
    )


def _larger(config: Mapping[str, object]) -> str:
    """Return the model that it was made for, as the configuration names it."""
    told = config.get("speculators_config")
    verifier = told.get("verifier") if isinstance(told, Mapping) else None
    named = (
        verifier.get("name_or_path") if isinstance(verifier, Mapping) else None,
        config.get("base_model_name_or_path"),
    )
    return next((name for name in named if isinstance(name, str) and name), "")
