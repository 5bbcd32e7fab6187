"""Load tests of services: what one costs, said before; running it; what is kept of it.

A service runs one instance at most meanwhile: a second one would be paid for too, and what is
measured would be of both. It has its own limit back whatever happens to the test.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.load_tests import kept, plan, verdicts
from llm_widgets.domain.load_tests.advice import Told
from llm_widgets.domain.load_tests.levels import Level, level
from llm_widgets.domain.load_tests.result import LoadTest, dollars_of, price_text
from llm_widgets.domain.load_tests.verdicts import Curve
from llm_widgets.domain.loading import Task
from llm_widgets.domain.prices import Price
from llm_widgets.domain.services import ServiceState
from llm_widgets.domain.tables import Shown, Values
from llm_widgets.engines import registry
from llm_widgets.errors import ConflictError, Fix, InvalidInputError, ManagerError
from llm_widgets.gcp.project import prices
from llm_widgets.gcp.run import service_json
from llm_widgets.manager import acting, change, memory, pausing
from llm_widgets.manager.audit import recorded
from llm_widgets.serving import concurrency, cost
from llm_widgets.serving.codec import scaling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.load_tests.plan import Plan
    from llm_widgets.domain.load_tests.prompts import Shape
    from llm_widgets.domain.pausing import Pause
    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.manager.closed_loop import ClosedLoop

Json = dict[str, Any]

_CHATS = (None, Task.CHAT, Task.VISION)
_ALL = 100  # per cent
_MINUTE, _HOUR = 60, 3600  # seconds

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Offer(Shown):
    """A load test that can be run, and what it costs.

    Attributes
    ----------
    revision
        Id of the revision that will answer.
    hour
        What an instance costs an hour; ``None`` where that is not known.
    is_limited
        Whether the service may have several instances, and will have one meanwhile.
    """

    service: ServiceSummary
    plan: Plan
    told: Told
    revision: str
    hour: Price | None
    is_limited: bool

    @property
    def most(self) -> Price | None:
        """What it costs at most; ``None`` where that is not known."""
        if self.hour is None:
            return None
        hours = Decimal(str(self.plan.seconds)) / _HOUR
        return Price(self.hour.amount * hours, self.hour.basis)

    @property
    def text(self) -> str:
        """What is done, and what it costs."""
        at_once = ", ".join(map(str, self.plan.levels))
        kinds = " and ".join(each.label.lower() for each in self.plan.shapes)
        priced = (
            "What an instance costs is unknown."
            if self.hour is None
            else f"Costs at most {price_text(self.most)}, at {price_text(self.hour)} an hour; an "
            "instance that has to start for it, and stops some minutes later, costs that too."
        )
        limited = " Meanwhile the service runs one instance at most." if self.is_limited else ""
        return (
            f"Sends {kinds} requests, {at_once} at once, for at most "
            f"{_duration(self.plan.seconds)}. {priced}{limited}"
        )

    def shown(self) -> Values:
        """Return what is told of it."""
        return {
            "service": self.service.id,
            "revision": self.revision,
            "at_once": list(self.plan.levels),
            "requests": [each.id for each in self.plan.shapes],
            "seconds": self.plan.seconds,
            "most": price_text(self.most),
            "most_dollars": dollars_of(self.most),
            "limited_to_one_instance": self.is_limited,
        }


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


def offered(clients: Clients, service: ServiceSummary, seconds: float = plan.MOST_SECONDS) -> Offer:
    """Return what a load test of a service would be; nothing is sent to it.

    Parameters
    ----------
    service
        As it is now.
    seconds
        Time for all of it, beside the start of an instance.

    Raises
    ------
    InvalidInputError
        It can't be tested as it is.
    ConflictError
        Somebody tests it already.
    ManagerError
        It can't be read.
    """
    document = service_json.read(clients, service.name)
    deployment = change.deployment_of(document)
    registry.api_of(service.framework)  # says so where it is not known
    _refuse(clients, service, document, deployment)
    engine = registry.of(service.framework)
    try:
        planned = plan.planned(deployment.concurrency, seconds)
    except ValueError as error:
        raise InvalidInputError(str(error), field="seconds") from error
    listed = prices.listed(clients, service.project)
    hour = cost.of_instance(listed, service.region, service.size) if service.size else None
    told = Told(
        deployment.concurrency,
        concurrency.at_once(deployment),
        engine.parallel.name if engine else "",
    )
    is_limited = scaling.instances(document)[1] > 1
    return Offer(service, planned, told, _newest(document), hour, is_limited)


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


def _refuse(
    clients: Clients, service: ServiceSummary, document: Json, deployment: Deployment
) -> None:
    """Refuse a service of which nothing could be told.

    Raises
    ------
    InvalidInputError, ConflictError
        It is one.
    """
    limit = scaling.limit_of(document)
    if limit:
        raise ConflictError(
            f"A load test has limited {service.id} to one instance: "
            f"{limit.text or 'it may still run'}.",
            fix=Fix(
                text="Wait for its end. If it was broken off, give the service its limit back.",
                command=f"llm-widgets services measure {service.id} --restore",
            ),
        )
    if service.state is not ServiceState.READY or service.paused:
        raise InvalidInputError(
            f"{service.id} can't be tested: its state is {service.state.value}.",
            fix=Fix(text="Test it when it is ready."),
        )
    task = service.task or memory.task_of(clients, deployment)
    if task not in _CHATS:
        raise InvalidInputError(
            f"{service.id} can't be tested: a load test sends chats, and this model is for "
            f"{task.value if task else 'something else'}."
        )
    if service_json.percent(_newest(document), document) != _ALL:
        raise InvalidInputError(
            f"{service.id} can't be tested: its newest revision does not get all of the traffic.",
            fix=Fix(text="Send all of its traffic to its newest revision."),
        )
    least, _ = scaling.instances(document)
    if least > 1:
        raise InvalidInputError(
            f"{service.id} can't be tested: it always runs {least} instances, and the requests "
            "would be spread among them.",
            fix=Fix(text="Set its minimum to 1 or 0 for the test."),
        )


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
        reason = f"{error.message} {error.cause}".strip()
        return Curve(shape, shape.tokens, (Level(1, 0, failed=1, reason=reason),))
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


def _newest(document: Mapping[str, Any]) -> str:
    return _id(str(document.get("latestCreatedRevision", "")))


def _duration(seconds: float) -> str:
    return f"{seconds / _MINUTE:g} min" if seconds >= _MINUTE else f"{seconds:g} s"
