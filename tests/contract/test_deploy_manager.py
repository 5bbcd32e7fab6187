"""From an empty project to a page behind Identity-Aware Proxy, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.api_core.exceptions import NotFound

from llm_widgets.cli.hosting import SECRET_VARIABLE
from llm_widgets.cli.main import main
from llm_widgets.config import settings
from llm_widgets.domain import google_apis, members
from llm_widgets.errors import AlreadyExistsError, DeploymentError
from llm_widgets.gcp import iap
from llm_widgets.gcp.auth.sign_in import default_credentials
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import account_roles, invokers, policy, service_accounts
from llm_widgets.gcp.iam.account_roles import On
from llm_widgets.gcp.project import projects, repositories
from llm_widgets.gcp.run import front, service_json, services
from llm_widgets.gcp.run.front import Front
from llm_widgets.gcp.storage import sources
from llm_widgets.manager.hosting import deploy, plan, proof
from llm_widgets.manager.hosting.image import Image
from llm_widgets.manager.hosting.plan import Page, Site
from local_cloud.testing.waiting import until
from local_cloud.visiting import COOKIE
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VISITOR = "ada@example.com"
PAGE = Page(PROJECT, REGION, visitors=(f"user:{VISITOR}",))
WORDS = ("deploy-manager", "--project", PROJECT, "--region", REGION)
READING = ("getIamPolicy", "testIamPermissions")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("hosting"), environment):
            settings.cache_clear()
            yield started
    settings.cache_clear()


@pytest.fixture(autouse=True)
def healthy(product: Product) -> Iterator[None]:
    yield
    product.faults.reset()


@pytest.fixture
def changes(product: Product) -> tuple[Clients, list[str]]:
    """Clients, and the calls by them that change something."""
    made: list[str] = []

    def note(answer: requests.Response, *_: Any, **__: Any) -> None:
        method, path = str(answer.request.method), str(answer.request.path_url)
        is_reading = method == "GET" or path.partition("?")[0].rpartition(":")[2] in READING
        if not is_reading and path != "/token":
            made.append(f"{method} {path}")

    credentials = default_credentials(is_local=True)
    return Clients(product.settings, credentials, on_answer=note), made


def site(product: Product) -> Site:
    return Site(projects.get(product.clients, PROJECT).number, "")


def visited(product: Product, url: str, email: str = VISITOR) -> requests.Response:
    """Open the page as a browser that has signed in."""
    token = product.cloud._tokens.issuer.id_token(email, url)
    return requests.get(url, headers={"Cookie": f"{COOKIE}={token}"}, timeout=60)


def deployer(product: Product) -> Path:
    """Return the key of an account with the roles that the documentation names, and no other."""
    own = service_accounts.OwnAccount("deployer", "Deployer", "Deploys the page.")
    email = service_accounts.create(product.clients, PROJECT, own).email
    roles = [each.role for each in account_roles.DEPLOYER]
    member = members.service_account(email)
    policy.grant(product.clients, policy.of_project(PROJECT), roles, member)
    return product.cloud.key(email)


def opened(product: Product, url: str) -> requests.Response | None:
    found = visited(product, url)
    return found if found.status_code == 200 else None


def empty(product: Product) -> None:
    """Switch off the APIs, as they are in a new project."""
    usage = product.clients.service_usage
    for api in (*plan.APIS, *plan.APIS_OF_BUILDS):
        if api != google_apis.SERVICE_USAGE:
            usage.disable_service(request={"name": f"projects/{PROJECT}/services/{api}"}).result()


def roles_of(product: Product, account: str) -> set[str]:
    place = policy.of_project(PROJECT)
    return set(policy.roles_of(product.clients, place, members.service_account(account)))


@pytest.mark.slow
def test_from_an_empty_project_to_a_page_and_back(
    product: Product,
    changes: tuple[Clients, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(deployer(product)))
    empty(product)
    # Accounts are unknown at first, and grants take a while: builds and visits meet that.
    product.faults.update(grant_seconds=2, account_seconds=1)
    before = leftovers(product, enabled=False)
    words = (*WORDS, "--visitor", VISITOR, "--format", "json")
    assert main([*words]) == 0, capsys.readouterr().err
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert "Checked from outside" in printed.err
    url = told["url"]
    assert told["changed"] == [step.title for step in deploy.STEPS if step.title != "OAuth client"]
    # Who comes is asked to sign in; who may come sees the page; who may not, does not.
    assert front.look(url).front is Front.IAP
    assert visited(product, url, "eve@example.com").status_code == 403
    page = until(lambda: opened(product, url))
    assert page.headers["Content-Type"].startswith("text/html")
    product.faults.reset()
    # Each account has what it needs, and nothing else.
    names = {each.role for each in account_roles.PAGE if each.on is On.PROJECT}
    tokens = account_roles.TOKENS
    wanted = (names - {tokens.id}) | {tokens.name(PROJECT)}
    assert roles_of(product, PAGE.account) == wanted
    assert roles_of(product, service_accounts.IMPORTS.email(PROJECT)) == set()
    assert roles_of(product, service_accounts.RUNTIME.email(PROJECT)) == set()
    assert roles_of(product, service_accounts.LEASES.email(PROJECT)) == set()
    agent = members.service_account(members.iap_agent(site(product).number))
    callers = invokers.invokers(product.clients, PAGE.service)
    assert [each.member for each in callers] == [agent]
    found = service_json.read(product.clients, PAGE.service)
    container = found["template"]["containers"][0]
    assert "@sha256:" in container["image"]
    assert found["template"]["scaling"] == {"maxInstanceCount": 1}
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "1280Mi"}

    # The second run asks, and changes nothing.
    clients, made = changes
    again = deploy.deploy_manager(clients, PAGE, patience=0)
    assert (again.url, again.changed, made) == (url, (), [])
    # One that wants something else changes that, and nothing else.
    more = Page(PROJECT, REGION, visitors=(f"user:{VISITOR}", "group:team@example.com"), at_once=30)
    assert deploy.deploy_manager(clients, more, patience=0).changed == (
        "Cloud Run service",
        "Visitors",
    )
    changed = service_json.read(clients, PAGE.service)
    limits = changed["template"]["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "1", "memory": "2560Mi"}
    assert len(made) == 2

    capsys.readouterr()
    assert main([*WORDS, "--delete", "--quiet"]) == 0
    assert leftovers(product) == before
    assert "were kept" in capsys.readouterr().err
    assert main([*WORDS, "--delete", "--quiet"]) == 0  # there is nothing left to delete


def leftovers(product: Product, *, enabled: bool = True) -> dict[str, Any]:
    """Return all that the command may have made in the project."""
    if not enabled:
        return {
            "accounts": set(),
            "roles": set(),
            "service": False,
            "repository": None,
            "bucket": None,
            "visitors": (),
        }
    clients = product.clients
    own = (
        *(service_accounts.PAGE, service_accounts.IMPORTS),
        *(service_accounts.RUNTIME, service_accounts.BUILDS, service_accounts.LEASES),
    )
    emails = {each.email(PROJECT) for each in own}
    listed = clients.session.get(
        f"{product.cloud.url}/v1/projects/{PROJECT}/serviceAccounts", timeout=10
    ).json()
    grants = policy.grants(clients, policy.of_project(PROJECT))
    place = site(product)
    visitors = policy.of_visited(place.visited(PAGE), project=PROJECT)
    return {
        "accounts": emails & {each["email"] for each in listed["accounts"]},
        "roles": {g.role for g in grants if members.label(g.member) in emails},
        "service": is_there(clients),
        "repository": repositories.labels(clients, PAGE.repository),
        "bucket": sources.labels(clients, PROJECT, place.bucket(PAGE), place.number),
        "visitors": policy.grants(clients, visitors),
    }


def is_there(clients: Clients) -> bool:
    try:
        clients.services.get_service(name=PAGE.service)
    except NotFound:
        return False
    return True


def test_without_an_organization_nothing_is_made(
    product: Product,
    changes: tuple[Clients, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    product.faults.update(without_organization=[PROJECT])
    assert main([*WORDS]) == 1
    told = capsys.readouterr().err
    assert told.startswith(
        f"Nobody could sign in to the page: {PROJECT} belongs to no organization."
    )
    assert "--client-id CLIENT_ID --client-secret FILE" in told
    assert not is_there(product.clients)

    secret = tmp_path / "secret"
    secret.write_text("very-secret\n")
    given = ("--client-id", "me.apps.googleusercontent.com", "--client-secret", str(secret))
    image = ("--image", "europe-docker.pkg.dev/others/hello", "--visitor", VISITOR)
    wanted = Page(PROJECT, REGION, image=image[1], visitors=PAGE.visitors)
    serve_hello(monkeypatch)
    assert main([*WORDS, *image, *given]) == 0
    printed = capsys.readouterr()
    assert "OAuth client: done" in printed.err
    assert "very-secret" not in printed.out + printed.err
    assert repositories.labels(product.clients, PAGE.repository) is None  # nothing is built
    # Once the client is set, nobody has to name it again; nor is it set again.
    clients, made = changes
    assert deploy.deploy_manager(clients, wanted, patience=0).changed == ()
    monkeypatch.setenv(SECRET_VARIABLE, "very-secret")
    assert main([*WORDS, *image, *given[:2]]) == 0
    assert "OAuth client: unchanged" in capsys.readouterr().err
    assert made == []

    # What was told while the client is missing.
    assert iap.forget_client(product.clients, site(product).visited(PAGE))
    url = service_json.read(product.clients, PAGE.service)["uri"]
    with pytest.raises(DeploymentError, match="has no OAuth client") as caught:
        proof.prove(PAGE, url, lambda _: None, patience=0)
    assert "502" in caught.value.cause
    assert caught.value.fix
    assert "Google Auth Platform" in caught.value.fix.text
    # It was another one that made the service.
    service = service_json.read(product.clients, PAGE.service)
    service_json.patch(product.clients, {**service, "labels": {}}, ["labels", "iapEnabled"])
    with pytest.raises(AlreadyExistsError, match="not deployed by this command"):
        deploy.deploy_manager(clients, Page(PROJECT, REGION, client=iap.OAuthClient("a", "b")))
    with pytest.raises(AlreadyExistsError, match="not deployed by this command"):
        deploy.delete_manager(product.clients, PAGE)
    services.delete(product.clients, PAGE.service).result()


def serve_hello(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the page's arguments left out: the image is no page."""
    monkeypatch.setattr("llm_widgets.manager.hosting.service._ARGS", ())
    monkeypatch.setattr("llm_widgets.manager.hosting.service._HEALTH", "/")


