"""Forms of models that vLLM does not load, by their libraries and by the names of their files."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LIBRARIES = frozenset(
    {
        "allennlp",
        "bertopic",
        "comfyui",
        "coreml",
        "ctranslate2",
        "diffusers",
        "espnet",
        "executorch",
        "fairseq",
        "fasttext",
        "flair",
        "gliner",
        "keras",
        "keras-hub",
        "kokoro",
        "litert-lm",
        "mlc-llm",
        "mlx-image",
        "model2vec",
        "nemo",
        "onnx",
        "open_clip",
        "openvino",
        "paddleocr",
        "pyannote-audio",
        "setfit",
        "sklearn",
        "spacy",
        "span-marker",
        "speechbrain",
        "stable-audio-tools",
        "stable-baselines3",
        "tensorrt-llm",
        "tf-keras",
        "tflite",
        "timm",
        "transformers.js",
        "ultralytics",
    }
)
"""Libraries whose models vLLM loads only where it knows the architecture too."""

LOADED = frozenset(
    {
        "mamba-ssm",
        "mistral-common",
        "mlx",
        "peft",
        "pytorch",
        "safetensors",
        "sentence-transformers",
        "transformers",
        "vllm",
    }
)
"""Libraries whose models vLLM may load even where no architecture is named."""

_PYTORCH = "PyTorch's own format without a standard name"
_CTRANSLATE2 = re.compile(r"(?:shared_|source_|target_)?vocabulary\.(?:json|txt)")
# The first that fits a file's name counts: several formats keep their weights in .bin files.
_NAMES = (
    (r"openvino_.*\.(?:xml|bin)", "OpenVINO"),
    (r"mlc-chat-config\.json|params_shard_\d+\.bin", "MLC LLM"),
    (r"rank\d+\.(?:engine|safetensors)|.*\.(?:engine|plan|trt)", "TensorRT"),
    (r"ggml-.*\.bin|.*\.ggml", "GGML, which came before GGUF"),
    (r".*\.llamafile", "llamafile"),
    (r".*\.onnx", "ONNX"),
    (r".*\.(?:h5|pb)", "TensorFlow"),
    (r".*\.keras", "Keras"),
    (r".*\.msgpack", "Flax"),
    (r".*\.tflite", "TensorFlow Lite"),
    (r".*\.(?:task|litertlm)", "LiteRT"),
    (r".*\.pte", "ExecuTorch"),
    (r".*\.(?:mlmodel|mlpackage)", "Core ML"),
    (r".*\.npz", "MLX or NumPy"),
    (r".*\.nemo", "NeMo"),
    (r".*\.(?:pdparams|pdiparams)", "PaddlePaddle"),
    (r".*\.rkllm", "RKLLM"),
    (r".*\.neff", "AWS Neuron"),
    (r".*\.ckpt", "a checkpoint of a training"),
    (r".*\.(?:pth|pt)", _PYTORCH),
    (r".*\.pkl", "Python's pickle"),
    (r".*\.joblib", "scikit-learn"),
    (r".*\.ot", "Rust"),
    (r".*\.bin", _PYTORCH),
)


def of(paths: Iterable[str]) -> str:
    """Return the format that files have by their names; empty where none is known."""
    names = [PurePosixPath(path).name.lower() for path in paths]
    if is_ctranslate2(names):
        return "CTranslate2"
    found = (label for pattern, label in _NAMES for name in names if re.fullmatch(pattern, name))
    return next(found, "")


def is_ctranslate2(top: Iterable[str]) -> bool:
    """Return whether ``model.bin`` of a folder is CTranslate2's: its vocabulary lies beside."""
    names = set(top)
    return "model.bin" in names and any(map(_CTRANSLATE2.fullmatch, names))
