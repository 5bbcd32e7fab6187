"""The deploy form and the edit form over the local cloud: offered, checked, refused, sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.cloud import run_v2

from llm_widgets.domain.manifest import manifest_name
from llm_widgets.domain.services import MANAGED_BY
from llm_widgets.errors import InvalidInputError, ManagerError, NotFoundError
from llm_widgets.gcp.client import rest
from llm_widgets.gcp.iam import (
    bucket_readers,
    effective_access,
    invokers,
    policy,
    service_accounts,
)
from llm_widgets.gcp.iam.effective_access import Access
from llm_widgets.gcp.run import service_json, services
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.manager import Manager
from llm_widgets.manager.memory import FIT_ANYWAY
from llm_widgets.page.services.deploy_form import DeployFormState
from llm_widgets.page.services.deploy_page import DeployPage
from llm_widgets.page.services.deploy_values import values_of
from llm_widgets.page.services.edit_page import EditPage
from llm_widgets.page.services.family_card import FamilyCard
from llm_widgets.page.services.service_edit import ServiceEditState
from llm_widgets.page.services.services import ServicesState
from llm_widgets.widgets.form import Form
from llm_widgets.widgets.layout import is_shown
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
KNOWN = "gpt-oss-120b"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("deploy"), environment):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, PLACE)
            for name in (SMALL, LARGE, KNOWN):
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
    until(lambda: form.name_note == f"Available in {PLACE}.")


def test_arguments_of_a_family_are_told_with_the_reason_and_taken_off(
    form: DeployFormState, product: Product
) -> None:
    card = FamilyCard(form, form.turn_proposal)
    opened(form, SMALL)
    assert form.proposal is None  # it is one that only continues texts
    assert not is_shown(card.box)
    opened(form, KNOWN)
    notice = next(each for each in inside(card.box) if isinstance(each, Notice))
    assert notice.text == "gpt-oss: its arguments are set."
    assert f"org/{KNOWN}" in notice.detail
    assert form.deployment
    assert "--tool-call-parser=openai" in form.deployment.args
    form.turn_proposal()
    assert notice.action_label == "Set these arguments"
    assert not any("tool" in word for word in form.deployment.args)
    form.turn_proposal()
    assert notice.action_label == "Remove these arguments"
    manager = Manager(PROJECT, product.settings)
    family = manager.family(BUCKET, f"org/{KNOWN}")
    assert family == form.proposal
    offered = manager.deployment(BUCKET, f"org/{KNOWN}")
    assert "--tool-call-parser=openai" in offered.args


def test_what_depends_on_the_region_follows_it(form: DeployFormState) -> None:
    values = opened(form, SMALL)
    form.change({**values, "region": "europe-west1"})
    hardware = {"accelerator": L4, "cpu": "8", "memory_gib": "32"}
    assert {name: form.followed[name] for name in hardware} == hardware
    # How the weights are read follows the smaller machine.
    assert set(form.followed) - set(hardware) == {"args", "stream_weights"}
    assert form.followed["stream_weights"] is False
    assert form.followed["args"][0].startswith("/gcs/")
    assert form.problems == {}


def test_what_follows_is_seen_before_it_is_sent(form: DeployFormState) -> None:
    values = opened(form, SMALL)
    done: list[bool] = []
    form.deploy({**values, "region": "europe-west1"}, lambda: done.append(True))
    assert done
    assert "Review them" in form.problems[""]


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
    assert "Does not fit" in form.problems[FIT_ANYWAY]
    taken: list[str] = []
    form.on_deployed(taken.append)
    insisting = {**values, "name": "too-large", FIT_ANYWAY: True, "grant_access": True}
    form.deploy(insisting, lambda: None)
    until(lambda: taken or form.problems)
    assert taken == [f"projects/{PROJECT}/locations/{PLACE}/services/too-large"], form.problems
    made = services.get(product.clients, taken[0])
    assert made.template.node_selector.accelerator == RTX
    member = f"serviceAccount:{made.template.service_account}"
    known = effective_access.Known(product.clients, PROJECT)
    assert effective_access.reading(known, BUCKET, member).access is Access.GRANTED


def test_a_service_is_known_before_its_form_closes(session: Session, product: Product) -> None:
    listed = ServicesState(session)
    form = DeployFormState(session, listed)
    values = opened(form, SMALL)
    seen: list[tuple[str, bool]] = []

    def deployed(name: str) -> None:
        found = listed.find(name)
        seen.append((found.region if found else "", form.offered is not None))

    form.on_deployed(deployed)
    form.deploy({**values, "name": "at-once", "grant_access": True}, lambda: None)
    until(lambda: seen or form.problems)
    assert seen == [(PLACE, True)], form.problems
    until(lambda: form.offered is None)
    services.delete(product.clients, f"projects/{PROJECT}/locations/{PLACE}/services/at-once")


def test_a_change_that_does_not_fit_is_refused_unless_somebody_insists(
    session: Session, product: Product, form: DeployFormState
) -> None:
    values = opened(form, SMALL)
    taken: list[str] = []
    form.on_deployed(taken.append)
    form.deploy({**values, "name": "grows", "grant_access": True}, lambda: None)
    until(lambda: taken or form.problems)
    assert taken, form.problems
    edit = ServiceEditState(session, ServicesState(session))
    page = EditPage(edit, back=edit.close)
    edit.start(taken[0])
    until(lambda: edit.is_open and edit.memory.estimate)
    assert edit.before
    fields = next(each for each in inside(page.box) if isinstance(each, Form))
    before = values_of(edit.before)
    longer = {**before, "args": (*before["args"], "--gpu-memory-utilization=0.1")}
    page._typed(longer)
    assert edit.memory.is_refused
    assert FIT_ANYWAY in {field["key"] for field in fields.fields}
    assert not edit.review(longer)
    assert "Does not fit" in edit.problems[FIT_ANYWAY]
    failed: list[ManagerError] = []
    edit.send(lambda: None, failed.append)
    assert failed  # nothing of it can be sent
    manager = Manager(PROJECT, product.settings)
    service = next(each for each in manager.services().services if each.name == taken[0])
    with pytest.raises(InvalidInputError, match="Does not fit") as caught:
        manager.change(service, args=tuple(longer["args"]))
    assert caught.value.field == FIT_ANYWAY
    assert edit.review({**longer, FIT_ANYWAY: True}), edit.problems
    sent: list[bool] = []
    edit.send(lambda: sent.append(True), failed.append)
    until(lambda: sent)
    # Somebody has insisted on it: what does not fit in the same way is asked about no more.
    edit.start(taken[0])
    until(lambda: edit.is_open and edit.memory.is_refused)
    assert edit.review({**values_of(edit.before), "timeout": 77}), edit.problems


def test_a_check_sends_nothing(form: DeployFormState, product: Product) -> None:
    values = opened(form, SMALL)
    done: list[bool] = []
    form.check({**values, "name": "only-asked"}, lambda: done.append(True))
    until(lambda: done)
    assert form.accepted, form.problems
    with pytest.raises(ManagerError):
        services.get(product.clients, f"projects/{PROJECT}/locations/{PLACE}/services/only-asked")


def access_of(form: DeployFormState) -> Access | None:
    """Return what the form says of the bucket; ``None`` while it looks."""
    found = form.bucket_access.verdict
    return found.access if found else None


def test_reading_by_the_project_is_seen_too(form: DeployFormState, product: Product) -> None:
    values = opened(form, SMALL)
    bare = service_accounts.create(product.clients, PROJECT, service_accounts.RUNTIME)
    form.change({**values, "service_account": bare.email})
    until(lambda: access_of(form) is Access.MISSING)
    policy.grant(product.clients, policy.of_project(PROJECT), [bucket_readers.READER], bare.member)
    assert form.deployment
    form.bucket_access.check(form.deployment)
    until(lambda: access_of(form) is Access.GRANTED)


def test_a_grant_that_deploying_brings_is_no_warning(
    form: DeployFormState, product: Product
) -> None:
    page = DeployPage(form, back=form.close)
    values = opened(form, SMALL)
    bare = account(product, "ungranted")
    notices = [each for each in inside(page.box) if isinstance(each, Notice)]

    def told() -> list[str]:
        return [each.kind for each in notices if f"{bare} can't read" in each.text]

    form.change({**values, "service_account": bare, "grant_access": True})
    until(lambda: access_of(form) is Access.MISSING)
    assert told() == ["info"]
    form.change({**values, "service_account": bare, "grant_access": False})
    assert told() == ["warning"]


def test_a_form_that_is_closed_has_no_fields_of_the_model(form: DeployFormState) -> None:
    page = DeployPage(form, back=form.close)
    (shown,) = (each for each in inside(page.box) if isinstance(each, Form))
    opened(form, SMALL)
    assert {"name", "region"} <= {field["key"] for field in shown.fields}
    form.close()
    assert shown.fields == []


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
    template = {"containers": [{"image": "local/python:3"}]}
    made = run_v2.Service({"labels": dict([MANAGED_BY]), "template": template})
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
    label = "Concurrent requests per instance"
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
    until(lambda: "The service was deleted" in shown.detail)


def is_gone(product: Product, name: str) -> bool:
    try:
        service_json.read(product.clients, name)
    except NotFoundError:
        return True
    return False
