"""Who did what: each use case writes one line, and the service and the plan say it too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.config import VOUCHED, VOUCHED_VARIABLE
from llm_widgets.domain.actors import Deed
from llm_widgets.domain.networks import NetworkChoice, NetworkKind
from llm_widgets.domain.quotas import CPU
from llm_widgets.errors import DeniedError, ManagerError
from llm_widgets.gcp.iam import invokers
from llm_widgets.gcp.run import revisions, service_json, services, summaries
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports.store import ImportFolder
from llm_widgets.manager import (
    Manager,
    acting,
    bucket_access,
    bucket_models,
    callers,
    change,
    import_target,
    importing,
    project_changes,
    remove,
)
from llm_widgets.manager.acting import Request
from tests.contract.product import MANAGER, PARENT, PROJECT, REGION, Product, running
from tests.contract.served_model import RECORD
from tests.contract.test_use_cases import PLENTY, QUICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT = MANAGER.removeprefix("serviceAccount:")
ADA = "Ada@example.com"
BUCKET = "who-models"
TINY = "local/tiny-llama"
TOKEN = "hf_local_reader"
NAME = f"{PARENT}/services/who"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VOUCHED_VARIABLE, VOUCHED)
        for started in running(tmp_path_factory.mktemp("who"), environment):
            started.faults.update(quotas=PLENTY)
            buckets.create_bucket(started.clients, PROJECT, BUCKET, REGION)
            storage = started.clients.storage(PROJECT)
            SmallObjects(storage, BUCKET).write(f"{RECORD.prefix}/model", b"weights")
            metadata.update_metadata(storage, BUCKET, lambda file: file.with_model(RECORD))
            yield started


@pytest.fixture
def manager(product: Product) -> Manager:
    return Manager(PROJECT, product.settings)


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    def read() -> list[dict[str, Any]]:
        found = [line for line in capfd.readouterr().err.split("\n") if line.startswith("{")]
        assert TOKEN not in "".join(found)
        return [json.loads(line) for line in found]

    return read


@pytest.fixture
def ada() -> Iterator[Request]:
    """A click of a visitor that Identity-Aware Proxy vouches for."""
    request = Request(ADA)
    with acting.working_on(request):
        yield request


def test_an_import_is_its_visitors(
    product: Product, manager: Manager, ada: Request, lines: Any
) -> None:
    clients = product.clients
    checked = manager.check_import(BUCKET, "huggingface", f"{TINY}-gated", token=TOKEN)
    lines()
    import_id = importing.start_import(clients, product.settings, PROJECT, checked, TOKEN)
    (line,) = lines()
    assert (line["what"], line["who"], line["result"]) == ("import.start", ADA, "done")
    assert (line["account"], line["request_id"]) == (ACCOUNT, ada.id)
    importing.wait(clients, BUCKET, import_id, lambda _: None)
    folder = ImportFolder(SmallObjects(clients.storage(), BUCKET), import_id)
    assert folder.plan(product.settings).created_by == ADA
    file, _ = metadata.read_metadata(clients.storage(), BUCKET)
    (record,) = (each for each in file.models if each.import_id == import_id)
    assert record.imported_by == ADA
    remove.remove_model(clients, PROJECT, BUCKET, REGION, record)
    (line,) = lines()
    assert (line["what"], line["who"]) == ("model.delete", ADA)


def test_python_acts_as_its_account(manager: Manager, lines: Any) -> None:
    manager.create_bucket("who-python", REGION)
    (line,) = lines()
    assert (line["what"], line["who"], line["account"]) == ("bucket.create", ACCOUNT, ACCOUNT)


def test_a_service_says_who_deployed_and_who_changed_it(
    product: Product, manager: Manager, lines: Any
) -> None:
    clients = product.clients
    lines()
    with acting.working_on(Request(ADA)):
        made = manager.deploy(
            BUCKET, RECORD.id, name="who", callers=["user:bob@example.com"], **QUICK
        )
    (line,) = lines()
    assert (line["what"], line["on"], line["who"]) == ("service.create", NAME, ADA)
    # The default account may read the bucket as an editor of the project: nothing is granted.
    assert {part["what"] for part in line["parts"]} == {"service.let_in"}
    document = service_json.read(clients, NAME)
    for deed in Deed:
        assert document["labels"][deed.label] == "ada_example_com"
        assert document["annotations"][deed.by] == ADA
        assert document["annotations"][deed.through] == ACCOUNT
    assert (made.created_by, made.updated_by) == (ADA, ADA)
    assert not set(change.deployment_of(document).labels) & {deed.label for deed in Deed}

    changed = manager.change(made, max_instances=2)  # by Python, without a visitor
    assert (changed.created_by, changed.updated_by) == (ADA, ACCOUNT)
    (line,) = lines()
    assert (line["what"], line["who"], line["result"]) == ("service.change", ACCOUNT, "done")

    newest = revisions.list_revisions(clients, NAME)[0]
    with acting.working_on(Request("bob@example.com")):
        change.serve(clients, NAME, {newest.id: 100})
        callers.add(clients, NAME, "user:eve@example.com")
        grant = next(g for g in invokers.invokers(clients, NAME) if "eve" in g.member)
        callers.take_off(clients, NAME, grant)
        assert summaries.summary(services.get(clients, NAME)).updated_by == "bob@example.com"
        remove.remove_service(clients, made, None)
    told = [(line["what"], line["who"], line["result"]) for line in lines()]
    assert told == [
        (what, "bob@example.com", "done")
        for what in ("service.traffic", "service.let_in", "service.shut_out", "service.delete")
    ]


def changes_of_the_project(product: Product) -> dict[str, Callable[[], object]]:
    clients = product.clients
    project = Manager(PROJECT, product.settings).project
    subnet = NetworkChoice(NetworkKind.SUBNET, "default", "default")
    return {
        "bucket.create": lambda: import_target.create_bucket(clients, PROJECT, "who-new", REGION),
        "bucket.grant": lambda: bucket_access.let_read(clients, PROJECT, BUCKET, MANAGER),
        "bucket.repair": lambda: bucket_models.repair(clients, BUCKET),
        "project.fix": lambda: project_changes.carry_out(
            clients, project, "enable-api:secretmanager.googleapis.com"
        ),
        "project.network": lambda: project_changes.keep_network(clients, PROJECT, subnet),
        "project.private_google_access": lambda: project_changes.turn_on_private_google_access(
            clients, PROJECT, [(REGION, "default")]
        ),
        "quota.request": lambda: project_changes.ask_for_more(
            clients, PROJECT, REGION, CPU, 40, email="ada@example.com"
        ),
    }


PERMISSIONS = {
    "bucket.create": "storage.buckets.create",
    "bucket.grant": "storage.buckets.setIamPolicy",
    "bucket.repair": "storage.objects.get",
    "project.fix": "serviceusage.services.enable",
    "project.network": "resourcemanager.projects.update",
    "quota.request": "cloudquotas.quotas.update",
}


@pytest.mark.parametrize("what", list(PERMISSIONS))
def test_a_change_that_is_refused_has_its_line(
    product: Product, ada: Request, lines: Any, what: str
) -> None:
    work = changes_of_the_project(product)[what]
    product.faults.update(denied_permissions=[PERMISSIONS[what]])
    try:
        lines()
        with pytest.raises(ManagerError) as refused:
            work()
    finally:
        product.faults.update(denied_permissions=[])
    (line,) = lines()
    assert isinstance(refused.value, DeniedError)
    assert (line["what"], line["who"], line["request_id"]) == (what, ADA, ada.id)
    assert (line["result"], line["severity"]) == ("DeniedError", "WARNING")


@pytest.mark.usefixtures("ada")
def test_each_change_of_a_project_has_one_line(product: Product, lines: Any) -> None:
    lines()
    work = changes_of_the_project(product)
    for each in work.values():
        each()
    told = lines()
    assert [(line["what"], line["who"], line["result"]) for line in told] == [
        (what, ADA, "done") for what in work
    ]
