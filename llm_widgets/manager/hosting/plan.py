"""What is wanted of a page for colleagues, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis, names, page_memory
from llm_widgets.errors import InvalidInputError
from llm_widgets.gcp import iap
from llm_widgets.gcp.iam import service_accounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.gcp.iap import OAuthClient

NAME = "llm-manager"
"""Name of the service, and of the repository of its image."""

PART = ("llm-manager-part", "page")
"""Label of what is made for the page: nothing without it is changed or deleted."""

APIS = (
    *(google_apis.RUN, google_apis.IAP, google_apis.IAM, google_apis.RESOURCE_MANAGER),
    *(google_apis.STORAGE, google_apis.SECRET_MANAGER, google_apis.LOGGING),
    *(google_apis.MONITORING, google_apis.QUOTAS, google_apis.COMPUTE, google_apis.VPC_ACCESS),
    *(google_apis.BILLING, google_apis.SERVICE_USAGE, google_apis.SCHEDULER),
)
APIS_OF_BUILDS = (google_apis.ARTIFACT_REGISTRY, google_apis.CLOUD_BUILD)

VISITORS = 10
"""Visitors at the same time where nobody says how many."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page for colleagues, as it is wanted.

    Attributes
    ----------
    project, region, name
        Where its service is, and what it is called.
    image
        Its container image; empty for one that is built of this installation.
    visitors
        Members that are let in.
    at_once
        Visitors at the same time that its memory has room for.
    min_instances
        0 for none while nobody visits, 1 for one that always runs.
    client
        OAuth client that visitors sign in by; ``None`` for Google's own, or the one that is set.
    """

    project: str
    region: str
    name: str = NAME
    image: str = ""
    visitors: tuple[str, ...] = ()
    at_once: int = VISITORS
    min_instances: int = 0
    client: OAuthClient | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check what a person typed.

        Raises
        ------
        InvalidInputError
            The field says which part can't be used.
        """
        names.project_id(self.project)
        names.region(self.region)
        names.service(self.name)
        if not 1 <= self.at_once <= page_memory.MOST_VISITORS:
            raise InvalidInputError(
                f"An instance has room for 1 to {page_memory.MOST_VISITORS} visitors, "
                f"not {self.at_once}.",
                field="visitors-at-once",
            )
        if self.min_instances not in (0, 1):
            raise InvalidInputError(
                "The page runs on one instance, so that at least 0 or 1 of them can run.",
                field="min-instances",
            )

    @property
    def is_built(self) -> bool:
        """Whether its image is built here."""
        return not self.image

    @property
    def apis(self) -> tuple[str, ...]:
        """The APIs that it needs."""
        return (*APIS, *APIS_OF_BUILDS) if self.is_built else APIS

    @property
    def parent(self) -> str:
        """Resource name of its region."""
        return f"projects/{self.project}/locations/{self.region}"

    @property
    def service(self) -> str:
        """Resource name of its service."""
        return f"{self.parent}/services/{self.name}"

    @property
    def repository(self) -> str:
        """Resource name of the repository of its image."""
        return f"{self.parent}/repositories/{NAME}"

    @property
    def account(self) -> str:
        """Address of the account that it runs as."""
        return service_accounts.PAGE.email(self.project)

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of what is made for it."""
        return dict([PART])

    @property
    def mebibytes(self) -> int:
        """MiB of memory of its instance."""
        return page_memory.mebibytes(self.at_once)

    @property
    def cpus(self) -> int:
        """Number of vCPUs of its instance."""
        return page_memory.cpus(self.mebibytes)


@dataclass(slots=True)
class Site:
    """What is found out about a page's place while it is made.

    Attributes
    ----------
    number
        Of the project.
    image
        Address of the image that runs.
    variables
        Variables that the page needs besides its own, for example where Google's APIs are.
    is_shared
        Whether another page of this product in the project uses the same accounts.
    used
        Accounts that services and jobs run as, each with the name of one of those.
    notes
        What a person should know, in sentences.
    """

    number: str
    image: str
    variables: Mapping[str, str] = field(default_factory=dict)
    is_shared: bool = False
    used: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def bucket(self, page: Page) -> str:
        """Return the name of the bucket of archives that images are built from."""
        return f"{NAME}-source-{self.number}-{page.region}"

    def visited(self, page: Page) -> str:
        """Return what Identity-Aware Proxy calls the service."""
        return iap.resource(self.number, page.region, page.name)

    def audience(self, page: Page) -> str:
        """Return whom the assertions of Identity-Aware Proxy are for."""
        return f"/projects/{self.number}/locations/{page.region}/services/{page.name}"
