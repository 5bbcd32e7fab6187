"""Ports of a container, and the free ports of this machine that stand for them."""

from __future__ import annotations

import random
import re
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOPBACK = "127.0.0.1"
# Below the range that systems take ports of outgoing connections from (32768 on Linux, 49152 on
# macOS): a port that is remembered is likely to be free again after a restart.
STABLE_PORTS = range(20000, 32000)

# An address to listen on or to reach: HOST:PORT anywhere, :PORT as a whole word or value.
_ADDRESS = re.compile(
    r"(?<![\w.:-])(0\.0\.0\.0|127\.0\.0\.1|localhost|\[::\]):(\d{2,5})(?![\d.])"
    r"|(?:^|(?<==)):(\d{2,5})$"
)
_OPTION = re.compile(r"(--?[\w-]*port[= ]|\b\w*PORT=)(\d{2,5})\b")
_ANY_ADDRESS = re.compile(r"(?<![\w.])0\.0\.0\.0(?![\w.])")


def free_port() -> int:
    """Return a port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def candidate_ports(preferred: int | None) -> list[int]:
    """Return ports to try for a stable address, the preferred one first."""
    candidates = random.sample(STABLE_PORTS, 50)
    return [preferred, *candidates] if preferred else candidates


class PortMap:
    """Stands a free local port for each port that a container uses.

    All containers share this machine's addresses, so each gets its own ports, and listens on the
    loopback address only.

    Parameters
    ----------
    outside
        Texts with addresses that are not the container's own, such as those of the local cloud.

    """

    def __init__(self, outside: Iterable[str] = ()) -> None:
        found = (match for text in outside for match in _ADDRESS.finditer(text))
        self._local = {port: port for match in found if (port := int(match[2] or match[3]))}

    def local(self, port: int) -> int:
        """Return the local port that stands for a container's port."""
        if port not in self._local:
            taken = set(self._local.values())
            while (found := free_port()) in taken:
                pass
            self._local[port] = found
        return self._local[port]

    def translate(self, text: str) -> str:
        """Return ``text`` with listening addresses and ``--port`` options as they are here."""
        text = _ADDRESS.sub(self._address, text)
        text = _OPTION.sub(lambda found: found[1] + str(self.local(int(found[2]))), text)
        return _ANY_ADDRESS.sub(LOOPBACK, text)

    def translate_all(self, words: list[str]) -> list[str]:
        """Return the words of a command line, with ``--port`` followed by a number translated."""
        translated: list[str] = []
        before = ""
        for word in words:
            names_port = before.startswith("-") and before.lower().endswith(("port", "-p"))
            if names_port and word.isdecimal():
                translated.append(str(self.local(int(word))))
            else:
                translated.append(self.translate(word))
            before = word
        return translated

    def _address(self, found: re.Match[str]) -> str:
        host = found[1] if found[1] in (LOOPBACK, "localhost") else LOOPBACK
        return f"{host}:{self.local(int(found[2] or found[3]))}"
