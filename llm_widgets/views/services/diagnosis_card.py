"""Why a service failed, what proves it, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.cloud.readers import READER
from llm_widgets.diagnosis import RemedyKind
from llm_widgets.widgets.html import note
from llm_widgets.widgets.layout import stack
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    import ipywidgets as w

    from llm_widgets.diagnosis import Diagnosis, Remedy


class DiagnosisCard:
    """Shows a diagnosis with its remedies; ``box`` is what goes into the page.

    Parameters
    ----------
    act
        Does what a remedy says.
    label
        Gives the words on a remedy's button; empty where it has none.
    """

    def __init__(self, act: Callable[[Remedy], None], label: Callable[[Remedy], str]) -> None:
        self._act = act
        self._label = label
        self._shown: Diagnosis | None = None
        self.box = stack()

    def show(self, diagnosis: Diagnosis | None) -> None:
        """Show why; nothing without a diagnosis."""
        if diagnosis == self._shown:
            return
        self._shown = diagnosis
        if diagnosis is None:
            self.box.children = ()
            return
        cause = Notice()
        proof = diagnosis.proof
        cause.show(
            "error",
            diagnosis.cause,
            detail=f"{proof.place.label}: {proof.text}" if proof else "",
        )
        parts: list[w.Widget] = [cause]
        if diagnosis.lines:
            lines = Stream(label="Last lines of the log", kind="log", height="200px")
            lines.extend({"text": line.text, "kind": "", "label": ""} for line in diagnosis.lines)
            parts += [note("The last lines of the log:"), lines]
        parts += [self._remedy(remedy) for remedy in diagnosis.remedies]
        self.box.children = parts

    def _remedy(self, remedy: Remedy) -> Notice:
        shown = Notice()
        label = self._label(remedy)
        shown.show(
            "info",
            remedy.text,
            command=remedy.command if not label else "",
            link=("Open", remedy.url) if remedy.url else ("", ""),
            action_label=label,
        )
        if label:
            shown.on_action(lambda: self._act(remedy))
        return shown


def service_label(remedy: Remedy) -> str:
    """Give the words on the button for a service that exists."""
    if remedy.kind is RemedyKind.REDEPLOY:
        return "Deploy again so" if remedy.parameters else "Deploy again"
    is_bucket = remedy.parameters.get("resource", "").startswith("buckets/")
    if remedy.kind is RemedyKind.GRANT and is_bucket and remedy.parameters.get("role") == READER:
        return "Grant and deploy again"
    return ""


def form_label(remedy: Remedy) -> str:
    """Give the words on the button for what is still being filled in."""
    is_change = remedy.kind is RemedyKind.REDEPLOY and bool(remedy.parameters)
    return "Change it so" if is_change else ""
