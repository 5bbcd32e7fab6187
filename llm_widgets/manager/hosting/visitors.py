"""Identity-Aware Proxy in front of a page: how it calls the page, who signs in, who visits."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis, members
from llm_widgets.errors import NotFoundError
from llm_widgets.gcp import iap
from llm_widgets.gcp.iam import account_roles, invokers, policy, service_agents
from llm_widgets.manager.hosting.step import AFTER_APIS, Step, block, command, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.gcp.client.clients import Clients


class Proxy(Step):
    """Lets Identity-Aware Proxy call the service, and nobody else."""

    title = "Identity-Aware Proxy"

    def ensure(self, clients: Clients) -> bool:
        """Make the proxy's account, and grant it to call the service."""
        found = invokers.invokers(clients, self.page.service)
        public = sorted({each.member for each in found} & members.PUBLIC)
        if public:
            self.site.notes.append(
                f"{' and '.join(public)} can call the service if Identity-Aware Proxy is ever "
                f"switched off: remove {invokers.INVOKER} from them."
            )
        member = members.service_account(members.iap_agent(self.site.number))
        if any(each.member == member and not each.condition for each in found):
            return False
        service_agents.ensure_iap(clients, self.site.number)
        invokers.add_invoker(clients, self.page.service, member)
        return True

    def gcloud(self) -> Iterator[str]:
        """Yield the commands."""
        page = self.page
        yield command(
            "gcloud beta services identity create",
            f"--project={page.project}",
            f"--service={google_apis.IAP}",
        )
        agent = members.service_account(members.iap_agent(self.site.number))
        yield command(
            f"gcloud run services add-iam-policy-binding {page.name}",
            f"--project={page.project}",
            f"--region={page.region}",
            f'--member="{agent}"',
            f"--role={invokers.INVOKER}",
        )

    def terraform(self) -> Iterator[str]:
        """Yield the account and its grant."""
        page = self.page
        fields = {
            "provider": "google-beta",
            "project": text(page.project),
            "service": text(google_apis.IAP),
            "depends_on": AFTER_APIS,
        }
        yield block("google_project_service_identity", "iap", fields)
        fields = {
            "project": text(page.project),
            "location": text(page.region),
            "name": text(page.name),
            "role": text(invokers.INVOKER),
            "member": "google_project_service_identity.iap.member",
            "depends_on": f"[google_cloud_run_v2_service.{_resource(page.name)}]",
        }
        yield block("google_cloud_run_v2_service_iam_member", "iap", fields)


class SignIn(Step):
    """Sets the OAuth client by which visitors sign in, where Google has none for them."""

    title = "OAuth client"

    def ensure(self, clients: Clients) -> bool:
        """Set the client, where one is named."""
        client = self.page.client
        return bool(client and iap.set_client(clients, self.site.visited(self.page), client))

    def remove(self, clients: Clients) -> bool:
        """Forget the client."""
        try:
            return iap.forget_client(clients, self.site.visited(self.page))
        except NotFoundError:
            return False

    def gcloud(self) -> Iterator[str]:
        """Yield the command; the secret is left to be put in."""
        page = self.page
        client = page.client.id if page.client else "CLIENT_ID"
        yield (
            "# In a project without an organization, or for visitors from outside of it, put your\n"
            "# OAuth client into iap.yaml:\n"
            "#   access_settings:\n"
            "#     oauth_settings:\n"
            f"#       client_id: {client}\n"
            "#       client_secret: CLIENT_SECRET\n"
            f"# gcloud beta iap settings set iap.yaml --project={page.project} "
            f"--resource-type=cloud-run --region={page.region} --service={page.name}"
        )

    def terraform(self) -> Iterator[str]:
        """Yield the settings, where a client is named."""
        if not self.page.client:
            return
        yield 'variable "client_secret" {\n  type      = string\n  sensitive = true\n}'
        inner = (
            "access_settings {\n"
            "  oauth_settings {\n"
            f"    client_id     = {text(self.page.client.id)}\n"
            "    client_secret = var.client_secret\n"
            "  }\n"
            "}"
        )
        fields = {
            "name": text(self.site.visited(self.page)),
            "depends_on": f"[google_cloud_run_v2_service.{_resource(self.page.name)}]",
        }
        yield block("google_iap_settings", "page", fields, more=inner)


class Visitors(Step):
    """Lets visitors in."""

    title = "Visitors"

    def ensure(self, clients: Clients) -> bool:
        """Let in who is not in yet; who was let in by other means stays."""
        place = policy.of_visited(self.site.visited(self.page), project=self.page.project)
        changed = [
            policy.grant(clients, place, [account_roles.VISITOR], member)
            for member in self.page.visitors
        ]
        return any(changed)

    def remove(self, clients: Clients) -> bool:
        """Let nobody in any more: a service of the same name would have the same visitors."""
        place = policy.of_visited(self.site.visited(self.page), project=self.page.project)
        try:
            found = policy.grants(clients, place)
        except NotFoundError:
            return False
        let_in = [each for each in found if each.role == account_roles.VISITOR]
        for each in let_in:
            policy.revoke(clients, place, each)
        return bool(let_in)

    def gcloud(self) -> Iterator[str]:
        """Yield a command for each visitor."""
        page = self.page
        for member in page.visitors or ("user:VISITOR",):
            yield command(
                "gcloud beta iap web add-iam-policy-binding",
                f"--project={page.project}",
                "--resource-type=cloud-run",
                f"--region={page.region}",
                f"--service={page.name}",
                f"--member={shlex.quote(member)}",
                f"--role={account_roles.VISITOR}",
            )

    def terraform(self) -> Iterator[str]:
        """Yield one resource for all visitors."""
        page = self.page
        listed = ", ".join(text(member) for member in page.visitors or ("user:VISITOR",))
        fields = {
            "for_each": f"toset([{listed}])",
            "project": text(page.project),
            "location": text(page.region),
            "cloud_run_service_name": f"google_cloud_run_v2_service.{_resource(page.name)}.name",
            "role": text(account_roles.VISITOR),
            "member": "each.value",
        }
        yield block("google_iap_web_cloud_run_service_iam_member", "visitors", fields)


def _resource(name: str) -> str:
    """Return what Terraform calls the service here."""
    return name.replace("-", "_")
