"""The state behind the General tab: what is chosen, found and passed on to deployments."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from google.api_core.exceptions import NotFound

from llm_widgets.cli.local_cloud import product_environment
from llm_widgets.config import Settings
from llm_widgets.domain import google_apis, gpus
from llm_widgets.domain.capacity import Fit
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.networks import NetworkChoice, NetworkKind
from llm_widgets.errors import DeniedError, InvalidInputError
from llm_widgets.gcp.client.rest import call
from llm_widgets.gcp.iam import service_accounts
from llm_widgets.page.general.blockers_card import QuotaBlocker
from llm_widgets.page.general.general import GeneralState
from llm_widgets.page.services.deploy_form import DeployFormState
from llm_widgets.page.services.services import ServicesState
from llm_widgets.page.session import Session
from llm_widgets.serving import recipes
from llm_widgets.widgets.layout import is_shown
from local_cloud.cloud import LocalCloud
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUBNET = NetworkChoice(NetworkKind.SUBNET, "default", "default")
ACCOUNT = f"llm-runtime@{PROJECT}.iam.gserviceaccount.com"
L4 = gpus.GPUS[0].accelerator


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("general"), environment)


def as_it_was(product: Product) -> None:
    """Undo what tests do to the project: the network that it keeps, and an account."""
    clients = product.clients
    change = {
        "project": {"name": f"projects/{PROJECT}"},
        "update_mask": {"paths": ["labels"]},
    }
    clients.projects.update_project(request=change).result(timeout=60)
    with contextlib.suppress(NotFound):
        path = f"/v1/projects/{PROJECT}/serviceAccounts/{ACCOUNT}"
        call(clients, "DELETE", google_apis.IAM, path)


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()
    as_it_was(started)


@pytest.fixture
def general(product: Product) -> Iterator[GeneralState]:
    session = Session(product.settings)
    yield GeneralState(session)
    session.close()


def chosen(general: GeneralState) -> Session:
    session = general._session
    general.start(PROJECT)
    until(lambda: session.project)
    cards = (general.checklist, general.network, general.quotas)
    until(lambda: all(card.checked_at for card in cards))
    return session


def test_all_cards_fill_when_a_project_is_chosen(general: GeneralState) -> None:
    session = chosen(general)
    assert not general.editing
    assert session.runtime_account.endswith("-compute@developer.gserviceaccount.com")
    assert general.network.regions_of(SUBNET) == gpus.regions()
    verdict = general.quotas.verdict(L4, REGION)
    assert verdict
    assert (verdict.fit, verdict.text) == (Fit.FITS, "3 GPUs are free.")
    assert general.quotas.verdict("nvidia-unknown", REGION) is None


def test_an_answer_that_comes_late_changes_nothing(product: Product, general: GeneralState) -> None:
    product.faults.update(holds=["projects:search"])
    general.query = "demo"
    until(lambda: product.faults.held)
    product.faults.update(holds=[])
    general.query = "local"
    until(lambda: [found.id for found in general.found] == [PROJECT])
    product.faults.release()
    until(lambda: not general._session.background.under_way)
    assert [found.id for found in general.found] == [PROJECT]


def test_wrong_ids_keep_the_form_open(general: GeneralState) -> None:
    general.start("")
    until(lambda: general.found)
    for wrong in ("two words", "<b>x</b>", "a" * 300, ""):
        general.confirm(wrong)
        assert isinstance(general.project_error, InvalidInputError)
    general.confirm("other-project")
    until(lambda: isinstance(general.project_error, DeniedError))
    assert general.editing
    assert general._session.project is None


def test_signing_in_while_the_page_is_open(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as nobody:
        nobody.delenv("GOOGLE_APPLICATION_CREDENTIALS")
        nobody.setenv("CLOUDSDK_CONFIG", str(tmp_path))
        nobody.setenv("NO_GCE_CHECK", "true")
        session = Session(product.settings)
        general = GeneralState(session)
        general.start("")
        until(lambda: general.is_signed_out and general.listing_denied)
    assert general.identity_error
    assert general.identity_error.fix
    assert general.identity_error.fix.command == "gcloud auth application-default login"
    general.sign_in_again()
    until(lambda: general.identity and general.found)
    assert not general.identity_error
    assert not general.listing_denied
    session.close()


def test_cancelled_while_it_opens(product: Product, general: GeneralState) -> None:
    session = chosen(general)
    general.change()
    product.faults.update(holds=["demo-project"])
    general.confirm("demo-project")
    assert general.opening == "demo-project"
    general.cancel()
    product.faults.reset()
    until(lambda: not session.background.under_way)
    assert (session.project_id, general.editing, general.opening) == (PROJECT, False, "")


def test_a_locked_project_that_can_not_be_opened(product: Product) -> None:
    session = Session(replace(product.settings, project="other-project"))
    general = GeneralState(session)
    general.start(PROJECT)
    until(lambda: general.project_error)
    general.change()
    assert (general.editing, general.found, session.project) == (True, (), None)
    session.close()


def test_a_denied_region_colours_itself_only(product: Product, general: GeneralState) -> None:
    product.faults.update(
        failures=[
            {"match": f"regions/{REGION}/subnetworks", "status": 403},
            {"match": "us-east4/services", "status": 403},
            {"match": "quotaInfos/Mem", "status": 403},
        ]
    )
    chosen(general)
    errors = [key for key, found in general.network.found.items() if found.error]
    assert errors == [f"{REGION}/subnets"]
    assert set(general.quotas.survey.errors) == {"us-east4", "MemAllocPerProjectRegion"}
    verdicts = {region: general.quotas.verdict(L4, region) for region in (REGION, "us-east4")}
    assert [each.text for each in verdicts.values() if each] == [
        "Not known: the memory quota.",
        "Not known: the memory quota, what services use.",
    ]


def test_quotas_judge_a_deployment_before_it_is_asked_for(general: GeneralState) -> None:
    record = ModelRecord(id="local/tiny", source="huggingface", status=ModelStatus.READY)
    deployment = recipes.defaults(
        record, project=PROJECT, region=REGION, bucket="some-models", service_account=ACCOUNT
    )
    assert general.quotas.shortage(deployment) == ""  # nothing is known yet
    chosen(general)
    assert general.quotas.shortage(deployment) == ""
    assert general.quotas.shortage(replace(deployment, max_instances=4)) == (
        "4 GPUs needed, 3 of 3 free; 32 vCPU needed, 20 of 20 free; 128 GiB of memory needed, "
        "40 of 40 GiB free."
    )
    assert "1 GPU with zonal redundancy needed, 0 of 0 free" in general.quotas.shortage(
        replace(deployment, zonal_redundancy=True)
    )


def test_quotas_are_read_again_when_a_form_opens(product: Product, general: GeneralState) -> None:
    session = chosen(general)
    form = DeployFormState(session, ServicesState(session))
    blocker = QuotaBlocker(session, general.quotas, form)
    product.faults.update(quotas={"CpuAllocPerProjectRegion": 4000})
    form.start(
        "some-models", REGION, ModelRecord("local/tiny", "huggingface", ModelStatus.READY, size=1)
    )
    assert not is_shown(blocker.box)  # as far as was known a moment ago
    until(lambda: is_shown(blocker.box))
    assert form.deployment
    assert general.quotas.shortage(form.deployment) == "8 vCPU needed, 4 of 4 free."


def test_a_slow_region_holds_up_no_verdict_of_another(
    product: Product, general: GeneralState
) -> None:
    chosen(general)
    product.faults.update(delays={"us-east4/services": 5.0})
    session = general._session
    assert session.project
    session.project = replace(session.project, name="again")
    until(lambda: general.quotas.verdict(L4, REGION))
    assert general.quotas.verdict(L4, "us-east4") is None
    until(lambda: general.quotas.verdict(L4, "us-east4"))


def test_the_default_network_counts_where_it_is(product: Product, general: GeneralState) -> None:
    session = chosen(general)
    assert session.network_for(REGION) == NetworkChoice()
    general.network.choose(SUBNET)
    assert session.network_for(REGION) == SUBNET
    until(lambda: session.networks_kept[PROJECT] == SUBNET)
    gone = NetworkChoice(NetworkKind.CONNECTOR, "", "gone")
    general.network.choose(gone)
    assert gone in general.network.choices()
    general.network.refresh()
    until(lambda: not general.network.running)
    # A region that did not answer may have it; one that did, has it not.
    assert session.network_for("mars-north1") == gone
    assert session.network_for(REGION) == NetworkChoice()
    product.faults.update(failures=[{"match": f"{REGION}/connectors", "status": 403}])
    general.network.refresh()
    until(lambda: not general.network.running)
    assert session.network_for(REGION) == gone


def test_the_default_network_is_kept_with_the_project(
    product: Product, general: GeneralState
) -> None:
    project: dict[str, Any] = {"name": f"projects/{PROJECT}", "labels": {"team": "models"}}
    product.clients.projects.update_project(request={"project": project}).result(timeout=60)
    session = chosen(general)
    general.network.choose(SUBNET)
    until(lambda: session.networks_kept[PROJECT] == SUBNET)
    assert (session.network_defaults, general.network.not_kept) == ({}, None)
    other = Session(product.settings)  # another browser
    elsewhere = GeneralState(other)
    chosen(elsewhere)
    assert elsewhere.network.default == SUBNET
    elsewhere.network.choose(NetworkChoice())
    until(lambda: other.networks_kept[PROJECT] == NetworkChoice())
    other.close()
    labels = product.clients.projects.get_project(name=project["name"]).labels
    assert dict(labels) == {"team": "models"}


def test_a_default_network_that_the_project_may_not_keep_stays_in_the_browser(
    product: Product, general: GeneralState
) -> None:
    session = chosen(general)
    assert general.network.default == NetworkChoice()
    product.faults.update(denied_permissions=["resourcemanager.projects.update"])
    general.network.choose(SUBNET)
    until(lambda: general.network.not_kept)
    assert isinstance(general.network.not_kept, DeniedError)
    assert (general.network.default, session.network_defaults) == (SUBNET, {PROJECT: SUBNET})
    product.faults.reset()
    general.network.choose(NetworkChoice())
    until(lambda: not session.network_defaults)
    assert general.network.not_kept is None


def test_turning_access_on_denied_is_told(product: Product, general: GeneralState) -> None:
    chosen(general)
    product.faults.update(denied_permissions=["compute.subnetworks.setPrivateIpGoogleAccess"])
    general.network.turn_on((REGION, "default"))
    until(lambda: general.network.error)
    assert isinstance(general.network.error, DeniedError)
    assert general.network.turning_on == ()


def test_a_click_that_fails_is_told_in_its_row(product: Product, general: GeneralState) -> None:
    session = chosen(general)
    row = next(row for row in general.checklist.rows if row.key == "runtime/account")
    assert row.answer.action_label == "Create account"
    product.faults.update(denied_permissions=["iam.serviceAccounts.create"])
    general.checklist.act("runtime/account")
    until(lambda: general.checklist.problems)
    assert "iam.serviceAccounts.create" in str(general.checklist.problems["runtime/account"])
    product.faults.reset()
    general.checklist.act("runtime/account")
    until(lambda: session.runtime_account == ACCOUNT)
    assert general.checklist.problems == {}
    assert service_accounts.get(product.clients, PROJECT, ACCOUNT).email == ACCOUNT


def test_quota_that_is_not_granted_at_once_shows_as_pending(general: GeneralState) -> None:
    chosen(general)
    done: list[str] = []
    quota_id = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"
    general.quotas.request(
        REGION, quota_id, None, email="", done=lambda: None, failed=lambda e: done.append(str(e))
    )
    assert done == ["Enter the new limit."]
    general.quotas.request(
        REGION,
        quota_id,
        50,
        email="",
        done=lambda: done.append("asked"),
        failed=lambda e: pytest.fail(str(e)),
    )
    until(lambda: (quota_id, REGION) in general.quotas.survey.requests)
    asked = general.quotas.survey.requests[quota_id, REGION]
    assert (asked.preferred, asked.is_pending, done[-1]) == (50, True, "asked")


def test_a_search_among_five_thousand_projects_is_one_call(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    names = tuple(f"project-{number:05d}" for number in range(5000))
    cloud = LocalCloud(tmp_path_factory.mktemp("many"), projects=names, offline=True)
    cloud.start()
    try:
        with pytest.MonkeyPatch.context() as environment:
            for name, value in product_environment(cloud.environment()).items():
                environment.setenv(name, value)
            session = Session(Settings.from_environment())
            general = GeneralState(session)
            general.search()
            until(lambda: general.found and not general.searching)
            assert (len(general.found), bool(general.more)) == (50, True)
            general.next_page()
            until(lambda: len(general.found) == 100)
            # The first call fails: with a second one there would be an answer.
            cloud.faults.update(failures=[{"match": "projects:search", "status": 503, "times": 1}])
            for typed in ("p", "project-04", "project-04999"):  # as fast as keys come
                general.query = typed
            until(lambda: general.listing_denied)
            until(lambda: not general._search_soon.pending and not session.background.under_way)
            assert (general.searching, general.found) == (False, ())
            general.search()
            until(lambda: [found.id for found in general.found] == ["project-04999"])
            session.close()
    finally:
        cloud.stop()
