"""Does it fit? The memory of a GPU that a served model takes: arithmetic only, no I/O.

A :class:`MemoryModel` is made from a model's configuration and its table of tensors when it is
imported (:func:`.from_config`, :func:`.from_gguf`), kept among its facts (:func:`.to_facts`,
:func:`.from_facts`), and compared with a GPU by the engine that is to serve it, which knows what
it needs beside the weights (``engines/*/memory.py``).
"""

from __future__ import annotations

from llm_widgets.domain.memory.config import from_config
from llm_widgets.domain.memory.estimate import Estimate, Part
from llm_widgets.domain.memory.gguf import from_gguf
from llm_widgets.domain.memory.model import (
    Attention,
    Latent,
    MemoryModel,
    Recurrent,
    from_facts,
    to_facts,
)
from llm_widgets.domain.memory.tensors import Tensor

__all__ = [
    "Attention",
    "Estimate",
    "Latent",
    "MemoryModel",
    "Part",
    "Recurrent",
    "Tensor",
    "from_config",
    "from_facts",
    "from_gguf",
    "to_facts",
]
