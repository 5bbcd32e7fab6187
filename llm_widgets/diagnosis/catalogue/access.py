"""Permissions that are lacking, and things of the project that are off or not there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis, links
from llm_widgets.domain.failures.known_failure import (
    Groups,
    KnownFailure,
    Rank,
    anywhere,
    reason,
    said,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context

_ACCOUNT = r"[\w.-]{1,100}@[\w.-]{1,150}[\w]"
_SECRET = r"projects/(?P<secret_project>[\w:.-]{1,60})/secrets/(?P<secret>[\w-]{1,255})"  # noqa: S105 - a pattern
_PROJECT = "{project}"


def _secret(groups: Groups, context: Context) -> Groups:
    """Commands take the project by its id, which the message does not have."""
    values = dict(groups)
    if "secret" in values and context.project:
        values["secret_name"] = f"projects/{context.project}/secrets/{values['secret']}"
    return values


def _run_role(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
    permission = groups["permission"]
    role = "roles/run.admin" if permission.endswith("IamPolicy") else "roles/run.developer"
    return {**groups, "role": role}


def _network(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
    """Return the last part of a resource name."""
    name = re.sub(r"^.*/", "", groups.get("name", ""))
    return {**groups, "name": name} if name else groups


def _grant(text: str, *, role: str, resource: str, member: str, command: str, url: str) -> Advice:
    return Advice(
        RemedyKind.GRANT,
        text,
        {"role": role, "resource": resource, "member": member},
        command=f"{command} --member={member} --role={role}",
        url=url,
    )


FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="act-as",
        rank=Rank.REFUSED,
        signs=(
            said(
                r"Permission 'iam\.serviceAccounts\.actAs' denied on service account "
                rf"(?P<account>{_ACCOUNT})"
            ),
            said(r"iam\.serviceAccounts\.actAs.{0,40}denied"),
        ),
        causes=(
            "You may not deploy services that run as {account}, or there is no such account.",
            "You may not deploy services that run as this service account, or there is none.",
        ),
        advice=(
            _grant(
                "Ask an administrator to grant roles/iam.serviceAccountUser on {account} to you.",
                role="roles/iam.serviceAccountUser",
                resource="serviceAccounts/{account}",
                member="{caller}",
                command="gcloud iam service-accounts add-iam-policy-binding {account} "
                "--project={project}",
                url=links.service_accounts(_PROJECT),
            ),
            Advice(RemedyKind.NONE, "Choose another service account for the service to run as."),
        ),
        source="google-github-actions/deploy-cloudrun#463",
    ),
    KnownFailure(
        id="run-permission",
        rank=Rank.REFUSED,
        signs=(said(r"Permission '(?P<permission>run\.[a-z]{1,30}\.[A-Za-z]{1,40})' denied"),),
        causes=("You lack the permission {permission}.",),
        advice=(
            _grant(
                "Ask an administrator to grant {role} to you.",
                role="{role}",
                resource="projects/{project}",
                member="{caller}",
                command="gcloud projects add-iam-policy-binding {project}",
                url=links.iam(_PROJECT),
            ),
        ),
        source="google-github-actions/deploy-cloudrun#427",
        derive=_run_role,
    ),
    KnownFailure(
        id="api-disabled",
        rank=Rank.REFUSED,
        signs=(
            said(
                r"has not been used in project \S{1,60} before or it is disabled.{0,300}?"
                r"/apis/(?:api|library)/(?P<api>[a-z0-9.-]{1,60}\.googleapis\.com)"
            ),
            said(r"has not been used in project \S{1,60} before or it is disabled"),
            reason("SERVICE_DISABLED", "API_DISABLED"),
        ),
        causes=(
            "The API {api} is not enabled in the project.",
            "An API that this takes is not enabled in the project.",
        ),
        advice=(
            Advice(
                RemedyKind.ENABLE_API,
                "Enable {api}; it takes a minute or two to take effect.",
                {"api": "{api}"},
                command="gcloud services enable {api} --project={project}",
                url=links.api("{api}", _PROJECT),
            ),
            Advice(
                RemedyKind.ENABLE_API,
                "Enable the Cloud Run API.",
                {"api": google_apis.RUN},
                command=f"gcloud services enable {google_apis.RUN} --project={{project}}",
                url=links.api(google_apis.RUN, _PROJECT),
                fallback=True,
            ),
        ),
        source="googlecodelabs/feedback#1399",
    ),
    KnownFailure(
        id="billing-disabled",
        rank=Rank.REFUSED,
        signs=(
            said(r"billing to be enabled"),
            said(r"billing account .{0,100}?(?:is disabled|closed|not found|absent)"),
            reason("BILLING_DISABLED"),
        ),
        causes=(
            "The project {project} has no active billing account.",
            "The project has no active billing account.",
        ),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "Link a billing account to the project.",
                url=links.billing(_PROJECT),
            ),
        ),
        source="Google APIs: BILLING_DISABLED of google.api.ErrorReason",
    ),
    KnownFailure(
        id="secret-access",
        rank=Rank.MISSING,
        signs=(
            anywhere(
                rf"Permission denied on secret: {_SECRET}/versions/[\w-]{{1,40}} for Revision "
                rf"service account (?P<account>{_ACCOUNT})"
            ),
            said(rf"Permission 'secretmanager\.versions\.access' denied.{{0,40}}?{_SECRET}"),
        ),
        causes=(
            "The service runs as {account}, which may not read the secret {secret}.",
            "The service account may not read the secret {secret}.",
        ),
        advice=(
            _grant(
                "Grant roles/secretmanager.secretAccessor on {secret} to the service account.",
                role="roles/secretmanager.secretAccessor",
                resource="{secret_name}",
                member="serviceAccount:{account}",
                command="gcloud secrets add-iam-policy-binding {secret} --project={project}",
                url=links.secret_policy("{secret}", _PROJECT),
            ),
        ),
        source="terraform-google-modules/terraform-docs-samples#168",
        derive=_secret,
    ),
    KnownFailure(
        id="secret-missing",
        rank=Rank.MISSING,
        signs=(
            anywhere(rf"Secret {_SECRET}(?:/versions/(?P<version>[\w-]{{1,40}}))? was not found"),
            anywhere(rf"Secret \[?{_SECRET}(?:/versions/[\w-]{{1,40}})?\]? not found"),
        ),
        causes=(
            "There is no secret {secret} with the version {version} in the project.",
            "There is no secret {secret} in the project.",
        ),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "Create the secret, or take its variable out of the service.",
                url=links.secrets(_PROJECT),
            ),
        ),
        source="Cloud Run API: SECRETS_ACCESS_CHECK_FAILED",
    ),
    KnownFailure(
        id="secret",
        rank=Rank.MISSING,
        signs=(reason("SECRETS_ACCESS_CHECK_FAILED"),),
        causes=("The service account may not read a secret of the service, or there is none.",),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "Grant roles/secretmanager.secretAccessor on the secret to the service account.",
                url=links.secrets(_PROJECT),
            ),
        ),
        source="Cloud Run API: Condition.CommonReason",
    ),
    KnownFailure(
        id="vpc",
        rank=Rank.MISSING,
        signs=(
            anywhere(
                r"VPC (?P<what>network|subnetwork|connector) '?(?P<name>[\w./:-]{1,200}?)'? does "
                r"not exist, or Cloud Run does not have permission to use it"
            ),
            reason("VPC_NETWORK_NOT_FOUND"),
        ),
        causes=(
            "There is no {what} {name} in the region of the service, or Cloud Run may not use it.",
            (
                "The network or subnet is not in the region of the service, or Cloud Run may not "
                "use it."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it without a network of its own: it reads the bucket over Google's public "
                "addresses then, which is slower.",
                {"network": "none"},
            ),
            Advice(RemedyKind.NONE, "Or choose a subnet of {region} on the General tab."),
            Advice(
                RemedyKind.NONE,
                "If the network is shared from another project, have roles/compute.networkUser "
                "granted to {agent} there.",
            ),
        ),
        source="Cloud Run API: VPC_NETWORK_NOT_FOUND of Condition.CommonReason",
        derive=_network,
    ),
    KnownFailure(
        id="subnet-full",
        rank=Rank.MISSING,
        signs=(
            anywhere(
                r"insufficient free IP addresses in the subnetwork (?P<name>[\w./:-]{1,200}[\w])"
            ),
        ),
        causes=("The subnet {name} has no free addresses for another instance.",),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "Choose a larger subnet, or enlarge this one: Cloud Run wants at least /26.",
                url=links.networks(_PROJECT),
            ),
        ),
        source="GoogleCloudPlatform/enterprise-knowledge-solution#172",
        derive=_network,
    ),
)
