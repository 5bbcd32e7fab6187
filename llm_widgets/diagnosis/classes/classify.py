"""What can be said of an error that the catalogue does not have: its class.

An error is shown in its own words. The class adds what is true of all errors of the kind, and
steps that are right for any of them.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from llm_widgets.diagnosis.classes import arguments, files, machine, models, software
from llm_widgets.diagnosis.classes.vague import FAULT, ON_NO_PURPOSE, OTHER, VAGUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.diagnosis.classes.error_class import ErrorClass
    from llm_widgets.diagnosis.root_cause import RootCause

CLASSES: tuple[ErrorClass, ...] = (
    *arguments.CLASSES,
    *machine.CLASSES,
    *software.CLASSES,
    *files.CLASSES,
    *models.CLASSES,
)
"""Those with words that name a thing, in the order in which they are looked for."""


def class_of(cause: RootCause) -> ErrorClass:
    """Return the class of an error; the last one takes any.

    Words that name a thing come first, then the functions and files of the traceback, and then
    words that only say that something is not supported or not there.
    """
    # Names of folders say nothing: a path with "checkpoint" in it is no error of weights.
    # The name of what an object lacks tells as little of why.
    words = _PATH.sub(" PATH ", _LACKED.sub("has no attribute", cause.text))
    # A program that is not Python tells the place in its source before its words.
    files = (*cause.files, *_SOURCE.findall(cause.text))
    traced = " ".join((*files, *cause.frames))
    # What checks values stands between the engine and its error.
    own = [path for path in files if not _CHECKS.search(path)][-1:]
    is_asserted = _ASSERTED.match(cause.text) is not None
    tells = not is_asserted and not ON_NO_PURPOSE.search(cause.text)
    by_word = (each for each in CLASSES if each.pattern and each.pattern.search(words))
    # A package that fails while it is imported: what its files are named after does not matter.
    importing = (each for each in CLASSES if each.id == "error-package" and _is_importing(cause))
    by_frame = (each for each in CLASSES if each.frames and each.frames.search(traced))
    by_feature = _by_file(_OF_FEATURES, own)
    by_file = _by_file(_BY_FILE if tells else (), own)
    # Names in the code of what was asserted tell less than its file.
    named = (by_feature, by_word) if is_asserted else (by_word, by_feature)
    found: Iterator[ErrorClass] = chain(*named, importing, by_frame, by_file)
    if first := next(found, None):
        return first
    other = FAULT if FAULT.pattern and FAULT.pattern.search(cause.text) else OTHER
    vague = VAGUE if tells else ()
    by_vague = (each for each in vague if each.pattern and each.pattern.search(words))
    by_function = _by_file(_BY_FUNCTION if tells else (), [cause.text])
    by_library = (each for each in VAGUE if each.id == "error-library" and _is_library(files))
    by_place = chain(by_library, by_function) if tells else ()
    return next(chain(by_vague, by_place), other)


def _by_file(
    classes: tuple[tuple[re.Pattern[str], str], ...], files: list[str]
) -> Iterator[ErrorClass]:
    """Yield the classes that the files of an error belong to."""
    for pattern, id_ in classes:
        if any(map(pattern.search, files)):
            yield next(each for each in (*CLASSES, *VAGUE) if each.id == id_)


def _is_library(files: tuple[str, ...]) -> bool:
    """Return whether an error was raised in another package than the one that was started."""
    packages = [found[1] for found in map(_INSTALLED.search, files) if found]
    return len(set(packages)) > 1 and packages[-1] != packages[0]


def _is_importing(cause: RootCause) -> bool:
    """Return whether a package failed while it was imported by another module."""
    traced = zip(cause.files, cause.frames, strict=False)
    bodies = [path for path, name in traced if name == "<module>"]
    return len(bodies) > 1 and "-packages/" in bodies[-1]


# Files of what runs only where it is turned on: any error in them is about it.
_OF_FEATURES = (
    (re.compile(r"/(?:spec_decode|speculative|eagle|medusa)\b|speculat"), "error-speculation"),
    (re.compile(r"/(?:lora|peft)/"), "error-adapter"),
    (re.compile(r"/kv_transfer/|/kv_connector/|/lmcache/"), "error-connector"),
)
# What should have been true, in the engine's own code: any part of it may be to blame.
_ASSERTED = re.compile(r"AssertionError(?:: assert |$)")
_CHECKS = re.compile(r"/(?:pydantic|pydantic_core|torch/nn/modules|torch/utils)/")
_BY_FILE = (
    (re.compile(r"/(?:config|engine/arg_utils|entrypoints)\b"), "error-configuration"),
    (re.compile(r"fattn"), "error-attention"),
    (
        re.compile(
            r"quantiz|/bitsandbytes/|/compressed_tensors/|/(?:auto)?awq/|/gptqmodel/|/torchao/"
        ),
        "error-quantization",
    ),
    (re.compile(r"attention|fused_moe|kernels|flash_attn|flashinfer|ggml-cuda"), "error-kernel"),
    (re.compile(r"/distributed/"), "error-several-gpus"),
    (re.compile(r"/torch/(?:_inductor|_dynamo|utils/cpp_ext)|/triton/"), "error-compiler"),
    (re.compile(r"-packages/(?:\w{1,20}_hub|httpx|httpcore|requests|urllib3)/"), "error-hub"),
    (re.compile(r"model_loader|/safetensors/"), "error-weights"),
    (
        re.compile(r"/tokenizers/|transformers_utils|/models/|/\w{0,20}processors?/"),
        "error-program",
    ),
)
_INSTALLED = re.compile(r"-packages/(\w{2,40})[/.]")
# How programs in C++ say which part of them it is: by the function that speaks.
_BY_FUNCTION = (
    (
        re.compile(
            r"llama_(?:init_from_model|new_context|context|kv_cache|memory)|graph_reserve|"
            r"sched_reserve|ggml_(?:backend_)?(?:sched|gallocr)|failed to create context"
        ),
        "error-context",
    ),
    (
        re.compile(
            r"error loading model|(?:not|n't|ed to) load .{0,30}model from|llama_model_load|"
            r"load_(?:model|hparams|vocab|tensors|arch)|gguf_"
        ),
        "error-loading",
    ),
)
_SOURCE = re.compile(r"(?<![\w./-])([\w./-]{1,200}\.(?:cc|cpp|cuh?)):\d{1,6}\b")
_LACKED = re.compile(r"(?<=object )has no attribute '[a-z]{1,30}'")
_PATH = re.compile(r"(?<![\w:])(?:/[\w.@+-]{1,100}){2,20}/?")
