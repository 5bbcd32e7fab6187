"""A page for colleagues: its image, its service and Identity-Aware Proxy, by official clients."""

from __future__ import annotations

import io
import tarfile
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.api_core import exceptions
from google.auth import jwt
from google.cloud import artifactregistry_v1, iam_admin_v1, iap_v1, run_v2, storage
from google.cloud.devtools import cloudbuild_v1
from google.iam.v1 import policy_pb2

from local_cloud.testing.waiting import until
from local_cloud.visiting import COOKIE, GENERATED, KEYS
from tests.contract.control_plane import PARENT, SOON, ControlPlane, control_plane, service

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = "local-project"
BUILDER = f"builder@{PROJECT}.iam.gserviceaccount.com"
VISITOR = "ada@example.com"
IMAGE = f"europe-west1-docker.pkg.dev/{PROJECT}/images/page:one"
ECHO = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = str(self.headers.get("X-Goog-IAP-JWT-Assertion")).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("pages"))


@pytest.fixture(autouse=True)
def healthy(plane: ControlPlane) -> Iterator[None]:
    yield
    plane.cloud.faults.reset()


@pytest.fixture(scope="module")
def number(plane: ControlPlane) -> str:
    answer = plane.session().get(f"{plane.url}/v3/projects/{PROJECT}", timeout=10)
    return str(answer.json()["name"].rpartition("/")[2])


def grant(role: str, member: str) -> policy_pb2.Policy:
    return policy_pb2.Policy(bindings=[{"role": role, "members": [member]}])


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as file:
        for name in names:
            file.addfile(tarfile.TarInfo(name))
    return made.getvalue()


def test_an_archive_becomes_an_image(plane: ControlPlane) -> None:
    registry = plane.rest(artifactregistry_v1.ArtifactRegistryClient)
    builds = plane.rest(run_v2.BuildsClient)
    client = storage.Client(PROJECT, plane.credentials, client_options={"api_endpoint": plane.url})
    bucket = client.create_bucket("sources", location="europe-west1")
    bucket.blob("good.tgz").upload_from_string(archive("Dockerfile", "page.py"))
    bucket.blob("bad.tgz").upload_from_string(archive("page.py"))
    accounts = plane.grpc(iam_admin_v1.IAMClient)
    accounts.create_service_account(name=f"projects/{PROJECT}", account_id="builder")

    def submit(name: str, image: str = IMAGE) -> Any:
        asked = run_v2.SubmitBuildRequest(
            parent=PARENT,
            storage_source={"bucket": "sources", "object_": name},
            image_uri=image,
            docker_build={},
            service_account=f"projects/{PROJECT}/serviceAccounts/{BUILDER}",
        )
        name = builds.submit_build(asked).build_operation.name
        return until(lambda: ended(plane, name))

    with pytest.raises(exceptions.NotFound):
        submit("good.tgz")  # no repository
    made = registry.create_repository(
        parent=PARENT, repository_id="images", repository={"format_": "DOCKER"}
    ).result(polling=SOON)
    with pytest.raises(exceptions.Conflict):
        registry.create_repository(
            parent=PARENT, repository_id="images", repository={"format_": "DOCKER"}
        )
    assert "storage.objects.get" in submit("good.tgz")["error"]["message"]
    project = f"projects/{PROJECT}"
    session = plane.session()
    found = session.post(f"{plane.url}/v3/{project}:getIamPolicy", timeout=10).json()
    found["bindings"].append(
        {"role": "roles/run.builder", "members": [f"serviceAccount:{BUILDER}"]}
    )
    session.post(f"{plane.url}/v3/{project}:setIamPolicy", json={"policy": found}, timeout=10)
    assert "Dockerfile" in submit("bad.tgz")["error"]["message"]
    built = submit("good.tgz")["response"]
    assert built["@type"].endswith(cloudbuild_v1.Build.pb().DESCRIPTOR.full_name)
    digest = built["results"]["images"][0]["digest"]
    tag = registry.get_tag(name=f"{made.name}/packages/page/tags/one")
    assert tag.version == f"{made.name}/packages/page/versions/{digest}"
    with pytest.raises(exceptions.BadRequest):
        submit("good.tgz", "docker.io/library/page")
    registry.delete_repository(name=made.name).result(polling=SOON)
    with pytest.raises(exceptions.NotFound):
        registry.get_tag(name=tag.name)


def test_a_repository_is_made_by_an_operation_that_is_waited_for(plane: ControlPlane) -> None:
    session, parent = plane.session(), f"{plane.url}/v1/{PARENT}/repositories"
    asked = {"format": "DOCKER"}
    for _ in range(2):
        begun = session.post(f"{parent}?repositoryId=waited", json=asked, timeout=10).json()
        assert "done" not in begun
        assert until(partial(ended, plane, begun["name"]))["response"]["format"] == "DOCKER"
        begun = session.delete(f"{parent}/waited", timeout=10).json()
        assert "done" not in begun
        assert "error" not in until(partial(ended, plane, begun["name"]))
    gone = session.get(f"{parent}/waited", timeout=10)
    assert (gone.status_code, gone.json()["error"]["status"]) == (404, "NOT_FOUND")


