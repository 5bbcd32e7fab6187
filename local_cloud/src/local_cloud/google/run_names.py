"""Names, labels and annotations of Cloud Run resources, checked as Cloud Run checks them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local_cloud.errors import ApiError, bad_request
from local_cloud.google.regions import REGIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_ID = 49
"""Characters of a service's name; a job's may have 63."""

RESERVED_NAMESPACES = (
    "run.googleapis.com",
    "cloud.googleapis.com",
    "serving.knative.dev",
    "autoscaling.knative.dev",
)
"""Prefixes of labels and annotations that Cloud Run v2 refuses."""

_ID = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
# Source: https://docs.cloud.google.com/run/docs/configuring/services/labels, December 2026.
_LABEL_KEY = re.compile(r"[^\W\d_][-\w]{0,62}")
_LABEL_VALUE = re.compile(r"[-\w]{0,63}")
_MAX_LABELS = 64


def invalid(field: str, description: str) -> ApiError:
    """Return a 400 about one field of the request."""
    return ApiError(
        "INVALID_ARGUMENT", f"{field}: {description}", [bad_request(field, description)]
    )


def parse_parent(parent: str, *, wildcard: bool = False) -> tuple[str, str]:
    """Return project and location of ``projects/P/locations/L``.

    Parameters
    ----------
    parent
        The name.
    wildcard
        Whether the location may be ``-``.

    """
    match = re.fullmatch(r"projects/([^/]+)/locations/([^/]+)", parent)
    if match is None:
        raise invalid("parent", f"Invalid resource name '{parent}'.")
    location = match[2]
    if location == "-" and not wildcard:
        raise invalid("parent", "The location must be a single region; '-' is not allowed here.")
    if location != "-" and location not in REGIONS:
        raise ApiError("NOT_FOUND", f"Location {location} is not found or access is unauthorized.")
    return match[1], location


def check_id(field: str, value: str, longest: int = MAX_ID) -> None:
    """Refuse an id that Cloud Run would refuse."""
    if len(value) > longest or not _ID.fullmatch(value):
        raise invalid(
            field,
            "only lowercase, digits, and hyphens; must begin with letter, and cannot end with "
            f"hyphen; must be less than {longest + 1} characters",
        )


def check_labels(field: str, labels: Mapping[str, str]) -> None:
    """Refuse labels that Cloud Run would refuse."""
    check_annotations(field, labels)
    if len(labels) > _MAX_LABELS:
        raise invalid(field, f"at most {_MAX_LABELS} labels are allowed")
    for key, value in labels.items():
        if key != key.lower() or not _LABEL_KEY.fullmatch(key):
            raise invalid(field, f"Invalid label key '{key}'.")
        if value != value.lower() or not _LABEL_VALUE.fullmatch(value):
            raise invalid(
                field,
                f"Invalid value '{value}' of label '{key}': must be at most 63 characters of "
                "lower-case letters, digits, '-' and '_'.",
            )


def check_annotations(field: str, keys: Iterable[str]) -> None:
    """Refuse keys in the namespaces that belong to the system."""
    for key in keys:
        namespace = key.partition("/")[0] if "/" in key else ""
        for reserved in RESERVED_NAMESPACES:
            if namespace == reserved or namespace.endswith(f".{reserved}"):
                raise invalid(field, f"The key '{key}' is in the reserved namespace '{reserved}'.")
