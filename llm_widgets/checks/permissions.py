"""Which permissions the identity has on the project and on its buckets of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.cloud import grants, links, permissions
from llm_widgets.cloud.parallel import outcomes
from llm_widgets.domain.checklist import Answer, CheckState, Subject, Work

if TYPE_CHECKING:
    from llm_widgets.checks.context import Context
    from llm_widgets.cloud.permissions import Tested
    from llm_widgets.errors import Fix

JOBS = "permissions/jobs"
SET_POLICY = "resourcemanager.projects.setIamPolicy"
_NOTHING: frozenset[Work] = frozenset()
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
    blocks: frozenset[Work] = _NOTHING


def _all(kind: str, verbs: str) -> tuple[str, ...]:
    return tuple(f"{kind}.{verb}" for verb in verbs.split())


# Names of Google's IAM reference.
GROUPS: tuple[Group, ...] = (
    Group(
        Subject("permissions/run", "Cloud Run services", "Deploy, watch, change and delete them."),
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
        Subject(JOBS, "Cloud Run jobs", "Imports run as jobs."),
        (
            *_all("run.jobs", "create get update run runWithOverrides delete"),
            *_all("run.executions", "get list cancel"),
            "run.tasks.list",
        ),
        _all("run.jobs", "create get run runWithOverrides"),
        _IMPORT,
    ),
    Group(
        Subject("permissions/storage", "Cloud Storage", "Find buckets of models, create new ones."),
        _all("storage.buckets", "create list"),
        ("storage.buckets.list",),
        _IMPORT,
    ),
    Group(
        Subject(
            "permissions/iam",
            "IAM",
            "See and create service accounts, see who has which role.",
        ),
        (
            *_all("iam.serviceAccounts", "get list create"),
            *_all("resourcemanager.projects", "get getIamPolicy"),
        ),
    ),
    Group(
        Subject("permissions/secrets", "Secrets", "Keep tokens of hubs in Secret Manager."),
        (
            *_all("secretmanager.secrets", "create list setIamPolicy delete"),
            *_all("secretmanager.versions", "add access"),
        ),
    ),
    Group(
        Subject("permissions/logs", "Logs and metrics", "Show why a service does not come up."),
        ("logging.logEntries.list", "monitoring.timeSeries.list"),
    ),
    Group(
        Subject("permissions/quotas", "Quotas and APIs", "See limits, ask for more, enable APIs."),
        (
            *_all("cloudquotas.quotas", "get update"),
            *_all("serviceusage.services", "list enable"),
        ),
    ),
    Group(
        Subject("permissions/network", "Networks", "Use subnets and connectors for fast reads."),
        (
            "compute.networks.list",
            *_all("compute.subnetworks", "list get use setPrivateIpGoogleAccess"),
            *_all("vpcaccess.connectors", "list get create"),
        ),
    ),
)

PROJECT_SUBJECTS = tuple(group.subject for group in GROUPS)

BUCKETS = Subject(
    "permissions/buckets",
    "Buckets of models",
    "Write models into them, read them, open them to services.",
)
_ON_BUCKETS = (
    *_all("storage.buckets", "get getIamPolicy setIamPolicy"),
    *_all("storage.objects", "create get list delete"),
)
_FOR_IMPORTS = ("storage.buckets.get", *_all("storage.objects", "create get list"))


def ask_project(context: Context) -> dict[str, Answer]:
    """Test all groups in one call: Google tests up to a hundred permissions at once."""
    wanted = [permission for group in GROUPS for permission in group.permissions]
    tested = permissions.on_project(context.clients, context.project_id, [*wanted, SET_POLICY])
    return {
        group.subject.key: judged(
            context,
            tested,
            group.permissions,
            vital=group.vital,
            blocks=_here(context, group),
            may_grant=SET_POLICY in tested.granted,
        )
        for group in GROUPS
    }


def ask_buckets(context: Context) -> dict[str, Answer]:
    """Test each bucket of models; while there is none, the project that will have one."""
    names = [bucket.name for bucket in context.model_buckets()]
    if not names:
        # The first import creates the bucket.
        needed = ("storage.buckets.create", *_ON_BUCKETS)
        tested = permissions.on_project(context.clients, context.project_id, [*needed, SET_POLICY])
        answer = judged(
            context,
            tested,
            needed,
            vital=("storage.buckets.create", *_FOR_IMPORTS),
            blocks=_IMPORT,
            may_grant=SET_POLICY in tested.granted,
            fine="There is none yet; everything needed is granted on the project.",
        )
        return {BUCKETS.key: answer}
    found = outcomes(
        lambda name: permissions.on_bucket(
            context.clients, name, _ON_BUCKETS, project=context.project_id
        ),
        names,
    )
    failed = next((each for each in found if each.error), None)
    if failed and failed.error:
        raise failed.error
    short = [(each.key, each.value) for each in found if each.value and each.value.missing]
    if not short:
        return {BUCKETS.key: Answer(CheckState.OK, f"Everything needed on {_listed(names)}.")}
    name, tested = short[0]
    answer = judged(
        context,
        tested,
        _ON_BUCKETS,
        vital=_FOR_IMPORTS,
        blocks=_IMPORT if len(short) == len(names) else _NOTHING,
        may_grant="storage.buckets.setIamPolicy" in tested.granted,
        bucket=name,
    )
    return {BUCKETS.key: answer}


def judged(
    context: Context,
    tested: Tested,
    needed: tuple[str, ...],
    *,
    vital: tuple[str, ...],
    blocks: frozenset[Work],
    may_grant: bool,
    bucket: str = "",
    account: str = "",
    fine: str = "",
) -> Answer:
    """Turn the result of a test into an answer with the grant that helps.

    Parameters
    ----------
    vital, blocks
        See :class:`Group`.
    may_grant
        Whether the identity can change the policy, and so help itself with one click.
    bucket, account
        What was tested, if not the project.
    fine
        What to say when nothing is missing.
    """
    missing = [permission for permission in needed if permission in tested.missing]
    untestable = [permission for permission in needed if permission in tested.untestable]
    if len(untestable) == len(needed):
        return Answer(CheckState.UNKNOWN, "Google can't test these permissions here.")
    aside = f"Not to be tested here: {', '.join(untestable)}." if untestable else ""
    if not missing:
        return Answer(CheckState.OK, fine or _all_granted(len(needed)), detail=aside)
    on = f" on {bucket or account}" if bucket or account else ""
    text = (
        f"{len(missing)} of {len(needed)} permissions are missing{on}."
        if len(needed) > 1
        else f"The permission is missing{on}."
    )
    detail = "\n".join(part for part in (", ".join(missing), aside) if part)
    fix = _grant(context, missing, bucket=bucket, account=account, may_grant=may_grant)
    label = "Grant" if fix.action else ""
    stops = blocks if tested.missing.intersection(vital) else _NOTHING
    return Answer(CheckState.MISSING, text, detail, fix, label, stops)


def _here(context: Context, group: Group) -> frozenset[Work]:
    """Without an image of the product, imports run on this machine and need no jobs."""
    needs_no_jobs = group.subject.key == JOBS and not context.clients.settings.image
    return _NOTHING if needs_no_jobs else group.blocks


def _grant(
    context: Context, missing: list[str], *, bucket: str, account: str, may_grant: bool
) -> Fix:
    member, project = context.member, context.project_id
    roles = grants.least_roles(missing)
    text = f"Grant {' and '.join(roles)} to {member or 'this identity'}."
    if not may_grant:
        text = f"Ask an administrator to grant {' and '.join(roles)} to {member or 'you'}."
    kind = "bucket" if bucket else "account" if account else "project"
    page = (
        links.bucket(bucket, project)
        if bucket
        else links.service_accounts(project)
        if account
        else links.iam(project)
    )
    return context.fix(
        text,
        command=grants.commands(roles, member, project=project, bucket=bucket, account=account),
        url=page,
        action=f"grant:{kind}:{bucket or account or project}:{','.join(roles)}"
        if may_grant and member
        else "",
    )


def _all_granted(count: int) -> str:
    return "Both permissions are granted." if count == 2 else f"All {count} are granted."  # noqa: PLR2004 - a word for two


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"all {len(names)} buckets"