def test_repositories_are_listed_in_pages(plane: ControlPlane) -> None:
    session, parent = plane.session(), f"{plane.url}/v1/{PARENT}/repositories"
    for name in ("paged-a", "paged-b", "paged-c"):
        session.post(f"{parent}?repositoryId={name}", json={"format": "DOCKER"}, timeout=10)
    seen: list[str] = []
    token = ""
    while True:
        found = session.get(f"{parent}?pageSize=2&pageToken={token}", timeout=10).json()
        seen += [each["name"].rpartition("/")[2] for each in found["repositories"]]
        token = found.get("nextPageToken", "")
        if not token:
            break
    assert [each for each in seen if each.startswith("paged-")] == ["paged-a", "paged-b", "paged-c"]


def test_visitors_are_changed_by_an_etag(plane: ControlPlane, number: str) -> None:
    place = f"{plane.url}/v1/projects/{number}/iap_web/cloud_run-europe-west1/services/page"
    session = plane.session()
    binding = {"role": "roles/iap.httpsResourceAccessor", "members": [f"user:{VISITOR}"]}
    read = session.post(f"{place}:getIamPolicy", json={}, timeout=10).json()
    changed = {**read, "bindings": [binding]}
    first = session.post(f"{place}:setIamPolicy", json={"policy": changed}, timeout=10)
    assert first.status_code == 200
    late = session.post(f"{place}:setIamPolicy", json={"policy": changed}, timeout=10)
    assert (late.status_code, late.json()["error"]["status"]) == (409, "ABORTED")


def ended(plane: ControlPlane, name: str) -> Any:
    found = plane.session().get(f"{plane.url}/v1/{name}", timeout=10).json()
    return found if found.get("done") else None


def test_a_role_that_is_deleted_comes_back(plane: ControlPlane) -> None:
    roles = plane.grpc(iam_admin_v1.IAMClient)
    name = f"projects/{PROJECT}/roles/mine"
    wanted = iam_admin_v1.Role(title="Mine", included_permissions=["run.services.get"])
    asked = {"parent": f"projects/{PROJECT}", "role_id": "mine", "role": wanted}
    roles.create_role(asked)
    assert roles.delete_role({"name": name}).deleted
    with pytest.raises(exceptions.FailedPrecondition, match="deleted state"):
        roles.create_role(asked)
    assert not roles.undelete_role({"name": name}).deleted


def test_the_proxy_lets_its_visitors_in(plane: ControlPlane, number: str) -> None:
    services = plane.rest(run_v2.ServicesClient)
    proxy = plane.rest(iap_v1.IdentityAwareProxyAdminServiceClient)
    wanted = service(ECHO)
    wanted.iap_enabled = True
    page = services.create_service(parent=PARENT, service_id="page", service=wanted).result(
        polling=SOON
    )
    place = f"projects/{number}/iap_web/cloud_run-europe-west1/services/page"
    agent = f"serviceAccount:service-{number}@gcp-sa-iap.iam.gserviceaccount.com"

    def visit(**headers: str) -> requests.Response:
        return requests.get(page.uri, headers=headers, allow_redirects=False, timeout=10)

    def signed_in() -> requests.Response:
        token = plane.cloud._tokens.issuer.id_token(VISITOR, page.uri)
        return visit(Cookie=f"{COOKIE}={token}", **{"X-Goog-IAP-JWT-Assertion": "forged"})

    stranger = visit()
    assert stranger.status_code == 302
    assert stranger.headers["Location"].startswith("https://accounts.google.com/")
    assert stranger.headers[GENERATED] == "true"
    assert visit(**{"X-Requested-With": "XMLHttpRequest"}).status_code == 401
    assert signed_in().status_code == 403
    visitors = grant("roles/iap.httpsResourceAccessor", f"user:{VISITOR}")
    proxy.set_iam_policy({"resource": place, "policy": visitors})
    assert "not provisioned" in signed_in().text
    invoker = grant("roles/run.invoker", agent)
    with pytest.raises(exceptions.BadRequest, match="does not exist"):
        services.set_iam_policy({"resource": page.name, "policy": invoker})
    identity = plane.session().post(
        f"{plane.url}/v1beta1/projects/{number}/services/iap.googleapis.com:generateServiceIdentity",
        timeout=10,
    )
    assert identity.json()["response"]["email"] == agent.partition(":")[2]
    services.set_iam_policy({"resource": page.name, "policy": invoker})
    keys = requests.get(f"{plane.url}{KEYS}", timeout=10).json()
    claims = jwt.decode(signed_in().text, certs=keys)
    assert claims["email"] == VISITOR
    assert claims["aud"] == f"/projects/{number}/locations/europe-west1/services/page"

    # Without an organization, there is no client of Google's to sign in with.
    plane.cloud.faults.update(without_organization=[PROJECT])
    assert visit().status_code == 502
    assert "OAuth client ID" in visit().text
    settings = iap_v1.IapSettings(
        name=place,
        access_settings={"oauth_settings": {"client_id": "me", "client_secret": "hidden"}},
    )
    paths = ["access_settings.oauth_settings.client_id"]
    paths.append("access_settings.oauth_settings.client_secret")
    asked = {"iap_settings": settings, "update_mask": {"paths": paths}}
    told = proxy.update_iap_settings(asked)
    assert told.access_settings.oauth_settings.client_id == "me"
    kept = proxy.get_iap_settings({"name": place}).access_settings.oauth_settings
    assert not kept.client_secret
    assert len(kept.client_secret_sha256) == 64
    assert visit().status_code == 302
    with pytest.raises(exceptions.BadRequest):
        proxy.get_iam_policy({"resource": f"projects/{PROJECT}/iap_web"})  # by its id
