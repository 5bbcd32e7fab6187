"""The accounts of a page for colleagues, and what each of them may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import NotFoundError
from llm_widgets.gcp.iam import (
    account_roles,
    custom_roles,
    policy,
    role_catalogue,
    service_accounts,
)
from llm_widgets.gcp.iam.account_roles import CUSTOM_ROLES, On
from llm_widgets.gcp.iam.policy import Grant
from llm_widgets.manager.hosting.step import AFTER_APIS, Step, block, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.iam.service_accounts import OwnAccount
    from llm_widgets.manager.hosting.plan import Page

_PAGE, _IMPORTS, _RUNTIME, _PAUSES = (
    service_accounts.PAGE,
    service_accounts.IMPORTS,
    service_accounts.RUNTIME,
    service_accounts.LEASES,
)
_ACT_AS, _REVIEWER = account_roles.ACT_AS, account_roles.REVIEWER


@dataclass(frozen=True, slots=True)
class _OnAccount:
    """A role that one of the accounts has on another one, and what Terraform calls that."""

    name: str
    who: OwnAccount
    role: str
    account: OwnAccount


_ON_ACCOUNTS = (
    _OnAccount("page_as_imports", _PAGE, _ACT_AS, _IMPORTS),
    _OnAccount("page_as_runtime", _PAGE, _ACT_AS, _RUNTIME),
    _OnAccount("page_as_pauses", _PAGE, _ACT_AS, _PAUSES),
    _OnAccount("page_reviews_runtime", _PAGE, _REVIEWER, _RUNTIME),
    _OnAccount("pauses_as_runtime", _PAUSES, _ACT_AS, _RUNTIME),
)

_ROLES = tuple(each.role for each in account_roles.PAGE if each.on is On.PROJECT)


def accounts_of(page: Page) -> dict[str, OwnAccount]:
    """Return the accounts that a page needs, by the names that Terraform has for them."""
    found = {"page": _PAGE, "imports": _IMPORTS, "runtime": _RUNTIME, "pauses": _PAUSES}
    return {**found, "builds": service_accounts.BUILDS} if page.is_built else found


class Accounts(Step):
    """Makes the accounts."""

    title = "Service accounts"

    def ensure(self, clients: Clients) -> bool:
        """Create those that are missing."""
        project = self.page.project
        wanted = accounts_of(self.page).values()
        changed = [service_accounts.ensure(clients, project, each) for each in wanted]
        return any(changed)

    def remove(self, clients: Clients) -> bool:
        """Delete those that nobody uses."""
        if self.site.is_shared:
            return False
        everything = (_PAGE, _IMPORTS, _RUNTIME, _PAUSES, service_accounts.BUILDS)
        deleted = [self._delete(clients, each) for each in everything]
        return any(deleted)

    def _delete(self, clients: Clients, account: OwnAccount) -> bool:
        email = account.email(self.page.project)
        try:
            found = service_accounts.get(clients, self.page.project, email)
        except NotFoundError:
            return False
        if found.description != account.description:
            self.site.notes.append(f"{email} was not created by this command and was kept.")
            return False
        if user := self.site.used.get(email):
            self.site.notes.append(f"{email} was kept: {user} uses it.")
            return False
        service_accounts.delete(clients, self.page.project, email)
        return True

    def gcloud(self) -> Iterator[str]:
        """Yield a command for each."""
        for account in accounts_of(self.page).values():
            yield (
                f"{account.command(self.page.project)} \\\n  --description='{account.description}'"
            )

    def terraform(self) -> Iterator[str]:
        """Yield a resource for each."""
        for name, account in accounts_of(self.page).items():
            fields = {
                "project": text(self.page.project),
                "account_id": text(account.id),
                "display_name": text(account.title),
                "description": text(account.description),
                "depends_on": AFTER_APIS,
            }
            yield block("google_service_account", name, fields)


class Roles(Step):
    """Grants the accounts what they need, and nothing more."""

    title = "Roles"

    def ensure(self, clients: Clients) -> bool:
        """Grant what is missing."""
        project = self.page.project
        of_project = policy.of_project(project)
        changed = [custom_roles.define(clients, project, each) for each in CUSTOM_ROLES.values()]
        changed.append(policy.grant(clients, of_project, self._roles(), self._member(_PAGE)))
        for each in _ON_ACCOUNTS:
            place = policy.of_service_account(each.account.email(project), project=project)
            changed.append(policy.grant(clients, place, [each.role], self._member(each.who)))
        if self.page.is_built:
            member = self._member(service_accounts.BUILDS)
            changed.append(policy.grant(clients, of_project, [account_roles.BUILDER], member))
        return any(changed)

    def remove(self, clients: Clients) -> bool:
        """Take away what was granted, and delete the role of our own."""
        if self.site.is_shared:
            return False
        project = self.page.project
        member = self._member(_PAGE)
        builder = self._member(service_accounts.BUILDS)
        changed = [
            _revoke(clients, policy.of_project(project), [*self._roles()], member),
            _revoke(clients, policy.of_project(project), [account_roles.BUILDER], builder),
        ]
        for each in _ON_ACCOUNTS:
            email = each.account.email(project)
            try:
                service_accounts.get(clients, project, email)
            except NotFoundError:
                continue  # its policy is gone with it; asked for that, IAM would deny it
            place = policy.of_service_account(email, project=project)
            changed.append(_revoke(clients, place, [each.role], self._member(each.who)))
        changed += [custom_roles.delete(clients, project, each) for each in CUSTOM_ROLES.values()]
        return any(changed)

    def gcloud(self) -> Iterator[str]:
        """Yield the commands that grant each role."""
        project = self.page.project
        yield role_catalogue.commands(_ROLES, self._member(_PAGE), project=project)
        for each in _ON_ACCOUNTS:
            yield role_catalogue.commands(
                [each.role],
                self._member(each.who),
                project=project,
                account=each.account.email(project),
            )
        if self.page.is_built:
            member = self._member(service_accounts.BUILDS)
            yield role_catalogue.commands([account_roles.BUILDER], member, project=project)

    def terraform(self) -> Iterator[str]:
        """Yield the role of our own, and the grants."""
        project = text(self.page.project)
        for role in CUSTOM_ROLES.values():
            listed = ", ".join(text(each) for each in role.permissions)
            fields = {
                "project": project,
                "role_id": text(role.id),
                "title": text(role.title),
                "permissions": f"[{listed}]",
                "depends_on": AFTER_APIS,
            }
            yield block("google_project_iam_custom_role", "tokens", fields)
        fields = {
            "for_each": f"toset([{', '.join(text(role) for role in self._roles())}])",
            "project": project,
            "role": "each.value",
            "member": "google_service_account.page.member",
            "depends_on": "[google_project_iam_custom_role.tokens]",
        }
        yield block("google_project_iam_member", "page", fields)
        named = {account: name for name, account in accounts_of(self.page).items()}
        for each in _ON_ACCOUNTS:
            fields = {
                "service_account_id": f"google_service_account.{named[each.account]}.name",
                "role": text(each.role),
                "member": f"google_service_account.{named[each.who]}.member",
            }
            yield block("google_service_account_iam_member", each.name, fields)
        if self.page.is_built:
            fields = {
                "project": project,
                "role": text(account_roles.BUILDER),
                "member": "google_service_account.builds.member",
            }
            yield block("google_project_iam_member", "builds", fields)

    def _roles(self) -> tuple[str, ...]:
        """Return the roles of the page on the project, by their names."""
        return tuple(
            CUSTOM_ROLES[role].name(self.page.project) if role in CUSTOM_ROLES else role
            for role in _ROLES
        )

    def _member(self, account: OwnAccount) -> str:
        return members.service_account(account.email(self.page.project))


def _revoke(clients: Clients, place: policy.Resource, roles: list[str], member: str) -> bool:
    held = policy.roles_of(clients, place, member) & set(roles)
    for role in sorted(held):
        policy.revoke(clients, place, Grant(member, role))
    return bool(held)
