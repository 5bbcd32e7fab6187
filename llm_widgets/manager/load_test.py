"""Load tests of services: running one, and what is kept of it.

A service runs one instance at most meanwhile: a second one would be paid for too, and what is
measured would be of both. It has its own limit back whatever happens to the test.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.load_tests import kept, plan, verdicts
from llm_widgets.domain.load_tests.levels import Level, level
from llm_widgets.domain.load_tests.result import LoadTest
from llm_widgets.domain.load_tests.verdicts import Curve
from llm_widgets.errors import Fix, InvalidInputError, ManagerError
from llm_widgets.manager import acting, change, pausing
from llm_widgets.manager.audit import recorded
from llm_widgets.manager.closed_loop import ClosedLoop, reason_of
from llm_widgets.serving.codec import scaling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.load_tests.plan import Plan
    from llm_widgets.domain.load_tests.prompts import Shape
    from llm_widgets.domain.pausing import Pause
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.manager.load_test_offer import Offer

Json = dict[str, Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a load test is.

    Attributes
    ----------
    text
        What is being done.
    curves
        What was measured so far.
    """

    text: str
    curves: tuple[Curve, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a load test ended.

    Attributes
    ----------
    test
        What was found; ``None`` where it was stopped.
    problem
        Why it is not kept with the service, or the service not as it was; ``None`` where all is
        well.
    """

    test: LoadTest | None
    problem: ManagerError | None = None


@recorded("service.measure", on="{offer.service.name}")
def run(
    clients: Clients,
    offer: Offer,
    loop: ClosedLoop,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Ended:
    """Carry out a load test, and keep it with the service.

    Parameters
    ----------
    loop
        What sends its requests; to stop it ends the test.
    tell
        Called with how far it is.

    Raises
    ------
    ManagerError
        The service may not be limited to one instance, or does not answer a single request.
    """
    name, found, begun = offer.service.name, None, time.monotonic()
    loop.start()
    try:
        if offer.is_limited:
            tell(Progress("Limiting the service to one instance …"))
            _limit(clients, name)
        curves = _measured(offer.plan, loop, tell)
        if not loop.is_stopped:
            now = datetime.now(UTC).replace(microsecond=0)
            seconds = time.monotonic() - begun
            found = LoadTest(now, seconds, offer.revision, offer.told, offer.hour, curves)
    finally:
        loop.stop()
        problem = _end(clients, offer, found)
    return Ended(found, problem)


@recorded("service.restore", on="{name}")
def restore(clients: Clients, name: str) -> None:
    """Give a service the limit of its instances back that a load test has left behind.

    Raises
    ------
    InvalidInputError
        There is nothing to give back.
    ManagerError
        It may not be changed.
    """

    def decide(document: Json) -> change.Change:
        found = scaling.released(document)
        if found is None:
            raise InvalidInputError(f"No load test has limited {_id(name)}.")
        return change.Change(*found)

    change.decided(clients, name, decide)


def kept_with(document: Mapping[str, Any]) -> LoadTest | None:
    """Return the last load test of a service, given its JSON; ``None`` where there is none."""
    return kept.read(str(document.get("annotations", {}).get(kept.ANNOTATION, "")))


def limit_of(document: Mapping[str, Any]) -> Pause | None:
    """Return since when, and by whom, a service is limited for a load test; see `restore`."""
    return scaling.limit_of(document)


def _limit(clients: Clients, name: str) -> None:
    """Have a service run one instance at most, and wait until Cloud Run has carried it out."""

    def decide(document: Json) -> change.Change | None:
        by = acting.actor(clients).name
        found = scaling.limited(document, datetime.now(UTC), by)
        return change.Change(*found) if found else None

    change.decided(clients, name, decide)
    pausing.settle(clients, name)


def _end(clients: Clients, offer: Offer, test: LoadTest | None) -> ManagerError | None:
    """Give the service its own limit back, and keep the test with it."""
    name = offer.service.name

    def decide(document: Json) -> change.Change | None:
        changed, paths = scaling.released(document) or (document, ())
        if test:
            annotations = {**changed.get("annotations", {}), kept.ANNOTATION: kept.written(test)}
            changed, paths = {**changed, "annotations": annotations}, (*paths, "annotations")
        return change.Change(changed, paths) if paths else None

    try:
        change.decided(clients, name, decide)
    except ManagerError as error:
        problem = _left(offer, error)
        _log.warning("%s %s", problem.message, problem.cause)
        return problem
    return None


def _left(offer: Offer, error: ManagerError) -> ManagerError:
    cause = f"{error.message} {error.cause}".strip()
    if not offer.is_limited:
        message = f"The load test can't be kept with {offer.service.id}."
        return ManagerError(message, cause=cause, fix=error.fix)
    return ManagerError(
        f"{offer.service.id} may still be limited to one instance, for the load test.",
        cause=cause,
        fix=Fix(
            text="Give it its limit back.",
            command=f"llm-widgets services measure {offer.service.id} --restore",
        ),
    )


def _measured(
    planned: Plan, loop: ClosedLoop, tell: Callable[[Progress], None]
) -> tuple[Curve, ...]:
    """Go through all steps; fewer where it is stopped."""
    tell(Progress("Waiting for the first answer …"))
    loop.first(planned.shapes[0], plan.LEAST_TOKENS)  # an instance may have to start
    done: list[Curve] = []

    def note(text: str, *begun: Curve) -> None:
        tell(Progress(text, (*done, *begun)))

    for shape in planned.shapes:
        if loop.is_stopped:
            break
        done.append(_curve(planned, shape, loop, note))
    return tuple(done)


def _curve(planned: Plan, shape: Shape, loop: ClosedLoop, note: Callable[..., None]) -> Curve:
    """Go through the steps of a kind of requests, up to the first one that does not pass."""
    begun = time.monotonic()
    note(f"{shape.label}: a first request …")
    try:
        first = loop.first(shape, plan.LEAST_TOKENS)
    except ManagerError as error:  # a long prompt may be too long for it, and short ones are not
        failed = Level(1, 0, failed=1, reason=reason_of(error))
        return Curve(shape, shape.tokens, (failed,))
    left = planned.seconds / len(planned.shapes) - (time.monotonic() - begun)
    step = max(left, 0) / len(planned.levels)
    wait, speed = (first.first_token, first.tokens_per_second) if first else (0.0, 0.0)
    tokens = plan.tokens(shape, step, wait=wait, speed=speed)
    levels: list[Level] = []
    for at_once in planned.levels:
        if loop.is_stopped or verdicts.knee(levels, shape).next:
            break
        note(f"{shape.label}: {at_once} at once …", Curve(shape, tokens, tuple(levels)))
        levels.append(level(at_once, loop.step(shape, at_once, tokens, step)))
    return Curve(shape, tokens, tuple(levels))


def _id(name: str) -> str:
    return name.rsplit("/", 1)[-1]
