"""What a deployment takes of its GPU's memory, before any money is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.widgets.html import note, set_text
from llm_widgets.widgets.layout import card
from llm_widgets.widgets.memory import MemoryBar
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from llm_widgets.domain.memory import Estimate

_LABELS = {
    "weights": "Weights",
    "kv_cache": "Key-value cache",
    "activations": "Activations",
    "overhead": "Overhead",
}


class MemoryCard:
    """The bar with its verdict; ``box`` is what goes into the page."""

    def __init__(self) -> None:
        self._verdict = Notice()
        self._bar = MemoryBar(label="GPU memory")
        self._more = note("")
        self.box = card("GPU memory", self._verdict, self._bar, self._more)

    def show(self, estimate: Estimate | None, why_not: str) -> None:
        """Show an estimate, or why there is none."""
        self._bar.layout.display = None if estimate and estimate.known else "none"
        if estimate is None:
            self._verdict.clear()
            set_text(self._more, why_not)
            return
        self._bar.total = estimate.usable
        self._bar.parts = [
            {"label": _LABELS[name], "bytes": part.bytes, "why": part.why}
            for name, part in estimate.parts.items()
        ]
        if not estimate.known:
            self._verdict.show("info", estimate.reason)
        elif estimate.is_close:
            self._verdict.show("warning", "It is close: only a start can tell.")
        elif estimate.fits:
            self._verdict.show("success", "It fits.")
        else:
            self._verdict.show("error", estimate.reason, detail="\n".join(estimate.advice))
        set_text(self._more, _figures(estimate))


def _figures(estimate: Estimate) -> str:
    if not estimate.known or not estimate.longest_context:
        return ""
    requests = estimate.concurrency_possible
    return (
        f"The longest request that fits has {estimate.longest_context:,} tokens. With the length "
        f"chosen, {requests} full request{'s' * (requests != 1)} at once."
    )
