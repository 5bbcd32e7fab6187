"""One factory for the clients of all Google APIs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from llm_widgets.config import settings as process_settings
from llm_widgets.gcp.auth import sign_in
from llm_widgets.gcp.client import lazy

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.auth.credentials import Credentials

    from llm_widgets.config import Settings

T = TypeVar("T")

CONNECTIONS = 64
"""Connections kept open to one host: twice the threads that work at once."""


class Clients:
    """Makes each client when it is first asked for, and keeps it. Safe to use from threads.

    All clients speak REST: one way for Google and for a local cloud, and none of them waits for
    a channel to come up.

    Parameters
    ----------
    settings
        Where the APIs are; those of the process when left out.
    credentials
        Who calls; Application Default Credentials when left out.
    on_answer
        Called with each answer of an API, as a hook of ``requests``.

    Attributes
    ----------
    numbers
        Numbers of projects by their ids, as far as they are known: refusals name either.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        credentials: Credentials | None = None,
        *,
        on_answer: Callable[..., None] | None = None,
    ) -> None:
        self.settings = settings or process_settings()
        self.numbers: dict[str, str] = {}
        self._on_answer = on_answer
        self._lock = threading.RLock()
        self._kept: dict[str, Any] = {}
        self._clients: dict[str, Any] = {}
        if credentials is not None:
            self._kept["credentials"] = credentials

    def kept(self, key: str, make: Callable[[], T]) -> T:
        """Return what ``make`` made under this key on the first call."""
        return self._of(self._kept, key, make)

    def call_with(self, credentials: Credentials) -> None:
        """Call with other credentials of the same identity from now on."""
        with self._lock:
            self._kept["credentials"] = credentials
            self._clients = {}

    def as_other(self, credentials: Credentials) -> Clients:
        """Return clients of the same clouds that call with other credentials."""
        return Clients(self.settings, credentials, on_answer=self._on_answer)

    def _client(self, key: str, make: Callable[[], T]) -> T:
        """Return a client that was made with the credentials of now."""
        with self._lock:
            return self._of(self._clients, key, make)

    def _of(self, made: dict[str, Any], key: str, make: Callable[[], T]) -> T:
        with self._lock:
            if key not in made:
                made[key] = make()
            found: T = made[key]
            return found

    def url(self, host: str) -> str:
        """Return the base URL of an API: ``https://{host}``, or that of the local cloud."""
        return self.settings.google_endpoint or f"https://{host}"

    @property
    def credentials(self) -> Credentials:
        """Application Default Credentials.

        Raises
        ------
        SignInError
            There are none, or they can't be read.
        """
        is_local = self.settings.is_local_cloud
        return self.kept("credentials", lambda: sign_in.default_credentials(is_local=is_local))

    @property
    def session(self) -> lazy.auth_requests.AuthorizedSession:
        """A ``requests`` session that authorizes its requests, for what has no client."""
        return self._client("session", self._session)

    def storage(self, project: str = "") -> lazy.storage.Client:
        """Cloud Storage; the project matters where buckets are listed or created."""
        return self._client(
            f"storage/{project}",
            lambda: lazy.storage.Client(
                project=project or None,
                credentials=self.credentials,
                _http=self.session,
                client_options=self._options(),
            ),
        )

    @property
    def services(self) -> lazy.run_v2.ServicesClient:
        """Services of Cloud Run."""
        return self._gapic(lambda: lazy.run_v2.ServicesClient)

    @property
    def revisions(self) -> lazy.run_v2.RevisionsClient:
        """Revisions of services of Cloud Run."""
        return self._gapic(lambda: lazy.run_v2.RevisionsClient)

    @property
    def jobs(self) -> lazy.run_v2.JobsClient:
        """Jobs of Cloud Run."""
        return self._gapic(lambda: lazy.run_v2.JobsClient)

    @property
    def executions(self) -> lazy.run_v2.ExecutionsClient:
        """Executions of jobs of Cloud Run."""
        return self._gapic(lambda: lazy.run_v2.ExecutionsClient)

    @property
    def tasks(self) -> lazy.run_v2.TasksClient:
        """Tasks of executions of Cloud Run."""
        return self._gapic(lambda: lazy.run_v2.TasksClient)

    @property
    def builds(self) -> lazy.run_v2.BuildsClient:
        """Builds of images by Cloud Run."""
        return self._gapic(lambda: lazy.run_v2.BuildsClient)

    @property
    def projects(self) -> lazy.resourcemanager_v3.ProjectsClient:
        """Projects of Resource Manager."""
        return self._gapic(lambda: lazy.resourcemanager_v3.ProjectsClient)

    @property
    def billing(self) -> lazy.billing_v1.CloudBillingClient:
        """Cloud Billing."""
        return self._gapic(lambda: lazy.billing_v1.CloudBillingClient)

    @property
    def catalog(self) -> lazy.billing_v1.CloudCatalogClient:
        """The catalogue of prices of Cloud Billing."""
        return self._gapic(lambda: lazy.billing_v1.CloudCatalogClient)

    @property
    def connectors(self) -> lazy.vpcaccess_v1.VpcAccessServiceClient:
        """Serverless VPC Access connectors."""
        return self._gapic(lambda: lazy.vpcaccess_v1.VpcAccessServiceClient)

    @property
    def service_usage(self) -> lazy.service_usage_v1.ServiceUsageClient:
        """Which APIs are enabled."""
        return self._gapic(lambda: lazy.service_usage_v1.ServiceUsageClient)

    @property
    def quotas(self) -> lazy.cloudquotas_v1.CloudQuotasClient:
        """Cloud Quotas."""
        return self._gapic(lambda: lazy.cloudquotas_v1.CloudQuotasClient)

    @property
    def secrets(self) -> lazy.secretmanager_v1.SecretManagerServiceClient:
        """Secret Manager."""
        return self._gapic(lambda: lazy.secretmanager_v1.SecretManagerServiceClient)

    @property
    def scheduler(self) -> lazy.scheduler_v1.CloudSchedulerClient:
        """Cloud Scheduler."""
        return self._gapic(lambda: lazy.scheduler_v1.CloudSchedulerClient)

    def _gapic(self, kind: Callable[[], Callable[..., T]]) -> T:
        """Make a client of a generated package; ``kind`` gives its class and so imports it."""

        def make() -> T:
            client: Any = cls(
                transport="rest", credentials=self.credentials, client_options=self._options()
            )
            self._secure(client.transport._session)  # noqa: SLF001 - there is no public way to its pool
            made: T = client
            return made

        cls = kind()
        return self._client(f"{cls.__module__}.{cls.__qualname__}", make)

    def _session(self) -> lazy.auth_requests.AuthorizedSession:
        session = lazy.auth_requests.AuthorizedSession(self.credentials)
        self._secure(session)
        return session

    def _options(self) -> dict[str, str] | None:
        endpoint = self.settings.google_endpoint
        return {"api_endpoint": endpoint} if endpoint else None

    def _secure(self, session: lazy.auth_requests.AuthorizedSession) -> None:
        """Put limits on a session, as many connections as threads use it, and no ``.netrc``."""
        lazy.limits.secured(session, connections=CONNECTIONS)
        # What it fetches its tokens with.
        lazy.limits.secured(session._auth_request_session)  # noqa: SLF001 - there is no public way
        if self._on_answer:
            session.hooks["response"].append(self._on_answer)
