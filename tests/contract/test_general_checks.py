"""The checklist: each row in order, missing and not to be told; and what a click does about it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from google.oauth2.credentials import Credentials

from llm_widgets.checks import import_account, remedies
from llm_widgets.checks.context import Context
from llm_widgets.checks.permissions import GROUPS, ask_project
from llm_widgets.checks.run import empty_rows, run, wait_until_ok
from llm_widgets.domain.checklist import CheckState, Row, Work, blockers
from llm_widgets.errors import DeniedError
from llm_widgets.gcp import secrets
from llm_widgets.gcp.auth.sign_in import SCOPE
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.client.rest import call
from llm_widgets.gcp.iam import permissions, policy
from llm_widgets.gcp.project import projects
from llm_widgets.gcp.storage import buckets
from tests.contract.product import MANAGER, PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

OK, MISSING, UNKNOWN = CheckState.OK, CheckState.MISSING, CheckState.UNKNOWN
BUCKET = "checked-models"
OF_THE_PROJECT = {row.key for row in empty_rows() if row.key.startswith("permissions/")} - {
    "permissions/buckets"
}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for product in running(tmp_path_factory.mktemp("checks"), environment):
            buckets.create_bucket(product.clients, PROJECT, BUCKET, REGION)
            remedies.carry_out(context(product), "create-import-account")
            yield product


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()


def context(product: Product) -> Context:
    return Context(product.clients, projects.get(product.clients, PROJECT))


def checked(product: Product, **faults: Any) -> dict[str, Row]:
    """Run all checks with faults switched on; the project is looked up before."""
    asking = context(product)
    product.faults.update(**faults)
    found: dict[str, Row] = {}
    run(asking, lambda row: found.update({row.key: row}))
    assert set(found) == {row.key for row in empty_rows()}
    return found


def other_than_ok(rows: dict[str, Row]) -> dict[str, CheckState]:
    return {key: row.state for key, row in rows.items() if row.state is not OK}


def test_a_project_in_order(product: Product) -> None:
    rows = checked(product)
    assert other_than_ok(rows) == {}
    assert all(row.answer.text for row in rows.values())
    assert rows["apis"].answer.text == "All 12 are enabled."


ONE_MISSING: list[tuple[str, dict[str, Any]]] = [
    ("apis", {"disabled_apis": ["vpcaccess.googleapis.com"]}),
    ("billing", {"billing_disabled": [PROJECT]}),
    ("permissions/run", {"denied_permissions": ["run.services.create"]}),
    ("permissions/jobs", {"denied_permissions": ["run.jobs.runWithOverrides"]}),
    ("permissions/storage", {"denied_permissions": ["storage.buckets.create"]}),
    ("permissions/iam", {"denied_permissions": ["iam.serviceAccounts.create"]}),
    ("permissions/secrets", {"denied_permissions": ["secretmanager.versions.add"]}),
    ("permissions/logs", {"denied_permissions": ["logging.logEntries.list"]}),
    ("permissions/quotas", {"denied_permissions": ["cloudquotas.quotas.update"]}),
    (
        "permissions/network",
        {"denied_permissions": ["compute.subnetworks.setPrivateIpGoogleAccess"]},
    ),
    ("permissions/pauses", {"denied_permissions": ["cloudscheduler.jobs.delete"]}),
    ("permissions/buckets", {"denied_permissions": ["storage.objects.create"]}),
    ("runtime/act-as imports/act-as", {"denied_permissions": ["iam.serviceAccounts.actAs"]}),
]


@pytest.mark.parametrize(("keys", "faults"), ONE_MISSING)
def test_one_thing_missing(product: Product, keys: str, faults: dict[str, Any]) -> None:
    rows = checked(product, **faults)
    assert other_than_ok(rows) == dict.fromkeys(keys.split(), MISSING)
    for key in keys.split():
        fix = rows[key].answer.fix
        assert fix
        assert fix.command.startswith("gcloud ")
        assert not fix.url  # the local cloud has no console


UNKNOWN_ROWS: list[tuple[set[str], dict[str, Any]]] = [
    ({"apis"}, {"denied_permissions": ["serviceusage.services.get"]}),
    ({"billing"}, {"failures": [{"match": "billingInfo", "status": 403}]}),
    (
        OF_THE_PROJECT,
        {"failures": [{"match": f"projects/{PROJECT}:testIamPermissions", "status": 403}]},
    ),
    (
        {"permissions/buckets"},
        {"failures": [{"match": "iam/testPermissions", "status": 403}]},
    ),
    (
        {"runtime/account", "runtime/act-as", "runtime/reading", "imports/account"},
        {"failures": [{"match": "GET .*/serviceAccounts/", "status": 403}]},
    ),
    (
        {"runtime/act-as", "imports/act-as"},
        {"failures": [{"match": "serviceAccounts/.*:testIamPermissions", "status": 503}]},
    ),
    ({"runtime/reading"}, {"failures": [{"match": f"GET .*/{BUCKET}/iam$", "status": 403}]}),
    ({"secret-manager"}, {"failures": [{"match": "/secrets", "status": 403}]}),
]


@pytest.mark.parametrize(("keys", "faults"), UNKNOWN_ROWS)
def test_what_can_not_be_told_colours_its_own_rows(
    product: Product, keys: set[str], faults: dict[str, Any]
) -> None:
    rows = checked(product, **faults)
    assert other_than_ok(rows) == dict.fromkeys(keys, UNKNOWN)
    assert all(rows[key].answer.text.startswith("Can't ") for key in keys)
    assert blockers(rows.values(), Work.DEPLOY) == []


def test_a_slow_api_holds_up_no_other_row(product: Product) -> None:
    asking, told = context(product), list[str]()
    product.faults.update(delays={"billingInfo": 5})
    run(asking, lambda row: told.append(row.key))
    assert told[-1] == "billing"
    assert len(told) == len(empty_rows())


def test_secret_manager_not_enabled(product: Product) -> None:
    rows = checked(product, disabled_apis=["secretmanager.googleapis.com"])
    assert other_than_ok(rows) == {"apis": MISSING, "secret-manager": MISSING}
    assert blockers(rows.values(), Work.IMPORT) == []


def test_every_row_is_seen_in_every_state() -> None:
    """The two tables above, and the tests of single rows, leave no row out."""
    single = {"runtime/account", "runtime/reading", "secret-manager", "imports/account"}
    missing = {key for keys, _ in ONE_MISSING for key in keys.split()} | single
    unknown = set[str]().union(*(keys for keys, _ in UNKNOWN_ROWS))
    everything = {row.key for row in empty_rows()}
    assert (missing, unknown) == (everything, everything)


def test_a_project_without_a_billing_account(product: Product) -> None:
    asking = context(product)
    info: dict[str, Any] = {"project_billing_info": {"billing_account_name": ""}}
    name = f"projects/{PROJECT}"
    before = product.clients.billing.get_project_billing_info(name=name).billing_account_name
    product.clients.billing.update_project_billing_info(request={"name": name, **info})
    found: dict[str, Row] = {}
    run(asking, lambda row: found.update({row.key: row}))
    info["project_billing_info"]["billing_account_name"] = before
    product.clients.billing.update_project_billing_info(request={"name": name, **info})
    assert found["billing"].state is MISSING
    assert found["billing"].answer.text == "The project has no billing account."


def test_a_disabled_runtime_account(product: Product) -> None:
    account = projects.get(product.clients, PROJECT).default_service_account
    path = f"/v1/projects/{PROJECT}/serviceAccounts/{account}"
    call(product.clients, "POST", "iam.googleapis.com", f"{path}:disable")
    row = checked(product)["runtime/account"]
    assert (row.state, row.answer.text) == (MISSING, f"{account} is disabled.")
    assert row.answer.fix
    assert row.answer.fix.command.startswith(f"gcloud iam service-accounts enable {account}")
    remedies.carry_out(context(product), row.answer.fix.action)
    assert checked(product)["runtime/account"].state is OK


IMPORTS = "llm-manager-import@{}.iam.gserviceaccount.com"


def test_a_disabled_account_of_import_jobs(product: Product) -> None:
    account = IMPORTS.format(PROJECT)
    path = f"/v1/projects/{PROJECT}/serviceAccounts/{account}"
    call(product.clients, "POST", "iam.googleapis.com", f"{path}:disable")
    row = checked(product)["imports/account"]
    assert (row.state, row.answer.text) == (MISSING, f"{account} is disabled.")
    assert row.answer.blocks == {Work.IMPORT}
    assert row.answer.fix
    remedies.carry_out(context(product), row.answer.fix.action)
    assert checked(product)["imports/account"].answer.text == f"{account}."


def in_another_project(product: Product, **faults: Any) -> dict[str, Row]:
    asking = Context(product.clients, projects.get(product.clients, "demo-project"))
    product.faults.update(**faults)
    rows: dict[str, Row] = {}
    run(asking, lambda row: rows.update({row.key: row}))
    return rows


def test_the_account_of_import_jobs_is_made_by_the_first_import(product: Product) -> None:
    email = IMPORTS.format("demo-project")
    rows = in_another_project(product)
    assert rows["imports/account"].answer.text == (
        f"{email} is created when the first import starts."
    )
    assert rows["imports/act-as"].state is OK
    rows = in_another_project(product, denied_permissions=["iam.serviceAccounts.create"])
    row = rows["imports/account"]
    assert row.state is MISSING
    assert row.answer.fix
    create = "gcloud iam service-accounts create llm-manager-import --project=demo-project "
    assert row.answer.fix.command.startswith(create)
    assert row in blockers(rows.values(), Work.IMPORT)
    rows = in_another_project(product, denied_permissions=["iam.serviceAccounts.actAs"])
    row = rows["imports/act-as"]
    assert row.state is MISSING
    assert row.answer.fix
    made, granted = row.answer.fix.command.splitlines()
    assert made.startswith(create)
    assert granted == (
        f"gcloud iam service-accounts add-iam-policy-binding {email} --project=demo-project "
        f"--member={MANAGER} --role=roles/iam.serviceAccountUser"
    )


def test_an_account_of_the_settings_that_is_not_there(product: Product) -> None:
    named = "other@nowhere.iam.gserviceaccount.com"
    settings = replace(product.settings, import_account=named)
    clients = Clients(settings, product.clients.credentials)
    answer = import_account.ask_account(Context(clients, projects.get(clients, PROJECT)))
    row = answer[import_account.ACCOUNT.key]
    assert row.state is MISSING
    assert "LLM_WIDGETS_IMPORT_ACCOUNT" in row.text


def test_imports_on_this_machine_read_the_token_by_the_identity_itself(product: Product) -> None:
    clients = Clients(replace(product.settings, image=""), product.clients.credentials)
    here = Context(clients, projects.get(clients, PROJECT))
    assert all(
        answer.text.startswith("Not needed: imports run on this machine")
        for ask in (import_account.ask_account, import_account.ask_act_as)
        for answer in ask(here).values()
    )
    product.faults.update(denied_permissions=["secretmanager.versions.access"])
    assert checked(product)["permissions/secrets"].state is OK
    product.faults.update(denied_permissions=["secretmanager.versions.access"])
    assert ask_project(here)["permissions/secrets"].state is MISSING


def test_permissions_that_can_not_be_tested_here_are_told_apart(product: Product) -> None:
    """More than a call takes, with one among them that spoils its call."""
    wanted = [
        *(name for group in GROUPS for name in group.permissions),
        *(f"run.services.{verb}" for verb in ("create", "get")),
        "resourcemanager.projects.create",
    ]
    many = [*wanted, *(f"storage.objects.{number}" for number in range(100))]
    tested = permissions.on_project(product.clients, PROJECT, many)
    assert "resourcemanager.projects.create" in tested.untestable
    assert set(wanted) - tested.untestable <= tested.granted


def test_no_account_to_run_as(product: Product) -> None:
    gone = {"match": "GET .*/serviceAccounts/", "status": 404}
    rows = checked(product, failures=[gone])
    assert rows["runtime/account"].state is MISSING
    assert rows["runtime/account"].answer.action_label == "Create"
    assert [row.key for row in blockers(rows.values(), Work.DEPLOY)] == ["runtime/account"]


def test_blockers_are_told_by_what_is_wanted(product: Product) -> None:
    rows = checked(
        product, denied_permissions=["run.services.create", "storage.objects.create", "logging.*"]
    )
    assert [row.key for row in blockers(rows.values(), Work.DEPLOY)] == ["permissions/run"]
    assert [row.key for row in blockers(rows.values(), Work.IMPORT)] == ["permissions/buckets"]


def test_what_costs_a_part_of_the_page_only_blocks_nothing(product: Product) -> None:
    denied = ["run.services.setIamPolicy", "run.jobs.delete", "storage.buckets.create"]
    rows = checked(product, denied_permissions=denied)
    keys = {"permissions/run", "permissions/jobs", "permissions/storage"}
    assert other_than_ok(rows) == dict.fromkeys(keys, MISSING)
    assert [blockers(rows.values(), work) for work in Work] == [[], []]


def test_the_first_import_needs_to_create_a_bucket(product: Product) -> None:
    rows = in_another_project(product, denied_permissions=["storage.buckets.create"])
    found = [row.key for row in blockers(rows.values(), Work.IMPORT)]
    assert found == ["permissions/buckets"]


def test_apis_are_enabled_with_one_click(product: Product) -> None:
    off = ["run.googleapis.com", "secretmanager.googleapis.com"]
    for api in off:
        product.clients.service_usage.disable_service(
            request={"name": f"projects/{PROJECT}/services/{api}"}
        ).result(timeout=60)
    row = checked(product)["apis"]
    assert row.answer.text == "Not enabled: Cloud Run, Secret Manager."
    assert row.answer.action_label == "Enable all 2"
    assert row.answer.fix
    done = remedies.carry_out(context(product), row.answer.fix.action)
    assert done == f"Enabled in {PROJECT}: Cloud Run, Secret Manager."
    assert checked(product)["apis"].state is OK


def test_enabling_denied_is_told(product: Product) -> None:
    asking = context(product)
    product.faults.update(denied_permissions=["serviceusage.services.enable"])
    with pytest.raises(DeniedError, match="Can't enable Cloud Run in local-project"):
        remedies.carry_out(asking, "enable-api:run.googleapis.com")


@pytest.fixture
def roles(product: Product) -> Iterator[Any]:
    """Yield ``roles(*names)``: from then on the manager has these on the project, and no others."""
    account = projects.get(product.clients, PROJECT).default_service_account
    project = policy.of_project(PROJECT)
    policy.grant(product.clients, project, ["roles/owner"], f"serviceAccount:{account}")
    # Owners may change policies, and may not make tokens of other accounts.
    resource = policy.of_service_account(account, project=PROJECT)
    policy.grant(product.clients, resource, ["roles/iam.serviceAccountTokenCreator"], MANAGER)
    admin = Clients(product.settings, Credentials(_token(product, account)))

    before = project.read(admin)["bindings"]

    def put(bindings: list[dict[str, Any]]) -> None:
        project.write(admin, {**project.read(admin), "bindings": bindings})

    owner = {"role": "roles/owner", "members": [f"serviceAccount:{account}"]}
    yield lambda *names: put([owner, *({"role": name, "members": [MANAGER]} for name in names)])
    put(before)


def _token(product: Product, account: str) -> str:
    path = f"/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
    answer = call(
        product.clients, "POST", "iamcredentials.googleapis.com", path, {"scope": [SCOPE]}
    )
    return str(answer["accessToken"])


def test_a_missing_role_is_granted_with_one_click(product: Product, roles: Any) -> None:
    roles("roles/viewer", "roles/run.viewer", "roles/resourcemanager.projectIamAdmin")
    row = checked(product)["permissions/run"]
    assert row.state is MISSING
    assert row.answer.fix
    assert row.answer.fix.text == f"Grant roles/run.admin to {MANAGER}."
    assert remedies.carry_out(context(product), row.answer.fix.action).startswith("Granted")
    assert checked(product)["permissions/run"].state is OK


def test_the_role_that_keeps_tokens_is_defined_and_granted_with_one_click(
    product: Product, roles: Any
) -> None:
    roles("roles/viewer", "roles/resourcemanager.projectIamAdmin", "roles/iam.roleAdmin")
    row = checked(product)["permissions/secrets"]
    assert row.state is MISSING
    assert row.answer.fix
    defined, granted = row.answer.fix.command.splitlines()
    assert defined.startswith(f"gcloud iam roles create llmManagerTokens --project={PROJECT} ")
    assert granted.endswith(f" --role=projects/{PROJECT}/roles/llmManagerTokens")
    for _ in range(2):  # what is defined and granted already is no failure
        remedies.carry_out(context(product), row.answer.fix.action)
    assert checked(product)["permissions/secrets"].state is OK
    tested = permissions.on_project(product.clients, PROJECT, [secrets.ACCESS])
    assert tested.missing == {secrets.ACCESS}


def test_who_may_not_grant_is_told_whom_to_ask(product: Product, roles: Any) -> None:
    roles("roles/viewer")
    answer = checked(product)["permissions/run"].answer
    assert answer.fix
    assert (answer.fix.action, answer.action_label) == ("", "")
    assert answer.fix.text == f"Ask an administrator to grant roles/run.admin to {MANAGER}."
    assert answer.fix.command == (
        f"gcloud projects add-iam-policy-binding {PROJECT} --member={MANAGER} "
        "--role=roles/run.admin"
    )


def test_all_buckets_that_lack_something_are_opened_at_once(product: Product) -> None:
    names = sorted([BUCKET, "second-models"])
    buckets.create_bucket(product.clients, PROJECT, "second-models", REGION)
    fix = checked(product, denied_permissions=["storage.objects.create"])[
        "permissions/buckets"
    ].answer.fix
    assert fix
    words = "gcloud storage buckets add-iam-policy-binding gs://"
    assert [line.partition(" --")[0] for line in fix.command.splitlines()] == [
        f"{words}{name}" for name in names
    ]
    product.faults.reset()
    remedies.carry_out(context(product), fix.action)
    assert checked(product)["permissions/buckets"].answer.text == (
        f"All permissions granted on {', '.join(names)}."
    )
    for name in names:
        held = policy.roles_of(product.clients, policy.of_bucket(name), MANAGER)
        assert "roles/storage.objectUser" in held
    product.clients.storage(PROJECT).bucket("second-models").delete(force=True)


def test_a_grant_that_has_no_effect_yet_is_not_offered_again(product: Product, roles: Any) -> None:
    roles("roles/viewer", "roles/run.viewer", "roles/resourcemanager.projectIamAdmin")
    fix = checked(product)["permissions/run"].answer.fix
    assert fix
    product.faults.update(grant_seconds=600)
    remedies.carry_out(context(product), fix.action)
    answer = checked(product)["permissions/run"].answer
    assert answer.state is MISSING
    assert answer.fix
    assert answer.fix.text.startswith("Granted ")
    assert "2 to 7 minutes" in answer.fix.text
    assert (answer.fix.action, answer.fix.command, answer.action_label) == ("", "", "")
    # What was not granted is still offered.
    others = [row.answer.fix for row in checked(product).values() if row.answer.fix]
    assert any(each.action.startswith("grant:project:") for each in others)
    product.faults.reset()
    assert checked(product)["permissions/run"].state is OK


def test_a_grant_is_waited_for(product: Product) -> None:
    product.faults.update(denied_permissions=["run.services.create"])
    threading.Timer(2.0, product.faults.reset).start()
    told: list[CheckState] = []

    def tell(row: Row) -> None:
        if row.key == "permissions/run":
            told.append(row.state)

    assert wait_until_ok(lambda: context(product), "permissions/run", tell)
    assert (told[0], told[-1]) == (MISSING, OK)


def test_the_runtime_account_is_created_used_and_opened(product: Product, roles: Any) -> None:
    row = checked(product)["runtime/account"]
    assert "the default account" in row.answer.text
    assert row.answer.fix
    remedies.carry_out(context(product), row.answer.fix.action)
    rows = checked(product)
    own = f"llm-runtime@{PROJECT}.iam.gserviceaccount.com"
    assert rows["runtime/account"].answer.text == f"{own}, created for this."
    assert rows["runtime/reading"].state is MISSING
    assert rows["runtime/reading"].answer.fix
    remedies.carry_out(context(product), rows["runtime/reading"].answer.fix.action)
    assert checked(product)["runtime/reading"].state is OK

    roles("roles/viewer", "roles/iam.serviceAccountAdmin")
    row = checked(product)["runtime/act-as"]
    assert row.state is MISSING
    assert row.answer.fix
    assert row.answer.fix.action == f"grant:account:{own}:roles/iam.serviceAccountUser"
    remedies.carry_out(context(product), row.answer.fix.action)
    assert checked(product)["runtime/act-as"].state is OK


def test_credentials_that_are_refused_are_told_in_every_row(product: Product) -> None:
    asking = context(product)
    product.faults.update(failures=[{"match": "^(?!.*_local)", "status": 401}])
    found: dict[str, Row] = {}
    run(asking, lambda row: found.update({row.key: row}))
    assert {row.state for row in found.values()} == {UNKNOWN}
    assert {row.answer.text for row in found.values()} == {
        "Google Cloud does not accept the credentials, or no longer does."
    }
