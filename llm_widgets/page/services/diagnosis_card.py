"""Why a service failed, what proves it, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.diagnosis import RemedyKind, choices
from llm_widgets.domain import gpus, links
from llm_widgets.gcp.client import messages
from llm_widgets.widgets.details import CopyText
from llm_widgets.widgets.html import note
from llm_widgets.widgets.layout import button, hide, row, show, stack
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    import ipywidgets as w

    from llm_widgets.diagnosis import Diagnosis, Remedy

_BESIDE = {
    RemedyKind.GRANT: "Grant",
    RemedyKind.ENABLE_API: "Enable",
    RemedyKind.REQUEST_QUOTA: "Request quota",
}
_AGAIN = (RemedyKind.GRANT, RemedyKind.ENABLE_API)


class DiagnosisCard:
    """Shows a diagnosis with its remedies; ``box`` is what goes into the page.

    Parameters
    ----------
    act
        Does what a remedy says, and calls the function that it gets when that has ended.
    label
        Gives the words on a remedy's button; empty where it has none.
    is_local
        Whether there is no Cloud Console to link to.
    """

    def __init__(
        self,
        act: Callable[[Remedy, Callable[[], None]], None],
        label: Callable[[Remedy], str],
        *,
        is_local: bool = False,
    ) -> None:
        self._act = act
        self._is_local = is_local
        self._label = label
        self._shown: Diagnosis | None = None
        # Both stay on the page and take turns: a browser that is slow would still be drawing
        # what is taken away.
        self._busy = note("Applying the fix …")
        self._remedies = stack()
        # Kept after it is gone from the page, for the same reason: what nobody holds is closed.
        self._parts: list[w.Widget] = []
        self.box = stack()

    def show(self, diagnosis: Diagnosis | None) -> None:
        """Show why; nothing without a diagnosis."""
        if diagnosis == self._shown:
            return
        self._shown = diagnosis
        if diagnosis is None:
            self.box.children = ()
            return
        told, asked = [_cause(diagnosis), *_evidence(diagnosis)], _report(diagnosis)
        self._remedies = stack(*(self._remedy(remedy) for remedy in diagnosis.remedies))
        self._offer()
        self._parts = [*told, *asked]
        # What to do comes before what to tell others.
        self.box.children = [*told, self._busy, self._remedies, *asked]

    def _offer(self) -> None:
        hide(self._busy)
        show(self._remedies)

    def _begin(self, remedy: Remedy) -> None:
        """Do what a remedy says; until that has ended, there is nothing else to press."""
        show(self._busy)
        hide(self._remedies)
        self._act(remedy, self._offer)

    def _remedy(self, remedy: Remedy) -> w.Widget:
        shown = Notice()
        label = self._label(remedy)
        url = "" if self._is_local and links.is_console(remedy.url) else remedy.url
        shown.show(
            "info",
            remedy.text,
            command=remedy.command if not label or remedy.kind in _BESIDE else "",
            link=("", url),
            action_label=label,
        )
        if label:
            shown.on_action(lambda: self._begin(remedy))
        offered = choices(remedy)
        return stack(shown, row(*map(self._choice, offered))) if offered else shown

    def _choice(self, remedy: Remedy) -> w.Button:
        made = button(self._label(remedy), style="outlined")
        made.on_click(lambda _: self._begin(remedy))
        return made


def _cause(diagnosis: Diagnosis) -> w.Widget:
    """Return the headline: a sentence, or the error in its own words and what it is about."""
    shown, proof = Notice(), diagnosis.proof
    told = [diagnosis.meaning]
    if proof:
        told.append(f"{proof.place.label}: {messages.brief(proof.text)}")
    kind = "info" if diagnosis.passes else "error"
    shown.show(kind, diagnosis.cause, detail="\n".join(filter(None, told)))
    return shown


def _evidence(diagnosis: Diagnosis) -> list[w.Widget]:
    """Return the lines of the log that belong to it."""
    if not diagnosis.lines:
        return []
    title = "Log lines around the error" if diagnosis.report else "Last lines of the log"
    lines = Stream(label=title, height="200px")
    lines.extend({"text": line.text, "kind": "", "label": ""} for line in diagnosis.lines)
    return [note(f"{title}:"), lines]


def _report(diagnosis: Diagnosis) -> list[w.Widget]:
    """Return what to tell the engine's authors."""
    if not diagnosis.report:
        return []
    told = note(
        "To report the error to the engine's authors, copy this. Addresses, keys and names are "
        "removed:"
    )
    return [told, CopyText(diagnosis.report, label="Report")]


def service_label(remedy: Remedy) -> str:
    """Return the words on the button for a service that exists."""
    if region := remedy.parameters.get("region", ""):
        if remedy.kind is RemedyKind.REDEPLOY:
            return f"Deploy in {region} too"
    elif accelerator := remedy.parameters.get("accelerator"):
        return f"Deploy with {_gpu(accelerator)}"
    if remedy.kind is RemedyKind.REDEPLOY:
        return "Redeploy with this fix" if remedy.parameters else "Deploy again"
    label = form_label(remedy)
    return f"{label} and deploy again" if label and remedy.kind in _AGAIN else label


def form_label(remedy: Remedy) -> str:
    """Return the words on the button for what is still being filled in."""
    if remedy.kind in _BESIDE and remedy.parameters:
        return _BESIDE[remedy.kind]
    if remedy.kind is not RemedyKind.REDEPLOY or not remedy.parameters:
        return ""
    if region := remedy.parameters.get("region"):
        return f"Use {region}"
    if accelerator := remedy.parameters.get("accelerator"):
        return f"Use {_gpu(accelerator)}"
    return "Apply this fix"


def _gpu(accelerator: str) -> str:
    found = gpus.by_accelerator(accelerator)
    return found.short_label if found else accelerator
