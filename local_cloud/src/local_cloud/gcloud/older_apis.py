"""The older APIs that gcloud speaks, made from the newer ones of the local cloud.

``gcloud run`` uses Cloud Run's API v1 (Knative resources at a host for each region), ``gcloud
projects`` uses Resource Manager v1. Both are translated here into calls of Admin v2 and Resource
Manager v3 over HTTP, with the token that came with the request: what the local cloud refuses is
passed on as it stands.

gcloud puts the region before the host name of an override: ``http://run.localcloud`` becomes
``http://europe-west1-run.localcloud``. No such host exists: gcloud takes the local cloud for its
HTTP proxy, so that the request comes here all the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from local_cloud.gcloud.knative_jobs import JOB, execution_of, job_of
from local_cloud.gcloud.knative_services import revision_of, service_from, service_of
from local_cloud.google.regions import REGIONS
from local_cloud.web import google_error, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug import Request, Response

    from local_cloud.gcloud.knative_template import Json

RUN_HOST = "run.localcloud"
PROJECTS_HOST = "projects.localcloud"
SERVING = "/apis/serving.knative.dev/v1/namespaces"
JOBS = "/apis/run.googleapis.com/v1/namespaces"
KINDS = {
    "services": service_of,
    "revisions": revision_of,
    "jobs": job_of,
    "executions": execution_of,
}


class RefusedError(Exception):
    """The local cloud answered with an error."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__(answer.text)
        self.answer = answer


class Cloud:
    """Calls the local cloud for one request of gcloud."""

    def __init__(self, url: str, request: Request) -> None:
        self._url = url
        self._token = request.headers.get("Authorization", "")

    def call(self, method: str, path: str, **options: Any) -> Json:
        """Return what the local cloud answers, or raise `RefusedError`."""
        headers = {"Authorization": self._token}
        answer = requests.request(method, self._url + path, headers=headers, timeout=30, **options)
        if not answer.ok:
            raise RefusedError(answer)
        body: Json = answer.json()
        return body

    def get(self, path: str, **query: str) -> Json:
        """Return what the local cloud answers to GET, or raise `RefusedError`."""
        return self.call("GET", path, params=query)


