"""Names of GGUF files: which quantization each holds, and by which tag hf.co serves it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SUFFIX = ".gguf"

# The tag that hf.co takes first where none is named: https://huggingface.co/docs/hub/ollama
USUAL = "Q4_K_M"

_LABEL = re.compile(
    r"(?<![A-Za-z0-9])(?:UD-)?(?:I?Q\d+_K(?:_[A-Z]{1,3})?|IQ\d+_[A-Z]{1,3}|Q\d+_\d+(?:_\d+){0,2}"
    r"(?:_[A-Z]{1,2})?|TQ\d_\d|BF16|F16|F32|F64|MXFP4(?:_MOE)?|NVFP4)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SHARD = re.compile(
    r"[-._](?:split[-._])?\d{1,5}-?of-?\d{1,5}(?=[-._]|\Z)|[-._]part[-._]?\d{1,5}\Z"
)
"""Marks one of several files: llama.cpp's ``-00001-of-00003``, and those of people."""

_CUT = re.compile(r"\.gguf[-.](?:part|split)[-._]?\w{1,16}\Z", re.IGNORECASE)
"""Ends the name of a piece of a file that was cut, such as ``.gguf.part1of2``."""

_TAG = re.compile(r"\w[\w.-]{0,79}", re.ASCII)
_BESIDE = re.compile(r"mmproj|imatrix", re.IGNORECASE)


def is_weights(path: str) -> bool:
    """Return whether a file holds a model, not what belongs to one."""
    is_gguf = path.lower().endswith(SUFFIX) or bool(_CUT.search(path))
    return is_gguf and not _BESIDE.search(path.rpartition("/")[2])


def label(path: str) -> str:
    """Return the quantization that a file's name tells, for example ``Q8_0``; empty for none."""
    found = _LABEL.findall(_SHARD.sub("", _stem(path)))
    return found[-1].upper() if found else ""


def tag(path: str) -> str:
    """Return the tag by which hf.co serves one file; empty where there is none.

    It is the quantization, or the whole name of a file that tells none.
    """
    return label(path) or (path if _TAG.fullmatch(path) and ".." not in path else "")


def by_tag(paths: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the files of a repository by tag; several files are the shards of one model."""
    found: dict[str, list[str]] = {}
    for path in sorted(paths):
        if is_weights(path) and (name := tag(path)):
            found.setdefault(name, []).append(path)
    return {name: tuple(files) for name, files in found.items()}


def is_shard(path: str) -> bool:
    """Return whether a file is one of several that make up a model."""
    return bool(_SHARD.search(_stem(path)) or _CUT.search(path))


def _stem(path: str) -> str:
    return _CUT.sub("", path.rpartition("/")[2].lower()).removesuffix(SUFFIX)


def offered(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the tags that Ollama can be given: those of models in one file, the usual first."""
    single = [name for name, files in by_tag(paths).items() if not any(map(is_shard, files))]
    return tuple(sorted(single, key=lambda name: (name != USUAL, name)))