def test_what_others_use_is_not_deleted(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    serve_hello(monkeypatch)
    hello = "europe-docker.pkg.dev/others/hello"
    first = Page(PROJECT, REGION, name="first", image=hello)
    second = Page(PROJECT, REGION, name="second", image=hello)
    for page in (first, second):
        deploy.deploy_manager(product.clients, page, patience=0)
    runtime = service_accounts.RUNTIME.email(PROJECT)
    model: dict[str, Any] = {
        "name": f"projects/{PROJECT}/locations/us-central1/services/model",
        "template": {"containers": [{"image": hello}], "serviceAccount": runtime},
    }
    services.create_from(product.clients, model).result()
    # Another page uses the accounts.
    notes = deploy.delete_manager(product.clients, first)
    assert f"images were kept: the service second in {REGION} uses them." in " ".join(notes)
    assert roles_of(product, second.account)
    assert deploy.deploy_manager(product.clients, second, patience=0).changed == ()
    # A model uses one of them.
    notes = deploy.delete_manager(product.clients, second)
    assert f"{runtime} was kept: the service model in us-central1 uses it." in notes
    assert leftovers(product)["accounts"] == {runtime}
    # Whose account has the name of ours only, keeps it.
    services.delete(product.clients, model["name"]).result()
    own = service_accounts.OwnAccount(service_accounts.PAGE.id, "Mine", "Not the page's.")
    service_accounts.create(product.clients, PROJECT, own)
    notes = deploy.delete_manager(product.clients, second)
    assert f"{second.account} was not created by this command and was kept." in notes
    assert leftovers(product)["accounts"] == {second.account}


def test_a_bucket_of_somebody_else_is_not_written_to(product: Product) -> None:
    """Whoever knows the project's number can have a bucket that is called and labelled as ours."""
    place = site(product)
    name = place.bucket(PAGE)
    sources.create(product.clients, "demo-project", name, REGION, PAGE.labels)
    with pytest.raises(AlreadyExistsError, match="belongs to another project"):
        Image(PAGE, place).ensure(product.clients)
    with pytest.raises(AlreadyExistsError, match="belongs to another project"):
        Image(PAGE, place).remove(product.clients)
    assert list(product.clients.storage("demo-project").list_blobs(name)) == []


def test_who_answers_a_stranger_is_told(product: Product) -> None:
    clients = product.clients
    name = f"projects/{PROJECT}/locations/{REGION}/services/guarded"
    document = {
        "name": name,
        "template": {"containers": [{"image": "us-docker.pkg.dev/cloudrun/container/hello"}]},
    }
    services.create_from(clients, document).result()
    url = until(lambda: service_json.read(clients, name).get("uri", ""))
    wanted = Page(PROJECT, REGION, name="guarded")

    def told() -> str:
        with pytest.raises(DeploymentError) as caught:
            proof.prove(wanted, url, lambda _: None, patience=0)
        assert caught.value.fix
        return f"{caught.value.message} {caught.value.cause} {caught.value.fix.command}"

    assert "IAM alone guards the page" in told()
    assert "403" in told()
    invokers.add_invoker(clients, name, "allUsers")
    assert "The page is not protected" in told()
    assert "remove-iam-policy-binding guarded" in told()
    assert "No answer from http://127.0.0.1:1/" in str(
        proof.refusal(wanted, "http://127.0.0.1:1/", front.look("http://127.0.0.1:1/"))
    )
