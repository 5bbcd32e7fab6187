"""Which files of a repository vLLM loads, and why it needs none of the others."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from llm_widgets.domain import weight_files

if TYPE_CHECKING:
    from collections.abc import Collection

SAFETENSORS_INDEX = "model.safetensors.index.json"

_FOR_PEOPLE = (".md", ".pdf", ".html", ".ipynb", ".rst", ".csv", ".bib", ".cff")
_MEDIA = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".mp4", ".wav", ".mp3")
# Why vLLM needs no file of this suffix in a folder that holds its weights.
_BY_SUFFIX = {
    **dict.fromkeys(_FOR_PEOPLE, "text for people"),
    **dict.fromkeys(_MEDIA, "a picture, a video or a sound"),
    ".bin": "weights in PyTorch's format; another form is taken",
    ".pt": "weights in PyTorch's format",
    ".pth": "weights in PyTorch's format",
    ".ckpt": "a checkpoint of a training",
    ".h5": "weights for TensorFlow",
    ".msgpack": "weights for Flax",
    ".onnx": "weights for ONNX",
    ".onnx_data": "weights for ONNX",
    ".ot": "weights for Rust",
    ".gguf": "weights for Ollama and llama.cpp",
    ".ggml": "weights for llama.cpp",
    ".tflite": "weights for TensorFlow Lite",
    ".mlmodel": "weights for Core ML",
    ".mlpackage": "weights for Core ML",
    ".npz": "weights for MLX or NumPy",
    ".zip": "an archive",
    ".tar": "an archive",
    ".gz": "an archive",
    ".nemo": "weights for NeMo",
}
# Kept at any depth: configuration, tokenizers, chat templates, and the code of a model.
_READ = (
    "*.json",
    "*.jinja",
    "*.py",
    "*.model",
    "*.tiktoken",
    "*.spm",
    "*merges*.txt",
    "*vocab*.txt",
    "vocab.*",
    "*.vocab",
    "*.bpe",
    "*.codes",  # of fastBPE
    "dict.txt",
    "tokenizer*",
    "chat_template*",
)
_NOT_READ = {
    "trainer_state.json": "made by a training",
    "training_args*": "made by a training",
    "*_results.json": "made by a training",
    "optimizer*": "made by a training",
    "scheduler*": "made by a training",
    "rng_state*": "made by a training",
    ".*": "belongs to the repository, not to the model",
    "license*": "text for people",
    "notice*": "text for people",
    "requirements*.txt": "not read by vLLM",
    "*.index.json": "an index of weights that are not taken",
}
_OTHER_FOLDERS = {
    "original": "the publisher's own format; the same weights once more",
    "onnx": "weights for ONNX",
    "openvino": "weights for OpenVINO",
    "coreml": "weights for Core ML",
    "gguf": "weights for Ollama and llama.cpp",
    "mlx": "weights for MLX",
    "metal": "weights for Metal; the same weights once more",
    "assets": "pictures and texts for people",
    "figures": "pictures and texts for people",
    "images": "pictures and texts for people",
    "runs": "made by a training",
    "logs": "made by a training",
}
_BUNDLES = frozenset({".mlpackage"})
"""Suffixes of folders that are one file to their own system."""

_CHECKPOINT = re.compile(r"(checkpoint|global_step)[-_]?\d+")
_NO_MODEL = ("adapter_", "optimizer")
_PRECISIONS = ("bf16", "fp16", "fp32", "fp8", "int8")
_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.\w+)")


class WeightsError(ValueError):
    """A repository has no complete weights; the text says what is missing."""


def choose(
    paths: Collection[str], shards: Collection[str] | None, beside: Collection[str] = ()
) -> dict[str, str]:
    """Decide about each file: an empty reason keeps it, any other says why it is left out.

    Parameters
    ----------
    paths
        All files of the repository.
    shards
        The files that ``model.safetensors.index.json`` names; ``None`` without one.
    beside
        Files, and folders, with further weights: those that the model itself names, as
        ``modules.json`` does, and those that the engine looks for.

    Raises
    ------
    WeightsError
        No weights that vLLM loads, or shards that the repository lacks.
    """
    further = _in_folders(paths, beside) | (set(beside) & set(paths))
    is_all_below = bool(further) and not shards and not any(map(_is_top_weights, paths))
    weights = set() if is_all_below else _weights(paths, shards)
    is_indexed = shards is not None and weights == set(shards)
    kept = weights | {SAFETENSORS_INDEX if is_indexed else _index_of(weights)} | further
    return {path: "" if path in kept else _reason(path) for path in paths}


def _in_folders(paths: Collection[str], folders: Collection[str]) -> set[str]:
    """Return the weights below folders; of two formats in one place the safer one.

    Raises
    ------
    WeightsError
        A folder lacks some of its shards.
    """
    below = [path for path in paths if path.startswith(tuple(f"{each}/" for each in folders))]
    found = {path for path in below if path.endswith(".safetensors")}
    places = {str(PurePosixPath(path).parent) for path in found}
    for place in sorted(places):
        _complete({path for path in found if str(PurePosixPath(path).parent) == place})
    pytorch = (path for path in below if path.endswith((".bin", ".pt")))
    return found | {path for path in pytorch if str(PurePosixPath(path).parent) not in places}


def _weights(paths: Collection[str], shards: Collection[str] | None) -> set[str]:
    """Find the one set of weights that vLLM loads from the top folder."""
    if shards is not None:
        missing = sorted(set(shards) - set(paths))
        if not missing:
            return set(shards)
        if "model.safetensors" not in paths:
            raise WeightsError(
                f"{SAFETENSORS_INDEX} names {len(missing)} files that are not there, "
                f"for example {missing[0]}."
            )
    top = [path for path in paths if "/" not in path]
    if "model.safetensors" in top:
        return {"model.safetensors"}
    safetensors = [path for path in top if path.endswith(".safetensors")]
    for candidates in (
        [path for path in safetensors if not _is_extra(path)],
        [path for path in safetensors if path.startswith("consolidated")],
        _one_precision(safetensors),
        [path for path in top if weight_files.is_usual(path)],
        weight_files.unusual(top),
    ):
        if candidates:
            return _complete(candidates)
    raise WeightsError("It holds no weights.")


def _complete(candidates: Collection[str]) -> set[str]:
    """Return a file, or the shards that belong together, and see that none is missing."""
    sets: dict[tuple[str, int, str], set[str]] = {}
    for path in candidates:
        if shard := _SHARD.fullmatch(path):
            key = shard["stem"], int(shard["count"]), shard["suffix"]
            sets.setdefault(key, set()).add(path)
    whole = [found for (_, count, _), found in sorted(sets.items()) if len(found) == count]
    if whole:
        return whole[0]
    plain = {path for path in candidates if not _SHARD.fullmatch(path)}
    if plain:
        return {"pytorch_model.bin"} if "pytorch_model.bin" in plain else plain
    (_, count, _), found = max(sets.items(), key=lambda item: len(item[1]))
    raise WeightsError(f"{count - len(found)} of {count} files of the weights are not there.")


def _is_extra(path: str) -> bool:
    """Whether a safetensors file is something else than the model, or the model once more."""
    return path.startswith(("consolidated", *_NO_MODEL)) or any(
        f".{precision}" in path for precision in _PRECISIONS
    )


def _one_precision(safetensors: Collection[str]) -> list[str]:
    """Return the weights of one precision, where a model is there only with it in its name."""
    for precision in _PRECISIONS:
        named = [path for path in safetensors if f".{precision}" in path]
        if found := [path for path in named if not path.startswith(_NO_MODEL)]:
            return found
    return []


def _is_top_weights(path: str) -> bool:
    return weight_files.is_pytorch(path) or ("/" not in path and path.endswith(".safetensors"))


def _index_of(weights: Collection[str]) -> str:
    """Name the index that belongs to shards; empty for a file that needs none."""
    shard = _SHARD.fullmatch(min(weights, default=""))
    return f"{shard['stem']}{shard['suffix']}.index.json" if shard else ""


def _reason(path: str) -> str:
    """Return why a file without chosen weights is left out; empty when vLLM reads it."""
    parts = PurePosixPath(path.lower()).parts
    if reason := _folder_reason(parts[:-1]):
        return reason
    name, suffix = parts[-1], PurePosixPath(parts[-1]).suffix
    if suffix == ".safetensors":
        return _safetensors_reason(parts)
    patterns = [reason for pattern, reason in _NOT_READ.items() if fnmatchcase(name, pattern)]
    if patterns or suffix in _BY_SUFFIX:
        return patterns[0] if patterns else _BY_SUFFIX[suffix]
    return "" if any(fnmatchcase(name, pattern) for pattern in _READ) else "not read by vLLM"


def _folder_reason(folders: tuple[str, ...]) -> str:
    for folder in folders:
        if folder in _OTHER_FOLDERS:
            return _OTHER_FOLDERS[folder]
        if (suffix := PurePosixPath(folder).suffix) in _BUNDLES:
            return _BY_SUFFIX[suffix]
        if _CHECKPOINT.fullmatch(folder):
            return "made by a training"
        if folder.startswith("."):
            return _NOT_READ[".*"]
    return ""


def _safetensors_reason(parts: tuple[str, ...]) -> str:
    if len(parts) > 1:
        return "weights in a subfolder that neither the index nor modules.json names"
    if parts[0].startswith("adapter_"):
        return "an adapter, not the model"
    return "the same weights once more, or weights that the index does not name"
