"""The same call for many things at once, so that one denied or slow call spoils no other."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from llm_widgets.errors import ManagerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

K = TypeVar("K")
V = TypeVar("V")

THREADS = 32
_TOGETHER = 0.01  # seconds in which outcomes count as come at the same time


@dataclass(frozen=True, slots=True)
class Outcome(Generic[K, V]):
    """What a call gave for one thing: ``value``, or the ``error`` that came in its place."""

    key: K
    value: V | None
    error: ManagerError | None = None


def outcomes(work: Callable[[K], V], keys: Iterable[K]) -> list[Outcome[K, V]]:
    """Call ``work`` for each key, at most 32 at a time, and give the outcomes in order.

    A :class:`ManagerError` becomes an outcome; any other exception is raised. The threads know
    the context variables of the caller.
    """
    todo = [(copy_context(), key) for key in keys]
    if not todo:
        return []
    with ThreadPoolExecutor(min(THREADS, len(todo)), thread_name_prefix="cloud") as pool:
        return list(pool.map(lambda each: each[0].run(_outcome, work, each[1]), todo))


def as_they_come(work: Callable[[K], V], keys: Iterable[K]) -> Iterator[list[Outcome[K, V]]]:
    """Call ``work`` for all keys at once, and give outcomes as they come, some at a time.

    A :class:`ManagerError` becomes an outcome; any other exception is raised. Whoever stops to
    iterate does not wait for the calls that are still on their way.
    """
    todo = list(keys)
    if not todo:
        return
    pool = ThreadPoolExecutor(len(todo), thread_name_prefix="cloud")
    try:
        pending = {pool.submit(_outcome, work, key) for key in todo}
        while pending:
            wait(pending, return_when=FIRST_COMPLETED)
            done, pending = wait(pending, timeout=_TOGETHER)
            yield [future.result() for future in done]
    finally:
        pool.shutdown(wait=False)


def _outcome(work: Callable[[K], V], key: K) -> Outcome[K, V]:
    try:
        return Outcome(key, work(key))
    except ManagerError as error:
        return Outcome(key, None, error)
