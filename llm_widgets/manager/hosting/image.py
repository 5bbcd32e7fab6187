"""The container image of a page for colleagues: given, or built by Cloud Run."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import AlreadyExistsError, DeploymentError, Fix
from llm_widgets.gcp.iam import acting_as, policy, propagation, service_accounts
from llm_widgets.gcp.project import repositories
from llm_widgets.gcp.run import builds
from llm_widgets.gcp.storage import sources
from llm_widgets.manager.hosting import source
from llm_widgets.manager.hosting.plan import NAME, PART
from llm_widgets.manager.hosting.step import AFTER_APIS, Step, block, command, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from llm_widgets.gcp.client.clients import Clients

_OBJECT = "source-{tag}.tar.gz"
_LACKS = re.compile(r"(?i)permission|denied|does not have|forbidden|403")
"""What a build says whose account lacks a permission."""


class Image(Step):
    """Has the image built where none is given: once for each version of this installation."""

    title = "Container image"

    def ensure(self, clients: Clients) -> bool:
        """Have the repository, and the image in it."""
        if not self.page.is_built:
            self.site.image = self.page.image
            return False
        repository = self.page.repository
        is_new = _missing(repositories.labels(clients, repository), repository)
        if is_new:
            repositories.create(clients, repository, self.page.labels)
        content = source.archive()
        tag = source.tag(content)
        digest = repositories.digest(clients, repository, NAME, tag)
        is_built = not digest
        if is_built:
            digest = self._built(clients, content, tag)
        self.site.image = f"{self._address}@{digest}"
        return is_new or is_built

    def remove(self, clients: Clients) -> bool:
        """Delete the repository and the bucket of archives."""
        if self.site.is_shared:
            return False
        page, bucket = self.page, self.site.bucket(self.page)
        has_repository = _is_own(repositories.labels(clients, page.repository))
        if has_repository:
            repositories.delete(clients, page.repository)
        has_bucket = _is_own(sources.labels(clients, page.project, bucket, self.site.number))
        if has_bucket:
            sources.delete(clients, page.project, bucket)
        return has_repository or has_bucket

    def gcloud(self) -> Iterator[str]:
        """Yield the commands that build, in a clone of the repository."""
        page = self.page
        if not page.is_built:
            yield f"IMAGE={shlex.quote(page.image)}"
            return
        account = service_accounts.BUILDS.email(page.project)
        yield command(
            f"gcloud artifacts repositories create {NAME}",
            f"--project={page.project}",
            f"--location={page.region}",
            "--repository-format=docker",
            f"--labels={'='.join(PART)}",
        )
        yield f"IMAGE={self._address}"
        yield command(
            "gcloud builds submit .",
            f"--project={page.project}",
            f"--region={page.region}",
            '--tag="$IMAGE"',
            f"--service-account=projects/{page.project}/serviceAccounts/{account}",
            "--default-buckets-behavior=regional-user-owned-bucket",
        )
        yield command(
            'IMAGE=$(gcloud artifacts docker images describe "$IMAGE"',
            "--format='value(image_summary.fully_qualified_digest)')",
        )

    def terraform(self) -> Iterator[str]:
        """Yield the repository; Terraform builds no image."""
        yield 'variable "image" {\n  type = string\n}'
        if self.page.is_built:
            fields = {
                "project": text(self.page.project),
                "location": text(self.page.region),
                "repository_id": text(NAME),
                "format": text("DOCKER"),
                "labels": f"{{ {PART[0]} = {text(PART[1])} }}",
                "depends_on": AFTER_APIS,
            }
            yield block("google_artifact_registry_repository", "images", fields)

    @property
    def _address(self) -> str:
        page = self.page
        return f"{page.region}-docker.pkg.dev/{page.project.replace(':', '/')}/{NAME}/{NAME}"

    def _built(self, clients: Clients, content: bytes, tag: str) -> str:
        page, bucket = self.page, self.site.bucket(self.page)
        labels = sources.labels(clients, page.project, bucket, self.site.number)
        if _missing(labels, f"gs://{bucket}"):
            sources.create(clients, page.project, bucket, page.region, page.labels)
        name = _OBJECT.format(tag=tag)
        generation = sources.put(clients, page.project, bucket, name, content)
        account = service_accounts.BUILDS.email(page.project)
        stored, image = (bucket, name, generation), f"{self._address}:{tag}"
        return _until_granted(
            clients,
            page.project,
            account,
            lambda: acting_as.until_allowed(
                clients,
                lambda: builds.build(clients, page.parent, stored, image, account),
                page.project,
                account,
            ),
        )


def _until_granted(clients: Clients, project: str, account: str, build: Callable[[], str]) -> str:
    """Build, and again while the account lacks a permission that it was granted moments ago."""
    made = propagation.of(clients)
    member = members.service_account(account)
    sentence = f"Waiting for the grants of {account}, which take {propagation.HOW_LONG}."
    return propagation.until_effective(
        build,
        tell=propagation.once(made, sentence),
        longest=propagation.left(made.age(policy.of_project(project).path, member)),
        passes=lambda error: bool(
            isinstance(error, DeploymentError) and _LACKS.search(error.cause)
        ),
    )


def _is_own(labels: Mapping[str, str] | None) -> bool:
    return labels is not None and labels.get(PART[0]) == PART[1]


def _missing(labels: Mapping[str, str] | None, name: str) -> bool:
    """Return whether there is no such thing yet.

    Raises
    ------
    AlreadyExistsError
        There is one that is not ours.
    """
    if labels is not None and not _is_own(labels):
        raise AlreadyExistsError(
            f"{name} was not created by this command, so that it is not changed.",
            cause=f"The label {PART[0]} is missing.",
            fix=Fix(text=f"Set its label {'='.join(PART)} to have it used, or choose an image."),
        )
    return labels is None
