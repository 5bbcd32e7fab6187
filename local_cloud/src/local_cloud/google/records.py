"""Messages kept in the store, and pages of them."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from google.protobuf import json_format

from local_cloud.errors import ApiError
from local_cloud.google.gapic import as_message, message_class, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_cloud.store import Store

M = TypeVar("M")
T = TypeVar("T")


class Records(Generic[M]):
    """Messages of one class by name.

    Parameters
    ----------
    store
        Where they are kept.
    kind
        Kind of the records.
    message
        Class of the messages.

    """

    def __init__(self, store: Store, kind: str, message: type[M]) -> None:
        self._store = store
        self._kind = kind
        self._message = message

    def get(self, name: str) -> M | None:
        """Return a message of its own, or None."""
        found = self._store.get(self._kind, name)
        return None if found is None else from_json(self._message, found)

    def put(self, name: str, message: M) -> None:
        """Keep a message."""
        self._store.put(self._kind, name, to_json(message))

    def delete(self, name: str) -> None:
        """Forget a message."""
        self._store.delete(self._kind, name)

    def list(self, prefix: str = "") -> list[M]:
        """Return the messages whose names begin so, ordered by name."""
        return [
            from_json(self._message, value) for _, value in self._store.list(self._kind, prefix)
        ]


def to_json(message: Any) -> dict[str, Any]:
    """Return a message as JSON."""
    written: dict[str, Any] = json_format.MessageToDict(as_message(message))
    return written


def from_json(kind: type[M], value: dict[str, Any]) -> M:
    """Return a message from JSON; fields that the installed package does not know are dropped."""
    message = json_format.ParseDict(value, message_class(kind)(), ignore_unknown_fields=True)
    return wrapped(kind, message)


def copied(message: M) -> M:
    """Return a message that can be changed without changing the other."""
    raw = as_message(message)
    twin = type(raw)()
    twin.CopyFrom(raw)
    return wrapped(type(message), twin)


def page_of(
    items: Sequence[T], request: Any, *, default: int = 100, most: int = 1000
) -> tuple[Sequence[T], str]:
    """Return one page and the token of the next (empty at the end).

    Parameters
    ----------
    items
        All of them, in a stable order.
    request
        Has ``page_size`` and ``page_token``.
    default, most
        Number of items in a page if none is asked for, and at most.

    Raises
    ------
    ApiError
        400 for a negative size, or a token that is not ours.

    """
    size = int(request.page_size or default)
    if size < 0:
        raise ApiError("INVALID_ARGUMENT", "page_size must not be negative.")
    start = 0
    if request.page_token:
        try:
            start = int(base64.urlsafe_b64decode(request.page_token.encode()))
        except (binascii.Error, ValueError) as error:
            raise ApiError("INVALID_ARGUMENT", "Invalid page token.") from error
    end = start + min(size, most)
    token = base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(items) else ""
    return items[start:end], token
