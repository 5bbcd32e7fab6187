"""Questions and locks of the page hold against a browser that leaves them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import ServiceState, ServiceSummary
from llm_widgets.gcp.run.revisions import RevisionFact
from llm_widgets.gcp.storage.buckets import create_bucket
from llm_widgets.gcp.storage.metadata import read_metadata, update_metadata
from llm_widgets.page.models.delete_dialog import DeleteDialog
from llm_widgets.page.services.delete_dialog import DeleteDialog as ServiceDeleteDialog
from llm_widgets.page.services.revisions_card import RevisionsCard
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.page.services.service_edit import ServiceEditState
from llm_widgets.page.services.services import ServicesState
from llm_widgets.widgets.dialog import FormDialog
from llm_widgets.widgets.fields import Field
from local_cloud.access import Access
from local_cloud.testing.waiting import until
from tests.contract.models_tab import ModelsTab
from tests.contract.product import PARENT, PROJECT, REGION, Product, running
from tests.security.test_widget_messages import custom, update

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.errors import ManagerError

BUCKET = "asked-models"
SHA = "0" * 39 + "1"
MODEL = ModelRecord(
    "acme/llm",
    "huggingface",
    ModelStatus.READY,
    size=1,
    prefix=f"huggingface/acme/llm/{SHA}",
    revision=SHA,
    import_id="0" * 20,
)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for made in running(tmp_path_factory.mktemp("asked"), environment):
            create_bucket(made.clients, PROJECT, BUCKET, REGION)
            update_metadata(made.clients.storage(), BUCKET, lambda file: file.with_model(MODEL))
            yield made


@pytest.fixture
def tab(product: Product) -> Iterator[ModelsTab]:
    made = ModelsTab(product)
    yield made
    made.session.close()
    product.faults.reset()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the permissions that the local cloud is asked for."""
    made: list[str] = []
    granted = Access.granted

    def note(self: Access, caller: Any, permissions: Any, resource: str) -> list[str]:
        wanted = list(permissions)
        made.extend(wanted)
        return granted(self, caller, wanted, resource)

    monkeypatch.setattr(Access, "granted", note)
    return made


def submit(dialog: FormDialog, **values: Any) -> None:
    custom(dialog, {"type": "submit", "values": values})


def summary(bucket: str = "") -> ServiceSummary:
    return ServiceSummary(
        name=f"{PARENT}/services/engine",
        state=ServiceState.READY,
        reason="",
        url="",
        framework="vllm",
        model_id="acme/llm",
        served_name="acme/llm",
        bucket=bucket,
        gpu="",
        min_instances=0,
        max_instances=1,
        updated_at=None,
        updated_by="",
        etag="",
    )


def test_a_model_in_use_is_forced_only_after_its_users_were_named(
    product: Product, tab: ModelsTab
) -> None:
    """By the time that the question is put, the state has looked; nobody can come before it."""
    product.faults.update(denied_permissions=["run.services.*"])  # who uses it can't be told
    gone: list[bool] = []
    asked = DeleteDialog(tab.model, tab.models, deleted=lambda: gone.append(True))
    submit(asked.dialog, force=True)  # before it is asked
    asked.show(BUCKET, MODEL)
    update(asked.dialog, fields=[{"key": "force", "kind": "checkbox"}])
    submit(asked.dialog, force=True)
    until(lambda: not asked.dialog.busy)
    assert "Unknown whether" in asked.dialog.error
    assert not gone
    assert read_metadata(product.clients.storage(), BUCKET)[0].models == (MODEL,)
    for wrong in ("yes", 1, None):  # not what a checkbox says
        submit(asked.dialog, force=wrong)
        assert not asked.dialog.busy
    update(asked.dialog, shown=False)
    submit(asked.dialog, force=True)  # after it was closed
    assert not asked.dialog.busy
    assert not gone


def test_a_service_takes_its_model_along_only_where_that_is_offered(
    tab: ModelsTab, calls: list[str]
) -> None:
    services = ServicesState(tab.session)
    until(lambda: not tab.session.background.under_way)
    asked = ServiceDeleteDialog(services, begun=lambda _: None)
    submit(asked.dialog, with_model=True)
    asked.show([summary()])
    calls.clear()
    submit(asked.dialog, with_model=True)
    until(lambda: not tab.session.background.under_way)
    assert not [each for each in calls if each.startswith("storage.objects.delete")]
    assert not [each for each in calls if each == "run.services.get"]  # it looked for no model


def test_a_change_that_was_not_looked_at_is_not_sent(tab: ModelsTab, calls: list[str]) -> None:
    edit = ServiceEditState(tab.session, ServicesState(tab.session))
    until(lambda: not tab.session.background.under_way)
    calls.clear()
    failed: list[ManagerError] = []
    edit.send(done=lambda: None, failed=failed.append)
    assert [each.message for each in failed] == ["No changes."]
    assert calls == []


SHARES: list[dict[str, Any]] = [
    {"engine-1": 150, "engine-2": -50},
    {"engine-1": float("nan"), "engine-2": 100},
    {"engine-1": float("inf"), "engine-2": float("-inf")},
    {"engine-1": True, "engine-2": 99},
    {"engine-1": 50, "engine-2": 49},
    {"engine-3": 100},
    {"engine-failed": 100},
    {"": 100},
    {},
]


@pytest.mark.parametrize("shares", SHARES, ids=str)
def test_requests_are_divided_among_what_is_offered(
    tab: ModelsTab, calls: list[str], shares: dict[str, Any]
) -> None:
    state = ServicePageState(tab.session, summary())
    card = RevisionsCard(state)
    state.revisions = tuple(
        RevisionFact(id_, None, "", "", how, "")
        for id_, how in (
            ("engine-1", "ready"),
            ("engine-2", "ready"),
            ("engine-failed", "failed"),
        )
    )
    submit(card.dialog, **shares)  # before it is asked
    card._ask()
    calls.clear()
    submit(card.dialog, **shares)
    until(lambda: not tab.session.background.under_way)
    assert "run.services.update" not in calls
    state.close()


def test_a_number_is_one() -> None:
    """JSON as Python reads it has numbers that are none."""
    taken: list[Any] = []
    dialog = FormDialog(title="T", fields=[Field("n", "N", "number"), Field("b", "B", "checkbox")])
    dialog.on_submit(taken.append)
    dialog.show()
    for number in (float("nan"), float("inf"), True, "1", [1], {"n": 1}):
        submit(dialog, n=number)
    for switch in (1, 0, "true", None):
        submit(dialog, b=switch)
    assert taken == []
    submit(dialog, n=1.5, b=True)
    assert taken == [{"n": 1.5, "b": True}]


def test_nothing_is_imported_that_was_not_checked(tab: ModelsTab, calls: list[str]) -> None:
    until(lambda: not tab.session.background.under_way)
    calls.clear()
    tab.form.start(lambda: pytest.fail("it was started"))
    tab.form.toggle("config.json")
    assert calls == []
    assert not tab.form.starting
