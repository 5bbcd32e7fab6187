"""Which permissions the identity has on the project and on its buckets of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.checks.verdicts import NOTHING, judged, listed
from llm_widgets.domain.checklist import Answer, CheckState, Subject, Work
from llm_widgets.gcp import secrets
from llm_widgets.gcp.client.parallel import outcomes
from llm_widgets.gcp.iam import permissions
from llm_widgets.gcp.iam.account_roles import TOKENS
from llm_widgets.gcp.iam.permissions import Tested

if TYPE_CHECKING:
    from llm_widgets.checks.context import Context

JOBS = "permissions/jobs"
_IAM = "permissions/iam"
_SECRETS = "permissions/secrets"
SET_POLICY = "resourcemanager.projects.setIamPolicy"
_DEPLOY = frozenset({Work.DEPLOY})
_IMPORT = frozenset({Work.IMPORT})


@dataclass(frozen=True, slots=True)
class Group:
    """Permissions on the project as a person thinks of them.

    Attributes
    ----------
    vital
        Those without which ``blocks`` is sure to fail; the others cost a part of the page.
    """

    subject: Subject
    permissions: tuple[str, ...]
    vital: tuple[str, ...] = ()
    blocks: frozenset[Work] = NOTHING


def _all(kind: str, verbs: str) -> tuple[str, ...]:
    return tuple(f"{kind}.{verb}" for verb in verbs.split())


# Names of Google's IAM reference.
GROUPS: tuple[Group, ...] = (
    Group(
        Subject("permissions/run", "Cloud Run services", "Deploy, view, edit and delete services."),
        (
            *_all("run.services", "create get list update delete getIamPolicy setIamPolicy"),
            *_all("run.revisions", "get list"),
            "run.operations.get",
            "run.locations.list",
        ),
        ("run.services.create", "run.services.get", "run.operations.get"),
        _DEPLOY,
    ),
    Group(
        Subject(JOBS, "Cloud Run jobs", "Run imports as jobs."),
        (
            *_all("run.jobs", "create get update run runWithOverrides delete"),
            *_all("run.executions", "get list cancel"),
            "run.tasks.list",
        ),
        _all("run.jobs", "create get run runWithOverrides"),
        _IMPORT,
    ),
    Group(
        Subject("permissions/storage", "Cloud Storage", "List and create buckets."),
        _all("storage.buckets", "create list"),
        ("storage.buckets.list",),
        _IMPORT,
    ),
    Group(
        Subject(
            _IAM,
            "IAM",
            "View and create service accounts; view IAM policies.",
        ),
        (
            *_all("iam.serviceAccounts", "get list create"),
            *_all("resourcemanager.projects", "get getIamPolicy"),
        ),
    ),
    Group(
        Subject(_SECRETS, "Secrets", "Store hub tokens in Secret Manager for import jobs."),
        TOKENS.permissions,
    ),
    Group(
        Subject("permissions/logs", "Logs and metrics", "Show why a service fails to start."),
        ("logging.logEntries.list", "monitoring.timeSeries.list"),
    ),
    Group(
        Subject("permissions/quotas", "Quotas and APIs", "View and request quotas, enable APIs."),
        (
            *_all("cloudquotas.quotas", "get update"),
            *_all("serviceusage.services", "list enable"),
        ),
    ),
    Group(
        Subject("permissions/network", "Networks", "Use subnets and connectors."),
        (
            "compute.networks.list",
            *_all("compute.subnetworks", "list get use setPrivateIpGoogleAccess"),
            *_all("vpcaccess.connectors", "list get create"),
        ),
    ),
    Group(
        Subject("permissions/pauses", "Cloud Scheduler", "Pause services at a time."),
        _all("cloudscheduler.jobs", "create update delete"),
    ),
)

PROJECT_SUBJECTS = tuple(group.subject for group in GROUPS)

BUCKETS = Subject(
    "permissions/buckets",
    "Model buckets",
    "Write and read models, grant services access.",
)
BUCKETS_NEED = (
    *_all("storage.buckets", "get getIamPolicy setIamPolicy"),
    *_all("storage.objects", "create get list delete"),
)
_FOR_IMPORTS = ("storage.buckets.get", *_all("storage.objects", "create get list"))


def ask_project(context: Context) -> dict[str, Answer]:
    """Test all groups in one call: Google tests up to a hundred permissions at once."""
    needed = {group.subject.key: _needed(context, group) for group in GROUPS}
    wanted = [permission for some in needed.values() for permission in some]
    tested = permissions.on_project(context.clients, context.project_id, [*wanted, SET_POLICY])
    return {
        group.subject.key: judged(
            context,
            tested,
            needed[group.subject.key],
            vital=group.vital,
            blocks=_here(context, group),
            may_grant=SET_POLICY in tested.granted,
            fine=_who_grants(tested) if group.subject.key == _IAM else "",
        )
        for group in GROUPS
    }


def _who_grants(tested: Tested) -> str:
    if SET_POLICY in tested.granted:
        return "All granted, including setting the project's IAM policy."
    return "All granted, except setting IAM policies: an administrator has to grant roles."


def ask_buckets(context: Context) -> dict[str, Answer]:
    """Test each bucket of models; while there is none, whether one may be created."""
    names = [bucket.name for bucket in context.model_buckets()]
    if not names:
        # The first import creates the bucket. Owners and editors of the project reach into it by
        # the policy that Cloud Storage gives it, and hold none of the rest on the project itself:
        # what is missing on the project says nothing.
        needed = ("storage.buckets.create",)
        tested = permissions.on_project(context.clients, context.project_id, [*needed, SET_POLICY])
        answer = judged(
            context,
            tested,
            needed,
            vital=needed,
            blocks=_IMPORT,
            may_grant=SET_POLICY in tested.granted,
            fine="None yet. This identity can create one.",
        )
        return {BUCKETS.key: answer}
    found = outcomes(
        lambda name: permissions.on_bucket(
            context.clients, name, BUCKETS_NEED, project=context.project_id
        ),
        names,
    )
    failed = next((each for each in found if each.error), None)
    if failed and failed.error:
        raise failed.error
    short = [(each.key, each.value) for each in found if each.value and each.value.missing]
    if not short:
        return {BUCKETS.key: Answer(CheckState.OK, f"All permissions granted on {listed(names)}.")}
    answer = judged(
        context,
        _together([tested for _, tested in short]),
        BUCKETS_NEED,
        vital=_FOR_IMPORTS,
        blocks=_IMPORT if len(short) == len(names) else NOTHING,
        may_grant=all("storage.buckets.setIamPolicy" in tested.granted for _, tested in short),
        buckets=tuple(name for name, _ in short),
    )
    return {BUCKETS.key: answer}


def _together(tests: list[Tested]) -> Tested:
    """Return one result of several: missing is what is missing anywhere."""
    missing = frozenset[str]().union(*(tested.missing for tested in tests))
    untestable = frozenset[str]().union(*(tested.untestable for tested in tests))
    granted = frozenset[str]().union(*(tested.granted for tested in tests))
    return Tested(granted - missing, missing, untestable - missing)


def _needed(context: Context, group: Group) -> tuple[str, ...]:
    """Add what an import on this machine needs: its process reads the token by this identity."""
    if group.subject.key == _SECRETS and not context.clients.settings.image:
        return (*group.permissions, secrets.ACCESS)
    return group.permissions


def _here(context: Context, group: Group) -> frozenset[Work]:
    """Without an image of the product, imports run on this machine and need no jobs."""
    needs_no_jobs = group.subject.key == JOBS and not context.clients.settings.image
    return NOTHING if needs_no_jobs else group.blocks
