"""What policies come to, against what the local cloud then lets an account do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from google.api_core.exceptions import Forbidden
from google.oauth2.credentials import Credentials

from llm_widgets.checks import runtime
from llm_widgets.checks.context import Context
from llm_widgets.domain.checklist import CheckState
from llm_widgets.errors import DeniedError
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.client.rest import call
from llm_widgets.gcp.iam import effective_access, policy
from llm_widgets.gcp.iam.effective_access import Access, Known, Verdict
from llm_widgets.gcp.project import projects
from llm_widgets.gcp.storage import buckets
from llm_widgets.manager import bucket_access
from tests.contract.product import MANAGER, PROJECT, REGION, Product, running
from tests.unit.codec_cases import ollama

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "judged-models"
OBJECT = "models/weights.bin"
DEEP = f"projects/_/buckets/{BUCKET}/objects/"
ME = f"serviceAccount:reader@{PROJECT}.iam.gserviceaccount.com"
OTHER = "user:somebody@example.com"
CUSTOM = f"projects/{PROJECT}/roles"
VIEWER, LISTS, GETS = (
    f"roles/storage.{name}" for name in ("objectViewer", "legacyBucketReader", "legacyObjectReader")
)
YES, NO, PERHAPS = Access.GRANTED, Access.MISSING, Access.UNKNOWN
LONG_AGO, FAR = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"

Binding = dict[str, Any]


def to(role: str, *members: str, given: str = "") -> Binding:
    condition = {"condition": {"title": "if", "expression": given}} if given else {}
    return {"role": role, "members": list(members), **condition}


def convenient(kind: str) -> list[Binding]:
    """Return the bindings that Cloud Storage makes with a bucket, for one basic role."""
    member = f"project{kind}:{PROJECT}"
    power = "Reader" if kind == "Viewer" else "Owner"
    return [to(f"roles/storage.legacy{of}{power}", member) for of in ("Bucket", "Object")]


@dataclass(frozen=True)
class Case:
    """Policies of the bucket and the project, and what they come to."""

    access: Access
    bucket: list[Binding]
    project: list[Binding]
    folder: str = ""


CASES = {
    "nothing": Case(NO, [], []),
    "reader on the bucket": Case(YES, [to(VIEWER, ME)], []),
    "reader on the project": Case(YES, [], [to(VIEWER, ME)]),
    "somebody else": Case(NO, [to(VIEWER, OTHER)], [to(VIEWER, OTHER)]),
    "writer only": Case(NO, [to("roles/storage.objectCreator", ME)], []),
    "user of objects": Case(YES, [to("roles/storage.objectUser", ME)], []),
    "admin on the project": Case(YES, [], [to("roles/storage.admin", ME)]),
    "lists only": Case(NO, [to(LISTS, ME)], []),
    "gets only": Case(NO, [to(GETS, ME)], []),
    "lists and gets": Case(YES, [to(LISTS, ME), to(GETS, ME)], []),
    "lists here and gets there": Case(YES, [to(LISTS, ME)], [to(f"{CUSTOM}/getter", ME)]),
    "a newcomer's editor": Case(YES, convenient("Editor"), [to("roles/editor", ME)]),
    "an owner": Case(YES, convenient("Owner"), [to("roles/owner", ME)]),
    "a viewer": Case(YES, convenient("Viewer"), [to("roles/viewer", ME)]),
    "an editor without bindings": Case(NO, [], [to("roles/editor", ME)]),
    "an owner without bindings": Case(NO, [], [to("roles/owner", ME)]),
    "a viewer among editors": Case(NO, convenient("Editor"), [to("roles/viewer", ME)]),
    "nobody has the basic role": Case(NO, convenient("Editor"), [to("roles/editor", OTHER)]),
    "a basic role of a group": Case(
        PERHAPS, convenient("Editor"), [to("roles/editor", "group:all@example.com")]
    ),
    "everybody": Case(YES, [to(VIEWER, "allUsers")], []),
    "everybody who signs in": Case(YES, [to(VIEWER, "allAuthenticatedUsers")], []),
    "a group": Case(PERHAPS, [to(VIEWER, "group:all@example.com")], []),
    "a group and oneself": Case(YES, [to(VIEWER, "group:all@example.com", ME)], []),
    "a group that may do something else": Case(
        NO, [to("roles/storage.objectCreator", "group:all@example.com")], []
    ),
    "a domain": Case(PERHAPS, [], [to(VIEWER, "domain:example.com")]),
    "a set of principals": Case(
        PERHAPS,
        [
            to(
                VIEWER,
                "principalSet://cloudresourcemanager.googleapis.com/projects/1/type/ServiceAccount",
            )
        ],
        [],
    ),
    "an account that was deleted": Case(NO, [to(VIEWER, f"deleted:{ME}?uid=123")], []),
    "expired": Case(NO, [to(VIEWER, ME, given=f'request.time < timestamp("{LONG_AGO}")')], []),
    "not expired": Case(YES, [to(VIEWER, ME, given=f"request.time < timestamp('{FAR}')")], []),
    "not yet": Case(NO, [], [to(VIEWER, ME, given=f'request.time >= timestamp("{FAR}")')]),
    "this bucket": Case(
        YES,
        [],
        [to(VIEWER, ME, given=f'resource.name.startsWith("projects/_/buckets/{BUCKET}")')],
    ),
    "another bucket": Case(
        NO, [], [to(VIEWER, ME, given='resource.name.startsWith("projects/_/buckets/other")')]
    ),
    "objects only, which none can list": Case(
        NO, [to(VIEWER, ME, given=f'resource.name.startsWith("{DEEP}")')], []
    ),
    "a folder of objects, and the list": Case(
        YES,
        [to(LISTS, ME), to(GETS, ME, given=f'resource.name.startsWith("{DEEP}models/")')],
        [],
        folder="models",
    ),
    "another folder of objects, and the list": Case(
        NO,
        [to(LISTS, ME), to(GETS, ME, given=f'resource.name.startsWith("{DEEP}others/")')],
        [],
        folder="models",
    ),
    "some objects of all": Case(
        PERHAPS,
        [to(LISTS, ME), to(GETS, ME, given=f'resource.name.startsWith("{DEEP}models/")')],
        [],
    ),
    "by the type": Case(
        YES,
        [
            to(
                VIEWER,
                ME,
                given='resource.type == "storage.googleapis.com/Bucket" || '
                '(resource.type == "storage.googleapis.com/Object" && '
                f'!(request.time > timestamp("{FAR}")))',
            )
        ],
        [],
    ),
    "a condition of another kind": Case(
        PERHAPS, [to(VIEWER, ME, given="request.time.getHours('Europe/Berlin') < 25")], []
    ),
    "a condition on the role of another": Case(
        NO, [to(VIEWER, OTHER, given="request.time.getHours('Europe/Berlin') < 25")], []
    ),
    "an expired one and a lasting one": Case(
        YES,
        [to(VIEWER, ME, given=f'request.time < timestamp("{LONG_AGO}")')],
        [to(VIEWER, ME)],
    ),
    "a custom role that reads": Case(YES, [], [to(f"{CUSTOM}/reader", ME)]),
    "a custom role that does not": Case(NO, [], [to(f"{CUSTOM}/other", ME)]),
    "a predefined role that is no common one": Case(YES, [], [to("roles/run.serviceAgent", ME)]),
    "a predefined role of another service": Case(NO, [], [to("roles/run.admin", ME)]),
}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for product in running(tmp_path_factory.mktemp("judged"), environment):
            buckets.create_bucket(product.clients, PROJECT, BUCKET, REGION)
            bucket = product.clients.storage().get_bucket(BUCKET)
            bucket.iam_configuration.public_access_prevention = "inherited"
            bucket.patch()
            bucket.blob(OBJECT).upload_from_string(b"weights")
            path = f"/v1/projects/{PROJECT}/serviceAccounts"
            call(product.clients, "POST", "iam.googleapis.com", path, {"accountId": "reader"})
            account = policy.of_service_account(ME.partition(":")[2], project=PROJECT)
            policy.grant(
                product.clients, account, ["roles/iam.serviceAccountTokenCreator"], MANAGER
            )
            for name, held in {
                "reader": ["storage.objects.get", "storage.objects.list"],
                "getter": ["storage.objects.get"],
                "other": ["run.services.get"],
            }.items():
                body = {"roleId": name, "role": {"includedPermissions": held}}
                path = f"/v1/projects/{PROJECT}/roles"
                call(product.clients, "POST", "iam.googleapis.com", path, body)
            yield product


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    """A product whose policies are put back after each test."""
    places = [policy.of_project(PROJECT), policy.of_bucket(BUCKET)]
    before = [policy.bindings(started.clients, place) for place in places]
    yield started
    started.faults.reset()
    for place, bindings in zip(places, before, strict=True):
        put(started, place, bindings)


@pytest.fixture(scope="module")
def reader(started: Product) -> Clients:
    """What the account calls Google with."""
    path = f"/v1/projects/-/serviceAccounts/{ME.partition(':')[2]}:generateAccessToken"
    scope = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
    answer = call(started.clients, "POST", "iamcredentials.googleapis.com", path, scope)
    return Clients(started.settings, Credentials(str(answer["accessToken"])))


def put(product: Product, place: policy.Resource, bindings: list[Binding]) -> None:
    def all_anew(document: dict[str, Any]) -> bool:
        document["bindings"] = bindings
        return True

    policy.change(product.clients, place, "set a policy", all_anew)


def arrange(product: Product, case: Case) -> None:
    # The manager looks at the policies by a role that others can't mistake for theirs.
    on_project = policy.bindings(product.clients, policy.of_project(PROJECT))
    kept = [each for each in on_project if MANAGER in each["members"]]
    own = [{**each, "members": [MANAGER]} for each in kept]
    put(product, policy.of_project(PROJECT), [*own, *case.project])
    admin = to("roles/storage.admin", MANAGER)
    put(product, policy.of_bucket(BUCKET), [admin, *case.bucket])


def judged(product: Product, *, folder: str = "") -> Verdict:
    known = Known(product.clients, PROJECT)
    return effective_access.reading(known, BUCKET, ME, folder=folder)


def really_reads(reader: Clients) -> bool:
    bucket = reader.storage().bucket(BUCKET)
    try:
        return bool(list(bucket.list_blobs())) and bucket.blob(OBJECT).download_as_bytes() != b""
    except Forbidden:
        return False


@pytest.mark.parametrize("name", CASES)
def test_what_is_told_is_what_the_account_may_do(
    product: Product, reader: Clients, name: str
) -> None:
    case = CASES[name]
    arrange(product, case)
    found = judged(product, folder=case.folder)
    assert found.access is case.access, found
    assert bool(found.reason) is (found.access is PERHAPS)
    if found.access is not PERHAPS:
        assert really_reads(reader) is (found.access is YES)


def test_who_may_not_look_at_the_project_is_told_that_it_depends(product: Product) -> None:
    arrange(product, CASES["a newcomer's editor"])
    product.faults.update(denied_permissions=["resourcemanager.projects.getIamPolicy"])
    found = judged(product)
    assert found.access is PERHAPS
    assert f"the policy of the project {PROJECT}, which can't be read" in found.reason
    assert found.error is None


def test_a_policy_of_the_bucket_that_may_not_be_read_is_no_access_lost(product: Product) -> None:
    arrange(product, CASES["reader on the project"])
    product.faults.update(denied_permissions=["storage.buckets.getIamPolicy"])
    assert judged(product).access is YES
    product.faults.reset()
    arrange(product, CASES["reader on the bucket"])
    product.faults.update(denied_permissions=["storage.buckets.getIamPolicy"])
    found = judged(product)
    assert found.access is PERHAPS
    assert isinstance(found.error, DeniedError)


def test_a_role_whose_permissions_may_not_be_read_is_a_doubt(product: Product) -> None:
    arrange(product, CASES["a custom role that reads"])
    product.faults.update(denied_permissions=["iam.roles.get"])
    found = judged(product)
    assert found.access is PERHAPS
    assert f"the role {CUSTOM}/reader, whose permissions can't be read" in found.reason


def test_the_first_deployment_in_a_fresh_project_raises_no_alarm(product: Product) -> None:
    """The default account has the Editor role, and no grant of its own on the bucket."""
    project = projects.get(product.clients, PROJECT)
    email = project.default_service_account
    wanted = ollama(project=PROJECT, region=REGION, bucket=BUCKET, service_account=email)
    assert bucket_access.reading(product.clients, wanted).access is YES
    before = policy.bindings(product.clients, policy.of_bucket(BUCKET))
    bucket_access.ensure(product.clients, wanted)
    assert policy.bindings(product.clients, policy.of_bucket(BUCKET)) == before
    row = runtime.ask_reading(Context(product.clients, project))[runtime.READING.key]
    assert (row.state, row.text) == (CheckState.OK, f"The account can read {BUCKET}.")


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("nothing", CheckState.MISSING),
        ("a group", CheckState.UNKNOWN),
        ("reader on the bucket", CheckState.OK),
    ],
)
def test_the_checklist_says_the_same(product: Product, name: str, state: CheckState) -> None:
    case = CASES[name]
    email = projects.get(product.clients, PROJECT).default_service_account
    mine = [
        {**each, "members": [m.replace(ME, f"serviceAccount:{email}") for m in each["members"]]}
        for each in case.bucket
    ]
    arrange(product, Case(case.access, mine, []))
    asked = Context(product.clients, projects.get(product.clients, PROJECT))
    answer = runtime.ask_reading(asked)[runtime.READING.key]
    assert answer.state is state
    if state is CheckState.UNKNOWN:
        assert "group:all@example.com" in answer.detail
        assert answer.action_label == "Grant"
