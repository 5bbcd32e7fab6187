"""The grammar of the names that a person types, and what is wrong with one that breaks it."""

from __future__ import annotations

import re

from llm_widgets.errors import InvalidInputError

_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9_.-]{1,220}[a-z0-9]")
_BUCKET_COMPONENT = 63
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
SERVICE_LENGTH = 49
"""Characters of the name of a Cloud Run service at most."""

_SERVICE = re.compile(r"[a-z]([a-z0-9-]{0,47}[a-z0-9])?")
_REGION = re.compile(r"[a-z]+-[a-z]+\d+")
_SHOWN = 60


def shown(value: str) -> str:
    """Quote what a person typed for use in a sentence, cut to a readable length."""
    return f"“{value}”" if len(value) <= _SHOWN else f"“{value[:_SHOWN]}…”"


def project_id(value: str) -> str:
    """Check a project id and give it without surrounding spaces.

    Raises
    ------
    InvalidInputError
        It can't be the id of a project: 6 to 30 of a-z, 0-9 and "-", a letter first
        (Resource Manager's rule), optionally behind a domain and a colon.
    """
    value = value.strip()
    if not value:
        raise InvalidInputError("Enter a project ID.", field="project")
    if not _PROJECT.fullmatch(value):
        raise InvalidInputError(
            f"{shown(value)} is not a project ID: it takes 6 to 30 lowercase letters, digits and "
            "hyphens, a letter first and no hyphen last.",
            field="project",
        )
    return value


def bucket(value: str) -> str:
    """Check the name of a new bucket and give it without surrounding spaces or ``gs://``.

    Raises
    ------
    InvalidInputError
        The name breaks a rule of Cloud Storage; the sentence says which.
    """
    value = value.strip().removeprefix("gs://").rstrip("/")
    problem = ""
    if not value:
        raise InvalidInputError("Enter a bucket name.", field="bucket")
    if not _BUCKET.fullmatch(value):
        problem = (
            "it takes 3 to 63 lowercase letters, digits, hyphens, underscores and dots, "
            "and starts and ends with a letter or digit"
        )
    elif any(not 0 < len(part) <= _BUCKET_COMPONENT for part in value.split(".")):
        problem = "each part between dots takes 1 to 63 characters"
    elif _IP_ADDRESS.fullmatch(value):
        problem = "it must not look like an IP address"
    elif value.startswith("goog") or "google" in value:
        problem = "it must not start with “goog” or contain “google”"
    if problem:
        raise InvalidInputError(
            f"{shown(value)} can't be the name of a bucket: {problem}.", field="bucket"
        )
    return value


def service(value: str) -> str:
    """Check the name of a Cloud Run service and give it without surrounding spaces.

    Raises
    ------
    InvalidInputError
        The name breaks Cloud Run's rule: fewer than 50 of a-z, 0-9 and "-", a letter first,
        no hyphen last.
    """
    value = value.strip()
    if not value:
        raise InvalidInputError("Enter a service name.", field="name")
    if not _SERVICE.fullmatch(value):
        raise InvalidInputError(
            f"{shown(value)} can't be the name of a service: it takes at most {SERVICE_LENGTH} "
            "lowercase letters, digits and hyphens, a letter first and no hyphen last.",
            field="name",
        )
    return value


def service_suggestion(framework: str, model_id: str) -> str:
    """Make a service name from a model's id: ``ollama-smollm2-135m``."""
    tail = model_id.rsplit("/", 1)[-1].lower()
    name = re.sub(r"[^a-z0-9]+", "-", f"{framework}-{tail}").strip("-")
    return name[:SERVICE_LENGTH].rstrip("-")


def region(value: str) -> str:
    """Check the name of a region, for example ``europe-west1``.

    Raises
    ------
    InvalidInputError
        It is none.
    """
    value = value.strip().lower()
    if not _REGION.fullmatch(value):
        raise InvalidInputError(
            f"{shown(value)} is not a region; regions look like europe-west1.", field="region"
        )
    return value
