"""Organization policies: constraints that a project inherits, whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_cloud.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local_cloud.faults import Faults

LOCATIONS = "constraints/gcp.resourceLocations"
MEMBERS = "constraints/iam.allowedPolicyMemberDomains"
NO_ACCOUNTS = "constraints/iam.disableServiceAccountCreation"
UNIFORM_ACCESS = "constraints/storage.uniformBucketLevelAccess"
INGRESS = "constraints/run.allowedIngress"

CONSTRAINTS = (LOCATIONS, MEMBERS, NO_ACCOUNTS, UNIFORM_ACCESS, INGRESS)
"""Those that are enforced when they are switched on."""

_PUBLIC = {"allUsers", "allAuthenticatedUsers"}


class OrganizationPolicies:
    """Refuses what a constraint that is switched on forbids.

    Parameters
    ----------
    faults
        Says which are on, and what they allow.

    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def allows(self, constraint: str, value: str) -> bool:
        """Return whether a constraint is off, or lists a value."""
        policies = self._faults.organization_policies
        return constraint not in policies or value in policies[constraint]

    def require_members(self, resource: str, bindings: Iterable[dict[str, Any]]) -> None:
        """Refuse a policy that lets everybody in, where only the organization's may be."""
        for member in sorted({member for each in bindings for member in each.get("members", [])}):
            if member in _PUBLIC and not self.allows(MEMBERS, member):
                raise _violated(
                    "One or more users named in the policy do not belong to a permitted customer, "
                    " perhaps due to an organization policy.",
                    MEMBERS,
                    resource,
                    f"User {member} is not in permitted organization.",
                )

    def require_accounts(self, project: str) -> None:
        """Refuse to make a service account where none may be made."""
        if NO_ACCOUNTS in self._faults.organization_policies:
            raise _violated(
                "Service account creation is not allowed on this project.",
                NO_ACCOUNTS,
                f"projects/{project}/serviceAccounts",
                f"Constraint {NO_ACCOUNTS} violated for service account creation.",
            )

    def require_service(self, name: str, region: str, ingress: str) -> None:
        """Refuse a service of Cloud Run in a region, or with an ingress, that is not allowed.

        Parameters
        ----------
        name
            Its resource name.
        ingress
            As gcloud writes it: ``all``, ``internal``.

        """
        if not self.allows(LOCATIONS, region):
            text = (
                f"Constraint {LOCATIONS} violated for [orgpolicy:{_project(name)}] attempting to "
                f"create a service in [{region}]. For more information, see "
                "https://cloud.google.com/resource-manager/docs/organization-policy/"
                "defining-locations."
            )
            raise _violated(text, LOCATIONS, _project(name), text)
        if not self.allows(INGRESS, ingress):
            text = (
                f"Constraint {INGRESS} violated for attempting CreateService with annotation "
                f'"run.googleapis.com/ingress" set to {ingress}.'
            )
            raise _violated(text, INGRESS, _project(name), text)


def _project(name: str) -> str:
    return "/".join(name.split("/")[:2])


def _violated(message: str, constraint: str, subject: str, description: str) -> ApiError:
    violation = {
        "type": constraint,
        "subject": f"orgpolicy:{subject}",
        "description": description,
    }
    detail = {
        "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
        "violations": [violation],
    }
    return ApiError("FAILED_PRECONDITION", message, [detail])
