"""What can be done about a failure, and how that is written down in the catalogue."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.errors import Fix


_LONGEST_VALUE = 300  # characters of a value within a sentence


class RemedyKind(StrEnum):
    """What a remedy's button does.

    ========= ==========================================================================
    redeploy  deploy again with ``parameters`` changed (:func:`.apply_remedy.changed`); without
              parameters, as it is
    grant     grant ``role`` on ``resource`` (``projects/P``, ``buckets/B``,
              ``serviceAccounts/E``, ``projects/P/secrets/S``) to ``member``
    quota     request ``value`` (in the units of the Cloud Quotas API) for ``quota`` in
              ``region``
    api       enable ``api``
    link      open the remedy's ``url``
    command   run the remedy's ``command`` in a terminal
    choose    choose one of ``regions`` or ``accelerators``, separated by commas
    none      there is no button: a person does what the text says
    ========= ==========================================================================
    """

    REDEPLOY = "redeploy"
    GRANT = "grant"
    REQUEST_QUOTA = "quota"
    ENABLE_API = "api"
    OPEN_LINK = "link"
    RUN_COMMAND = "command"
    CHOOSE = "choose"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that can be done.

    Attributes
    ----------
    text
        One sentence.
    parameters
        See :class:`RemedyKind`; all are there that the kind needs.
    command
        A command line that does it, ready to be run; empty when there is none.
    url
        A page where it is done; empty when there is none.
    failure
        Id of the diagnosis that offers it.
    """

    kind: RemedyKind
    text: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    url: str = ""
    failure: str = ""

    @classmethod
    def of(cls, fix: Fix) -> Remedy:
        """Return what an error carries as a remedy: with a button where the product can do it."""
        grant, api = fix.grant, fix.action.partition("enable-api:")[2]
        if grant:
            wanted = {"role": grant.role, "resource": grant.resource, "member": grant.member}
            return cls(RemedyKind.GRANT, fix.text, wanted, fix.command, fix.url)
        if api:
            return cls(RemedyKind.ENABLE_API, fix.text, {"api": api}, fix.command, fix.url)
        kind = RemedyKind.RUN_COMMAND if fix.command else RemedyKind.NONE
        kind = RemedyKind.OPEN_LINK if fix.url and not fix.command else kind
        return cls(kind, fix.text, {}, fix.command, fix.url)


@dataclass(frozen=True, slots=True)
class Advice:
    """A remedy as the catalogue has it: all texts are templates with ``{names}`` in them.

    Attributes
    ----------
    needs
        Names of values that must be known besides those in the templates.
    fallback
        Offered only when nothing better is.
    """

    kind: RemedyKind
    text: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    url: str = ""
    needs: tuple[str, ...] = ()
    fallback: bool = False

    def remedy(self, told: Mapping[str, str], trusted: Mapping[str, str]) -> Remedy | None:
        """Fill the templates; ``None`` when what the text or a redeployment needs is not known.

        Parameters
        ----------
        told
            All that is known, also from log lines. Anybody who makes the container print
            something writes these.
        trusted
            What is known from the deployment and from Google: only this goes into grants,
            commands and links.
        """
        text = filled(self.text, in_sentence(told))
        if text is None or not all(name in told for name in self.needs):
            return None
        values = told if self.kind is RemedyKind.REDEPLOY else trusted
        parameters = {name: filled(value, values) for name, value in self.parameters.items()}
        known = {name: value for name, value in parameters.items() if value is not None}
        quoted = {name: shlex.quote(value) for name, value in trusted.items()}
        kind = self.kind
        command = filled(self.command, quoted) or ""
        url = filled(self.url, trusted) or ""
        if len(known) < len(parameters):
            if kind is RemedyKind.REDEPLOY:
                return None
            kind, known = RemedyKind.NONE, {}
        if (kind is RemedyKind.OPEN_LINK and not url) or (
            kind is RemedyKind.RUN_COMMAND and not command
        ):
            kind = RemedyKind.NONE
        return Remedy(kind, text, known, command, url)


def in_sentence(values: Mapping[str, str]) -> Mapping[str, str]:
    """Cut values down to what a sentence can hold: names can be as long as anybody likes."""
    return {
        name: value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"
        for name, value in values.items()
    }


def filled(template: str, values: Mapping[str, str]) -> str | None:
    """Fill a template; ``None`` when a value is not known."""
    try:
        return template.format_map(values)
    except KeyError:
        return None
