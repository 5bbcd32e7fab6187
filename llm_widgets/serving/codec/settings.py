"""Fields that are one value each of a service's JSON: adding one is a line of the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import Ingress
from llm_widgets.domain.units import GIB, number_text, quantity
from llm_widgets.serving.codec.places import Json, container_of, differs, template_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.services import Deployment

_ROOTS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "service": lambda service: service,
    "template": template_of,
    "container": container_of,
}
_INGRESS = {
    "INGRESS_TRAFFIC_ALL": Ingress.ALL,
    "INGRESS_TRAFFIC_INTERNAL_ONLY": Ingress.INTERNAL,
    "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER": Ingress.BALANCER,
}
_INGRESS_NAMES = {ingress: name for name, ingress in _INGRESS.items()}


@dataclass(frozen=True, slots=True)
class Setting:
    """One field.

    Attributes
    ----------
    field
        Its name in :class:`llm_widgets.domain.services.Deployment`.
    path
        Where it stands, below the service, its template or the container of the requests.
    absent
        What Cloud Run takes where nothing stands there.
    read, write
        From the JSON to the deployment, and back.
    flag
        Of ``gcloud run deploy``, where the export has no other place for it.
    annotation
        Of the template in the first version of the API, where that has no field for it.
    """

    field: str
    path: str
    absent: Any
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    flag: str = ""
    annotation: str = ""

    def found_in(self, service: Mapping[str, Any]) -> Any:
        """Return what stands in a service's JSON; ``None`` where nothing does."""
        root, *between, last = self.path.split(".")
        place = _ROOTS[root](service)
        for key in between:
            place = place.get(key, {})
        return place.get(last)

    def put_into(self, service: Json, value: Any) -> None:
        """Write a value of the JSON."""
        root, *between, last = self.path.split(".")
        place = _ROOTS[root](service)
        for key in between:
            place = place.setdefault(key, {})
        place[last] = value


def gib(text: str) -> float:
    """Read a quantity of memory, for example ``32Gi``, as GiB."""
    return quantity(text) / GIB


def _seconds(text: str) -> int:
    return int(float(text.rstrip("s")))


SETTINGS = (
    Setting(
        "ingress",
        "service.ingress",
        "INGRESS_TRAFFIC_ALL",
        lambda name: _INGRESS.get(name, Ingress.ALL),
        lambda ingress: _INGRESS_NAMES[ingress],
    ),
    Setting("image", "container.image", "", str, str),
    Setting("command", "container.command", [], tuple, list),
    Setting("args", "container.args", [], tuple, list),
    Setting("cpu", "container.resources.limits.cpu", "1", quantity, number_text),
    Setting(
        "memory_gib",
        "container.resources.limits.memory",
        "512Mi",
        gib,
        lambda amount: f"{number_text(amount)}Gi",
    ),
    Setting(
        "min_instances",
        "template.scaling.minInstanceCount",
        0,
        int,
        int,
        flag="min-instances",
        annotation="autoscaling.knative.dev/minScale",
    ),
    # Left out, the most instances would be 100, more than any quota of GPUs.
    Setting(
        "max_instances",
        "template.scaling.maxInstanceCount",
        100,
        int,
        int,
        flag="max-instances",
        annotation="autoscaling.knative.dev/maxScale",
    ),
    Setting(
        "concurrency",
        "template.maxInstanceRequestConcurrency",
        80,
        int,
        int,
        flag="concurrency",
    ),
    Setting(
        "timeout",
        "template.timeout",
        "300s",
        _seconds,
        lambda seconds: f"{seconds}s",
        flag="timeout",
    ),
    Setting("service_account", "template.serviceAccount", "", str, str),
)


def read(service: Mapping[str, Any]) -> Json:
    """Read all of them."""
    read = {}
    for each in SETTINGS:
        found = each.found_in(service)
        read[each.field] = each.read(each.absent if found is None else found)
    return read


def write(service: Json, before: Deployment | None, after: Deployment) -> None:
    """Write those that differ; a new service says nothing of what is empty or off."""
    for each in SETTINGS:
        if differs(before, after, each.field):
            value = each.write(getattr(after, each.field))
            is_empty = value is False or value in ("", [])
            if before is not None or not is_empty:
                each.put_into(service, value)
