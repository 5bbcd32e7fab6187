"""The deploy form and the edit form over the local cloud: offered, checked, refused, sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.domain.manifest import manifest_name
from llm_widgets.errors import ManagerError, NotFoundError
from llm_widgets.gcp.client import rest
from llm_widgets.gcp.iam import bucket_readers, invokers, policy, service_accounts
from llm_widgets.gcp.run import service_json, services
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.manager.memory import FIT_ANYWAY
from llm_widgets.page.services.bucket_access import GRANTED, MISSING
from llm_widgets.page.services.deploy_form import DeployFormState
from llm_widgets.page.services.deploy_values import values_of
from llm_widgets.page.services.edit_page import EditPage
from llm_widgets.page.services.service_edit import ServiceEditState
from llm_widgets.page.services.services import ServicesState
from llm_widgets.widgets.form import Form
from llm_widgets.widgets.notice import Notice
from local_cloud.testing.waiting import until
from tests.contract.product import PARENT, PROJECT, Product, running
from tests.unit.test_serving_hardware import L4, RTX, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import ipywidgets as w

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.page.session import Session
    from llm_widgets.widgets._component import Component

BUCKET, PLACE = "big-models", "europe-west4"
ENOUGH = {
    "NvidiaRtxPro6000GpuAllocNoZonalRedundancyPerProjectRegion": 3000,
    "CpuAllocPerProjectRegion": 10**6,
    "MemAllocPerProjectRegion": 2**42,
}
SMALL, LARGE = "Qwen2.5-32B-AWQ", "Llama-3.1-70B"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("deploy"), environment):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, PLACE)
            for name in (SMALL, LARGE):
                put(started, name)
            started.faults.update(quotas=ENOUGH)
            yield started


def put(product: Product, name: str) -> None:
    """Put into the bucket what an import leaves beside the files of a model."""
    kept = manifest(name, "huggingface")
    storage = product.clients.storage(PROJECT)
    SmallObjects(storage, BUCKET).write(manifest_name(name), kept.to_json().encode())
    metadata.update_metadata(storage, BUCKET, lambda file: file.with_model(record(name)))


def record(name: str) -> ModelRecord:
    kept = manifest(name, "huggingface")
    found = kept.record()
    return type(found)(**{**{k: getattr(found, k) for k in found.__slots__}, "import_id": name})


@pytest.fixture
def form(session: Session) -> DeployFormState:
    return DeployFormState(session, ServicesState(session))


def opened(form: DeployFormState, name: str) -> dict[str, Any]:
    form.start(BUCKET, PLACE, record(name))
    until(lambda: form.memory.estimate)
    assert form.deployment
    return values_of(form.deployment)


def test_what_is_known_of_the_model_is_offered_once_it_is_read(form: DeployFormState) -> None:
    offers: list[str] = []
    form.observe(lambda change: offers.append(change["new"].accelerator), "offered")
    form.start(BUCKET, PLACE, record(SMALL))
    until(lambda: offers == [L4, RTX])  # by the size of its files, and then by the estimate
    assert form.deployment == form.offered
    until(lambda: form.name_note == f"Free in {PLACE}.")


def test_what_depends_on_the_region_follows_it(form: DeployFormState) -> None:
    values = opened(form, SMALL)
    form.change({**values, "region": "europe-west1"})
    assert form.followed == {"accelerator": L4, "cpu": "8", "memory_gib": "32"}
    assert form.problems == {}


def test_what_follows_is_seen_before_it_is_sent(form: DeployFormState) -> None:
    values = opened(form, SMALL)
    done: list[bool] = []
    form.deploy({**values, "region": "europe-west1"}, lambda: done.append(True))
    assert done
    assert "look at it" in form.problems[""]


def test_all_that_is_wrong_is_told_at_once(form: DeployFormState) -> None:
    values = opened(form, SMALL)
    form.change({**values, "name": "Bad_Name-", "port": 99999, "timeout": 0, "image": "no image"})
    assert set(form.problems) >= {"name", "port", "timeout", "image"}


def test_what_does_not_fit_is_refused_unless_somebody_insists(
    form: DeployFormState, product: Product
) -> None:
    values = opened(form, LARGE)
    assert form.memory.is_refused
    form.deploy({**values, "name": "too-large"}, lambda: None)
    assert "It does not fit" in form.problems[FIT_ANYWAY]
    taken: list[str] = []
    form.on_deployed(taken.append)
    insisting = {**values, "name": "too-large", FIT_ANYWAY: True, "grant_access": True}
    form.deploy(insisting, lambda: None)
    until(lambda: taken or form.problems)
    assert taken == [f"projects/{PROJECT}/locations/{PLACE}/services/too-large"], form.problems
    made = services.get(product.clients, taken[0])
    assert made.template.node_selector.accelerator == RTX
    assert bucket_readers.may_read(
        product.clients, BUCKET, f"serviceAccount:{made.template.service_account}", project=PROJECT
    )


def test_a_check_sends_nothing(form: DeployFormState, product: Product) -> None:
    values = opened(form, SMALL)
    done: list[bool] = []
    form.check({**values, "name": "only-asked"}, lambda: done.append(True))
    until(lambda: done)
    assert form.accepted, form.problems
    with pytest.raises(ManagerError):
        services.get(product.clients, f"projects/{PROJECT}/locations/{PLACE}/services/only-asked")


def test_reading_by_the_project_is_seen_too(form: DeployFormState, product: Product) -> None:
    values = opened(form, SMALL)
    bare = service_accounts.create_runtime_account(product.clients, PROJECT)
    form.change({**values, "service_account": bare.email})
    until(lambda: form.bucket_access.access == MISSING)
    policy.grant(product.clients, policy.of_project(PROJECT), [bucket_readers.READER], bare.member)
    assert form.deployment
    form.bucket_access.check(form.deployment)
    until(lambda: form.bucket_access.access == GRANTED)


def test_who_may_not_grant_is_told_at_the_field(form: DeployFormState, product: Product) -> None:
    values = opened(form, SMALL)
    reader = account(product, "reader")
    product.faults.update(denied_permissions=["storage.buckets.setIamPolicy"])
    try:
        form.deploy(
            {**values, "name": "no-grant", "service_account": reader, "grant_access": True},
            lambda: None,
        )
        until(lambda: form.problems)
    finally:
        product.faults.update(denied_permissions=[])
    assert "grant_access" in form.problems


def test_a_caller_who_does_not_exist_keeps_nobody_else_out(
    form: DeployFormState, session: Session, product: Product
) -> None:
    values = opened(form, SMALL)
    told = "User gone@example.org does not exist."
    refused = {"match": "(?i)setIamPolicy", "status": 400, "message": told, "times": 1}
    deployed: list[str] = []
    form.on_deployed(deployed.append)
    product.faults.update(failures=[refused])
    members = ["user:ann@example.org", "user:ben@example.org"]
    notices: list[str] = []
    session.on_notice(lambda text, _: notices.append(text))
    try:
        form.deploy(
            {**values, "name": "called", "callers": "members", "members": members}, lambda: None
        )
        until(lambda: deployed)
    finally:
        product.faults.update(failures=[])
    who = {each.member for each in invokers.invokers(product.clients, deployed[0])}
    assert {"user:ann@example.org", "user:ben@example.org"} <= who
    assert any(told in text for text in notices)


def account(product: Product, id_: str) -> str:
    """Create a service account that may do nothing."""
    path = f"/v1/projects/{PROJECT}/serviceAccounts"
    made = rest.call(product.clients, "POST", "iam.googleapis.com", path, {"accountId": id_})
    return str(made["email"])


def inside(widget: w.Widget) -> Iterator[w.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child)


def press(component: Component, button: str, values: dict[str, Any] | None = None) -> None:
    """Send what the browser sends when a button is pressed."""
    component._handle_custom_msg({"type": button, "values": values}, [])


def test_a_conflict_is_shown_and_the_changes_are_kept(session: Session, product: Product) -> None:
    name = f"{PARENT}/services/changed"
    made = {"template": {"containers": [{"image": "local/python:3"}]}}
    services.create(product.clients, PROJECT, "europe-west1", "changed", made)
    until(lambda: not service_json.read(product.clients, name).get("reconciling"))
    edit = ServiceEditState(session, ServicesState(session))
    page = EditPage(edit, back=edit.close)
    form = next(each for each in inside(page.box) if isinstance(each, Form))
    edit.start(name)
    until(lambda: edit.is_open)
    assert edit.before
    wanted = {**values_of(edit.before), "concurrency": 9}
    assert edit.review(wanted), edit.problems
    theirs = service_json.read(product.clients, name)
    theirs["template"]["timeout"] = "77s"
    service_json.patch(product.clients, theirs, ["template"])
    # A service that settles has another etag afterwards.
    until(lambda: not service_json.read(product.clients, name).get("reconciling"))
    page.dialog.show()
    press(page.dialog, "submit", {})
    notices = [each for each in inside(page.box) if isinstance(each, Notice)]
    until(lambda: any(each.action_label for each in notices))
    shown = next(each for each in notices if each.action_label)
    assert "changed" in shown.text
    assert not page.dialog.shown
    assert edit.is_open
    press(shown, "action")
    until(lambda: edit.before and edit.before.timeout == 77)
    until(lambda: not shown.text)
    assert edit.now
    assert (edit.now.timeout, edit.now.concurrency) == (77, 9)
    keys = {field["key"] for field in form.fields}
    press(form, "submit", {k: v for k, v in values_of(edit.now).items() if k in keys})
    label = "Requests at once per instance"
    assert page.dialog.changes == [{"label": label, "removed": ["80"], "added": ["9"]}]
    press(page.dialog, "submit", {})
    until(lambda: not edit.is_open)
    after = service_json.read(product.clients, name)["template"]
    assert (after["timeout"], after["maxInstanceRequestConcurrency"]) == ("77s", 9)

    edit.start(name)
    until(lambda: edit.is_open)
    services.delete(product.clients, name)
    until(lambda: is_gone(product, name))
    assert edit.now
    assert edit.review({**values_of(edit.now), "concurrency": 10})
    page.dialog.show()
    press(page.dialog, "submit", {})
    until(lambda: "Somebody has deleted it" in shown.detail)


def is_gone(product: Product, name: str) -> bool:
    try:
        service_json.read(product.clients, name)
    except NotFoundError:
        return True
    return False
