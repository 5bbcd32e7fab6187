"""Classes of errors: what the engine was told."""

from __future__ import annotations

from llm_widgets.diagnosis.classes.error_class import ErrorClass, words
from llm_widgets.diagnosis.classes.steps import (
    ARGUMENT,
    ARGUMENTS,
    OFFERED_IMAGE,
    WITHOUT_FEATURE,
    WITHOUT_NAMED,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

CLASSES: tuple[ErrorClass, ...] = (
    ErrorClass(
        "error-argument",
        ARGUMENT,
        (*WITHOUT_NAMED, *WITHOUT_FEATURE, ARGUMENTS),
        words(
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
            *WITHOUT_FEATURE,
            *OFFERED_IMAGE,
            Advice(
                RemedyKind.NONE,
                "Leave out what turns it on, such as --speculative-config or --model-draft, or use "
                "a draft model that was made for this model.",
            ),
        ),
        words(
            r"speculati|\bspeculator|draft[ _](?:model|vocab|token|head|checkpoint)|\beagle\d?\b|"
            r"eagle\w{0,12}proposer|\bmedusa\b|\bn_predict\b|\bmtp\b"
        ),
    ),
)
