"""What a load test of a service would be and cost, said before it is begun."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.load_tests import plan
from llm_widgets.domain.load_tests.advice import Told
from llm_widgets.domain.load_tests.result import dollars_of, price_text
from llm_widgets.domain.loading import Task
from llm_widgets.domain.prices import Price
from llm_widgets.domain.services import ServiceState
from llm_widgets.domain.tables import Shown, Values
from llm_widgets.engines import registry
from llm_widgets.errors import ConflictError, Fix, InvalidInputError
from llm_widgets.gcp.project import prices
from llm_widgets.gcp.run import service_json
from llm_widgets.manager import change, memory
from llm_widgets.serving import concurrency, cost
from llm_widgets.serving.codec import scaling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.load_tests.plan import Plan
    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.gcp.client.clients import Clients

Json = dict[str, Any]

_CHATS = (None, Task.CHAT, Task.VISION)
_ALL = 100  # per cent
_MINUTE, _HOUR = 60, 3600  # seconds


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
    def time_text(self) -> str:
        """How long it takes, and what that costs."""
        priced = f"at most {price_text(self.most)}" if self.most else "price unknown"
        return f"{_duration(self.plan.seconds)}, {priced}"

    @property
    def terms(self) -> str:
        """What is done, and what else it costs."""
        at_once = ", ".join(map(str, self.plan.levels))
        kinds = " and ".join(each.label.lower() for each in self.plan.shapes)
        told = [f"Sends {kinds} requests, {at_once} at once."]
        if self.hour:
            told.append(
                f"An instance costs {price_text(self.hour)} an hour, also while it starts for the "
                "test, and until it stops some minutes later."
            )
        if self.is_limited:
            told.append("Meanwhile the service runs one instance at most.")
        return " ".join(told)

    @property
    def text(self) -> str:
        """All that a person is told before."""
        return f"The load test takes up to {self.time_text}. {self.terms}"

    def lasting(self, seconds: float) -> Offer:
        """Return the same test, taking another time."""
        return replace(self, plan=plan.planned(self.told.concurrency, seconds))

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


def _newest(document: Mapping[str, Any]) -> str:
    return str(document.get("latestCreatedRevision", "")).rsplit("/", 1)[-1]


def _duration(seconds: float) -> str:
    return f"{seconds / _MINUTE:g} min" if seconds >= _MINUTE else f"{seconds:g} s"
