"""What one lane works with: its connections, and what it has begun beside its present part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.transfer.connections import Connections

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.transfer.options import Options
    from llm_widgets.transfer.range_reader import Asked, Source


class Lane:
    """What one lane works with: its connections, and the part whose answer is on its way.

    While the end of one part is on its way, and while Cloud Storage still answers to it, the next
    one is begun.

    Attributes
    ----------
    reading, writing
        Where the present part comes from and goes to.
    """

    def __init__(self, options: Options) -> None:
        self.reading = Connections(options)
        self._reading_next = Connections(options)
        self._asked: Asked | None = None
        self.writing = Connections(options)
        self._waiting = Connections(options)
        self._unsettled: Callable[[Connections], None] | None = None

    def ask(self, source: Source, offset: int, length: int) -> None:
        """Ask a source for the bytes that the lane reads next."""
        self._asked = source.ask(self._reading_next, offset, length)

    def read(self, source: Source, offset: int, length: int, take: Callable[[bytes], None]) -> None:
        """Read bytes: those that were asked for, if any were.

        See :meth:`Source.read`.
        """
        asked, self._asked = self._asked, None
        if asked:
            self.reading, self._reading_next = self._reading_next, self.reading
        source.read(self.reading, offset, length, take, asked)

    def defer(self, settle: Callable[[Connections], None]) -> None:
        """Leave it for later to look at the answer to the present part.

        Parameters
        ----------
        settle
            Called with the connections that the part was written by.
        """
        self._unsettled = settle
        self.writing, self._waiting = self._waiting, self.writing

    def settle(self) -> None:
        """Look at the answer that was left for later."""
        settle, self._unsettled = self._unsettled, None
        if settle:
            settle(self._waiting)

    def close(self) -> None:
        """Close all connections."""
        for connections in (self.reading, self._reading_next, self.writing, self._waiting):
            connections.close()
