"""Who acts, and how a service says who deployed and who changed it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# https://cloud.google.com/run/docs/configuring/services/labels: 63 characters.
LONGEST_LABEL = 63
_DIGEST = 8  # characters of a digest that tell shortened names apart
_NO_LABEL = re.compile(r"[^a-z0-9_-]")


class Deed(StrEnum):
    """What a service says by whom it was done, as names of labels and annotations have it."""

    CREATED = "created"
    CHANGED = "changed"

    @property
    def label(self) -> str:
        """Name of the label: who did it, as :func:`label_value` writes it."""
        return f"llm-{self.value}-by"

    @property
    def by(self) -> str:
        """Name of the annotation: who did it, in full."""
        return f"llm-manager/{self.value}-by"

    @property
    def through(self) -> str:
        """Name of the annotation: the account that did it for a visitor."""
        return f"llm-manager/{self.value}-through"


LABELS = tuple(deed.label for deed in Deed)
"""Names of the labels that say who did what; nobody sets them by hand."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something.

    Attributes
    ----------
    account
        Who the product is to Google Cloud: an e-mail address or a member of IAM policies; empty
        where nothing tells.
    visitor
        E-mail address of the person for whom it does that, as Identity-Aware Proxy vouches for
        it; empty where nobody does.
    """

    account: str
    visitor: str = ""

    @property
    def name(self) -> str:
        """Who is said to have done it."""
        return self.visitor or self.account


def label_value(name: str) -> str:
    """Return a name as the value of a label: lower case, digits, ``-`` and ``_``, at most 63.

    A name that is too long is cut, and ends with a digest of the whole.
    """
    plain = _NO_LABEL.sub("_", name.lower()).strip("_-")
    if len(plain) <= LONGEST_LABEL:
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{plain[: LONGEST_LABEL - _DIGEST - 1]}-{digest}"


def labels_of(deed: Deed, actor: Actor) -> dict[str, str]:
    """Return the labels of a service that say who did something."""
    value = label_value(actor.name)
    return {deed.label: value} if value else {}


def annotations_of(deed: Deed, actor: Actor) -> dict[str, str]:
    """Return the annotations of a service that say in full who did something."""
    found = {deed.by: actor.name, deed.through: actor.account if actor.visitor else ""}
    return {name: value for name, value in found.items() if value}


def told(deed: Deed, annotations: Mapping[str, str], account: str) -> str:
    """Return who did something to a service.

    Parameters
    ----------
    annotations
        Those of the service. Whoever has changed it by other means has left them as they were.
    account
        Who did it by what Cloud Run says: the account, never the person behind it.
    """
    name = annotations.get(deed.by, "")
    if account and account in (name, annotations.get(deed.through, "")):
        return name or account
    return account
