"""The startup probe of the container that takes the requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import StartupProbe
from llm_widgets.serving.codec.container import port_of
from llm_widgets.serving.codec.places import Json, container_of, differs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment

_WITHOUT = StartupProbe("", period=240, timeout=240, failures=1)
"""What Cloud Run does where no probe is asked for: it waits four minutes for a connection."""


def read(service: Mapping[str, Any]) -> Json:
    """Read the probe."""
    container = container_of(service)
    probe = container.get("startupProbe")
    return {"probe": _read(probe, port_of(container)) if probe else _WITHOUT}


def write(service: Json, before: Deployment | None, after: Deployment) -> None:
    """Write the probe where it differs, or the port of the requests, which it may ask."""
    container = container_of(service)
    follows = not after.probe.port and "startupProbe" in container
    if differs(before, after, "probe") or (follows and differs(before, after, "port")):
        _write(container.setdefault("startupProbe", {}), after)


def _read(probe: Mapping[str, Any], requests: int) -> StartupProbe:
    over_http = probe.get("httpGet")
    asked = over_http or probe.get("tcpSocket") or probe.get("grpc") or {}
    port = int(asked.get("port", 0))
    return StartupProbe(
        path=over_http.get("path", "/") if over_http is not None else "",
        initial_delay=int(probe.get("initialDelaySeconds", 0)),
        period=int(probe.get("periodSeconds", 10)),
        timeout=int(probe.get("timeoutSeconds", 1)),
        failures=int(probe.get("failureThreshold", 3)),
        port=0 if port == requests else port,
    )


def _write(probe: Json, after: Deployment) -> None:
    probe["initialDelaySeconds"] = after.probe.initial_delay
    probe["periodSeconds"] = after.probe.period
    probe["timeoutSeconds"] = after.probe.timeout
    probe["failureThreshold"] = after.probe.failures
    if after.probe.path:
        kind, told = "httpGet", {"path": after.probe.path}
    else:
        kind, told = "grpc" if "grpc" in probe else "tcpSocket", {}
    for other in {"httpGet", "tcpSocket", "grpc"} - {kind}:
        probe.pop(other, None)
    port = after.probe.port or after.port
    probe[kind] = {**probe.get(kind, {}), **told, "port": port}
