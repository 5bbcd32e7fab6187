"""The same call for many things at once, so that one denied or slow call spoils no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from llm_widgets.errors import ManagerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

K = TypeVar("K")
V = TypeVar("V")

THREADS = 32


@dataclass(frozen=True, slots=True)
class Outcome(Generic[K, V]):
    """What a call gave for one thing: ``value``, or the ``error`` that came in its place."""

    key: K
    value: V | None
    error: ManagerError | None = None


def outcomes(work: Callable[[K], V], keys: Iterable[K]) -> list[Outcome[K, V]]:
    """Call ``work`` for each key, at most 32 at a time, and give the outcomes in order.

    A :class:`ManagerError` becomes an outcome; any other exception is raised.
    """

    def one(key: K) -> Outcome[K, V]:
        try:
            return Outcome(key, work(key))
        except ManagerError as error:
            return Outcome(key, None, error)

    todo = list(keys)
    if not todo:
        return []
    with ThreadPoolExecutor(min(THREADS, len(todo)), thread_name_prefix="cloud") as pool:
        return list(pool.map(one, todo))
