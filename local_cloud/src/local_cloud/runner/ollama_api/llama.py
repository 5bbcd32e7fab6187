"""Requests to a llama.cpp server: whole answers, and streams of server-sent events."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATA = b"data: "
_TIMEOUT = 3600.0  # seconds without a token, the longest that Cloud Run lets a request take


class LlamaError(Exception):
    """A refusal by llama.cpp.

    Attributes
    ----------
    status
        HTTP status.

    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Answer:
    """An answer of llama.cpp, read as it comes; close it to end the work on it.

    Parameters
    ----------
    address
        Base URL of the server.
    path
        Of the request.
    body
        JSON of the request.

    Raises
    ------
    LlamaError
        If it is refused.

    """

    def __init__(self, address: str, path: str, body: dict[str, Any]) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=_TIMEOUT
        )
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", path, json.dumps(body), headers)
        self._response = self._connection.getresponse()
        self.content_type = self._response.getheader("Content-Type", "application/json")
        if self._response.status != http.HTTPStatus.OK:
            refusal = _refusal(self._response)
            self.close()
            raise refusal

    def read(self) -> bytes:
        """Return all of it."""
        try:
            return self._response.read()
        finally:
            self.close()

    def lines(self) -> Iterator[bytes]:
        """Yield its lines, each when it comes."""
        try:
            while line := self._response.readline():
                yield line
        finally:
            self.close()

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the JSON values of its server-sent events."""
        for line in self.lines():
            if line.startswith(_DATA) and not line.startswith(b"data: [DONE]"):
                event = json.loads(line[len(_DATA) :])
                if "error" in event:
                    raise LlamaError(500, event["error"].get("message", ""))
                yield event

    def close(self) -> None:
        """End it; llama.cpp stops working on it."""
        self._connection.close()


def _refusal(response: http.client.HTTPResponse) -> LlamaError:
    text = response.read().decode(errors="replace")
    try:
        message = json.loads(text)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = text
    return LlamaError(response.status, message)
