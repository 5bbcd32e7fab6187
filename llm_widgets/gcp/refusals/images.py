"""Refusals because of who may not read a container image: a person, an account, or Cloud Run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain import links, members
from llm_widgets.errors import DeniedError, Fix, InvalidInputError
from llm_widgets.gcp.iam import role_catalogue

if TYPE_CHECKING:
    from llm_widgets.gcp.refusals.doing import Doing
    from llm_widgets.gcp.refusals.reading import Refusal

_MUST = re.compile(
    r"(?:(?P<agent>service agent)|\b(?P<person>user|caller))?,?"
    r"(?: ['\"(]?(?P<email>[^\s'\"@(]{1,100}@[\w.-]{1,150}\w)['\")]?)? "
    r"must have permission to read the image(?:,? '?(?P<image>\w[\w./:@-]{0,300}\w))?",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"Expected an image path like .{1,200}?(?:but obtained '?([\w.-]{1,200}(?::\d{1,5})?/)|$)"
)
_DOWNLOAD = "artifactregistry.repositories.downloadArtifacts"
_DENIED_REASON = "CONTAINER_PERMISSION_DENIED"
_REGISTRY = re.compile(
    r"(?:[a-z0-9-]{1,40}-docker\.pkg\.dev|(?:[a-z]{2,4}\.)?gcr\.io)/([\w.-]{1,60}(?::[\w-]{1,60})?)/"
)
_AGENT = "the service agent of Cloud Run"
_READER = "roles/artifactregistry.reader"


def project_of(text: str) -> str:
    """Return the project whose registry a text names; empty where it names none."""
    found = _REGISTRY.search(text)
    return found[1] if found else ""


def elsewhere(refusal: Refusal, doing: Doing) -> InvalidInputError | None:
    """Word an image of a registry that Cloud Run reads nothing from."""
    found = _ELSEWHERE.search(refusal.message)
    if not found:
        return None
    host = (found[1] or doing.image).partition("/")[0]
    return InvalidInputError(
        doing.cant(f"Cloud Run reads no images from {host or 'this registry'}"),
        cause=refusal.message,
        fix=Fix(
            text="Copy the image to Artifact Registry, or make a remote repository there that "
            "reads the other registry, and name the image by its address there.",
            url=links.REMOTE_REPOSITORIES,
        ),
    )


def reader(refusal: Refusal, doing: Doing) -> DeniedError | None:
    """Word an image that somebody may not read; who that is, is said only where it is told."""
    found = _MUST.search(refusal.message)
    is_denied = refusal.permission == _DOWNLOAD or refusal.reason == _DENIED_REASON
    if not found and not is_denied:
        return None
    told = found.groupdict() if found else {}
    image = told.get("image") or ("" if refusal.resource else doing.image)
    project = project_of(refusal.message) or refusal.resource_project or project_of(image)
    what = f"the image {image}" if image else "the image"
    who, member = _reader(told, doing)
    return DeniedError(
        doing.cant(f"{who} lacks {_READER} to read {what}"),
        cause=refusal.message,
        fix=_grant(member, project) if member and project else _unnamed(who, project),
    )


def _reader(told: dict[str, str | None], doing: Doing) -> tuple[str, str]:
    """Return who may not read an image, in words and as a member; empty where that is not told."""
    email = told.get("email") or ""
    if told.get("agent"):
        email = email or doing.run_agent
        known = f"the service agent of Cloud Run, {email},"
        return (known, members.service_account(email)) if email else (_AGENT, "")
    if email:
        return email, members.parsed(email)
    if told.get("person"):
        return doing.who, doing.member
    return f"the deployer, or {_AGENT},", ""


def _grant(member: str, project: str) -> Fix:
    return role_catalogue.fix(
        _READER,
        member,
        project=project,
        text=f"Ask an administrator of {project} to grant {_READER} to {members.label(member)}.",
    )


def _unnamed(who: str, project: str) -> Fix:
    where = f" in {project}" if project else " in the project of the image"
    return Fix(
        text=f"Check the image's name, and have {_READER} granted{where} to {who.rstrip(',')}.",
        url=links.iam(project) if project else "",
    )
