"""What an API says when it refuses: its text made readable, and what the text tells."""

from __future__ import annotations

import html
import re

from llm_widgets.domain import json_text

_REQUEST = re.compile(r"^(?:\d{3} )?(?:GET|POST|PUT|PATCH|DELETE|HEAD) \S+?: ", re.DOTALL)
_STATUS = re.compile(r"^\d{3} (?=\S)")
# What google-cloud-storage adds to the answer of a download or an upload.
_BESIDE = re.compile(r":?\s*\('Request failed with status code'.*\)$", re.DOTALL)
_INVISIBLE = re.compile(r"<(script|style|head)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]+>")
_HTML = re.compile(r"<(!doctype|html|head|body)\b", re.IGNORECASE)
_LONGEST = 2000

_PERMISSIONS = (
    # Permission 'run.services.create' denied on resource 'projects/…' (or resource may not exist).
    re.compile(r"[Pp]ermission ['\"“]?([a-z]+(?:\.[A-Za-z]+){2,3})\b"),
    # x does not have storage.buckets.list access to the Google Cloud project.
    re.compile(r"does not have ([a-z]+(?:\.[A-Za-z]+){2,3}) access"),
    # Required 'compute.networks.list' permission for 'projects/p'
    re.compile(r"[Rr]equired ['\"“]([a-z]+(?:\.[A-Za-z]+){2,3})['\"”] permission"),
)
_CALLER = re.compile(r"^([\w.+-]{1,64}@[\w.-]{1,190}\w) does not have [\w.]{3,80} access\b")
_ACCOUNT = re.compile(r"service account ['\"“]?([^\s'\"”]+@[^\s'\"”]+)", re.IGNORECASE)
_BUCKET = re.compile(r"projects/_/buckets/([a-z0-9._-]+)|\bgs://([a-z0-9._-]+)")
_PROJECT = re.compile(r"\bprojects/([a-z][a-z0-9-]{4,28}[a-z0-9])\b")
_API = re.compile(r"/apis/(?:api|library)/([a-z0-9.-]+\.googleapis\.com)")
_API_OFF = re.compile(
    r"has not been used in project \S+ before or it is disabled|cannot be used for API calls",
    re.IGNORECASE,
)
_NO_QUOTA_PROJECT = re.compile(
    r"(?:The ([a-z0-9.-]{1,80}\.googleapis\.com) API )?requires a quota project", re.IGNORECASE
)
# Of words that follow "project", only those that can't be others are taken for an id.
_ID = r"[a-z](?=[a-z0-9-]*[-\d])[a-z0-9-]{4,28}[a-z0-9]|\d{6,20}"
# Texts that name the project that a call counts against, by its id or number.
_CONSUMERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"consumer '?(?:projects/|project_number:|project:)([\w.:-]{1,100})",
        r"permission to use project '?([\w.:-]{1,100})",
        r"has not been used in project ([\w.:-]{1,100}) before",
        r"denied on resource project '?\[?([\w.:-]{1,100})",
        r"\bproject ['#]{1,2}([\w.:-]{1,100})",
        r"unknown project id:? '?([\w.:-]{1,100})",
        r"invalid value for project: '?([\w.:-]{1,100})",
        rf"access to (?:the )?project '?({_ID})",
        rf"\bproject ({_ID})(?: \(#\d{{1,20}}\))? (?:has|is|was|not|does)\b",
    )
)
_UNREADY = re.compile(r"Revision '[\w-]{1,80}' is not ready and cannot serve traffic\. ?")
_WHERE = re.compile(
    r"\s*(?:Logs for this revision might contain more information\.)?\s*Logs URL: \S+"
    r"(?:\s+For more troubleshooting guidance, see \S+)?"
)
# What regions answer that a project has to be let into, when it is not.
_CLOSED = re.compile(
    r"location \S+ is not found or access is unauthorized|permission denied on 'locations/",
    re.IGNORECASE,
)
_TAKEN = re.compile(r"already exist|already own|is not available", re.IGNORECASE)


def readable(text: str) -> str:
    """Return an API's text without the request it repeats, and without mark-up."""
    text = _STATUS.sub("", _REQUEST.sub("", text.strip()))
    text = _message(_BESIDE.sub("", text))
    if _HTML.search(text):
        title = _TITLE.search(text)
        shown = _TAG.sub(" ", _INVISIBLE.sub(" ", text))
        text = html.unescape(shown if shown.strip() or not title else title[1])
        text = re.sub(r"\s+", " ", text)
    text = text.strip()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _message(text: str) -> str:
    """Return the message of an error in Google's JSON form; other text as it is."""
    if not text.startswith("{"):
        return text
    try:
        return str(json_text.loads(text)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return text


def brief(text: str) -> str:
    """Return what Cloud Run says of a revision without what it says of each: where to look."""
    return _WHERE.sub("", _UNREADY.sub("", text)).strip()


def permission(text: str) -> str:
    """Find the permission that an API names as missing; empty when it names none."""
    for pattern in _PERMISSIONS:
        if found := pattern.search(text):
            return found[1].replace("iam.serviceaccounts.", "iam.serviceAccounts.")
    return ""


def account(text: str) -> str:
    """Find the service account that an API names; empty when it names none."""
    found = _ACCOUNT.search(text)
    return found[1].rstrip(".") if found else ""


def caller(text: str) -> str:
    """Find who an API says lacks access, an e-mail address; empty when it names nobody."""
    found = _CALLER.search(text)
    return found[1] if found else ""


def bucket(text: str) -> str:
    """Find the bucket that an API names; empty when it names none."""
    found = _BUCKET.search(text)
    return (found[1] or found[2]).rstrip(".") if found else ""


def project(text: str) -> str:
    """Find the id of the project that an API names; empty when it names none."""
    found = _PROJECT.search(text)
    return found[1] if found else ""


def disabled_api(text: str) -> str:
    """Find the API that a text says is off; empty when the text is about something else."""
    if not _API_OFF.search(text):
        return ""
    found = _API.search(text)
    return found[1] if found else "an API"


def consumer(text: str) -> str:
    """Find the project that an API says a call counts against; empty when it names none."""
    for pattern in _CONSUMERS:
        if found := pattern.search(text):
            return found[1].rstrip(".:")
    return ""


def wants_quota_project(text: str) -> bool:
    """Return whether the credentials of a person name no quota project."""
    return bool(_NO_QUOTA_PROJECT.search(text))


def quota_project_api(text: str) -> str:
    """Find the API that asks for a quota project; empty when it is not named."""
    found = _NO_QUOTA_PROJECT.search(text)
    return (found[1] or "") if found else ""


def is_about_a_taken_name(text: str) -> bool:
    """Return whether something of that name exists already."""
    return bool(_TAKEN.search(text))


def is_a_closed_region(text: str) -> bool:
    """Return whether the project is not let into a region, so that nothing of it can be there."""
    return bool(_CLOSED.search(text))
