"""Callers that ask a service at once, each of them again as soon as it has its answer."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.load_tests import plan
from llm_widgets.domain.load_tests.levels import Outcome, Sample
from llm_widgets.domain.load_tests.prompts import prompt
from llm_widgets.engines import registry
from llm_widgets.errors import ManagerError, NoInstanceError, unexpected
from llm_widgets.gcp.run import invoke

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.load_tests.prompts import Shape
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.run.invoke import ChatStream, Stats

_END_WITHIN = 10.0  # seconds that callers are given to notice that their connections are closed
_LONGEST_REASON = 200  # characters: a cause may be all that an engine says
_LOOK = 0.25  # seconds between two looks whether this process ends


class ClosedLoop:
    """Sends the requests of a load test; :meth:`stop` ends them from any thread."""

    def __init__(self, clients: Clients, service: ServiceSummary) -> None:
        self._clients = clients
        self._service = service
        self._path = registry.api_of(service.framework).path
        self._chance = SystemRandom()
        self._lock = threading.Lock()
        self._open: set[ChatStream] = set()
        self._stopped = threading.Event()

    @property
    def is_stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopped.is_set()

    def start(self) -> None:
        """Begin to watch whether this process ends; :meth:`stop` ends that too."""
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """Ask no more, and close all connections: the engine sees them end, and stops too."""
        self._stopped.set()
        self._close()

    def first(self, shape: Shape, tokens: int) -> Stats | None:
        """Ask once, and wait as long as it takes: an instance may have to start.

        Returns
        -------
        Stats or None
            ``None`` where it was stopped.

        Raises
        ------
        ManagerError
            The service refuses, fails or falls silent.
        """
        try:
            return self._ask(shape, tokens)
        except ManagerError:
            if self.is_stopped:
                return None
            raise

    def step(self, shape: Shape, at_once: int, tokens: int, seconds: float) -> list[Sample]:
        """Let so many callers ask for some time; what is unfinished then is cut off."""
        step = _Step(shape, tokens, time.monotonic() + seconds)
        threads = [
            threading.Thread(target=self._call, args=(step, caller), daemon=True)
            for caller in range(at_once)
        ]
        for thread in threads:
            thread.start()
        try:
            _join(threads, step.end)
        finally:  # also where a person interrupts it
            step.is_over.set()
            self._close()
            _join(threads, time.monotonic() + _END_WITHIN)
        with step.lock:
            return list(step.samples)

    def _watch(self) -> None:
        """End all when the process ends, which waits for threads that wait for answers."""
        while not self._stopped.wait(_LOOK):
            if not threading.main_thread().is_alive():
                self.stop()

    def _call(self, step: _Step, caller: int) -> None:
        """Ask again and again, until the step ends or something is wrong."""
        goes_on = True
        while goes_on and not self._is_over(step):
            sample = self._sample(step, caller)
            goes_on = sample.outcome is Outcome.ANSWERED and step.may_ask(sample)
            with step.lock:
                step.samples.append(sample)

    def _sample(self, step: _Step, caller: int) -> Sample:
        """Ask once."""
        began = time.monotonic()
        stats, outcome, reason = None, Outcome.ANSWERED, ""
        firsts: list[float] = []
        try:
            stats = self._ask(step.shape, step.tokens, firsts)
        except NoInstanceError as error:
            outcome, reason = Outcome.REFUSED, reason_of(error)
        except ManagerError as error:
            outcome, reason = Outcome.FAILED, reason_of(error)
        except Exception as error:  # noqa: BLE001 - a thread has nobody to tell it to
            outcome, reason = Outcome.FAILED, reason_of(unexpected(error))
        ended, first = time.monotonic(), next(iter(firsts), None)
        if stats is not None:
            tokens = stats.tokens if stats.is_counted else None
            return Sample(caller, began, ended, outcome, first, tokens)
        if self._is_over(step):  # a connection that was closed from here is no failure
            return Sample(caller, began, ended, Outcome.CUT_OFF, first)
        return Sample(caller, began, ended, outcome, reason=reason)

    def _is_over(self, step: _Step) -> bool:
        return self.is_stopped or step.is_over.is_set()

    def _ask(self, shape: Shape, tokens: int, firsts: list[float] | None = None) -> Stats | None:
        """Ask once, and note when the answer begins; ``None`` where it was cut off."""
        stats: Stats | None = None
        with self._opened(shape, tokens) as answer:
            for event in answer:
                if firsts is not None and not firsts:
                    firsts.append(time.monotonic())
                stats = event.stats or stats
        return stats

    @contextmanager
    def _opened(self, shape: Shape, tokens: int) -> Iterator[ChatStream]:
        """Open a request, which is closed with all others."""
        answer = invoke.chat_stream(
            self._clients,
            self._service.url,
            self._service.served_name,
            [{"role": "user", "content": prompt(shape, self._chance)}],
            _params(tokens),
            path=self._path,
            service=self._service.name,
        )
        with self._lock:
            self._open.add(answer)
        if self._stopped.is_set():
            answer.close()
        try:
            yield answer
        finally:
            answer.close()
            with self._lock:
                self._open.discard(answer)

    def _close(self) -> None:
        with self._lock:
            answers = tuple(self._open)
        for answer in answers:
            answer.close()


@dataclass(slots=True)
class _Step:
    """What the callers of a step share."""

    shape: Shape
    tokens: int
    end: float
    longest: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: threading.Event = field(default_factory=threading.Event)

    def may_ask(self, sample: Sample) -> bool:
        """Return whether a caller that has its answer asks again."""
        with self.lock:
            self.longest = max(self.longest, sample.ended - sample.began)
            return plan.may_ask(sample.ended, self.end, self.longest)


def _params(tokens: int) -> dict[str, Any]:
    """Return how an answer is asked for: of the same length, as far as an engine knows how."""
    # Beyond OpenAI's protocol: vLLM and llama.cpp know it, others leave it alone.
    return {"max_tokens": tokens, "temperature": 0.7, "ignore_eos": True}


def reason_of(error: ManagerError) -> str:
    """Return why a request failed, in a line that can be shown beside numbers."""
    line = " ".join(f"{error.message} {error.cause}".split())
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 1]}…"


def _join(threads: list[threading.Thread], end: float) -> None:
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0))
