"""The connections that one worker of a transfer moves its parts by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.transfer.connections import Connections

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.transfer.options import Options
    from llm_widgets.transfer.range_reader import PrefetchedRange, RangeReader


class WorkerConnections:
    """The connections of one worker, and the requests that are still open.

    While the end of one part arrives, and while Cloud Storage still confirms it, the worker
    requests the next one.

    Attributes
    ----------
    reading, writing
        Connections that the present part comes from and goes to.
    """

    def __init__(self, options: Options) -> None:
        self.reading = Connections(options)
        self._prefetching = Connections(options)
        self._prefetched: PrefetchedRange | None = None
        self.writing = Connections(options)
        self._confirming = Connections(options)
        self._deferred: Callable[[Connections], None] | None = None

    def prefetch(self, reader: RangeReader, offset: int, length: int) -> None:
        """Request the bytes that the worker reads next."""
        self._prefetched = reader.prefetch(self._prefetching, offset, length)

    def read(
        self, reader: RangeReader, offset: int, length: int, take: Callable[[bytes], None]
    ) -> None:
        """Read bytes, those that were prefetched if any were.

        See :meth:`.RangeReader.read`.
        """
        prefetched, self._prefetched = self._prefetched, None
        if prefetched:
            self.reading, self._prefetching = self._prefetching, self.reading
        reader.read(self.reading, offset, length, take, prefetched)

    def defer(self, confirm: Callable[[Connections], None]) -> None:
        """Read the response to the present part later.

        Parameters
        ----------
        confirm
            Called with the connections that the part was written by.
        """
        self._deferred = confirm
        self.writing, self._confirming = self._confirming, self.writing

    def confirm_deferred(self) -> None:
        """Read the response that was deferred."""
        confirm, self._deferred = self._deferred, None
        if confirm:
            confirm(self._confirming)

    def close(self) -> None:
        """Close all connections."""
        for connections in (self.reading, self._prefetching, self.writing, self._confirming):
            connections.close()
