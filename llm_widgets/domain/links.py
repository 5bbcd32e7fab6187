"""Pages of the Cloud Console.

The functions take templates such as ``{project}`` as well: names are put in as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis

if TYPE_CHECKING:
    from llm_widgets.errors import Fix

CONSOLE = "https://console.cloud.google.com"
REMOTE_REPOSITORIES = "https://cloud.google.com/artifact-registry/docs/repositories/remote-overview"
GPU_QUOTA = "https://g.co/cloudrun/gpu-quota"
"""Google's form that asks for GPUs of Cloud Run."""


def service(name: str, tab: str = "metrics") -> str:
    """Link to a service, given its resource name.

    ``tab`` is one of ``metrics``, ``logs``, ``revisions``, ``networking``, ``security``, ``yaml``.
    """
    _, project, _, region, _, service_id = name.split("/")
    return f"{CONSOLE}/run/detail/{region}/{service_id}/{tab}?project={project}"


def bucket(name: str, project: str = "") -> str:
    """Link to the objects of a bucket."""
    page = f"{CONSOLE}/storage/browser/{name}"
    return f"{page}?project={project}" if project else page


def bucket_policy(name: str, project: str) -> str:
    """Link to the IAM policy of a bucket."""
    return f"{CONSOLE}/storage/browser/{name};tab=permissions?project={project}"


def bucket_protection(name: str, project: str) -> str:
    """Link to retention, holds and soft delete of a bucket."""
    page = f"{CONSOLE}/storage/browser/{name};tab=protection"
    return f"{page}?project={project}" if project else page


def iam(project: str) -> str:
    """Link to the IAM policy of a project."""
    return f"{CONSOLE}/iam-admin/iam?project={project}"


def service_accounts(project: str) -> str:
    """Link to the service accounts of a project."""
    return f"{CONSOLE}/iam-admin/serviceaccounts?project={project}"


def quotas(project: str, service: str = google_apis.RUN) -> str:
    """Link to the quotas of an API in a project; to those of all APIs when it is empty."""
    of_service = f"service={service}&" if service else ""
    return f"{CONSOLE}/iam-admin/quotas?{of_service}usage=ALL&project={project}"


def organization_policies(project: str) -> str:
    """Link to the policies of the organization as they are for a project."""
    page = f"{CONSOLE}/iam-admin/orgpolicies"
    return f"{page}?project={project}" if project else page


def organization_policy(constraint: str, project: str) -> str:
    """Link to the policy of a constraint, for example ``gcp.resourceLocations``."""
    if not project:
        return organization_policies("")
    return f"{CONSOLE}/iam-admin/orgpolicies/{constraint.replace('.', '-')}?project={project}"


def service_perimeters(project: str) -> str:
    """Link to VPC Service Controls."""
    page = f"{CONSOLE}/security/service-perimeter"
    return f"{page}?project={project}" if project else page


def binary_authorization(project: str) -> str:
    """Link to the policy of Binary Authorization of a project."""
    page = f"{CONSOLE}/security/binary-authorization/policy"
    return f"{page}?project={project}" if project else page


def kms_keys(project: str) -> str:
    """Link to the Cloud KMS keys of a project."""
    page = f"{CONSOLE}/security/kms/keys"
    return f"{page}?project={project}" if project else page


def kms_key(project: str, location: str, ring: str, key: str) -> str:
    """Link to a Cloud KMS key."""
    return f"{CONSOLE}/security/kms/key/manage/{location}/{ring}/{key}?project={project}"


def all_projects() -> str:
    """Link to all projects, those pending deletion too."""
    return f"{CONSOLE}/cloud-resource-manager"


def appeal(project: str) -> str:
    """Link to where the suspension of a project is appealed."""
    return f"{CONSOLE}/appeal?project={project}" if project else f"{CONSOLE}/appeal"


def api(name: str, project: str) -> str:
    """Link to an API, for example ``run.googleapis.com``, where it can be enabled."""
    return f"{CONSOLE}/apis/library/{name}?project={project}"


def api_library(project: str) -> str:
    """Link to all APIs of a project."""
    return f"{CONSOLE}/apis/library?project={project}"


def billing(project: str = "") -> str:
    """Link to the billing account of a project, or to all of them."""
    return f"{CONSOLE}/billing/linkedaccount?project={project}" if project else f"{CONSOLE}/billing"


def auth_platform(project: str) -> str:
    """Link to where OAuth clients of a project are made."""
    return f"{CONSOLE}/auth/overview?project={project}"


def secrets(project: str) -> str:
    """Link to the secrets of a project."""
    return f"{CONSOLE}/security/secret-manager?project={project}"


def secret_policy(secret: str, project: str) -> str:
    """Link to the IAM policy of a secret."""
    page = f"{CONSOLE}/security/secret-manager/secret/{secret}/permissions"
    return f"{page}?project={project}"


def networks(project: str) -> str:
    """Link to the networks of a project."""
    return f"{CONSOLE}/networking/networks/list?project={project}"


def new_connector(project: str) -> str:
    """Link to the form that creates a Serverless VPC Access connector."""
    return f"{CONSOLE}/networking/connectors/add?project={project}"


def connectors(project: str) -> str:
    """Link to the Serverless VPC Access connectors of a project."""
    return f"{CONSOLE}/networking/connectors/list?project={project}"


def subnet(region: str, name: str, project: str) -> str:
    """Link to a subnet, where Private Google Access is turned on."""
    return f"{CONSOLE}/networking/subnetworks/details/{region}/{name}?project={project}"


def is_console(url: str) -> bool:
    """Return whether a link leads to the console; a local cloud has none."""
    return url.startswith(CONSOLE)


def without_console(fix: Fix) -> Fix:
    """Return a fix without its link, if that leads to the console."""
    return replace(fix, url="") if is_console(fix.url) else fix
