"""Why a service failed, what proves it, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.diagnosis import RemedyKind, choices
from llm_widgets.domain import gpus, links
from llm_widgets.gcp.client import messages
from llm_widgets.widgets.html import note
from llm_widgets.widgets.layout import button, row, stack
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
        self._busy = note("Working on it …")
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
        cause = Notice()
        proof = diagnosis.proof
        cause.show(
            "error",
            diagnosis.cause,
            detail=f"{proof.place.label}: {messages.brief(proof.text)}" if proof else "",
        )
        parts: list[w.Widget] = [cause]
        if diagnosis.lines:
            lines = Stream(label="Last lines of the log", kind="log", height="200px")
            lines.extend({"text": line.text, "kind": "", "label": ""} for line in diagnosis.lines)
            parts += [note("The last lines of the log:"), lines]
        self._remedies = stack(*(self._remedy(remedy) for remedy in diagnosis.remedies))
        self._offer()
        self._parts = parts
        self.box.children = [*parts, self._busy, self._remedies]

    def _offer(self) -> None:
        self._busy.layout.display = "none"
        self._remedies.layout.display = None

    def _begin(self, remedy: Remedy) -> None:
        """Do what a remedy says; until that has ended, there is nothing else to press."""
        self._busy.layout.display = None
        self._remedies.layout.display = "none"
        self._act(remedy, self._offer)

    def _remedy(self, remedy: Remedy) -> w.Widget:
        shown = Notice()
        label = self._label(remedy)
        url = "" if self._is_local and links.is_console(remedy.url) else remedy.url
        shown.show(
            "info",
            remedy.text,
            command=remedy.command if not label or remedy.kind in _BESIDE else "",
            link=("Open", url) if url else ("", ""),
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


def service_label(remedy: Remedy) -> str:
    """Return the words on the button for a service that exists."""
    if region := remedy.parameters.get("region", ""):
        if remedy.kind is RemedyKind.REDEPLOY:
            return f"Deploy in {region} too"
    elif accelerator := remedy.parameters.get("accelerator"):
        return f"Deploy with {_gpu(accelerator)}"
    if remedy.kind is RemedyKind.REDEPLOY:
        return "Deploy again so" if remedy.parameters else "Deploy again"
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
    return "Change it so"


def _gpu(accelerator: str) -> str:
    found = gpus.by_accelerator(accelerator)
    return found.short_label if found else accelerator
