"""Server-sent events: the stream in which engines send their answers."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class EventParser:
    """Puts the data of events together from bytes that arrive in pieces of any size."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[str]:
        """Take the next bytes and give the data of each event that they complete."""
        text = self._rest + self._decode(piece)
        *lines, self._rest = text.split("\n")
        for line in lines:
            yield from self._line(line.removesuffix("\r"))

    def end(self) -> Iterator[str]:
        """Take the end of the stream: an event without its blank line counts too."""
        rest, self._rest = self._rest, ""
        yield from self._line(rest.removesuffix("\r"))
        yield from self._line("")

    def _line(self, line: str) -> Iterator[str]:
        if not line and self._data:
            yield "\n".join(self._data)
            self._data = []
        name, _, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))
