"""Secrets and networks that a service may not use, or that are not there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.domain.failures.advice import WITHOUT_NETWORK
from llm_widgets.domain.failures.known_failure import (
    Groups,
    KnownFailure,
    Rank,
    anywhere,
    reason,
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
        id="secret-access",
        rank=Rank.MISSING,
        signs=(
            anywhere(
                rf"Permission denied on secret: {_SECRET}/versions/[\w-]{{1,40}} for Revision "
                rf"service account (?P<account>{_ACCOUNT})"
            ),
            anywhere(rf"Permission 'secretmanager\.versions\.access' denied.{{0,40}}?{_SECRET}"),
        ),
        causes=(
            "The service runs as {account}, which can't read the secret {secret}.",
            "The service account can't read the secret {secret}.",
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
        causes=(
            "The service account can't read a secret of the service, or the secret does not exist.",
        ),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "Grant roles/secretmanager.secretAccessor on the secret to the service account.",
                url=links.secrets(_PROJECT),
            ),
        ),
        source="Cloud Run API: reasons of secrets of Condition.CommonReason",
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
            (
                "There is no {what} {name} in the region of the service, or Cloud Run has no "
                "permission to use it."
            ),
            (
                "The network or subnet is not in the region of the service, or Cloud Run has "
                "no permission to use it."
            ),
        ),
        advice=(
            WITHOUT_NETWORK,
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
