"""Refusals of Google's that a deployment meets are worded by the rules for all of its APIs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from llm_widgets.diagnosis import Context, Evidence, LogLine, Place, RemedyKind, diagnose
from llm_widgets.errors import DeniedError, Fix
from llm_widgets.gcp.refusals import reading, rules
from llm_widgets.gcp.refusals.doing import Doing
from tests.unit.failure_cases import VLLM

ME = "user:ada@example.com"
AGENT = "service-123456789@serverless-robot-prod.iam.gserviceaccount.com"
READER = "roles/artifactregistry.reader"
IMAGE = "europe-docker.pkg.dev/other-project/repo/vllm:1"


@dataclass(frozen=True)
class Case:
    """What Cloud Run says, and what is to be said and offered; ``never`` would be false."""

    id: str
    text: str
    says: tuple[str, ...]
    kind: RemedyKind
    does: dict[str, str] | None = None
    offers: str = ""
    never: tuple[str, ...] = ()


def grant(role: str, resource: str, member: str = ME) -> dict[str, str]:
    return {"role": role, "resource": resource, "member": member}


CASES = [
    Case(
        "rate",
        "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per "
        "region' of service 'run.googleapis.com' for consumer 'project_number:123456789'.",
        ("too often", "my-project"),
        RemedyKind.REDEPLOY,
        {},
        never=("request a higher quota",),
    ),
    Case(
        "acting as an account",
        "Permission 'iam.serviceaccounts.actAs' denied on service account "
        "123456789-compute@developer.gserviceaccount.com (or it may not exist).",
        ("ada@example.com", "123456789-compute@developer.gserviceaccount.com"),
        RemedyKind.GRANT,
        grant(
            "roles/iam.serviceAccountUser",
            "serviceAccounts/123456789-compute@developer.gserviceaccount.com",
        ),
    ),
    Case(
        "a permission of Cloud Run",
        "Permission 'run.services.setIamPolicy' denied on resource "
        "'namespaces/other-project/services/s' (or resource may not exist).",
        ("run.services.setIamPolicy",),
        RemedyKind.GRANT,
        grant("roles/run.admin", "projects/other-project"),
    ),
    Case(
        "a permission that nobody names",
        "The caller does not have permission",
        ("access is denied",),
        RemedyKind.OPEN_LINK,
        never=("lacks", "gcloud"),
    ),
    Case(
        "a key that Cloud Run may not use",
        f"Google Cloud Run Service Agent {AGENT} needs permission "
        "cloudkms.cryptoKeyVersions.useToEncrypt on key "
        "projects/keys-project/locations/europe/keyRings/r/cryptoKeys/k",
        ("the Cloud KMS key k can't be used",),
        RemedyKind.RUN_COMMAND,
        offers=f"--project=keys-project --member=serviceAccount:{AGENT}",
        never=("ada@example.com",),
    ),
    Case(
        "an API that is off",
        "Cloud Run Admin API has not been used in project 123456789 before or it is disabled. "
        "Enable it by visiting https://console.developers.google.com/apis/api/run.googleapis.com/"
        "overview?project=123456789 then retry.",
        ("run.googleapis.com", "my-project"),
        RemedyKind.ENABLE_API,
        {"api": "run.googleapis.com"},
    ),
    Case(
        "no billing",
        "This API method requires billing to be enabled. Please enable billing on project "
        "#123456789 by visiting https://console.developers.google.com/billing/enable",
        ("my-project", "billing"),
        RemedyKind.OPEN_LINK,
    ),
    Case(
        "an image that Cloud Run may not read",
        "Google Cloud Run Service Agent service-42@serverless-robot-prod.iam.gserviceaccount.com "
        "must have permission to read the image, gcr.io/slo-generator-ci/slo-generator:latest. "
        "Ensure that the provided container image URL is correct",
        ("gcr.io/slo-generator-ci/slo-generator:latest", "service agent"),
        RemedyKind.GRANT,
        grant(
            READER,
            "projects/slo-generator-ci",
            "serviceAccount:service-42@serverless-robot-prod.iam.gserviceaccount.com",
        ),
        never=("ada@example.com",),
    ),
    Case(
        "an image that Cloud Run may not read, without its address",
        f"Google Cloud Run Service Agent must have permission to read the image, {IMAGE}.",
        (IMAGE, AGENT),
        RemedyKind.GRANT,
        grant(READER, "projects/other-project", f"serviceAccount:{AGENT}"),
        never=("ada@example.com",),
    ),
    Case(
        "an image that the person may not read",
        f"User must have permission to read the image, {IMAGE}. Ensure that the provided container "
        "image URL is correct and that the above account has permission to access the image.",
        (IMAGE, "ada@example.com"),
        RemedyKind.GRANT,
        grant(READER, "projects/other-project"),
        never=("service agent", "serverless-robot"),
    ),
    Case(
        "an image that a named person may not read",
        f"User 'bob@example.com' must have permission to read the image, {IMAGE}.",
        (IMAGE, "bob@example.com"),
        RemedyKind.GRANT,
        grant(READER, "projects/other-project", "user:bob@example.com"),
        never=("ada@example.com", "service agent"),
    ),
    Case(
        "an image that nobody knows who may not read",
        "Permission 'artifactregistry.repositories.downloadArtifacts' denied on resource "
        "'projects/other-project/locations/europe/repositories/repo' (or it may not exist).",
        ("the deployer, or the service agent",),
        RemedyKind.OPEN_LINK,
        offers="other-project",
        never=("ada@example.com",),
    ),
    Case(
        "a service perimeter",
        "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: "
        "a1B2c3",
        ("service perimeter", "VPC Service Controls"),
        RemedyKind.OPEN_LINK,
        offers="a1B2c3",
        never=("lacks the permission",),
    ),
    Case(
        "a policy of the organization",
        "Constraint constraints/run.allowedVPCEgress violated for attempting CreateService with "
        'annotation "run.googleapis.com/vpc-access-egress" set to private-ranges-only.',
        ("constraints/run.allowedVPCEgress",),
        RemedyKind.RUN_COMMAND,
        offers="which requests go through it",
    ),
    Case(
        "a region that is not there",
        "Operation is not implemented, or supported, or enabled.",
        ("region",),
        RemedyKind.NONE,
        offers="another region",
        never=("in a minute",),
    ),
    Case(
        "a subnet of another project",
        "Required 'compute.subnetworks.use' permission for "
        "'projects/host-project/regions/us-central1/subnetworks/shared'",
        ("compute.subnetworks.use", "host-project"),
        RemedyKind.GRANT,
        grant("roles/compute.networkUser", "projects/host-project"),
        never=("my-project",),
    ),
    Case(
        "Binary Authorization",
        "Container image 'gcr.io/my-project/x' is not authorized by policy.",
        ("Binary Authorization",),
        RemedyKind.OPEN_LINK,
        never=("artifactregistry",),
    ),
    Case(
        "a key that is disabled",
        "Cloud KMS key projects/keys-project/locations/europe/keyRings/r/cryptoKeys/k is disabled.",
        ("the Cloud KMS key k is disabled",),
        RemedyKind.OPEN_LINK,
        offers="keys-project",
    ),
]


@pytest.mark.parametrize("place", [Place.OPERATION, Place.CONDITION])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_refusal_is_told_with_a_fix(case: Case, place: Place) -> None:
    is_operation = place is Place.OPERATION
    evidence = Evidence(
        operation=case.text if is_operation else "",
        conditions=() if is_operation else (case.text,),
        log=(LogLine("Container called exit(1)."),),
    )

    found = diagnose(evidence, VLLM)

    assert found is not None
    assert found.id == "refused"
    assert [part for part in case.says if part not in found.cause] == []
    assert found.proof is not None
    assert (found.proof.text, found.proof.place) == (case.text, place)
    first = found.remedies[0]
    assert first.kind is case.kind
    assert case.does is None or first.parameters == case.does
    assert case.offers in f"{first.text} {first.command} {first.url}"
    told = f"{found.cause} {first.text} {dict(first.parameters)} {first.command}"
    assert [part for part in case.never if part in told] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_words_are_those_of_all_refusals(case: Case) -> None:
    doing = Doing("deploy the service", project="my-project", number="123456789", caller=ME)
    worded = rules.special(reading.of_text(case.text), doing)

    found = diagnose(Evidence(operation=case.text), VLLM)

    assert worded is not None
    assert worded.fix is not None
    assert found is not None
    assert found.cause == worded.message
    assert worded.fix.text in {remedy.text for remedy in found.remedies}


@pytest.mark.parametrize(
    ("reason", "says", "kind"),
    [
        ("SERVICE_DISABLED", "an API is not enabled in the project my-project", "link"),
        ("BILLING_DISABLED", "has no active billing account", "link"),
        ("CONTAINER_PERMISSION_DENIED", f"to read the image {VLLM.image}", "none"),
        ("CONTAINER_IMAGE_UNAUTHORIZED", "Binary Authorization does not allow", "link"),
        ("CONTAINER_IMAGE_AUTHORIZATION_CHECK_FAILED", "Binary Authorization", "link"),
    ],
)
def test_a_reason_without_a_sentence(reason: str, says: str, kind: str) -> None:
    found = diagnose(Evidence(reasons=(reason,)), VLLM)

    assert found is not None
    assert says in found.cause
    assert found.remedies[0].kind == kind
    assert found.proof is not None
    assert (found.proof.text, found.proof.place) == (reason, Place.REASON)


def test_an_error_with_details_is_told_as_it_was_worded() -> None:
    error = DeniedError("Can't create it: x.", cause="Denied.", fix=Fix(text="Ask for it."))

    found = diagnose(Evidence(operation="Denied.", error=error), VLLM)

    assert found is not None
    assert (found.cause, found.remedies[0].text) == ("Can't create it: x.", "Ask for it.")


def test_nothing_is_named_that_is_not_known() -> None:
    for case in CASES:
        found = diagnose(Evidence(operation=case.text), Context())

        assert found is not None
        assert found.remedies
        told = [found.cause, *(f"{each.text} {each.command}" for each in found.remedies)]
        assert not [text for text in told if "None" in text or "  " in text or ME[5:] in text]


def test_a_sentence_counts_more_than_the_reason_beside_it() -> None:
    text = f"User must have permission to read the image, {IMAGE}."

    found = diagnose(Evidence(conditions=(text,), reasons=("CONTAINER_MISSING",)), VLLM)

    assert found is not None
    assert "ada@example.com" in found.cause


def test_a_service_account_that_deploys_is_granted_as_one() -> None:
    context = replace(VLLM, caller="serviceAccount:ci@my-project.iam.gserviceaccount.com")
    text = f"User must have permission to read the image, {IMAGE}."

    found = diagnose(Evidence(operation=text), context)

    assert found is not None
    assert found.remedies[0].parameters["member"] == context.caller
