"""Words that belong to Google's APIs, and so may stand in a file that anybody reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain.regions import REGIONS

if TYPE_CHECKING:
    from collections.abc import Collection

VARIABLE = r"\$\{\w{1,40}\}"

COLLECTIONS = frozenset(
    [
        "-",
        "_",
        "alpha",
        "b",
        "billingAccounts",
        "billingInfo",
        "buckets",
        "compute",
        "connectors",
        "default",
        "entries",
        "executions",
        "folders",
        "global",
        "iam",
        "instances",
        "jobs",
        "keys",
        "locations",
        "networks",
        "notificationConfigs",
        "o",
        "operations",
        "organizations",
        "policies",
        "projects",
        "quotaInfos",
        "quotaPreferences",
        "regions",
        "revisions",
        "roles",
        "secrets",
        "serviceAccounts",
        "services",
        "storage",
        "subnetworks",
        "tasks",
        "testPermissions",
        "timeSeries",
        "upload",
        "v1",
        "v1beta",
        "v2",
        "v3",
        "versions",
    ]
)
"""Parts of paths and names that say what kind of thing follows."""

_SERVICES = (
    "artifactregistry|billing|cloudbilling|cloudbuild|cloudquotas|cloudresourcemanager|compute|"
    "iam|iamcredentials|logging|monitoring|orgpolicy|resourcemanager|run|secretmanager|"
    "serviceusage|storage|vpcaccess"
)
_HYPHENATED = frozenset(
    [
        "case-insensitive",
        "non-empty",
        "pre-condition",
        "pre-conditions",
        "re-enable",
        "read-modify-write",
        "read-only",
        "soft-deleted",
        "user-project",
        "user-provided",
        "well-formed",
    ]
)
_ENUMERATION = r"[A-Z]{1,20}(?:_[A-Z0-9]{1,20}){1,8}"
# What has a meaning of its own, and is no text of anybody.
_NAMES = (
    VARIABLE,
    rf"(?:{_SERVICES})(?:\.[a-z]{{1,20}}(?:[A-Z][a-z]{{1,20}}){{0,4}}){{1,3}}",  # a permission
    rf"(?:{_SERVICES})\.googleapis\.com",
    rf"roles/(?:owner|editor|viewer|(?:{_SERVICES})\.[a-zA-Z]{{1,40}})",
    rf"constraints/(?:gcp|{_SERVICES})(?:\.[a-zA-Z]{{1,40}}){{1,2}}",
    "|".join((*REGIONS, *map(str.upper, REGIONS))),
    r"type\.googleapis\.com/google(?:\.(?:v\d|[a-zA-Z]{2,20})){1,6}",
    r"https://(?:docs\.)?cloud\.google\.com/[a-z/_-]{1,80}",
    r"https://g\.co/[a-z/_-]{1,40}",
    r"storage#[a-zA-Z]{1,20}",
    rf"(?:serviceAccount|project(?:Owner|Editor|Viewer)):{VARIABLE}",
)
_WORDS = (
    r"[A-Z]?[a-z]{1,20}",
    r"[A-Z]{1,20}s?",
    _ENUMERATION,
    r"\d{1,4}(?:\.\d{1,3})?(?:Gi|Mi|s|m)?",
    r"[a-z]{2,14}(?:[A-Z][a-z]{1,14}){1,5}",  # a name of a field or a method
    r"[A-Z][a-z]{1,14}(?:[A-Z][a-z]{1,14}){1,4}",
    "|".join(_HYPHENATED),
)
_NAME = re.compile("|".join(f"(?:{form})" for form in _NAMES))
_PLAIN = re.compile("|".join(f"(?:{form})" for form in (*_NAMES, *_WORDS)))
_BETWEEN = re.compile(r"[\s,;:!?()\[\]<>=*'\"“”\u2018\u2019`]+|\.(?=\s|$)")


def is_plain(token: str, own: Collection[str] = ()) -> bool:
    """Return whether a word of a text is one of Google's texts or of our own, or a variable."""
    return not token or token in own or bool(_PLAIN.fullmatch(token)) or is_path(token, own)


def is_path(text: str, own: Collection[str] = ()) -> bool:
    """Return whether a path is made of collections, regions, variables and our own words alone."""
    parts = re.split(r"[/:]", text.removeprefix("//").strip("/"))
    return "/" in text and all(
        part in COLLECTIONS
        or part in REGIONS
        or part in own
        or re.fullmatch(VARIABLE, part)
        or re.fullmatch(rf"(?:{_SERVICES})\.googleapis\.com", part)
        for part in parts
    )


def is_name(text: str, own: Collection[str] = ()) -> bool:
    """Return whether a whole value is one of Google's names or our own, or made of variables."""
    return not text or text in own or bool(_NAME.fullmatch(text)) or is_path(text, own)


def is_enumeration(text: str) -> bool:
    """Return whether a whole value has the form of an enumeration's."""
    return bool(re.fullmatch(_ENUMERATION, text))


def masked(text: str, own: Collection[str] = ()) -> str:
    """Return a text with each word that is not plain replaced by ``…``."""
    kept, at = [], 0
    for found in _BETWEEN.finditer(text):
        kept += [_word(text[at : found.start()], own), found[0]]
        at = found.end()
    return "".join([*kept, _word(text[at:], own)])


def _word(token: str, own: Collection[str]) -> str:
    return token if is_plain(token, own) else "…"
