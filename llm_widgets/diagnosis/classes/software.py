"""Classes of errors: packages, kernels, compilers and programs of the image."""

from __future__ import annotations

import re

from llm_widgets.diagnosis.classes.error_class import ErrorClass, words
from llm_widgets.diagnosis.classes.steps import (
    NEWEST,
    OFFERED_IMAGE,
    OTHER_IMAGE,
    OTHER_MODEL,
    WITHOUT_FEATURE,
    WITHOUT_NAMED,
)
from llm_widgets.domain.failures.advice import DEFAULT_IMAGE, NEWER_IMAGE, OTHER_GPU, RETRY
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

_NO_KERNEL = (
    "A computation on the GPU failed, or this image has no program for it: for this model, this "
    "GPU or its driver."
)

_OTHER_KERNEL = (*WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, OTHER_GPU, OTHER_IMAGE)

_PACKAGE = (
    "The image lacks a package or library, or has one of a version that does not fit the others."
)

_OTHER_PACKAGE = (
    *WITHOUT_FEATURE,
    *OFFERED_IMAGE,
    Advice(
        RemedyKind.NONE,
        "Use the engine's official image unchanged; or, if you already use it, another "
        "version, or a model that does not need the package.",
    ),
)


CLASSES: tuple[ErrorClass, ...] = (
    # Operators that an image's own libraries register, whatever they are named after.
    ErrorClass(
        "error-package",
        _PACKAGE,
        _OTHER_PACKAGE,
        words(
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
        words(
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
            *OFFERED_IMAGE,
            Advice(
                RemedyKind.NONE,
                "Correct the command and the arguments of the container; or leave the command out, "
                "so that the image's own one is run.",
            ),
            Advice(
                RemedyKind.NONE,
                "A script needs Unix line ends, a first line such as #!/bin/sh that the image has, "
                "and the permission to be run.",
            ),
        ),
        words(
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
            *OFFERED_IMAGE,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy without compiling: {eager}.",
                {"add_argument": "{eager}"},
            ),
            Advice(RemedyKind.NONE, "Use the engine's official image, which brings its compilers."),
        ),
        words(
            r"\bnvcc\b|c compiler|\bgcc\b|\bg\+\+|python\.h|\bninja\b|cuda_home|ptxas|"
            r"compilation (?:failed|error)|compilationerror|inductorerror|backendcompilerfailed|"
            r"torch\._dynamo|torch\._inductor|"
            # Libraries that compile; and they say other things, too.
            r"(?:\btriton\b|cutlass|tilelang|deep_?gemm).{0,80}(?:compil|\bbuild|\bbuilt)|"
            r"compil\w{0,6}.{0,80}(?:\btriton\b|cutlass|tilelang|deep_?gemm)|"
            r"(?<!ptx )(?<!CUDA_ERROR_)(?<!torch\.)\bjit\b|expected size \d{1,9}==|"
            r"\bcicc\b|\bcc1plus\b|failed to build"
        ),
        words(
            r"torch/_(?:inductor|dynamo)|triton/(?:compiler|backends)|flashinfer/jit|cpp_extension"
        ),
    ),
    ErrorClass(
        "error-package",
        _PACKAGE,
        _OTHER_PACKAGE,
        words(
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
            *WITHOUT_NAMED,
            *WITHOUT_FEATURE,
            *OFFERED_IMAGE,
            Advice(
                RemedyKind.NONE,
                "Use the engine's official image, which is built with more parts; or leave out the "
                "argument that needs this one.",
            ),
            Advice(
                RemedyKind.NONE,
                "If it is to download the model, name the model by its path in the mounted bucket "
                "instead.",
            ),
        ),
        words(
            r"\b(?:re)?(?:build|built|compile|compiled) (?:it )?(?:with(?:out)?\b|from source)|"
            r"please (?:rebuild|recompile)|-D[A-Z][A-Z_]{2,40}=(?:on|1)\b"
        ),
    ),
    ErrorClass(
        "error-connector",
        "What transfers the engine's KV cache to other memory or other engines, its connector, "
        "does not go with the model, with what the engine is told of it, or with this version.",
        (
            *WITHOUT_FEATURE,
            *OFFERED_IMAGE,
            Advice(
                RemedyKind.NONE,
                "Leave out what turns it on, such as --kv-transfer-config, or use an image that "
                "brings a connector of a version that was made for its engine.",
            ),
        ),
        words(
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
            *WITHOUT_FEATURE,
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            OTHER_GPU,
            OTHER_IMAGE,
        ),
        words(
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
            *WITHOUT_FEATURE,
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            OTHER_MODEL,
            OTHER_GPU,
            NEWEST,
        ),
        words(
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
        words(
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
        (RETRY, NEWER_IMAGE, DEFAULT_IMAGE, OTHER_IMAGE),
        words(
            r"segmentation|sigsegv|segfault|sigabrt|sigill|illegal (?:instruction|memory)|"
            r"core dumped|fatal python|misaligned address|unspecified launch|device-side assert|"
            r"(?:with|uncaught) signal:? (?:[4678]|11)\b|^panic|panicked|goroutine|"
            r"unexpected signal|"
            r"cuda error|error:fault|xid|^aborted|terminate called|"
            r"abort was called|double free|stack smashing|corrupted size|"
            r"(?:malloc|free|realloc|munmap_chunk)\(\): "
        ),
    ),
)
