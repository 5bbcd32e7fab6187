"""Classes of errors: what a model is, and what the engine knows of it."""

from __future__ import annotations

import re

from llm_widgets.diagnosis.classes.error_class import ErrorClass, words
from llm_widgets.diagnosis.classes.steps import (
    KNOWS_MORE,
    NEWEST,
    OTHER_MODEL,
    WITHOUT_FEATURE,
    WITHOUT_NAMED,
)
from llm_widgets.domain.failures.advice import DEFAULT_IMAGE, IMPORT_AGAIN, NEWER_IMAGE
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

_UNKNOWN_TO_ENGINE = (
    "This version of the engine, or a library that it brings, does not know something of the model."
)


CLASSES: tuple[ErrorClass, ...] = (
    ErrorClass(
        "error-projector",
        "The part of the model for pictures and sound (its mmproj file) is missing, does not go "
        "with "
        "the model, or is of a kind that this version of the engine does not know.",
        (
            *WITHOUT_FEATURE,
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            NEWEST,
            Advice(
                RemedyKind.NONE,
                "Use the mmproj file of the same repository as the model; or leave it out: the "
                "model then takes text only.",
            ),
        ),
        words(
            r"mmproj|\bclip(?:_\w{2,40}|\.cpp)?(?:::?\w{1,40}){0,3}: |\bmtmd\w{0,30}\b|projector"
        ),
    ),
    ErrorClass(
        "error-weights",
        "The model's weights and what this version of the engine expects of such a model, or "
        "computes "
        "with it, don't go together.",
        (*WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, NEWEST, OTHER_MODEL, IMPORT_AGAIN),
        words(
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
        KNOWS_MORE,
        words(
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
            *WITHOUT_NAMED,
            *WITHOUT_FEATURE,
            Advice(
                RemedyKind.NONE,
                "Leave the setting out that the error names; of a file, import one of a newer "
                "form, for example from another repository of the model.",
            ),
            Advice(RemedyKind.NONE, "Or use an older version of the image, which took it."),
        ),
        words(
            r"(?:no longer|not) (?:\w{1,12} )?(?:supported|accepted|available)\b.{0,60}"
            r"(?:up-to-date|newer|removed)|(?:is|are|was|were) no longer (?:\w{1,12} )?"
            r"(?:supported|accepted|available|valid)|(?:was|were|has been|have been) removed\b"
        ),
    ),
    ErrorClass(
        "error-template",
        "The model has no chat template, or one that the engine can't use.",
        (
            *WITHOUT_NAMED,
            *WITHOUT_FEATURE,
            Advice(
                RemedyKind.NONE,
                "Import a model that was made for chats, whose name mostly has Instruct or chat in "
                "it; or name a template by the argument that the engine has for it, such as "
                "--chat-template.",
            ),
            NEWER_IMAGE,
            DEFAULT_IMAGE,
        ),
        words(r"chat[ _]templates?|\bjinja"),
    ),
    ErrorClass(
        "error-model",
        _UNKNOWN_TO_ENGINE,
        KNOWS_MORE,
        words(
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
