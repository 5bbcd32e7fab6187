"""What a deployment takes of its GPU's and its container's memory, before any money is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.memory.estimate import gib_text
from llm_widgets.widgets.html import note, set_text
from llm_widgets.widgets.layout import card, show_if
from llm_widgets.widgets.memory import MemoryBar
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.memory import Estimate
    from llm_widgets.page.services.gpu_memory import GpuMemoryState

_MOST = 2
"""Times the estimate beyond which the end of a band says only that nothing is known."""

_LABELS = {
    "weights": "Weights",
    "kv_cache": "Key-value cache",
    "activations": "Activations",
    "overhead": "Overhead",
}


class MemoryCard:
    """The bar with its verdict; ``box`` is what goes into the page.

    Parameters
    ----------
    use_context
        Called with the tokens of the longest request that fits, when somebody wants it.
    """

    def __init__(self, state: GpuMemoryState, use_context: Callable[[int], None]) -> None:
        self._state = state
        self._verdict = Notice()
        self._bar = MemoryBar(label="GPU memory")
        self._more = note("")
        self.box = card("GPU memory", self._verdict, self._bar, self._more)
        self._verdict.on_action(lambda: use_context(state.longest_context))
        state.observe(self._draw, ["estimate", "note", "context", "too_small", "measured"])
        self._draw()

    def _draw(self, _: object = None) -> None:
        """Show the estimate, or why there is none."""
        estimate = self._state.estimate
        show_if(estimate and estimate.known, self._bar)
        if estimate is None:
            self._verdict.clear()
            if self._state.too_small:
                self._verdict.show("error", self._state.too_small)
            set_text(self._more, self._state.note)
            return
        self._bar.total = estimate.usable
        self._bar.parts = [
            {"label": _LABELS[name], "bytes": part.bytes, "why": part.why}
            for name, part in estimate.parts.items()
        ]
        kind, text = _verdict(estimate, self._state.too_small)
        longest, told = estimate.longest_context, self._state.context
        offer = f"Use {longest:,} tokens" if told and longest not in (0, told) else ""
        self._verdict.show(kind, text, detail="\n".join(estimate.advice), action_label=offer)
        figures = _figures(estimate, is_told=bool(told))
        set_text(
            self._more, " ".join(filter(None, (figures, _band(estimate), self._state.measured)))
        )


def _verdict(estimate: Estimate, too_small: str) -> tuple[str, str]:
    if estimate.is_refused:
        return "error", estimate.reason
    if too_small:
        return "error", too_small
    if not estimate.known:
        return "info", estimate.reason
    if estimate.is_close:
        return "warning", "Tight fit: it may run out of memory."
    return "success", "Fits on this GPU."


def _band(estimate: Estimate) -> str:
    """Tell how unsure an estimate is, and why; empty for what is as sure as any."""
    if not estimate.known or not estimate.doubt:
        return ""
    least, most = estimate.band
    between = f"Needs {gib_text(least)} to {gib_text(most)}."
    return f"{between if most <= _MOST * estimate.total else ''} {estimate.doubt}".strip()


def _figures(estimate: Estimate, *, is_told: bool) -> str:
    if not estimate.known or not estimate.longest_context:
        return ""
    finds = "" if is_told else ", set by the engine"
    text = f"Context up to {estimate.longest_context:,} tokens{finds}."
    if not estimate.fits:
        return text
    requests = estimate.concurrency_possible
    return f"{text} Room for {requests:,} concurrent request{'s' * (requests != 1)} of that length."
