"""Sentences and first steps that several classes of errors share."""

from __future__ import annotations

from llm_widgets.domain.failures.advice import (
    DEFAULT_IMAGE,
    IMPORT_AGAIN,
    NEWER_IMAGE,
    WITHOUT_ARGUMENT,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

OFFERED_IMAGE = (DEFAULT_IMAGE, NEWER_IMAGE)

WITHOUT_NAMED = (
    WITHOUT_ARGUMENT,
    Advice(
        RemedyKind.REDEPLOY,
        "Deploy without the variable {given_variable}.",
        {"remove_environment": "{given_variable}"},
    ),
)

WITHOUT_FEATURE = (
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

OTHER_IMAGE = Advice(
    RemedyKind.NONE,
    "Use another version of the image: an older one if it ran before, else the newest.",
)

NEWEST = Advice(
    RemedyKind.NONE, "Use the newest version of the engine's image: it knows more models."
)

OTHER_MODEL = Advice(
    RemedyKind.NONE, "Import another quantization of the model, or the original without one."
)

ARGUMENTS = Advice(
    RemedyKind.NONE,
    "Correct what the error names in the arguments or variables, or take it out: the engine "
    "then uses its default.",
)

BUCKET = Advice(
    RemedyKind.NONE,
    "Check that the file is in the bucket, in the folder {folder}, and has the size that its hub "
    "tells.",
)

MISSING = "A file is not where it is looked for."

FIND = (
    BUCKET,
    IMPORT_AGAIN,
    Advice(
        RemedyKind.NONE,
        "If the error names a file of the image and not of the model, use the engine's official "
        "image.",
    ),
)

KNOWS_MORE = (NEWER_IMAGE, DEFAULT_IMAGE, *WITHOUT_FEATURE, NEWEST, OTHER_MODEL)

ARGUMENT = "The engine does not take an argument or option that it was given."
