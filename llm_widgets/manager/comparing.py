"""Asking several services the same question at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.comparisons import COLUMNS, FEWEST, MOST, Compared
from llm_widgets.domain.loading import CHATS
from llm_widgets.domain.tables import Listing
from llm_widgets.errors import InvalidInputError, ManagerError
from llm_widgets.gcp.client import parallel
from llm_widgets.gcp.project import prices
from llm_widgets.manager import asking
from llm_widgets.serving import cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from llm_widgets.domain.prices import Price
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.run.invoke import ChatStream


def compare(
    clients: Clients,
    services: Sequence[ServiceSummary],
    messages: Sequence[Mapping[str, Any]],
    params: Mapping[str, Any] | None = None,
    *,
    come: Callable[[ServiceSummary, str], object] | None = None,
) -> Listing[Compared]:
    """Ask all of the services at once, and return their answers in the order of the services.

    Parameters
    ----------
    messages, params
        As for :func:`.asking.chat`.
    come
        Called with each piece of an answer as it comes, in several threads.

    Raises
    ------
    InvalidInputError
        It is not two to four different services that can chat; what a service refuses is told
        with the answers.
    ManagerError
        The engine of one of them is not known.
    """
    check(services)
    streams = {each.name: asking.chat(clients, each, messages, params) for each in services}

    def ask(service: ServiceSummary) -> Compared:
        hour = cost.of_service(prices.listed(clients, service.project), service)
        return _answer(service, streams[service.name], hour, come)

    answers: dict[str, Compared] = {}
    try:
        for some in parallel.as_they_come(ask, services):
            answers |= {each.key.name: each.value for each in some if each.value}
    finally:
        for stream in streams.values():
            stream.close()  # also those that nobody waits for any more
    return Listing((answers[each.name] for each in services), COLUMNS)


def check(services: Sequence[ServiceSummary]) -> None:
    """Refuse services that can't be compared.

    Raises
    ------
    InvalidInputError
        It is not two to four different services that can chat.
    """
    names = {each.name for each in services}
    if not FEWEST <= len(services) <= MOST or len(names) < len(services):
        raise InvalidInputError(
            f"Name {FEWEST} to {MOST} different services to compare.", field="services"
        )
    for each in services:
        if each.task and each.task not in CHATS:
            raise InvalidInputError(
                f"{each.id} can't be compared: its model is for {each.task.value}, not for chat.",
                field="services",
            )


def _answer(
    service: ServiceSummary,
    stream: ChatStream,
    hour: Price | None,
    come: Callable[[ServiceSummary, str], object] | None,
) -> Compared:
    answer = Compared(service, hour=hour)
    text, thought = [], []  # put together once: an engine may say a million pieces
    try:
        for event in stream:
            text.append(event.text)
            thought.append(event.reasoning)
            if come and event.text:
                come(service, event.text)
            if event.stats:
                answer = replace(
                    answer,
                    first_token=event.stats.first_token,
                    seconds=event.stats.seconds,
                    tokens=event.stats.tokens,
                    tokens_per_second=event.stats.tokens_per_second or None,
                    is_cut=event.stats.finish_reason == "length",
                )
    except ManagerError as error:
        answer = replace(answer, error=error)
    return replace(answer, text="".join(text), thought="".join(thought))
