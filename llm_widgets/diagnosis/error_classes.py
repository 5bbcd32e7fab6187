"""What can be said of an error that the catalogue does not have: its class, and first steps.

An error is shown in its own words. The class adds what is true of all errors of the kind, and
steps that are right for any of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import (
    BIGGER_GPU,
    DEFAULT_IMAGE,
    DISK_FULL,
    FEWER_REQUESTS,
    IMPORT_AGAIN,
    LESS_BATCH,
    LESS_SHARE,
    MORE_MEMORY,
    MOUNT_AGAIN,
    NEWER_IMAGE,
    OTHER_GPU,
    RETRY,
    SMALLER_MODEL,
    WITHOUT_ARGUMENT,
    WRITE_LESS,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.diagnosis.root_cause import RootCause


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """A class of errors.

    Attributes
    ----------
    meaning
        Template of a sentence that is true of all errors of the class; ``{raising}`` is the one of
        Python whose module raised the error.
    pattern
        Searched in the error's words.
    frames
        Searched in the functions and files of its traceback, where the words are of no use.
    """

    id: str
    meaning: str
    advice: tuple[Advice, ...]
    pattern: re.Pattern[str] | None = None
    frames: re.Pattern[str] | None = None


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
    tells = not is_asserted and not _FAULT.search(cause.text)
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


# Exceptions that no program raises on purpose, and places that it is never to come to.
_FAULT = re.compile(
    r"^(?:\w{1,60}\.){0,6}(?:Attribute|Index|Name|Recursion|Type|UnboundLocal|ZeroDivision)Error\b|"
    r"^std::(?:out_of_range|length_error|bad_\w{3,30}|logic_error|future_error)\b|"
    r"\bshould (?:not|never) (?:be reached|happen|get here)\b|\bunreachable\b"
)
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


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_NONE = RemedyKind.NONE
_OFFERED_IMAGE = (DEFAULT_IMAGE, NEWER_IMAGE)
_WITHOUT_NAMED = (
    WITHOUT_ARGUMENT,
    Advice(
        RemedyKind.REDEPLOY,
        "Deploy without the variable {given_variable}.",
        {"remove_environment": "{given_variable}"},
    ),
)
_WITHOUT_FEATURE = (
    Advice(
        RemedyKind.REDEPLOY,
        "Deploy without {feature}, which turns on what the error is about.",
        {"remove_argument": "{feature}"},
    ),
    Advice(
        RemedyKind.REDEPLOY,
        "Deploy without the variable {feature_variable}, which turns on what the error is about.",
        {"remove_environment": "{feature_variable}"},
    ),
)
"""What the deployment turns on beside what a model needs: see :attr:`.Engine.features`."""

_OTHER_IMAGE = Advice(
    _NONE,
    "Use another version of the image: an older one if it ran before, else the newest.",
)
_NEWEST = Advice(_NONE, "Use the newest version of the engine's image: it knows more models.")
_OTHER_MODEL = Advice(
    _NONE, "Import another quantization of the model, or the original without one."
)
_ARGUMENTS = Advice(
    _NONE,
    "Correct what the error names in the arguments or variables, or take it out: the engine "
    "then uses its default.",
)
_ONE_GPU = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with {one_gpu}: an instance of Cloud Run has one GPU.",
    {"add_argument": "{one_gpu}"},
)
_BUCKET = Advice(
    _NONE,
    "Check that the file is in the bucket, in the folder {folder}, and has the size that its hub "
    "tells.",
)

_MISSING = "A file is not where it is looked for."
_FIND = (
    _BUCKET,
    IMPORT_AGAIN,
    Advice(
        _NONE,
        "If the error names a file of the image and not of the model, use the engine's official "
        "image.",
    ),
)
_UNKNOWN_TO_ENGINE = (
    "This version of the engine, or a library that it brings, does not know something of the model."
)
_KNOWS_MORE = (NEWER_IMAGE, DEFAULT_IMAGE, *_WITHOUT_FEATURE, _NEWEST, _OTHER_MODEL)
_NO_KERNEL = (
    "A computation on the GPU failed, or this image has no program for it: for this model, this "
    "GPU or its driver."
)
_OTHER_KERNEL = (*_WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, OTHER_GPU, _OTHER_IMAGE)
_ARGUMENT = "The engine does not take an argument or option that it was given."
_PACKAGE = (
    "The image lacks a package or library, or has one of a version that does not fit the others."
)
_OTHER_PACKAGE = (
    *_WITHOUT_FEATURE,
    *_OFFERED_IMAGE,
    Advice(
        _NONE,
        "Use the engine's official image unchanged; or, if you already use it, another "
        "version, or a model that does not need the package.",
    ),
)

CLASSES: tuple[ErrorClass, ...] = (
    ErrorClass(
        "error-argument",
        _ARGUMENT,
        (*_WITHOUT_NAMED, *_WITHOUT_FEATURE, _ARGUMENTS),
        _words(
            # Functions of llama.cpp begin their lines like this, too, with underscores.
            r"^(?![a-z]{1,30}(?:_[a-z0-9]{1,30}){1,8}: )[\w ./-]{1,60}: error: "
            r"(?!failed|unable|could ?n[o']t|cannot|can't)|"
            r"^error: (?:unrecognized|argument|the following)|"
            r"\(choose from|cannot be other|no such option|mutually exclusive|^invalid value|"
            r"cannot be (?:set|used) (?:with|together)|"
            r"argument [\"'`]{0,1}--[a-z]|value for --[a-z]|handling environment variable|"
            # One choice that goes only with another one.
            r"was requested, but|\brequires? --[a-z]"
        ),
    ),
    ErrorClass(
        "error-speculation",
        "What the engine is told of speculative decoding, or its draft model, does not go with the "
        "model, the other arguments or this version of the engine.",
        (
            *_WITHOUT_FEATURE,
            *_OFFERED_IMAGE,
            Advice(
                _NONE,
                "Leave out what turns it on, such as --speculative-config or --model-draft, or use "
                "a draft model that was made for this model.",
            ),
        ),
        _words(
            r"speculati|\bspeculator|draft[ _](?:model|vocab|token|head|checkpoint)|\beagle\d?\b|"
            r"eagle\w{0,12}proposer|\bmedusa\b|\bn_predict\b|\bmtp\b"
        ),
    ),
    ErrorClass(
        "error-port",
        "The address or port that a program of the container wants to listen on can't be used, "
        "mostly as another one listens there.",
        (
            Advice(_NONE, "Give each program in the container a port of its own."),
            RETRY,
        ),
        _words(
            r"address already in use|cannot assign requested address|errno 9[89]\b|\blisten tcp\b|"
            r"port \d{1,5} is already|"
            r"\bzmqerror\b|(?:bind|listen)\b.{0,60}(?:socket|address|port)\b|"
            r"only one usage of each socket"
        ),
    ),
    ErrorClass(
        "error-disk",
        DISK_FULL,
        (MORE_MEMORY, WRITE_LESS),
        _words(r"no space left on device|errno 28\b|disk quota exceeded"),
    ),
    ErrorClass(
        "error-processes",
        "The system gave the container no further process, thread or open file.",
        (
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with OMP_NUM_THREADS={cpu} and OPENBLAS_NUM_THREADS={cpu}: libraries then "
                "start one thread for each vCPU.",
                {"environment": "OMP_NUM_THREADS={cpu};OPENBLAS_NUM_THREADS={cpu}"},
            ),
            MORE_MEMORY,
            RETRY,
        ),
        _words(
            r"(?:can't|cannot|could not|failed to|unable to) (?:start|create) (?:a )?(?:new )?"
            r"(?:native |os )?thread|resource temporarily unavailable|errno 11\b|errno=11\b|"
            r"too many open files|errno 24\b|pthread_create|(?:cannot|can't) fork|fork: retry"
        ),
    ),
    ErrorClass(
        "error-killed",
        "A program of the container was killed, mostly as the container's memory did not suffice.",
        (MORE_MEMORY, SMALLER_MODEL, RETRY),
        _words(r"\bsigkill\b|killed by signal 9\b|exit(?:ed with)? (?:code|status) 137\b"),
    ),
    ErrorClass(
        "error-container-memory",
        "The container's memory did not suffice.",
        (MORE_MEMORY, SMALLER_MODEL),
        _words(
            r"\bmemoryerror\b|cannot allocate memory|can't allocate memory|std::bad_alloc|"
            r"^killed$|signal: killed|oom-?kill|errno 12\b|defaultcpuallocator|"
            r"system memory|cpu buffer|shared memory (?:segment|region)|"
            r"mmap failed(?!: (?:no such device|invalid|operation|permission|bad))"
        ),
    ),
    ErrorClass(
        "error-mapped",
        "A program read memory that is not there: mostly a file that it maps changed or could not "
        "be read, or the memory that processes share is full.",
        (RETRY, MORE_MEMORY, NEWER_IMAGE, DEFAULT_IMAGE),
        _words(r"\bbus error|\bsigbus|signal:? 7\b"),
    ),
    ErrorClass(
        "error-cache",
        "The GPU's memory has too little room for the cache of a request beside the model.",
        (
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with a context of {less_context} tokens instead of {tokens}.",
                {"max_model_len": "{less_context}"},
            ),
            BIGGER_GPU,
            SMALLER_MODEL,
        ),
        _words(r"kv[ _-]?cache (?:memory|size|blocks|is needed)|cache blocks|kv cache buffer"),
    ),
    ErrorClass(
        "error-gpu-memory",
        "The GPU's memory did not suffice.",
        (FEWER_REQUESTS, LESS_BATCH, LESS_SHARE, BIGGER_GPU, SMALLER_MODEL),
        _words(
            r"out of[ -]?memory|cudamalloc|load full model on gpu|unable to allocate cuda|"
            r"cublas_status_alloc_failed|"
            r"cudaerrormemoryallocation|(?:fail\w{0,3}|unable|cannot|can't|could not) (?:to )?"
            r"allocate .{0,40}(?:\bcuda|vram)|allocating .{1,40} on device|"
            r"(?:insufficient|not enough) (?:gpu |video )memory|"
            r"(?:not enough|insufficient|exceed\w{0,3}|requires?|out of) .{0,40}\bvram\b|"
            r"\bvram\b.{0,40}(?:not enough|insufficient|exceed|too (?:small|little))"
        ),
    ),
    ErrorClass(
        "error-memory",
        "There was too little memory: the GPU's, or the container's for what is computed there.",
        (FEWER_REQUESTS, LESS_BATCH, BIGGER_GPU, MORE_MEMORY, SMALLER_MODEL),
        _words(
            r"(?:fail\w{0,3}|unable|cannot|can't|could not) (?:to )?(?:allocate|reserve) "
            r".{0,60}(?:buffer|memory|bytes)|"
            r"(?:insufficient|not enough|too little) (?:\w{1,12} )?memory"
        ),
    ),
    ErrorClass(
        "error-gpu-count",
        "The engine is to use more GPUs than the instance has, GPUs of several machines, or more "
        "than the model can be split over.",
        (
            _ONE_GPU,
            *_WITHOUT_FEATURE,
            Advice(
                _NONE,
                "Let the engine use one GPU: leave out what splits the model over several, such as "
                "--tensor-parallel-size.",
            ),
        ),
        _words(
            r"number of (?:\w{1,12} )?(?:gpus|devices)\b|(?:not )?enough gpus|"
            r"exceeds? .{0,40}\bgpus\b|\bray\b.{0,60}\b(?:gpus?|nodes?|resources?)\b|"
            r"(?:node|machine) has no gpu|invalid device (?:ordinal|string)|"
            r"\bonly (?:\d|one) gpus?\b|\b(?:is|needs|per) one gpu\b|no available node types|"
            r"placement group|% \S{0,20}(?:tp_size|world_size|tp\.size)|"
            r"divisible by .{0,20}(?:tensor|tp|world|gpus|shards|ranks|devices)|"
            r"(?:tensor|pipeline)[ _-]parallel[ _-]size\b.{0,60}(?:exceed|larger|greater|divis)"
        ),
    ),
    ErrorClass(
        "error-several-gpus",
        "Programs on several GPUs, or the library for it (torch.distributed, NCCL), did not come "
        "together, or it refuses what it is told.",
        (
            _ONE_GPU,
            *_WITHOUT_FEATURE,
            RETRY,
            _OTHER_IMAGE,
        ),
        _words(
            r"\bnccl|dist(?:backend|network|store)error|processgroup|rendezvous|"
            r"custom_all_reduce|\bgloo\b|waiting for clients|other ranks|"
            r"(?:send|recv|receive) operation|tcpstore|peer access|"
            r"connection (?:closed|reset) by peer \["
        ),
    ),
    # Operators that an image's own libraries register, whatever they are named after.
    ErrorClass(
        "error-package",
        _PACKAGE,
        _OTHER_PACKAGE,
        _words(
            r"_opnamespace|operator \S{1,80} does not exist|torch\.ops\.|"
            # Whatever could not be imported is named after what it is for.
            r"\bcannot import name\b"
        ),
    ),
    # What is said of the GPU tells more than the kind of error that says it.
    ErrorClass(
        "error-kernel",
        _NO_KERNEL,
        _OTHER_KERNEL,
        _words(
            r"(?:cuda|compute) capability \d|\bSM \d{1,3}\.[\dx]\b.{0,40}requires|"
            # Whichever library says so: this GPU is not one of those that it is made for.
            r"(?:not|n't) (?:yet |currently )?support(?:ed)?\b.{0,40}?\b(?:current|this|your) "
            r"(?:gpu|device|hardware)\b|(?:not|un)[ -]?supported .{0,30}\bsm_?\d{2,3}"
        ),
    ),
    ErrorClass(
        "error-command",
        "The container's command, or a script that it runs, can't be run as it is.",
        (
            *_OFFERED_IMAGE,
            Advice(
                _NONE,
                "Correct the command and the arguments of the container; or leave the command out, "
                "so that the image's own one is run.",
            ),
            Advice(
                _NONE,
                "A script needs Unix line ends, a first line such as #!/bin/sh that the image has, "
                "and the permission to be run.",
            ),
        ),
        _words(
            r"bad interpreter|: syntax error: |syntax error near unexpected|"
            r": illegal option -|: option requires an argument|unexpected eof while looking for|"
            r"(?:env|exec): .{0,40}\\r|no such file or directory.{0,3}\\r"
        ),
    ),
    ErrorClass(
        "error-compiler",
        "A program had to be compiled at the start, and the image lacks what that takes, or the "
        "compiler failed.",
        (
            *_OFFERED_IMAGE,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy without compiling: {eager}.",
                {"add_argument": "{eager}"},
            ),
            Advice(_NONE, "Use the engine's official image, which brings its compilers."),
        ),
        _words(
            r"\bnvcc\b|c compiler|\bgcc\b|\bg\+\+|python\.h|\bninja\b|cuda_home|ptxas|"
            r"compilation (?:failed|error)|compilationerror|inductorerror|backendcompilerfailed|"
            r"torch\._dynamo|torch\._inductor|"
            # Libraries that compile; and they say other things, too.
            r"(?:\btriton\b|cutlass|tilelang|deep_?gemm).{0,80}(?:compil|\bbuild|\bbuilt)|"
            r"compil\w{0,6}.{0,80}(?:\btriton\b|cutlass|tilelang|deep_?gemm)|"
            r"(?<!ptx )(?<!CUDA_ERROR_)(?<!torch\.)\bjit\b|expected size \d{1,9}==|"
            r"\bcicc\b|\bcc1plus\b|failed to build"
        ),
        _words(
            r"torch/_(?:inductor|dynamo)|triton/(?:compiler|backends)|flashinfer/jit|cpp_extension"
        ),
    ),
    ErrorClass(
        "error-package",
        _PACKAGE,
        _OTHER_PACKAGE,
        _words(
            r"modulenotfounderror|importerror|failed to import|no module named|undefined symbol|"
            r"cannot import|"
            r"cannot open shared object|pip install|please install|requires? .{0,60}install|"
            r"is not installed|not installed|packagenotfound|distributionnotfound|"
            r"not compiled with cuda|cuda setup failed|"
            r"version .{0,40}(?:is required|required|not compatible|incompatib|mismatch)|"
            r"upgrade [\w.-]{1,40} to |(?:compiled|built) +(?:against|using)|"
            # Programs and libraries of the image, not files of the model.
            r"\bbinary\b.{0,40}\b(?:at|not found)\b|"
            r"\b(?:find|locate|load) .{0,60}(?:binary|librar)|"
            r"librar(?:y|ies) .{0,60}not found|"
            r"requires .{0,40}version|module '?[\w.]{1,60}'? has no attribute|glibc|"
            r"object '?\w{0,40}(?:tokenizer|config|processor)'? has no|"
            r"(?:tokenizer|config|processor)\w{0,20}'?(?: object)? has no attribute|"
            r"command not found|executable file not found|\d: \S{1,80}: not found$"
        ),
    ),
    ErrorClass(
        "error-build",
        "This build of the program lacks a part that it would need here.",
        (
            *_WITHOUT_NAMED,
            *_WITHOUT_FEATURE,
            *_OFFERED_IMAGE,
            Advice(
                _NONE,
                "Use the engine's official image, which is built with more parts; or leave out the "
                "argument that needs this one.",
            ),
            Advice(
                _NONE,
                "If it is to download the model, name the model by its path in the mounted bucket "
                "instead.",
            ),
        ),
        _words(
            r"\b(?:re)?(?:build|built|compile|compiled) (?:it )?(?:with(?:out)?\b|from source)|"
            r"please (?:rebuild|recompile)|-D[A-Z][A-Z_]{2,40}=(?:on|1)\b"
        ),
    ),
    ErrorClass(
        "error-connector",
        "What transfers the engine's KV cache to other memory or other engines, its connector, "
        "does not go with the model, with what the engine is told of it, or with this version.",
        (
            *_WITHOUT_FEATURE,
            *_OFFERED_IMAGE,
            Advice(
                _NONE,
                "Leave out what turns it on, such as --kv-transfer-config, or use an image that "
                "brings a connector of a version that was made for its engine.",
            ),
        ),
        _words(
            r"kv[ _-]?transfer|kv[ _-]?connector|\w{2,30}connector(?:v\d)?\b|kv_role|"
            r"\blmcache|\bnixl|\bmooncake"
        ),
        re.compile(r"/lmcache/|/kv_transfer/|/nixl|/mooncake"),
    ),
    ErrorClass(
        "error-attention",
        "No kind of attention that the engine has goes with this model, its cache and this GPU "
        "together, or not the one that was chosen.",
        (
            *_WITHOUT_FEATURE,
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            OTHER_GPU,
            _OTHER_IMAGE,
        ),
        _words(
            r"head[ _-]?(?:size|dim(?:ension)?)\b.{0,80}support|attention backend|attn_backend|"
            r"AttentionBackendEnum|support _backend\.|"
            r"requires? flash[ _-]?attention|flash[ _-]?attention\b.{0,40}(?:requires?|enabled|"
            r"support)|"
            r"(?:sinks?|alibi|sliding window|logits? soft ?cap|cross-attention)\b.{0,60}support|"
            r"support.{0,60}(?:\bsinks?\b|alibi|sliding window|cross-attention)"
        ),
    ),
    ErrorClass(
        "error-quantization",
        "The way in which the model is quantized does not go with this version of the engine, with "
        "this GPU, or with what the engine is told of it.",
        (
            *_WITHOUT_FEATURE,
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            _OTHER_MODEL,
            OTHER_GPU,
            _NEWEST,
        ),
        _words(
            r"quantiz|quantis|bitsandbytes|\bbnb\b|\bawq\b|\bgptq|compressed.?tensors|modelopt|"
            r"\bquark\b|\b(?:ocp_)?mx(?:fp)?\d?\b.{0,20}scheme|nvfp4|mxfp4|group_?size|"
            r"(?:moe|linear|activation) scheme|desc_act|"
            r"\bint[48]\b.{0,40}(?:not|un) ?supported"
        ),
    ),
    ErrorClass(
        "error-kernel",
        _NO_KERNEL,
        _OTHER_KERNEL,
        _words(
            r"no kernel image|device kernel image|invalid device function|compute cap\b|"
            r"compute capability|cuda_error_(?:invalid_ptx|unsupported_ptx|no_binary|"
            r"invalid_image|not_found|system|compat)|ptx jit|"
            r"\bsm_?\d{2,3}|\bptx\b|driver|libcuda\b|cudagetdevice|cuda_?error|no cuda|"
            r"flash[ _-]?(?:attn|attention|infer|mla)|attention backend|backend.{0,40}not support|"
            r"unsupported (?:gpu|toolchain|display|hardware)|current (?:gpu|device|platform)|"
            r"(?:gpu|device) (?:does not|doesn't|is not) support|kernel|nvml|marlin|fp8|fp4|"
            r"initializ\w{1,8} cuda|cuda.{0,30}?initializ|device code|no device|"
            r"cuda arch|\btma\b|bfloat16 is only|dtype.{0,40}not supported|cudnn|cublas|"
            r"cuda (?:driver|runtime)|\btriton\b|cutlass|tilelang|deep_?gemm"
        ),
    ),
    ErrorClass(
        "error-crash",
        "A program crashed: mostly a fault of the engine, its libraries or the driver.",
        (RETRY, NEWER_IMAGE, DEFAULT_IMAGE, _OTHER_IMAGE),
        _words(
            r"segmentation|sigsegv|segfault|sigabrt|sigill|illegal (?:instruction|memory)|"
            r"core dumped|fatal python|misaligned address|unspecified launch|device-side assert|"
            r"(?:with|uncaught) signal:? (?:[4678]|11)\b|^panic|panicked|goroutine|"
            r"unexpected signal|"
            r"cuda error|error:fault|xid|^aborted|terminate called|"
            r"abort was called|double free|stack smashing|corrupted size|"
            r"(?:malloc|free|realloc|munmap_chunk)\(\): "
        ),
    ),
    ErrorClass(
        "error-read-only",
        "The program can't write to a folder: it is read only, or the program's user lacks the "
        "right.",
        (
            Advice(
                _NONE,
                "Name a folder that can be written by the variable that the program has for it, "
                "for example one under /tmp: the bucket is mounted to be read only.",
            ),
        ),
        _words(
            r"read-only file system|errno 30\b|erofs|"
            r"(?:mkdir|makedirs|create (?:the )?(?:directory|folder)).{0,300}?permission denied"
        ),
    ),
    ErrorClass(
        "error-file-system",
        "A file system lacks what the program wants of it: a mounted bucket has no locks and no "
        "links, and files in it can't be changed in place.",
        (
            Advice(
                _NONE,
                "Name a folder under /tmp for what the program writes, by the variable that it has "
                "for it; the bucket is there to be read.",
            ),
            _OTHER_IMAGE,
        ),
        _words(
            r"errno (?:18|38|95)\b|function not implemented|^oserror: .*operation not supported"
        ),
    ),
    ErrorClass(
        "error-storage",
        "What reads files of the bucket failed: the mount, what streams them, or a file that "
        "changed.",
        (
            MOUNT_AGAIN,
            Advice(
                _NONE,
                "Don't overwrite or delete files of a model while it is served: import into "
                "another folder.",
            ),
            MORE_MEMORY,
        ),
        _words(
            r"transport endpoint|stale (?:nfs )?file handle|input/output error|errno (?:5|107|"
            r"116)\b|"
            r"\bfuse(?:: |\.| (?:daemon|mount|file|error|op))|gcsfuse|stale object|"
            r"file clobbered|storage\.googleapis|\bgcs\b|gs://|(?:gcs|storage|s3) bucket|"
            r"(?:metadata|open|read|list|stat) .{0,20}\bbucket\b|\bbucket\b.{0,60}(?:mount|"
            r"does ?n[o']t exist|storage)|mount\w{0,8} .{0,40}\bbucket\b|"
            r"(?:runai|model|weights?|file)\w{0,4}[ _.-]?streamer|object storage|blob storage"
        ),
    ),
    ErrorClass(
        "error-google-permission",
        "Google Cloud refuses a request of the container: its identity lacks a permission.",
        (
            Advice(
                _NONE,
                "Grant a role that has the permission to the service account that the service runs "
                "as, on the resource that the error names.",
            ),
            RETRY,
        ),
        _words(
            r"permission '?[a-z]{2,30}\.[\w.]{3,80}'? denied|iam_permission_denied|"
            r"(?:does not have|lacks) (?:the )?(?:permission )?'?[a-z]{2,30}\.[a-z]{2,40}\.[a-z]|"
            r"googleapi: error 403|insufficient authentication scopes"
        ),
    ),
    ErrorClass(
        "error-permission",
        "The program lacks a permission: a file, a program or a server refuses access.",
        (
            Advice(
                _NONE,
                "Give the identity that the error names the right that it lacks; for a file of the "
                "image, use the engine's official image.",
            ),
        ),
        _words(
            r"permission ?(?:error|denied)|invalid permissions|errno 13\b|eacces|forbidden|"
            r"unauthori[sz]ed|(?:error|status|code|http\S{0,10})\W{1,3}40[13]\b|"
            r"\b40[13] (?:client|forbidden|unauth)|access denied|gated repo|"
            r"(?:no|invalid|missing|default|find) credentials|credentials .{0,40}not|"
            r"operation not permitted|errno 1\]|denied"
        ),
    ),
    ErrorClass(
        "error-file-missing",
        _MISSING,
        _FIND,
        _words(
            r"filenotfound|no such file|errno 2\b|entrynotfound|does not appear to have a file|"
            r"no file named|\b0 files\b|files? (?:matching|match the)|config file exists|"
            r"no adapter found"
        ),
    ),
    ErrorClass(
        "error-timeout",
        "Something took longer than the engine waits for it.",
        (
            RETRY,
            Advice(
                _NONE,
                "Raise the timeout that the error names. Loading from a bucket is faster with more "
                "memory and CPU.",
            ),
        ),
        _words(
            r"timed[ _-]?out|worker timeout|took too long|not ready within|deadline (?:exceeded|"
            r"passed)|"
            r"timeout(?:error|expired|exception)|time-?out (?:exceeded|expired|after|while|of \d|"
            r"was "
            r"reached|reached|waiting)|(?:hit|reached|before|exceeded|i/o) (?:\w{1,12} )?time-?out"
        ),
    ),
    ErrorClass(
        "error-network",
        "The program could not get something from another server: it was not reached, or it "
        "refused.",
        (
            Advice(
                _NONE,
                "Check that the model is named by its path in the mounted bucket, so that nothing "
                "is downloaded.",
            ),
            Advice(
                _NONE,
                "If the service goes through a VPC network, it needs a way out: Cloud NAT, or only "
                "requests to private addresses over the network.",
            ),
        ),
        _words(
            r"connection ?(?:error|refused|reset|aborted|closed)|name resolution|gaierror|"
            r"sslerror|certificate|no such host|dial tcp|network is unreachable|"
            r"name or service not known|errno -[23]\]|\bproxy ?(?:error|connect|auth|server)|"
            r"(?:connect|reach|fetch|download|request|retriev|resolv|access|get|head|post|url:?|"
            r"load)\w{0,4}\b.{0,60}(?:https?://|huggingface\.co)|\bhttps?error\b|"
            r"^(?:get|head|post|put) \"?https?:|\b(?:get|head) failed\b|server gave http|"
            r"reqwest|request failed|too many requests|\b[45]\d\d (?:client|server) error\b|"
            r"response code:? \d{3}\b|\bhf api\b|max(?:imum)? retries|could not resolve host|"
            r"localentrynotfound|offline mode|is offline|"
            r"(?:error|failed).{0,20}? (?:downloading|to download)"
        ),
    ),
    ErrorClass(
        "error-file-damaged",
        "A file is not whole, or is none of the format that is expected, such as JSON, safetensors "
        "or GGUF.",
        (IMPORT_AGAIN, _BUCKET),
        _words(
            r"safetensorerror|jsondecodeerror|unpicklingerror|pytorchstreamreader|not a valid json|"
            r"corrupt|\btruncated\b|\bmagic\b|checksum|unicodedecodeerror|incomplete"
            r"(?:ly| (?:metadata|file|download|header|data|read))|file bounds|"
            r"header ?(?:too|is)|invalid header|unexpected end|\beof|(?:fail\w{0,3}|"
            r"unable) (?:to )?"
            r"read(?:ing)?\b(?! .{0,20}(?:/proc|response|request|error))|"
            r"expecting value|expected value at line|invalid literal|digest mismatch|badzipfile|"
            r"parseerror|yaml\b.{0,40}error|json: cannot unmarshal|"
            r"unmarshal\w{0,4} .{0,30}(?:config|"
            r"manifest|file)|invalid character|end of file|"
            r"invalid (?:\w{1,12} )?gguf|invalid file\b|consistency check|should be of size|"
            r"(?:got|has|have|of) size \d{1,15}.{0,20}expected|invalid load key|split file|"
            r"exceeds file size|offset\+size|file magic|unsupported content type|"
            r"not in gguf format|"
            r"(?:gguf|array|string|tensor)\b.{0,40}exceeds maximum|"
            r"git-?lfs|untagged enum"
        ),
    ),
    ErrorClass(
        "error-projector",
        "The part of the model for pictures and sound (its mmproj file) is missing, does not go "
        "with "
        "the model, or is of a kind that this version of the engine does not know.",
        (
            *_WITHOUT_FEATURE,
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            _NEWEST,
            Advice(
                _NONE,
                "Use the mmproj file of the same repository as the model; or leave it out: the "
                "model then takes text only.",
            ),
        ),
        _words(
            r"mmproj|\bclip(?:_\w{2,40}|\.cpp)?(?:::?\w{1,40}){0,3}: |\bmtmd\w{0,30}\b|projector"
        ),
    ),
    ErrorClass(
        "error-weights",
        "The model's weights and what this version of the engine expects of such a model, or "
        "computes "
        "with it, don't go together.",
        (*_WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, _NEWEST, _OTHER_MODEL, IMPORT_AGAIN),
        _words(
            r"size mismatch|keyerror: '?\"?(?:model|layers|language_model|lm_head|visual|vision|"
            r"transformer|blk|mtp)[.\w]*|no module or parameter|weights? .{0,40}not initialized|"
            r"shape|wrong (?:number of|shape)|(?:missing|unexpected|duplicate|wrong)\w? tensor|"
            r"tensors? (?:['\"`]|not found|missing|is missing|data)|number of tensors|"
            r"(?:find|have|contain|no) (?:a |the |such |projector )?tensor|mismatch between|"
            r"weight_scale|(?<!context )checkpoint|state_dict|\[\d[\d, ]{0,60}\] (?:!=|==|"
            r"vs\.?) \[\d|"
            r"\bweights?\b|unexpected keys?\b|missing keys?\b|loaded_weight|qkv|"
            r"\b(?:input|weight|kv|k|v|q)_?scale\b"
        ),
        re.compile(r"load_weights|weight_loader|load_state_dict|process_weights_after_loading"),
    ),
    ErrorClass(
        "error-architecture",
        "This version of the engine does not know the architecture of the model.",
        _KNOWS_MORE,
        _words(
            r"(?:unknown|unsupported) (?:model )?architecture|"
            r"architectures? .{0,80}not (?:\w{1,12} )?(?:supported|implemented|recogni[sz]ed)|"
            r"(?:not|n't) (?:support|recogni[sz]e) (?:this|the) (?:model )?architecture"
        ),
    ),
    ErrorClass(
        "error-outdated",
        "A file or setting is of an older form, which this version of the engine does not take any "
        "more.",
        (
            *_WITHOUT_NAMED,
            *_WITHOUT_FEATURE,
            Advice(
                _NONE,
                "Leave the setting out that the error names; of a file, import one of a newer "
                "form, for example from another repository of the model.",
            ),
            Advice(_NONE, "Or use an older version of the image, which took it."),
        ),
        _words(
            r"(?:no longer|not) (?:\w{1,12} )?(?:supported|accepted|available)\b.{0,60}"
            r"(?:up-to-date|newer|removed)|(?:is|are|was|were) no longer (?:\w{1,12} )?"
            r"(?:supported|accepted|available|valid)|(?:was|were|has been|have been) removed\b"
        ),
    ),
    ErrorClass(
        "error-template",
        "The model has no chat template, or one that the engine can't use.",
        (
            *_WITHOUT_NAMED,
            *_WITHOUT_FEATURE,
            Advice(
                _NONE,
                "Import a model that was made for chats, whose name mostly has Instruct or chat in "
                "it; or name a template by the argument that the engine has for it, such as "
                "--chat-template.",
            ),
            NEWER_IMAGE,
            DEFAULT_IMAGE,
        ),
        _words(r"chat[ _]templates?|\bjinja"),
    ),
    ErrorClass(
        "error-model",
        _UNKNOWN_TO_ENGINE,
        _KNOWS_MORE,
        _words(
            r"architecture|model[ _]type|unrecognized model|unknown model|pre-tokenizer|"
            r"projector type|"
            r"tokenizer|unrecognized configuration|processor|vocab|"
            r"\brope|sliding window|mamba|not recognized|no .{0,20}implementation|"
            r"\bggu?f\b.{0,40}(?:not support|unsupported|unknown|failed to map)|"
            r"unsupported (?:model|config)"
        ),
        re.compile(r"(?:configuration|tokenization|modeling|processing|image_processing)_auto\b"),
    ),
)

VAGUE: tuple[ErrorClass, ...] = (
    ErrorClass(
        "error-check",
        "A check in a program of the engine failed: a fault of this version, or the model, the GPU "
        "or a setting does not go with it.",
        (*_WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, _OTHER_IMAGE, _OTHER_MODEL),
        _words(
            r"ggml_assert|\bassertion (?:[`'\"]|fail)|\bcheck failed|"
            r"ggml[\w.-]{0,40}:\d{1,6}: fatal error"
        ),
    ),
    ErrorClass(
        "error-adapter",
        "A LoRA adapter does not go with the model, or with what the engine is told of adapters.",
        (
            *_WITHOUT_NAMED,
            NEWER_IMAGE,
            Advice(
                _NONE,
                "Use an adapter that was made for this model, or merge it into the model and "
                "import the result.",
            ),
        ),
        _words(r"\blora\b|\badapters?\b"),
    ),
    ErrorClass(
        "error-configuration",
        "What the engine is told does not go together: its arguments and variables, the settings "
        "of the model, and what this version supports.",
        (*_WITHOUT_NAMED, *_WITHOUT_FEATURE, _ARGUMENTS, *_OFFERED_IMAGE),
    ),
    ErrorClass(
        "error-hub",
        "What fetches models from a hub failed or refuses what it was asked for: a name, a "
        "file or the access.",
        (
            Advice(
                _NONE,
                "Import the model and name it by its path in the mounted bucket, so that nothing "
                "is fetched at the start.",
            ),
            RETRY,
            *_OFFERED_IMAGE,
        ),
    ),
    ErrorClass(
        "error-program",
        "The engine's program for this kind of model, or a library that it brings, failed or does "
        "not support something: the model's settings, its files, or what it is told.",
        (*_WITHOUT_NAMED, *_KNOWS_MORE),
    ),
    ErrorClass(
        "error-library",
        "The package {raising} of the image failed or refuses something: the model, one of its "
        "settings, or what it is told.",
        (*_WITHOUT_NAMED, *_KNOWS_MORE),
    ),
    ErrorClass(
        "error-loading",
        "The model can't be loaded: its file is not whole, this version of the engine does not "
        "know "
        "its form, or a setting does not go with it.",
        (*_WITHOUT_NAMED, *_WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, _NEWEST, IMPORT_AGAIN),
    ),
    ErrorClass(
        "error-context",
        "What computes with the model could not be set up: there is too little memory, a setting "
        "of "
        "the context, its cache or the batch does not go with the model, or this version has a "
        "fault.",
        (
            *_WITHOUT_NAMED,
            *_WITHOUT_FEATURE,
            FEWER_REQUESTS,
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with a context of {less_context} tokens instead of {tokens}.",
                {"max_model_len": "{less_context}"},
            ),
            BIGGER_GPU,
        ),
    ),
    ErrorClass(
        "error-argument",
        _ARGUMENT,
        (*_WITHOUT_NAMED, *_WITHOUT_FEATURE, _ARGUMENTS),
        _words(
            r"--[a-z]|unknown (?:key|field|setting|parameter)\b|"
            r"validation errors? for \w{0,40}Config|"
            r"(?:^|\s)error: .{0,80}?(?:argument|option|flag|parameter|value|usage|command|"
            r"unknown|unrecogni[sz]ed|unexpected|invalid|required)"
        ),
    ),
    ErrorClass(
        "error-value",
        "A check of the engine refuses a value: one of an argument or a variable, one of the "
        "model's settings, or one that it made itself.",
        (*_WITHOUT_NAMED, *_WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, _ARGUMENTS, _OTHER_IMAGE),
        _words(
            r"(?:value|validation) ?error\b.{0,300}?\b(?:must|should|cannot|can't|requires?|"
            r"only|not (?:allowed|valid|compatible)|invalid|incompatible|at least|at most|"
            r"greater|less|exceeds?|expected)\b|"
            r"(?:select|choose|chose) (?:from|between)|must be (?:one of|in \[|a |an |at |between|"
            r">|<|"
            r"greater|less|positive)|"
            r"valid (?:values|options|choices|modes)|is greater than max"
        ),
    ),
    ErrorClass(
        "error-file-missing",
        _MISSING,
        _FIND,
        _words(
            r"(?:\bfiles?\b|folder|directory|\bpath\b|\.(?:json|safetensors|gguf|bin|jinja|model|"
            r"txt)\b|"
            r"\bshard\b).{0,120}(?:not exist|n't exist|not found|missing)|(?:can't|cannot|"
            r"could ?n[o']t) "
            r"find .{0,60}(?:\bfiles?\b|folder|directory|\bpath\b|\.(?:json|safetensors|gguf|bin|"
            r"model)\b|\bshard\b)|no (?:\w{1,20} )?files?\b|missing file|"
            r"\bPATH\b.{0,20}(?:not exist|"
            r"n't exist|not found)|no such file"
        ),
    ),
    ErrorClass(
        "error-missing",
        "Something that is looked for is not there: a file or setting of the model, or a part of "
        "the "
        "engine.",
        (
            *_WITHOUT_NAMED,
            *_WITHOUT_FEATURE,
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            IMPORT_AGAIN,
            _OTHER_IMAGE,
        ),
        _words(
            r"not exist|n't exist|(?:can't|cannot|could ?n[o']t|unable to|failed to) (?:find|"
            r"locate)|"
            r"not found|no \w{1,20} found|\bmissing\b"
        ),
    ),
    ErrorClass(
        "error-file-unreadable",
        "A file can't be opened: the file is missing, or can't be read.",
        _FIND,
        _words(
            r"(?:failed|unable) to open|(?:cannot|can't|could not|couldn't) open|"
            r"(?:is|not) a directory|file name too long|levels of symbolic links"
        ),
    ),
    ErrorClass(
        "error-unsupported",
        "This version of the engine, or a library that it brings, does not know, lacks or refuses "
        "something that the model, the GPU or a setting asks for.",
        _KNOWS_MORE,
        _words(
            r"\bsupports .{1,200}, but (?:this|the)\b|"
            r"not supported|unsupported|does not support|not implemented|notimplemented|not "
            r"available|only supports?|(?:invalid|unknown|bad) (?:\w{1,12} ){0,2}version\b"
        ),
    ),
)
"""Classes by words that stand in errors of any kind, or by a place in a program alone: other files
tell more than these."""

FAULT = ErrorClass(
    "error-fault",
    "The engine failed at a point that it does not handle: mostly a fault of this version, or a "
    "model or package that does not go with it.",
    (*_WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, _OTHER_IMAGE, _OTHER_MODEL),
    re.compile(
        rf"{_FAULT.pattern}|^(?:\w{{1,60}}\.){{0,6}}(?:Assertion|Key|NotImplemented)Error\b|"
        # Numbers of one kind or place where the engine put others.
        r"[Tt]he size of tensor a \(|exceeds dimension size|[Ee]xpected (?:all tensors|"
        r"scalar type|mat1|m1|query|self)\b|must have the same dtype|"
        r"same d(?:evice|type)\b|^std::(?!bad_alloc)\w{3,40}"
    ),
)
OTHER = ErrorClass(
    "error-other",
    "Unknown error; it may be a fault of the engine.",
    (*_WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, RETRY, _OTHER_IMAGE),
)
