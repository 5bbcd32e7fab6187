"""Progress bars of tqdm: one for the whole, and one for each transfer that is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import traitlets as t
from tqdm.std import tqdm

from llm_widgets.widgets._component import Component

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SLOTS = 8
MIN_SECONDS = 0.5  # between two moments from which a speed is reckoned

_METER = "{percentage:3.0f}% {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}]"
_METER_WITHOUT_TOTAL = "{n_fmt} [{elapsed}, {rate_fmt}]"

BarState = Literal["running", "done", "failed"]


class Bar(tqdm):  # type: ignore[misc] # it has no types
    """A bar of tqdm, for bytes, that somebody else draws.

    Parameters
    ----------
    label
        What the bar is for; shown before it.
    total
        Bytes in all; 0 while it is not known.
    done
        Bytes that are there already; they don't count as speed.
    """

    monitor_interval = 0  # no thread that would draw a bar that stands still

    def __init__(self, label: str, total: int = 0, done: int = 0) -> None:
        super().__init__(
            desc=label,
            total=total or None,
            initial=done,
            unit="B",
            unit_scale=True,
            mininterval=MIN_SECONDS,
            miniters=0,
            gui=True,  # nothing is printed
        )
        self.state: BarState = "running"

    def display(self, *_: object, **__: object) -> None:
        """Draw nothing: who made the bar asks for its `row`."""

    def set(self, done: int, *, total: int | None = None) -> None:
        """Move the bar to a number of bytes; cheap when called often."""
        if total is not None:
            self.total = total or None
        self.update(done - self.n)

    def row(self) -> dict[str, Any]:
        """Return what is drawn: label, share of the whole or ``None``, tqdm's numbers, state."""
        total = self.total
        meter = _METER if total else _METER_WITHOUT_TOTAL
        return {
            "label": self.desc.removesuffix(": "),
            "share": min(1.0, self.n / total) if total else None,
            "text": self.format_meter(**{**self.format_dict, "bar_format": meter}).strip(),
            "state": self.state,
        }


class TransferBars(Component, module="bars"):
    """A bar for the whole transfer and up to eight for the files that are being moved.

    Nine bars of `tqdm.notebook` take three messages each to move; these are counted by tqdm too,
    and drawn together with one. Call `advance` with what is known; once a second is enough.

    Parameters
    ----------
    label
        What is transferred.
    total
        Bytes in all.
    done
        Bytes that were there at the start; they don't count as speed.
    """

    bars = t.List(t.Dict()).tag(sync=True)

    def __init__(self, label: str, total: int, done: int = 0) -> None:
        self.overall = Bar(label, total, done)
        self._files: dict[str, Bar] = {}
        super().__init__(bars=[self.overall.row()])

    def advance(
        self, done: int, active: Mapping[str, tuple[int, int]], *, total: int | None = None
    ) -> None:
        """Show how far it is.

        Parameters
        ----------
        done
            Bytes that have arrived in all.
        active
            ``{file name: (bytes that have arrived, bytes in all)}`` of the files under way.
            Eight are shown: those that were, as long as they are under way, and then the first.
        total
            Bytes in all, where that has changed.
        """
        self.overall.set(done, total=total)
        self.overall.state = "running"
        kept = {name: bar for name, bar in self._files.items() if name in active}
        for name, (arrived, size) in active.items():
            if name in kept:
                kept[name].set(arrived, total=size)
            elif len(kept) < MAX_SLOTS:
                kept[name] = Bar(name, size, arrived)
        self._files = kept
        self._draw()

    def finish(self) -> None:
        """Mark the transfer as done; the bars of the files go."""
        self.overall.set(int(self.overall.total or self.overall.n))
        self._end("done")

    def fail(self) -> None:
        """Mark the transfer as failed; the bars of the files go."""
        self._end("failed")

    def _end(self, state: BarState) -> None:
        self.overall.state = state
        self._files = {}
        self._draw()

    def _draw(self) -> None:
        self.bars = [bar.row() for bar in (self.overall, *self._files.values())]
