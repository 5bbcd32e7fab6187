"""The Cloud Run service that is a page for colleagues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.errors import AlreadyExistsError, Fix, NotFoundError
from llm_widgets.gcp.iam import acting_as
from llm_widgets.gcp.run import rollout, service_json, services
from llm_widgets.manager.hosting.plan import PART
from llm_widgets.manager.hosting.step import AFTER_APIS, Step, command
from llm_widgets.serving import export_terraform
from llm_widgets.serving.export_gcloud import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.manager.hosting.plan import Page, Site

_ARGS = ("serve", "--host", "0.0.0.0")  # noqa: S104 - in a container; Cloud Run and IAP stand before it
_PORT = 8080
_TIMEOUT = 3600
"""Seconds of a request: a websocket is one, and Cloud Run's longest is an hour."""

_CONCURRENCY = 1000
"""Requests at once, Cloud Run's most: each open page is one, and memory limits the pages."""

_PROBE = {"periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 24}
_HEALTH = "/health"
_FIELDS = ("labels", "ingress", "iapEnabled", "template")


def document(page: Page, site: Site) -> dict[str, Any]:
    """Write the service as Cloud Run's API has it."""
    variables = {
        "LLM_WIDGETS_PROJECT": page.project,
        "LLM_WIDGETS_REGION": page.region,
        "LLM_WIDGETS_IMAGE": site.image,
        "LLM_WIDGETS_IAP_AUDIENCE": site.audience(page),
        **site.variables,
    }
    container = {
        "image": site.image,
        "args": list(_ARGS),
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "resources": {
            "limits": {"cpu": str(page.cpus), "memory": f"{page.mebibytes}Mi"},
            "cpuIdle": False,
            "startupCpuBoost": True,
        },
        "ports": [{"containerPort": _PORT}],
        "startupProbe": {"httpGet": {"path": _HEALTH}, **_PROBE},
    }
    template = {
        "serviceAccount": page.account,
        "timeout": f"{_TIMEOUT}s",
        "sessionAffinity": True,
        "maxInstanceRequestConcurrency": _CONCURRENCY,
        "scaling": {"minInstanceCount": page.min_instances, "maxInstanceCount": 1},
        "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
        "containers": [container],
    }
    return {
        "name": page.service,
        "labels": dict(page.labels),
        "ingress": "INGRESS_TRAFFIC_ALL",
        "iapEnabled": True,
        "template": template,
    }


def covers(found: Any, wanted: Any) -> bool:
    """Return whether what was read says all that is wanted; what it says besides does not count.

    The API leaves out what is false, nought or empty.
    """
    if isinstance(wanted, dict):
        return all(covers((found or {}).get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        known = found or []
        return len(known) == len(wanted) and all(map(covers, known, wanted))
    return (found or None) == (wanted or None)


def merged(found: Any, wanted: Any) -> Any:
    """Return what was read, with all that is wanted put into it."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        changed = {key: merged(found.get(key), value) for key, value in wanted.items()}
        return {**found, **changed}
    if isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        return list(map(merged, found, wanted))
    return wanted


class Service(Step):
    """Creates the service, or changes what is not as it is wanted."""

    title = "Cloud Run service"

    def ensure(self, clients: Clients) -> bool:
        """Have the service as it is wanted, and ready."""
        wanted = document(self.page, self.site)
        found = _found(clients, self.page)
        if found is None:
            self._create(clients, wanted)
            return True
        _refuse_foreign(found, self.page)
        changed = [field for field in _FIELDS if not covers(found.get(field), wanted[field])]
        if changed:
            service_json.patch(clients, _without_revision(merged(found, wanted)), changed)
        for _ in rollout.follow_service(clients, self.page.service):
            pass  # until it is ready
        return bool(changed)

    def remove(self, clients: Clients) -> bool:
        """Delete the service."""
        found = _found(clients, self.page)
        if found is None:
            return False
        _refuse_foreign(found, self.page)
        for _ in rollout.follow(clients, services.delete(clients, self.page.service)):
            pass  # until it is gone
        return True

    def gcloud(self) -> Iterator[str]:
        """Yield the command that deploys it."""
        page = self.page
        wanted = document(page, self.site)
        container = wanted["template"]["containers"][0]
        variables = listed(f"{each['name']}={each['value']}" for each in container["env"])
        probe = ",".join(f"{name}={value}" for name, value in _PROBE.items())
        yield command(
            f"gcloud beta run deploy {page.name}",
            f"--project={page.project}",
            f"--region={page.region}",
            f'--image="{self.site.image}"',
            f"--args={','.join(_ARGS)}",
            f"--port={_PORT}",
            f"--service-account={page.account}",
            "--iap",
            "--no-allow-unauthenticated",
            "--ingress=all",
            f"--min-instances={page.min_instances}",
            "--max-instances=1",
            "--session-affinity",
            f"--concurrency={_CONCURRENCY}",
            f"--timeout={_TIMEOUT}",
            f"--cpu={page.cpus}",
            f"--memory={page.mebibytes}Mi",
            "--no-cpu-throttling",
            "--cpu-boost",
            "--execution-environment=gen2",
            f"--startup-probe=httpGet.path={_HEALTH},{probe}",
            f"--labels={'='.join(PART)}",
            f'--set-env-vars="{variables}"',
        )

    def terraform(self) -> Iterator[str]:
        """Yield the service as a resource."""
        written = export_terraform.terraform(document(self.page, self.site))
        written = written.replace(f'"{self.page.account}"', "google_service_account.page.email")
        yield f"{written.rstrip().removesuffix('}')}  depends_on = {AFTER_APIS}\n}}"

    def _create(self, clients: Clients, wanted: Mapping[str, Any]) -> None:
        page = self.page
        operation = acting_as.until_allowed(
            clients,
            lambda: services.create_from(clients, wanted),
            page.project,
            page.account,
        )
        for _ in rollout.follow(clients, operation):
            pass  # until it is ready


def url(clients: Clients, page: Page) -> str:
    """Return the address of the service.

    Raises
    ------
    ManagerError
        It is gone, or not to be seen.
    """
    return str(service_json.read(clients, page.service)["uri"])


def _found(clients: Clients, page: Page) -> dict[str, Any] | None:
    try:
        return service_json.read(clients, page.service)
    except NotFoundError:
        return None


def _without_revision(found: dict[str, Any]) -> dict[str, Any]:
    """Leave the name of the new revision to Cloud Run."""
    template = {key: value for key, value in found["template"].items() if key != "revision"}
    return {**found, "template": template}


def _refuse_foreign(found: Mapping[str, Any], page: Page) -> None:
    if found.get("labels", {}).get(PART[0]) != PART[1]:
        raise AlreadyExistsError(
            f"The service {page.name} in {page.region} was not deployed by this command.",
            cause=f"The label {PART[0]} is missing.",
            fix=Fix(
                text="Choose another name with --service, or label the service to have it changed.",
                command=f"gcloud run services update {page.name} --project={page.project} "
                f"--region={page.region} --update-labels={'='.join(PART)}",
            ),
        )
