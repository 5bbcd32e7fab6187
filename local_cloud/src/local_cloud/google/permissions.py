"""Which permission a call needs, and on what: derived from the method's name and its request."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Need:
    """What a call needs.

    Parameters
    ----------
    permission
        Empty where everybody may call (``testIamPermissions``).
    resource
        Where it is needed.
    writes
        Whether the call makes or changes something.

    """

    permission: str
    resource: str
    writes: bool = False


Rule = Callable[[str, Any], "Need | None"]
"""Method name and request -> what it needs; None: the handler decides by itself."""

_METHOD = re.compile(r"(BatchGet|BatchEnable|GetIamPolicy|SetIamPolicy|[A-Z][a-z]+)(\w*)")
_READING = {"Get", "List", "Search", "Wait", "Access", "BatchGet"}


def by_name(prefix: str, **exceptions: str) -> Rule:
    """Return the rule that most of Google's APIs follow.

    ``CreateService`` on a parent needs ``PREFIX.services.create`` there, ``GetIamPolicy`` on a
    resource ``PREFIX.COLLECTION.getIamPolicy``, where the collection is read from its name.

    Parameters
    ----------
    prefix
        ``run``, ``secretmanager``, …
    exceptions
        Method name to the permission without the prefix, where it does not follow; empty for
        none.

    """

    def rule(name: str, request: Any) -> Need | None:
        resource = resource_of(request)
        if name == "TestIamPermissions":
            return Need("", resource)
        match = _METHOD.fullmatch(name)
        assert match is not None
        verb, noun = match[1], match[2]
        if noun.startswith("Operation"):
            return None  # each operation knows what reading it needs
        writes = verb not in _READING
        if name in exceptions:
            permission = exceptions[name]
            return Need(f"{prefix}.{permission}" if permission else "", resource, writes)
        if verb in {"GetIamPolicy", "SetIamPolicy"}:
            collection = f"//{resource}".split("/")[-2]
        else:
            collection = _plural(noun[0].lower() + noun[1:])
        permission = f"{prefix}.{collection}.{verb[0].lower()}{verb[1:]}"
        if verb == "Wait":
            permission = f"{prefix}.{collection}.get"
        return Need(permission, resource, writes and not verb.endswith("IamPolicy"))

    return rule


def resource_of(request: Any) -> str:
    """Return the resource that a request is about: its name, its parent, or its body's name."""
    for attribute in ("name", "resource", "parent"):
        value = getattr(request, attribute, None)
        if isinstance(value, str) and value:
            return value
    for attribute in (
        "service",
        "job",
        "secret",
        "quota_preference",
        "project",
        "iap_settings",
    ):
        body: Any = getattr(request, attribute, None)
        if isinstance(getattr(body, "name", None), str) and body.name:
            return str(body.name)
    return ""


def _plural(noun: str) -> str:
    if noun.endswith("s"):
        return noun
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
