"""Progress bars of tqdm: one for the whole, and one for each transfer that is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w
from tqdm.notebook import tqdm

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SLOTS = 8
MIN_SECONDS = 0.5  # between two updates of a bar; more often would flood the connection


class Bar(w.Box):
    """A bar of tqdm as a widget, for bytes.

    The reference to tqdm's object is kept here: its own container holds only a weak one, and
    its ``repr`` fails once the object is gone.

    Parameters
    ----------
    label
        What the bar is for; shown before it.
    total
        Bytes in all; 0 while it is not known.
    done
        Bytes that are there already; they don't count as speed.
    """

    def __init__(self, label: str, total: int = 0, done: int = 0) -> None:
        # tqdm shows its first description unescaped; one that is set later it escapes.
        self._bar: Any = tqdm(
            total=max(total, 1),
            initial=done,
            unit="B",
            unit_scale=True,
            mininterval=MIN_SECONDS,
            display=False,
        )
        super().__init__([self._bar.container])
        self.add_class("llm-progress")
        self.restart(label, total, done)

    __repr__ = object.__repr__

    @property
    def _gauge(self) -> w.FloatProgress:
        return self._bar.container.children[1]

    @property
    def done(self) -> int:
        """Bytes that have arrived."""
        return int(self._bar.n)

    @property
    def total(self) -> int:
        """Bytes in all; 0 while it is not known."""
        return int(self._bar.total or 0)

    def set(self, done: int, *, total: int | None = None) -> None:
        """Move the bar to a number of bytes; cheap when called often."""
        if total is not None and total != self.total:
            self._bar.total = total or None
            self._gauge.max = max(total, 1)
        self._bar.update(done - self._bar.n)

    def restart(self, label: str, total: int = 0, done: int = 0) -> None:
        """Use the bar for something else: speed and time are counted anew."""
        bar = self._bar
        bar.reset(max(total, 1))
        bar.total = total or None
        bar.initial = bar.n = bar.last_print_n = done
        bar.set_description_str(label)
        self._gauge.tooltip = f"Progress of {label}"
        self._gauge.bar_style = "" if total else "info"

    def finish(self) -> None:
        """Draw the last state and mark the bar as finished."""
        self._bar.refresh()
        self._gauge.bar_style = "success"

    def fail(self) -> None:
        """Draw the last state and mark the bar as failed."""
        self._bar.refresh()
        self._gauge.bar_style = "danger"

    def close(self) -> None:
        """Remove the bar and the widgets that it is made of."""
        self._bar.leave = False
        self._bar.close()
        for part in (*self._bar.container.children, self._bar.container):
            part.close()
        super().close()


class TransferBars(w.VBox):
    """A bar for the whole transfer and up to eight for the files that are being moved.

    Call `advance` with what is known; once a second is enough.

    Parameters
    ----------
    label
        What is transferred.
    total
        Bytes in all.
    done
        Bytes that were there at the start; they don't count as speed.
    """

    def __init__(self, label: str, total: int, done: int = 0) -> None:
        self.overall = Bar(label, total, done)
        self._slots: dict[str, Bar] = {}
        self._free: list[Bar] = []
        super().__init__([self.overall])
        self.add_class("llm-transfer")

    __repr__ = object.__repr__

    def advance(
        self, done: int, active: Mapping[str, tuple[int, int]], *, total: int | None = None
    ) -> None:
        """Show how far it is.

        Parameters
        ----------
        done
            Bytes that have arrived in all.
        active
            ``{file name: (bytes that have arrived, bytes in all)}`` of the files under way; the
            first eight are shown.
        total
            Bytes in all, where that has changed.
        """
        self.overall.set(done, total=total)
        shown = dict(list(active.items())[:MAX_SLOTS])
        for name in [name for name in self._slots if name not in shown]:
            self._free.append(self._slots.pop(name))
        for name, (arrived, size) in shown.items():
            if name in self._slots:
                self._slots[name].set(arrived, total=size)
            elif self._free:
                self._slots[name] = self._free.pop()
                self._slots[name].restart(name, size, arrived)
            else:
                self._slots[name] = Bar(name, size, arrived)
        self._arrange()

    def finish(self) -> None:
        """Mark the transfer as done; the bars of the files go."""
        self.overall.set(self.overall.total)
        self.overall.finish()
        self._clear()

    def fail(self) -> None:
        """Mark the transfer as failed; the bars of the files go."""
        self.overall.fail()
        self._clear()

    def close(self) -> None:
        """Remove all bars."""
        self._clear()
        self.overall.close()
        super().close()

    def _arrange(self) -> None:
        bars = (self.overall, *self._slots.values())
        if bars != self.children:
            self.children = bars

    def _clear(self) -> None:
        gone = [*self._slots.values(), *self._free]
        self._slots.clear()
        self._free.clear()
        self._arrange()
        for bar in gone:
            bar.close()