class OlderApis:
    """The older APIs, at hosts of their own.

    Parameters
    ----------
    url
        Address of the local cloud.

    """

    def __init__(self, url: str) -> None:
        self._url = url
        namespace = rf"(?:{SERVING}|{JOBS})/([^/]+)"
        kinds = "|".join(KINDS)
        self._run: list[tuple[str, str, Callable[..., Json]]] = [
            ("GET", r"/v1/projects/([^/]+)/locations", self._locations),
            ("GET", r"/v1/projects/([^/]+)/locations/-/(services)", self._everywhere),
            ("GET", rf"{namespace}/({kinds})", self._list),
            ("GET", rf"{namespace}/({kinds})/([^/]+)", self._get),
            ("DELETE", rf"{namespace}/({kinds})/([^/]+)", self._delete),
            ("POST", rf"{SERVING}/([^/]+)/services", self._create),
            ("PUT", rf"{SERVING}/([^/]+)/services/([^/]+)", self._replace),
            ("POST", rf"{JOBS}/([^/]+)/jobs/([^/:]+):run", self._execute),
            ("GET POST", r"/v1/(projects/[^:]+:\w+Iam(?:Policy|Permissions))", self._policy),
        ]
        self._projects: list[tuple[str, str, Callable[..., Json]]] = [
            ("GET", r"/v1/projects", self._search_projects),
            ("GET", r"/v1/projects/([^/:]+)", self._project),
            ("POST", r"/v1/(projects/[^/:]+:\w+Iam(?:Policy|Permissions))", self._project_policy),
        ]

    def route(self, request: Request) -> Response | None:
        """Answer a request to one of the two hosts; leave all others alone."""
        host = urlsplit(request.url).hostname or ""
        table = self._run if host.endswith(RUN_HOST) else self._projects
        if not host.endswith((RUN_HOST, PROJECTS_HOST)):
            return None
        for methods, pattern, handler in table:
            match = re.fullmatch(pattern, request.path)
            if match and request.method in methods.split():
                try:
                    return json_response(
                        handler(Cloud(self._url, request), request, *match.groups())
                    )
                except RefusedError as refused:
                    return json_response(refused.answer.json(), refused.answer.status_code)
        text = f"The local cloud does not know {request.method} {request.url}"
        return google_error(400, "INVALID_ARGUMENT", text)  # gcloud would try a 501 again

    def _locations(self, cloud: Cloud, request: Request, project: str) -> Json:
        del request
        return cloud.get(f"/v1/projects/{project}/locations", pageSize="500")

    def _everywhere(self, cloud: Cloud, request: Request, project: str, kind: str) -> Json:
        del request
        # Admin v2 lists one region at a time.
        parents = [f"/v2/projects/{project}/locations/{region}" for region in sorted(REGIONS)]
        return _list_of(kind, [i for p in parents for i in cloud.get(f"{p}/{kind}").get(kind, [])])

    def _list(self, cloud: Cloud, request: Request, project: str, kind: str) -> Json:
        if not _region(request):
            return self._everywhere(cloud, request, project, kind)
        parent = f"/v2/projects/{project}/locations/{_region(request)}"
        if kind == "executions":
            label = request.args.get("labelSelector", "")
            found = re.search(rf"{re.escape(JOB)}\s*=\s*([\w-]+)", label)
            parent += f"/jobs/{found[1] if found else '-'}"
        return _list_of(kind, cloud.get(f"{parent}/{kind}").get(kind, []))

    def _get(self, cloud: Cloud, request: Request, project: str, kind: str, name: str) -> Json:
        return KINDS[kind](cloud.get(_path(request, project, kind, name)))

    def _delete(self, cloud: Cloud, request: Request, project: str, kind: str, name: str) -> Json:
        cloud.call("DELETE", _path(request, project, kind, name))
        return {"kind": "Status", "status": "Success"}

    def _create(self, cloud: Cloud, request: Request, project: str) -> Json:
        fields = request.get_json()
        name = fields["metadata"]["name"]
        path = _path(request, project, "services", name)
        query = {"serviceId": name, **_dry_run(request)}
        cloud.call("POST", path.rpartition("/")[0], params=query, json=service_from(fields))
        return fields if len(query) > 1 else service_of(cloud.get(path))

    def _replace(self, cloud: Cloud, request: Request, project: str, name: str) -> Json:
        path = _path(request, project, "services", name)
        wanted = service_from(request.get_json())
        cloud.call("PATCH", path, params=_dry_run(request), json=wanted)
        return service_of(cloud.get(path))

    def _execute(self, cloud: Cloud, request: Request, project: str, name: str) -> Json:
        operation = cloud.call("POST", f"{_path(request, project, 'jobs', name)}:run", json={})
        return execution_of(cloud.get(f"/v2/{operation['metadata']['name']}"))

    def _policy(self, cloud: Cloud, request: Request, resource: str) -> Json:
        body = request.get_json() if request.method == "POST" else None
        return cloud.call(request.method, f"/v2/{resource}", json=body)

    def _search_projects(self, cloud: Cloud, request: Request) -> Json:
        words = re.sub(
            r"lifecycleState[:=]\s*ACTIVE", "state:ACTIVE", request.args.get("filter", "")
        )
        found = cloud.get("/v3/projects:search", query=words).get("projects", [])
        return {"projects": [_older_project(each) for each in found]}

    def _project(self, cloud: Cloud, request: Request, project: str) -> Json:
        del request
        return _older_project(cloud.get(f"/v3/projects/{project}"))

    def _project_policy(self, cloud: Cloud, request: Request, resource: str) -> Json:
        return cloud.call("POST", f"/v3/{resource}", json=request.get_json(silent=True) or {})


def _region(request: Request) -> str:
    host = urlsplit(request.url).hostname or ""
    return host.removesuffix(RUN_HOST).rstrip("-")


def _path(request: Request, project: str, kind: str, name: str) -> str:
    parent = f"/v2/projects/{project}/locations/{_region(request)}"
    # Knative names do not say whose an execution is, but begin with it: job-abcde.
    owner = f"jobs/{name.rpartition('-')[0]}/" if kind == "executions" else ""
    if kind == "revisions":  # service-00001-abc
        owner = f"services/{name.rsplit('-', 2)[0]}/"
    return f"{parent}/{owner}{kind}/{name}"


def _list_of(kind: str, items: list[Json]) -> Json:
    title = f"{kind.title().removesuffix('s')}List"
    return {"kind": title, "metadata": {}, "items": [KINDS[kind](item) for item in items]}


def _dry_run(request: Request) -> dict[str, str]:
    return {"validateOnly": "true"} if request.args.get("dryRun") == "all" else {}


def _older_project(project: Json) -> Json:
    return {
        "projectId": project["projectId"],
        "projectNumber": project["name"].partition("/")[2],
        "name": project["displayName"],
        "lifecycleState": project["state"],
        "createTime": project["createTime"],
        "labels": project.get("labels", {}),
    }
