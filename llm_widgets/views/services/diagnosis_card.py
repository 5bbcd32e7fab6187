"""Why a service failed, what proves it, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.cloud.readers import READER
from llm_widgets.diagnosis import RemedyKind
from llm_widgets.widgets.html import note
from llm_widgets.widgets.layout import stack
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ipywidgets as w

    from llm_widgets.diagnosis import Diagnosis, Remedy
    from llm_widgets.state.service_edit import ServiceEditState


class DiagnosisCard:
    """Shows a diagnosis with a button for each remedy; ``box`` is what goes into the page."""

    def __init__(self, edit: ServiceEditState) -> None:
        self._edit = edit
        self._shown: Diagnosis | None = None
        self.box = stack()

    def show(self, diagnosis: Diagnosis | None, document: Mapping[str, Any]) -> None:
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
        parts += [self._remedy(remedy, dict(document)) for remedy in diagnosis.remedies]
        self.box.children = parts

    def _remedy(self, remedy: Remedy, document: dict[str, Any]) -> Notice:
        shown = Notice()
        label = _label(remedy)
        shown.show(
            "info",
            remedy.text,
            command=remedy.command if not label else "",
            link=("Open", remedy.url) if remedy.url else ("", ""),
            action_label=label,
        )
        if label:
            shown.on_action(lambda: self._edit.remedy(document, remedy))
        return shown


def _label(remedy: Remedy) -> str:
    """Give the words on a remedy's button; empty where the product can't do it itself."""
    if remedy.kind is RemedyKind.REDEPLOY:
        return "Deploy again so" if remedy.parameters else "Deploy again"
    is_bucket = remedy.parameters.get("resource", "").startswith("buckets/")
    if remedy.kind is RemedyKind.GRANT and is_bucket and remedy.parameters.get("role") == READER:
        return "Grant and deploy again"
    return ""
