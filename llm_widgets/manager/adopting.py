"""Adopting a service that others deployed: its labels change, and nothing else; and undoing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import adoption
from llm_widgets.domain.tables import Listing
from llm_widgets.engines import registry
from llm_widgets.errors import Fix, InvalidInputError
from llm_widgets.gcp.run import service_json, services, summaries
from llm_widgets.manager import acting, change, pausing
from llm_widgets.manager.audit import recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.adoption import LabelChange
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.gcp.client.clients import Clients

Json = dict[str, Any]
Labels = dict[str, str]
_COLUMNS = ("label", "before", "after")


def planned(clients: Clients, summary: ServiceSummary, framework: str = "") -> Listing[LabelChange]:
    """Return the labels that adopting a service would change; nothing is changed.

    Parameters
    ----------
    framework
        Id of its engine; the one that is recognised when left out.

    Raises
    ------
    InvalidInputError
        It is managed already, or its engine is not known.
    """
    labels = _labels(service_json.read(clients, summary.name))
    by = acting.actor(clients).name
    return _listed(labels, adoption.adopted(labels, _engine(summary, framework), by))


def undone(clients: Clients, summary: ServiceSummary) -> Listing[LabelChange]:
    """Return the labels that releasing a service would change; nothing is changed.

    Raises
    ------
    InvalidInputError
        It was not adopted.
    """
    document = service_json.read(clients, summary.name)
    return _listed(_labels(document), _released(document))


@recorded("service.adopt", on="{name}")
def adopt(clients: Clients, name: str, framework: str = "") -> Listing[LabelChange]:
    """Adopt a service, given its resource name: no revision is made, and nothing restarts.

    Returns
    -------
    Listing
        The labels that were changed.

    Raises
    ------
    InvalidInputError
        It is managed already, or its engine is not known.
    ManagerError
        It may not be changed, or others keep changing it.
    """
    engine = _engine(summaries.summary(services.get(clients, name)), framework)
    by = acting.actor(clients).name

    def adopted(document: Json) -> Labels:
        labels = _labels(document)
        if adoption.is_managed(labels):
            raise _managed_already(name)
        return adoption.adopted(labels, engine, by)

    return _relabelled(clients, name, adopted)


@recorded("service.release", on="{name}")
def release(clients: Clients, name: str) -> Listing[LabelChange]:
    """Undo the adoption of a service: its labels are what they were before.

    Raises
    ------
    InvalidInputError
        It was not adopted.
    ManagerError
        It may not be changed, or others keep changing it.
    """
    return _relabelled(clients, name, _released)


def _released(document: Json) -> Labels:
    """Return the labels of a service once its adoption is undone."""
    labels = _labels(document)
    if not adoption.is_adopted(labels):
        raise InvalidInputError(
            f"{_id(document['name'])} was not adopted.",
            cause="This manager deployed it." if adoption.is_managed(labels) else "",
        )
    return adoption.released(labels)


def _engine(summary: ServiceSummary, framework: str) -> str:
    """Return the engine that a service is adopted with."""
    if summary.managed:
        raise _managed_already(summary.name)
    known = framework or (summary.recognition.framework if summary.recognition else "")
    if known not in registry.ids():
        engines = ", ".join(registry.ids())
        raise InvalidInputError(
            f"There is no engine {known}." if known else f"{summary.id} runs no known engine.",
            field="engine",
            fix=Fix(text=f"Name its engine, one of {engines}."),
        )
    return known


def _relabelled(
    clients: Clients, name: str, decide: Callable[[Json], Labels]
) -> Listing[LabelChange]:
    """Change the labels of a service as it is now; read it again where somebody was faster."""
    found: dict[str, Labels] = {}

    def relabelled(document: Json) -> change.Change:
        found["before"], found["after"] = _labels(document), decide(document)
        return change.Change({**document, "labels": found["after"]}, ("labels",))

    change.decided(clients, name, relabelled, _send)
    # Until that is carried out, Cloud Run refuses changes of the service as it was.
    pausing.settle(clients, name)
    return _listed(found["before"], found["after"])


def _send(clients: Clients, wanted: change.Change) -> None:
    """Send labels alone, without a signature: others' services are told nothing else."""
    service_json.patch(clients, wanted.document, wanted.paths)


def _listed(before: Labels, after: Labels) -> Listing[LabelChange]:
    return Listing(adoption.changes(before, after), _COLUMNS)


def _labels(document: Mapping[str, Any]) -> Labels:
    return dict(document.get("labels", {}))


def _managed_already(name: str) -> InvalidInputError:
    return InvalidInputError(f"{_id(name)} is managed here already.")


def _id(name: str) -> str:
    return name.rsplit("/", 1)[-1]
