"""Classes of errors by words that only say that something is not supported or not there."""

from __future__ import annotations

import re

from llm_widgets.diagnosis.classes.error_class import ErrorClass, words
from llm_widgets.diagnosis.classes.steps import (
    ARGUMENT,
    ARGUMENTS,
    FIND,
    KNOWS_MORE,
    MISSING,
    NEWEST,
    OFFERED_IMAGE,
    OTHER_IMAGE,
    OTHER_MODEL,
    WITHOUT_FEATURE,
    WITHOUT_NAMED,
)
from llm_widgets.domain.failures.advice import (
    BIGGER_GPU,
    DEFAULT_IMAGE,
    FEWER_REQUESTS,
    IMPORT_AGAIN,
    NEWER_IMAGE,
    RETRY,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

ON_NO_PURPOSE = re.compile(
    r"^(?:\w{1,60}\.){0,6}(?:Attribute|Index|Name|Recursion|Type|UnboundLocal|ZeroDivision)Error\b|"
    r"^std::(?:out_of_range|length_error|bad_\w{3,30}|logic_error|future_error)\b|"
    r"\bshould (?:not|never) (?:be reached|happen|get here)\b|\bunreachable\b"
)
"""Exceptions that no program raises on purpose, and places that it is never to come to."""

VAGUE: tuple[ErrorClass, ...] = (
    ErrorClass(
        "error-check",
        "A check in a program of the engine failed: a fault of this version, or the model, the GPU "
        "or a setting does not go with it.",
        (*WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, OTHER_IMAGE, OTHER_MODEL),
        words(
            r"ggml_assert|\bassertion (?:[`'\"]|fail)|\bcheck failed|"
            r"ggml[\w.-]{0,40}:\d{1,6}: fatal error"
        ),
    ),
    ErrorClass(
        "error-adapter",
        "A LoRA adapter does not go with the model, or with what the engine is told of adapters.",
        (
            *WITHOUT_NAMED,
            NEWER_IMAGE,
            Advice(
                RemedyKind.NONE,
                "Use an adapter that was made for this model, or merge it into the model and "
                "import the result.",
            ),
        ),
        words(r"\blora\b|\badapters?\b"),
    ),
    ErrorClass(
        "error-configuration",
        "What the engine is told does not go together: its arguments and variables, the settings "
        "of the model, and what this version supports.",
        (*WITHOUT_NAMED, *WITHOUT_FEATURE, ARGUMENTS, *OFFERED_IMAGE),
    ),
    ErrorClass(
        "error-hub",
        "What fetches models from a hub failed or refuses a name, a file or the access.",
        (
            Advice(
                RemedyKind.NONE,
                "Import the model and name it by its path in the mounted bucket, so that nothing "
                "is fetched at the start.",
            ),
            RETRY,
            *OFFERED_IMAGE,
        ),
    ),
    ErrorClass(
        "error-program",
        "The engine's program for this kind of model, or a library that it brings, failed or does "
        "not support something: the model's settings, its files, or what it is told.",
        (*WITHOUT_NAMED, *KNOWS_MORE),
    ),
    ErrorClass(
        "error-library",
        "The package {raising} of the image failed or refuses something: the model, one of its "
        "settings, or what it is told.",
        (*WITHOUT_NAMED, *KNOWS_MORE),
    ),
    ErrorClass(
        "error-loading",
        "The model can't be loaded: its file is not whole, this version of the engine does not "
        "know "
        "its form, or a setting does not go with it.",
        (*WITHOUT_NAMED, *WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, NEWEST, IMPORT_AGAIN),
    ),
    ErrorClass(
        "error-context",
        "What computes with the model could not be set up: there is too little memory, a setting "
        "of "
        "the context, its cache or the batch does not go with the model, or this version has a "
        "fault.",
        (
            *WITHOUT_NAMED,
            *WITHOUT_FEATURE,
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
        ARGUMENT,
        (*WITHOUT_NAMED, *WITHOUT_FEATURE, ARGUMENTS),
        words(
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
        (*WITHOUT_NAMED, *WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, ARGUMENTS, OTHER_IMAGE),
        words(
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
        MISSING,
        FIND,
        words(
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
            *WITHOUT_NAMED,
            *WITHOUT_FEATURE,
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            IMPORT_AGAIN,
            OTHER_IMAGE,
        ),
        words(
            r"not exist|n't exist|(?:can't|cannot|could ?n[o']t|unable to|failed to) (?:find|"
            r"locate)|"
            r"not found|no \w{1,20} found|\bmissing\b"
        ),
    ),
    ErrorClass(
        "error-file-unreadable",
        "A file can't be opened: the file is missing, or can't be read.",
        FIND,
        words(
            r"(?:failed|unable) to open|(?:cannot|can't|could not|couldn't) open|"
            r"(?:is|not) a directory|file name too long|levels of symbolic links"
        ),
    ),
    ErrorClass(
        "error-unsupported",
        "This version of the engine, or a library that it brings, does not know, lacks or refuses "
        "something that the model, the GPU or a setting asks for.",
        KNOWS_MORE,
        words(
            r"\bsupports .{1,200}, but (?:this|the)\b|"
            r"not supported|unsupported|does not support|not implemented|notimplemented|not "
            r"available|only supports?|(?:invalid|unknown|bad) (?:\w{1,12} ){0,2}version\b"
        ),
    ),
)


FAULT = ErrorClass(
    "error-fault",
    "The engine failed at a point that it does not handle: mostly a fault of this version, or a "
    "model or package that does not go with it.",
    (*WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, OTHER_IMAGE, OTHER_MODEL),
    re.compile(
        rf"{ON_NO_PURPOSE.pattern}|^(?:\w{{1,60}}\.){{0,6}}(?:Assertion|Key|NotImplemented)Error\b|"
        # Numbers of one kind or place where the engine put others.
        r"[Tt]he size of tensor a \(|exceeds dimension size|[Ee]xpected (?:all tensors|"
        r"scalar type|mat1|m1|query|self)\b|must have the same dtype|"
        r"same d(?:evice|type)\b|^std::(?!bad_alloc)\w{3,40}"
    ),
)


OTHER = ErrorClass(
    "error-other",
    "Unknown error; it may be a fault of the engine.",
    (*WITHOUT_FEATURE, NEWER_IMAGE, DEFAULT_IMAGE, RETRY, OTHER_IMAGE),
)
